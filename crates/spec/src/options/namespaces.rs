//! Rows of the group `namespaces`. An empty value takes back an earlier choice, as podman's `""` means the default.

use super::row::{set_or_clear, show_choice};
use super::{Complete, Flag, Form, Group, Opt};
use crate::namespaces::{IpcMode, NsMode, UserNs};
use crate::{ContainerSpec, ParseError};

const MODES: Complete = Complete::Words(&["private", "host", "container:", "ns:"]);

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value(
            "userns",
            "MODE",
            "User namespace (host = root inside is the caller; default host, for root ids of a range)",
        )
        .complete(Complete::Words(&["host"])),
        |spec, text| set_or_clear(&mut spec.namespaces.user, text, UserNs::parse),
        |spec| show_choice(&spec.namespaces.user),
    )
    .in_unit("UserNS", Form::Single),
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
    ("userns", "|host|keep-id(:uid=[0-9]{1,4},gid=1)?|auto(:size=[0-9]{1,5})?|nomap"),
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
                ("userns", "keep-id:uid=1000", &["keep-id:uid=1000"]),
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
            ("pid", "none", "expected private, host, container:NAME or ns:PATH"),
            ("ipc", "shared", "expected none, private, shareable, host"),
            ("uts", "container:", "must not be empty"),
            ("cgroupns", "ns:", "must not be empty"),
        ]);
    }
}
