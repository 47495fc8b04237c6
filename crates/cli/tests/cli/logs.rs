//! `lodger logs`

use super::Environment;

#[test]
fn a_container_that_wrote_nothing_has_no_lines() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "--log-driver", "k8s-file", "web:1"]);
    environment.create(&["--name", "two", "--log-driver", "none", "web:1"]);
    assert_eq!(environment.ok(&["logs", "one"]), "");
    assert!(environment.refused(&["logs", "two"]).contains("this container is not logging output"));
    assert!(environment.refused(&["logs"]).starts_with("Error: specify at least one container name or ID to log\n"));
    assert!(
        environment.refused(&["logs", "--since", "yesterday-ish", "one"]).contains("invalid time \"yesterday-ish\"")
    );
    assert!(environment.refused(&["logs", "nope"]).contains("no such container"));
}

#[test]
fn both_streams_come_back_as_they_were_written() {
    let Some(environment) = Environment::with_busybox() else { return };
    let script = "echo one; echo two >&2; printf three";
    if !environment.starts(&["--name", "one", "--log-driver=k8s-file", "busybox", "sh", "-c", script]) {
        return;
    }
    environment.ok(&["wait", "one"]);
    let outcome = environment.run(&["logs", "--follow", "one"]);
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "one\nthree", "two\n"));
    let outcome = environment.run(&["logs", "--names", "--tail", "1", "one"]);
    assert_eq!(outcome.stdout, "three");
    let stamped = environment.run(&["logs", "--timestamps", "one"]).stdout;
    let (time, text) = stamped.lines().next().unwrap().split_once(' ').unwrap();
    // An amount of time counts from now on here, and the past elsewhere.
    assert_eq!(environment.run(&["logs", "--until", "10m", "one"]).stdout, "one\nthree");
    assert_eq!(environment.run(&["logs", "--since", "10m", "--until", "2026-01-01", "one"]).stdout, "");
    assert_eq!((time.len(), text), ("2026-11-22T02:36:48.123456789Z".len(), "one"), "{stamped}");
}

#[test]
fn a_container_in_the_foreground_is_heard_and_logged() {
    let Some(environment) = Environment::with_busybox() else { return };
    let script = "seq 3000; echo two >&2";
    let numbers: String = (1..=3000).map(|number| format!("{number}\n")).collect();
    let logged = ["--log-driver=k8s-file", "--network=none"];
    for (name, words) in [("plain", vec![]), ("hidden", vec!["-a", "stderr"])] {
        let all: Vec<&str> = ["run", "--name", name]
            .iter()
            .chain(&logged)
            .chain(&words)
            .chain(&["busybox", "sh", "-c", script])
            .copied()
            .collect();
        let outcome = environment.run(&all);
        let seen = if words.is_empty() { numbers.as_str() } else { "" };
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, seen, "two\n"), "{name}");
        let outcome = environment.run(&["logs", name]);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (numbers.as_str(), "two\n"), "{name}");
    }
    let all: Vec<&str> =
        ["run", "--name", "tty", "-t"].iter().chain(&logged).chain(&["busybox", "echo", "hi"]).copied().collect();
    assert_eq!(environment.ok(&all), "hi\r\n");
    assert_eq!(environment.ok(&["logs", "tty"]), "hi\n");
    assert_eq!(environment.run(&["logs", "--names", "plain", "tty"]).stdout.lines().last(), Some("tty hi"));
}

#[test]
fn lines_of_several_containers_come_in_the_order_of_their_time() {
    let Some(environment) = Environment::with_image() else { return };
    for (name, first) in [("a", 0), ("b", 5)] {
        let path = environment.home.path().join(format!("{name}.log"));
        let line = |second: u32| format!("2026-11-22T02:36:{second:02}.5+00:00 stdout F {name}{second}\n");
        std::fs::write(&path, (0..3).map(|turn| line(first + 10 * turn)).collect::<String>()).unwrap();
        let place = format!("path={}", path.display());
        environment.create(&["--name", name, "--log-driver=k8s-file", "--log-opt", &place, "web:1"]);
    }
    let wanted = "a a0\nb b5\na a10\nb b15\na a20\nb b25\n";
    assert_eq!(environment.ok(&["logs", "--names", "a", "b"]), wanted);
    assert_eq!(environment.ok(&["logs", "--names", "b", "a"]), wanted);
    assert_eq!(environment.ok(&["logs", "--names", "--tail", "1", "b", "a"]), "a a20\nb b25\n");
    let coloured = environment.ok(&["logs", "--color", "--names", "--tail", "1", "a", "b"]);
    assert_eq!(coloured, "\x1b[37ma a20\x1b[0m\n\x1b[31mb b25\x1b[0m\n");
    // Neither runs, so there is nothing more to come.
    let mut followed: Vec<String> =
        environment.ok(&["logs", "--follow", "--names", "a", "b"]).lines().map(str::to_owned).collect();
    followed.sort_by_key(|line| line[3..].parse::<u32>().unwrap());
    assert_eq!(followed.join("\n") + "\n", wanted);
}
