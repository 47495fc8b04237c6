//! Programs as text. Order is what these tests are about: each step stands where the ones before it have made it safe or possible.

use super::compile;
use crate::capability::{Set, Sets};
use crate::plan::*;
use crate::rootfs::Rootfs;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

fn null() -> OwnedFd {
    std::fs::File::open("/dev/null").unwrap().into()
}

fn guest(path: &str) -> GuestPath {
    GuestPath::parse(path).unwrap()
}

/// A small plan, with nothing that is not asked for.
fn plan() -> Plan {
    Plan {
        rootfs: Rootfs { mount: null(), name: c"root".into() },
        root_access: Access::Writable,
        users: Users::Launcher,
        namespaces: Namespaces {
            pid: Namespace::New,
            ipc: Namespace::New,
            uts: Namespace::New,
            net: Namespace::New,
            cgroup: Namespace::New,
        },
        hostname: Name::Set(c"guest".into()),
        domainname: Name::Keep,
        mounts: vec![Mount::Proc],
        devices: Vec::new(),
        masked: Vec::new(),
        read_only: Vec::new(),
        sysctls: Vec::new(),
        rlimits: Vec::new(),
        oom_score: OomScore::Inherit,
        umask: 0o022,
        capabilities: Sets::for_user(0, Set(0xff), Set::EMPTY),
        privileges: Privileges::MayGain,
        seccomp: Seccomp::Unconfined,
        process: Process {
            argv: vec![c"sh".into()],
            envp: Vec::new(),
            candidates: candidates(c"sh", b"/bin::/usr/bin"),
            workdir: Workdir { path: guest("/srv"), missing: MissingWorkdir::Refuse },
            uid: 0,
            gid: 0,
            groups: Groups::Set(vec![5]),
            personality: crate::plan::Personality::Inherit,
        },
        stdio: Stdio::Inherit([null(), null(), null()]),
        passed: Vec::new(),
        entry: Entry::Direct,
        parent: Parent::Launcher,
        cgroup: Cgroup::Inherit,
    }
}

fn text(plan: &Plan) -> String {
    compile(plan).unwrap().to_string()
}

/// The given lines come in this order, others between them or not.
fn ordered(program: &str, lines: &[&str]) {
    let mut rest = program.lines();
    for line in lines {
        assert!(rest.any(|found| found.starts_with(line)), "no {line:?} at its place in:\n{program}");
    }
}

#[test]
fn the_smallest_program() {
    let expected = "\
prepare: #0 = \"stdin\"
prepare: #1 = \"stdout\"
prepare: #2 = \"stderr\"
prepare: #3 = \"root\"
clone: mnt pid ipc uts net
unshare cgroup
session
keyring
hostname \"guest\"
loopback up
attach root #3
#4 = mount proc rw,nosuid,nodev,noexec
attach #4 at \"/proc\" directory no links
pivot #3
barrier
not dumpable
umask 0022
own pipe #0 0
own pipe #1 0
own pipe #2 0
pass #0 as 0
pass #1 as 1
pass #2 as 2
close the rest
chdir \"/srv\"
bounding 0xff
keep capabilities
groups [5]
gid 0
uid 0
chdir again \"/srv\"
capabilities e=0xff p=0xff i=0x0
ambient 0x0
signals to defaults
execute
  \"/bin/sh\"
  \"./sh\"
  \"/usr/bin/sh\"
";
    assert_eq!(text(&plan()), expected);
}

#[test]
fn file_systems_are_made_before_the_hosts_view_is_covered() {
    let mut plan = plan();
    plan.mounts.extend([
        Mount::Sysfs(Access::ReadOnly),
        Mount::Cgroup(Access::Writable),
        Mount::File(File {
            target: guest("/etc/hosts"),
            contents: vec![0; 5000],
            mode: 0o644,
            uid: 1,
            gid: 2,
            access: Access::ReadOnly,
        }),
    ]);
    let program = text(&plan);
    // The kernel makes a procfs or sysfs only where the host's can be seen in full, and the staged files cover the host's /proc.
    ordered(
        &program,
        &[
            "#4 = mount proc",
            "#5 = mount sysfs ro",
            "#6 = mount cgroup2 rw",
            "stage #7",
            "#8 = clone #7 \"0\" ro,",
            "attach #4 at \"/proc\" directory no links",
            "attach #5 at \"/sys\" directory no links",
            "attach #6 at \"/sys/fs/cgroup\" directory no links",
            "attach #8 at \"/etc/hosts\" file not proc",
            "pivot",
        ],
    );
    assert!(program.contains("prepare: #7 file \"0\" 0644 1:2 5000 bytes\n"), "{program}");
}

