//! The table of commands; a file each, so that `ls` is the list of what lodger can do.

use crate::command::Command;

pub(crate) mod attach;
pub(crate) mod cleanup;
pub(crate) mod commit;
pub(crate) mod completion;
pub(crate) mod container_clone;
pub(crate) mod container_diff;
pub(crate) mod container_inspect;
pub(crate) mod container_prune;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod diff;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod exists;
pub(crate) mod export;
pub(crate) mod healthcheck_run;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod image_diff;
pub(crate) mod image_exists;
pub(crate) mod image_inspect;
pub(crate) mod image_mount;
pub(crate) mod image_prune;
pub(crate) mod image_tree;
pub(crate) mod image_unmount;
pub(crate) mod images;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod kill;
pub(crate) mod launch;
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod mount;
pub(crate) mod pause;
pub(crate) mod port;
pub(crate) mod ps;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rename;
pub(crate) mod restart;
pub(crate) mod rm;
pub(crate) mod rmi;
pub(crate) mod run;
pub(crate) mod save;
pub(crate) mod search;
pub(crate) mod secret_create;
pub(crate) mod secret_exists;
pub(crate) mod secret_inspect;
pub(crate) mod secret_ls;
pub(crate) mod secret_rm;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod stop;
pub(crate) mod suggest;
pub(crate) mod system_check;
pub(crate) mod system_df;
pub(crate) mod system_migrate;
pub(crate) mod system_prune;
pub(crate) mod system_renumber;
pub(crate) mod system_reset;
pub(crate) mod tag;
pub(crate) mod top;
pub(crate) mod unmount;
pub(crate) mod unpause;
pub(crate) mod unshare;
pub(crate) mod unsupported;
pub(crate) mod untag;
pub(crate) mod update;
pub(crate) mod version;
pub(crate) mod volume_create;
pub(crate) mod volume_exists;
pub(crate) mod volume_export;
pub(crate) mod volume_import;
pub(crate) mod volume_inspect;
pub(crate) mod volume_ls;
pub(crate) mod volume_mount;
pub(crate) mod volume_prune;
pub(crate) mod volume_reload;
pub(crate) mod volume_rm;
pub(crate) mod volume_unmount;
pub(crate) mod wait;

/// Every command, in the order of the help.
pub(crate) const ALL: &[&Command] = &[
    &run::COMMAND,
    &create::COMMAND,
    &start::COMMAND,
    &stop::COMMAND,
    &restart::COMMAND,
    &kill::COMMAND,
    &pause::COMMAND,
    &unpause::COMMAND,
    &rm::COMMAND,
    &container_prune::COMMAND,
    &rename::COMMAND,
    &update::COMMAND,
    &init::COMMAND,
    &wait::COMMAND,
    &ps::COMMAND,
    &logs::COMMAND,
    &exec::COMMAND,
    &attach::COMMAND,
    &cp::COMMAND,
    &diff::COMMAND,
    &container_diff::COMMAND,
    &export::COMMAND,
    &commit::COMMAND,
    &container_clone::COMMAND,
    &mount::COMMAND,
    &unmount::COMMAND,
    &unshare::COMMAND,
    &inspect::COMMAND,
    &container_inspect::COMMAND,
    &events::COMMAND,
    &healthcheck_run::COMMAND,
    &exists::COMMAND,
    &cleanup::COMMAND,
    &top::COMMAND,
    &stats::COMMAND,
    &port::COMMAND,
    &pull::COMMAND,
    &push::COMMAND,
    &search::COMMAND,
    &images::COMMAND,
    &tag::COMMAND,
    &untag::COMMAND,
    &rmi::COMMAND,
    &load::COMMAND,
    &save::COMMAND,
    &import::COMMAND,
    &history::COMMAND,
    &image_diff::COMMAND,
    &image_mount::COMMAND,
    &image_unmount::COMMAND,
    &image_tree::COMMAND,
    &image_prune::COMMAND,
    &login::COMMAND,
    &logout::COMMAND,
    &image_inspect::COMMAND,
    &image_exists::COMMAND,
    &volume_create::COMMAND,
    &volume_ls::COMMAND,
    &volume_inspect::COMMAND,
    &volume_rm::COMMAND,
    &volume_exists::COMMAND,
    &volume_prune::COMMAND,
    &volume_export::COMMAND,
    &volume_import::COMMAND,
    &volume_mount::COMMAND,
    &volume_unmount::COMMAND,
    &volume_reload::COMMAND,
    &secret_create::COMMAND,
    &secret_ls::COMMAND,
    &secret_inspect::COMMAND,
    &secret_rm::COMMAND,
    &secret_exists::COMMAND,
    &info::COMMAND,
    &system_df::COMMAND,
    &system_prune::COMMAND,
    &system_check::COMMAND,
    &system_reset::COMMAND,
    &system_migrate::COMMAND,
    &system_renumber::COMMAND,
    &version::COMMAND,
    &completion::COMMAND,
    &help::COMMAND,
    &launch::COMMAND,
    &man::COMMAND,
    &suggest::COMMAND,
];

