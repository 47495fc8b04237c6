//! HTTP below the client: one request with its redirects and login, and when to try again.
//!
//! ```text
//! exchange: authorization ─► agent (proxy, TLS, reach) ─► answer ─► redirect │ 401 │ complaint │ body
//! ```

mod address;
mod agent;
mod complaint;
mod exchange;
mod failure;
mod names;
mod proxy;
mod range;
mod reach;
mod retry;
mod tls;
mod trust;

pub(crate) use address::{Address, Scheme, encoded};
pub(crate) use agent::{Agents, Identity, Route};
pub(crate) use complaint::plain_words;
pub(crate) use exchange::{Answer, Call, Open, Payload, Verb, broken, exchange, exchange_at, follow, send};
pub(crate) use failure::classify;
pub(crate) use range::ContentRange;
pub(crate) use reach::Reach;
pub(crate) use retry::{Backoff, Next};
