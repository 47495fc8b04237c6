//! Words of users and registries that nobody wrote. See `xtask::fuzz`.

use crate::Reference;
use crate::oci::{ImageConfig, Index, Manifest};
use crate::options::{self, Verb};
use xtask::fuzz::Target;

#[test]
fn reference() {
    let seeds: [&[u8]; 4] = [
        b"docker.io/library/alpine:3.20",
        b"web",
        b"localhost:5000/a/b_c-d__e.f:V1.2-x",
        b"quay.io/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    let words = ["sha256:", "localhost", "[::1]", ":", "/", "@", "__", ".", "-", "docker.io/"];
    Target { name: "reference", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        match Reference::parse(&text) {
            Ok(reference) => {
                // What is shown means the same.
                assert_eq!(Reference::parse(&reference.to_string()).as_ref(), Ok(&reference));
                let parts = (reference.registry.is_some(), reference.tag.is_some(), reference.digest.is_some());
                format!("{parts:?}")
            }
            Err(error) => error.to_string(),
        }
    });
}

/// One flag of `run` with each input as its value, shown again as it was meant.
fn flag(name: &str, flags: &[&str], seeds: &[&[u8]], words: &[&str]) {
    let read = |flag: &str, value: &str| {
        options::read(Verb::Run, &[], &[flag.to_owned(), value.to_owned(), "image".to_owned()])
    };
    Target { name, seeds, words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        let mut said = String::new();
        for flag in flags {
            match read(flag, &text) {
                Ok(line) => {
                    let long = flag.trim_start_matches('-');
                    let row = options::find_flag(long).expect("a row for the flag");
                    for shown in (row.show)(&line.spec) {
                        let again = read(&format!("--{}", row.flag.as_ref().map_or(long, |flag| flag.long)), &shown);
                        assert!(again.is_ok(), "{flag} {text:?} is shown as {shown:?}, which is refused: {again:?}");
                    }
                    said += "fine;";
                }
                Err(error) => said += &format!("{error};"),
            }
        }
        said
    });
}

#[test]
fn mounts() {
    let seeds: [&[u8]; 5] = [
        b"/host/data:/data:ro,z,rslave",
        b"vol:/data:nocopy,U",
        b"type=bind,source=/a,target=/b,ro=true,bind-propagation=rshared",
        b"type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1777,notmpcopyup",
        b"/scratch:size=64m,mode=700,noexec",
    ];
    let words = [
        "type=",
        "bind",
        "volume",
        "tmpfs",
        "image",
        "source=",
        "target=",
        "ro",
        "subpath=",
        "size=",
        "mode=",
        "\"",
        ":",
        ",",
        "=",
        "/",
        "..",
        "O",
        "U",
        "idmap=uids=0-1-10",
    ];
    flag("mounts", &["--volume", "--mount", "--tmpfs"], &seeds, &words);
}

#[test]
fn ports() {
    let seeds: [&[u8]; 4] = [b"8080:80", b"127.0.0.1:53:53/udp", b"[::1]:8000-8010:9000-9010/tcp", b"80"];
    let words = ["/udp", "/tcp", "/sctp", "[", "]", "::", ":", "-", "65535", "0"];
    flag("ports", &["--publish", "--expose"], &seeds, &words);
}

#[test]
fn words() {
    let flags = [
        "--user",
        "--memory",
        "--cpus",
        "--ulimit",
        "--device",
        "--network",
        "--userns",
        "--restart",
        "--add-host",
        "--dns",
        "--security-opt",
        "--sysctl",
        "--log-opt",
        "--stop-signal",
        "--pull",
        "--platform",
        "--annotation",
        "--env",
    ];
    let seeds: [&[u8]; 8] = [
        b"64m",
        b"0.5",
        b"nofile=10:20",
        b"/dev/null:/dev/x:rwm",
        b"pasta:-T,5000",
        b"on-failure:3",
        b"host:10.0.0.1",
        b"net.ipv4.ip_forward=1",
    ];
    flag("words", &flags, &seeds, &["=", ":", ",", "/", "host", "none", "container:", "keep-id:uid=1", "-", "1", "*"]);
}

#[test]
fn image_documents() {
    let seeds: [&[u8]; 3] = [
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":7}],"annotations":{"a":"b"}}"#,
        br#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":9,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}}]}"#,
        br#"{"created":"2025-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"1:2","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["/x"],"Cmd":null,"Volumes":{"/v":{}},"WorkingDir":"/w","Labels":{"l":"v"},"StopSignal":"SIGINT","Healthcheck":{"Test":["CMD","true"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]},"history":[{"created_by":"x","empty_layer":true}]}"#,
    ];
    let words = ["null", "[]", "{}", "\"\"", "-1", "\"digest\":", "\"size\":", "[", "{", ",", "\\u0000"];
    Target { name: "image_documents", seeds: &seeds, words: &words }.run(|input| {
        let manifest = serde_json::from_slice::<Manifest>(input).map(|document| document.layers.len().min(1));
        let index = serde_json::from_slice::<Index>(input).map(|document| document.manifests.len().min(1));
        let config = serde_json::from_slice::<ImageConfig>(input).map(|document| document.rootfs.diff_ids.len().min(1));
        let said = |result: Result<usize, serde_json::Error>| result.map_or_else(|e| e.to_string(), |n| n.to_string());
        format!("{} {} {}", said(manifest), said(index), said(config))
    });
}
