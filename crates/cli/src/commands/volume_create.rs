//! `lodger volume create`: a named directory of data.

use crate::command::{Command, Count, Invocation, Opt, flags_of, number, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use engine::Kind;
use engine::volumes::NewVolume;
use spec::ParseError;
use spec::options::Flag;
use std::collections::BTreeMap;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume create"],
    operands: "[NAME]",
    summary: "Create a new volume",
    about: "Makes a volume for use by containers, and prints its name. Without a name it gets one made up.\n\nA volume is a directory of the store. With -o type=tmpfs it is memory that containers share while one of them runs, with -o type=none -o device=PATH -o o=bind a directory of the host. The words of -o o= are uid=, gid=, size=, mode=, nocopy, ro, noexec, nosuid, nodev and propagations such as rslave.",
    examples: &[
        "lodger volume create data",
        "lodger volume create --label app=web --uid 33 --gid 33 data",
        "lodger volume create -o type=tmpfs -o o=size=64m,noexec scratch",
        "lodger volume create -o type=none -o device=/srv/data -o o=bind data",
    ],
    count: Count::AtMost(1),
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    gid: Option<u32>,
    ignore: bool,
    labels: BTreeMap<String, String>,
    opts: BTreeMap<String, String>,
    uid: Option<u32>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("driver", "string", "Only local").short('d'),
        set: |_, value| match value {
            "local" | "" => Ok(()),
            "image" => {
                Err(ParseError("images are mounted with --mount type=image,source=IMAGE,target=PATH".to_owned()))
            }
            _ => Err(ParseError("there is no driver but local".to_owned())),
        },
    },
    Opt {
        flag: Flag::with_value("gid", "uint", "Group of the volume's directory"),
        set: |options, value| {
            options.gid = Some(number(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("ignore", "An existing volume of this name is no error"),
        set: |options, value| switch(&mut options.ignore, value),
    },
    Opt {
        flag: Flag::with_value("label", "stringArray", "Label the volume: NAME=VALUE").short('l'),
        set: |options, value| {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            options.labels.insert(name.to_owned(), value.to_owned());
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("opt", "stringArray", "type=tmpfs, type=none, device=PATH, or o=WORDS as of mount(8)")
            .short('o'),
        set: |options, value| {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            options.opts.insert(name.to_owned(), value.to_owned());
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("uid", "uint", "Owner of the volume's directory"),
        set: |options, value| {
            options.uid = Some(number(value)?);
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let name = call.operands.first().cloned();
    let new = NewVolume { name, labels: options.labels, options: options.opts, uid: options.uid, gid: options.gid };
    let name = match engine.create_volume(new) {
        Ok(volume) => volume.name,
        Err(error) => match &error.kind {
            Kind::VolumeExists(name) if options.ignore => name.clone(),
            _ => return Err(CliError::from(error)),
        },
    };
    output::print_line(&name)?;
    Ok(ExitCode::SUCCESS)
}
