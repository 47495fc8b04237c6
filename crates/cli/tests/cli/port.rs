//! `lodger port`

use super::Environment;

#[test]
fn published_ports_are_listed_one_each() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "-p", "8080-8081:80-81", "-p", "127.0.0.1:5353:5353/udp", "web:1"]);
    let all = "80/tcp -> 0.0.0.0:8080\n81/tcp -> 0.0.0.0:8081\n5353/udp -> 127.0.0.1:5353\n";
    assert_eq!(environment.ok(&["port", "one"]), all);
    assert_eq!(environment.ok(&["port", "--latest"]), all);
    assert_eq!(environment.ok(&["port", "one", "81"]), "0.0.0.0:8081\n");
    assert_eq!(environment.ok(&["port", "one", "5353/udp"]), "127.0.0.1:5353\n");
    assert_eq!(environment.refused(&["port", "one", "5353"]), "Error: failed to find published port \"5353/tcp\"\n");
    assert_eq!(environment.ok(&["port", "--all"]), "");
    environment.refused(&["port"]);
    environment.refused(&["port", "one", "http"]);
}
