//! Images and neighbours that mean harm. Each case has a canary on the host and ends with it untouched.

use crate::sandbox::{Sandbox, command, file, guest, null, shell};
use runtime::plan::*;
use runtime::{Kind, Plan};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, renameat_with};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;

/// What the directory holds, as names.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn refused(sandbox: &Sandbox, plan: Plan, what: &str) {
    match sandbox.try_run(plan) {
        Ok(ended) => panic!("{what} was started: {}", ended.output),
        Err(error) => assert_eq!(error.kind(), Kind::Hostile, "{what}: {error}"),
    }
}

pub(crate) fn dev_as_a_link(sandbox: &mut Sandbox) {
    let host = sandbox.path("host");
    for target in [host.to_str().unwrap().to_owned(), "../host".into(), "/tmp".into()] {
        let _ = std::fs::remove_file(sandbox.path("image/dev"));
        symlink(&target, sandbox.path("image/dev")).unwrap();
        let plan = sandbox.plan("true");
        refused(sandbox, plan, &target);
    }
    assert!(names(&host).is_empty());
}

pub(crate) fn proc_as_a_link(sandbox: &mut Sandbox) {
    for place in ["proc", "sys"] {
        let at = sandbox.path("image").join(place);
        symlink("/tmp", &at).unwrap();
        let plan = sandbox.plan("true");
        refused(sandbox, plan, place);
        std::fs::remove_file(&at).unwrap();
        std::fs::write(&at, "").unwrap();
        let plan = sandbox.plan("true");
        assert!(sandbox.try_run(plan).is_err(), "{place} as a file");
        std::fs::remove_file(&at).unwrap();
    }
}

pub(crate) fn volumes_over_proc(sandbox: &mut Sandbox) {
    symlink("/proc", sandbox.path("image/way")).unwrap();
    for target in
        ["/proc", "/proc/self", "/proc/sys/kernel", "/way", "/way/sys", "/proc/1/attr", "/tmp/../way/self/attr"]
    {
        let mut plan = sandbox.plan("true");
        let volume = sandbox.bind("host", target, Attributes::default());
        plan.mounts.push(volume);
        refused(sandbox, plan, target);
    }
    sandbox.write("one", "12 34\n");
    let mut plan = sandbox.plan("cat /proc/uptime");
    let uptime = sandbox.bind("one", "/proc/uptime", Attributes::default());
    plan.mounts.push(uptime);
    assert_eq!(sandbox.run(plan).output, "12 34\n");
}

pub(crate) fn workdir_through_a_descriptor(sandbox: &mut Sandbox) {
    sandbox.enter();
    let leaked: Vec<_> =
        (0..8).map(|_| rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()).collect();
    for number in 0..48 {
        for path in [
            format!("/proc/self/fd/{number}"),
            format!("/proc/1/fd/{number}/tmp"),
            format!("/proc/self/fd/{number}/.."),
        ] {
            for missing in [MissingWorkdir::Refuse, MissingWorkdir::Create] {
                let mut plan = sandbox.plan("readlink /proc/self/cwd");
                plan.process.workdir = Workdir { path: guest(&path), missing };
                // The last one is cleaned to its parent by text, which is inside.
                if let Ok(ended) = sandbox.try_run(plan) {
                    assert_eq!((ended.output.as_str(), path.ends_with("..")), ("/proc/1/fd\n", true), "{path}");
                }
            }
        }
    }
    drop(leaked);
    symlink("/proc/self/fd/3", sandbox.path("image/etc/work")).unwrap();
    let mut plan = sandbox.plan("true");
    plan.process.workdir = Workdir { path: guest("/etc/work"), missing: MissingWorkdir::Refuse };
    assert!(sandbox.try_run(plan).is_err());
}

