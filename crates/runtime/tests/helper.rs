//! The helper processes, run as they are at a user's: from the sealed file in memory, with real pipes, sockets and signals.
//!
//! ```text
//! helper/init.rs, keeper.rs, relay.rs, supervise.rs    one file for each
//! helper/process.rs                                     how they are started and looked at
//! ```

#![allow(clippy::unwrap_used, reason = "a test may end at the first surprise")]

#[path = "helper/init.rs"]
mod init;
#[path = "helper/keeper.rs"]
mod keeper;
#[path = "helper/process.rs"]
mod process;
#[path = "helper/relay.rs"]
mod relay;
#[path = "helper/supervise.rs"]
mod supervise;
