//! Images, layers, containers and volumes on disk.
//!
//! `layout` draws the tree and states the rules for locks, collection and durability that everything here keeps.
//! Whatever unpacks or deletes the content of layers and containers must run where the files' owners are mapped: as real
//! root, or inside the user namespace that owns the subordinate IDs. Records can be read by the user outside it.
//!
//! ```text
//! store, layout, record, lock, error     the directory, its files and locks
//! image, index, blob, pull, load, gc     images: names, records, getting them in, collecting what nobody needs
//! save                                   images as archives, directories and blobs
//! layer, tar                             one layer: bytes → checked, unpacked directory, and back
//! staging                                something on its way that is no part of the store
//! container, state, volume, secret       what runs, and its data
//! overlay                                which directories a container's root is stacked from
//! copy_tree, own_tree, remove_tree       directory trees, never following a symlink
//! stack, changes, pack, sink             layers as one tree, without a mount: what differs, and as an archive
//! shown                                  where `mount` puts a container's or image's files
//! ```

mod blob;
mod changes;
mod commit;
pub mod container;
mod copy_tree;
pub mod error;
mod files;
#[cfg(test)]
mod fuzz;
mod gc;
mod holder;
pub mod image;
mod index;
mod layer;
mod layout;
pub mod load;
pub mod lock;
pub mod mapped;
mod mend;
pub mod overlay;
mod own_tree;
mod owners;
mod pack;
pub mod pull;
mod record;
mod remove_tree;
pub mod save;
pub mod secret;
mod shown;
mod sink;
mod spool;
mod stack;
mod staging;
pub mod state;
mod store;
pub mod tar;
#[cfg(test)]
mod testing;
pub mod volume;

pub use blob::digest_of;
pub use changes::{Change, ChangeKind, changes};
pub use container::{
    ContainerId, ContainerRecord, ContainerSummary, HealthRecord, HealthResult, HealthStatus, ImageUse, Seen,
};
pub use copy_tree::{copy_content, copy_kept_xattrs, copy_plain_xattrs, copy_tree};
pub use error::{Error, Kind, Result, What};
pub use gc::{Collected, Partials};
pub use image::{ImageRecord, PastImage, Removal, Removed};
pub use layer::unpack::{Unpacked, Whiteouts, unpack};
pub use layer::{RootAttributes, stack_id};
pub use load::{LoadedImage, Opened};
pub use lock::{Access, Guard, Holder, Wait};
pub use mapped::{Form, MappedTree, is_readable};
pub use mend::Aside;
pub use overlay::OverlayDirs;
pub use own_tree::{Owner, own_tree};
pub use pack::{PackedAs, pack, pack_changes, pack_of, pack_one, pack_stack};
pub use pull::{LayerPull, LayerStream, Limits, NewImage, Pull};
pub use record::Durability;
pub use remove_tree::remove_whole;
pub use secret::{SECRET_LIMIT, SecretRecord};
pub use shown::ShownPlace;
pub use sink::{Direct, Sink};
pub use spool::SpooledLayer;
pub use staging::Staging;
pub use state::{ExitRecord, Helper, ProcessId, RunState};
pub use store::{Listing, Store};
pub use volume::VolumeRecord;
