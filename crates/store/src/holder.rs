//! Who holds a lock, as the kernel tells in `/proc/locks` (proc(5)).

use std::fmt;
use std::fs::File;

/// A holder's command line is cut here, in characters.
const COMMAND: usize = 200;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process ID.
    pub pid: u32,
    /// Its command line, cut to 200 characters, with control characters replaced.
    pub command: String,
}

impl Holder {
    /// `process 12 (lodger pull web)`, or words for an unknown one.
    pub(crate) fn name(holder: Option<&Self>) -> String {
        holder.map_or_else(|| "another process".to_owned(), Self::to_string)
    }

    /// Who holds a lock on the file, other than a process that is gone.
    pub(crate) fn find(file: &File) -> Option<Self> {
        let stat = rustix::fs::fstat(file).ok()?;
        let device = format!("{:02x}:{:02x}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        let (mut here, mut elsewhere) = (None, None);
        for (pid, file_device, inode) in locks.lines().filter_map(parse_lock) {
            if inode == stat.st_ino {
                // btrfs shows another device number in stat than the kernel has for the file system.
                let found = if file_device == device { &mut here } else { &mut elsewhere };
                *found = found.or(Some(pid));
            }
        }
        let pid = here.or(elsewhere)?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let command = command.trim_end().chars().take(COMMAND).map(|c| if c.is_control() { '?' } else { c }).collect();
        Some(Self { pid, command })
    }
}

/// Process, device and inode of one line: `1: FLOCK  ADVISORY  WRITE 4321 fe:00:1234 0 EOF`. Waiters have an arrow.
fn parse_lock(line: &str) -> Option<(u32, &str, u64)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    if words.next()? != "FLOCK" {
        return None;
    }
    let pid = words.nth(2)?.parse().ok()?;
    let (device, inode) = words.next()?.rsplit_once(':')?;
    Some((pid, device, inode.parse().ok()?))
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        for (line, expected) in [
            ("1: FLOCK  ADVISORY  WRITE 4321 fe:00:1234 0 EOF", Some((4321, "fe:00", 1234))),
            ("12: FLOCK  ADVISORY  READ 7 00:2f:9 0 EOF", Some((7, "00:2f", 9))),
            ("12: -> FLOCK  ADVISORY  WRITE 8 00:2f:9 0 EOF", None),
            ("3: POSIX  ADVISORY  WRITE 4321 fe:00:1234 0 EOF", None),
            ("3: FLOCK  ADVISORY  WRITE -1 fe:00:1234 0 EOF", None),
            ("3: FLOCK", None),
            ("", None),
        ] {
            assert_eq!(parse_lock(line), expected, "{line}");
        }
    }
}
