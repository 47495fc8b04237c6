//! A directory with an image of busybox, a namespace, and a plan that a case changes before it runs it.

use runtime::capability::{Set, Sets};
use runtime::plan::*;
use runtime::{Error, GuestPath, Plan, Rootfs, userns};
use rustix::fs::{Mode, OFlags};
use std::ffi::CString;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What podman gives.
const ALLOWED: [&str; 11] = [
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

const APPLETS: &str = "sh cat ls id sleep env stat readlink mkdir touch rm mount umount chmod chown grep hostname true false kill \
    stty tty head wc echo ln mv test find sed tr ip trap ps";

/// One case's world.
pub(crate) struct Sandbox {
    base: PathBuf,
    pub(crate) rootless: bool,
    entered: bool,
}

/// What a container left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: u8,
    pub(crate) output: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let base = PathBuf::from(std::env::var_os("LAUNCH_BASE").unwrap());
        let sandbox = Self { base, rootless: !rustix::process::getuid().is_root(), entered: false };
        for directory in ["image/bin", "image/etc", "image/tmp", "upper", "work", "host"] {
            std::fs::create_dir_all(sandbox.path(directory)).unwrap();
        }
        std::fs::copy("/bin/busybox", sandbox.path("image/bin/busybox")).unwrap();
        for name in APPLETS.split_whitespace() {
            symlink("busybox", sandbox.path("image/bin").join(name)).unwrap();
        }
        sandbox.write("image/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
        sandbox.write("image/etc/group", "root:x:0:\nwheel:x:10:app\n");
        sandbox
    }

    /// A path of this case's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Becomes root of a user namespace if it is not root, with private mounts. Before anything of a plan is opened.
    pub(crate) fn enter(&mut self) {
        if std::mem::replace(&mut self.entered, true) {
            return;
        }
        if self.rootless {
            let created = userns::create(&own_map())
                .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
            userns::enter(&created.namespace).unwrap();
        }
        userns::private_mounts().unwrap();
    }

    /// The case has entered a namespace itself.
    pub(crate) fn joined(&mut self) {
        self.entered = true;
    }

    /// As [`Sandbox::plan`], while another container has the first's directories.
    pub(crate) fn second_plan(&mut self, script: &str) -> Plan {
        for name in ["upper2", "work2"] {
            std::fs::create_dir_all(self.path(name)).unwrap();
        }
        let overlay = runtime::rootfs::Overlay {
            lowers: vec![self.open(self.path("image"))],
            contents: Vec::new(),
            changes: Some(runtime::rootfs::Changes {
                upper: self.open(self.path("upper2")),
                work: self.open(self.path("work2")),
                durability: runtime::rootfs::Durability::Durable,
            }),
        };
        let rootfs = Rootfs::overlay(&overlay, "second").unwrap();
        self.plan_on(rootfs, script)
    }

    pub(crate) fn open(&self, path: impl AsRef<Path>) -> OwnedFd {
        rustix::fs::open(path.as_ref(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
    }

    pub(crate) fn overlay(&mut self) -> Rootfs {
        self.overlay_with(runtime::rootfs::Durability::Durable)
    }

    pub(crate) fn overlay_with(&mut self, durability: runtime::rootfs::Durability) -> Rootfs {
        self.enter();
        let overlay = runtime::rootfs::Overlay {
            lowers: vec![self.open(self.path("image"))],
            contents: Vec::new(),
            changes: Some(runtime::rootfs::Changes {
                upper: self.open(self.path("upper")),
                work: self.open(self.path("work")),
                durability,
            }),
        };
        Rootfs::overlay(&overlay, "test")
            .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }

    /// podman's defaults around a shell command.
    pub(crate) fn plan(&mut self, script: &str) -> Plan {
        let rootfs = self.overlay();
        self.plan_on(rootfs, script)
    }

    pub(crate) fn plan_on(&mut self, rootfs: Rootfs, script: &str) -> Plan {
        Plan {
            rootfs,
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
            mounts: vec![
                Mount::Proc,
                Mount::Dev { size: 65536 },
                Mount::Devpts(TtyGroup::Group(5)),
                Mount::Mqueue,
                Mount::Tmpfs(tmpfs("/dev/shm", 0o1777)),
                Mount::Sysfs(Access::ReadOnly),
                Mount::Cgroup(Access::ReadOnly),
            ],
            devices: ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]
                .map(|path| self.device(path, path))
                .into(),
            masked: MASKED_PATHS.iter().map(|path| guest(path)).collect(),
            read_only: READ_ONLY_PATHS.iter().map(|path| guest(path)).collect(),
            sysctls: Vec::new(),
            rlimits: Vec::new(),
            oom_score: OomScore::Inherit,
            umask: 0o022,
            capabilities: Sets::for_user(0, allowed(), Set::EMPTY),
            privileges: Privileges::MayGain,
            seccomp: Seccomp::Unconfined,
            process: shell(script),
            stdio: null_stdio(),
            passed: Vec::new(),
            entry: Entry::Direct,
            parent: Parent::Launcher,
            cgroup: Cgroup::Inherit,
        }
    }

    pub(crate) fn device(&self, host: &str, target: &str) -> Device {
        let node = if userns::is_initial() { Node::Make { mode: 0o666, uid: 0, gid: 0 } } else { Node::Bind };
        Device { source: self.open(host), name: CString::new(host).unwrap(), target: guest(target), node }
    }

    /// A volume from a directory or file of this case.
    pub(crate) fn bind(&self, source: &str, target: &str, attributes: Attributes) -> Mount {
        Mount::Bind(Bind {
            source: self.open(self.path(source)),
            name: CString::new(source).unwrap(),
            target: guest(target),
            depth: Depth::Recursive,
            attributes,
            propagation: Propagation::RPrivate,
        })
    }

    /// Runs a plan with output and errors in one pipe.
    pub(crate) fn run(&self, plan: Plan) -> Ended {
        self.try_run(plan).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }

    pub(crate) fn try_run(&self, mut plan: Plan) -> Result<Ended, Error> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        plan.stdio = Stdio::Inherit([null(), write.try_clone().unwrap(), write]);
        let program = runtime::compile(&plan)?;
        let spawned = runtime::spawn(&program)?;
        let running = spawned.release()?;
        drop(program);
        drop(plan);
        let mut output = String::new();
        std::fs::File::from(read).read_to_string(&mut output).unwrap();
        Ok(Ended { code: running.wait()?.code(), output })
    }

    /// What a script prints in a container of the default plan; it must succeed.
    pub(crate) fn shell(&mut self, script: &str) -> String {
        let plan = self.plan(script);
        let ended = self.run(plan);
        assert_eq!(ended.code, 0, "{}", ended.output);
        ended.output
    }
}

