//! `import`: a tar of a root file system becomes an image of one layer.

use super::change;
use crate::config::{self, RegistryOptions};
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::images::registry_error;
use crate::{Engine, store_error};
use jiff::Timestamp;
use registry::Client;
use spec::oci::{ContainerDefaults, History, ImageConfig, RootFs};
use spec::pull::Pull;
use spec::{Platform, Reference};
use std::fs::File;
use std::io::Read;
use store::{ImageRecord, Limits};

/// What `import` is told.
#[derive(Debug, Clone, Default)]
pub struct NewImport {
    /// The image's name.
    pub name: Option<String>,
    /// `--change`, in order.
    pub changes: Vec<String>,
    /// `--message`
    pub message: Option<String>,
    /// `--os`, `--arch` and `--variant`; absent = this machine's.
    pub platform: Option<Platform>,
}

/// Where the tar comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSource<'a> {
    /// A file.
    File(&'a std::path::Path),
    /// Standard input.
    Stdin,
    /// An http or https address.
    Url(&'a str),
}

impl Engine {
    /// Imports a tar, plain or compressed with gzip or zstd.
    pub fn import(&self, source: ImportSource<'_>, new: &NewImport) -> Result<ImageRecord> {
        let mut defaults = ContainerDefaults::default();
        new.changes.iter().try_for_each(|text| change::apply(&mut defaults, text))?;
        let name = new.name.as_deref().map(new_name).transpose()?;
        // Opened before this process enters its containers' range, where root is a stranger.
        let tar: Box<dyn Read> = match source {
            ImportSource::File(path) => {
                Box::new(File::open(path).map_err(|e| Error::io(format!("error opening {path:?}"), e))?)
            }
            ImportSource::Stdin => Box::new(std::io::stdin()),
            ImportSource::Url(url) => {
                let config = config::registry(&self.host, &Pull::default(), &RegistryOptions::default())?;
                Box::new(Client::new(config).fetch_file(url).map_err(registry_error)?)
            }
        };
        self.enter_user_namespace()?;
        let layer = self.store.spool_layer(tar, Limits::default()).map_err(store_error)?;
        let now = Timestamp::now();
        let platform = new.platform.clone().unwrap_or_else(Platform::native);
        let config = ImageConfig {
            created: Some(now.to_string()),
            architecture: platform.architecture,
            os: platform.os,
            variant: platform.variant,
            config: defaults,
            rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![layer.diff_id()] },
            history: vec![History {
                created: Some(now.to_string()),
                created_by: Some(format!("/bin/sh -c #(nop) ADD file:{} in /", layer.diff_id().hex())),
                comment: new.message.clone(),
                ..History::default()
            }],
            ..ImageConfig::default()
        };
        let config = serde_json::to_vec(&config).map_err(|e| Error::caused(Kind::Other, e))?;
        let names: Vec<Reference> = name.into_iter().collect();
        let image = self.store.commit_spooled(layer, &config, &names, Limits::default(), now).map_err(store_error)?;
        self.tell_image(Act::Import, &image, &names.first().map(ToString::to_string).unwrap_or_default());
        Ok(image)
    }
}

/// The name of a new image: one without registry becomes `localhost/…`.
pub(crate) fn new_name(text: &str) -> Result<Reference> {
    let name = Reference::parse(text).map_err(|e| Error::invalid(e.to_string()))?;
    if name.digest.is_some() {
        return Err(Error::invalid(format!("an image is named by tag, not by digest: {text}")));
    }
    let name = name.with_default_tag();
    Ok(if name.registry.is_none() { name.at("localhost") } else { name })
}
