//! The loop that takes the steps, in the child.
//!
//! A failed step is reported (which, why) and ends the process; the parent, which owns the list, writes the sentence.
//!
//! ```text
//! mounts    file systems, attaching, masking
//! identity  ids, capabilities, filter
//! handover  descriptors, working directory, execve
//! ```

mod handover;
mod identity;
mod mounts;

use crate::op::{Make, Op, Slot};
use crate::report::{Failure, GO, IDS, In, LENGTH, Part, Report};
use core::ffi::CStr;
use kernel::clone::{Never, exit};
use kernel::execute::Word;
use kernel::mount::Reach;
use mounts::Cover;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, IoSlice};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg};

/// Everything the child needs.
#[derive(Debug)]
pub struct Start<'a> {
    /// The steps.
    pub ops: &'a [Op<'a>],
    /// Environment of the payload, with its end.
    pub envp: &'a [Word<'a>],
    /// Paths to try.
    pub candidates: &'a [&'a CStr],
    /// Numbers above 2 that stay open, sorted; not the report's.
    pub kept: &'a [u32],
    /// The child's end of the socket pair.
    pub report: BorrowedFd<'a>,
}

/// Words of room before the payload's arguments: for the helper's name and the payload's path.
pub const ROOM: usize = 2;

/// What the steps change.
#[derive(Debug)]
pub struct Tables<'t, 'a> {
    /// Descriptors.
    pub slots: &'t mut [Option<OwnedFd>],
    /// [`ROOM`], then the arguments of the payload with their end.
    pub argv: &'t mut [Word<'a>],
}

/// Where the loop stands.
struct State<'s, 'a> {
    start: &'s Start<'a>,
    slots: &'s mut [Option<OwnedFd>],
    argv: &'s mut [Word<'a>],
    /// Slot of the attached root.
    root: Option<Slot>,
    /// Whether what hides files and what hides directories is in use already.
    masked: (bool, bool),
    /// The working directory could not be entered with the launcher's identity, and is tried again with the payload's.
    outside: bool,
    /// The candidate of a failed execve.
    candidate: u32,
}

/// Takes all steps; the last one executes the payload. `parent_end` is the number of the parent's end of the socket pair, of which
/// the child has a copy: while that is open, the parent's death would not be seen.
pub fn run<'a>(start: &Start<'a>, tables: Tables<'_, 'a>, parent_end: u32) -> Never {
    let _ = kernel::descriptor::close_range(parent_end, parent_end);
    let Tables { slots, argv } = tables;
    let mut state = State { start, slots, argv, root: None, masked: (false, false), outside: false, candidate: 0 };
    let mut failed = (0, Failure::from(Errno::INVAL));
    for (index, op) in start.ops.iter().enumerate() {
        if let Err(failure) = state.step(op) {
            failed = (index as u32, failure);
            break;
        }
    }
    let report = Report::Failed { op: failed.0, failure: failed.1, candidate: state.candidate };
    let _ = send(start.report, &report.encode(), SendFlags::NOSIGNAL);
    // The parent says when this is over: a manager that watches this process is to hear of the failure first.
    let mut word = [0u8; LENGTH];
    while let Ok((_, 1..)) | Err(Errno::INTR) = recv(start.report, &mut word[..], RecvFlags::empty()) {}
    exit(125)
}

