//! `container clone`: a new container that was told the same.

use super::{Container, Force, NewContainer, Starter, Volumes};
use crate::error::{Error, Result};
use crate::images::PullReport;
use crate::{Engine, store_error};
use spec::ContainerSpec;
use spec::container::Root;
use spec::mount::MountSource;
use store::ContainerRecord;

/// What becomes of the container that is cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original {
    /// It stays.
    Stays,
    /// It goes when it does not run (`--destroy`).
    Goes,
    /// It goes, running or not (`--destroy --force`).
    GoesAnyway,
}

/// What a clone is to be.
#[derive(Debug)]
pub struct NewClone {
    /// The container's own words, with those that change.
    pub spec: ContainerSpec,
    /// Its name; absent = the container's with `-clone` behind it.
    pub name: Option<String>,
    /// Another image.
    pub image: Option<String>,
    /// What becomes of the container itself.
    pub original: Original,
    /// The command line, for `inspect`.
    pub command: Vec<String>,
    /// Who is to start it.
    pub starter: Starter,
}

impl Engine {
    /// Makes a container like another. Named volumes are shared; anonymous ones, changed files and an ID file are not taken over.
    pub fn clone_container(
        &self,
        container: &Container,
        new: NewClone,
        report: &PullReport<'_>,
    ) -> Result<ContainerRecord> {
        let record = &container.record;
        let mut spec = new.spec;
        if new.original == Original::Goes && container.running.is_some() {
            return Err(self.wrong_state(container, "remove"));
        }
        spec.identity.name = Some(match new.name {
            Some(name) => name,
            None => self.name_of_clone(&record.name)?,
        });
        spec.identity.cidfile = None;
        spec.identity.replace = false;
        if let (Root::Image(name), image) = (&mut spec.root, new.image) {
            match (image, &record.image) {
                (Some(other), _) => *name = other,
                // The very image, whatever bears its name by now.
                (None, Some(used)) if !self.store.find_image(name).is_ok_and(|found| found.id == used.id) => {
                    *name = used.id.hex();
                }
                _ => {}
            }
        }
        for mount in &mut spec.mounts.list {
            if let MountSource::Volume(name) = &mount.source {
                if self.store.volume(name).is_ok_and(|volume| volume.anonymous) {
                    mount.source = MountSource::Anonymous;
                }
            }
        }
        let made = self.create(NewContainer { spec, command: new.command, starter: new.starter }, report)?;
        match new.original {
            Original::Stays => {}
            Original::Goes => self.remove(container, Force::No, Volumes::Keep)?,
            Original::GoesAnyway => self.remove(container, Force::Stop(PATIENCE), Volumes::Keep)?,
        }
        Ok(made)
    }

    fn name_of_clone(&self, name: &str) -> Result<String> {
        let all = self.store.container_summaries().map_err(store_error)?;
        let mut names = std::iter::once(format!("{name}-clone"))
            .chain((1..=all.items.len()).map(|number| format!("{name}-clone{number}")));
        let free = names.find(|name| !all.items.iter().any(|other| other.name == *name));
        free.ok_or_else(|| Error::other("no free name found"))
    }
}

/// podman's patience with a container that is removed by force, in seconds.
const PATIENCE: u32 = 10;
