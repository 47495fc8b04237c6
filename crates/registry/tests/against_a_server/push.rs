//! Pushing and searching.

use crate::content::{LAYER, MANIFEST, descriptor};
use crate::server::{Reply, Seen, Server};
use crate::{name, plain};
use registry::auth::{Credentials, Secret, Sources};
use registry::{Client, Config, Given, Hit, Kind, SearchWish};
use spec::Reference;
use std::io::{Cursor, Read};
use std::sync::Mutex;

/// A registry that takes what it is given; `team/other` has the blob `shared`.
fn taking(seen: &Seen, kept: &Mutex<Vec<String>>) -> Reply {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let shared = descriptor(LAYER, b"shared").digest;
    match (seen.method.as_str(), path) {
        ("HEAD", _) => {
            let digest = path.rsplit('/').next().unwrap().to_owned();
            Reply::new(if kept.lock().unwrap().contains(&digest) { 200 } else { 404 }, "")
        }
        ("POST", "/v2/team/web/blobs/uploads/") if query == format!("mount={shared}&from=team/other") => {
            kept.lock().unwrap().push(shared.to_string());
            Reply::new(201, "")
        }
        ("POST", "/v2/team/web/blobs/uploads/") => Reply::new(202, "").with("Location", "/upload/1?state=x"),
        ("PUT", "/upload/1") => {
            kept.lock().unwrap().push(query.replace("state=x&digest=", "").replace("%3A", ":"));
            Reply::new(201, "")
        }
        ("PUT", "/v2/team/web/manifests/1") => Reply::new(201, ""),
        _ => Reply::new(405, ""),
    }
}

fn bytes(text: &'static str) -> impl Fn() -> std::io::Result<Box<dyn Read>> {
    move || Ok(Box::new(Cursor::new(text)))
}

#[test]
fn only_what_the_registry_lacks_is_sent() {
    let kept = Mutex::new(Vec::new());
    let server = Server::start(move |seen| taking(seen, &kept));
    let client = Client::new(plain().0);
    let known = [Reference::parse(&format!("{}/team/other", server.host())).unwrap(), name(&server, ":old")];
    let target = client.push_target(&name(&server, ":1"), &known).unwrap();
    let (new, shared) = (descriptor(LAYER, b"new layer"), descriptor(LAYER, b"shared"));
    assert_eq!(client.obtain_blob(&target, &new.digest).unwrap(), None);
    client.push_blob(&target, &new, &bytes("new layer")).unwrap();
    assert_eq!(client.obtain_blob(&target, &new.digest).unwrap(), Some(Given::Present));
    assert_eq!(client.obtain_blob(&target, &shared.digest).unwrap(), Some(Given::Mounted));
    client.push_manifest(&target, MANIFEST, b"{}", &new.digest).unwrap();
    let sent = server.seen().into_iter().filter(|seen| seen.method == "PUT").collect::<Vec<_>>();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].body.as_str(), sent[0].header("content-length")), ("new layer", Some("9")));
    assert_eq!((sent[1].body.as_str(), sent[1].header("content-type")), ("{}", Some(MANIFEST)));
}

#[test]
fn a_login_goes_to_the_registry_and_not_to_where_it_wants_the_bytes() {
    let storage = Server::start(|_| Reply::new(201, ""));
    let place = format!("http://{}/bucket", storage.host());
    let registry = Server::start(move |seen| match (seen.method.as_str(), seen.header("authorization")) {
        (_, None) => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
        ("POST", _) => Reply::new(202, "").with("Location", &*place),
        _ => Reply::new(404, ""),
    });
    let password = Secret::new("pw".to_owned());
    let credentials = Some(Credentials::Password { user: "me".to_owned(), password });
    let client = Client::new(Config { auth: Sources { credentials, files: Vec::new() }, ..plain().0 });
    let target = client.push_target(&name(&registry, ":1"), &[]).unwrap();
    client.push_blob(&target, &descriptor(LAYER, b"abc"), &bytes("abc")).unwrap();
    assert_eq!(storage.seen().len(), 1);
    assert_eq!((storage.seen()[0].header("authorization"), storage.seen()[0].body.as_str()), (None, "abc"));
}

