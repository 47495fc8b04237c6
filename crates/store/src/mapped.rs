//! The files of an image for containers whose ids are not the user's own in their usual order.
//!
//! A layer's files belong on the disk to the user and the subordinate ids, as one map has them. In a container with another map the
//! same files must belong to others, and an owner is written in the file. So there is a second tree: all layers as one, with the
//! owners of that map, made by the first container that wants it and found by the next.
//!
//! ```text
//! layers/<hex>/diff  ─┐  overlay, as the usual map sees it        mapped/<hex>/diff   the same tree, other owners
//! layers/<hex>/diff  ─┼──────────── one walk ─────────────────►     small files       copied
//! bottom/            ─┘                                             others            attributes alone ──► content in layers/
//! ```
//!
//! Since Linux 6.16 a user's overlay finds the content of a file in a layer below that gives nothing but content
//! ([`Form::References`]); before, the content is copied, or shared where the file system can.
//!
//! What must stay true: a tree is in its place only when it is whole and synced; it is never changed afterwards; it goes with the last
//! image and container of its layers (`Store::gc`). Whoever makes one holds `locks/lease` and `locks/mapped`.

use crate::copy_tree::{self, Change};
use crate::error::{At, Error, Kind, Result, What};
use crate::gc::Partials;
use crate::layout;
use crate::lock::{Access, Guard, Wait};
use crate::owners::Owners;
use crate::record::{self, Durability};
use crate::store::{Listing, Store};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use spec::Digest;
use spec::idmap::IdMap;
use std::collections::HashSet;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

/// A file up to so many bytes takes a block of its own either way.
const SMALL: u64 = 4096;

/// How the content of larger files is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// In the layers: the overlay needs their directories as well, as layers of nothing but content.
    References,
    /// In the tree.
    Copies,
}

/// Whether a tree has the places for what is mounted in nearly every container (`bottom/`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Places {
    /// It has.
    There,
    /// Only what the image has.
    Missing,
}

/// A tree with its name: what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedTree {
    /// Diff IDs, lowest first.
    pub layers: Vec<Digest>,
    /// Whose files they are.
    pub ids: IdMap,
    /// What it has beyond the image.
    pub places: Places,
}

/// What is known of one that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    tree: MappedTree,
    form: Form,
}

impl MappedTree {
    /// Its name in the store.
    fn key(&self) -> Digest {
        let layers: Vec<String> = self.layers.iter().map(|layer| layer.hex().to_string()).collect();
        let text = format!("{} {} {:?}", layers.join("+"), self.ids.text(), self.places);
        crate::blob::digest_of(text.as_bytes())
    }
}

impl Store {
    /// A tree that is there, and how its content is; `None` when it has to be made.
    pub fn mapped(&self, tree: &MappedTree) -> Result<Option<(PathBuf, Form)>> {
        let key = tree.key();
        let record = match self.read_record::<Record>(&layout::in_mapped(&key, layout::MAPPED_RECORD)) {
            // Damaged from outside: made anew.
            Err(Error { kind: Kind::Corrupt(_), .. }) => None,
            other => other?,
        };
        let found = record.filter(|record| record.tree == *tree);
        Ok(found.map(|record| (self.path(&layout::in_mapped(&key, layout::MAPPED_DIFF)), record.form)))
    }

    /// Keeps others from making trees meanwhile.
    pub fn lock_mapped(&self) -> Result<Guard> {
        self.lock(Path::new(layout::MAPPED_LOCK), Access::Exclusive, Wait::forever())
    }

