//! Containers on disk: made, found, named, removed, and what a killed process leaves.

use super::*;
use crate::error::{Kind, What};
use crate::state::{ExitRecord, RunState, boot_id};
use crate::testing::{Scratch, TestImage, as_root, child};
use crate::volume::VolumeRecord;
use crate::{Access, Durability, Store, Wait, layout};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "container::tests";
const STORE: &str = "STORE_TEST_ROOT";

fn open(scratch: &Scratch) -> Store {
    Store::open(&scratch.path().join("store")).unwrap()
}

pub(crate) fn container(name: &str) -> ContainerRecord {
    ContainerRecord {
        id: ContainerId::random(),
        name: name.to_owned(),
        created: Timestamp::UNIX_EPOCH,
        image: None,
        spec: Box::new(ContainerSpec::default()),
        ids: None,
        create_command: vec!["lodger".into(), "create".into()],
        volumes: Vec::new(),
        mounted: Vec::new(),
        auto_remove: false,
        creator: None,
        unit: None,
        initialized: false,
    }
}

fn create(store: &Store, name: &str) -> ContainerRecord {
    let record = container(name);
    store.create_container(&record, Durability::Volatile).unwrap();
    record
}

fn entries(store: &Store, relative: &str) -> Vec<String> {
    store.list(Path::new(relative)).unwrap()
}

fn running_state(main: ProcessId) -> RunState {
    RunState {
        boot_id: boot_id(),
        main,
        started_at: Timestamp::UNIX_EPOCH,
        unit: Some("web.service".into()),
        cgroup: None,
        paused: None,
        restarts: 0,
        helpers: Vec::new(),
    }
}

#[test]
fn a_container_is_found_by_name_and_id() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let mut record = container("web");
    record.spec.identity.labels.insert("team".into(), "a".into());
    store.create_container(&record, Durability::Durable).unwrap();
    let id = record.id.as_str();
    for text in ["web", id, &id[..12], &id[..1]] {
        assert_eq!(store.find_container(text).unwrap(), record, "{text}");
    }
    for text in ["we", "", "../containers", "WEB", "web/", "x".repeat(300).as_str(), &format!("{id}0")] {
        assert!(matches!(store.find_container(text).unwrap_err().kind, Kind::NotFound(What::Container)), "{text}");
    }
    let summaries = store.container_summaries().unwrap().items;
    assert_eq!((summaries[0].name.as_str(), summaries[0].labels()["team"].as_str()), ("web", "a"));
    // A name wins over the beginning of another's ID.
    let other = create(&store, &id[..4]);
    assert_eq!(store.find_container(&id[..4]).unwrap(), other);
    assert_eq!(store.find_container(&id[..5]).unwrap(), record);
    // Among 17 IDs, two begin alike.
    let many: Vec<_> = (0..17).map(|n| create(&store, &format!("n{n}"))).collect();
    let first = |record: &ContainerRecord| record.id.as_str()[..1].to_owned();
    let ambiguous = many.iter().map(first).find(|a| many.iter().filter(|b| first(b) == *a).count() > 1).unwrap();
    let Kind::Ambiguous { matches, .. } = store.find_container(&ambiguous).unwrap_err().kind else { panic!() };
    assert!(matches.len() > 1 && matches.iter().all(|id| id.starts_with(&ambiguous)));
}

#[test]
fn several_readers_see_every_container_once() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let mut made: Vec<_> = (0..250).map(|n| create(&store, &format!("n{n}"))).collect();
    let state = running_state(ProcessId::own().unwrap());
    store.write_state(&made[7].id, &state).unwrap();
    let damaged = made.pop().unwrap();
    std::fs::write(store.path(&layout::in_container(&damaged.id, layout::CONTAINER_RECORD)), "{").unwrap();
    let seen = store.seen_containers(std::num::NonZeroUsize::new(3).unwrap()).unwrap();
    assert_eq!(seen.damaged.len(), 1);
    let started: Vec<_> = seen.items.iter().filter(|seen| seen.state.is_some()).collect();
    assert_eq!((started.len(), &started[0].record, started[0].state.as_ref()), (1, &made[7], Some(&state)));
    let mut names: Vec<_> = seen.items.iter().map(|seen| seen.record.name.as_str()).collect();
    let mut wanted: Vec<_> = made.iter().map(|record| record.name.as_str()).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
}

