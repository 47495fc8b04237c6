//! registries.conf as users write it, and what must be refused.

use super::*;
use crate::Role;
use proptest::prelude::*;

fn conf(text: &str) -> RegistriesConf {
    RegistriesConf::parse("registries.conf", text.as_bytes()).unwrap()
}

fn places(conf: &RegistriesConf, name: &str) -> Vec<String> {
    let name = Reference::parse(name).unwrap();
    let show = |place: Location| {
        let role = if place.role == Role::Mirror { "mirror " } else { "" };
        let insecure = if place.security == Security::Insecure { " insecure" } else { "" };
        format!("{role}{}{insecure}", place.reference)
    };
    conf.locations(&name).unwrap().into_iter().map(show).collect()
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_name_without_an_entry_is_its_own_place() {
    let conf = RegistriesConf::default();
    assert_eq!(places(&conf, "quay.io/team/web:1"), ["quay.io/team/web:1"]);
    assert_eq!(places(&conf, "docker.io/busybox"), ["docker.io/library/busybox"]);
    assert_eq!(places(&conf, "index.docker.io/busybox"), ["docker.io/library/busybox"]);
    assert_eq!(places(&conf, "docker.io/team/web"), ["docker.io/team/web"]);
    assert!(conf.locations(&Reference::parse("busybox").unwrap()).is_err());
}

#[test]
fn the_longest_prefix_decides_and_ends_at_a_part() {
    let conf = conf(
        r#"
        [[registry]]
        prefix = "example.com/foo"
        location = "internal.example:5000/bar"
        [[registry]]
        prefix = "example.com/foo/deep"
        location = "deep.example/x"
        insecure = true
        [[registry]]
        location = "example.com"
        blocked = true
    "#,
    );
    assert_eq!(places(&conf, "example.com/foo/myimage:latest"), ["internal.example:5000/bar/myimage:latest"]);
    assert_eq!(places(&conf, "example.com/foo/deep/i"), ["deep.example/x/i insecure"]);
    assert_eq!(places(&conf, "example.com/foo:t"), ["internal.example:5000/bar:t"]);
    assert_eq!(places(&conf, "example.community/foo"), ["example.community/foo"]);
    let blocked = conf.locations(&Reference::parse("example.com/foobar").unwrap()).unwrap_err();
    assert_eq!(blocked.kind, Kind::Blocked("example.com".to_owned()));
}

#[test]
fn a_wildcard_covers_every_subdomain_but_not_the_domain() {
    let bare = conf("[[registry]]\nprefix = \"*.example.com\"\ninsecure = true");
    assert_eq!(places(&bare, "a.b.example.com/x"), ["a.b.example.com/x insecure"]);
    assert_eq!(places(&bare, "example.com/x"), ["example.com/x"]);
    assert_eq!(places(&bare, "badexample.com/x"), ["badexample.com/x"]);
    assert_eq!(places(&bare, "other.io/a.example.com"), ["other.io/a.example.com"]);
    let moved = conf("[[registry]]\nprefix = \"*.example.com\"\nlocation = \"new.io/ns\"");
    assert_eq!(places(&moved, "a.example.com/x:1"), ["new.io/ns/x:1"]);
}

#[test]
fn mirrors_come_first_and_serve_what_they_are_for() {
    let text = r#"
        [[registry]]
        location = "registry.example"
        [[registry.mirror]]
        location = "m1.example/cache"
        insecure = true
        [[registry.mirror]]
        location = "m2.example"
        pull-from-mirror = "digest-only"
        [[registry.mirror]]
        location = "m3.example"
        pull-from-mirror = "tag-only"
    "#;
    assert_eq!(
        places(&conf(text), "registry.example/a:1"),
        ["mirror m1.example/cache/a:1 insecure", "mirror m3.example/a:1", "registry.example/a:1"]
    );
    assert_eq!(
        places(&conf(text), &format!("registry.example/a@{DIGEST}")),
        [
            format!("mirror m1.example/cache/a@{DIGEST} insecure"),
            format!("mirror m2.example/a@{DIGEST}"),
            format!("registry.example/a@{DIGEST}")
        ]
    );
    let by_digest = conf(
        "[[registry]]\nlocation = \"r.example\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.example\"",
    );
    assert_eq!(places(&by_digest, "r.example/a:1"), ["r.example/a:1"]);
    assert_eq!(places(&by_digest, &format!("r.example/a@{DIGEST}")).len(), 2);
}

#[test]
fn drop_ins_replace_by_prefix_and_name() {
    let mut conf = conf(
        r#"
        unqualified-search-registries = ["a.example", "b.example"]
        [[registry]]
        location = "r.example"
        insecure = true
        [aliases]
        "web" = "one.example/web"
        "db" = "one.example/db"
    "#,
    );
    conf.merge("10.conf", b"[aliases]\n\"web\" = \"two.example/web\"\n\"db\" = \"\"").unwrap();
    conf.merge("20.conf", b"short-name-mode = \"disabled\"\n[[registry]]\nlocation = \"r.example\"").unwrap();
    assert_eq!(conf.search, ["a.example", "b.example"]);
    assert_eq!(conf.short_names, ShortNameMode::Disabled);
    assert_eq!(places(&conf, "r.example/a"), ["r.example/a"]);
    let web = conf.short_name(&Reference::parse("web:2").unwrap());
    assert_eq!(web, ShortName::Exact(Reference::parse("two.example/web:2").unwrap()));
    let db = conf.short_name(&Reference::parse("db").unwrap());
    let candidates = ["a.example/db", "b.example/db"].map(|name| Reference::parse(name).unwrap()).to_vec();
    assert_eq!(db, ShortName::Candidates(candidates));
    conf.merge("30.conf", b"unqualified-search-registries = []").unwrap();
    assert_eq!(conf.short_name(&Reference::parse("db").unwrap()), ShortName::Unknown);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (text, reason) in [
        ("[registries.search]\nregistries = ['a.example']", "version 1"),
        ("[[registry]]\ninsecure = true", "prefix or a location"),
        ("[[registry]]\nprefix = \"a.example\"", "needs a location"),
        ("[[registry]]\nlocation = \"https://a.example\"", "scheme"),
        ("[[registry]]\nlocation = \"*.example\"", "'*'"),
        ("[[registry]]\nprefix = \"*.example.com/x\"\nlocation = \"b.example\"", "is for hosts"),
        ("[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\ninsecure = true", "mirror location is missing"),
        ("unqualified-search-registries = [\"a.example/x\"]", "host:port"),
        ("short-name-mode = \"loud\"", "loud"),
        ("[aliases]\n\"quay.io/x\" = \"a.example/x\"", "without registry"),
        ("[aliases]\n\"x\" = \"library/x\"", "must have a registry"),
        ("\n\nunqualified-search-registries = 3", "line 3"),
        ("[[registry]]\nlocation = \"a.example\"\nlocation = \"b.example\"", "line 3"),
    ] {
        let error = RegistriesConf::parse("/etc/x.conf", text.as_bytes()).unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("read registries configuration \"/etc/x.conf\": "), "{shown}");
        assert!(shown.contains(reason), "{text:?}: {shown}");
    }
}

