//! What one row of the option table holds, and the small functions most rows are made of.
//!
//! `set` takes one item and validates it; `show` gives the items that make the same field again, none when the field
//! says nothing. Setting in the order of the table what all rows show gives an equal spec.

use super::parse::parse_switch;
use super::{Flag, commas};
use crate::{ContainerSpec, ParseError};
use std::fmt::Display;

/// One option: how it is written, what it sets, how it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// Which part of the spec it sets.
    pub group: Group,
    /// The flag; absent for a key whose meaning another row's flag has (`Image=`, `NoNewPrivileges=`).
    pub flag: Option<Flag>,
    /// The key of `[Container]`.
    pub unit: InUnit,
    /// Which commands have the flag.
    pub verbs: Verbs,
    /// Whether commas part items.
    pub items: Items,
    /// Sets one item.
    pub set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    /// The items that `set` makes the field of; `true` or `false` for a switch.
    pub show: fn(&ContainerSpec) -> Vec<String>,
}

/// The part of the spec that a row sets, and the heading it stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Group {
    Identity,
    Process,
    Mount,
    Network,
    Namespaces,
    Security,
    Resources,
    Lifecycle,
    Logging,
    Health,
    Pull,
}

impl Group {
    /// The heading in help texts and manuals.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Process => "Process",
            Self::Mount => "Mounts",
            Self::Network => "Network",
            Self::Namespaces => "Namespaces",
            Self::Security => "Security",
            Self::Resources => "Resources",
            Self::Lifecycle => "Life cycle",
            Self::Logging => "Logging",
            Self::Health => "Health",
            Self::Pull => "Image",
        }
    }
}

/// A command that takes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Run,
    Create,
}

/// Which commands have a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verbs {
    Run,
    Create,
    Both,
}

impl Verbs {
    /// Whether the command is among them.
    pub const fn has(self, verb: Verb) -> bool {
        matches!((self, verb), (Self::Both, _) | (Self::Run, Verb::Run) | (Self::Create, Verb::Create))
    }
}

/// A key of a unit file's section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `PublishPort`
    pub name: &'static str,
    /// How its values are written.
    pub form: Form,
    /// One line, for a key without a flag of the same meaning; else empty.
    pub help: &'static str,
}

impl Key {
    /// A key; `help` is empty where a flag's help says it.
    pub const fn new(name: &'static str, form: Form, help: &'static str) -> Self {
        Self { name, form, help }
    }
}

/// How the values of a key are written. An empty assignment drops the earlier ones, except where it is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The last assignment counts; one pair of double quotes around it is dropped.
    Single,
    /// As `Single`, and an empty value is a value.
    SingleOrEmpty,
    /// `1`, `yes`, `true` and `on` in any case mean yes, everything else no; the last assignment counts.
    Switch,
    /// One item for each assignment, as it stands.
    Lines,
    /// Items parted by white space; quotes keep one together, backslashes are ordinary.
    Words,
    /// As `Words`, with C escapes.
    ShellWords,
    /// `ShellWords` that each are `key=value`.
    Pairs,
    /// The `ShellWords` of the last assignment.
    Command,
}

/// How an option is written in a unit file.
#[derive(Debug, Clone, Copy)]
pub enum InUnit {
    /// Its own key.
    Key(Key),
    /// `PodmanArgs=` with the flag.
    PodmanArgs,
    /// The keys of other rows; what those cannot say is given here and goes to `PodmanArgs=`.
    OtherKeys(fn(&ContainerSpec) -> Vec<String>),
}

/// Whether commas part the items of a value, as in pflag's `StringSlice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// A value is one item.
    One,
    /// They do, in flags and in keys.
    Commas,
    /// They do, in flags alone.
    FlagCommas,
}

/// Sets one item.
type Set = fn(&mut ContainerSpec, &str) -> Result<(), ParseError>;
/// Shows all items.
type Show = fn(&ContainerSpec) -> Vec<String>;

impl Opt {
    /// A row with a flag, for both commands, without a key.
    pub(super) const fn flag(group: Group, flag: Flag, set: Set, show: Show) -> Self {
        Self { group, flag: Some(flag), unit: InUnit::PodmanArgs, verbs: Verbs::Both, items: Items::One, set, show }
    }

