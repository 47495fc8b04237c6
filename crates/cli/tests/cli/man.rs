//! `lodger man`

use super::Environment;
use std::process::Command;

#[test]
fn every_command_has_a_page_without_mistakes() {
    let environment = Environment::new();
    let directory = environment.home.path();
    assert_eq!(environment.ok(&["man", "."]), "");
    let page = std::fs::read_to_string(directory.join("lodger-version.1")).unwrap();
    assert!(page.contains(".SH SYNOPSIS\n\\fBlodger version\\fR [options]\n"), "{page}");
    assert!(page.contains("\\fB\\-f\\fR, \\fB\\-\\-format\\fR\\fI string\\fR"), "{page}");
    assert!(!directory.join("lodger-__complete.1").exists());
    let pages: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let pages: Vec<_> = pages.iter().filter(|path| path.extension().is_some_and(|end| end == "1")).collect();
    assert!(pages.len() > 3);
    for checker in [&["mandoc", "-T", "lint", "-W", "error"][..], &["groff", "-man", "-ww", "-z"]] {
        let Ok(output) = Command::new(checker[0]).args(&checker[1..]).args(&pages).output() else {
            println!("skipped: {} is not installed", checker[0]);
            continue;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}
