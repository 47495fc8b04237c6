//! Filters of `ps`, and of whatever acts on containers.

use super::{Sense, Term, label_matches, moment, pattern, yes_or_no};
use crate::error::Result;
use engine::Engine;
use engine::containers::{Container, Status};
use jiff::Timestamp;
use regex_lite::Regex;
use spec::lifecycle::Restart;
use spec::mount::MountSource;
use spec::network::Mode;

const KEYS: &[&str] = &[
    "ancestor",
    "annotation",
    "before",
    "command",
    "exited",
    "health",
    "id",
    "label",
    "name",
    "network",
    "pod",
    "restart-policy",
    "should-start-on-boot",
    "since",
    "status",
    "until",
    "volume",
];
const STATES: &[&str] =
    &["created", "initialized", "running", "stopped", "exited", "paused", "removing", "stopping", "unknown"];

/// One condition.
enum Test {
    Ancestor(String),
    Annotation(String),
    Before(Timestamp),
    Command(String),
    Exited(i32),
    Health(String),
    Id(String),
    Label(String),
    Name(Regex),
    Network(String),
    /// No container is in a pod.
    Pod,
    RestartPolicy(String),
    StartOnBoot(bool),
    Since(Timestamp),
    Status(String),
    Volume(String),
}

/// All conditions.
pub(crate) struct Filters {
    /// Conditions of one key are alternatives, labels and annotations excepted.
    groups: Vec<(&'static str, Sense, Vec<Test>)>,
}

impl Filters {
    /// Reads every `--filter`; containers that it names must exist.
    pub(crate) fn parse(texts: &[String], engine: &Engine) -> Result<Self> {
        Self::parse_some(texts, engine, KEYS)
    }

