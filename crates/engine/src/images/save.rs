//! `save`: images into archives and directories.

use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::{Engine, store_error};
use rustix::fs::{CWD, Mode, OFlags};
use spec::Reference;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use store::ImageRecord;
use store::save::{ArchiveFormat, DirectoryFormat, LayerForm, SavedImage};

/// What `save` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFormat {
    /// A file, or standard output.
    Archive(ArchiveFormat),
    /// A directory.
    Directory(DirectoryFormat),
}

/// An image and the names it is saved under.
#[derive(Debug, Clone)]
pub struct ToSave {
    pub(super) image: ImageRecord,
    pub(super) names: Vec<Reference>,
}

impl ToSave {
    /// A further name for it.
    pub fn add_name(&mut self, text: &str) -> Result<()> {
        let name = Reference::parse(text).map_err(|e| Error::invalid(e.to_string()))?.with_default_tag();
        self.names.push(if name.registry.is_none() { name.at("localhost") } else { name });
        Ok(())
    }
}

impl Engine {
    /// An image by name or ID; it is saved under the name it was found by, by ID under none.
    pub fn to_save(&self, text: &str) -> Result<ToSave> {
        let image = self.image(text)?;
        let names = name_found_by(text, &image).into_iter().collect();
        Ok(ToSave { image, names })
    }

    /// Saves to a file or directory, which is made.
    pub fn save(&self, images: &[ToSave], format: SaveFormat, path: &Path) -> Result<()> {
        self.save_as(images, format, path)?;
        images.iter().for_each(|one| self.tell_image(Act::Save, &one.image, &path.display().to_string()));
        Ok(())
    }

    fn save_as(&self, images: &[ToSave], format: SaveFormat, path: &Path) -> Result<()> {
        match format {
            SaveFormat::Archive(format) => self.save_file(images, format, path),
            SaveFormat::Directory(format) => {
                // Opened by the caller as they are; from within the containers' range root is a stranger here.
                let directory = open_directory(path)?;
                self.approach_store()?;
                images.iter().try_for_each(|image| {
                    self.store.save_directory(&saved(image), format, directory.as_fd()).map_err(store_error)
                })
            }
        }
    }

    fn save_file(&self, images: &[ToSave], format: ArchiveFormat, path: &Path) -> Result<()> {
        let before = std::fs::metadata(path).ok();
        let holds_something = before.as_ref().is_some_and(|meta| meta.is_file() && meta.len() > 0);
        if holds_something && format == ArchiveFormat::Docker {
            return Err(Error::new(Kind::ArchiveExists(path.display().to_string())));
        }
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path);
        let file = file.map_err(|e| Error::io(format!("create {path:?}"), e))?;
        let done = self.save_stream(images, format, &mut BufWriter::with_capacity(1 << 20, file));
        if done.is_err() && before.is_none() {
            // Half an archive is none; that it cannot be removed is no further news.
            let _ = std::fs::remove_file(path);
        }
        done
    }

    /// Saves to a stream.
    pub fn save_stream(&self, images: &[ToSave], format: ArchiveFormat, out: &mut dyn Write) -> Result<()> {
        self.approach_store()?;
        let images: Vec<_> = images.iter().map(saved).collect();
        self.store.save_archive(&images, format, out).map_err(store_error)
    }
}

impl SaveFormat {
    /// podman's word; `form` is for the forms that leave a choice, where the usual is gzip for OCI and plain for Docker.
    pub fn parse(word: &str, form: Option<LayerForm>) -> Option<Self> {
        let (oci, docker) = (form.unwrap_or(LayerForm::Gzip), form.unwrap_or(LayerForm::Plain));
        Some(match word {
            "docker-archive" => Self::Archive(ArchiveFormat::Docker),
            "oci-archive" => Self::Archive(ArchiveFormat::Oci(oci)),
            "docker-dir" => Self::Directory(DirectoryFormat::Docker(docker)),
            "oci-dir" => Self::Directory(DirectoryFormat::Oci(oci)),
            _ => return None,
        })
    }
}

fn saved(one: &ToSave) -> SavedImage<'_> {
    SavedImage { image: &one.image, names: one.names.clone() }
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    DirBuilder::new().recursive(true).create(path).map_err(|e| Error::io(format!("create directory {path:?}"), e))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|e| Error::io(format!("open {path:?}"), e.into()))
}

/// The name of an image that a text stands for; none for an ID or a digest.
pub(super) fn name_found_by(text: &str, image: &ImageRecord) -> Option<Reference> {
    let asked = Reference::parse(text).ok().filter(|asked| asked.digest.is_none())?.with_default_tag();
    let ends = |name: &Reference| {
        name.tag == asked.tag
            && asked.registry.is_none()
            && (name.repository == asked.repository || name.repository.ends_with(&format!("/{}", asked.repository)))
    };
    let exact = image.names.iter().find(|name| **name == asked);
    let local = |name: &&Reference| name.registry.as_deref() == Some("localhost") && ends(name);
    exact.or_else(|| image.names.iter().find(local)).or_else(|| image.names.iter().find(|name| ends(name))).cloned()
}
