//! The network of a container: its uplink, and the files that name it.

use crate::error::{Error, Kind, Result};
use crate::resolve::files::guest;
use crate::{Engine, runtime_error};
use network::addresses::host_addresses;
use network::hosts::{self, Hosts};
use network::pasta::{self, Abilities};
use network::ports::Mapping;
use network::resolv::{self, Asked, HostFiles};
use runtime::plan::{Access, File, Mount};
use runtime::{Rootfs, Spawned};
use spec::network::{Dns, Mode, Network, Protocol, Publish};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use store::{ContainerRecord, Helper, ProcessId};

/// systemd-resolved's list of the real servers, where the host's file only names its stub.
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
/// Where pasta is looked for after `$PATH`, which a service's environment may lack.
const PLACES: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];

/// What leads out of the container.
pub(crate) enum Uplink {
    /// Nothing of its own.
    None,
    /// A process that carries its traffic.
    Pasta {
        /// Its program.
        program: PathBuf,
        /// How it is called.
        plan: pasta::Plan,
    },
}

/// The uplink and the files `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname` and `/run/.containerenv`.
pub(crate) fn resolve(
    engine: &Engine,
    record: &ContainerRecord,
    rootfs: &Rootfs,
    hostname: &str,
) -> Result<(Uplink, Vec<Mount>)> {
    let asked = &record.spec.network;
    let uplink = match &asked.mode {
        None | Some(Mode::Private) => with_pasta(engine, record, &[])?,
        Some(Mode::Pasta(options)) => with_pasta(engine, record, options)?,
        Some(Mode::Host | Mode::Container(_) | Mode::None | Mode::Path(_) | Mode::Named(_)) => Uplink::None,
    };
    let mut files = vec![file("/run/.containerenv", String::new())?];
    if !asked.no_hostname {
        files.push(file("/etc/hostname", format!("{hostname}\n"))?);
    }
    if asked.dns != Some(Dns::None) {
        files.push(file("/etc/resolv.conf", resolv_conf(engine, asked, &uplink)?)?);
    }
    let image_file_stays = asked.hosts_file.as_deref() == Some("image") && asked.add_hosts.is_empty();
    if !asked.no_hosts && !image_file_stays {
        files.push(file("/etc/hosts", hosts_file(engine, record, rootfs, hostname, &uplink)?)?);
    }
    Ok((uplink, files))
}

fn with_pasta(engine: &Engine, record: &ContainerRecord, options: &[String]) -> Result<Uplink> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    let program = places.map(|place| place.join("pasta")).find(|program| program.is_file());
    let missing = || Error::new(Kind::MissingProgram { program: "pasta".to_owned(), package: "passt" });
    let program = program.ok_or_else(missing)?;
    let mut options = options.to_vec();
    if engine.has_host_ids(&record.spec) {
        // It would become nobody, whom a network namespace without a user namespace does not let in.
        options.splice(0..0, ["--runas", "0:0"].map(str::to_owned));
    }
    let plan = pasta::Plan {
        mappings: mappings(&record.spec.network.publish),
        options,
        link: engine.store.netns_link(&record.id),
        abilities: Abilities::of(&program, &engine.store.pasta_abilities_file()),
    };
    Ok(Uplink::Pasta { program, plan })
}

impl Engine {
    /// What the network of a container that was just made may do badly, each as a fragment of a sentence.
    pub fn network_warnings(&self, record: &ContainerRecord) -> Vec<String> {
        let network = &record.spec.network;
        // The only doubt there is, so that nobody else pays for the look at pasta.
        if !network.publish.iter().any(|publish| publish.protocol == Protocol::Udp) {
            return Vec::new();
        }
        let uplink = match &network.mode {
            None | Some(Mode::Private) => with_pasta(self, record, &[]),
            Some(Mode::Pasta(options)) => with_pasta(self, record, options),
            Some(_) => return Vec::new(),
        };
        match uplink {
            Ok(Uplink::Pasta { plan, .. }) => plan.warnings(),
            // A missing program is told by the start.
            Ok(Uplink::None) | Err(_) => Vec::new(),
        }
    }
}

/// Ports got their numbers when the container was made.
fn mappings(publish: &[Publish]) -> Vec<Mapping> {
    let one = |publish: &Publish| {
        let (address, container, protocol) = (publish.address, publish.container, publish.protocol);
        publish.host.map(|host| Mapping { address, host, container, protocol })
    };
    publish.iter().filter_map(one).collect()
}

/// Gives every published port its port of the host, which the container keeps.
pub(crate) fn complete(publish: &[Publish]) -> Result<Vec<Publish>> {
    let mappings = network::ports::resolve(publish, &mut network::ports::Machine).map_err(network_error)?;
    let one = |mapping: Mapping| {
        let Mapping { address, host, container, protocol } = mapping;
        Publish { address, host: Some(host), container, protocol }
    };
    Ok(mappings.into_iter().map(one).collect())
}

