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
use super::{Changes, Devpts, Mount, MountOptions, MountSource};
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
        let mut changes = Dirs::default();
        for text in words.split(',').filter(|text| !text.is_empty()) {
            let known = match text.split_once('=') {
                Some((key @ ("upperdir" | "workdir"), value)) => changes.set(key, value)?,
                Some(("idmap", value)) => options.set_pair("idmap", value)?,
                Some(_) => false,
                None => text != "no-dereference" && options.set_word(text)?,
            };
            if !known {
                return Err(unknown_volume_word(text));
            }
        }
        changes.finish(&mut options)?;
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
        let options = &self.options;
        let words = options.words();
        let kept = |path: &str| is_simple(path) && !path.contains(',');
        let sayable = match &options.overlay {
            Some(Changes::Kept { upper, work }) => kept(upper) && kept(work),
            _ => true,
        };
        if !sayable || options.subpath.is_some() || options.no_dereference {
            return None;
        }
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
            _ => return None,
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
            MountSource::Ramfs { .. } => ("ramfs", None),
            MountSource::Image(image) => ("image", Some(image)),
            MountSource::Glob(pattern) => ("glob", Some(pattern)),
            MountSource::Devpts(_) => ("devpts", None),
        };
        let mut fields = vec![format!("type={kind}")];
        fields.extend(source.map(|source| format!("source={source}")));
        if !self.target.is_empty() {
            fields.push(format!("target={}", self.target));
        }
        fields.extend(self.words());
        commas::join(&fields)
    }

    /// The option words, with those of memory and terminals.
    fn words(&self) -> Vec<String> {
        let mut words = self.options.words();
        match &self.source {
            MountSource::Tmpfs { size, mode, copy_up } => {
                words.extend(size.map(|size| format!("size={size}")));
                words.extend(mode.map(|mode| format!("mode={mode:o}")));
                words.extend((!copy_up).then(|| "notmpcopyup".to_owned()));
            }
            MountSource::Ramfs { mode, copy_up } => {
                words.extend(mode.map(|mode| format!("mode={mode:o}")));
                words.extend((!copy_up).then(|| "notmpcopyup".to_owned()));
            }
            MountSource::Devpts(Devpts { uid, gid, mode, max }) => {
                words.extend(uid.map(|uid| format!("uid={uid}")));
                words.extend(gid.map(|gid| format!("gid={gid}")));
                words.extend(mode.map(|mode| format!("mode={mode:o}")));
                words.extend(max.map(|max| format!("max={max}")));
            }
            _ => {}
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
    let why = "expected ro, rw, z, Z, U, O, idmap, [no]exec, [no]suid, [no]dev, [no]copy, [r]bind or a propagation such as rslave";
    ParseError::new("volume option", text, why)
}

/// `upperdir=` and `workdir=` of an overlay mount.
#[derive(Default)]
struct Dirs {
    upper: Option<String>,
    work: Option<String>,
}

impl Dirs {
    /// Takes one of them; always known.
    fn set(&mut self, key: &str, value: &str) -> Result<bool, ParseError> {
        let field = if key == "upperdir" { &mut self.upper } else { &mut self.work };
        once(field, word::plain(key, value)?, key).map(|()| true)
    }

    fn finish(self, options: &mut MountOptions) -> Result<(), ParseError> {
        match (self.upper, self.work, &options.overlay) {
            (None, None, _) => Ok(()),
            (_, _, None) => Err(ParseError("upperdir and workdir belong to an overlay: add O".to_owned())),
            (Some(upper), Some(work), Some(_)) => {
                options.overlay = Some(Changes::Kept { upper, work });
                Ok(())
            }
            _ => Err(ParseError("must set both `upperdir` and `workdir`".to_owned())),
        }
    }
}

/// `type=`
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bind,
    Volume,
    Tmpfs,
    Ramfs,
    Image,
    Glob,
    Devpts,
}

const KINDS: [(&str, Kind); 7] = [
    ("bind", Kind::Bind),
    ("volume", Kind::Volume),
    ("tmpfs", Kind::Tmpfs),
    ("image", Kind::Image),
    ("glob", Kind::Glob),
    ("devpts", Kind::Devpts),
    ("ramfs", Kind::Ramfs),
];

