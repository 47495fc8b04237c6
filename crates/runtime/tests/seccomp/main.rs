//! The seccomp compiler against its judges: libseccomp, the kernel's headers, and the kernel itself.

mod attack;
mod default_profile;
mod equivalence;
mod interpreter;
mod listing;
mod load;
mod profile;
mod reference;
mod tables;
