//! Who we are to a registry: secrets, where they are found, how a challenge is answered.
//!
//! A [`Secret`] prints as `…` and is wiped when dropped. Look-up follows
//! [containers-auth.json(5)](https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md).

use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// A password or token. Prints as `…`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

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
