//! `.container` files to a spec and back, through the keys of the option table.
//!
//! Assignments are set in the order of the file, since mounts of different keys share one order; `PodmanArgs=` comes last, as
//! in the command line it stands for. Relative paths are taken from the file's directory; specifiers (`%h`) stay as they
//! are.

use crate::diagnostic::{Diagnostic, Position};
use crate::file::{Entry, File, Section};
use crate::form::{decode, encode};
use spec::ContainerSpec;
use spec::container::Root;
use spec::mount::MountSource;
use spec::options::parse::Order;
use spec::options::{
    COMMAND_FLAGS, Flag, Form, InUnit, Key, Opt, UNIT_KEYS, UNSUPPORTED, Unsupported, Verb, apply, find_key, flag_args,
    suggest, table,
};
use spec::security::Seccomp;
use spec::signal::Signal;
use std::path::{Component, Path, PathBuf};

/// The section of containers.
const SECTION: &str = "Container";

/// What a `.container` file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The container.
    pub spec: ContainerSpec,
    /// `ServiceName=`; absent = the file's name.
    pub service_name: Option<String>,
    /// How the service is reloaded, if it can be.
    pub reload: Option<Reload>,
    /// Every other section, in the order of the file.
    pub sections: Vec<Section>,
}

/// How a service is reloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// `ReloadCmd=`: words of a command that is run inside.
    Command(Vec<String>),
    /// `ReloadSignal=`
    Signal(Signal),
}

/// A value that no assignment can say. Only specs that no parser made have one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write {key}=: {values:?} has characters that a unit file cannot say")]
pub struct WriteError {
    key: &'static str,
    values: Vec<String>,
}

/// Reads a file; `path` is where it is from, for relative paths in it. All mistakes are reported, in the order of the
/// file.
pub fn read_container(text: &str, path: &Path) -> Result<Unit, Vec<Diagnostic>> {
    let (file, wrong) = File::parse_what_can_be(text);
    let mut reader = Reader { wrong, ..Reader::default() };
    let entries: Vec<&Entry> = file.entries(SECTION).collect();
    let counting = reader.counting(&entries);
    counting.iter().for_each(|(entry, meaning)| reader.set(entry, *meaning));
    reader.check_keys(&file, &entries);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        resolve_paths(&mut reader.spec, directory);
    }
    reader.set_podman_args();
    if !reader.wrong.is_empty() {
        reader.wrong.sort_by_key(|mistake| mistake.at);
        return Err(reader.wrong);
    }
    let Reader { spec, service_name, reload, .. } = reader;
    let sections = file.sections.into_iter().filter(|section| section.name != SECTION).collect();
    Ok(Unit { spec, service_name, reload, sections })
}

/// The `[Container]` section that reads as this spec.
pub fn write_container(spec: &ContainerSpec) -> Result<String, WriteError> {
    let mut text = format!("[{SECTION}]\n");
    let mut args = Vec::new();
    for row in table() {
        match &row.unit {
            InUnit::Key(key) => {
                let values = row.key_values(spec);
                match encode(key.form, &values) {
                    Some(rights) => rights.iter().for_each(|right| text.push_str(&format!("{}={right}\n", key.name))),
                    None if row.flag.is_some() => args.extend(flag_args(row, &row.flag_values(spec))),
                    None => return Err(WriteError { key: key.name, values }),
                }
            }
            InUnit::PodmanArgs => args.extend(flag_args(row, &row.flag_values(spec))),
            InUnit::OtherKeys(rest) => args.extend(flag_args(row, &rest(spec))),
        }
    }
    match encode(Form::ShellWords, &args) {
        Some(rights) => rights.iter().for_each(|right| text.push_str(&format!("PodmanArgs={right}\n"))),
        None => return Err(WriteError { key: "PodmanArgs", values: args }),
    }
    Ok(text)
}

