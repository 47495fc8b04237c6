//! Progress as lines of a log: one when a layer is there.

use super::{PullEvent, notice};
use std::io::{self, Write};

/// Writes lines.
pub(super) struct Plain<W> {
    out: W,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out }
    }

    pub(super) fn event(&mut self, event: PullEvent<'_>) -> io::Result<()> {
        match event {
            PullEvent::Done { digest } => writeln!(self.out, "Copying blob {digest} done"),
            PullEvent::Exists { digest } => writeln!(self.out, "Copying blob {digest} skipped: already exists"),
            PullEvent::Layer { .. } | PullEvent::Progress { .. } => Ok(()),
            other => notice(&mut self.out, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_log_has_one_line_for_each_thing_that_happened() {
        let mut plain = Plain::new(Vec::new());
        for event in [
            PullEvent::Resolving { name: "docker.io/library/alpine:latest" },
            PullEvent::Layer { digest: "sha256:aa", size: 10 },
            PullEvent::Progress { digest: "sha256:aa", bytes: 5 },
            PullEvent::Exists { digest: "sha256:bb" },
            PullEvent::Retry { why: "connection reset\x1b[2J", delay: Duration::from_secs(2) },
            PullEvent::Waiting { holder: "lodger pull (pid 7)" },
            PullEvent::Done { digest: "sha256:aa" },
        ] {
            plain.event(event).unwrap();
        }
        let expected = "\
Trying to pull docker.io/library/alpine:latest...
Copying blob sha256:bb skipped: already exists
Transfer interrupted (connection reset\\x1b[2J); going on in 2s
Waiting for lodger pull (pid 7), which is fetching the same
Copying blob sha256:aa done
";
        assert_eq!(String::from_utf8(plain.out).unwrap(), expected);
    }
}
