//! Manifests and indexes: what bytes from a registry (or an archive) are, and which image of an index is meant. Pure.
//!
//! A document must have one meaning only: a field that belongs to another kind of document, that is there twice, or that
//! differs from a known one in case only is refused, because another program could read another image out of the same
//! digest.

use crate::Kind;
use serde::Deserialize;
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use spec::Platform;
use spec::oci::{DOCUMENT_LIMIT, Descriptor, Index, LAYER_LIMIT, Manifest, MediaType};
use std::collections::BTreeSet;
use std::fmt;

/// What can be asked for, in one `Accept` header.
pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A parsed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image; checked by [`check_image`].
    Manifest(Manifest),
    /// A choice of manifests.
    Index(Index),
}

/// Parses a manifest or index of at most [`DOCUMENT_LIMIT`] bytes. `declared` is the media type from outside: the answer's
/// `Content-Type` or the descriptor that led here; it must not contradict the document.
pub fn parse(bytes: &[u8], declared: Option<&str>) -> Result<Document, Kind> {
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        return Err(Kind::TooLarge { what: "the manifest", limit: DOCUMENT_LIMIT });
    }
    let outline: Outline = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
    match kind(&outline, declared)? {
        MediaType::Index => {
            outline.refuse_fields_of_others(&["config", "layers", "fsLayers", "history", "signatures"])?;
            Ok(Document::Index(serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?))
        }
        _ => {
            outline.refuse_fields_of_others(&["manifests", "fsLayers", "history", "signatures"])?;
            let manifest = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
            check_image(&manifest)?;
            Ok(Document::Manifest(manifest))
        }
    }
}

/// Refuses a manifest that is not an image we can unpack: artifacts, unknown layer types, too many layers.
pub fn check_image(manifest: &Manifest) -> Result<(), Kind> {
    let unsupported = |descriptor: &Descriptor, of: String| {
        Err(Kind::UnsupportedMediaType { media_type: super::http::plain_words(&descriptor.media_type), of })
    };
    if MediaType::parse(&manifest.config.media_type) != Ok(MediaType::Config) {
        return unsupported(&manifest.config, "config (this is an artifact, not a container image)".to_owned());
    }
    if manifest.config.size > DOCUMENT_LIMIT {
        return Err(Kind::TooLarge { what: "the image config", limit: DOCUMENT_LIMIT });
    }
    if manifest.layers.len() > LAYER_LIMIT {
        let reason = format!("{} layers, at most {LAYER_LIMIT} can be stacked", manifest.layers.len());
        return Err(Kind::InvalidManifest(reason));
    }
    for layer in &manifest.layers {
        if !matches!(MediaType::parse(&layer.media_type), Ok(MediaType::Layer(_))) {
            return unsupported(layer, format!("layer {}", layer.digest));
        }
    }
    let total = manifest.layers.iter().try_fold(0u64, |total, layer| total.checked_add(layer.size));
    match total {
        Some(total) if i64::try_from(total).is_ok() => Ok(()),
        _ => Err(Kind::InvalidManifest("the layers' sizes make no sense".to_owned())),
    }
}

/// The entry of an index for a platform: the best variant, the first where several are equal, else the first entry
/// without a platform.
pub fn choose<'a>(index: &'a Index, wanted: &Platform) -> Result<&'a Descriptor, Kind> {
    let is_document =
        |entry: &&Descriptor| matches!(MediaType::parse(&entry.media_type), Ok(MediaType::Manifest | MediaType::Index));
    let platform = |entry: &Descriptor| entry.platform.as_ref().and_then(|platform| platform.platform());
    let variants = variants(wanted);
    let rank = |entry: &Descriptor| {
        let offered = platform(entry)?;
        let same = offered.os == wanted.os && offered.architecture == wanted.architecture;
        variants.iter().position(|variant| same && *variant == offered.variant.as_deref())
    };
    let entries = || index.manifests.iter().filter(is_document);
    let best = entries().filter_map(|entry| Some((rank(entry)?, entry))).min_by_key(|(rank, _)| *rank);
    if let Some((_, entry)) = best.or_else(|| Some((0, entries().find(|entry| entry.platform.is_none())?))) {
        return Ok(entry);
    }
    let named = index.manifests.iter().filter_map(platform).map(|offered| offered.to_string());
    let offered: BTreeSet<String> = named.filter(|name| !name.starts_with("unknown/")).collect();
    Err(Kind::NoPlatform {
        wanted: Box::new(wanted.clone()),
        offered: offered.into_iter().take(OFFERED_LIMIT).collect(),
    })
}

/// The most platforms that an error names.
const OFFERED_LIMIT: usize = 32;

/// Which variants run for somebody who wants `wanted`, best first; `None` is an entry without one.
fn variants(wanted: &Platform) -> Vec<Option<&str>> {
    let ladder: &[&str] = match &wanted.architecture[..] {
        "arm" => &["v8", "v7", "v6", "v5"],
        "arm64" => &["v9", "v8"],
        "amd64" => &["v4", "v3", "v2", "v1"],
        _ => &[],
    };
    let Some(variant) = wanted.variant.as_deref() else {
        // Not said: what runs everywhere. arm has no such thing, so its usual order.
        return match &wanted.architecture[..] {
            "arm" => [None, Some("v7"), Some("v6"), Some("v5"), Some("v8")].to_vec(),
            _ => [None].into_iter().chain(ladder.last().copied().map(Some)).collect(),
        };
    };
    match ladder.iter().position(|step| *step == variant) {
        Some(at) => ladder[at..].iter().copied().map(Some).chain([None]).collect(),
        None => vec![Some(variant), None],
    }
}