/// What a key of the section is.
#[derive(Clone, Copy)]
enum Meaning {
    Row(&'static Opt, Key),
    Unit(Key),
    Unsupported(&'static Unsupported),
}

impl Meaning {
    fn of(name: &str) -> Option<Self> {
        if let Some(row) = find_key(name) {
            return row.key().map(|key| Self::Row(row, *key));
        }
        if let Some(key) = UNIT_KEYS.iter().find(|key| key.name == name) {
            return Some(Self::Unit(*key));
        }
        Unsupported::of_key(name).map(Self::Unsupported)
    }

    fn form(self) -> Form {
        match self {
            Self::Row(_, key) | Self::Unit(key) => key.form,
            Self::Unsupported(row) => row.key.map_or(Form::Lines, |key| key.form),
        }
    }
}

/// Whether only the last assignment of a form counts.
const fn is_last_wins(form: Form) -> bool {
    matches!(form, Form::Single | Form::SingleOrEmpty | Form::Switch | Form::Command)
}

/// A unit on its way from assignments.
#[derive(Default)]
struct Reader {
    spec: ContainerSpec,
    service_name: Option<String>,
    reload: Option<Reload>,
    podman_args: Vec<(Position, String)>,
    wrong: Vec<Diagnostic>,
}

impl Reader {
    /// The assignments that count, with the meaning of their keys: not those before an empty one, nor those that a later
    /// one replaces.
    fn counting<'a>(&mut self, entries: &[&'a Entry]) -> Vec<(&'a Entry, Meaning)> {
        let mut counting: Vec<(&Entry, Meaning)> = Vec::new();
        for entry in entries {
            let Some(meaning) = Meaning::of(&entry.key) else {
                self.unknown(entry);
                continue;
            };
            let form = meaning.form();
            let clears = entry.value.text.is_empty() && form != Form::SingleOrEmpty;
            if clears || is_last_wins(form) {
                counting.retain(|(before, _)| before.key != entry.key);
            }
            if !clears {
                counting.push((entry, meaning));
            }
        }
        counting
    }

    fn unknown(&mut self, entry: &Entry) {
        let working = table().filter_map(|row| row.key()).map(|key| key.name);
        let refused = UNSUPPORTED.iter().filter_map(|row| row.key.as_ref()).map(|key| key.name);
        let near = suggest(&entry.key, working.chain(UNIT_KEYS.iter().map(|key| key.name)).chain(refused));
        let what = format!("unknown key {:?} in [{SECTION}]", entry.key);
        let hint = near.map(|near| format!("did you mean {near}?"));
        self.wrong.push(Diagnostic::new(entry.at, what).with_hint(hint));
    }

    fn set(&mut self, entry: &Entry, meaning: Meaning) {
        if let Meaning::Unsupported(row) = meaning {
            let what = format!("{}= cannot be used: {}", entry.key, row.reason);
            self.wrong.push(Diagnostic::new(entry.at, what).with_hint(Some(row.hint.to_owned())));
            return;
        }
        let items = match decode(meaning.form(), &entry.value) {
            Ok(items) => items,
            Err((offset, why)) => return self.refuse(entry, offset, &why),
        };
        match meaning {
            Meaning::Row(row, key) => {
                for (offset, item) in items {
                    let set = match key.form {
                        Form::Command => (row.set)(&mut self.spec, &item),
                        _ => row.set_from_key(&mut self.spec, &item),
                    };
                    if let Err(error) = set {
                        self.refuse(entry, offset, &error.0);
                    }
                }
            }
            Meaning::Unit(key) => self.set_unit(entry, key, items),
            Meaning::Unsupported(_) => {}
        }
    }

    fn refuse(&mut self, entry: &Entry, offset: usize, why: &str) {
        self.wrong.push(Diagnostic::new(entry.value.position(offset), format!("{}: {why}", entry.key)));
    }

