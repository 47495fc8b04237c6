//! A directory tree as an archive, by descriptor, never following a symlink.
//!
//! Entries come in the order of their names, so that the same tree always gives the same archive. Whatever a tree's names and links
//! are, nothing outside is read: a FIFO neither blocks nor is a device opened. A file that changes meanwhile is cut or padded to the
//! length that its header has.
//!
//! ```text
//! pack, pack_one   what is in a directory, or one thing
//! pack_stack       what layers show together
//! pack_changes     one layer as an image has it: whiteouts by name (`.wh.NAME`, `.wh..wh..opq`)
//! ```
//!
//! What becomes a layer has no files of its own whose names begin with `.wh.`: there they would hide others.

use crate::error::{Error, Kind, Result};
use crate::layer::RootAttributes;
use crate::layer::unpack::is_kept;
use crate::sink::Sink;
use crate::stack::{self, Merged};
use crate::tar::{self, Entry};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use spec::idmap::IdMap;
use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Whom a container sees for whoever has no id in it.
const NOBODY: u32 = 65_534;
/// Directories inside one another; descriptors are held for each.
const DEPTH: usize = 500;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Writes everything below `directory`, but not itself, as an archive to `sink`.
///
/// Owners are written as this process sees them. Sockets are left out. `name` is what the directory is called in messages.
pub fn pack(directory: BorrowedFd<'_>, sink: &mut dyn Sink, name: &Path) -> Result<()> {
    pack_of(None, directory, sink, name)
}

/// The same of a container whose ids are these: owners are written as the container sees them.
pub fn pack_of(ids: Option<&IdMap>, directory: BorrowedFd<'_>, sink: &mut dyn Sink, name: &Path) -> Result<()> {
    let tree = reopen(directory).map(Merged::plain).map_err(|error| Error::at("archive", name, error))?;
    Packer { ids, ..Packer::new(sink, Whiteouts::Untold) }.run(name, |packer| packer.entries(&tree))
}

/// Writes one opened file or directory, with everything below it, as an archive in which it bears the name `entry`; `ids` as in
/// [`pack_of`].
pub fn pack_one(
    ids: Option<&IdMap>,
    source: BorrowedFd<'_>,
    entry: &CStr,
    sink: &mut dyn Sink,
    name: &Path,
) -> Result<()> {
    let mut packer = Packer { ids, ..Packer::new(sink, Whiteouts::Untold) };
    packer.path = entry.to_bytes().to_vec();
    packer.run(name, |packer| packer.opened(source))
}

/// Writes everything that layers (top first) show together. Must run where the files' owners are mapped.
pub fn pack_stack(layers: Vec<OwnedFd>, packed_as: PackedAs, sink: &mut dyn Sink, name: &Path) -> Result<()> {
    let whiteouts = match packed_as {
        PackedAs::Archive => Whiteouts::Untold,
        PackedAs::Layer => Whiteouts::Hidden,
    };
    Packer::new(sink, whiteouts).run(name, |packer| packer.entries(&Merged::new(layers)))
}

/// Writes what an overlay's upper directory holds as the layer of an image; with the attributes of its top directory where these
/// are given. Must run where the files' owners are mapped.
pub fn pack_changes(upper: OwnedFd, top: Option<RootAttributes>, sink: &mut dyn Sink, name: &Path) -> Result<()> {
    Packer::new(sink, Whiteouts::ByName).run(name, |packer| {
        if let Some(RootAttributes { mode, uid, gid }) = top {
            let stat = rustix::fs::fstat(&upper)?;
            let entry = Entry { path: b"./".to_vec(), mode, uid, gid, ..packer.header(tar::Kind::Directory, &stat) };
            packer.sink.bytes(&tar::entry_headers(&entry))?;
        }
        packer.entries(&Merged::plain(upper))
    })
}

fn reopen(directory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(directory, c".", DIRECTORY, Mode::empty())?)
}

/// What an archive is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedAs {
    /// Whoever unpacks it.
    Archive,
    /// An image.
    Layer,
}

/// What is told of an overlay's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whiteouts {
    /// Nothing.
    Untold,
    /// Nothing, and no file can pass for one.
    Hidden,
    /// As layers of images tell it.
    ByName,
}

struct Packer<'s> {
    sink: &'s mut dyn Sink,
    whiteouts: Whiteouts,
    /// Those of the container whose files they are, where this process sees others.
    ids: Option<&'s IdMap>,
    /// Below the top: where we are, and after an error, where it happened.
    path: Vec<u8>,
    /// Files with several names that were written → the name they were written under.
    links: HashMap<(u64, u64), Vec<u8>>,
    depth: usize,
}

impl<'s> Packer<'s> {
    fn new(sink: &'s mut dyn Sink, whiteouts: Whiteouts) -> Self {
        Self { sink, whiteouts, ids: None, path: Vec::new(), links: HashMap::new(), depth: 0 }
    }

    /// Packs, ends the archive, and names what failed.
    fn run(mut self, name: &Path, pack: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<()> {
        let packed = pack(&mut self).and_then(|()| {
            self.sink.bytes(&[0; 2 * tar::BLOCK])?;
            self.sink.finish()
        });
        packed.map_err(|error| {
            let path = name.join(String::from_utf8_lossy(&self.path).as_ref());
            match error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) {
                true => {
                    let why = format!("more than {DEPTH} directories deep");
                    Error::new("archive", path.display().to_string(), Kind::BadArchive(why))
                }
                false => Error::at("archive", &path, error),
            }
        })
    }

