//! Events in the journal: written in its native protocol, read through `journalctl -o json`.
//!
//! The protocol: lines `FIELD=value`; a value with a line end as `FIELD`, line end, its length (64 bits, little endian), the value,
//! line end (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use super::{Act, Event, Health, Sink, Subject, Wanted};
use crate::error::Result;
use crate::logs::{Journal, Mode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::ops::ControlFlow;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The journal's socket for its native protocol.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Who writes these entries.
const IDENTIFIER: &str = "lodger";
/// Larger than this a datagram may be refused; labels are left out then.
const MOST: usize = 100 << 10;
/// How often a stream that has an end is looked at while nothing happens.
const LOOK: Duration = Duration::from_millis(100);

/// Whether somebody listens.
pub(super) fn is_there() -> bool {
    Path::new(SOCKET).exists()
}

/// Sends each as a datagram. Where the journal is not there or does not take it, it is lost.
pub(super) fn send(events: &[Event]) {
    let Ok(socket) = UnixDatagram::unbound() else { return };
    // A journal that hangs holds nobody up.
    let _ = socket.set_nonblocking(true);
    for event in events {
        let _ = socket.send_to(&datagram(event), SOCKET);
    }
}

fn datagram(event: &Event) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(512);
    let mut field = |name: &str, value: &str| match value {
        "" => {}
        value if value.contains('\n') => {
            datagram.extend_from_slice(name.as_bytes());
            datagram.push(b'\n');
            datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
            datagram.extend_from_slice(value.as_bytes());
            datagram.push(b'\n');
        }
        value => datagram.extend_from_slice(format!("{name}={value}\n").as_bytes()),
    };
    field("MESSAGE", &event.sentence(&event.id));
    field("PRIORITY", "6");
    field("SYSLOG_IDENTIFIER", IDENTIFIER);
    field("PODMAN_EVENT", event.act.word());
    field("PODMAN_TYPE", event.subject.word());
    field("PODMAN_TIME", &event.time.to_string());
    field("PODMAN_ID", &event.id);
    field("PODMAN_NAME", &event.name);
    field("PODMAN_IMAGE", &event.image);
    field("PODMAN_ERROR", &event.error);
    if let Some(code) = event.exit_code {
        field("PODMAN_EXIT_CODE", &code.to_string());
    }
    if let Some(health) = &event.health {
        field("PODMAN_HEALTH_STATUS", &health.status);
        field("PODMAN_HEALTH_FAILING_STREAK", &health.failing_streak.to_string());
    }
    if !event.labels.is_empty() {
        field("PODMAN_LABELS", &serde_json::to_string(&event.labels).unwrap_or_default());
    }
    if datagram.len() > MOST && !event.labels.is_empty() {
        return self::datagram(&Event { labels: Default::default(), ..event.clone() });
    }
    datagram
}

pub(super) fn read(users: &[u32], wanted: &Wanted, sink: &mut Sink<'_>) -> Result<()> {
    let mut matches = vec![format!("SYSLOG_IDENTIFIER={IDENTIFIER}")];
    matches.extend(users.iter().map(|uid| format!("_UID={uid}")));
    let now = Timestamp::now();
    // Without a beginning a stream shows what is new, a list everything.
    let since = wanted.since.or(wanted.stream.then_some(now).filter(|_| wanted.until.is_none()));
    let follow = wanted.stream && wanted.until.is_none_or(|until| until > now);
    let journal = Journal {
        since,
        until: wanted.until.filter(|_| !follow),
        fields: None,
        mode: if follow { Mode::Follow(None) } else { Mode::Past(None) },
    };
    let reading = journal.read::<Map<String, Value>>(&matches)?;
    loop {
        match reading.entries.recv_timeout(LOOK) {
            Ok(entry) => {
                let Some(event) = parse(&entry?).filter(|event| is_between(event, since, wanted.until)) else {
                    continue;
                };
                if sink(event) == ControlFlow::Break(()) {
                    return reading.finish();
                }
            }
            Err(RecvTimeoutError::Disconnected) => return reading.finish(),
            Err(RecvTimeoutError::Timeout) if wanted.until.is_some_and(|until| follow && until < Timestamp::now()) => {
                return reading.finish();
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn is_between(event: &Event, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    since.is_none_or(|since| event.time >= since) && until.is_none_or(|until| event.time <= until)
}

/// An entry of the journal; `None` for what is no event, or none that this version knows.
pub(crate) fn parse(entry: &Map<String, Value>) -> Option<Event> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let (subject, act) = (Subject::parse(text("PODMAN_TYPE"))?, Act::parse(text("PODMAN_EVENT"))?);
    let health = Some(text("PODMAN_HEALTH_STATUS")).filter(|word| !word.is_empty()).map(|word| Health {
        status: word.to_owned(),
        failing_streak: text("PODMAN_HEALTH_FAILING_STREAK").parse().unwrap_or(0),
    });
    Some(Event {
        time: text("PODMAN_TIME").parse().ok()?,
        id: text("PODMAN_ID").to_owned(),
        image: text("PODMAN_IMAGE").to_owned(),
        exit_code: text("PODMAN_EXIT_CODE").parse().ok(),
        health,
        error: text("PODMAN_ERROR").to_owned(),
        labels: serde_json::from_str(text("PODMAN_LABELS")).unwrap_or_default(),
        ..Event::new(subject, act).named(text("PODMAN_NAME"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::file::tests::sample;

    #[test]
    fn fields_are_podmans_and_a_line_end_does_not_end_one() {
        let event = Event { labels: [("a".to_owned(), "b\nPODMAN_EVENT=x".to_owned())].into(), ..sample() };
        let bytes = datagram(&event);
        let text = String::from_utf8_lossy(&bytes);
        for line in [
            "PODMAN_EVENT=died\n",
            "PODMAN_TYPE=container\n",
            "PODMAN_TIME=2026-11-22T02:36:48.5Z\n",
            "PODMAN_NAME=web\n",
            "PODMAN_EXIT_CODE=137\n",
            "SYSLOG_IDENTIFIER=lodger\n",
            "PODMAN_LABELS={\"a\":\"b\\nPODMAN_EVENT=x\"}\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        // Only the message holds a real line end, and says how long it is.
        let message = event.sentence(&event.id);
        let mut begins = b"MESSAGE\n".to_vec();
        begins.extend((message.len() as u64).to_le_bytes());
        begins.extend(message.as_bytes());
        assert!(bytes.starts_with(&begins));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let entry = |event: &Event| -> Map<String, Value> {
            let bytes = datagram(event);
            let text = String::from_utf8(bytes).unwrap();
            text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.into())).collect()
        };
        let event = sample();
        assert_eq!(parse(&entry(&event)), Some(event));
        let checked = Event {
            health: Some(Health { status: "unhealthy".into(), failing_streak: 3 }),
            act: Act::HealthStatus,
            ..sample()
        };
        assert_eq!(parse(&entry(&checked)), Some(checked));
        assert_eq!(parse(&Map::new()), None);
    }

    #[test]
    fn labels_too_many_for_a_datagram_are_left_out() {
        let labels = (0..5000).map(|number| (format!("label-{number}"), "x".repeat(40))).collect();
        assert!(datagram(&Event { labels, ..sample() }).len() < 1000);
    }
}
