//! What a container is made of, with every question answered.
//!
//! A `Plan` mirrors deeds: nothing in it means "the default", every host path has become an open descriptor, every name a
//! number. Whoever builds it (the engine) has decided; [`crate::compile`] only puts it into order.
//!
//! Text that the kernel will see is kept as C strings, so that the compiled program borrows it and the child never allocates.

pub(crate) mod mounting;
pub(crate) mod path;
mod sysctl;

pub use mounting::{Depth, Propagation};
pub use path::GuestPath;
pub use sysctl::{Sysctl, SysctlScope};

use crate::capability;
use crate::rootfs::Rootfs;
use crate::userns::Map;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::OwnedFd;

/// Everything that makes one container.
#[derive(Debug)]
pub struct Plan {
    /// The root file system, not yet attached anywhere.
    pub rootfs: Rootfs,
    /// Whether the root file system can be written.
    pub root_access: Access,
    /// Which namespaces are the container's own. The mount namespace always is.
    pub namespaces: Namespaces,
    /// Whose ids the container has.
    pub users: Users,
    /// Name in the UTS namespace; ignored unless that is new.
    pub hostname: Name,
    /// NIS domain name in the UTS namespace; ignored unless that is new.
    pub domainname: Name,
    /// Mounts in the order in which they are attached: [`Mount::Proc`] before whatever lies below `/proc`, and so on.
    pub mounts: Vec<Mount>,
    /// Device nodes. Those directly below `/dev` need a [`Mount::Dev`].
    pub devices: Vec<Device>,
    /// Paths that become empty: files by `/dev/null`, directories by an empty read-only tmpfs. What does not exist is skipped.
    pub masked: Vec<GuestPath>,
    /// Paths that become read-only with all below them. What does not exist is skipped.
    pub read_only: Vec<GuestPath>,
    /// Kernel parameters, written through the container's own `/proc`.
    pub sysctls: Vec<Sysctl>,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// `/proc/self/oom_score_adj`.
    pub oom_score: OomScore,
    /// File mode creation mask.
    pub umask: u32,
    /// The five capability sets.
    pub capabilities: capability::Sets,
    /// `no_new_privs`.
    pub privileges: Privileges,
    /// System call filter.
    pub seccomp: Seccomp,
    /// What is executed, as whom and where.
    pub process: Process,
    /// Terminal, or the descriptors that become 0, 1 and 2.
    pub stdio: Stdio,
    /// Further descriptors that the process inherits, under these numbers (each ≥ 3, none twice).
    pub passed: Vec<Passed>,
    /// What stands between the launcher and the payload.
    pub entry: Entry,
    /// Whose child the container's first process becomes.
    pub parent: Parent,
    /// The control group in which it starts.
    pub cgroup: Cgroup,
}

/// May be written, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write.
    Writable,
    /// Read only.
    ReadOnly,
}

/// Which namespaces are new.
#[derive(Debug)]
pub struct Namespaces {
    /// Process ids. With `Join`, the caller's later children are born in that namespace too.
    pub pid: Namespace,
    /// System V IPC and POSIX message queues.
    pub ipc: Namespace,
    /// Host name.
    pub uts: Namespace,
    /// Network. A new one has only a loopback device, which is brought up.
    pub net: Namespace,
    /// View of the control groups.
    pub cgroup: Namespace,
}

/// The user namespace.
#[derive(Debug)]
pub enum Users {
    /// The launching process's.
    Launcher,
    /// A new one, with these ids of the launcher's.
    New(Map),
    /// An existing one, by a descriptor of `/proc/PID/ns/user`, which has these ids of the launcher's.
    Join(OwnedFd, Map),
}

impl Users {
    /// Its ids, where they are not the launcher's.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        match self {
            Self::Launcher => None,
            Self::New(map) | Self::Join(_, map) => Some(map),
        }
    }
}

/// One namespace.
#[derive(Debug)]
pub enum Namespace {
    /// The container's own.
    New,
    /// The launching process's.
    Host,
    /// An existing one, by a descriptor of `/proc/PID/ns/…` or of a file bound to it.
    Join(OwnedFd),
}

impl Namespace {
    /// Whether it is the container's own.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New)
    }
}

/// A name of the UTS namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// As inherited.
    Keep,
    /// This one; at most 64 bytes.
    Set(CString),
}

