//! What podman has and lodger lacks: flags of `run` and `create` and keys of `[Container]`, each with the reason.
//!
//! Using one is an error with these words; the compatibility report is made of them. A row that gets its function moves
//! to its group's file.

use super::{Flag, Form, Key, Verbs};

/// An option that is refused.
#[derive(Debug, Clone, Copy)]
pub struct Unsupported {
    /// The flag, so that its value is skipped and its name completed to the right message.
    pub flag: Option<Flag>,
    /// The key of `[Container]`.
    pub key: Option<Key>,
    /// Which commands have the flag in podman.
    pub verbs: Verbs,
    /// Why, as a sentence without its capital and full stop, which follows a colon.
    pub reason: &'static str,
    /// What to do instead, without a full stop.
    pub hint: &'static str,
    /// Whether it is meant to come.
    pub planned: bool,
}

/// A value that is refused, of an option that takes others.
#[derive(Debug, Clone, Copy)]
pub struct UnsupportedValue {
    /// An example: `--userns=keep-id`
    pub words: &'static str,
    /// Why, as in [`Unsupported::reason`].
    pub reason: &'static str,
    /// What to do instead, without a full stop.
    pub hint: &'static str,
}

/// Every refused value; the engine refuses each (`engine/src/resolve/check.rs`).
pub static UNSUPPORTED_VALUES: &[UnsupportedValue] = &[
    value(
        "--network=web",
        "named networks are not supported yet",
        "--network=container:NAME lets containers share one",
    ),
    value(
        "--volume=/a:/b:idmap=uids=0-1-10",
        "the kernel lets nobody but root of the host map the ids of a mount",
        "U gives the files to the container's user",
    ),
    value(
        "--security-opt=apparmor=web",
        "AppArmor profiles cannot be set yet",
        "AppArmorProfile= of a service sets one",
    ),
    value(
        "--sdnotify=healthy",
        "health checks are not run yet",
        "--sdnotify=container waits for the program's own word",
    ),
];

const fn value(words: &'static str, reason: &'static str, hint: &'static str) -> UnsupportedValue {
    UnsupportedValue { words, reason, hint }
}

/// Every refused option, by subject.
pub static UNSUPPORTED: &[Unsupported] = &[
    both(
        "pod",
        "Pod",
        Form::Single,
        "pods are not supported yet",
        "--network=container:NAME lets containers share one network",
    ),
    flag("pod-id-file", "pods are not supported yet", "--network=container:NAME lets containers share one network"),
    key(
        "StartWithPod",
        Form::Switch,
        "pods are not supported yet",
        "Wants= and Before= in the [Unit] section order services",
    ),
    flag(
        "init-ctr",
        "init containers belong to pods, which are not supported yet",
        "run the step as a Type=oneshot service that this one requires",
    )
    .only(Verbs::Create),
    flag(
        "requires",
        "containers that require others are not supported yet",
        "Requires= and After= in the [Unit] section do this for services",
    ),
    flag(
        "init-path",
        "the init process is part of lodger and cannot be exchanged",
        "use --init, or start your own as the entry point",
    )
    .never(),
    flag(
        "conmon-pidfile",
        "no conmon process runs beside a container",
        "--pidfile gives the number of the container's own main process",
    )
    .never(),
    key("VolatileTmp", Form::Switch, "the key is deprecated in podman and was left out", "use Tmpfs=/tmp").never(),
    both(
        "network-alias",
        "NetworkAlias",
        Form::Lines,
        "named networks are not supported yet",
        "--network=container:NAME lets containers share one network, where they meet at localhost",
    ),
    both(
        "ip",
        "IP",
        Form::Single,
        "addresses can be chosen in named networks alone, which are not supported yet",
        "--publish with an address chooses the host's side",
    ),
    both(
        "ip6",
        "IP6",
        Form::Single,
        "addresses can be chosen in named networks alone, which are not supported yet",
        "--publish with an address chooses the host's side",
    ),
    flag(
        "mac-address",
        "hardware addresses can be chosen in named networks alone, which are not supported yet",
        "--network=pasta:--ns-mac-addr,ADDRESS sets that of the uplink",
    ),
    flag("link-local-ip", "the flag has never had an effect in podman", "leave it out").never(),
    key("RemapUsers", Form::Single, "the key is deprecated in podman and was left out", "use UserNS=").never(),
    key("RemapUid", Form::Words, "the key is deprecated in podman and was left out", "use UserNS=").never(),
    key("RemapGid", Form::Words, "the key is deprecated in podman and was left out", "use UserNS=").never(),
    key("RemapUidSize", Form::Single, "the key is deprecated in podman and was left out", "use UserNS=").never(),
    flag(
        "seccomp-policy",
        "an image cannot choose the filter that confines it",
        "--security-opt=seccomp=FILE names a profile of yours",
    )
    .never(),
    flag("device-cgroup-rule", "device rules cannot be set without root", "--device adds single devices").never(),
    flag(
        "memory-swappiness",
        "the limit exists only in version 1 of control groups, which lodger does not use",
        "--memory-swap limits what is swapped",
    )
    .never(),
    flag(
        "cpu-rt-period",
        "the limit exists only in version 1 of control groups, which lodger does not use",
        "--ulimit=rtprio=N allows real-time scheduling",
    )
    .never(),
    flag(
        "cpu-rt-runtime",
        "the limit exists only in version 1 of control groups, which lodger does not use",
        "--ulimit=rtprio=N allows real-time scheduling",
    )
    .never(),
    switch(
        "oom-kill-disable",
        "the limit exists only in version 1 of control groups, which lodger does not use",
        "--oom-score-adj=-1000 spares the container as long as others can be killed",
    )
    .never(),
    flag(
        "rdt-class",
        "cache allocation classes belong to root",
        "have the administrator assign the service's processes",
    )
    .never(),
    flag("decryption-key", "encrypted images are not supported", "pull with a tool that decrypts, and load the result")
        .never(),
    switch("disable-content-trust", "the flag has never had an effect in podman", "leave it out").never(),
    key(
        "ContainersConfModule",
        Form::Lines,
        "a unit file cannot name a module of containers.conf yet",
        "say it with keys of this section",
    )
    .never(),
    key(
        "GlobalArgs",
        Form::ShellWords,
        "the generated service does not call podman",
        "PodmanArgs= takes the flags of run",
    )
    .never(),
];

