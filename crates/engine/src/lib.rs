//! The verbs of lodger as a library.
