//! From what the engine knows of a container to its row.

use super::{NEVER, Namespaces, Port, Row, Size};
use crate::error::Result;
use crate::filter::containers::arguments;
use engine::Engine;
use engine::containers::{Container, Status};
use jiff::Timestamp;
use spec::mount::MountSource;
use spec::network::{Mode, Publish};
use spec::oci::ContainerDefaults;
use std::collections::BTreeMap;

impl Row {
    /// The row of one container.
    pub(crate) fn of(container: &Container, engine: &Engine, now: Timestamp) -> Result<Self> {
        let record = &container.record;
        let spec = &record.spec;
        let image = engine.image_defaults(record)?;
        let (running, exit) = (container.running.as_ref(), container.exit.as_ref());
        let started = running.map(|state| state.started_at).or(exit.map(|exit| exit.started_at));
        let ended = exit.filter(|_| container.status() == Status::Exited);
        let mut labels = image.labels.clone();
        labels.extend(spec.identity.labels.clone());
        let mut row = Self {
            auto_remove: record.auto_remove,
            command: arguments(spec, &image).to_vec(),
            created_at: record.created,
            cid_file: spec.identity.cidfile.clone().unwrap_or_default(),
            exited: container.status() == Status::Exited,
            exited_at: ended.map_or(NEVER, |exit| exit.finished_at.as_second()),
            exit_code: ended.map_or(0, |exit| exit.exit_code),
            exposed_ports: exposed(container, &image),
            id: record.id.to_string(),
            image: record.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
            image_id: record.image.as_ref().map(|image| image.id.hex()).unwrap_or_default(),
            is_infra: false,
            labels,
            mounts: spec
                .mounts
                .list
                .iter()
                .filter(|mount| {
                    !matches!(
                        mount.source,
                        MountSource::Tmpfs { .. } | MountSource::Ramfs { .. } | MountSource::Devpts(_)
                    )
                })
                .map(|mount| mount.target.clone())
                .collect(),
            names: vec![record.name.clone()],
            namespaces: Namespaces::default(),
            networks: match &spec.network.mode {
                Some(Mode::Named(networks)) => networks.clone(),
                _ => Vec::new(),
            },
            pid: running.map_or(0, |state| state.main.pid),
            pod: String::new(),
            pod_name: String::new(),
            ports: ports(&spec.network.publish),
            restarts: running.map(|state| state.restarts).or(exit.map(|exit| exit.restarts)).unwrap_or(0),
            size: None,
            started_at: started.map_or(NEVER, Timestamp::as_second),
            state: container.status().word().to_owned(),
            status: String::new(),
            created: record.created,
            health: health(container, engine)?,
        };
        row.status = row.status(now);
        Ok(row)
    }

    /// Fills in `size`.
    pub(crate) fn measure(&mut self, container: &Container, engine: &Engine) -> Result<()> {
        let (own, image) = engine.container_size(&container.record)?;
        self.size = Some(Size { root_fs_size: own + image, rw_size: own });
        Ok(())
    }

    /// Fills in `namespaces`.
    pub(crate) fn look_at_namespaces(&mut self, container: &Container, engine: &Engine) {
        let number = |kind| engine.namespace(container, kind).unwrap_or_default();
        self.namespaces = Namespaces {
            mnt: number("mnt"),
            cgroup: number("cgroup"),
            ipc: number("ipc"),
            net: number("net"),
            pidns: number("pid"),
            uts: number("uts"),
            user: number("user"),
        };
    }
}

/// `starting`, `healthy` or `unhealthy`, of one that runs and is checked.
fn health(container: &Container, engine: &Engine) -> Result<String> {
    if container.status() != Status::Running {
        return Ok(String::new());
    }
    Ok(engine.health(container)?.map(|health| health.status.word().to_owned()).unwrap_or_default())
}

/// By protocol and port inside.
fn ports(publish: &[Publish]) -> Vec<Port> {
    let mut ports: Vec<Port> = publish.iter().map(port).collect();
    ports.sort_by(|a, b| {
        (&a.protocol, a.container_port, a.host_port).cmp(&(&b.protocol, b.container_port, b.host_port))
    });
    ports
}

/// A port that is not told which of the host's to take shows as 0.
fn port(publish: &Publish) -> Port {
    Port {
        host_ip: publish.address.map(|address| address.to_string()).unwrap_or_default(),
        container_port: publish.container.first,
        host_port: publish.host.map_or(0, |host| host.first),
        range: u16::try_from(publish.container.count()).unwrap_or(u16::MAX),
        protocol: publish.protocol.to_string(),
    }
}

/// Ports that the image or `--expose` names; an image's word that is no port is passed over.
fn exposed(container: &Container, image: &ContainerDefaults) -> BTreeMap<u16, Vec<String>> {
    let named = image.exposed_ports.keys().filter_map(|text| spec::network::Expose::parse(text).ok());
    let mut ports: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for expose in named.chain(container.record.spec.network.expose.iter().cloned()) {
        let protocol = expose.protocol.to_string();
        for port in expose.ports.first..=expose.ports.last {
            let protocols = ports.entry(port).or_default();
            if !protocols.contains(&protocol) {
                protocols.push(protocol.clone());
            }
        }
    }
    ports
}
