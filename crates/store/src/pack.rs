//! A directory tree as an archive, by descriptor, never following a symlink.
//!
//! Entries come in the order of their names, so that the same tree always gives the same archive. Whatever a tree's names and links
//! are, nothing outside is read: a FIFO neither blocks nor is a device opened. A file that changes meanwhile is cut or padded to the
//! length that its header has.

use crate::error::{Error, Kind, Result};
use crate::layer::unpack::is_kept;
use crate::tar::{self, Entry};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Directories inside one another; a descriptor is held for each.
const DEPTH: usize = 500;
/// Bytes that are read at a time.
const PIECE: usize = 128 << 10;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Writes everything below `directory`, but not itself, as an archive to `sink`.
///
/// Owners are written as this process sees them. Sockets are left out. `name` is what the directory is called in messages.
pub fn pack(directory: BorrowedFd<'_>, sink: &mut dyn Write, name: &Path) -> Result<()> {
    let mut packer = Packer { sink, path: Vec::new(), links: HashMap::new(), depth: 0 };
    let packed = packer.entries(directory).and_then(|()| {
        packer.sink.write_all(&[0; 2 * tar::BLOCK])?;
        packer.sink.flush()
    });
    packed.map_err(|error| {
        let path = name.join(String::from_utf8_lossy(&packer.path).as_ref());
        match error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) {
            true => {
                let why = format!("more than {DEPTH} directories deep");
                Error::new("archive", path.display().to_string(), Kind::BadArchive(why))
            }
            false => Error::at("archive", &path, error),
        }
    })
}

/// Writes one opened file or directory, with everything below it, as an archive in which it bears the name `entry`.
pub fn pack_one(source: BorrowedFd<'_>, entry: &CStr, sink: &mut dyn Write, name: &Path) -> Result<()> {
    let mut packer = Packer { sink, path: entry.to_bytes().to_vec(), links: HashMap::new(), depth: 0 };
    let packed = packer.opened(source).and_then(|()| {
        packer.sink.write_all(&[0; 2 * tar::BLOCK])?;
        packer.sink.flush()
    });
    packed.map_err(|error| Error::at("archive", name, error))
}

struct Packer<'s> {
    sink: &'s mut dyn Write,
    /// Below the top: where we are, and after an error, where it happened.
    path: Vec<u8>,
    /// Files with several names that were written → the name they were written under.
    links: HashMap<(u64, u64), Vec<u8>>,
    depth: usize,
}

