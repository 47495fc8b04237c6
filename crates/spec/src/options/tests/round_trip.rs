//! What the table writes it reads back: `read(args(spec)) == spec` for specs made of samples of every row.

use super::super::{Opt, Verb, args, read, samples, table};
use crate::ContainerSpec;
use crate::container::Root;
use proptest::prelude::*;
use proptest::string::string_regex;

/// A row and one of its values.
fn setting() -> impl Strategy<Value = (&'static Opt, String)> {
    let rows = samples::all();
    (0..rows.len()).prop_flat_map(move |at| {
        let (row, values) = rows[at];
        string_regex(values).expect("a sample is a regular expression").prop_map(move |value| (row, value))
    })
}

/// The spec that a list of settings makes; a setting that contradicts an earlier one is left out. A command needs an
/// image before it.
fn spec_of(settings: &[(&'static Opt, String)]) -> ContainerSpec {
    let mut spec = ContainerSpec::default();
    for (row, value) in settings {
        let before = spec.clone();
        if samples::set(&mut spec, row, value).is_err() {
            spec = before;
        }
    }
    if spec.root == Root::default() && !spec.process.command.is_empty() {
        spec.root = Root::Image("localhost/web".to_owned());
    }
    spec
}

/// Few cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 400 };
    ProptestConfig { cases, failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_spec_survives_its_command_line(settings in prop::collection::vec(setting(), 0..25)) {
        let spec = spec_of(&settings);
        let words = args(&spec);
        let again = read(Verb::Run, &[], &words).map_err(|error| TestCaseError::fail(format!("{words:?}: {error}")))?;
        prop_assert_eq!(&again.spec, &spec, "{:?}", words);
        prop_assert_eq!(args(&again.spec), words);
    }

    #[test]
    fn a_spec_survives_its_record(settings in prop::collection::vec(setting(), 0..25)) {
        let spec = spec_of(&settings);
        let text = serde_json::to_string(&spec).expect("a spec is plain data");
        prop_assert_eq!(serde_json::from_str::<ContainerSpec>(&text).expect("its own text"), spec);
    }
}

#[test]
fn nearly_every_sample_is_a_value() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    assert_eq!(samples::all().len(), table().count());
    for (row, values) in samples::all() {
        let strategy = string_regex(values).unwrap();
        let taken = |value: String| samples::set(&mut ContainerSpec::default(), row, &value).is_ok();
        let taken = (0..200).filter(|_| taken(strategy.new_tree(&mut runner).unwrap().current())).count();
        assert!(taken > 100, "only {taken} of 200 samples of {values:?} are taken");
    }
}