pub(crate) fn accounts_that_are_no_files(sandbox: &mut Sandbox) {
    let passwd = sandbox.path("image/etc/passwd");
    let read = |sandbox: &mut Sandbox| {
        let rootfs = sandbox.overlay();
        rootfs.read_bounded(&guest("/etc/passwd"), 1 << 20).map_err(|error| error.kind())
    };
    assert!(read(sandbox).unwrap().unwrap().starts_with(b"root:"));
    std::fs::remove_file(&passwd).unwrap();
    assert_eq!(read(sandbox), Ok(None));
    rustix::fs::mknodat(CWD, &passwd, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    assert!(std::fs::metadata(&passwd).unwrap().file_type().is_fifo());
    assert_eq!(read(sandbox), Err(Kind::Hostile));
    std::fs::remove_file(&passwd).unwrap();
    std::fs::create_dir(&passwd).unwrap();
    assert_eq!(read(sandbox), Err(Kind::Hostile));
    std::fs::remove_dir(&passwd).unwrap();
    std::fs::File::create(&passwd).unwrap().set_len(10 << 30).unwrap();
    assert_eq!(read(sandbox), Err(Kind::TooLarge));
    sandbox.write("host/passwd", "canary:x:0:0::/:\n");
    for (target, expected) in [
        (sandbox.path("host/passwd").to_str().unwrap().to_owned(), Ok(None)),
        ("../../../../../../etc/hostname".into(), Ok(None)),
        ("group".into(), Ok(Some(()))),
        ("/proc/self/fd/0".into(), Ok(None)),
        ("passwd".into(), Err(Kind::System)),
    ] {
        std::fs::remove_file(&passwd).unwrap();
        symlink(&target, &passwd).unwrap();
        let found = read(sandbox);
        assert_eq!(found.as_ref().map(|found| found.as_ref().map(|_| ())).map_err(|kind| *kind), expected, "{target}");
    }
}

pub(crate) fn files_over_links(sandbox: &mut Sandbox) {
    let canary = sandbox.path("host/canary");
    std::fs::write(&canary, "untouched").unwrap();
    symlink(&canary, sandbox.path("image/etc/hosts")).unwrap();
    symlink("../run/resolve/stub.conf", sandbox.path("image/etc/resolv.conf")).unwrap();
    symlink("loop", sandbox.path("image/etc/loop")).unwrap();
    let inside = canary.to_str().unwrap().to_owned();
    let mut plan =
        sandbox.plan(&format!("cat /etc/hosts {inside} /etc/resolv.conf /run/resolve/stub.conf; echo x > /etc/hosts"));
    plan.mounts.push(file("/etc/hosts", "hosts\n"));
    plan.mounts.push(file("/etc/resolv.conf", "resolver\n"));
    assert_eq!(sandbox.run(plan).output, "hosts\nhosts\nresolver\nresolver\n");
    assert_eq!(std::fs::read_to_string(&canary).unwrap(), "untouched");
    assert_eq!(names(&sandbox.path("host")), ["canary"]);
    let mut plan = sandbox.plan("true");
    plan.mounts.push(file("/etc/loop", ""));
    assert_eq!(sandbox.try_run(plan).unwrap_err().errno(), Some(40));
}

/// A neighbour exchanges a directory of a shared volume for a link to the host's canary, over and over, while containers mount below it.
pub(crate) fn swapped_volume_paths(sandbox: &mut Sandbox) {
    let canary = sandbox.path("canary");
    std::fs::create_dir_all(&canary).unwrap();
    std::fs::create_dir_all(sandbox.path("host/way")).unwrap();
    symlink(format!("../../../../../../../..{}", canary.display()), sandbox.path("host/trap")).unwrap();
    let (way, trap) = (sandbox.path("host/way"), sandbox.path("host/trap"));
    sandbox.enter();
    // A process, not a thread: a container's first process starts from a launcher with one thread.
    let (_, neighbour) =
        kernel::clone::spawn(kernel::clone::Namespaces::NONE, kernel::clone::Parent::Caller, None, || {
            loop {
                let _ = renameat_with(CWD, &way, CWD, &trap, RenameFlags::EXCHANGE);
            }
        })
        .unwrap();
    let mut started = 0;
    for round in 0..60 {
        let mut plan = sandbox.plan("");
        plan.process = shell("find / -xdev -name marker 2>/dev/null | wc -l");
        let shared = sandbox.bind("host", "/v", Attributes::default());
        let below = sandbox.bind("image/etc", &format!("/v/way/made{round}"), Attributes::default());
        plan.mounts.extend([shared, below, file(&format!("/v/way/file{round}"), "x")]);
        started += usize::from(sandbox.try_run(plan).is_ok());
    }
    rustix::process::pidfd_send_signal(&neighbour, rustix::process::Signal::KILL).unwrap();
    assert!(names(&canary).is_empty(), "the host got {:?}", names(&canary));
    assert!(started > 0);
}

pub(crate) fn mask_through_links(sandbox: &mut Sandbox) {
    sandbox.write("image/etc/key", "secret\n");
    symlink("etc/key", sandbox.path("image/link")).unwrap();
    symlink("/no/where", sandbox.path("image/dangling")).unwrap();
    let mut plan = sandbox.plan("cat /etc/key /link; echo end");
    plan.masked.extend(["/link", "/dangling", "/etc/passwd/below", "/etc/key"].map(guest));
    assert_eq!(sandbox.run(plan).output, "end\n");
}

pub(crate) fn console_is_ours(sandbox: &mut Sandbox) {
    std::fs::create_dir_all(sandbox.path("image/dev/pts")).unwrap();
    let canary = sandbox.path("host/canary");
    std::fs::write(&canary, "untouched").unwrap();
    symlink(&canary, sandbox.path("image/dev/console")).unwrap();
    symlink(&canary, sandbox.path("image/dev/pts/0")).unwrap();
    let mut plan =
        sandbox.plan("echo x > /dev/console; stat -f -c %t /dev/console /dev/pts/0; stat -c %t:%T /dev/console");
    plan.stdio = Stdio::Terminal(WindowSize { rows: 1, columns: 80 });
    let program = runtime::compile(&plan).unwrap();
    let running = runtime::spawn(&program).unwrap().release().unwrap();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let foreground = runtime::foreground::Foreground {
        signals: runtime::foreground::Signals::Own,
        ..runtime::foreground::Foreground::new(write)
    };
    runtime::foreground::attend(&running, foreground).unwrap();
    let output = std::io::read_to_string(std::fs::File::from(read)).unwrap();
    // DEVPTS_SUPER_MAGIC, and device 136:0.
    assert_eq!(output, "x\r\n1cd1\r\n1cd1\r\n88:0\r\n");
    assert_eq!(std::fs::read_to_string(&canary).unwrap(), "untouched");
}

pub(crate) fn the_binary_is_out_of_reach(sandbox: &mut Sandbox) {
    sandbox.enter();
    // Root's own file system has no user that is not root; the copy of the test program belongs to root, so a user cannot write it.
    assert_eq!(runtime::spawn::binary_is_exposed(), !sandbox.rootless);
    sandbox.write("image/bin/evil", "#!/proc/self/exe\n");
    std::fs::set_permissions(sandbox.path("image/bin/evil"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut plan = sandbox.plan("");
    plan.process = command(&["evil"]);
    plan.entry = Entry::Shielded(runtime::helper::memfd().unwrap());
    let ended = sandbox.run(plan);
    assert!(ended.output.contains("lodger helper") && ended.code == 125, "{}: {}", ended.code, ended.output);
}

/// A descriptor of the host that nobody marked to be closed must not serve as a way to a program.
pub(crate) fn no_descriptor_to_execute_through(sandbox: &mut Sandbox) {
    sandbox.enter();
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&root);
    for number in [number, number + 1, number + 2, number + 5, number + 9] {
        for path in ["proc/self/exe", "bin/busybox", "../bin/busybox"] {
            let mut plan = sandbox.plan("");
            plan.process = command(&[&format!("/proc/self/fd/{number}/{path}"), "true"]);
            plan.stdio = Stdio::Inherit([null(), null(), null()]);
            assert_eq!(sandbox.try_run(plan).unwrap_err().kind(), Kind::CommandNotFound, "{number} {path}");
        }
    }
}
