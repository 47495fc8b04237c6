//! Rows of the group `lifecycle`: restart, stop, removal, readiness.

use super::row::{set_or_clear, set_switch, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Key, Opt};
use crate::duration::Seconds;
use crate::lifecycle::{Restart, SdNotify};
use crate::signal::Signal;
use crate::{ContainerSpec, ParseError};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::switch("detach", "Run in the background and print the container's ID").short('d'),
        |spec, text| set_switch(&mut spec.lifecycle.detach, text),
        |spec| show_switch(spec.lifecycle.detach),
    )
    .run_only(),
    row(
        Flag::switch("rm", "Remove the container when it ends"),
        |spec, text| set_switch(&mut spec.lifecycle.remove, text),
        |spec| show_switch(spec.lifecycle.remove),
    ),
    row(
        Flag::switch("rmi", "Remove the image too, unless another container uses it"),
        |spec, text| set_switch(&mut spec.lifecycle.remove_image, text),
        |spec| show_switch(spec.lifecycle.remove_image),
    )
    .run_only(),
    row(
        Flag::with_value("restart", "POLICY", "no, on-failure[:N], always or unless-stopped (default no)")
            .complete(Complete::Words(&["no", "on-failure", "always", "unless-stopped"])),
        |spec, text| set_or_clear(&mut spec.lifecycle.restart, text, Restart::parse),
        |spec| show_choice(&spec.lifecycle.restart),
    ),
    row(
        Flag::with_value(
            "stop-signal",
            "SIGNAL",
            "Signal that asks the process to end (default the image's, or SIGTERM)",
        )
        .complete(Complete::Signals),
        |spec, text| set_or_clear(&mut spec.lifecycle.stop_signal, text, Signal::parse),
        |spec| show_choice(&spec.lifecycle.stop_signal),
    )
    .in_unit("StopSignal", Form::Single),
    row(
        Flag::with_value("stop-timeout", "SECONDS", "Time to end before it is killed (default 10)"),
        |spec, text| set_or_clear(&mut spec.lifecycle.stop_timeout, text, Seconds::parse),
        |spec| show_choice(&spec.lifecycle.stop_timeout),
    )
    .in_unit("StopTimeout", Form::Single),
    row(
        Flag::with_value("timeout", "SECONDS", "Kill the container after this time (default 0: never)"),
        |spec, text| set_or_clear(&mut spec.lifecycle.timeout, text, Seconds::parse),
        |spec| show_choice(&spec.lifecycle.timeout),
    ),
    row(
        Flag::with_value("sdnotify", "MODE", "Who tells systemd that the service is ready (default container)")
            .complete(Complete::Words(&["container", "conmon", "ignore"])),
        |spec, text| set_or_clear(&mut spec.lifecycle.sdnotify, text, SdNotify::parse),
        |spec| show_choice(&spec.lifecycle.sdnotify),
    )
    .other_keys(|spec| match spec.lifecycle.sdnotify {
        Some(SdNotify::Ignore) => vec![SdNotify::Ignore.to_string()],
        _ => Vec::new(),
    }),
    Opt::only_key(
        Group::Lifecycle,
        Key::new(
            "Notify",
            Form::Single,
            "Who says that the service is ready: false (lodger), or true (the program inside)",
        ),
        |spec, text| {
            let yes = ["1", "yes", "true", "on"].iter().any(|word| word.eq_ignore_ascii_case(text));
            spec.lifecycle.sdnotify = Some(match text {
                "healthy" => SdNotify::Healthy,
                _ if yes => SdNotify::Container,
                _ => SdNotify::Conmon,
            });
            Ok(())
        },
        |spec| {
            let word = match spec.lifecycle.sdnotify {
                Some(SdNotify::Container) => "true",
                Some(SdNotify::Conmon) => "false",
                Some(SdNotify::Healthy) => "healthy",
                Some(SdNotify::Ignore) | None => return Vec::new(),
            };
            vec![word.to_owned()]
        },
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Lifecycle, flag, set, show)
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("detach", "true|false"),
    ("rm", "true|false"),
    ("rmi", "true|false"),
    ("restart", "|no|never|always|unless-stopped|on-failure(:[0-9]{1,3})?"),
    ("stop-signal", "|SIGTERM|int|9|RTMIN\\+3|SIGRTMAX"),
    ("stop-timeout", "|-1|[0-9]{1,5}"),
    ("timeout", "[0-9]{1,5}"),
    ("sdnotify", "|container|conmon|healthy|ignore"),
    ("Notify", "true|no|Healthy|healthy|1"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("detach", "true", &["true"]),
                ("rm", "true", &["true"]),
                ("rmi", "true", &["true"]),
                ("restart", "never", &["no"]),
                ("restart", "always", &["always"]),
                ("restart", "unless-stopped", &["unless-stopped"]),
                ("restart", "on-failure:3", &["on-failure:3"]),
                ("stop-signal", "int", &["SIGINT"]),
                ("stop-timeout", "30", &["30"]),
                ("stop-timeout", "-1", &["-1"]),
                ("timeout", "60", &["60"]),
                ("sdnotify", "conmon", &["conmon"]),
                ("Notify", "YES", &["true"]),
                ("Notify", "no", &["false"]),
                ("Notify", "healthy", &["healthy"]),
            ],
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("restart", "sometimes", "expected no, on-failure[:max-retries], always or unless-stopped"),
            ("restart", "always:3", "expected no, on-failure"),
            ("restart", "on-failure:many", "expected no, on-failure"),
            ("stop-signal", "SIGFOO", "expected a name such as SIGTERM"),
            ("stop-timeout", "10s", "expected whole seconds"),
            ("timeout", "-5", "expected whole seconds"),
            ("sdnotify", "maybe", "expected container, conmon, healthy or ignore"),
        ]);
    }
}
