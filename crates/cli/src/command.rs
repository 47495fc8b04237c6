//! What a command is: its names, its words for the help, its flags and the function that runs it.
//!
//! A command's flags are rows that pair a [`Flag`] with the field it sets, so a flag that is parsed, shown and completed
//! is also obeyed. What podman's command has and lodger's lacks is a row with the reason.

use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::global::Global;
pub(crate) use crate::row::{Opt, Unsupported, flags_of, number, push, switch, text};
use engine::Engine;
use spec::ContainerSpec;
use spec::options::parse::{Order, UsageError};
use spec::options::{Complete, Flag, UNSUPPORTED, Verb};

/// One command of `lodger`.
pub(crate) struct Command {
    /// How it is called, the usual way first: `ps`, `container ls`.
    pub(crate) paths: &'static [&'static str],
    /// What follows the options, in podman's form: `IMAGE [COMMAND [ARG...]]`.
    pub(crate) operands: &'static str,
    /// One line, without a full stop.
    pub(crate) summary: &'static str,
    /// One or more sentences.
    pub(crate) about: &'static str,
    /// Lines a user could type.
    pub(crate) examples: &'static [&'static str],
    /// Whether flags may follow an operand.
    pub(crate) order: Order,
    /// How many operands there may be.
    pub(crate) count: Count,
    /// What a shell offers for each operand; the last also for those that follow it.
    pub(crate) complete: &'static [Complete],
    /// The verb whose rows of the option table are flags too.
    pub(crate) verb: Option<Verb>,
    /// Its own flags, in the order of its rows.
    pub(crate) flags: fn() -> Vec<&'static Flag>,
    /// What podman's command has and lodger's refuses.
    pub(crate) unsupported: &'static [Unsupported],
    /// Whether the help lists it.
    pub(crate) visibility: Visibility,
    /// Does it.
    pub(crate) run: fn(Invocation) -> Result<ExitCode>,
}

impl Command {
    /// A command without flags and operands, for struct update syntax.
    pub(crate) const PLAIN: Self = Self {
        paths: &[],
        operands: "",
        summary: "",
        about: "",
        examples: &[],
        order: Order::Interspersed,
        count: Count::None,
        complete: &[],
        verb: None,
        flags: Vec::new,
        unsupported: &[],
        visibility: Visibility::Shown,
        run: |_| Ok(ExitCode::SUCCESS),
    };

    /// Every flag that works, of the option table and its own.
    pub(crate) fn all_flags(&self) -> Vec<&'static Flag> {
        let mut flags = self.verb.map(spec::options::flags).unwrap_or_default();
        flags.extend((self.flags)());
        flags
    }

    /// Every flag of podman's that does not work, with the reason.
    pub(crate) fn refused(&self) -> Vec<(&'static Flag, &'static str)> {
        let table = UNSUPPORTED.iter().filter(|row| self.verb.is_some_and(|verb| row.verbs.has(verb)));
        let table = table.filter_map(|row| Some((row.flag.as_ref()?, row.reason)));
        table.chain(self.unsupported.iter().map(|row| (&row.flag, row.reason))).collect()
    }

    /// The usual name: `ps`, `volume ls`.
    pub(crate) fn name(&self) -> &'static str {
        self.paths.first().copied().unwrap_or_default()
    }
}

/// Whether the help lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Listed.
    Shown,
    /// For scripts of lodger's own.
    Hidden,
}

/// How many operands a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// None.
    None,
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
    /// So many or fewer.
    AtMost(usize),
    /// The command checks it itself.
    Any,
}

impl Count {
    /// An error in the words of podman's parser when `count` operands are not as they must be.
    pub(crate) fn check(self, path: &str, count: usize) -> Result<(), String> {
        match self {
            Self::None if count > 0 => Err(format!("`lodger {path}` takes no arguments")),
            Self::Exactly(n) if count != n => Err(format!("accepts {n} arg(s), received {count}")),
            Self::AtLeast(n) if count < n => Err(format!("requires at least {n} arg(s), only received {count}")),
            Self::AtMost(n) if count > n => Err(format!("accepts at most {n} arg(s), received {count}")),
            _ => Ok(()),
        }
    }
}

/// A command as it was called.
pub(crate) struct Invocation {
    /// How it was called: `container ls`.
    pub(crate) path: String,
    /// What was said before or beside it that holds for every command.
    pub(crate) global: Global,
    /// What the flags and operands of the option table say, for a command that has a verb.
    pub(crate) spec: ContainerSpec,
    /// Indexes into the command's own flags, with values, in the order given.
    pub(crate) given: Vec<(usize, String)>,
    /// Operands.
    pub(crate) operands: Vec<String>,
}

impl Invocation {
    /// The command's options, set by its rows; these must be the rows that [`Command::flags`] lists.
    pub(crate) fn options<T: Default>(&self, rows: &'static [Opt<T>]) -> Result<T> {
        let mut options = T::default();
        for (index, value) in &self.given {
            let row = &rows[*index];
            (row.set)(&mut options, value)
                .map_err(|source| self.usage(UsageError::bad_value(&row.flag, value, source).to_string()))?;
        }
        Ok(options)
    }

    /// The caller's store and machine.
    pub(crate) fn engine(&self) -> Result<Engine> {
        let mut engine = Engine::open(self.global.root.as_ref().map(Into::into))?;
        engine.modules.clone_from(&self.global.modules);
        engine.events_backend = self.global.events;
        Ok(engine)
    }

    /// An error in how the command was called.
    pub(crate) fn usage(&self, message: impl Into<String>) -> CliError {
        CliError::usage(message, &self.path)
    }
}
