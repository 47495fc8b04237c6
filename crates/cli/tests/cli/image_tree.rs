//! `lodger image tree`

use super::Environment;

#[test]
fn the_layers_of_an_image() {
    let Some(environment) = Environment::with_image() else { return };
    for words in [&["image", "tree", "web:1"][..], &["image", "tree", "--whatrequires", "web:1"]] {
        let text = environment.ok(words);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        assert!(lines[0].starts_with("Image ID: ") && lines[1] == "Tags:     [registry.example/team/web:1]", "{text}");
        assert_eq!(lines[3], "Image Layers");
        assert!(lines.last().unwrap().starts_with("└── ID: "), "{text}");
        assert!(lines.last().unwrap().ends_with(" Top Layer of: [registry.example/team/web:1]"), "{text}");
    }
}
