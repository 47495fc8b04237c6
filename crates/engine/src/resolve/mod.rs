//! From words to deeds: a `ContainerSpec`, an image and the host become a `runtime::Plan`.
//!
//! Every default of lodger is in this directory. A file answers the questions of the group it is named after.

mod check;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod mounts;
pub(crate) mod namespaces;
pub(crate) mod process;
pub(crate) mod resources;
pub(crate) mod security;
pub(crate) mod systemd;

pub(crate) use check::check;

use crate::Engine;
use crate::error::{Error, Result};
use crate::host::Host;
use runtime::plan::{Access, File, Mount};
use spec::ContainerSpec;
use spec::namespaces::NsMode;
use spec::network::Mode;
use store::ContainerRecord;

impl Engine {
    /// A container's host name.
    pub fn hostname(&self, record: &ContainerRecord) -> String {
        hostname(record, &self.host)
    }
}

/// The host name inside: as asked, the host's own with its network or UTS namespace, else the short ID.
pub(crate) fn hostname(record: &ContainerRecord, _host: &Host) -> String {
    let spec = &record.spec;
    if let Some(name) = &spec.network.hostname {
        return name.clone();
    }
    let of_host = spec.namespaces.uts == Some(NsMode::Host)
        || (spec.namespaces.uts.is_none() && matches!(spec.network.mode, Some(Mode::Host)));
    match of_host {
        true => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        false => record.id.short().to_owned(),
    }
}

/// `--tz`: the zone's rules as `/etc/localtime`.
pub(crate) fn timezone(spec: &ContainerSpec) -> Result<Option<Mount>> {
    let Some(zone) = &spec.process.timezone else { return Ok(None) };
    let path = match zone.as_str() {
        "local" => std::path::PathBuf::from("/etc/localtime"),
        zone => {
            let plain = |word: &str| !word.is_empty() && !word.starts_with('.') && !word.contains('\0');
            if !zone.split('/').all(plain) {
                return Err(Error::invalid(format!("--tz {zone:?}: unknown time zone")));
            }
            std::path::Path::new("/usr/share/zoneinfo").join(zone)
        }
    };
    let contents = crate::config::read(&path)?
        .ok_or_else(|| Error::invalid(format!("--tz {zone:?}: unknown time zone: no file {path:?}")))?;
    Ok(Some(Mount::File(File {
        target: files::guest("/etc/localtime")?,
        contents,
        mode: 0o644,
        uid: 0,
        gid: 0,
        access: Access::Writable,
    })))
}
