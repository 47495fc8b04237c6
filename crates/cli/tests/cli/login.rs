//! `lodger login`; that a registry believes it is tested with a whole host.

use super::Environment;
use std::io::Write;
use std::process::Stdio;

#[test]
fn who_is_logged_in_is_said_and_no_password() {
    let environment = Environment::new();
    // me:secret
    let text = r#"{"auths": {"r.example": {"auth": "bWU6c2VjcmV0"}, "r.example/team": {"auth": "eW91OnNlY3JldA=="}}}"#;
    std::fs::write(environment.home.path().join("auth.json"), text).unwrap();
    let user = |name: &str| environment.ok(&["login", "--authfile", "auth.json", "--get-login", name]);
    assert_eq!((user("r.example").as_str(), user("https://r.example/team").as_str()), ("me\n", "you\n"));
    let nobody = environment.refused(&["login", "--authfile", "auth.json", "--get-login", "other.example"]);
    assert_eq!(nobody, "Error: not logged into other.example\n");
    assert!(!environment.home.path().join("store").exists());
}

#[test]
fn what_cannot_be_tried_is_not_kept() {
    let environment = Environment::new();
    let mut command = environment.lodger();
    command.args(["login", "-u", "me", "--password-stdin", "--authfile", "a.json", "127.0.0.1:1"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hunter2\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(text.starts_with("Error: authenticating creds for \"127.0.0.1:1\"") && !text.contains("hunter2"), "{text}");
    assert!(!environment.home.path().join("a.json").exists());
    assert!(environment.refused(&["login", "--password-stdin", "r.example"]).contains("must provide --username"));
    assert!(environment.refused(&["login", "a b"]).contains("expected host[:port]"));
}
