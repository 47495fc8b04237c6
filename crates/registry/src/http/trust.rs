//! Which certificates are believed and shown: the system's roots and a registry's own directory
//! ([containers-certs.d(5)](https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md)).
//!
//! A registry's directory adds to the system's roots. Files that are there but unusable are errors: a pull that quietly
//! ignores `ca.crt` ends in a message nobody understands.

use crate::{Certificates, Error, Kind, Operation};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest bundle or key, in bytes.
const FILE_LIMIT: u64 = 16 << 20;
/// The most files of one directory that are looked at.
const FILES_LIMIT: usize = 4096;

/// What a registry's own directory holds.
#[derive(Debug, Default)]
pub(super) struct OwnCertificates {
    /// From `*.crt`.
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// From a `*.cert` and its `*.key`.
    pub(super) identity: Option<Arc<CertifiedKey>>,
}

/// The directory for a registry's `host[:port]`, if there is one.
pub(super) fn directory(certificates: &Certificates, registry: &str) -> Option<PathBuf> {
    match &certificates.directory {
        Some(directory) => Some(directory.clone()),
        None => certificates.per_host.iter().map(|parent| parent.join(registry)).find(|path| path.is_dir()),
    }
}

/// The roots of the first place that has any; empty if none does.
pub(super) fn system_roots(places: &[PathBuf]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for place in places {
        let files = if place.is_dir() { files(place).unwrap_or_default() } else { vec![place.clone()] };
        for file in files {
            // One that cannot be read or parsed is one root less; the handshake will say which issuer is unknown.
            if let Ok(bytes) = read(&file) {
                roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
            }
        }
        if !roots.is_empty() {
            break;
        }
    }
    roots
}

/// Reads a registry's directory.
pub(super) fn own(directory: &Path, provider: &CryptoProvider) -> Result<OwnCertificates, Error> {
    let mut found = OwnCertificates::default();
    for file in files(directory).map_err(|cause| error(directory, Kind::Unreadable).because(cause))? {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => found.roots.extend(certificates(&file)?),
            Some("cert") => found.identity = Some(identity(&file, &file.with_extension("key"), provider)?),
            Some("key") if !file.with_extension("cert").exists() => {
                let reason = "there is no certificate (.cert) for this key".to_owned();
                return Err(error(&file, Kind::Invalid(reason)));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => {
            let mut check = RootCertStore::empty();
            for certificate in &found {
                check.add(certificate.clone()).map_err(|cause| {
                    error(file, Kind::Invalid("not a usable certificate".to_owned())).because(cause)
                })?;
            }
            Ok(found)
        }
        Ok(_) => Err(error(file, Kind::Invalid("no PEM certificate inside".to_owned()))),
        Err(cause) => Err(error(file, Kind::Invalid("malformed PEM".to_owned())).because(cause)),
    }
}

fn identity(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, Error> {
    let chain = certificates(cert)?;
    let bytes = zeroize::Zeroizing::new(read(key)?);
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|cause| error(key, Kind::Invalid("no PEM private key inside".to_owned())).because(cause))?;
    let certified = CertifiedKey::from_der(chain, private, provider).map_err(|cause| {
        error(key, Kind::Invalid("not the key of the certificate beside it".to_owned())).because(cause)
    })?;
    Ok(Arc::new(certified))
}

/// The files of a directory in order of their names.
fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory)?
        .take(FILES_LIMIT)
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|cause| error(path, Kind::Unreadable).because(cause))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(error(path, Kind::TooLarge { what: "the file", limit: FILE_LIMIT }));
    }
    Ok(bytes)
}

fn error(path: &Path, kind: Kind) -> Error {
    Error::new(Operation::ReadCertificates, path.display().to_string(), kind)
}
