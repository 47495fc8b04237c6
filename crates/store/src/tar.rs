//! Tar archives.
