//! One place where an image can be had: a repository of one registry or mirror, and how that is spoken to.

use spec::Reference;
use spec::oci::Descriptor;
use std::fmt;

/// A repository at a registry or mirror. Made by [`Client::resolve`](crate::Client::resolve); passed back to fetch.
///
/// Prints as `registry.example:5000/team/web`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// Always with a registry; the tag and digest are those that were asked for.
    pub(crate) reference: Reference,
    pub(crate) role: Role,
    pub(crate) security: Security,
    pub(crate) access: Access,
}

/// What is to be done at a location; a registry's token says the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) enum Access {
    /// Read.
    #[default]
    Pull,
    /// Read and write; read from these other repositories as well, whose blobs may be there already.
    Push { from: Vec<String> },
}

/// What a location is to the image's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The registry itself, perhaps under another name by `location =`.
    Primary,
    /// One of its mirrors.
    Mirror,
}

/// What is demanded of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// https with a certificate that verifies.
    Verified,
    /// https with any certificate; plain http where https does not answer.
    Insecure,
}

impl Location {
    /// Where a blob is asked for.
    pub(crate) fn blob_path(&self, descriptor: &Descriptor) -> String {
        format!("/v2/{}/blobs/{}", self.repository(), descriptor.digest)
    }

    /// The registry as such, no repository of it.
    pub(crate) fn whole_registry(registry: &str, security: Security) -> Self {
        let reference =
            Reference { registry: Some(registry.to_owned()), repository: String::new(), tag: None, digest: None };
        Self { reference, role: Role::Primary, security, access: Access::Pull }
    }

    /// Host and optional port as configured, `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        self.reference.registry.as_deref().unwrap_or_default()
    }

    /// `team/web`
    pub fn repository(&self) -> &str {
        &self.reference.repository
    }

    /// Registry or mirror.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the connection is verified.
    pub fn security(&self) -> Security {
        self.security
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reference.name().trim_end_matches('/'))
    }
}
