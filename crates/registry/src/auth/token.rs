//! Bearer tokens: asking the service that a registry names, and what it answers
//! (<https://distribution.github.io/distribution/spec/auth/token/>, `…/oauth/`).
//!
//! Credentials follow the registry's word to another host only over https (or plain http where the registry itself is
//! configured as insecure), as Docker and podman do: registries and their token services often have different hosts.

use super::{Credentials, Secret};
use serde::Deserialize;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The largest answer that is read, in bytes.
pub(crate) const ANSWER_LIMIT: u64 = 1 << 20;
/// What the specification says where the service does not.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
/// More is not believed.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// So much earlier a new one is asked for, at most.
const MARGIN: Duration = Duration::from_secs(10);

/// A bearer token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// When a new one should be asked for.
    pub(crate) stale: Instant,
}

/// What is asked of a token service.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) service: Option<&'a str>,
    pub(crate) scopes: &'a [String],
    pub(crate) credentials: Option<&'a Credentials>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Secret,
    #[serde(default)]
    access_token: Secret,
    #[serde(default)]
    expires_in: Option<f64>,
}

impl Token {
    /// Reads a service's answer; `asked` is when it was asked. The error is the reason.
    pub(crate) fn parse(body: &[u8], asked: Instant) -> Result<Self, String> {
        let answer: Answer = serde_json::from_slice(body).map_err(|_| "the token service's answer is not JSON")?;
        let secret = if answer.token.expose().is_empty() { answer.access_token } else { answer.token };
        if secret.expose().is_empty() {
            return Err("the token service sent no token".to_owned());
        }
        if !secret.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the token service sent a token with forbidden characters".to_owned());
        }
        let life = answer.expires_in.filter(|life| life.is_finite() && *life > 0.0);
        let life = life.map_or(DEFAULT_LIFE, |life| Duration::from_secs_f64(life.min(LONGEST_LIFE.as_secs_f64())));
        let stale = asked + life - MARGIN.min(life / 10);
        Ok(Self { secret, stale })
    }
}

/// The form of an OAuth2 request with a refresh token.
pub(crate) fn refresh_form(wanted: &Wanted<'_>, refresh: &Secret) -> Secret {
    use crate::http::encoded;
    let mut form = format!("grant_type=refresh_token&client_id=lodger&refresh_token={}", encoded(refresh.expose()));
    form.push_str(&format!("&service={}", encoded(wanted.service.unwrap_or_default())));
    form.push_str(&format!("&scope={}", encoded(&wanted.scopes.join(" "))));
    Secret::new(form)
}

/// The value of an `Authorization` header with user name and password.
pub(crate) fn basic(user: &str, password: &Secret) -> Secret {
    use base64::Engine;
    let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
    Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_it_ends() {
        let asked = Instant::now();
        let life = |body: &str| (Token::parse(body.as_bytes(), asked).unwrap().stale - asked).as_secs();
        assert_eq!(life(r#"{"token":"t"}"#), 54);
        assert_eq!(life(r#"{"access_token":"t","expires_in":300}"#), 290);
        assert_eq!(life(r#"{"token":"t","expires_in":0}"#), 54);
        assert_eq!(life(r#"{"token":"t","expires_in":1e300}"#), LONGEST_LIFE.as_secs() - 10);
    }

    #[test]
    fn what_cannot_be_a_header_is_no_token() {
        for body in ["", "{}", r#"{"token":""}"#, r#"{"token":"a\r\nX: y"}"#, r#"{"token":"a b"}"#, r#"{"token":3}"#] {
            assert!(Token::parse(body.as_bytes(), Instant::now()).is_err(), "{body}");
        }
    }
}
