//! Who owns the files of an image in a container with ids of its own.

use spec::idmap::{IdMap, IdRanges};

/// Who owns what, by the ids that an image says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owners<'m> {
    ids: &'m IdMap,
    /// Those for whom there is no id in the container: somebody outside of it.
    nobody: (u32, u32),
}

impl<'m> Owners<'m> {
    pub(crate) fn of(ids: &'m IdMap) -> Self {
        let nobody = |ranges: &IdRanges| (0..=u32::MAX).find(|id| ranges.inside(*id).is_none()).unwrap_or(0);
        Self { ids, nobody: (nobody(&ids.uids), nobody(&ids.gids)) }
    }

    /// The owners outside of a user and a group of the image.
    pub(crate) fn give(&self, uid: u32, gid: u32) -> (u32, u32) {
        let uid = self.ids.uids.outside(uid).unwrap_or(self.nobody.0);
        (uid, self.ids.gids.outside(gid).unwrap_or(self.nobody.1))
    }

    /// The same in an access control list (acl(5)): after 4 bytes, entries of tag, permissions and id.
    pub(crate) fn give_acl(&self, list: &mut [u8]) {
        const USER: u16 = 2;
        const GROUP: u16 = 8;
        for entry in list.get_mut(4..).unwrap_or_default().chunks_exact_mut(8) {
            let tag = u16::from_le_bytes([entry[0], entry[1]]);
            let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            let (uid, gid) = self.give(id, id);
            match tag {
                USER => entry[4..].copy_from_slice(&uid.to_le_bytes()),
                GROUP => entry[4..].copy_from_slice(&gid.to_le_bytes()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::idmap::IdRange;

    #[test]
    fn who_has_no_id_is_nobody_of_the_container() {
        let ranges = |pieces: &[(u32, u32, u32)]| {
            IdRanges::new(pieces.iter().map(|&(inside, outside, count)| IdRange { inside, outside, count })).unwrap()
        };
        let ids = IdMap { uids: ranges(&[(0, 1, 5)]), gids: ranges(&[(0, 0, 1), (1, 500, 10)]) };
        let owners = Owners::of(&ids);
        assert_eq!((owners.give(0, 0), owners.give(4, 10), owners.give(5, 11)), ((1, 0), (5, 509), (0, 1)));
        // Version 2, then a user, the owning group and a group.
        let mut list = [2, 0, 0, 0, 2, 0, 7, 0, 3, 0, 0, 0, 4, 0, 7, 0, 255, 255, 255, 255, 8, 0, 5, 0, 2, 0, 0, 0];
        owners.give_acl(&mut list);
        assert_eq!((list[8], &list[16..20], &list[24..28]), (4, &[255; 4][..], &[245, 1, 0, 0][..]));
    }
}
