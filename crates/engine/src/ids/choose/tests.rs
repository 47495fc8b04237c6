//! Choices of ids: what each mode comes to, and what is refused.

use super::*;
use spec::options::{Verb, read};

const ALICE: [HostRange; 1] = [HostRange { first: 100_000, count: 65_536 }];

fn pool(between: Option<u32>) -> Pool {
    let ids = |kind, file| {
        let own = between.map(|own| {
            let pieces =
                [IdRange { inside: 0, outside: own, count: 1 }, IdRange { inside: 1, outside: 100_000, count: 65_536 }];
            IdRanges::new(pieces).unwrap()
        });
        let named = |name: &str, _: &'static str| if name == "alice" { ALICE.to_vec() } else { Vec::new() };
        Ids { kind, file, between: own, named }
    };
    Pool { uids: ids("UID", "/etc/subuid"), gids: ids("GID", "/etc/subgid") }
}

fn shown(ranges: &IdRanges) -> String {
    ranges.pieces().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Maps of users and of groups, or the error.
fn asked(words: &str, between: Option<u32>) -> (String, String) {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).chain(["image".to_owned()]).collect();
    let spec = read(Verb::Create, &[], &words).unwrap().spec;
    match pool(between).asked(&spec.namespaces) {
        Ok(map) => (shown(&map.uids), shown(&map.gids)),
        Err(error) => (error.to_string(), String::new()),
    }
}

#[test]
fn keep_id_is_podmans() {
    let keep =
        |keep: KeepId| pool(Some(1001)).keep_id(&keep, (1001, 1002)).map(|map| (shown(&map.uids), shown(&map.gids)));
    let plain = keep(KeepId::default()).unwrap();
    assert_eq!(plain, ("0:1:1001 1001:0:1 1002:1002:64535".to_owned(), "0:1:1002 1002:0:1 1003:1003:64534".to_owned()));
    let chosen = keep(KeepId { uid: Some(7), gid: Some(100_000), size: None }).unwrap();
    assert_eq!(chosen, ("0:1:7 7:0:1 8:8:65529".to_owned(), "0:1:65536 100000:0:1".to_owned()));
    let small = keep(KeepId { size: Some(500), ..KeepId::default() }).unwrap();
    assert_eq!(small.0, "0:1:499 1001:0:1");
    assert_eq!(keep(KeepId { size: Some(1), ..KeepId::default() }).unwrap().0, "1001:0:1");
    let error = keep(KeepId { size: Some(65_538), ..KeepId::default() }).unwrap_err();
    assert!(error.to_string().contains("not enough unused IDs"), "{error}");
}

#[test]
fn nomap_has_all_but_the_caller() {
    assert_eq!(shown(&pool(Some(1001)).without_caller().unwrap().uids), "0:1:65536");
}

/// What podman 5.4 makes of the same words.
#[test]
fn explicit_maps_are_podmans() {
    let alone = |words| {
        let (uids, gids) = asked(words, Some(1001));
        assert_eq!(uids, gids, "{words}");
        uids
    };
    assert_eq!(alone("--uidmap 0:1:5"), "0:1:5");
    assert_eq!(alone("--gidmap 0:1:5"), "0:1:5");
    assert_eq!(alone("--uidmap +1000:0:1"), "0:1:1000 1000:0:1 1001:1001:64536");
    assert_eq!(alone("--uidmap 0:0:65000 --uidmap +100000:1:1"), "0:0:1 2:2:64998 100000:1:1");
    assert_eq!(alone("--uidmap 5:@100004:1"), "5:5:1");
    assert_eq!(alone("--uidmap 5:@1001"), "5:0:1");
    assert_eq!(alone("--subuidname alice"), "0:1:65536");
    let two = |words| asked(words, Some(1001));
    assert_eq!(two("--uidmap 0:1:5000 --gidmap 0:5:3000"), ("0:1:5000".to_owned(), "0:5:3000".to_owned()));
    let group = "0:0:5 5:6:995 1000:5:1 1001:1001:64536".to_owned();
    assert_eq!(two("--gidmap +g1000:@100004:1"), ("0:0:65537".to_owned(), group));
    assert_eq!(
        two("--gidmap 0:0:1000 --gidmap g2000:2000:1"),
        ("0:0:1000".to_owned(), "0:0:1000 2000:2000:1".to_owned())
    );
}

#[test]
fn what_cannot_be_mapped_is_named() {
    for (words, part) in [
        ("--uidmap 0:1:10 --uidmap 5:20:10", "5:20:10 conflicts with other mappings"),
        ("--uidmap 0:1:10 --uidmap 20:5:10", "20:5:10 conflicts with other mappings"),
        ("--uidmap 0:@7:1", "parent ID UID 7 is not mapped/delegated"),
        ("--gidmap g0:@165535:2", "parent ID GID 165536 is not mapped/delegated"),
        ("--subuidname bob", "no subuid ranges found for user \"bob\" in /etc/subuid"),
        ("--subuidname alice --subgidname bob", "no subgid ranges found for user \"bob\" in /etc/subgid"),
        ("--uidmap 0:1:70000", "not enough unused IDs in user namespace: 65537 is asked for"),
    ] {
        let (error, _) = asked(words, Some(1001));
        assert!(error.contains(part), "{words}: {error}");
    }
}

#[test]
fn root_names_ids_of_the_host() {
    assert_eq!(asked("--uidmap 0:200000:5", None).0, "0:200000:5");
    assert_eq!(asked("--uidmap 0:@200000:5", None).0, "0:200000:5");
    assert_eq!(asked("--uidmap +0:200000:5", None).0, "0:200000:5");
    assert!(asked("--uidmap u0:200000:5", None).0.contains("at least one GID mapping"));
}
