//! Mounting an overlay, with directories by descriptor.
//!
//! Linux 6.13 takes descriptors; before that they are named relative to `/proc/self/fd`, so that neither a path of the host can be
//! swapped nor the length of paths limits the number of layers. Three generations of kernels:
//!
//! | Linux | how |
//! |---|---|
//! | 6.13 | `fsconfig` with descriptors |
//! | 6.5 | `fsconfig` with a name for each |
//! | 5.12 | mount(2), since `fsconfig` takes all lower directories as one string of at most 255 bytes |
//!
//! Marks of layers are `user.overlay.*`, which everybody may write who makes layers. Device nodes in a layer open nothing; inside a
//! user namespace the kernel sees to that anyway.
//!
//! See Documentation/filesystems/overlayfs.rst.

use crate::error::{Error, Kind};
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_fd, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, open_tree, unmount,
};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The directories of an overlay.
#[derive(Debug)]
pub struct Overlay {
    /// Read-only layers, topmost first; at least one, without `changes` two of these and `contents`.
    pub lowers: Vec<OwnedFd>,
    /// Directories, topmost first, with nothing but content for files of the lowest layer that have none (Linux 6.16).
    pub contents: Vec<OwnedFd>,
    /// Where changes go; absent: there are none, and two layers at least.
    pub changes: Option<Changes>,
}

/// Where an overlay's changes go.
#[derive(Debug)]
pub struct Changes {
    /// The changed files.
    pub upper: OwnedFd,
    /// The kernel's scratch directory, empty, on the file system of `upper`.
    pub work: OwnedFd,
    /// What a power cut may cost.
    pub durability: Durability,
}

impl Overlay {
    /// Whether this kernel's overlays find the content of a file in a layer below, also for a user ("relax redirect/metacopy
    /// requirements for lower -> data redirect").
    #[must_use]
    pub fn has_contents() -> bool {
        let release = rustix::system::uname();
        let mut numbers = release.release().to_bytes().split(|byte| !byte.is_ascii_digit());
        let mut number = || numbers.next().and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
        (number(), number()) >= (Some(6), Some(16))
    }

    fn is_volatile(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.durability == Durability::Volatile)
    }
}

/// What a power cut may cost of an overlay's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As the file system below.
    Durable,
    /// All of them: nothing is ever synced.
    Volatile,
}

/// Mounts an overlay, attached nowhere.
pub(super) fn mount(overlay: &Overlay, name: &str) -> Result<OwnedFd, Error> {
    if overlay.lowers.is_empty() {
        return Err(Error::new("mount overlay", name, Kind::Invalid("it has no layer")));
    }
    if let Some(changes) = &overlay.changes {
        forget_volatile(changes.work.as_fd());
    }
    let context =
        fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| Error::system("mount overlay", name, errno))?;
    let mounted = match configure(&context, overlay) {
        Ok(()) => fsconfig_create(&context)
            .and_then(|()| fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NODEV)),
        // What a file system without `fsconfig` of its own says of a descriptor.
        Err(Errno::NOTSUP) => from_names(|| mount_and_take(overlay)),
        Err(errno) => Err(errno),
    };
    mounted.map_err(|errno| match kernel_message(&context) {
        Some(message) => Error::new("mount overlay", name, Kind::System).because(message),
        None => Error::system("mount overlay", name, errno),
    })
}

fn configure(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    fsconfig_set_string(context, c"source", c"overlay")?;
    match by_descriptor(context, overlay) {
        Err(Errno::INVAL | Errno::BADF) => from_names(|| by_name(context, overlay))?,
        result => result?,
    }
    fsconfig_set_string(context, c"index", c"off")?;
    fsconfig_set_flag(context, c"userxattr")?;
    if overlay.is_volatile() {
        fsconfig_set_flag(context, c"volatile")?;
    }
    Ok(())
}

/// Linux 6.13.
fn by_descriptor(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    for lower in &overlay.lowers {
        fsconfig_set_fd(context, c"lowerdir+", lower)?;
    }
    for content in &overlay.contents {
        fsconfig_set_fd(context, c"datadir+", content)?;
    }
    let Some(changes) = &overlay.changes else { return Ok(()) };
    fsconfig_set_fd(context, c"upperdir", &changes.upper)?;
    fsconfig_set_fd(context, c"workdir", &changes.work)
}

/// Linux 6.5. The kernel looks each name up when it is told it.
fn by_name(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    for lower in &overlay.lowers {
        fsconfig_set_string(context, c"lowerdir+", number(lower))?;
    }
    let Some(changes) = &overlay.changes else { return Ok(()) };
    fsconfig_set_string(context, c"upperdir", number(&changes.upper))?;
    fsconfig_set_string(context, c"workdir", number(&changes.work))
}

