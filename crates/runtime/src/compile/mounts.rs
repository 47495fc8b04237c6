//! Root, volumes, `/dev`, files, masks.
//!
//! The launcher makes and clones what it can, as mounts that are attached nowhere; the child makes what belongs to its own
//! namespaces and attaches everything in the plan's order.

use super::Builder;
use super::handover::TerminalSlots;
use crate::error::{Error, Kind};
use crate::plan::{
    Access, Bind, Content, Device, File, GuestPath, Made, MissingWorkdir, Mount, Namespace, Node, Plan, Process, Size,
    Stdio, Sysctl, SysctlScope, Tmpfs, TtyGroup,
};
use crate::prepare::{DEV_DIRECTORIES, DEV_LINKS, Step, TmpfsShape};
use init::op::{Attributes, Filesystem, Guard, Make, Op, Slot};
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

/// Files of procfs that may be covered, as runc and crun have it (for lxcfs and friends).
const COVERABLE: [&[u8]; 10] = [
    b"/proc/cpuinfo",
    b"/proc/diskstats",
    b"/proc/meminfo",
    b"/proc/stat",
    b"/proc/swaps",
    b"/proc/uptime",
    b"/proc/loadavg",
    b"/proc/slabinfo",
    b"/proc/sys/kernel/ns_last_pid",
    b"/proc/sys/crypto/fips_enabled",
];

/// One mount that waits to be attached.
struct Waiting<'p> {
    mount: Slot,
    target: &'p CStr,
    make: Make,
    guard: Guard,
}

impl<'p> Waiting<'p> {
    /// At a place of the system, where no link may be.
    fn system(mount: Slot, target: &'p CStr) -> Self {
        Self { mount, target, make: Make::Directory, guard: Guard::NoLinks }
    }
}

/// The `/dev` of the plan, if it has one.
struct Dev {
    slot: Slot,
}

impl<'p> Builder<'p> {
    /// Slot of the root, always the first that is asked for here.
    pub(super) fn root(&self) -> Slot {
        self.root
    }

    pub(super) fn mounts(&mut self, plan: &'p Plan, terminal: Option<&TerminalSlots>) -> Result<(), Error> {
        if terminal.is_none() && matches!(plan.stdio, Stdio::Terminal(_)) {
            return Err(Error::new("compile", "", Kind::Invalid("a terminal needs a devpts of the container's own")));
        }
        self.root = self.slot();
        self.step(Step::Duplicate { fd: plan.rootfs.mount.as_fd(), name: &plan.rootfs.name, into: self.root });
        self.op(Op::AttachRoot(self.root));
        let mut waiting = Vec::with_capacity(plan.mounts.len());
        let mut dev = None;
        for mount in &plan.mounts {
            not_over_root(mount)?;
            match mount {
                Mount::File(_) => {}
                Mount::ProcOption(key, value) => {
                    let refuse =
                        || Error::new("compile", "/proc", Kind::Invalid("its options need a /proc of its own"));
                    let own = self.proc.filter(|_| !matches!(plan.namespaces.pid, Namespace::Host));
                    let mount = own.ok_or_else(refuse)?;
                    self.op(Op::Configure { mount, key, value });
                }
                Mount::Dev { size } => waiting.push(self.dev(*size, plan, &mut dev)),
                mount => waiting.push(self.make(mount, plan, terminal)),
            }
        }
        self.files(plan, &mut waiting);
        waiting.into_iter().for_each(|one| self.attach(&one));
        for device in &plan.devices {
            self.device(device, dev.as_ref());
        }
        if let (Some(dev), Some(terminal)) = (dev, terminal) {
            self.step(Step::Placeholder { directory: dev.slot, name: c"console" });
            self.op(Op::AttachOpen { file: terminal.slave, directory: dev.slot, name: c"console" });
        }
        Ok(())
    }

