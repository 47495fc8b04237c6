//! `lodger port`: where a container's ports are published.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::{output, selection};
use engine::Engine;
use engine::containers::{Container, Listed, PortBinding};
use spec::network::Protocol;
use spec::options::{Complete, Flag};
use std::net::IpAddr;

pub(crate) const COMMAND: Command = Command {
    paths: &["port", "container port"],
    operands: "CONTAINER [PORT]",
    summary: "List port mappings for a container",
    about: "Lists where on the host the ports of a container are published, or one of them.",
    examples: &["lodger port web", "lodger port web 80/tcp", "lodger port --all"],
    count: Count::AtMost(2),
    complete: &[Complete::Running, Complete::Nothing],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    latest: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "All containers that run").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let (named, wanted) = match (options.all || options.latest, call.operands.as_slice()) {
        (false, []) => return Err(call.usage("you must supply a running container name or id")),
        (false, [name, rest @ ..]) => (Some(name), rest.first()),
        (true, [port]) if options.latest && !options.all => (None, Some(port)),
        (true, []) => (None, None),
        (true, _) => return Err(call.usage("no additional arguments can be used with --all or --latest")),
    };
    let wanted = wanted.map(|text| Ok::<_, CliError>((text, port(&call, text)?))).transpose()?;
    let engine = call.engine()?;
    if options.all {
        let running = engine.containers(Listed::Running, &mut selection::warn)?;
        let lines = running.iter().flat_map(|container| {
            lines(&engine, container).into_iter().map(|line| format!("{}\t{line}\n", container.record.id.short()))
        });
        output::print(&lines.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let container = match named {
        Some(name) => engine.container(name)?,
        None => engine.latest()?,
    };
    let text = match wanted {
        None => lines(&engine, &container).into_iter().map(|line| line + "\n").collect::<String>(),
        Some((text, port)) => one(&engine, &container, port, text)?,
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn port(call: &Invocation, text: &str) -> Result<(u16, Protocol)> {
    let bad = || call.usage(format!("invalid port {text:?}: expected PORT[/PROTOCOL]"));
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = Protocol::parse(protocol).map_err(|error| call.usage(error.to_string()))?;
    number.parse().ok().filter(|number| *number > 0).map(|number| (number, protocol)).ok_or_else(bad)
}

/// By port inside; a container that does not run leads nowhere.
fn bindings(engine: &Engine, container: &Container) -> Vec<PortBinding> {
    let mut bindings = if container.running.is_some() { engine.ports(container) } else { Vec::new() };
    bindings.sort_by_key(|one| (one.container, one.protocol.to_string(), one.host));
    bindings
}

fn lines(engine: &Engine, container: &Container) -> Vec<String> {
    let bindings = bindings(engine, container);
    bindings.iter().map(|one| format!("{}/{} -> {}", one.container, one.protocol, host(one))).collect()
}

fn one(engine: &Engine, container: &Container, (number, protocol): (u16, Protocol), asked: &str) -> Result<String> {
    let bindings = bindings(engine, container);
    let found = bindings.iter().filter(|one| one.container == number && one.protocol == protocol);
    let text: String = found.map(|one| host(one) + "\n").collect();
    if text.is_empty() && !bindings.is_empty() {
        return Err(CliError::Plain(format!("failed to find published port {asked:?}")));
    }
    Ok(text)
}

/// `0.0.0.0:8080`, `[::1]:8080`
fn host(binding: &PortBinding) -> String {
    match binding.address {
        None => format!("0.0.0.0:{}", binding.host),
        Some(IpAddr::V4(address)) => format!("{address}:{}", binding.host),
        Some(IpAddr::V6(address)) => format!("[{address}]:{}", binding.host),
    }
}