    /// A row for a key whose meaning the flags of other rows have.
    pub(super) const fn only_key(group: Group, key: Key, set: Set, show: Show) -> Self {
        let unit = InUnit::Key(key);
        Self { group, flag: None, unit, verbs: Verbs::Both, items: Items::One, set, show }
    }

    /// The same row with a key.
    pub(super) const fn in_unit(mut self, name: &'static str, form: Form) -> Self {
        self.unit = InUnit::Key(Key::new(name, form, ""));
        self
    }

    /// The same row, said by other rows' keys in a unit file; `rest` gives what they cannot say.
    pub(super) const fn other_keys(mut self, rest: Show) -> Self {
        self.unit = InUnit::OtherKeys(rest);
        self
    }

    /// The same row with items parted by commas.
    pub(super) const fn commas(mut self) -> Self {
        self.items = Items::Commas;
        self
    }

    /// The same row with items parted by commas in its flag alone.
    pub(super) const fn flag_commas(mut self) -> Self {
        self.items = Items::FlagCommas;
        self
    }

    /// The same row for `run` alone.
    pub(super) const fn run_only(mut self) -> Self {
        self.verbs = Verbs::Run;
        self
    }

    /// The key, if the row has its own.
    pub const fn key(&self) -> Option<&Key> {
        match &self.unit {
            InUnit::Key(key) => Some(key),
            InUnit::PodmanArgs | InUnit::OtherKeys(_) => None,
        }
    }

    /// Sets what a flag's value says.
    pub fn set_from_flag(&self, spec: &mut ContainerSpec, value: &str) -> Result<(), ParseError> {
        match self.items {
            Items::One => (self.set)(spec, value),
            Items::Commas | Items::FlagCommas => {
                commas::split(value)?.iter().try_for_each(|item| (self.set)(spec, item))
            }
        }
    }

    /// Sets what one value of a key says, after the key's form was undone.
    pub fn set_from_key(&self, spec: &mut ContainerSpec, value: &str) -> Result<(), ParseError> {
        match self.items {
            Items::One | Items::FlagCommas => (self.set)(spec, value),
            Items::Commas => commas::split(value)?.iter().try_for_each(|item| (self.set)(spec, item)),
        }
    }

    /// The flag's values that make the field again.
    pub fn flag_values(&self, spec: &ContainerSpec) -> Vec<String> {
        self.quoted((self.show)(spec), self.items != Items::One)
    }

    /// The key's values that make the field again, before the key's form is put on.
    pub fn key_values(&self, spec: &ContainerSpec) -> Vec<String> {
        self.quoted((self.show)(spec), self.items == Items::Commas)
    }

    fn quoted(&self, items: Vec<String>, commas: bool) -> Vec<String> {
        if commas { items.iter().map(|item| commas::quote(item)).collect() } else { items }
    }
}

/// Sets a switch that is off unless given.
pub(super) fn set_switch(field: &mut bool, text: &str) -> Result<(), ParseError> {
    *field = parse_switch(text)?;
    Ok(())
}

/// Sets a switch whose absence means something else than off.
pub(super) fn set_choice(field: &mut Option<bool>, text: &str) -> Result<(), ParseError> {
    *field = Some(parse_switch(text)?);
    Ok(())
}

/// Sets a field by its `parse`; an empty text takes back an earlier choice.
pub(super) fn set_or_clear<T>(
    field: &mut Option<T>,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, ParseError>,
) -> Result<(), ParseError> {
    *field = if text.is_empty() { None } else { Some(parse(text)?) };
    Ok(())
}

/// A switch that is on.
pub(super) fn show_switch(on: bool) -> Vec<String> {
    if on { vec!["true".to_owned()] } else { Vec::new() }
}

/// A value that was chosen.
pub(super) fn show_choice<T: Display>(choice: &Option<T>) -> Vec<String> {
    choice.iter().map(T::to_string).collect()
}

/// Every value of a list.
pub(super) fn show_all<T: Display>(list: &[T]) -> Vec<String> {
    list.iter().map(T::to_string).collect()
}
