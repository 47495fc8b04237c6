//! `lodger diff`

use super::Environment;

/// A container that has changed something of everything.
pub(crate) fn changed(environment: &Environment) {
    let script = "echo hi >/etc/new; rm /bin/vi /etc/passwd; mkdir -p /opt/d; echo x >/opt/d/f; chmod 700 /root; \
                  ln -s a /link; touch /tmp/t; : >/run/told; echo x >/data/hidden; rm /etc/group; echo y >/etc/group";
    environment.ok(&["run", "--name", "one", "--network=none", "-v", "data:/data", "busybox", "sh", "-c", script]);
}

const LINES: &str = "C /bin\nD /bin/vi\nA /data\nC /etc\nC /etc/group\nA /etc/new\nD /etc/passwd\nA /link\nA /opt\n\
                     A /opt/d\nA /opt/d/f\nC /root\nA /run/told\nC /tmp\nA /tmp/t\n";

#[test]
fn it_tells_what_a_container_or_a_layer_has_changed() {
    let Some(environment) = Environment::with_busybox() else { return };
    changed(&environment);
    assert_eq!(environment.ok(&["diff", "one"]), LINES);
    assert_eq!(environment.ok(&["diff", "--latest"]), LINES);
    let document = environment.json(&["diff", "--format", "json", "one"]);
    assert_eq!(document["deleted"], serde_json::json!(["/bin/vi", "/etc/passwd"]));
    assert_eq!(document["changed"][1], "/etc");
    assert_eq!(environment.ok(&["diff", "one", "busybox"]), LINES);
    assert!(environment.ok(&["diff", "busybox", "one"]).contains("A /bin/vi\n"));
    assert!(environment.ok(&["diff", "busybox"]).contains("A /bin/vi\n"));
}

#[test]
fn what_it_does_not_know_is_said_as_podman_says_it() {
    let Some(environment) = Environment::with_image() else { return };
    assert!(environment.refused(&["diff", "nosuch"]).contains("nosuch not found: layer not known"));
    assert!(environment.refused(&["diff"]).contains("requires a name, id, or the \"--latest\" flag"));
    let refused = environment.refused(&["diff", "--format", "{{.}}", "web"]);
    assert!(refused.contains("only supported value for '--format' is 'json'"));
}