impl Kind {
    fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "artifact" => Err(ParseError::new("mount type", text, "only images are kept in the store")),
            _ => word::choose("mount type", text, &KINDS),
        }
    }

    fn is_memory(self) -> bool {
        matches!(self, Self::Tmpfs | Self::Ramfs)
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
    devpts: Devpts,
    changes: Dirs,
    options: MountOptions,
}

impl Draft {
    /// Takes one field: a word or `key=value`.
    fn set(&mut self, field: &str) -> Result<(), ParseError> {
        let kind = self.kind.unwrap_or(Kind::Volume);
        let known = match field.split_once('=') {
            Some(("consistency", _)) => true,
            Some((key, value)) => self.set_pair(kind, key, value)?,
            None => match field {
                "tmpcopyup" if kind.is_memory() => once(&mut self.copy_up, true, field).map(|()| true)?,
                "notmpcopyup" if kind.is_memory() => once(&mut self.copy_up, false, field).map(|()| true)?,
                "readwrite" => self.options.set_word("rw")?,
                "chown" => self.options.set_word("U")?,
                "bind-nonrecursive" => self.options.set_word("bind")?,
                "no-dereference" if kind != Kind::Bind => false,
                field => self.options.set_word(field)?,
            },
        };
        if known { Ok(()) } else { Err(unknown_mount_field(field)) }
    }

    fn set_pair(&mut self, kind: Kind, key: &str, value: &str) -> Result<bool, ParseError> {
        let number = || word::number(key, value, 0, u32::MAX - 1);
        match key {
            "src" | "source" => once(&mut self.source, value.to_owned(), key)?,
            "dst" | "destination" | "target" => once(&mut self.target, value.to_owned(), key)?,
            "tmpfs-size" | "size" if kind == Kind::Tmpfs => once(&mut self.size, Bytes::parse(value)?, key)?,
            "tmpfs-mode" | "mode" if kind.is_memory() => once(&mut self.mode, octal_mode(value)?, key)?,
            "uid" if kind == Kind::Devpts => once(&mut self.devpts.uid, number()?, key)?,
            "gid" if kind == Kind::Devpts => once(&mut self.devpts.gid, number()?, key)?,
            "mode" if kind == Kind::Devpts => once(&mut self.devpts.mode, octal_mode(value)?, key)?,
            "max" if kind == Kind::Devpts => once(&mut self.devpts.max, number()?, key)?,
            "subpath" | "volume-subpath" if matches!(kind, Kind::Volume | Kind::Image) => {
                let path = word::plain("subpath", value)?;
                once(&mut self.options.subpath, path, key)?;
            }
            "upperdir" | "workdir" => return self.changes.set(key, value),
            "no-dereference" if kind != Kind::Bind => return Ok(false),
            _ => return self.options.set_pair(key, value),
        }
        Ok(true)
    }

    fn finish(mut self) -> Result<Mount, ParseError> {
        let kind = self.kind.unwrap_or(Kind::Volume);
        std::mem::take(&mut self.changes).finish(&mut self.options)?;
        let target = match (&self.target, kind) {
            // Each match of a pattern is mounted where it is on the host.
            (None, Kind::Glob) => String::new(),
            (None, _) => return Err(ParseError("must set volume destination".to_owned())),
            (Some(target), _) => word::inside("container path", target)?,
        };
        self.check(kind)?;
        let source = self.source.filter(|source| !source.is_empty());
        let copy_up = self.copy_up.unwrap_or(true);
        let source = match (kind, source) {
            (Kind::Bind, None) => return Err(ParseError("must set source of a bind mount".to_owned())),
            (Kind::Bind, Some(path)) => bind(&path)?,
            (Kind::Glob, None) => return Err(ParseError("must set source of a glob mount".to_owned())),
            (Kind::Glob, Some(pattern)) => MountSource::Glob(word::plain("pattern", &pattern)?),
            (Kind::Image, None) => {
                return Err(ParseError("must set source and destination for image volume".to_owned()));
            }
            (Kind::Image, Some(image)) => MountSource::Image(word::solid("image", &image)?),
            (Kind::Volume, None) => MountSource::Anonymous,
            (Kind::Volume, Some(volume)) => named(&volume)?,
            (Kind::Tmpfs, _) => MountSource::Tmpfs { size: self.size, mode: self.mode, copy_up },
            (Kind::Ramfs, _) => MountSource::Ramfs { mode: self.mode, copy_up },
            (Kind::Devpts, _) => MountSource::Devpts(self.devpts),
        };
        Ok(Mount { target, source, options: self.options })
    }

