//! Points in time as Go prints them, and ages in podman's words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// A point in time, or never (Go's zero time). Shown in the local zone, or in UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Time {
    at: Option<Timestamp>,
    zone: Zone,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Zone {
    #[default]
    Local,
    Utc,
}

impl Time {
    /// Never: `0001-01-01T00:00:00Z`.
    pub(crate) const NEVER: Self = Self { at: None, zone: Zone::Utc };

    /// Shown in the local zone, as podman's containers and volumes.
    pub(crate) const fn local(at: Timestamp) -> Self {
        Self { at: Some(at), zone: Zone::Local }
    }

    /// Shown in UTC, as podman's images.
    pub(crate) const fn utc(at: Timestamp) -> Self {
        Self { at: Some(at), zone: Zone::Utc }
    }

    /// Go's RFC3339Nano: `2026-11-22T02:36:48.123Z`.
    pub(crate) fn rfc3339(self) -> String {
        let parts = self.parts();
        let offset = match parts.offset {
            0 => "Z".to_owned(),
            offset => signed(offset, ":"),
        };
        format!("{}T{}{offset}", parts.date, parts.clock)
    }

    /// Go's `Time.String`: `2026-11-22 02:36:48.123 +0000 UTC`.
    pub(crate) fn go(self) -> String {
        let parts = self.parts();
        format!("{} {} {} {}", parts.date, parts.clock, signed(parts.offset, ""), parts.name)
    }

    fn parts(self) -> Parts {
        let Some(at) = self.at else {
            return Parts { date: "0001-01-01".into(), clock: "00:00:00".into(), offset: 0, name: "UTC".into() };
        };
        let zone = match self.zone {
            Zone::Utc => TimeZone::UTC,
            Zone::Local => TimeZone::try_system().unwrap_or(TimeZone::UTC),
        };
        let info = zone.to_offset_info(at);
        let (offset, name) = (info.offset().seconds(), info.abbreviation().to_owned());
        let time = info.offset().to_datetime(at);
        let mut clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        if time.subsec_nanosecond() != 0 {
            clock.push_str(format!(".{:09}", time.subsec_nanosecond()).trim_end_matches('0'));
        }
        Parts { date: format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.day()), clock, offset, name }
    }
}

struct Parts {
    date: String,
    clock: String,
    /// East of Greenwich, in seconds.
    offset: i32,
    name: String,
}

fn signed(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// An RFC 3339 text in Go's own form; other text as it is.
pub(crate) fn go_form(text: &str) -> String {
    if text.starts_with("0001-01-01T00:00:00") {
        return Time::NEVER.go();
    }
    match text.parse::<Timestamp>() {
        Ok(at) if text.ends_with('Z') => Time::utc(at).go(),
        Ok(at) => Time::local(at).go(),
        Err(_) => text.to_owned(),
    }
}

/// A text in Go's own form as RFC 3339; `None` for any other text.
pub(crate) fn from_go_form(text: &str) -> Option<String> {
    let mut words = text.splitn(4, ' ');
    let (date, clock, offset) = (words.next()?, words.next()?, words.next()?);
    words.next()?;
    let (hours, minutes) = (offset.get(..3)?, offset.get(3..)?);
    let offset = if offset == "+0000" { "Z".to_owned() } else { format!("{hours}:{minutes}") };
    let rfc3339 = format!("{date}T{clock}{offset}");
    let sound = rfc3339.starts_with("0001-01-01T00:00:00") || rfc3339.parse::<Timestamp>().is_ok();
    sound.then_some(rfc3339)
}

/// An age in words: `5 minutes`, `About an hour`, `2 weeks`.
pub(crate) fn age(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 14 => format!("{} days", hours / 24),
        _ if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// The age at `now` of something of this second, in words.
pub(crate) fn since(second: i64, now: Timestamp) -> String {
    age(now.as_second().saturating_sub(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_as_go_prints_them() {
        let time = Time::utc(at("2026-11-22T02:36:48.123Z"));
        assert_eq!(time.go(), "2026-11-22 02:36:48.123 +0000 UTC");
        assert_eq!(time.rfc3339(), "2026-11-22T02:36:48.123Z");
        assert_eq!(Time::utc(at("2026-11-22T02:36:48Z")).go(), "2026-11-22 02:36:48 +0000 UTC");
        assert_eq!(Time::NEVER.go(), "0001-01-01 00:00:00 +0000 UTC");
        assert_eq!(Time::NEVER.rfc3339(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn both_forms_lead_to_each_other() {
        for text in ["2026-11-22T02:36:48.000000001Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(from_go_form(&go_form(text)).as_deref(), Some(text));
        }
        for text in ["", "a b c d", "1.2.3", "2026-11-22 02:36:48 +0000", "2026-13-22 02:36:48 +0000 UTC"] {
            assert_eq!(from_go_form(text), None, "{text}");
        }
        assert_eq!(go_form("running"), "running");
    }

    #[test]
    fn ages_in_podmans_words() {
        const HOUR: i64 = 3600;
        for (seconds, words) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (59 * 60 + 59, "59 minutes"),
            (HOUR, "About an hour"),
            (HOUR + 1800, "2 hours"),
            (47 * HOUR, "47 hours"),
            (48 * HOUR, "2 days"),
            (13 * 24 * HOUR, "13 days"),
            (14 * 24 * HOUR, "2 weeks"),
            (59 * 24 * HOUR, "8 weeks"),
            (60 * 24 * HOUR, "2 months"),
            (729 * 24 * HOUR, "24 months"),
            (730 * 24 * HOUR, "2 years"),
        ] {
            assert_eq!(age(seconds), words, "{seconds}");
        }
    }
}
