//! What whoever starts the keeper relies on.

use crate::process::{helper, until};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

#[test]
fn keeper_holds_nothing_but_itself() {
    let mut keeper = helper("keeper", &[], "5</dev/null 9</dev/null").start();
    until("it has its name", || keeper.proc("comm").trim() == "lodger-keeper");
    assert!(keeper.open_descriptors().is_empty(), "{:?}", keeper.open_descriptors());
    assert!(keeper.is_alive());
    assert!(keeper.memory_kib() <= 40, "{} KiB", keeper.memory_kib());
    keeper.signal(Signal::TERM);
    assert_eq!(keeper.end().signal(), Some(15));
}

#[test]
fn an_unknown_name_is_refused() {
    let mut nobody = helper("nobody", &[], "").start();
    assert_eq!(nobody.end().code(), Some(125));
}
