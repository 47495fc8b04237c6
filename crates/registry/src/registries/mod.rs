//! registries.conf, version 2
//! ([containers-registries.conf(5)](https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md)):
//! where an image name leads, which mirrors come first, and what a short name may mean. Pure.

use crate::Error;
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
    pub aliases: BTreeMap<String, spec::Reference>,
    /// `credential-helpers`, in order; `containers-auth.json` means the auth files.
    pub credential_helpers: Vec<String>,
}

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Replaces the prefix; absent only with a `*.` prefix, where names stay as they are.
    pub location: Option<String>,
    /// `insecure`.
    pub security: crate::Security,
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
    pub security: crate::Security,
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
    Exact(spec::Reference),
    /// One for each search registry, in order; never empty.
    Candidates(Vec<spec::Reference>),
    /// No alias and no search registries.
    Unknown,
}

impl RegistriesConf {
    /// Parses one file. `origin` (its path) appears in errors. Version 1 files are refused.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Error> {
        let _ = (origin, bytes);
        Ok(Self::default())
    }

    /// Reads a drop-in over `self`: lists and modes that it sets replace, `[[registry]]` entries replace by prefix, aliases
    /// by name (an empty value removes one). Call in alphabetical order of file names.
    pub fn merge(&mut self, origin: &str, bytes: &[u8]) -> Result<(), Error> {
        let _ = (origin, bytes);
        Ok(())
    }

    /// What an image name without a registry may mean; full names come back as they are.
    pub fn short_name(&self, name: &spec::Reference) -> ShortName {
        let _ = name;
        ShortName::Unknown
    }

    /// The places to ask for a full name, mirrors first, the registry itself last.
    pub fn locations(&self, name: &spec::Reference) -> Result<Vec<crate::Location>, Error> {
        let _ = name;
        Ok(Vec::new())
    }
}
