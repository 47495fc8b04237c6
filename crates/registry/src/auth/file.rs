//! auth.json and Docker's config.json: which credentials are for which repository. Pure.
//!
//! Keys are `host[:port][/path…]`; the most specific one wins. Docker's older keys (`https://index.docker.io/v1/`) count
//! for their host. Editing keeps every field that is not understood.

use super::{Credentials, Secret};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Hand-written files lack the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed auth file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthFile {
    logins: BTreeMap<String, Credentials>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

/// What a file says about a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// These.
    Credentials(Credentials),
    /// `credHelpers` names a program for this registry: run `docker-credential-PROGRAM get` with `server`.
    Helper {
        /// The end of the program's name.
        program: &'a str,
        /// What to ask it for.
        server: &'a str,
    },
    /// `credsStore` names a program for all registries.
    Store {
        /// The end of the program's name.
        program: &'a str,
        /// What to ask it for.
        server: &'a str,
    },
    /// Nothing.
    Nothing,
}

#[derive(Deserialize)]
struct RawFile {
    #[serde(default)]
    auths: BTreeMap<String, RawLogin>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct RawLogin {
    #[serde(default)]
    auth: Secret,
    #[serde(default)]
    identitytoken: Secret,
    #[serde(default)]
    registrytoken: Secret,
}

impl AuthFile {
    /// Parses a file; an empty one is valid. The error is the reason and quotes no secret.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // serde's message could quote a value.
        let raw: RawFile = serde_json::from_slice(bytes)
            .map_err(|error| format!("malformed JSON in line {}, column {}", error.line(), error.column()))?;
        let mut logins = BTreeMap::new();
        for (key, login) in raw.auths {
            let login = credentials(login).map_err(|reason| format!("{key:?}: {reason}"))?;
            logins.extend(login.map(|login| (key, login)));
        }
        Ok(Self { logins, helpers: raw.helpers, store: raw.store.filter(|program| !program.is_empty()) })
    }

    /// What the file says for a repository (empty: for the registry itself).
    pub fn lookup<'a>(&'a self, registry: &'a str, repository: &str) -> Found<'a> {
        let host = host_of(registry);
        if let Some((key, program)) = self.helpers.iter().find(|(key, _)| host_of(key) == host) {
            return Found::Helper { program, server: key };
        }
        if let Some(login) = self.login(registry, repository) {
            return Found::Credentials(login.clone());
        }
        match &self.store {
            Some(program) => Found::Store { program, server: if host == "docker.io" { HUB_KEY } else { registry } },
            None => Found::Nothing,
        }
    }

    /// The helper that `credHelpers` names for exactly this key.
    pub(super) fn helper(&self, key: &str) -> Option<&str> {
        self.helpers.get(key).map(String::as_str)
    }

    fn login(&self, registry: &str, repository: &str) -> Option<&Credentials> {
        let mut key = format!("{registry}/{repository}");
        loop {
            if let Some(login) = self.logins.get(key.trim_end_matches('/')) {
                return Some(login);
            }
            match key.rfind('/') {
                Some(end) => key.truncate(end),
                None => break,
            }
        }
        let host = host_of(registry);
        self.logins.iter().find(|(key, _)| host_of(key) == host).map(|(_, login)| login)
    }

    /// The file's text with a login added or replaced; `bytes` is the present text, or nothing. The key is a registry or
    /// `registry/path`. What `login` writes.
    pub fn with_login(bytes: &[u8], key: &str, user: &str, password: &Secret) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut root = object(bytes)?;
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let auths = root.entry("auths").or_insert_with(|| Value::Object(serde_json::Map::new()));
        let auths = auths.as_object_mut().ok_or("\"auths\" is not an object")?;
        auths.insert(key.to_owned(), serde_json::json!({ "auth": BASE64.encode(pair.as_bytes()) }));
        text(&root)
    }

    /// The file's text without a login, or `None` where it has none. What `logout` writes.
    pub fn without_login(bytes: &[u8], key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let mut root = object(bytes)?;
        let removed = root.get_mut("auths").and_then(Value::as_object_mut).and_then(|auths| auths.remove(key));
        if removed.is_some() { text(&root).map(Some) } else { Ok(None) }
    }

    /// The file's text without any login, or `None` where it has none. What `logout --all` writes.
    pub(super) fn without_logins(bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let mut root = object(bytes)?;
        match root.get_mut("auths").and_then(Value::as_object_mut) {
            Some(auths) if !auths.is_empty() => auths.clear(),
            _ => return Ok(None),
        }
        text(&root).map(Some)
    }
}

/// Docker's own key for its registry.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// The host a key stands for, or the key as it is where it has a path of its own; Docker Hub's names are one.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = match bare {
        Some(bare) => bare.split('/').next().unwrap_or_default(),
        None => key,
    };
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

