//! registries.conf, version 2
//! ([containers-registries.conf(5)](https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md)):
//! where an image name leads, which mirrors come first, and what a short name may mean. Pure.

mod parse;
mod rewrite;
#[cfg(test)]
mod tests;

use crate::{Error, Kind, Location, Operation, Security};
use spec::Reference;
use std::collections::BTreeMap;

/// The merged configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistriesConf {
    /// `[[registry]]`, by prefix.
    pub registries: BTreeMap<String, Registry>,
    /// `unqualified-search-registries`, in order.
    pub search: Vec<String>,
    /// `short-name-mode`.
    pub short_names: ShortNameMode,
    /// `[aliases]`: short name → full name without tag and digest.
    pub aliases: BTreeMap<String, Reference>,
    /// `credential-helpers`, in order; `containers-auth.json` means the auth files.
    pub credential_helpers: Vec<String>,
}

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Replaces the prefix; absent only with a `*.` prefix, where names stay as they are.
    pub location: Option<String>,
    /// `insecure`.
    pub security: Security,
    /// Pulling is forbidden.
    pub blocked: bool,
    /// Asked first, in order.
    pub mirrors: Vec<Mirror>,
}

/// One `[[registry.mirror]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Replaces the prefix.
    pub location: String,
    /// `insecure`.
    pub security: Security,
    /// `pull-from-mirror`.
    pub pull: PullFromMirror,
}

/// Which references a mirror serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullFromMirror {
    /// `all`
    #[default]
    All,
    /// `digest-only`
    DigestOnly,
    /// `tag-only`
    TagOnly,
}

/// What happens when a short name could mean several registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShortNameMode {
    /// Ask on a terminal; without one, an error.
    #[default]
    Enforcing,
    /// Ask on a terminal; without one, try all.
    Permissive,
    /// Try all.
    Disabled,
}

/// What a short name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShortName {
    /// It was a full name, or an alias names exactly one.
    Exact(Reference),
    /// One for each search registry, in order; never empty.
    Candidates(Vec<Reference>),
    /// No alias and no search registries.
    Unknown,
}

impl RegistriesConf {
    /// Parses one file. `origin` (its path) appears in errors. Version 1 files are refused.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Error> {
        let mut conf = Self::default();
        conf.merge(origin, bytes)?;
        Ok(conf)
    }

    /// Reads a drop-in over `self`: lists and modes that it sets replace, `[[registry]]` entries replace by prefix, aliases
    /// by name (an empty value removes one). Call in alphabetical order of file names. `self` is unchanged on error.
    pub fn merge(&mut self, origin: &str, bytes: &[u8]) -> Result<(), Error> {
        let file = parse::file(bytes)
            .map_err(|reason| Error::new(Operation::ReadRegistriesConf, origin, Kind::Invalid(reason)))?;
        self.registries.extend(file.registries);
        self.search = file.search.unwrap_or_else(|| std::mem::take(&mut self.search));
        self.short_names = file.short_names.unwrap_or(self.short_names);
        self.credential_helpers =
            file.credential_helpers.unwrap_or_else(|| std::mem::take(&mut self.credential_helpers));
        for (name, target) in file.aliases {
            match target {
                Some(target) => self.aliases.insert(name, target),
                None => self.aliases.remove(&name),
            };
        }
        Ok(())
    }

    /// What an image name without a registry may mean; full names come back as they are.
    pub fn short_name(&self, name: &Reference) -> ShortName {
        if name.registry.is_some() {
            return ShortName::Exact(name.clone());
        }
        if let Some(alias) = self.aliases.get(&name.repository) {
            return ShortName::Exact(Reference { tag: name.tag.clone(), digest: name.digest, ..alias.clone() });
        }
        match self.search.iter().map(|registry| name.clone().at(registry)).collect::<Vec<_>>() {
            candidates if candidates.is_empty() => ShortName::Unknown,
            candidates => ShortName::Candidates(candidates),
        }
    }

    /// The places to ask for a full name, mirrors first, the registry itself last.
    ///
    /// [`Kind::Blocked`] if the entry for the name says so, [`Kind::Invalid`] if the name has no registry or an entry
    /// rewrites it to something that is no image name.
    pub fn locations(&self, name: &Reference) -> Result<Vec<Location>, Error> {
        rewrite::locations(self, name).map_err(|kind| Error::new(Operation::Locate, name.to_string(), kind))
    }

    /// How a registry (`host[:port]`) as such is spoken to: for login.
    pub fn security(&self, registry: &str) -> Security {
        rewrite::entry(self, registry).map_or(Security::Verified, |(_, _, entry)| entry.security)
    }
}
