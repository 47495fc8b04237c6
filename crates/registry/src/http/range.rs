//! `Content-Range: bytes FIRST-LAST/TOTAL` (RFC 9110 section 14.4).

/// What part of a blob an answer says it is; positions in bytes, `last` included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) total: Option<u64>,
}

impl ContentRange {
    /// `None` for anything that is not a sound byte range.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let (first, last) = range.trim().split_once('-')?;
        let total = match total.trim() {
            "*" => None,
            total => Some(number(total)?),
        };
        let found = Self { first: number(first)?, last: number(last)?, total };
        (found.first <= found.last && total.is_none_or(|total| found.last < total)).then_some(found)
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_ranges_are_believed() {
        let found = |first, last, total| Some(ContentRange { first, last, total });
        assert_eq!(ContentRange::parse("bytes 5-9/10"), found(5, 9, Some(10)));
        assert_eq!(ContentRange::parse("bytes 0-0/*"), found(0, 0, None));
        for text in [
            "",
            "bytes",
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes +5-9/10",
            "items 5-9/10",
            "bytes -9/10",
            "bytes 5-9",
            "bytes 5-99999999999999999999/*",
            "bytes 1-2,4-5/10",
        ] {
            assert_eq!(ContentRange::parse(text), None, "{text}");
        }
    }
}
