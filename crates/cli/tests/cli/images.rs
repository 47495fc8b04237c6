//! `lodger images`

use super::Environment;

#[test]
fn an_empty_store_has_headings_alone() {
    let environment = Environment::new();
    assert_eq!(environment.ok(&["images"]), "REPOSITORY  TAG         IMAGE ID    CREATED     SIZE\n");
    assert_eq!(environment.ok(&["images", "--noheading"]), "");
    assert_eq!(environment.ok(&["images", "--format", "json"]), "[]\n");
    assert_eq!(environment.ok(&["images", "-q"]), "");
}

#[test]
fn every_name_has_a_line_and_every_image_one_object() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["tag", "web:1", "other:2"]);
    let format = "{{.Repository}} {{.Tag}} {{.CreatedAt}} {{.Size}}";
    let expected = "localhost/other 2 2026-01-02 03:04:05 +0000 UTC 417 B\nregistry.example/team/web 1 2026-01-02 03:04:05 +0000 UTC 417 B\n";
    let shown = environment.ok(&["image", "ls", "--sort", "repository", "--format", format]);
    let sized =
        |text: &str| text.lines().map(|line| line.rsplit_once(" UTC ").unwrap().0.to_owned()).collect::<Vec<_>>();
    assert_eq!(sized(&shown), sized(expected));
    let id = environment.ok(&["images", "-q"]);
    assert_eq!((id.lines().count(), id.trim_end().len()), (1, 12));
    let json = environment.json(&["images", "--format", "json"]);
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["Names"], serde_json::json!(["localhost/other:2", "registry.example/team/web:1"]));
    assert_eq!(json[0]["Labels"]["team"], "web");
    let full = environment.ok(&["images", "-q", "--no-trunc"]);
    assert_eq!(full.trim_end(), format!("sha256:{}", json[0]["Id"].as_str().unwrap()));
    assert!(full.contains(id.trim_end()));
}

#[test]
fn filters_choose() {
    let Some(environment) = Environment::with_image() else { return };
    let names = |words: &[&str]| {
        let words: Vec<&str> = ["images", "--format", "{{.Repository}}"].iter().chain(words).copied().collect();
        environment.ok(&words)
    };
    let web = "registry.example/team/web\n";
    for filter in
        ["reference=web", "label=team=web", "dangling=false", "containers=false", "until=1s", "reference=*/team/*"]
    {
        assert_eq!(names(&["--filter", filter]), web, "{filter}");
    }
    for filter in ["reference=we", "label!=team", "dangling=true", "containers=true", "id=ffffff", "reference!=web:1"] {
        assert_eq!(names(&["--filter", filter]), "", "{filter}");
    }
    assert_eq!(names(&["web:1"]), web);
    assert_eq!(names(&["web:2"]), "");
    assert!(
        environment.refused(&["images", "--filter", "dangling=maybe"]).starts_with("Error: invalid filter dangling=")
    );
    assert!(
        environment.refused(&["images", "--sort", "colour"]).contains("choose from created, id, repository, size, tag")
    );
}
