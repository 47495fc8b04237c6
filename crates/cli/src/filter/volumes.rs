//! Filters of `volume ls`.

use super::{Sense, Term, label_matches, moment, pattern, yes_or_no};
use crate::error::{CliError, Result};
use engine::Engine;
use engine::volumes::VolumeRecord;

const KEYS: &[&str] = &["after", "anonymous", "dangling", "driver", "label", "name", "opt", "scope", "since", "until"];

/// The volumes that meet all.
pub(crate) fn apply(texts: &[String], volumes: Vec<VolumeRecord>, engine: &Engine) -> Result<Vec<VolumeRecord>> {
    let terms = texts.iter().map(|text| Term::parse(text, KEYS)).collect::<Result<Vec<_>>>()?;
    let mut kept = Vec::new();
    for volume in volumes {
        if accept(&terms, &volume, engine)? {
            kept.push(volume);
        }
    }
    Ok(kept)
}

/// Names and drivers are alternatives, everything else must match.
fn accept(terms: &[Term<'_>], volume: &VolumeRecord, engine: &Engine) -> Result<bool> {
    for term in terms {
        let same = terms.iter().filter(|other| other.key == term.key && other.sense == term.sense);
        let matched = if matches!(term.key, "name" | "driver" | "scope") && term.sense == Sense::Keep {
            let mut any = false;
            for other in same {
                any = any || matches(other, volume, engine)?;
            }
            any
        } else {
            matches(term, volume, engine)?
        };
        if !term.sense.of(matched) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn matches(term: &Term<'_>, volume: &VolumeRecord, engine: &Engine) -> Result<bool> {
    let (key, value) = (term.key, term.value);
    Ok(match key {
        "anonymous" => volume.anonymous == yes_or_no(key, value)?,
        "dangling" => engine.volume_users(volume)?.is_empty() == yes_or_no(key, value)?,
        "driver" => volume.driver == value,
        "label" => label_matches(&volume.labels, value),
        "name" => pattern(key, value)?.is_match(&volume.name),
        "opt" => label_matches(&volume.options, value),
        "scope" => value == "local",
        "until" => volume.created < moment(key, value)?,
        "since" | "after" => {
            let other = engine.volume(value).map_err(CliError::from)?;
            volume.created > other.created
        }
        _ => false,
    })
}
