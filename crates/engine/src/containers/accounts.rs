//! Who is who in a container, by its own `/etc/passwd` and `/etc/group`. The files are the container's: what they say is only
//! ever shown.

use super::Container;
use super::exec::read_inside;
use crate::Engine;
use crate::error::Result;
use spec::idmap::IdMap;
use std::collections::BTreeMap;

/// Names of users and groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
    /// The container's ids, where this process sees others.
    ids: Option<IdMap>,
}

impl Accounts {
    /// Reads the two files (passwd(5), group(5)); lines that do not parse are passed over, and the first of a number counts.
    pub fn parse(passwd: &[u8], group: &[u8]) -> Self {
        Self { users: names(passwd), groups: names(group), ids: None }
    }

    /// The name of a user.
    pub fn user(&self, uid: u32) -> Option<String> {
        named(&self.users, self.ids.as_ref().map(|ids| ids.uids.inside(uid)), uid)
    }

    /// The name of a group.
    pub fn group(&self, gid: u32) -> Option<String> {
        named(&self.groups, self.ids.as_ref().map(|ids| ids.gids.inside(gid)), gid)
    }
}

/// With ids of the container's own a number, too, is the container's; `outside` is nobody's there.
fn named(names: &BTreeMap<u32, String>, inside: Option<Option<u32>>, outside: u32) -> Option<String> {
    let Some(inside) = inside else { return names.get(&outside).cloned() };
    let id = inside.unwrap_or(NOBODY);
    Some(names.get(&id).cloned().unwrap_or_else(|| id.to_string()))
}

/// Whom a container sees for whoever has no id in it.
const NOBODY: u32 = 65_534;

/// `name:password:number:…`
fn names(file: &[u8]) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for line in String::from_utf8_lossy(file).lines() {
        let mut fields = line.trim().split(':');
        if let (Some(name), Some(number)) = (fields.next(), fields.nth(1).and_then(|number| number.parse().ok())) {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}

impl Engine {
    /// The accounts of a container that runs.
    pub fn accounts(&self, container: &Container) -> Result<Accounts> {
        let Some(state) = &container.running else { return Err(self.wrong_state(container, "top")) };
        self.approach(&container.record.spec)?;
        let read = |file| read_inside(state.main.pid, file);
        let accounts = Accounts::parse(&read("etc/passwd")?, &read("etc/group")?);
        Ok(Accounts { ids: container.record.ids.clone(), ..accounts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_number_counts() {
        let accounts = Accounts::parse(b"broken\nroot:x:0:0\ntoor:x:0:0\nx:y:z\n", b"web:x:33:\n\xff:x:34:a\n");
        assert_eq!((accounts.user(0).as_deref(), accounts.user(33)), (Some("root"), None));
        assert_eq!((accounts.group(33).as_deref(), accounts.group(34).as_deref()), (Some("web"), Some("\u{fffd}")));
    }
}
