//! The three text forms of a mount.
//!
//! ```text
//! --volume   [source:]target[:word,word…]      binds, named and anonymous volumes
//! --tmpfs    target[:word,size=…,mode=…]       memory
//! --mount    type=…,source=…,target=…,word,…   everything; a line of CSV, so any path can be written
//! ```
//!
//! `parse_x` reads a form and `as_x` writes it; `as_volume` and `as_tmpfs` give nothing for a mount that only `--mount`
//! can say. Each form reads back exactly what it wrote.

use super::options::once;
use super::{Mount, MountOptions, MountSource};
use crate::bytes::Bytes;
use crate::{ParseError, name, options::commas, word};

impl Mount {
    /// Parses `--volume`.
    pub fn parse_volume(text: &str) -> Result<Self, ParseError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, words) = match parts.as_slice() {
            [target] => (None, *target, ""),
            [source, target] => (Some(*source), *target, ""),
            [source, target, words] => (Some(*source), *target, *words),
            _ => return Err(ParseError::new("volume", text, "expected [host-dir:]ctr-dir[:option]")),
        };
        let source = match source {
            None => MountSource::Anonymous,
            Some("") => return Err(ParseError::new("volume", text, "the host directory must not be empty")),
            Some(path) if path.starts_with(['/', '.']) => bind(path)?,
            Some(volume) => named(volume)?,
        };
        let mut options = MountOptions::default();
        for text in words.split(',').filter(|text| !text.is_empty()) {
            if !options.set_word(text)? {
                return Err(unknown_volume_word(text));
            }
        }
        Ok(Self { target: word::inside("container path", target)?, source, options })
    }

    /// Parses `--tmpfs`.
    pub fn parse_tmpfs(text: &str) -> Result<Self, ParseError> {
        let (target, words) = text.split_once(':').unwrap_or((text, ""));
        let mut draft = Draft { kind: Some(Kind::Tmpfs), target: Some(target.to_owned()), ..Draft::default() };
        words.split(',').filter(|text| !text.is_empty()).try_for_each(|text| draft.set(text))?;
        draft.finish()
    }

    /// Parses `--mount`.
    pub fn parse_mount(text: &str) -> Result<Self, ParseError> {
        let fields = commas::split(text)?;
        let mut draft = Draft::default();
        // The type decides what the other fields may be, wherever it stands.
        for field in &fields {
            if let Some(kind) = field.strip_prefix("type=") {
                once(&mut draft.kind, Kind::parse(kind)?, field)?;
            }
        }
        fields.iter().filter(|field| !field.starts_with("type=")).try_for_each(|field| draft.set(field))?;
        draft.finish()
    }

    /// As `--volume`, if it can be said so.
    pub fn as_volume(&self) -> Option<String> {
        let words = self.options.words();
        let text = match &self.source {
            MountSource::Bind(source) | MountSource::Volume(source) => {
                if !is_simple(source) {
                    return None;
                }
                match words.is_empty() {
                    true => format!("{source}:{}", self.target),
                    false => format!("{source}:{}:{}", self.target, words.join(",")),
                }
            }
            MountSource::Anonymous if words.is_empty() => self.target.clone(),
            MountSource::Anonymous | MountSource::Tmpfs { .. } => return None,
        };
        is_simple(&self.target).then_some(text)
    }

    /// As `--tmpfs`, if it can be said so.
    pub fn as_tmpfs(&self) -> Option<String> {
        if !matches!(self.source, MountSource::Tmpfs { .. }) || !is_simple(&self.target) {
            return None;
        }
        let words = self.words();
        Some(if words.is_empty() { self.target.clone() } else { format!("{}:{}", self.target, words.join(",")) })
    }

    /// As `--mount`, which can say every mount.
    pub fn as_mount(&self) -> String {
        let (kind, source) = match &self.source {
            MountSource::Bind(path) => ("bind", Some(path)),
            MountSource::Volume(volume) => ("volume", Some(volume)),
            MountSource::Anonymous => ("volume", None),
            MountSource::Tmpfs { .. } => ("tmpfs", None),
        };
        let mut fields = vec![format!("type={kind}")];
        fields.extend(source.map(|source| format!("source={source}")));
        fields.push(format!("target={}", self.target));
        fields.extend(self.words());
        commas::join(&fields)
    }

    /// The option words, with those of a tmpfs.
    fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.options.words().into_iter().map(str::to_owned).collect();
        if let MountSource::Tmpfs { size, mode, copy_up } = &self.source {
            words.extend(size.map(|size| format!("size={size}")));
            words.extend(mode.map(|mode| format!("mode={mode:o}")));
            words.extend((!copy_up).then(|| "notmpcopyup".to_owned()));
        }
        words
    }
}

/// Whether a path can stand between colons in a line of a unit file without quotes.
fn is_simple(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '\\' | '"' | '\''))
}

