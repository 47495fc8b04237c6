//! `keeper [STORE]`: holds the user namespace that it was started in, and deletes what containers leave in `STORE/trash`.
//!
//! Some file systems take milliseconds to delete a directory (ext4 mounted with `discard`), so a command that removes a
//! container only moves it to the trash while somebody holds `STORE/locks/sweeper`. The keeper does, and inotify(7) tells
//! it what arrives. A second keeper of a store waits for the lock, and so takes over from the first. Both end with the
//! store. Signals have their usual effect, so that ending a keeper is simple; whoever finds it gone makes the next one.

use core::mem::MaybeUninit;
use kernel::start::{Arguments, close_range};
use rustix::event::pause;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RawDir, RenameFlags, ResolveFlags, flock, open, openat2, renameat_with,
    unlinkat,
};
use rustix::io::{Errno, Result};
use rustix::process::chdir;
use rustix::thread::set_name;

const TRASH: &core::ffi::CStr = c"trash";
const LOCK: &core::ffi::CStr = c"locks/sweeper";
/// Bytes of directory entries read at a time: some of the longest names.
const ENTRIES: usize = 1024;

/// Never returns while the store exists.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    let _ = close_range(0, u32::MAX);
    let _ = set_name(c"lodger-keeper");
    match arguments.get(1).map(Sweeper::new) {
        Some(Ok(mut sweeper)) => sweeper.run(),
        Some(Err(Errno::NOENT)) => {}
        // No inotify instance left, say: the namespace is needed all the same.
        Some(Err(_)) | None => loop {
            pause();
        },
    }
    0
}

/// Whether a pass over the trash changed anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Deleted,
    Nothing,
}

/// The only one to sweep this store. Its working directory is the store.
struct Sweeper {
    /// Locked for as long as this lives.
    _lock: OwnedFd,
    events: OwnedFd,
    /// Gives names to what is moved up from the depths.
    counter: u32,
}

impl Sweeper {
    fn new(store: &core::ffi::CStr) -> Result<Self> {
        chdir(store)?;
        let lock =
            open(LOCK, OFlags::RDONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let events = inotify::init(CreateFlags::CLOEXEC)?;
        // The directory itself is never kept open, so that its end is told as well.
        inotify::add_watch(&events, TRASH, WatchFlags::MOVED_TO | WatchFlags::DELETE_SELF | WatchFlags::ONLYDIR)?;
        Ok(Self { _lock: lock, events, counter: 0 })
    }

    /// Until the trash is no more.
    fn run(&mut self) {
        loop {
            // What cannot be deleted (another's mount point, say) stays until something new arrives.
            while self.pass() == Ok(Pass::Deleted) {}
            let mut buffer = [MaybeUninit::uninit(); 512];
            let mut reader = Reader::new(self.events.as_fd(), &mut buffer);
            match reader.next() {
                Ok(event) if event.events().intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED) => return,
                // The rest of what was read is swept with it.
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    /// Deletes all entries once. What lies in a directory below the first level is moved up, and deleted by the next pass:
    /// no depth that a container can make needs more memory or descriptors than one level does.
    fn pass(&mut self) -> Result<Pass> {
        let trash = enter(CWD, TRASH)?;
        let mut did = Pass::Nothing;
        each(trash.as_fd(), |name| {
            if delete(trash.as_fd(), name) == Ok(()) {
                did = Pass::Deleted;
            } else if let Ok(directory) = enter(trash.as_fd(), name) {
                if self.empty(directory.as_fd(), trash.as_fd()) == Pass::Deleted {
                    did = Pass::Deleted;
                }
            }
        });
        Ok(did)
    }

    fn empty(&mut self, directory: BorrowedFd<'_>, trash: BorrowedFd<'_>) -> Pass {
        let mut did = Pass::Nothing;
        each(directory, |name| {
            if delete(directory, name) == Ok(()) || self.lift(directory, name, trash) == Ok(()) {
                did = Pass::Deleted;
            }
        });
        did
    }

    /// Moves a directory that is not empty up to the trash, under the first free name.
    fn lift(&mut self, from: BorrowedFd<'_>, name: &core::ffi::CStr, trash: BorrowedFd<'_>) -> Result<()> {
        loop {
            self.counter = self.counter.wrapping_add(1);
            let mut line = crate::text::Line::new();
            line.push(b"sweep-");
            line.number(u64::from(self.counter), 1);
            match renameat_with(from, name, trash, line.bytes(), RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                result => return result,
            }
        }
    }
}

/// Unlinks a name, whatever it is; a directory only if it is empty.
fn delete(directory: BorrowedFd<'_>, name: &core::ffi::CStr) -> Result<()> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => unlinkat(directory, name, AtFlags::REMOVEDIR),
        result => result,
    }
}

/// Opens a directory that is really one, and in which nothing is mounted over it.
fn enter(directory: BorrowedFd<'_>, name: &core::ffi::CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    openat2(directory, name, flags, Mode::empty(), beneath)
}

/// Calls `visit` with every name in a directory.
fn each(directory: BorrowedFd<'_>, mut visit: impl FnMut(&core::ffi::CStr)) {
    let mut buffer = [MaybeUninit::uninit(); ENTRIES];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name();
        if name != c"." && name != c".." {
            visit(name);
        }
    }
}
