//! Rows of `ps` as podman prints them.

use super::*;
use crate::format::json::{self, Style};
use crate::format::{Heading, List, list};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn row() -> Row {
    Row {
        auto_remove: false,
        command: ["nginx", "-g", "daemon off;"].map(str::to_owned).to_vec(),
        created_at: now(),
        cid_file: String::new(),
        exited: false,
        exited_at: NEVER,
        exit_code: 0,
        exposed_ports: BTreeMap::new(),
        id: "ff660efda598ff660efda598ff660efda598ff660efda598ff660efda5980000".into(),
        image: "docker.io/library/nginx:latest".into(),
        image_id: "e3d42bcaf643097dd1bb0385658ae8cbe100a80f773555c44690d22c25d16b27".into(),
        is_infra: false,
        labels: BTreeMap::new(),
        mounts: vec![],
        names: vec!["webserver".into()],
        namespaces: Namespaces::default(),
        networks: vec![],
        pid: 4711,
        pod: String::new(),
        pod_name: String::new(),
        ports: vec![port("", 8080, 80, 1, "tcp")],
        restarts: 0,
        size: None,
        started_at: now().as_second() - 180,
        state: "running".into(),
        status: String::new(),
        created: "2026-11-22T09:56:55Z".parse().unwrap(),
        health: String::new(),
    }
}

fn port(host_ip: &str, host_port: u16, container_port: u16, range: u16, protocol: &str) -> Port {
    Port { host_ip: host_ip.into(), container_port, host_port, range, protocol: protocol.into() }
}

fn table(rows: &[Row], format: Option<&str>, width: Width) -> String {
    let spec = List {
        name: "ps",
        format,
        row: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
        heading: Heading::Shown,
        json: Style::LIST,
        show: Show { width, now: now() },
    };
    list(rows, &spec).unwrap()
}

#[test]
fn the_table_is_podmans() {
    let ended = Row {
        state: "exited".into(),
        exited: true,
        exit_code: 3,
        exited_at: now().as_second() - 4 * 60,
        ports: vec![],
        exposed_ports: BTreeMap::from([(3306, vec!["tcp".into()]), (33060, vec!["tcp".into()])]),
        names: vec!["db".into()],
        command: vec!["mysqld".into()],
        ..row()
    };
    let expected = "\
CONTAINER ID  IMAGE                           COMMAND               CREATED        STATUS                    PORTS                 NAMES
ff660efda598  docker.io/library/nginx:latest  nginx -g daemon o...  3 minutes ago  Up 3 minutes              0.0.0.0:8080->80/tcp  webserver
ff660efda598  docker.io/library/nginx:latest  mysqld                3 minutes ago  Exited (3) 4 minutes ago  3306/tcp, 33060/tcp   db
";
    assert_eq!(table(&[row(), ended], None, Width::Short), expected);
    assert_eq!(
        table(&[], None, Width::Short).trim_end(),
        "CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES"
    );
}

#[test]
fn states_are_said_in_words() {
    let status = |state: &str, health: &str| Row { state: state.into(), health: health.into(), ..row() }.status(now());
    assert_eq!(status("running", "healthy"), "Up 3 minutes (healthy)");
    assert_eq!(status("created", ""), "Created");
    assert_eq!(status("paused", ""), "Paused");
}

#[test]
fn ports_are_grouped() {
    let ports = |ports: Vec<Port>, exposed: &[(u16, &str)]| {
        let mut map: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for (port, protocol) in exposed {
            map.entry(*port).or_default().push((*protocol).to_owned());
        }
        Row { ports, exposed_ports: map, ..row() }.ports()
    };
    assert_eq!(
        ports(vec![port("127.0.0.1", 2000, 2000, 7, "tcp")], &[(2003, "tcp"), (53, "udp")]),
        "127.0.0.1:2000-2006->2000-2006/tcp, 53/udp"
    );
    assert_eq!(ports(vec![port("::1", 80, 80, 1, "tcp")], &[]), "[::1]:80->80/tcp");
    assert_eq!(
        ports(vec![], &[(80, "tcp"), (81, "tcp"), (82, "tcp"), (82, "udp"), (90, "tcp")]),
        "80-82/tcp, 90/tcp, 82/udp"
    );
    assert_eq!(ports(vec![port("", 65535, 65535, 1, "tcp")], &[]), "0.0.0.0:65535->65535/tcp");
}

#[test]
fn a_name_cannot_draw_on_the_terminal() {
    let hostile = Row { command: vec!["\x1b[2J\nroot".into()], ..row() };
    let text = table(&[hostile], None, Width::Full);
    assert!(!text.contains('\x1b') && text.contains("\\x1b[2J\\nroot"), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn json_has_podmans_fields_in_podmans_order() {
    let text = json::text(&[Row { status: row().status(now()), ..row() }], Style::LIST).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    \"")?.split('"').next()).collect();
    assert_eq!(
        names,
        [
            "AutoRemove",
            "Command",
            "CreatedAt",
            "CIDFile",
            "Exited",
            "ExitedAt",
            "ExitCode",
            "ExposedPorts",
            "Id",
            "Image",
            "ImageID",
            "IsInfra",
            "Labels",
            "Mounts",
            "Names",
            "Namespaces",
            "Networks",
            "Pid",
            "Pod",
            "PodName",
            "Ports",
            "Restarts",
            "Size",
            "StartedAt",
            "State",
            "Status",
            "Created",
        ]
    );
    assert!(text.contains("\"ExitedAt\": -62135596800,") && text.contains("\"Created\": 1795341415\n"), "{text}");
    assert!(
        text.contains("\"host_ip\": \"\",\n        \"container_port\": 80,\n        \"host_port\": 8080,"),
        "{text}"
    );
}
