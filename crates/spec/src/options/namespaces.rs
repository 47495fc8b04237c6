//! Rows of the group `namespaces`. An empty value takes back an earlier choice, as podman's `""` means the default.

use super::row::{set_or_clear, show_choice};
use super::{Complete, Flag, Form, Group, Opt};
use crate::idmap::IdMapping;
use crate::namespaces::{IpcMode, NsMode, UserNs};
use crate::{ContainerSpec, ParseError, word};

const MODES: Complete = Complete::Words(&["private", "host", "container:", "ns:"]);

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value(
            "userns",
            "MODE",
            "User namespace: host (default), keep-id, nomap, auto, container:NAME or ns:PATH",
        )
        .complete(Complete::Words(&["host", "keep-id", "nomap", "auto", "container:", "ns:"])),
        |spec, text| set_or_clear(&mut spec.namespaces.user, text, UserNs::parse),
        |spec| show_choice(&spec.namespaces.user),
    )
    .in_unit("UserNS", Form::Single),
    row(
        Flag::with_value(
            "uidmap",
            "[FLAGS]UID:[@]FROM[:COUNT]",
            "Map user ids (0 = the caller, 1 and up subordinate, @ of the host; + extends, u not gids)",
        ),
        |spec, text| {
            spec.namespaces.uid_maps.push(IdMapping::parse(text)?);
            Ok(())
        },
        |spec| spec.namespaces.uid_maps.iter().map(ToString::to_string).collect(),
    )
    .in_unit("UIDMap", Form::Words)
    .commas(),
    row(
        Flag::with_value(
            "gidmap",
            "[FLAGS]GID:[@]FROM[:COUNT]",
            "Map group ids as --uidmap maps user ids (g = not users)",
        ),
        |spec, text| {
            spec.namespaces.gid_maps.push(IdMapping::parse(text)?);
            Ok(())
        },
        |spec| spec.namespaces.gid_maps.iter().map(ToString::to_string).collect(),
    )
    .in_unit("GIDMap", Form::Words)
    .commas(),
    row(
        Flag::with_value("subuidname", "NAME", "Use the user ids that /etc/subuid gives this name, and no others"),
        |spec, text| {
            set_or_clear(&mut spec.namespaces.subuid_name, text, |text| word::solid("name of subordinate ids", text))
        },
        |spec| show_choice(&spec.namespaces.subuid_name),
    )
    .in_unit("SubUIDMap", Form::Single),
    row(
        Flag::with_value("subgidname", "NAME", "Use the group ids that /etc/subgid gives this name, and no others"),
        |spec, text| {
            set_or_clear(&mut spec.namespaces.subgid_name, text, |text| word::solid("name of subordinate ids", text))
        },
        |spec| show_choice(&spec.namespaces.subgid_name),
    )
    .in_unit("SubGIDMap", Form::Single),
    row(
        Flag::with_value("pid", "MODE", "Process namespace (default private)").complete(MODES),
        |spec, text| set_or_clear(&mut spec.namespaces.pid, text, NsMode::parse),
        |spec| show_choice(&spec.namespaces.pid),
    ),
    row(
        Flag::with_value("ipc", "MODE", "IPC namespace (default shareable)").complete(Complete::Words(&[
            "none",
            "private",
            "shareable",
            "host",
            "container:",
            "ns:",
        ])),
        |spec, text| set_or_clear(&mut spec.namespaces.ipc, text, IpcMode::parse),
        |spec| show_choice(&spec.namespaces.ipc),
    ),
    row(
        Flag::with_value("uts", "MODE", "Host name namespace (default private)").complete(MODES),
        |spec, text| set_or_clear(&mut spec.namespaces.uts, text, NsMode::parse),
        |spec| show_choice(&spec.namespaces.uts),
    ),
    row(
        Flag::with_value("cgroupns", "MODE", "Control group namespace (default private)").complete(MODES),
        |spec, text| set_or_clear(&mut spec.namespaces.cgroup, text, NsMode::parse),
        |spec| show_choice(&spec.namespaces.cgroup),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Namespaces, flag, set, show)
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    (
        "userns",
        "|host|keep-id(:uid=[0-9]{1,4},gid=1)?|auto(:size=[1-9][0-9]{0,4}(,uidmapping=0:5:[1-9])?)?|nomap|container:[a-z]{1,5}|ns:/proc/1/ns/user",
    ),
    ("uidmap", "[+]?u?[0-9]{1,5}:@?[0-9]{1,5}:[1-9][0-9]{0,4}(,7:8:1)?"),
    ("gidmap", "[+]?g?[0-9]{1,5}:@?[0-9]{1,5}:[1-9][0-9]{0,4}"),
    ("subuidname", "|[a-z]{1,5}"),
    ("subgidname", "|[a-z]{1,5}"),
    ("pid", "|private|host|container:[a-z]{1,5}|ns:/proc/[0-9]{1,3}/ns/pid"),
    ("ipc", "|none|private|shareable|host|container:[a-z]{1,5}|ns:/a b\""),
    ("uts", "|private|host|container:[a-z]{1,5}"),
    ("cgroupns", "|private|host"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("userns", "", &[]),
                ("userns", "host", &["host"]),
                ("userns", "keep-id", &["keep-id"]),
                ("userns", "keep-id:gid=5,uid=1000,size=9", &["keep-id:uid=1000,gid=5,size=9"]),
                ("userns", "nomap", &["nomap"]),
                ("userns", "auto", &["auto"]),
                (
                    "userns",
                    "auto:uidmapping=0:5,gidmapping=1:2:3,uidmapping=7:8:9,size=1024",
                    &["auto:size=1024,uidmapping=0:5:1,uidmapping=7:8:9,gidmapping=1:2:3"],
                ),
                ("userns", "container:db", &["container:db"]),
                ("userns", "ns:/proc/1/ns/user", &["ns:/proc/1/ns/user"]),
                ("uidmap", "0:1:5,+u7:@100000", &["0:1:5", "+u7:@100000:1"]),
                ("gidmap", "g0:1:5", &["g0:1:5"]),
                ("subuidname", "alice", &["alice"]),
                ("subgidname", "", &[]),
                ("pid", "host", &["host"]),
                ("pid", "container:db", &["container:db"]),
                ("ipc", "shareable", &["shareable"]),
                ("ipc", "none", &["none"]),
                ("ipc", "private", &["private"]),
                ("uts", "ns:/proc/1/ns/uts", &["ns:/proc/1/ns/uts"]),
                ("cgroupns", "private", &["private"]),
            ],
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("userns", "root", "expected host, keep-id"),
            ("userns", "host:x", "expected host, keep-id"),
            ("userns", "nomap:size=1", "expected host, keep-id"),
            ("userns", "private", "must provide at least one UID or GID mapping"),
            ("userns", "keep-id:foo=1", "unknown option specified: \"foo\""),
            ("userns", "keep-id:uid=x", "expected a whole number"),
            ("userns", "keep-id:size=0", "expected a whole number"),
            ("userns", "auto:size", "expected NAME=VALUE"),
            ("userns", "auto:uidmapping=+1:2:3", "expected INSIDE:OUTSIDE:COUNT"),
            ("userns", "container:", "must not be empty"),
            ("uidmap", "0", "[+ug]uint32:[@]uint32[:uint32]"),
            ("gidmap", "0:1:0", "has no ids"),
            ("subuidname", "a b", "white space"),
            ("pid", "none", "expected private, host, container:NAME or ns:PATH"),
            ("ipc", "shared", "expected none, private, shareable, host"),
            ("uts", "container:", "must not be empty"),
            ("cgroupns", "ns:", "must not be empty"),
        ]);
    }
}