    fn entries(&mut self, tree: &Merged) -> io::Result<()> {
        if self.depth >= DEPTH {
            return Err(Errno::MLINK.into());
        }
        self.depth += 1;
        for name in tree.names()? {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.entry(tree, &name)?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }

    fn entry(&mut self, tree: &Merged, name: &CStr) -> io::Result<()> {
        if self.whiteouts != Whiteouts::Untold && name.to_bytes().starts_with(b".wh.") {
            return Ok(());
        }
        // Deleted meanwhile, or hidden.
        let Some(found) = tree.look(name)? else { return Ok(()) };
        let stat = &found.stat;
        let kind = match found.kind() {
            FileType::Directory => tar::Kind::Directory,
            FileType::RegularFile => tar::Kind::File,
            FileType::Symlink => tar::Kind::Symlink,
            FileType::Fifo => tar::Kind::Fifo,
            FileType::CharacterDevice if self.whiteouts == Whiteouts::ByName && stack::is_whiteout(stat) => {
                return self.mark(&[b".wh.", name.to_bytes()].concat(), name.to_bytes().len(), stat);
            }
            FileType::CharacterDevice => tar::Kind::CharDevice,
            FileType::BlockDevice => tar::Kind::BlockDevice,
            _ => return Ok(()),
        };
        let mut entry = self.header(kind, stat);
        match kind {
            tar::Kind::Directory => {
                let Some(inner) = tree.enter(name, &found)? else { return Ok(()) };
                entry.path.push(b'/');
                entry.xattrs = xattrs(inner.top()?)?;
                self.sink.bytes(&tar::entry_headers(&entry))?;
                if self.whiteouts == Whiteouts::ByName && stack::is_opaque(inner.top()?)? {
                    self.path.push(b'/');
                    self.mark(b".wh..wh..opq", 0, stat)?;
                    self.path.pop();
                }
                self.entries(&inner)
            }
            tar::Kind::File => self.file(tree.part(&found), name, entry, stat),
            tar::Kind::Symlink => {
                entry.link = rustix::fs::readlinkat(tree.part(&found), name, Vec::new())?.into_bytes();
                self.sink.bytes(&tar::entry_headers(&entry))
            }
            _ => self.sink.bytes(&tar::entry_headers(&entry)),
        }
    }

    /// An empty file whose name says something of the layers below, in place of the last `replaced` bytes of the path.
    fn mark(&mut self, name: &[u8], replaced: usize, stat: &Stat) -> io::Result<()> {
        let mut entry = Entry { mode: 0, uid: 0, gid: 0, ..self.header(tar::Kind::File, stat) };
        entry.path.truncate(self.path.len() - replaced);
        entry.path.extend_from_slice(name);
        self.sink.bytes(&tar::entry_headers(&entry))
    }

    fn header(&self, kind: tar::Kind, stat: &Stat) -> Entry {
        let own = (stat.st_uid, stat.st_gid);
        let nobody = |id: Option<u32>| id.unwrap_or(NOBODY);
        let inside = |ids: &IdMap| (nobody(ids.uids.inside(own.0)), nobody(ids.gids.inside(own.1)));
        let (uid, gid) = self.ids.map_or(own, inside);
        let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        Entry {
            path: self.path.clone(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            mtime: tar::Time { seconds: stat.st_mtime, nanoseconds: 0 },
            device: if matches!(kind, tar::Kind::CharDevice | tar::Kind::BlockDevice) { device } else { (0, 0) },
            ..Entry::default()
        }
    }

    fn file(&mut self, directory: BorrowedFd<'_>, name: &CStr, mut entry: Entry, stat: &Stat) -> io::Result<()> {
        let inode = (stat.st_dev, stat.st_ino);
        if let Some(first) = self.links.get(&inode).filter(|_| stat.st_nlink > 1) {
            (entry.kind, entry.link) = (tar::Kind::HardLink, first.clone());
            return self.sink.bytes(&tar::entry_headers(&entry));
        }
        // Not blocking: what was a file a moment ago could be a FIFO.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match stack::open(directory, name, flags) {
            // Deleted meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        if stat.st_nlink > 1 {
            self.links.insert(inode, self.path.clone());
        }
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL.into());
        }
        self.opened_file(file.as_fd(), entry, &stat)
    }

    fn opened_file(&mut self, file: BorrowedFd<'_>, mut entry: Entry, stat: &Stat) -> io::Result<()> {
        entry.size = u64::try_from(stat.st_size).unwrap_or(0);
        entry.xattrs = xattrs(file)?;
        self.sink.bytes(&tar::entry_headers(&entry))?;
        let taken = self.sink.content(file, entry.size)?;
        // Shorter than it was: the archive must go on where it said.
        self.zeros(entry.size - taken)?;
        self.zeros(tar::padding(entry.size) as u64)
    }

    fn zeros(&mut self, mut count: u64) -> io::Result<()> {
        const ZEROS: [u8; 16 << 10] = [0; 16 << 10];
        while count > 0 {
            let piece = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
            self.sink.bytes(&ZEROS[..piece])?;
            count -= piece as u64;
        }
        Ok(())
    }

    fn opened(&mut self, source: BorrowedFd<'_>) -> io::Result<()> {
        let stat = rustix::fs::fstat(source)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let mut entry = self.header(tar::Kind::Directory, &stat);
                entry.path.push(b'/');
                entry.xattrs = xattrs(source)?;
                self.sink.bytes(&tar::entry_headers(&entry))?;
                self.entries(&Merged::plain(reopen(source)?))
            }
            FileType::RegularFile => self.opened_file(source, self.header(tar::Kind::File, &stat), &stat),
            _ => Err(Errno::INVAL.into()),
        }
    }
}

/// The extended attributes that layers keep.
pub(crate) fn xattrs(file: BorrowedFd<'_>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
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
