//! `lodger port`

use super::Environment;

#[test]
fn what_does_not_run_leads_nowhere() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "-p", "8080-8081:80-81", "web:1"]);
    assert_eq!(environment.ok(&["port", "one"]), "");
    assert_eq!(environment.ok(&["port", "one", "80"]), "");
    assert_eq!(environment.ok(&["port", "--all"]), "");
    environment.refused(&["port"]);
    environment.refused(&["port", "one", "http"]);
}
