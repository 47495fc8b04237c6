//! Where everything lies under the data root; the only file that joins a storage path.
//!
//! ```text
//! ROOT/                            0700; $XDG_DATA_HOME/lodger, or /var/lib/lodger for root
//!   format                         "1": a store with a larger number is refused untouched
//!   reserve                        256 KiB of nothing, given up so that things can be removed from a full disk
//!   blobs/sha256/<hex>             manifests and configs; immutable
//!   layers/<diff id hex>/          one unpacked layer; immutable, shared by images
//!     diff/                        the files, whiteouts as char device 0:0, opaque as user.overlay.opaque=y
//!     frame                        what lies between the files' bytes in the layer's tar (zstd): with diff/ it
//!                                  gives the tar back byte for byte
//!     layer.json                   sizes, compressed digests, attributes of the layer's top directory
//!     unsynced                     symlink → boot ID: complete, but not yet known to be on the disk
//!   mapped/<hex>/                  the layers of an image as one, with the ids of a container that has others than the user's own
//!                                  (`mapped.rs`); immutable
//!     diff/                        the files; of large ones perhaps only what layers' files do not say
//!     mapped.json                  which layers and which ids
//!   partial/<blob hex>             compressed bytes of a layer on its way
//!   partial/<blob hex>.lock        held while somebody fetches it
//!   images.json                    names and digests → image ID, with each name's history
//!   images/<image id hex>.json     one image: manifest, layers, sizes
//!   bottom/                        below all layers: empty places where lodger mounts, so that no start has to make them
//!   containers/<id>/               one container
//!     container.json               what it is; the truth, also for its name
//!     state.json                   what runs; believed only after a look at the kernel
//!     exit.json                    how it last ended
//!     health.json                  what health checks of its last run found
//!     upper/ work/                 its overlay
//!     mounts/<number>/             upper/ and work/ of another overlay in it, whose changes its next start forgets
//!     shown/                       where `mount` shows its files (root/), with the work directory of that overlay (work/)
//!     secrets/<number>             a secret as it was when the container was made
//!     ctr.log                      what it wrote, where nothing else takes it
//!     attach                       socket of its terminal, while somebody may attach to it
//!     netns                        link that its network process lives by
//!     stop                         stopped by hand since its last start
//!     lock                         held shared for reading, exclusively for changing
//!   names/<name>                   symlink → container ID, short enough to need no block of its own
//!   run/<id>                       symlink → "<boot id>:<pid>:<start time>" of a started container
//!   volumes/<name>/                one volume
//!     volume.json
//!     data/
//!     new/                         copy-up under way, renamed to data/ when complete
//!   secrets/<id>/                  one secret
//!     secret.json
//!     data                         its value, 0600
//!   shown/<image id hex>/          where `image mount` shows an image's files (root/), and nothing (work/)
//!   locks/                         lease, images, containers, volumes; mapped while such a tree is made; ids while ids that nobody
//!                                  has are looked for; sweeper is held by whoever empties the trash,
//!                                  keeper while the user's namespace is made
//!   events.log                     what happened, where the journal does not take it; events.log.1 before that
//!   pasta                          what the installed pasta can do, by its file's identity
//!   keeper                         a process in the user's kept namespace; believed only after a look at the kernel
//!   tmp/                           things being made
//!   trash/                         things being deleted
//! ```
//!
//! **Made whole.** A thing is made in `tmp/` and renamed to its place when complete; what is durable is synced first.
//! A reader needs no lock: it sees the old or the new version, whole.
//!
//! **Locks.** All are `flock`s, so they end with their process. In this order, each held for as little as it says:
//!
//! 1. `locks/lease`: shared by whoever makes something (a pull holds it to its end); exclusively, and only if nobody
//!    else has it, by whoever collects. So nothing that is being made, and no layer that a pull found, is collected.
//! 2. `partial/<blob>.lock`: one layer, while one process fetches and unpacks it.
//!    `locks/mapped`: making a tree of `mapped/`. `locks/ids`: from the look at all records until the new one is there.
//! 3. `locks/images`, then `locks/volumes`, then `locks/containers`: a few file operations long. Shared while a
//!    container that uses an image or a volume appears; exclusive while one of these changes or disappears.
//! 4. `containers/<id>/lock`.
//!
//! **Collection.** What is removed is first renamed to `trash/`, then deleted there: by whoever renamed it, by the process
//! that holds `locks/sweeper` (containers only), or by the next command that makes or removes something. Everything in `trash/` is garbage at any time. What lies in `tmp/` is garbage
//! once the lease can be had exclusively. Layers and blobs that no image record names go in `Store::gc`.
//!
//! **Durability.** Layers and blobs: `syncfs` once for an image, then its record, then its names. Between unpacking and
//! that, `unsynced` names the boot; found in another boot, and named by no image's record, the layer is garbage.