    /// Makes one mount or has it made, and says where it goes.
    fn make(&mut self, mount: &'p Mount, plan: &'p Plan, terminal: Option<&TerminalSlots>) -> Waiting<'p> {
        let into = self.slot();
        match mount {
            Mount::Proc => {
                match plan.namespaces.pid {
                    Namespace::Host => self.clone_host(c"/proc", Attributes::SAFE, into),
                    _ => self.fresh(Filesystem::Proc, Attributes::SAFE, into),
                }
                self.proc = Some(into);
                Waiting::system(into, c"/proc")
            }
            Mount::Sysfs(access) => {
                match plan.namespaces.net {
                    Namespace::Host => self.clone_host(c"/sys", safe(*access), into),
                    _ => self.fresh(Filesystem::Sysfs, safe(*access), into),
                }
                Waiting::system(into, c"/sys")
            }
            Mount::Cgroup(access) => {
                self.fresh(Filesystem::Cgroup2, safe(*access), into);
                Waiting::system(into, c"/sys/fs/cgroup")
            }
            Mount::Mqueue => {
                self.fresh(Filesystem::Mqueue, Attributes::SAFE, into);
                Waiting::system(into, c"/dev/mqueue")
            }
            Mount::Devpts(group) => {
                let group = self.terminal_group(*group);
                self.step(Step::Devpts { group, into });
                if let Some(TerminalSlots { size, master, slave }) = terminal {
                    self.step(Step::Terminal { devpts: into, size: *size, master: *master, slave: *slave });
                }
                Waiting::system(into, c"/dev/pts")
            }
            Mount::Tmpfs(tmpfs) => self.tmpfs(tmpfs, into),
            Mount::Bind(bind) => self.bind(bind, into),
            Mount::Made(made) => self.made(made, into),
            Mount::Terminals(terminals) => {
                let attributes = restrict(terminals.attributes);
                self.step(Step::Terminals { terminals, attributes, into });
                Waiting { guard: Guard::NotProc, ..Waiting::system(into, terminals.target.as_c_str()) }
            }
            // Taken by the caller.
            Mount::Dev { .. } | Mount::File(_) | Mount::ProcOption(..) => Waiting::system(into, c"/dev"),
        }
    }

    /// A tmpfs whose root belongs to somebody of the container.
    fn shape(&self, size: Size, mode: u32, (uid, gid): (u32, u32)) -> TmpfsShape {
        let (uid, gid) = self.owner(uid, gid);
        TmpfsShape { size, mode, uid, gid }
    }

    /// What the launcher has just made becomes the container's root's, where that is somebody else.
    fn give(&mut self, directory: Slot, name: &'static CStr) {
        if let Some(ids) = self.ids {
            self.step(Step::Give { directory, name, owner: ids.outside(0, 0) });
        }
    }

    /// The group of terminals, if the container has it.
    fn terminal_group(&self, group: TtyGroup) -> TtyGroup {
        match (group, self.ids) {
            (TtyGroup::Group(gid), Some(ids)) => {
                crate::userns::outside(&ids.gids, gid).map_or(TtyGroup::Opener, TtyGroup::Group)
            }
            _ => group,
        }
    }

    fn fresh(&mut self, filesystem: Filesystem, attributes: Attributes, into: Slot) {
        self.op(Op::Mount { filesystem, attributes, into });
    }

    fn clone_host(&mut self, path: &'static CStr, attributes: Attributes, into: Slot) {
        self.step(Step::CloneHost { path, attributes, into });
    }

    fn tmpfs(&mut self, tmpfs: &'p Tmpfs, into: Slot) -> Waiting<'p> {
        // Restrictions come last, so that a read-only tmpfs can be filled.
        let copied = tmpfs.content == Content::CopyUp;
        let attributes = restrict(tmpfs.attributes);
        self.step(Step::Tmpfs {
            shape: self.shape(tmpfs.size, tmpfs.mode, (tmpfs.uid, tmpfs.gid)),
            source: &tmpfs.name,
            attributes: if copied { Attributes::default() } else { attributes },
            into,
        });
        if copied {
            self.step(Step::CopyUp { root: self.root, path: &tmpfs.target, into });
            self.step(Step::Restrict { mount: into, attributes });
        }
        let guard = if tmpfs.target.entry_of(c"/dev").is_some() { Guard::NoLinks } else { Guard::NotProc };
        Waiting { guard, ..Waiting::system(into, tmpfs.target.as_c_str()) }
    }

    fn made(&mut self, made: &'p Made, into: Slot) -> Waiting<'p> {
        self.step(Step::Duplicate { fd: made.mount.as_fd(), name: &made.name, into });
        let attributes = restrict(made.attributes);
        if attributes != Attributes::default() {
            self.step(Step::Restrict { mount: into, attributes });
        }
        let make = if is_directory(&made.mount) { Make::Directory } else { Make::File };
        Waiting { mount: into, target: made.target.as_c_str(), make, guard: Guard::NotProc }
    }

    fn bind(&mut self, bind: &'p Bind, into: Slot) -> Waiting<'p> {
        self.step(Step::Clone {
            source: bind.source.as_fd(),
            name: &bind.name,
            depth: bind.depth,
            attributes: restrict(bind.attributes),
            propagation: bind.propagation,
            into,
        });
        let guard = if COVERABLE.contains(&bind.target.as_bytes()) { Guard::ProcFile } else { Guard::NotProc };
        let make = if is_directory(&bind.source) { Make::Directory } else { Make::File };
        Waiting { mount: into, target: bind.target.as_c_str(), make, guard }
    }

    /// A small `/dev` whose entries the launcher makes before anybody of the container can see it.
    fn dev(&mut self, size: u64, plan: &Plan, dev: &mut Option<Dev>) -> Waiting<'p> {
        let slot = self.slot();
        // Devices that are bound bring their own mounts: nobody opens one that he made here himself.
        let bound = plan.devices.iter().all(|device| device.node == Node::Bind);
        let attributes = if bound { Attributes::NO_SUID.and(Attributes::NO_DEV) } else { Attributes::NO_SUID };
        self.step(Step::Tmpfs {
            shape: self.shape(Size::Bytes(size), 0o755, (0, 0)),
            source: c"tmpfs",
            attributes,
            into: slot,
        });
        for name in DEV_DIRECTORIES {
            self.step(Step::Directory { directory: slot, name });
            self.give(slot, name);
        }
        for (name, target) in DEV_LINKS {
            self.step(Step::Link { directory: slot, name, target });
            self.give(slot, name);
        }
        *dev = Some(Dev { slot });
        Waiting::system(slot, c"/dev")
    }

    fn device(&mut self, device: &'p Device, dev: Option<&Dev>) {
        let entry = dev.and_then(|dev| Some((dev.slot, device.target.entry_of(c"/dev")?)));
        if let (Some((directory, name)), Node::Make { mode, uid, gid }) = (entry, device.node) {
            let source = device.source.as_fd();
            let (uid, gid) = self.owner(uid, gid);
            self.step(Step::Node { directory, name, source, mode, uid, gid });
            return;
        }
        let mount = self.slot();
        self.step(Step::CloneDevice { source: device.source.as_fd(), name: &device.name, into: mount });
        match entry {
            Some((directory, name)) => {
                self.step(Step::Placeholder { directory, name });
                self.op(Op::AttachEntry { mount, directory, name });
            }
            None => {
                self.op(Op::Attach { mount, target: device.target.as_c_str(), make: Make::File, guard: Guard::NotProc })
            }
        }
    }

    /// One tmpfs for all files; its place on the host's `/proc` is dropped with the host's root.
    fn files(&mut self, plan: &'p Plan, waiting: &mut Vec<Waiting<'p>>) {
        let files: Vec<&File> = plan
            .mounts
            .iter()
            .filter_map(|mount| match mount {
                Mount::File(file) => Some(file),
                _ => None,
            })
            .collect();
        if files.is_empty() {
            return;
        }
        let staged = self.slot();
        let bytes: u64 = files.iter().map(|file| (file.contents.len() as u64).next_multiple_of(4096) + 4096).sum();
        self.step(Step::Tmpfs {
            // Twice what is there, since the container may write some of them.
            shape: self.shape(Size::Bytes((bytes * 2).max(1 << 20)), 0o755, (0, 0)),
            source: c"tmpfs",
            attributes: Attributes::SAFE,
            into: staged,
        });
        self.op(Op::Stage(staged));
        for (file, name) in files.into_iter().zip(0u16..) {
            let owner = self.owner(file.uid, file.gid);
            self.step(Step::Write { directory: staged, name, file, owner });
            let into = self.slot();
            let access = if file.access == Access::ReadOnly { Attributes::READ_ONLY } else { Attributes::default() };
            self.op(Op::CloneFile { from: staged, name, attributes: access.and(Attributes::SAFE), into });
            waiting.push(Waiting {
                mount: into,
                target: file.target.as_c_str(),
                make: Make::File,
                guard: Guard::NotProc,
            });
        }
    }

    fn attach(&mut self, one: &Waiting<'p>) {
        let Waiting { mount, target, make, guard } = *one;
        self.op(Op::Attach { mount, target, make, guard });
    }

    pub(super) fn sysctls(&mut self, plan: &'p Plan) -> Result<(), Error> {
        for sysctl in &plan.sysctls {
            let refuse = |why| Error::new("set sysctl", sysctl.path().to_string_lossy(), Kind::Invalid(why));
            if !owned(sysctl, plan) {
                return Err(refuse("its namespace is the host's"));
            }
            // Their files belong to the first user namespace's root, whichever UTS namespace it is.
            match sysctl.path().to_bytes() {
                b"kernel/domainname" => {
                    self.op(Op::Domainname(sysctl.value()));
                    continue;
                }
                b"kernel/hostname" => {
                    self.op(Op::Hostname(sysctl.value()));
                    continue;
                }
                _ => {}
            }
            let proc = self.proc.ok_or_else(|| refuse("the container has no /proc"))?;
            self.op(Op::Sysctl { proc, path: sysctl.path(), value: sysctl.value() });
        }
        Ok(())
    }

    /// Masks and read-only paths, when everything they can meet is there.
    pub(super) fn protect(&mut self, plan: &'p Plan) {
        for path in &plan.read_only {
            self.op(Op::ReadOnly(path.as_c_str()));
        }
        if !plan.masked.is_empty() {
            let (null, empty) = (self.slot(), self.slot());
            self.step(Step::CloneNull { into: null });
            self.step(Step::Tmpfs {
                shape: self.shape(Size::Bytes(4096), 0o755, (0, 0)),
                source: c"tmpfs",
                attributes: Attributes::SAFE.and(Attributes::READ_ONLY),
                into: empty,
            });
            for path in &plan.masked {
                self.op(Op::Mask { target: path.as_c_str(), null, empty });
            }
        }
    }

    /// The working directory is made while the root can still be written, then the root may be closed.
    pub(super) fn workdir(&mut self, process: &'p Process, plan: &Plan) {
        let path: &GuestPath = &process.workdir.path;
        if process.workdir.missing == MissingWorkdir::Create && path.as_bytes() != b"/" {
            self.op(Op::MakeDirectory(path.as_c_str(), process.uid, process.gid));
        }
        if plan.root_access == Access::ReadOnly {
            self.op(Op::RootReadOnly(self.root));
        }
    }
}

/// Whether a missing target becomes a directory.
fn is_directory(source: &OwnedFd) -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(source).is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}

