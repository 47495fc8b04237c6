//! `export`: a container's root file system as a tar, with owners as they are inside.

use super::Container;
use crate::error::Result;
use crate::events::Act;
use crate::{Engine, store_error};
use std::os::fd::BorrowedFd;
use std::path::Path;
use store::{Direct, PackedAs, pack_stack};

impl Engine {
    /// Writes all files of a container, but none of what is mounted in it, to `out`.
    pub fn export(&self, container: &Container, out: BorrowedFd<'_>) -> Result<()> {
        let record = &container.record;
        crate::ids::refuse(record, "export")?;
        let mut layers = self.layers_of(record)?.all();
        layers.extend(self.bottom_layer(record)?);
        let name = Path::new(&record.name);
        pack_stack(layers, PackedAs::Archive, &mut Direct::new(out), name).map_err(store_error)?;
        self.tell_container(record, Act::Export);
        Ok(())
    }
}