const fn both(
    flag: &'static str,
    key: &'static str,
    form: Form,
    reason: &'static str,
    hint: &'static str,
) -> Unsupported {
    let flag = Some(Flag::with_value(flag, "VALUE", ""));
    Unsupported { flag, key: Some(Key::new(key, form, "")), verbs: Verbs::Both, reason, hint, planned: true }
}

const fn flag(flag: &'static str, reason: &'static str, hint: &'static str) -> Unsupported {
    let flag = Some(Flag::with_value(flag, "VALUE", ""));
    Unsupported { flag, key: None, verbs: Verbs::Both, reason, hint, planned: true }
}

const fn switch(flag: &'static str, reason: &'static str, hint: &'static str) -> Unsupported {
    Unsupported { flag: Some(Flag::switch(flag, "")), key: None, verbs: Verbs::Both, reason, hint, planned: true }
}

const fn key(name: &'static str, form: Form, reason: &'static str, hint: &'static str) -> Unsupported {
    Unsupported { flag: None, key: Some(Key::new(name, form, "")), verbs: Verbs::Both, reason, hint, planned: true }
}

impl Unsupported {
    /// The same row, not meant to come.
    const fn never(mut self) -> Self {
        self.planned = false;
        self
    }

    /// The same row for one command.
    const fn only(mut self, verbs: Verbs) -> Self {
        self.verbs = verbs;
        self
    }

    /// The row of a flag, without the dashes.
    pub fn of_flag(name: &str) -> Option<&'static Self> {
        UNSUPPORTED.iter().find(|row| row.flag.is_some_and(|flag| flag.long == name))
    }

    /// The row of a key of `[Container]`.
    pub fn of_key(name: &str) -> Option<&'static Self> {
        UNSUPPORTED.iter().find(|row| row.key.is_some_and(|key| key.name == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_reason_and_a_way_out() {
        for row in UNSUPPORTED {
            let name = row.flag.map(|flag| flag.long).or(row.key.map(|key| key.name)).expect("a name");
            assert!(!row.reason.is_empty() && !row.reason.ends_with('.'), "{name}");
            assert!(!row.hint.is_empty() && !row.hint.ends_with('.'), "{name}");
        }
    }
}