/// Groups of commands and what the help says of them.
pub(crate) const GROUPS: &[(&str, &str)] = &[
    ("container", "Manage containers"),
    ("healthcheck", "Run health checks on containers"),
    ("image", "Manage images"),
    ("secret", "Manage secrets"),
    ("system", "Manage lodger itself"),
    ("volume", "Manage volumes"),
];

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    ALL.iter().copied()
}

/// The command called by this path: `ps`, `container ls`.
pub(crate) fn find(path: &str) -> Option<&'static Command> {
    all().find(|command| command.paths.contains(&path))
}

/// Whether commands are called by this word and another.
pub(crate) fn is_group(word: &str) -> bool {
    GROUPS.iter().any(|(name, _)| *name == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_command_file_is_forgotten() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands");
        let has_command = |path: &std::path::Path| {
            std::fs::read_to_string(path).unwrap().contains(concat!("const ", "COMMAND: Command"))
        };
        let files = std::fs::read_dir(directory).unwrap().filter(|entry| has_command(&entry.as_ref().unwrap().path()));
        assert_eq!(files.count(), ALL.len());
    }

    #[test]
    fn every_path_leads_to_one_command() {
        let mut seen = BTreeSet::new();
        for command in all() {
            assert!(!command.paths.is_empty() && !command.summary.is_empty() && !command.about.is_empty());
            for path in command.paths {
                assert!(seen.insert(*path), "{path} twice");
                let group = path.split_once(' ').map(|(group, _)| group);
                assert!(group.is_none_or(is_group), "{path}: no such group");
                assert_eq!(unsupported::reason(path), None, "{path}");
            }
        }
    }

    /// podman's flags of each command that lodger has (`run` and `create` are tested with the option table).
    const PODMAN: &[(&str, &str)] = &[
        ("attach", "detach-keys latest/l no-stdin sig-proxy"),
        ("commit", "author/a change/c config format/f iidfile include-volumes message/m pause/p quiet/q squash/s"),
        ("completion", "file/f no-desc"),
        ("container cleanup", "all/a exec latest/l rm rmi"),
        (
            "container clone",
            "blkio-weight blkio-weight-device cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares/c cpus \
             cpuset-cpus cpuset-mems destroy device-read-bps device-write-bps force/f memory/m memory-reservation \
             memory-swap memory-swappiness name pod run",
        ),
        ("container diff", "format latest/l"),
        ("container exists", "external"),
        ("container inspect", "format/f latest/l size/s"),
        ("container prune", "filter force/f"),
        ("cp", "archive/a overwrite"),
        ("diff", "format latest/l"),
        (
            "exec",
            "cidfile detach/d detach-keys env/e env-file interactive/i latest/l no-session preserve-fd preserve-fds \
             privileged tty/t user/u workdir/w",
        ),
        ("events", "filter/f format no-trunc since stream until"),
        ("export", "output/o"),
        ("healthcheck run", "ignore-result"),
        ("history", "format human/H no-trunc quiet/q"),
        ("image diff", "format"),
        ("image exists", ""),
        ("image inspect", "format/f"),
        ("image mount", "all/a format"),
        ("image prune", "all/a build-cache external filter force/f"),
        ("image tree", "whatrequires"),
        ("image unmount", "all/a force/f"),
        ("images", "all/a digests filter/f format history no-trunc noheading/n quiet/q sort"),
        ("import", "arch change/c message/m os quiet/q variant"),
        ("info", "format/f"),
        ("init", "all/a latest/l"),
        ("inspect", "format/f latest/l size/s type/t"),
        ("kill", "all/a cidfile latest/l signal/s"),
        ("load", "input/i quiet/q"),
        (
            "login",
            "authfile cert-dir compat-auth-file get-login password/p password-stdin secret tls-verify username/u verbose/v",
        ),
        ("logout", "all/a authfile compat-auth-file"),
        ("logs", "color follow/f latest/l names/n since tail timestamps/t until"),
        ("mount", "all/a format latest/l no-trunc"),
        ("pause", "all/a cidfile filter/f latest/l"),
        ("port", "all/a latest/l"),
        (
            "ps",
            "all/a external filter/f format last/n latest/l namespace ns no-trunc noheading pod/p quiet/q size/s sort \
             sync watch/w",
        ),
        (
            "pull",
            "all-tags/a arch authfile cert-dir creds decryption-key disable-content-trust os platform policy quiet/q \
             retry retry-delay tls-verify variant",
        ),
        ("rename", ""),
        (
            "push",
            "authfile cert-dir compress compression-format compression-level creds digestfile disable-content-trust \
             encrypt-layer encryption-key force-compression format/f quiet/q remove-signatures retry retry-delay sign-by \
             sign-by-sigstore sign-by-sigstore-private-key sign-by-sq-fingerprint sign-passphrase-file tls-verify",
        ),
        ("restart", "all/a cidfile filter/f latest/l running time/t"),
        ("rm", "all/a cidfile depend filter force/f ignore/i latest/l time/t volumes/v"),
        ("rmi", "all/a force/f ignore/i no-prune"),
        ("save", "compress format multi-image-archive/m output/o quiet/q uncompressed"),
        ("secret create", "driver/d driver-opts env ignore label/l replace"),
        ("secret exists", ""),
        ("secret inspect", "format/f pretty showsecret"),
        ("secret ls", "filter/f format noheading/n quiet/q"),
        ("secret rm", "all/a ignore/i"),
        ("search", "authfile cert-dir compatible creds filter/f format limit list-tags no-trunc tls-verify"),
        ("stats", "all/a format interval/i latest/l no-reset no-stream no-trunc"),
        ("start", "all attach/a detach-keys filter/f interactive/i latest/l sig-proxy"),
        ("stop", "all/a cidfile filter/f ignore/i latest/l time/t"),
        ("system check", "force/f max/m quick/q repair/r"),
        ("system df", "format/f verbose/v"),
        ("system migrate", "migrate-db new-runtime"),
        ("system prune", "all/a build external filter force/f volumes"),
        ("system renumber", ""),
        ("system reset", "force/f"),
        ("tag", ""),
        ("top", "latest/l"),
        ("untag", ""),
        ("unmount", "all/a force/f latest/l"),
        ("unpause", "all/a cidfile filter/f latest/l"),
        (
            "update",
            "blkio-weight blkio-weight-device cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares/c cpus \
             cpuset-cpus cpuset-mems device-read-bps device-read-iops device-write-bps device-write-iops env/e health-cmd \
             health-interval health-log-destination health-max-log-count health-max-log-size health-on-failure \
             health-retries health-start-period health-startup-cmd health-startup-interval health-startup-retries \
             health-startup-success health-startup-timeout health-timeout latest/l memory/m memory-reservation \
             memory-swap memory-swappiness no-healthcheck pids-limit restart ulimit unsetenv",
        ),
        ("unshare", "rootless-netns"),
        ("version", "format/f"),
        ("volume create", "driver/d gid ignore label/l opt/o uid"),
        ("volume exists", ""),
        ("volume inspect", "all/a format/f"),
        ("volume ls", "filter/f format noheading/n quiet/q"),
        ("volume export", "output/o"),
        ("volume import", ""),
        ("volume mount", ""),
        ("volume prune", "filter force/f"),
        ("volume reload", ""),
        ("volume rm", "all/a force/f time/t"),
        ("volume unmount", ""),
        ("wait", "condition exit-first-match ignore interval/i latest/l"),
    ];

    #[test]
    fn every_flag_of_podmans_is_obeyed_or_refused() {
        for (path, flags) in PODMAN {
            let command = find(path).unwrap();
            let refused = command.refused();
            let known: Vec<_> =
                command.all_flags().into_iter().chain(refused.into_iter().map(|(flag, _)| flag)).collect();
            for word in flags.split_whitespace() {
                let (long, short) =
                    word.split_once('/').map_or((word, None), |(long, short)| (long, short.chars().next()));
                let flag = known.iter().find(|flag| flag.has_name(long)).unwrap_or_else(|| panic!("{path} --{long}"));
                assert_eq!(flag.short, short, "{path} --{long}");
            }
        }
        let listed = |command: &Command| command.paths.iter().any(|path| PODMAN.iter().any(|(known, _)| known == path));
        let own = ["run", "create", "help", "container launch", "man", "__complete"];
        assert!(all().all(|command| listed(command) || own.contains(&command.name())));
    }

    #[test]
    fn no_flag_hides_another_of_its_command() {
        for command in all() {
            let refused = command.refused();
            let mine: Vec<_> =
                command.all_flags().into_iter().chain(refused.into_iter().map(|(flag, _)| flag)).collect();
            let longs: Vec<&str> =
                mine.iter().flat_map(|flag| flag.aliases.iter().copied().chain([flag.long])).collect();
            let shorts: Vec<char> = mine.iter().filter_map(|flag| flag.short).collect();
            assert_eq!(longs.iter().collect::<BTreeSet<_>>().len(), longs.len(), "{}: {longs:?}", command.name());
            assert_eq!(shorts.iter().collect::<BTreeSet<_>>().len(), shorts.len(), "{}: {shorts:?}", command.name());
        }
    }

    #[test]
    fn help_and_reasons_are_written_alike() {
        for command in all() {
            for flag in command.all_flags() {
                assert!(!flag.help.is_empty() && !flag.help.ends_with('.'), "{} --{}", command.name(), flag.long);
            }
            for (flag, reason) in command.refused() {
                assert!(!reason.is_empty() && !reason.ends_with('.'), "{} --{}", command.name(), flag.long);
            }
            assert!(!command.summary.ends_with('.') && command.about.ends_with('.'), "{}", command.name());
            for example in command.examples {
                assert!(example.contains("lodger"), "{example}");
            }
        }
    }
}