    /// Sets a key of the service.
    fn set_unit(&mut self, entry: &Entry, key: Key, items: Vec<(usize, String)>) {
        let first = items.first().map(|(_, item)| item.clone()).unwrap_or_default();
        match key.name {
            "PodmanArgs" => {
                let placed = items.into_iter().map(|(offset, item)| (entry.value.position(offset), item));
                self.podman_args.extend(placed);
            }
            "ServiceName" => {
                let letter = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@%".contains(&b);
                if first.is_empty() || first.len() > 247 || !first.bytes().all(letter) {
                    return self.refuse(
                        entry,
                        0,
                        &format!("invalid service name {first:?}: expected letters, digits and :-_.\\@"),
                    );
                }
                self.service_name = Some(first);
            }
            _ => {
                let reload = match key.name {
                    "ReloadCmd" => Ok(Reload::Command(items.into_iter().map(|(_, item)| item).collect())),
                    _ => Signal::parse(&first).map(Reload::Signal),
                };
                match reload {
                    Err(error) => self.refuse(entry, 0, &error.0),
                    Ok(_) if self.reload.is_some() => {
                        let what = "ReloadCmd= and ReloadSignal= exclude each other";
                        self.wrong.push(Diagnostic::new(entry.at, what));
                    }
                    Ok(reload) => self.reload = Some(reload),
                }
            }
        }
    }

    /// What the keys must say together.
    fn check_keys(&mut self, file: &File, entries: &[&Entry]) {
        // What a key says wrong is told where it stands; that it says nothing is as if it were not there.
        let says = |entry: &&Entry| matches!(entry.key.as_str(), "Image" | "Rootfs") && !entry.value.text.is_empty();
        if self.spec.root == Root::default() && !entries.iter().any(says) {
            let at = file.sections.iter().find(|section| section.name == SECTION).map(|section| section.at);
            let (at, what) = match at {
                Some(at) => (at, format!("neither Image= nor Rootfs= in [{SECTION}]")),
                None => (Position { line: 1, column: 1 }, format!("no [{SECTION}] section")),
            };
            self.wrong.push(Diagnostic::new(at, what));
        }
        if self.spec.process.user.as_ref().is_some_and(|user| user.starts_with(':')) {
            let group = entries.iter().rfind(|entry| entry.key == "Group");
            self.wrong.extend(group.map(|entry| Diagnostic::new(entry.at, "Group= needs User=")));
        }
    }

    /// Sets the flags of `PodmanArgs=`.
    fn set_podman_args(&mut self) {
        let Some((at, _)) = self.podman_args.first() else {
            return;
        };
        let at = *at;
        let words: Vec<String> = self.podman_args.iter().map(|(_, word)| word.clone()).collect();
        let further: Vec<&Flag> = COMMAND_FLAGS.iter().collect();
        match apply(&mut self.spec, Verb::Run, &further, &words, Order::Interspersed) {
            Err(error) => {
                let hint = error.hint();
                self.wrong.push(Diagnostic::new(at, format!("PodmanArgs: {error}")).with_hint(hint));
            }
            Ok(left) => {
                if let Some((index, _)) = left.given.first() {
                    let what = format!("PodmanArgs: --{} has no meaning in a service", further[*index].long);
                    self.wrong.push(Diagnostic::new(at, what));
                }
                if let Some(word) = left.positionals.first() {
                    let place = self.podman_args.iter().find(|(_, known)| known == word).map_or(at, |(at, _)| *at);
                    let what = format!("PodmanArgs: expected a flag, found {word:?}");
                    self.wrong.push(Diagnostic::new(place, what));
                }
            }
        }
    }
}

/// Relative paths of the host are meant from the directory of the file.
fn resolve_paths(spec: &mut ContainerSpec, directory: &Path) {
    for mount in &mut spec.mounts.list {
        if let MountSource::Bind(source) = &mut mount.source {
            resolve(source, directory);
        }
    }
    spec.process.env_files.iter_mut().for_each(|file| resolve(file, directory));
    if let Some(Seccomp::File(file)) = &mut spec.security.seccomp {
        resolve(file, directory);
    }
}

/// A path that begins with a specifier is not known to be relative; `%%` is a per cent sign.
fn resolve(path: &mut String, directory: &Path) {
    let specifier = path.starts_with('%') && !path.starts_with("%%");
    if path.starts_with('/') || specifier {
        return;
    }
    let mut clean = PathBuf::new();
    for part in directory.join(path.as_str()).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            // Nothing is above the root.
            Component::ParentDir if clean.has_root() => {}
            part => clean.push(part),
        }
    }
    if let Some(clean) = clean.to_str() {
        *path = clean.to_owned();
    }
}
