//! Extended headers: records of the form `<length> <key>=<value>\n`.

use super::header::{Why, decimal};
use super::sparse::{self, Segment};
use super::{Entry, Time};

/// What extended headers say beyond an `Entry`'s own fields.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    uid: Option<i64>,
    gid: Option<i64>,
    mtime: Option<Time>,
    /// Bytes in the archive.
    pub(super) size: Option<u64>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: SparseRecords,
}

/// The `GNU.sparse.*` records.
#[derive(Debug, Default)]
pub(super) struct SparseRecords {
    major: Option<u64>,
    minor: Option<u64>,
    /// Format 0.0: alternating `offset` and `numbytes`.
    pairs: Vec<u64>,
    /// Format 0.1: the same, in one record.
    map: Option<Vec<u64>>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

/// Where the map of a sparse file is.
#[derive(Debug)]
pub(super) enum SparseMap {
    /// In the records.
    Here(Vec<Segment>),
    /// Before the content.
    BeforeContent,
}

impl Overrides {
    /// Reads all records. Later ones win; an empty value leaves the header's own, as POSIX asks.
    pub(super) fn parse(mut rest: &[u8]) -> Result<Self, Why> {
        let mut overrides = Self::default();
        while !rest.is_empty() {
            let (key, value, after) = record(rest)?;
            overrides.take(key, value)?;
            rest = after;
        }
        Ok(overrides)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Why> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.").or_else(|| key.strip_prefix(b"LIBARCHIVE.xattr.")) {
            return self.take_xattr(key, name, value);
        }
        if value.is_empty() {
            return Ok(());
        }
        let text = || if value.contains(&0) { Err("a PAX name holds NUL") } else { Ok(Some(value.to_vec())) };
        let count = || decimal(value).ok_or("a PAX number is no number");
        match key {
            b"path" => self.path = text()?,
            b"linkpath" => self.link = text()?,
            b"uid" => self.uid = Some(id(value)?),
            b"gid" => self.gid = Some(id(value)?),
            b"size" => self.size = Some(count()?),
            b"mtime" => self.mtime = Some(time(value).ok_or("a PAX time is no number")?),
            b"GNU.sparse.major" => self.sparse.major = Some(count()?),
            b"GNU.sparse.minor" => self.sparse.minor = Some(count()?),
            b"GNU.sparse.name" => self.sparse.name = text()?,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.size = Some(count()?),
            b"GNU.sparse.map" => self.sparse.map = Some(numbers(value)?),
            b"GNU.sparse.offset" if self.sparse.pairs.len() % 2 == 0 => self.sparse.pairs.push(count()?),
            b"GNU.sparse.numbytes" if self.sparse.pairs.len() % 2 == 1 => self.sparse.pairs.push(count()?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => return Err("a sparse map out of order"),
            _ => {}
        }
        Ok(())
    }

    /// libarchive writes names percent-encoded and values in base64, but beside SCHILY's form, which wins.
    fn take_xattr(&mut self, key: &[u8], name: &[u8], value: &[u8]) -> Result<(), Why> {
        if name.is_empty() || name.contains(&0) {
            return Err("an extended attribute without a name");
        }
        let (name, value) = match key.starts_with(b"LIBARCHIVE.") {
            false => (name.to_vec(), value.to_vec()),
            true => {
                let name = percent_decode(name);
                if name.is_empty() || name.contains(&0) || self.xattrs.iter().any(|(known, _)| *known == name) {
                    return Ok(());
                }
                (name, base64_decode(value).ok_or("an extended attribute that is not base64")?)
            }
        };
        match self.xattrs.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.xattrs.push((name, value)),
        }
        Ok(())
    }

    /// Puts what was said into an entry that holds the header's own fields.
    pub(super) fn apply(&mut self, entry: &mut Entry) -> Result<(), Why> {
        if let Some(path) = self.path.take() {
            entry.path = path;
        }
        if let Some(link) = self.link.take() {
            entry.link = link;
        }
        let number = |id: i64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or("an owner out of range");
        if let Some(uid) = self.uid {
            entry.uid = number(uid)?;
        }
        if let Some(gid) = self.gid {
            entry.gid = number(gid)?;
        }
        if let Some(mtime) = self.mtime {
            entry.mtime = mtime;
        }
        entry.xattrs = std::mem::take(&mut self.xattrs);
        Ok(())
    }
}

impl SparseRecords {
    /// Whether, and how, the file is sparse.
    pub(super) fn map(&self) -> Result<Option<SparseMap>, Why> {
        let map = match (self.major, self.minor) {
            (Some(1), Some(0)) => return Ok(Some(SparseMap::BeforeContent)),
            (Some(0), Some(0 | 1)) | (None, None) => {
                self.map.as_ref().or(if self.pairs.is_empty() { None } else { Some(&self.pairs) })
            }
            // An unknown version is an ordinary file, as Go has it.
            _ => None,
        };
        map.map(|numbers| sparse::pairs(numbers).map(SparseMap::Here)).transpose()
    }
}

