//! Everything a [`Client`](crate::Client) is told: pure data that the engine makes from files, flags and environment.
//!
//! Nothing in this crate reads the environment; a default here is podman's default.

use crate::auth;
use crate::registries::RegistriesConf;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How a client finds, trusts and asks registries.
#[derive(Debug, Clone)]
pub struct Config {
    /// registries.conf with its drop-ins.
    pub registries: RegistriesConf,
    /// Where a registry's own certificates are.
    pub certificates: Certificates,
    /// Where credentials come from.
    pub auth: auth::Sources,
    /// `--tls-verify`.
    pub tls_verify: TlsVerify,
    /// `HTTPS_PROXY` and its kin.
    pub proxies: Proxies,
    /// When to try again.
    pub retry: Retry,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// `User-Agent`; visible ASCII.
    pub user_agent: String,
    /// Time and sleep; tests bring their own.
    pub clock: Arc<dyn Clock>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            registries: RegistriesConf::default(),
            certificates: Certificates::default(),
            auth: auth::Sources::default(),
            tls_verify: TlsVerify::AsConfigured,
            proxies: Proxies::default(),
            retry: Retry::default(),
            timeouts: Timeouts::default(),
            user_agent: concat!("lodger/", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Whether https with a good certificate is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVerify {
    /// As registries.conf says for the registry; where it says nothing, demanded.
    #[default]
    AsConfigured,
    /// `--tls-verify=true`: always, whatever registries.conf says.
    Always,
    /// `--tls-verify=false`: any certificate is taken, and plain http where https does not answer.
    Never,
}

/// Trusted roots and per-registry certificates
/// ([containers-certs.d(5)](https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md)).
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Bundles (PEM files) or directories of PEM files; the first that exists is taken. An engine puts `SSL_CERT_FILE`
    /// and `SSL_CERT_DIR` in front.
    pub system: Vec<PathBuf>,
    /// `--cert-dir`: holds the `.crt`, `.cert` and `.key` files themselves and replaces `per_host`.
    pub directory: Option<PathBuf>,
    /// Parents of directories named `HOST[:PORT]`; the first in which the host has one is taken:
    /// `~/.config/containers/certs.d`, `/etc/containers/certs.d`, `/etc/docker/certs.d`.
    pub per_host: Vec<PathBuf>,
}

impl Default for Certificates {
    fn default() -> Self {
        let system = [
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem",
            "/etc/pki/tls/cacert.pem",
            "/etc/ssl/cert.pem",
            "/etc/ssl/certs",
        ];
        Self { system: system.map(PathBuf::from).to_vec(), directory: None, per_host: Vec::new() }
    }
}

/// Proxies in the words of the environment: `[http://|https://|socks5://][user:password@]host[:port]`.
///
/// Loopback addresses and `localhost` are never proxied, as in Go's `ProxyFromEnvironment`, which podman uses.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`: for https addresses.
    pub https: Option<String>,
    /// `HTTP_PROXY`: for plain http addresses.
    pub http: Option<String>,
    /// `NO_PROXY`: comma separated hosts (with their subdomains), `.subdomains`, addresses, networks, `*`; each may
    /// carry a port.
    pub no_proxy: String,
}

impl fmt::Debug for Proxies {
    // The URLs can hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |proxy: &Option<String>| if proxy.is_some() { "set" } else { "unset" };
        f.debug_struct("Proxies")
            .field("https", &set(&self.https))
            .field("http", &set(&self.http))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// How often and when a failed request is repeated (`--retry`, `--retry-delay`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Repetitions after the first attempt without progress; a blob that grew starts counting again.
    pub retries: u32,
    /// Pause between attempts.
    pub delay: Delay,
    /// The longest pause; a server that asks for more with `Retry-After` ends the attempts.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            retries: 3,
            delay: Delay::Exponential { first: Duration::from_secs(1) },
            longest: Duration::from_secs(60),
        }
    }
}

/// The pause between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Doubles each time; up to a quarter is taken off at random, so that many clients do not come back at once.
    Exponential {
        /// Before the first repetition.
        first: Duration,
    },
    /// `--retry-delay`.
    Fixed(Duration),
}

/// The longest silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For name look-up, TCP and TLS together.
    pub connect: Duration,
    /// For the head of the answer.
    pub response: Duration,
    /// Between two pieces of a body.
    pub read: Duration,
    /// For a credential helper.
    pub helper: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            response: Duration::from_secs(60),
            read: Duration::from_secs(60),
            helper: Duration::from_secs(60),
        }
    }
}

/// Time as the client sees it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// For token life times.
    fn now(&self) -> Instant;
    /// For `Retry-After` dates.
    fn wall(&self) -> SystemTime;
    /// Before another attempt.
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
