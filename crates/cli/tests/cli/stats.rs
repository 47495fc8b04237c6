//! `lodger stats`

use super::Environment;

#[test]
fn what_does_not_run_uses_nothing() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    let heading = "ID          NAME        CPU %       MEM USAGE / LIMIT  MEM %       NET IO      BLOCK IO    PIDS        CPU TIME    AVG CPU %\n";
    assert_eq!(environment.ok(&["stats", "--no-stream"]), heading);
    let row = environment.ok(&[
        "stats",
        "--no-stream",
        "--all",
        "--format",
        "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}",
    ]);
    assert_eq!(row, "one -- -- / -- --\n");
    environment.refused(&["stats", "--no-stream", "nope"]);
    environment.refused(&["stats", "--all", "one"]);
}

#[test]
fn what_runs_is_measured() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "busy", "busybox", "sh", "-c", "while :; do :; done"]) {
        return;
    }
    let number = |field: &str| {
        let format = format!("{{{{.{field}}}}}");
        let text = environment.ok(&["stats", "--no-stream", "--format", &format, "busy"]);
        text.trim().trim_end_matches('%').to_owned()
    };
    let first: i64 = number("CPUNano").parse().unwrap();
    // The kernel counts in hundredths of a second, where it is not the group that counts.
    let mut later = first;
    for _ in 0..1000 {
        later = number("CPUNano").parse().unwrap();
        if later > first {
            break;
        }
    }
    assert!(later > first, "{first} {later}");
    assert_eq!(number("PIDs"), "1");
    let json = environment.json(&["stats", "--no-stream", "--format", "json", "busy"]);
    assert_eq!((json[0]["name"].as_str(), json[0]["net_io"].as_str()), (Some("busy"), Some("-- / --")));
    let fields: Vec<&String> = json[0].as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 10, "{fields:?}");
    environment.ok(&["rm", "-f", "-t", "0", "busy"]);
}
