//! Rows of the group `health`: that an image's health check is not wanted.
//!
//! Checks of one's own are refused in `unsupported` until somebody runs them.

use super::row::{set_switch, show_switch};
use super::{Flag, Group, Opt};

pub(super) const ROWS: &[Opt] = &[Opt::flag(
    Group::Health,
    Flag::switch("no-healthcheck", "Do not check, whatever the image says"),
    |spec, text| set_switch(&mut spec.health.disabled, text),
    |spec| show_switch(spec.health.disabled),
)];

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[("no-healthcheck", "true|false")];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(super::ROWS, &[("no-healthcheck", "true", &["true"])]);
    }
}
