//! How images are related: the steps one was made by, the layers it shares, what nobody needs any more.

use crate::error::{Error, Kind, Result};
use crate::events::{Act, Event, Subject};
use crate::{Engine, store_error};
use spec::oci::History;
use spec::{Digest, Reference};
use std::collections::BTreeMap;
use store::{ImageRecord, Removal, Removed};

/// One step of an image's making, the latest first.
#[derive(Debug, Clone)]
pub struct Step {
    /// The image that stands at this step, where the store has it.
    pub image: Option<ImageRecord>,
    /// What was done.
    pub history: History,
    /// Bytes of the layer's tar; 0 for a step without a layer.
    pub size: u64,
}

/// A layer and what stands on it.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Stands for it and all below it, as in podman.
    pub id: Digest,
    /// Bytes of its tar.
    pub size: u64,
    /// Names of the images that end here.
    pub top_of: Vec<Reference>,
    /// Layers directly above it in other images.
    pub above: Vec<Layer>,
}

impl Engine {
    /// The steps an image was made by, latest first.
    pub fn image_history(&self, image: &ImageRecord) -> Result<Vec<Step>> {
        let config = self.image_config(image)?;
        let all = self.images(&mut |_| ())?;
        let mut history = config.history;
        if history.iter().filter(|step| !step.empty_layer).count() != image.layers.len() {
            // It says nothing, or what cannot be: then a step for each layer.
            history = image.layers.iter().map(|_| History::default()).collect();
            if let Some(last) = history.last_mut() {
                last.created = config.created;
            }
        }
        let mut steps = Vec::with_capacity(history.len());
        let mut layers = 0;
        for (number, step) in history.iter().enumerate() {
            layers += usize::from(!step.empty_layer);
            let size = match (step.empty_layer, image.layers.get(layers.saturating_sub(1))) {
                (false, Some(layer)) => self.store.layer_tar_size(layer).map_err(store_error)?,
                _ => 0,
            };
            let at = match number + 1 == history.len() {
                true => Some(image.clone()),
                false => self.image_of(&all, &history[..=number], &image.layers[..layers]),
            };
            steps.push(Step { image: at, history: step.clone(), size });
        }
        steps.reverse();
        Ok(steps)
    }

    /// An image with exactly these steps and layers.
    fn image_of(&self, all: &[ImageRecord], history: &[History], layers: &[Digest]) -> Option<ImageRecord> {
        let same = |image: &&ImageRecord| {
            image.layers == layers && self.image_config(image).is_ok_and(|config| config.history == history)
        };
        all.iter().find(same).cloned()
    }

    /// The layers of an image, lowest first, and whose top each is.
    pub fn image_layers(&self, image: &ImageRecord) -> Result<Vec<Layer>> {
        let all = self.images(&mut |_| ())?;
        let mut layers = Vec::with_capacity(image.layers.len());
        for count in 1..=image.layers.len() {
            layers.push(self.layer_at(&all, &image.layers[..count])?);
        }
        Ok(layers)
    }

    /// An image's top layer and all that stands on it; nothing for an image without layers.
    pub fn image_descendants(&self, image: &ImageRecord) -> Result<Option<Layer>> {
        let all = self.images(&mut |_| ())?;
        match image.layers.is_empty() {
            true => Ok(None),
            false => self.grown(&all, &image.layers).map(Some),
        }
    }

    fn grown(&self, all: &[ImageRecord], below: &[Digest]) -> Result<Layer> {
        let mut layer = self.layer_at(all, below)?;
        let mut next: Vec<Digest> = Vec::new();
        for image in all.iter().filter(|image| image.layers.len() > below.len() && image.layers.starts_with(below)) {
            let above = image.layers[below.len()];
            if !next.contains(&above) {
                next.push(above);
            }
        }
        for above in next {
            let stack: Vec<Digest> = below.iter().copied().chain([above]).collect();
            layer.above.push(self.grown(all, &stack)?);
        }
        Ok(layer)
    }

    fn layer_at(&self, all: &[ImageRecord], stack: &[Digest]) -> Result<Layer> {
        let ending = all.iter().filter(|image| image.layers == stack);
        let size = match stack.last() {
            Some(top) => self.store.layer_tar_size(top).map_err(store_error)?,
            None => 0,
        };
        Ok(Layer {
            id: store::stack_id(stack),
            size,
            top_of: ending.flat_map(|image| image.names.clone()).collect(),
            above: Vec::new(),
        })
    }

    /// Takes names from an image, or all of its names where none is given. The image stays.
    pub fn untag(&self, text: &str, names: &[String]) -> Result<()> {
        self.before_writing()?;
        let image = self.image(text)?;
        let mut taken = Vec::new();
        for name in names {
            let full = Reference::parse(name).map_err(|e| Error::invalid(e.to_string()))?;
            if full.digest.is_some() {
                return Err(Error::invalid(format!("untag by digest not supported: {name}")));
            }
            let full = full.with_default_tag();
            let local = if full.registry.is_none() { full.at("localhost") } else { full };
            let found = super::save::name_found_by(name, &image);
            taken.push(found.ok_or_else(|| Error::new(Kind::NoSuchTag(local.to_string())))?);
        }
        let all = if names.is_empty() { image.names } else { taken };
        all.iter().try_for_each(|name| {
            self.store.untag_image(&name.to_string()).map_err(store_error)?;
            self.tell(Event { id: image.id.hex(), ..Event::new(Subject::Image, Act::Untag) }.named(name.to_string()));
            Ok(())
        })
    }

    /// Removes images that no container uses, of those that `wanted` likes; what `removed` is told is gone already.
    pub fn prune_images(
        &self,
        wanted: &dyn Fn(&ImageRecord) -> Result<bool>,
        removed: &mut dyn FnMut(&Digest),
    ) -> Result<u64> {
        self.enter_user_namespace()?;
        let mut used: BTreeMap<Digest, ()> = BTreeMap::new();
        for container in self.store.container_summaries().map_err(store_error)?.items {
            used.extend(container.image.map(|image| (image.id, ())));
        }
        let mut candidates = Vec::new();
        for image in self.images(&mut |_| ())? {
            if !used.contains_key(&image.id) && wanted(&image)? {
                candidates.push(image);
            }
        }
        for image in candidates {
            match self.store.remove_image(&image.id.hex(), Removal::AllNames) {
                Ok(went) => {
                    self.tell_removed(&went);
                    if let Removed::Image { id, .. } = went {
                        removed(&id);
                    }
                }
                // Somebody was quicker, or has made a container of it meanwhile.
                Err(error) if error.is_not_found() || matches!(error.kind, store::Kind::InUse { .. }) => {}
                Err(error) => return Err(store_error(error)),
            }
        }
        let collected = self.store.gc(store::Partials::Keep).map_err(store_error)?;
        Ok(collected.bytes)
    }
}
