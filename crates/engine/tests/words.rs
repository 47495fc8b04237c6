//! Nothing that was asked for is passed over: every field of a `ContainerSpec` is read somewhere in the engine.
//!
//! What a field does is tested where it is done; this test tells that somebody forgot it altogether.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Fields that say something to those who look at a container, and change nothing that it does; those of health checks until somebody
/// runs them.
const SHOWN: [&str; 9] = [
    "annotations",
    "quiet",
    "interval",
    "start_period",
    "retries",
    "on_failure",
    "successes",
    "max_log_count",
    "max_log_size",
];

/// Files of `spec` whose structs are the groups of a container's description.
const GROUPS: [&str; 11] = [
    "container",
    "health",
    "lifecycle",
    "logging",
    "mount",
    "namespaces",
    "network",
    "process",
    "pull",
    "resources",
    "security",
];

/// The names of `pub name: Type,` in a file.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let field = |line: &&str| line.starts_with("    pub ") && line.ends_with(',') && !line.contains('(');
    text.lines().filter(field).filter_map(|line| line.trim_start().strip_prefix("pub ")?.split_once(':')).map(|it| it.0)
}

/// Everything below a directory but the tests beside the code.
fn source(directory: &Path, into: &mut String) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source(&path, into);
        } else {
            let text = fs::read_to_string(&path).expect("a file");
            into.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
}

#[test]
fn every_word_is_read() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut engine = String::new();
    source(&here.join("src"), &mut engine);
    let words: BTreeSet<&str> =
        engine.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let mut found = 0;
    for group in GROUPS {
        let file = here.join(format!("../spec/src/{group}.rs"));
        let text = fs::read_to_string(&file).expect("a file of spec");
        for field in fields(&text) {
            found += 1;
            assert!(words.contains(field) || SHOWN.contains(&field), "nobody in the engine reads {group}.{field}");
        }
    }
    assert!(found > 80, "only {found} fields were found: has the form of crates/spec/src changed?");
}
