//! `lodger events`

use super::Environment;

/// What happened so far, each as `TYPE STATUS NAME`.
fn told(environment: &Environment, filters: &[&str]) -> Vec<String> {
    let mut words =
        vec!["--events-backend=file", "events", "--stream=false", "--format={{.Type}} {{.Status}} {{.Name}}"];
    words.extend(filters);
    environment.ok(&words).lines().map(str::to_owned).collect()
}

fn does(environment: &Environment, words: &[&str]) {
    let words: Vec<&str> = ["--events-backend", "file"].iter().chain(words).copied().collect();
    environment.ok(&words);
}

#[test]
fn what_changes_is_told() {
    let Some(environment) = Environment::with_image() else { return };
    let _ = std::fs::remove_file(environment.home.path().join("store/events.log"));
    let steps: [&[&str]; 8] = [
        &["create", "--name", "one", "--label", "a=b\nc", "web:1"],
        &["rename", "one", "two"],
        &["rm", "two"],
        &["volume", "create", "data"],
        &["volume", "prune", "--force"],
        &["tag", "web:1", "other:2"],
        &["untag", "web:1", "localhost/other:2"],
        &["rmi", "registry.example/team/web:1"],
    ];
    steps.iter().for_each(|words| does(&environment, words));
    assert_eq!(
        told(&environment, &[]),
        [
            "container create one",
            "container rename two",
            "container remove two",
            "volume create data",
            "volume remove data",
            "volume prune data",
            "image tag localhost/other:2",
            "image untag localhost/other:2",
            "image untag registry.example/team/web:1",
            "image remove registry.example/team/web:1",
        ]
    );
    assert_eq!(told(&environment, &["--filter", "event=create"]), ["container create one", "volume create data"]);
    assert_eq!(told(&environment, &["--filter", "type=volume", "--filter", "event=prune"]), ["volume prune data"]);
    assert_eq!(told(&environment, &["--filter", "container=two"]).len(), 2);
    assert_eq!(told(&environment, &["--filter", "label=a"]).len(), 3);
    assert_eq!(told(&environment, &["--filter", "image=web"]).len(), 5);
    assert_eq!(told(&environment, &["--filter", "image!=web", "--filter", "type!=volume"]).len(), 2);
    // One event is one line, whatever a label holds.
    let text = environment.ok(&["--events-backend=file", "events", "--stream=false"]);
    assert_eq!(text.lines().count(), 10);
    assert!(text.contains("(image=registry.example/team/web:1, name=one, a=b"), "{text}");
    let text = environment.ok(&["--events-backend=file", "events", "--stream=false", "--format=json"]);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["Status"], &first["Attributes"]["a"]), (&"create".into(), &"b\nc".into()));
    assert!(first["timeNano"].as_i64().unwrap() / 1_000_000_000 == first["time"].as_i64().unwrap());
}

#[test]
fn a_stream_ends_where_it_is_to_and_begins_now() {
    let Some(environment) = Environment::with_image() else { return };
    does(&environment, &["volume", "create", "before"]);
    let words = ["--events-backend=file", "events", "--until", "300ms"];
    // With an end and no beginning it shows what there was as well, as podman does.
    assert!(environment.ok(&words).contains("volume create before"));
    let words = ["--events-backend=file", "events", "--since", "0s", "--until", "300ms"];
    assert_eq!(environment.ok(&words), "");
}

#[test]
fn where_nothing_is_kept_nothing_is_read() {
    let environment = Environment::new();
    let error = environment.refused(&["--events-backend", "none", "events"]);
    assert_eq!(error.lines().next().unwrap(), "Error: cannot read events with the \"none\" backend");
    let error = environment.refused(&["--events-backend", "syslog", "events"]);
    assert!(error.contains("\"syslog\" is not a valid events backend"), "{error}");
    let error = environment.refused(&["events", "--filter", "colour=red"]);
    assert!(error.contains("failed to parse event filters: \"colour\" is an invalid filter"), "{error}");
    environment.refused(&["events", "--since", "nosense"]);
    environment.refused(&["events", "one"]);
    let path = environment.home.path().join("containers.conf");
    std::fs::write(&path, "[engine]\nevents_logger = \"none\"\n").unwrap();
    let output = environment.lodger().env("CONTAINERS_CONF", &path).arg("events").output().unwrap();
    assert_eq!(output.status.code(), Some(125));
}