#[test]
fn protection_comes_after_all_mounts_and_sysctls_before_it() {
    let mut plan = plan();
    plan.mounts.push(Mount::Tmpfs(Tmpfs {
        name: c"tmpfs".into(),
        target: guest("/data"),
        size: Size::HalfOfMemory,
        mode: 0o700,
        uid: 0,
        gid: 0,
        attributes: Attributes::default(),
        content: Content::CopyUp,
    }));
    plan.masked = vec![guest("/proc/keys")];
    plan.read_only = vec![guest("/proc/sys")];
    plan.sysctls = vec![Sysctl::parse("net.ipv4.ip_forward", "1").unwrap()];
    plan.root_access = Access::ReadOnly;
    plan.process.workdir.missing = MissingWorkdir::Create;
    ordered(
        &text(&plan),
        &[
            "prepare: #5 = tmpfs 0700 0:0 rw",
            "prepare: #5 copy of #3 /data",
            "prepare: #5 rw",
            "prepare: #6 = clone device \"/dev/null\"",
            "prepare: #7 = tmpfs 4096 bytes 0755 0:0 ro",
            "attach #5 at \"/data\"",
            "sysctl \"net/ipv4/ip_forward\" = \"1\"",
            "read-only \"/proc/sys\"",
            "mask \"/proc/keys\"",
            "make directory \"/srv\" 0:0",
            "read-only root #3",
            "pivot",
        ],
    );
}

#[test]
fn the_filter_comes_as_late_as_it_can() {
    let mut plan = plan();
    plan.seccomp = Seccomp::Filter(vec![kernel::seccomp::Insn::default()], kernel::seccomp::Flags::LOG);
    ordered(
        &text(&plan),
        &[
            "uid 0",
            // With the capability to load it, which then goes.
            "capabilities e=0x2000ff p=0x2000ff",
            "seccomp 1 instructions flags=0x2",
            "capabilities e=0xff p=0xff",
            "execute",
        ],
    );
    plan.privileges = Privileges::NoNew;
    let program = text(&plan);
    ordered(&program, &["capabilities e=0xff p=0xff", "ambient", "no new privileges", "seccomp", "signals", "execute"]);
    assert!(!program.contains("0x2000ff"), "{program}");
}

#[test]
fn with_neighbours_the_curtain_closes_first() {
    let mut shared = plan();
    shared.namespaces.pid = Namespace::Join(null());
    shared.namespaces.net = Namespace::Join(null());
    let program = text(&shared);
    ordered(&program, &["clone: mnt ipc uts", "not dumpable", "join net", "unshare cgroup", "barrier"]);
    assert_eq!(program.matches("not dumpable").count(), 1);
    assert!(!program.contains("loopback") && !program.contains("tell network"), "{program}");
    // Whoever connects a network of the container's own must be given it.
    shared.namespaces.net = Namespace::New;
    ordered(&text(&shared), &["not dumpable", "loopback", "tell network namespace", "barrier"]);
    // Alone, it waits for the barrier, so that the launcher's helpers can open what they need.
    ordered(&text(&plan()), &["barrier", "not dumpable", "execute"]);
}

#[test]
fn a_terminal_needs_a_devpts_and_comes_from_it() {
    let mut plan = plan();
    plan.stdio = Stdio::Terminal(WindowSize { rows: 24, columns: 80 });
    assert!(compile(&plan).is_err());
    plan.mounts.extend([Mount::Dev { size: 65536 }, Mount::Devpts(TtyGroup::Opener)]);
    ordered(
        &text(&plan),
        &[
            "prepare: #5 = devpts",
            "prepare: #0, #1 = terminal of #5 80x24",
            "prepare: #4 file \"console\"",
            "attach #4 at \"/dev\" directory no links",
            "attach #5 at \"/dev/pts\" directory no links",
            "attach open #1 at #4 \"console\"",
        ],
    );
    ordered(&text(&plan), &["barrier", "own terminal #1 0", "terminal #1", "pass #1 as 0", "pass #1 as 2"]);
}

#[test]
fn devices_below_dev_are_made_in_it_and_others_attached() {
    let mut plan = plan();
    plan.mounts.push(Mount::Dev { size: 65536 });
    let device = |target: &str, node| Device {
        source: null(),
        name: CString::new(target).unwrap(),
        target: guest(target),
        node,
    };
    let made = Node::Make { mode: 0o660, uid: 1, gid: 2 };
    plan.devices =
        vec![device("/dev/null", Node::Bind), device("/dev/zero", made), device("/dev/dri/card0", Node::Bind)];
    let program = text(&plan);
    ordered(
        &program,
        &[
            "prepare: #6 = clone device \"/dev/null\"",
            "prepare: #5 file \"null\"",
            "prepare: #5 node \"zero\" 0660 1:2",
            "prepare: #7 = clone device \"/dev/dri/card0\"",
        ],
    );
    ordered(
        &program,
        &["attach #5 at \"/dev\"", "attach #6 at #5 \"null\"", "attach #7 at \"/dev/dri/card0\" file not proc"],
    );
}

