//! Who a container's process is: `user[:group]` against the image's `/etc/passwd` and `/etc/group`. Pure.
//!
//! The files belong to the image, so nothing in them can give more than an id inside. What is written in digits is that
//! number, whatever the files call by it (an image with a user named `1` and id 0 does not get `--user 1` to be root). Lines that do
//! not parse are skipped, as the C library does. Ids are 0 … 4294967294; the last number means "unchanged" to the kernel and is refused.
//!
//! See passwd(5), group(5), podman-run(1) `--user`.

use crate::error::{Error, Kind};

/// A resolved user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id inside.
    pub uid: u32,
    /// Group id inside.
    pub gid: u32,
    /// Supplementary groups: those that list the user's name, unless a group was given.
    pub groups: Vec<u32>,
    /// Home directory; `/` for an id without an entry.
    pub home: String,
    /// Name, if the id has an entry.
    pub name: Option<String>,
}

/// `text` is `name`, `uid`, `name:group`, `uid:gid`, or either half alone; without a user it is root. A number without an entry is taken as it is, with group 0.
///
/// # Errors
/// When a name is not in the files, or a number is no id.
pub fn resolve(text: &str, passwd: &[u8], group: &[u8]) -> Result<User, Error> {
    let (user, given_group) = text.split_once(':').map_or((text, ""), |(user, group)| (user, group));
    let mut found = find_user(if user.is_empty() { "0" } else { user }, passwd)?;
    if !given_group.is_empty() {
        found.gid = resolve_group(given_group, group)?;
    } else if let Some(name) = &found.name {
        found.groups = groups_of(name, group);
    }
    Ok(found)
}

/// One word of `--group-add`: a group's name or id.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_group(text: &str, group: &[u8]) -> Result<u32, Error> {
    if let Some(number) = number(text) {
        return number.map_err(|kind| Error::new("look up group", text, kind));
    }
    let found = entries(group)
        .find(|fields| fields.first().copied() == Some(text.as_bytes()))
        .and_then(|fields| id(fields.get(2)?));
    found.ok_or_else(|| Error::new("look up group", text, Kind::Invalid("no matching entries in group file")))
}

fn find_user(text: &str, passwd: &[u8]) -> Result<User, Error> {
    let number = number(text).transpose().map_err(|kind| Error::new("look up user", text, kind))?;
    let entry = entries(passwd).filter_map(|fields| user(&fields)).find(|entry| match number {
        Some(uid) => entry.uid == uid,
        None => entry.name.as_deref() == Some(text),
    });
    match (entry, number) {
        (Some(entry), _) => Ok(entry),
        (None, Some(uid)) => Ok(User { uid, gid: 0, groups: Vec::new(), home: "/".into(), name: None }),
        (None, None) => Err(Error::new("look up user", text, Kind::Invalid("no matching entries in passwd file"))),
    }
}

/// `name:password:uid:gid:comment:home:shell`
fn user(fields: &[&[u8]]) -> Option<User> {
    let [name, _, uid, gid, rest @ ..] = fields else { return None };
    let home = rest.get(1).and_then(|home| std::str::from_utf8(home).ok()).filter(|home| !home.is_empty());
    Some(User {
        uid: id(uid)?,
        gid: id(gid)?,
        groups: Vec::new(),
        home: home.unwrap_or("/").to_owned(),
        name: Some(std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?.to_owned()),
    })
}

/// `name:password:gid:member,member`; each id once, in the order of the file.
fn groups_of(name: &str, group: &[u8]) -> Vec<u32> {
    let mut groups = Vec::new();
    for fields in entries(group) {
        let [_, _, gid, members, ..] = fields.as_slice() else { continue };
        let listed = members.split(|&byte| byte == b',').any(|member| member.trim_ascii() == name.as_bytes());
        if let (true, Some(gid)) = (listed, id(gid)) {
            if !groups.contains(&gid) {
                groups.push(gid);
            }
        }
    }
    groups
}

fn entries(file: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    file.split(|&byte| byte == b'\n').map(|line| line.trim_ascii().split(|&byte| byte == b':').collect())
}

/// `None` when the text is not all digits, and so a name.
fn number(text: &str) -> Option<Result<u32, Kind>> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| id(text.as_bytes()).ok_or(Kind::Invalid("uids and gids must be in range 0-4294967294")))
}

/// A decimal number that the kernel takes as an id.
fn id(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok().filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
        broken\n\
        bad:x:zero:0::/:\n\
        1:x:0:0:digits:/evil:/bin/sh\n\
        app:x:1000:1001:App:/home/app:/bin/sh\n\
        huge:x:4294967295:0::/:\n\
        homeless:x:7:7::\n";
    const GROUP: &[u8] = b"root:x:0:\nwheel:x:10:root,app\naudio:x:63:other,app\nagain:x:10:app\nstaff:x:50:\n5:x:0:\n";

    fn ids(text: &str) -> (u32, u32, Vec<u32>) {
        let user = resolve(text, PASSWD, GROUP).unwrap();
        (user.uid, user.gid, user.groups)
    }

    #[test]
    fn names_and_numbers_with_and_without_entry() {
        assert_eq!(ids(""), (0, 0, vec![10]));
        assert_eq!(ids("app"), (1000, 1001, vec![10, 63]));
        assert_eq!(ids("1000"), (1000, 1001, vec![10, 63]));
        assert_eq!(ids("1234"), (1234, 0, vec![]));
        assert_eq!(ids("4294967294"), (4_294_967_294, 0, vec![]));
        let app = resolve("app", PASSWD, GROUP).unwrap();
        assert_eq!((app.home.as_str(), app.name.as_deref()), ("/home/app", Some("app")));
        assert_eq!(resolve("homeless", PASSWD, GROUP).unwrap().home, "/");
    }

    #[test]
    fn a_group_that_is_given_leaves_no_other() {
        assert_eq!(ids("app:staff"), (1000, 50, vec![]));
        assert_eq!(ids("app:0"), (1000, 0, vec![]));
        assert_eq!(ids("1234:5678"), (1234, 5678, vec![]));
        assert_eq!(ids("app:"), (1000, 1001, vec![10, 63]));
        assert_eq!(ids(":50"), (0, 50, vec![]));
        assert_eq!(ids(":"), (0, 0, vec![10]));
    }

    #[test]
    fn digits_are_the_number_whatever_the_image_calls_so() {
        assert_eq!(ids("1"), (1, 0, vec![]));
        assert_eq!(ids("app:5"), (1000, 5, vec![]));
        assert_eq!(resolve_group("5", GROUP).unwrap(), 5);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["-1", "4294967295", "4294967296", "99999999999999999999", "nobody", "bad", "huge", "+1", "0x0", " 0"]
        {
            assert!(resolve(text, PASSWD, GROUP).is_err(), "{text:?}");
        }
        for text in ["app:-1", "app:4294967295", "app:none"] {
            assert!(resolve(text, PASSWD, GROUP).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_files_never_give_another_number(uid in 0..u32::MAX, gid in 0..u32::MAX, passwd: Vec<u8>, group: Vec<u8>) {
            let user = resolve(&format!("{uid}:{gid}"), &passwd, &group).unwrap();
            prop_assert_eq!((user.uid, user.gid, user.groups), (uid, gid, vec![]));
        }

        #[test]
        fn hostile_files_never_panic(text: String, passwd: Vec<u8>, group: Vec<u8>) {
            let _ = resolve(&text, &passwd, &group);
        }
    }
}
