//! A directory in `tmp/` for something on its way that is no part of the store.

use crate::error::{At, Result};
use crate::layout;
use crate::lock::Guard;
use crate::record;
use crate::store::Store;
use rustix::fs::Mode;
use std::path::PathBuf;

/// A directory of the store's file system that goes when this does, or, after a kill, with the next sweep.
#[derive(Debug)]
pub struct Staging<'s> {
    store: &'s Store,
    relative: PathBuf,
    _lease: Guard,
}

impl Staging<'_> {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.store.path(&self.relative)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        let _ = self.store.discard(&self.relative);
    }
}

impl Store {
    /// Makes an empty directory, open to nobody else.
    pub fn staging(&self) -> Result<Staging<'_>> {
        let lease = self.lease()?;
        let relative = layout::tmp(&record::random_name());
        rustix::fs::mkdirat(self.dir(), &relative, Mode::from_raw_mode(0o700)).at("create", &self.path(&relative))?;
        Ok(Staging { store: self, relative, _lease: lease })
    }
}
