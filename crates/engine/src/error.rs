//! What went wrong, as data: the command line turns a kind into podman's words, an exit code and a hint.

use std::fmt;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with what was attempted, on what, and why it failed.
#[derive(Debug)]
pub struct Error {
    /// What class of failure it is; decides wording, exit code and hint.
    pub kind: Kind,
    /// Further circumstances, outermost first: `create container "web"`.
    context: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Classes of failure that a caller tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// No container of this name or ID.
    NoSuchContainer(String),
    /// No such image in the store (and pulling was not asked for or failed).
    NoSuchImage(String),
    /// An image does not bear this name.
    NoSuchTag(String),
    /// A file that `save` would have to change.
    ArchiveExists(String),
    /// A short name that could mean several images, where registries.conf wants certainty.
    ShortName {
        /// As asked.
        name: String,
        /// Full names that it may mean.
        candidates: Vec<String>,
    },
    /// No volume of this name.
    NoSuchVolume(String),
    /// No secret of this name or ID.
    NoSuchSecret(String),
    /// The name belongs to another container.
    NameInUse {
        /// The name.
        name: String,
        /// The other container.
        id: String,
    },
    /// The volume exists.
    VolumeExists(String),
    /// A secret has the name.
    SecretExists(String),
    /// Two objects begin with this text.
    Ambiguous(String),
    /// Other containers live in its namespaces.
    HasDependents {
        /// The container.
        id: String,
        /// Theirs.
        dependents: Vec<String>,
    },
    /// The object is used by these containers.
    InUse {
        /// An image or volume.
        what: String,
        /// IDs of containers.
        by: Vec<String>,
    },
    /// The container is in a state that does not allow it.
    State {
        /// Name or ID as asked.
        container: String,
        /// `running`, `exited`, …
        state: String,
        /// What was wanted: `stop`, `exec`, …
        wanted: String,
    },
    /// A flag, value or combination that cannot be.
    Invalid(String),
    /// Known to podman, and not to lodger (here); with the reason.
    Unsupported(String),
    /// The command inside does not exist (exit code 127).
    CommandNotFound(String),
    /// The command inside cannot be run (exit code 126).
    CommandNotInvocable(String),
    /// The working directory is missing in the container, or is none.
    WorkdirMissing(String),
    /// A program that lodger needs is missing: its name, and the Debian package it comes in.
    MissingProgram {
        /// `newuidmap`
        program: String,
        /// `uidmap`
        package: &'static str,
    },
    /// The user has no subordinate ids.
    NoSubordinateIds(String),
    /// `newuidmap` or `newgidmap` is there, without the rights it needs.
    MapperUnprivileged(String),
    /// The range in `/etc/subuid` or `/etc/subgid` was refused.
    RangeRefused,
    /// A container asks for more ids than there are, or than others have left; which and how many.
    TooFewIds(String),
    /// A container asks for ids of the host that its user may not give; which.
    NotDelegatedIds(String),
    /// The kernel or administrator refuses user namespaces.
    UserNamespacesDisabled,
    /// A published port is taken.
    PortInUse(String),
    /// A published port below the limit for users.
    PrivilegedPort(u16),
    /// The container's network needs `/dev/net/tun`, which this user cannot open.
    NoTunDevice,
    /// The host has no route that the container's network could take.
    NoUplink,
    /// A limit needs a controller that is not delegated to this user.
    MissingController {
        /// `memory`
        controller: String,
        /// `--memory`
        flag: &'static str,
        /// Whether the unified hierarchy is missing altogether.
        legacy: bool,
    },
    /// The container's terminal is somebody else's.
    NotAttachable,
    /// The container's control group belongs to somebody else.
    NotDelegated,
    /// No space, or quota used up.
    NoSpace,
    /// The file system of the store is mounted read-only.
    ReadOnly,
    /// The registry refused the credentials, or wants some.
    Unauthorized(String),
    /// The registry does not take this login.
    WrongLogin(String),
    /// The registry answers plain http where https is wanted.
    PlainHttp(String),
    /// The registry has no such image, or does not tell those who are not logged in.
    NotInRegistry,
    /// The registry knows who asks and does not allow it.
    Denied(String),
    /// The registry wants a pause.
    RateLimited(String),
    /// The certificate of the registry is not acceptable.
    Untrusted(String),
    /// The registry does not answer.
    Unreachable,
    /// registries.conf forbids the registry.
    Blocked,
    /// The image is not there for the platform.
    NoPlatform,
    /// Something on disk, or fetched, is damaged.
    Corrupt,
    /// An archive or layer that is refused: it would reach outside, or is malformed.
    BadArchive,
    /// A lock is held by another process.
    Locked(String),
    /// No systemd manager where one is needed.
    NoSystemd,
    /// The program manages control groups, and there is none that it may write.
    NoOwnGroup,
    /// The service failed to start; its last words.
    StartFailed,
    /// Events are not kept (`--events-backend=none`).
    NoEvents,
    /// Anything else: the chain says it all.
    Other,
}

