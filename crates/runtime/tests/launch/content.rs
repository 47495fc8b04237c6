//! What is where in a container.

use crate::sandbox::{Sandbox, file, guest, shell, tmpfs};
use runtime::plan::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// Mount point and options of each line of mountinfo.
fn mounts(output: &str) -> Vec<(String, String, String)> {
    output
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let kind = line.split(" - ").nth(1).unwrap().split(' ').next().unwrap();
            (fields[4].to_owned(), fields[5].to_owned(), kind.to_owned())
        })
        .collect()
}

pub(crate) fn the_system_mounts(sandbox: &mut Sandbox) {
    let output = sandbox.shell("cat /proc/self/mountinfo");
    let mounts = mounts(&output);
    for (point, kind, options) in [
        ("/", "overlay", "rw"),
        ("/proc", "proc", "rw,nosuid,nodev,noexec"),
        ("/dev", "tmpfs", "rw,nosuid"),
        ("/dev/pts", "devpts", "rw,nosuid,noexec"),
        ("/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec"),
        ("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec"),
        ("/sys", "sysfs", "ro,nosuid,nodev,noexec"),
        ("/sys/fs/cgroup", "cgroup2", "ro,nosuid,nodev,noexec"),
    ] {
        let found =
            mounts.iter().find(|(at, ..)| at == point).unwrap_or_else(|| panic!("nothing at {point}: {output}"));
        assert!(found.2 == kind && found.1.starts_with(options), "{point}: {found:?}");
    }
    // Nothing of the host is left over, below or beside the root.
    assert!(!output.contains(sandbox.path("host").to_str().unwrap()), "{output}");
    assert_eq!(mounts[0].0, "/");
}

pub(crate) fn the_devices(sandbox: &mut Sandbox) {
    let output = sandbox.shell(
        "cd /dev; for d in null zero full random urandom tty; do test -c $d || echo missing $d; done; \
         for l in fd stdin stdout stderr ptmx core; do readlink $l; done; echo gone > null; \
         head -c 3 zero | wc -c; echo x 2>&1 > full; test -c ptmx && echo ptmx; chmod 600 null 2>/dev/null; ls -a | wc -l",
    );
    let lines: Vec<&str> = output.lines().collect();
    let links = ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx", "/proc/kcore"];
    assert_eq!(&lines[..6], links, "{output}");
    assert!(lines[6].trim() == "3" && output.contains("No space left") && output.contains("\nptmx\n"), "{output}");
    // 6 devices, 6 links, 3 directories, and the two dots.
    assert_eq!(lines.last().unwrap().trim(), "17", "{output}");
    assert_eq!(std::fs::metadata("/dev/null").unwrap().mode() & 0o777, 0o666, "the host's node was changed");
}

pub(crate) fn files_are_not_in_the_image(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("cat /etc/hosts /run/deep/er/.containerenv; stat -c %a:%u:%g /etc/hosts; echo more >> /etc/hosts; cat /etc/hosts; echo no >> /etc/closed");
    plan.mounts.push(file("/etc/hosts", "secret-hosts\n"));
    plan.mounts.push(file("/run/deep/er/.containerenv", "engine\n"));
    let mut closed = match file("/etc/closed", "closed\n") {
        Mount::File(file) => file,
        _ => unreachable!(),
    };
    closed.access = Access::ReadOnly;
    plan.mounts.push(Mount::File(closed));
    let ended = sandbox.run(plan);
    assert!(ended.output.starts_with("secret-hosts\nengine\n640:0:0\nsecret-hosts\nmore\n"), "{}", ended.output);
    assert!(ended.output.contains("Read-only file system"), "{}", ended.output);
    let left = std::fs::read(sandbox.path("upper/etc/hosts")).unwrap();
    assert!(left.is_empty(), "the content reached the disk: {left:?}");
}

pub(crate) fn masked_paths(sandbox: &mut Sandbox) {
    sandbox.write("host/secret", "secret");
    std::fs::create_dir_all(sandbox.path("host/inner")).unwrap();
    sandbox.write("host/inner/secret", "secret");
    let mut plan = sandbox.plan(
        "cat /proc/keys /proc/timer_list | wc -c; ls -A /sys/firmware /proc/acpi | grep -v : | wc -w; cat /v/secret; ls -A /v/inner; \
         echo x > /v/inner/y; echo done",
    );
    let volume = sandbox.bind("host", "/v", Attributes::default());
    plan.mounts.push(volume);
    plan.masked.extend(["/v/secret", "/v/inner", "/v/inner/secret", "/v/secret", "/nowhere/at/all"].map(guest));
    let ended = sandbox.run(plan);
    let lines: Vec<&str> = ended.output.lines().map(str::trim).collect();
    assert_eq!(&lines[..2], ["0", "0"], "{}", ended.output);
    assert!(!ended.output.contains("secret") && ended.output.contains("Read-only file system"), "{}", ended.output);
    assert!(ended.output.ends_with("done\n"), "{}", ended.output);
}

