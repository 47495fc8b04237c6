//! Which directories a container's root is stacked from. Mounting them is the runtime's business.
//!
//! The mount wants `userxattr` inside a user namespace; layers mark whiteouts as char device 0:0 and opaque directories as
//! `user.overlay.opaque=y` (<https://docs.kernel.org/filesystems/overlayfs.html>).

use crate::container::ContainerId;
use crate::error::{At, Error, Result, What};
use crate::layer::RootAttributes;
use crate::layout;
use crate::record;
use crate::remove_tree;
use crate::store::Store;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use spec::Digest;
use std::path::{Path, PathBuf};

/// Of `bottom/`, parents first.
const BOTTOM_DIRECTORIES: [&str; 6] = ["", "dev", "etc", "proc", "run", "sys"];
/// Of `bottom/`: what every container is given, unless it was asked for without.
const BOTTOM_FILES: [&str; 4] = ["etc/hostname", "etc/hosts", "etc/resolv.conf", "run/.containerenv"];

/// The directories of one overlay mount; all absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayDirs {
    /// The image's layers, top first, as `lowerdir` wants them.
    pub lower: Vec<PathBuf>,
    /// Takes the container's changes.
    pub upper: PathBuf,
    /// The kernel's; on the same file system as `upper`.
    pub work: PathBuf,
}

impl Store {
    /// The directories for a container whose image has these layers (diff IDs, lowest first).
    ///
    /// Fails with `NotFound` when a layer is missing: an image was damaged from outside.
    pub fn overlay_dirs(&self, id: &ContainerId, layers: &[Digest]) -> Result<OverlayDirs> {
        Ok(OverlayDirs {
            lower: self.lower_dirs(layers)?,
            upper: self.path(&layout::in_container(id, layout::CONTAINER_UPPER)),
            work: self.path(&layout::in_container(id, layout::CONTAINER_WORK)),
        })
    }

    /// The directories of an image's layers (diff IDs, lowest first), top first: for a read-only view of an image.
    pub fn lower_dirs(&self, layers: &[Digest]) -> Result<Vec<PathBuf>> {
        let mut lower = Vec::with_capacity(layers.len());
        for diff_id in layers.iter().rev() {
            let diff = layout::layer_diff(diff_id);
            if !self.exists(&diff)? {
                return Err(Error::not_found("open layer", What::Layer, diff_id.to_string()));
            }
            lower.push(self.path(&diff));
        }
        Ok(lower)
    }

    /// The directory to stack below all layers: places for what lodger mounts in every container, which an image may lack.
    ///
    /// Made in a container's own directory instead, they would copy up `/etc` and `/run` and be deleted again with it. Below
    /// the image they hide and change nothing of it, not even a directory's mode.
    pub fn bottom_dir(&self) -> Result<PathBuf> {
        let bottom = Path::new(layout::BOTTOM);
        if !self.exists(bottom)? {
            let _lease = self.lease()?;
            let tmp = layout::tmp(&record::random_name());
            self.make_bottom(&tmp)?;
            match rustix::fs::renameat_with(self.dir(), &tmp, self.dir(), bottom, RenameFlags::NOREPLACE) {
                Ok(()) => {}
                // Another command was faster.
                Err(Errno::EXIST) => self.discard(&tmp)?,
                Err(errno) => return Err(Error::at("create", &self.path(bottom), errno)),
            }
        }
        Ok(self.path(bottom))
    }

    fn make_bottom(&self, tmp: &Path) -> Result<()> {
        let make = |relative: &str| {
            let path = layout::within(tmp, relative);
            rustix::fs::mkdirat(self.dir(), &path, Mode::from_raw_mode(0o755))
                .and_then(|()| rustix::fs::chmodat(self.dir(), &path, Mode::from_raw_mode(0o755), AtFlags::empty()))
                .at("create", &self.path(&path))
        };
        BOTTOM_DIRECTORIES.iter().try_for_each(|name| make(name))?;
        for name in BOTTOM_FILES {
            let path = layout::within(tmp, name);
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            rustix::fs::openat(self.dir(), &path, flags, Mode::from_raw_mode(0o644))
                .and_then(|file| rustix::fs::fchmod(file, Mode::from_raw_mode(0o644)))
                .at("create", &self.path(&path))?;
        }
        Ok(())
    }

