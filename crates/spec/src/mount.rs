//! What is mounted into a container: words of the group `mount`.
//!
//! A `Mount` has three text forms, `--volume`, `--mount` and `--tmpfs`; every mount has the second.

mod options;
mod text;

pub(crate) use text::octal_mode;

use crate::bytes::Bytes;
use crate::secret::SecretUse;
use serde::{Deserialize, Serialize};

/// Volumes, binds and tmpfs, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounts {
    /// `--volume`, `--mount` and `--tmpfs`, in the order given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Mount>,
    /// `--volumes-from CONTAINER[:options]`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes_from: Vec<String>,
    /// `--chrootdirs`: root directories inside that get `/etc/hosts` and `/etc/resolv.conf` too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chroot_dirs: Vec<String>,
    /// `--secret`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
    /// `--read-only`: the root file system cannot be written.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub read_only: bool,
    /// `--read-only-tmpfs`: absent = yes: with `--read-only`, /run, /tmp and /var/tmp are tmpfs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_tmpfs: Option<bool>,
    /// `--shm-size`; absent = 64 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<Bytes>,
    /// `--shm-size-systemd`: of each tmpfs that systemd gets; absent = half of the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size_systemd: Option<Bytes>,
    /// `--image-volume`; absent = `Anonymous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_volume: Option<ImageVolume>,
}

/// What becomes of the volumes an image declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageVolume {
    /// An anonymous volume each.
    Anonymous,
    /// A tmpfs each.
    Tmpfs,
    /// Nothing.
    Ignore,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path inside.
    pub target: String,
    /// What is mounted there.
    pub source: MountSource,
    /// How.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub options: MountOptions,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountSource {
    /// A path of the host; absolute, or relative (`./…`) to the caller's working directory.
    Bind(String),
    /// A named volume, made when missing.
    Volume(String),
    /// A volume that lives as long as the container.
    Anonymous,
    /// Memory.
    Tmpfs {
        /// Absent = half of the memory, as the kernel's default.
        #[serde(default)]
        size: Option<Bytes>,
        /// Octal; absent = 1777.
        #[serde(default)]
        mode: Option<u32>,
        /// Whether the image's content at that place is copied in (`tmpcopyup`).
        #[serde(default)]
        copy_up: bool,
    },
    /// Memory without a limit, which is never swapped out (`type=ramfs`).
    Ramfs {
        /// Octal; absent = 1777.
        #[serde(default)]
        mode: Option<u32>,
        /// As of a tmpfs.
        #[serde(default)]
        copy_up: bool,
    },
    /// The files of an image, by name or ID; read-only unless `rw`.
    Image(String),
    /// Every path of the host that matches a pattern; each becomes a bind when the container is made.
    Glob(String),
    /// Terminals of their own.
    Devpts(Devpts),
}

/// What a devpts is told; absent = the kernel's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Devpts {
    /// Owner of new terminals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group of new terminals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Permission bits of new terminals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// How many there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// How something is mounted. An absent choice is the kind of mount's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountOptions {
    /// `ro` / `rw`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// `noexec` / `exec`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_exec: Option<bool>,
    /// `nosuid` / `suid`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_suid: Option<bool>,
    /// `nodev` / `dev`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_dev: Option<bool>,
    /// `private`, `rprivate`, `slave`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Propagation>,
    /// `bind` instead of `rbind`: without what is mounted below the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive: Option<bool>,
    /// `U`: the source's owner becomes the container's user.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub chown: bool,
    /// `z` / `Z`: SELinux label shared or private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relabel: Option<Relabel>,
    /// `nocopy` / `copy`: whether a fresh volume gets the image's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<bool>,
    /// `O`: what the container changes does not reach the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Changes>,
    /// `idmap[=uids=…;gids=…]`; an empty text is the container's own mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idmap: Option<String>,
    /// `subpath=`: only this part of a volume or image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subpath: Option<String>,
    /// `no-dereference`: a source that is a symbolic link is mounted itself.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub no_dereference: bool,
}

/// Where the changes of an overlay mount (`O`) go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changes {
    /// Forgotten when the container starts anew or is removed.
    Discarded,
    /// Into directories of the caller's, which exist.
    Kept {
        /// `upperdir=`
        upper: String,
        /// `workdir=`, on the same file system.
        work: String,
    },
}

/// `mount_namespaces(7)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Propagation {
    Private,
    Rprivate,
    Slave,
    Rslave,
    Shared,
    Rshared,
    Unbindable,
    Runbindable,
}

/// SELinux relabelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relabel {
    /// `z`
    Shared,
    /// `Z`
    Private,
}
