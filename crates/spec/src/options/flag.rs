//! How a flag is written: the part of an option that every command shares.

/// One flag of a command, as the parser, the help, the man page and the completions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes: `publish`.
    pub long: &'static str,
    /// `p`
    pub short: Option<char>,
    /// Other long names that mean the same, not shown in the help: `net` for `network`.
    pub aliases: &'static [&'static str],
    /// What follows it.
    pub value: Value,
    /// One line, lower-case verb first or capital as podman's own help, without a full stop.
    pub help: &'static str,
    /// What a shell offers for the value.
    pub complete: Complete,
}

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `=true` / `=false`.
    Switch,
    /// A value, always; the word stands for it in the help.
    Required(&'static str),
    /// `=value` or nothing, which means the second word: `--mount-x[=WORD]`.
    Optional(&'static str, &'static str),
}

/// What a shell offers for a value or an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    /// Nothing.
    Nothing,
    /// Paths.
    File,
    /// Directories.
    Directory,
    /// Fixed words.
    Words(&'static [&'static str]),
    /// Names of containers.
    Containers,
    /// Names of running containers.
    Running,
    /// Names of images.
    Images,
    /// Names of volumes.
    Volumes,
    /// Names of secrets.
    Secrets,
    /// Signal names.
    Signals,
    /// Names of networks.
    Networks,
}

impl Flag {
    /// A switch without a short name; the other fields are added with struct update syntax.
    pub const fn switch(long: &'static str, help: &'static str) -> Self {
        Self { long, short: None, aliases: &[], value: Value::Switch, help, complete: Complete::Nothing }
    }

    /// A flag with a value and without a short name.
    pub const fn with_value(long: &'static str, metavar: &'static str, help: &'static str) -> Self {
        Self { long, short: None, aliases: &[], value: Value::Required(metavar), help, complete: Complete::Nothing }
    }

    /// The same flag with a one-letter name.
    #[must_use]
    pub const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// Whether `name`, without dashes, is the long name or an alias.
    pub fn has_name(&self, name: &str) -> bool {
        self.long == name || self.aliases.contains(&name)
    }

    /// As errors and the help show it: `-p, --publish`, `--rm`.
    pub fn title(&self) -> String {
        match self.short {
            Some(short) => format!("-{short}, --{}", self.long),
            None => format!("--{}", self.long),
        }
    }

    /// The same flag with what a shell offers for its value.
    #[must_use]
    pub const fn complete(mut self, complete: Complete) -> Self {
        self.complete = complete;
        self
    }
}
