//! Commands of podman that lodger lacks, with the reason.

const REMOTE: &str = "lodger has no remote client; run it on the other machine through ssh";
const NO_VM: &str = "lodger runs on Linux itself, without a virtual machine";

/// Path and reason; a group stands for all below it.
const TABLE: &[(&str, &str)] = &[
    ("artifact", "only images are kept in the store"),
    ("buildx", "use `podman build` or `buildah` and `lodger load`"),
    ("container checkpoint", "CRIU is not used; a service has to survive a restart anyway"),
    ("container restore", "CRIU is not used; a service has to survive a restart anyway"),
    ("container runlabel", "a command from an image's label would run on the host"),
    ("farm", REMOTE),
    ("image scp", "use `lodger save` and `lodger load` through ssh"),
    ("image sign", "sign with `cosign` or `skopeo`"),
    ("machine", NO_VM),
    ("podmansh", "use `lodger exec` from a login shell"),
    ("system connection", REMOTE),
    ("system migrate", "there is nothing to migrate"),
    ("system renumber", "there are no numbered locks"),
];

/// Why the command at `path` is not there, if podman has it.
pub(crate) fn reason(path: &str) -> Option<&'static str> {
    let begins = |known: &str| path == known || path.strip_prefix(known).is_some_and(|rest| rest.starts_with(' '));
    TABLE.iter().find(|(known, _)| begins(known)).map(|(_, reason)| *reason)
}
