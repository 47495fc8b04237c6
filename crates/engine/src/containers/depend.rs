//! Containers that live in another one's namespaces: as long as there are such, it stays, as with podman.

use super::Container;
use crate::error::{Error, Kind, Result};
use crate::{Engine, store_error};
use spec::ContainerSpec;
use spec::namespaces::{IpcMode, NsMode};
use spec::network::Mode;
use store::ContainerRecord;

/// The containers that were made to join a namespace of another one, newest first.
#[derive(Debug)]
pub struct Joining(Vec<ContainerRecord>);

impl Joining {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Engine {
    /// Reads the record of every container.
    pub fn joining(&self) -> Result<Joining> {
        let mut records = self.store.containers().map_err(store_error)?.items;
        records.retain(|record| joined(&record.spec).next().is_some());
        records.sort_by_key(|record| std::cmp::Reverse(record.created));
        Ok(Joining(records))
    }

    /// Those of them that are to join a namespace of this one and are still there, whether they run or not.
    pub fn dependents(&self, joining: &Joining, container: &Container) -> Result<Vec<Container>> {
        let records = joining.0.iter().filter(|one| joins(&one.spec, &container.record));
        let found = records.map(|record| self.container(record.id.as_str()));
        found.filter(|one| !one.as_ref().is_err_and(|error| matches!(error.kind, Kind::NoSuchContainer(_)))).collect()
    }

    /// Refuses what would take the namespaces of other containers from them.
    pub fn demand_no_dependents(&self, joining: &Joining, container: &Container) -> Result<()> {
        let dependents = self.dependents(joining, container)?;
        if dependents.is_empty() {
            return Ok(());
        }
        let ids = dependents.iter().map(|one| one.record.id.to_string()).collect();
        Err(Error::new(Kind::HasDependents { id: container.record.id.to_string(), dependents: ids }))
    }
}

/// Whether a container is to join a namespace of another one.
fn joins(spec: &ContainerSpec, other: &ContainerRecord) -> bool {
    joined(spec).any(|name| *name == other.name || other.id.as_str().starts_with(name.as_str()))
}

/// The names or IDs of the containers whose namespaces it is to join.
fn joined(spec: &ContainerSpec) -> impl Iterator<Item = &String> {
    let namespaces = &spec.namespaces;
    let ipc = match &namespaces.ipc {
        Some(IpcMode::Mode(mode)) => Some(mode),
        _ => None,
    };
    let modes = [namespaces.pid.as_ref(), ipc, namespaces.uts.as_ref(), namespaces.cgroup.as_ref()];
    let network = match &spec.network.mode {
        Some(Mode::Container(name)) => Some(name),
        _ => None,
    };
    let names = modes.into_iter().flatten().filter_map(|mode| match mode {
        NsMode::Container(name) => Some(name),
        _ => None,
    });
    names.chain(network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::ContainerId;

    #[test]
    fn every_namespace_counts_by_name_and_by_id() {
        let id = "ab".repeat(32);
        let other: ContainerRecord = serde_json::from_value(serde_json::json!({
            "id": id, "name": "web", "created": "2026-11-22T00:00:00Z", "spec": ContainerSpec::default(),
        }))
        .unwrap();
        assert_eq!(other.id, ContainerId::parse(&id).unwrap());
        let with = |name: &str| {
            let mode = NsMode::Container(name.to_owned());
            let mut specs = vec![ContainerSpec::default(); 5];
            specs[0].namespaces.pid = Some(mode.clone());
            specs[1].namespaces.ipc = Some(IpcMode::Mode(mode.clone()));
            specs[2].namespaces.uts = Some(mode.clone());
            specs[3].namespaces.cgroup = Some(mode);
            specs[4].network.mode = Some(Mode::Container(name.to_owned()));
            specs
        };
        for name in ["web", "ababab", &id] {
            assert!(with(name).iter().all(|spec| joins(spec, &other)), "{name}");
        }
        for name in ["we", "bab", "website"] {
            assert!(!with(name).iter().any(|spec| joins(spec, &other)), "{name}");
        }
        assert!(!joins(&ContainerSpec::default(), &other));
    }
}