fn invalid(reason: &str) -> Kind {
    Kind::InvalidManifest(super::http::plain_words(reason))
}

/// Manifest or index, by its own word, the word from outside, or its shape.
fn kind(outline: &Outline, declared: Option<&str>) -> Result<MediaType, Kind> {
    let unsupported = |media_type: &str, of: &str| {
        Err(Kind::UnsupportedMediaType { media_type: super::http::plain_words(media_type), of: of.to_owned() })
    };
    let is_schema_1 = |name: &str| name.starts_with("application/vnd.docker.distribution.manifest.v1+");
    let own = outline.media_type.as_deref().filter(|name| !name.is_empty());
    // Servers that do not know better say these.
    let vague = |name: &&str| {
        let plain = name.split(';').next().unwrap_or_default().trim();
        ["application/json", "text/plain", "application/octet-stream", ""].contains(&plain)
    };
    let declared = declared.filter(|name| !vague(name));
    if let Some(name) = own.or(declared).filter(|name| is_schema_1(name)) {
        return unsupported(name, "manifest (Docker schema 1, obsolete since 2017; push the image again)");
    }
    if outline.schema_version == Some(1) {
        return unsupported("schemaVersion 1", "manifest (Docker schema 1, obsolete since 2017; push the image again)");
    }
    let known = |name: &str| match MediaType::parse(name) {
        Ok(kind @ (MediaType::Manifest | MediaType::Index)) => Ok(kind),
        _ => unsupported(name, "manifest"),
    };
    let found = match (own.map(known).transpose()?, declared.map(known).transpose()?) {
        (Some(own), Some(declared)) if own != declared => {
            return Err(invalid("it was announced as another kind of document than it says it is"));
        }
        (Some(kind), _) | (None, Some(kind)) => kind,
        (None, None) if outline.fields.contains("manifests") => MediaType::Index,
        (None, None) => MediaType::Manifest,
    };
    match outline.schema_version {
        Some(2) => Ok(found),
        _ => Err(invalid("schemaVersion is not 2")),
    }
}

/// The top level of a document, read with more suspicion than serde's structs have.
struct Outline {
    media_type: Option<String>,
    schema_version: Option<u64>,
    fields: BTreeSet<String>,
}

/// Fields whose meaning must not depend on who reads.
const FIELDS: [&str; 9] =
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers", "history", "signatures", "subject"];

impl Outline {
    fn refuse_fields_of_others(&self, others: &[&str]) -> Result<(), Kind> {
        match others.iter().find(|other| self.fields.contains(**other)) {
            Some(field) => Err(invalid(&format!("field {field:?} belongs to another kind of document"))),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;
        impl<'de> Visitor<'de> for Top {
            type Value = Outline;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a manifest or index")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
                let mut outline = Outline { media_type: None, schema_version: None, fields: BTreeSet::new() };
                while let Some(field) = map.next_key::<String>()? {
                    if let Some(known) =
                        FIELDS.iter().find(|known| field.eq_ignore_ascii_case(known) && field != **known)
                    {
                        return Err(de::Error::custom(format!("field {field:?} could be taken for {known:?}")));
                    }
                    match &field[..] {
                        "mediaType" => outline.media_type = map.next_value()?,
                        "schemaVersion" => outline.schema_version = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                    if let Some(twice) = outline.fields.replace(field) {
                        return Err(de::Error::custom(format!("field {twice:?} is there twice")));
                    }
                }
                Ok(outline)
            }
        }
        deserializer.deserialize_map(Top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes, None);
        }

        #[test]
        fn any_fields_are_a_document_or_refused(
            fields in prop::collection::vec(("[a-zA-Z]{1,12}|config|layers|manifests|mediaType", "[0-9]|null|\\[\\]|\\{\\}|\"x\""), 0..6),
            declared in prop::option::of("[a-z/.+]{0,20}"),
        ) {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let text = format!("{{\"schemaVersion\":2,{}}}", fields.join(","));
            let _ = parse(text.as_bytes(), declared.as_deref());
        }

        #[test]
        fn the_choice_serves_what_was_asked(
            offered in prop::collection::vec("linux/(amd64|arm|arm64)(/v[5-9])?", 0..6),
            wanted in "linux/(amd64|arm|arm64)(/v[5-9])?",
        ) {
            let entry = |text: &String| {
                let platform = Platform::parse(text).unwrap();
                let spec::Platform { os, architecture, variant } = platform;
                serde_json::from_value::<Descriptor>(serde_json::json!({
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": format!("sha256:{}", "0".repeat(64)),
                    "size": 1,
                    "platform": {"os": os, "architecture": architecture, "variant": variant},
                })).unwrap()
            };
            let index = Index { schema_version: 2, media_type: None, manifests: offered.iter().map(entry).collect() };
            let wanted = Platform::parse(&wanted).unwrap();
            let exact = index.manifests.iter().find(|e| e.platform.as_ref().unwrap().platform().as_ref() == Some(&wanted));
            match choose(&index, &wanted) {
                Ok(chosen) => {
                    let platform = chosen.platform.as_ref().unwrap().platform().unwrap();
                    prop_assert_eq!(&platform.architecture, &wanted.architecture);
                    if let Some(exact) = exact {
                        prop_assert!(std::ptr::eq(chosen, exact));
                    }
                }
                Err(_) => prop_assert!(exact.is_none()),
            }
        }
    }
}
