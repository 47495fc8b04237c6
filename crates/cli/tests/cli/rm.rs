//! `lodger rm`

use super::Environment;

#[test]
fn the_exit_code_says_what_stayed() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "web:1"]);
    environment.create(&["--name", "two", "--cidfile", "id", "web:1"]);
    let outcome = environment.run(&["rm", "one", "nope"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome.stderr.starts_with("Error: no container with name or ID \"nope\" found: no such container\nhint: ")
    );
    assert_eq!(environment.ok(&["rm", "one"]), "one\n");
    environment.fails(1, &["rm", &id]);
    assert_eq!(environment.ok(&["rm", "--ignore", "nope"]), "");
    assert_eq!(environment.ok(&["rm", "--force", "nope"]), "");
    assert_eq!(environment.ok(&["rm", "--cidfile", "id"]).trim_end().len(), 64);
    assert_eq!(environment.ok(&["rm", "--ignore", "--cidfile", "gone"]), "");
    environment.refused(&["rm", "--cidfile", "gone"]);
}

#[test]
fn all_or_some_must_be_said() {
    let Some(environment) = Environment::with_image() else { return };
    let usage = |words: &[&str]| environment.refused(words).lines().next().unwrap_or_default().to_owned();
    assert_eq!(usage(&["rm"]), "Error: you must provide at least one name or id");
    assert_eq!(usage(&["rm", "--all", "x"]), "Error: no arguments are needed with --all");
    assert_eq!(usage(&["rm", "--all", "--latest"]), "Error: --all and --latest cannot be used together");
    assert_eq!(usage(&["rm", "--time", "3", "x"]), "Error: --force option must be specified to use the --time option");
    let id = environment.create(&["--name", "one", "web:1"]);
    environment.create(&["--name", "two", "--label", "keep", "web:1"]);
    assert_eq!(environment.ok(&["rm", "--filter", "label!=keep"]), format!("{id}\n"));
    assert_eq!(environment.ok(&["rm", "--all"]).lines().count(), 1);
    assert_eq!(environment.ok(&["rm", "--all"]), "");
}

#[test]
fn anonymous_volumes_stay_unless_asked_for() {
    let Some(environment) = Environment::with_image() else { return };
    let volumes = || environment.ok(&["volume", "ls", "--quiet"]).lines().count();
    for (flags, left) in [(&["--volumes"][..], 0), (&[], 1)] {
        environment.create(&["--name", "one", "-v", "/data", "web:1"]);
        let words: Vec<&str> = ["rm"].iter().chain(flags).chain(&["one"]).copied().collect();
        environment.ok(&words);
        assert_eq!(volumes(), left, "{flags:?}");
    }
}

#[test]
fn a_container_stays_whose_namespaces_others_share() {
    let Some(environment) = Environment::with_image() else { return };
    let base = environment.create(&["--name", "base", "web:1"]);
    let guest = environment.create(&["--name", "guest", "--network=container:base", "web:1"]);
    let further = environment.create(&["--name", "further", "--pid=container:guest", "web:1"]);
    for words in [&["rm", "base"][..], &["rm", "--force", "base"]] {
        let said = environment.refused(words);
        let wanted = format!(
            "Error: container {base} has dependent containers which must be removed before it: {guest}: container already exists\nhint: "
        );
        assert!(said.starts_with(&wanted), "{said}");
    }
    assert_eq!(environment.ok(&["rm", "--depend", "base"]), format!("{further}\n{guest}\nbase\n"));
    environment.create(&["--name", "base", "web:1"]);
    environment.create(&["--name", "guest", "--ipc=container:base", "web:1"]);
    assert_eq!(environment.ok(&["rm", "--all"]).lines().count(), 2);
}
