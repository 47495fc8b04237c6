//! Volumes: named directories of data that outlive containers.

use crate::container::ContainerId;
use crate::copy_tree;
use crate::error::{At, Error, Kind, Result, What};
use crate::layer::RootAttributes;
use crate::layer::unpack::Whiteouts;
use crate::layout;
use crate::lock::Access;
use crate::own_tree::Owner;
use crate::record::{self, Durability};
use crate::state::ProcessId;
use crate::store::{Listing, Store};
use jiff::Timestamp;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Everything about a volume but its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRecord {
    /// Its name; unique.
    pub name: String,
    /// `local`, or whose it is.
    pub driver: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The driver's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// When it was made.
    pub created: Timestamp,
    /// Made without a name, for one container.
    #[serde(default)]
    pub anonymous: bool,
    /// Who made it for a container, which is about to use it. `Store::sweep_volumes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<ProcessId>,
    /// Whether the first container to mount it fills it with what its image has there.
    #[serde(default)]
    pub needs_copy_up: bool,
    /// Whether it still belongs to the user of whichever container mounts it, because nobody has said whose it is and nothing is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_chown: bool,
    /// Owner of the data directory, in the user namespace.
    #[serde(default)]
    pub uid: u32,
    /// Group of the data directory, in the user namespace.
    #[serde(default)]
    pub gid: u32,
}

impl VolumeRecord {
    /// A named volume of the `local` driver, owned by root, that wants to be filled by its first container.
    pub fn local(name: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            driver: "local".to_owned(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            created: now,
            anonymous: false,
            creator: None,
            needs_copy_up: true,
            needs_chown: true,
            uid: 0,
            gid: 0,
        }
    }
}

impl Store {
    /// Makes a volume with an empty data directory (mode 0755, owned by `uid:gid`).
    ///
    /// Fails with `Exists` when the name is taken.
    pub fn create_volume(&self, record: &VolumeRecord, durability: Durability) -> Result<()> {
        let op = "create volume";
        spec::name::check("volume name", &record.name)
            .map_err(|error| Error::new(op, record.name.clone(), Kind::InvalidName(error.to_string())))?;
        let _lease = self.lease()?;
        let tmp = layout::tmp(&record::random_name());
        let made = self.make_volume(&tmp, record, durability).and_then(|()| {
            match rustix::fs::renameat_with(
                self.dir(),
                &tmp,
                self.dir(),
                layout::volume(&record.name),
                RenameFlags::NOREPLACE,
            ) {
                Err(Errno::EXIST) => Err(Error::new(op, record.name.clone(), Kind::Exists)),
                other => other.at("create", &self.path(&layout::volume(&record.name))),
            }
        });
        if let Err(error) = made {
            let _ = self.discard(&tmp);
            return Err(error);
        }
        match durability {
            Durability::Durable => self.sync_dir(Path::new(layout::VOLUMES)),
            Durability::Volatile => Ok(()),
        }
    }

