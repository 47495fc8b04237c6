//! Which namespaces are the container's own.

use crate::error::Result;
use crate::{Engine, Error};
use runtime::ProcessId;
use runtime::plan::{Namespace, Namespaces};
use spec::ContainerSpec;
use spec::namespaces::{IpcMode, NsMode};
use spec::network::Mode;
use std::fs::File;

/// The namespaces of a plan; `check` has refused what cannot be.
pub(crate) fn resolve(engine: &Engine, spec: &ContainerSpec) -> Result<Namespaces> {
    let namespaces = &spec.namespaces;
    let ipc = match &namespaces.ipc {
        Some(IpcMode::Mode(mode)) => choice(Some(mode)),
        None | Some(IpcMode::None | IpcMode::Shareable) => Namespace::New,
    };
    let net = network(engine, spec.network.mode.as_ref())?;
    let uts = match (&namespaces.uts, &spec.network.mode) {
        // As in podman: the host's network brings the host's name, unless another is asked for.
        (None, Some(Mode::Host)) if spec.network.hostname.is_none() => Namespace::Host,
        (mode, _) => choice(mode.as_ref()),
    };
    Ok(Namespaces { pid: choice(namespaces.pid.as_ref()), ipc, uts, net, cgroup: choice(namespaces.cgroup.as_ref()) })
}

fn choice(mode: Option<&NsMode>) -> Namespace {
    if mode == Some(&NsMode::Host) { Namespace::Host } else { Namespace::New }
}

fn network(engine: &Engine, mode: Option<&Mode>) -> Result<Namespace> {
    Ok(match mode {
        None | Some(Mode::None | Mode::Private | Mode::Pasta(_) | Mode::Named(_)) => Namespace::New,
        Some(Mode::Host) => Namespace::Host,
        Some(Mode::Path(path)) => {
            let file = File::open(path).map_err(|e| Error::io(format!("open network namespace {path:?}"), e))?;
            Namespace::Join(file.into())
        }
        Some(Mode::Container(name)) => {
            let other = engine.container(name)?;
            let Some(state) = &other.running else { return Err(engine.wrong_state(&other, "join the network of")) };
            let process = ProcessId { pid: state.main.pid as i32, start_time: state.main.start_time };
            let path = format!("/proc/{}/ns/net", process.pid);
            let file = File::open(&path).map_err(|e| Error::io(format!("open {path:?}"), e))?;
            // The number may have gone to another process between the look-up and the open.
            if !process.is_alive() {
                return Err(engine.wrong_state(&other, "join the network of"));
            }
            Namespace::Join(file.into())
        }
    })
}