#[test]
fn contradictions_are_refused() {
    let refused = |change: fn(&mut Plan)| {
        let mut plan = plan();
        change(&mut plan);
        assert!(compile(&plan).is_err());
    };
    refused(|plan| plan.process.argv.clear());
    refused(|plan| {
        plan.mounts.push(Mount::Bind(Bind {
            source: null(),
            name: c"host".into(),
            target: guest("/tmp/.."),
            depth: Depth::Single,
            attributes: Attributes::default(),
            propagation: Propagation::RPrivate,
        }));
    });
    refused(|plan| plan.passed = vec![Passed { number: 1, fd: null() }]);
    refused(|plan| plan.passed = [3, 4, 3].map(|number| Passed { number, fd: null() }).into());
    refused(|plan| {
        plan.namespaces.ipc = Namespace::Host;
        plan.sysctls = vec![Sysctl::parse("kernel.sem", "1 2 3 4").unwrap()];
    });
    refused(|plan| {
        plan.mounts.clear();
        plan.sysctls = vec![Sysctl::parse("net.core.somaxconn", "1").unwrap()];
    });
}

#[test]
fn only_parameters_of_namespaces_are_sysctls() {
    for name in [
        "net.ipv4.conf.all.forwarding",
        "net/core/somaxconn",
        "kernel.shm_rmid_forced",
        "fs.mqueue.msg_max",
        "kernel.domainname",
    ] {
        assert!(Sysctl::parse(name, "1").is_ok(), "{name}");
    }
    // With slashes first, a dot is part of a word, as sysctl(8) has it.
    assert_eq!(
        Sysctl::parse("net/ipv4/conf/eth0.1/forwarding", "1").unwrap().path(),
        c"net/ipv4/conf/eth0.1/forwarding"
    );
    assert_eq!(
        Sysctl::parse("net.ipv4.conf.eth0/1.forwarding", "1").unwrap().path(),
        c"net/ipv4/conf/eth0.1/forwarding"
    );
    for name in [
        "kernel.core_pattern",
        "vm.swappiness",
        "net/../kernel/core_pattern",
        "net..x",
        "",
        "net",
        "/net/x",
        "net/./x",
        "net/x\0",
    ] {
        assert!(Sysctl::parse(name, "1").is_err(), "{name:?}");
    }
}

#[test]
fn guest_paths_are_clean_and_absolute() {
    for (text, clean) in [("/", "/"), ("//a/./b/", "/a/b"), ("/../../x", "/x"), ("/a/../b", "/b"), ("/..", "/")] {
        assert_eq!(guest(text).as_bytes(), clean.as_bytes());
    }
    for text in ["", "a", "./a", "/a\0b", &format!("/{}", "x".repeat(256)), &"/x".repeat(2048)] {
        assert!(GuestPath::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(guest("/dev/null").entry_of(c"/dev"), Some(c"null"));
    for text in ["/dev", "/dev/a/b", "/device/x", "/"] {
        assert_eq!(guest(text).entry_of(c"/dev"), None, "{text}");
    }
}

#[test]
fn a_further_process_hides_before_it_joins() {
    use kernel::clone::Namespaces as Kinds;
    let plan = plan();
    let plan = crate::ExecPlan {
        process: plan.process,
        capabilities: plan.capabilities,
        privileges: plan.privileges,
        seccomp: plan.seccomp,
        rlimits: Vec::new(),
        oom_score: OomScore::Set(-7),
        umask: 0o022,
        stdio: Stdio::Terminal(WindowSize { rows: 24, columns: 80 }),
        passed: vec![Passed { number: 4, fd: null() }],
        entry: Entry::Direct,
        cgroup: Cgroup::Inherit,
    };
    let (container, root) = (null(), null());
    let joined = Kinds::USER | Kinds::PID | Kinds::MOUNT | Kinds::NET;
    let program = super::compile_exec(&plan, container.as_fd(), root.as_fd(), joined, None).unwrap();
    let text = program.to_string();
    ordered(
        &text,
        &[
            "prepare: #0 = \"passed\"",
            "prepare: #1, #2 = terminal inside 80x24",
            "clone:",
            "oom score -7",
            "not dumpable",
            "join process mnt net",
            "session",
            "keyring",
            "barrier",
            "own terminal #2 0",
            "terminal #2",
            "pass #2 as 0",
            "pass #0 as 4",
            "close the rest",
            "chdir \"/srv\"",
            "bounding",
            "execute",
        ],
    );
    assert_eq!(text.matches("not dumpable").count(), 1);
    assert!(
        matches!(&program.pid_namespace, Some(super::BirthPlace::Process(_, kinds)) if *kinds == Kinds::USER | Kinds::PID)
    );
}
