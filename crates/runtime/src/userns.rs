//! User namespaces: made once, kept by a tiny process, joined by everything after.
//!
//! What must be true afterwards: the launching process is root of the namespace with all capabilities *in it*, in a mount
//! namespace of its own that belongs to it, and nothing it mounts is seen outside.
//!
//! ```text
//! first start      create(map) ──► keep() ──► record(pid, start time)
//! every start      open(record) ──► enter() ──► private_mounts()
//! ```
//!
//! See user_namespaces(7), newuidmap(1).

mod map;
mod opener;
mod shown;

pub(crate) use map::write_files as write_map;
pub use map::{Map, Range, outside};
pub use opener::Opener;
pub use shown::show_as_inside;

use crate::error::{Context, Error, Kind};
use crate::process::{self, ProcessId};
use kernel::clone::{Namespaces, Never, Parent};
use kernel::execute::Word;
use kernel::mount::{Change, Reach, set_attributes};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountPropagationFlags;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::process::{DumpableBehavior, Gid, Uid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space, set_thread_res_gid, set_thread_res_uid};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the child can be told: a path, with the zero that ends it.
const LONGEST_WORD: usize = 4096;

/// A new user namespace and the child that still holds it. Dropped, the child ends and the namespace with its last user.
#[derive(Debug)]
pub struct Created {
    /// The namespace.
    pub namespace: OwnedFd,
    holder: Holder,
}

/// A child in the new namespace that waits for its parent's word.
#[derive(Debug)]
struct Holder {
    process: ProcessId,
    pidfd: OwnedFd,
    /// `None` once the child goes its own way.
    channel: Option<OwnedFd>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        if self.channel.take().is_some() {
            let _ = crate::exit::wait(self.pidfd.as_fd());
        }
    }
}

/// Makes a namespace with this map. Writes the map itself where it may (root, or a single own id), else runs `newuidmap` and
/// `newgidmap` at the same time.
///
/// # Errors
/// With the kinds that say why user namespaces do not work here.
pub fn create(map: &Map) -> Result<Created, Error> {
    let helper = crate::helper::memfd().map_err(|error| Error::new("make helper", "", Kind::System).because(error))?;
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let (channel, child_end) = pair.context("make user namespace", "")?;
    let parent_end = channel.as_raw_fd() as u32;
    let started = kernel::clone::spawn(Namespaces::USER, Parent::Caller, None, || {
        hold(child_end.as_fd(), helper.as_fd(), parent_end)
    });
    let (pid, pidfd) = started.map_err(refused)?;
    drop(child_end);
    let pid = pid.as_raw_nonzero().get();
    let holder = Holder { process: ProcessId::of(pid)?, pidfd, channel: Some(channel) };
    map::write(pid, map)?;
    let namespace = process::namespace(&holder.process, "user")?;
    Ok(Created { namespace, holder })
}

/// The child: waits for the word to become the keeper; without it, when the parent has closed its end, it ends.
fn hold(channel: BorrowedFd<'_>, helper: BorrowedFd<'_>, parent_end: u32) -> Never {
    let _ = kernel::descriptor::close_range(parent_end, parent_end);
    let mut word = [0u8; LONGEST_WORD];
    if let Ok((_, length @ 1..)) = recv(channel, &mut word[..], RecvFlags::empty()) {
        let _ = rustix::process::setsid();
        let _ = rustix::process::chdir(c"/");
        // Root of the machine is nobody here, and could delete nothing: where there is a root here, it becomes that.
        let _ = set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT);
        let _ = set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT);
        kernel::signal::default_all();
        let _ = kernel::signal::set_mask(kernel::signal::Set::EMPTY);
        let store = CStr::from_bytes_until_nul(&word[..length]).unwrap_or_default();
        let store = if store.is_empty() { Word::END } else { Word::new(store) };
        let argv = [Word::new(c"lodger-keeper"), store, Word::END];
        let errno = kernel::execute::descriptor(helper, &argv, &[Word::END]);
        let _ = send(channel, &errno.raw_os_error().to_ne_bytes(), SendFlags::NOSIGNAL);
    }
    kernel::clone::exit(125)
}

