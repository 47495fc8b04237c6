//! Commands of podman that lodger lacks, with the reason.
//!
//! A command that gets its function moves to a file of its own; a test holds that none is in both places.

const REMOTE: &str = "lodger has no remote client; run it on the other machine through ssh";
const NOT_YET: &str = "it is not there yet";
const NO_VM: &str = "lodger runs on Linux itself, without a virtual machine";

/// Path and reason; a group stands for all below it.
const TABLE: &[(&str, &str)] = &[
    ("artifact", "only images are kept in the store"),
    ("auto-update", NOT_YET),
    ("build", "it is not there yet; `podman build` or `buildah`, then `podman save` and `lodger load`"),
    ("buildx", "use `podman build` or `buildah` and `lodger load`"),
    ("compose", NOT_YET),
    ("container checkpoint", "CRIU is not used; a service has to survive a restart anyway"),
    ("container restore", "CRIU is not used; a service has to survive a restart anyway"),
    (
        "container runlabel",
        "commands that an image's labels hold are not run yet: they would run on the host, as its user",
    ),
    ("farm", REMOTE),
    ("generate", NOT_YET),
    ("image build", NOT_YET),
    ("image scp", "use `lodger save` and `lodger load` through ssh"),
    ("image sign", "sign with `cosign` or `skopeo`"),
    ("image trust", "policy.json is not read: what a registry serves is taken, checked by digest"),
    ("kube", NOT_YET),
    ("machine", NO_VM),
    (
        "manifest",
        "an index of several images is not kept; `buildah manifest` or `podman manifest` makes one in a registry",
    ),
    ("network", "named networks are not there yet; --network=container:NAME lets containers share one"),
    ("play", NOT_YET),
    ("pod", "pods are not there yet; --network=container:NAME lets containers share one network"),
    ("podmansh", "use `lodger exec` from a login shell"),
    ("quadlet", NOT_YET),
    ("system connection", REMOTE),
    ("system service", "there is no API server yet"),
];

/// Why the command at `path` is not there, if podman has it.
pub(crate) fn reason(path: &str) -> Option<&'static str> {
    let begins = |known: &str| path == known || path.strip_prefix(known).is_some_and(|rest| rest.starts_with(' '));
    TABLE.iter().find(|(known, _)| begins(known)).map(|(_, reason)| *reason)
}
