//! What holds for the option table as a whole.

mod complete;
mod report;
mod round_trip;
