//! Where the members of an image archive are.

use super::{OP, sniff};
use crate::error::{At, Error, Kind, Result};
use crate::layer::path;
use crate::layout;
use crate::pull::Limits;
use crate::record;
use crate::store::Store;
use crate::tar;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use spec::Digest;
use spec::oci::{Compression, DOCUMENT_LIMIT};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The most members of an archive: far above what images have.
const MEMBERS: usize = 65_536;
/// Links from member to member.
const HOPS: usize = 8;
/// A compressed archive may grow to so many layers of the largest size.
const GROWTH: u64 = 8;
/// Bytes copied at a time.
const CHUNK: usize = 128 << 10;

/// The members of an archive, by name.
pub(super) struct Source {
    name: String,
    kind: SourceKind,
}

enum SourceKind {
    Directory {
        fd: OwnedFd,
        members: HashMap<String, Tried>,
    },
    /// A plain tar that can be read anywhere.
    Archive {
        file: File,
        table: HashMap<Vec<u8>, Place>,
    },
}

/// Where a member is.
enum Place {
    Content { offset: u64, size: u64 },
    Link(Vec<u8>),
}

/// Files of a directory that are opened ahead: far above what images have, far below what a process may have open.
const OPENED: usize = 512;

/// A file of a directory that was opened, or why it could not be.
type Tried = std::result::Result<OwnedFd, Errno>;

/// A file or directory that images are to be loaded from, opened and not looked at.
#[derive(Debug)]
pub struct Opened {
    name: String,
    fd: OwnedFd,
    members: HashMap<String, Tried>,
}

impl Opened {
    /// Opens it.
    pub fn open(path: &Path) -> Result<Self> {
        // Not blocking, lest a FIFO without a writer hang us; reading one that has a writer is fine.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = rustix::fs::open(path, flags, Mode::empty()).at(OP, path)?;
        Ok(Self { name: path.display().to_string(), fd, members: HashMap::new() })
    }

    /// Opens the files of an OCI layout or `dir:` directory as well, for a process that may not open them later.
    #[must_use]
    pub fn with_members(mut self) -> Self {
        let mut names: Vec<String> = ["index.json", "manifest.json", "version"].map(str::to_owned).into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for (directory, before) in [(".", String::new()), (BLOBS, format!("{BLOBS}/"))] {
            let blobs = rustix::fs::openat2(&self.fd, directory, flags, Mode::empty(), BENEATH);
            let entries = blobs.and_then(rustix::fs::Dir::new).into_iter().flatten().flatten();
            let blobs = entries.filter_map(|entry| {
                let name = entry.file_name().to_str().ok()?;
                Digest::parse_hex(name).map(|_| format!("{before}{name}"))
            });
            names.extend(blobs.take(OPENED));
        }
        for name in names {
            let tried = rustix::fs::openat2(&self.fd, &name, MEMBER, Mode::empty(), BENEATH);
            self.members.insert(name, tried);
        }
        self
    }
}

/// Where an OCI layout has its content.
const BLOBS: &str = "blobs/sha256";
/// How a file of a directory is opened, by a name of the archive's.
const MEMBER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// A member being read.
pub(super) struct Member {
    file: File,
    at: u64,
    left: u64,
}