/// Splits the first record off.
fn record(bytes: &[u8]) -> Result<(&[u8], &[u8], &[u8]), Why> {
    let bad = "a PAX record of the wrong form";
    let space = bytes.iter().take(21).position(|byte| *byte == b' ').ok_or(bad)?;
    let length = decimal(&bytes[..space]).and_then(|length| usize::try_from(length).ok()).ok_or(bad)?;
    if length > bytes.len() || length < space + 3 {
        return Err(bad);
    }
    let (record, rest) = bytes.split_at(length);
    let body = record[space + 1..].strip_suffix(b"\n").ok_or(bad)?;
    let equals = body.iter().position(|byte| *byte == b'=').ok_or(bad)?;
    if equals == 0 {
        return Err(bad);
    }
    Ok((&body[..equals], &body[equals + 1..], rest))
}

fn id(text: &[u8]) -> Result<i64, Why> {
    decimal(text).and_then(|id| i64::try_from(id).ok()).ok_or("a PAX number is no number")
}

fn numbers(text: &[u8]) -> Result<Vec<u64>, Why> {
    text.split(|byte| *byte == b',').map(|number| decimal(number).ok_or("a sparse map that is no numbers")).collect()
}

/// `[-]seconds[.fraction]`
fn time(text: &[u8]) -> Option<Time> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    let seconds = i64::try_from(decimal(whole)?).ok()?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanoseconds = (0..9).fold(0, |sum, at| sum * 10 + u32::from(fraction.get(at).map_or(0, |digit| digit - b'0')));
    Some(match (negative, nanoseconds) {
        (false, _) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds: 0 },
        // The fraction always counts forward.
        (true, _) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                decoded.push(hex(high).unwrap_or(0) << 4 | hex(low).unwrap_or(0));
                rest = after;
            }
            _ => decoded.push(*first),
        }
    }
    decoded
}

/// Base64 with or without padding.
fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut decoded = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut bits: u32 = 0;
        for at in 0..4 {
            bits = bits << 6 | group.get(at).map_or(Some(0), |digit| base64_digit(*digit))?;
        }
        decoded.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(decoded)
}

fn base64_digit(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::testing::pax_record;

    #[test]
    fn records_are_read_to_the_byte_or_refused() {
        assert_eq!(record(b"12 path=abc\nmore").unwrap(), (&b"path"[..], &b"abc"[..], &b"more"[..]));
        assert_eq!(record(b"9 path=\n\n").unwrap().1, b"\n");
        assert_eq!(record(b"8 path=\n").unwrap().1, b"");
        for wrong in [
            &b"12 path=ab\n"[..],
            b"12path=abc\n",
            b"999999999999999999999999 path=a\n",
            b"-5 path=a\n",
            b"0 path=a\n",
            b"5 =ab\n",
            b"10 pathabc\n",
            b"\n",
            b"3 \n",
        ] {
            assert!(record(wrong).is_err(), "{:?}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn times_have_fractions_and_signs() {
        for (text, seconds, nanoseconds) in [
            ("1350244992.023960108", 1_350_244_992, 23_960_108),
            ("1.5", 1, 500_000_000),
            ("1.", 1, 0),
            ("1.0000000009", 1, 0),
            ("-1.5", -2, 500_000_000),
            ("-1", -1, 0),
            ("0", 0, 0),
        ] {
            assert_eq!(time(text.as_bytes()), Some(Time { seconds, nanoseconds }), "{text}");
        }
        for wrong in ["", ".5", "1.x", "x", "--1", "1.5.5", "99999999999999999999"] {
            assert_eq!(time(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn an_empty_value_keeps_the_headers_own() {
        let text = [pax_record("path", b""), pax_record("mtime", b"1.5"), pax_record("size", b"")].concat();
        let mut overrides = Overrides::parse(&text).unwrap();
        let mut entry = Entry { path: b"own".to_vec(), ..Entry::default() };
        overrides.apply(&mut entry).unwrap();
        assert_eq!((entry.path.as_slice(), entry.mtime.seconds, overrides.size), (&b"own"[..], 1, None));
    }

    #[test]
    fn attributes_of_libarchive_give_way_to_schilys() {
        let text = [
            pax_record("LIBARCHIVE.xattr.a%62", b"eHk="),
            pax_record("SCHILY.xattr.user.k", b"v"),
            pax_record("LIBARCHIVE.xattr.user.k", b"eHl6"),
        ];
        let overrides = Overrides::parse(&text.concat()).unwrap();
        assert_eq!(overrides.xattrs, [(b"ab".to_vec(), b"xy".to_vec()), (b"user.k".to_vec(), b"v".to_vec())]);
    }

    #[test]
    fn base64_is_strict() {
        for (text, bytes) in [("", &b""[..]), ("eA==", b"x"), ("eA", b"x"), ("eHk=", b"xy"), ("eHl6", b"xyz")] {
            assert_eq!(base64_decode(text.as_bytes()).as_deref(), Some(bytes));
        }
        assert_eq!(base64_decode(b"e"), None);
        assert_eq!(base64_decode(b"e!=="), None);
    }
}
