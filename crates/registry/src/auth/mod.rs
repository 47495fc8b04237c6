//! Who we are to a registry: secrets, where they are found, how a challenge is answered.
//!
//! A [`Secret`] prints as `…` and is wiped when dropped. Look-up follows
//! [containers-auth.json(5)](https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md): file by
//! file, in each the most specific key first.

mod challenge;
mod file;
mod helper;
mod keep;
pub(crate) mod token;

pub use challenge::{Challenge, parse_challenge};
pub use file::{AuthFile, Found};
pub use keep::Keeper;

use crate::{Error, Kind, Operation};
use serde::Deserialize;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The largest auth.json that is read, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// The credential "helper" of registries.conf that stands for the auth files.
const FILES: &str = "containers-auth.json";

/// A password or token. Prints as `…`; wiped when dropped.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, to be sent and not kept.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a registry is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User name and password.
    Password {
        /// Without a colon.
        user: String,
        /// May be empty.
        password: Secret,
    },
    /// An OAuth2 refresh token (`identitytoken`).
    IdentityToken(Secret),
    /// A token that is sent as it is (`registrytoken`).
    RegistryToken(Secret),
}

impl Credentials {
    /// Parses `--creds USER[:PASSWORD]`.
    pub fn parse(text: &str) -> Result<Self, spec::ParseError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        if user.is_empty() {
            // The text is not quoted: it is a secret.
            return Err(spec::ParseError("invalid credentials: expected user[:password]".to_owned()));
        }
        Ok(Self::Password { user: user.to_owned(), password: Secret::new(password.to_owned()) })
    }
}

/// Where credentials are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--creds`: used for every registry this client talks to, instead of all below.
    pub credentials: Option<Credentials>,
    /// In order; files that do not exist are passed over. With `--authfile` or `$REGISTRY_AUTH_FILE` just that one, else
    /// `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`, `~/.docker/config.json`.
    pub files: Vec<PathBuf>,
}

impl Sources {
    /// The credentials for a repository (`repository` is empty for the registry as a whole), or none. `helpers` are
    /// `credential-helpers` of registries.conf; without any, just the files are asked.
    ///
    /// Starts credential helpers; each has `wait` to answer.
    pub fn find(
        &self,
        helpers: &[String],
        registry: &str,
        repository: &str,
        wait: Duration,
    ) -> Result<Option<Credentials>, Error> {
        if let Some(given) = &self.credentials {
            return Ok(Some(given.clone()));
        }
        if helpers.is_empty() {
            return self.in_files(registry, repository, wait);
        }
        for helper in helpers {
            let found = match &helper[..] {
                FILES => self.in_files(registry, repository, wait)?,
                program => helper::ask(program, registry, helper::Absent::IsAnError, wait)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn in_files(&self, registry: &str, repository: &str, wait: Duration) -> Result<Option<Credentials>, Error> {
        for path in &self.files {
            let Some(bytes) = read(path)? else { continue };
            let file = AuthFile::parse(&bytes).map_err(|reason| {
                Error::new(Operation::ReadCredentials, path.display().to_string(), Kind::Invalid(reason))
            })?;
            let found = match file.lookup(registry, repository) {
                Found::Credentials(credentials) => Some(credentials),
                Found::Helper { program, server } => helper::ask(program, server, helper::Absent::IsAnError, wait)?,
                // A default store is often left behind by a desktop program that is no longer there.
                Found::Store { program, server } => helper::ask(program, server, helper::Absent::IsNone, wait)?,
                Found::Nothing => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The bytes of an auth file, or nothing where there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let error = |kind| Error::new(Operation::ReadCredentials, path.display().to_string(), kind);
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(error(Kind::Unreadable).because(cause)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|cause| error(Kind::Unreadable).because(cause))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(error(Kind::TooLarge { what: "the file", limit: FILE_LIMIT }));
    }
    Ok(Some(bytes))
}
