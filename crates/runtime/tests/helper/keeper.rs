//! What whoever starts the keeper relies on.

use crate::process::{helper, until};
use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

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

/// What a store looks like to the keeper.
fn store() -> tempfile::TempDir {
    let store = tempfile::tempdir().unwrap();
    fs::create_dir(store.path().join("trash")).unwrap();
    fs::create_dir(store.path().join("locks")).unwrap();
    store
}

/// Something to throw away: deeper than any fixed limit, with links that lead out and a directory closed to its owner.
fn rubbish(at: &Path, canary: &Path) {
    let mut deep = at.to_owned();
    for _ in 0..60 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "x").unwrap();
    for number in 0..300 {
        fs::write(at.join(format!("{number}-{}", "n".repeat(200))), "x").unwrap();
    }
    symlink(canary, at.join("link")).unwrap();
    symlink(canary, deep.join("link")).unwrap();
    fs::create_dir(at.join("closed")).unwrap();
    fs::write(at.join("closed/file"), "x").unwrap();
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(at.join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    }
}

#[test]
fn what_is_moved_to_the_trash_goes_and_nothing_else() {
    let store = store();
    let (canary, trash) = (store.path().join("canary"), store.path().join("trash"));
    fs::create_dir(&canary).unwrap();
    fs::write(canary.join("file"), "stays").unwrap();
    fs::create_dir(trash.join("before")).unwrap();
    let keeper = helper("keeper", &[store.path().to_str().unwrap()], "").start();
    let empty = || fs::read_dir(&trash).unwrap().next().is_none();
    until("what was there before is gone", empty);
    fs::create_dir(store.path().join("made")).unwrap();
    rubbish(&store.path().join("made"), &canary);
    fs::rename(store.path().join("made"), trash.join("one")).unwrap();
    fs::write(store.path().join("file"), "x").unwrap();
    fs::rename(store.path().join("file"), trash.join("two")).unwrap();
    until("what was moved there is gone", empty);
    assert_eq!(fs::read_to_string(canary.join("file")).unwrap(), "stays");
    assert!(keeper.memory_kib() <= 60, "{} KiB", keeper.memory_kib());
    let lock = File::open(store.path().join("locks/sweeper")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockShared).unwrap_err();
}

#[test]
fn the_keeper_ends_with_its_store() {
    let store = store();
    let mut keeper = helper("keeper", &[store.path().to_str().unwrap()], "").start();
    until("it watches", || keeper.open_descriptors().len() == 2);
    fs::remove_dir_all(store.path()).unwrap();
    assert_eq!(keeper.end().code(), Some(0));
}

#[test]
fn a_second_keeper_takes_over_from_the_first() {
    let store = store();
    let words = [store.path().to_str().unwrap()];
    let mut first = helper("keeper", &words, "").start();
    until("it watches", || first.open_descriptors().len() == 2);
    let second = helper("keeper", &words, "").start();
    until("it waits", || second.proc("wchan").contains("lock") || second.open_descriptors().len() == 1);
    first.signal(Signal::TERM);
    first.end();
    until("it watches", || second.open_descriptors().len() == 2);
    fs::create_dir(store.path().join("made")).unwrap();
    fs::rename(store.path().join("made"), store.path().join("trash/made")).unwrap();
    until("the trash is empty", || fs::read_dir(store.path().join("trash")).unwrap().next().is_none());
}

#[test]
fn an_unknown_name_is_refused() {
    let mut nobody = helper("nobody", &[], "").start();
    assert_eq!(nobody.end().code(), Some(125));
}
