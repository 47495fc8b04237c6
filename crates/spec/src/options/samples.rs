//! Sample values for every row, as regular expressions, for property tests here and in crates that build on the table.

use super::{Form, Opt, find_flag, find_key};

/// Each group's samples: the flag's or key's name, and what its values look like.
const SAMPLES: [&[(&str, &str)]; 11] = [
    super::identity::SAMPLES,
    super::process::SAMPLES,
    super::mount::SAMPLES,
    super::network::SAMPLES,
    super::namespaces::SAMPLES,
    super::security::SAMPLES,
    super::resources::SAMPLES,
    super::lifecycle::SAMPLES,
    super::logging::SAMPLES,
    super::health::SAMPLES,
    super::pull::SAMPLES,
];

/// Every row with a regular expression for its flag's values, or its key's if it has no flag.
pub fn all() -> Vec<(&'static Opt, &'static str)> {
    let row = |name: &str| find_flag(name).or_else(|| find_key(name));
    SAMPLES.into_iter().flatten().map(|(name, values)| (row(name).expect("a sample is for a row"), *values)).collect()
}

/// Sets one sample value as its flag would, or its key.
pub fn set(spec: &mut crate::ContainerSpec, row: &Opt, value: &str) -> Result<(), crate::ParseError> {
    match (&row.flag, row.key()) {
        (None, Some(key)) if key.form == Form::Command => (row.set)(spec, value),
        (None, _) => row.set_from_key(spec, value),
        (Some(_), _) => row.set_from_flag(spec, value),
    }
}

/// What the tests beside the rows call.
#[cfg(test)]
pub(super) mod checks {
    use super::super::Opt;
    use crate::{ContainerSpec, ParseError};

    fn row(name: &str) -> &'static Opt {
        super::super::find_flag(name)
            .or_else(|| super::super::find_key(name))
            .unwrap_or_else(|| panic!("no row {name}"))
    }

    /// The spec in which one row was set.
    pub(crate) fn set(name: &str, value: &str) -> Result<ContainerSpec, ParseError> {
        set_all(&[(name, value)])
    }

    /// The spec in which rows were set, in this order.
    pub(crate) fn set_all(given: &[(&str, &str)]) -> Result<ContainerSpec, ParseError> {
        let mut spec = ContainerSpec::default();
        given.iter().try_for_each(|(name, value)| super::set(&mut spec, row(name), value))?;
        Ok(spec)
    }

    /// Each value is shown as given here, sets the same again, and every row of the group has a case and a sample.
    pub(crate) fn shown(rows: &[Opt], cases: &[(&str, &str, &[&str])]) {
        for (name, value, shown) in cases {
            let spec = set(name, value).unwrap_or_else(|error| panic!("{name} {value:?}: {error}"));
            assert_eq!((row(name).show)(&spec), *shown, "{name} {value:?}");
            let mut again = ContainerSpec::default();
            for value in *shown {
                (row(name).set)(&mut again, value).unwrap();
            }
            assert!(shown.is_empty() || again == spec, "{name} {value:?} shows as something else");
        }
        for row in rows {
            let name = row.flag.as_ref().map(|flag| flag.long).or(row.key().map(|key| key.name)).unwrap();
            assert!(cases.iter().any(|(case, _, _)| *case == name), "{name} has no case");
            assert!(super::SAMPLES.into_iter().flatten().any(|(sample, _)| *sample == name), "{name} has no sample");
        }
    }

    /// Each value is refused, with these words in the message.
    pub(crate) fn refused(cases: &[(&str, &str, &str)]) {
        for (name, value, words) in cases {
            let error = set(name, value).expect_err(&format!("{name} {value:?}"));
            assert!(error.0.contains(words), "{name} {value:?}: {error}");
        }
    }
}
