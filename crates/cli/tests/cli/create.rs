//! `lodger create`

use super::Environment;

#[test]
fn a_container_is_made_and_its_id_printed() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "web", "--cidfile", "id", "--label", "app=x", "-p", "8080:80", "web:1"]);
    assert_eq!((id.len(), id.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
    assert_eq!(std::fs::read_to_string(environment.home.path().join("id")).unwrap(), id);
    let json = environment.json(&["inspect", "web"]);
    assert_eq!(json[0]["Id"], *id);
    assert_eq!(json[0]["State"]["Status"], "created");
    assert_eq!(json[0]["Config"]["Labels"], serde_json::json!({"app": "x", "team": "web"}));
    assert_eq!(json[0]["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"], "8080");
    assert_eq!((&json[0]["Path"], &json[0]["Args"]), (&"serve".into(), &serde_json::json!(["--now"])));
}

#[test]
fn a_name_belongs_to_one_container() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "web", "web:1"]);
    let error = environment.refused(&["create", "--name", "web", "web:1"]);
    assert!(
        error.contains(&format!("\"web\" is already in use by {id}"))
            && error.contains("that name is already in use\nhint: "),
        "{error}"
    );
    let other = environment.create(&["--name", "web", "--replace", "web:1"]);
    assert_eq!(environment.ok(&["ps", "-aq", "--no-trunc"]), format!("{other}\n"));
}

#[test]
fn flags_that_cannot_be_are_refused_with_the_reason() {
    let environment = Environment::new();
    assert_eq!(
        environment.refused(&["create"]),
        "Error: requires at least 1 arg(s), only received 0\nSee 'lodger create --help'\n"
    );
    let error = environment.refused(&["create", "--pod", "x", "web:1"]);
    assert!(
        error.starts_with("Error: --pod is not supported by lodger: pods are not supported yet\nhint: "),
        "{error}"
    );
    let error = environment.refused(&["create", "-p", "99999:80", "web:1"]);
    assert!(error.starts_with("Error: invalid argument \"99999:80\" for \"-p, --publish\" flag: "), "{error}");
    assert!(environment.refused(&["create", "--detach", "web:1"]).starts_with("Error: unknown flag: --detach\n"));
}

#[test]
fn containers_conf_fills_in_what_is_not_said() {
    let Some(environment) = Environment::with_image() else { return };
    let directory = environment.home.path().join("config/containers");
    std::fs::create_dir_all(directory.join("containers.conf.modules")).unwrap();
    let conf = "[containers]\nenv = [\"A=conf\", \"B=conf\"]\numask = \"0077\"\nunknown = 1\n";
    std::fs::write(directory.join("containers.conf"), conf).unwrap();
    std::fs::write(directory.join("containers.conf.modules/more.conf"), "[containers]\nannotations = [\"x=y\"]\n")
        .unwrap();
    environment.create(&["--name", "plain", "-e", "A=mine", "web:1"]);
    let json = environment.json(&["container", "inspect", "plain"]);
    let env = json[0]["Config"]["Env"].to_string();
    assert!(env.contains("A=mine") && env.contains("B=conf") && !env.contains("A=conf"), "{env}");
    assert_eq!(json[0]["Config"]["Umask"], "0077");
    environment.ok(&["--module", "more.conf", "create", "--name", "more", "web:1"]);
    let json = environment.json(&["container", "inspect", "more"]);
    assert_eq!(json[0]["Config"]["Annotations"]["x"], "y");
    assert!(environment.refused(&["--module", "nosuch", "create", "web:1"]).contains("could not resolve module"));
    std::fs::write(directory.join("containers.conf"), "[containers]\ninit = \"yes\"\n").unwrap();
    let error = environment.refused(&["create", "web:1"]);
    assert!(error.contains("containers.conf: [containers] init: expected true or false"), "{error}");
}
