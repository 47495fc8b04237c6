//! `push`: an image to a registry, or to where `save` writes.
//!
//! A layer that the registry has, in the form that the image came with or as this machine packs it, is not sent. Where all
//! layers are there as they came, the manifest goes as it came too, and the digest stays.

use super::save::name_found_by;
use super::{SaveFormat, ToSave, in_parallel};
use crate::config::{self, RegistryOptions};
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::images::registry_error;
use crate::{Engine, store_error};
use registry::{Client, Given, Target};
use spec::oci::{Descriptor, Manifest, MediaType};
use spec::pull::Pull;
use spec::{Digest, Reference};
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::sync::Mutex;
use store::save::{ArchiveFormat, DirectoryFormat, Family, LayerForm};
use store::{ImageRecord, Store};

/// So many manifests that an image came with are asked for, the last one first.
const MANIFESTS: usize = 3;

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A full name.
    Registry(Reference),
    /// `dir:`, `oci:`, `oci-archive:` or `docker-archive:`, with the name it gets there.
    File {
        /// Which.
        format: SaveFormat,
        /// A file or directory.
        path: PathBuf,
        /// As written, where one was.
        name: Option<String>,
    },
}

/// What else a push is told.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// `--format`; absent = as the image came.
    pub family: Option<Family>,
    /// `--compress`, for `dir:`.
    pub compress: bool,
}

/// What a push has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Of the manifest; none for a file.
    pub digest: Option<Digest>,
}

/// What happens during a push. Called from several threads.
#[derive(Debug, Clone, Copy)]
pub enum PushEvent<'a> {
    /// A layer is there.
    Layer(&'a Digest, Given),
    /// The config is sent.
    Config(&'a Digest),
    /// The manifest is sent.
    Manifest,
}

impl Destination {
    /// Parses `[docker://]NAME`, `dir:PATH`, `oci:PATH[:TAG]`, `oci-archive:PATH[:TAG]` or `docker-archive:PATH[:NAME]`.
    pub fn parse(text: &str, options: &PushOptions) -> Result<Self> {
        let form = if options.compress { LayerForm::Gzip } else { LayerForm::Plain };
        let (transport, rest) = text.split_once(':').unwrap_or(("", text));
        let format = match transport {
            "dir" => SaveFormat::Directory(DirectoryFormat::Docker(form)),
            "oci" => SaveFormat::Directory(DirectoryFormat::Oci(LayerForm::Gzip)),
            "oci-archive" => SaveFormat::Archive(ArchiveFormat::Oci(LayerForm::Gzip)),
            "docker-archive" => SaveFormat::Archive(ArchiveFormat::Docker),
            "docker" if rest.starts_with("//") => return Self::registry(&rest[2..]),
            "containers-storage" | "docker-daemon" | "ostree" | "sif" | "atomic" | "tarball" => {
                return Err(Error::new(Kind::Unsupported(format!(
                    "pushing to {transport}: is not supported by lodger"
                ))));
            }
            _ => return Self::registry(text),
        };
        let (path, name) = match transport {
            "dir" => (rest, None),
            _ => rest.split_once(':').map_or((rest, None), |(path, name)| (path, Some(name.to_owned()))),
        };
        if path.is_empty() {
            return Err(Error::invalid(format!("destination {text:?}: a path is missing")));
        }
        Ok(Self::File { format, path: path.into(), name })
    }

    fn registry(text: &str) -> Result<Self> {
        let name = Reference::parse(text).map_err(|e| Error::invalid(e.to_string()))?;
        if name.registry.is_none() {
            return Err(Error::invalid(format!("destination {text:?} names no registry: write REGISTRY/{text}")));
        }
        if name.digest.is_some() {
            return Err(Error::invalid(format!("destination {text:?}: an image is pushed by tag, not by digest")));
        }
        Ok(Self::Registry(name.with_default_tag()))
    }
}

impl Engine {
    /// Pushes an image; without a destination to where its name says.
    pub fn push(
        &self,
        text: &str,
        to: Option<&Destination>,
        options: &PushOptions,
        (pull, registry): (&Pull, &RegistryOptions),
        report: &(dyn Fn(PushEvent<'_>) + Sync),
    ) -> Result<Pushed> {
        let image = self.image(text)?;
        let own = || {
            let name = name_found_by(text, &image).map(Destination::Registry);
            name.ok_or_else(|| Error::invalid(format!("{text:?} is no name: say where it goes")))
        };
        match to.map_or_else(own, |to| Ok(to.clone()))? {
            Destination::File { format, path, name } => {
                let mut one = ToSave { image, names: Vec::new() };
                name.iter().try_for_each(|name| one.add_name(name))?;
                self.save(&[one], format, &path)?;
                Ok(Pushed { digest: None })
            }
            Destination::Registry(name) => {
                let client = Client::new(config::registry(&self.host, pull, registry)?);
                let known: Vec<Reference> = image.names.iter().chain(&image.digests).cloned().collect();
                let target = client.push_target(&name, &known).map_err(registry_error)?;
                self.approach_store()?;
                let push = Push { store: &self.store, client, target, image: &image, report };
                let pushed = push.run(options.family).map_err(|error| error.within(format!("push {name}")))?;
                self.tell_image(Act::Push, &image, &name.to_string());
                Ok(pushed)
            }
        }
    }

    /// The images that a registry has of this name, or of all `unqualified-search-registries` where it names none.
    pub fn search(
        &self,
        term: &str,
        limit: usize,
        (pull, options): (&Pull, &RegistryOptions),
    ) -> Result<Vec<(String, registry::Hit)>> {
        let config = config::registry(&self.host, pull, options)?;
        let (registries, term) = match term.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (vec![host.to_owned()], rest),
            _ => (config.registries.search.clone(), term),
        };
        if registries.is_empty() {
            return Err(Error::invalid(
                "no registry to search: write REGISTRY/TERM, or set unqualified-search-registries in registries.conf",
            ));
        }
        let client = Client::new(config);
        let wish = registry::SearchWish { term: term.to_owned(), limit };
        let mut hits = Vec::new();
        let mut failed = None;
        for registry in &registries {
            match client.search(registry, &wish) {
                Ok(found) => hits.extend(found.into_iter().map(|hit| (registry.clone(), hit))),
                Err(error) => failed = failed.or(Some(registry_error(error))),
            }
        }
        match failed {
            Some(error) if hits.is_empty() => Err(error),
            _ => Ok(hits),
        }
    }

    /// The tags of a repository, with its full name.
    pub fn tags(&self, name: &str, (pull, options): (&Pull, &RegistryOptions)) -> Result<Vec<String>> {
        self.names_of_all_tags(name, pull, options)
    }
}

/// A push to a registry under way.
struct Push<'p> {
    store: &'p Store,
    client: Client,
    target: Target,
    image: &'p ImageRecord,
    report: &'p (dyn Fn(PushEvent<'_>) + Sync),
}

