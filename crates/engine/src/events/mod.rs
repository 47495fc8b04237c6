//! What happened, for whoever watches: one entry of the journal, or one line of a file, for each change.
//!
//! A verb says what it did ([`Engine::tell`]); nothing is written then. The words are sent while a start waits for something else,
//! or at the verb's end, one datagram for each event, and nobody waits for an answer: an event that cannot be written is lost, and
//! what it is about has happened all the same.
//!
//! ```text
//! journal   `PODMAN_EVENT=`, `PODMAN_TYPE=`, … of podman-events(1), under `SYSLOG_IDENTIFIER=lodger`
//! file      one line of JSON each, as podman's `events_logger=file` writes them
//! ```
//!
//! An entry of the journal counts when a process of this user wrote it (`_UID` is the kernel's word).

mod file;
mod journal;
mod word;

pub use crate::defaults::EventsLogger;
pub use word::{Act, Subject};

use crate::error::{Error, Result};
use crate::{Engine, error};
use jiff::Timestamp;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use store::{ContainerRecord, ImageRecord};

/// Hands the word for the backend on to the commands of a container's unit.
pub(crate) const VARIABLE: &str = "LODGER_EVENTS";
/// A file is rotated at this size, in bytes, unless containers.conf says otherwise.
const MAX_SIZE: u64 = 1_000_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// To what kind of thing.
    pub subject: Subject,
    /// What.
    pub act: Act,
    /// Full ID; empty for volumes and the system.
    pub id: String,
    /// Name; of an image, what it was called by.
    pub name: String,
    /// The image of a container.
    pub image: String,
    /// How a container or command ended.
    pub exit_code: Option<i32>,
    /// `healthy`, `unhealthy` or `starting`, for `health_status`.
    pub health: Option<Health>,
    /// Why a pull failed.
    pub error: String,
    /// Labels of a container.
    pub labels: BTreeMap<String, String>,
}

/// The result of a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `healthy`, `unhealthy` or `starting`
    pub status: String,
    /// Failures in a row.
    pub failing_streak: u32,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// From this moment on; absent = from the first, or from now on where only new ones are streamed.
    pub since: Option<Timestamp>,
    /// Up to this moment; a stream ends there.
    pub until: Option<Timestamp>,
    /// Whether to go on with what happens from now on.
    pub stream: bool,
}

/// Takes events one by one; `Break` ends the reading.
pub type Sink<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

impl Event {
    /// Nothing but a time, a subject and what happened.
    pub(crate) fn new(subject: Subject, act: Act) -> Self {
        Self {
            time: Timestamp::now(),
            subject,
            act,
            id: String::new(),
            name: String::new(),
            image: String::new(),
            exit_code: None,
            health: None,
            error: String::new(),
            labels: BTreeMap::new(),
        }
    }

    /// With a name.
    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Something that happened to an image.
    pub(crate) fn image(act: Act, image: &ImageRecord, name: impl Into<String>) -> Self {
        Self { id: image.id.hex(), ..Self::new(Subject::Image, act) }.named(name)
    }

    /// The sentence that podman shows, without the time: `container died 4f3… (image=web, name=web1, a=b)`.
    pub fn sentence(&self, id: &str) -> String {
        let (subject, act) = (self.subject.word(), self.act.word());
        match self.subject {
            Subject::Container => {
                let mut words = vec![format!("image={}", self.image), format!("name={}", self.name)];
                if let Some(health) = &self.health {
                    words.push(format!("health_status={}", health.status));
                    words.push(format!("health_failing_streak={}", health.failing_streak));
                    words.push("health_log=".to_owned());
                }
                words.extend(self.labels.iter().map(|(name, value)| format!("{name}={value}")));
                format!("{subject} {act} {id} ({})", words.join(", "))
            }
            Subject::Image | Subject::Secret => {
                let text = format!("{subject} {act} {id} {}", self.name);
                if self.error.is_empty() { text } else { format!("{text} {}", self.error) }
            }
            Subject::Volume => format!("{subject} {act} {}", self.name),
            Subject::System => format!("{subject} {act}"),
        }
    }
}

/// A line of a file and an entry of the journal, for fuzzing.
#[cfg(test)]
pub(crate) fn words(input: &[u8]) -> (Option<Event>, Option<Event>) {
    let entry = serde_json::from_slice(input).ok();
    (file::parse(input), entry.and_then(|entry| journal::parse(&entry)))
}

/// Where events of this command go.
#[derive(Debug)]
enum Target {
    Journal,
    File { path: PathBuf, most: u64 },
    Nowhere,
}

/// Events that are not written yet; they are at the latest when this goes.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    target: OnceCell<Target>,
    waiting: RefCell<Vec<Event>>,
}

