//! `lodger system check`; that a registry mends damage is tested with a whole host.

use super::Environment;
use std::path::PathBuf;

fn only(directory: PathBuf) -> PathBuf {
    let mut entries = std::fs::read_dir(directory).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[test]
fn damage_is_named_and_the_rest_goes_on() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["system", "check"]), "");
    let store = environment.home.path().join("store");
    let layer = only(store.join("layers"));
    let file = layer.join("diff/etc/motd");
    std::fs::write(&file, "hallo\n").unwrap();
    // A flipped bit is seen by who reads everything.
    assert_eq!(environment.ok(&["system", "check", "--quick"]), "");
    let told = environment.run(&["system", "check", "--repair"]);
    let name = layer.file_name().unwrap().to_str().unwrap();
    assert!(
        told.stdout.starts_with(&format!("layer sha256:{name} of registry.example/team/web:1: ")),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("not repaired: "), "{}", told.stdout);
    assert_eq!((told.code, told.stderr.lines().next()), (125, Some("Error: 1 damaged")));
    std::fs::write(&file, "hello\n").unwrap();
    assert_eq!(environment.ok(&["system", "check"]), "");
    std::fs::remove_dir_all(layer).unwrap();
    let told = environment.run(&["system", "check", "--quick"]);
    assert!(told.stdout.contains("no such layer"), "{}", told.stdout);
    std::fs::write(only(store.join("images")), "{\"id\":").unwrap();
    let told = environment.run(&["system", "check", "--quick"]);
    assert!(told.stdout.starts_with("record of an image: ") && told.code == 125, "{}", told.stdout);
}
