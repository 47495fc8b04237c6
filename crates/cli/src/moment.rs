//! Points in time as flags take them: `--since 10m`, `--until 2026-11-22T02:36:48Z`, `1795341415.5`, `2026-11-22`.
//!
//! A duration counts back from now; a time without zone is local, as podman has it.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use spec::ParseError;
use spec::duration::Nanoseconds;

/// Parses a moment; a duration counts from now on, as that of podman's `logs --until` does.
pub(crate) fn parse_ahead(text: &str, now: Timestamp) -> Result<Timestamp, ParseError> {
    match Nanoseconds::parse(text).ok().and_then(|ahead| i64::try_from(ahead.0).ok()) {
        Some(ahead) => now
            .checked_add(SignedDuration::from_nanos(ahead))
            .map_err(|_| ParseError::new("time", text, "it is too far ahead")),
        None => parse(text, now),
    }
}

/// Parses a moment.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, ParseError> {
    let bad = || {
        ParseError::new(
            "time",
            text,
            "expected a duration such as 10m, seconds of Unix or a date such as 2026-11-22T02:36:48Z",
        )
    };
    if let Ok(Nanoseconds(back)) = Nanoseconds::parse(text.strip_prefix('-').unwrap_or(text)) {
        let back = i64::try_from(back).map_err(|_| bad())?;
        return now.checked_sub(SignedDuration::from_nanos(back)).map_err(|_| bad());
    }
    if let Some(seconds) = unix(text) {
        return seconds.ok_or_else(bad);
    }
    let local = |time: DateTime| {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        zone.to_ambiguous_timestamp(time).compatible().map_err(|_| bad())
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    // A lone date reads as a date and time as well.
    if let Ok(date) = text.parse::<Date>() {
        return local(date.at(0, 0, 0, 0));
    }
    text.parse::<DateTime>().map_err(|_| bad()).and_then(local)
}

/// Seconds with an optional fraction: `Some(None)` when they are out of range.
fn unix(text: &str) -> Option<Option<Timestamp>> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() < 20 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let nanos = format!("{part:0<9}").parse().ok()?;
    Some(whole.parse().ok().and_then(|seconds| Timestamp::new(seconds, nanos).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_podman_takes() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, moment) in [
            ("10m", "2026-11-22T09:50:00Z"),
            ("-1h30m", "2026-11-22T08:30:00Z"),
            ("1795341415", "2026-11-22T09:56:55Z"),
            ("1795341415.5", "2026-11-22T09:56:55.5Z"),
            ("2026-11-22T02:36:48Z", "2026-11-22T02:36:48Z"),
            ("2026-11-22T02:36:48+02:00", "2026-11-22T00:36:48Z"),
        ] {
            assert_eq!(parse(text, now).unwrap(), moment.parse().unwrap(), "{text}");
        }
        for text in ["", "soon", "99999999999999999999", "2026-13-01", "1.2.3", "9999999h"] {
            assert!(parse(text, now).is_err(), "{text}");
        }
        assert!(parse("2026-11-22", now).is_ok() && parse("2026-11-22T02:36:48", now).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-0-9.:TZhmsd+ ]{0,40}|.{0,40}") {
            let _ = parse(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
