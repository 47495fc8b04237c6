//! A layer as one blob: plain, or compressed into a file without a name.

use super::{Family, OP, descriptor, layer_type};
use crate::error::{Error, Kind, Result, What};
use crate::load::nameless_file;
use crate::store::Store;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::Descriptor;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

/// Faster than what podman takes by default, and nearly as small.
const LEVEL: u32 = 4;

/// How layers are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerForm {
    /// As tar; the digest is the diff ID.
    Plain,
    /// gzip.
    Gzip,
}

/// A layer compressed for the way.
#[derive(Debug)]
pub struct LayerBlob {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// At its start; ends with the value.
    pub file: File,
}

impl Store {
    /// Bytes of a layer's tar.
    pub fn layer_tar_size(&self, diff_id: &Digest) -> Result<u64> {
        let record = self.layer_record(diff_id)?;
        let gone = || Error::new(OP, diff_id.to_string(), Kind::NotFound(What::Layer));
        Ok(record.ok_or_else(gone)?.tar_size)
    }

    /// The descriptor of a layer as plain tar.
    pub fn plain_layer(&self, diff_id: &Digest, family: Family) -> Result<Descriptor> {
        let media_type = layer_type(family, spec::oci::Compression::None);
        Ok(descriptor(&media_type, *diff_id, self.layer_tar_size(diff_id)?))
    }

    /// Compresses a layer; the same tar always gives the same blob. Must run where the files' owners are mapped.
    pub fn layer_blob(&self, diff_id: &Digest, family: Family) -> Result<LayerBlob> {
        let fail = |error: io::Error| Error::new(OP, diff_id.to_string(), Kind::from_io(error));
        let file = nameless_file(self)?;
        let counted = Counted { file, hash: Sha256::new(), size: 0 };
        let mut packed = GzEncoder::new(BufWriter::with_capacity(128 << 10, counted), Compression::new(LEVEL));
        self.write_layer(diff_id, &mut packed)?;
        let counted = packed.finish().and_then(|out| out.into_inner().map_err(|error| error.into_error()));
        let Counted { mut file, hash, size } = counted.map_err(fail)?;
        file.rewind().map_err(fail)?;
        let media_type = layer_type(family, spec::oci::Compression::Gzip);
        let digest = Digest::from_bytes(hash.finalize().into());
        Ok(LayerBlob { descriptor: descriptor(&media_type, digest, size), file })
    }
}

/// A file whose bytes are hashed and counted on their way.
struct Counted {
    file: File,
    hash: Sha256,
    size: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
