//! Images: fetching, loading, naming, removing.

pub mod change;
mod family;
mod import;
mod push;
mod save;

pub use family::{Layer, Step};
pub(crate) use import::new_name;
pub use import::{ImportSource, NewImport};
pub use push::{Destination, PushEvent, PushOptions, Pushed};
pub use registry::{Given, Hit};
pub use save::{SaveFormat, ToSave};
pub use store::save::{ArchiveFormat, DirectoryFormat, Family, LayerForm};

use crate::config::{self, RegistryOptions};
use crate::error::{Error, Kind, Result, registry_error};
use crate::events::{self, Act, Event};
use crate::{Engine, store_error};
use jiff::Timestamp;
use registry::registries::{ShortName, ShortNameMode};
use registry::{Client, Resolved};
use spec::oci::{Compression, Descriptor, ImageConfig, MediaType};
use spec::pull::{Pull, PullPolicy};
use spec::{Digest, Platform, Reference};
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Holder, ImageRecord, LayerPull, Limits, NewImage, Wait};

pub use store::image::Removal;
pub use store::{LoadedImage, Removed};

/// Layers fetched at a time. Each takes a few MB of memory; two processors are busy with three.
const PARALLEL: usize = 4;

/// What happens during a pull, for a progress display. Called from several threads.
#[derive(Debug, Clone)]
pub enum PullEvent<'a> {
    /// A place is asked for the image.
    Trying(&'a Reference),
    /// A layer is to be fetched; `size` in bytes as transferred.
    Layer {
        /// Of the compressed blob.
        digest: &'a Digest,
        /// In bytes.
        size: u64,
    },
    /// A layer is in the store already.
    Present(&'a Digest),
    /// So many bytes of a layer are here.
    Progress {
        /// Of the compressed blob.
        digest: &'a Digest,
        /// From its start.
        bytes: u64,
    },
    /// A layer is complete.
    Done(&'a Digest),
    /// Another process fetches this layer; its result is waited for.
    Waiting {
        /// Of the compressed blob.
        digest: &'a Digest,
        /// Who it is, if known.
        holder: Option<String>,
    },
    /// All layers are here; they are made durable and visible.
    Committing,
    /// The image is made for another platform than the one wanted; it may work all the same (emulation, programs of both).
    OtherPlatform {
        /// The image's.
        found: Platform,
        /// This machine's, or the one asked for.
        wanted: Platform,
    },
}

/// Takes the events of a pull.
pub type PullReport<'a> = dyn Fn(PullEvent<'_>) + Sync + 'a;

impl Engine {
    /// The image of this name or ID, fetched according to the policy when it has to be.
    pub fn image_for(&self, name: &str, pull: &Pull, report: &PullReport<'_>) -> Result<ImageRecord> {
        self.image_by_policy(name, pull, &RegistryOptions::of(pull)?, report)
    }

    /// The same, with what `pull` is told of the registry.
    pub fn image_by_policy(
        &self,
        name: &str,
        pull: &Pull,
        options: &RegistryOptions,
        report: &PullReport<'_>,
    ) -> Result<ImageRecord> {
        let found = match self.store.find_image(name) {
            Ok(image) => self.usable(image, pull)?,
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(store_error(error)),
        };
        match (pull.policy.unwrap_or(PullPolicy::Missing), found) {
            (PullPolicy::Missing | PullPolicy::Never, Some(image)) => Ok(image),
            (PullPolicy::Never, None) => Err(Error::new(Kind::NoSuchImage(name.to_owned()))),
            (PullPolicy::Newer, Some(image)) => match self.fetch_by_name(name, pull, options, report) {
                Ok(fresh) => Ok(fresh),
                // A registry that cannot be asked is no error.
                Err(_) => Ok(image),
            },
            (PullPolicy::Always | PullPolicy::Missing | PullPolicy::Newer, _) => {
                self.fetch_by_name(name, pull, options, report)
            }
        }
    }

    /// A stored image, unless it is for another platform than the one asked for.
    fn usable(&self, image: ImageRecord, pull: &Pull) -> Result<Option<ImageRecord>> {
        let Some(wanted) = &pull.platform else { return Ok(Some(image)) };
        let config = self.store.image_config(&image).map_err(store_error)?;
        let platform = platform_of(&config);
        Ok(platform.is_some_and(|platform| platform.serves(wanted)).then_some(image))
    }

    /// Fetches an image by name, and says which it is.
    pub fn pull(
        &self,
        name: &str,
        pull: &Pull,
        options: &RegistryOptions,
        report: &PullReport<'_>,
    ) -> Result<ImageRecord> {
        let image = self.fetch_by_name(name, pull, options, report)?;
        tell_platform(&self.image_config(&image)?, pull, report);
        Ok(image)
    }

    fn fetch_by_name(
        &self,
        name: &str,
        pull: &Pull,
        options: &RegistryOptions,
        report: &PullReport<'_>,
    ) -> Result<ImageRecord> {
        self.fetch_named(name, pull, options, report).inspect_err(|error| {
            let event = Event::new(events::Subject::Image, Act::PullError).named(name);
            self.tell(Event { error: error.chain(), ..event });
        })
    }

    fn fetch_named(
        &self,
        name: &str,
        pull: &Pull,
        options: &RegistryOptions,
        report: &PullReport<'_>,
    ) -> Result<ImageRecord> {
        let name = Reference::parse(name).map_err(|e| Error::invalid(e.to_string()))?.with_default_tag();
        let config = config::registry(&self.host, pull, options)?;
        let candidates = self.candidates(&name, &config.registries)?;
        let client = Client::new(config);
        let platform = pull.platform.clone().unwrap_or_else(Platform::native);
        let (name, resolved) = resolve_first(&client, &candidates, &platform, report)?;
        self.enter_user_namespace()?;
        let image = self.fetch(&client, &name, &resolved, report).map_err(|e| e.within(format!("pull {name}")))?;
        self.tell_image(Act::Pull, &image, &name.to_string());
        Ok(image)
    }

    /// The full names of every tag of a repository, in the registry's order.
    pub fn names_of_all_tags(&self, name: &str, pull: &Pull, options: &RegistryOptions) -> Result<Vec<String>> {
        let name = Reference::parse(name).map_err(|e| Error::invalid(e.to_string()))?;
        if name.tag.is_some() || name.digest.is_some() {
            return Err(Error::invalid("tag can't be used with --all-tags"));
        }
        let config = config::registry(&self.host, pull, options)?;
        let candidates = self.candidates(&name, &config.registries)?;
        let client = Client::new(config);
        let mut last = None;
        for name in candidates {
            match client.tags(&name) {
                Ok(tags) => return Ok(tags.into_iter().map(|tag| format!("{}:{tag}", name.name())).collect()),
                Err(error) => last = Some(registry_error(error)),
            }
        }
        Err(last.unwrap_or_else(|| Error::other("no registry to ask")))
    }

    /// The full names that a name may mean. A short name that the store knows means that image's.
    fn candidates(&self, name: &Reference, registries: &registry::RegistriesConf) -> Result<Vec<Reference>> {
        if name.registry.is_none() {
            let known = self.store.find_image(&name.to_string()).ok();
            let suffix = format!("/{}", name.repository);
            let full = known.and_then(|image| image.names.into_iter().find(|full| full.name().ends_with(&suffix)));
            if let Some(full) = full.filter(|full| full.registry.as_deref() != Some("localhost")) {
                return Ok(vec![full]);
            }
        }
        match registries.short_name(name) {
            ShortName::Exact(name) => Ok(vec![name]),
            ShortName::Candidates(names) if names.len() > 1 && registries.short_names == ShortNameMode::Enforcing => {
                Err(Error::new(Kind::ShortName {
                    name: name.to_string(),
                    candidates: names.iter().map(ToString::to_string).collect(),
                }))
            }
            ShortName::Candidates(names) => Ok(names),
            ShortName::Unknown => Err(Error::new(Kind::NoSuchImage(format!(
                "short-name {:?} did not resolve to an alias and no unqualified-search registries are defined in \"/etc/containers/registries.conf\"",
                name.to_string()
            )))),
        }
    }

    fn fetch(
        &self,
        client: &Client,
        name: &Reference,
        resolved: &Resolved,
        report: &PullReport<'_>,
    ) -> Result<ImageRecord> {
        let config = client.document(&resolved.location, resolved.config()).map_err(registry_error)?;
        let parsed: ImageConfig = serde_json::from_slice(&config).map_err(|e| {
            Error::caused(Kind::Other, e).within(format!("read image config {}", resolved.config().digest))
        })?;
        let diff_ids = &parsed.rootfs.diff_ids;
        if diff_ids.len() != resolved.layers().len() {
            return Err(Error::other(format!(
                "image config {} names {} layers, the manifest {}",
                resolved.config().digest,
                diff_ids.len(),
                resolved.layers().len()
            )));
        }
        let pull = self.store.begin_pull(Limits::default()).map_err(store_error)?;
        let jobs: Vec<(&Descriptor, &Digest)> = resolved.layers().iter().zip(diff_ids).collect();
        let one =
            |(layer, diff_id): (&Descriptor, &Digest)| fetch_layer(&pull, client, resolved, layer, diff_id, report);
        in_parallel(&jobs, one)?;
        report(PullEvent::Committing);
        let digests = repository_digests(name, resolved);
        // A name by digest alone is no tag: the image is found by that digest.
        let names: Vec<Reference> =
            name.tag.is_some().then(|| Reference { digest: None, ..name.clone() }).into_iter().collect();
        let image = NewImage {
            manifest: &resolved.manifest_bytes,
            config: &config,
            names: &names,
            digests: &digests,
            now: Timestamp::now(),
        };
        pull.commit(&image).map_err(store_error)
    }

    /// Loads the images of an archive or OCI directory.
    pub fn load(&self, path: &Path) -> Result<Vec<LoadedImage>> {
        // As root, while it still may: inside its containers' range this process is a stranger.
        let opened = store::Opened::open(path).map_err(store_error)?;
        let opened = if self.host.rootless() { opened } else { opened.with_members() };
        self.enter_user_namespace()?;
        let loaded = self.store.load_opened(opened, Limits::default(), Timestamp::now()).map_err(store_error)?;
        self.tell_loaded(&loaded, &path.display().to_string());
        Ok(loaded)
    }

    /// Loads the images of an archive that comes as a stream.
    pub fn load_stream(&self, stream: impl Read) -> Result<Vec<LoadedImage>> {
        self.enter_user_namespace()?;
        let loaded = self.store.load_stream(stream, Limits::default(), Timestamp::now()).map_err(store_error)?;
        self.tell_loaded(&loaded, "");
        Ok(loaded)
    }

    fn tell_loaded(&self, loaded: &[LoadedImage], from: &str) {
        loaded.iter().for_each(|one| self.tell_image(Act::LoadFromArchive, &one.image, from));
    }

    /// All images; damaged records are told to `damaged` and passed over.
    pub fn images(&self, damaged: &mut dyn FnMut(Error)) -> Result<Vec<ImageRecord>> {
        let listing = self.store.images().map_err(store_error)?;
        listing.damaged.into_iter().map(store_error).for_each(damaged);
        Ok(listing.items)
    }

    /// One image, by name or ID.
    pub fn image(&self, text: &str) -> Result<ImageRecord> {
        self.store.find_image(text).map_err(store_error)
    }

    /// An image's config.
    pub fn image_config(&self, image: &ImageRecord) -> Result<ImageConfig> {
        self.store.image_config(image).map_err(store_error)
    }

    /// An image's manifest, byte for byte.
    pub fn image_manifest(&self, image: &ImageRecord) -> Result<Vec<u8>> {
        self.store.image_manifest(image).map_err(store_error)
    }

    /// The containers made from an image.
    pub fn image_users(&self, image: &ImageRecord) -> Result<Vec<store::ContainerId>> {
        self.store.image_users(&image.id).map_err(store_error)
    }

    /// Gives an image a further name; one without registry becomes `localhost/…`, as in podman.
    pub fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.before_writing()?;
        let image = self.image(image)?;
        let name = Reference::parse(name).map_err(|e| Error::invalid(e.to_string()))?.with_default_tag();
        if name.digest.is_some() {
            return Err(Error::invalid(format!("tag by digest not supported: {name}")));
        }
        let name = if name.registry.is_none() { name.at("localhost") } else { name };
        self.store.tag_image(&image.id, &name, Timestamp::now()).map_err(store_error)?;
        self.tell_image(Act::Tag, &image, &name.to_string());
        Ok(())
    }

    /// Removes a name, or the image when it was its last one. Containers that use it keep it, unless `removal` says to
    /// remove them as well.
    pub fn remove_image(&self, text: &str, removal: Removal) -> Result<Removed> {
        self.enter_user_namespace()?;
        let removed = self.store.remove_image(text, removal).map_err(store_error)?;
        self.tell_removed(&removed);
        self.store.gc(store::Partials::Keep).map_err(store_error)?;
        Ok(removed)
    }

    pub(crate) fn tell_removed(&self, removed: &Removed) {
        let tell = |status, id: Option<&Digest>, name: String| {
            let event = Event::new(events::Subject::Image, status).named(name);
            self.tell(Event { id: id.map(Digest::hex).unwrap_or_default(), ..event });
        };
        match removed {
            Removed::Untagged(name) => {
                let image = self.store.find_image(&name.to_string()).ok();
                tell(Act::Untag, image.map(|image| image.id).as_ref(), name.to_string());
            }
            Removed::Image { id, names } => {
                names.iter().for_each(|name| tell(Act::Untag, Some(id), name.to_string()));
                tell(Act::Remove, Some(id), names.first().map(ToString::to_string).unwrap_or_default());
            }
        }
    }
}

