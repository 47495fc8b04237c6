//! Which containers a command is about: names, `--all`, `--latest`, `--filter`, `--cidfile`; and doing something to each.

use crate::command::{Invocation, push, switch};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::filter::containers::Filters;
use crate::output;
use engine::containers::{Container, Listed};
use engine::{Engine, Kind};
use spec::ParseError;
use spec::options::{Complete, Flag};

/// `--all`
pub(crate) const ALL: Flag = ALL_LONG.short('a');
/// `--all`, where `-a` is something else.
pub(crate) const ALL_LONG: Flag = Flag::switch("all", "All containers");
/// `--latest`
pub(crate) const LATEST: Flag = Flag::switch("latest", "The container made last").short('l');
/// `--filter`
pub(crate) const FILTER: Flag = FILTER_LONG.short('f');
/// `--filter`, where `-f` is something else.
pub(crate) const FILTER_LONG: Flag =
    Flag::with_value("filter", "stringArray", "Only containers that match, such as name=, label= or status=");
/// `--cidfile`
pub(crate) const CIDFILE: Flag =
    Flag::with_value("cidfile", "stringArray", "Read the container's ID from the file").complete(Complete::File);
/// `--ignore`
pub(crate) const IGNORE: Flag = IGNORE_LONG.short('i');
/// `--ignore`, where `-i` is something else.
pub(crate) const IGNORE_LONG: Flag = Flag::switch("ignore", "Say nothing of containers that do not exist");

/// What was said of which containers.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    all: bool,
    latest: bool,
    filters: Vec<String>,
    cidfiles: Vec<String>,
    ignore: bool,
}

impl Selection {
    /// Sets what one of this file's flags says.
    pub(crate) fn set(&mut self, flag: &Flag, value: &str) -> Result<(), ParseError> {
        match flag.long {
            "all" => switch(&mut self.all, value),
            "latest" => switch(&mut self.latest, value),
            "filter" => push(&mut self.filters, value),
            "cidfile" => push(&mut self.cidfiles, value),
            "ignore" => switch(&mut self.ignore, value),
            other => Err(ParseError(format!("no choice of containers: {other}"))),
        }
    }

    /// Containers that do not exist are passed over.
    pub(crate) fn ignore_missing(&mut self) {
        self.ignore = true;
    }

    /// Every container is meant.
    pub(crate) fn everything(&mut self) {
        self.all = true;
    }

    /// The files of `--cidfile`.
    pub(crate) fn cidfiles(&self) -> &[String] {
        &self.cidfiles
    }

    /// Whether every container is meant.
    pub(crate) fn all(&self) -> bool {
        self.all
    }

    /// The containers, those with the host's ids first: a process that has served the others cannot reach them any more. `listed`
    /// is what `--all` and filters choose from.
    pub(crate) fn containers(&self, call: &Invocation, engine: &Engine, listed: Listed) -> Result<Vec<Chosen>> {
        let mut chosen = self.in_order(call, engine, listed)?;
        let has_host_ids = |one: &Chosen| one.container.as_ref().is_ok_and(|one| engine.has_host_ids(&one.record.spec));
        chosen.sort_by_key(|one| !has_host_ids(one));
        Ok(chosen)
    }

