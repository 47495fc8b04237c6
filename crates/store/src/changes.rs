//! What differs between two trees of layers: added, changed and deleted paths.
//!
//! A directory counts as changed when its owner or mode is another, or something in it is; another thing also when its size, time or
//! capabilities are. Where both trees show the very same directories of the disk nothing is compared, so that what a container has
//! changed is found without reading its image.

use crate::error::{Error, Kind, Result};
use crate::pack::xattrs;
use crate::stack::{Found, Merged};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Directories inside one another; descriptors are held for each.
const DEPTH: usize = 500;

/// What has become of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is another.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
}

/// A path and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// Absolute; bytes, as file systems have it.
    pub path: Vec<u8>,
}

/// How the tree of some layers (top first) differs from that of others, in the order of the paths.
///
/// Must run where the files' owners are mapped. `name` is what the newer tree is called in messages.
pub fn changes(newer: Vec<OwnedFd>, older: Vec<OwnedFd>, name: &Path) -> Result<Vec<Change>> {
    let mut walk = Walk { found: Vec::new(), path: Vec::new(), depth: 0 };
    let compared = walk.compare(&Merged::new(newer), &Merged::new(older));
    compared.map_err(|error| {
        let path = name.join(String::from_utf8_lossy(&walk.path).trim_start_matches('/'));
        match error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) {
            true => {
                let why = format!("more than {DEPTH} directories deep");
                Error::new("compare", path.display().to_string(), Kind::BadArchive(why))
            }
            false => Error::at("compare", &path, error),
        }
    })?;
    walk.found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.found)
}

struct Walk {
    found: Vec<Change>,
    path: Vec<u8>,
    depth: usize,
}

impl Walk {
    fn compare(&mut self, newer: &Merged, older: &Merged) -> io::Result<()> {
        if newer.is_same(older)? {
            return Ok(());
        }
        let names: BTreeSet<CString> = newer.names()?.into_iter().chain(older.names()?).collect();
        for name in names {
            self.below(&name, |walk| walk.entry(newer, older, &name))?;
        }
        Ok(())
    }

    fn below(&mut self, name: &CStr, work: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if self.depth >= DEPTH {
            return Err(Errno::MLINK.into());
        }
        let length = self.path.len();
        self.path.push(b'/');
        self.path.extend_from_slice(name.to_bytes());
        self.depth += 1;
        work(self)?;
        self.depth -= 1;
        self.path.truncate(length);
        Ok(())
    }

    fn entry(&mut self, newer: &Merged, older: &Merged, name: &CStr) -> io::Result<()> {
        match (newer.look(name)?, older.look(name)?) {
            (None, None) => Ok(()),
            (None, Some(_)) => {
                self.tell(ChangeKind::Deleted);
                Ok(())
            }
            (Some(new), None) => self.added(newer, name, &new),
            (Some(new), Some(old)) => match (new.kind(), old.kind()) {
                (FileType::Directory, FileType::Directory) => {
                    let before = self.found.len();
                    if let (Some(newer), Some(older)) = (newer.enter(name, &new)?, older.enter(name, &old)?) {
                        self.compare(&newer, &older)?;
                    }
                    if self.found.len() > before || attributes(&new) != attributes(&old) {
                        self.tell(ChangeKind::Changed);
                    }
                    Ok(())
                }
                (FileType::Directory, _) => {
                    self.tell(ChangeKind::Changed);
                    self.all_added(newer, name, &new)
                }
                _ if new.inode() == old.inode() => Ok(()),
                _ => {
                    if is_other(newer, &new, older, &old, name)? {
                        self.tell(ChangeKind::Changed);
                    }
                    Ok(())
                }
            },
        }
    }

    fn added(&mut self, tree: &Merged, name: &CStr, found: &Found) -> io::Result<()> {
        self.tell(ChangeKind::Added);
        match found.kind() {
            FileType::Directory => self.all_added(tree, name, found),
            _ => Ok(()),
        }
    }

