//! A layer of which nothing is known yet: its tar is kept in a file without a name until its digest is.

use crate::error::{Error, Kind, Result};
use crate::image::ImageRecord;
use crate::load::{decompressed, nameless_file};
use crate::pull::{LayerPull, Limits};
use crate::save::Family;
use crate::store::Store;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use spec::oci::Compression;
use spec::{Digest, Reference};
use std::fs::File;
use std::io::{self, Read, Seek, Write};

const OP: &str = "import layer";
/// Bytes copied at a time.
const CHUNK: usize = 128 << 10;

/// A tar whose digest is known by now.
#[derive(Debug)]
pub struct SpooledLayer {
    file: File,
    diff_id: Digest,
    size: u64,
}

impl SpooledLayer {
    /// Of the plain tar.
    pub fn diff_id(&self) -> Digest {
        self.diff_id
    }
}

impl Store {
    /// Takes in a tar, plain or compressed, without unpacking it.
    pub fn spool_layer(&self, tar: impl Read, limits: Limits) -> Result<SpooledLayer> {
        let fail = |kind| Error::new(OP, "tar", kind);
        let mut file = nameless_file(self)?;
        let mut tar = decompressed(tar).map_err(|error| fail(Kind::Source(error)))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        let mut size = 0u64;
        loop {
            let count = match tar.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fail(Kind::Source(error))),
            };
            size += count as u64;
            if size > limits.layer_size {
                return Err(fail(Kind::TooLarge { limit: limits.layer_size }));
            }
            hash.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(|error| fail(Kind::from_io(error)))?;
        }
        if size == 0 {
            return Err(fail(Kind::BadArchive("it is empty".to_owned())));
        }
        file.rewind().map_err(|error| fail(Kind::from_io(error)))?;
        Ok(SpooledLayer { file, diff_id: Digest::from_bytes(hash.finalize().into()), size })
    }

    /// Makes an image of this one layer; `config` names it. Must run where the files' owners are mapped.
    pub fn commit_spooled(
        &self,
        layer: SpooledLayer,
        config: &[u8],
        names: &[Reference],
        limits: Limits,
        now: Timestamp,
    ) -> Result<ImageRecord> {
        let pull = self.begin_pull(limits)?;
        match pull.local_layer(layer.size, &layer.diff_id, Compression::None)? {
            LayerPull::Present => {}
            LayerPull::Stream(stream) => stream.run(layer.file, &|_| ())?,
        }
        pull.commit_made(config, &[layer.diff_id], names, Family::Oci, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::digest_of;
    use crate::tar::testing::Archive;
    use crate::testing::{Scratch, as_root, gzip};

    #[test]
    fn a_tar_becomes_an_image_whatever_wraps_it() {
        as_root("spool::tests::a_tar_becomes_an_image_whatever_wraps_it", || {
            let scratch = Scratch::new();
            let store = Store::open(&scratch.path().join("store")).unwrap();
            let tar = Archive::default().file("etc/motd", b"hello").end();
            let name = Reference::parse("localhost/x:1").unwrap();
            for bytes in [tar.clone(), gzip(&tar)] {
                let layer = store.spool_layer(&bytes[..], Limits::default()).unwrap();
                assert_eq!(layer.diff_id(), digest_of(&tar));
                let config = serde_json::json!({"rootfs": {"type": "layers", "diff_ids": [layer.diff_id()]}});
                let config = config.to_string().into_bytes();
                let names = std::slice::from_ref(&name);
                let image =
                    store.commit_spooled(layer, &config, names, Limits::default(), Timestamp::UNIX_EPOCH).unwrap();
                assert_eq!((image.layers, image.names), (vec![digest_of(&tar)], vec![name.clone()]));
            }
            assert!(store.spool_layer(&b""[..], Limits::default()).is_err());
            let limits = Limits { layer_size: 100 };
            assert!(matches!(store.spool_layer(&tar[..], limits).unwrap_err().kind, Kind::TooLarge { .. }));
        });
    }
}
