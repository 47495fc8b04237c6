//! `lodger container clone`

use super::Environment;

fn names(environment: &Environment) -> String {
    let mut names: Vec<String> =
        environment.ok(&["ps", "-a", "--format", "{{.Names}}"]).lines().map(str::to_owned).collect();
    names.sort();
    names.join(" ")
}

#[test]
fn a_clone_is_told_the_same_but_for_what_is_said() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&[
        "--name=one",
        "-e=B=2",
        "-v=data:/data",
        "-v=/anonymous",
        "-m=64m",
        "--cidfile=id",
        "team/web:1",
    ]);
    environment.ok(&["container", "clone", "one"]);
    environment.ok(&["container", "clone", "--memory=32m", "one"]);
    environment.ok(&["container", "clone", "--name=unused", "one", "two"]);
    assert_eq!(names(&environment), "one one-clone one-clone1 two");
    let told = |name: &str| environment.json(&["inspect", name])[0].clone();
    let (one, clone, smaller) = (told("one"), told("one-clone"), told("one-clone1"));
    assert_eq!((&one["Config"]["Env"], &one["Image"]), (&clone["Config"]["Env"], &clone["Image"]));
    assert_eq!(
        (&one["HostConfig"]["Memory"], &smaller["HostConfig"]["Memory"]),
        (&67_108_864.into(), &33_554_432.into())
    );
    let volume = |told: &serde_json::Value, at: &str| {
        let mounts = told["Mounts"].as_array().unwrap().clone();
        mounts.into_iter().find(|mount| mount["Destination"] == at).unwrap()["Name"].clone()
    };
    assert_eq!(volume(&one, "/data"), volume(&clone, "/data"));
    assert_ne!(volume(&one, "/anonymous"), volume(&clone, "/anonymous"));
    assert_eq!(std::fs::read_to_string(environment.home.path().join("id")).unwrap(), one["Id"].as_str().unwrap());
}

#[test]
fn the_original_goes_and_another_image_comes_where_that_is_said() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name=one", "team/web:1"]);
    environment.ok(&["commit", "one", "other"]);
    environment.ok(&["container", "clone", "--destroy", "one", "two", "localhost/other"]);
    assert_eq!(names(&environment), "two");
    assert_eq!(environment.ok(&["inspect", "--format", "{{.ImageName}}", "two"]), "localhost/other:latest\n");
    for (words, why) in [
        (&["container", "clone", "nosuch"][..], "no such container"),
        (&["container", "clone", "two", "two"], "already in use"),
        (&["container", "clone", "--force", "two"], "cannot set --force without --destroy"),
        (&["container", "clone", "--pod=x", "two"], "pods are not there yet"),
        (&["container", "clone", "--memory=x", "two"], "invalid argument \"x\""),
    ] {
        let refused = environment.refused(words);
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(names(&environment), "two");
}

#[test]
fn one_that_runs_stays_unless_forced_and_the_clone_can_run() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    let refused = environment.refused(&["container", "clone", "--destroy", "one"]);
    assert!(refused.contains("--force") && names(&environment) == "one", "{refused}");
    environment.ok(&["container", "clone", "--destroy", "--force", "--run", "one", "two"]);
    let running = environment.ok(&["ps", "--format", "{{.Names}}"]);
    let _ = environment.run(&["rm", "-f", "-t", "0", "two"]);
    assert_eq!(running, "two\n");
}