/// Why the kernel makes no user namespace.
fn refused(errno: Errno) -> Error {
    let why = match errno {
        Errno::NOSPC | Errno::USERS => "the limit of user namespaces is reached (sysctl user.max_user_namespaces)",
        Errno::INVAL | Errno::NOSYS => "this kernel is built without user namespaces",
        Errno::PERM if sysctl_is("kernel/unprivileged_userns_clone", b"0") => {
            "they are switched off (sysctl kernel.unprivileged_userns_clone=0)"
        }
        Errno::PERM => "this process is not allowed to make one (a container's filter, or a chroot)",
        _ => return Error::system("make user namespace", "", errno),
    };
    Error::system("make user namespace", "", errno).of_kind(Kind::NoUserNamespaces(why))
}

fn sysctl_is(path: &str, value: &[u8]) -> bool {
    std::fs::read(format!("/proc/sys/{path}")).is_ok_and(|content| content.trim_ascii() == value)
}

impl Created {
    /// The child that keeps the namespace until this value is dropped, and the keeper after [`Created::keep`].
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.holder.process
    }

    /// Lets the child live on as the keeper: a process of its own session with hardly any memory. Given the directory of a
    /// store, it deletes what is moved to the `trash` there, and ends with it; otherwise it has nothing open.
    ///
    /// # Errors
    /// When the helper cannot be executed.
    pub fn keep(mut self, store: Option<&Path>) -> Result<ProcessId, Error> {
        let Some(channel) = self.holder.channel.take() else {
            return Err(Error::new("keep user namespace", "", Kind::ChildDied));
        };
        let mut word = store.map_or_else(Vec::new, |store| store.as_os_str().as_bytes().to_vec());
        word.truncate(LONGEST_WORD - 1);
        word.push(0);
        send(&channel, &word, SendFlags::NOSIGNAL).context("keep user namespace", "")?;
        let mut errno = [0u8; 4];
        match recv(&channel, &mut errno[..], RecvFlags::empty()) {
            // Closed by execve.
            Ok((_, 0)) => Ok(self.holder.process),
            Ok(_) => {
                let errno = Errno::from_raw_os_error(i32::from_ne_bytes(errno).clamp(1, 4095));
                Err(Error::system("execute keeper of user namespace", "", errno))
            }
            Err(errno) => Err(Error::system("keep user namespace", "", errno)),
        }
    }
}

/// The user namespace that a living process is in: the keeper, or any process of any container in it.
///
/// # Errors
/// [`Kind::Gone`] when the process has ended or its pid is another's.
pub fn open(member: &ProcessId) -> Result<OwnedFd, Error> {
    process::namespace(member, "user")
}

/// The ids of an existing user namespace as this process sees them; `None` for this process's own.
///
/// # Errors
/// When this process has no right to join it: it lies neither in this process's own nor does it belong to its user.
pub fn map_of(namespace: &OwnedFd) -> Result<Option<Map>, Error> {
    use std::os::linux::fs::MetadataExt;
    let number = |path: &str| std::fs::metadata(path).map(|meta| (meta.st_dev(), meta.st_ino())).ok();
    if number("/proc/self/ns/user") == number(&format!("/proc/self/fd/{}", namespace.as_raw_fd())) {
        return Ok(None);
    }
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let (channel, child_end) = pair.context("join user namespace", "")?;
    let parent_end = channel.as_raw_fd() as u32;
    let started = kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
        let _ = kernel::descriptor::close_range(parent_end, parent_end);
        let joined = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User));
        let errno = joined.map_or_else(|errno| errno.raw_os_error(), |()| 0);
        let _ = send(&child_end, &errno.to_ne_bytes(), SendFlags::NOSIGNAL);
        // Until the parent has looked.
        let _ = recv(&child_end, &mut [0u8; 1][..], RecvFlags::empty());
        kernel::clone::exit(0)
    });
    let (pid, pidfd) = started.context("join user namespace", "")?;
    drop(child_end);
    let pid = pid.as_raw_nonzero().get();
    let holder = Holder { process: ProcessId { pid, start_time: 0 }, pidfd, channel: Some(channel) };
    let mut errno = [0u8; 4];
    let Some(channel) = &holder.channel else { return Ok(None) };
    recv(channel, &mut errno[..], RecvFlags::empty()).context("join user namespace", "")?;
    match i32::from_ne_bytes(errno) {
        0 => Map::of(pid).map(Some),
        errno => Err(Error::system("join user namespace", "", Errno::from_raw_os_error(errno.clamp(1, 4095)))),
    }
}

