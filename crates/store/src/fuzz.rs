//! Archives and records that nobody wrote. See `xtask::fuzz`.

use crate::container::ContainerRecord;
use crate::image::ImageRecord;
use crate::index::Index;
use crate::state::{ExitRecord, RunState, parse_link};
use crate::tar::testing::Archive;
use crate::tar::{self, Entry, Reader};
use crate::volume::VolumeRecord;
use xtask::fuzz::Target;

#[test]
fn layer_tar() {
    let plain = Archive::default().dir("./").file("a", b"content").file("dir/.wh.b", b"").end();
    let pax = Archive::default()
        .pax(&[("path", b"a/long/name"), ("size", b"3"), ("mtime", b"1.5"), ("SCHILY.xattr.user.x", b"y")])
        .file("short", b"abc")
        .end();
    let sparse = Archive::default()
        .pax(&[("GNU.sparse.map", b"0,2,512,1"), ("GNU.sparse.size", b"600"), ("GNU.sparse.major", b"0")])
        .file("s", b"abc")
        .end();
    let seeds: [&[u8]; 3] = [&plain, &pax, &sparse];
    let words = [
        "ustar\x0000",
        "ustar  \0",
        "path=",
        "size=",
        "mtime=",
        "GNU.sparse.major=1\n",
        "GNU.sparse.minor=0\n",
        "GNU.sparse.map=",
        "GNU.sparse.numblocks=",
        "GNU.sparse.offset=",
        "30 ",
        "\n",
        "00000000017\0",
        "\x7f\x7f\x7f\x7f",
        "L",
        "x",
    ];
    Target { name: "layer_tar", seeds: &seeds, words: &words }.run(|input| {
        // Sums are mended, or hardly a change would be looked at.
        let mended = mended(input);
        let said = match tar::scan(&mended) {
            Ok(count) => format!("{}", count.min(5)),
            Err(error) => error.to_string(),
        };
        // Content is never handed out beyond the size that was told.
        let mut reader = Reader::new(&mended[..]);
        let mut entry = Entry::default();
        while reader.next(&mut entry).unwrap_or(false) {
            let size = entry.size;
            let read = reader.content(|at, bytes| {
                assert!(at + bytes.len() as u64 <= size, "{} bytes at {at} of {size}", bytes.len());
                Ok::<(), tar::Error>(())
            });
            if read.is_err() {
                break;
            }
        }
        said
    });
}

/// With the right sum in what could be a header.
fn mended(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for block in bytes.chunks_exact_mut(tar::BLOCK) {
        let (magic, name) = (&block[257..262] == b"ustar", block[0] != 0);
        if magic && name {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

#[test]
fn records() {
    let seeds: [&[u8]; 4] = [
        br#"{"id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","name":"web","created":"2026-11-22T02:36:48Z","image":null,"create_command":["run"],"volumes":["v"],"auto_remove":false,"spec":{"root":{"Image":"x"}}}"#,
        br#"{"name":"v","driver":"local","labels":{"a":"b"},"options":{},"created":"2026-11-22T02:36:48Z","anonymous":false,"needs_copy_up":true,"uid":0,"gid":0}"#,
        br#"{"exit_code":137,"signal":9,"oom_killed":true,"started_at":"2026-11-22T02:36:48Z","finished_at":"2026-11-22T02:36:49Z","error":"x","restarts":2}"#,
        b"0d1c:77:1234567",
    ];
    let words = ["null", "{}", "[]", "\"\"", ":", ",", "\"spec\":", "\"root\":", "{\"Directory\":{}}", "-1", "\\ud800"];
    Target { name: "records", seeds: &seeds, words: &words }.run(|input| {
        fn said<T>(read: Result<T, serde_json::Error>) -> String {
            read.map_or_else(|error| error.to_string(), |_| "fine".to_owned())
        }
        let container = serde_json::from_slice::<ContainerRecord>(input);
        if let Ok(record) = &container {
            let again = serde_json::to_vec(record).expect("a record that was read can be written");
            assert_eq!(serde_json::from_slice::<ContainerRecord>(&again).ok().as_ref(), Some(record));
        }
        let link = parse_link(&String::from_utf8_lossy(input), "0d1c").is_some();
        [
            said(container),
            said(serde_json::from_slice::<VolumeRecord>(input)),
            said(serde_json::from_slice::<ImageRecord>(input)),
            said(serde_json::from_slice::<Index>(input)),
            said(serde_json::from_slice::<RunState>(input)),
            said(serde_json::from_slice::<ExitRecord>(input)),
            link.to_string(),
        ]
        .join(";")
    });
}
