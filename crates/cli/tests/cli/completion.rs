//! `lodger completion`, and what the scripts ask

use super::Environment;
use std::process::{Command, Stdio};

fn asked(environment: &Environment, words: &[&str]) -> Vec<String> {
    let words: Vec<&str> = ["__completeNoDesc", "--"].iter().chain(words).copied().collect();
    environment.ok(&words).lines().map(str::to_owned).collect()
}

#[test]
fn commands_flags_and_fixed_words_are_offered() {
    let environment = Environment::new();
    assert_eq!(asked(&environment, &["vers"]), ["version", ":none"]);
    assert_eq!(asked(&environment, &["version", "--for"]), ["--format", ":none"]);
    assert_eq!(asked(&environment, &["completion", "z"]), ["zsh", ":none"]);
    assert_eq!(asked(&environment, &["completion", "-f", ""]), [":file"]);
    assert_eq!(asked(&environment, &["completion", "--file=x"]), [":file"]);
    assert_eq!(asked(&environment, &["completion", "--no-desc=t"]), ["--no-desc=true", ":none"]);
    assert_eq!(asked(&environment, &["--log-level", "de"]), ["debug", ":none"]);
    assert_eq!(asked(&environment, &["--log-level", "debug", "vers"]), ["version", ":none"]);
    assert_eq!(asked(&environment, &["--ro"]), ["--root", ":none"]);
    assert_eq!(asked(&environment, &["no-such-command", ""]), [":none"]);
    let described = environment.ok(&["__complete", "--", "vers"]);
    assert_eq!(described, "version\tShow the version of lodger\n:none\n");
}

/// A shell's own syntax check.
fn checked(shell: &str, arguments: &[&str]) {
    let environment = Environment::new();
    let file = environment.home.path().join("script");
    environment.ok(&["completion", shell, "-f", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), environment.ok(&["completion", shell]));
    match Command::new(shell).args(arguments).arg(&file).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => println!("skipped: {shell} is not installed"),
    }
}

#[test]
fn the_shells_can_read_their_scripts() {
    checked("bash", &["-n"]);
    checked("zsh", &["-n"]);
    checked("fish", &["--no-execute"]);
}

#[test]
fn only_the_three_shells_have_scripts() {
    let environment = Environment::new();
    assert_eq!(
        environment.refused(&["completion", "powershell"]),
        "Error: powershell is not supported by lodger: scripts are made for bash, zsh and fish\n"
    );
    assert!(environment.refused(&["completion", "csh"]).starts_with("Error: \"csh\" is not a valid shell: "));
}

/// What bash offers when tab is pressed after `line`.
fn in_bash(environment: &Environment, line: &[&str]) -> Vec<String> {
    let lodger = env!("CARGO_BIN_EXE_lodger");
    let words: Vec<String> = [lodger].iter().chain(line).map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <({lodger} completion bash)\nCOMP_WORDS=({})\nCOMP_CWORD={}\n__lodger_complete\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        line.len()
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(environment.home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_what_the_program_answers() {
    let environment = Environment::new();
    assert_eq!(in_bash(&environment, &["vers"]), ["version"]);
    assert_eq!(in_bash(&environment, &["completion", ""]), ["bash", "zsh", "fish"]);
    std::fs::write(environment.home.path().join("a file"), "").unwrap();
    assert_eq!(in_bash(&environment, &["completion", "-f", "a"]), ["a file"]);
    // As readline splits it at the break characters.
    assert_eq!(in_bash(&environment, &["--log-level", "=", "de"]), ["debug"]);
}
