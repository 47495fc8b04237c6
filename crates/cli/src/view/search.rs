//! Rows of `search`. Field names are podman's.

use crate::format::{Show, View, Width};
use engine::images::Hit;
use gotmpl::Value;
use serde::Serialize;

/// A description is cut to so many characters.
const DESCRIPTION: usize = 44;

/// An image that was found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Row {
    pub(crate) index: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) stars: i64,
    pub(crate) official: String,
    pub(crate) automated: String,
    pub(crate) tag: String,
    #[serde(skip)]
    pub(crate) is_official: bool,
    #[serde(skip)]
    pub(crate) is_automated: bool,
}

impl Row {
    /// A hit at a registry.
    pub(crate) fn of(registry: &str, hit: Hit) -> Self {
        let mark = |yes: bool| if yes { "[OK]".to_owned() } else { String::new() };
        let name = match (registry, hit.name.contains('/')) {
            ("docker.io", false) => format!("library/{}", hit.name),
            _ => hit.name,
        };
        Self {
            index: registry.to_owned(),
            name: format!("{registry}/{name}"),
            description: hit.description,
            stars: hit.stars,
            official: mark(hit.official),
            automated: mark(hit.automated),
            tag: String::new(),
            is_official: hit.official,
            is_automated: hit.automated,
        }
    }
}

impl View for Row {
    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let cut = match show.width {
            Width::Short if self.description.chars().count() > DESCRIPTION => {
                self.description.chars().take(DESCRIPTION).collect::<String>() + "..."
            }
            _ => self.description.clone(),
        };
        vec![("Description", Value::String(cut.as_str().into()))]
    }
}

/// A tag of a repository.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) tag: String,
}

impl Tag {
    /// From a full name with tag.
    pub(crate) fn of(full: &str) -> Self {
        let (name, tag) = full.rsplit_once(':').unwrap_or((full, ""));
        Self { name: name.to_owned(), tag: tag.to_owned() }
    }
}

impl View for Tag {}

/// The tags of a repository, as JSON has them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tags {
    name: String,
    tags: Vec<String>,
}

impl Tags {
    /// From full names with tags, all of one repository.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for Tag { name, tag } in names.map(Tag::of) {
            match found.last_mut().filter(|last| last.name == name) {
                Some(last) => last.tags.push(tag),
                None => found.push(Self { name, tags: vec![tag] }),
            }
        }
        found
    }
}
