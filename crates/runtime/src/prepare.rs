//! The launcher's own steps, before the clone: mounts that are attached nowhere yet, descriptors under safe numbers, a terminal.
//!
//! Nobody of the container exists yet. A new file system (a tmpfs, `/dev`) is filled by descriptor before anybody can see it;
//! what comes from the host is cloned from descriptors that the engine has opened.

use crate::detached::{clone, flags};
use crate::error::{Context, Error, Kind};
use crate::plan::{Depth, File, GuestPath, Propagation, Size, Terminals, TtyGroup, WindowSize};
use crate::rootfs;
use init::op::{Attributes, Slot};
use kernel::mount::{Change, Reach, set_attributes};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RawMode, Uid, chownat, fchmod, fchown, fstat, major, makedev, minor, mkdirat,
    mknodat, openat, symlinkat,
};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::mount::{FsMountFlags, FsOpenFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Directories of a fresh `/dev`.
pub(crate) const DEV_DIRECTORIES: [&CStr; 3] = [c"pts", c"shm", c"mqueue"];

/// Links of a fresh `/dev`, as runc and crun make them.
pub(crate) const DEV_LINKS: [(&CStr, &CStr); 6] = [
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"ptmx", c"pts/ptmx"),
    (c"core", c"/proc/kcore"),
];

/// Root directory and limit of a tmpfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TmpfsShape {
    pub(crate) size: Size,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// One step. `into` is where the resulting descriptor is left.
