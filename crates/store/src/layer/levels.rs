//! The directories between a tree's top and the entry being written, held open.
//!
//! Entries of an archive come directory by directory, so the parent of the next entry is nearly always the parent of the
//! last, and is not looked up again. Each level was opened from the one above without following a symlink, or, where the
//! archive's own tree has a symlink in the way, by `openat2` with `RESOLVE_IN_ROOT`: no descriptor here ever points outside
//! the tree.
//!
//! Writing into a directory changes its time, so each level remembers the time that is due and sets it when it is left.

use super::path::join;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How a directory is opened: never through a symlink.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// One open directory.
#[derive(Debug)]
pub(crate) struct Level {
    name: Vec<u8>,
    fd: OwnedFd,
    /// What its time must be in the end.
    mtime: Timespec,
    /// Whether its time must be set when it is left.
    touched: bool,
    /// New entries get its group, whatever ours is.
    setgid: bool,
}

/// The open directories, top first. There is always a top.
#[derive(Debug)]
pub(crate) struct Levels {
    levels: Vec<Level>,
}

impl Level {
    fn open(name: &[u8], fd: OwnedFd) -> rustix::io::Result<Self> {
        let stat = rustix::fs::fstat(&fd)?;
        let mtime = Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ };
        let setgid = Mode::from_raw_mode(stat.st_mode).contains(Mode::SGID);
        Ok(Self { name: name.to_vec(), fd, mtime, touched: false, setgid })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Whether what is made here gets the directory's group.
    pub(crate) fn passes_group(&self) -> bool {
        self.setgid
    }

    /// Gives the directory the time that an archive says.
    pub(crate) fn set_time(&mut self, mtime: Timespec) {
        (self.mtime, self.touched) = (mtime, true);
    }

    /// After its mode was changed.
    pub(crate) fn set_mode(&mut self, mode: u32) {
        self.setgid = mode & 0o2000 != 0;
    }

    fn leave(self) -> rustix::io::Result<()> {
        match self.touched {
            true => rustix::fs::futimens(&self.fd, &both(self.mtime)),
            false => Ok(()),
        }
    }
}

/// Access and change at the same time.
pub(crate) fn both(time: Timespec) -> Timestamps {
    Timestamps { last_access: time, last_modification: time }
}

impl Levels {
    pub(crate) fn new(top: OwnedFd) -> rustix::io::Result<Self> {
        Ok(Self { levels: vec![Level::open(b"", top)?] })
    }

    /// The top directory.
    pub(crate) fn top(&self) -> BorrowedFd<'_> {
        self.levels[0].fd()
    }

    /// The directory that was last asked for.
    pub(crate) fn here(&mut self) -> &mut Level {
        self.levels.last_mut().expect("there is always a top")
    }

    /// Goes to a directory, making what is missing on the way with `make`, and returns it, to be written into.
    ///
    /// Fails with ENOTDIR where a file is in the way.
    pub(crate) fn go(
        &mut self,
        components: &[&[u8]],
        make: &mut dyn FnMut(BorrowedFd<'_>, &[u8]) -> rustix::io::Result<()>,
    ) -> rustix::io::Result<&mut Level> {
        let known = self.levels[1..].iter().zip(components).take_while(|(level, name)| level.name == **name).count();
        while self.levels.len() > known + 1 {
            self.up()?;
        }
        for index in known..components.len() {
            self.enter(components, index, make)?;
        }
        let level = self.here();
        level.touched = true;
        Ok(level)
    }

    /// Leaves all directories, from the deepest up, and sets their times.
    pub(crate) fn leave_all(&mut self) -> rustix::io::Result<()> {
        while self.levels.len() > 1 {
            self.up()?;
        }
        let top = self.here();
        match top.touched {
            true => rustix::fs::futimens(&top.fd, &both(top.mtime)),
            false => Ok(()),
        }
    }

    /// Goes into a directory that is already there, right below `here`, which is named by all but the last component.
    pub(crate) fn descend(&mut self, name: &[u8]) -> rustix::io::Result<&mut Level> {
        let fd = rustix::fs::openat(self.here().fd(), name, DIRECTORY, Mode::empty())?;
        self.levels.push(Level::open(name, fd)?);
        Ok(self.here())
    }

    fn up(&mut self) -> rustix::io::Result<()> {
        self.levels.pop().map_or(Ok(()), Level::leave)
    }

    fn enter(
        &mut self,
        components: &[&[u8]],
        index: usize,
        make: &mut dyn FnMut(BorrowedFd<'_>, &[u8]) -> rustix::io::Result<()>,
    ) -> rustix::io::Result<()> {
        let name = components[index];
        let above = self.here().fd();
        let fd = match rustix::fs::openat(above, name, DIRECTORY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => {
                make(above, name)?;
                self.here().touched = true;
                rustix::fs::openat(self.here().fd(), name, DIRECTORY, Mode::empty())?
            }
            Err(error @ (Errno::NOTDIR | Errno::LOOP)) => {
                let stat = rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW)?;
                match FileType::from_raw_mode(stat.st_mode) {
                    FileType::Symlink => open_in_tree(self.top(), &components[..=index])?,
                    FileType::CharacterDevice if stat.st_rdev == 0 => {
                        make(above, name)?;
                        self.here().touched = true;
                        rustix::fs::openat(self.here().fd(), name, DIRECTORY, Mode::empty())?
                    }
                    _ => return Err(error),
                }
            }
            Err(errno) => return Err(errno),
        };
        self.levels.push(Level::open(name, fd)?);
        Ok(())
    }
}

/// Opens a directory through whatever symlinks the tree has, as if the tree's top were `/`.
pub(crate) fn open_in_tree(top: BorrowedFd<'_>, components: &[&[u8]]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    loop {
        match rustix::fs::openat2(top, join(components), flags, Mode::empty(), inside) {
            // The kernel could not rule out a race with a rename; none of ours lasts.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
}
