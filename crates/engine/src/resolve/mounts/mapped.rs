//! An image in a container whose ids are not the user's own in their usual order: its files must belong to others.
//!
//! The first container with these ids has a tree made of them (`store/src/mapped.rs`), every other one finds it.

use super::{changes, directory, has_usual_files};
use crate::error::{Error, Result};
use crate::{Engine, runtime_error, store_error};
use runtime::Rootfs;
use runtime::rootfs::Overlay;
use rustix::fs::{Mode, OFlags, openat};
use spec::Digest;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use store::mapped::Places;
use store::{ContainerRecord, Form, MappedTree};

/// The root of a container.
pub(super) fn rootfs(engine: &Engine, record: &ContainerRecord, image: &[Digest]) -> Result<Rootfs> {
    let places = if has_usual_files(&record.spec) { Places::There } else { Places::Missing };
    let (lowers, contents) = layers(engine, record, image, places)?;
    let overlay = Overlay { lowers, contents, changes: Some(changes(engine, record)?) };
    Rootfs::overlay(&overlay, record.id.as_str()).map_err(runtime_error)
}

/// The directories of an image's layers, and what has their content where they lack it.
pub(super) fn layers(
    engine: &Engine,
    record: &ContainerRecord,
    image: &[Digest],
    places: Places,
) -> Result<(Vec<OwnedFd>, Vec<OwnedFd>)> {
    let store = &engine.store;
    let open = |paths: &[PathBuf]| paths.iter().map(|path| directory(path)).collect::<Result<Vec<_>>>();
    let layers = store.lower_dirs(image).map_err(store_error)?;
    let Some(ids) = record.ids.clone() else { return Ok((open(&layers)?, Vec::new())) };
    let tree = MappedTree { layers: image.to_vec(), ids, places };
    let (path, form) = match found(engine, &tree)? {
        Some(found) => found,
        None => {
            let _making = store.lock_mapped().map_err(store_error)?;
            match found(engine, &tree)? {
                Some(found) => found,
                None => make(engine, &tree, &layers)?,
            }
        }
    };
    let contents = if form == Form::References { open(&layers)? } else { Vec::new() };
    Ok((vec![directory(&path)?], contents))
}

/// One that this kernel can use.
fn found(engine: &Engine, tree: &MappedTree) -> Result<Option<(PathBuf, Form)>> {
    let found = engine.store.mapped(tree).map_err(store_error)?;
    Ok(found.filter(|(_, form)| *form == Form::Copies || Overlay::has_contents()))
}

fn make(engine: &Engine, tree: &MappedTree, layers: &[PathBuf]) -> Result<(PathBuf, Form)> {
    let mut below = layers.to_vec();
    if tree.places == Places::There {
        below.push(engine.store.bottom_dir().map_err(store_error)?);
    }
    let source = as_one(&below)?;
    let made = |form| engine.store.make_mapped(tree, form, source.as_fd()).map_err(store_error);
    let within = |error: Error| error.within("give the files of the image to the container's ids");
    if Overlay::has_contents() {
        let path = made(Form::References).map_err(within)?;
        if can_be_read(&path, layers) {
            return Ok((path, Form::References));
        }
    }
    Ok((made(Form::Copies).map_err(within)?, Form::Copies))
}

/// All layers as one tree, to be read.
fn as_one(layers: &[PathBuf]) -> Result<OwnedFd> {
    let mut lowers = layers.iter().map(|path| directory(path)).collect::<Result<Vec<_>>>()?;
    let top = match lowers.len() {
        1 => lowers.remove(0),
        _ => Rootfs::overlay(&Overlay { lowers, contents: Vec::new(), changes: None }, "image")
            .map_err(runtime_error)?
            .into_mount(),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(&top, c".", flags, Mode::empty()).map_err(|e| Error::io("open the layers of the image", e.into()))
}

/// Whether the kernel does what its version says: distributions change theirs.
fn can_be_read(tree: &Path, layers: &[PathBuf]) -> bool {
    let open = |path: &PathBuf| directory(path).ok();
    let (Some(lower), Some(contents)) = (directory(tree).ok(), layers.iter().map(open).collect()) else { return false };
    let overlay = Overlay { lowers: vec![lower], contents, changes: None };
    Rootfs::overlay(&overlay, "image").is_ok_and(|rootfs| store::is_readable(rootfs.as_mount()))
}