#[test]
fn a_name_has_one_bearer() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let first = create(&store, "web");
    let again = store.create_container(&container("web"), Durability::Volatile).unwrap_err();
    assert!(matches!(&again.kind, Kind::NameInUse { id } if *id == first.id.as_str()), "{again}");
    let same_id = ContainerRecord { id: first.id.clone(), ..container("other") };
    assert!(matches!(store.create_container(&same_id, Durability::Volatile).unwrap_err().kind, Kind::Exists));
    assert!(store.find_container("other").is_err());
    create(&store, "other");
    for name in ["", "a/b", "../x", "-x", ".x", "a b", &"x".repeat(256)] {
        let error = store.create_container(&container(name), Durability::Volatile).unwrap_err();
        assert!(matches!(error.kind, Kind::InvalidName(_)), "{name}");
    }
    create(&store, &"x".repeat(255));
    // Links that lead nowhere, or to a container that is called otherwise, are taken over.
    store.remove_container(&first.id).unwrap();
    std::os::unix::fs::symlink(first.id.compact(), store.path(&layout::name("web"))).unwrap();
    let second = create(&store, "web");
    let other = store.find_container("other").unwrap();
    std::os::unix::fs::symlink(other.id.compact(), store.path(&layout::name("stale"))).unwrap();
    std::os::unix::fs::symlink("../../escape", store.path(&layout::name("odd"))).unwrap();
    assert!(store.find_container("stale").is_err() && store.find_container("odd").is_err());
    create(&store, "stale");
    create(&store, "odd");
    assert_eq!(store.find_container("web").unwrap().id, second.id);
    assert!(entries(&store, layout::TMP).is_empty() && entries(&store, layout::TRASH).is_empty());
}

#[test]
fn renaming_moves_the_name() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let (a, b) = (create(&store, "one"), create(&store, "two"));
    let taken = store.rename_container(&a.id, "two", Durability::Volatile).unwrap_err();
    assert!(matches!(taken.kind, Kind::NameInUse { id } if id == b.id.as_str()));
    let renamed = store.rename_container(&a.id, "three", Durability::Durable).unwrap();
    assert_eq!((renamed.name.as_str(), store.find_container("three").unwrap()), ("three", renamed.clone()));
    assert!(store.find_container("one").is_err());
    create(&store, "one");
    assert!(store.rename_container(&ContainerId::random(), "other", Durability::Volatile).unwrap_err().is_not_found());
    assert!(store.find_container("other").is_err());
}

#[test]
fn what_a_container_needs_must_exist_and_stays() {
    as_root("container::tests::what_a_container_needs_must_exist_and_stays", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let image = TestImage::small("x").pull(&store, &["localhost/x"]).unwrap();
        let root = RootAttributes { mode: 0o1777, ..image.root };
        let image = ImageUse { id: image.id, name: "x".into(), manifest: None, layers: image.layers, root };
        let record = ContainerRecord { image: Some(image.clone()), volumes: vec!["data".into()], ..container("web") };
        let missing = store.create_container(&record, Durability::Volatile).unwrap_err();
        assert!(matches!(missing.kind, Kind::NotFound(What::Volume)));
        let volume = VolumeRecord { name: "data".into(), ..VolumeRecord::local("", Timestamp::UNIX_EPOCH) };
        store.create_volume(&volume, Durability::Volatile).unwrap();
        store.create_container(&record, Durability::Volatile).unwrap();
        let dirs = store.overlay_dirs(&record.id, &image.layers).unwrap();
        assert_eq!(std::fs::metadata(&dirs.upper).unwrap().mode() & 0o7777, 0o1777);
        assert!(dirs.work.is_dir() && dirs.lower[0].join("text").exists());
        let volume = store.remove_volume("data").unwrap_err();
        assert!(matches!(volume.kind, Kind::InUse { by } if by == [record.id.to_string()]));
        store.remove_container(&record.id).unwrap();
        store.remove_volume("data").unwrap();
        store.remove_image("x", crate::Removal::Careful).unwrap();
        let gone = ContainerRecord { volumes: Vec::new(), ..record };
        let missing = store.create_container(&gone, Durability::Volatile).unwrap_err();
        assert!(matches!(missing.kind, Kind::NotFound(What::Image)));
        // Nothing of the failed ones is left, and the name is free.
        create(&store, "web");
        assert!(entries(&store, layout::TMP).is_empty() && entries(&store, layout::TRASH).is_empty());
    });
}