#[test]
fn a_failed_merge_changes_nothing() {
    let mut conf = conf("unqualified-search-registries = [\"a.example\"]");
    let before = conf.clone();
    conf.merge("x", b"unqualified-search-registries = []\nshort-name-mode = \"loud\"").unwrap_err();
    assert_eq!(conf, before);
}

#[test]
fn a_rewrite_to_nonsense_is_an_error_not_a_request() {
    let conf = conf("[[registry]]\nprefix = \"a.example\"\nlocation = \"b.example/UPPER\"");
    let error = conf.locations(&Reference::parse("a.example/x").unwrap()).unwrap_err();
    assert!(error.to_string().contains("rewritten"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,200}") {
        let _ = RegistriesConf::parse("x", text.as_bytes());
    }

    #[test]
    fn any_entry_rewrites_to_a_name_or_an_error(
        prefix in "(\\*\\.)?[a-z.:/@*]{0,12}",
        location in "[a-z.:/@*]{0,12}",
        mirror in "[a-z.:/]{0,12}",
        name in "[a-z]{1,3}\\.[a-z]{1,3}(:[0-9]{1,3})?(/[a-z]{1,3}){1,3}(:[a-z]{1,3})?",
    ) {
        let text = format!(
            "[[registry]]\nprefix = {prefix:?}\nlocation = {location:?}\n[[registry.mirror]]\nlocation = {mirror:?}"
        );
        if let Ok(conf) = RegistriesConf::parse("x", text.as_bytes()) {
            if let Ok(found) = conf.locations(&Reference::parse(&name).unwrap()) {
                prop_assert!(found.iter().all(|place| place.reference.registry.is_some()));
                prop_assert_eq!(found.last().unwrap().role, Role::Primary);
            }
        }
    }
}
