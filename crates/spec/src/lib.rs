//! The nouns of lodger and their text forms; the option table. Pure data: no I/O, no clock, no environment.
