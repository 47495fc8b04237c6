//! Rows of the group `logging`: where output goes.

use super::row::{set_or_clear, show_choice};
use super::{Complete, Flag, Form, Group, Opt};
use crate::bytes::Bytes;
use crate::logging::LogDriver;
use crate::{ContainerSpec, ParseError, word};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value("log-driver", "DRIVER", "journald, k8s-file, none or passthrough (default journald)")
            .complete(Complete::Words(&["journald", "k8s-file", "none", "passthrough"])),
        |spec, text| match text {
            "passthrough-tty" => Err(ParseError::new("log driver", text, "not supported yet")),
            text => set_or_clear(&mut spec.logging.driver, text, LogDriver::parse),
        },
        |spec| show_choice(&spec.logging.driver),
    )
    .in_unit("LogDriver", Form::Single),
    row(
        Flag::with_value("log-opt", "NAME=VALUE", "path= or max-size= of a k8s-file, tag= in the journal")
            .complete(Complete::Words(&["path=", "max-size=", "tag="])),
        |spec, text| {
            let logging = &mut spec.logging;
            match text.split_once('=') {
                Some(("path", path)) => set_or_clear(&mut logging.path, path, |path| word::plain("log path", path)),
                Some(("max-size", size)) => set_or_clear(&mut logging.max_size, size, Bytes::parse),
                Some(("tag", tag)) => set_or_clear(&mut logging.tag, tag, |tag| word::plain("log tag", tag)),
                _ => Err(ParseError::new("log option", text, "expected path=, max-size= or tag=")),
            }
        },
        |spec| {
            let path = spec.logging.path.iter().map(|path| format!("path={path}"));
            let size = spec.logging.max_size.iter().map(|size| format!("max-size={size}"));
            let tag = spec.logging.tag.iter().map(|tag| format!("tag={tag}"));
            path.chain(size).chain(tag).collect()
        },
    )
    .in_unit("LogOpt", Form::Words)
    .commas(),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Logging, flag, set, show)
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("log-driver", "|journald|k8s-file|json-file|none|passthrough"),
    ("log-opt", "path=/[a-z '\\\\]{1,9}|max-size=[0-9]{1,5}[kmg]?b?(,tag=a)?|tag=[a-z{}.]{0,9}|\"tag=[a-z, ']{1,9}\""),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("log-driver", "json-file", &["k8s-file"]),
                ("log-driver", "journald", &["journald"]),
                ("log-opt", "tag={{.Name}},path=/var/log/x", &["path=/var/log/x", "tag={{.Name}}"]),
                ("log-opt", "max-size=10mb", &["max-size=10m"]),
            ],
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("log-driver", "syslog", "expected journald, k8s-file, none or passthrough"),
            ("log-driver", "passthrough-tty", "not supported yet"),
            ("log-opt", "max-file=3", "expected path=, max-size= or tag="),
            ("log-opt", "max-size=big", "invalid size"),
        ]);
    }
}
