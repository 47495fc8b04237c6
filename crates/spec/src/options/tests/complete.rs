//! Every flag and key that podman has is in exactly one place: a working row, a refused one, or the command's own.

use super::super::{COMMAND_FLAGS, UNIT_KEYS, UNSUPPORTED, Verb, Verbs, flags, table};
use std::collections::{BTreeMap, BTreeSet};

/// podman-run(1), without --help.
const RUN: &str = "
    name replace rm rmi restart stop-signal stop-timeout timeout init init-path pidfile cidfile conmon-pidfile requires
    pod pod-id-file label label-file annotation sdnotify systemd
    detach interactive tty attach detach-keys sig-proxy preserve-fd preserve-fds quiet
    entrypoint user workdir env env-file env-host env-merge unsetenv unsetenv-all hostname tz umask passwd passwd-entry
    group-add group-entry hostuser personality http-proxy ulimit oom-score-adj sysctl
    userns uidmap gidmap subuidname subgidname pid ipc uts cgroupns network no-hostname
    volume mount tmpfs volumes-from read-only read-only-tmpfs image-volume rootfs chrootdirs shm-size shm-size-systemd
    secret
    publish publish-all expose network-alias ip ip6 mac-address link-local-ip dns dns-option dns-search add-host
    hosts-file no-hosts
    privileged cap-add cap-drop security-opt seccomp-policy device device-cgroup-rule gpus
    memory memory-reservation memory-swap memory-swappiness cpus cpu-period cpu-quota cpu-rt-period cpu-rt-runtime
    cpu-shares cpuset-cpus cpuset-mems pids-limit blkio-weight blkio-weight-device device-read-bps device-write-bps
    device-read-iops device-write-iops oom-kill-disable cgroup-conf cgroup-parent cgroups rdt-class
    health-cmd health-interval health-retries health-start-period health-timeout health-on-failure health-startup-cmd
    health-startup-interval health-startup-retries health-startup-success health-startup-timeout health-log-destination
    health-max-log-count health-max-log-size no-healthcheck
    log-driver log-opt
    pull platform arch os variant authfile creds cert-dir tls-verify retry retry-delay decryption-key
    disable-content-trust";

/// Flags that podman-create(1) lacks.
const RUN_ONLY: &str = "detach detach-keys passwd preserve-fd preserve-fds rmi sig-proxy";

/// Flags that podman-run(1) lacks.
const CREATE_ONLY: &str = "init-ctr";

/// One-letter names.
const SHORT: &str = "d:detach i:interactive t:tty a:attach q:quiet u:user w:workdir e:env h:hostname v:volume p:publish
    P:publish-all m:memory c:cpu-shares l:label";

/// podman-systemd.unit(5), section [Container].
const KEYS: &str = "
    AddHost Annotation ContainersConfModule DNS DNSOption DNSSearch GIDMap GlobalArgs HostName IP IP6 Label LogDriver
    LogOpt Network NetworkAlias PodmanArgs PublishPort RemapGid RemapUid RemapUidSize RemapUsers Retry RetryDelay
    ServiceName ShmSize StopTimeout SubGIDMap SubUIDMap UIDMap UserNS Volume
    Image Rootfs Pull ContainerName Exec Entrypoint Environment EnvironmentFile EnvironmentHost User Group GroupAdd
    WorkingDir Timezone RunInit HttpProxy Ulimit Sysctl Memory PidsLimit CgroupsMode AddCapability DropCapability
    NoNewPrivileges SeccompProfile AppArmor SecurityLabelDisable SecurityLabelNested SecurityLabelType
    SecurityLabelFileType SecurityLabelLevel Mask Unmask AddDevice ReadOnly ReadOnlyTmpfs VolatileTmp Tmpfs Mount Secret
    ExposeHostPort Pod StartWithPod Notify ReloadCmd ReloadSignal StopSignal AutoUpdate HealthCmd HealthInterval
    HealthTimeout HealthRetries HealthStartPeriod HealthOnFailure HealthStartupCmd HealthStartupInterval
    HealthStartupRetries HealthStartupSuccess HealthStartupTimeout HealthLogDestination HealthMaxLogCount
    HealthMaxLogSize";

/// Flags of the command that podman lacks.
const OURS: [&str; 1] = ["show-ops"];

/// Asserts that `names` are `expected`, each once.
fn same(expected: &str, names: impl Iterator<Item = &'static str>) {
    let mut counted: BTreeMap<&str, i32> = expected.split_whitespace().map(|name| (name, -1)).collect();
    for name in names {
        *counted.entry(name).or_default() += 1;
    }
    counted.retain(|_, count| *count != 0);
    assert!(counted.is_empty(), "missing (-1), unknown (1) or double: {counted:?}");
}

#[test]
fn every_flag_is_in_exactly_one_place() {
    assert_eq!(RUN.split_whitespace().count(), 151);
    let working = table().filter_map(|row| row.flag.as_ref()).map(|flag| flag.long);
    let refused = UNSUPPORTED.iter().filter_map(|row| row.flag.as_ref()).map(|flag| flag.long);
    let command = COMMAND_FLAGS.iter().map(|flag| flag.long).filter(|name| !OURS.contains(name));
    same(&format!("{RUN} {CREATE_ONLY}"), working.chain(refused).chain(command));
}

#[test]
fn run_and_create_differ_as_in_podman() {
    let working = table().filter_map(|row| Some((row.flag.as_ref()?.long, row.verbs)));
    let refused = UNSUPPORTED.iter().filter_map(|row| Some((row.flag.as_ref()?.long, row.verbs)));
    let all: Vec<(&str, Verbs)> = working.chain(refused).collect();
    let of = |verbs| all.iter().filter(move |(_, of)| *of == verbs).map(|(name, _)| *name);
    let commands_own = ["detach-keys", "sig-proxy"];
    same(RUN_ONLY, of(Verbs::Run).chain(commands_own));
    same(CREATE_ONLY, of(Verbs::Create));
    assert_eq!(flags(Verb::Run).len(), flags(Verb::Create).len() + 5);
}

#[test]
fn every_letter_and_alias_is_podman_s_and_means_one_flag() {
    let all = || table().filter_map(|row| row.flag.as_ref()).chain(COMMAND_FLAGS);
    let letters: BTreeSet<String> = all().filter_map(|flag| Some(format!("{}:{}", flag.short?, flag.long))).collect();
    assert_eq!(letters, SHORT.split_whitespace().map(str::to_owned).collect());
    assert_eq!(all().flat_map(|flag| flag.aliases).collect::<Vec<_>>(), [&"net"]);
}

#[test]
fn every_key_is_in_exactly_one_place() {
    assert_eq!(KEYS.split_whitespace().count(), 94);
    let working = table().filter_map(|row| row.key()).map(|key| key.name);
    let refused = UNSUPPORTED.iter().filter_map(|row| row.key.as_ref()).map(|key| key.name);
    same(KEYS, working.chain(refused).chain(UNIT_KEYS.iter().map(|key| key.name)));
}

#[test]
fn help_is_one_line_without_a_full_stop() {
    for flag in table().filter_map(|row| row.flag.as_ref()).chain(COMMAND_FLAGS) {
        let help = flag.help;
        assert!(!help.is_empty() && help.len() <= 90 && !help.ends_with('.') && !help.contains('\n'), "{}", flag.long);
    }
    let only = table().filter(|row| row.flag.is_none()).filter_map(|row| row.key()).chain(UNIT_KEYS);
    only.for_each(|key| assert!(!key.help.is_empty() && !key.help.ends_with('.'), "{}", key.name));
}
