//! From an image's name to the places that may have it: the longest matching prefix decides.

use super::{PullFromMirror, RegistriesConf, Registry};
use crate::location::Access;
use crate::{Kind, Location, Role, Security};
use spec::Reference;

/// Mirrors in order, then the registry.
pub(super) fn locations(conf: &RegistriesConf, name: &Reference) -> Result<Vec<Location>, Kind> {
    let name = hub_name(name)?;
    let text = name.to_string();
    let Some((prefix, matched, entry)) = entry(conf, &text) else {
        return Ok(vec![Location {
            reference: name,
            role: Role::Primary,
            security: Security::Verified,
            access: Access::Pull,
        }]);
    };
    if entry.blocked {
        return Err(Kind::Blocked(prefix.to_owned()));
    }
    let place = |location: &str, role, security| {
        let reference = rewritten(location, &text[matched..])?;
        Ok(Location { reference, role, security, access: Access::Pull })
    };
    let mut found = Vec::with_capacity(entry.mirrors.len() + 1);
    for mirror in served(entry, &name) {
        found.push(place(&mirror.location, Role::Mirror, mirror.security)?);
    }
    found.push(match &entry.location {
        Some(location) => place(location, Role::Primary, entry.security)?,
        None => Location { reference: name, role: Role::Primary, security: entry.security, access: Access::Pull },
    });
    Ok(found)
}

/// The entry for a name or host: its prefix, how many bytes of the name that covers, and itself.
pub(super) fn entry<'a>(conf: &'a RegistriesConf, name: &str) -> Option<(&'a str, usize, &'a Registry)> {
    conf.registries
        .iter()
        .filter_map(|(prefix, entry)| Some((prefix.as_str(), matched(name, prefix)?, entry)))
        .max_by_key(|(prefix, ..)| prefix.len())
}

fn served<'a>(entry: &'a Registry, name: &Reference) -> impl Iterator<Item = &'a super::Mirror> {
    let pinned = name.digest.is_some();
    entry.mirrors.iter().filter(move |mirror| match mirror.pull {
        PullFromMirror::All => true,
        PullFromMirror::DigestOnly => pinned,
        PullFromMirror::TagOnly => !pinned,
    })
}

/// How many bytes of `name` the prefix covers; a prefix ends where a part of the name ends.
fn matched(name: &str, prefix: &str) -> Option<usize> {
    let covered = match prefix.strip_prefix('*') {
        Some(domain) => {
            // The host alone, or host and port where the prefix has one.
            let host = name.split('/').next()?;
            let host = if domain.contains(':') { host } else { host.split(':').next()? };
            (host.len() > domain.len() && host.ends_with(domain)).then_some(host.len())?
        }
        None => name.starts_with(prefix).then_some(prefix.len())?,
    };
    matches!(name.as_bytes().get(covered), None | Some(b'/' | b':' | b'@')).then_some(covered)
}

fn rewritten(location: &str, rest: &str) -> Result<Reference, Kind> {
    let text = format!("{location}{rest}");
    let reference = Reference::parse(&text).map_err(|error| Kind::Invalid(format!("rewritten to {error}")))?;
    hub_name(&reference).map_err(|_| Kind::Invalid(format!("rewritten to {text:?}, which names no registry")))
}

/// Docker Hub has one name here, and `library/` in front of its own images.
fn hub_name(name: &Reference) -> Result<Reference, Kind> {
    match name.registry.as_deref() {
        None => Err(Kind::Invalid("no registry in the image name".to_owned())),
        Some("docker.io" | "index.docker.io") => Ok(name.clone().at("docker.io")),
        Some(_) => Ok(name.clone()),
    }
}
