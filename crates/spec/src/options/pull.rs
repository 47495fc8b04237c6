//! Rows of the group `pull`: how the image is fetched.
//!
//! `--os`, `--arch` and `--variant` each set a part of the platform; it is shown whole, as `--platform`.

use super::row::{set_choice, set_or_clear, set_switch, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Opt};
use crate::duration::Nanoseconds;
use crate::pull::PullPolicy;
use crate::{ContainerSpec, ParseError, Platform, word};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value("pull", "POLICY", "always, missing, never or newer (default missing)")
            .complete(Complete::Words(&["always", "missing", "never", "newer"])),
        |spec, text| set_or_clear(&mut spec.pull.policy, text, PullPolicy::parse),
        |spec| show_choice(&spec.pull.policy),
    )
    .in_unit("Pull", Form::Single),
    row(
        Flag::with_value(
            "platform",
            "OS/ARCH[/VARIANT]",
            "Choose the image for this platform (default this machine's)",
        ),
        |spec, text| set_or_clear(&mut spec.pull.platform, text, Platform::parse),
        |spec| show_choice(&spec.pull.platform),
    ),
    row(
        Flag::with_value("os", "OS", "Choose the image for this operating system"),
        |spec, text| set_platform(spec, |platform| platform.os = text.to_owned()),
        |_| Vec::new(),
    ),
    row(
        Flag::with_value("arch", "ARCH", "Choose the image for this architecture"),
        |spec, text| set_platform(spec, |platform| platform.architecture = text.to_owned()),
        |_| Vec::new(),
    ),
    row(
        Flag::with_value("variant", "VARIANT", "Choose the image for this variant of the architecture"),
        |spec, text| set_platform(spec, |platform| platform.variant = Some(text.to_owned())),
        |_| Vec::new(),
    ),
    row(
        Flag::with_value("authfile", "FILE", "File with the registry's credentials").complete(Complete::File),
        |spec, text| set_or_clear(&mut spec.pull.authfile, text, |text| word::plain("file name", text)),
        |spec| show_choice(&spec.pull.authfile),
    ),
    row(
        Flag::with_value("cert-dir", "DIR", "Trust the registry's certificates in this directory")
            .complete(Complete::Directory),
        |spec, text| set_or_clear(&mut spec.pull.cert_dir, text, |text| word::plain("directory name", text)),
        |spec| show_choice(&spec.pull.cert_dir),
    ),
    row(
        Flag::with_value("creds", "USER[:PASSWORD]", "Log in at the registry with these credentials"),
        |spec, text| {
            // Anything is taken here: an error would quote it.
            spec.pull.creds.0 = (!text.is_empty()).then(|| text.to_owned());
            Ok(())
        },
        |spec| show_choice(&spec.pull.creds.0),
    ),
    row(
        Flag::switch("tls-verify", "Require HTTPS and check certificates (default true)"),
        |spec, text| set_choice(&mut spec.pull.tls_verify, text),
        |spec| show_choice(&spec.pull.tls_verify),
    ),
    row(
        Flag::with_value("retry", "NUMBER", "Try again so often when the registry fails (default 3)"),
        |spec, text| set_or_clear(&mut spec.pull.retry, text, |text| word::number("number of retries", text, 0, 1000)),
        |spec| show_choice(&spec.pull.retry),
    )
    .in_unit("Retry", Form::Single),
    row(
        Flag::with_value("retry-delay", "DURATION", "Wait so long before trying again, such as 5s"),
        |spec, text| set_or_clear(&mut spec.pull.retry_delay, text, parse_delay),
        |spec| spec.pull.retry_delay.iter().map(|delay| format!("{delay}s")).collect(),
    )
    .in_unit("RetryDelay", Form::Single),
    row(
        Flag::switch("quiet", "Do not show the progress of a pull").short('q'),
        |spec, text| set_switch(&mut spec.pull.quiet, text),
        |spec| show_switch(spec.pull.quiet),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Pull, flag, set, show)
}

/// Changes one part of the platform, starting from this machine's, and checks the whole.
fn set_platform(spec: &mut ContainerSpec, change: impl FnOnce(&mut Platform)) -> Result<(), ParseError> {
    let mut platform = spec.pull.platform.clone().unwrap_or_else(Platform::native);
    change(&mut platform);
    spec.pull.platform = Some(Platform::parse(&platform.to_string())?);
    Ok(())
}

/// Whole seconds, as a number or a duration.
fn parse_delay(text: &str) -> Result<u64, ParseError> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(u64::from(seconds));
    }
    let Nanoseconds(delay) = Nanoseconds::parse(text)?;
    match delay % 1_000_000_000 {
        0 => Ok(delay / 1_000_000_000),
        _ => Err(ParseError::new("delay", text, "expected whole seconds")),
    }
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("pull", "|always|missing|never|newer|ifnewer"),
    ("platform", "|linux/(amd64|arm/v7|arm64/v8|aarch64|x86_64)"),
    ("os", "linux|windows"),
    ("arch", "arm64|arm|x86_64"),
    ("variant", "v[5-8]"),
    ("authfile", "|/run/[a-z ]{1,9}"),
    ("cert-dir", "|/etc/[a-z ]{1,9}"),
    ("creds", "|[a-z]{1,9}:[a-z]{0,9}"),
    ("tls-verify", "true|false"),
    ("retry", "|[0-9]{1,3}"),
    ("retry-delay", "|[0-9]{1,4}(s|m)?"),
    ("quiet", "true|false"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("pull", "newer", &["newer"]),
                ("platform", "linux/aarch64/v8", &["linux/arm64"]),
                ("os", "linux", &[]),
                ("arch", "arm", &[]),
                ("variant", "v7", &[]),
                ("authfile", "/a.json", &["/a.json"]),
                ("cert-dir", "/certs", &["/certs"]),
                ("creds", "me:pw", &["me:pw"]),
                ("tls-verify", "false", &["false"]),
                ("retry", "0", &["0"]),
                ("retry-delay", "1m30s", &["90s"]),
                ("retry-delay", "5", &["5s"]),
                ("quiet", "true", &["true"]),
            ],
        );
    }

    #[test]
    fn parts_of_a_platform_add_up_in_any_order() {
        for given in [[("arch", "arm"), ("variant", "v7")], [("variant", "v7"), ("arch", "arm")]] {
            let platform = checks::set_all(&given).unwrap().pull.platform.unwrap();
            assert_eq!(platform.to_string(), "linux/arm/v7");
        }
    }

    #[test]
    fn a_password_is_neither_kept_nor_printed() {
        let spec = checks::set_all(&[("creds", "me:hunter2")]).unwrap();
        assert_eq!(spec.pull.creds.0.as_deref(), Some("me:hunter2"));
        assert!(!format!("{spec:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&spec).unwrap().contains("hunter2"));
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("pull", "daily", "expected always, missing, never or newer"),
            ("platform", "arm64", "expected os/arch or os/arch/variant"),
            ("arch", "a/b/c", "expected os/arch"),
            ("retry", "-1", "expected a whole number"),
            ("retry-delay", "500ms", "expected whole seconds"),
        ]);
    }
}
