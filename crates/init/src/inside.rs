//! Paths of the image, resolved without ever leaving it.
//!
//! Every look-up starts from a descriptor of the root with `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`: an absolute
//! link or `..` ends inside, and `/proc/…/fd/N` is not followed at all. What comes back is a descriptor, and whoever
//! mounts or writes uses that, never the path again; so nobody who moves things meanwhile can lead it astray.
//!
//! See openat2(2).

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat2, readlinkat_raw};
use rustix::io::{Errno, Result};

use crate::op::Make;

/// How many links are followed before it is taken for a loop, as the kernel does.
const MAX_LINKS: usize = 40;
/// `PATH_MAX`
const MAX_PATH: usize = 4096;

/// Opens `path` inside `root`, following links inside it. The kernel answers `EAGAIN` while a rename races with `..`: tried again a few times.
///
/// # Errors
/// As openat2(2): `ELOOP` for a magic link.
pub fn open(root: BorrowedFd<'_>, path: &CStr, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd> {
    let resolve = resolve | ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..64 {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// As [`open`] with `O_PATH`.
///
/// # Errors
/// As [`open`].
pub fn locate(root: BorrowedFd<'_>, path: &CStr, resolve: ResolveFlags) -> Result<OwnedFd> {
    open(root, path, OFlags::PATH, resolve)
}

/// The place of `path` as an `O_PATH` descriptor; what is missing of it is made: directories on the way with mode 0755, the
/// last word as `make` says. Links inside the image are followed, also those that lead to what is missing.
///
/// # Errors
/// As openat2(2), mkdirat(2); `ELOOP` for more than 40 links, `ENAMETOOLONG` when they make the path too long.
pub fn ensure(root: BorrowedFd<'_>, path: &CStr, make: Make) -> Result<OwnedFd> {
    match locate(root, path, ResolveFlags::empty()) {
        Err(Errno::NOENT) => Walk::new(path)?.make(root, make),
        result => result,
    }
}

/// A path in a fixed buffer, always closed by a zero.
struct Path {
    bytes: [u8; MAX_PATH],
    length: usize,
}

impl Path {
    const fn empty() -> Self {
        Self { bytes: [0; MAX_PATH], length: 0 }
    }

    fn as_c_str(&self) -> &CStr {
        let text = self.bytes.get(..=self.length).unwrap_or(b"\0");
        CStr::from_bytes_with_nul(text).unwrap_or(c"")
    }

    /// Appends `/word`.
    fn push(&mut self, word: &[u8]) -> Result<()> {
        let end = self.length + 1 + word.len();
        if end >= MAX_PATH || word.contains(&0) {
            return Err(Errno::NAMETOOLONG);
        }
        let target = self.bytes.get_mut(self.length..end).ok_or(Errno::NAMETOOLONG)?;
        target[0] = b'/';
        target[1..].copy_from_slice(word);
        self.length = end;
        self.close();
        Ok(())
    }

    /// Takes the last word away.
    fn pop(&mut self) {
        let text = self.bytes.get(..self.length).unwrap_or(b"");
        self.length = text.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        self.close();
    }

    fn close(&mut self) {
        if let Some(end) = self.bytes.get_mut(self.length) {
            *end = 0;
        }
    }

    fn clear(&mut self) {
        self.length = 0;
        self.close();
    }

    /// The path itself, or `/` when it is empty.
    fn or_root(&self) -> &CStr {
        if self.length == 0 { c"/" } else { self.as_c_str() }
    }

    /// Takes the first word away, into `word`. `None` at the end.
    fn take_word<'w>(&mut self, word: &'w mut [u8; 256]) -> Result<Option<&'w CStr>> {
        let text = self.bytes.get(..self.length).unwrap_or(b"");
        let Some(start) = text.iter().position(|&byte| byte != b'/') else { return Ok(None) };
        let rest = &text[start..];
        let length = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        if length > 255 {
            return Err(Errno::NAMETOOLONG);
        }
        word[..length].copy_from_slice(&rest[..length]);
        word[length] = 0;
        self.bytes.copy_within(start + length..self.length, 0);
        self.length -= start + length;
        self.close();
        CStr::from_bytes_until_nul(word).map(Some).map_err(|_| Errno::INVAL)
    }

    /// Puts `text/` before what is there.
    fn prepend(&mut self, text: &[u8]) -> Result<()> {
        let shift = text.len() + 1;
        if self.length + shift >= MAX_PATH {
            return Err(Errno::NAMETOOLONG);
        }
        self.bytes.copy_within(0..self.length, shift);
        self.bytes[..text.len()].copy_from_slice(text);
        self.bytes[text.len()] = b'/';
        self.length += shift;
        self.close();
        Ok(())
    }
}

