//! `diff`: what a container has changed of its image, an image of the layers below, or two of them between one another.

use super::layers::{Tree, more_descriptors};
use crate::error::Result;
use crate::{Engine, store_error};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use store::{Change, changes};

/// What every start makes or mounts, of which podman tells nothing.
const NOT_TOLD: &[&str] = &[
    "/dev",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/run",
    "/run/.containerenv",
    "/run/notify",
    "/run/secrets",
    "/sys",
];

impl Engine {
    /// How `newer` differs from `older`, or, without one, from what lies below its topmost layer.
    pub fn diff(&self, newer: &Tree, older: Option<&Tree>) -> Result<Vec<Change>> {
        more_descriptors();
        let (new, below) = self.opened(newer)?;
        let (old, name) = match older {
            Some(older) => (self.opened(older)?.0, name_of(newer)),
            None => (below, name_of(newer)),
        };
        let mut found = changes(new, old, &name).map_err(store_error)?;
        found.retain(|change| !NOT_TOLD.iter().any(|path| path.as_bytes() == change.path));
        Ok(found)
    }

    /// All layers, and those below the topmost.
    fn opened(&self, tree: &Tree) -> Result<(Vec<OwnedFd>, Vec<OwnedFd>)> {
        match tree {
            Tree::Container(container) => {
                crate::ids::refuse(&container.record, "diff")?;
                let below = self.layers_of(&container.record)?.lower;
                let all = self.layers_of(&container.record)?.all();
                Ok((all, below))
            }
            Tree::Image(image) => {
                self.approach_store()?;
                let below = &image.layers[..image.layers.len().saturating_sub(1)];
                Ok((self.open_layers(&image.layers)?, self.open_layers(below)?))
            }
        }
    }
}

fn name_of(tree: &Tree) -> PathBuf {
    match tree {
        Tree::Container(container) => Path::new(&container.record.name).to_owned(),
        Tree::Image(image) => Path::new(&image.id.hex()).to_owned(),
    }
}
