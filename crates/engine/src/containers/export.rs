//! `export`: a container's root file system as a tar, with owners as they are inside.

use super::Container;
use crate::error::Result;
use crate::{Engine, store_error};
use std::os::fd::BorrowedFd;
use std::path::Path;
use store::{Direct, pack_stack};

impl Engine {
    /// Writes all files of a container, but none of what is mounted in it, to `out`.
    pub fn export(&self, container: &Container, out: BorrowedFd<'_>) -> Result<()> {
        let record = &container.record;
        let mut layers = self.layers_of(record)?.all();
        layers.extend(self.bottom_layer(record)?);
        pack_stack(layers, &mut Direct::new(out), Path::new(&record.name)).map_err(store_error)
    }
}
