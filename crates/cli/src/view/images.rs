//! One image, or one name of it, as `images` lists it.

use crate::error::Result;
use crate::format::time::{self, Time};
use crate::format::{Show, View, Width, size};
use crate::selection;
use engine::{Engine, ImageRecord};
use gotmpl::Value;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use spec::oci::ImageConfig;
use std::collections::BTreeMap;

/// An image under one of its names.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Row {
    /// All 64 digits.
    pub(crate) id: String,
    /// Always empty: images do not stand on each other here.
    pub(crate) parent_id: String,
    /// Every name with its tag.
    pub(crate) repo_tags: Vec<String>,
    /// Every name with the manifest's digest.
    pub(crate) repo_digests: Vec<String>,
    /// Bytes on disk, unpacked.
    pub(crate) size: u64,
    /// Always 0, as podman's.
    pub(crate) shared_size: u64,
    /// The same as `size`.
    pub(crate) virtual_size: u64,
    /// Of the image's config.
    pub(crate) labels: BTreeMap<String, String>,
    /// How many use it.
    pub(crate) containers: u32,
    /// Always false: there is one store.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) read_only: bool,
    /// Whether it has no name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dangling: bool,
    /// `amd64`
    pub(crate) arch: String,
    /// Of the manifest.
    pub(crate) digest: String,
    /// Names it had, latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) history: Vec<String>,
    /// Always false: an index is resolved when it is pulled.
    pub(crate) is_manifest_list: bool,
    /// Every name with its tag.
    pub(crate) names: Vec<String>,
    /// `linux`
    pub(crate) os: String,
    /// Seconds of Unix.
    #[serde(serialize_with = "seconds")]
    pub(crate) created: Timestamp,
    /// The same as RFC 3339.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) created_at: Timestamp,
    /// The name this row is for: repository and tag, `<none>` where there is none.
    #[serde(skip)]
    pub(crate) name: (String, String),
}

/// When an image was built, by its own words; a word that is no time counts as the beginning of Unix.
pub(crate) fn created(image: &ImageRecord) -> Timestamp {
    image.created.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What names that are not there are called.
pub(crate) const NONE: &str = "<none>";

impl Row {
    /// The rows of an image: one for each name with a tag, or one without.
    pub(crate) fn of(image: &ImageRecord, engine: &Engine) -> Result<Vec<Self>> {
        // A damaged config hides neither its image nor any other.
        let config = engine.image_config(image).unwrap_or_else(|error| {
            selection::warn(error);
            ImageConfig::default()
        });
        let created = created(image);
        let tags: Vec<String> = image.names.iter().map(ToString::to_string).collect();
        let row = Self {
            id: image.id.hex(),
            parent_id: String::new(),
            repo_tags: tags.clone(),
            repo_digests: image.digests.iter().map(ToString::to_string).collect(),
            size: image.size,
            shared_size: 0,
            virtual_size: image.size,
            labels: config.config.labels,
            containers: u32::try_from(engine.image_users(image)?.len()).unwrap_or(u32::MAX),
            read_only: false,
            dangling: tags.is_empty(),
            arch: config.architecture,
            digest: image.manifest.to_string(),
            history: tags.clone(),
            is_manifest_list: false,
            names: tags,
            os: config.os,
            created,
            created_at: created,
            name: (NONE.to_owned(), NONE.to_owned()),
        };
        if image.names.is_empty() {
            return Ok(vec![row]);
        }
        let named = image.names.iter().map(|name| {
            let tag = name.tag.clone().unwrap_or_else(|| NONE.to_owned());
            Self { name: (name.name(), tag), ..row.clone() }
        });
        Ok(named.collect())
    }
}

fn seconds<S: Serializer>(at: &Timestamp, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.as_second())
}

fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&Time::utc(*at).rfc3339())
}

impl Row {
    /// The ID as `images` shows it.
    pub(crate) fn shown_id(&self, show: Show) -> String {
        match show.width {
            Width::Short => show.id(&self.id).to_owned(),
            Width::Full => format!("sha256:{}", self.id),
        }
    }
}

