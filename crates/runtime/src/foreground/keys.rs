//! The keys that end an attachment, found in the stream of what is typed.

use crate::error::{Error, Kind};

/// A key sequence; empty = none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys(Vec<u8>);

impl DetachKeys {
    /// No keys detach.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Comma separated: single characters or `ctrl-X` with X a letter or one of `@ [ \ ] ^ _`. Empty text turns detaching off.
    ///
    /// # Errors
    /// When a word is neither.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let key = |word: &str| match word.as_bytes() {
            [byte] => Some(*byte),
            [b'c', b't', b'r', b'l', b'-', byte @ (b'a'..=b'z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')] => {
                Some(byte & 0x1f)
            }
            _ => None,
        };
        let keys: Option<Vec<u8>> = text.split(',').map(key).collect();
        let why = "expected single characters or ctrl-X, separated by commas";
        keys.map(Self).ok_or_else(|| Error::new("read detach keys", text, Kind::Invalid(why)))
    }
}

/// Where in the sequence the typing stands.
#[derive(Debug)]
pub(super) struct Search {
    keys: Vec<u8>,
    seen: usize,
}

impl Search {
    pub(super) fn new(keys: DetachKeys) -> Self {
        Self { keys: keys.0, seen: 0 }
    }

    /// Takes what was typed and says what is to be passed on, and whether the sequence is complete. The beginning of a sequence is
    /// held back until it is clear that it is none.
    pub(super) fn feed(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len() + self.seen);
        if self.keys.is_empty() {
            passed.extend_from_slice(typed);
            return (passed, false);
        }
        for &byte in typed {
            while self.seen > 0 && self.keys[self.seen] != byte {
                self.fall_back(&mut passed);
            }
            if self.keys[self.seen] != byte {
                passed.push(byte);
                continue;
            }
            self.seen += 1;
            if self.seen == self.keys.len() {
                return (passed, true);
            }
        }
        (passed, false)
    }

    /// Gives up the shortest beginning after which what was seen may still be the start of a sequence.
    fn fall_back(&mut self, passed: &mut Vec<u8>) {
        let given_up = (1..=self.seen).find(|&skip| self.keys[skip..self.seen] == self.keys[..self.seen - skip]);
        let given_up = given_up.unwrap_or(self.seen);
        passed.extend_from_slice(&self.keys[..given_up]);
        self.seen -= given_up;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn podmans_keys_are_understood() {
        assert_eq!(DetachKeys::parse("ctrl-p,ctrl-q").unwrap().0, [0x10, 0x11]);
        assert_eq!(DetachKeys::parse("ctrl-@,x,ctrl-_").unwrap().0, [0, b'x', 0x1f]);
        assert!(DetachKeys::parse("").unwrap().0.is_empty());
        for text in ["ctrl-", "ctrl-P,", "ctrl-1", "xy", ",", "ä"] {
            assert!(DetachKeys::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_sequence_is_found_across_reads_and_the_rest_passed_on() {
        let mut search = Search::new(DetachKeys::parse("ctrl-p,ctrl-q").unwrap());
        assert_eq!(search.feed(b"a\x10"), (b"a".to_vec(), false));
        assert_eq!(search.feed(b"b\x10\x10"), (b"\x10b\x10".to_vec(), false));
        assert_eq!(search.feed(b"\x11c"), (vec![], true));
    }

    #[test]
    fn a_sequence_may_begin_inside_a_false_start() {
        let mut search = Search::new(DetachKeys::parse("a,a,b").unwrap());
        assert_eq!(search.feed(b"aaab"), (b"a".to_vec(), true));
    }

    proptest! {
        /// What is passed on and the keys together are what was typed.
        #[test]
        fn nothing_is_lost(keys in "[ab]{1,4}", typed in "[abc]{0,40}", cut in 0..40usize) {
            let keys: Vec<u8> = keys.into_bytes();
            let mut search = Search::new(DetachKeys(keys.clone()));
            let (first, rest) = typed.as_bytes().split_at(cut.min(typed.len()));
            let (mut passed, mut found) = search.feed(first);
            if !found {
                let (more, late) = search.feed(rest);
                passed.extend(more);
                found = late;
            }
            let at = typed.as_bytes().windows(keys.len()).position(|part| part == keys);
            prop_assert_eq!(found, at.is_some());
            match at {
                Some(at) => prop_assert_eq!(&passed, &typed.as_bytes()[..at]),
                None => prop_assert_eq!(passed, &typed.as_bytes()[..typed.len() - search.seen]),
            }
        }
    }
}
