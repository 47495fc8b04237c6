//! `lodger push`: images to registries.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output::{self, Keep, escape};
use crate::remote::{self, Remote};
use engine::images::{Destination, Family, Given, PushEvent, PushOptions};
use spec::ParseError;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["push", "image push"],
    operands: "IMAGE [DESTINATION]",
    summary: "Push an image to a specified destination",
    about: "Sends an image to the registry in its name, or to a destination: [docker://]REGISTRY/NAME, dir:PATH, oci:PATH, oci-archive:PATH or docker-archive:PATH. Layers that the registry has are not sent.",
    examples: &[
        "lodger push registry.example/team/web:1.4",
        "lodger push localhost/web registry.example/team/web:1.4",
        "lodger push --digestfile digest.txt localhost/web oci:/srv/web",
    ],
    count: Count::Any,
    complete: &[Complete::Images, Complete::Nothing],
    flags: || flags_of(OPTIONS),
    unsupported: &[
        Unsupported::with_value(
            "compression-format",
            "layers are packed with gzip, which every registry and tool reads",
        ),
        Unsupported::with_value("compression-level", "layers are packed with one level"),
        Unsupported::with_value("encrypt-layer", ENCRYPTED),
        Unsupported::with_value("encryption-key", ENCRYPTED),
        Unsupported::switch("force-compression", "layers that the registry has are not packed again"),
        Unsupported::with_value("sign-by", SIGNED),
        Unsupported::with_value("sign-by-sigstore", SIGNED),
        Unsupported::with_value("sign-by-sigstore-private-key", SIGNED),
        Unsupported::with_value("sign-by-sq-fingerprint", SIGNED),
        Unsupported::with_value("sign-passphrase-file", SIGNED),
    ],
    run,
    ..Command::PLAIN
};

const ENCRYPTED: &str = "encrypted images are not supported";
const SIGNED: &str = "sign with cosign or skopeo after the push";
const FORMATS: &[&str] = &["oci", "v2s2"];

#[derive(Default)]
struct Options {
    remote: Remote,
    push: PushOptions,
    digestfile: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: remote::AUTHFILE, set: |options, value| options.remote.set(&remote::AUTHFILE, value) },
    Opt { flag: remote::CERT_DIR, set: |options, value| options.remote.set(&remote::CERT_DIR, value) },
    Opt {
        flag: Flag::switch("compress", "Compress the layers of a dir: destination"),
        set: |options, value| switch(&mut options.push.compress, value),
    },
    Opt { flag: remote::CREDS, set: |options, value| options.remote.set(&remote::CREDS, value) },
    Opt {
        flag: Flag::with_value("digestfile", "string", "Write the digest of the pushed manifest to this file")
            .complete(Complete::File),
        set: |options, value| text(&mut options.digestfile, value),
    },
    Opt { flag: remote::CONTENT_TRUST, set: |_, _| Ok(()) },
    Opt {
        flag: Flag::with_value("format", "string", "Kind of manifest: oci or v2s2 (default as the image came)")
            .short('f')
            .complete(Complete::Words(FORMATS)),
        set: |options, value| {
            options.push.family = Some(match value {
                "oci" => Family::Oci,
                "v2s2" | "docker" => Family::Docker,
                _ => return Err(ParseError(format!("unknown format {value:?}, choose one of: oci, v2s2"))),
            });
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("quiet", "Show no progress").short('q'),
        set: |options, value| switch(&mut options.remote.pull.quiet, value),
    },
    Opt {
        flag: Flag::switch("remove-signatures", "Accepted for compatibility; no signatures are kept in the store"),
        set: |_, _| Ok(()),
    },
    Opt { flag: remote::RETRY, set: |options, value| options.remote.set(&remote::RETRY, value) },
    Opt { flag: remote::RETRY_DELAY, set: |options, value| options.remote.set(&remote::RETRY_DELAY, value) },
    Opt { flag: remote::TLS_VERIFY, set: |options, value| options.remote.set(&remote::TLS_VERIFY, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let [image, to @ ..] = call.operands.as_slice() else {
        return Err(call.usage(
            "push requires at least one image name, or optionally a second to specify a different destination",
        ));
    };
    if to.len() > 1 {
        return Err(call.usage(
            "push requires at least one image name, or optionally a second to specify a different destination",
        ));
    }
    let to = to.first().map(|text| Destination::parse(text, &options.push)).transpose()?;
    let registry = options.remote.options(&call.path)?;
    let engine = call.engine()?;
    let quiet = options.remote.pull.quiet;
    let report = |event: PushEvent<'_>| {
        if !quiet {
            tell(event);
        }
    };
    let remote = (&options.remote.pull, &registry);
    let pushed = engine.push(image, to.as_ref(), &options.push, remote, &report)?;
    if let (Some(path), Some(digest)) = (&options.digestfile, pushed.digest) {
        std::fs::write(path, digest.to_string())
            .map_err(|source| CliError::Io { operation: format!("write {path:?}"), source })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of progress, as podman writes it.
fn tell(event: PushEvent<'_>) {
    let line = match event {
        PushEvent::Layer(digest, Given::Sent) => format!("Copying blob {digest}"),
        PushEvent::Layer(digest, Given::Present) => format!("Copying blob {digest} skipped: already exists"),
        PushEvent::Layer(digest, Given::Mounted) => format!("Copying blob {digest} skipped: mounted from elsewhere"),
        PushEvent::Config(digest) => format!("Copying config {digest}"),
        PushEvent::Manifest => "Writing manifest to image destination".to_owned(),
    };
    output::progress_line(&escape(&line, Keep::Nothing));
}
