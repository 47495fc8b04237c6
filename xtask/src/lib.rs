//! The tasks of the project that are longer than a few lines, and what tests of other crates share with them.
//!
//! | module | what it does |
//! |---|---|
//! | `host` | boots and enters a test host: systemd, users, registries |
//! | `debian` | root file systems from Debian's mirror |
//! | `ability` | what this machine cannot do, with the reason |
//! | `process` | runs other programs, bounded |
//! | `paths`, `digest` | where things lie, and how they are named |

pub mod ability;
pub mod debian;
pub mod digest;
pub mod host;
pub mod paths;
pub mod process;
