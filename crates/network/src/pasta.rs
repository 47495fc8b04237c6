//! pasta(1), the process that connects one network namespace with the host's.
//!
//! ```text
//! Plan::arguments (pure) ──► start ──► Starting::finish ──► runs until its link is removed ◄── stop
//! ```
//!
//! **Lifetime.** The namespace is handed over as pasta's standard input and named by a link of the container's own,
//! `…/netns -> /proc/self/fd/0`, because (1) pasta gives up its capabilities before it opens the path, after which the
//! kernel refuses `/proc/PID/ns/net` of a process that has more of them, (2) newer versions close all other
//! descriptors, and (3) every version watches the directory of the path that it was given and ends when the name in it
//! is deleted, but the older ones cannot watch `/proc`. So removing the link ends pasta, with no process number to know.
//!
//! Source: pasta(1), versions of March 2023 (Debian 12) to 2026.

mod abilities;
mod plan;
mod process;

pub use abilities::Abilities;
pub use plan::{DNS_FORWARD, GUEST_ADDRESS, Plan};
#[cfg(test)]
pub(crate) use process::explain;
pub use process::{Starting, Until, start, stop};