use crate::container::id::ContainerId;
use spec::Digest;
use std::path::{Path, PathBuf};

/// Directories made when a store is first opened.
pub(crate) const DIRECTORIES: [&str; 12] =
    ["blobs", "blobs/sha256", "layers", LAYERS_PARTIAL, IMAGES, CONTAINERS, NAMES, RUN, VOLUMES, "locks", TMP, TRASH];

pub(crate) const FORMAT: &str = "format";
pub(crate) const RESERVE: &str = "reserve";
pub(crate) const BLOBS: &str = "blobs/sha256";
pub(crate) const LAYERS: &str = "layers";
pub(crate) const LAYERS_PARTIAL: &str = "partial";
pub(crate) const MAPPED: &str = "mapped";
pub(crate) const IMAGES: &str = "images";
pub(crate) const INDEX: &str = "images.json";
pub(crate) const BOTTOM: &str = "bottom";
pub(crate) const CONTAINERS: &str = "containers";
pub(crate) const NAMES: &str = "names";
pub(crate) const RUN: &str = "run";
pub(crate) const VOLUMES: &str = "volumes";
pub(crate) const SECRETS: &str = "secrets";
pub(crate) const SHOWN: &str = "shown";
pub(crate) const TMP: &str = "tmp";
pub(crate) const TRASH: &str = "trash";

pub(crate) const LEASE_LOCK: &str = "locks/lease";
pub(crate) const IMAGES_LOCK: &str = "locks/images";
pub(crate) const VOLUMES_LOCK: &str = "locks/volumes";
pub(crate) const CONTAINERS_LOCK: &str = "locks/containers";
/// Known to the keeper of the user namespace (crate `init`) as well.
pub(crate) const SWEEPER_LOCK: &str = "locks/sweeper";
pub(crate) const KEEPER_LOCK: &str = "locks/keeper";
pub(crate) const MAPPED_LOCK: &str = "locks/mapped";
pub(crate) const IDS_LOCK: &str = "locks/ids";

/// Made with the store, so that locking needs no space.
pub(crate) const LOCKS: [&str; 5] = [LEASE_LOCK, IMAGES_LOCK, VOLUMES_LOCK, CONTAINERS_LOCK, KEEPER_LOCK];

/// Inside `layers/<hex>/`.
pub(crate) const LAYER_DIFF: &str = "diff";
pub(crate) const LAYER_FRAME: &str = "frame";
pub(crate) const LAYER_RECORD: &str = "layer.json";
pub(crate) const LAYER_UNSYNCED: &str = "unsynced";

/// Inside `mapped/<hex>/`.
pub(crate) const MAPPED_DIFF: &str = "diff";
pub(crate) const MAPPED_RECORD: &str = "mapped.json";

/// Inside `containers/<id>/`.
pub(crate) const CONTAINER_RECORD: &str = "container.json";
pub(crate) const CONTAINER_STATE: &str = "state.json";
pub(crate) const CONTAINER_EXIT: &str = "exit.json";
pub(crate) const CONTAINER_HEALTH: &str = "health.json";
pub(crate) const CONTAINER_UPPER: &str = "upper";
pub(crate) const CONTAINER_WORK: &str = "work";
pub(crate) const CONTAINER_MOUNTS: &str = "mounts";
pub(crate) const CONTAINER_SECRETS: &str = "secrets";
pub(crate) const CONTAINER_SHOWN: &str = "shown";
pub(crate) const CONTAINER_LOCK: &str = "lock";
pub(crate) const CONTAINER_LOG: &str = "ctr.log";
pub(crate) const CONTAINER_ATTACH: &str = "attach";
pub(crate) const CONTAINER_NETNS: &str = "netns";
pub(crate) const CONTAINER_STOP: &str = "stop";

/// At the root.
pub(crate) const KEEPER: &str = "keeper";
pub(crate) const PASTA: &str = "pasta";
pub(crate) const EVENTS: &str = "events.log";