impl Error {
    /// An error of this kind without further cause.
    pub fn new(kind: Kind) -> Self {
        Self { kind, context: Vec::new(), source: None }
    }

    /// An unclassified error: a lower-case sentence that names the object.
    pub fn other(text: impl Into<String>) -> Self {
        Self { kind: Kind::Other, context: vec![text.into()], source: None }
    }

    /// A contradiction in what was asked.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Kind::Invalid(text.into()))
    }

    /// An error of this kind with its cause.
    pub fn caused(kind: Kind, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { kind, context: Vec::new(), source: Some(Box::new(source)) }
    }

    /// An I/O error on a named thing: `open "/x"`.
    pub fn io(operation: impl Into<String>, source: std::io::Error) -> Self {
        let kind = match source.raw_os_error() {
            Some(code)
                if code == rustix::io::Errno::NOSPC.raw_os_error()
                    || code == rustix::io::Errno::DQUOT.raw_os_error() =>
            {
                Kind::NoSpace
            }
            _ => Kind::Other,
        };
        Self { kind, context: vec![operation.into()], source: Some(Box::new(source)) }
    }

    /// The same error inside a further circumstance.
    #[must_use]
    pub fn within(mut self, circumstance: impl Into<String>) -> Self {
        self.context.insert(0, circumstance.into());
        self
    }
}

impl Error {
    /// The error with all its causes in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.kind.sentence();
        let mut parts: Vec<&str> = self.context.iter().map(String::as_str).collect();
        parts.extend(own.as_deref());
        if parts.is_empty() {
            return match &self.source {
                Some(source) => fmt::Display::fmt(source, f),
                None => write!(f, "{:?}", self.kind),
            };
        }
        f.write_str(&parts.join(": "))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.source.as_deref()?;
        // Without words of its own, Display already shows the source.
        if self.context.is_empty() && self.kind.sentence().is_none() { source.source() } else { Some(source) }
    }
}

impl Kind {
    /// What `inspect` shows as the exit code of a container that could not be started.
    pub(crate) fn container_exit_code(&self) -> i32 {
        match self {
            Self::CommandNotFound(_) => 127,
            Self::CommandNotInvocable(_) => 126,
            _ => 125,
        }
    }

    /// The kind behind words that another process wrote down; of those kinds whose hint helps a start along.
    pub(crate) fn of_words(text: &str) -> Option<Self> {
        let missing = [("pasta", "passt"), ("newuidmap", "uidmap"), ("newgidmap", "uidmap")];
        let missing = missing.map(|(program, package)| Self::MissingProgram { program: program.to_owned(), package });
        let port = text.strip_prefix("cannot publish port ").and_then(|rest| rest.split_once(": "));
        let port = port.into_iter().flat_map(|(port, _)| {
            [port.parse().ok().map(Self::PrivilegedPort), Some(Self::PortInUse(port.to_owned()))].into_iter().flatten()
        });
        let known = missing.into_iter().chain(port).chain([Self::UserNamespacesDisabled, Self::RangeRefused]);
        known.into_iter().find(|kind| kind.sentence().is_some_and(|sentence| sentence == text))
    }

