//! `lodger volume create`: a named directory of data.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, number, switch};
use crate::error::{CliError, Result};
use crate::output;
use engine::Kind;
use engine::volumes::NewVolume;
use spec::ParseError;
use spec::options::Flag;
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume create"],
    operands: "[NAME]",
    summary: "Create a new volume",
    about: "Makes a volume for use by containers, and prints its name. Without a name it gets one made up.",
    examples: &["lodger volume create data", "lodger volume create --label app=web --uid 33 --gid 33 data"],
    count: Count::AtMost(1),
    flags: || flags_of(OPTIONS),
    unsupported: &[Unsupported::with_value("opt", "mount a directory of the host with -v instead").short('o')],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    gid: u32,
    ignore: bool,
    labels: BTreeMap<String, String>,
    uid: u32,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("driver", "string", "Only local").short('d'),
        set: |_, value| match value {
            "local" | "" => Ok(()),
            _ => Err(ParseError("there is no driver but local".to_owned())),
        },
    },
    Opt {
        flag: Flag::with_value("gid", "uint", "Group of the volume's directory"),
        set: |options, value| {
            options.gid = number(value)?;
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
        flag: Flag::with_value("uid", "uint", "Owner of the volume's directory"),
        set: |options, value| {
            options.uid = number(value)?;
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let name = call.operands.first().cloned();
    let new = NewVolume { name, labels: options.labels, uid: options.uid, gid: options.gid };
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
