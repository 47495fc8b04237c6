//! `lodger pull`: images from registries.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, number, switch, text};
use crate::error::{CliError, Result};
use crate::progress::Progress;
use crate::view::version::go_arch;
use crate::{output, password};
use engine::config::RegistryOptions;
use engine::{Credentials, Engine};
use spec::options::parse::parse_switch;
use spec::options::{Complete, Flag};
use spec::pull::{Pull, PullPolicy};
use spec::{ParseError, Platform};
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["pull", "image pull"],
    operands: "IMAGE [IMAGE...]",
    summary: "Pull an image from a registry",
    about: "Fetches images from registries into local storage, and prints the ID of each.",
    examples: &[
        "lodger pull docker.io/library/alpine:3.20",
        "lodger pull --platform linux/arm64 docker.io/library/alpine",
        "lodger pull --policy newer quay.io/team/web",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    unsupported: &[
        Unsupported::switch("all-tags", "name the tags that are wanted").short('a'),
        Unsupported::with_value("decryption-key", "encrypted images are not supported"),
    ],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    pull: Pull,
    arch: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    cert_dir: Option<String>,
    creds: Option<String>,
}

const POLICIES: &[&str] = &["always", "missing", "never", "newer"];

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("arch", "ARCH", "Choose the image for this architecture"),
        set: |options, value| text(&mut options.arch, value),
    },
    Opt {
        flag: Flag::with_value("authfile", "string", "Read credentials from this file").complete(Complete::File),
        set: |options, value| text(&mut options.pull.authfile, value),
    },
    Opt {
        flag: Flag::with_value("cert-dir", "string", "Trust the certificates in this directory")
            .complete(Complete::Directory),
        set: |options, value| text(&mut options.cert_dir, value),
    },
    Opt {
        flag: Flag::with_value("creds", "USER[:PASSWORD]", "Log in with these credentials"),
        set: |options, value| text(&mut options.creds, value),
    },
    Opt { flag: Flag::switch("disable-content-trust", "Accepted for compatibility, as in podman"), set: |_, _| Ok(()) },
    Opt {
        flag: Flag::with_value("os", "OS", "Choose the image for this operating system"),
        set: |options, value| text(&mut options.os, value),
    },
    Opt {
        flag: Flag::with_value("platform", "OS/ARCH[/VARIANT]", "Choose the image for this platform"),
        set: |options, value| {
            options.pull.platform = Some(Platform::parse(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("policy", "string", "always, missing, never or newer (default always)")
            .complete(Complete::Words(POLICIES)),
        set: |options, value| {
            options.pull.policy = Some(PullPolicy::parse(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("quiet", "Show no progress").short('q'),
        set: |options, value| switch(&mut options.pull.quiet, value),
    },
    Opt {
        flag: Flag::with_value("retry", "uint", "How often a failed transfer is tried again"),
        set: |options, value| {
            options.pull.retry = Some(number(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("retry-delay", "string", "How long to wait before that, such as 5s"),
        set: |options, value| {
            options.pull.retry_delay = Some(delay(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("tls-verify", "Require https and check certificates (default as registries.conf says)"),
        set: |options, value| {
            options.pull.tls_verify = Some(parse_switch(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("variant", "VARIANT", "Choose the image for this variant of the architecture"),
        set: |options, value| text(&mut options.variant, value),
    },
];

/// Whole seconds, or a duration.
fn delay(value: &str) -> Result<u64, ParseError> {
    match value.parse() {
        Ok(seconds) => Ok(seconds),
        Err(_) => spec::duration::Nanoseconds::parse(value).map(|duration| duration.0.div_ceil(1_000_000_000)),
    }
}

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    let parts = [&options.arch, &options.os, &options.variant].into_iter().flatten().count();
    if options.pull.platform.is_some() && parts > 0 {
        return Err(call.usage("--platform option can not be specified with --arch, --os or --variant"));
    }
    if parts > 0 {
        options.pull.platform = Some(platform(&options).map_err(|error| call.usage(error.to_string()))?);
    }
    let registry = RegistryOptions {
        credentials: options.creds.as_deref().map(credentials).transpose()?,
        cert_dir: options.cert_dir.as_ref().map(Into::into),
    };
    let engine = call.engine()?;
    for name in &call.operands {
        output::print_line(&pull(&engine, name, &options.pull, &registry)?)?;
    }
    engine.tidy();
    Ok(ExitCode::SUCCESS)
}

/// What `--os`, `--arch` and `--variant` come to.
fn platform(options: &Options) -> Result<Platform, ParseError> {
    let os = options.os.as_deref().unwrap_or("linux");
    let arch = options.arch.as_deref().unwrap_or(go_arch());
    let variant = options.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    Platform::parse(&format!("{os}/{arch}{variant}"))
}

/// The image's ID.
fn pull(engine: &Engine, name: &str, pull: &Pull, registry: &RegistryOptions) -> Result<String> {
    let progress = if pull.quiet { Progress::none() } else { Progress::new() };
    let report = |event: engine::PullEvent<'_>| progress.event(event);
    let image = match pull.policy.unwrap_or(PullPolicy::Always) {
        PullPolicy::Always => engine.pull(name, pull, registry, &report)?,
        _ => engine.image_for(name, pull, &report)?,
    };
    Ok(image.id.hex())
}

/// `user:password`; without a password it is asked for, and not shown.
fn credentials(text: &str) -> Result<Credentials> {
    let whole = match text.contains(':') || text.is_empty() {
        true => text.to_owned(),
        false => format!("{text}:{}", password::ask("Password: ")?),
    };
    // The text is not quoted: it is a secret.
    Credentials::parse(&whole).map_err(|error| CliError::usage(error.to_string(), "pull"))
}