/// The names under which the digests of this pull are known: the manifest's own, and the index's.
fn repository_digests(name: &Reference, resolved: &Resolved) -> Vec<Reference> {
    let at = |digest: Digest| Reference { tag: None, digest: Some(digest), ..name.clone() };
    let index = resolved.index_digest.filter(|digest| *digest != resolved.manifest_digest);
    index.into_iter().chain([resolved.manifest_digest]).map(at).collect()
}

/// Says when an image is for another platform. An index is asked for the right one, but a manifest alone is what it is.
pub(crate) fn tell_platform(config: &ImageConfig, pull: &Pull, report: &PullReport<'_>) {
    let wanted = pull.platform.clone().unwrap_or_else(Platform::native);
    if let Some(found) = platform_of(config).filter(|found| !found.serves(&wanted)) {
        report(PullEvent::OtherPlatform { found, wanted });
    }
}

fn platform_of(config: &ImageConfig) -> Option<Platform> {
    let variant = config.variant.as_deref().filter(|variant| !variant.is_empty());
    let words = [Some(config.os.as_str()), Some(config.architecture.as_str()), variant];
    Platform::parse(&words.into_iter().flatten().collect::<Vec<_>>().join("/")).ok()
}

/// The first candidate that has the image. The error is the last candidate's.
fn resolve_first(
    client: &Client,
    candidates: &[Reference],
    platform: &Platform,
    report: &PullReport<'_>,
) -> Result<(Reference, Resolved)> {
    let mut last = None;
    for name in candidates {
        report(PullEvent::Trying(name));
        match client.resolve(name, platform) {
            Ok(resolved) => return Ok((name.clone(), resolved)),
            Err(error) => last = Some(registry_error(error).within(format!("initializing source docker://{name}"))),
        }
    }
    Err(last.unwrap_or_else(|| Error::other("no registry to ask")))
}