/// Whether a process is in the caller's user namespace.
#[must_use]
pub fn is_of_caller(process: &ProcessId) -> bool {
    let link = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/user")).ok();
    link("self").is_some_and(|own| link(&process.pid.to_string()) == Some(own))
}

/// Moves the calling process, which must have one thread, into the namespace and makes it root there (or, where 0 is not
/// mapped, leaves its ids alone).
///
/// # Errors
/// When the namespace is not the caller's own.
pub fn enter(namespace: &OwnedFd) -> Result<(), Error> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User)).context("join user namespace", "")?;
    let ids = set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
        .and_then(|()| set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT));
    match ids {
        // Not mapped.
        Err(Errno::INVAL) => return Ok(()),
        result => result.context("become root of user namespace", "")?,
    }
    // Whoever was somebody else before (root of the host) is undumpable now, and so would be its children, whose namespaces it
    // has to look at.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).context("become root of user namespace", "")
}

/// Gives the calling process a mount namespace of its own, into which the host's mounts still travel and out of which nothing
/// does. Descriptors opened before cannot be bound afterwards.
///
/// # Errors
/// When the process lacks `CAP_SYS_ADMIN` in its user namespace.
pub fn private_mounts() -> Result<(), Error> {
    kernel::clone::unshare(Namespaces::MOUNT).map_err(|errno| {
        let error = Error::system("make mount namespace", "", errno);
        match errno {
            Errno::PERM if sysctl_is("kernel/apparmor_restrict_unprivileged_userns", b"1") => {
                error.of_kind(Kind::NoUserNamespaces(
                    "AppArmor takes their privileges (sysctl kernel.apparmor_restrict_unprivileged_userns=1)",
                ))
            }
            _ => error,
        }
    })?;
    let root = rustix::fs::open(c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).context("open", "/")?;
    let slave = Change { propagation: u64::from(MountPropagationFlags::DOWNSTREAM.bits()), ..Change::default() };
    set_attributes(root.as_fd(), &slave, Reach::All).context("separate mounts", "/")
}

/// The mount namespace that the calling process is in, for [`return_to_mounts`].
///
/// # Errors
/// When there is no `/proc`.
pub fn mounts() -> Result<OwnedFd, Error> {
    let path = "/proc/self/ns/mnt";
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context("open", path)
}

/// Leaves a mount namespace for the one before it; root and working directory are then that one's root.
///
/// # Errors
/// When the process lacks `CAP_SYS_ADMIN` or has several threads.
pub fn return_to_mounts(before: &OwnedFd) -> Result<(), Error> {
    move_into_link_name_space(before.as_fd(), Some(LinkNameSpaceType::Mount)).context("join mount namespace", "")
}

/// Whether the calling process is in the first user namespace, where ids are what they are.
#[must_use]
pub fn is_initial() -> bool {
    let map = std::fs::read("/proc/self/uid_map").unwrap_or_default();
    let words: Vec<&[u8]> = map.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty()).collect();
    words == [&b"0"[..], b"0", b"4294967295"]
}
