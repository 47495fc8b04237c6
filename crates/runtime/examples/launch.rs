//! Starts a container from a directory with busybox, `N` times, and prints how long each step takes.
//!
//! On a busy machine the first decile says more than the median.
//!
//! `launch [-n N] [--overlay|--directory|--volatile] [--show] [--host-net] [--join PID,START] WORD…`; as root without a user namespace, as a user with
//! one that is made first (or kept, and then joined by each of the N starts in a process of its own).

#![allow(clippy::unwrap_used)]

use runtime::capability::{Set, Sets};
use runtime::plan::*;
use runtime::rootfs::Durability;
use runtime::{GuestPath, Plan, ProcessId, Rootfs, userns};
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

fn open(path: impl AsRef<Path>) -> OwnedFd {
    use rustix::fs::{Mode, OFlags};
    rustix::fs::open(path.as_ref(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

fn device(path: &str) -> Device {
    let node = if userns::is_initial() { Node::Make { mode: 0o666, uid: 0, gid: 0 } } else { Node::Bind };
    Device { source: open(path), name: CString::new(path).unwrap(), target: GuestPath::parse(path).unwrap(), node }
}

fn plan(rootfs: Rootfs, words: &[String], host_net: bool) -> Plan {
    let allowed = [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    let allowed = allowed.iter().fold(Set::EMPTY, |all, name| all.or(Set::named(name).unwrap()));
    let argv: Vec<CString> = words.iter().map(|word| CString::new(word.as_str()).unwrap()).collect();
    let shm = Tmpfs {
        target: GuestPath::parse("/dev/shm").unwrap(),
        size: Size::Bytes(64 << 20),
        mode: 0o1777,
        uid: 0,
        gid: 0,
        attributes: Attributes { read_only: false, no_suid: true, no_dev: true, no_exec: true },
        content: Content::Empty,
    };
    let dup = |number: std::os::fd::BorrowedFd<'_>| number.try_clone_to_owned().unwrap();
    use std::os::fd::AsFd;
    Plan {
        rootfs,
        root_access: Access::Writable,
        namespaces: Namespaces {
            pid: Namespace::New,
            ipc: Namespace::New,
            uts: Namespace::New,
            net: if host_net { Namespace::Host } else { Namespace::New },
            cgroup: Namespace::New,
        },
        hostname: Name::Set(c"lodger".into()),
        domainname: Name::Keep,
        mounts: vec![
            Mount::Proc,
            Mount::Dev { size: 65536 },
            Mount::Devpts(TtyGroup::Group(5)),
            Mount::Mqueue,
            Mount::Tmpfs(shm),
            Mount::Sysfs(Access::ReadOnly),
            Mount::Cgroup(Access::ReadOnly),
            Mount::File(File {
                target: GuestPath::parse("/etc/resolv.conf").unwrap(),
                contents: b"nameserver 192.0.2.1\n".to_vec(),
                mode: 0o644,
                uid: 0,
                gid: 0,
                access: Access::Writable,
            }),
        ],
        devices: ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"].map(device).into(),
        masked: MASKED_PATHS.iter().map(|path| GuestPath::parse(path).unwrap()).collect(),
        read_only: READ_ONLY_PATHS.iter().map(|path| GuestPath::parse(path).unwrap()).collect(),
        sysctls: Vec::new(),
        rlimits: Vec::new(),
        oom_score: OomScore::Inherit,
        umask: 0o022,
        capabilities: Sets::for_user(0, allowed, Set::EMPTY),
        privileges: Privileges::MayGain,
        seccomp: Seccomp::Unconfined,
        process: Process {
            candidates: candidates(&argv[0], b"/bin:/usr/bin"),
            argv,
            envp: vec![c"PATH=/bin:/usr/bin".into()],
            workdir: Workdir { path: GuestPath::parse("/").unwrap(), missing: MissingWorkdir::Refuse },
            uid: 0,
            gid: 0,
            groups: Groups::Set(vec![]),
        },
        stdio: Stdio::Inherit([
            dup(std::io::stdin().as_fd()),
            dup(std::io::stdout().as_fd()),
            dup(std::io::stderr().as_fd()),
        ]),
        passed: Vec::new(),
        entry: Entry::Direct,
        parent: Parent::Launcher,
        cgroup: Cgroup::Inherit,
    }
}

fn prepare(base: &Path) {
    for directory in ["rootfs/bin", "rootfs/etc", "upper", "work"] {
        std::fs::create_dir_all(base.join(directory)).unwrap();
    }
    if !base.join("rootfs/bin/busybox").exists() {
        std::fs::copy("/bin/busybox", base.join("rootfs/bin/busybox")).unwrap();
        for name in ["sh", "true", "ls", "cat", "id", "mount", "sleep", "env", "hostname"] {
            std::os::unix::fs::symlink("busybox", base.join("rootfs/bin").join(name)).unwrap();
        }
    }
}

struct Options {
    count: usize,
    overlay: bool,
    volatile: bool,
    show: bool,
    host_net: bool,
    join: Option<ProcessId>,
    words: Vec<String>,
}

fn options() -> Options {
    let mut options = Options {
        count: 1,
        overlay: true,
        volatile: false,
        show: false,
        host_net: false,
        join: None,
        words: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-n" => options.count = words.next().unwrap().parse().unwrap(),
            "--directory" => options.overlay = false,
            "--overlay" => options.overlay = true,
            "--volatile" => options.volatile = true,
            "--show" => options.show = true,
            "--host-net" => options.host_net = true,
            "--join" => options.join = Some(words.next().unwrap().replace(',', " ").parse().unwrap()),
            _ => {
                options.words = std::iter::once(word).chain(words.by_ref()).collect();
            }
        }
    }
    options
}

/// The user's ids: own id as 0, the first subordinate range as 1 ….
fn map() -> userns::Map {
    let id = rustix::process::getuid().as_raw();
    let single = |outside| userns::Range { inside: 0, outside, count: 1 };
    let rest = userns::Range { inside: 1, outside: 100_000, count: 65536 };
    userns::Map { uids: vec![single(id), rest], gids: vec![single(rustix::process::getgid().as_raw()), rest] }
}

fn once(options: &Options) -> (i32, Vec<(&'static str, Duration)>) {
    let mut times = Vec::new();
    let mut last = Instant::now();
    let mut mark = |name| {
        let now = Instant::now();
        times.push((name, now - last));
        last = now;
    };
    let base = std::path::PathBuf::from(std::env::var("LAUNCH_BASE").unwrap_or("/tmp/lodger-launch".into()));
    if let Some(keeper) = &options.join {
        let namespace = userns::open(keeper).unwrap();
        userns::enter(&namespace).unwrap();
        mark("join user namespace");
    } else if !rustix::process::getuid().is_root() {
        let created = userns::create(&map()).unwrap();
        userns::enter(&created.namespace).unwrap();
        mark("make user namespace");
    }
    userns::private_mounts().unwrap();
    mark("private mounts");
    prepare(&base);
    let rootfs = if options.overlay {
        let overlay = runtime::rootfs::Overlay {
            lowers: vec![open(base.join("rootfs"))],
            upper: open(base.join("upper")),
            work: open(base.join("work")),
            durability: if options.volatile { Durability::Volatile } else { Durability::Durable },
        };
        Rootfs::overlay(&overlay, "test").unwrap()
    } else {
        Rootfs::directory(&open(base.join("rootfs")), "test").unwrap()
    };
    mark("root");
    let plan = plan(rootfs, &options.words, options.host_net);
    mark("plan");
    let program = runtime::compile(&plan).unwrap();
    mark("compile");
    if options.show {
        print!("{program}");
    }
    let mut spawned = runtime::spawn(&program).unwrap();
    mark("prepare and clone");
    if let Err(error) = spawned.wait_ready() {
        eprintln!("{error}: {:?}", std::error::Error::source(&error));
        return (125, times);
    }
    mark("child until barrier");
    let running = match spawned.release() {
        Ok(running) => running,
        Err(error) => {
            eprintln!("{error}: {:?}", std::error::Error::source(&error));
            return (125, times);
        }
    };
    mark("release until execve");
    let exit = running.wait().unwrap();
    mark("payload and teardown");
    (i32::from(exit.code()), times)
}

fn main() {
    let options = options();
    if options.count == 1 {
        let (code, times) = once(&options);
        if std::env::var_os("LAUNCH_TIMES").is_some() {
            for (name, time) in times {
                println!("{name}\t{}", time.as_micros());
            }
        }
        std::process::exit(code);
    }
    bench(&options);
}

/// N starts, each in a process of its own, as `lodger run` is.
fn bench(options: &Options) {
    let keeper = match &options.join {
        None if !rustix::process::getuid().is_root() => Some(userns::create(&map()).unwrap().keep(None).unwrap()),
        other => *other,
    };
    let mut totals = Vec::new();
    let mut steps: Vec<(String, Vec<u128>)> = Vec::new();
    for round in 0..options.count + 3 {
        let mut command = std::process::Command::new("/proc/self/exe");
        if let Some(keeper) = keeper {
            command.args(["--join", &format!("{keeper}").replace(' ', ",")]);
        }
        command.arg(if options.overlay { "--overlay" } else { "--directory" });
        command.args(options.volatile.then_some("--volatile"));
        command.args(options.host_net.then_some("--host-net")).args(&options.words).env("LAUNCH_TIMES", "1");
        let start = Instant::now();
        let output = command.output().unwrap();
        let total = start.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if round < 3 {
            continue;
        }
        totals.push(total.as_micros());
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, time) = line.split_once('\t').unwrap();
            let time = time.parse().unwrap();
            match steps.iter_mut().find(|(known, _)| known == name) {
                Some((_, times)) => times.push(time),
                None => steps.push((name.to_owned(), vec![time])),
            }
        }
    }
    let line = |name: &str, times: &mut Vec<u128>| {
        times.sort_unstable();
        println!(
            "{name:26} median {:6} us  decile {:6} us  min {:6} us",
            times[times.len() / 2],
            times[times.len() / 10],
            times[0]
        );
    };
    for (name, times) in &mut steps {
        line(name, times);
    }
    line("total, process included", &mut totals);
    if let (Some(keeper), None) = (keeper, options.join) {
        let _ = keeper.signal(15);
    }
}
