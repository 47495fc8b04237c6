//! `create`: the image found, volumes made, a record written; nothing runs.

use super::{Force, Volumes, mounts, names};
use crate::defaults::Counting;
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::images::{self, PullReport};
use crate::launch::StandardInput;
use crate::resolve::process::{self, Surrounding};
use crate::resolve::resources::Controllers;
use crate::{Engine, resolve, store_error};
use jiff::Timestamp;
use spec::ContainerSpec;
use spec::container::Root;
use spec::mount::{ImageVolume, Mount, MountSource};
use spec::network::{Expose, Publish};
use spec::oci::ContainerDefaults;
use spec::security::Seccomp;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use store::secret::Kept;
use store::{ContainerId, ContainerRecord, Durability, ImageRecord, ImageUse, ProcessId, VolumeRecord};

/// What `create` is given.
#[derive(Debug, Clone)]
pub struct NewContainer {
    /// What was asked.
    pub spec: ContainerSpec,
    /// The command line, for `inspect`.
    pub command: Vec<String>,
    /// Who is to start it.
    pub starter: Starter,
}

/// Who starts a container that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// The process that makes it, at once, in the background. If that is killed before, a `--rm` container goes. The record is
    /// synced while the container starts, since both take milliseconds.
    Detached,
    /// The same in the foreground.
    Foreground,
    /// Some later command, or none. The record is synced before `create` returns.
    Anybody,
}

/// How often a made-up name is tried.
const NAME_TRIES: usize = 20;

impl Engine {
    /// Makes a container. On any error nothing is left of it.
    pub fn create(&self, new: NewContainer, report: &PullReport<'_>) -> Result<ContainerRecord> {
        let NewContainer { mut spec, command, starter } = new;
        self.defaults()?.apply(&mut spec, || self.counting())?;
        // podman's --rmi implies --rm: only a container that goes leaves its image unused.
        spec.lifecycle.remove |= spec.lifecycle.remove_image;
        resolve::check(&spec, &self.host, starter)?;
        // As root all that the caller names is read before this process enters its containers' range, where it is a stranger.
        self.prepare_boot_as_root(&spec)?;
        let env_files = read_ahead(&mut spec)?;
        let cidfile = spec.identity.cidfile.as_deref().map(open_cidfile).transpose()?;
        if self.starts_here(&spec, starter) {
            self.reach_for_start(&spec)?;
        }
        if self.has_host_ids(&spec) {
            // Before a pull, which enters the range.
            self.approach(&spec)?;
        }
        let image = match &spec.root {
            Root::Image(name) => Some(self.image_for(name, &spec.pull, report)?),
            Root::Directory { .. } => None,
        };
        let defaults = self.defaults_for(image.as_ref(), &spec, report)?;
        self.before_writing_for(&spec)?;
        let secrets = self.complete(&mut spec, &defaults, env_files)?;
        if spec.identity.replace {
            if let Some(name) = spec.identity.name.clone() {
                self.replace(&name)?;
            }
        }
        let _choosing = self.hold_ids(&spec)?;
        let ids = self.choose_ids(&spec, image.as_ref())?;
        if ids.is_some() {
            // The container's own directory belongs to them.
            self.approach(&spec)?;
        }
        self.keep_caller(&mut spec, ids.as_ref());
        let name_given = spec.identity.name.clone();
        let durability = match (spec.lifecycle.remove, starter) {
            (true, _) | (_, Starter::Detached | Starter::Foreground) => Durability::Volatile,
            (false, Starter::Anybody) => Durability::Durable,
        };
        let mut record = ContainerRecord {
            id: ContainerId::random(),
            name: String::new(),
            created: Timestamp::now(),
            image: image.as_ref().map(|image| image_use(image, &spec)),
            mounted: self.mounted_images(&spec)?,
            create_command: command,
            volumes: Vec::new(),
            auto_remove: spec.lifecycle.remove,
            creator: (starter != Starter::Anybody).then(ProcessId::own).flatten(),
            unit: None,
            initialized: false,
            ids,
            spec: Box::new(spec),
        };
        record.volumes = self.make_volumes(&mut record.spec)?;
        self.write_named(&mut record, name_given, &secrets, durability)?;
        if let Some(Err(error)) = cidfile.map(|file| write_cidfile(file, &record)) {
            let _ = self.store.remove_container(&record.id);
            return Err(error);
        }
        if !record.volumes.is_empty() && self.defaults()?.settings().prepare_volumes == Some(true) {
            self.plan_to_look_at(&record, StandardInput::Closed).inspect_err(|_| {
                let _ = self.store.remove_container(&record.id);
            })?;
        }
        self.tell_container(&record, Act::Create);
        Ok(record)
    }