fn credentials(raw: RawLogin) -> Result<Option<Credentials>, &'static str> {
    if !raw.identitytoken.expose().is_empty() {
        return Ok(Some(Credentials::IdentityToken(raw.identitytoken)));
    }
    if !raw.registrytoken.expose().is_empty() {
        return Ok(Some(Credentials::RegistryToken(raw.registrytoken)));
    }
    if raw.auth.expose().is_empty() {
        return Ok(None);
    }
    let bytes = BASE64.decode(raw.auth.expose().trim()).map_err(|_| "\"auth\" is not base64")?;
    let bytes = Zeroizing::new(bytes);
    let pair = std::str::from_utf8(&bytes).map_err(|_| "\"auth\" is not UTF-8 inside")?;
    let (user, password) = pair.split_once(':').ok_or("\"auth\" has no ':' inside")?;
    let password = Secret::new(password.trim_end_matches('\0').to_owned());
    Ok(Some(Credentials::Password { user: user.to_owned(), password }))
}

fn object(bytes: &[u8]) -> Result<serde_json::Map<String, Value>, String> {
    if bytes.trim_ascii().is_empty() {
        return Ok(serde_json::Map::new());
    }
    serde_json::from_slice(bytes)
        .map_err(|error| format!("malformed JSON in line {}, column {}", error.line(), error.column()))
}

fn text(root: &serde_json::Map<String, Value>) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut text = serde_json::to_vec_pretty(root).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn password(user: &str, password: &str) -> Found<'static> {
        let password = Secret::new(password.to_owned());
        Found::Credentials(Credentials::Password { user: user.to_owned(), password })
    }

    #[test]
    fn the_most_specific_key_wins() {
        // a:1, b:2, c:3, d:4
        let file = AuthFile::parse(
            br#"{"auths": {"quay.io": {"auth": "YTox"}, "quay.io/team": {"auth": "Yjoy"}, "quay.io/team/web": {"auth": "Yzoz"},
                "https://index.docker.io/v1/": {"auth": "ZDo0"}, "empty.example": {}, "only.example/x": {"auth": "YTox"}}}"#,
        )
        .unwrap();
        assert_eq!(file.lookup("quay.io", "team/web"), password("c", "3"));
        assert_eq!(file.lookup("quay.io", "team/other"), password("b", "2"));
        assert_eq!(file.lookup("quay.io", "teams"), password("a", "1"));
        assert_eq!(file.lookup("quay.io", ""), password("a", "1"));
        assert_eq!(file.lookup("docker.io", "library/busybox"), password("d", "4"));
        assert_eq!(file.lookup("empty.example", "x"), Found::Nothing);
        assert_eq!(file.lookup("only.example", "y"), Found::Nothing);
        assert_eq!(file.lookup("quay.io:443", "team/web"), Found::Nothing);
        assert_eq!(file.lookup("io", ""), Found::Nothing);
    }

    #[test]
    fn helpers_tokens_and_stores_are_told_apart() {
        let file = AuthFile::parse(
            br#"{"auths": {"a.example": {"identitytoken": "it"}, "b.example": {"registrytoken": "rt"}, "c.example": {}},
                "credHelpers": {"d.example": "pass", "docker.io": "hub"}, "credsStore": "desktop", "HttpHeaders": {}}"#,
        )
        .unwrap();
        let secret = |text: &str| Secret::new(text.to_owned());
        assert_eq!(file.lookup("a.example", ""), Found::Credentials(Credentials::IdentityToken(secret("it"))));
        assert_eq!(file.lookup("b.example", ""), Found::Credentials(Credentials::RegistryToken(secret("rt"))));
        assert_eq!(file.lookup("c.example", ""), Found::Store { program: "desktop", server: "c.example" });
        assert_eq!(file.lookup("d.example", "x"), Found::Helper { program: "pass", server: "d.example" });
        assert_eq!(file.lookup("docker.io", "x"), Found::Helper { program: "hub", server: "docker.io" });
    }

    #[test]
    fn passwords_with_odd_characters_survive_and_secrets_never_print() {
        let written = AuthFile::with_login(b"", "r.example", "me", &Secret::new("a:b\u{fc}".to_owned())).unwrap();
        let file = AuthFile::parse(&written).unwrap();
        assert_eq!(file.lookup("r.example", "x"), password("me", "a:b\u{fc}"));
        assert!(!format!("{file:?}").contains("a:b"));
        let error = AuthFile::parse(br#"{"auths": {"x": {"auth": ["hunter2"]}}}"#).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let error = AuthFile::parse(br#"{"auths": {"x": {"auth": "aHVudGVyMg"}}}"#).unwrap_err();
        assert!(error.contains("\"x\"") && !error.contains("aHVu"), "{error}");
    }

    #[test]
    fn editing_keeps_what_it_does_not_know() {
        let before = br#"{"auths": {"a.example": {"auth": "YTox", "email": "x"}}, "proxies": {"default": 1}}"#;
        let after = AuthFile::with_login(before, "b.example/ns", "u", &Secret::new("p".to_owned())).unwrap();
        let value: Value = serde_json::from_slice(&after).unwrap();
        assert_eq!(value["proxies"]["default"], 1);
        assert_eq!(value["auths"]["a.example"]["email"], "x");
        let gone = AuthFile::without_login(&after, "a.example").unwrap().unwrap();
        let file = AuthFile::parse(&gone).unwrap();
        assert_eq!(file.lookup("a.example", ""), Found::Nothing);
        assert_eq!(file.lookup("b.example", "ns/x"), password("u", "p"));
        assert_eq!(AuthFile::without_login(&gone, "a.example").unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = AuthFile::parse(&bytes);
        }
    }
}
