//! Progress as lines of a log: one when a layer is there.

use super::notice;
use engine::PullEvent;
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
            PullEvent::Done(digest) => writeln!(self.out, "Copying blob {digest} done"),
            PullEvent::Present(digest) => writeln!(self.out, "Copying blob {digest} skipped: already exists"),
            PullEvent::Layer { .. } | PullEvent::Progress { .. } => Ok(()),
            other => notice(&mut self.out, &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{Digest, Reference};

    #[test]
    fn a_log_has_one_line_for_each_thing_that_happened() {
        let mut plain = Plain::new(Vec::new());
        let digest = |digit: &str| Digest::parse(&format!("sha256:{}", digit.repeat(64))).unwrap();
        let (a, b) = (digest("a"), digest("b"));
        let name = Reference::parse("docker.io/library/alpine:latest").unwrap();
        for event in [
            PullEvent::Trying(&name),
            PullEvent::Layer { digest: &a, size: 10 },
            PullEvent::Progress { digest: &a, bytes: 5 },
            PullEvent::Present(&b),
            PullEvent::Waiting { digest: &a, holder: Some("lodger pull\x1b[2J (pid 7)".into()) },
            PullEvent::Done(&a),
            PullEvent::Committing,
        ] {
            plain.event(event).unwrap();
        }
        let expected = format!(
            "Trying to pull docker.io/library/alpine:latest...\n\
             Copying blob {b} skipped: already exists\n\
             Waiting for lodger pull\\x1b[2J (pid 7), which fetches blob aaaaaaaaaaaa\n\
             Copying blob {a} done\n\
             Writing manifest to image destination\n"
        );
        assert_eq!(String::from_utf8(plain.out).unwrap(), expected);
    }
}
