//! A layer's bytes: all of them, once, in order, whatever the server and the network do.

use crate::content::{LAYER, descriptor, noise, part};
use crate::server::{Framing, Reply, Seen, Server};
use crate::{TestClock, place, plain};
use registry::{BlobReader, Client, Error, Kind, Timeouts};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A server that answers blob requests with `answer(bytes, request, how many came before)`.
fn serve(bytes: &[u8], answer: impl Fn(&[u8], &Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let (bytes, count) = (bytes.to_vec(), AtomicUsize::new(0));
    Server::start(move |seen| match &seen.path[..] {
        "/v2/" => Reply::new(200, ""),
        _ => answer(&bytes, seen, count.fetch_add(1, Ordering::Relaxed)),
    })
}

struct Fetched {
    result: Result<Vec<u8>, Error>,
    /// What came before an error too.
    bytes: Vec<u8>,
    fetched: u64,
    clock: Arc<TestClock>,
}

/// Reads the blob `wanted` from a server, from an offset on.
fn fetch(server: &Server, wanted: &[u8], offset: u64) -> Fetched {
    let (mut config, clock) = plain();
    config.timeouts = Timeouts { read: Duration::from_millis(200), ..config.timeouts };
    let client = Client::new(config);
    let mut bytes = Vec::new();
    match client.blob(&place(&client, server), &descriptor(LAYER, wanted), offset) {
        Ok(mut reader) => {
            let read = reader.read_to_end(&mut bytes);
            let fetched = reader.fetched();
            let result = read.map(|_| bytes.clone()).map_err(|error| Error::from_io(error).unwrap());
            Fetched { result, bytes, fetched, clock }
        }
        Err(error) => Fetched { result: Err(error), bytes, fetched: 0, clock },
    }
}

#[test]
fn a_connection_that_breaks_again_and_again_costs_no_byte_twice() {
    for (size, cut) in [(5 << 20, 1 << 20), (20_000, 997), (64, 1)] {
        let bytes = noise(size, size as u64);
        for framing in [Framing::Length, Framing::Chunked] {
            let server = serve(&bytes, move |bytes, seen, _| part(bytes, seen.range()).framed(framing).cut_after(cut));
            let found = fetch(&server, &bytes, 0);
            assert!(found.result.unwrap() == bytes, "{size} {cut} {framing:?}");
            assert_eq!(found.fetched, size as u64);
            let asked = server.asked("/blobs/");
            assert_eq!(asked.len(), size.div_ceil(cut));
            assert!(asked.iter().enumerate().all(|(n, seen)| seen.range().unwrap_or(0) == n * cut));
        }
    }
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start_again() {
    let bytes = noise(300_000, 1);
    let server = serve(&bytes, |bytes, _, count| match count {
        0 => Reply::new(200, bytes).cut_after(100_000),
        1 => Reply::new(200, bytes).cut_after(250_000),
        _ => Reply::new(200, bytes),
    });
    let found = fetch(&server, &bytes, 0);
    assert!(found.result.unwrap() == bytes);
    assert_eq!(found.fetched, 100_000 + 250_000 + 300_000);
    // And one that never gets further than before is given up.
    let server = serve(&bytes, |bytes, _, _| Reply::new(200, bytes).cut_after(100_000));
    let found = fetch(&server, &bytes, 0);
    assert!(matches!(found.result.unwrap_err().kind, Kind::Interrupted(_)));
    assert_eq!(found.bytes, bytes[..100_000]);
    assert_eq!(server.asked("/blobs/").len(), 4);
}

#[test]
fn a_wrong_range_never_corrupts() {
    let bytes = noise(10_000, 2);
    type Wrong = fn(&[u8]) -> Reply;
    let wrongs: [(&str, Wrong); 8] = [
        ("behind", |b| Reply::new(206, &b[6000..]).with("Content-Range", "bytes 6000-9999/10000")),
        ("no header", |b| Reply::new(206, &b[5000..])),
        ("nonsense", |b| Reply::new(206, &b[5000..]).with("Content-Range", "bytes 9-5/10000")),
        ("past the end", |b| Reply::new(206, [&b[5000..], b"x"].concat()).with("Content-Range", "bytes 5000-10000/*")),
        ("other length", |b| Reply::new(206, &b[5000..9000]).with("Content-Range", "bytes 5000-9999/10000")),
        ("several", |b| Reply::new(206, b).with("Content-Type", "multipart/byteranges; boundary=x")),
        ("twice", |b| {
            let reply = Reply::new(206, &b[5000..]).with("Content-Range", "bytes 5000-9999/10000");
            reply.with("Content-Range", "bytes 0-4999/10000")
        }),
        ("not satisfiable", |_| Reply::new(416, "").with("Content-Range", "bytes */4000")),
    ];
    for (what, wrong) in wrongs {
        let server = serve(&bytes, move |bytes, seen, count| match (count, seen.range()) {
            (0, _) => Reply::new(200, bytes).cut_after(5000),
            (_, Some(_)) => wrong(bytes),
            (_, None) => Reply::new(200, bytes),
        });
        let found = fetch(&server, &bytes, 0);
        assert!(found.result.unwrap() == bytes, "{what}");
        // Asked for a part once; from then on the whole is taken.
        let ranges: Vec<Option<usize>> = server.asked("/blobs/").iter().map(Seen::range).collect();
        assert_eq!(ranges, [None, Some(5000), None], "{what}");
    }
    // A range that begins before what was asked, or ends early, is right as far as it goes.
    let server = serve(&bytes, |bytes, seen, count| match (count, seen.range()) {
        (0, _) => Reply::new(200, bytes).cut_after(5000),
        (1, _) => Reply::new(206, &bytes[4000..7000]).with("Content-Range", "bytes 4000-6999/10000"),
        (_, from) => part(bytes, from),
    });
    let found = fetch(&server, &bytes, 0);
    assert!(found.result.unwrap() == bytes);
    // A part where the whole was asked for, or of another blob, is not believed at all.
    let server = serve(&bytes, |bytes, _, _| Reply::new(206, bytes).with("Content-Range", "bytes 0-9999/10000"));
    assert!(matches!(fetch(&server, &bytes, 0).result.unwrap_err().kind, Kind::Protocol(_)));
    let server = serve(&bytes, |b, _, _| Reply::new(206, &b[5000..9000]).with("Content-Range", "bytes 5000-8999/9000"));
    let error = fetch(&server, &bytes, 5000).result.unwrap_err();
    assert!(matches!(error.kind, Kind::SizeMismatch { wanted: 10_000, got: 9000 }), "{error}");
}

#[test]
fn no_more_than_the_descriptors_size_is_ever_handed_out() {
    let bytes = noise(10_000, 3);
    let longer = noise(20_000, 3);
    for framing in [Framing::Chunked, Framing::Close] {
        let longer = longer.clone();
        let server = serve(&bytes, move |_, _, _| Reply::new(200, longer.clone()).framed(framing));
        let found = fetch(&server, &bytes, 0);
        assert!(found.result.unwrap() == bytes, "{framing:?}");
    }
    for size in [9_999, 10_001] {
        let server = serve(&bytes, move |_, _, _| Reply::new(200, noise(size, 3)));
        let found = fetch(&server, &bytes, 0);
        assert!(matches!(found.result.unwrap_err().kind, Kind::SizeMismatch { wanted: 10_000, .. }));
        assert!(found.bytes.is_empty());
    }
}

#[test]
fn a_body_that_ends_early_is_asked_for_the_rest() {
    let bytes = noise(10_000, 4);
    for framing in [Framing::Chunked, Framing::Close] {
        // Ends as if all were well.
        let server = serve(&bytes, move |bytes, seen, _| {
            let from = seen.range().unwrap_or(0);
            let end = (from + 3000).min(bytes.len());
            Reply { body: bytes[from..end].to_vec(), framing, ..part(bytes, seen.range()) }
        });
        let found = fetch(&server, &bytes, 0);
        assert!(found.result.unwrap() == bytes, "{framing:?}");
        assert_eq!(found.fetched, 10_000);
    }
    let server = serve(&bytes, |_, _, _| Reply::new(200, "").framed(Framing::Chunked));
    let error = fetch(&server, &bytes, 0).result.unwrap_err().to_string();
    assert!(error.ends_with("connection broke: after 0 of 10000 bytes"), "{error}");
}

#[test]
fn attempts_without_progress_are_bounded_and_spaced() {
    let bytes = noise(1000, 5);
    let server = serve(&bytes, |bytes, seen, count| match count {
        0 => Reply::new(200, bytes).cut_after(500),
        1..=2 => Reply::new(503, ""),
        3 => part(bytes, seen.range()).cut_after(100),
        _ => Reply::new(500, r#"{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}"#),
    });
    let found = fetch(&server, &bytes, 0);
    let error = found.result.unwrap_err();
    assert!(error.to_string().ends_with("the server failed with status 500: disk on fire"), "{error}");
    assert_eq!(found.bytes, bytes[..600]);
    // A break and two refusals, progress, and the same again until it is enough.
    let slept: Vec<u64> = found.clock.slept().iter().map(|pause| pause.as_millis().div_ceil(1000) as u64).collect();
    assert_eq!(slept, [1, 2, 4, 1, 2, 4]);
}

#[test]
fn a_limit_is_waited_for_unless_it_is_too_long() {
    let bytes = noise(1000, 6);
    let server = serve(&bytes, |bytes, seen, count| match count {
        0 => Reply::new(429, "").with("Retry-After", "17"),
        1 => part(bytes, seen.range()).cut_after(10),
        2 => Reply::new(503, "").with("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"),
        _ => part(bytes, seen.range()),
    });
    let found = fetch(&server, &bytes, 0);
    assert!(found.result.unwrap() == bytes);
    assert_eq!(found.clock.slept()[0], Duration::from_secs(17));
    assert_eq!(found.clock.slept()[2], Duration::from_secs(30));
    let server = serve(&bytes, |_, _, _| Reply::new(429, "").with("Retry-After", "3600"));
    let found = fetch(&server, &bytes, 0);
    let wait = Some(Duration::from_secs(3600));
    assert_eq!(found.result.unwrap_err().kind, Kind::RateLimited { retry_after: wait });
    assert!(found.clock.slept().is_empty());
}

#[test]
fn silence_is_not_waited_out() {
    let bytes = noise(1000, 7);
    let server = serve(&bytes, |bytes, seen, count| match count {
        0 => Reply::new(200, bytes).stalled_after(400),
        _ => part(bytes, seen.range()),
    });
    let found = fetch(&server, &bytes, 0);
    assert!(found.result.unwrap() == bytes);
    assert_eq!(server.asked("/blobs/")[1].range(), Some(400));
}

#[test]
fn a_part_that_is_here_already_is_not_fetched_again() {
    let bytes = noise(10_000, 8);
    let server = serve(&bytes, |bytes, seen, _| part(bytes, seen.range()));
    assert!(fetch(&server, &bytes, 6000).result.unwrap() == bytes[6000..]);
    assert_eq!(server.asked("/blobs/")[0].range(), Some(6000));
    assert_eq!(fetch(&server, &bytes, 10_000).result.unwrap(), b"");
    assert_eq!(server.asked("/blobs/").len(), 1);
    assert!(matches!(fetch(&server, &bytes, 10_001).result.unwrap_err().kind, Kind::Invalid(_)));
    let gone = serve(&bytes, |_, _, _| Reply::new(404, ""));
    assert!(matches!(fetch(&gone, &bytes, 0).result.unwrap_err().kind, Kind::NotFound(_)));
}

#[test]
fn one_connection_serves_many_blobs() {
    let bytes = noise(1000, 9);
    let server = serve(&bytes, |bytes, seen, _| part(bytes, seen.range()).with("X-Port", "x"));
    let client = Client::new(plain().0);
    let place = place(&client, &server);
    let mut all = Vec::new();
    let open = |_| -> BlobReader { client.blob(&place, &descriptor(LAYER, &bytes), 0).unwrap() };
    for mut reader in (0..3).map(open) {
        reader.read_to_end(&mut all).unwrap();
    }
    assert_eq!(all.len(), 3000);
    let ports: std::collections::BTreeSet<u16> = server.asked("/blobs/").iter().map(|seen| seen.port).collect();
    assert_eq!(ports.len(), 1);
}
