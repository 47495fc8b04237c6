//! The steps of a container's first process, as data.
//!
//! A step borrows everything from the plan it was compiled from. Descriptors that the parent prepares, or that one step
//! leaves for a later one, live in numbered slots. Each step prints as one line, which is what `--show-ops` shows and what tests compare.

use core::ffi::CStr;
use core::fmt;
use kernel::clone::Namespaces;
use kernel::limit::Resource;
use kernel::seccomp::{Flags, Insn};
use rustix::fd::BorrowedFd;

/// A place in the table of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(pub u16);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Mount restrictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub u32);

impl Attributes {
    /// `ro`
    pub const READ_ONLY: Self = Self(1);
    /// `nosuid`
    pub const NO_SUID: Self = Self(2);
    /// `nodev`
    pub const NO_DEV: Self = Self(4);
    /// `noexec`
    pub const NO_EXEC: Self = Self(8);
    /// `nosuid,nodev,noexec`
    pub const SAFE: Self = Self(2 | 4 | 8);

    /// These and `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 & 1 == 0 { "rw" } else { "ro" })?;
        for (bit, name) in [(2, ",nosuid"), (4, ",nodev"), (8, ",noexec")] {
            if self.0 & bit != 0 {
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}

/// A file system that belongs to the child's namespaces, so that only the child can make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filesystem {
    /// `proc`
    Proc,
    /// `sysfs`; where the kernel refuses it, the host's `/sys`, read-only.
    Sysfs,
    /// `mqueue`; where the kernel refuses it, the host's `/dev/mqueue`; where there is none, an empty tmpfs.
    Mqueue,
    /// `cgroup2`; where the kernel refuses it, the host's tree, read-only; where there is none, an empty tmpfs.
    Cgroup2,
}

/// What a missing mount target becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// A directory.
    Directory,
    /// An empty file.
    File,
}