    fn make_volume(&self, tmp: &Path, record: &VolumeRecord, durability: Durability) -> Result<()> {
        let path = self.path(tmp);
        let data = layout::within(tmp, layout::VOLUME_DATA);
        rustix::fs::mkdirat(self.dir(), tmp, Mode::from_raw_mode(0o700)).at("create", &path)?;
        rustix::fs::mkdirat(self.dir(), &data, Mode::from_raw_mode(0o700)).at("create", &path)?;
        crate::layer::RootAttributes { mode: 0o755, uid: record.uid, gid: record.gid }
            .apply(self.dir(), &data)
            .map_err(|kind| Error::new("create volume", record.name.clone(), kind))?;
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::new("create volume", record.name.clone(), Kind::Corrupt(error.to_string())))?;
        record::create_at(self.dir(), &layout::within(tmp, layout::VOLUME_RECORD), &bytes, durability)
            .at("write", &path)?;
        match durability {
            Durability::Durable => self.sync_dir(tmp),
            Durability::Volatile => Ok(()),
        }
    }

    /// Finds a volume by name; the beginning of a name will do where only one volume has it, as podman allows.
    pub fn find_volume(&self, text: &str) -> Result<VolumeRecord> {
        let op = "find volume";
        if spec::name::check("volume name", text).is_err() {
            return Err(Error::not_found(op, What::Volume, text));
        }
        if let Some(record) = self.read_record(&layout::in_volume(text, layout::VOLUME_RECORD))? {
            return Ok(record);
        }
        let mut matches: Vec<_> =
            self.list(Path::new(layout::VOLUMES))?.into_iter().filter(|name| name.starts_with(text)).collect();
        match matches.len() {
            0 => Err(Error::not_found(op, What::Volume, text)),
            1 => self.volume(&matches.remove(0)),
            _ => Err(Error::new(op, text, Kind::Ambiguous { what: What::Volume, matches })),
        }
    }

    /// Reads the volume with exactly this name.
    pub fn volume(&self, name: &str) -> Result<VolumeRecord> {
        let none = || Error::not_found("find volume", What::Volume, name);
        spec::name::check("volume name", name).map_err(|_| none())?;
        self.read_record(&layout::in_volume(name, layout::VOLUME_RECORD))?.ok_or_else(none)
    }

    /// All volumes, by name.
    pub fn volumes(&self) -> Result<Listing<VolumeRecord>> {
        let mut names = self.list(Path::new(layout::VOLUMES))?;
        names.sort_unstable();
        let mut listing = Listing::default();
        for name in names {
            match self.read_record(&layout::in_volume(&name, layout::VOLUME_RECORD)) {
                Ok(record) => listing.items.extend(record),
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    /// The directory that is mounted for a volume.
    pub fn volume_data(&self, name: &str) -> Result<PathBuf> {
        self.volume(name)?;
        Ok(self.path(&layout::in_volume(name, layout::VOLUME_DATA)))
    }

    /// The containers that use a volume, running or not.
    pub fn volume_users(&self, name: &str) -> Result<Vec<ContainerId>> {
        let uses = |volumes: &[String]| volumes.iter().any(|volume| volume == name);
        Ok(self.container_summaries()?.items.into_iter().filter(|c| uses(&c.volumes)).map(|c| c.id).collect())
    }

    /// Removes a volume and its data. Fails with `InUse` while a container has it.
    pub fn remove_volume(&self, name: &str) -> Result<()> {
        let op = "remove volume";
        let trash = {
            let _volumes = self.volumes_lock(Access::Exclusive)?;
            if spec::name::check("volume name", name).is_err() || !self.exists(&layout::volume(name))? {
                return Err(Error::not_found(op, What::Volume, name));
            }
            let by: Vec<_> = self.volume_users(name)?.iter().map(ContainerId::to_string).collect();
            if !by.is_empty() {
                return Err(Error::new(op, name, Kind::InUse { by }));
            }
            self.to_trash(&layout::volume(name))?
        };
        trash.map_or(Ok(()), |trash| self.empty_trash(&trash))
    }

    /// Replaces a volume's record.
    pub fn update_volume(&self, record: &VolumeRecord, durability: Durability) -> Result<()> {
        self.volume(&record.name)?;
        self.write_record(&layout::in_volume(&record.name, layout::VOLUME_RECORD), record, durability)
    }

    /// Fills a volume that still needs it with a copy of `source`, a directory of an image, and marks it filled.
    ///
    /// Owners, modes, times, extended attributes, links and holes are kept; the data directory itself takes the owner and
    /// mode of `source`. The copy is made beside the data and renamed when complete (and, if durable, synced), so a crash
    /// leaves the volume empty and still wanting it. A volume with anything in it is only marked. The caller must be where
    /// the owners are mapped, and keeps two from doing this at once.
    pub fn copy_up_volume(&self, name: &str, source: BorrowedFd<'_>, durability: Durability) -> Result<()> {
        let mut record = self.volume(name)?;
        if !record.needs_copy_up {
            return Ok(());
        }
        let _lease = self.lease()?;
        let data = layout::in_volume(name, layout::VOLUME_DATA);
        if self.list(&data)?.is_empty() {
            self.fill(name, &data, source, durability)?;
        }
        (record.needs_copy_up, record.needs_chown) = (false, false);
        self.write_record(&layout::in_volume(name, layout::VOLUME_RECORD), &record, durability)
    }

    /// Makes a volume that nobody has filled belong to the user of the container that mounts it, as podman does.
    ///
    /// Whose it is was said when it was made, or is what the image's directory says, or nobody has written to it yet. The caller
    /// must be where the owner is mapped.
    pub fn give_volume(&self, name: &str, owner: Owner) -> Result<()> {
        let mut record = self.volume(name)?;
        let data = layout::in_volume(name, layout::VOLUME_DATA);
        let is_theirs = (record.uid, record.gid) == (owner.uid, owner.gid);
        if !record.needs_chown || is_theirs || !self.list(&data)?.is_empty() {
            return Ok(());
        }
        let (uid, gid) = (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)));
        rustix::fs::chownat(self.dir(), &data, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
            .at("change owner of", &self.path(&data))?;
        (record.uid, record.gid) = (owner.uid, owner.gid);
        self.write_record(&layout::in_volume(name, layout::VOLUME_RECORD), &record, Durability::Volatile)
    }

    /// Writes what is in `directory` as an archive; the volume's own, unless its data is elsewhere.
    ///
    /// The caller must be where the owners are mapped.
    pub fn export_volume(
        &self,
        name: &str,
        directory: Option<BorrowedFd<'_>>,
        sink: &mut dyn crate::Sink,
    ) -> Result<()> {
        match directory {
            Some(directory) => crate::pack::pack(directory, sink, Path::new(name)),
            None => crate::pack::pack(self.open_data(name)?.as_fd(), sink, Path::new(name)),
        }
    }

    /// Puts the files of an archive (plain, or compressed with gzip or zstd) into a volume; those of the same name are replaced.
    ///
    /// A volume in which nothing is gets all of them or none: they are unpacked beside it, and become its data when complete. The
    /// caller must be where the owners are mapped.
    pub fn import_volume(&self, name: &str, archive: impl BufRead, directory: Option<OwnedFd>) -> Result<()> {
        let mut archive =
            Archive::open(archive).map_err(|error| Error::new("read archive for", name, Kind::Source(error)))?;
        if let Some(directory) = directory {
            return archive.unpack(directory);
        }
        let mut record = self.volume(name)?;
        let _lease = self.lease()?;
        let data = layout::in_volume(name, layout::VOLUME_DATA);
        if self.list(&data)?.is_empty() {
            self.import_fresh(name, &data, archive)?;
        } else {
            archive.unpack(self.open_data(name)?)?;
            self.sync_all()?;
        }
        (record.needs_copy_up, record.needs_chown) = (false, false);
        self.write_record(&layout::in_volume(name, layout::VOLUME_RECORD), &record, Durability::Durable)
    }

    fn import_fresh(&self, name: &str, data: &Path, mut archive: Archive<'_>) -> Result<()> {
        let stat = rustix::fs::statat(self.dir(), data, AtFlags::SYMLINK_NOFOLLOW).at("stat", &self.path(data))?;
        let target = self.make_new(name)?;
        let top = RootAttributes { mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid };
        top.apply(self.dir(), &layout::in_volume(name, layout::VOLUME_NEW))
            .map_err(|kind| Error::new("import volume", name, kind))?;
        archive.unpack(target)?;
        self.sync_all()?;
        self.become_data(name, data)
    }

    fn open_data(&self, name: &str) -> Result<OwnedFd> {
        self.volume(name)?;
        let data = layout::in_volume(name, layout::VOLUME_DATA);
        rustix::fs::openat(self.dir(), &data, DIRECTORY, Mode::empty()).at("open", &self.path(&data))
    }

    /// The empty directory beside the data.
    fn make_new(&self, name: &str) -> Result<OwnedFd> {
        let new = layout::in_volume(name, layout::VOLUME_NEW);
        self.discard(&new)?;
        rustix::fs::mkdirat(self.dir(), &new, Mode::from_raw_mode(0o700)).at("create", &self.path(&new))?;
        rustix::fs::openat(self.dir(), &new, DIRECTORY, Mode::empty()).at("open", &self.path(&new))
    }

    /// Puts what is complete in the place of the data, which is empty.
    fn become_data(&self, name: &str, data: &Path) -> Result<()> {
        let new = layout::in_volume(name, layout::VOLUME_NEW);
        match rustix::fs::renameat(self.dir(), &new, self.dir(), data) {
            Ok(()) => Ok(()),
            // Somebody mounted and filled it meanwhile: theirs stays.
            Err(Errno::NOTEMPTY | Errno::EXIST) => self.discard(&new),
            Err(errno) => Err(Error::at("fill volume", &self.path(data), errno)),
        }
    }

    fn fill(&self, name: &str, data: &Path, source: BorrowedFd<'_>, durability: Durability) -> Result<()> {
        let target = self.make_new(name)?;
        copy_tree::copy_tree(source, target.as_fd(), &self.path(&layout::in_volume(name, layout::VOLUME_NEW)))?;
        if durability == Durability::Durable {
            self.sync_all()?;
        }
        self.become_data(name, data)
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// The longest file that is unpacked, holes included: what a file system holds.
const FILE_LIMIT: u64 = 1 << 43;

/// The largest zstd window that is accepted, as a power of two.
const ZSTD_WINDOW: u32 = 27;

/// The bytes of an archive, decompressed.
struct Archive<'a>(BufReader<Box<dyn Read + 'a>>);

impl<'a> Archive<'a> {
    fn open(mut bytes: impl BufRead + 'a) -> io::Result<Self> {
        let plain: Box<dyn Read + 'a> = match bytes.fill_buf()? {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            _ => Box::new(bytes),
        };
        Ok(Self(BufReader::new(plain)))
    }

    fn unpack(&mut self, target: OwnedFd) -> Result<()> {
        let mut reader = crate::tar::Reader::new(&mut self.0);
        crate::layer::unpack::unpack(&mut reader, target, Whiteouts::Plain, FILE_LIMIT).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, as_root, tree};
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;

    fn open(scratch: &Scratch) -> Store {
        Store::open(&scratch.path().join("store")).unwrap()
    }

    fn create(store: &Store, name: &str) -> VolumeRecord {
        let record = VolumeRecord::local(name, Timestamp::UNIX_EPOCH);
        store.create_volume(&record, Durability::Volatile).unwrap();
        record
    }

    #[test]
    fn a_volume_is_made_once_and_found_by_name() {
        as_root("volume::tests::a_volume_is_made_once_and_found_by_name", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let record = VolumeRecord { uid: 33, gid: 44, ..VolumeRecord::local("data", Timestamp::UNIX_EPOCH) };
            store.create_volume(&record, Durability::Durable).unwrap();
            let again = store.create_volume(&record, Durability::Volatile).unwrap_err();
            assert!(matches!(again.kind, Kind::Exists));
            let meta = std::fs::metadata(store.volume_data("data").unwrap()).unwrap();
            assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (33, 44, 0o755));
            assert_eq!((store.volume("data").unwrap(), store.find_volume("da").unwrap()), (record.clone(), record));
            create(&store, "date");
            assert!(matches!(store.find_volume("dat").unwrap_err().kind, Kind::Ambiguous { .. }));
            for name in ["", "../x", "a/b", ".", "x"] {
                assert!(store.find_volume(name).unwrap_err().is_not_found(), "{name}");
                assert!(store.remove_volume(name).unwrap_err().is_not_found(), "{name}");
            }
            let bad = store.create_volume(&VolumeRecord::local("../x", Timestamp::UNIX_EPOCH), Durability::Volatile);
            assert!(matches!(bad.unwrap_err().kind, Kind::InvalidName(_)));
            let names = |store: &Store| store.volumes().unwrap().items.into_iter().map(|v| v.name).collect::<Vec<_>>();
            assert_eq!(names(&store), ["data", "date"]);
            std::fs::write(store.volume_data("date").unwrap().join("file"), "x").unwrap();
            store.remove_volume("date").unwrap();
            assert_eq!(names(&store), ["data"]);
            assert!(store.list(Path::new(layout::TRASH)).unwrap().is_empty());
            assert!(store.list(Path::new(layout::TMP)).unwrap().is_empty());
        });
    }

    #[test]
    fn a_volume_travels_as_an_archive() {
        as_root("volume::tests::a_volume_travels_as_an_archive", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            create(&store, "from");
            let data = store.volume_data("from").unwrap();
            std::fs::create_dir(data.join("d")).unwrap();
            std::fs::write(data.join("d/file"), "hello").unwrap();
            std::os::unix::fs::chown(data.join("d/file"), Some(33), Some(44)).unwrap();
            let mut archive = Vec::new();
            store.export_volume("from", None, &mut archive).unwrap();
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&archive).unwrap();
            create(&store, "to");
            store.import_volume("to", packed.finish().unwrap().as_slice(), None).unwrap();
            assert_eq!(tree(&store.volume_data("to").unwrap()), tree(&data));
            assert!(!store.volume("to").unwrap().needs_copy_up);
            // What is no archive leaves an empty volume empty, and another as it was.
            create(&store, "empty");
            for name in ["empty", "to"] {
                let before = tree(&store.volume_data(name).unwrap());
                assert!(store.import_volume(name, &b"root:x:0:0"[..], None).is_err());
                assert!(store.import_volume(name, &archive[..700], None).is_err());
                if name == "empty" {
                    assert_eq!(tree(&store.volume_data(name).unwrap()), before);
                }
            }
        });
    }

    #[test]
    fn the_first_container_fills_a_volume_once() {
        as_root("volume::tests::the_first_container_fills_a_volume_once", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let source = scratch.path().join("image");
            std::fs::create_dir(&source).unwrap();
            std::fs::write(source.join("index.html"), "hello").unwrap();
            rustix::fs::chown(&source, Some(rustix::fs::Uid::from_raw(101)), None).unwrap();
            rustix::fs::chmod(&source, Mode::from_raw_mode(0o2750)).unwrap();
            let from = std::fs::File::open(&source).unwrap();
            create(&store, "web");
            // What a killed copy left.
            std::fs::create_dir(store.path(&layout::in_volume("web", layout::VOLUME_NEW))).unwrap();
            std::fs::write(store.path(&layout::in_volume("web", "new/half")), "x").unwrap();
            store.copy_up_volume("web", from.as_fd(), Durability::Durable).unwrap();
            let data = store.volume_data("web").unwrap();
            assert_eq!(tree(&data), tree(&source));
            let meta = std::fs::metadata(&data).unwrap();
            assert_eq!((meta.uid(), meta.mode() & 0o7777), (101, 0o2750));
            assert!(!store.volume("web").unwrap().needs_copy_up);
            assert!(!store.exists(&layout::in_volume("web", layout::VOLUME_NEW)).unwrap());
            // Filled once: what is deleted stays deleted.
            std::fs::remove_file(data.join("index.html")).unwrap();
            store.copy_up_volume("web", from.as_fd(), Durability::Volatile).unwrap();
            assert!(tree(&data).is_empty());
            // One that nobody has filled belongs to whoever mounts it, until somebody has.
            create(&store, "data");
            for owner in [Owner { uid: 33, gid: 44 }, Owner { uid: 55, gid: 44 }] {
                store.give_volume("data", owner).unwrap();
                let meta = std::fs::metadata(store.volume_data("data").unwrap()).unwrap();
                assert_eq!((meta.uid(), meta.gid(), store.volume("data").unwrap().uid), (owner.uid, 44, owner.uid));
            }
            std::fs::write(store.volume_data("data").unwrap().join("file"), "x").unwrap();
            store.give_volume("data", Owner { uid: 7, gid: 7 }).unwrap();
            assert_eq!(std::fs::metadata(store.volume_data("data").unwrap()).unwrap().uid(), 55);
            // A volume with anything in it is left as it is.
            create(&store, "own");
            std::fs::write(store.volume_data("own").unwrap().join("mine"), "x").unwrap();
            store.copy_up_volume("own", from.as_fd(), Durability::Volatile).unwrap();
            assert_eq!(tree(&store.volume_data("own").unwrap()).len(), 1);
            assert!(!store.volume("own").unwrap().needs_copy_up);
        });
    }
}
