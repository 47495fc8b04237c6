//! Manifests and configs: small, immutable, found by digest.

use crate::error::{Error, Kind, Result, What};
use crate::layout;
use crate::store::Store;
use sha2::{Digest as _, Sha256};
use spec::Digest;

/// The digest of some bytes.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

impl Store {
    /// Reads a manifest or config, and checks that it is what its digest says.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let op = "read blob";
        let bytes = self
            .read_small(&layout::blob(digest))?
            .ok_or_else(|| Error::not_found(op, What::Blob, digest.to_string()))?;
        let actual = digest_of(&bytes);
        if actual != *digest {
            return Err(Error::new(op, digest.to_string(), Kind::DigestMismatch { expected: *digest, actual }));
        }
        Ok(bytes)
    }
}