/// What a target may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Exactly the path: a symbolic link on the way is refused. For `/proc`, `/sys`, `/dev` and what belongs there.
    NoLinks,
    /// Wherever the image's links lead inside the root, but not into procfs.
    NotProc,
    /// Also a file of procfs, which the plan names.
    ProcFile,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    /// Write `/proc/self/oom_score_adj`, while the host's procfs is still there.
    OomScore(i16),
    /// Be not dumpable: nobody without privilege over the host's user namespace may look into this process.
    Hide,
    /// Send the parent a descriptor of the network namespace, which it cannot open of a process that is not dumpable.
    TellNetwork,
    /// Join the namespace of a descriptor.
    Join(Namespaces, BorrowedFd<'a>),
    /// Join namespaces of a process, by a pidfd, all at once.
    JoinProcess(Namespaces, BorrowedFd<'a>),
    /// Make namespaces new.
    Unshare(Namespaces),
    /// Wait until the parent has said which ids the new user namespace has. End of file: the parent is gone, and so is this process.
    AwaitIds,
    /// Become this user and group of the user namespace, with all capabilities that there are in it.
    Become(u32, u32),
    /// Become a session leader.
    Session,
    /// Get a session keyring of its own.
    Keyring,
    /// Set the host name.
    Hostname(&'a [u8]),
    /// Set the NIS domain name.
    Domainname(&'a [u8]),
    /// Bring up the loopback device.
    Loopback,
    /// Attach the root file system on top of the host's root.
    AttachRoot(Slot),
    /// Make a file system, attached nowhere yet.
    Mount {
        /// Which.
        filesystem: Filesystem,
        /// Restrictions.
        attributes: Attributes,
        /// Where it is left.
        into: Slot,
    },
    /// Attach a mount on the host's `/proc`, out of the way, so that parts of it can be cloned; it goes with the host's root.
    Stage(Slot),
    /// Clone one file of a staged mount as a mount of its own.
    CloneFile {
        /// The staged mount.
        from: Slot,
        /// Its name in the root of that mount: a decimal number.
        name: u16,
        /// Restrictions.
        attributes: Attributes,
        /// Where the clone is left.
        into: Slot,
    },
    /// Attach a mount at a path inside.
    Attach {
        /// The mount.
        mount: Slot,
        /// Where.
        target: &'a CStr,
        /// What a missing target becomes.
        make: Make,
        /// What the target may be.
        guard: Guard,
    },
    /// Attach a mount at an entry of a directory that the parent has made, which the image cannot have changed.
    AttachEntry {
        /// The mount.
        mount: Slot,
        /// The directory.
        directory: Slot,
        /// The entry.
        name: &'a CStr,
    },
    /// Clone an open file as a mount and attach it there.
    AttachOpen {
        /// The open file, on a mount that is attached.
        file: Slot,
        /// The directory.
        directory: Slot,
        /// The entry.
        name: &'a CStr,
    },
    /// Hide a path: a file by `null`, a directory by `empty`.
    Mask {
        /// What to hide; skipped when it does not exist.
        target: &'a CStr,
        /// A mount of `/dev/null`.
        null: Slot,
        /// A mount of an empty read-only directory.
        empty: Slot,
    },
    /// Make a path and all below it read-only.
    ReadOnly(&'a CStr),
    /// Write a kernel parameter through the container's own procfs.
    Sysctl {
        /// The procfs.
        proc: Slot,
        /// Below `sys/`.
        path: &'a CStr,
        /// What is written.
        value: &'a [u8],
    },
    /// Make the working directory when it is missing, for this user.
    MakeDirectory(&'a CStr, u32, u32),
    /// Make the root mount read-only.
    RootReadOnly(Slot),
    /// Make the attached root the root of the process and drop the host's.
    Pivot(Slot),
    /// Tell the parent that all is ready, and wait for its word.
    Barrier,
    /// Set an option of a file system that was just made.
    Configure {
        /// Its mount, not attached yet.
        mount: Slot,
        /// As of mount(8).
        key: &'a CStr,
        /// As of mount(8).
        value: &'a CStr,
    },
    /// Set the file mode creation mask.
    Umask(u32),
    /// Set the personality: personality(2).
    Personality(u32),
    /// Give the container's own terminal to a user.
    OwnTerminal(Slot, u32),
    /// Give a pipe to a user, so that `/dev/stdout` can be opened by name; anything else that the caller chose stays as it is.
    OwnPipe(Slot, u32),
    /// Make a terminal the controlling one.
    Terminal(Slot),
    /// Put a descriptor under a number.
    Pass(Slot, u32),
    /// Close all descriptors above 2 but those passed, the report and the helper.
    CloseRest,
    /// Change to a directory inside.
    Chdir(&'a CStr),
    /// Change to it with the payload's identity, if the launcher's was not let in.
    ChdirAgain(&'a CStr),
    /// Set a resource limit: soft, hard.
    Limit(Resource, u64, u64),
    /// Take all but these capabilities out of the bounding set.
    Bounding(u64),
    /// Keep permitted capabilities when the user changes.
    KeepCapabilities,
    /// Set the supplementary groups.
    Groups(&'a [u32]),
    /// Set all group ids.
    Group(u32),
    /// Set all user ids.
    User(u32),
    /// Set the effective, permitted and inheritable sets.
    Capabilities {
        /// Effective.
        effective: u64,
        /// Permitted.
        permitted: u64,
        /// Inheritable.
        inheritable: u64,
    },
    /// Set the ambient set.
    Ambient(u64),
    /// Set `no_new_privs`.
    NoNewPrivileges,
    /// Load a system call filter.
    Seccomp(&'a [Insn], Flags),
    /// Put all signals to their defaults and unblock them.
    Signals,
    /// Execute the first of the candidates that is there.
    Execute,
    /// Execute the helper of a slot, which executes the first of the candidates that is there; the helper's word for it comes first.
    ExecuteHelper(Slot, &'a CStr),
}

impl fmt::Display for Op<'_> {
    #[allow(clippy::too_many_lines)] // one line for each kind
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OomScore(score) => write!(f, "oom score {score}"),
            Self::Hide => f.write_str("not dumpable"),
            Self::TellNetwork => f.write_str("tell network namespace"),
            Self::Join(kinds, _) => write!(f, "join {}", Names(*kinds)),
            Self::JoinProcess(kinds, _) => write!(f, "join process {}", Names(*kinds)),
            Self::Unshare(kinds) => write!(f, "unshare {}", Names(*kinds)),
            Self::AwaitIds => f.write_str("await ids"),
            Self::Become(uid, gid) => write!(f, "become {uid}:{gid}"),
            Self::Session => f.write_str("session"),
            Self::Keyring => f.write_str("keyring"),
            Self::Hostname(name) => write!(f, "hostname {}", Text(name)),
            Self::Domainname(name) => write!(f, "domainname {}", Text(name)),
            Self::Loopback => f.write_str("loopback up"),
            Self::AttachRoot(slot) => write!(f, "attach root {slot}"),
            Self::Mount { filesystem, attributes, into } => {
                write!(f, "{into} = mount {} {attributes}", filesystem.name())
            }
            Self::Stage(slot) => write!(f, "stage {slot}"),
            Self::CloneFile { from, name, attributes, into } => {
                write!(f, "{into} = clone {from} \"{name}\" {attributes}")
            }
            Self::Attach { mount, target, make, guard } => {
                write!(f, "attach {mount} at {target:?} {} {}", make.name(), guard.name())
            }
            Self::AttachEntry { mount, directory, name } => write!(f, "attach {mount} at {directory} {name:?}"),
            Self::AttachOpen { file, directory, name } => write!(f, "attach open {file} at {directory} {name:?}"),
            Self::Mask { target, .. } => write!(f, "mask {target:?}"),
            Self::ReadOnly(target) => write!(f, "read-only {target:?}"),
            Self::Sysctl { path, value, .. } => write!(f, "sysctl {path:?} = {}", Text(value)),
            Self::MakeDirectory(path, uid, gid) => write!(f, "make directory {path:?} {uid}:{gid}"),
            Self::RootReadOnly(slot) => write!(f, "read-only root {slot}"),
            Self::Pivot(slot) => write!(f, "pivot {slot}"),
            Self::Barrier => f.write_str("barrier"),
            Self::Configure { mount, key, value } => write!(f, "{mount} {key:?}={value:?}"),
            Self::Personality(persona) => write!(f, "personality {persona:#x}"),
            Self::Umask(mask) => write!(f, "umask {mask:04o}"),
            Self::OwnTerminal(slot, uid) => write!(f, "own terminal {slot} {uid}"),
            Self::OwnPipe(slot, uid) => write!(f, "own pipe {slot} {uid}"),
            Self::Terminal(slot) => write!(f, "terminal {slot}"),
            Self::Pass(slot, number) => write!(f, "pass {slot} as {number}"),
            Self::CloseRest => f.write_str("close the rest"),
            Self::Chdir(path) => write!(f, "chdir {path:?}"),
            Self::ChdirAgain(path) => write!(f, "chdir again {path:?}"),
            Self::Limit(resource, soft, hard) => write!(f, "limit {resource} {}:{}", Limit(*soft), Limit(*hard)),
            Self::Bounding(set) => write!(f, "bounding {set:#x}"),
            Self::KeepCapabilities => f.write_str("keep capabilities"),
            Self::Groups(groups) => write!(f, "groups {groups:?}"),
            Self::Group(gid) => write!(f, "gid {gid}"),
            Self::User(uid) => write!(f, "uid {uid}"),
            Self::Capabilities { effective, permitted, inheritable } => {
                write!(f, "capabilities e={effective:#x} p={permitted:#x} i={inheritable:#x}")
            }
            Self::Ambient(set) => write!(f, "ambient {set:#x}"),
            Self::NoNewPrivileges => f.write_str("no new privileges"),
            Self::Seccomp(program, flags) if *flags == Flags::NONE => {
                write!(f, "seccomp {} instructions", program.len())
            }
            Self::Seccomp(program, flags) => {
                write!(f, "seccomp {} instructions flags={:#x}", program.len(), flags.bits())
            }
            Self::Signals => f.write_str("signals to defaults"),
            Self::Execute => f.write_str("execute"),
            Self::ExecuteHelper(slot, word) => write!(f, "execute {slot} {word:?}"),
        }
    }
}

struct Names(Namespaces);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.names().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

struct Limit(u64);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u64::MAX { f.write_str("unlimited") } else { write!(f, "{}", self.0) }
    }
}

impl Filesystem {
    /// The kernel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proc => "proc",
            Self::Sysfs => "sysfs",
            Self::Mqueue => "mqueue",
            Self::Cgroup2 => "cgroup2",
        }
    }
}

impl Make {
    fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "file",
        }
    }
}

impl Guard {
    fn name(self) -> &'static str {
        match self {
            Self::NoLinks => "no links",
            Self::NotProc => "not proc",
            Self::ProcFile => "proc file",
        }
    }
}
