//! The rules of the tree that no compiler holds: who may import whom, and what a file looks like.
//!
//! - Workspace crates depend on one another only as the table `IMPORTS` says.
//! - Every Rust file begins with its module head, `//!`.
//! - A file of `crates/` has at most 800 lines before its tests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{build, paths, process};

/// Who may import whom. A row more, or a name more in a row, is a decision about the design.
const IMPORTS: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("quadlet", &["spec"]),
    ("kernel", &[]),
    ("init", &["kernel"]),
    ("runtime", &["spec", "kernel", "init"]),
    ("store", &["spec", "kernel"]),
    ("registry", &["spec"]),
    ("network", &["spec", "kernel"]),
    ("engine", &["spec", "quadlet", "kernel", "runtime", "store", "registry", "network"]),
    ("cli", &["spec", "quadlet", "kernel", "engine"]),
    ("xtask", &[]),
];

/// Crates that tests of any crate may use besides its row.
const FOR_TESTS: &str = "xtask";

/// Lines a file may have before its tests.
const LINES: usize = 800;

/// Every broken rule, as one sentence each.
pub fn check() -> Result<Vec<String>> {
    let mut broken = imports(&metadata()?)?;
    let mut files = Vec::new();
    for dir in ["crates", "xtask"] {
        rust_files(&paths::workspace().join(dir), &mut files)?;
    }
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("read {file:?}"))?;
        let name = file.strip_prefix(paths::workspace()).unwrap_or(&file).to_string_lossy().into_owned();
        broken.extend(look(&name, &text));
    }
    broken.sort();
    Ok(broken)
}

fn metadata() -> Result<Value> {
    let mut cargo = build::cargo();
    cargo.args(["metadata", "--format-version=1", "--no-deps"]);
    serde_json::from_str(&process::output(&mut cargo)?).context("parse the output of cargo metadata")
}

/// Checks the dependencies of every workspace crate against the table.
fn imports(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata without packages")?;
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("cargo metadata with a nameless package")?;
        let Some((_, allowed)) = IMPORTS.iter().find(|(row, _)| *row == name) else {
            broken.push(format!("crate {name} has no row in the table of imports"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"].as_str() == Some("dev") && on == FOR_TESTS;
            if names.contains(&on) && !allowed.contains(&on) && !for_tests {
                broken.push(format!("crate {name} must not import {on}"));
            }
        }
    }
    Ok(broken)
}

/// Checks one Rust file.
fn look(name: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if !text.starts_with("//!") {
        broken.push(format!("{name}: does not begin with its module head, //!"));
    }
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    let is_test = name.split('/').any(|part| part == "tests" || part == "tests.rs");
    if name.starts_with("crates/") && !is_test && lines > LINES {
        broken.push(format!("{name}: {lines} lines before its tests, more than {LINES}"));
    }
    broken
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {dir:?}"))? {
        let path = entry.with_context(|| format!("list {dir:?}"))?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: Value) -> Value {
        serde_json::json!({"name": name, "dependencies": dependencies})
    }

    #[test]
    fn the_tree_keeps_its_rules() {
        assert_eq!(check().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_import_is_found() {
        let metadata = serde_json::json!({"packages": [
            package("store", serde_json::json!([{"name": "registry", "kind": null}])),
            package("registry", serde_json::json!([{"name": "spec", "kind": null}, {"name": "ureq", "kind": null}])),
            package("spec", serde_json::json!([{"name": "xtask", "kind": "dev"}])),
            package("xtask", serde_json::json!([])),
            package("extra", serde_json::json!([])),
        ]});
        assert_eq!(
            imports(&metadata).unwrap(),
            ["crate store must not import registry", "crate extra has no row in the table of imports"]
        );
    }

    #[test]
    fn a_file_without_head_or_end_is_found() {
        assert_eq!(look("crates/x/src/a.rs", "//! Fine.\n"), Vec::<String>::new());
        assert_eq!(look("crates/x/src/a.rs", "use std::fs;\n").len(), 1);
        let long = format!("//! Long.\n{}", "\n".repeat(LINES));
        assert_eq!(look("crates/x/src/a.rs", &long).len(), 1);
        assert_eq!(look("crates/x/tests/a.rs", &long).len(), 0);
        let tests = format!("//! Fine.\n#[cfg(test)]\n{}", "\n".repeat(LINES));
        assert_eq!(look("crates/x/src/a.rs", &tests).len(), 0);
    }
}
