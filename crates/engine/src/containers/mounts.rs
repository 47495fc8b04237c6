//! What is mounted into a container that is being made: patterns become paths, containers and images what they have.

use crate::error::{Error, Result};
use crate::resolve::files::explained;
use crate::{Engine, store_error};
use spec::ContainerSpec;
use spec::mount::{Changes, Mount, MountOptions, MountSource, Relabel};
use spec::namespaces::{IpcMode, NsMode};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use store::ImageUse;

/// No pattern means more paths than this.
const MOST_MATCHES: usize = 1000;

/// Turns patterns into binds, makes relative paths absolute, and checks that what is to be bound is there.
pub(super) fn read_ahead(spec: &mut ContainerSpec, directory: &Path) -> Result<()> {
    let absolute = |path: &mut String| absolute(path, directory);
    let mut list = Vec::with_capacity(spec.mounts.list.len());
    for mount in std::mem::take(&mut spec.mounts.list) {
        match &mount.source {
            MountSource::Glob(pattern) => list.extend(matches(&mount, pattern, directory)?),
            _ => list.push(mount),
        }
    }
    for mount in &mut list {
        if let MountSource::Bind(path) = &mut mount.source {
            absolute(path)?;
            let found = match mount.options.no_dereference {
                true => std::fs::symlink_metadata(&*path),
                false => std::fs::metadata(&*path),
            };
            found.map_err(|error| Error::io(format!("statfs {path}"), explained(Path::new(&*path), error)))?;
        }
        if let Some(Changes::Kept { upper, work }) = &mut mount.options.overlay {
            for path in [upper, work] {
                absolute(path)?;
                let found = std::fs::metadata(&*path);
                found.map_err(|error| Error::io(format!("statfs {path}"), explained(Path::new(&*path), error)))?;
            }
        }
    }
    spec.mounts.list = list;
    Ok(())
}

/// A path from the caller's working directory.
pub(super) fn absolute(path: &mut String, directory: &Path) -> Result<()> {
    let joined = directory.join(&*path);
    match joined.to_str() {
        Some(text) => *path = text.to_owned(),
        None => return Err(Error::invalid(format!("path {joined:?} is not UTF-8"))),
    }
    Ok(())
}

/// The binds that a pattern stands for: below the target by their names, or without one where they are on the host.
fn matches(mount: &Mount, pattern: &str, directory: &Path) -> Result<Vec<Mount>> {
    let mut pattern_path = pattern.to_owned();
    absolute(&mut pattern_path, directory)?;
    let mut found = vec![PathBuf::from("/")];
    for word in pattern_path.split('/').filter(|word| !word.is_empty()) {
        found = step(&found, word);
        if found.len() > MOST_MATCHES {
            return Err(Error::invalid(format!("glob {pattern:?} matches more than {MOST_MATCHES} paths")));
        }
    }
    if found.is_empty() {
        return Err(Error::invalid(format!("no file paths matching glob {pattern:?}")));
    }
    let bind = |path: PathBuf| {
        let text = path.to_str().ok_or_else(|| Error::invalid(format!("path {path:?} is not UTF-8")))?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let target = match mount.target.as_str() {
            "" => text.to_owned(),
            target => format!("{}/{name}", target.trim_end_matches('/')),
        };
        Ok(Mount { target, source: MountSource::Bind(text.to_owned()), options: mount.options.clone() })
    };
    found.into_iter().map(bind).collect()
}

/// The paths that one word of a pattern makes of these directories, sorted.
fn step(directories: &[PathBuf], word: &str) -> Vec<PathBuf> {
    if !word.contains(['*', '?', '[', '\\']) {
        let joined = directories.iter().map(|directory| directory.join(word));
        return joined.filter(|path| path.symlink_metadata().is_ok()).collect();
    }
    let mut found = BTreeSet::new();
    for directory in directories {
        // As in Go's filepath.Glob, what cannot be read has no matches.
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        found.extend(names.filter(|name| is_match(word.as_bytes(), name.as_bytes())).map(|name| directory.join(name)));
    }
    found.into_iter().collect()
}

/// Whether a name matches a word with `*`, `?`, `[a-z]`, `[^a]` and `\`.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(b'*'), rest) => is_match(&pattern[1..], name) || rest.is_some_and(|(_, rest)| is_match(pattern, rest)),
        (Some(b'?'), Some((_, rest))) => is_match(&pattern[1..], rest),
        (Some(b'['), Some((&byte, rest))) => match class(&pattern[1..], byte) {
            Some((true, after)) => is_match(after, rest),
            _ => false,
        },
        (Some(b'\\'), Some((byte, rest))) => pattern.get(1) == Some(byte) && is_match(&pattern[2..], rest),
        (Some(wanted), Some((byte, rest))) => wanted == byte && is_match(&pattern[1..], rest),
        (Some(_), None) => false,
    }
}