/// Before. The mount is attached for a moment, to the work directory or the lowest layer, in this process's own mount namespace; its path serves
/// for nothing but to find the mount again.
fn mount_and_take(overlay: &Overlay) -> rustix::io::Result<OwnedFd> {
    let lowers: Vec<String> = overlay.lowers.iter().map(number).collect();
    let mut options = format!("index=off,userxattr,lowerdir={}", lowers.join(":"));
    let mut place = overlay.lowers.last().ok_or(Errno::INVAL)?;
    if let Some(Changes { upper, work, .. }) = &overlay.changes {
        options.push_str(&format!(",upperdir={},workdir={}", number(upper), number(work)));
        place = work;
    }
    if overlay.is_volatile() {
        options.push_str(",volatile");
    }
    let options = CString::new(options).map_err(|_| Errno::INVAL)?;
    let place = rustix::fs::readlink(number(place), Vec::new())?;
    rustix::mount::mount(c"overlay", &place, c"overlay", MountFlags::NODEV, options.as_c_str())?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let taken = open_tree(rustix::fs::CWD, &place, flags);
    unmount(&place, UnmountFlags::DETACH)?;
    taken
}

/// Does something while descriptors have names that are their numbers.
fn from_names<T>(work: impl FnOnce() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    let before = rustix::fs::open(c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    rustix::process::chdir(c"/proc/self/fd")?;
    let result = work();
    rustix::process::fchdir(&before)?;
    result
}

fn number(fd: &OwnedFd) -> String {
    fd.as_raw_fd().to_string()
}

/// The kernel refuses (`EINVAL`) a work directory that a volatile mount has left behind (`work/incompat/volatile/dirty`), since its upper
/// directory may have lost data. Whoever mounts it again has decided that this is so or does not matter.
fn forget_volatile(work: BorrowedFd<'_>) {
    let open = |directory: BorrowedFd<'_>, name: &CStr| {
        openat(directory, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
    };
    let _ = (|| {
        let inner = open(work, c"work")?;
        let incompat = open(inner.as_fd(), c"incompat")?;
        let volatile = open(incompat.as_fd(), c"volatile")?;
        unlinkat(&volatile, c"dirty", AtFlags::empty())?;
        unlinkat(&incompat, c"volatile", AtFlags::REMOVEDIR)?;
        unlinkat(&inner, c"incompat", AtFlags::REMOVEDIR)
    })();
}

/// What the kernel says of a failed mount: lines `e message` in the context.
fn kernel_message(context: &OwnedFd) -> Option<String> {
    let mut buffer = [0u8; 1024];
    let length = rustix::io::read(context, &mut buffer).ok()?;
    let text = String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned();
    let text = text.strip_prefix("e ").unwrap_or(&text).to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userns;
    use std::io::Read;

    type Way = fn(&Overlay) -> rustix::io::Result<OwnedFd>;

    #[test]
    fn every_generation_mounts_many_layers() {
        // Of the mount namespace and the working directory, a thread has its own.
        std::thread::spawn(|| {
            if let Err(error) = userns::private_mounts() {
                return println!("skipped: {error}");
            }
            let scratch = std::env::temp_dir().join(format!("lodger-overlay-{}", std::process::id()));
            std::fs::create_dir_all(&scratch).unwrap();
            // Whatever file system this machine's temporary files are on.
            rustix::mount::mount(c"tmpfs", &scratch, c"tmpfs", MountFlags::empty(), None).unwrap();
            let ways: [(&str, Way); 2] =
                [("names", by_names), ("mount", |overlay| from_names(|| mount_and_take(overlay)))];
            for (way, mount) in ways {
                let directory = |name: String| {
                    let path = scratch.join(way).join(name);
                    std::fs::create_dir_all(&path).unwrap();
                    std::fs::write(path.join("layer"), path.file_name().unwrap().as_encoded_bytes()).unwrap();
                    rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
                };
                let upper = directory("upper".into());
                unlinkat(&upper, c"layer", AtFlags::empty()).unwrap();
                let overlay = Overlay {
                    lowers: (0..100).map(|number| directory(number.to_string())).collect(),
                    contents: Vec::new(),
                    changes: Some(Changes { upper, work: directory("work".into()), durability: Durability::Volatile }),
                };
                let mounted = match mount(&overlay) {
                    Err(Errno::INVAL) if way == "names" => {
                        println!("skipped: Linux is older than 6.5");
                        continue;
                    }
                    mounted => mounted.unwrap_or_else(|errno| panic!("{way}: {errno}")),
                };
                let layer = openat(&mounted, c"layer", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap();
                let mut topmost = String::new();
                std::fs::File::from(layer).read_to_string(&mut topmost).unwrap();
                assert_eq!(topmost, "0", "{way}");
                assert_eq!(rustix::fs::fstatfs(&overlay.lowers[0]).unwrap().f_type, 0x0102_1994, "{way}: a tmpfs");
                let visible = std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
                assert!(!visible.contains(" - overlay overlay "), "{way}: {visible}");
            }
            rustix::mount::unmount(&scratch, UnmountFlags::DETACH).unwrap();
            std::fs::remove_dir(&scratch).unwrap();
        })
        .join()
        .unwrap();
    }

    fn by_names(overlay: &Overlay) -> rustix::io::Result<OwnedFd> {
        let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        from_names(|| by_name(&context, overlay))?;
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    }
}