/// A manifest that the image came with.
struct Came {
    parsed: Manifest,
    bytes: Vec<u8>,
}

impl Push<'_> {
    fn run(&self, family: Option<Family>) -> Result<Pushed> {
        let came = self.came_with();
        let family = family.or_else(|| came.first().map(Came::family)).unwrap_or(Family::Oci);
        let jobs: Vec<usize> = (0..self.image.layers.len()).collect();
        let done = Mutex::new(vec![None; jobs.len()]);
        in_parallel(&jobs, |number| {
            let blob = self.layer(number, &came, family)?;
            if let Ok(mut done) = done.lock() {
                done[number] = Some(blob);
            }
            Ok(())
        })?;
        let layers: Vec<Descriptor> = done.into_inner().unwrap_or_default().into_iter().flatten().collect();
        if layers.len() != jobs.len() {
            return Err(Error::other("a thread of the push died"));
        }
        let config = self.config()?;
        (self.report)(PushEvent::Manifest);
        let same = came.iter().find(|came| came.family() == family && came.has(&layers));
        let bytes = match same {
            Some(came) => came.bytes.clone(),
            None => store::save::manifest_of(self.image, config, layers, family).map_err(store_error)?,
        };
        let digest = store::digest_of(&bytes);
        let parsed: Manifest = serde_json::from_slice(&bytes).map_err(|e| Error::caused(Kind::Corrupt, e))?;
        let media_type = parsed.media_type.as_deref().unwrap_or(store::save::OCI_MANIFEST);
        self.client.push_manifest(&self.target, media_type, &bytes, &digest).map_err(registry_error)?;
        Ok(Pushed { digest: Some(digest) })
    }

    /// The manifests of the image that are in the store, the last one first.
    fn came_with(&self) -> Vec<Came> {
        let read = |digest: &Digest| {
            let bytes = self.store.blob(digest).ok()?;
            let parsed: Manifest = serde_json::from_slice(&bytes).ok()?;
            (parsed.layers.len() == self.image.layers.len()).then_some(Came { parsed, bytes })
        };
        self.image.manifests.iter().filter_map(read).take(MANIFESTS).collect()
    }

    /// Sees to it that a layer is there; the blob that it is there as.
    fn layer(&self, number: usize, came: &[Came], family: Family) -> Result<Descriptor> {
        let diff_id = &self.image.layers[number];
        // A plain tar in a manifest is one that `load` made: registries are given compressed ones.
        let packed = came.iter().map(|came| &came.parsed.layers[number]).filter(|blob| blob.digest != *diff_id);
        for blob in packed {
            if let Some(given) = self.client.obtain_blob(&self.target, &blob.digest).map_err(registry_error)? {
                (self.report)(PushEvent::Layer(&blob.digest, given));
                return Ok(of_family(blob, family));
            }
        }
        let packed = self.store.layer_blob(diff_id, family).map_err(store_error)?;
        let blob = packed.descriptor;
        let given = match self.client.obtain_blob(&self.target, &blob.digest).map_err(registry_error)? {
            Some(given) => given,
            None => {
                let open = || {
                    let mut file = packed.file.try_clone()?;
                    file.rewind()?;
                    Ok(Box::new(file) as Box<dyn Read>)
                };
                self.client.push_blob(&self.target, &blob, &open).map_err(registry_error)?;
                Given::Sent
            }
        };
        (self.report)(PushEvent::Layer(&blob.digest, given));
        Ok(blob)
    }

    /// Sends the config; its size.
    fn config(&self) -> Result<usize> {
        let bytes = self.store.blob(&self.image.id).map_err(store_error)?;
        (self.report)(PushEvent::Config(&self.image.id));
        let size = bytes.len();
        if self.client.obtain_blob(&self.target, &self.image.id).map_err(registry_error)?.is_none() {
            let blob = Descriptor {
                media_type: store::save::OCI_CONFIG.to_owned(),
                digest: self.image.id,
                size: size as u64,
                platform: None,
                annotations: Default::default(),
            };
            let open = || Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn Read>);
            self.client.push_blob(&self.target, &blob, &open).map_err(registry_error)?;
        }
        Ok(size)
    }
}

