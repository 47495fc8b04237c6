//! Rows of the group `health`: how it is found out whether a container works.

use super::row::{set_or_clear, set_switch, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Opt};
use crate::duration::Nanoseconds;
use crate::health::OnFailure;
use crate::{ContainerSpec, ParseError, word};

const SECOND: u64 = 1_000_000_000;

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::switch("no-healthcheck", "Do not check, whatever the image says"),
        |spec, text| set_switch(&mut spec.health.disabled, text),
        |spec| show_switch(spec.health.disabled),
    ),
    row(
        Flag::with_value("health-cmd", "COMMAND", "Command that checks the container; none = no check"),
        |spec, text| set_or_clear(&mut spec.health.command, text, |text| word::plain("health command", text)),
        |spec| show_choice(&spec.health.command),
    )
    .in_unit("HealthCmd", Form::Single),
    row(
        Flag::with_value("health-interval", "TIME", "Time between two checks, or disable (default 30s)"),
        |spec, text| set_or_clear(&mut spec.health.interval, text, |text| interval("healthcheck-interval", text)),
        |spec| show_interval(spec.health.interval),
    )
    .in_unit("HealthInterval", Form::Single),
    row(
        Flag::with_value("health-timeout", "TIME", "Most time that a check may take (default 30s)"),
        |spec, text| set_or_clear(&mut spec.health.timeout, text, |text| timeout("healthcheck-timeout", text)),
        |spec| show_choice(&spec.health.timeout),
    )
    .in_unit("HealthTimeout", Form::Single),
    row(
        Flag::with_value("health-start-period", "TIME", "Time in which failures do not count (default 0s)"),
        |spec, text| set_or_clear(&mut spec.health.start_period, text, Nanoseconds::parse),
        |spec| show_choice(&spec.health.start_period),
    )
    .in_unit("HealthStartPeriod", Form::Single),
    row(
        Flag::with_value("health-retries", "NUMBER", "Failures until the container is unhealthy (default 3)"),
        |spec, text| {
            set_or_clear(&mut spec.health.retries, text, |text| word::number("healthcheck-retries", text, 1, u32::MAX))
        },
        |spec| show_choice(&spec.health.retries),
    )
    .in_unit("HealthRetries", Form::Single),
    row(
        Flag::with_value("health-on-failure", "ACTION", "What happens to an unhealthy container (default none)")
            .complete(Complete::Words(&["none", "kill", "restart", "stop"])),
        |spec, text| set_or_clear(&mut spec.health.on_failure, text, OnFailure::parse),
        |spec| show_choice(&spec.health.on_failure),
    )
    .in_unit("HealthOnFailure", Form::Single),
    row(
        Flag::with_value("health-startup-cmd", "COMMAND", "Command that must succeed before the checks begin"),
        |spec, text| set_or_clear(&mut spec.health.startup.command, text, |text| word::plain("health command", text)),
        |spec| show_choice(&spec.health.startup.command),
    )
    .in_unit("HealthStartupCmd", Form::Single),
    row(
        Flag::with_value("health-startup-interval", "TIME", "Time between two of these, or disable (default 30s)"),
        |spec, text| {
            set_or_clear(&mut spec.health.startup.interval, text, |text| interval("startup healthcheck-interval", text))
        },
        |spec| show_interval(spec.health.startup.interval),
    )
    .in_unit("HealthStartupInterval", Form::Single),
    row(
        Flag::with_value(
            "health-startup-retries",
            "NUMBER",
            "Failures until the container is restarted (default 0, any)",
        ),
        |spec, text| set_or_clear(&mut spec.health.startup.retries, text, |text| count("startup retries", text)),
        |spec| show_choice(&spec.health.startup.retries),
    )
    .in_unit("HealthStartupRetries", Form::Single),
    row(
        Flag::with_value("health-startup-success", "NUMBER", "Successes until the checks begin (default 0, one)"),
        |spec, text| set_or_clear(&mut spec.health.startup.successes, text, |text| count("startup successes", text)),
        |spec| show_choice(&spec.health.startup.successes),
    )
    .in_unit("HealthStartupSuccess", Form::Single),
    row(
        Flag::with_value("health-startup-timeout", "TIME", "Most time that one of these may take (default 30s)"),
        |spec, text| {
            set_or_clear(&mut spec.health.startup.timeout, text, |text| timeout("startup healthcheck-timeout", text))
        },
        |spec| show_choice(&spec.health.startup.timeout),
    )
    .in_unit("HealthStartupTimeout", Form::Single),
    row(
        Flag::with_value("health-log-destination", "PLACE", "local, events_logger or a directory (default local)")
            .complete(Complete::Directory),
        |spec, text| set_or_clear(&mut spec.health.log_destination, text, log_destination),
        |spec| show_choice(&spec.health.log_destination),
    )
    .in_unit("HealthLogDestination", Form::Single),
    row(
        Flag::with_value("health-max-log-count", "NUMBER", "Results that are kept; 0 = all (default 5)"),
        |spec, text| set_or_clear(&mut spec.health.max_log_count, text, |text| count("number of results", text)),
        |spec| show_choice(&spec.health.max_log_count),
    )
    .in_unit("HealthMaxLogCount", Form::Single),
    row(
        Flag::with_value(
            "health-max-log-size",
            "NUMBER",
            "Characters of a result that are kept; 0 = all (default 500)",
        ),
        |spec, text| set_or_clear(&mut spec.health.max_log_size, text, |text| count("number of characters", text)),
        |spec| show_choice(&spec.health.max_log_size),
    )
    .in_unit("HealthMaxLogSize", Form::Single),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Health, flag, set, show)
}

