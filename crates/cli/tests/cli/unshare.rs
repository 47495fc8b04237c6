//! `lodger unshare`; what it does for users is tested on the test host.

use super::Environment;
use std::os::unix::fs::MetadataExt;

#[test]
fn it_is_for_users_and_shares_no_network() {
    let environment = Environment::new();
    let refused = environment.refused(&["unshare", "--rootless-netns", "true"]);
    assert!(
        refused.contains("--rootless-netns is not supported") && refused.contains("network namespace"),
        "{refused}"
    );
    if std::fs::metadata(environment.home.path()).unwrap().uid() == 0 {
        assert!(environment.refused(&["unshare", "true"]).contains("please use unshare with rootless"));
    }
}
