//! Reads tar archives of every dialect that image layers come in: v7, ustar, PAX, GNU, star, with sparse files.
//!
//! The meaning of each byte is that of Go's `archive/tar`, because every registry's content was written and is checked
//! by programs on top of it: two readers that disagree about where an entry ends are how one archive is made to mean two
//! things. Where they differ from it: content types nobody writes are refused instead of handed on. That agreement is
//! also why this is not the crate `tar-core`, whose order of precedence (PAX before GNU names), sizes of PAX sparse files,
//! base-256 numbers and tolerance for cut PAX records are its own.
//!
//! ```text
//! header    one block of 512 bytes → fields            (pure)
//! pax       records of an extended header → overrides  (pure)
//! sparse    maps of the four sparse formats            (pure)
//! write     headers of plain files and of entries (pure)
//! reader    the sequence of blocks → entries and their content
//! ```
//!
//! Formats: pax(1) "pax Interchange Format" of POSIX, <https://www.gnu.org/software/tar/manual/html_node/Standard.html>,
//! <https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html>.

mod header;
mod pax;
mod reader;
mod sparse;
#[cfg(test)]
pub(crate) mod testing;
mod write;

pub use reader::Reader;
pub use sparse::Segment;
pub use write::{entry_headers, file_header, padding};

use std::io;

/// One block.
pub const BLOCK: usize = 512;
/// The longest path or link target, in bytes; the kernel takes no longer one.
pub const PATH_LIMIT: usize = 4096;
/// The most bytes of extended headers, long names or sparse map for one entry.
pub const META_LIMIT: u64 = 1 << 20;

/// The result of reading an archive.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The underlying reader failed.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// The archive is not well formed.
    #[error("malformed tar at byte {offset}: {why}")]
    Malformed {
        /// Of the block that is wrong.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A regular file.
    #[default]
    File,
    /// Another name of an earlier entry.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

/// A moment, as archives keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    /// Since 1970, may be negative.
    pub seconds: i64,
    /// 0 to 999,999,999, always forward.
    pub nanoseconds: u32,
}

/// One entry, with all that extended headers say of it. Reused from entry to entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// As written; not cleaned, never empty, without NUL.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Of links; empty else.
    pub link: Vec<u8>,
    /// Permission bits with setuid, setgid and sticky (07777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change of the content.
    pub mtime: Time,
    /// Length of the file; of a sparse one, with its holes.
    pub size: u64,
    /// Major and minor number of devices.
    pub device: (u32, u32),
    /// Extended attributes from `SCHILY.xattr.*` and `LIBARCHIVE.xattr.*`, in their order.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where a sparse file has content; `None` for an ordinary one.
    pub sparse: Option<Vec<Segment>>,
}

impl Entry {
    fn clear(&mut self) {
        let Self { path, kind: _, link, mode: _, uid: _, gid: _, mtime: _, size: _, device: _, xattrs, sparse } = self;
        path.clear();
        link.clear();
        xattrs.clear();
        *sparse = None;
    }
}

/// Parses any bytes as an archive to its end and returns the number of entries: for fuzzing.
pub fn scan(bytes: &[u8]) -> Result<u64> {
    let mut reader = Reader::new(bytes);
    let mut entry = Entry::default();
    let mut count = 0;
    while reader.next(&mut entry)? {
        reader.content(|_, _| Ok::<(), Error>(()))?;
        count += 1;
    }
    Ok(count)
}
