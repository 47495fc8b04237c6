//! Which namespaces are the container's own.

use crate::error::Result;
use crate::{Engine, Error, runtime_error};
use runtime::plan::{Namespace, Namespaces};
use spec::ContainerSpec;
use spec::namespaces::{IpcMode, NsMode};
use spec::network::Mode;
use std::fs::File;

/// The namespaces of a plan; `check` has refused what cannot be.
pub(crate) fn resolve(engine: &Engine, spec: &ContainerSpec) -> Result<Namespaces> {
    let namespaces = &spec.namespaces;
    let choice = |mode: Option<&NsMode>, kind| choice(engine, mode, kind);
    let ipc = match &namespaces.ipc {
        Some(IpcMode::Mode(mode)) => choice(Some(mode), "ipc")?,
        None | Some(IpcMode::None | IpcMode::Shareable) => Namespace::New,
    };
    let net = network(engine, spec.network.mode.as_ref())?;
    let uts = match (&namespaces.uts, &spec.network.mode) {
        // As in podman: the host's network brings the host's name, unless another is asked for.
        (None, Some(Mode::Host)) if spec.network.hostname.is_none() => Namespace::Host,
        (mode, _) => choice(mode.as_ref(), "uts")?,
    };
    let pid = choice(namespaces.pid.as_ref(), "pid")?;
    Ok(Namespaces { pid, ipc, uts, net, cgroup: choice(namespaces.cgroup.as_ref(), "cgroup")? })
}

fn choice(engine: &Engine, mode: Option<&NsMode>, kind: &str) -> Result<Namespace> {
    Ok(match mode {
        None | Some(NsMode::Private) => Namespace::New,
        Some(NsMode::Host) => Namespace::Host,
        Some(NsMode::Container(name)) => joined(engine, name, kind)?,
        Some(NsMode::Path(path)) => {
            let file = File::open(path)
                .map_err(|e| Error::io(format!("cannot find specified {kind} namespace path {path:?}"), e))?;
            Namespace::Join(file.into())
        }
    })
}

/// A namespace of a running container: by its process, which is that process and no other.
pub(crate) fn joined(engine: &Engine, name: &str, kind: &str) -> Result<Namespace> {
    let share = || format!("looking up container to share {kind} namespace with");
    let other = engine.container(name).map_err(|error| error.within(share()))?;
    let Some(state) = &other.running else {
        let what = if kind == "net" { "network" } else { kind };
        return Err(engine.wrong_state(&other, &format!("join the {what} of")));
    };
    let namespace = crate::containers::process_id(state).namespace(kind).map_err(runtime_error)?;
    Ok(Namespace::Join(namespace))
}

fn network(engine: &Engine, mode: Option<&Mode>) -> Result<Namespace> {
    Ok(match mode {
        None | Some(Mode::None | Mode::Private | Mode::Pasta(_) | Mode::Named(_)) => Namespace::New,
        Some(Mode::Host) => Namespace::Host,
        Some(Mode::Path(path)) => {
            let file = File::open(path).map_err(|e| Error::io(format!("open network namespace {path:?}"), e))?;
            Namespace::Join(file.into())
        }
        Some(Mode::Container(name)) => joined(engine, name, "net")?,
    })
}