pub(crate) fn read_only_paths(sandbox: &mut Sandbox) {
    let output = sandbox.shell(
        "for f in /proc/sys/kernel/core_pattern /proc/irq/default_smp_affinity /proc/sys/kernel/hostname; do \
         echo x 2>&1 > $f | cat; done; echo 0 > /proc/self/oom_score_adj && echo fine",
    );
    assert_eq!(output.matches("Read-only file system").count(), 3, "{output}");
    assert!(output.ends_with("fine\n"), "{output}");
}

pub(crate) fn a_read_only_root(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("touch /x; touch /v/x /dev/shm/x /dev/x && pwd");
    plan.root_access = Access::ReadOnly;
    let volume = sandbox.bind("host", "/v", Attributes::default());
    plan.mounts.push(volume);
    plan.process.workdir = Workdir { path: guest("/made/for/it"), missing: MissingWorkdir::Create };
    let ended = sandbox.run(plan);
    assert!(ended.output.contains("/x: Read-only file system"), "{}", ended.output);
    assert!(ended.output.ends_with("/made/for/it\n") && sandbox.path("host/x").exists(), "{}", ended.output);
}

pub(crate) fn binds_and_what_they_allow(sandbox: &mut Sandbox) {
    sandbox.write("host/script", "#!/bin/sh\necho ran\n");
    std::fs::set_permissions(sandbox.path("host/script"), PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.write("one", "one file\n");
    let mut plan = sandbox.plan("cat /etc/one; /rw/script; /ro/script; touch /ro/x; touch /rw/x; ls -A /made/deep");
    let ro = sandbox.bind("host", "/ro", Attributes { read_only: true, no_exec: true, ..Attributes::default() });
    let rw = sandbox.bind("host", "/rw", Attributes::default());
    let one = sandbox.bind("one", "/etc/one", Attributes::default());
    let deep = sandbox.bind("host", "/made/deep", Attributes::default());
    plan.mounts.extend([ro, rw, one, deep]);
    let ended = sandbox.run(plan);
    let text = &ended.output;
    assert!(text.starts_with("one file\nran\n"), "{text}");
    assert!(text.contains("/ro/script: Permission denied") && text.contains("/ro/x: Read-only file system"), "{text}");
    assert!(text.ends_with("script\nx\n") && sandbox.path("host/x").exists(), "{text}");
    assert!(!sandbox.path("image/made").exists() && sandbox.path("upper/made/deep").exists());
}

pub(crate) fn tmpfs_and_copy_up(sandbox: &mut Sandbox) {
    std::fs::create_dir_all(sandbox.path("image/var/inner")).unwrap();
    sandbox.write("image/var/inner/file", "from the image\n");
    symlink("inner/file", sandbox.path("image/var/link")).unwrap();
    std::fs::hard_link(sandbox.path("image/var/inner/file"), sandbox.path("image/var/again")).unwrap();
    std::fs::set_permissions(sandbox.path("image/var"), PermissionsExt::from_mode(0o2751)).unwrap();
    sandbox.write("image/var/tool", "");
    std::fs::set_permissions(sandbox.path("image/var/tool"), PermissionsExt::from_mode(0o4755)).unwrap();
    let mut plan = sandbox.plan(
        "cat /var/link; stat -c %a /var; stat -c %h /var/again; stat -c %a /var/tool; touch /var/x; ls -A /empty; stat -c %a:%u:%g /empty; \
         head -c 2000000 /dev/zero 2>&1 > /empty/big | cat; stat -c %s /empty/big; touch /closed/x",
    );
    let copied = Tmpfs { content: Content::CopyUp, ..tmpfs("/var", 0o755) };
    let empty = Tmpfs { uid: 7, gid: 8, ..tmpfs("/empty", 0o1750) };
    let mut closed = tmpfs("/closed", 0o755);
    closed.attributes.read_only = true;
    plan.mounts.extend([copied, empty, closed].map(Mount::Tmpfs));
    let ended = sandbox.run(plan);
    let text = &ended.output;
    assert!(text.starts_with("from the image\n2751\n2\n4755\n1750:7:8\n"), "{text}");
    assert!(text.contains("\n1048576\n") && text.contains("/closed/x: Read-only file system"), "{text}");
    assert!(!sandbox.path("upper/var/x").exists());
}

pub(crate) fn the_working_directory(sandbox: &mut Sandbox) {
    symlink("/srv/real", sandbox.path("image/etc/work")).unwrap();
    for (path, missing, expected) in [
        ("/tmp", MissingWorkdir::Refuse, "/tmp\n"),
        ("/new/one", MissingWorkdir::Create, "/new/one\n1000:1000\n"),
        ("/etc/work", MissingWorkdir::Create, "/srv/real\n1000:1000\n"),
        ("/etc/../../../tmp/./", MissingWorkdir::Refuse, "/tmp\n"),
    ] {
        let mut plan = sandbox.plan("readlink /proc/self/cwd; stat -c %u:%g .");
        plan.process.workdir = Workdir { path: guest(path), missing };
        (plan.process.uid, plan.process.gid) = (1000, 1000);
        let ended = sandbox.run(plan);
        assert!(ended.output.starts_with(expected), "{path}: {}", ended.output);
    }
    for (path, kind) in [("/none", runtime::Kind::WorkdirMissing), ("/etc/passwd", runtime::Kind::WorkdirMissing)] {
        let mut plan = sandbox.plan("true");
        plan.process.workdir = Workdir { path: guest(path), missing: MissingWorkdir::Refuse };
        assert_eq!(sandbox.try_run(plan).unwrap_err().kind(), kind, "{path}");
    }
}

pub(crate) fn network_and_names(sandbox: &mut Sandbox) {
    let output =
        sandbox.shell("hostname; cat /proc/net/dev | grep -c :; ip link show lo | grep -c LOOPBACK,UP; echo $$");
    assert_eq!(output, "guest\n1\n1\n1\n");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_ne!(host, "guest", "the host was renamed");
}

pub(crate) fn sysctls(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan(
        "cd /proc/sys; cat kernel/shmmni net/ipv4/ip_unprivileged_port_start kernel/domainname fs/mqueue/msg_max",
    );
    plan.sysctls = [
        ("kernel.shmmni", "77"),
        ("net/ipv4/ip_unprivileged_port_start", "80"),
        ("kernel.domainname", "home"),
        ("fs.mqueue.msg_max", "33"),
    ]
    .map(|(name, value)| Sysctl::parse(name, value).unwrap())
    .into();
    assert_eq!(sandbox.run(plan).output, "77\n80\nhome\n33\n");
    let mut plan = sandbox.plan("true");
    plan.namespaces.net = Namespace::Host;
    plan.sysctls = vec![Sysctl::parse("net.ipv4.ip_forward", "1").unwrap()];
    assert!(sandbox.try_run(plan).unwrap_err().to_string().contains("host"));
    let mut plan = sandbox.plan("true");
    plan.sysctls = vec![Sysctl::parse("net.no.such", "1").unwrap()];
    let error = sandbox.try_run(plan).unwrap_err();
    assert!(error.to_string().contains("net/no/such") && error.errno() == Some(2), "{error}");
}

pub(crate) fn without_dev(sandbox: &mut Sandbox) {
    // What masks files does not depend on the container's own /dev/null.
    let mut plan = sandbox.plan("cat /proc/keys /proc/timer_list | wc -c; ls -A /dev");
    plan.mounts = vec![Mount::Proc];
    plan.devices.clear();
    std::fs::create_dir_all(sandbox.path("image/dev")).unwrap();
    assert_eq!(sandbox.run(plan).output.trim(), "0");
}

pub(crate) fn host_namespaces(sandbox: &mut Sandbox) {
    let ours = |name: &str| {
        std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap().into_os_string().into_string().unwrap()
    };
    let mut plan = sandbox
        .plan("cd /proc/self/ns; for n in pid net ipc uts cgroup; do readlink $n; done; ls /proc/1 > /dev/null && ls /sys/class/net | wc -l");
    let spaces = &mut plan.namespaces;
    for space in [&mut spaces.pid, &mut spaces.net, &mut spaces.ipc, &mut spaces.uts, &mut spaces.cgroup] {
        *space = Namespace::Host;
    }
    plan.hostname = Name::Keep;
    let ended = sandbox.run(plan);
    let expected: Vec<String> = ["pid", "net", "ipc", "uts", "cgroup"].map(ours).into();
    let lines: Vec<&str> = ended.output.lines().collect();
    assert_eq!(&lines[..5], expected, "{}", ended.output);
    let devices = std::fs::read_dir("/sys/class/net").unwrap().count();
    assert_eq!(lines[5].trim(), devices.to_string());
}

pub(crate) fn volatile_overlays_start_again(sandbox: &mut Sandbox) {
    for expected in ["none\n", "kept\n"] {
        let rootfs = sandbox.overlay_with(runtime::rootfs::Durability::Volatile);
        let plan = sandbox.plan_on(rootfs, "cat /state 2>/dev/null || echo none; echo kept > /state");
        assert_eq!(sandbox.run(plan).output, expected);
    }
}

pub(crate) fn many_layers(sandbox: &mut Sandbox) {
    sandbox.enter();
    let mut lowers = Vec::new();
    for number in 0..40 {
        let name = format!("layer {number}:with,odd\\name");
        std::fs::create_dir_all(sandbox.path(&name)).unwrap();
        sandbox.write(&format!("{name}/top"), &format!("{number}\n"));
        lowers.push(sandbox.open(sandbox.path(&name)));
    }
    lowers.push(sandbox.open(sandbox.path("image")));
    let overlay = runtime::rootfs::Overlay {
        lowers,
        contents: Vec::new(),
        changes: Some(runtime::rootfs::Changes {
            upper: sandbox.open(sandbox.path("upper")),
            work: sandbox.open(sandbox.path("work")),
            durability: runtime::rootfs::Durability::Durable,
        }),
    };
    let before = std::env::current_dir().unwrap();
    let rootfs = runtime::Rootfs::overlay(&overlay, "test").unwrap();
    assert_eq!(std::env::current_dir().unwrap(), before);
    assert_eq!(rootfs.read_bounded(&guest("/top"), 100).unwrap().unwrap(), b"0\n");
    let mut plan = sandbox.plan_on(rootfs, "");
    plan.process = shell("cat /top");
    assert_eq!(sandbox.run(plan).output, "0\n");
}

pub(crate) fn the_callers_umask_does_not_lock_users_out(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("cat /made/deep/er/file; ls -d /dev/pts /dev/shm /dev/null; umask");
    sandbox.write("host/file", "seen\n");
    let volume = sandbox.bind("host", "/made/deep/er", Attributes::default());
    plan.mounts.push(volume);
    (plan.process.uid, plan.process.gid) = (1000, 1000);
    plan.capabilities = runtime::capability::Sets::default();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let ended = sandbox.run(plan);
    assert_eq!(ended.output, "seen\n/dev/null\n/dev/pts\n/dev/shm\n0022\n");
    assert_eq!(rustix::process::umask(rustix::fs::Mode::empty()).as_raw_mode(), 0o077, "the caller's mask changed");
}

pub(crate) fn a_directory_as_root(sandbox: &mut Sandbox) {
    sandbox.enter();
    let directory = sandbox.open(sandbox.path("image"));
    let rootfs = runtime::Rootfs::directory(&directory, "image").unwrap();
    assert!(rootfs.read_bounded(&guest("/etc/passwd"), 4096).unwrap().is_some());
    let mut plan = sandbox.plan_on(rootfs, "touch /here; cat /proc/self/mountinfo | grep -c ' / / '; ls -d /proc/1");
    plan.mounts.retain(|mount| matches!(mount, Mount::Proc | Mount::Dev { .. }));
    assert_eq!(sandbox.run(plan).code, 0);
    assert!(sandbox.path("image/here").exists());
}

pub(crate) fn devices_deeper_than_dev(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("test -c /dev/net/zero && head -c 2 /dev/net/zero | wc -c; test -c /opt/null && echo x > /opt/null && echo fine; chmod 0 /opt/null");
    let (deep, elsewhere) = (sandbox.device("/dev/zero", "/dev/net/zero"), sandbox.device("/dev/null", "/opt/null"));
    plan.devices.extend([deep, elsewhere]);
    let ended = sandbox.run(plan);
    assert!(
        ended.output.starts_with("2\nfine\n") && ended.output.contains("Read-only file system"),
        "{}",
        ended.output
    );
    let mut plan = sandbox.plan("true");
    let mut fake = sandbox.device("/dev/null", "/opt/fake");
    fake.source = sandbox.open("/etc/passwd");
    plan.devices.push(fake);
    assert!(sandbox.try_run(plan).unwrap_err().to_string().contains("not a device"));
}

pub(crate) fn a_control_group_of_its_own(sandbox: &mut Sandbox) {
    let top = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(std::path::PathBuf::from);
    let Some(top) = top.into_iter().find(|top| top.join("cgroup.procs").exists()) else {
        println!("skipped: no cgroup2 hierarchy");
        return;
    };
    let group = top.join(format!("lodger-launch-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir(&group) {
        println!("skipped: make {group:?}: {error}");
        return;
    }
    let mut plan = sandbox.plan("grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs");
    plan.cgroup = Cgroup::Into(std::fs::File::open(&group).unwrap().into());
    let result = sandbox.try_run(plan);
    std::fs::remove_dir(&group).unwrap();
    let output = result.unwrap().output;
    // It sees its group as the root, with its own processes and no other.
    assert!(output.starts_with("0::/\n1\n") && output.lines().count() <= 3, "{output}");
}
