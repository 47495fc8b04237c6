//! `commit`: what a container has changed becomes a layer of a new image.
//!
//! The layer is hashed and unpacked in one pass while it is read; the image appears when all of it is durable, as one that is pulled.
//! A commit that is killed leaves nothing that the next sweep does not delete.

use super::Container;
use super::layers::Layers;
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::images::{Family, change, new_name};
use crate::{Engine, store_error};
use jiff::Timestamp;
use spec::oci::{ContainerDefaults, History, ImageConfig, ImageHealthcheck};
use spec::{ContainerSpec, Platform, Reference};
use std::path::Path;
use store::{ContainerRecord, ImageRecord, Limits, PackedAs, RootAttributes, Sink, pack_changes, pack_stack};

/// What `commit` is told.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// The image's name.
    pub name: Option<String>,
    /// `--author`
    pub author: Option<String>,
    /// `--change`, in order.
    pub changes: Vec<String>,
    /// `--message`; only Docker's family has a place for it.
    pub message: Option<String>,
    /// `--format`
    pub family: Family,
    /// Which layers the image has.
    pub layers: CommitLayers,
    /// Which volumes it declares.
    pub volumes: CommitVolumes,
    /// What the container does meanwhile.
    pub meanwhile: Meanwhile,
}

/// Which layers an image of a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitLayers {
    /// Those of the container's image, and one more.
    OneMore,
    /// A single one with everything (`--squash`).
    Squashed,
}

/// Which volumes an image of a container declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitVolumes {
    /// Those of the container's image.
    OfImage,
    /// Those that are mounted in the container too (`--include-volumes`).
    OfContainer,
}

/// What a container does while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// It goes on.
    Runs,
    /// It is paused (`--pause`).
    Paused,
}

impl Engine {
    /// Makes an image of a container.
    pub fn commit(&self, container: &Container, new: &NewCommit) -> Result<ImageRecord> {
        if new.message.is_some() && new.family != Family::Docker {
            return Err(Error::invalid("messages are only compatible with the docker image format (-f docker)"));
        }
        let record = &container.record;
        crate::ids::refuse(record, "commit")?;
        let name = new.name.as_deref().map(new_name).transpose()?;
        let Some(used) = &record.image else {
            return Err(Error::invalid("cannot commit a container that uses an exported rootfs"));
        };
        let base = self.store.image(&used.id).map_err(store_error)?;
        let mut config = self.image_config(&base)?;
        adopt(&mut config.config, &record.spec, new)?;
        new.changes.iter().try_for_each(|text| change::apply(&mut config.config, text))?;
        let layers = self.layers_of(record)?;
        let paused =
            new.meanwhile == Meanwhile::Paused && container.running.as_ref().is_some_and(|s| s.paused.is_none());
        if paused {
            self.pause(container)?;
        }
        let made = self.make(record, new, (config, name), layers);
        if made.is_ok() {
            self.tell_container(record, Act::Commit);
        }
        if paused {
            let resumed = self.unpause(container);
            return made.and_then(|image| resumed.map(|()| image));
        }
        made
    }

    fn make(
        &self,
        record: &ContainerRecord,
        new: &NewCommit,
        (mut config, name): (ImageConfig, Option<Reference>),
        layers: Layers,
    ) -> Result<ImageRecord> {
        let now = Timestamp::now();
        let pull = self.store.begin_pull(Limits::default()).map_err(store_error)?;
        let place = Path::new(&record.name);
        let layer = match new.layers {
            CommitLayers::Squashed => {
                config.rootfs.diff_ids.clear();
                config.history.clear();
                pull.made_layer(|sink| pack_stack(layers.all(), PackedAs::Layer, sink, place))
            }
            CommitLayers::OneMore => pull.made_layer(|sink| pack_upper(record, layers, sink)),
        };
        let layer = layer.map_err(store_error)?;
        config.rootfs.kind = "layers".to_owned();
        config.rootfs.diff_ids.push(layer);
        config.created = Some(now.to_string());
        config.history.push(History {
            created: Some(now.to_string()),
            created_by: Some(created_by(&config.config)),
            comment: record.image.as_ref().map(|image| format!("FROM {}", image.name)),
            ..History::default()
        });
        // As in podman, an image without an author does not inherit one.
        config.author.clone_from(&new.author);
        config.comment.clone_from(&new.message);
        if config.architecture.is_empty() {
            let native = Platform::native();
            (config.architecture, config.os) = (native.architecture, native.os);
        }
        let bytes = serde_json::to_vec(&config).map_err(|e| Error::caused(Kind::Other, e))?;
        let names: Vec<Reference> = name.into_iter().collect();
        pull.commit_made(&bytes, &config.rootfs.diff_ids, &names, new.family, now).map_err(store_error)
    }
}

/// The layer of what the container has changed; its top directory is told of where it is another than the image's.
fn pack_upper(record: &ContainerRecord, layers: Layers, sink: &mut dyn Sink) -> store::Result<()> {
    let place = Path::new(&record.name);
    let Some(upper) = layers.upper else { return Ok(()) };
    let own = rustix::fs::fstat(&upper).ok();
    let own = own.map(|stat| RootAttributes { mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid });
    let image = record.image.as_ref().map(|image| image.root).unwrap_or_default();
    pack_changes(upper, own.filter(|own| *own != image), sink, place)
}

/// What the container was told becomes what the image says.
fn adopt(config: &mut ContainerDefaults, spec: &ContainerSpec, new: &NewCommit) -> Result<()> {
    let process = &spec.process;
    if process.entrypoint.is_some() {
        config.entrypoint.clone_from(&process.entrypoint);
        config.cmd = None;
    }
    if !process.command.is_empty() {
        config.cmd = Some(process.command.clone());
    }
    config.env =
        process.env.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or_default())).collect();
    if let Some(user) = &process.user {
        config.user.clone_from(user);
    }
    if let Some(workdir) = &process.workdir {
        config.working_dir.clone_from(workdir);
    }
    config.labels.extend(spec.identity.labels.clone());
    if let Some(signal) = &spec.lifecycle.stop_signal {
        config.stop_signal = signal.to_string();
    }
    expose(config, spec);
    if new.volumes == CommitVolumes::OfContainer {
        let mounts = spec.mounts.list.iter().map(|mount| (mount.target.clone(), serde_json::json!({})));
        config.volumes.extend(mounts);
    }
    if new.family == Family::Docker {
        config.healthcheck = healthcheck(spec).or(config.healthcheck.take());
    } else {
        // OCI's config has no place for it.
        config.healthcheck = None;
    }
    Ok(())
}

fn expose(config: &mut ContainerDefaults, spec: &ContainerSpec) {
    let network = &spec.network;
    let published = network.publish.iter().map(|publish| (publish.container, publish.protocol));
    let exposed = network.expose.iter().map(|expose| (expose.ports, expose.protocol));
    for (ports, protocol) in published.chain(exposed) {
        for port in ports.first..=ports.last {
            config.exposed_ports.insert(format!("{port}/{}", protocol), serde_json::json!({}));
        }
    }
}

fn healthcheck(spec: &ContainerSpec) -> Option<ImageHealthcheck> {
    let command = spec.health.command.as_deref()?;
    Some(ImageHealthcheck { test: spec::health::test(command), ..ImageHealthcheck::default() })
}

/// The program, as histories tell it.
fn created_by(config: &ContainerDefaults) -> String {
    let words: Vec<String> = config.entrypoint.iter().chain(&config.cmd).flatten().cloned().collect();
    if words.is_empty() { "/bin/sh".to_owned() } else { words.join(" ") }
}