impl<'a> State<'_, 'a> {
    /// Takes one step.
    fn step(&mut self, op: &Op<'a>) -> Result<(), Failure> {
        match *op {
            Op::OomScore(score) => oom_score(score),
            Op::Hide => Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?),
            Op::TellNetwork => tell_network(self.start.report),
            Op::Join(kinds, namespace) => join(kinds.bits(), namespace),
            Op::JoinProcess(kinds, process) => join(kinds.bits(), process),
            Op::Unshare(kinds) => Ok(kernel::clone::unshare(kinds)?),
            Op::AwaitIds => self.await_ids(),
            Op::Become(uid, gid) => identity::become_setter(uid, gid),
            Op::Session => Ok(rustix::process::setsid().map(drop)?),
            Op::Keyring => keyring(),
            Op::Hostname(name) => Ok(rustix::system::sethostname(name)?),
            Op::Domainname(name) => Ok(rustix::system::setdomainname(name)?),
            Op::Loopback => Ok(kernel::session::loopback_up()?),
            Op::AttachRoot(slot) => self.attach_root(slot),
            Op::Mount { filesystem, attributes, into } => self.keep(into, mounts::make(filesystem, attributes)?),
            Op::Configure { mount, key, value } => mounts::configure(self.slot(mount)?, key, value),
            Op::Stage(slot) => self.stage(slot),
            Op::CloneFile { from, name, attributes, into } => {
                let file = mounts::clone_entry(self.slot(from)?, name, attributes)?;
                self.keep(into, file)
            }
            Op::Attach { mount, target, make, guard } => {
                mounts::attach(self.root()?, self.slot(mount)?, target, make, guard)
            }
            Op::AttachEntry { mount, directory, name } => {
                mounts::attach_entry(self.slot(mount)?, self.slot(directory)?, name)
            }
            Op::AttachOpen { file, directory, name } => {
                let clone = mounts::clone_open(self.slot(file)?, Reach::One)?;
                mounts::attach_entry(clone.as_fd(), self.slot(directory)?, name)
            }
            Op::Mask { target, null, empty } => self.mask(target, null, empty),
            Op::ReadOnly(target) => mounts::read_only(self.root()?, target),
            Op::Sysctl { proc, path, value } => sysctl(self.slot(proc)?, path, value),
            Op::MakeDirectory(path, uid, gid) => make_directory(self.root()?, path, uid, gid),
            Op::RootReadOnly(slot) => mounts::restrict_root(self.slot(slot)?),
            Op::Pivot(slot) => mounts::pivot(self.slot(slot)?),
            Op::Barrier => self.wait(),
            _ => self.late_step(op),
        }
    }

    /// Takes one of the steps after the barrier.
    fn late_step(&mut self, op: &Op<'a>) -> Result<(), Failure> {
        match *op {
            Op::Umask(mask) => {
                rustix::process::umask(Mode::from_raw_mode(mask));
                Ok(())
            }
            Op::Personality(persona) => Ok(kernel::session::personality(persona)?),
            Op::OwnTerminal(slot, uid) => handover::own(self.slot(slot)?, uid),
            Op::OwnPipe(slot, uid) => handover::own_pipe(self.slot(slot)?, uid),
            Op::Terminal(slot) => Ok(rustix::process::ioctl_tiocsctty(self.slot(slot)?)?),
            Op::Pass(slot, number) => Ok(kernel::descriptor::duplicate_to(self.slot(slot)?, number)?),
            Op::CloseRest => {
                self.heed_parent();
                handover::close_rest(self.start.kept, self.start.report)
            }
            Op::Chdir(path) => self.change_directory(path),
            Op::ChdirAgain(path) if self.outside => handover::change_directory(path),
            Op::ChdirAgain(_) => Ok(()),
            Op::Limit(resource, soft, hard) => Ok(kernel::session::limit(resource, soft, hard)?),
            Op::Bounding(kept) => identity::bound(kept),
            Op::KeepCapabilities => Ok(rustix::thread::set_keep_capabilities(true)?),
            Op::Groups(groups) => identity::groups(groups),
            Op::Group(gid) => identity::group(gid),
            Op::User(uid) => identity::user(uid),
            Op::Capabilities { effective, permitted, inheritable } => {
                identity::capabilities(effective, permitted, inheritable)
            }
            Op::Ambient(set) => identity::ambient(set),
            Op::NoNewPrivileges => Ok(rustix::thread::set_no_new_privs(true)?),
            Op::Seccomp(program, flags) => Ok(kernel::seccomp::load(program, flags)?),
            Op::Signals => {
                kernel::signal::default_all();
                Ok(kernel::signal::set_mask(kernel::signal::Set::EMPTY).map(drop)?)
            }
            Op::Execute => {
                Err(handover::execute(self.start, self.argv.get(ROOM..).unwrap_or(&[]), &mut self.candidate))
            }
            Op::ExecuteHelper(slot, word) => {
                let path = handover::executable(self.start.candidates, &mut self.candidate)?;
                self.helper_words(word, path)?;
                Err(kernel::execute::descriptor(self.slot(slot)?, self.argv, self.start.envp).into())
            }
            _ => Err(Errno::NOSYS.into()),
        }
    }

    /// Puts the helper's name and the payload's path before the payload's arguments.
    fn helper_words(&mut self, word: &'a CStr, path: &'a CStr) -> Result<(), Failure> {
        let room = self.argv.get_mut(..ROOM).ok_or(Errno::INVAL)?;
        room.copy_from_slice(&[Word::new(word), Word::new(path)]);
        Ok(())
    }

    fn slot(&self, slot: Slot) -> Result<BorrowedFd<'_>, Failure> {
        let held = self.slots.get(usize::from(slot.0)).and_then(Option::as_ref);
        held.map(AsFd::as_fd).ok_or(Failure::from(Errno::BADF))
    }

    fn keep(&mut self, slot: Slot, fd: OwnedFd) -> Result<(), Failure> {
        *self.slots.get_mut(usize::from(slot.0)).ok_or(Errno::BADF)? = Some(fd);
        Ok(())
    }

    fn root(&self) -> Result<BorrowedFd<'_>, Failure> {
        self.slot(self.root.ok_or(Errno::BADF)?)
    }

    fn attach_root(&mut self, slot: Slot) -> Result<(), Failure> {
        mounts::attach_over(self.slot(slot)?, c"/")?;
        self.root = Some(slot);
        Ok(())
    }

    fn stage(&self, slot: Slot) -> Result<(), Failure> {
        mounts::attach_over(self.slot(slot)?, c"/proc")
    }

    fn mask(&mut self, target: &CStr, null: Slot, empty: Slot) -> Result<(), Failure> {
        let null = Cover { mount: self.slot(null)?, attached: self.masked.0 };
        let empty = Cover { mount: self.slot(empty)?, attached: self.masked.1 };
        match mounts::mask(self.root()?, target, null, empty)? {
            Some(Make::File) => self.masked.0 = true,
            Some(Make::Directory) => self.masked.1 = true,
            None => {}
        }
        Ok(())
    }

    /// Before the identity changes, since the directory may be one that only root may enter; where it is one that even root may not (a user's
    /// own FUSE mount, a squashing NFS), once more after.
    fn change_directory(&mut self, path: &CStr) -> Result<(), Failure> {
        match handover::change_directory(path) {
            Err(Failure { errno: Errno::ACCESS, part: Part::Resolve }) => {
                self.outside = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Until then this process is nobody in its user namespace.
    fn await_ids(&self) -> Result<(), Failure> {
        let mut word = [0u8; LENGTH];
        loop {
            match recv(self.start.report, &mut word[..], RecvFlags::empty()) {
                Ok((_, 1)) if word[..1] == IDS => return Ok(()),
                Err(Errno::INTR) => {}
                _ => exit(125),
            }
        }
    }

    /// Ends this process if its parent has ended. The word to go is there long before the payload can run, and a parent that is killed
    /// in between would leave a container of which nobody is told that it started.
    fn heed_parent(&self) {
        let mut word = [0u8; LENGTH];
        if let Ok((_, 0)) = recv(self.start.report, &mut word[..], RecvFlags::DONTWAIT | RecvFlags::PEEK) {
            exit(125);
        }
    }

    /// Waits for the word to go on; unless it is there already, says that all is ready. End of file: the parent is gone, and so is this process.
    fn wait(&self) -> Result<(), Failure> {
        let mut word = [0u8; LENGTH];
        let mut how = RecvFlags::DONTWAIT;
        loop {
            match recv(self.start.report, &mut word[..], how) {
                Ok((_, 1)) if word[..1] == GO => return Ok(()),
                Err(Errno::AGAIN) if how == RecvFlags::DONTWAIT => {
                    send(self.start.report, &Report::Ready.encode(), SendFlags::NOSIGNAL)?;
                    how = RecvFlags::empty();
                }
                Err(Errno::INTR) => {}
                _ => exit(125),
            }
        }
    }
}

fn join(kinds: u32, target: BorrowedFd<'_>) -> Result<(), Failure> {
    let kinds = rustix::thread::ThreadNameSpaceType::from_bits_retain(kinds);
    Ok(rustix::thread::move_into_thread_name_spaces(target, kinds)?)
}

/// The user's quota counts every keyring: at its limit, containers share one of a fixed name rather than the caller's own. A kernel without
/// keys has nothing to share.
fn keyring() -> Result<(), Failure> {
    match kernel::session::join_keyring(None) {
        Err(Errno::DQUOT) => Ok(kernel::session::join_keyring(Some(c"lodger"))?),
        Err(Errno::NOSYS | Errno::PERM) => Ok(()),
        result => Ok(result?),
    }
}

fn oom_score(score: i16) -> Result<(), Failure> {
    let file = rustix::fs::open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = [0u8; 11];
    let text = decimal(i32::from(score), &mut text);
    rustix::io::write(&file, text).during(Part::Write).map(drop)
}

/// Decimal digits with a sign, without the formatting machinery.
fn decimal(number: i32, buffer: &mut [u8; 11]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut start = buffer.len();
    while start > 1 {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    &buffer[start..]
}

/// Through the procfs that was just mounted, by descriptor: nothing of the image is on the way.
fn sysctl(proc: BorrowedFd<'_>, path: &CStr, value: &[u8]) -> Result<(), Failure> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let directory = rustix::fs::openat2(proc, c"sys", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)?;
    let file = rustix::fs::openat2(&directory, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty(), resolve)?;
    // The host's may have mounts in it, as in a container of systemd-nspawn; all of them are procfs again.
    if rustix::fs::fstatfs(&file)?.f_type != rustix::fs::PROC_SUPER_MAGIC {
        return Err(Errno::XDEV.into());
    }
    rustix::io::write(&file, value).during(Part::Write).map(drop)
}

/// While the host's procfs is still there. A process may always look at itself.
fn tell_network(report: BorrowedFd<'_>) -> Result<(), Failure> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let namespace = rustix::fs::open(c"/proc/self/ns/net", flags, Mode::empty())?;
    let mut space = [core::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let namespaces = [namespace.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&namespaces));
    let message = Report::Network.encode();
    Ok(sendmsg(report, &[IoSlice::new(&message)], &mut ancillary, SendFlags::NOSIGNAL).map(drop)?)
}

fn make_directory(root: BorrowedFd<'_>, path: &CStr, uid: u32, gid: u32) -> Result<(), Failure> {
    crate::inside::ensure_directory(root, path, uid, gid).during(Part::Resolve).map(drop)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_written_in_full() {
        for (number, text) in
            [(0, "0"), (7, "7"), (-1, "-1"), (1000, "1000"), (-1000, "-1000"), (i32::MIN, "-2147483648")]
        {
            assert_eq!(decimal(number, &mut [0; 11]), text.as_bytes());
        }
    }
}
