//! One volume as `volume inspect` and `volume ls` show it.

use crate::error::Result;
use crate::format::View;
use crate::format::time::Time;
use engine::Engine;
use engine::volumes::VolumeRecord;
use serde::Serialize;
use std::collections::BTreeMap;

/// A volume.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volume {
    /// Its name.
    pub(crate) name: String,
    /// Always `local`.
    pub(crate) driver: String,
    /// Directory on the host.
    pub(crate) mountpoint: String,
    /// When it was made.
    pub(crate) created_at: Time,
    /// `--label`
    pub(crate) labels: BTreeMap<String, String>,
    /// Always `local`.
    pub(crate) scope: String,
    /// `--opt`
    pub(crate) options: BTreeMap<String, String>,
    /// `--uid`
    #[serde(rename = "UID", skip_serializing_if = "is_zero")]
    pub(crate) uid: u32,
    /// `--gid`
    #[serde(rename = "GID", skip_serializing_if = "is_zero")]
    pub(crate) gid: u32,
    /// Whether it ends with its container.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) anonymous: bool,
    /// How many running containers have it mounted.
    pub(crate) mount_count: u32,
    /// Whether the image's content is copied into it at its first use.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) needs_copy_up: bool,
    /// Whether it gets its owner at its first use.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) needs_chown: bool,
    /// Always 0: there are no numbered locks.
    pub(crate) lock_number: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl View for Volume {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("Name", "VOLUME NAME")];
    const TIMES: &'static [&'static str] = &["CreatedAt"];
}

impl Volume {
    /// As the store has it.
    pub(crate) fn of(record: &VolumeRecord, engine: &Engine) -> Result<Self> {
        let users = engine.volume_users(record)?;
        let mounted = users.iter().filter(|id| engine.container(id.as_str()).is_ok_and(|one| one.running.is_some()));
        Ok(Self {
            name: record.name.clone(),
            driver: record.driver.clone(),
            mountpoint: engine.volume_path(record)?.display().to_string(),
            created_at: Time::local(record.created),
            labels: record.labels.clone(),
            scope: "local".to_owned(),
            options: record.options.clone(),
            uid: record.uid,
            gid: record.gid,
            anonymous: record.anonymous,
            mount_count: u32::try_from(mounted.count()).unwrap_or(u32::MAX),
            needs_copy_up: record.needs_copy_up,
            needs_chown: record.needs_chown,
            lock_number: 0,
        })
    }
}
