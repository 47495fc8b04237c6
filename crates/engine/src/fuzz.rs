//! Words of systemd, the kernel and logs that nobody wrote. See `xtask::fuzz`.

use crate::containers::Accounts;
use crate::resolve::resources::Controllers;
use xtask::fuzz::Target;

#[test]
fn log_lines() {
    let seeds: [&[u8]; 3] = [
        b"2026-11-22T02:36:48.123456789+01:00 stdout F hello\n",
        b"2026-11-22T02:36:48Z stderr P part",
        br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1764000000000000","MESSAGE":[104,105],"PRIORITY":"3","CONTAINER_PARTIAL_MESSAGE":"true"}"#,
    ];
    let words =
        [" stdout ", " stderr ", "F ", "P ", "Z", "+00:00", "\"MESSAGE\":", "[255]", "null", "9223372036854775807"];
    Target { name: "log_lines", seeds: &seeds, words: &words }.run(|input| {
        format!("{} {}", crate::logs::line_of_file(input).is_some(), crate::logs::line_of_journal(input).is_some())
    });
}

#[test]
fn kernel_words() {
    let seeds: [&[u8]; 4] = [
        b"low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n",
        b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/lodger-web.service/.control\n",
        b"cpuset cpu io memory hugetlb pids rdma misc\n",
        b"alice:100000:65536\n1001:300000:10\nbob:4294967295:1\n",
    ];
    let words = ["oom_kill ", "0::/", ".control", "\n", ":", "alice", "4294967295", " "];
    Target { name: "kernel_words", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        let _ = (Controllers::parse(&text), Accounts::parse(input, input));
        let (kills, group) = crate::launch::cgroup_words(&text);
        let ranges = crate::host::ranges(&text, "alice", 1001);
        assert!(ranges.iter().all(|range| range.count > 0 && range.first.checked_add(range.count).is_some()));
        format!("{} {} {}", kills.min(3), group, ranges.len().min(3))
    });
}

#[test]
fn event_lines() {
    let seeds: [&[u8]; 2] = [
        br#"{"ContainerExitCode":137,"ID":"4f","Image":"web:1","Name":"web","Status":"died","Time":"2026-11-22T02:36:48.5Z","Type":"container","Attributes":{"a":"b"}}"#,
        br#"{"PODMAN_TYPE":"image","PODMAN_EVENT":"pull","PODMAN_TIME":"2026-11-22T02:36:48Z","PODMAN_ID":"4f","PODMAN_LABELS":"{}"}"#,
    ];
    let words = ["\"died\"", "\"health_status\"", "\"volume\"", "null", "[255]", "9223372036854775807", "\\n"];
    Target { name: "event_lines", seeds: &seeds, words: &words }.run(|input| {
        let (file, journal) = crate::events::words(input);
        // Whatever it holds, it can be shown and written again.
        file.iter().chain(&journal).for_each(|event| assert!(!event.sentence(&event.id).is_empty()));
        format!("{} {}", file.is_some(), journal.is_some())
    });
}
