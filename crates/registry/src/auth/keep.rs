//! Keeping and forgetting logins: what `login` and `logout` write.
//!
//! A login goes into an auth file, or to the credential helper that the file (`credHelpers`) or registries.conf names for
//! it. A file is replaced whole, under a lock beside it, and nobody but its owner can read it. Keys are
//! `host[:port][/path…]` ([containers-auth.json(5)](https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md)).

use super::helper::{self, Order};
use super::{AuthFile, FILES, Secret, read};
use crate::{Error, Kind, Operation};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Where logins are kept.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// The auth file, made when it is first needed.
    pub file: PathBuf,
    /// `credential-helpers` of registries.conf; none means the file.
    pub helpers: Vec<String>,
    /// How long a helper has to answer.
    pub wait: Duration,
}

/// What becomes of a file's text.
enum Change {
    Write(Zeroizing<Vec<u8>>),
    Nothing,
}

impl Keeper {
    /// Keeps a login under a key.
    pub fn keep(&self, key: &str, user: &str, password: &Secret) -> Result<(), Error> {
        let order = Order::Keep { server: key, user, password };
        if let Some(helper) = self.outside().next() {
            return helper::tell(helper, order, self.wait);
        }
        let mut asked = None;
        self.edit(|bytes| {
            asked = helper_in(bytes, key)?;
            match asked {
                Some(_) => Ok(Change::Nothing),
                None => AuthFile::with_login(bytes, key, user, password).map(Change::Write),
            }
        })?;
        asked.map_or(Ok(()), |helper| helper::tell(&helper, order, self.wait))
    }

    /// Forgets the login under a key; whether there was one.
    pub fn forget(&self, key: &str) -> Result<bool, Error> {
        for helper in self.outside() {
            helper::tell(helper, Order::Forget { server: key }, self.wait)?;
        }
        let mut found = false;
        let mut asked = None;
        self.edit(|bytes| {
            asked = helper_in(bytes, key)?;
            let text = AuthFile::without_login(bytes, key)?;
            found = text.is_some();
            Ok(text.map_or(Change::Nothing, Change::Write))
        })?;
        if let Some(helper) = asked {
            helper::tell(&helper, Order::Forget { server: key }, self.wait)?;
            found = true;
        }
        Ok(found)
    }

    /// Forgets every login of the file.
    pub fn forget_all(&self) -> Result<(), Error> {
        self.edit(|bytes| Ok(AuthFile::without_logins(bytes)?.map_or(Change::Nothing, Change::Write)))
    }

    /// The helpers of registries.conf that stand before the file.
    fn outside(&self) -> impl Iterator<Item = &String> {
        self.helpers.iter().take_while(|name| *name != FILES)
    }

    fn edit(&self, change: impl FnOnce(&[u8]) -> Result<Change, String>) -> Result<(), Error> {
        let error = |kind| Error::new(Operation::WriteCredentials, self.file.display().to_string(), kind);
        let fail = |cause: std::io::Error| error(Kind::Unreadable).because(cause);
        let directory = self.file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(fail)?;
        let lock = File::open(directory).map_err(fail)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|errno| fail(errno.into()))?;
        let before = read(&self.file)?.unwrap_or_default();
        match change(&before).map_err(|reason| error(Kind::Invalid(reason)))? {
            Change::Nothing => Ok(()),
            Change::Write(text) => replace(&self.file, &text).map_err(fail),
        }
    }
}

/// The helper that a file names for exactly this key.
fn helper_in(bytes: &[u8], key: &str) -> Result<Option<String>, String> {
    AuthFile::parse(bytes).map(|file| file.helper(key).map(str::to_owned))
}

/// Writes beside the file, syncs and renames; a link is followed, so that the file that it leads to is replaced.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let tmp = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&tmp)
        .and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&tmp, &path));
    if written.is_err() {
        // What was being said is the reason; the rest of it is only untidy.
        let _ = std::fs::remove_file(&tmp);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Credentials, Found};
    use std::os::unix::fs::PermissionsExt;

    fn keeper(file: PathBuf) -> Keeper {
        Keeper { file, helpers: Vec::new(), wait: Duration::from_secs(5) }
    }

    #[test]
    fn a_login_is_kept_for_its_owner_alone_and_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = keeper(directory.path().join("a/b/auth.json"));
        let password = Secret::new("wonder:land".to_owned());
        keeper.keep("r.example", "alice", &password).unwrap();
        keeper.keep("r.example/team", "bob", &password).unwrap();
        let mode = std::fs::metadata(&keeper.file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let file = AuthFile::parse(&std::fs::read(&keeper.file).unwrap()).unwrap();
        let login =
            |user: &str| Found::Credentials(Credentials::Password { user: user.into(), password: password.clone() });
        assert_eq!((file.lookup("r.example", "x"), file.lookup("r.example", "team/x")), (login("alice"), login("bob")));
        assert!(keeper.forget("r.example").unwrap());
        assert!(!keeper.forget("r.example").unwrap());
        keeper.forget_all().unwrap();
        assert_eq!(AuthFile::parse(&std::fs::read(&keeper.file).unwrap()).unwrap(), AuthFile::default());
        let left: Vec<_> = std::fs::read_dir(keeper.file.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_link_leads_to_the_file_that_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("real.json"), directory.path().join("link.json"));
        std::fs::write(&file, "{\"proxies\": 1}").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        keeper(link.clone()).keep("r.example", "a", &Secret::new("b".to_owned())).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&file).unwrap().contains("proxies"));
        std::fs::write(&file, "oops").unwrap();
        let error = keeper(link).forget("r.example").unwrap_err().to_string();
        assert!(error.starts_with("write credentials ") && error.contains("malformed JSON"), "{error}");
    }
}
