//! `lodger system df`: what takes room.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::format::{Heading, List, Show, is_json, list};
use crate::output;
use crate::view::usage::{ContainerRow, Detail, ImageRow, Total, VolumeRow};
use engine::system::Usage;
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["system df"],
    summary: "Show disk usage",
    about: "Shows how much room images, containers and volumes take, and how much of it could be had back.",
    examples: &["lodger system df", "lodger system df --verbose", "lodger system df --format '{{.Type}} {{.Size}}'"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
    verbose: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each")
            .short('f'),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("verbose", "Show every image, container and volume").short('v'),
        set: |options, value| switch(&mut options.verbose, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.verbose && options.format.is_some() {
        return Err(call.usage("cannot combine --format and --verbose flags"));
    }
    let usage = call.engine()?.usage()?;
    output::print(&if options.verbose { details(&usage)? } else { totals(&usage, &options)? })?;
    Ok(ExitCode::SUCCESS)
}

fn totals(usage: &Usage, options: &Options) -> Result<String> {
    let rows = Total::all(usage);
    if options.format.as_deref().is_some_and(is_json) {
        return json::text(&rows, Style::IMAGES);
    }
    list(&rows, &table(options.format.as_deref(), "{{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"))
}

fn details(usage: &Usage) -> Result<String> {
    let Detail { images, containers, volumes } = Detail::of(usage);
    let images = list::<ImageRow>(
        &images,
        &table(
            None,
            "{{.Repository}}\t{{.Tag}}\t{{.ImageID}}\t{{.Created}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
        ),
    )?;
    let containers = list::<ContainerRow>(
        &containers,
        &table(
            None,
            "{{.ContainerID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.Created}}\t{{.Status}}\t{{.Names}}",
        ),
    )?;
    let volumes = list::<VolumeRow>(&volumes, &table(None, "{{.VolumeName}}\t{{.Links}}\t{{.Size}}"))?;
    Ok(format!(
        "Images space usage:\n\n{images}\nContainers space usage:\n\n{containers}\nLocal Volumes space usage:\n\n{volumes}"
    ))
}

fn table<'a>(format: Option<&'a str>, row: &'a str) -> List<'a> {
    List { name: "system df", format, row, heading: Heading::Shown, json: Style::IMAGES, show: Show::now() }
}
