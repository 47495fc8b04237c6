//! Rows of `system df`. Field names are podman's.

use crate::format::size::decimal_four;
use crate::format::{View, time};
use crate::view::images::created;
use engine::system::Usage;
use jiff::Timestamp;
use serde::Serialize;

/// All of a kind together.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Total {
    #[serde(rename = "Type")]
    pub(crate) kind: &'static str,
    pub(crate) total: usize,
    pub(crate) active: usize,
    pub(crate) raw_size: u64,
    pub(crate) raw_reclaimable: u64,
    pub(crate) total_count: usize,
    pub(crate) size: String,
    pub(crate) reclaimable: String,
}

impl Total {
    /// Images, containers and volumes.
    pub(crate) fn all(usage: &Usage) -> Vec<Self> {
        let used = usage.images.iter().filter(|one| one.containers > 0).count();
        let running = usage.containers.iter().filter(|(one, _)| one.running.is_some()).count();
        let size: u64 = usage.containers.iter().map(|(_, size)| size).sum();
        let ended: u64 = usage.containers.iter().filter(|(one, _)| one.running.is_none()).map(|(_, size)| size).sum();
        let linked = usage.volumes.iter().filter(|(_, links, _)| *links > 0).count();
        let data: u64 = usage.volumes.iter().map(|(.., size)| size).sum();
        let unlinked: u64 = usage.volumes.iter().filter(|(_, links, _)| *links == 0).map(|(.., size)| size).sum();
        vec![
            Self::of("Images", usage.images.len(), used, (usage.layers, usage.unused_layers)),
            Self::of("Containers", usage.containers.len(), running, (size, ended)),
            Self::of("Local Volumes", usage.volumes.len(), linked, (data, unlinked)),
        ]
    }

    fn of(kind: &'static str, total: usize, active: usize, (size, reclaimable): (u64, u64)) -> Self {
        let percent = if size == 0 { 0.0 } else { reclaimable as f64 * 100.0 / size as f64 };
        Self {
            kind,
            total,
            active,
            raw_size: size,
            raw_reclaimable: reclaimable,
            total_count: total,
            size: decimal_four(size),
            reclaimable: format!("{} ({percent:.0}%)", decimal_four(reclaimable)),
        }
    }
}

impl View for Total {}

/// An image under one of its names.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageRow {
    pub(crate) repository: String,
    pub(crate) tag: String,
    #[serde(rename = "ImageID")]
    pub(crate) image_id: String,
    pub(crate) created: String,
    pub(crate) size: String,
    pub(crate) shared_size: String,
    pub(crate) unique_size: String,
    pub(crate) containers: usize,
}

impl View for ImageRow {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("ImageID", "IMAGE ID")];
}

/// A container.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerRow {
    #[serde(rename = "ContainerID")]
    pub(crate) container_id: String,
    pub(crate) image: String,
    pub(crate) command: String,
    pub(crate) local_volumes: usize,
    pub(crate) size: String,
    pub(crate) created: String,
    pub(crate) status: String,
    pub(crate) names: String,
}

impl View for ContainerRow {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("ContainerID", "CONTAINER ID")];
}

/// A volume.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VolumeRow {
    pub(crate) volume_name: String,
    pub(crate) links: usize,
    pub(crate) size: String,
}

impl View for VolumeRow {}

/// Everything one by one.
pub(crate) struct Detail {
    /// Each name of each image.
    pub(crate) images: Vec<ImageRow>,
    /// Each container.
    pub(crate) containers: Vec<ContainerRow>,
    /// Each volume.
    pub(crate) volumes: Vec<VolumeRow>,
}

impl Detail {
    /// From what was measured.
    pub(crate) fn of(usage: &Usage) -> Self {
        let now = Timestamp::now();
        let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
        let images = usage.images.iter().flat_map(|one| {
            let row = |repository: String, tag: String| ImageRow {
                repository,
                tag,
                image_id: short(&one.image.id.hex()),
                created: time::since(created(&one.image).as_second(), now),
                size: decimal_four(one.shared + one.unique),
                shared_size: decimal_four(one.shared),
                unique_size: decimal_four(one.unique),
                containers: one.containers,
            };
            let none = || super::images::NONE.to_owned();
            match one.image.names.is_empty() {
                true => vec![row(none(), none())],
                false => {
                    one.image.names.iter().map(|name| row(name.name(), name.tag.clone().unwrap_or_else(none))).collect()
                }
            }
        });
        let containers = usage.containers.iter().map(|(one, size)| ContainerRow {
            container_id: short(one.record.id.as_str()),
            image: one.record.image.as_ref().map(|image| short(&image.id.hex())).unwrap_or_default(),
            command: one.record.spec.process.command.join(" "),
            local_volumes: one.record.volumes.len(),
            size: decimal_four(*size),
            created: time::since(one.record.created.as_second(), now),
            status: one.status().word().to_owned(),
            names: one.record.name.clone(),
        });
        let volumes = usage.volumes.iter().map(|(one, links, size)| VolumeRow {
            volume_name: one.name.clone(),
            links: *links,
            size: decimal_four(*size),
        });
        Self { images: images.collect(), containers: containers.collect(), volumes: volumes.collect() }
    }
}
