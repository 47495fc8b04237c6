//! `keeper`: holds the user namespace that it was started in, and does nothing.
//!
//! It keeps no descriptor and takes signals as every process does, so that ending it is simple; whoever finds it gone
//! makes the next one.

use kernel::start::close_range;
use rustix::event::pause;
use rustix::thread::set_name;

/// Never returns.
pub(crate) fn run() -> i32 {
    let _ = close_range(0, u32::MAX);
    let _ = set_name(c"lodger-keeper");
    loop {
        pause();
    }
}
