//! Putting damaged things aside while whole ones are fetched.

use crate::error::{At, Error, Kind, Result, What};
use crate::image::ImageRecord;
use crate::layout;
use crate::lock::Guard;
use crate::record;
use crate::store::Store;
use spec::{Digest, Reference};
use std::path::PathBuf;

/// A layer that is not in its place. Nothing sweeps it away meanwhile.
#[derive(Debug)]
pub struct Aside<'s> {
    store: &'s Store,
    from: PathBuf,
    /// Nothing where there was no layer.
    to: Option<PathBuf>,
    _lease: Guard,
}

impl Store {
    /// Whether a layer is there, with its record.
    pub fn find_layer(&self, diff_id: &Digest) -> Result<()> {
        let gone = || Error::not_found("find layer", What::Layer, diff_id.to_string());
        self.layer_record(diff_id)?.ok_or_else(gone)?;
        match self.exists(&layout::layer_diff(diff_id))? {
            true => Ok(()),
            false => Err(gone()),
        }
    }

    /// Moves a layer out of the way; no container may run on it.
    pub fn set_layer_aside(&self, diff_id: &Digest) -> Result<Aside<'_>> {
        let lease = self.lease()?;
        let (from, to) = (layout::layer(diff_id), layout::tmp(&record::random_name()));
        let there = self.exists(&from)?;
        if there {
            rustix::fs::renameat(self.dir(), &from, self.dir(), &to).at("move", &self.path(&from))?;
        }
        Ok(Aside { store: self, from, to: there.then_some(to), _lease: lease })
    }

    /// Images whose records are damaged, with the names they can be fetched by.
    pub fn unreadable_images(&self) -> Result<Vec<(Digest, Vec<Reference>)>> {
        let index = self.index()?;
        let mut found = Vec::new();
        for id in self.image_ids()? {
            match self.read_record::<ImageRecord>(&layout::image(&id)) {
                Err(Error { kind: Kind::Corrupt(_), .. }) | Ok(None) => found.push((id, index.digests_of(&id))),
                Ok(Some(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

impl Aside<'_> {
    /// It is not needed any more.
    pub fn discard(self) -> Result<()> {
        self.to.as_ref().map_or(Ok(()), |to| self.store.discard(to))
    }

    /// Back to its place, unless something better is there.
    pub fn put_back(self) -> Result<()> {
        let Some(to) = &self.to else { return Ok(()) };
        match self.store.exists(&self.from)? {
            true => self.store.discard(to),
            false => rustix::fs::renameat(self.store.dir(), to, self.store.dir(), &self.from)
                .at("move", &self.store.path(&self.from)),
        }
    }
}