impl Teller {
    /// What is noted is another process's to tell.
    pub(crate) fn forget(&self) {
        self.waiting.take();
    }

    fn send(&self) {
        let waiting = self.waiting.take();
        match self.target.get() {
            _ if waiting.is_empty() => {}
            Some(Target::Journal) => journal::send(&waiting),
            Some(Target::File { path, most }) => file::append(path, *most, &waiting),
            Some(Target::Nowhere) | None => {}
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.send();
    }
}

impl Engine {
    /// Where events go: as asked, else the journal where its owner can read it again, else a file.
    pub fn events_logger(&self) -> Result<EventsLogger> {
        let asked = self.events_backend.or_else(|| EventsLogger::parse(&std::env::var(VARIABLE).ok()?));
        Ok(match asked.or(self.defaults()?.settings().events_logger) {
            Some(logger) => logger,
            None if self.journal_is_readable() && journal::is_there() => EventsLogger::Journald,
            None => EventsLogger::File,
        })
    }

    /// What was asked of events, for the commands of a container's unit.
    pub(crate) fn events_variable(&self) -> Option<(&'static str, String)> {
        let asked = self.events_backend.or_else(|| self.defaults().ok()?.settings().events_logger);
        asked.map(|logger| (VARIABLE, logger.word().to_owned()))
    }

    /// Notes what has happened.
    pub(crate) fn tell(&self, event: Event) {
        self.events.target.get_or_init(|| self.events_target());
        self.events.waiting.borrow_mut().push(event);
    }

    fn events_target(&self) -> Target {
        match self.events_logger() {
            Ok(EventsLogger::Journald) => Target::Journal,
            Ok(EventsLogger::File) => {
                let (path, most) = self.events_file();
                Target::File { path, most }
            }
            // A mistake in a file is told by whoever needs it.
            Ok(EventsLogger::None) | Err(_) => Target::Nowhere,
        }
    }

    fn events_file(&self) -> (PathBuf, u64) {
        let settings = self.defaults().ok().map(crate::defaults::Defaults::settings);
        let path = settings.and_then(|settings| settings.events_file.as_ref().map(PathBuf::from));
        let most = settings.and_then(|settings| settings.events_file_size).unwrap_or(MAX_SIZE);
        (path.unwrap_or_else(|| self.store.events_file()), most)
    }

    /// Writes what has been noted so far.
    pub(crate) fn send_events(&self) {
        self.events.send();
    }

    /// Notes something that happened to a container.
    pub(crate) fn tell_container(&self, record: &ContainerRecord, act: Act) {
        self.tell(self.container_event(record, act));
    }

    /// Notes a start, which was at this moment.
    pub(crate) fn tell_start(&self, record: &ContainerRecord, time: Timestamp) {
        let start = Event { time, ..self.container_event(record, Act::Start) };
        self.tell(Event { act: Act::Init, ..start.clone() });
        self.tell(start);
    }

    /// Notes an end.
    pub(crate) fn tell_end(&self, record: &ContainerRecord, act: Act, code: Option<i32>) {
        self.tell(Event { exit_code: code, ..self.container_event(record, act) });
    }

    pub(crate) fn container_event(&self, record: &ContainerRecord, act: Act) -> Event {
        let mut labels = self.image_defaults(record).map(|image| image.labels).unwrap_or_default();
        labels.extend(record.spec.identity.labels.clone());
        Event {
            id: record.id.to_string(),
            image: record.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
            labels,
            ..Event::new(Subject::Container, act).named(record.name.clone())
        }
    }

    /// Notes what has happened to an image.
    pub(crate) fn tell_image(&self, act: Act, image: &ImageRecord, name: &str) {
        self.tell(Event::image(act, image, name));
    }

    /// Notes what has happened to a thing that only has a name.
    pub(crate) fn tell_named(&self, subject: Subject, act: Act, name: &str) {
        self.tell(Event::new(subject, act).named(name));
    }

    /// Hands on what has happened, and what happens from now on where that is asked for.
    ///
    /// # Errors
    /// Where nothing is kept, or it cannot be read.
    pub fn events(&self, wanted: &Wanted, sink: &mut Sink<'_>) -> Result<()> {
        match self.events_logger()? {
            EventsLogger::None => Err(Error::new(error::Kind::NoEvents)),
            EventsLogger::File => file::read(&self.events_file().0, wanted, sink),
            EventsLogger::Journald => {
                // As root some is said by processes that are in the range of its containers already.
                let range = self.host.subordinate_ids().ok().filter(|_| !self.host.rootless());
                let range = range.and_then(|(uids, _)| uids.first().map(|range| range.first));
                let users: Vec<u32> = [self.host.uid].into_iter().chain(range).collect();
                journal::read(&users, wanted, sink)
            }
        }
    }
}
