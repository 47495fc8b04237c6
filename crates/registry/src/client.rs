//! The client: from an image name to its manifest, config and layers.

use crate::blob::BlobReader;
use crate::http::{Call, Verb, exchange};
use crate::manifest::{self, Document};
use crate::session::Session;
use crate::{Config, Error, Kind, Location, Operation, Role, Security, TlsVerify, tags};
use sha2::{Digest as _, Sha256};
use spec::oci::{DOCUMENT_LIMIT, Descriptor, Manifest};
use spec::{Digest, Platform, Reference};
use std::sync::Arc;
use ureq::http::header;

/// The most indexes on the way to an image.
const NESTING_LIMIT: usize = 3;

const DOCKER_CONTENT_DIGEST: header::HeaderName = header::HeaderName::from_static("docker-content-digest");

/// Talks to registries. Cheap to clone; clones share connections, tokens and credentials.
#[derive(Debug, Clone)]
pub struct Client(pub(crate) Arc<Session>);

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

/// A manifest or index as it came.
struct Fetched {
    bytes: Vec<u8>,
    digest: Digest,
    content_type: Option<String>,
}

impl Client {
    /// Makes a client; reads no file and opens no connection yet.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Session::new(config)))
    }

    /// The places a full name leads to, mirrors first, with `--tls-verify` applied.
    pub fn locations(&self, name: &Reference) -> Result<Vec<Location>, Error> {
        let mut locations = self.0.config.registries.locations(&name.clone().with_default_tag())?;
        for location in &mut locations {
            location.security = self.security(location.security);
        }
        Ok(locations)
    }

    pub(crate) fn security(&self, configured: Security) -> Security {
        match self.0.config.tls_verify {
            TlsVerify::AsConfigured => configured,
            TlsVerify::Always => Security::Verified,
            TlsVerify::Never => Security::Insecure,
        }
    }

    /// Finds the image that a full name (with registry; no tag and no digest means `latest`) has for a platform.
    ///
    /// Asks the mirrors in order, each once, then the registry. Follows indexes by platform, at most three deep. With a
    /// digest in the name, the bytes must match it, and the tag is not looked at. The error is the registry's; what the
    /// mirrors said is in [`Error::before`].
    pub fn resolve(&self, name: &Reference, platform: &Platform) -> Result<Resolved, Error> {
        let mut before = Vec::new();
        for location in self.locations(name)? {
            match self.resolve_at(location, platform) {
                Ok(resolved) => return Ok(resolved),
                Err(error) => before.push(error),
            }
        }
        let last = before.pop();
        let none = || Error::new(Operation::Locate, name.to_string(), Kind::Invalid("no place to ask".to_owned()));
        Err(Error { before: before.into(), ..last.unwrap_or_else(none) })
    }

    fn resolve_at(&self, location: Location, platform: &Platform) -> Result<Resolved, Error> {
        let name = location.reference.to_string();
        let error = |kind| Error::new(Operation::FetchManifest, &name, kind);
        let mut wanted = match (&location.reference.digest, &location.reference.tag) {
            (Some(digest), _) => Wanted::Digest(*digest),
            (None, Some(tag)) => Wanted::Tag(tag.clone()),
            (None, None) => Wanted::Tag("latest".to_owned()),
        };
        let mut index_digest = None;
        for _ in 0..=NESTING_LIMIT {
            let fetched = self.manifest(&location, &name, &wanted)?;
            let declared = match &wanted {
                Wanted::Entry(entry) => Some(entry.media_type.as_str()),
                _ => fetched.content_type.as_deref(),
            };
            match manifest::parse(&fetched.bytes, declared).map_err(error)? {
                Document::Manifest(manifest) => {
                    return Ok(Resolved {
                        location,
                        manifest,
                        manifest_bytes: fetched.bytes,
                        manifest_digest: fetched.digest,
                        index_digest,
                    });
                }
                Document::Index(index) => {
                    wanted = Wanted::Entry(manifest::choose(&index, platform).map_err(error)?.clone());
                    index_digest.get_or_insert(fetched.digest);
                }
            }
        }
        Err(error(Kind::InvalidManifest(format!("more than {NESTING_LIMIT} indexes inside each other"))))
    }

    fn manifest(&self, at: &Location, name: &str, wanted: &Wanted) -> Result<Fetched, Error> {
        let (reference, expected) = match wanted {
            Wanted::Tag(tag) => (tag.clone(), None),
            Wanted::Digest(digest) => (digest.to_string(), Some(*digest)),
            Wanted::Entry(entry) => (entry.digest.to_string(), Some(entry.digest)),
        };
        let path = format!("/v2/{}/manifests/{reference}", at.repository());
        let call = Call { accept: Some(manifest::ACCEPT), ..Call::get(Operation::FetchManifest, name) };
        let attempt = || {
            let answer = exchange(&self.0, at, &path, &call)?;
            let content_type = answer.text(&header::CONTENT_TYPE).map(str::to_owned);
            let bytes = answer.document(&call, DOCUMENT_LIMIT)?;
            Ok(Fetched { digest: digest_of(&bytes), bytes, content_type })
        };
        let fetched = match at.role() {
            // Another place can be asked instead.
            Role::Mirror => attempt()?,
            Role::Primary => self.0.attempts(attempt)?,
        };
        if let Wanted::Entry(entry) = wanted {
            check_size(&call, entry.size, fetched.bytes.len() as u64)?;
        }
        match expected {
            Some(wanted) if wanted != fetched.digest => Err(mismatch(&call, wanted, fetched.digest)),
            _ => Ok(fetched),
        }
    }

    /// What a tag leads to now, by the word of the registry itself (not a mirror): a digest to compare with a known one
    /// before anything is fetched. `None` if the registry does not say.
    ///
    /// Docker Hub does not count this as a pull. The digest is not checked against anything and must not be trusted with
    /// more than the decision to look closer.
    pub fn peek(&self, name: &Reference) -> Result<Option<Digest>, Error> {
        let name = name.clone().with_default_tag();
        let subject = name.to_string();
        let call =
            Call { accept: Some(manifest::ACCEPT), verb: Verb::Head, ..Call::get(Operation::FetchManifest, &subject) };
        let Some(location) = self.locations(&name)?.pop() else { return Ok(None) };
        let reference = name.digest.map(|digest| digest.to_string()).or(name.tag.clone()).unwrap_or_default();
        let path = format!("/v2/{}/manifests/{reference}", location.repository());
        let answer = self.0.attempts(|| exchange(&self.0, &location, &path, &call))?;
        Ok(answer.text(&DOCKER_CONTENT_DIGEST).and_then(|text| Digest::parse(text).ok()))
    }

    /// Fetches a small blob (an image config) whole, checked against the descriptor's size and digest. At most
    /// [`spec::oci::DOCUMENT_LIMIT`] bytes.
    pub fn document(&self, location: &Location, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let subject = format!("{location}@{}", descriptor.digest);
        let call = Call::get(Operation::FetchDocument, &subject);
        if descriptor.size > DOCUMENT_LIMIT {
            return Err(call.error(Kind::TooLarge { what: "the document", limit: DOCUMENT_LIMIT }));
        }
        let path = location.blob_path(descriptor);
        let bytes = self.0.attempts(|| {
            let answer = exchange(&self.0, location, &path, &call)?;
            if let Some(length) = answer.length() {
                check_size(&call, descriptor.size, length)?;
            }
            answer.document(&call, DOCUMENT_LIMIT)
        })?;
        check_size(&call, descriptor.size, bytes.len() as u64)?;
        match digest_of(&bytes) {
            got if got == descriptor.digest => Ok(bytes),
            got => Err(mismatch(&call, descriptor.digest, got)),
        }
    }

    /// Opens a blob at `offset` bytes from its start; `offset` at most the descriptor's size. The request is made here,
    /// so a blob that is not there is an error now.
    ///
    /// The digest is the caller's to check: only who has the bytes before `offset` can.
    pub fn blob(&self, location: &Location, descriptor: &Descriptor, offset: u64) -> Result<BlobReader, Error> {
        BlobReader::open(self.0.clone(), location.clone(), descriptor.clone(), offset)
    }

    /// All tags of a repository, in the registry's order, from the first place that has a list. What is not a well-formed
    /// tag is left out.
    pub fn tags(&self, repository: &Reference) -> Result<Vec<String>, Error> {
        let mut before = Vec::new();
        for location in self.locations(repository)? {
            match tags::list(&self.0, &location) {
                Ok(tags) => return Ok(tags),
                Err(error) => before.push(error),
            }
        }
        let last = before.pop();
        let none = || Error::new(Operation::ListTags, repository.name(), Kind::Invalid("no place to ask".to_owned()));
        Err(Error { before: before.into(), ..last.unwrap_or_else(none) })
    }

    /// Whether a registry (`host[:port]`) lets us in with the configured credentials; `login` asks this.
    pub fn ping(&self, registry: &str) -> Result<(), Error> {
        let security = self.security(self.0.config.registries.security(registry));
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let location = Location::whole_registry(registry, security);
        let call = Call::get(Operation::Ping, registry);
        self.0.attempts(|| exchange(&self.0, &location, "/v2/", &call).map(drop))
    }
}

/// What a manifest is asked for by.
enum Wanted {
    Tag(String),
    Digest(Digest),
    Entry(Descriptor),
}

fn check_size(call: &Call<'_>, wanted: u64, got: u64) -> Result<(), Error> {
    if wanted == got { Ok(()) } else { Err(call.error(Kind::SizeMismatch { wanted, got })) }
}

fn mismatch(call: &Call<'_>, wanted: Digest, got: Digest) -> Error {
    call.error(Kind::DigestMismatch { wanted: Box::new(wanted), got: Box::new(got) })
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}