    fn in_order(&self, call: &Invocation, engine: &Engine, listed: Listed) -> Result<Vec<Chosen>> {
        let mut names = call.operands.clone();
        for path in &self.cidfiles {
            let id = match std::fs::read_to_string(path) {
                Ok(id) => id,
                Err(error) if self.ignore && error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => {
                    return Err(CliError::Io { operation: format!("read container ID file {path:?}"), source });
                }
            };
            names.push(id.lines().next().unwrap_or_default().trim().to_owned());
        }
        self.check(call, &names)?;
        if self.latest {
            let container = engine.latest()?;
            return Ok(vec![Chosen { asked: container.record.id.to_string(), container: Ok(container) }]);
        }
        if self.all || (names.is_empty() && !self.filters.is_empty()) {
            return self.listed(engine, listed);
        }
        let mut chosen = Vec::with_capacity(names.len());
        for asked in names {
            match engine.container(&asked) {
                Ok(container) => chosen.push(Chosen { asked, container: Ok(container) }),
                Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) && self.ignore => {}
                // As in podman: with a name that nobody bears, nothing is done to the others either.
                Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => return Err(error.into()),
                Err(error) => chosen.push(Chosen { asked, container: Err(error.into()) }),
            }
        }
        Ok(chosen)
    }

    fn check(&self, call: &Invocation, names: &[String]) -> Result<()> {
        let complaint = match (self.all, self.latest, names.is_empty()) {
            (true, true, _) => "--all and --latest cannot be used together",
            (true, _, false) if self.cidfiles.is_empty() => "no arguments are needed with --all",
            (true, _, false) => "--all and --cidfile cannot be used together",
            (_, true, false) => "--latest and containers cannot be used together",
            (false, false, false) if !self.filters.is_empty() => "--filter takes no arguments",
            (false, false, true) if self.filters.is_empty() && self.cidfiles.is_empty() => {
                "you must provide at least one name or id"
            }
            _ => return Ok(()),
        };
        Err(call.usage(complaint))
    }

    fn listed(&self, engine: &Engine, listed: Listed) -> Result<Vec<Chosen>> {
        let filters = Filters::parse(&self.filters, engine)?;
        let found = engine.containers(listed, &mut warn)?;
        let mut chosen = Vec::new();
        for container in found {
            if filters.accept(&container, engine)? {
                chosen.push(Chosen { asked: container.record.id.to_string(), container: Ok(container) });
            }
        }
        Ok(chosen)
    }
}

/// Tells of a record that cannot be read; the others are shown all the same.
pub(crate) fn warn(error: engine::Error) {
    output::warn(&error.chain());
}

/// A container as it was asked for, and what was found.
pub(crate) struct Chosen {
    /// The name or ID, as written; the ID when no name was.
    pub(crate) asked: String,
    /// What was found.
    pub(crate) container: Result<Container>,
}

/// Does something to each, prints those that went well, and reports every failure at the end.
pub(crate) fn each(chosen: Vec<Chosen>, act: impl FnMut(&Container) -> Result<()>) -> Result<ExitCode> {
    each_with(chosen, |_| OWN, act)
}

/// The same with an exit code of the command's own, made of all errors.
pub(crate) fn each_with(
    chosen: Vec<Chosen>,
    code: fn(&[CliError]) -> u8,
    mut act: impl FnMut(&Container) -> Result<()>,
) -> Result<ExitCode> {
    let mut errors = Vec::new();
    for Chosen { asked, container } in chosen {
        match container.and_then(|container| act(&container)) {
            Ok(()) => output::print_line(&output::escape(&asked, output::Keep::Nothing))?,
            Err(error) => errors.push(error),
        }
    }
    outcome(errors, code)
}

/// Success without errors, else all of them.
pub(crate) fn outcome(errors: Vec<CliError>, code: fn(&[CliError]) -> u8) -> Result<ExitCode> {
    if errors.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let code = code(&errors);
    Err(CliError::Several { errors, code })
}

/// podman's exit codes of `rm`, `rmi` and `volume rm`: 1 when all that failed did not exist, 2 when something is in use.
pub(crate) fn removal_code(errors: &[CliError]) -> u8 {
    let kind = |error: &CliError| match error {
        CliError::Engine(error) => match error.kind {
            Kind::NoSuchContainer(_) | Kind::NoSuchImage(_) | Kind::NoSuchVolume(_) => 1,
            Kind::InUse { .. } | Kind::State { .. } => 2,
            _ => OWN,
        },
        _ => OWN,
    };
    let kinds: Vec<u8> = errors.iter().map(kind).collect();
    match kinds.as_slice() {
        kinds if kinds.iter().all(|kind| *kind == 1) => 1,
        kinds if kinds.contains(&OWN) => OWN,
        _ => 2,
    }
}
