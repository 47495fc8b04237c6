//! Who the process is and what it may do.

use crate::sandbox::{Sandbox, allowed};
use kernel::seccomp::{Flags, Insn};
use runtime::capability::{Set, Sets};
use runtime::plan::*;

fn status(output: &str, field: &str) -> String {
    let line = output.lines().find(|line| line.starts_with(&format!("{field}:")));
    line.unwrap_or_else(|| panic!("no {field}: {output}"))
        .split_once(':')
        .unwrap()
        .1
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn caps(output: &str) -> [u64; 5] {
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        .map(|name| u64::from_str_radix(&status(output, name), 16).unwrap())
}

pub(crate) fn root_has_what_was_given_and_no_more(sandbox: &mut Sandbox) {
    let output = sandbox.shell("cat /proc/self/status");
    let given = allowed().0;
    assert_eq!(caps(&output), [0, given, given, given, 0]);
    assert_eq!(status(&output, "Uid"), "0 0 0 0");
    assert_eq!(status(&output, "Groups"), "");
    assert_eq!(status(&output, "NoNewPrivs"), "0");
    assert_eq!(status(&output, "Seccomp"), "0");
}

pub(crate) fn another_user_has_nothing(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("cat /proc/self/status; touch /owned");
    (plan.process.uid, plan.process.gid) = (1000, 1000);
    plan.capabilities = Sets::for_user(1000, allowed(), Set::EMPTY);
    let output = sandbox.run(plan).output;
    assert_eq!(caps(&output), [0, 0, 0, allowed().0, 0]);
    assert!(output.contains("/owned: Permission denied"), "{output}");
}

pub(crate) fn added_capabilities_are_ambient(sandbox: &mut Sandbox) {
    let added = Set::named("net_raw").unwrap();
    let mut plan = sandbox.plan("cat /proc/self/status");
    (plan.process.uid, plan.process.gid) = (1000, 1000);
    plan.capabilities = Sets::for_user(1000, allowed().or(added), added);
    let bounding = allowed().or(added).0;
    assert_eq!(caps(&sandbox.run(plan).output), [added.0, added.0, added.0, bounding, added.0]);
}

pub(crate) fn ids_are_exact(sandbox: &mut Sandbox) {
    for (uid, gid, groups) in [(0, 0, vec![]), (1, 0, vec![]), (1000, 1001, vec![10, 20, 5]), (65534, 65534, vec![])] {
        let mut plan = sandbox.plan("cat /proc/self/status");
        (plan.process.uid, plan.process.gid) = (uid, gid);
        plan.process.groups = Groups::Set(groups.clone());
        let output = sandbox.run(plan).output;
        assert_eq!(status(&output, "Uid"), [uid; 4].map(|id| id.to_string()).join(" "));
        assert_eq!(status(&output, "Gid"), [gid; 4].map(|id| id.to_string()).join(" "));
        let mut sorted = groups;
        sorted.sort_unstable();
        let sorted: Vec<String> = sorted.iter().map(u32::to_string).collect();
        assert_eq!(status(&output, "Groups"), sorted.join(" "));
    }
    // An id that the namespace does not have is refused, not replaced.
    if sandbox.rootless {
        let mut plan = sandbox.plan("true");
        plan.process.uid = 4_000_000;
        let error = sandbox.try_run(plan).unwrap_err();
        assert!(error.to_string().contains("uid 4000000"), "{error}");
    }
}

pub(crate) fn limits_and_masks(sandbox: &mut Sandbox) {
    let mut plan =
        sandbox.plan("ulimit -Sn; ulimit -Hn; ulimit -Sc; umask; cat /proc/self/oom_score_adj; cat /proc/self/limits");
    plan.rlimits = vec![
        Rlimit { resource: Resource::Nofile, soft: 40, hard: 50 },
        Rlimit { resource: Resource::Core, soft: 0, hard: 0 },
        Rlimit { resource: Resource::Rttime, soft: 70, hard: 80 },
    ];
    plan.umask = 0o027;
    plan.oom_score = OomScore::Set(500);
    let output = sandbox.run(plan).output;
    assert!(output.starts_with("40\n50\n0\n0027\n500\n"), "{output}");
    let realtime = output.lines().find(|line| line.starts_with("Max realtime timeout")).unwrap();
    assert_eq!(realtime.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["70", "80"]);
}

pub(crate) fn no_new_privileges(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("cat /proc/self/status");
    plan.privileges = Privileges::NoNew;
    plan.seccomp = Seccomp::Filter(refuse_uname(), Flags::LOG);
    let output = sandbox.run(plan).output;
    assert_eq!(status(&output, "NoNewPrivs"), "1");
    assert_eq!(status(&output, "Seccomp"), "2");
    assert_eq!(caps(&output)[2], allowed().0);
}

/// Answers uname(2) with EPERM and allows the rest.
fn refuse_uname() -> Vec<Insn> {
    let load = Insn { code: 0x20, jt: 0, jf: 0, k: 0 };
    let is_uname = Insn { code: 0x15, jt: 0, jf: 1, k: libc::SYS_uname as u32 };
    let result = |k| Insn { code: 0x06, jt: 0, jf: 0, k };
    vec![load, is_uname, result(0x0005_0001), result(0x7fff_0000)]
}

pub(crate) fn the_filter(sandbox: &mut Sandbox) {
    for uid in [0, 1000] {
        let mut plan = sandbox.plan("cat /proc/self/status; hostname");
        (plan.process.uid, plan.process.gid) = (uid, uid);
        plan.capabilities = Sets::for_user(uid, allowed(), Set::EMPTY);
        plan.seccomp = Seccomp::Filter(refuse_uname(), Flags::NONE);
        let ended = sandbox.run(plan);
        assert_eq!(status(&ended.output, "Seccomp"), "2");
        assert_eq!(status(&ended.output, "NoNewPrivs"), "0");
        // The capability that loads the filter is gone again.
        let expected = if uid == 0 { allowed().0 } else { 0 };
        assert_eq!(caps(&ended.output)[1], expected);
        assert!(!ended.output.contains("guest"), "{}", ended.output);
    }
}