pub(crate) fn allowed() -> Set {
    ALLOWED.iter().fold(Set::EMPTY, |all, name| all.or(Set::named(name).unwrap()))
}

pub(crate) fn guest(path: &str) -> GuestPath {
    GuestPath::parse(path).unwrap()
}

pub(crate) fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

pub(crate) fn tmpfs(target: &str, mode: u32) -> Tmpfs {
    Tmpfs {
        name: c"tmpfs".into(),
        target: guest(target),
        size: Size::Bytes(1 << 20),
        mode,
        uid: 0,
        gid: 0,
        attributes: Attributes { read_only: false, no_suid: true, no_dev: true, no_exec: true },
        content: Content::Empty,
    }
}

pub(crate) fn file(target: &str, contents: &str) -> Mount {
    Mount::File(File {
        target: guest(target),
        contents: contents.into(),
        mode: 0o640,
        uid: 0,
        gid: 0,
        access: Access::Writable,
    })
}

pub(crate) fn command(words: &[&str]) -> Process {
    let argv: Vec<CString> = words.iter().map(|word| text(word)).collect();
    Process {
        candidates: candidates(&argv[0], b"/usr/bin:/bin"),
        argv,
        envp: vec![c"PATH=/bin".into()],
        workdir: Workdir { path: guest("/"), missing: MissingWorkdir::Refuse },
        uid: 0,
        gid: 0,
        groups: Groups::Set(Vec::new()),
        personality: runtime::plan::Personality::Inherit,
    }
}

pub(crate) fn shell(script: &str) -> Process {
    command(&["sh", "-c", script])
}

pub(crate) fn null() -> OwnedFd {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

pub(crate) fn null_stdio() -> Stdio {
    let out = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().unwrap();
    Stdio::Inherit([null(), out(std::io::stdout().as_fd()), out(std::io::stderr().as_fd())])
}

/// Own id as root, the first subordinate range after it.
pub(crate) fn own_map() -> userns::Map {
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    let range = |path: &str| {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let name = passwd
            .lines()
            .find(|line| line.split(':').nth(2) == Some(&uid.to_string()))
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        let file = std::fs::read_to_string(path).unwrap();
        let line = file.lines().find(|line| line.split(':').next() == Some(&name)).unwrap().to_owned();
        let mut words = line.split(':').skip(1).map(|word| word.parse().unwrap());
        userns::Range { inside: 1, outside: words.next().unwrap(), count: words.next().unwrap() }
    };
    let own = |outside| userns::Range { inside: 0, outside, count: 1 };
    userns::Map { uids: vec![own(uid), range("/etc/subuid")], gids: vec![own(gid), range("/etc/subgid")] }
}