    /// Fresh directories for an overlay inside a container, the `number`th: whatever an earlier start left in them is forgotten.
    /// `top` is what its root directory looks like.
    pub fn fresh_overlay(&self, id: &ContainerId, number: usize, top: RootAttributes) -> Result<OverlayDirs> {
        let mounts = layout::in_container(id, layout::CONTAINER_MOUNTS);
        let own = layout::within(&mounts, &number.to_string());
        self.discard(&own)?;
        let (upper, work) =
            (layout::within(&own, layout::CONTAINER_UPPER), layout::within(&own, layout::CONTAINER_WORK));
        for path in [&mounts, &own, &upper, &work] {
            match rustix::fs::mkdirat(self.dir(), path, Mode::from_raw_mode(0o700)) {
                Err(Errno::EXIST) if path == &mounts => {}
                other => other.at("create", &self.path(path))?,
            }
        }
        top.apply(self.dir(), &upper)
            .map_err(|kind| Error::new("create", self.path(&upper).display().to_string(), kind))?;
        Ok(OverlayDirs { lower: Vec::new(), upper: self.path(&upper), work: self.path(&work) })
    }

    /// Lets a container that was mounted `volatile` be mounted again.
    ///
    /// The kernel leaves `work/incompat/volatile` behind and refuses the next mount (EINVAL), because after a power cut the
    /// changes may be half written. Call it only when no power was lost since, that is, in the same boot.
    pub fn clear_volatile(&self, id: &ContainerId) -> Result<()> {
        let mark = layout::volatile_mark(id);
        match self.exists(&mark)? {
            true => remove_tree::remove_tree(self.dir(), &mark, self.root()),
            false => Ok(()),
        }
    }

    /// Where the image's top directory, and so the container's `/`, lies for writing.
    pub fn upper_dir(&self, id: &ContainerId) -> PathBuf {
        self.path(&layout::in_container(id, layout::CONTAINER_UPPER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ContainerRecord;
    use crate::container::ImageUse;
    use crate::record::Durability;
    use crate::tar::testing::{Archive, Block};
    use crate::testing::{Scratch, TestImage, TestLayer, as_root};
    use spec::oci::Compression;

    /// The kernel's own view of the stack: what is hidden, what is merged, and that a volatile one can be mounted again.
    #[test]
    fn the_kernel_sees_the_image() {
        as_root("overlay::tests::the_kernel_sees_the_image", || {
            let scratch = Scratch::new();
            let store = Store::open(&scratch.path().join("store")).unwrap();
            let mut below = Archive::default();
            let mut top = Block::new(b'5', b"./", 0);
            below.add(top.octal(100, 8, 0o711), b"");
            below.file("kept", b"kept").file("gone", b"x").file("d/gone", b"x").file("d/kept", b"kept");
            below
                .file("opaque/hidden", b"x")
                .file("replaced/hidden", b"x")
                .file("file-now", b"x")
                .file("dir-now", b"x");
            let mut above = Archive::default();
            above
                .file(".wh.gone", b"")
                .file("d/.wh.gone", b"")
                .file("opaque/.wh..wh..opq", b"")
                .file("opaque/own", b"own");
            above.file(".wh.replaced", b"").file("replaced/own", b"own").file("dir-now/in", b"in");
            let layers = [below, above].map(|archive| TestLayer::new(&archive.end(), Compression::Gzip));
            let image = TestImage::new(layers.into()).pull(&store, &["localhost/x"]).unwrap();
            let used =
                ImageUse { id: image.id, name: "x".into(), manifest: None, layers: image.layers, root: image.root };
            let dirs_of = used.layers.clone();
            let record = ContainerRecord { image: Some(used), ..crate::container::tests::container("web") };
            store.create_container(&record, Durability::Volatile).unwrap();
            let dirs = store.overlay_dirs(&record.id, &dirs_of).unwrap();
            let lower: Vec<_> = dirs.lower.iter().map(|dir| dir.display().to_string()).collect();
            let options = format!(
                "userxattr,volatile,lowerdir={},upperdir={},workdir={}",
                lower.join(":"),
                dirs.upper.display(),
                dirs.work.display()
            );
            let script = "mount -t overlay -o \"$0\" none \"$1\" && cd \"$1\" && stat -c %a . && find . -type f | sort && touch new";
            let merged = scratch.path().join("merged");
            std::fs::create_dir(&merged).unwrap();
            for round in 0..2 {
                let mut command = std::process::Command::new("unshare");
                command.args(["--mount", "--", "sh", "-c", script, &options]).arg(&merged);
                let output = match command.output() {
                    Ok(output) => output,
                    Err(error) => return println!("skipped: unshare: {error}"),
                };
                let errors = String::from_utf8_lossy(&output.stderr);
                if errors.contains("unshare:") || errors.contains("unknown filesystem") {
                    return println!("skipped: {errors}");
                }
                let new = if round == 0 { "" } else { "./new\n" };
                let expected =
                    format!("711\n./d/kept\n./dir-now/in\n./file-now\n./kept\n{new}./opaque/own\n./replaced/own\n");
                assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{errors}");
                store.clear_volatile(&record.id).unwrap();
            }
            store.remove_container(&record.id).unwrap();
        });
    }
}