#[test]
fn a_token_for_a_push_says_so() {
    let server = Server::start(|seen| {
        if seen.path.starts_with("/token") {
            return Reply::new(200, r#"{"token":"t"}"#);
        }
        match seen.header("authorization") {
            Some("Bearer t") => Reply::new(404, ""),
            _ => {
                let host = seen.header("host").unwrap();
                Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{host}/token\""))
            }
        }
    });
    let client = Client::new(plain().0);
    let known = [Reference::parse(&format!("{}/a/b", server.host())).unwrap()];
    let target = client.push_target(&name(&server, ":1"), &known).unwrap();
    assert!(!client.has_blob(&target, &descriptor(LAYER, b"x").digest).unwrap());
    let scopes = "/token?scope=repository%3Ateam%2Fweb%3Apull%2Cpush&scope=repository%3Aa%2Fb%3Apull";
    assert_eq!(server.asked("/token")[0].path, scopes);
}

#[test]
fn a_refusal_names_the_registry_and_a_passing_failure_is_tried_again() {
    let server = Server::start(|_| Reply::new(403, r#"{"errors":[{"code":"DENIED","message":"read only"}]}"#));
    let (config, clock) = plain();
    let client = Client::new(config);
    let target = client.push_target(&name(&server, ":1"), &[]).unwrap();
    let error = client.push_blob(&target, &descriptor(LAYER, b"abc"), &bytes("abc")).unwrap_err();
    assert_eq!(error.kind, Kind::Denied("read only".to_owned()));
    assert!(error.to_string().contains(&server.host()), "{error}");
    assert_eq!(clock.slept().len(), 0);

    let tries = Mutex::new(0);
    let server = Server::start(move |seen| match seen.method.as_str() {
        "POST" => Reply::new(202, "").with("Location", "/place"),
        "GET" => Reply::new(200, ""),
        _ => {
            *tries.lock().unwrap() += 1;
            Reply::new(if *tries.lock().unwrap() == 1 { 503 } else { 201 }, "")
        }
    });
    let (config, clock) = plain();
    let client = Client::new(config);
    let target = client.push_target(&name(&server, ":1"), &[]).unwrap();
    client.push_blob(&target, &descriptor(LAYER, b"abc"), &bytes("abc")).unwrap();
    assert_eq!((clock.slept().len(), server.asked("/place").last().unwrap().body.as_str()), (1, "abc"));
}

#[test]
fn a_search_falls_back_to_the_list_of_repositories() {
    let index = Server::start(|seen| match seen.path.as_str() {
        "/v1/search?q=we%20b&n=5" => Reply::new(
            200,
            r#"{"results":[{"name":"a/web","description":"one\u001b[2J","star_count":3,"is_official":true}]}"#,
        ),
        _ => Reply::new(404, ""),
    });
    let wish = |term: &str| SearchWish { term: term.to_owned(), limit: 5 };
    let client = Client::new(plain().0);
    let hit = Hit { name: "a/web".into(), description: "one [2J".into(), stars: 3, official: true, automated: false };
    assert_eq!(client.search(&index.host(), &wish("we b")).unwrap(), [hit]);
    let plain_registry = Server::start(|seen| match seen.path.starts_with("/v2/_catalog") {
        true => Reply::new(200, r#"{"repositories":["team/web","team/db","A B/web"]}"#),
        false => Reply::new(404, ""),
    });
    let names: Vec<String> =
        client.search(&plain_registry.host(), &wish("web")).unwrap().into_iter().map(|hit| hit.name).collect();
    assert_eq!(names, ["team/web"]);
}

#[test]
fn a_file_is_fetched_as_it_is() {
    let server = Server::start(|seen| Reply::new(if seen.path == "/a.tar" { 200 } else { 404 }, "bytes"));
    let client = Client::new(plain().0);
    let mut text = String::new();
    client.fetch_file(&format!("http://{}/a.tar", server.host())).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "bytes");
    let error = client.fetch_file(&format!("http://{}/b.tar", server.host())).map(drop).unwrap_err();
    assert!(matches!(error.kind, Kind::NotFound(_)), "{error}");
    assert!(client.fetch_file("file:///etc/passwd").is_err());
}
