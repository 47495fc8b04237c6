//! What is wrong in a file, and where.

use std::fmt;

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// One mistake. The message is a lower-case fragment without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it begins.
    pub at: Position,
    /// What is wrong.
    pub what: String,
    /// What to do about it, if that can be told.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake without a hint.
    pub(crate) fn new(at: Position, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), hint: None }
    }

    /// The same with a hint.
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Diagnostic {
    /// `line:column: what`, to be put behind a file's name and a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.line, self.at.column, self.what)
    }
}
