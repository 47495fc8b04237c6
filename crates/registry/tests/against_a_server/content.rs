//! A correct registry's content, for servers to answer from and for tests to compare with.

use crate::server::{Reply, Seen};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::Descriptor;
use std::collections::BTreeMap;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

pub fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

pub fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest(bytes),
        size: bytes.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
    }
}

/// Bytes that differ everywhere, so that a splice shows.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..size.div_ceil(8)).flat_map(|_| next()).take(size).collect()
}

/// One repository, `team/web`.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// By tag and by digest.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Content {
    pub fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let descriptor = descriptor(media_type, &bytes);
        self.blobs.insert(descriptor.digest.to_string(), bytes);
        descriptor
    }

    /// Adds any document under its digest, and a tag if one is given.
    pub fn document(&mut self, media_type: &str, bytes: Vec<u8>, tag: Option<&str>) -> Descriptor {
        let descriptor = descriptor(media_type, &bytes);
        for name in tag.map(str::to_owned).into_iter().chain([descriptor.digest.to_string()]) {
            self.manifests.insert(name, (media_type.to_owned(), bytes.clone()));
        }
        descriptor
    }

    /// An image of one layer whose config names `word`.
    pub fn image(&mut self, word: &str, layer: Vec<u8>) -> Descriptor {
        let config = self.blob(CONFIG, json!({"architecture": word, "rootfs": {}}).to_string().into_bytes());
        let layer = self.blob(LAYER, layer);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        self.document(MANIFEST, manifest.to_string().into_bytes(), None)
    }

    /// An index of entries with platforms such as `linux/arm/v7`; an empty platform is none.
    pub fn index(&mut self, entries: &[(&str, &Descriptor)], tag: Option<&str>) -> Descriptor {
        let entry = |(platform, descriptor): &(&str, &Descriptor)| {
            let mut value = serde_json::to_value(descriptor).unwrap();
            let parts: Vec<&str> = platform.split('/').collect();
            if let [os, architecture, variant @ ..] = &parts[..] {
                value["platform"] = json!({"os": os, "architecture": architecture, "variant": variant.first()});
            }
            value
        };
        let manifests: Vec<Value> = entries.iter().map(entry).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.document(INDEX, index.to_string().into_bytes(), tag)
    }

    /// What a registry that does everything right answers.
    pub fn answer(&self, seen: &Seen) -> Reply {
        let path = seen.path.split('?').next().unwrap();
        if path == "/v2/" {
            return Reply::new(200, "{}");
        }
        if let Some(name) = path.strip_prefix("/v2/team/web/manifests/") {
            if let Some((media_type, bytes)) = self.manifests.get(name) {
                return Reply::new(200, bytes.clone()).with("Content-Type", media_type);
            }
            return Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#);
        }
        match path.strip_prefix("/v2/team/web/blobs/").and_then(|name| self.blobs.get(name)) {
            Some(bytes) => part(bytes, seen.range()),
            None => Reply::new(404, r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#),
        }
    }
}

/// The bytes from a position on, as a server that understands ranges sends them.
pub fn part(bytes: &[u8], from: Option<usize>) -> Reply {
    match from {
        None => Reply::new(200, bytes),
        Some(from) if from >= bytes.len() => {
            Reply::new(416, "").with("Content-Range", format!("bytes */{}", bytes.len()))
        }
        Some(from) => Reply::new(206, &bytes[from..])
            .with("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())),
    }
}
