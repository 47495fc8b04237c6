//! What `volume create --opt` says: words of mount(8), and what they come to.
//!
//! `type`, `device` and `o` are the options of the driver `local`, as in Docker. What would need root of the machine is refused here,
//! when the volume is made, and not when a container wants it.

use crate::ParseError;
use crate::bytes::Bytes;
use crate::mount::MountOptions;
use std::collections::BTreeMap;

/// A volume's options, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeOptions {
    /// What is mounted for it.
    pub backing: Backing,
    /// `o=uid=`: owner of its directory.
    pub uid: Option<u32>,
    /// `o=gid=`: group of its directory.
    pub gid: Option<u32>,
    /// Restrictions of every mount of it, and `nocopy`.
    pub mount: MountOptions,
}

/// What a volume is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backing {
    /// A directory of the store.
    #[default]
    Directory,
    /// Memory, shared by the containers that run at the same time.
    Tmpfs {
        /// `o=size=`; absent = half of the memory.
        size: Option<Bytes>,
        /// `o=mode=`, octal; absent = 1777.
        mode: Option<u32>,
    },
    /// A path of the host (`device=`).
    Bind(String),
}

impl VolumeOptions {
    /// Understands what was given with `--opt`; `UID`, `GID` and `SIZE`, which `inspect` shows beside them, are passed over.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, ParseError> {
        let get = |key: &str| options.get(key).map(String::as_str).unwrap_or_default();
        for key in options.keys() {
            if !matches!(key.as_str(), "type" | "device" | "o" | "UID" | "GID" | "SIZE") {
                let text = format!(
                    "invalid mount option {key} for driver 'local': invalid argument: expected type, device or o"
                );
                return Err(ParseError(text));
            }
        }
        let mut draft = Draft::default();
        get("o").split(',').filter(|word| !word.is_empty()).try_for_each(|word| draft.set(word))?;
        let device = get("device");
        let backing = match (get("type"), draft.bind) {
            ("tmpfs", _) => Backing::Tmpfs { size: draft.size, mode: draft.mode },
            ("" | "none" | "bind", true) | ("bind", false) => bind(device)?,
            ("" | "none", false) if device.is_empty() => Backing::Directory,
            ("" | "none", false) => return Err(ParseError(format!("device={device}: add o=bind to mount it"))),
            (kind, _) => {
                let why = "only root of the host may mount it: mount it there, then use type=none,device=PATH,o=bind";
                return Err(ParseError::new("volume type", kind, why));
            }
        };
        if backing == Backing::Directory && (draft.size.is_some() || draft.mode.is_some()) {
            let text =
                "volume options size and mode not supported: only memory (type=tmpfs) has them, no disk quota is set";
            return Err(ParseError(text.to_owned()));
        }
        Ok(Self { backing, uid: draft.uid, gid: draft.gid, mount: draft.mount })
    }

    /// The options as `inspect` shows them: podman repeats some of `o` under keys of their own.
    pub fn shown(&self, mut given: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let size = given.get("o").and_then(|words| words.split(',').find_map(|word| word.strip_prefix("size=")));
        let own = [
            ("UID", self.uid.map(|uid| uid.to_string())),
            ("GID", self.gid.map(|gid| gid.to_string())),
            ("SIZE", size.map(str::to_owned)),
        ];
        given.extend(own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        given
    }
}

fn bind(device: &str) -> Result<Backing, ParseError> {
    match device.starts_with('/') {
        true => Ok(Backing::Bind(crate::word::plain("device", device)?)),
        false => Err(ParseError::new("device", device, "a bind needs device=PATH, with an absolute path")),
    }
}

#[derive(Default)]
struct Draft {
    bind: bool,
    size: Option<Bytes>,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
    mount: MountOptions,
}

impl Draft {
    /// Takes one word of `o=`.
    fn set(&mut self, word: &str) -> Result<(), ParseError> {
        let number = |text: &str| crate::word::number("id", text, 0, u32::MAX - 1);
        match word.split_once('=') {
            Some(("uid", value)) => self.uid = Some(number(value)?),
            Some(("gid", value)) => self.gid = Some(number(value)?),
            Some(("size", value)) => self.size = Some(Bytes::parse(value)?),
            Some(("mode", value)) => self.mode = Some(crate::mount::octal_mode(value)?),
            Some(_) => return Err(unknown(word)),
            None if matches!(word, "bind" | "rbind") => {
                self.bind = true;
                self.mount.set_word(word)?;
            }
            // podman's and mount(8)'s words for what is so anyhow.
            None if matches!(word, "defaults" | "noquota") => {}
            None if matches!(word, "U" | "O" | "idmap" | "z" | "Z") || !self.mount.set_word(word)? => {
                return Err(unknown(word));
            }
            None => {}
        }
        Ok(())
    }
}

fn unknown(word: &str) -> ParseError {
    let why = "expected uid=, gid=, size=, mode=, bind, ro, rw, [no]exec, [no]suid, [no]dev, [no]copy or a propagation";
    ParseError::new("volume option", word, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<VolumeOptions, ParseError> {
        let options: BTreeMap<String, String> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let parsed = VolumeOptions::parse(&options)?;
        // What is shown is understood as the same.
        assert_eq!(VolumeOptions::parse(&parsed.shown(options))?, parsed);
        Ok(parsed)
    }

    #[test]
    fn a_volume_is_a_directory_memory_or_a_bind() {
        assert_eq!(parse(&[]).unwrap(), VolumeOptions::default());
        let owned = parse(&[("o", "uid=7,gid=8,nocopy")]).unwrap();
        assert_eq!(
            (owned.backing, owned.uid, owned.gid, owned.mount.copy),
            (Backing::Directory, Some(7), Some(8), Some(false))
        );
        let memory = parse(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,mode=700,noexec")]).unwrap();
        assert_eq!(memory.backing, Backing::Tmpfs { size: Some(Bytes(1 << 20)), mode: Some(0o700) });
        assert_eq!(memory.mount.no_exec, Some(true));
        for pairs in [
            [("type", "none"), ("device", "/srv"), ("o", "bind,ro")],
            [("type", "bind"), ("device", "/srv"), ("o", "ro")],
        ] {
            let bound = parse(&pairs).unwrap();
            assert_eq!((bound.backing, bound.mount.read_only), (Backing::Bind("/srv".into()), Some(true)));
        }
    }

    #[test]
    fn what_cannot_be_mounted_is_told_when_the_volume_is_made() {
        for (pairs, why) in [
            (&[("foo", "bar")][..], "invalid mount option foo for driver 'local'"),
            (&[("type", "ext4"), ("device", "/dev/sda1")], "only root of the host may mount it"),
            (&[("type", "nfs"), ("device", ":/srv")], "only root of the host may mount it"),
            (&[("device", "/srv")], "add o=bind"),
            (&[("type", "none"), ("device", "srv"), ("o", "bind")], "absolute path"),
            (&[("o", "size=1m")], "size and mode not supported"),
            (&[("o", "uid=-1")], "expected a whole number"),
            (&[("o", "ro,rw")], "already made"),
            (&[("o", "Z")], "expected uid="),
            (&[("o", "inodes=5")], "expected uid="),
        ] {
            let error = parse(pairs).unwrap_err();
            assert!(error.0.contains(why), "{pairs:?}: {error}");
        }
    }
}
