//! Many commands at once on the same few names: whoever comes too late is told so, nobody hangs, nothing is left.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::{ENOUGH, Found, Rack};
use crate::random::Random;

/// How many work at once.
const WORKERS: usize = 32;
/// Commands of each worker between two looks at what is left.
const TURNS: usize = 6;
/// What such a session may take: no command may take a minute.
const BOUND: Duration = Duration::from_secs(900);

/// Commands; N, M are numbers of containers, V is that of a volume.
const COMMANDS: &[&str] = &[
    "run --rm --network=none busybox true",
    "run --rm -v vV:/v --network=none busybox touch /v/x",
    "run --rm busybox true",
    "run -d --name xN --network=none busybox sleep 1000",
    "run -d --replace --name xN --network=none -v vV:/v busybox sleep 1000",
    "create --name xN -v /data busybox sleep 1000",
    "start xN",
    "stop -t 0 xN",
    "restart -t 0 xN",
    "kill xN",
    "rm -v -f -t 0 xN",
    "rm -v xN",
    "rename xN xM",
    "exec xN true",
    "exec xN true",
    "cp PLACE/file xN:/file",
    "cp xN:/bin/busybox PLACE/other-xN",
    "logs xN",
    "inspect xN",
    "ps -a",
    "pull -q --tls-verify=false 127.0.0.1:5001/guest",
    "pull -q --tls-verify=false 127.0.0.1:5001/guest",
    "load -q -i /images/guest.tar",
    "rmi 127.0.0.1:5001/guest",
    "rmi guest",
    "images",
    "volume rm vV",
    "system df",
];

/// Makes `WORKERS` hands work, and looks.
pub(crate) fn crowd(rack: &mut Rack<'_>) -> Result<Found> {
    for image in ["busybox", "guest"] {
        rack.host.push(image)?;
    }
    let mut found = Found::default();
    while rack.goes_on(found.rounds) && found.failed.len() < ENOUGH {
        let mut lines = String::new();
        for worker in 0..WORKERS {
            for _ in 0..TURNS {
                let _ = writeln!(lines, "{worker} {}", command(&mut rack.random));
            }
        }
        found.read(rack.play(include_str!("crowd.sh"), &lines, BOUND)?.ok().text());
    }
    Ok(found)
}

/// A command about one of a few things.
fn command(random: &mut Random) -> String {
    let words = *random.one_of(COMMANDS);
    let words = words.replace("PLACE", "/home/alice");
    let words = words.replace("xN", &format!("x{}", random.below(6)));
    let words = words.replace("xM", &format!("x{}", random.below(6)));
    words.replace("vV", &format!("v{}", random.below(3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_about_things_with_numbers() {
        let mut random = Random(1);
        for _ in 0..500 {
            let command = command(&mut random);
            assert!(!command.contains(['N', 'V', 'M']), "{command}");
        }
    }
}
