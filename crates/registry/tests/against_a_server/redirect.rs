//! Where a registry may send us, and what goes along.

use crate::content::{Content, LAYER, descriptor, noise, part};
use crate::server::{Reply, Server};
use crate::{place, plain};
use registry::auth::{Credentials, Secret, Sources};
use registry::{Client, Config, Error, Kind, Proxies};
use spec::Reference;
use std::io::Read;
use std::sync::{Arc, OnceLock};

fn with_password() -> Config {
    let credentials = Credentials::Password { user: "me".to_owned(), password: Secret::new("pw".to_owned()) };
    Config { auth: Sources { credentials: Some(credentials), files: Vec::new() }, ..plain().0 }
}

fn read(client: &Client, server: &Server, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = client.blob(&place(client, server), &descriptor(LAYER, bytes), 0)?;
    let mut read = Vec::new();
    reader.read_to_end(&mut read).map_err(|error| Error::from_io(error).unwrap())?;
    Ok(read)
}

/// A registry that wants a password and then sends everything to `target`.
fn sends_to(target: String) -> Server {
    Server::start(move |seen| match seen.header("authorization") {
        Some(_) => Reply::new(307, "elsewhere").with("Location", &*target),
        None => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
    })
}

#[test]
fn storage_elsewhere_gets_the_request_but_not_the_login() {
    let bytes = noise(10_000, 1);
    let content = bytes.clone();
    let storage = Server::start(move |seen| part(&content, seen.range()).cut_after(4000));
    let registry = sends_to(format!("http://{}/bucket/x?signature=abc", storage.host()));
    assert!(read(&Client::new(with_password()), &registry, &bytes).unwrap() == bytes);
    let there = storage.seen();
    assert_eq!(there.len(), 3);
    assert!(there.iter().all(|seen| seen.header("authorization").is_none()));
    assert!(there.iter().all(|seen| seen.path == "/bucket/x?signature=abc"));
    // Each time by way of the registry: a signed address does not live long.
    assert_eq!(registry.asked("/blobs/").iter().filter(|seen| seen.header("authorization").is_some()).count(), 3);
}

#[test]
fn the_login_does_not_come_back_after_a_detour() {
    let bytes = noise(100, 2);
    let home = Arc::new(OnceLock::<String>::new());
    let back = home.clone();
    let detour =
        Server::start(move |_| Reply::new(302, "").with("Location", format!("{}/secret", back.get().unwrap())));
    let (content, away) = (bytes.clone(), detour.host());
    let registry = Server::start(move |seen| match (&seen.path[..], seen.header("authorization")) {
        ("/secret", None) => Reply::new(200, content.clone()),
        ("/secret", Some(_)) => Reply::new(400, ""),
        (_, Some(_)) => Reply::new(302, "").with("Location", format!("http://{away}/")),
        (_, None) => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
    });
    home.set(format!("http://{}", registry.host())).unwrap();
    assert!(read(&Client::new(with_password()), &registry, &bytes).unwrap() == bytes);
}

#[test]
fn the_same_server_keeps_the_login() {
    let bytes = noise(100, 3);
    let content = bytes.clone();
    let registry = Server::start(move |seen| match (seen.header("authorization"), seen.path.contains("moved")) {
        (None, _) => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
        (Some(_), false) => Reply::new(308, "").with("Location", "/moved?to=here"),
        (Some(_), true) => Reply::new(200, content.clone()),
    });
    assert!(read(&Client::new(with_password()), &registry, &bytes).unwrap() == bytes);
}

#[test]
fn redirects_that_lead_nowhere_good_are_refused() {
    for (target, wanted) in [
        ("file:///etc/passwd", "neither http nor https"),
        ("ftp://127.0.0.1/x", "neither http nor https"),
        ("http://user:pw@127.0.0.1/", "an address with a user name"),
        ("http://169.254.169.254/latest/meta-data", "own address"),
        ("", "neither http nor https"),
        ("/v2/again", "more than 5 in a row"),
    ] {
        let registry = sends_to(target.to_owned());
        let error = read(&Client::new(with_password()), &registry, b"x").unwrap_err();
        assert!(matches!(error.kind, Kind::Redirect(_)), "{target}: {error}");
        assert!(error.to_string().contains(wanted) && !error.to_string().contains("pw"), "{target}: {error}");
    }
    let registry = Server::start(|_| Reply::new(302, ""));
    let error = read(&Client::new(plain().0), &registry, b"x").unwrap_err();
    assert!(error.to_string().contains("redirect without a location"), "{error}");
}

/// The server plays a proxy, so that a registry can have a name that is not this machine's.
#[test]
fn a_registry_elsewhere_cannot_send_us_home_and_a_proxy_carries_requests() {
    let bytes = noise(100, 4);
    let mut content = Content::default();
    let layer = content.blob(LAYER, bytes.clone());
    let inner = Server::start(|_| Reply::new(200, "secret"));
    let target = format!("http://{}/", inner.host());
    let proxy = Server::start(move |seen| match seen.header("host") {
        Some("bad.example") => Reply::new(302, "").with("Location", &*target),
        Some("worse.example") => Reply::new(302, "").with("Location", "http://localhost/"),
        // The proxy's metadata service is as little a registry's business as ours.
        Some("worst.example") => Reply::new(302, "").with("Location", "http://169.254.169.254/"),
        _ => content.answer(seen),
    });
    let http = Some(format!("http://me:pw@{}", proxy.host()));
    let config = Config { proxies: Proxies { http, ..Proxies::default() }, ..plain().0 };
    // https goes nowhere without a proxy of its own, so plain http is what answers.
    let client = Client::new(config);
    let fetch = |host: &str| {
        let name = Reference::parse(&format!("{host}/team/web")).unwrap();
        let place = client.locations(&name).unwrap().remove(0);
        client.blob(&place, &layer, 0).map(|mut reader| {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            read
        })
    };
    assert!(fetch("good.example").unwrap() == bytes);
    let connects: Vec<_> = proxy.seen().into_iter().filter(|seen| seen.method == "CONNECT").collect();
    assert_eq!(connects[0].path, "good.example:80");
    assert_eq!(connects[0].header("proxy-authorization"), Some("Basic bWU6cHc="));
    for host in ["bad.example", "worse.example", "worst.example"] {
        let error = fetch(host).unwrap_err();
        assert!(error.to_string().contains("own address"), "{error}");
    }
    assert_eq!(inner.seen().len(), 0);
    assert_eq!(proxy.asked("169.254").len(), 0);
}