    /// What is in a new directory.
    fn all_added(&mut self, tree: &Merged, name: &CStr, found: &Found) -> io::Result<()> {
        let Some(tree) = tree.enter(name, found)? else { return Ok(()) };
        for name in tree.names()? {
            if let Some(found) = tree.look(&name)? {
                self.below(&name, |walk| walk.added(&tree, &name, &found))?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, kind: ChangeKind) {
        self.found.push(Change { kind, path: self.path.clone() });
    }
}

/// Type and mode, owner, group, device.
fn attributes(found: &Found) -> (u32, u32, u32, u64) {
    let stat = &found.stat;
    (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_rdev)
}

fn is_other(newer: &Merged, new: &Found, older: &Merged, old: &Found, name: &CStr) -> io::Result<bool> {
    let content = |found: &Found| (found.stat.st_size, found.stat.st_mtime);
    if attributes(new) != attributes(old) || content(new) != content(old) {
        return Ok(true);
    }
    let is_file = new.kind() == FileType::RegularFile;
    Ok(is_file && capabilities(newer.part(new), name)? != capabilities(older.part(old), name)?)
}

/// Those that a program gets.
fn capabilities(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = crate::stack::open(directory, name, flags)?;
    let found = xattrs(file.as_fd())?.into_iter().find(|(name, _)| name == b"security.capability");
    Ok(found.map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, as_root};
    use crate::{PackedAs, Whiteouts, pack_changes, pack_stack, tar, unpack};
    use rustix::fs::Mode;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn open(path: &Path) -> OwnedFd {
        fs::File::open(path).unwrap().into()
    }

    fn write(path: &Path, content: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn hide(path: &Path) {
        rustix::fs::mknodat(rustix::fs::CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    }

    /// A lower layer, one above it, and what a container has changed.
    fn layers(scratch: &Scratch) -> [std::path::PathBuf; 3] {
        let [bottom, middle, upper] = ["bottom", "middle", "upper"].map(|name| scratch.path().join(name));
        for path in ["etc/a", "etc/b", "usr/x/y", "usr/z", "same/f", "d/in", "mode/f"] {
            write(&bottom.join(path), "1");
        }
        write(&middle.join("etc/c"), "1");
        write(&middle.join("opaque/x"), "1");
        hide(&middle.join("etc/b"));
        for (path, content) in [("etc/a", "other"), ("etc/new", ""), ("usr/x/own", ""), ("d", ""), ("opaque/new", "")] {
            write(&upper.join(path), content);
        }
        hide(&upper.join("etc/c"));
        hide(&upper.join("usr/z"));
        symlink("/etc/passwd", upper.join("link")).unwrap();
        for path in ["usr/x", "opaque"] {
            rustix::fs::setxattr(upper.join(path), "user.overlay.opaque", b"y", rustix::fs::XattrFlags::empty())
                .unwrap();
        }
        fs::create_dir(upper.join("mode")).unwrap();
        fs::set_permissions(upper.join("mode"), fs::Permissions::from_mode(0o700)).unwrap();
        [bottom, middle, upper]
    }

    #[test]
    fn what_a_container_has_changed_is_told_and_no_more() {
        as_root("changes::tests::what_a_container_has_changed_is_told_and_no_more", || {
            let scratch = Scratch::new();
            let [bottom, middle, upper] = layers(&scratch);
            let newer = || vec![open(&upper), open(&middle), open(&bottom)];
            let found = changes(newer(), vec![open(&middle), open(&bottom)], Path::new("web")).unwrap();
            let lines: Vec<String> = found
                .iter()
                .map(|change| format!("{:?} {}", change.kind, String::from_utf8_lossy(&change.path)))
                .collect();
            assert_eq!(
                lines,
                [
                    "Changed /d",
                    "Changed /etc",
                    "Changed /etc/a",
                    "Deleted /etc/c",
                    "Added /etc/new",
                    "Added /link",
                    "Changed /mode",
                    "Changed /opaque",
                    "Added /opaque/new",
                    "Deleted /opaque/x",
                    "Changed /usr",
                    "Changed /usr/x",
                    "Added /usr/x/own",
                    "Deleted /usr/x/y",
                    "Deleted /usr/z",
                ]
            );
            assert!(changes(newer(), newer(), Path::new("web")).unwrap().is_empty());
        });
    }

    #[test]
    fn changes_as_a_layer_lead_to_what_was_seen() {
        as_root("changes::tests::changes_as_a_layer_lead_to_what_was_seen", || {
            let scratch = Scratch::new();
            let [bottom, middle, upper] = layers(&scratch);
            let seen = |top: &Path| {
                let mut tar = Vec::new();
                let stack = vec![open(top), open(&middle), open(&bottom)];
                pack_stack(stack, PackedAs::Archive, &mut tar, Path::new("web")).unwrap();
                tar
            };
            // In a layer it would hide another.
            write(&upper.join("etc/.wh.a"), "");
            let mut layer = Vec::new();
            pack_changes(open(&upper), None, &mut layer, Path::new("web")).unwrap();
            let again = scratch.path().join("again");
            fs::create_dir(&again).unwrap();
            let mut reader = tar::Reader::new(layer.as_slice());
            unpack(&mut reader, open(&again), Whiteouts::Overlay, 1 << 30).unwrap();
            fs::remove_file(upper.join("etc/.wh.a")).unwrap();
            assert!(seen(&upper) == seen(&again));
            let text = String::from_utf8_lossy(&layer).into_owned();
            assert!(text.contains("etc/.wh.c") && text.contains("opaque/.wh..wh..opq"));
            let mut names = Vec::new();
            let archive = seen(&upper);
            let (mut reader, mut entry) = (tar::Reader::new(archive.as_slice()), tar::Entry::default());
            while reader.next(&mut entry).unwrap() {
                names.push(String::from_utf8(entry.path.clone()).unwrap());
            }
            assert_eq!(
                names.join(" "),
                "d etc/ etc/a etc/new link mode/ mode/f opaque/ opaque/new same/ same/f usr/ usr/x/ usr/x/own"
            );
        });
    }
}
