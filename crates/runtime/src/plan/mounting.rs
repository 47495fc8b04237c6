//! How far a bind mount reaches, and who sees what is mounted below it later.

/// Reach of a bind mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// `bind`
    Single,
    /// `rbind`
    Recursive,
}

/// See mount_namespaces(7). `R…` = with all mounts below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Propagation {
    Private,
    RPrivate,
    Slave,
    RSlave,
    Shared,
    RShared,
    Unbindable,
    RUnbindable,
}