fn fetch_layer(
    pull: &store::Pull<'_>,
    client: &Client,
    resolved: &Resolved,
    layer: &Descriptor,
    diff_id: &Digest,
    report: &PullReport<'_>,
) -> Result<()> {
    let digest = &layer.digest;
    let circumstance = |error: Error| error.within(format!("layer {digest}"));
    let compression = match MediaType::parse(&layer.media_type) {
        Ok(MediaType::Layer(compression)) => compression,
        _ => return Err(Error::other(format!("unknown media type {:?} of layer {digest}", layer.media_type))),
    };
    let waiting =
        |holder: Option<&Holder>| report(PullEvent::Waiting { digest, holder: holder.map(ToString::to_string) });
    // A partial download that turned out wrong was thrown away; begin once more from nothing.
    match try_layer(pull, client, resolved, (layer, diff_id, compression), Wait::forever().telling(&waiting), report) {
        Err(error) if error.kind == Kind::Corrupt => {
            let again = (layer, diff_id, compression);
            try_layer(pull, client, resolved, again, Wait::forever().telling(&waiting), report).map_err(circumstance)
        }
        other => other.map_err(circumstance),
    }
}

fn try_layer(
    pull: &store::Pull<'_>,
    client: &Client,
    resolved: &Resolved,
    (layer, diff_id, compression): (&Descriptor, &Digest, Compression),
    wait: Wait<'_>,
    report: &PullReport<'_>,
) -> Result<()> {
    let digest = &layer.digest;
    let stream = match pull.layer(layer, diff_id, compression, wait).map_err(store_error)? {
        LayerPull::Present => {
            report(PullEvent::Present(digest));
            return Ok(());
        }
        LayerPull::Stream(stream) => stream,
    };
    report(PullEvent::Layer { digest, size: layer.size });
    let blob = client.blob(&resolved.location, layer, stream.resume_offset()).map_err(registry_error)?;
    stream.run(blob, &|bytes| report(PullEvent::Progress { digest, bytes })).map_err(store_error)?;
    report(PullEvent::Done(digest));
    Ok(())
}

