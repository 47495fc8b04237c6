//! `login` and `logout`: credentials tried at a registry, kept and forgotten.
//!
//! Nothing here needs the store: who may not make one can still log in. A password leaves this process for the registry and
//! the place it is kept in, and is in no message.

use crate::config::{self, RegistryOptions};
use crate::error::registry_error;
use crate::error::{Error, Kind, Result};
use crate::host::Host;
use registry::Client;
use registry::auth::{Credentials, Keeper, Secret};
use spec::pull::Pull;
use std::path::PathBuf;

/// What `login` and `logout` are about.
#[derive(Debug)]
pub struct Login {
    /// `host[:port]`
    registry: String,
    /// The same, with the path that the login is for alone.
    key: String,
    config: registry::Config,
    keeper: Keeper,
}

/// Where logins are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AuthPlace {
    /// `$REGISTRY_AUTH_FILE`, else the user's own file until the next boot.
    #[default]
    Usual,
    /// `--authfile`
    File(PathBuf),
    /// `--compat-auth-file`: Docker's own file, which knows registries and no paths below them.
    Docker(PathBuf),
}

impl Login {
    /// For a registry, with or without a path below it; without a name the first of `unqualified-search-registries`.
    pub fn new(
        host: &Host,
        name: Option<&str>,
        place: &AuthPlace,
        tls_verify: Option<bool>,
        options: &RegistryOptions,
    ) -> Result<Self> {
        let authfile = match place {
            AuthPlace::Usual => None,
            AuthPlace::File(path) | AuthPlace::Docker(path) => Some(path.display().to_string()),
        };
        let pull = Pull { authfile, tls_verify, retry: Some(0), ..Pull::default() };
        let config = config::registry(host, &pull, options)?;
        let name =
            match name {
                Some(name) => name.to_owned(),
                None => config.registries.search.first().cloned().ok_or_else(|| {
                    Error::invalid("no registries found in registries.conf, a registry must be provided")
                })?,
            };
        let (registry, key) = named(&name, place)?;
        let file = match place {
            AuthPlace::Usual => config::auth_file_to_write(host),
            AuthPlace::File(path) | AuthPlace::Docker(path) => path.clone(),
        };
        let keeper =
            Keeper { file, helpers: config.registries.credential_helpers.clone(), wait: config.timeouts.helper };
        Ok(Self { registry, key, config, keeper })
    }

    /// The registry, with the path that the login is for.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The file that a login is kept in, unless a helper keeps it.
    pub fn file(&self) -> &std::path::Path {
        &self.keeper.file
    }

    /// Who is logged in, if anybody is.
    pub fn user(&self) -> Result<Option<String>> {
        Ok(match self.known()? {
            Some(Credentials::Password { user, .. }) => Some(user),
            Some(Credentials::IdentityToken(_) | Credentials::RegistryToken(_)) => Some("<token>".to_owned()),
            None => None,
        })
    }

    fn known(&self) -> Result<Option<Credentials>> {
        let path = self.key.strip_prefix(&self.registry).unwrap_or_default().trim_start_matches('/');
        let helpers = &self.config.registries.credential_helpers;
        let found = self.config.auth.find(helpers, &self.registry, path, self.config.timeouts.helper);
        found.map_err(registry_error)
    }

    /// The password that is kept for this user.
    pub fn kept(&self, user: &str) -> Result<Option<Secret>> {
        Ok(match self.known()? {
            Some(Credentials::Password { user: own, password }) if own == user => Some(password),
            _ => None,
        })
    }

    /// Whether the registry takes what is known of the user.
    pub fn existing_works(&self) -> Result<()> {
        Client::new(self.config.clone()).ping(&self.registry).map_err(registry_error)
    }

    /// Tries a login at the registry, and keeps it when it works.
    pub fn try_and_keep(&self, user: &str, password: &Secret) -> Result<()> {
        let credentials = Credentials::Password { user: user.to_owned(), password: password.clone() };
        let mut config = self.config.clone();
        config.auth.credentials = Some(credentials);
        Client::new(config).ping(&self.registry).map_err(|error| match registry_error(error) {
            error if matches!(error.kind, Kind::Unauthorized(_)) => Error::new(Kind::WrongLogin(self.key.clone())),
            error => error.within(format!("authenticating creds for {:?}", self.key)),
        })?;
        self.keeper.keep(&self.key, user, password).map_err(registry_error)
    }

    /// Forgets the login; whether there was one.
    pub fn forget(&self) -> Result<bool> {
        self.keeper.forget(&self.key).map_err(registry_error)
    }

    /// Whether another file holds a login for it, which `forget` leaves alone: a program of another kind wrote it.
    pub fn known_elsewhere(&self) -> bool {
        self.known().is_ok_and(|found| found.is_some())
    }
}

/// Forgets every login of the file that `login` writes.
pub fn forget_all(host: &Host, place: &AuthPlace) -> Result<()> {
    let file = match place {
        AuthPlace::Usual => config::auth_file_to_write(host),
        AuthPlace::File(path) | AuthPlace::Docker(path) => path.clone(),
    };
    let wait = registry::Timeouts::default().helper;
    Keeper { file, helpers: Vec::new(), wait }.forget_all().map_err(registry_error)
}

/// The registry, and the key of its login.
fn named(text: &str, place: &AuthPlace) -> Result<(String, String)> {
    let bad = |why: &str| Error::invalid(format!("registry {text:?}: {why}"));
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let key = bare.trim_end_matches('/');
    let registry = key.split('/').next().unwrap_or_default();
    // A repository there is parsed as part of a name: the same rules hold.
    let whole = if key == registry { format!("{key}/x") } else { key.to_owned() };
    let parsed = spec::Reference::parse(&whole).map_err(|_| bad("expected host[:port], or a path below it"))?;
    let port = registry.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    if registry.is_empty() || !port || parsed.tag.is_some() || parsed.digest.is_some() {
        return Err(bad("expected host[:port], or a path below it"));
    }
    match place {
        AuthPlace::Docker(_) if key != registry => Err(bad("Docker's file has logins for registries alone")),
        AuthPlace::Docker(_) if registry == "docker.io" => {
            Ok((registry.to_owned(), "https://index.docker.io/v1/".to_owned()))
        }
        _ => Ok((registry.to_owned(), key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_for_a_registry_or_a_path_below_it() {
        let docker = AuthPlace::Docker("/x".into());
        let pair = |a: &str, b: &str| Ok::<_, String>((a.to_owned(), b.to_owned()));
        let named = |text: &str, place: &AuthPlace| named(text, place).map_err(|error| error.to_string());
        assert_eq!(named("https://quay.io/", &AuthPlace::Usual), pair("quay.io", "quay.io"));
        assert_eq!(named("r.test:5000/team/a", &AuthPlace::Usual), pair("r.test:5000", "r.test:5000/team/a"));
        assert_eq!(named("docker.io", &docker), pair("docker.io", "https://index.docker.io/v1/"));
        for text in ["", "r.test:port", "r.test/x:tag", "a b", "r.test/../x"] {
            assert!(named(text, &AuthPlace::Usual).is_err(), "{text}");
        }
        assert!(named("quay.io/x", &docker).is_err());
    }
}
