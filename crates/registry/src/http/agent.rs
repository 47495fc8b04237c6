//! ureq agents, one for each combination of trust, proxy and reach; connections of one are not used for another.
//!
//! Nothing is read before the first request: `Client::new` is free.

use super::reach::Guard;
use super::tls::{self, TlsConnector};
use super::trust::{self, OwnCertificates};
use super::{Address, Reach};
use crate::{Config, Error, Kind, Operation, Security};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, SocksConnector, TcpConnector};

/// Read at once from a connection, in bytes.
const INPUT_BUFFER: usize = 64 << 10;
/// Written at once; requests are small.
const OUTPUT_BUFFER: usize = 16 << 10;

/// Whether a client certificate is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// To the registry it is for.
    Own,
    /// To everybody else.
    Nobody,
}

/// How a request may travel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route<'a> {
    /// Whose certs.d directory counts: `host[:port]`.
    pub(crate) registry: &'a str,
    pub(crate) security: Security,
    pub(crate) identity: Identity,
    pub(crate) reach: Reach,
}

#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct TrustKey {
    directory: Option<PathBuf>,
    security: Security,
    identity: Identity,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AgentKey {
    trust: TrustKey,
    proxy: Option<String>,
    reach: Reach,
}

/// The agents of one client.
#[derive(Debug)]
pub(crate) struct Agents {
    provider: Arc<CryptoProvider>,
    system: OnceLock<RootCertStore>,
    trust: Mutex<HashMap<TrustKey, Arc<ClientConfig>>>,
    agents: Mutex<HashMap<AgentKey, ureq::Agent>>,
}

impl Agents {
    pub(crate) fn new() -> Self {
        Self {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            system: OnceLock::new(),
            trust: Mutex::default(),
            agents: Mutex::default(),
        }
    }

    /// The agent for a request to `address`.
    pub(crate) fn agent(&self, config: &Config, route: &Route<'_>, address: &Address) -> Result<ureq::Agent, Error> {
        let trust = TrustKey {
            directory: trust::directory(&config.certificates, route.registry),
            security: route.security,
            identity: route.identity,
        };
        let proxy = config.proxies.choose(address).map(str::to_owned);
        let key = AgentKey { trust, proxy, reach: route.reach };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let tls = self.tls(config, &key.trust)?;
        let agent = build(config, tls, key.proxy.as_deref(), route.reach)?;
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn tls(&self, config: &Config, key: &TrustKey) -> Result<Arc<ClientConfig>, Error> {
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tls) = trust.get(key) {
            return Ok(tls.clone());
        }
        let mut own = match &key.directory {
            Some(directory) => trust::own(directory, &self.provider)?,
            None => OwnCertificates::default(),
        };
        if key.identity == Identity::Nobody {
            own.identity = None;
        }
        let roots = match key.security {
            Security::Verified => self.system.get_or_init(|| trust::system_roots(&config.certificates.system)).clone(),
            Security::Insecure => RootCertStore::empty(),
        };
        let tls = tls::config(self.provider.clone(), roots, own, key.security)?;
        trust.insert(key.clone(), tls.clone());
        Ok(tls)
    }
}

fn build(config: &Config, tls: Arc<ClientConfig>, proxy: Option<&str>, reach: Reach) -> Result<ureq::Agent, Error> {
    // The address may hold a password, so it is not shown.
    let proxy = proxy.map(ureq::Proxy::new).transpose().map_err(|_| {
        Error::new(Operation::Locate, "HTTPS_PROXY or HTTP_PROXY", Kind::Invalid("malformed proxy address".to_owned()))
    })?;
    let settings = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .user_agent(&config.user_agent)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .timeout_resolve(Some(config.timeouts.connect))
        .timeout_connect(Some(config.timeouts.connect))
        .timeout_send_request(Some(config.timeouts.response))
        .timeout_recv_response(Some(config.timeouts.response))
        .timeout_per_read(Some(config.timeouts.read))
        .build();
    let connector =
        ().chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector(tls));
    Ok(ureq::Agent::with_parts(settings, connector, Guard { reach }))
}