fn bind(path: &str) -> Result<MountSource, ParseError> {
    word::plain("host path", path)?;
    // A name alone would be a volume in `--volume`.
    Ok(MountSource::Bind(if path.starts_with(['/', '.']) { path.to_owned() } else { format!("./{path}") }))
}

fn named(volume: &str) -> Result<MountSource, ParseError> {
    name::check("volume name", volume)?;
    Ok(MountSource::Volume(volume.to_owned()))
}

fn unknown_volume_word(text: &str) -> ParseError {
    let why = match text.split('=').next().unwrap_or_default() {
        "O" | "upperdir" | "workdir" => "overlay volumes are not supported yet",
        "idmap" => "idmapped volumes are not supported yet",
        _ => "expected ro, rw, z, Z, U, [no]exec, [no]suid, [no]dev, [no]copy, [r]bind or a propagation such as rslave",
    };
    ParseError::new("volume option", text, why)
}

/// `type=`
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bind,
    Volume,
    Tmpfs,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "bind" => Ok(Self::Bind),
            "volume" => Ok(Self::Volume),
            "tmpfs" => Ok(Self::Tmpfs),
            "devpts" | "ramfs" | "image" | "glob" | "artifact" => {
                Err(ParseError::new("mount type", text, "not supported yet; lodger has bind, volume and tmpfs"))
            }
            _ => Err(ParseError::new("mount type", text, "expected bind, volume or tmpfs")),
        }
    }
}

/// A mount on its way from fields to a `Mount`.
#[derive(Default)]
struct Draft {
    kind: Option<Kind>,
    source: Option<String>,
    target: Option<String>,
    size: Option<Bytes>,
    mode: Option<u32>,
    copy_up: Option<bool>,
    options: MountOptions,
}

impl Draft {
    /// Takes one field: a word or `key=value`.
    fn set(&mut self, field: &str) -> Result<(), ParseError> {
        let tmpfs = self.kind == Some(Kind::Tmpfs);
        let known = match field.split_once('=') {
            Some(("src" | "source", value)) => once(&mut self.source, value.to_owned(), field).map(|()| true)?,
            Some(("dst" | "destination" | "target", value)) => {
                once(&mut self.target, value.to_owned(), field).map(|()| true)?
            }
            Some(("tmpfs-size" | "size", value)) if tmpfs => {
                once(&mut self.size, Bytes::parse(value)?, field).map(|()| true)?
            }
            Some(("tmpfs-mode" | "mode", value)) if tmpfs => {
                once(&mut self.mode, octal_mode(value)?, field).map(|()| true)?
            }
            Some((key, value)) => self.options.set_pair(key, value)?,
            None => match field {
                "tmpcopyup" if tmpfs => once(&mut self.copy_up, true, field).map(|()| true)?,
                "notmpcopyup" if tmpfs => once(&mut self.copy_up, false, field).map(|()| true)?,
                "readwrite" => self.options.set_word("rw")?,
                "chown" => self.options.set_word("U")?,
                "bind-nonrecursive" => self.options.set_word("bind")?,
                field => self.options.set_word(field)?,
            },
        };
        if known { Ok(()) } else { Err(unknown_mount_field(field)) }
    }

    fn finish(self) -> Result<Mount, ParseError> {
        let target = self.target.ok_or_else(|| ParseError("must set volume destination".to_owned()))?;
        let target = word::inside("container path", &target)?;
        let source = match (self.kind.unwrap_or(Kind::Volume), self.source.as_deref()) {
            (Kind::Bind, None | Some("")) => return Err(ParseError("must set source of a bind mount".to_owned())),
            (Kind::Bind, Some(path)) => bind(path)?,
            (Kind::Volume, None | Some("")) => MountSource::Anonymous,
            (Kind::Volume, Some(volume)) => named(volume)?,
            (Kind::Tmpfs, None) => {
                let copy_up = self.copy_up.unwrap_or(true);
                MountSource::Tmpfs { size: self.size, mode: self.mode, copy_up }
            }
            (Kind::Tmpfs, Some(path)) => {
                return Err(ParseError::new("mount source", path, "a tmpfs has no source"));
            }
        };
        let options = &self.options;
        if matches!(source, MountSource::Tmpfs { .. })
            && (options.relabel.is_some() || options.copy.is_some() || options.recursive.is_some())
        {
            return Err(ParseError("a tmpfs has no source to relabel, copy or bind".to_owned()));
        }
        Ok(Mount { target, source, options: self.options })
    }
}

fn octal_mode(text: &str) -> Result<u32, ParseError> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| ParseError::new("file mode", text, "expected an octal number such as 1777"))
}