#[derive(Debug)]
pub(crate) enum Step<'p> {
    /// A copy under a number that no descriptor of the payload will have.
    Duplicate { fd: BorrowedFd<'p>, name: &'p CStr, into: Slot },
    /// A clone of what is open, as a mount of its own.
    Clone {
        source: BorrowedFd<'p>,
        name: &'p CStr,
        depth: Depth,
        attributes: Attributes,
        propagation: Propagation,
        into: Slot,
    },
    /// A clone of a device node, which must be one.
    CloneDevice { source: BorrowedFd<'p>, name: &'p CStr, into: Slot },
    /// A clone of the host's `/dev/null`, which must be the one.
    CloneNull { into: Slot },
    /// A clone of a tree of the host.
    CloneHost { path: &'static CStr, attributes: Attributes, into: Slot },
    /// A new tmpfs; `source` is what the kernel calls its source.
    Tmpfs { shape: TmpfsShape, source: &'p CStr, attributes: Attributes, into: Slot },
    /// What the root has at a path is copied into a tmpfs.
    CopyUp { root: Slot, path: &'p GuestPath, into: Slot },
    /// Restrictions of a mount that was to be filled first.
    Restrict { mount: Slot, attributes: Attributes },
    /// A directory in a tmpfs.
    Directory { directory: Slot, name: &'static CStr },
    /// A symbolic link in a tmpfs.
    Link { directory: Slot, name: &'static CStr, target: &'static CStr },
    /// An empty file in a tmpfs, to be covered.
    Placeholder { directory: Slot, name: &'p CStr },
    /// A device node in a tmpfs, of the same type and number as `source`.
    Node { directory: Slot, name: &'p CStr, source: BorrowedFd<'p>, mode: u32, uid: u32, gid: u32 },
    /// A file with content in a tmpfs, under a number, for this user and group.
    Write { directory: Slot, name: u16, file: &'p File, owner: (u32, u32) },
    /// An entry of a tmpfs for this user and group.
    Give { directory: Slot, name: &'static CStr, owner: (u32, u32) },
    /// The container's own terminal for this user.
    OwnTerminal { slot: Slot, uid: u32 },
    /// A pipe for this user; anything else that the caller chose stays as it is.
    OwnPipe { slot: Slot, uid: u32 },
    /// A new devpts.
    Devpts { group: TtyGroup, into: Slot },
    /// A new devpts with options of the caller's.
    Terminals { terminals: &'p Terminals, attributes: Attributes, into: Slot },
    /// A terminal of a devpts.
    Terminal { devpts: Slot, size: WindowSize, master: Slot, slave: Slot },
    /// A terminal of the devpts that a running container has.
    TerminalInside { root: BorrowedFd<'p>, size: WindowSize, master: Slot, slave: Slot },
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { name, into, .. } => write!(f, "{into} = {name:?}"),
            Self::Clone { name, depth, attributes, propagation, into, .. } => {
                let recursive = if *depth == Depth::Recursive { "tree " } else { "" };
                write!(f, "{into} = clone {recursive}{name:?} {attributes} {propagation:?}")
            }
            Self::CloneDevice { name, into, .. } => write!(f, "{into} = clone device {name:?}"),
            Self::CloneNull { into } => write!(f, "{into} = clone device \"/dev/null\""),
            Self::CloneHost { path, attributes, into } => write!(f, "{into} = clone tree {path:?} {attributes}"),
            Self::Tmpfs { shape, attributes, into, .. } => write!(f, "{into} = tmpfs {shape} {attributes}"),
            Self::CopyUp { root, path, into } => write!(f, "{into} copy of {root} {path}"),
            Self::Restrict { mount, attributes } => write!(f, "{mount} {attributes}"),
            Self::Directory { directory, name } => write!(f, "{directory} directory {name:?}"),
            Self::Link { directory, name, target } => write!(f, "{directory} link {name:?} -> {target:?}"),
            Self::Placeholder { directory, name } => write!(f, "{directory} file {name:?}"),
            Self::Node { directory, name, mode, uid, gid, .. } => {
                write!(f, "{directory} node {name:?} {mode:04o} {uid}:{gid}")
            }
            Self::Give { directory, name, owner: (uid, gid) } => write!(f, "{directory} own {name:?} {uid}:{gid}"),
            Self::OwnTerminal { slot, uid } => write!(f, "own terminal {slot} {uid}"),
            Self::OwnPipe { slot, uid } => write!(f, "own pipe {slot} {uid}"),
            Self::Write { directory, name, file, owner: (uid, gid) } => {
                let File { contents, mode, .. } = file;
                write!(f, "{directory} file \"{name}\" {mode:04o} {uid}:{gid} {} bytes", contents.len())
            }
            Self::Devpts { group: TtyGroup::Group(gid), into } => write!(f, "{into} = devpts gid={gid}"),
            Self::Devpts { group: TtyGroup::Opener, into } => write!(f, "{into} = devpts"),
            Self::Terminals { terminals, attributes, into } => {
                write!(f, "{into} = devpts {attributes}")?;
                terminals.options.iter().try_for_each(|(key, value)| write!(f, " {key:?}={value:?}"))
            }
            Self::Terminal { devpts, size, master, slave } => {
                write!(f, "{master}, {slave} = terminal of {devpts} {}x{}", size.columns, size.rows)
            }
            Self::TerminalInside { size, master, slave, .. } => {
                write!(f, "{master}, {slave} = terminal inside {}x{}", size.columns, size.rows)
            }
        }
    }
}

impl fmt::Display for TmpfsShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, mode, uid, gid } = self;
        match size {
            Size::HalfOfMemory => write!(f, "{mode:04o} {uid}:{gid}"),
            Size::Bytes(size) => write!(f, "{size} bytes {mode:04o} {uid}:{gid}"),
            Size::Unbounded => write!(f, "unbounded {mode:04o} {uid}:{gid}"),
        }
    }
}

/// The descriptors that the steps leave, and the lowest number that they may have.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Option<OwnedFd>>,
    lowest: i32,
}

impl Table {
    /// `passed` are the numbers above 2 that the payload inherits.
    pub(crate) fn new(slots: u16, passed: &[u32]) -> Self {
        let lowest =
            passed.last().map_or(3, |highest| i32::try_from(*highest).unwrap_or(i32::MAX - 1).saturating_add(1));
        Self { slots: std::iter::repeat_with(|| None).take(usize::from(slots)).collect(), lowest }
    }

    pub(crate) fn slots(&mut self) -> &mut [Option<OwnedFd>] {
        &mut self.slots
    }

    pub(crate) fn get(&self, slot: Slot) -> Result<BorrowedFd<'_>, Error> {
        let held = self.slots.get(usize::from(slot.0)).and_then(Option::as_ref);
        held.map(AsFd::as_fd).ok_or_else(|| Error::new("use descriptor", slot, Kind::Invalid("nothing has made it")))
    }

    pub(crate) fn take(&mut self, slot: Slot) -> Option<OwnedFd> {
        self.slots.get_mut(usize::from(slot.0))?.take()
    }

    fn put(&mut self, slot: Slot, fd: OwnedFd) {
        if let Some(place) = self.slots.get_mut(usize::from(slot.0)) {
            *place = Some(fd);
        }
    }

    /// A copy that `dup3` to a number of the payload cannot overwrite.
    pub(crate) fn safe_copy(&self, fd: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
        fcntl_dupfd_cloexec(fd, self.lowest)
    }

    /// Takes one step.
    pub(crate) fn take_step(&mut self, step: &Step<'_>) -> Result<(), Error> {
        match *step {
            Step::Duplicate { fd, name, into } => {
                let copy = self.safe_copy(fd).context("copy descriptor", name.to_string_lossy())?;
                self.put(into, copy);
            }
            Step::Clone { source, name, depth, attributes, propagation, into } => {
                self.put(into, clone(source, depth, attributes, propagation).context("bind", name.to_string_lossy())?);
            }
            Step::CloneDevice { source, name, into } => self.put(into, clone_device(source, name)?),
            Step::CloneNull { into } => self.put(into, clone_null()?),
            Step::CloneHost { path, attributes, into } => {
                self.put(into, clone_host(path, attributes).context("bind", path.to_string_lossy())?);
            }
            Step::Tmpfs { shape, source, attributes, into } => {
                self.put(into, tmpfs(shape, source, attributes).context("make tmpfs", shape)?);
            }
            Step::CopyUp { root, path, into } => rootfs::copy_out(self.get(root)?, path, self.get(into)?)?,
            Step::Restrict { mount, attributes } => {
                restrict(self.get(mount)?, attributes, Reach::One).context("restrict mount", mount)?;
            }
            Step::Devpts { group, into } => self.put(into, devpts(group).context("make devpts", "")?),
            Step::Terminals { terminals, attributes, into } => {
                let mount = terminals_of(&terminals.options, attributes).context("make devpts", &terminals.target)?;
                self.put(into, mount);
            }
            Step::Terminal { devpts, size, master, slave } => {
                let ptmx = openat(self.get(devpts)?, c"ptmx", PTMX, Mode::empty()).context("open terminal", "ptmx")?;
                self.terminal(ptmx, size, master, slave)?;
            }
            Step::TerminalInside { root, size, master, slave } => {
                let ptmx = crate::rootfs::open_ptmx(root)?;
                self.terminal(ptmx, size, master, slave)?;
            }
            ref entry => self.fill(entry)?,
        }
        Ok(())
    }

    /// Takes one of the steps that fill a new file system.
    fn fill(&self, step: &Step<'_>) -> Result<(), Error> {
        match *step {
            Step::Directory { directory, name } => mkdirat(self.get(directory)?, name, Mode::from_raw_mode(0o755))
                .context("make directory", name.to_string_lossy()),
            Step::Link { directory, name, target } => {
                symlinkat(target, self.get(directory)?, name).context("make link", name.to_string_lossy())
            }
            Step::Placeholder { directory, name } => {
                openat(self.get(directory)?, name, NEW, Mode::from_raw_mode(0o666))
                    .map(drop)
                    .context("make file", name.to_string_lossy())
            }
            Step::Node { directory, name, source, mode, uid, gid } => {
                node(self.get(directory)?, name, source, (mode, uid, gid))
                    .context("make device", name.to_string_lossy())
            }
            Step::Write { directory, name, file, owner } => {
                write(self.get(directory)?, name, file, owner).context("write file", &file.target)
            }
            Step::Give { directory, name, owner: (uid, gid) } => {
                let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
                chownat(self.get(directory)?, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
                    .context("give away", name.to_string_lossy())
            }
            Step::OwnTerminal { slot, uid } => own(self.get(slot)?, uid).context("give away terminal", slot),
            Step::OwnPipe { slot, uid } => own_pipe(self.get(slot)?, uid).context("give away pipe", slot),
            _ => Ok(()),
        }
    }

    fn terminal(&mut self, ptmx: OwnedFd, size: WindowSize, master: Slot, slave: Slot) -> Result<(), Error> {
        let (outer, inner) = open_terminal(&ptmx, size).context("open terminal", "")?;
        self.put(slave, self.safe_copy(inner.as_fd()).context("open terminal", "")?);
        self.put(master, outer);
        Ok(())
    }
}

const PTMX: OFlags = OFlags::RDWR.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const NEW: OFlags =
    OFlags::CREATE.union(OFlags::EXCL).union(OFlags::WRONLY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Master and slave. The slave is opened through the master, by no path.
fn open_terminal(ptmx: &OwnedFd, size: WindowSize) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
    unlockpt(ptmx)?;
    let slave = ioctl_tiocgptpeer(ptmx, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    let size = rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&slave, size)?;
    Ok((fcntl_dupfd_cloexec(ptmx, 3)?, slave))
}

fn restrict(mount: BorrowedFd<'_>, attributes: Attributes, reach: Reach) -> rustix::io::Result<()> {
    set_attributes(mount, &Change { set: u64::from(flags(attributes).bits()), ..Change::default() }, reach)
}

fn clone_host(path: &CStr, attributes: Attributes) -> rustix::io::Result<OwnedFd> {
    let tree = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    clone(tree.as_fd(), Depth::Recursive, attributes, Propagation::RSlave)
}

/// A read-only mount keeps nobody from writing to a device, but the container from changing mode or owner of the host's node.
const DEVICE: Attributes = Attributes::READ_ONLY.and(Attributes::NO_SUID).and(Attributes::NO_EXEC);

fn clone_device(source: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Error> {
    let name = || name.to_string_lossy();
    let kind = FileType::from_raw_mode(fstat(source).context("look at device", name())?.st_mode);
    if !matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) {
        return Err(Error::new("bind device", name(), Kind::Invalid("it is not a device")));
    }
    clone(source, Depth::Single, DEVICE, Propagation::Private).context("bind device", name())
}

/// What hides files. That it is the null device, and not what somebody put at that name, is checked on the descriptor that is then used.
fn clone_null() -> Result<OwnedFd, Error> {
    let null = rustix::fs::open(c"/dev/null", OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .context("open", "/dev/null")?;
    let status = fstat(&null).context("look at device", "/dev/null")?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if kind != FileType::CharacterDevice || (major(status.st_rdev), minor(status.st_rdev)) != (1, 3) {
        return Err(Error::new("mask paths with", "/dev/null", Kind::Invalid("it is not the null device")));
    }
    clone(null.as_fd(), Depth::Single, DEVICE, Propagation::Private).context("bind device", "/dev/null")
}

pub(crate) fn tmpfs(shape: TmpfsShape, source: &CStr, attributes: Attributes) -> rustix::io::Result<OwnedFd> {
    if shape.size == Size::Unbounded {
        return ramfs(shape, attributes);
    }
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", source)?;
    if let Size::Bytes(size) = shape.size {
        fsconfig_set_string(&context, c"size", size.to_string())?;
    }
    fsconfig_set_string(&context, c"mode", format!("{:o}", shape.mode))?;
    for (key, id) in [(c"uid", shape.uid), (c"gid", shape.gid)] {
        if id != 0 {
            fsconfig_set_string(&context, key, id.to_string())?;
        }
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(attributes))
}

/// Of a ramfs only the mode can be said when it is made.
fn ramfs(shape: TmpfsShape, attributes: Attributes) -> rustix::io::Result<OwnedFd> {
    let context = fsopen(c"ramfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"ramfs")?;
    fsconfig_set_string(&context, c"mode", format!("{:o}", shape.mode))?;
    fsconfig_create(&context)?;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(attributes))?;
    let owner = (Some(Uid::from_raw(shape.uid)), Some(Gid::from_raw(shape.gid)));
    chownat(&mount, c"", owner.0, owner.1, AtFlags::EMPTY_PATH)?;
    Ok(mount)
}

fn terminals_of(options: &[(CString, CString)], attributes: Attributes) -> rustix::io::Result<OwnedFd> {
    let context = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"devpts")?;
    options.iter().try_for_each(|(key, value)| fsconfig_set_string(&context, key.as_c_str(), value.as_c_str()))?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(attributes))
}

fn devpts(group: TtyGroup) -> rustix::io::Result<OwnedFd> {
    let context = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"devpts")?;
    fsconfig_set_string(&context, c"ptmxmode", c"0666")?;
    fsconfig_set_string(&context, c"mode", c"0620")?;
    if let TtyGroup::Group(gid) = group {
        fsconfig_set_string(&context, c"gid", gid.to_string())?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(Attributes::NO_SUID.and(Attributes::NO_EXEC)))
}

