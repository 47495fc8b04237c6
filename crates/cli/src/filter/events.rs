//! Filters of `events`.

use super::{Sense, Term, label_matches};
use crate::error::{CliError, Result};
use engine::Engine;
use engine::events::{Event, Subject};

const KEYS: &[&str] = &["container", "event", "image", "label", "pod", "type", "volume"];

/// All conditions: values of one key are alternatives, labels excepted.
pub(crate) struct Filters(Vec<(String, Sense, Vec<String>)>);

impl Filters {
    /// Reads every `--filter`. A container that exists is known by its ID, so that its earlier names count as well.
    pub(crate) fn parse(texts: &[String], engine: &Engine) -> Result<Self> {
        let mut groups: Vec<(String, Sense, Vec<String>)> = Vec::new();
        for text in texts {
            let term = Term::parse(text, KEYS).map_err(within)?;
            let mut values = vec![term.value.to_owned()];
            if term.key == "container" {
                values.extend(engine.container(term.value).ok().map(|found| found.record.id.to_string()));
            }
            let alone = term.key == "label" || term.sense == Sense::Drop;
            match groups.iter_mut().find(|(key, sense, _)| key == term.key && *sense == term.sense && !alone) {
                Some((_, _, known)) => known.extend(values),
                None => groups.push((term.key.to_owned(), term.sense, values)),
            }
        }
        Ok(Self(groups))
    }

    /// Whether an event meets all.
    pub(crate) fn accept(&self, event: &Event) -> bool {
        self.0.iter().all(|(key, sense, values)| sense.of(values.iter().any(|value| matches(key, value, event))))
    }
}

fn within(error: CliError) -> CliError {
    match error {
        CliError::Invalid { message, hint } => {
            CliError::Invalid { message: format!("failed to parse event filters: {message}"), hint }
        }
        other => other,
    }
}

fn matches(key: &str, value: &str, event: &Event) -> bool {
    let begins = |id: &str| !value.is_empty() && id.starts_with(value);
    match key {
        "container" => event.subject == Subject::Container && (event.name == value || begins(&event.id)),
        "event" => event.act.word() == value,
        "image" if event.subject == Subject::Image => is_image(&event.name, value) || begins(&event.id),
        "image" => event.subject == Subject::Container && is_image(&event.image, value),
        "label" => label_matches(&event.labels, value),
        "type" => event.subject.word() == value,
        "volume" => event.subject == Subject::Volume && begins(&event.name),
        // No container is in a pod.
        _ => false,
    }
}

/// By full name, or by a name without registry, path or tag.
fn is_image(name: &str, wanted: &str) -> bool {
    let bare = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(bare, _)| bare);
    let ends = |name: &str| name == wanted || name.strip_suffix(wanted).is_some_and(|path| path.ends_with('/'));
    !wanted.is_empty() && (ends(name) || ends(bare))
}
