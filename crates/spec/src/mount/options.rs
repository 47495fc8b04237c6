//! The words that say how something is mounted: `ro`, `noexec`, `rshared`, `U`, ….
//!
//! One word sets one choice, and a choice is made once: a second word for it is an error, as in podman.

use super::{Changes, MountOptions, Propagation, Relabel};
use crate::{ParseError, word};

const PROPAGATIONS: [(&str, Propagation); 8] = [
    ("private", Propagation::Private),
    ("rprivate", Propagation::Rprivate),
    ("slave", Propagation::Slave),
    ("rslave", Propagation::Rslave),
    ("shared", Propagation::Shared),
    ("rshared", Propagation::Rshared),
    ("unbindable", Propagation::Unbindable),
    ("runbindable", Propagation::Runbindable),
];

/// Makes a choice that is still open.
pub(super) fn once<T>(choice: &mut Option<T>, value: T, text: &str) -> Result<(), ParseError> {
    match choice.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParseError::new("mount option", text, "this choice was already made")),
    }
}

impl MountOptions {
    /// Sets what one word says; `false` if it is not a word for options.
    pub(crate) fn set_word(&mut self, text: &str) -> Result<bool, ParseError> {
        match text {
            "ro" | "readonly" => once(&mut self.read_only, true, text)?,
            "rw" => once(&mut self.read_only, false, text)?,
            "noexec" => once(&mut self.no_exec, true, text)?,
            "exec" => once(&mut self.no_exec, false, text)?,
            "nosuid" => once(&mut self.no_suid, true, text)?,
            "suid" => once(&mut self.no_suid, false, text)?,
            "nodev" => once(&mut self.no_dev, true, text)?,
            "dev" => once(&mut self.no_dev, false, text)?,
            "rbind" => once(&mut self.recursive, true, text)?,
            "bind" => once(&mut self.recursive, false, text)?,
            "z" => once(&mut self.relabel, Relabel::Shared, text)?,
            "Z" => once(&mut self.relabel, Relabel::Private, text)?,
            "nocopy" => once(&mut self.copy, false, text)?,
            "copy" => once(&mut self.copy, true, text)?,
            "U" => self.chown = true,
            "O" => once(&mut self.overlay, Changes::Discarded, text)?,
            "idmap" => once(&mut self.idmap, String::new(), text)?,
            "no-dereference" => self.no_dereference = true,
            _ => match PROPAGATIONS.iter().find(|(word, _)| *word == text) {
                Some((_, propagation)) => once(&mut self.propagation, *propagation, text)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Sets what `key=value` of `--mount` says; `false` if it is not a key for options.
    pub(super) fn set_pair(&mut self, key: &str, value: &str) -> Result<bool, ParseError> {
        let yes =
            || word::choose("mount option", value, &[("true", true), ("false", false), ("1", true), ("0", false)]);
        match key {
            "ro" | "readonly" => once(&mut self.read_only, yes()?, key)?,
            "rw" | "readwrite" => once(&mut self.read_only, !yes()?, key)?,
            "U" | "chown" => self.chown = yes()?,
            "idmap" => once(&mut self.idmap, check_mapping(value)?, key)?,
            "no-dereference" => self.no_dereference = yes()?,
            "bind-nonrecursive" => once(&mut self.recursive, !yes()?, key)?,
            "bind-propagation" => {
                once(&mut self.propagation, word::choose("mount propagation", value, &PROPAGATIONS)?, key)?;
            }
            "relabel" => {
                let words = [("shared", Relabel::Shared), ("private", Relabel::Private)];
                once(&mut self.relabel, word::choose("relabel", value, &words)?, key)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The words and pairs that `set_word` and `set_pair` make these options of.
    pub(super) fn words(&self) -> Vec<String> {
        let pick = |choice: Option<bool>, yes, no| choice.map(|choice| if choice { yes } else { no });
        let propagation = self.propagation.map(|propagation| word::word_of(&propagation, &PROPAGATIONS));
        let relabel = self.relabel.map(|relabel| if relabel == Relabel::Shared { "z" } else { "Z" });
        let words = [
            pick(self.read_only, "ro", "rw"),
            pick(self.no_exec, "noexec", "exec"),
            pick(self.no_suid, "nosuid", "suid"),
            pick(self.no_dev, "nodev", "dev"),
            propagation,
            pick(self.recursive, "rbind", "bind"),
            relabel,
            pick(self.copy, "copy", "nocopy"),
            self.chown.then_some("U"),
            self.overlay.as_ref().map(|_| "O"),
            self.no_dereference.then_some("no-dereference"),
        ];
        let mut words: Vec<String> = words.into_iter().flatten().map(str::to_owned).collect();
        if let Some(Changes::Kept { upper, work }) = &self.overlay {
            words.extend([format!("upperdir={upper}"), format!("workdir={work}")]);
        }
        let mapping = self.idmap.as_ref();
        words.extend(mapping.map(|map| if map.is_empty() { "idmap".to_owned() } else { format!("idmap={map}") }));
        words.extend(self.subpath.iter().map(|path| format!("subpath={path}")));
        words
    }
}

/// `uids=0-1-10#10-11-10;gids=…`: inside, outside, count, as crun reads them.
fn check_mapping(text: &str) -> Result<String, ParseError> {
    let range = |part: &str| {
        let numbers: Vec<&str> = part.trim_start_matches('@').split('-').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
    };
    let list = |part: &str| {
        let ranges = part.strip_prefix("uids=").or_else(|| part.strip_prefix("gids="));
        ranges.is_some_and(|ranges| ranges.split('#').all(range))
    };
    match text.split(';').all(list) {
        true => Ok(text.to_owned()),
        false => Err(ParseError::new("idmap", text, "expected uids=INSIDE-OUTSIDE-COUNT[#…][;gids=…]")),
    }
}