/// Inside `shown/`, of a container or an image.
pub(crate) const SHOWN_ROOT: &str = "root";
pub(crate) const SHOWN_WORK: &str = "work";

/// Inside `volumes/<name>/`.
pub(crate) const VOLUME_RECORD: &str = "volume.json";
pub(crate) const VOLUME_DATA: &str = "data";
pub(crate) const VOLUME_NEW: &str = "new";

/// Inside `secrets/<id>/`.
pub(crate) const SECRET_RECORD: &str = "secret.json";
pub(crate) const SECRET_DATA: &str = "data";

/// A manifest or config.
pub(crate) fn blob(digest: &Digest) -> PathBuf {
    [BLOBS, &digest.hex()].iter().collect()
}

/// An unpacked layer's directory.
pub(crate) fn layer(diff_id: &Digest) -> PathBuf {
    [LAYERS, &diff_id.hex()].iter().collect()
}

/// A layer's files.
pub(crate) fn layer_diff(diff_id: &Digest) -> PathBuf {
    [LAYERS, &diff_id.hex(), LAYER_DIFF].iter().collect()
}

/// The layers of an image as one, with other ids.
pub(crate) fn mapped(key: &Digest) -> PathBuf {
    [MAPPED, &key.hex()].iter().collect()
}

/// A file or directory of such a tree.
pub(crate) fn in_mapped(key: &Digest, file: &str) -> PathBuf {
    [MAPPED, &key.hex(), file].iter().collect()
}

/// The compressed bytes of a layer on its way.
pub(crate) fn partial(blob: &Digest) -> PathBuf {
    [LAYERS_PARTIAL, &blob.hex()].iter().collect()
}

/// The lock of a layer on its way.
pub(crate) fn partial_lock(blob: &Digest) -> PathBuf {
    [LAYERS_PARTIAL, &format!("{}.lock", blob.hex())].iter().collect()
}

/// An image's record.
pub(crate) fn image(id: &Digest) -> PathBuf {
    [IMAGES, &format!("{}.json", id.hex())].iter().collect()
}

/// A container's directory.
pub(crate) fn container(id: &ContainerId) -> PathBuf {
    [CONTAINERS, id.as_str()].iter().collect()
}

/// A file or directory of a container.
pub(crate) fn in_container(id: &ContainerId, file: &str) -> PathBuf {
    [CONTAINERS, id.as_str(), file].iter().collect()
}

/// The link of a container's name; the name has been checked.
pub(crate) fn name(name: &str) -> PathBuf {
    [NAMES, name].iter().collect()
}

/// The link that says a container was started.
pub(crate) fn run(id: &ContainerId) -> PathBuf {
    [RUN, id.as_str()].iter().collect()
}

/// A volume's directory; the name has been checked.
pub(crate) fn volume(name: &str) -> PathBuf {
    [VOLUMES, name].iter().collect()
}

/// A file or directory of a volume; the name has been checked.
pub(crate) fn in_volume(name: &str, file: &str) -> PathBuf {
    [VOLUMES, name, file].iter().collect()
}

/// A file of a secret; its directory, for the empty name.
pub(crate) fn in_secret(id: &str, file: &str) -> PathBuf {
    let directory = Path::new(SECRETS).join(id);
    if file.is_empty() { directory } else { directory.join(file) }
}

/// A file of a thing that may still be in `tmp/`.
pub(crate) fn within(thing: &Path, file: &str) -> PathBuf {
    thing.join(file)
}

/// Where an overlay that was mounted `volatile` leaves its mark.
pub(crate) fn volatile_mark(id: &ContainerId) -> PathBuf {
    [CONTAINERS, id.as_str(), CONTAINER_WORK, "work", "incompat"].iter().collect()
}

/// Where an image's files are shown.
pub(crate) fn shown(image: &str) -> PathBuf {
    [SHOWN, image].iter().collect()
}

/// A file in `partial/`.
pub(crate) fn in_partial(file: &str) -> PathBuf {
    [LAYERS_PARTIAL, file].iter().collect()
}

/// A thing being made.
pub(crate) fn tmp(name: &str) -> PathBuf {
    [TMP, name].iter().collect()
}

/// A thing being deleted.
pub(crate) fn trash(name: &str) -> PathBuf {
    [TRASH, name].iter().collect()
}