#[test]
fn removal_takes_everything_whatever_its_modes() {
    as_root(&format!("{NAME}::removal_takes_everything_whatever_its_modes"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let record = create(&store, "web");
        let upper = store.upper_dir(&record.id);
        let mark = store.path(&layout::volatile_mark(&record.id));
        std::fs::create_dir_all(mark.join("volatile/dirty")).unwrap();
        // Deeper than a path can be, and than descriptors should be held.
        let mut dir = rustix::fs::open(&upper, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&dir, "deeper", rustix::fs::Mode::from_raw_mode(0o700)).unwrap();
            dir = rustix::fs::openat(&dir, "deeper", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
        }
        let canary = scratch.path().join("canary");
        std::fs::create_dir(&canary).unwrap();
        std::fs::write(canary.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&canary, upper.join("link")).unwrap();
        (0..2000).for_each(|n| std::fs::write(upper.join(format!("{n}")), "x").unwrap());
        for path in [mark.join("volatile"), mark.clone(), mark.parent().unwrap().to_owned(), upper.clone()] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
        }
        store.write_state(&record.id, &running_state(ProcessId::own().unwrap())).unwrap();
        store.clear_volatile(&record.id).unwrap();
        assert!(!mark.exists());
        store.clear_volatile(&record.id).unwrap();
        store.remove_container(&record.id).unwrap();
        assert!(canary.join("file").exists());
        for relative in [layout::CONTAINERS, layout::NAMES, layout::RUN, layout::TMP, layout::TRASH] {
            assert!(entries(&store, relative).is_empty(), "{relative}");
        }
        let again = store.remove_container(&record.id).unwrap_err();
        assert!(matches!(again.kind, Kind::NotFound(What::Container)));
        let retired = create(&store, "web");
        let sweeper = store.try_lock(layout::SWEEPER_LOCK.as_ref(), Access::Exclusive).unwrap();
        store.remove_container(&retired.id).unwrap();
        drop(sweeper);
        assert!(store.find_container("web").is_err() && entries(&store, layout::TRASH).len() == 1);
        store.sweep().unwrap();
        assert!(entries(&store, layout::TRASH).is_empty());
    });
}

#[test]
fn a_damaged_record_hides_no_other_and_can_be_removed() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let (good, bad) = (create(&store, "good"), create(&store, "bad"));
    std::fs::write(store.path(&layout::in_container(&bad.id, layout::CONTAINER_RECORD)), "{").unwrap();
    let listing = store.containers().unwrap();
    assert_eq!((listing.items, listing.damaged.len()), (vec![good], 1));
    assert!(listing.damaged[0].to_string().contains(bad.id.as_str()));
    store.remove_container(&bad.id).unwrap();
    assert!(store.containers().unwrap().damaged.is_empty());
    create(&store, "bad");
}

#[test]
fn what_runs_is_asked_of_the_kernel() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let (a, b, c) = (create(&store, "a"), create(&store, "b"), create(&store, "c"));
    let own = ProcessId::own().unwrap();
    store.write_state(&a.id, &running_state(own)).unwrap();
    store.write_state(&a.id, &running_state(own)).unwrap();
    // A process number that somebody else has now, and a start before the reboot.
    store.write_state(&b.id, &running_state(ProcessId { start_time: own.start_time + 1, ..own })).unwrap();
    store.write_state(&c.id, &RunState { boot_id: "old".into(), ..running_state(own) }).unwrap();
    assert_eq!(store.running().unwrap(), [(a.id.clone(), own)]);
    assert!(store.read_state(&a.id).unwrap().unwrap().is_alive());
    assert!(!store.read_state(&b.id).unwrap().unwrap().is_alive());
    let exit = ExitRecord {
        exit_code: 137,
        signal: Some(9),
        oom_killed: true,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        error: None,
        restarts: 2,
    };
    assert_eq!(store.read_exit(&a.id).unwrap(), None);
    store.write_exit(&a.id, &exit).unwrap();
    assert_eq!((store.read_exit(&a.id).unwrap(), store.read_state(&a.id).unwrap()), (Some(exit.clone()), None));
    assert!(store.running().unwrap().is_empty());
    let unknown = ContainerId::random();
    assert!(store.write_state(&unknown, &running_state(own)).unwrap_err().is_not_found());
    assert!(store.write_exit(&unknown, &exit).unwrap_err().is_not_found());
    assert!(entries(&store, layout::TMP).is_empty());
}

