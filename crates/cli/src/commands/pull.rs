//! `lodger pull`: images from registries.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use crate::progress::Progress;
use crate::remote::{self, Remote};
use crate::view::version::go_arch;
use engine::Engine;
use engine::config::RegistryOptions;
use spec::options::{Complete, Flag};
use spec::pull::{Pull, PullPolicy};
use spec::{ParseError, Platform};

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
    unsupported: &[Unsupported::with_value("decryption-key", "encrypted images are not supported")],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    remote: Remote,
    all_tags: bool,
    arch: Option<String>,
    os: Option<String>,
    variant: Option<String>,
}

const POLICIES: &[&str] = &["always", "missing", "never", "newer"];

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all-tags", "Pull every tag of the repository").short('a'),
        set: |options, value| switch(&mut options.all_tags, value),
    },
    Opt {
        flag: Flag::with_value("arch", "ARCH", "Choose the image for this architecture"),
        set: |options, value| text(&mut options.arch, value),
    },
    Opt { flag: remote::AUTHFILE, set: |options, value| options.remote.set(&remote::AUTHFILE, value) },
    Opt { flag: remote::CERT_DIR, set: |options, value| options.remote.set(&remote::CERT_DIR, value) },
    Opt { flag: remote::CREDS, set: |options, value| options.remote.set(&remote::CREDS, value) },
    Opt { flag: remote::CONTENT_TRUST, set: |_, _| Ok(()) },
    Opt {
        flag: Flag::with_value("os", "OS", "Choose the image for this operating system"),
        set: |options, value| text(&mut options.os, value),
    },
    Opt {
        flag: Flag::with_value("platform", "OS/ARCH[/VARIANT]", "Choose the image for this platform"),
        set: |options, value| {
            options.remote.pull.platform = Some(Platform::parse(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("policy", "string", "always, missing, never or newer (default always)")
            .complete(Complete::Words(POLICIES)),
        set: |options, value| {
            options.remote.pull.policy = Some(PullPolicy::parse(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("quiet", "Show no progress").short('q'),
        set: |options, value| switch(&mut options.remote.pull.quiet, value),
    },
    Opt { flag: remote::RETRY, set: |options, value| options.remote.set(&remote::RETRY, value) },
    Opt { flag: remote::RETRY_DELAY, set: |options, value| options.remote.set(&remote::RETRY_DELAY, value) },
    Opt { flag: remote::TLS_VERIFY, set: |options, value| options.remote.set(&remote::TLS_VERIFY, value) },
    Opt {
        flag: Flag::with_value("variant", "VARIANT", "Choose the image for this variant of the architecture"),
        set: |options, value| text(&mut options.variant, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    let parts = [&options.arch, &options.os, &options.variant].into_iter().flatten().count();
    if options.remote.pull.platform.is_some() && parts > 0 {
        return Err(call.usage("--platform option can not be specified with --arch, --os or --variant"));
    }
    if parts > 0 {
        options.remote.pull.platform = Some(platform(&options).map_err(|error| call.usage(error.to_string()))?);
    }
    let registry = options.remote.options(&call.path)?;
    let engine = call.engine()?;
    let mut names = call.operands.clone();
    if options.all_tags {
        names.clear();
        for name in &call.operands {
            names.extend(engine.names_of_all_tags(name, &options.remote.pull, &registry)?);
        }
    }
    for name in &names {
        output::print_line(&pull(&engine, name, &options.remote.pull, &registry)?)?;
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
        _ => engine.image_by_policy(name, pull, registry, &report)?,
    };
    Ok(image.id.hex())
}
