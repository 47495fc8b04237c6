//! `--userns=auto`: ids that no other container has, as many as the image needs.
//!
//! Who has which is in the containers' records alone. Whoever chooses holds `locks/ids` from the look at them until the new record is
//! there, so what a removed container or a crash leaves behind is nothing.

use super::choose::{Ids, Pool};
use crate::error::Result;
use crate::{Engine, store_error};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, openat2, statat};
use spec::ContainerSpec;
use spec::idmap::{IdMap, IdRange, IdRanges, Span, without};
use spec::namespaces::{Auto, UserNs};
use std::io::Read;
use std::path::PathBuf;
use store::{ContainerRecord, ImageRecord};

/// As in podman: no container gets fewer unless it asks to, and no image makes it more.
const SIZE: (u32, u32) = (1024, 65_536);
/// The user `nobody` of nearly every image, whom nobody runs as.
const NOBODY: u32 = 65_534;
/// Larger than any real account file.
const LIMIT: u64 = 4 << 20;

impl Engine {
    pub(super) fn allocate(&self, auto: &Auto, spec: &ContainerSpec, image: Option<&ImageRecord>) -> Result<IdMap> {
        let pool = Pool::of(&self.host)?;
        let size = match auto.size {
            Some(size) => size,
            None => self.size_needed(auto, spec, image)?,
        };
        let others = self.store.containers().map_err(store_error)?.items;
        let mut taken = (Vec::new(), Vec::new());
        for ids in others.iter().filter(|other| has_its_own(other)).filter_map(|other| other.ids.as_ref()) {
            taken.0.extend(ids.uids.outsides());
            taken.1.extend(ids.gids.outsides());
        }
        let choose = |ids: &Ids, forced: &[IdRange], taken: &[Span]| {
            let forced = ids.made(IdRanges::new(forced.iter().copied()))?;
            ids.made(IdRanges::allocate(forced, &without(&ids.subordinate(), taken), size))
        };
        let uids = choose(&pool.uids, &auto.uids, &taken.0)?;
        Ok(IdMap { uids, gids: choose(&pool.gids, &auto.gids, &taken.1)? })
    }

    /// The highest id that is named in the image, or asked for.
    fn size_needed(&self, auto: &Auto, spec: &ContainerSpec, image: Option<&ImageRecord>) -> Result<u32> {
        let mut highest = 0;
        if let Some(image) = image {
            let layers = self.store.lower_dirs(&image.layers).map_err(store_error)?;
            for file in ["passwd", "group"] {
                highest = highest.max(highest_id(&account_file(&layers, file)));
            }
        }
        let numbers = spec.process.user.iter().flat_map(|user| user.split(':')).filter_map(|word| word.parse().ok());
        let forced = auto.uids.iter().chain(&auto.gids).map(|range| range.inside.saturating_add(range.count - 1));
        let highest = numbers.chain(forced).fold(highest, u32::max);
        Ok(highest.saturating_add(1).clamp(SIZE.0, SIZE.1))
    }
}

/// Others share theirs anyway: with the containers that have the user's own ids.
fn has_its_own(container: &ContainerRecord) -> bool {
    let namespaces = &container.spec.namespaces;
    matches!(namespaces.user, Some(UserNs::Auto(_))) || namespaces.is_mapped()
}

/// The third field of each line, but for `nobody`'s.
fn highest_id(file: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(file);
    let ids = text.lines().filter_map(|line| line.split(':').nth(2)?.trim().parse::<u32>().ok());
    ids.filter(|id| *id != NOBODY).max().unwrap_or(0)
}

/// A file of `/etc` in the topmost layer that has it; empty where there is none, or something else.
fn account_file(layers: &[PathBuf], name: &str) -> Vec<u8> {
    for layer in layers {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(top) = rustix::fs::open(layer, flags, Mode::empty()) else { continue };
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let Ok(etc) = openat2(&top, "etc", flags, Mode::empty(), inside) else { continue };
        let Ok(status) = statat(&etc, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            break;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(&etc, name, flags, Mode::empty()) else { break };
        let mut bytes = Vec::new();
        let read = std::fs::File::from(file).take(LIMIT).read_to_end(&mut bytes);
        return if read.is_ok() { bytes } else { Vec::new() };
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_needs_no_id() {
        let file = b"root:x:0:0::/:\nnobody:x:65534:65534::/:\nbroken\nweb:x:2000:1::/:\n\xff:x:7:1\n";
        assert_eq!(highest_id(file), 2000);
        assert_eq!(highest_id(b""), 0);
    }
}