    /// What the image says of its containers; nothing for a directory.
    fn defaults_for(
        &self,
        image: Option<&ImageRecord>,
        spec: &ContainerSpec,
        report: &PullReport<'_>,
    ) -> Result<ContainerDefaults> {
        let Some(image) = image else { return Ok(ContainerDefaults::default()) };
        let config = self.image_config(image)?;
        images::tell_platform(&config, &spec.pull, report);
        Ok(config.config)
    }

    /// Puts into the spec what it has of its image, of other containers and of the moment. Returns what its secrets are now.
    fn complete(
        &self,
        spec: &mut ContainerSpec,
        defaults: &ContainerDefaults,
        env_files: Vec<(String, String)>,
    ) -> Result<Kept> {
        self.take_over_mounts(spec)?;
        add_image_volumes(spec, defaults);
        let secrets = self.find_secrets(spec)?;
        self.find_shared(spec)?;
        resolve::timezone(spec)?;
        let checked = spec.health.command.is_some() || defaults.healthcheck.is_some();
        if spec.health.startup.command.is_some() && !checked {
            return Err(Error::invalid("cannot set a startup healthcheck when there is no regular healthcheck"));
        }
        freeze(spec, defaults, env_files)?;
        if !spec.network.publish.is_empty() || spec.network.publish_all {
            // The network process of a killed start would still hold its ports.
            self.tidy_containers();
            self.await_ports(&spec.network.publish);
        }
        publish(spec, defaults)?;
        Ok(secrets)
    }

    /// Whether the number of a container's processes can be limited.
    fn counting(&self) -> Counting {
        let managed = self.host.systemd.is_some() || self.host.unit.is_some();
        match managed && Controllers::read(self.host.uid).has("pids") {
            true => Counting::Possible,
            false => Counting::Impossible,
        }
    }

    /// What containers.conf says and this container cannot have, each as a fragment of a sentence.
    pub fn default_warnings(&self, record: &ContainerRecord) -> Result<Vec<String>> {
        let program = self.defaults()?.settings().init_path.as_ref().filter(|_| record.spec.process.init);
        let warning = |path| format!("containers.conf: init_path={path:?} is passed over: lodger's init is built in");
        Ok(program.map(warning).into_iter().collect())
    }

    /// Writes the record under the name that was given, or under a made-up one that is free.
    fn write_named(
        &self,
        record: &mut ContainerRecord,
        given: Option<String>,
        secrets: &Kept,
        durability: Durability,
    ) -> Result<()> {
        if let Some(name) = given {
            record.name = name;
            return match self.store.create_container_with(record, secrets, durability) {
                // Perhaps by what a killed `run --rm` left.
                Err(error) if matches!(error.kind, store::Kind::NameInUse { .. }) => {
                    self.tidy_containers();
                    self.store.create_container_with(record, secrets, durability)
                }
                other => other,
            }
            .map_err(store_error);
        }
        let mut last = None;
        for attempt in 0..NAME_TRIES {
            let mut bits = [0u8; 8];
            rustix::rand::getrandom(&mut bits, rustix::rand::GetRandomFlags::empty())
                .map_err(|e| Error::io("make up a name", e.into()))?;
            let bits = u64::from_le_bytes(bits);
            record.name = names::from_random(bits);
            if attempt > 2 {
                record.name.push_str(&format!("_{}", bits % 10_000));
            }
            match self.store.create_container_with(record, secrets, durability) {
                Ok(()) => return Ok(()),
                Err(error) if matches!(error.kind, store::Kind::NameInUse { .. }) => last = Some(error),
                Err(error) => return Err(store_error(error)),
            }
        }
        Err(last.map_or_else(|| Error::other("no free name found"), store_error))
    }