    /// Refuses what a kind has no use for.
    fn check(&self, kind: Kind) -> Result<(), ParseError> {
        let MountOptions { relabel, copy, recursive, chown, overlay, idmap, propagation, .. } = &self.options;
        let made_here = kind.is_memory() || kind == Kind::Devpts;
        if made_here && self.source.is_some() {
            let kind = KINDS.iter().find(|(_, one)| *one == kind).map_or("", |(word, _)| word);
            return Err(ParseError(format!("\"src\" option not supported for {kind:?} mount types: it has no source")));
        }
        let of_source = relabel.is_some() || copy.is_some() || recursive.is_some();
        let of_both = overlay.is_some() || idmap.is_some();
        if made_here && (of_source || of_both) {
            return Err(ParseError("memory and terminals have no source to relabel, copy, map or bind".to_owned()));
        }
        if kind == Kind::Image && (of_source || of_both || *chown || propagation.is_some()) {
            return Err(ParseError("an image mount takes rw and subpath alone".to_owned()));
        }
        if kind == Kind::Devpts && *chown {
            return Err(ParseError("terminals have an owner of their own: uid=".to_owned()));
        }
        Ok(())
    }
}

pub(crate) fn octal_mode(text: &str) -> Result<u32, ParseError> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| ParseError::new("file mode", text, "expected an octal number such as 1777"))
}

fn unknown_mount_field(field: &str) -> ParseError {
    let why = match field.split('=').next().unwrap_or_default() {
        "volume-opt" | "volume-label" => "make the volume first: `lodger volume create --opt` and `--label`",
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
            ("/a:/b:O", "type=bind,source=/a,target=/b,O"),
            ("/a:/b:O,workdir=/w,upperdir=/u", "type=bind,source=/a,target=/b,O,upperdir=/u,workdir=/w"),
            ("v:/b:idmap", "type=volume,source=v,target=/b,idmap"),
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
            "type=ramfs,dst=/t,mode=700,notmpcopyup",
            "type=image,src=docker.io/library/busybox:1,dst=/t,rw=true,subpath=/etc",
            "type=volume,src=v,dst=/t,volume-subpath=a/b",
            "type=glob,src=/usr/lib/lib*.so,ro",
            "type=glob,src=/usr/lib/lib*.so,dst=/t",
            "type=devpts,dst=/p,uid=1,gid=5,mode=600,max=10",
            "type=bind,src=/l,dst=/t,no-dereference=true,idmap=uids=0-1-10#10-11-10;gids=0-1-10",
            "type=bind,src=/l,dst=/t,idmap,consistency=cached",
            "type=volume,src=v,dst=/t,O,upperdir=/u,workdir=/w",
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
            ("/a:/b:O,upperdir=/u", "must set both `upperdir` and `workdir`"),
            ("/a:/b:upperdir=/u,workdir=/w", "add O"),
            ("/a:/b:idmap=uids=0-1", "expected uids="),
            ("/a:/b:subpath=x", "expected ro, rw, z"),
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
            ("type=image,dst=/b", "must set source and destination for image volume"),
            ("type=image,src=fedora,dst=/b,Z", "rw and subpath alone"),
            ("type=zfs,dst=/b", "expected bind, volume, tmpfs, image, glob, devpts or ramfs"),
            ("type=artifact,src=a,dst=/b", "only images are kept"),
            ("type=tmpfs,src=/a,dst=/b", "\"src\" option not supported for \"tmpfs\""),
            ("type=tmpfs,dst=/b,relabel=shared", "no source to relabel"),
            ("type=tmpfs,dst=/b,uid=1", "no such option"),
            ("type=ramfs,dst=/b,size=1m", "no such option"),
            ("type=bind,src=/a,dst=/b,subpath=x", "no such option"),
            ("src=v,dst=/b,no-dereference", "no such option"),
            ("src=v,dst=/b,volume-opt=type=tmpfs", "make the volume first"),
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