/// The slow way: word by word, so that what is missing can be made and links to it be followed.
///
/// `done` holds no link as far as was seen; should one appear there meanwhile, the kernel still keeps it inside.
struct Walk {
    done: Path,
    rest: Path,
}

impl Walk {
    fn new(path: &CStr) -> Result<Self> {
        let mut rest = Path::empty();
        rest.prepend(path.to_bytes())?;
        Ok(Self { done: Path::empty(), rest })
    }

    fn make(mut self, root: BorrowedFd<'_>, make: Make) -> Result<OwnedFd> {
        let mut word = [0u8; 256];
        let mut links = 0;
        while let Some(word) = self.rest.take_word(&mut word)? {
            match word.to_bytes() {
                b"." => continue,
                b".." => {
                    self.done.pop();
                    continue;
                }
                _ => {}
            }
            let last = !self.rest.bytes.get(..self.rest.length).unwrap_or(b"").iter().any(|&byte| byte != b'/');
            if self.step(root, word, if last { make } else { Make::Directory })? {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP);
                }
            }
        }
        locate(root, self.done.or_root(), ResolveFlags::empty())
    }

    /// Goes one word on, making it when missing; whether it was a link, which then stands before the rest.
    fn step(&mut self, root: BorrowedFd<'_>, word: &CStr, make: Make) -> Result<bool> {
        self.done.push(word.to_bytes())?;
        match open(root, self.done.as_c_str(), OFlags::PATH | OFlags::NOFOLLOW, ResolveFlags::empty()) {
            Ok(found) if is_link(found.as_fd())? => {
                self.done.pop();
                self.follow(found.as_fd())?;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(Errno::NOENT) => {
                self.done.pop();
                let parent = locate(root, self.done.or_root(), ResolveFlags::empty())?;
                create(parent.as_fd(), word, make)?;
                self.done.push(word.to_bytes())?;
                Ok(false)
            }
            Err(errno) => Err(errno),
        }
    }

    fn follow(&mut self, link: BorrowedFd<'_>) -> Result<()> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); MAX_PATH];
        let (target, _) = readlinkat_raw(link, c"", &mut buffer)?;
        if target.first() == Some(&b'/') {
            self.done.clear();
        }
        self.rest.prepend(target)
    }
}

fn is_link(file: BorrowedFd<'_>) -> Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Symlink)
}

/// Makes an entry; that somebody else made it meanwhile is as good.
fn create(directory: BorrowedFd<'_>, name: &CStr, make: Make) -> Result<()> {
    let result = match make {
        Make::Directory => mkdirat(directory, name, Mode::from_raw_mode(0o755)),
        // Not mknodat, which some file systems refuse, and no O_TRUNC: whatever appears there meanwhile stays as it is.
        Make::File => rustix::fs::openat(
            directory,
            name,
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )
        .map(drop),
    };
    match result {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// Makes a directory and those on the way to it when it is missing, and gives it to a user; whether it was made.
///
/// # Errors
/// As [`ensure`]; `ENOTDIR` when something else is there.
pub fn ensure_directory(root: BorrowedFd<'_>, path: &CStr, uid: u32, gid: u32) -> Result<bool> {
    match open(root, path, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::empty()) {
        Err(Errno::NOENT) => {}
        found => return found.map(|_| false),
    }
    let made = ensure(root, path, Make::Directory)?;
    let owner = (rustix::process::Uid::from_raw(uid), rustix::process::Gid::from_raw(gid));
    rustix::fs::chownat(&made, c"", Some(owner.0), Some(owner.1), AtFlags::EMPTY_PATH)?;
    Ok(true)
}
