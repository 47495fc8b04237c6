//! Rows of the group `health`: the regular health check.

use super::row::{set_or_clear, set_switch, show_choice, show_switch};
use super::{Flag, Form, Group, Opt};
use crate::duration::Nanoseconds;
use crate::{ContainerSpec, ParseError, word};

const SECOND: Nanoseconds = Nanoseconds(1_000_000_000);

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value(
            "health-cmd",
            "COMMAND",
            "Check with this shell line or JSON list; none disables the image's check",
        ),
        |spec, text| {
            let health = &mut spec.health;
            health.command = None;
            match text {
                "" => {}
                "none" => health.disabled = true,
                text => health.command = Some(text.to_owned()),
            }
            Ok(())
        },
        |spec| show_choice(&spec.health.command),
    )
    .in_unit("HealthCmd", Form::Single),
    row(
        Flag::with_value("health-interval", "DURATION", "Time between checks, or disable (default 30s)"),
        |spec, text| {
            set_or_clear(&mut spec.health.interval, text, |text| match text {
                "disable" => Ok(Nanoseconds(0)),
                text => Nanoseconds::parse(text),
            })
        },
        |spec| {
            let shown = |interval: &Nanoseconds| match interval.0 {
                0 => "disable".to_owned(),
                _ => interval.to_string(),
            };
            spec.health.interval.iter().map(shown).collect()
        },
    )
    .in_unit("HealthInterval", Form::Single),
    row(
        Flag::with_value("health-timeout", "DURATION", "Most time for one check (default 30s)"),
        |spec, text| {
            set_or_clear(&mut spec.health.timeout, text, |text| match Nanoseconds::parse(text)? {
                timeout if timeout < SECOND => {
                    Err(ParseError::new("timeout", text, "healthcheck-timeout must be at least 1 second"))
                }
                timeout => Ok(timeout),
            })
        },
        |spec| show_choice(&spec.health.timeout),
    )
    .in_unit("HealthTimeout", Form::Single),
    row(
        Flag::with_value(
            "health-start-period",
            "DURATION",
            "Time to start in which failures do not count (default 0s)",
        ),
        |spec, text| set_or_clear(&mut spec.health.start_period, text, Nanoseconds::parse),
        |spec| show_choice(&spec.health.start_period),
    )
    .in_unit("HealthStartPeriod", Form::Single),
    row(
        Flag::with_value("health-retries", "NUMBER", "Failures until the container is unhealthy (default 3)"),
        |spec, text| {
            let parse = |text: &str| word::number("number of retries", text, 1, u32::MAX);
            set_or_clear(&mut spec.health.retries, text, parse)
        },
        |spec| show_choice(&spec.health.retries),
    )
    .in_unit("HealthRetries", Form::Single),
    row(
        Flag::switch("no-healthcheck", "Do not check, whatever the image says"),
        |spec, text| set_switch(&mut spec.health.disabled, text),
        |spec| show_switch(spec.health.disabled),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Health, flag, set, show)
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("health-cmd", "|none|[ -~]{1,20}|a\nb|\\[\"a\"\\]"),
    ("health-interval", "|disable|[0-9]{1,3}(s|m)|1m30\\.5s|[0-9]\\.[0-9]{1,9}s|0"),
    ("health-timeout", "[1-9][0-9]{0,2}(\\.[0-9]{1,6})?s"),
    ("health-start-period", "[0-9]{1,3}(ms|us|ns|h)"),
    ("health-retries", "|[1-9]"),
    ("no-healthcheck", "true|false"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("health-cmd", "curl -f http://localhost/", &["curl -f http://localhost/"]),
                ("health-cmd", "none", &[]),
                ("health-interval", "90s", &["1m30s"]),
                ("health-interval", "disable", &["disable"]),
                ("health-timeout", "5s", &["5s"]),
                ("health-start-period", "2m", &["2m0s"]),
                ("health-retries", "5", &["5"]),
                ("no-healthcheck", "true", &["true"]),
            ],
        );
        assert!(checks::set("health-cmd", "none").unwrap().health.disabled);
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("health-interval", "30", "expected numbers with units such as 30s"),
            ("health-timeout", "500ms", "healthcheck-timeout must be at least 1 second"),
            ("health-start-period", "soon", "expected numbers with units"),
            ("health-retries", "0", "from 1 to"),
        ]);
    }
}
