//! `lodger search`; what registries answer is tested in crate `registry`.

use super::Environment;

#[test]
fn where_to_search_must_be_known() {
    let environment = Environment::new();
    assert!(environment.refused(&["search", "web"]).contains("no registry to search"));
    assert!(environment.refused(&["search", "127.0.0.1:1/web"]).contains("cannot connect to 127.0.0.1:1"));
    assert!(environment.refused(&["search", "--filter", "size=3", "r.example/web"]).contains("invalid filter"));
    assert!(
        environment
            .refused(&["search", "--list-tags", "--filter", "stars=3", "r.example/web"])
            .contains("not applicable")
    );
}
