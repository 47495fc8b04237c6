//! Gives directory trees to a user by descriptor, never following a symlink.
//!
//! What is mounted below is part of the tree, as it is for whoever sees it. Whatever its names and links are, nothing outside is
//! changed: each directory is opened from the one above, and everything else changed as an entry of it.

use crate::error::{Error, Kind, Result};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RawDir, Stat, Uid};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Directories inside one another; a descriptor is held for each.
const DEPTH: usize = 500;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A user and a group, as this process's user namespace numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Makes `owner` own what is open as `top` (which may be open by place alone) and all below it.
///
/// What belongs to them already is left alone. `name` is what `top` is called in messages. Fails at the first thing that cannot be
/// given away, with its path.
pub fn own_tree(top: BorrowedFd<'_>, owner: Owner, name: &Path) -> Result<()> {
    let mut walk = Walk { owner, path: Vec::new(), depth: 0 };
    walk.top(top).map_err(|errno| {
        let below = String::from_utf8_lossy(&walk.path).into_owned();
        let path = if below.is_empty() { name.to_owned() } else { name.join(below) };
        match errno {
            Errno::MLINK => {
                Error::new("change owner of", path.display().to_string(), Kind::BadArchive(TOO_DEEP.to_owned()))
            }
            errno => Error::at("change owner of", &path, errno),
        }
    })
}

const TOO_DEEP: &str = "more than 500 directories deep";

struct Walk {
    owner: Owner,
    /// Below the top: where we are, and after an error, where it happened.
    path: Vec<u8>,
    depth: usize,
}

impl Walk {
    fn top(&mut self, top: BorrowedFd<'_>) -> rustix::io::Result<()> {
        let stat = rustix::fs::fstat(top)?;
        if !self.is_owner(&stat) {
            self.give(top, c"", AtFlags::EMPTY_PATH)?;
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.entries(top),
            _ => Ok(()),
        }
    }

    fn entries(&mut self, directory: BorrowedFd<'_>) -> rustix::io::Result<()> {
        if self.depth >= DEPTH {
            return Err(Errno::MLINK);
        }
        self.depth += 1;
        let listing = rustix::fs::openat(directory, c".", DIRECTORY, Mode::empty())?;
        let mut buffer = Vec::with_capacity(8 << 10);
        let mut entries = RawDir::new(&listing, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.entry(listing.as_fd(), name)?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }

    fn entry(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
        let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Deleted meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return match self.is_owner(&stat) {
                true => Ok(()),
                false => self.give(directory, name, AtFlags::SYMLINK_NOFOLLOW),
            };
        }
        let inner = rustix::fs::openat(directory, name, OFlags::PATH | DIRECTORY, Mode::empty())?;
        if !self.is_owner(&stat) {
            self.give(inner.as_fd(), c"", AtFlags::EMPTY_PATH)?;
        }
        self.entries(inner.as_fd())
    }

    fn is_owner(&self, stat: &Stat) -> bool {
        (stat.st_uid, stat.st_gid) == (self.owner.uid, self.owner.gid)
    }

    fn give(&self, directory: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> rustix::io::Result<()> {
        let Owner { uid, gid } = self.owner;
        rustix::fs::chownat(directory, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, as_root};
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn all_below_gets_the_owner_and_nothing_behind_links() {
        as_root("own_tree::tests::all_below_gets_the_owner_and_nothing_behind_links", || {
            let scratch = Scratch::new();
            let (tree, outside) = (scratch.path().join("tree"), scratch.path().join("outside"));
            std::fs::create_dir_all(tree.join("a/b")).unwrap();
            std::fs::create_dir(&outside).unwrap();
            std::fs::write(outside.join("file"), "x").unwrap();
            std::fs::write(tree.join("a/b/file"), "x").unwrap();
            symlink(&outside, tree.join("a/directory")).unwrap();
            symlink(outside.join("file"), tree.join("file")).unwrap();
            symlink("nowhere", tree.join("dangling")).unwrap();
            let top = rustix::fs::open(&tree, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
            own_tree(top.as_fd(), Owner { uid: 5, gid: 6 }, &tree).unwrap();
            for path in ["", "a", "a/b", "a/b/file", "a/directory", "file", "dangling"] {
                let meta = tree.join(path).symlink_metadata().unwrap();
                assert_eq!((meta.uid(), meta.gid()), (5, 6), "{path}");
            }
            for path in [outside.clone(), outside.join("file")] {
                assert_eq!(path.metadata().unwrap().uid(), 0, "{path:?}");
            }
        });
    }

    #[test]
    fn what_cannot_be_given_away_is_named() {
        if rustix::process::geteuid().is_root() {
            return println!("skipped: root may give away everything");
        }
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path().join("mine")).unwrap();
        let top = rustix::fs::open(scratch.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mine = rustix::process::geteuid().as_raw();
        let owner = Owner { uid: mine + 1, gid: mine + 1 };
        let error = own_tree(top.as_fd(), owner, Path::new("/data")).unwrap_err().to_string();
        assert!(error.starts_with("change owner of \"/data"), "{error}");
    }
}