impl Packer<'_> {
    fn entries(&mut self, directory: BorrowedFd<'_>) -> io::Result<()> {
        if self.depth >= DEPTH {
            return Err(Errno::MLINK.into());
        }
        self.depth += 1;
        let listing = rustix::fs::openat(directory, c".", DIRECTORY, Mode::empty())?;
        for name in names(&listing)? {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.entry(listing.as_fd(), &name)?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }

    fn entry(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Deleted meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => tar::Kind::Directory,
            FileType::RegularFile => tar::Kind::File,
            FileType::Symlink => tar::Kind::Symlink,
            FileType::Fifo => tar::Kind::Fifo,
            FileType::CharacterDevice => tar::Kind::CharDevice,
            FileType::BlockDevice => tar::Kind::BlockDevice,
            _ => return Ok(()),
        };
        let mut entry = self.header(kind, &stat);
        match kind {
            tar::Kind::Directory => {
                let inner = open(directory, name, DIRECTORY)?;
                entry.path.push(b'/');
                entry.xattrs = xattrs(inner.as_fd())?;
                self.sink.write_all(&tar::entry_headers(&entry))?;
                self.entries(inner.as_fd())
            }
            tar::Kind::File => self.file(directory, name, entry, &stat),
            tar::Kind::Symlink => {
                entry.link = rustix::fs::readlinkat(directory, name, Vec::new())?.into_bytes();
                self.sink.write_all(&tar::entry_headers(&entry))
            }
            _ => self.sink.write_all(&tar::entry_headers(&entry)),
        }
    }

    fn header(&self, kind: tar::Kind, stat: &Stat) -> Entry {
        let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        Entry {
            path: self.path.clone(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: tar::Time { seconds: stat.st_mtime, nanoseconds: 0 },
            device: if matches!(kind, tar::Kind::CharDevice | tar::Kind::BlockDevice) { device } else { (0, 0) },
            ..Entry::default()
        }
    }

    fn file(&mut self, directory: BorrowedFd<'_>, name: &CStr, mut entry: Entry, stat: &Stat) -> io::Result<()> {
        if stat.st_nlink > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get(&inode) {
                (entry.kind, entry.link) = (tar::Kind::HardLink, first.clone());
                return self.sink.write_all(&tar::entry_headers(&entry));
            }
            self.links.insert(inode, self.path.clone());
        }
        // Not blocking: what was a file a moment ago could be a FIFO.
        let file = open(directory, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL.into());
        }
        self.opened_file(file.as_fd(), entry, &stat)
    }

    fn opened_file(&mut self, file: BorrowedFd<'_>, mut entry: Entry, stat: &Stat) -> io::Result<()> {
        entry.size = u64::try_from(stat.st_size).unwrap_or(0);
        entry.xattrs = xattrs(file)?;
        self.sink.write_all(&tar::entry_headers(&entry))?;
        self.content(file, entry.size)?;
        self.sink.write_all(&vec![0; tar::padding(entry.size)])
    }

    fn opened(&mut self, source: BorrowedFd<'_>) -> io::Result<()> {
        let stat = rustix::fs::fstat(source)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let mut entry = self.header(tar::Kind::Directory, &stat);
                entry.path.push(b'/');
                entry.xattrs = xattrs(source)?;
                self.sink.write_all(&tar::entry_headers(&entry))?;
                self.entries(source)
            }
            FileType::RegularFile => self.opened_file(source, self.header(tar::Kind::File, &stat), &stat),
            _ => Err(Errno::INVAL.into()),
        }
    }

    fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let count = match rustix::io::retry_on_intr(|| rustix::io::read(file, &mut buffer[..most]))? {
                // Shorter than it was: the archive must go on where it said.
                0 => {
                    buffer[..most].fill(0);
                    most
                }
                count => count,
            };
            self.sink.write_all(&buffer[..count])?;
            left -= count as u64;
        }
        Ok(())
    }
}

fn open(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> io::Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    Ok(rustix::fs::openat2(directory, name, flags, Mode::empty(), beneath)?)
}

fn names(directory: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    let mut buffer = Vec::with_capacity(16 << 10);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let name = entry?.file_name().to_owned();
        if name.as_c_str() != c"." && name.as_c_str() != c".." {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The extended attributes that layers keep.
fn xattrs(file: BorrowedFd<'_>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    // The kernel's own limit for a list and for a value.
    let mut list = vec![0; 64 << 10];
    let length = match rustix::fs::flistxattr(file, list.as_mut_slice()) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    let mut value = vec![0; 64 << 10];
    for name in
        list[..length].split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok())
    {
        if is_kept(name.to_bytes()) {
            if let Ok(length) = rustix::fs::fgetxattr(file, name, value.as_mut_slice()) {
                found.push((name.to_bytes().to_vec(), value[..length].to_vec()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, as_root, tree};
    use crate::{Whiteouts, unpack};

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        as_root("pack::tests::what_is_packed_unpacks_to_the_same", || {
            let scratch = Scratch::new();
            let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
            std::fs::create_dir_all(from.join("d/e")).unwrap();
            std::fs::create_dir(&to).unwrap();
            std::fs::write(from.join("d/file"), vec![7; 70_000]).unwrap();
            std::fs::hard_link(from.join("d/file"), from.join("d/other")).unwrap();
            std::fs::write(from.join("n".repeat(200)), "long").unwrap();
            std::os::unix::fs::symlink("/etc/passwd", from.join("link")).unwrap();
            rustix::fs::mkfifoat(rustix::fs::CWD, from.join("fifo"), Mode::from_raw_mode(0o600)).unwrap();
            std::os::unix::fs::chown(from.join("d/e"), Some(33), Some(44)).unwrap();
            rustix::fs::chmod(from.join("d/file"), Mode::from_raw_mode(0o4755)).unwrap();
            let directory = std::fs::File::open(&from).unwrap();
            let mut archive = Vec::new();
            pack(directory.as_fd(), &mut archive, &from).unwrap();
            let mut reader = tar::Reader::new(archive.as_slice());
            unpack(&mut reader, std::fs::File::open(&to).unwrap().into(), Whiteouts::Plain, 1 << 30).unwrap();
            assert_eq!(tree(&from), tree(&to));
        });
    }
}
