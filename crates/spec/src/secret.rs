//! A secret in a container: `--secret name[,type=mount|env,target=…,uid=…,gid=…,mode=…]`.

use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One `--secret`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// Name or ID of the secret.
    pub name: String,
    /// How the container gets it.
    pub form: SecretForm,
    /// ID of the secret when the container was made; empty before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// How a container gets a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretForm {
    /// As a file.
    Mount {
        /// Absolute, or a name below `/run/secrets`; absent = the secret's own name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// Owner inside.
        #[serde(default)]
        uid: u32,
        /// Group inside.
        #[serde(default)]
        gid: u32,
        /// Permission bits; absent = 0444.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// As an environment variable.
    Env {
        /// Its name; absent = the secret's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
    },
}

/// The directory of secrets inside.
pub const DIRECTORY: &str = "/run/secrets";

impl SecretUse {
    /// Parses `[source=]name[,key=value…]`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: String| ParseError(format!("{why}: parsing secret"));
        let mut fields = text.split(',');
        let first = fields.next().unwrap_or_default();
        let mut name = first.strip_prefix("source=").unwrap_or(first).to_owned();
        let (mut kind, mut target, mut uid, mut gid, mut mode) = ("mount", None, None, None, None);
        for field in fields {
            let (key, value) = field.split_once('=').ok_or_else(|| bad(format!("option {field} must be key=value")))?;
            match key {
                "source" => name = value.to_owned(),
                "type" if matches!(value, "mount" | "env") => kind = value,
                "type" => return Err(bad(format!("type {value} is invalid"))),
                "target" => target = Some(word::plain("secret target", value)?),
                "uid" => uid = Some(word::number("secret uid", value, 0, u32::MAX - 1)?),
                "gid" => gid = Some(word::number("secret gid", value, 0, u32::MAX - 1)?),
                "mode" => {
                    let parsed = u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o7777);
                    mode = Some(parsed.ok_or_else(|| bad(format!("mode {value} invalid")))?);
                }
                _ => return Err(bad(format!("option {field} invalid"))),
            }
        }
        check_name(&name)?;
        let form = match kind {
            "env" if uid.or(gid).or(mode).is_some() => {
                return Err(bad("UID, GID, Mode options cannot be set with secret type env".to_owned()));
            }
            "env" => SecretForm::Env { target },
            _ => SecretForm::Mount { target, uid: uid.unwrap_or(0), gid: gid.unwrap_or(0), mode },
        };
        Ok(Self { name, form, id: String::new() })
    }

    /// The absolute path of a mounted one.
    pub fn path(&self) -> Option<String> {
        let SecretForm::Mount { target, .. } = &self.form else { return None };
        let target = target.as_ref().unwrap_or(&self.name);
        Some(if target.starts_with('/') { target.clone() } else { format!("{DIRECTORY}/{target}") })
    }

    /// The name of a variable.
    pub fn variable(&self) -> Option<&str> {
        match &self.form {
            SecretForm::Env { target } => Some(target.as_ref().unwrap_or(&self.name)),
            SecretForm::Mount { .. } => None,
        }
    }
}

/// A secret's name, as podman allows it.
pub fn check_name(name: &str) -> Result<(), ParseError> {
    let bad = name.is_empty() || name.len() > 253 || name.contains(['=', '/', ',', '\0']);
    if bad || name.chars().any(char::is_control) {
        let text =
            "can not include '=', '/', ',', or control characters, and must be between 1 and 253 characters long";
        return Err(ParseError(format!("secret name {name:?} {text}: invalid secret name")));
    }
    Ok(())
}

impl fmt::Display for SecretUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.form {
            SecretForm::Env { target } => {
                f.write_str(",type=env")?;
                target.iter().try_for_each(|target| write!(f, ",target={target}"))
            }
            SecretForm::Mount { target, uid, gid, mode } => {
                target.iter().try_for_each(|target| write!(f, ",target={target}"))?;
                for (key, id) in [("uid", uid), ("gid", gid)].iter().filter(|(_, id)| **id != 0) {
                    write!(f, ",{key}={id}")?;
                }
                mode.iter().try_for_each(|mode| write!(f, ",mode={mode:04o}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_files_or_variables() {
        for (text, shown, path, variable) in [
            ("s", "s", Some("/run/secrets/s"), None),
            ("source=s,type=mount", "s", Some("/run/secrets/s"), None),
            ("s,target=f,uid=5,gid=6,mode=0400", "s,target=f,uid=5,gid=6,mode=0400", Some("/run/secrets/f"), None),
            ("s,target=/etc/f", "s,target=/etc/f", Some("/etc/f"), None),
            ("s,type=env", "s,type=env", None, Some("s")),
            ("s,type=env,target=T", "s,type=env,target=T", None, Some("T")),
        ] {
            let parsed = SecretUse::parse(text).unwrap();
            assert_eq!(parsed.to_string(), shown, "{text}");
            assert_eq!(SecretUse::parse(shown).unwrap(), parsed);
            assert_eq!((parsed.path().as_deref(), parsed.variable()), (path, variable), "{text}");
        }
        for (text, why) in [
            ("s,type=foo", "type foo is invalid: parsing secret"),
            ("s,mode=abc", "mode abc invalid: parsing secret"),
            ("s,type=env,mode=0400", "cannot be set with secret type env"),
            ("s,uid=x", "expected a whole number"),
            ("s,color=red", "option color=red invalid"),
            ("type=mount", "invalid secret name"),
            ("a/b", "invalid secret name"),
            ("", "invalid secret name"),
        ] {
            let error = SecretUse::parse(text).unwrap_err();
            assert!(error.0.contains(why), "{text}: {error}");
        }
    }
}