/// One mount, in the order of attachment.
#[derive(Debug)]
pub enum Mount {
    /// A fresh procfs at `/proc`, `nosuid,nodev,noexec`; the caller's own `/proc` when the pid namespace is the host's.
    Proc,
    /// An option of the [`Mount::Proc`] before it: name and value, as of mount(8). Only where the pid namespace is not the host's.
    ProcOption(CString, CString),
    /// sysfs at `/sys`; the caller's own when the network namespace is the host's.
    Sysfs(Access),
    /// cgroup2 at `/sys/fs/cgroup`; where the kernel refuses one, the caller's own tree read-only, else an empty tmpfs.
    Cgroup(Access),
    /// A small tmpfs at `/dev` with the links `fd`, `stdin`, `stdout`, `stderr`, `ptmx`, the directories `pts`, `shm`,
    /// `mqueue`, and a node for each device of [`Plan::devices`] directly below it.
    Dev {
        /// Bytes.
        size: u64,
    },
    /// A devpts of its own at `/dev/pts`.
    Devpts(TtyGroup),
    /// POSIX message queues at `/dev/mqueue`.
    Mqueue,
    /// Memory.
    Tmpfs(Tmpfs),
    /// A file or directory of the host.
    Bind(Bind),
    /// A mount that the caller has made.
    Made(Made),
    /// A devpts of its own, elsewhere than at `/dev/pts`.
    Terminals(Terminals),
    /// A file whose content is given; it lives in memory and never in the image.
    File(File),
}

/// Group of new terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TtyGroup {
    /// This id inside, usually 5; it must be mapped.
    Group(u32),
    /// Whoever opens it.
    Opener,
}

/// Restrictions of a mount; `false` = allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `ro`
    pub read_only: bool,
    /// `nosuid`
    pub no_suid: bool,
    /// `nodev`
    pub no_dev: bool,
    /// `noexec`
    pub no_exec: bool,
}

/// A mount that is attached nowhere yet: an overlay, or a part of one.
#[derive(Debug)]
pub struct Made {
    /// The mount.
    pub mount: OwnedFd,
    /// What it is of, for messages only.
    pub name: CString,
    /// Where.
    pub target: GuestPath,
    /// Restrictions beyond those it has.
    pub attributes: Attributes,
}

/// A devpts.
#[derive(Debug, Clone)]
pub struct Terminals {
    /// Where.
    pub target: GuestPath,
    /// Options of the file system and their values, ids as seen inside: see mount(8), "Mount options for devpts".
    pub options: Vec<(CString, CString)>,
    /// Restrictions.
    pub attributes: Attributes,
}

/// A tmpfs.
#[derive(Debug, Clone)]
pub struct Tmpfs {
    /// What the kernel calls its source; `tmpfs` where it means nothing.
    pub name: CString,
    /// Where.
    pub target: GuestPath,
    /// Limit in bytes.
    pub size: Size,
    /// Permission bits of its root, such as `0o1777`.
    pub mode: u32,
    /// Owner of its root, as seen inside.
    pub uid: u32,
    /// Group of its root, as seen inside.
    pub gid: u32,
    /// Restrictions.
    pub attributes: Attributes,
    /// What it holds at first.
    pub content: Content,
}

/// How large a tmpfs may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// The kernel's own limit: half of the memory.
    HalfOfMemory,
    /// This many bytes.
    Bytes(u64),
    /// Without a limit, and never swapped out: a ramfs.
    Unbounded,
}

/// What a new tmpfs holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Empty,
    /// What the root file system has at that place, with owner and mode of the directory (`tmpcopyup`).
    CopyUp,
}

/// A bind mount.
#[derive(Debug)]
pub struct Bind {
    /// The source, opened `O_PATH` *after* [`crate::userns::private_mounts`]; its type decides whether a missing target becomes
    /// a directory or a file.
    pub source: OwnedFd,
    /// The source's name, for messages only.
    pub name: CString,
    /// Where.
    pub target: GuestPath,
    /// With or without what is mounted below the source.
    pub depth: Depth,
    /// Restrictions, applied to all mounts of a recursive bind.
    pub attributes: Attributes,
    /// How later mounts travel.
    pub propagation: Propagation,
}

/// A file made for the container.
#[derive(Clone)]
pub struct File {
    /// Where; a missing target is made as an empty file.
    pub target: GuestPath,
    /// Its content.
    pub contents: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Owner, as seen inside.
    pub uid: u32,
    /// Group, as seen inside.
    pub gid: u32,
    /// Whether the container may change it.
    pub access: Access,
}

impl fmt::Debug for File {
    /// Without the content, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File {{ target: {:?}, {} bytes, mode: {:o} }}", self.target, self.contents.len(), self.mode)
    }
}

/// A device node of the host.
#[derive(Debug)]
pub struct Device {
    /// The host's node, opened `O_PATH` after [`crate::userns::private_mounts`].
    pub source: OwnedFd,
    /// The source's name, for messages only.
    pub name: CString,
    /// Where.
    pub target: GuestPath,
    /// How it gets there. What may be done with it is up to its permission bits (and, for root, a device filter of the control group).
    pub node: Node,
}

/// How a device comes into the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// Bound from the host: the only way inside a user namespace, where the host's inode cannot be changed.
    Bind,
    /// Made anew: needs `CAP_MKNOD` in the first user namespace. Used by root, so that the container cannot change the host's inode.
    Make {
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
}

