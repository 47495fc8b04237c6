//! Filters of `images`.

use super::{Sense, Term, label_matches, moment, yes_or_no};
use crate::error::Result;
use crate::view::images::created;
use engine::{Engine, ImageRecord};
use jiff::Timestamp;
use spec::Reference;

const KEYS: &[&str] = &[
    "after",
    "before",
    "containers",
    "dangling",
    "digest",
    "id",
    "intermediate",
    "label",
    "manifest",
    "readonly",
    "reference",
    "since",
    "until",
];

/// The images that meet all.
pub(crate) fn apply(texts: &[String], images: Vec<ImageRecord>, engine: &Engine) -> Result<Vec<ImageRecord>> {
    let terms = texts.iter().map(|text| Term::parse(text, KEYS)).collect::<Result<Vec<_>>>()?;
    let mut kept = Vec::new();
    for image in images {
        if accept(&terms, &image, engine)? {
            kept.push(image);
        }
    }
    Ok(kept)
}

/// What `prune` is to remove.
pub(crate) struct Pruned {
    filters: Vec<String>,
    named: bool,
}

impl Pruned {
    /// With names too if `all`.
    pub(crate) fn parse(filters: &[String], all: bool) -> Result<Self> {
        const PRUNE_KEYS: &[&str] = &["label", "until", "dangling", "id", "reference"];
        filters.iter().try_for_each(|text| Term::parse(text, PRUNE_KEYS).map(drop))?;
        Ok(Self { filters: filters.to_vec(), named: all })
    }

    /// Whether an image that no container uses is to go.
    pub(crate) fn takes(&self, image: &ImageRecord, engine: &Engine) -> engine::Result<bool> {
        if !self.named && !image.names.is_empty() {
            return Ok(false);
        }
        let terms = self.filters.iter().map(|text| Term::parse(text, KEYS)).collect::<Result<Vec<_>>>();
        terms.and_then(|terms| accept(&terms, image, engine)).map_err(|error| engine::Error::invalid(error.to_string()))
    }
}

/// References and IDs are alternatives, everything else must match.
fn accept(terms: &[Term<'_>], image: &ImageRecord, engine: &Engine) -> Result<bool> {
    for term in terms {
        let alternatives = matches!(term.key, "reference" | "id" | "digest") && term.sense == Sense::Keep;
        let mut matched = false;
        let asked = terms.iter().filter(|other| {
            std::ptr::eq(*other, term) || (alternatives && other.key == term.key && other.sense == term.sense)
        });
        for other in asked {
            matched = matched || matches(other, image, engine)?;
        }
        if !term.sense.of(matched) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn matches(term: &Term<'_>, image: &ImageRecord, engine: &Engine) -> Result<bool> {
    let (key, value) = (term.key, term.value);
    let other = || -> Result<Timestamp> { Ok(created(&engine.image(value)?)) };
    Ok(match key {
        "after" | "since" => created(image) > other()?,
        "before" => created(image) < other()?,
        "until" => created(image) < moment(key, value)?,
        "containers" => engine.image_users(image)?.is_empty() != yes_or_no(key, value)?,
        "dangling" | "intermediate" => image.names.is_empty() == yes_or_no(key, value)?,
        "digest" => image.manifests.iter().any(|digest| digest.to_string() == value),
        "id" => image.id.hex().starts_with(value.strip_prefix("sha256:").unwrap_or(value)),
        "label" => label_matches(&engine.image_config(image)?.config.labels, value),
        // An index is resolved when it is pulled, and there is one store, which can be written.
        "manifest" | "readonly" => !yes_or_no(key, value)?,
        _ => image.names.iter().any(|name| is_reference(name, value)),
    })
}

/// A name without registry or tag matches any; `*` stands for anything but a slash.
pub(crate) fn is_reference(name: &Reference, wanted: &str) -> bool {
    let (path, tag) = match wanted.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (wanted, None),
    };
    let full = name.name();
    let tag_ok = tag.is_none_or(|tag| name.tag.as_deref().is_some_and(|own| glob(own, tag)));
    let parts = path.split('/').count();
    let ends: Vec<&str> = full.rsplit('/').take(parts).collect();
    let tail = ends.into_iter().rev().collect::<Vec<_>>().join("/");
    tag_ok && (glob(&full, path) || glob(&tail, path))
}

/// `*` is any run of characters without a slash.
fn glob(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let reach = rest.find('/').unwrap_or(rest.len());
            (0..=reach).filter(|end| rest.is_char_boundary(*end)).any(|end| glob(&rest[end..], after))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_may_leave_out_what_it_does_not_care_for() {
        let name = Reference::parse("docker.io/library/alpine:3.20").unwrap();
        for wanted in [
            "alpine",
            "alpine:3.20",
            "library/alpine",
            "docker.io/library/alpine",
            "*/library/alp*",
            "alpine:3.*",
            "alp*",
        ] {
            assert!(is_reference(&name, wanted), "{wanted}");
        }
        for wanted in ["alpin", "alpine:3.2", "debian", "x/alpine", "alpine:*1", "pine"] {
            assert!(!is_reference(&name, wanted), "{wanted}");
        }
    }
}
