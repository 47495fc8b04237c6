//! Environment variables and configuration files.
//!
//! registries.conf and auth.json are found where containers-registries.conf(5) and containers-auth.json(5) say; a file
//! that exists and cannot be read or parsed is an error, never passed over.

use crate::error::{Error, Result};
use crate::host::Host;
use registry::auth::{Credentials, Sources};
use registry::{Certificates, Delay, Proxies, RegistriesConf, Retry, TlsVerify};
use spec::pull::Pull;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A configuration file is never larger than this.
const FILE_LIMIT: u64 = 4 << 20;

/// Where podman keeps root's logins, who often has no `$XDG_RUNTIME_DIR`.
const ROOTS_OWN: &str = "/run/containers/0";

/// What a pull is told beyond the words that `run` shares (`spec::pull::Pull`).
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// `--creds`
    pub credentials: Option<Credentials>,
    /// `--cert-dir`
    pub cert_dir: Option<PathBuf>,
}

impl RegistryOptions {
    /// What `run` and `create` say.
    pub(crate) fn of(pull: &Pull) -> Result<Self> {
        let credentials = pull.creds.0.as_deref().map(Credentials::parse).transpose();
        Ok(Self {
            credentials: credentials.map_err(|error| Error::invalid(error.to_string()))?,
            cert_dir: pull.cert_dir.as_ref().map(PathBuf::from),
        })
    }
}

/// Everything a registry client is told.
pub fn registry(host: &Host, pull: &Pull, options: &RegistryOptions) -> Result<registry::Config> {
    let defaults = registry::Config::default();
    let retry = Retry {
        retries: pull.retry.unwrap_or(defaults.retry.retries),
        delay: pull.retry_delay.map_or(defaults.retry.delay, |seconds| Delay::Fixed(Duration::from_secs(seconds))),
        ..defaults.retry
    };
    Ok(registry::Config {
        registries: registries(host)?,
        certificates: certificates(host, options.cert_dir.clone()),
        auth: Sources { credentials: options.credentials.clone(), files: auth_files(host, pull.authfile.as_deref()) },
        tls_verify: match pull.tls_verify {
            None => TlsVerify::AsConfigured,
            Some(true) => TlsVerify::Always,
            Some(false) => TlsVerify::Never,
        },
        proxies: proxies(),
        retry,
        ..defaults
    })
}

/// registries.conf with its drop-ins: the user's own file, else the system's; drop-ins of both.
pub fn registries(host: &Host) -> Result<RegistriesConf> {
    let mut conf = RegistriesConf::default();
    let chosen = env::var_os("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from);
    let own = host.config_dir().join("containers");
    let candidates = match chosen {
        Some(path) => vec![path],
        None => vec![
            own.join("registries.conf"),
            "/etc/containers/registries.conf".into(),
            "/usr/share/containers/registries.conf".into(),
        ],
    };
    for path in &candidates {
        if merge(&mut conf, path)? {
            break;
        }
    }
    for path in drop_ins(&[
        Path::new("/usr/share/containers/registries.conf.d"),
        Path::new("/etc/containers/registries.conf.d"),
        &own.join("registries.conf.d"),
    ])? {
        merge(&mut conf, &path)?;
    }
    // What podman's users have answered when it asked which registry they mean.
    merge(&mut conf, &short_name_cache(host))?;
    Ok(conf)
}

fn short_name_cache(host: &Host) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = match host.rootless() {
        true => cache.unwrap_or_else(|| host.home.join(".cache")),
        false => PathBuf::from("/var/cache"),
    };
    cache.join("containers/short-name-aliases.conf")
}

fn merge(conf: &mut RegistriesConf, path: &Path) -> Result<bool> {
    let Some(bytes) = read(path)? else { return Ok(false) };
    conf.merge(&path.display().to_string(), &bytes).map_err(crate::error::registry_error)?;
    Ok(true)
}

/// `*.conf` of several directories in order of file name; a later directory overrides the same name.
pub(crate) fn drop_ins(directories: &[&Path]) -> Result<Vec<PathBuf>> {
    let mut found = std::collections::BTreeMap::new();
    for directory in directories {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(Error::io(format!("read directory {directory:?}"), error)),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "conf") {
                found.insert(entry.file_name(), path);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// A small file, whole; `None` when it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::File::open(path) {
        Ok(file) => read_open(file, path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("open {path:?}"), error)),
    }
}

/// The same of one that is open already.
pub(crate) fn read_open(file: fs::File, path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|e| Error::io(format!("read {path:?}"), e))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(Error::other(format!("read {path:?}: larger than {FILE_LIMIT} bytes")));
    }
    Ok(bytes)
}

fn certificates(host: &Host, directory: Option<PathBuf>) -> Certificates {
    let mut certificates = Certificates { directory, ..Certificates::default() };
    let set = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter_map(env::var_os).map(PathBuf::from);
    certificates.system.splice(0..0, set);
    certificates.per_host = vec![
        host.config_dir().join("containers/certs.d"),
        "/etc/containers/certs.d".into(),
        "/etc/docker/certs.d".into(),
    ];
    certificates
}

fn auth_files(host: &Host, authfile: Option<&str>) -> Vec<PathBuf> {
    if let Some(path) = authfile.map(PathBuf::from).or_else(|| env::var_os("REGISTRY_AUTH_FILE").map(PathBuf::from)) {
        return vec![path];
    }
    let own = host.config_dir().join("containers/auth.json");
    let roots = (!host.rootless()).then(|| Path::new(ROOTS_OWN).join("auth.json"));
    let runtime = host.runtime_dir.iter().map(|dir| dir.join("containers/auth.json")).chain(roots);
    let docker = env::var_os("DOCKER_CONFIG").map_or_else(|| host.home.join(".docker"), PathBuf::from);
    runtime.chain([own, docker.join("config.json")]).collect()
}

/// The file that `login` writes: one that a reboot forgets, where there is such a place.
pub(crate) fn auth_file_to_write(host: &Host) -> PathBuf {
    if let Some(path) = env::var_os("REGISTRY_AUTH_FILE") {
        return path.into();
    }
    let directory = host.runtime_dir.as_ref().map(|dir| dir.join("containers"));
    let directory = directory.or_else(|| (!host.rootless()).then(|| PathBuf::from(ROOTS_OWN)));
    directory.unwrap_or_else(|| host.config_dir().join("containers")).join("auth.json")
}

fn proxies() -> Proxies {
    let either =
        |upper: &str, lower: &str| env::var(upper).or_else(|_| env::var(lower)).ok().filter(|value| !value.is_empty());
    Proxies {
        https: either("HTTPS_PROXY", "https_proxy"),
        // Upper case HTTP_PROXY can be set by a CGI request's header, as Go notes; podman takes both all the same.
        http: either("HTTP_PROXY", "http_proxy"),
        no_proxy: either("NO_PROXY", "no_proxy").unwrap_or_default(),
    }
}

/// Proxy variables that `run` passes into containers (`--http-proxy`), with their values.
pub(crate) fn proxy_environment() -> impl Iterator<Item = (&'static str, String)> {
    let names =
        ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"];
    names.into_iter().filter_map(|name| Some((name, env::var(name).ok()?)))
}