    /// The same, for a command that knows only these keys.
    pub(crate) fn parse_some(texts: &[String], engine: &Engine, known: &[&'static str]) -> Result<Self> {
        let mut filters = Self { groups: Vec::new() };
        for text in texts {
            let term = Term::parse(text, known)?;
            let key = KEYS.iter().find(|key| **key == term.key).copied().unwrap_or_default();
            let test = test(key, term.value, engine)?;
            let alone = matches!(key, "label" | "annotation") || term.sense == Sense::Drop;
            match filters.groups.iter_mut().find(|(known, sense, _)| *known == key && *sense == term.sense && !alone) {
                Some((_, _, tests)) => tests.push(test),
                None => filters.groups.push((key, term.sense, vec![test])),
            }
        }
        Ok(filters)
    }

    /// Whether nothing was asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the states that a list leaves out by itself were asked for.
    pub(crate) fn asks_for_state(&self) -> bool {
        self.groups.iter().any(|(key, _, _)| matches!(*key, "status" | "exited"))
    }

    /// Whether a container meets all.
    pub(crate) fn accept(&self, container: &Container, engine: &Engine) -> Result<bool> {
        for (_, sense, tests) in &self.groups {
            let mut matched = false;
            for test in tests {
                matched = matched || test.matches(container, engine)?;
            }
            if !sense.of(matched) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn test(key: &str, value: &str, engine: &Engine) -> Result<Test> {
    let created = || -> Result<Timestamp> { Ok(engine.container(value)?.record.created) };
    let invalid = |expected: &str| super::invalid(format!("invalid filter {key}={value:?}: expected {expected}"));
    Ok(match key {
        "ancestor" => Test::Ancestor(value.to_owned()),
        "annotation" => Test::Annotation(value.to_owned()),
        "before" => Test::Before(created()?),
        "until" => Test::Before(moment(key, value)?),
        "since" => Test::Since(created()?),
        "command" => Test::Command(value.to_owned()),
        "exited" => Test::Exited(value.parse().map_err(|_| invalid("an exit code"))?),
        "health" if !["starting", "healthy", "unhealthy", "none"].contains(&value) => {
            return Err(invalid("starting, healthy, unhealthy or none"));
        }
        "health" => Test::Health(value.to_owned()),
        "id" => Test::Id(value.to_ascii_lowercase()),
        "label" => Test::Label(value.to_owned()),
        "name" => Test::Name(pattern(key, value.strip_prefix('/').unwrap_or(value))?),
        "network" => Test::Network(value.to_owned()),
        "pod" => Test::Pod,
        "restart-policy" => Test::RestartPolicy(value.to_owned()),
        "should-start-on-boot" => Test::StartOnBoot(yes_or_no(key, value)?),
        "status" if !STATES.contains(&value) => return Err(invalid(&format!("one of {}", STATES.join(", ")))),
        // podman's two words for one thing.
        "status" => Test::Status(if value == "stopped" { "exited" } else { value }.to_owned()),
        _ => Test::Volume(value.to_owned()),
    })
}

impl Test {
    fn matches(&self, container: &Container, engine: &Engine) -> Result<bool> {
        let record = &container.record;
        let spec = &record.spec;
        Ok(match self {
            Self::Ancestor(image) => is_ancestor(container, image),
            Self::Annotation(wanted) => label_matches(&spec.identity.annotations, wanted),
            Self::Before(moment) => record.created < *moment,
            Self::Since(moment) => record.created > *moment,
            Self::Command(word) => command(container, engine)?.first() == Some(word),
            Self::Exited(code) => {
                container.status() == Status::Exited
                    && container.exit.as_ref().is_some_and(|exit| exit.exit_code == *code)
            }
            Self::Health(state) => {
                engine.health(container)?.map_or("none", |health| health.status.word()) == state.as_str()
            }
            Self::Id(begun) => record.id.as_str().starts_with(begun.as_str()),
            Self::Label(wanted) => {
                label_matches(&spec.identity.labels, wanted) || label_matches(&labels(container, engine)?, wanted)
            }
            Self::Name(pattern) => pattern.is_match(&record.name),
            Self::Network(wanted) => {
                let mode = spec.network.mode.clone().unwrap_or(Mode::Private);
                mode.words().iter().any(|word| word == wanted || word.split(':').next() == Some(wanted))
            }
            Self::Pod => false,
            Self::RestartPolicy(wanted) => {
                let policy = spec.lifecycle.restart.unwrap_or(Restart::No).to_string();
                policy == *wanted || policy.split(':').next() == Some(wanted)
            }
            Self::StartOnBoot(wanted) => engine.starts_after_boot(container) == *wanted,
            Self::Status(wanted) => container.status().word() == wanted,
            Self::Volume(wanted) => spec.mounts.list.iter().any(|mount| {
                let source = match &mount.source {
                    MountSource::Volume(name) | MountSource::Bind(name) => Some(name),
                    _ => None,
                };
                mount.target == *wanted || source == Some(wanted)
            }),
        })
    }
}

/// By ID, by full name, or by a name without registry, path or tag.
fn is_ancestor(container: &Container, wanted: &str) -> bool {
    let Some(image) = &container.record.image else { return false };
    let name = image.name.as_str();
    let bare = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(bare, _)| bare);
    let ends = |name: &str| name == wanted || name.strip_suffix(wanted).is_some_and(|path| path.ends_with('/'));
    let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    ends(name) || ends(bare) || (hex.len() >= 12 && image.id.hex().starts_with(hex))
}

/// Labels of the image, overridden by the container's own.
pub(crate) fn labels(container: &Container, engine: &Engine) -> Result<std::collections::BTreeMap<String, String>> {
    let mut labels = engine.image_defaults(&container.record)?.labels;
    labels.extend(container.record.spec.identity.labels.clone());
    Ok(labels)
}

/// The words that run.
pub(crate) fn command(container: &Container, engine: &Engine) -> Result<Vec<String>> {
    let image = engine.image_defaults(&container.record)?;
    Ok(words(&container.record.spec, &image))
}

/// The words that run: entry point and arguments. An entry point of the user's own drops the image's arguments.
pub(crate) fn words(spec: &spec::ContainerSpec, image: &spec::oci::ContainerDefaults) -> Vec<String> {
    let entrypoint = spec.process.entrypoint.as_ref().or(image.entrypoint.as_ref());
    entrypoint.into_iter().flatten().chain(arguments(spec, image)).cloned().collect()
}

/// The words after the entry point.
pub(crate) fn arguments<'a>(spec: &'a spec::ContainerSpec, image: &'a spec::oci::ContainerDefaults) -> &'a [String] {
    match (spec.process.command.is_empty(), &spec.process.entrypoint) {
        (false, _) => spec.process.command.as_slice(),
        (true, Some(_)) => &[],
        (true, None) => image.cmd.as_deref().unwrap_or_default(),
    }
}
