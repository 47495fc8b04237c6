//! Rows of flags: a flag paired with the field it sets, or with the reason why it is refused.

use spec::ParseError;
use spec::options::Flag;

/// A flag and the field of `T` it sets.
pub(crate) struct Opt<T> {
    /// How it is written.
    pub(crate) flag: Flag,
    /// Sets it; a switch's value is `true` or `false`.
    pub(crate) set: fn(&mut T, &str) -> Result<(), ParseError>,
}

/// The flags of rows, for [`Command::flags`].
pub(crate) fn flags_of<T>(rows: &'static [Opt<T>]) -> Vec<&'static Flag> {
    rows.iter().map(|row| &row.flag).collect()
}

/// A flag that podman knows and lodger refuses.
pub(crate) struct Unsupported {
    /// How it is written.
    pub(crate) flag: Flag,
    /// Why, and what to do instead; a fragment in lower case without a full stop.
    pub(crate) reason: &'static str,
}

impl Unsupported {
    /// A switch.
    pub(crate) const fn switch(long: &'static str, reason: &'static str) -> Self {
        Self { flag: Flag::switch(long, ""), reason }
    }

    /// A flag with a value.
    pub(crate) const fn with_value(long: &'static str, reason: &'static str) -> Self {
        Self { flag: Flag::with_value(long, "string", ""), reason }
    }

    /// The same with a one-letter name.
    pub(crate) const fn short(mut self, short: char) -> Self {
        self.flag = self.flag.short(short);
        self
    }
}

/// A setter's work for a switch.
pub(crate) fn switch(field: &mut bool, value: &str) -> Result<(), ParseError> {
    *field = value == "true";
    Ok(())
}

/// A setter's work for a text; the last one given wins.
pub(crate) fn text(field: &mut Option<String>, value: &str) -> Result<(), ParseError> {
    *field = Some(value.to_owned());
    Ok(())
}

/// A setter's work for a text that may be given several times.
pub(crate) fn push(field: &mut Vec<String>, value: &str) -> Result<(), ParseError> {
    field.push(value.to_owned());
    Ok(())
}

/// A setter's work for a whole number.
pub(crate) fn number<N: std::str::FromStr>(value: &str) -> Result<N, ParseError> {
    value.parse().map_err(|_| ParseError("expected a whole number".to_owned()))
}