fn resolv_conf(engine: &Engine, asked: &Network, uplink: &Uplink) -> Result<String> {
    let way = match (uplink, &asked.mode) {
        (Uplink::Pasta { plan, .. }, _) => resolv::Uplink::Pasta(plan.dns()),
        (Uplink::None, Some(Mode::Host)) => resolv::Uplink::Host,
        (Uplink::None, Some(Mode::Container(other))) => match engine.container(other)?.record.spec.network.mode {
            None | Some(Mode::Private | Mode::Pasta(_)) => resolv::Uplink::Pasta(vec![IpAddr::V4(pasta::DNS_FORWARD)]),
            Some(Mode::Host) => resolv::Uplink::Host,
            Some(_) => resolv::Uplink::None,
        },
        (Uplink::None, _) => resolv::Uplink::None,
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (etc, resolved) = (read("/etc/resolv.conf"), read(RESOLVED));
    let servers: &[IpAddr] = match &asked.dns {
        Some(Dns::Servers(servers)) => servers,
        Some(Dns::None) | None => &[],
    };
    let asked = Asked { servers, search: &asked.dns_search, options: &asked.dns_options };
    Ok(resolv::render(HostFiles { etc: &etc, resolved: &resolved }, &way, asked))
}

fn hosts_file(
    engine: &Engine,
    record: &ContainerRecord,
    rootfs: &Rootfs,
    hostname: &str,
    uplink: &Uplink,
) -> Result<String> {
    let asked = &record.spec.network;
    let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let base = match asked.hosts_file.as_deref() {
        Some("none") => String::new(),
        Some("image") => text(rootfs.read_bounded(&guest("/etc/hosts")?, 1 << 20).map_err(runtime_error)?),
        path => text(engine.read_file(path.unwrap_or("/etc/hosts"))?),
    };
    let (gateway, own): (_, Vec<IpAddr>) = match (uplink, &asked.mode) {
        (Uplink::Pasta { plan, .. }, _) => (plan.host_gateway(), plan.addresses(host_addresses()).iter().collect()),
        (Uplink::None, Some(Mode::Host)) => (Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), Vec::new()),
        // Its own name is to be found even where nobody else can be reached.
        (Uplink::None, Some(Mode::None)) => (None, vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]),
        (Uplink::None, _) => (None, Vec::new()),
    };
    let names = [hostname, record.name.as_str()];
    hosts::render(Hosts { added: &asked.add_hosts, base: &base, own: &own, names: &names, gateway })
        .map_err(network_error)
}

impl Uplink {
    /// Starts it, once the container's network namespace exists.
    pub(crate) fn start(self, spawned: &Spawned<'_>) -> Result<Connecting> {
        let Uplink::Pasta { program, plan } = self else { return Ok(Connecting(None)) };
        let namespace = spawned.network_namespace().map_err(runtime_error)?;
        pasta::start(&program, plan, namespace).map(|starting| Connecting(Some(starting))).map_err(network_error)
    }
}

/// An uplink being made; dropped, it ends.
#[must_use = "dropping it ends the uplink"]
pub(crate) struct Connecting(Option<pasta::Starting>);

impl Connecting {
    /// Waits until the container is connected. This process may start no other since [`Uplink::start`].
    pub(crate) fn finish(self) -> Result<Option<Helper>> {
        let Some(starting) = self.0 else { return Ok(None) };
        let pid = starting.finish().map_err(network_error)?;
        let process = pid.and_then(|pid| ProcessId::of(pid.as_raw_nonzero().get() as u32));
        Ok(process.map(|process| Helper { role: "pasta".to_owned(), process }))
    }
}

/// Gives a network's error its kind here.
pub(crate) fn network_error(error: network::Error) -> Error {
    use network::Kind as From;
    let kind = match &error.kind {
        From::Missing => Kind::MissingProgram { program: "pasta".to_owned(), package: "passt" },
        From::PortInUse { address, port, protocol } => {
            let address = address.map_or_else(|| "0.0.0.0".to_owned(), |address| address.to_string());
            Kind::PortInUse(format!("{address}:{port}/{protocol}"))
        }
        From::PrivilegedPort { port, .. } => Kind::PrivilegedPort(*port),
        From::NoTunDevice => Kind::NoTunDevice,
        From::NoUplink => Kind::NoUplink,
        _ => return Error::caused(Kind::Other, error),
    };
    Error::new(kind)
}

fn file(path: &str, contents: String) -> Result<Mount> {
    Ok(Mount::File(File {
        target: guest(path)?,
        contents: contents.into_bytes(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        access: Access::Writable,
    }))
}
