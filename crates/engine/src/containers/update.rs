//! `update`: other limits and another restart policy, for a container as it is and as it runs.

use super::Container;
use crate::error::{Error, Result};
use crate::events::Act;
use crate::launch::LOCK_WAIT;
use crate::resolve::resources::{self, Controllers};
use crate::systemd::Scope;
use crate::{Engine, boot, store_error, unit};
use spec::ContainerSpec;
use spec::lifecycle::Restart;
use std::fs;
use std::path::PathBuf;
use store::{Access, Durability, Wait};

impl Engine {
    /// Gives a container the limits and the restart policy of `spec`, all other words of which are its own.
    ///
    /// What runs in a unit of lodger's gets them at once; where it runs in somebody else's group, new limits are refused.
    pub fn update(&self, container: &Container, spec: ContainerSpec) -> Result<()> {
        let before = &container.record.spec;
        if spec.lifecycle.restart.is_some_and(|policy| policy != Restart::No) && container.record.auto_remove {
            return Err(Error::invalid("--rm and a restart policy cannot be used together"));
        }
        let runs = container.running.is_some();
        let limits = spec.resources != before.resources;
        let policy = spec.lifecycle.restart != before.lifecycle.restart;
        let home = if runs && (limits || policy) { self.unit_of_its_own(container) } else { None };
        if runs && limits && home.is_none() {
            return Err(Error::invalid(format!(
                "container {} runs in a control group that is not its own, whose limits stay as they are",
                container.record.name
            )));
        }
        let changed = if limits {
            resources::changes(&before.resources, &spec.resources, &Controllers::read(self.host.uid))?
        } else {
            Vec::new()
        };
        self.prepare_boot_as_root(&spec)?;
        if let Some(unit) = home.as_deref().filter(|_| policy) {
            self.restart_policy(unit, &spec)?;
        }
        self.before_writing_for(&spec)?;
        if let (Some(unit), Some(systemd), true) = (&home, &self.host.systemd, limits) {
            systemd.set_properties(unit, &changed)?;
        }
        if let (Some(_), Some(systemd), true) = (&home, &self.host.systemd, policy) {
            systemd.reload()?;
        }
        let _lock = self
            .store
            .lock_container(&container.record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT))
            .map_err(store_error)?;
        let mut record = self.store.container(&container.record.id).map_err(store_error)?;
        *record.spec = spec;
        self.store.update_container(&record, Durability::Durable).map_err(store_error)?;
        if self.host.rootless() && self.host.systemd.is_some() {
            boot::prepare(self, &record.spec)?;
        }
        self.tell_container(&record, Act::Update);
        Ok(())
    }

    /// The unit of lodger's in which a container runs, a service or a scope.
    fn unit_of_its_own(&self, container: &Container) -> Option<String> {
        let state = container.running.as_ref()?;
        self.host.systemd.as_ref()?;
        let own = unit::of(&container.record);
        if state.unit.as_deref() == Some(own.as_str()) {
            return Some(own);
        }
        let scope = unit::scope_name(&container.record.name);
        let group = fs::read_to_string(format!("/proc/{}/cgroup", state.main.pid)).ok()?;
        group.lines().any(|line| line.starts_with("0::") && line.split('/').any(|part| part == scope)).then_some(scope)
    }

    /// systemd takes no other policy for a unit that is loaded but from a file, which goes with the transient unit.
    fn restart_policy(&self, unit: &str, spec: &ContainerSpec) -> Result<()> {
        let Some(systemd) = self.host.systemd.as_ref().filter(|_| unit.ends_with(".service")) else { return Ok(()) };
        let run = match (systemd.scope, &self.host.runtime_dir) {
            (Scope::User, Some(directory)) => directory.clone(),
            (Scope::User, None) => return Err(Error::other("update the restart policy: no runtime directory")),
            (Scope::System, _) => PathBuf::from("/run"),
        };
        let directory = run.join("systemd/transient").join(format!("{unit}.d"));
        fs::create_dir_all(&directory).map_err(|e| Error::io(format!("create {directory:?}"), e))?;
        let file = directory.join("restart.conf");
        fs::write(&file, unit::restart_settings(spec)).map_err(|e| Error::io(format!("write {file:?}"), e))
    }
}