    /// Makes the volumes that are missing; anonymous ones get a name, which the spec holds from then on.
    fn make_volumes(&self, spec: &mut ContainerSpec) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for mount in &mut spec.mounts.list {
            let (name, anonymous) = match &mount.source {
                MountSource::Volume(name) => (name.clone(), false),
                MountSource::Anonymous => (ContainerId::random().to_string(), true),
                _ => continue,
            };
            let record = VolumeRecord {
                name: name.clone(),
                driver: "local".to_owned(),
                labels: Default::default(),
                options: Default::default(),
                created: Timestamp::now(),
                anonymous,
                creator: if anonymous { ProcessId::own() } else { None },
                needs_copy_up: mount.options.copy.unwrap_or(true),
                needs_chown: true,
                uid: 0,
                gid: 0,
            };
            // What has a name outlives every container.
            let durability =
                if anonymous && spec.lifecycle.remove { Durability::Volatile } else { Durability::Durable };
            match self.store.create_volume(&record, durability) {
                Ok(()) => self.tell_named(crate::events::Subject::Volume, Act::Create, &name),
                Err(error) if matches!(error.kind, store::Kind::Exists) => {}
                Err(error) => return Err(store_error(error)),
            }
            if anonymous {
                mount.source = MountSource::Volume(name.clone());
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// `--replace`: the container that bears the name goes, running or not.
    fn replace(&self, name: &str) -> Result<()> {
        match self.container(name) {
            Ok(old) if old.record.name == name => {
                let patience =
                    old.record.spec.lifecycle.stop_timeout.map_or(crate::unit::STOP_TIMEOUT, |seconds| seconds.0);
                self.remove(&old, Force::Stop(patience), Volumes::Keep)
            }
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Volumes that the image declares and nothing is mounted on become anonymous volumes or tmpfs.
fn add_image_volumes(spec: &mut ContainerSpec, image: &ContainerDefaults) {
    let source = match spec.mounts.image_volume.unwrap_or(ImageVolume::Anonymous) {
        ImageVolume::Ignore => return,
        ImageVolume::Anonymous => MountSource::Anonymous,
        ImageVolume::Tmpfs => MountSource::Tmpfs { size: None, mode: None, copy_up: true },
    };
    let taken: BTreeSet<String> = spec.mounts.list.iter().map(|mount| clean(&mount.target)).collect();
    for target in image.volumes.keys().filter(|target| target.starts_with('/')) {
        if clean(target) != "/" && !taken.contains(&clean(target)) {
            spec.mounts.list.push(Mount {
                target: target.clone(),
                source: source.clone(),
                options: Default::default(),
            });
        }
    }
}

/// Gives every published port its port of the host, which it keeps; `--publish-all` publishes what image and flags expose.
fn publish(spec: &mut ContainerSpec, image: &ContainerDefaults) -> Result<()> {
    let network = &mut spec.network;
    if network.publish_all {
        let declared = image.exposed_ports.keys().filter_map(|text| Expose::parse(text).ok());
        let exposed: Vec<Expose> = declared.chain(network.expose.iter().cloned()).collect();
        for expose in exposed {
            let published = |p: &Publish| {
                p.protocol == expose.protocol
                    && p.container.first <= expose.ports.first
                    && expose.ports.last <= p.container.last
            };
            if !network.publish.iter().any(published) {
                network.publish.push(Publish {
                    address: None,
                    host: None,
                    container: expose.ports,
                    protocol: expose.protocol,
                });
            }
        }
    }
    network.publish = crate::launch::network::complete(&network.publish)?;
    Ok(())
}

/// Takes in what only the caller's surroundings know, so that a later start, in another directory and environment, is the
/// same: variables become values, relative paths absolute.
fn freeze(spec: &mut ContainerSpec, image: &ContainerDefaults, files: Vec<(String, String)>) -> Result<()> {
    let around = Surrounding {
        caller: &|name| std::env::var(name).ok(),
        caller_all: &|| {
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect()
        },
        proxies: crate::config::proxy_environment().collect(),
        files,
    };
    let env = process::environment(&spec.process, image, &around)?;
    let process = &mut spec.process;
    process.env = env.into_iter().map(|(name, value)| (name, Some(value))).collect();
    (process.env_host, process.http_proxy, process.unset_env_all) = (false, Some(false), true);
    process.env_merge.clear();
    process.unset_env.clear();
    Ok(())
}

/// Makes relative paths absolute, checks that what is to be mounted is there, and reads the files of labels and, as the result,
/// of variables.
fn read_ahead(spec: &mut ContainerSpec) -> Result<Vec<(String, String)>> {
    let directory = std::env::current_dir().map_err(|e| Error::io("find the working directory", e))?;
    let absolute = |path: &mut String| mounts::absolute(path, &directory);
    mounts::read_ahead(spec, &directory)?;
    if let Root::Directory { path, .. } = &mut spec.root {
        absolute(path)?;
    }
    let hosts_file = spec.network.hosts_file.as_mut().filter(|word| !["none", "image"].contains(&word.as_str()));
    let profile = match &mut spec.security.seccomp {
        Some(Seccomp::File(path)) => Some(path),
        _ => None,
    };
    let named = [spec.logging.path.as_mut(), spec.identity.pidfile.as_mut(), hosts_file, profile];
    for path in named.into_iter().flatten() {
        absolute(path)?;
    }
    let mut files = Vec::new();
    for path in std::mem::take(&mut spec.process.env_files) {
        let text =
            std::fs::read_to_string(&path).map_err(|e| Error::io(format!("read environment file {path:?}"), e))?;
        files.push((path, text));
    }
    label_files(spec)?;
    Ok(files)
}

fn label_files(spec: &mut ContainerSpec) -> Result<()> {
    for path in std::mem::take(&mut spec.identity.label_files) {
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(format!("read label file {path:?}"), e))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            spec.identity.labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Ok(())
}

fn image_use(image: &ImageRecord, spec: &ContainerSpec) -> ImageUse {
    let asked = match &spec.root {
        Root::Image(name) => name.as_str(),
        Root::Directory { .. } => "",
    };
    let bare = asked.split(['@', ':']).next().unwrap_or(asked);
    let full = image.names.iter().find(|name| name.name() == bare || name.name().ends_with(&format!("/{bare}")));
    let name = full
        .map_or_else(|| image.names.first().map_or_else(|| asked.to_owned(), ToString::to_string), ToString::to_string);
    ImageUse { id: image.id, name, manifest: Some(image.manifest), layers: image.layers.clone(), root: image.root }
}

/// A path as text, without doubled or closing slashes; only for telling whether two targets are the same.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

fn open_cidfile(path: &str) -> Result<std::fs::File> {
    // One that is left from a container before is written anew, as in podman.
    let open = OpenOptions::new().write(true).create(true).truncate(true).open(Path::new(path));
    open.map_err(|error| Error::io(format!("create container ID file {path:?}"), error))
}

fn write_cidfile(mut file: std::fs::File, record: &ContainerRecord) -> Result<()> {
    let path = record.spec.identity.cidfile.as_deref().unwrap_or_default();
    file.write_all(record.id.as_str().as_bytes())
        .map_err(|error| Error::io(format!("write container ID to {path:?}"), error))
}