/// Runs the jobs on a few threads; after the first failure no further job begins, and that failure is returned.
fn in_parallel<J: Copy + Sync>(jobs: &[J], work: impl Fn(J) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let failed = || failure.lock().map_or(true, |failure| failure.is_some());
    let worker = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !failed()) {
            if let Err(error) = work(*job) {
                if let Ok(mut failure) = failure.lock() {
                    failure.get_or_insert(error);
                }
            }
        }
    };
    // The threads are gone at the end of the scope: entering namespaces needs a process with one thread.
    std::thread::scope(|scope| {
        for _ in 0..jobs.len().min(PARALLEL) {
            scope.spawn(worker);
        }
    });
    match failure.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err(Error::other("a thread of the pull died")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_platform_is_told_and_the_right_one_is_not() {
        let config = |architecture: &str| ImageConfig {
            architecture: architecture.into(),
            os: "linux".into(),
            ..serde_json::from_str("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}").expect("a config")
        };
        let events = |architecture: &str, platform: Option<&str>| {
            let told = Mutex::new(0);
            let pull = Pull { platform: platform.map(|text| Platform::parse(text).unwrap()), ..Pull::default() };
            tell_platform(&config(architecture), &pull, &|_| *told.lock().unwrap() += 1);
            told.into_inner().unwrap()
        };
        let native = Platform::native().architecture;
        assert_eq!((events(&native, None), events("s390x", None)), (0, 1));
        assert_eq!((events("s390x", Some("linux/s390x")), events(&native, Some("linux/s390x"))), (0, 1));
    }
}
