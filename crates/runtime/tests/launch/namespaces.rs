//! User namespaces and those that containers share.

use crate::sandbox::{Sandbox, null, own_map, shell};
use runtime::plan::*;
use runtime::userns::{self, Map, Range};
use runtime::{Kind, ProcessId, Running};
use std::os::fd::OwnedFd;

fn link(process: &str, name: &str) -> String {
    std::fs::read_link(format!("/proc/{process}/ns/{name}")).unwrap().into_os_string().into_string().unwrap()
}

fn identity_map() -> Map {
    let all = vec![Range { inside: 0, outside: 0, count: 100_000 }];
    Map { uids: all.clone(), gids: all }
}

pub(crate) fn a_kept_namespace_is_joined_by_its_record(sandbox: &mut Sandbox) {
    let map = if sandbox.rootless { own_map() } else { identity_map() };
    let keeper = userns::create(&map).unwrap().keep(None).unwrap();
    assert!(keeper.is_alive());
    let recorded: ProcessId = keeper.to_string().parse().unwrap();
    let pid = recorded.pid.to_string();
    let own = link("self", "user");
    let theirs = link(&pid, "user");
    assert_ne!(own, theirs);
    // Nothing of the maker stays open in it, nor its session.
    // It closes them itself, once it runs.
    while std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), std::path::Path::new("/"));
    let session = rustix::process::getsid(rustix::process::Pid::from_raw(recorded.pid)).unwrap();
    assert_eq!(session.as_raw_nonzero().get(), recorded.pid);
    let wrong = ProcessId { start_time: recorded.start_time + 1, ..recorded };
    assert_eq!(userns::open(&wrong).unwrap_err().kind(), Kind::Gone);
    let namespace = userns::open(&recorded).unwrap();
    userns::enter(&namespace).unwrap();
    userns::private_mounts().unwrap();
    assert_eq!(link("self", "user"), theirs);
    assert!(rustix::process::getuid().is_root() && !userns::is_initial());
    // It outlives its keeper as long as anybody is in it.
    keeper.signal(libc::SIGTERM).unwrap();
    sandbox.joined();
    assert_eq!(sandbox.shell("id -u; cat /proc/self/uid_map | wc -l"), format!("0\n{}\n", map.uids.len()));
}

pub(crate) fn a_namespace_nobody_keeps_ends(sandbox: &mut Sandbox) {
    let map = if sandbox.rootless { own_map() } else { identity_map() };
    drop(userns::create(&map).unwrap());
    // No child is left behind, not even a zombie.
    assert_eq!(rustix::process::wait(rustix::process::WaitOptions::NOHANG).unwrap_err(), rustix::io::Errno::CHILD);
}

pub(crate) fn a_single_id_needs_no_helper(sandbox: &mut Sandbox) {
    let own = |outside| vec![Range { inside: 0, outside, count: 1 }];
    let map = Map { uids: own(rustix::process::getuid().as_raw()), gids: own(rustix::process::getgid().as_raw()) };
    assert!(map.is_single());
    let created = userns::create(&map).unwrap();
    userns::enter(&created.namespace).unwrap();
    userns::private_mounts().unwrap();
    sandbox.joined();
    let mut plan = sandbox.plan("cat /proc/self/uid_map; id -u; touch /made");
    // Without privilege outside, setgroups is denied for good; and group 5 does not exist.
    plan.process.groups = Groups::Keep;
    plan.mounts.retain(|mount| !matches!(mount, Mount::Devpts(_)));
    plan.mounts.push(Mount::Devpts(TtyGroup::Opener));
    let ended = sandbox.run(plan);
    let words: Vec<&str> = ended.output.split_whitespace().collect();
    assert_eq!((words[0], words[2], words[3], ended.code), ("0", "1", "0", 0), "{}", ended.output);
}

pub(crate) fn ranges_of_others_are_refused(sandbox: &mut Sandbox) {
    if !sandbox.rootless {
        println!("skipped: root may map every id");
        return;
    }
    let mut map = own_map();
    map.uids.push(Range { inside: 70_000, outside: 1, count: 10 });
    let error = userns::create(&map).unwrap_err();
    assert_eq!(error.kind(), Kind::RangeRefused, "{error}: {:?}", std::error::Error::source(&error));
    assert!(error.to_string().contains("newuidmap"), "{error}");
}

fn background(sandbox: &mut Sandbox, script: &str) -> Running {
    let mut plan = sandbox.plan(script);
    plan.stdio = Stdio::Inherit([null(), null(), null()]);
    let program = runtime::compile(&plan).unwrap();
    runtime::spawn(&program).unwrap().release().unwrap()
}

fn namespace(process: ProcessId, name: &str) -> Namespace {
    let file = std::fs::File::open(format!("/proc/{}/ns/{name}", process.pid)).unwrap();
    Namespace::Join(OwnedFd::from(file))
}

/// As the containers of a pod.
pub(crate) fn containers_share_namespaces(sandbox: &mut Sandbox) {
    let first = background(sandbox, "exec sleep 1000");
    let process = first.process;
    let mut plan = sandbox.second_plan(
        "for n in pid net ipc uts cgroup mnt; do readlink /proc/self/ns/$n; done; hostname; ls -d /proc/1; ip link show lo | grep -c UP; echo $$",
    );
    let spaces = &mut plan.namespaces;
    for (space, name) in
        [(&mut spaces.pid, "pid"), (&mut spaces.net, "net"), (&mut spaces.ipc, "ipc"), (&mut spaces.uts, "uts")]
    {
        *space = namespace(process, name);
    }
    let ended = sandbox.run(plan);
    let lines: Vec<&str> = ended.output.lines().collect();
    for (line, name) in lines.iter().zip(["pid", "net", "ipc", "uts"]) {
        assert_eq!(*line, link(&process.pid.to_string(), name), "{}", ended.output);
    }
    assert_ne!(lines[4], link(&process.pid.to_string(), "cgroup"));
    assert_ne!(lines[5], link(&process.pid.to_string(), "mnt"));
    assert_eq!(&lines[6..9], ["guest", "/proc/1", "1"], "{}", ended.output);
    assert_ne!(lines[9], "1");
    process.signal(9).unwrap();
}

pub(crate) fn the_launcher_reaches_the_network_before_the_payload_runs(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("");
    plan.process = shell("exit 3");
    let program = runtime::compile(&plan).unwrap();
    let mut spawned = runtime::spawn(&program).unwrap();
    spawned.wait_ready().unwrap();
    let network = spawned.network_namespace().unwrap();
    let inode = rustix::fs::fstat(&network).unwrap().st_ino;
    assert_ne!(format!("net:[{inode}]"), link("self", "net"));
    assert_eq!(format!("net:[{inode}]"), link(&spawned.process.pid.to_string(), "net"));
    assert_eq!(spawned.release().unwrap().wait().unwrap().code(), 3);
}

/// Why there is no namespace is said, not guessed from a bare number.
pub(crate) fn failures_say_why(sandbox: &mut Sandbox) {
    if !sandbox.rootless {
        println!("skipped: root needs no helper");
        return;
    }
    rustix::thread::set_no_new_privs(true).unwrap();
    let error = userns::create(&own_map()).unwrap_err();
    assert!(matches!(error.kind(), Kind::NoUserNamespaces(why) if why.contains("no_new_privs")), "{error}");
}
