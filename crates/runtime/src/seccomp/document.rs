//! The JSON of a profile, as written: the shape that podman and docker share.
//!
//! Go, which wrote the format, takes `null` for anything and a missing key for its zero value, so both are accepted here. It also
//! ignores the case of keys; a key that only differs in case from one of the format is refused instead, because ignoring `Args`
//! would widen a rule without a word.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) default_action: String,
    pub(super) default_errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) default_errno: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) architectures: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) arch_map: Vec<ArchMap>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) syscalls: Vec<Syscalls>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) flags: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) listener_path: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) listener_metadata: String,
    #[serde(flatten)]
    _rest: OtherKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArchMap {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) architecture: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) sub_architectures: Vec<String>,
    #[serde(flatten)]
    _rest: OtherKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Syscalls {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) names: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) action: String,
    pub(super) errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) errno: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) args: Vec<Argument>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) includes: Condition,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) excludes: Condition,
    #[serde(flatten)]
    _rest: OtherKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Argument {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) index: u32,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) value: u64,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) value_two: u64,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) op: String,
    #[serde(flatten)]
    _rest: OtherKeys,
}

/// When a rule counts (`includes`), or does not (`excludes`).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) caps: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) arches: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) min_kernel: String,
    #[serde(flatten)]
    _rest: OtherKeys,
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Every key the format has, on any level.
const KEYS: &[&str] = &[
    "action",
    "archMap",
    "arches",
    "architecture",
    "architectures",
    "args",
    "caps",
    "defaultAction",
    "defaultErrno",
    "defaultErrnoRet",
    "errno",
    "errnoRet",
    "excludes",
    "flags",
    "includes",
    "index",
    "listenerMetadata",
    "listenerPath",
    "minKernel",
    "name",
    "names",
    "op",
    "subArchitectures",
    "syscalls",
    "value",
    "valueTwo",
];

/// The keys of an object that the format does not have there: ignored, unless they are one of its own in another case.
#[derive(Default)]
struct OtherKeys;

impl<'de> Deserialize<'de> for OtherKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = OtherKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OtherKeys, A::Error> {
                while let Some(key) = map.next_key::<String>()? {
                    map.next_value::<IgnoredAny>()?;
                    let meant = KEYS.iter().find(|known| known.eq_ignore_ascii_case(&key) && **known != key);
                    if let Some(meant) = meant {
                        return Err(A::Error::custom(format_args!("key {key:?} must be written {meant:?}")));
                    }
                }
                Ok(OtherKeys)
            }
        }

        deserializer.deserialize_map(Keys)
    }
}
