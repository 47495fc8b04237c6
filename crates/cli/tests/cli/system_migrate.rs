//! `lodger system migrate`

use super::Environment;

#[test]
fn what_runs_stops_and_the_namespace_is_made_anew() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    let id = environment.ok(&["ps", "-q", "--no-trunc"]);
    let keeper = environment.home.path().join("store/keeper");
    assert!(keeper.exists());
    assert_eq!(environment.ok(&["system", "migrate"]), format!("stopped {id}"));
    assert!(!keeper.exists());
    assert_eq!(environment.ok(&["system", "migrate"]), "");
    assert_eq!(environment.ok(&["run", "--rm", "--network=none", "busybox", "id", "-u"]), "0\n");
    assert!(environment.refused(&["system", "migrate", "--new-runtime=runc"]).contains("without a runtime beside it"));
}
