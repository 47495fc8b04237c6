//! The text of one registries.conf or drop-in, checked and put into our types.
//!
//! Unknown keys are passed over, as podman does. Nothing here depends on other files.

use super::{Mirror, PullFromMirror, Registry, ShortNameMode};
use crate::Security;
use serde::Deserialize;
use spec::Reference;
use std::collections::BTreeMap;

/// The largest file that is read.
const LIMIT: usize = 1 << 20;

/// What one file sets; `None` is "not said here".
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) registries: BTreeMap<String, Registry>,
    pub(super) search: Option<Vec<String>>,
    pub(super) short_names: Option<ShortNameMode>,
    pub(super) credential_helpers: Option<Vec<String>>,
    /// `None` removes an alias that an earlier file set.
    pub(super) aliases: BTreeMap<String, Option<Reference>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawFile {
    unqualified_search_registries: Option<Vec<String>>,
    short_name_mode: Option<String>,
    credential_helpers: Option<Vec<String>>,
    #[serde(default)]
    registry: Vec<RawRegistry>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    /// Version 1's table.
    registries: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawRegistry {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default)]
    mirror: Vec<RawMirror>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawMirror {
    #[serde(default)]
    location: String,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    pull_from_mirror: String,
}

/// Parses a file; the error is the reason, without the file's name.
pub(super) fn file(bytes: &[u8]) -> Result<File, String> {
    if bytes.len() > LIMIT {
        return Err(format!("larger than {LIMIT} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let raw: RawFile = toml::from_str(text).map_err(|error| describe(text, &error))?;
    if raw.registries.is_some() {
        return Err("version 1 ([registries.search] and so on) is not supported; use [[registry]] tables and \
                    unqualified-search-registries"
            .to_owned());
    }
    let mut file = File { credential_helpers: raw.credential_helpers, ..File::default() };
    if let Some(search) = raw.unqualified_search_registries {
        file.search = Some(search.iter().map(|host| search_registry(host)).collect::<Result<_, _>>()?);
    }
    file.short_names = raw.short_name_mode.as_deref().map(short_name_mode).transpose()?.flatten();
    for entry in raw.registry {
        let (prefix, registry) = registry(entry)?;
        file.registries.insert(prefix, registry);
    }
    for (name, target) in raw.aliases {
        let (name, target) = alias(&name, &target)?;
        file.aliases.insert(name, target);
    }
    Ok(file)
}

/// One line: where and what, without the excerpt that toml's own message draws.
fn describe(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", error.message().trim()),
        None => error.message().trim().to_owned(),
    }
}

fn registry(raw: RawRegistry) -> Result<(String, Registry), String> {
    let location = if raw.location.is_empty() { None } else { Some(place("location", &raw.location)?) };
    let prefix = match (&raw.prefix[..], &location) {
        ("", Some(location)) => location.clone(),
        ("", None) => return Err("a [[registry]] needs a prefix or a location".to_owned()),
        (prefix, _) => place_or_wildcard(prefix)?,
    };
    if location.is_none() && !prefix.starts_with("*.") {
        return Err(format!("[[registry]] {prefix:?} needs a location; only a \"*.\" prefix goes without"));
    }
    let mirrors = raw
        .mirror
        .iter()
        .map(|mirror| self::mirror(mirror, raw.mirror_by_digest_only))
        .collect::<Result<_, _>>()
        .map_err(|reason| format!("[[registry]] {prefix:?}: {reason}"))?;
    Ok((prefix, Registry { location, security: security(raw.insecure), blocked: raw.blocked, mirrors }))
}

fn mirror(raw: &RawMirror, by_digest_only: bool) -> Result<Mirror, String> {
    if by_digest_only && !raw.pull_from_mirror.is_empty() {
        return Err("mirror-by-digest-only and pull-from-mirror exclude each other".to_owned());
    }
    let pull = match &raw.pull_from_mirror[..] {
        _ if by_digest_only => PullFromMirror::DigestOnly,
        "" | "all" => PullFromMirror::All,
        "digest-only" => PullFromMirror::DigestOnly,
        "tag-only" => PullFromMirror::TagOnly,
        other => return Err(format!("pull-from-mirror is {other:?}, expected all, digest-only or tag-only")),
    };
    Ok(Mirror { location: place("mirror location", &raw.location)?, security: security(raw.insecure), pull })
}

fn security(insecure: bool) -> Security {
    if insecure { Security::Insecure } else { Security::Verified }
}

fn short_name_mode(text: &str) -> Result<Option<ShortNameMode>, String> {
    Ok(Some(match text {
        "" => return Ok(None),
        "enforcing" => ShortNameMode::Enforcing,
        "permissive" => ShortNameMode::Permissive,
        "disabled" => ShortNameMode::Disabled,
        other => return Err(format!("short-name-mode is {other:?}, expected enforcing, permissive or disabled")),
    }))
}

/// `host[:port]`
fn search_registry(text: &str) -> Result<String, String> {
    let host = text.trim_end_matches('/');
    let whole = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let good = !whole.0.is_empty() && whole.0.bytes().all(plain) && whole.1.is_none_or(|p| p.parse::<u16>().is_ok());
    if good { Ok(host.to_owned()) } else { Err(format!("search registry {text:?}, expected host or host:port")) }
}

/// `host[:port][/path][:tag|@digest]` without a scheme.
fn place(what: &str, text: &str) -> Result<String, String> {
    let trimmed = text.trim_end_matches('/');
    if trimmed.is_empty() {
        return Err(format!("a {what} is missing"));
    }
    if trimmed.contains("://") {
        return Err(format!("{what} {text:?} has a scheme; write host[:port][/path]"));
    }
    if trimmed.contains('*') {
        return Err(format!("{what} {text:?} has a '*'; only a prefix may begin with \"*.\""));
    }
    Ok(trimmed.to_owned())
}

/// A prefix: a place, or `*.` and a domain.
fn place_or_wildcard(text: &str) -> Result<String, String> {
    let Some(domain) = text.strip_prefix("*.") else {
        return place("prefix", text);
    };
    if domain.contains(['/', '@']) || domain.is_empty() {
        return Err(format!("prefix {text:?}: \"*.\" is for hosts, as in \"*.example.com\""));
    }
    place("prefix", domain).map(|domain| format!("*.{domain}"))
}

fn alias(name: &str, target: &str) -> Result<(String, Option<Reference>), String> {
    let short = Reference::parse(name).map_err(|error| format!("alias: {error}"))?;
    if short.registry.is_some() || short.tag.is_some() || short.digest.is_some() {
        return Err(format!("alias {name:?}: expected a name without registry, tag and digest"));
    }
    if target.is_empty() {
        return Ok((short.repository, None));
    }
    let full = Reference::parse(target).map_err(|error| format!("alias {name:?}: {error}"))?;
    if full.registry.is_none() || full.tag.is_some() || full.digest.is_some() {
        return Err(format!("alias {name:?}: {target:?} must have a registry and neither tag nor digest"));
    }
    Ok((short.repository, Some(full)))
}