/// Whether a byte is in the class that begins here, and the pattern after it; `None` for one that does not end.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match pattern.split_first() {
        Some((b'^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    loop {
        match rest {
            [b']', after @ ..] => return Some((found != negated, after)),
            [low, b'-', high, after @ ..] if *high != b']' => {
                found |= (low..=high).contains(&&byte);
                rest = after;
            }
            [one, after @ ..] => {
                found |= *one == byte;
                rest = after;
            }
            [] => return None,
        }
    }
}

impl Engine {
    /// `--volumes-from`: binds and volumes of other containers, where nothing else is mounted. Memory is each container's own.
    pub(super) fn take_over_mounts(&self, spec: &mut ContainerSpec) -> Result<()> {
        let mut taken: BTreeSet<String> = spec.mounts.list.iter().map(|mount| mount.target.clone()).collect();
        for text in &spec.mounts.volumes_from {
            let (name, words) = text.split_once(':').unwrap_or((text, ""));
            let other = self.container(name).map_err(|e| {
                let circumstance = format!("looking up container {name:?} for volumes-from");
                e.within(circumstance)
            })?;
            for mount in &other.record.spec.mounts.list {
                let lasts = !matches!(mount.source, MountSource::Tmpfs { .. } | MountSource::Ramfs { .. });
                if lasts && taken.insert(mount.target.clone()) {
                    spec.mounts.list.push(Mount { options: adjusted(&mount.options, words), ..mount.clone() });
                }
            }
        }
        Ok(())
    }

    /// The containers whose namespaces are joined are there, though they may not run yet; so are directories of health logs.
    pub(super) fn find_shared(&self, spec: &ContainerSpec) -> Result<()> {
        let namespaces = &spec.namespaces;
        let ipc = match &namespaces.ipc {
            Some(IpcMode::Mode(mode)) => Some(mode),
            _ => None,
        };
        let modes = [
            ("pid", namespaces.pid.as_ref()),
            ("ipc", ipc),
            ("uts", namespaces.uts.as_ref()),
            ("cgroup", namespaces.cgroup.as_ref()),
        ];
        for (kind, mode) in modes {
            if let Some(NsMode::Container(name)) = mode {
                let share = format!("looking up container to share {kind} namespace with");
                self.container(name).map_err(|error| error.within(share))?;
            }
        }
        match spec.health.log_destination.as_deref().filter(|place| place.starts_with('/')) {
            Some(path) => std::fs::metadata(path)
                .map(drop)
                .map_err(|e| Error::io(format!("HealthCheck Log {path:?} destination error: stat {path}"), e)),
            None => Ok(()),
        }
    }

    /// The images whose files are mounted; as in podman they must be here already.
    pub(super) fn mounted_images(&self, spec: &ContainerSpec) -> Result<Vec<ImageUse>> {
        let mut used: Vec<ImageUse> = Vec::new();
        for mount in &spec.mounts.list {
            let MountSource::Image(name) = &mount.source else { continue };
            if used.iter().any(|used| used.name == *name) {
                continue;
            }
            let image = self.store.find_image(name).map_err(|error| {
                store_error(error).within(format!("creating image volume {name:?}:{:?}", mount.target))
            })?;
            used.push(ImageUse {
                id: image.id,
                name: name.clone(),
                manifest: Some(image.manifest),
                layers: image.layers,
                root: image.root,
            });
        }
        Ok(used)
    }
}

/// The options of a mount that is taken over, with words of ro, rw and z.
fn adjusted(options: &MountOptions, words: &str) -> MountOptions {
    let mut options = options.clone();
    for word in words.split(',') {
        match word {
            "ro" => options.read_only = Some(true),
            "rw" => options.read_only = Some(false),
            "z" => options.relabel = Some(Relabel::Shared),
            _ => {}
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, matched) in [
            ("lib*.so", "libc.so", true),
            ("lib*.so", "libc.so.6", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[ab", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c", "axxbyyc", true),
        ] {
            assert_eq!(is_match(pattern.as_bytes(), name.as_bytes()), matched, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_becomes_a_bind_for_each_match() {
        let directory = std::env::temp_dir().join(format!("lodger-glob-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("a")).unwrap();
        for name in ["f1", "f2", "a/g"] {
            std::fs::write(directory.join(name), "").unwrap();
        }
        let bound = |text: &str| {
            let mut spec = ContainerSpec::default();
            spec.mounts.list.push(Mount::parse_mount(text).unwrap());
            read_ahead(&mut spec, &directory).map(|()| spec.mounts.list.iter().map(|m| m.target.clone()).collect())
        };
        let targets: Vec<String> = bound("type=glob,src=f*,dst=/x").unwrap();
        assert_eq!(targets, ["/x/f1", "/x/f2"]);
        let targets: Vec<String> = bound("type=glob,src=*/g").unwrap();
        assert_eq!(targets, [directory.join("a/g").to_str().unwrap()]);
        let error = bound("type=glob,src=h*,dst=/x").unwrap_err();
        assert!(error.to_string().contains("no file paths matching glob \"h*\""), "{error}");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
