//! The table of commands; a file each, so that `ls` is the list of what lodger can do.

use crate::command::Command;

pub(crate) mod completion;
pub(crate) mod help;
pub(crate) mod man;
pub(crate) mod suggest;
pub(crate) mod unsupported;
pub(crate) mod version;

/// Every command, in the order of the help.
pub(crate) const ALL: &[&Command] =
    &[&completion::COMMAND, &help::COMMAND, &version::COMMAND, &man::COMMAND, &suggest::COMMAND];

/// Groups of commands and what the help says of them.
pub(crate) const GROUPS: &[(&str, &str)] = &[
    ("container", "Manage containers"),
    ("image", "Manage images"),
    ("system", "Manage lodger itself"),
    ("volume", "Manage volumes"),
];

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    ALL.iter().copied()
}

/// The command called by this path: `ps`, `container ls`.
pub(crate) fn find(path: &str) -> Option<&'static Command> {
    all().find(|command| command.paths.contains(&path))
}

/// Whether commands are called by this word and another.
pub(crate) fn is_group(word: &str) -> bool {
    GROUPS.iter().any(|(name, _)| *name == word)
}