fn node(
    directory: BorrowedFd<'_>,
    name: &CStr,
    source: BorrowedFd<'_>,
    (mode, uid, gid): (u32, u32, u32),
) -> rustix::io::Result<()> {
    let status = fstat(source)?;
    let device = makedev(major(status.st_rdev), minor(status.st_rdev));
    mknodat(directory, name, FileType::from_raw_mode(status.st_mode), Mode::from_raw_mode(mode as RawMode), device)?;
    chownat(directory, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), AtFlags::SYMLINK_NOFOLLOW)?;
    // Past the launcher's umask.
    rustix::fs::chmodat(directory, name, Mode::from_raw_mode(mode as RawMode), AtFlags::empty())
}

fn own(open: BorrowedFd<'_>, uid: u32) -> rustix::io::Result<()> {
    chownat(open, c"", Some(Uid::from_raw(uid)), None, AtFlags::EMPTY_PATH)
}

/// What is not ours to give stays as it is.
fn own_pipe(pipe: BorrowedFd<'_>, uid: u32) -> rustix::io::Result<()> {
    if FileType::from_raw_mode(fstat(pipe)?.st_mode) != FileType::Fifo {
        return Ok(());
    }
    match own(pipe, uid) {
        Err(Errno::PERM | Errno::INVAL | Errno::ROFS) => Ok(()),
        result => result,
    }
}

fn write(directory: BorrowedFd<'_>, name: u16, file: &File, (uid, gid): (u32, u32)) -> rustix::io::Result<()> {
    let opened = openat(directory, name.to_string(), NEW, Mode::from_raw_mode(0o600))?;
    let mut rest = file.contents.as_slice();
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(&opened, rest)?..];
    }
    if (uid, gid) != (0, 0) {
        fchown(&opened, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    fchmod(&opened, Mode::from_raw_mode(file.mode as RawMode))
}
