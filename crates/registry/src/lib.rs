//! OCI distribution over HTTP: locate, resolve, fetch, authenticate, retry.
//!
//! Blocking and without a runtime; a [`Client`] is cheap to clone and may be used by many threads. What must stay true:
//!
//! - credentials go to the registry they belong to and to the https token service it names, never to a redirect's host;
//! - plain http and unverified certificates only where the configuration says so;
//! - every document is bounded and checked against its digest before anybody parses it; a blob never yields more bytes
//!   than its descriptor says (its digest is checked by who writes it);
//! - a broken transfer goes on where it stopped.
//!
//! ```text
//! Reference ─ registries ─► Location… ─ client ─► Resolved { manifest, config, layers }
//!                              │                      └─► document, blob (BlobReader)
//!           auth: sources, challenge, token     http: agent (TLS, proxy), exchange (redirect, status), retry, range
//! ```
//!
//! Protocol: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

pub mod auth;
mod blob;
mod client;
mod config;
mod error;
mod fetch;
#[cfg(test)]
mod fuzz;
mod http;
mod location;
pub mod manifest;
mod push;
pub mod registries;
mod search;
mod session;
mod tags;

pub use blob::BlobReader;
pub use client::{Client, Resolved};
pub use config::{Certificates, Clock, Config, Delay, Proxies, Retry, SystemClock, Timeouts, TlsVerify};
pub use error::{Error, Kind, Operation, Source};
pub use location::{Location, Role, Security};
pub use push::{Given, Target};
pub use registries::RegistriesConf;
pub use search::{Hit, SearchWish};
