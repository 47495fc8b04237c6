//! What `events` shows of each. Field names are podman's.

use crate::format::time::Time;
use crate::format::{Show, View, Width};
use engine::events::Event;
use gotmpl::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// One event.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Row {
    #[serde(rename = "ContainerExitCode", skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(rename = "Image", skip_serializing_if = "String::is_empty")]
    image: String,
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(rename = "Status")]
    act: &'static str,
    time: i64,
    #[serde(rename = "timeNano")]
    nanoseconds: i64,
    #[serde(rename = "Type")]
    subject: &'static str,
    #[serde(rename = "health_status", skip_serializing_if = "String::is_empty")]
    health: String,
    #[serde(rename = "error", skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
}

impl Row {
    /// As podman shows it.
    pub(crate) fn of(event: &Event, show: Show) -> Self {
        Self {
            exit_code: event.exit_code,
            id: show.id(&event.id).to_owned(),
            image: event.image.clone(),
            name: event.name.clone(),
            act: event.act.word(),
            time: event.time.as_second(),
            nanoseconds: i64::try_from(event.time.as_nanosecond()).unwrap_or(i64::MAX),
            subject: event.subject.word(),
            health: event.health.as_ref().map(|health| health.status.clone()).unwrap_or_default(),
            error: event.error.clone(),
            attributes: Some(event.labels.clone()).filter(|labels| !labels.is_empty()),
        }
    }
}

impl View for Row {
    const NULLS: &'static [(&'static str, crate::format::Empty)] = &[("Attributes", crate::format::Empty::Map)];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.into());
        vec![
            ("ContainerExitCode", self.exit_code.map_or_else(|| text(""), |code| Value::Int(code.into()))),
            ("Error", text(&self.error)),
            ("HealthStatus", text(&self.health)),
            ("ID", text(&self.id)),
            ("Image", text(&self.image)),
            ("Name", text(&self.name)),
            ("Network", text("")),
            ("PodID", text("")),
            ("Time", Value::Int(self.time)),
            ("TimeNano", Value::Int(self.nanoseconds)),
        ]
    }
}

/// The line without `--format`.
pub(crate) fn line(event: &Event, width: Width) -> String {
    let show = Show { width, now: event.time };
    format!("{} {}", Time::local(event.time).go(), event.sentence(show.id(&event.id)))
}
