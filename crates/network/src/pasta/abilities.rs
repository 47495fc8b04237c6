//! What the installed pasta can do, without running it: its option names and messages are read from the file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// No pasta is larger; what is, is not one.
const MOST_BYTES: u64 = 16 << 20;

/// What differs between versions that matters here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// `--map-guest-addr` (from August 2024): an address in the container that means the host.
    pub guest_address: bool,
    /// A port can be forwarded from more than one address (from 2024).
    pub several_addresses: bool,
}

impl Abilities {
    /// Those of the program at `program`, remembered in the file `cache`, which is written when it is missing or about
    /// another program. A program that cannot be read has none; a cache that cannot be written is no error.
    pub fn of(program: &Path, cache: &Path) -> Self {
        let Some(identity) = identity(program) else { return Self::default() };
        let remembered = std::fs::read_to_string(cache).ok().and_then(|text| Self::parse(&text, &identity));
        remembered.unwrap_or_else(|| {
            let found = Self::read(program);
            let _ = std::fs::write(cache, found.text(&identity));
            found
        })
    }

    /// Those of the program at `program`.
    pub fn read(program: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = File::open(program).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
        if read.is_err() {
            return Self::default();
        }
        Self {
            guest_address: contains(&bytes, b"map-guest-addr"),
            // The message with which older versions refuse it.
            several_addresses: !contains(&bytes, b"Overlapping port specifier"),
        }
    }

    fn text(self, identity: &str) -> String {
        format!("{identity} {} {}\n", u8::from(self.guest_address), u8::from(self.several_addresses))
    }

    fn parse(text: &str, identity: &str) -> Option<Self> {
        let mut words = text.strip_prefix(identity)?.split_ascii_whitespace().map(|word| match word {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        });
        let found = Self { guest_address: words.next()??, several_addresses: words.next()?? };
        words.next().is_none().then_some(found)
    }
}

/// What changes when the program is replaced.
fn identity(program: &Path) -> Option<String> {
    let file = std::fs::metadata(program).ok()?;
    Some(format!("{}.{}.{}.{}.{}", file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abilities_are_read_once_and_again_when_the_program_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (program, cache) = (directory.path().join("pasta"), directory.path().join("cache"));
        std::fs::write(&program, b"\x7fELF..map-map-guest-addr\0..").unwrap();
        let new = Abilities { guest_address: true, several_addresses: true };
        assert_eq!(Abilities::of(&program, &cache), new);
        let remembered = std::fs::read_to_string(&cache).unwrap();
        // What is remembered is believed.
        std::fs::write(&cache, remembered.replace(" 1 1", " 0 1")).unwrap();
        assert_eq!(Abilities::of(&program, &cache), Abilities { guest_address: false, several_addresses: true });
        std::fs::write(&program, b"\x7fELF..Overlapping port specifier %s\0").unwrap();
        assert_eq!(Abilities::of(&program, &cache), Abilities::default());
        std::fs::write(&cache, "nonsense").unwrap();
        assert_eq!(Abilities::of(&program, &cache), Abilities::default());
        assert_eq!(Abilities::of(&directory.path().join("none"), &cache), Abilities::default());
    }
}