impl View for Row {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("ID", "IMAGE ID"), ("ReadOnly", "R/O")];

    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.into());
        let ago = format!("{} ago", time::since(self.created.as_second(), show.now));
        let created = Time::utc(Timestamp::from_second(self.created.as_second()).unwrap_or_default()).go();
        vec![
            ("ID", text(&self.shown_id(show))),
            ("Repository", text(&self.name.0)),
            ("Tag", text(&self.name.1)),
            ("Size", text(&size::decimal_spaced(self.size))),
            ("History", text(&self.history.join(", "))),
            ("Created", text(&ago)),
            ("CreatedSince", text(&ago)),
            ("CreatedAt", text(&created)),
            ("CreatedTime", text(&created)),
            ("IsDangling", Value::Bool(self.dangling)),
            ("Dangling", Value::Bool(self.dangling)),
            ("IsReadOnly", Value::Bool(self.read_only)),
            ("ReadOnly", Value::Bool(self.read_only)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json::{self, Style};
    use crate::format::{Heading, List, list};

    fn row(name: (&str, &str)) -> Row {
        let created: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        Row {
            id: "e3d42bcaf643097dd1bb0385658ae8cbe100a80f773555c44690d22c25d16b27".into(),
            parent_id: String::new(),
            repo_tags: vec![],
            repo_digests: vec![],
            size: 4_263_000,
            shared_size: 0,
            virtual_size: 4_263_000,
            labels: BTreeMap::new(),
            containers: 1,
            read_only: false,
            dangling: false,
            arch: "amd64".into(),
            digest: "sha256:0aec".into(),
            history: vec![],
            is_manifest_list: false,
            names: vec!["docker.io/library/alpine:latest".into()],
            os: "linux".into(),
            created,
            created_at: created,
            name: (name.0.into(), name.1.into()),
        }
    }

    fn show() -> Show {
        Show { width: Width::Short, now: "2026-11-22T10:00:00Z".parse().unwrap() }
    }

    #[test]
    fn a_table_as_podman_prints_it() {
        let rows = [row(("docker.io/library/alpine", "latest")), row(("<none>", "<none>"))];
        let format = "table {{.ID}} {{.Repository}} {{.Tag}} {{.CreatedSince}} {{.Size}}";
        let spec = List {
            name: "images",
            format: Some(format),
            row: "",
            heading: Heading::Shown,
            json: Style::IMAGES,
            show: show(),
        };
        let expected = "\
IMAGE ID      REPOSITORY                TAG         CREATED SINCE  SIZE
e3d42bcaf643  docker.io/library/alpine  latest      2 days ago     4.26 MB
e3d42bcaf643  <none>                    <none>      2 days ago     4.26 MB
";
        assert_eq!(list(&rows, &spec).unwrap(), expected);
        let full = Show { width: Width::Full, ..show() };
        let spec = List { format: Some("{{.ID}} {{.Id}} {{.CreatedAt}}"), show: full, ..spec };
        let id = "e3d42bcaf643097dd1bb0385658ae8cbe100a80f773555c44690d22c25d16b27";
        assert_eq!(list(&rows[..1], &spec).unwrap(), format!("sha256:{id} {id} 2026-11-20 10:00:00 +0000 UTC\n"));
    }

    #[test]
    fn json_has_podmans_fields() {
        let text = json::text(&[row(("docker.io/library/alpine", "latest"))], Style::IMAGES).unwrap();
        let tail = "        \"Names\": [\n            \"docker.io/library/alpine:latest\"\n        ],\n        \"Os\": \"linux\",\n        \"Created\": 1795168800,\n        \"CreatedAt\": \"2026-11-20T10:00:00Z\"\n    }\n]\n";
        assert!(text.ends_with(tail), "{text}");
        assert!(text.starts_with("[\n    {\n        \"Id\": \"e3d42b"), "{text}");
    }
}