    /// The kind as a fragment, where it says more than its source; podman's words where it has some.
    fn sentence(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchContainer(name) => format!("no container with name or ID {name:?} found: no such container"),
            Self::NoSuchImage(name) => format!("{name}: image not known"),
            Self::NoSuchTag(name) => format!("{name}: tag not known"),
            Self::ArchiveExists(path) => {
                format!("{path:?} exists: docker-archive doesn't support modifying existing images")
            }
            Self::ShortName { name, .. } => {
                format!("{name}: short-name resolution enforced (short-name-mode in registries.conf)")
            }
            Self::NoSuchVolume(name) => format!("no volume with name {name:?} found: no such volume"),
            Self::NameInUse { name, id } => format!(
                "creating container storage: the container name {name:?} is already in use by {id}. You have to remove that container to be able to reuse that name: that name is already in use"
            ),
            Self::NoSuchSecret(name) => format!("no secret with name or id {name:?}: no such secret"),
            Self::SecretExists(name) => format!("{name}: secret name in use"),
            Self::VolumeExists(name) => format!("volume with name {name} already exists: volume already exists"),
            Self::Ambiguous(text) => format!("more than one result for container or image ID {text}"),
            Self::HasDependents { id, dependents } => format!(
                "container {id} has dependent containers which must be removed before it: {}: container already exists",
                dependents.join(", ")
            ),
            Self::InUse { what, by } => {
                format!("{what} is being used by the following container(s): {}", by.join(", "))
            }
            Self::State { container, state, wanted } => match wanted.as_str() {
                "exec" => "can only create exec sessions on running containers: container state improper".to_owned(),
                "kill" => format!(
                    "can only kill running containers. {container} is in state {state}: container state improper"
                ),
                "pause" if state == "paused" => format!("{container:?} is already paused: container state improper"),
                "pause" => format!("{state:?} is not running, can't pause: container state improper"),
                "unpause" => format!("{container:?} is not paused, can't unpause: container state improper"),
                "init" => {
                    format!("container {container} has already been created in runtime: container state improper")
                }
                "attach" => "you can only attach to running containers".to_owned(),
                "top" => "top can only be used on running containers".to_owned(),
                "remove" => format!(
                    "cannot remove container {container} as it is {state} - running or paused containers cannot be removed without force: container state improper"
                ),
                _ => format!(
                    "can only {wanted} such a container when its state allows it: container {container} is {state}: container state improper"
                ),
            },
            Self::Invalid(text) | Self::Unsupported(text) | Self::Locked(text) => text.clone(),
            Self::TooFewIds(text) | Self::NotDelegatedIds(text) => text.clone(),
            Self::CommandNotFound(text) | Self::CommandNotInvocable(text) => text.clone(),
            Self::WorkdirMissing(path) => {
                format!("workdir {path:?} does not exist on container, or is no directory there")
            }
            Self::MissingProgram { program, .. } => format!("exec {program:?}: executable file not found in $PATH"),
            Self::NoSubordinateIds(user) => {
                format!("no subordinate ids for user {user} in /etc/subuid and /etc/subgid")
            }
            Self::MapperUnprivileged(program) => {
                format!("{program} has neither the set-user-id bit nor the capability it needs")
            }
            Self::RangeRefused => "the subordinate ids were refused".to_owned(),
            Self::UserNamespacesDisabled => {
                "cannot create a user namespace: the kernel refuses them to this user".to_owned()
            }
            Self::NoEvents => "cannot read events with the \"none\" backend".to_owned(),
            Self::PortInUse(port) => format!("cannot publish port {port}: address already in use"),
            Self::PrivilegedPort(port) => format!(
                "cannot publish port {port}: permission denied for ports below net.ipv4.ip_unprivileged_port_start"
            ),
            Self::NoTunDevice => "cannot make the container's network: /dev/net/tun cannot be opened".to_owned(),
            Self::NoUplink => "cannot make the container's network: the host has no default route".to_owned(),
            Self::MissingController { controller, flag, legacy: false } => {
                format!("{flag} cannot be enforced: the cgroup controller {controller:?} is not delegated to this user")
            }
            Self::MissingController { controller, flag, legacy: true } => {
                format!("{flag} cannot be enforced: no cgroup v2 controller {controller:?} here")
            }
            Self::NotAttachable => "its terminal belongs to the command that started it".to_owned(),
            Self::NotDelegated => "the control group of its unit is not delegated".to_owned(),
            Self::NoSpace => "no space left on device".to_owned(),
            Self::Unauthorized(registry) => {
                format!("unable to retrieve from {registry}: unauthorized: authentication required")
            }
            Self::WrongLogin(registry) => format!("logging into {registry:?}: invalid username/password"),
            Self::PlainHttp(registry) => {
                format!("pinging container registry {registry}: http: server gave HTTP response to HTTPS client")
            }
            Self::NoOwnGroup => "systemd in a container needs a control group that it may write".to_owned(),
            Self::NoSystemd => "no systemd manager is reachable".to_owned(),
            Self::ReadOnly
            | Self::BadArchive
            | Self::NotInRegistry
            | Self::Denied(_)
            | Self::RateLimited(_)
            | Self::Untrusted(_)
            | Self::Unreachable
            | Self::Blocked
            | Self::NoPlatform
            | Self::Corrupt
            | Self::StartFailed
            | Self::Other => return None,
        })
    }
}