fn unknown_mount_field(field: &str) -> ParseError {
    let why = match field.split('=').next().unwrap_or_default() {
        "idmap" | "no-dereference" | "subpath" | "volume-subpath" | "volume-opt" | "volume-label" | "noswap"
        | "nr_inodes" | "uid" | "gid" => "not supported yet",
        "consistency" => "has no meaning on Linux: leave it out",
        _ => "this type of mount has no such option",
    };
    ParseError::new("mount option", field, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each form makes of a text, shown in all three forms.
    fn forms(mount: &Mount) -> (Option<String>, Option<String>, String) {
        (mount.as_volume(), mount.as_tmpfs(), mount.as_mount())
    }

    #[test]
    fn volumes_are_binds_named_or_anonymous() {
        for (text, mount) in [
            ("/data", "type=volume,target=/data"),
            ("/srv/web:/usr/share/nginx/html:ro", "type=bind,source=/srv/web,target=/usr/share/nginx/html,ro"),
            ("./site:/site", "type=bind,source=./site,target=/site"),
            ("db:/var/lib/db/", "type=volume,source=db,target=/var/lib/db"),
            ("db:/d:Z,U,noexec,nocopy", "type=volume,source=db,target=/d,noexec,Z,nocopy,U"),
            ("/a:/b:rslave,rbind,rw,,", "type=bind,source=/a,target=/b,rw,rslave,rbind"),
        ] {
            let parsed = Mount::parse_volume(text).unwrap();
            assert_eq!(parsed.as_mount(), mount, "{text}");
            assert_eq!(Mount::parse_mount(mount).unwrap(), parsed, "{text}");
        }
    }

    #[test]
    fn a_mount_reads_back_from_every_form_it_has() {
        for text in [
            "type=bind,src=/a,dst=/b",
            "type=bind,source=site,destination=/site,readonly=true,relabel=private,chown=true",
            "type=bind,src=/a,target=/b,bind-nonrecursive=true,bind-propagation=rshared,U",
            "type=bind,\"src=/a,b\",dst=/c:d",
            "type=bind,\"src=/say \"\"hi\"\"\",dst=/x y",
            "type=volume,src=v,dst=/v,ro=false,nosuid,dev",
            "target=/anonymous,ro",
            "type=tmpfs,dst=/t,tmpfs-size=64m,tmpfs-mode=0700,notmpcopyup,noexec",
            "type=tmpfs,dst=/t:u",
        ] {
            let mount = Mount::parse_mount(text).unwrap();
            let (volume, tmpfs, long) = forms(&mount);
            assert_eq!(Mount::parse_mount(&long).unwrap(), mount, "{text}");
            volume.iter().for_each(|text| assert_eq!(Mount::parse_volume(text).unwrap(), mount));
            tmpfs.iter().for_each(|text| assert_eq!(Mount::parse_tmpfs(text).unwrap(), mount));
        }
    }

    #[test]
    fn a_tmpfs_has_the_image_s_files_unless_told_otherwise() {
        let shown = |text: &str| Mount::parse_tmpfs(text).unwrap().as_tmpfs().unwrap();
        assert_eq!(shown("/run:rw,size=787448k,mode=1777"), "/run:rw,size=787448k,mode=1777");
        let MountSource::Tmpfs { copy_up, .. } = Mount::parse_tmpfs("/run").unwrap().source else { panic!() };
        assert!(copy_up);
        assert_eq!(shown("/run:notmpcopyup"), "/run:notmpcopyup");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, why) in [
            ("data:/a:/b:ro", "expected [host-dir:]ctr-dir[:option]"),
            (":/a", "the host directory must not be empty"),
            ("/a:b", "must be an absolute path"),
            ("/a:/b:ro,rw", "this choice was already made"),
            ("/a:/b:O", "overlay volumes are not supported yet"),
            ("/a:/b:idmap=uids=0-1-10", "idmapped volumes are not supported yet"),
            ("/a:/b:fast", "expected ro, rw, z"),
            ("-x:/b", "names must match"),
            ("/a\nb:/b", "control characters"),
        ] {
            let error = Mount::parse_volume(text).unwrap_err();
            assert!(error.0.contains(why), "{text}: {error}");
        }
        for (text, why) in [
            ("type=bind,dst=/b", "must set source"),
            ("type=bind,src=/b", "must set volume destination"),
            ("type=image,src=fedora,dst=/b", "not supported yet"),
            ("type=zfs,dst=/b", "expected bind, volume or tmpfs"),
            ("type=tmpfs,src=/a,dst=/b", "a tmpfs has no source"),
            ("type=tmpfs,dst=/b,relabel=shared", "a tmpfs has no source to relabel"),
            ("type=bind,src=/a,dst=/b,tmpfs-size=1m", "no such option"),
            ("type=bind,src=/a,dst=/b,ro=maybe", "expected true or false"),
            ("type=tmpfs,dst=/b,tmpfs-mode=99", "expected an octal number"),
            ("type=bind,type=bind,src=/a,dst=/b", "already made"),
        ] {
            let error = Mount::parse_mount(text).unwrap_err();
            assert!(error.0.contains(why), "{text}: {error}");
        }
    }
}
