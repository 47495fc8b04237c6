//! `lodger ps`

use super::Environment;

const HEADINGS: &str = "CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES\n";

#[test]
fn an_empty_store_has_headings_alone() {
    let environment = Environment::new();
    for words in
        [&["ps"][..], &["container", "ls"], &["container", "list", "--all"], &["ps", "--filter", "status=exited"]]
    {
        assert_eq!(environment.ok(words), HEADINGS, "{words:?}");
    }
    assert_eq!(environment.ok(&["ps", "--noheading"]), "");
    assert_eq!(environment.ok(&["ps", "--format", "json"]), "[]\n");
    assert_eq!(environment.ok(&["ps", "-q", "--all"]), "");
}

#[test]
fn only_what_runs_is_listed_unless_asked() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "web", "-p", "127.0.0.1:8080:80", "web:1"]);
    assert_eq!(environment.ok(&["ps"]), HEADINGS);
    let format = "table {{.ID}} {{.Image}} {{.Command}} {{.Status}} {{.Ports}} {{.Names}}";
    let expected = format!(
        "CONTAINER ID  IMAGE                        COMMAND      STATUS      PORTS                   NAMES\n\
         {}  registry.example/team/web:1  serve --now  Created     127.0.0.1:8080->80/tcp  web\n",
        &id[..12]
    );
    assert_eq!(environment.ok(&["ps", "-a", "--format", format]), expected);
    let json = environment.json(&["ps", "-a", "--format", "json"]);
    assert_eq!((&json[0]["State"], &json[0]["Status"]), (&"created".into(), &"Created".into()));
    assert_eq!(json[0]["Ports"][0]["host_port"], 8080);
    assert_eq!(environment.ok(&["ps", "-aq", "--no-trunc"]), format!("{id}\n"));
}

#[test]
fn filters_choose() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "web", "--label", "app=front", "--restart", "always", "web:1"]);
    environment.create(&["--name", "db", "--volume", "data:/data", "--network", "none", "web:1"]);
    let names = |filters: &[&str]| {
        let mut words = vec!["ps", "-a", "--sort", "names", "--format", "{{.Names}}"];
        filters.iter().for_each(|filter| words.extend(["--filter", filter]));
        environment.ok(&words).lines().collect::<Vec<_>>().join(" ")
    };
    for (filters, expected) in [
        (&["name=web"][..], "web"),
        (&["name=^w.b$"], "web"),
        (&["name=web", "name=db"], "db web"),
        (&["name=web", "status=exited"], ""),
        (&["label=app"], "web"),
        (&["label=team=web"], "db web"),
        (&["label!=app"], "db"),
        (&["volume=data"], "db"),
        (&["volume=/data"], "db"),
        (&["network=none"], "db"),
        (&["ancestor=web"], "db web"),
        (&["ancestor=we"], ""),
        (&["restart-policy=always"], "web"),
        (&["should-start-on-boot=true"], "web"),
        (&["before=db"], "web"),
        (&["since=web"], "db"),
        (&["status=created"], "db web"),
        (&["command=serve"], "db web"),
        (&["until=1h"], ""),
    ] {
        assert_eq!(names(filters), expected, "{filters:?}");
    }
    let error = environment.refused(&["ps", "--filter", "nmae=web"]);
    assert!(error.ends_with("hint: did you mean name=web?\n"), "{error}");
    assert!(environment.refused(&["ps", "--filter", "name"]).starts_with("Error: invalid filter \"name\""));
    assert!(environment.refused(&["ps", "--filter", "name=["]).starts_with("Error: invalid filter name="));
}

#[test]
fn the_newest_are_counted_and_the_oldest_come_first() {
    let Some(environment) = Environment::with_image() else { return };
    for name in ["one", "two", "three"] {
        environment.create(&["--name", name, "web:1"]);
    }
    let names = |words: &[&str]| {
        let words: Vec<&str> = ["ps", "--format", "{{.Names}}"].iter().chain(words).copied().collect();
        environment.ok(&words).lines().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&["-a"]), "one two three");
    assert_eq!(names(&["--last", "2"]), "two three");
    assert_eq!(names(&["-a", "--sort", "created"]), "one two three");
    assert_eq!(names(&["--latest"]), "three");
    assert!(environment.refused(&["ps", "--latest", "--last", "2"]).contains("mutually exclusive"));
}

#[test]
fn sizes_and_namespaces_are_shown_when_they_are_asked_for() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sh", "-c", "head -c 5000 /dev/zero >/x; sleep 1000"]) {
        return;
    }
    environment.create(&["--name", "two", "busybox", "true"]);
    environment.ok(&["exec", "one", "sh", "-c", "until [ $(wc -c </x) = 5000 ]; do usleep 1000; done"]);
    let sizes = environment.ok(&["ps", "-a", "--size", "--sort", "size", "--format", "{{.Names}} {{.Size}}"]);
    let sizes: Vec<&str> = sizes.lines().collect();
    assert!(sizes[0].starts_with("two 0B (virtual ") && sizes[1].starts_with("one 5kB (virtual "), "{sizes:?}");
    assert!(environment.ok(&["ps", "--size"]).lines().next().unwrap().ends_with("SIZE"));
    let json = environment.json(&["inspect", "--size", "one"]);
    assert_eq!(json[0]["SizeRw"], 5000);
    assert!(json[0]["SizeRootFs"].as_u64().unwrap() > 1_000_000);
    assert!(environment.json(&["container", "inspect", "two"])[0].get("SizeRw").is_none());

    let table = environment.ok(&["ps", "--ns"]);
    assert!(table.starts_with("CONTAINER ID  NAMES       PID         CGROUPNS    IPC         MNT"), "{table}");
    let own = std::fs::read_link("/proc/self/ns/mnt").unwrap().to_str().unwrap().to_owned();
    let number = environment.json(&["ps", "--ns", "--format", "json"])[0]["Namespaces"]["Mnt"].clone();
    let number = number.as_str().unwrap();
    assert!(number.parse::<u64>().is_ok() && !own.contains(number), "{number}");
    environment.refused(&["ps", "--ns", "--size"]);
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}