#[test]
fn passing_containers_are_swept_once_nobody_minds_them() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let passing = |name: &str, creator| {
        let record = ContainerRecord { auto_remove: true, creator, ..container(name) };
        store.create_container(&record, Durability::Volatile).unwrap();
        record
    };
    let gone = ProcessId { pid: 4_194_300, start_time: 1 };
    let dead = Some(gone);
    let own = ProcessId::own();
    let (unborn, waiting, ended) = (passing("unborn", dead), passing("waiting", None), passing("ended", None));
    let (starting, running, locked) = (passing("starting", own), passing("running", dead), passing("locked", dead));
    let lasting = create(&store, "lasting");
    store.write_state(&running.id, &running_state(own.unwrap())).unwrap();
    store.write_state(&ended.id, &running_state(gone)).unwrap();
    for stray in [&lasting, &running] {
        std::os::unix::fs::symlink("/proc/self/fd/0", store.netns_link(&stray.id)).unwrap();
    }
    let guard = store.lock_container(&locked.id, Access::Shared, Wait::NONE).unwrap();
    let mut swept = store.sweep_containers().unwrap();
    swept.sort();
    let mut expected = [ended.id, unborn.id, lasting.id.clone()];
    expected.sort();
    assert_eq!(swept, expected);
    for id in [&starting.id, &waiting.id, &running.id, &locked.id, &lasting.id] {
        store.container(id).unwrap();
    }
    // A network process ends with its link: that of a container that runs stays.
    assert!(store.netns_link(&running.id).is_symlink() && !store.netns_link(&lasting.id).is_symlink());
    drop(guard);
    assert_eq!(store.sweep_containers().unwrap(), [locked.id]);
}

#[test]
fn what_a_power_cut_has_emptied_counts_as_nothing() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let empty = |id: &ContainerId, file| std::fs::write(store.path(&layout::in_container(id, file)), "").unwrap();
    // Its record is synced, what it was doing is not.
    let lasting = create(&store, "lasting");
    store.write_state(&lasting.id, &running_state(ProcessId::own().unwrap())).unwrap();
    for file in [layout::CONTAINER_STATE, layout::CONTAINER_EXIT] {
        empty(&lasting.id, file);
    }
    assert_eq!((store.read_state(&lasting.id).unwrap(), store.read_exit(&lasting.id).unwrap()), (None, None));
    // Of a passing container nothing is.
    let passing = create(&store, "passing");
    empty(&passing.id, layout::CONTAINER_RECORD);
    assert!(store.find_container("passing").unwrap_err().is_not_found());
    store.gc(crate::Partials::Keep).unwrap();
    let next = create(&store, "passing");
    // One that is damaged is somebody's.
    let damaged = create(&store, "damaged");
    std::fs::write(store.path(&layout::in_container(&damaged.id, layout::CONTAINER_RECORD)), "{").unwrap();
    assert_eq!(store.sweep_containers().unwrap(), [passing.id]);
    let mut left = store.container_ids().unwrap();
    left.sort();
    let mut expected = [lasting.id, next.id, damaged.id];
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn anonymous_volumes_are_swept_once_nobody_has_them() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let dead = Some(ProcessId { pid: 4_194_300, start_time: 1 });
    for (name, anonymous, creator) in [
        ("used", true, dead),
        ("left", true, dead),
        ("coming", true, ProcessId::own()),
        ("made-by-hand", true, None),
        ("named", false, dead),
    ] {
        let record = VolumeRecord { anonymous, creator, ..VolumeRecord::local(name, Timestamp::UNIX_EPOCH) };
        store.create_volume(&record, Durability::Volatile).unwrap();
    }
    let user = ContainerRecord { volumes: vec!["used".into()], ..container("web") };
    store.create_container(&user, Durability::Volatile).unwrap();
    assert_eq!(store.sweep_volumes().unwrap(), ["left"]);
    store.remove_container(&user.id).unwrap();
    assert_eq!(store.sweep_volumes().unwrap(), ["used"]);
    assert_eq!(store.volumes().unwrap().items.len(), 3);
}