impl Came {
    fn family(&self) -> Family {
        let docker = |text: &str| text.starts_with("application/vnd.docker.");
        match docker(self.parsed.media_type.as_deref().unwrap_or(&self.parsed.config.media_type)) {
            true => Family::Docker,
            false => Family::Oci,
        }
    }

    fn has(&self, layers: &[Descriptor]) -> bool {
        let digests = |layers: &[Descriptor]| layers.iter().map(|layer| layer.digest).collect::<Vec<_>>();
        digests(&self.parsed.layers) == digests(layers)
    }
}

/// The same blob in the words of a family.
fn of_family(blob: &Descriptor, family: Family) -> Descriptor {
    let compression = match MediaType::parse(&blob.media_type) {
        Ok(MediaType::Layer(compression)) => compression,
        _ => return blob.clone(),
    };
    Descriptor { media_type: store::save::layer_type(family, compression), ..blob.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_registry_or_a_file() {
        let parse = |text: &str| Destination::parse(text, &PushOptions::default());
        let registry = |text: &str| Destination::Registry(Reference::parse(text).unwrap());
        assert_eq!(parse("docker://r.test:5000/a/b").unwrap(), registry("r.test:5000/a/b:latest"));
        assert_eq!(parse("r.test:5000/a/b:1").unwrap(), registry("r.test:5000/a/b:1"));
        let file = |text: &str| match parse(text).unwrap() {
            Destination::File { path, name, .. } => (path.display().to_string(), name),
            Destination::Registry(name) => panic!("{name}"),
        };
        assert_eq!(file("dir:/a:b"), ("/a:b".to_owned(), None));
        assert_eq!(file("oci-archive:/a.tar:x/y"), ("/a.tar".to_owned(), Some("x/y".to_owned())));
        for text in ["web", "web:1", "oci:", "containers-storage:x", "r.test/a@sha256:00", "docker:web"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