/// What is attached over the root would be under what the process sees as its root.
fn not_over_root(mount: &Mount) -> Result<(), Error> {
    let target = match mount {
        Mount::Tmpfs(tmpfs) => &tmpfs.target,
        Mount::Bind(bind) => &bind.target,
        Mount::Made(made) => &made.target,
        Mount::Terminals(terminals) => &terminals.target,
        Mount::File(file) => &file.target,
        _ => return Ok(()),
    };
    match target.as_bytes() {
        b"/" => Err(Error::new("mount at", target, Kind::Invalid("the root of a container is its image or --rootfs"))),
        _ => Ok(()),
    }
}

/// Whether the namespace of a sysctl is not the host's.
fn owned(sysctl: &Sysctl, plan: &Plan) -> bool {
    let namespace = match sysctl.scope() {
        Some(SysctlScope::Ipc) => &plan.namespaces.ipc,
        Some(SysctlScope::Net) => &plan.namespaces.net,
        Some(SysctlScope::Uts) => &plan.namespaces.uts,
        None => return false,
    };
    !matches!(namespace, Namespace::Host)
}

fn safe(access: Access) -> Attributes {
    match access {
        Access::Writable => Attributes::SAFE,
        Access::ReadOnly => Attributes::SAFE.and(Attributes::READ_ONLY),
    }
}

fn restrict(attributes: crate::plan::Attributes) -> Attributes {
    [
        (attributes.read_only, Attributes::READ_ONLY),
        (attributes.no_suid, Attributes::NO_SUID),
        (attributes.no_dev, Attributes::NO_DEV),
        (attributes.no_exec, Attributes::NO_EXEC),
    ]
    .into_iter()
    .filter(|(asked, _)| *asked)
    .fold(Attributes::default(), |all, (_, one)| all.and(one))
}
