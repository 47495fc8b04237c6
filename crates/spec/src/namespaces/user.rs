//! `--userns`: which ids a container's are outside.

use crate::idmap::IdRange;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The highest id there can be; 4294967295 is none.
const HIGHEST: u32 = u32::MAX - 1;

/// `--userns`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserNs {
    /// Rootless: the user's kept namespace; as root: no user namespace.
    Host,
    /// The caller is himself inside.
    KeepId(KeepId),
    /// All of the caller's ids but his own.
    Nomap,
    /// Ids that no other container has.
    Auto(Auto),
    /// Another container's, by name or ID.
    Container(String),
    /// `ns:PATH`
    Path(String),
}

/// Options of `keep-id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeepId {
    /// What the caller's user id is inside; absent = the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What the caller's group id is inside; absent = the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// How many ids there are inside, the caller's among them; absent = all that he has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
}

/// Options of `auto`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auto {
    /// How many ids there are inside; absent = as many as the image needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// What some users are to be outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uids: Vec<IdRange>,
    /// What some groups are to be outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gids: Vec<IdRange>,
}

impl UserNs {
    /// Parses `host`, `keep-id[:uid=N,gid=N,size=N]`, `nomap`, `auto[:size=N,uidmapping=MAP,gidmapping=MAP]`, `container:NAME` or `ns:PATH`.
    ///
    /// # Errors
    /// Also for podman's `private`, which says nothing without a map.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':').map_or((text, None), |(kind, options)| (kind, Some(options))) {
            ("host", None) => Ok(Self::Host),
            ("nomap", None) => Ok(Self::Nomap),
            ("keep-id", options) => KeepId::parse(options.unwrap_or_default()).map(Self::KeepId),
            ("auto", options) => Auto::parse(options.unwrap_or_default()).map(Self::Auto),
            ("container", Some(name)) => Ok(Self::Container(word::solid("container name", name)?)),
            ("ns", Some(path)) => Ok(Self::Path(word::plain("namespace path", path)?)),
            ("private", None) => Err(ParseError::new(
                "user namespace mode",
                text,
                "must provide at least one UID or GID mapping to configure a user namespace (--uidmap, --gidmap)",
            )),
            _ => {
                let expected = "expected host, keep-id, nomap, auto, container:NAME or ns:PATH";
                Err(ParseError::new("user namespace mode", text, expected))
            }
        }
    }
}

/// The words between commas as names and values.
fn options<'t>(mode: &'t str, text: &'t str) -> impl Iterator<Item = Result<(&'t str, &'t str), ParseError>> {
    text.split(',').filter(|word| !word.is_empty()).map(move |word| {
        word.split_once('=').ok_or_else(|| ParseError::new(&format!("option of {mode}"), word, "expected NAME=VALUE"))
    })
}

fn unknown(mode: &str, name: &str, expected: &str) -> ParseError {
    ParseError(format!("unknown option specified: {name:?}: {mode} has {expected}"))
}

impl KeepId {
    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parsed = Self::default();
        for option in options("keep-id", text) {
            let (name, value) = option?;
            let number = |what, lowest| word::number(what, value, lowest, HIGHEST).map(Some);
            match name {
                "uid" => parsed.uid = number("uid", 0)?,
                "gid" => parsed.gid = number("gid", 0)?,
                "size" => parsed.size = number("size", 1)?,
                _ => return Err(unknown("keep-id", name, "uid, gid and size")),
            }
        }
        Ok(parsed)
    }
}

impl Auto {
    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parsed = Self::default();
        for option in options("auto", text) {
            let (name, value) = option?;
            match name {
                "size" => parsed.size = Some(word::number("size", value, 1, HIGHEST)?),
                "uidmapping" => parsed.uids.push(IdRange::parse(value)?),
                "gidmapping" => parsed.gids.push(IdRange::parse(value)?),
                _ => return Err(unknown("auto", name, "size, uidmapping and gidmapping")),
            }
        }
        Ok(parsed)
    }
}

impl fmt::Display for UserNs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = |f: &mut fmt::Formatter<'_>, name: &str, options: Vec<String>| {
            f.write_str(name)?;
            if options.is_empty() { Ok(()) } else { write!(f, ":{}", options.join(",")) }
        };
        match self {
            Self::Host => f.write_str("host"),
            Self::Nomap => f.write_str("nomap"),
            Self::Container(other) => write!(f, "container:{other}"),
            Self::Path(path) => write!(f, "ns:{path}"),
            Self::KeepId(KeepId { uid, gid, size }) => {
                let options = [("uid", uid), ("gid", gid), ("size", size)];
                let shown = |(name, value): (&str, &Option<u32>)| value.map(|value| format!("{name}={value}"));
                mode(f, "keep-id", options.into_iter().filter_map(shown).collect())
            }
            Self::Auto(Auto { size, uids, gids }) => {
                let size = size.iter().map(|size| format!("size={size}"));
                let uids = uids.iter().map(|range| format!("uidmapping={range}"));
                let gids = gids.iter().map(|range| format!("gidmapping={range}"));
                mode(f, "auto", size.chain(uids).chain(gids).collect())
            }
        }
    }
}