/// Gives a registry's error its kind here.
pub(crate) fn registry_error(error: registry::Error) -> Error {
    use registry::Kind as From;
    let registry = || error.subject.split('/').next().unwrap_or_default().to_owned();
    let kind = match &error.kind {
        From::Unauthorized { registry, .. } => Kind::Unauthorized(registry.clone()),
        From::PlainHttp => Kind::PlainHttp(registry()),
        From::NotFound(_) => Kind::NotInRegistry,
        From::Denied(_) => Kind::Denied(registry()),
        From::RateLimited { .. } => Kind::RateLimited(registry()),
        From::Tls(_) => Kind::Untrusted(registry()),
        From::Dns(_) | From::Connect(_) | From::Timeout(_) => Kind::Unreachable,
        From::NoPlatform { .. } => Kind::NoPlatform,
        From::Blocked(_) => Kind::Blocked,
        From::DigestMismatch { .. } | From::SizeMismatch { .. } => Kind::Corrupt,
        From::Server { .. }
        | From::Interrupted(_)
        | From::Protocol(_)
        | From::Redirect(_)
        | From::TooLarge { .. }
        | From::UnsupportedMediaType { .. }
        | From::InvalidManifest(_)
        | From::Invalid(_)
        | From::Unreadable => Kind::Other,
    };
    Error::caused(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_words() {
        for kind in [
            Kind::PortInUse("0.0.0.0:80/tcp".into()),
            Kind::PortInUse("80".into()),
            Kind::PrivilegedPort(80),
            Kind::MissingProgram { program: "pasta".into(), package: "passt" },
            Kind::RangeRefused,
        ] {
            assert_eq!(Kind::of_words(&kind.sentence().unwrap_or_default()), Some(kind));
        }
        assert_eq!(Kind::of_words("cannot publish port x: for another reason"), None);
    }

    fn told(kind: registry::Kind) -> Error {
        let subject = "registry.test:5000/web:1".to_owned();
        registry_error(registry::Error {
            op: registry::Operation::FetchManifest,
            subject,
            kind,
            source: None,
            before: Box::default(),
        })
    }

    #[test]
    fn what_a_registry_says_has_a_kind_and_names_the_registry() {
        let registry = || "registry.test:5000".to_owned();
        assert_eq!(told(registry::Kind::NotFound("manifest unknown".into())).kind, Kind::NotInRegistry);
        assert_eq!(told(registry::Kind::Denied(String::new())).kind, Kind::Denied(registry()));
        assert_eq!(told(registry::Kind::RateLimited { retry_after: None }).kind, Kind::RateLimited(registry()));
        assert_eq!(told(registry::Kind::Tls("untrusted".into())).kind, Kind::Untrusted(registry()));
        assert_eq!(told(registry::Kind::PlainHttp).kind, Kind::PlainHttp(registry()));
        assert_eq!(told(registry::Kind::Dns("registry.test".into())).kind, Kind::Unreachable);
        let chain = told(registry::Kind::NotFound("manifest unknown".into())).chain();
        assert_eq!(chain, "fetch manifest \"registry.test:5000/web:1\": not found: manifest unknown");
    }
}