impl Source {
    /// Looks at a directory or an archive file.
    pub(super) fn of(store: &Store, opened: Opened, limits: Limits) -> Result<Self> {
        let Opened { name, fd, members } = opened;
        let path = Path::new(&name);
        let stat = rustix::fs::fstat(&fd).at(OP, path)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => return Ok(Self { name, kind: SourceKind::Directory { fd, members } }),
            FileType::RegularFile => {}
            _ => {
                rustix::fs::fcntl_setfl(&fd, OFlags::empty()).at(OP, path)?;
                return Self::spool_as(name, store, File::from(fd), limits);
            }
        }
        let file = File::from(fd);
        let mut first = [0; 4];
        let count = file.read_at(&mut first, 0).at(OP, path)?;
        match sniff(&first[..count]) {
            Compression::None => Self::of_archive(name, file),
            _ => Self::spool_as(name, store, file, limits),
        }
    }

    /// Copies a stream to a file of the store that has no name, decompressed.
    pub(super) fn spool(store: &Store, stream: impl Read, limits: Limits) -> Result<Self> {
        Self::spool_as("standard input".to_owned(), store, stream, limits)
    }

    fn spool_as(name: String, store: &Store, stream: impl Read, limits: Limits) -> Result<Self> {
        let fail = |kind| Error::new(OP, name.clone(), kind);
        let mut file = nameless_file(store)?;
        let limit = limits.layer_size.saturating_mul(GROWTH);
        let mut bytes = decompressed(stream).map_err(|error| fail(Kind::Source(error)))?;
        let mut buffer = vec![0; CHUNK];
        let mut total: u64 = 0;
        loop {
            let count = match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fail(Kind::Source(error))),
            };
            total += count as u64;
            if total > limit {
                return Err(fail(Kind::TooLarge { limit }));
            }
            file.write_all(&buffer[..count]).map_err(|error| fail(Kind::from_io(error)))?;
        }
        drop(bytes);
        file.seek(SeekFrom::Start(0)).map_err(|error| fail(Kind::from_io(error)))?;
        Self::of_archive(name, file)
    }

    /// Reads all headers once.
    fn of_archive(name: String, file: File) -> Result<Self> {
        let fail = |error: tar::Error| match error {
            tar::Error::Read(error) => Error::new(OP, name.clone(), Kind::from_io(error)),
            malformed => Error::new(OP, name.clone(), Kind::BadArchive(malformed.to_string())),
        };
        let mut table = HashMap::new();
        let mut reader = tar::Reader::new(BufReader::with_capacity(4096, &file));
        let mut entry = tar::Entry::default();
        while reader.next(&mut entry).map_err(fail)? {
            if table.len() >= MEMBERS {
                let why = format!("more than {MEMBERS} members");
                return Err(Error::new(OP, name, Kind::BadArchive(why)));
            }
            let Some(path) = clean(&entry.path) else { continue };
            let place = match entry.kind {
                tar::Kind::File if entry.sparse.is_none() => {
                    Place::Content { offset: reader.position(), size: reader.stored_size() }
                }
                tar::Kind::HardLink => Place::Link(entry.link.clone()),
                tar::Kind::Symlink => Place::Link(beside(&entry.path, &entry.link)),
                _ => continue,
            };
            table.insert(path, place);
            reader.seek_past_content().map_err(fail)?;
        }
        drop(reader);
        Ok(Self { name, kind: SourceKind::Archive { file, table } })
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    /// Whether there is a member of this name.
    pub(super) fn has(&self, path: &str) -> Result<bool> {
        Ok(self.find(path)?.is_some())
    }

    /// Opens a member; not being there is an error.
    pub(super) fn member(&self, path: &str) -> Result<Member> {
        self.find(path)?.ok_or_else(|| self.bad(&format!("{path:?} is not in it")))
    }

    /// Reads a document; one of more than 4 MiB is refused.
    pub(super) fn document(&self, path: &str) -> Result<Vec<u8>> {
        let member = self.member(path)?;
        if member.size() > DOCUMENT_LIMIT {
            return Err(self.bad(&format!("{path:?} is larger than {DOCUMENT_LIMIT} bytes")));
        }
        let mut bytes = Vec::new();
        member.take(DOCUMENT_LIMIT).read_to_end(&mut bytes).map_err(|error| self.failed(error))?;
        Ok(bytes)
    }

    fn find(&self, path: &str) -> Result<Option<Member>> {
        match &self.kind {
            SourceKind::Directory { fd, members } => self.find_in_directory(fd, members, path),
            SourceKind::Archive { file, table } => {
                let Some(mut path) = clean(path.as_bytes()) else { return Ok(None) };
                for _ in 0..HOPS {
                    match table.get(&path) {
                        None => return Ok(None),
                        Some(Place::Content { offset, size }) => {
                            let file = file.try_clone().map_err(|error| self.failed(error))?;
                            return Ok(Some(Member { file, at: *offset, left: *size }));
                        }
                        Some(Place::Link(target)) => match clean(target) {
                            Some(target) => path = target,
                            None => return Ok(None),
                        },
                    }
                }
                Err(self.bad("links that lead in a circle"))
            }
        }
    }

    fn find_in_directory(&self, dir: &OwnedFd, members: &HashMap<String, Tried>, path: &str) -> Result<Option<Member>> {
        let fail = |errno: Errno| self.failed(errno.into());
        let opened = match members.get(path) {
            // Read by position, so that copies of it do not disturb one another.
            Some(Ok(member)) => rustix::io::fcntl_dupfd_cloexec(member, 0),
            Some(Err(errno)) => Err(*errno),
            None => rustix::fs::openat2(dir, path, MEMBER, Mode::empty(), BENEATH),
        };
        let fd = match opened {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(fail(errno)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(fail)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        Ok(Some(Member { file: File::from(fd), at: 0, left: u64::try_from(stat.st_size).unwrap_or(0) }))
    }
}

/// A stream without the compression that its first bytes tell of.
pub(crate) fn decompressed<'r>(stream: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut stream = BufReader::with_capacity(CHUNK, stream);
    let first = io::BufRead::fill_buf(&mut stream)?;
    Ok(match sniff(first) {
        Compression::None => Box::new(stream),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stream)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(stream)?),
    })
}

/// A file in `tmp/` that ends with us.
pub(crate) fn nameless_file(store: &Store) -> Result<File> {
    let mode = Mode::from_raw_mode(0o600);
    let tmp = Path::new(layout::TMP);
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::openat(store.dir(), tmp, flags | OFlags::TMPFILE, mode) {
        // File systems that cannot make one without a name, such as NFS.
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => {}
        other => return other.map(File::from).at("create", &store.path(tmp)),
    }
    let _lease = store.lease()?;
    let named = layout::tmp(&record::random_name());
    let path = store.path(&named);
    let file =
        rustix::fs::openat(store.dir(), &named, flags | OFlags::CREATE | OFlags::EXCL, mode).at("create", &path)?;
    rustix::fs::unlinkat(store.dir(), &named, AtFlags::empty()).at("remove", &path)?;
    Ok(File::from(file))
}

/// A member's name as the table has it; `None` for the top itself, and for what is outside.
fn clean(name: &[u8]) -> Option<Vec<u8>> {
    path::components(name).filter(|components| !components.is_empty()).map(|components| path::join(&components))
}

/// A link's target, from the directory of the link.
fn beside(link: &[u8], target: &[u8]) -> Vec<u8> {
    if target.starts_with(b"/") {
        return target.to_vec();
    }
    let directory = link.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    [&link[..directory], target].concat()
}

impl Member {
    /// In bytes.
    pub(super) fn size(&self) -> u64 {
        self.left
    }

    /// Goes on behind so many bytes.
    pub(super) fn skip(&mut self, count: u64) {
        let count = count.min(self.left);
        self.at += count;
        self.left -= count;
    }
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read_at(&mut buffer[..limit], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
