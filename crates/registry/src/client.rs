//! The client: from an image name to its manifest, config and layers.

use crate::{Config, Error, Kind, Location, Operation};
use spec::oci::{Descriptor, Manifest};
use spec::{Digest, Platform, Reference};
use std::io;
use std::sync::Arc;

/// Talks to registries. Cheap to clone; clones share connections, tokens and credentials.
#[derive(Debug, Clone)]
pub struct Client(Arc<Config>);

/// An image found for one platform: everything needed to fetch it.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Which place answered; config and layers are fetched from there.
    pub location: Location,
    /// Parsed from `manifest_bytes`; its config and layers are of known media types.
    pub manifest: Manifest,
    /// Byte for byte as served.
    pub manifest_bytes: Vec<u8>,
    /// Of `manifest_bytes`.
    pub manifest_digest: Digest,
    /// Of the outermost index, where the name led to one. `image@digest` names this one.
    pub index_digest: Option<Digest>,
}

impl Resolved {
    /// The image config's descriptor.
    pub fn config(&self) -> &Descriptor {
        &self.manifest.config
    }

    /// The layers' descriptors, lowest first.
    pub fn layers(&self) -> &[Descriptor] {
        &self.manifest.layers
    }
}

impl Client {
    /// Makes a client; reads no file and opens no connection yet.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(config))
    }

    /// Finds the image that a full name (with registry; no tag and no digest means `latest`) has for a platform.
    ///
    /// Asks the mirrors in order, then the registry. Follows indexes by platform.
    pub fn resolve(&self, name: &Reference, platform: &Platform) -> Result<Resolved, Error> {
        let _ = platform;
        Err(Error::new(Operation::FetchManifest, name.to_string(), Kind::Invalid("not implemented yet".to_owned())))
    }

    /// Fetches a small blob (an image config) whole, checked against the descriptor's size and digest. At most
    /// [`spec::oci::DOCUMENT_LIMIT`] bytes.
    pub fn document(&self, location: &Location, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let _ = descriptor;
        Err(Error::new(Operation::FetchDocument, location.to_string(), Kind::Invalid("not implemented yet".to_owned())))
    }

    /// Opens a blob at `offset` bytes from its start; `offset` at most the descriptor's size.
    ///
    /// The digest is the caller's to check: only who has the bytes before `offset` can.
    pub fn blob(&self, location: &Location, descriptor: &Descriptor, offset: u64) -> Result<BlobReader, Error> {
        let _ = (descriptor, offset);
        Err(Error::new(Operation::FetchBlob, location.to_string(), Kind::Invalid("not implemented yet".to_owned())))
    }

    /// All tags of a repository, in the registry's order.
    pub fn tags(&self, repository: &Reference) -> Result<Vec<String>, Error> {
        Err(Error::new(Operation::ListTags, repository.name(), Kind::Invalid("not implemented yet".to_owned())))
    }

    /// Whether a registry (`host[:port]`) lets us in with the configured credentials; `login` asks this.
    pub fn ping(&self, registry: &str) -> Result<(), Error> {
        Err(Error::new(Operation::Ping, registry, Kind::Invalid("not implemented yet".to_owned())))
    }
}

/// A blob being read. Ends after exactly the descriptor's size; survives broken connections.
///
/// Errors are [`Error`]s wrapped in `io::Error`; [`Error::from_io`] takes them out.
#[derive(Debug)]
pub struct BlobReader {
    position: u64,
    fetched: u64,
}

impl BlobReader {
    /// Bytes from the blob's start up to here, the offset included.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that came over the network, those of repeated transfers included.
    pub fn fetched(&self) -> u64 {
        self.fetched
    }
}

impl io::Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let _ = buffer;
        Ok(0)
    }
}
