//! `lodger inspect`: everything about containers, images and volumes.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::format::{Show, documents};
use crate::output;
use crate::selection::{self, outcome};
use crate::view::inspect_container::Container;
use crate::view::inspect_image::Image;
use crate::view::inspect_volume::Volume;
use engine::{Engine, Kind};
use spec::ParseError;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["inspect"],
    operands: "{CONTAINER|IMAGE|VOLUME} [...]",
    summary: "Display the configuration of an object denoted by ID",
    about: "Shows everything about containers, images or volumes as JSON, or what a Go template asks for. A name is looked for among the containers first, then the images, then the volumes.",
    examples: &[
        "lodger inspect web",
        "lodger inspect --format '{{.State.Pid}}' web",
        "lodger inspect --type image docker.io/library/alpine",
    ],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// `--size` of whatever inspects containers.
pub(crate) const SIZE: Flag =
    Flag::switch("size", "Show how large a container's files are, and with those of its image").short('s');

#[derive(Default)]
struct Options {
    format: Option<String>,
    latest: bool,
    size: bool,
    kind: Type,
}

/// `--type`
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Type {
    #[default]
    All,
    Container,
    Image,
    Volume,
}

const TYPES: &[&str] = &["all", "container", "image", "volume"];

impl Type {
    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "all" => Self::All,
            "container" => Self::Container,
            "image" => Self::Image,
            "volume" => Self::Volume,
            _ => return Err(ParseError(format!("choose from {}", TYPES.join(", ")))),
        })
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt { flag: SIZE, set: |options, value| switch(&mut options.size, value) },
    Opt {
        flag: Flag::with_value("type", "string", "Look only among all, container, image or volume")
            .short('t')
            .complete(Complete::Words(TYPES)),
        set: |options, value| {
            options.kind = Type::parse(value)?;
            Ok(())
        },
    },
];

/// `--format` of whatever inspects.
pub(crate) const FORMAT: Flag =
    Flag::with_value("format", "string", "Show json, or what a Go template asks for").short('f');

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    if options.latest || options.kind == Type::Container {
        return containers(&call, &engine, (options.latest, options.size), options.format.as_deref());
    }
    if call.operands.is_empty() {
        return Err(call.usage("no names or ids specified"));
    }
    let mut all = Found { size: options.size, ..Found::default() };
    for name in &call.operands {
        all.look(&engine, name, options.kind)?;
    }
    output::print(&all.shown(options.format.as_deref())?)?;
    outcome(all.errors, |_| OWN)
}

/// What was found; podman shows one list, each kind in its own form.
#[derive(Default)]
struct Found {
    size: bool,
    containers: Vec<Container>,
    images: Vec<Image>,
    volumes: Vec<Volume>,
    errors: Vec<CliError>,
}

impl Found {
    fn look(&mut self, engine: &Engine, name: &str, kind: Type) -> Result<()> {
        if matches!(kind, Type::All) {
            match engine.container(name) {
                Ok(container) => {
                    self.containers.push(document_of(&container, engine, self.size)?);
                    return Ok(());
                }
                Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => {}
                Err(error) => return self.fail(error),
            }
        }
        if matches!(kind, Type::All | Type::Image) {
            match engine.image(name) {
                Ok(image) => {
                    self.images.push(Image::of(&image, engine)?);
                    return Ok(());
                }
                Err(error) if matches!((&error.kind, kind), (Kind::NoSuchImage(_) | Kind::Invalid(_), Type::All)) => {}
                Err(error) => return self.fail(error),
            }
        }
        match engine.volume(name) {
            Ok(volume) => self.volumes.push(Volume::of(&volume, engine)?),
            Err(error) if kind == Type::All && matches!(error.kind, Kind::NoSuchVolume(_) | Kind::Invalid(_)) => {
                self.errors.push(CliError::Plain(format!("no such object: {name:?}")));
            }
            Err(error) => return self.fail(error),
        }
        Ok(())
    }

    fn fail(&mut self, error: engine::Error) -> Result<()> {
        self.errors.push(error.into());
        Ok(())
    }

    /// Each kind in turn; of JSON, one list.
    fn shown(&self, format: Option<&str>) -> Result<String> {
        let show = Show::now();
        let lists = [
            (self.containers.is_empty(), documents(&self.containers, "inspect", format, show)?),
            (self.images.is_empty(), documents(&self.images, "inspect", format, show)?),
            (self.volumes.is_empty(), documents(&self.volumes, "inspect", format, show)?),
        ];
        let full: Vec<&str> = lists.iter().filter(|(empty, _)| !empty).map(|(_, text)| text.as_str()).collect();
        if format.is_some_and(|format| !crate::format::is_json(format)) {
            return Ok(full.concat());
        }
        // The lists' own brackets stand alone on their first and last line.
        let inner = |text: &str| text.trim_start_matches("[\n").trim_end_matches("\n]\n").to_owned();
        Ok(match full.as_slice() {
            [] => "[]\n".to_owned(),
            full => format!("[\n{}\n]\n", full.iter().map(|text| inner(text)).collect::<Vec<_>>().join(",\n")),
        })
    }
}

/// Containers alone: `container inspect`, `inspect --latest`.
pub(crate) fn containers(
    call: &Invocation,
    engine: &Engine,
    (latest, size): (bool, bool),
    format: Option<&str>,
) -> Result<ExitCode> {
    let mut errors: Vec<CliError> = Vec::new();
    let found = match (latest, call.operands.is_empty()) {
        (true, true) => vec![engine.latest()?],
        (true, false) => return Err(call.usage("--latest and arguments cannot be used together")),
        (false, true) => return Err(call.usage("no container names or ids specified")),
        (false, false) => {
            let found = call.operands.iter().map(|name| engine.container(name));
            found.filter_map(|one| one.map_err(|error| errors.push(error.into())).ok()).collect()
        }
    };
    let rows = found.iter().map(|one| document_of(one, engine, size)).collect::<Result<Vec<_>>>()?;
    output::print(&documents(&rows, "inspect", format, Show::now())?)?;
    outcome(errors, |_| OWN)
}

fn document_of(container: &engine::containers::Container, engine: &Engine, size: bool) -> Result<Container> {
    let mut document = Container::of(container, engine)?;
    if size {
        document.measure(container, engine)?;
    }
    Ok(document)
}