/// A resource limit, see getrlimit(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rlimit {
    /// Which.
    pub resource: Resource,
    /// Soft limit in the resource's unit; `u64::MAX` = unlimited.
    pub soft: u64,
    /// Hard limit, at least `soft`.
    pub hard: u64,
}

pub use kernel::limit::Resource;

/// Readiness to be killed when memory runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OomScore {
    /// As the launcher's.
    Inherit,
    /// -1000 (never) to 1000 (first); below the launcher's own needs privilege on the host.
    Set(i16),
}

/// Whether execve can give the process more than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privileges {
    /// Set-user-id programs and file capabilities work, within the bounding set.
    MayGain,
    /// `no_new_privs` is set.
    NoNew,
}

/// System call filter.
#[derive(Debug, Clone)]
pub enum Seccomp {
    /// None.
    Unconfined,
    /// A compiled program, and how the kernel loads it.
    Filter(Vec<kernel::seccomp::Insn>, kernel::seccomp::Flags),
}

/// What is executed.
#[derive(Debug, Clone)]
pub struct Process {
    /// Arguments, the first being the name; not empty.
    pub argv: Vec<CString>,
    /// `NAME=value` each.
    pub envp: Vec<CString>,
    /// Paths inside that are tried in this order: one for a name with a slash, else one for each word of `PATH`. See [`candidates`].
    pub candidates: Vec<CString>,
    /// Working directory.
    pub workdir: Workdir,
    /// User id inside.
    pub uid: u32,
    /// Group id inside.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Groups,
    /// The kernel that it takes itself to run on.
    pub personality: Personality,
}

/// See personality(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personality {
    /// As the launcher's.
    Inherit,
    /// This one, such as [`Personality::LINUX32`].
    Set(u32),
}

impl Personality {
    /// The machine's own.
    pub const LINUX: Self = Self::Set(0);
    /// One for 32 bits.
    pub const LINUX32: Self = Self::Set(8);
}

/// The paths to try for a command: itself when it has a slash, else below each word of `path` (an empty word is the working directory).
#[must_use]
pub fn candidates(command: &CStr, path: &[u8]) -> Vec<CString> {
    let name = command.to_bytes();
    if name.contains(&b'/') || name.is_empty() {
        return vec![command.to_owned()];
    }
    path.split(|&byte| byte == b':')
        .filter_map(|word| CString::new([if word.is_empty() { b"." } else { word }, b"/", name].concat()).ok())
        .collect()
}

/// Working directory.
#[derive(Debug, Clone)]
pub struct Workdir {
    /// Where.
    pub path: GuestPath,
    /// What to do when it does not exist.
    pub missing: MissingWorkdir,
}

/// When the working directory does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingWorkdir {
    /// Make it, for the process's user (what podman does with an image's `WORKDIR`).
    Create,
    /// Fail (what podman does with `--workdir`).
    Refuse,
}

/// Supplementary groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Exactly these, ids inside.
    Set(Vec<u32>),
    /// The caller's (`keep-groups`; also the only way in a user namespace that denies setgroups).
    Keep,
}

/// Standard input, output and error.
#[derive(Debug)]
pub enum Stdio {
    /// A new terminal, whose master [`crate::Spawned`] hands out.
    Terminal(WindowSize),
    /// These descriptors, in the order 0, 1, 2.
    Inherit([OwnedFd; 3]),
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// A descriptor that the process inherits.
#[derive(Debug)]
pub struct Passed {
    /// Its number inside, at least 3.
    pub number: u32,
    /// The caller's descriptor.
    pub fd: OwnedFd,
}

/// What stands between the launcher and the payload.
#[derive(Debug)]
pub enum Entry {
    /// Nothing: the launcher's child executes the payload. Only safe while nobody inside can write the launcher's binary, see
    /// [`crate::spawn::binary_is_exposed`].
    Direct,
    /// The sealed helper executes the payload, so that `/proc/self/exe` never names the launcher's binary.
    Shielded(OwnedFd),
    /// The sealed helper stays as process 1, forwards signals and reaps (`--init`).
    Init(OwnedFd),
}

/// Whose child the container's first process becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// The launcher's.
    Launcher,
    /// The launcher's own parent's (`CLONE_PARENT`), which then reaps it: systemd, or a supervisor.
    Sibling,
}

/// Where the process starts in the hierarchy of control groups.
#[derive(Debug)]
pub enum Cgroup {
    /// In the launcher's.
    Inherit,
    /// In this directory of a cgroup2 file system.
    Into(OwnedFd),
}

/// The paths that podman hides in every container that is not privileged.
pub const MASKED_PATHS: &[&str] = &[
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/dev/block",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// The paths that podman makes read-only in every container that is not privileged.
pub const READ_ONLY_PATHS: &[&str] =
    &["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