#[test]
fn a_lock_names_its_holder_and_ends_with_the_container() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let record = create(&store, "web");
    let guard = store.lock_container(&record.id, Access::Exclusive, Wait::NONE).unwrap();
    let refused =
        store.lock_container(&record.id, Access::Shared, Wait::at_most(Duration::from_millis(5))).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(&format!("process {} (", std::process::id())), "{text}");
    std::thread::scope(|scope| {
        let (waits, is_waiting) = std::sync::mpsc::channel();
        let (store, id) = (&store, &record.id);
        let waiting = scope.spawn(move || {
            let tell = |_: Option<&crate::Holder>| waits.send(()).unwrap();
            store.lock_container(id, Access::Exclusive, Wait::forever().telling(&tell)).map(drop)
        });
        is_waiting.recv().unwrap();
        store.remove_container(id).unwrap();
        drop(guard);
        assert!(waiting.join().unwrap().unwrap_err().is_not_found());
    });
    assert!(entries(&store, layout::CONTAINERS).is_empty());
}

/// Run in child processes by the tests below: makes and removes containers of the same names until it is killed.
#[test]
fn churn_as_child() {
    let Some(root) = std::env::var_os(STORE) else { return };
    let store = Store::open(Path::new(&root)).unwrap();
    println!("begin");
    for round in 0..40 {
        store.sweep().unwrap();
        let record = container(&format!("shared{}", round % 3));
        match store.create_container(&record, Durability::Volatile) {
            Ok(()) => {
                store.write_state(&record.id, &running_state(ProcessId::own().unwrap())).unwrap();
                match store.rename_container(&record.id, &format!("other{}", round % 2), Durability::Volatile) {
                    Err(error) => assert!(matches!(error.kind, Kind::NameInUse { .. }), "{error}"),
                    Ok(_) => store.clear_state(&record.id).unwrap(),
                }
                store.remove_container(&record.id).unwrap();
            }
            Err(error) => assert!(matches!(error.kind, Kind::NameInUse { .. }), "{error}"),
        }
    }
}

#[test]
fn processes_share_names_without_losing_any() {
    let scratch = Scratch::new();
    let root = scratch.path().join("store");
    let children: Vec<_> = (0..6)
        .map(|_| child(&format!("{NAME}::churn_as_child"), STORE, &root).stdout(std::process::Stdio::null()).spawn())
        .collect();
    for child in children {
        assert!(child.unwrap().wait().unwrap().success());
    }
    let store = open(&scratch);
    store.sweep().unwrap();
    for relative in [layout::CONTAINERS, layout::NAMES, layout::RUN, layout::TMP, layout::TRASH] {
        assert!(entries(&store, relative).is_empty(), "{relative}: {:?}", entries(&store, relative));
    }
}

#[test]
fn a_create_killed_at_any_moment_leaves_whole_containers_or_none() {
    use std::io::BufRead;
    let scratch = Scratch::new();
    let root = scratch.path().join("store");
    for round in 0..25 {
        let mut command = child(&format!("{NAME}::churn_as_child"), STORE, &root);
        let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("begin") {}
        // Not to wait for something, but to kill at other moments.
        std::thread::sleep(Duration::from_micros(round * 211));
        process.kill().unwrap();
        process.wait().unwrap();
        let store = open(&scratch);
        let listing = store.containers().unwrap();
        assert!(listing.damaged.is_empty());
        for record in listing.items {
            assert_eq!(store.find_container(&record.name).unwrap().id, record.id);
            assert!(store.upper_dir(&record.id).is_dir());
            store.remove_container(&record.id).unwrap();
        }
        assert!(store.running().unwrap().is_empty());
        store.sweep().unwrap();
        assert!(entries(&store, layout::TMP).is_empty() && entries(&store, layout::TRASH).is_empty());
        for n in 0..3 {
            let record = create(&store, &format!("shared{n}"));
            store.remove_container(&record.id).unwrap();
        }
    }
}