/// A length of time, or `disable`.
fn interval(what: &str, text: &str) -> Result<Nanoseconds, ParseError> {
    match text {
        "disable" => Ok(Nanoseconds(0)),
        text => Nanoseconds::parse(text).map_err(|error| ParseError(format!("invalid {what}: {error}"))),
    }
}

fn show_interval(interval: Option<Nanoseconds>) -> Vec<String> {
    interval.iter().map(|time| if time.0 == 0 { "disable".to_owned() } else { time.to_string() }).collect()
}

fn timeout(what: &str, text: &str) -> Result<Nanoseconds, ParseError> {
    let time = Nanoseconds::parse(text).map_err(|error| ParseError(format!("invalid {what}: {error}")))?;
    if time.0 < SECOND { Err(ParseError(format!("{what} must be at least 1 second"))) } else { Ok(time) }
}

fn count(what: &str, text: &str) -> Result<u32, ParseError> {
    word::number(what, text, 0, u32::MAX)
}

fn log_destination(text: &str) -> Result<String, ParseError> {
    match text {
        "local" | "events_logger" => Ok(text.to_owned()),
        path if path.starts_with('/') => word::plain("directory of health logs", path),
        _ => Err(ParseError::new("health log destination", text, "expected local, events_logger or an absolute path")),
    }
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("no-healthcheck", "true|false"),
    ("health-cmd", "|none|curl -f [a-z ]{1,9}|\\[\"[a-z]{1,5}\",\"x\"\\]"),
    ("health-interval", "|disable|[1-9][0-9]?s|1m30s"),
    ("health-timeout", "|[1-9][0-9]?s|1m30s"),
    ("health-start-period", "|0s|[1-9][0-9]?s"),
    ("health-retries", "|[1-9]"),
    ("health-on-failure", "|none|kill|restart|stop"),
    ("health-startup-cmd", "|[a-z ]{1,9}"),
    ("health-startup-interval", "|disable|[1-9]s"),
    ("health-startup-retries", "|[0-9]"),
    ("health-startup-success", "|[0-9]"),
    ("health-startup-timeout", "|[1-9]s"),
    ("health-log-destination", "|local|events_logger|/[a-z]{1,5}"),
    ("health-max-log-count", "|[0-9]{1,3}"),
    ("health-max-log-size", "|[0-9]{1,3}"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("no-healthcheck", "true", &["true"]),
                ("health-cmd", "curl x", &["curl x"]),
                ("health-interval", "disable", &["disable"]),
                ("health-interval", "90s", &["1m30s"]),
                ("health-timeout", "7s", &["7s"]),
                ("health-start-period", "2s", &["2s"]),
                ("health-retries", "4", &["4"]),
                ("health-on-failure", "kill", &["kill"]),
                ("health-startup-cmd", "true", &["true"]),
                ("health-startup-interval", "3s", &["3s"]),
                ("health-startup-retries", "2", &["2"]),
                ("health-startup-success", "3", &["3"]),
                ("health-startup-timeout", "6s", &["6s"]),
                ("health-log-destination", "/tmp", &["/tmp"]),
                ("health-max-log-count", "3", &["3"]),
                ("health-max-log-size", "100", &["100"]),
            ],
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("health-interval", "1", "invalid healthcheck-interval"),
            ("health-timeout", "0s", "must be at least 1 second"),
            ("health-retries", "0", "expected a whole number from 1"),
            ("health-on-failure", "bla", "expected none, kill, restart or stop"),
            ("health-start-period", "-1s", "invalid duration"),
            ("health-log-destination", "here", "expected local, events_logger or an absolute path"),
        ]);
    }
}