    /// Makes a tree of `source`, the directory of all its layers as one, in place of what may be there; returns its directory.
    ///
    /// The caller holds [`Store::lock_mapped`] and is where all owners are mapped.
    pub fn make_mapped(&self, tree: &MappedTree, form: Form, source: BorrowedFd<'_>) -> Result<PathBuf> {
        let _lease = self.lease()?;
        let key = tree.key();
        let tmp = layout::tmp(&record::random_name());
        if let Err(error) = self.fill_mapped(&tmp, tree, form, source) {
            let _ = self.discard(&tmp);
            return Err(error);
        }
        let place = layout::mapped(&key);
        match rustix::fs::mkdirat(self.dir(), layout::MAPPED, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::at("create", &self.path(Path::new(layout::MAPPED)), errno)),
        }
        // One of a form that this kernel lacks, or damaged. What runs on it keeps it.
        self.discard(&place)?;
        rustix::fs::renameat_with(self.dir(), &tmp, self.dir(), &place, RenameFlags::NOREPLACE)
            .at("create", &self.path(&place))?;
        self.sync_dir(Path::new(layout::MAPPED))?;
        Ok(self.path(&layout::in_mapped(&key, layout::MAPPED_DIFF)))
    }

    fn fill_mapped(&self, tmp: &Path, tree: &MappedTree, form: Form, source: BorrowedFd<'_>) -> Result<()> {
        let diff = layout::within(tmp, layout::MAPPED_DIFF);
        for directory in [tmp, &diff] {
            rustix::fs::mkdirat(self.dir(), directory, Mode::from_raw_mode(0o700))
                .at("create", &self.path(directory))?;
        }
        let target = self.open_dir(&diff)?;
        let owners = Owners::of(&tree.ids);
        let references = (form == Form::References).then_some(SMALL);
        let change = Change { owners: Some(&owners), references };
        copy_tree::copy(source, std::os::fd::AsFd::as_fd(&target), &self.path(&diff), change)?;
        let record = layout::within(tmp, layout::MAPPED_RECORD);
        self.write_record(&record, &Record { tree: tree.clone(), form }, Durability::Volatile)?;
        self.sync_all()
    }

    /// The layers of every tree, and the bytes that it takes on the disk beside them.
    pub fn mapped_trees(&self) -> Result<Vec<(Vec<Digest>, u64)>> {
        let size = |key: &Digest| disk_size(&self.path(&layout::in_mapped(key, layout::MAPPED_DIFF)));
        Ok(self.mapped_records()?.items.into_iter().map(|(key, record)| (record.tree.layers, size(&key))).collect())
    }

    /// What is wrong with the records of trees.
    pub fn damaged_mapped(&self) -> Result<Vec<Error>> {
        Ok(self.mapped_records()?.damaged)
    }

    /// Removes the trees that are damaged; they are made anew when they are wanted.
    pub fn mend_mapped(&self) -> Result<()> {
        let _lock = self.lock_mapped()?;
        let whole: HashSet<Digest> = self.mapped_records()?.items.into_iter().map(|(key, _)| key).collect();
        for key in self.mapped_keys()?.iter().filter(|key| !whole.contains(key)) {
            self.discard(&layout::mapped(key))?;
        }
        Ok(())
    }

    fn mapped_records(&self) -> Result<Listing<(Digest, Record)>> {
        let mut listing = Listing::default();
        for key in self.mapped_keys()? {
            let path = layout::in_mapped(&key, layout::MAPPED_RECORD);
            match self.read_record::<Record>(&path) {
                Ok(Some(record)) => listing.items.push((key, record)),
                Ok(None) => {
                    listing.damaged.push(Error::not_found("read", What::Layer, self.path(&path).display().to_string()));
                }
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    fn mapped_keys(&self) -> Result<Vec<Digest>> {
        if !self.exists(Path::new(layout::MAPPED))? {
            return Ok(Vec::new());
        }
        Ok(self.list(Path::new(layout::MAPPED))?.iter().filter_map(|name| Digest::parse_hex(name)).collect())
    }

    /// Moves the trees that nobody needs to the trash; returns where. The lease is held exclusively.
    pub(crate) fn collect_mapped(&self, partials: Partials) -> Result<Vec<PathBuf>> {
        let keys = self.mapped_keys()?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let images: HashSet<_> = self.images()?.items.into_iter().map(|image| image.layers).collect();
        let mut used = HashSet::new();
        for container in self.containers()?.items {
            for image in container.image.iter().chain(&container.mounted) {
                used.extend(container.ids.clone().map(|ids| (image.layers.clone(), ids.text())));
            }
        }
        let mut trash = Vec::new();
        for key in keys {
            let record = self.read_record::<Record>(&layout::in_mapped(&key, layout::MAPPED_RECORD)).ok().flatten();
            let needed = record.is_some_and(|Record { tree: MappedTree { layers, ids, .. }, .. }| {
                (partials == Partials::Keep && images.contains(&layers)) || used.contains(&(layers, ids.text()))
            });
            if !needed {
                trash.extend(self.to_trash(&layout::mapped(&key))?);
            }
        }
        Ok(trash)
    }

    /// Keeps others from choosing ids of a container that nobody else has.
    pub fn lock_ids(&self) -> Result<Guard> {
        self.lock(Path::new(layout::IDS_LOCK), Access::Exclusive, Wait::forever())
    }

    /// Opens a directory of the store by its absolute path, to be read.
    pub fn open_tree(&self, path: &Path) -> Result<std::os::fd::OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).at("open", path)
    }
}

/// Whether the content of the first file that has its content elsewhere can be had; also if there is none.
pub fn is_readable(tree: BorrowedFd<'_>) -> bool {
    let Ok(top) = rustix::fs::openat(tree, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    else {
        return false;
    };
    let mut open = vec![top];
    while let Some(directory) = open.pop() {
        let Ok(entries) = rustix::fs::Dir::read_from(&directory) else { return false };
        for entry in entries.flatten().filter(|entry| ![c".", c".."].contains(&entry.file_name())) {
            let name = entry.file_name();
            // What the kernel refuses to follow cannot even be looked at.
            let Ok(stat) = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => open.extend(rustix::fs::openat(&directory, name, flags, Mode::empty())),
                FileType::RegularFile if stat.st_size as u64 > SMALL => {
                    return rustix::fs::openat(&directory, name, flags, Mode::empty())
                        .is_ok_and(|file| rustix::io::pread(&file, &mut [0u8; 1], 0).is_ok());
                }
                _ => {}
            }
        }
    }
    true
}

/// Bytes that a tree takes: a file of which nothing but the attributes are there takes none.
fn disk_size(top: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut size = 0;
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            size += meta.blocks() * 512;
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    size
}
