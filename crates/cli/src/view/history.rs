//! A row of `history`. Field names are podman's.

use crate::format::{Show, View, Width, size, time};
use engine::images::Step;
use gotmpl::Value;
use jiff::Timestamp;
use serde::Serialize;

/// A command is cut to so many characters.
const COMMAND: usize = 45;
/// What stands for an image that the store does not have.
const MISSING: &str = "<missing>";

/// How a moment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// `2 days ago`
    Ages,
    /// RFC 3339
    Moments,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    id: String,
    created: String,
    #[serde(rename = "CreatedBy")]
    created_by: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    size: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    #[serde(rename = "Created")]
    created_too: String,
    #[serde(skip)]
    words: Words,
}

impl Row {
    /// A step as it is shown.
    pub(crate) fn of(step: Step, words: Words) -> Self {
        let (id, tags) = match &step.image {
            Some(image) => (image.id.hex(), image.names.iter().map(ToString::to_string).collect()),
            None => (MISSING.to_owned(), Vec::new()),
        };
        let created = step.history.created.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned());
        Self {
            id,
            created: created.clone(),
            created_by: step.history.created_by.unwrap_or_default(),
            tags,
            size: step.size,
            comment: step.history.comment.unwrap_or_default(),
            created_too: created,
            words,
        }
    }

    /// The ID as it is shown.
    pub(crate) fn shown_id(&self, show: Show) -> String {
        show.id(&self.id).to_owned()
    }
}

impl View for Row {
    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.into());
        let at: Option<Timestamp> = self.created.parse().ok();
        let ago = at.map_or_else(|| "N/A".to_owned(), |at| format!("{} ago", time::since(at.as_second(), show.now)));
        let created = if self.words == Words::Ages { ago.clone() } else { self.created.clone() };
        let by = match show.width {
            Width::Short if self.created_by.chars().count() > COMMAND => {
                self.created_by.chars().take(COMMAND - 3).collect::<String>() + "..."
            }
            _ => self.created_by.clone(),
        };
        vec![
            ("ID", text(&self.shown_id(show))),
            ("Created", text(&created)),
            ("CreatedSince", text(&ago)),
            ("CreatedAt", text(&self.created)),
            ("CreatedBy", text(&by)),
            ("Size", text(&size::decimal(self.size))),
            ("Comment", text(&self.comment)),
            ("Tags", Value::List(self.tags.iter().map(|tag| text(tag)).collect::<Vec<_>>().into())),
        ]
    }
}
