//! Who is shown what: tokens, passwords, helpers, and where they must not go.

use crate::content::{Content, LAYER, MANIFEST, noise};
use crate::server::{Framing, Reply, Seen, Server};
use crate::{TestClock, amd64, name, place, plain};
use base64::Engine;
use registry::auth::{Credentials, Secret, Sources};
use registry::{Client, Config, Kind};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.to_owned(), password: Secret::new(password.to_owned()) }
}

/// A registry with a token service in itself. Tokens are `t1`, `t2`, …; only the newest is good. `allow` judges token
/// requests.
struct Guarded {
    server: Server,
    issued: Arc<AtomicUsize>,
}

fn guarded(content: Content, allow: fn(&Seen) -> bool) -> Guarded {
    let issued = Arc::new(AtomicUsize::new(0));
    let count = issued.clone();
    let server = Server::start(move |seen| {
        if seen.path.starts_with("/token") {
            return match allow(seen) {
                true => {
                    let token = count.fetch_add(1, Ordering::SeqCst) + 1;
                    Reply::new(200, format!(r#"{{"token":"t{token}","expires_in":300}}"#))
                }
                false => Reply::new(401, r#"{"details":"incorrect username or password"}"#),
            };
        }
        let good = format!("Bearer t{}", count.load(Ordering::SeqCst));
        if seen.header("authorization") == Some(&good) {
            return content.answer(seen);
        }
        let host = seen.header("host").unwrap();
        let offer = format!(r#"Bearer realm="http://{host}/token?x=1",service="s e",scope="repository:team/web:pull""#);
        Reply::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#)
            .with("WWW-Authenticate", offer)
    });
    Guarded { server, issued }
}

fn image() -> Content {
    let mut content = Content::default();
    let image = content.image("amd64", noise(1000, 1));
    content.index(&[("linux/amd64", &image)], Some("latest"));
    content
}

fn with(credentials: Credentials) -> (Config, Arc<TestClock>) {
    let (config, clock) = plain();
    (Config { auth: Sources { credentials: Some(credentials), files: Vec::new() }, ..config }, clock)
}

#[test]
fn a_token_is_asked_for_once_and_used_for_all() {
    let guarded = guarded(image(), |seen| seen.header("authorization").is_none());
    let client = Client::new(plain().0);
    let found = client.resolve(&name(&guarded.server, ""), &amd64()).unwrap();
    client.document(&found.location, found.config()).unwrap();
    let asked = guarded.server.asked("/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/token?x=1&service=s%20e&scope=repository%3Ateam%2Fweb%3Apull");
    // One refusal, then the token is known: the index is asked for twice, all else once.
    let without =
        guarded.server.asked("team/web/").iter().filter(|seen| seen.header("authorization").is_none()).count();
    assert_eq!(without, 1);
}

#[test]
fn a_token_is_replaced_before_it_ends_and_when_it_is_refused() {
    let guarded = guarded(image(), |_| true);
    let (config, clock) = plain();
    let client = Client::new(config);
    let found = client.resolve(&name(&guarded.server, ""), &amd64()).unwrap();
    clock.turn(Duration::from_secs(280));
    client.document(&found.location, found.config()).unwrap();
    assert_eq!(guarded.issued.load(Ordering::SeqCst), 1);
    clock.turn(Duration::from_secs(15));
    client.document(&found.location, found.config()).unwrap();
    assert_eq!(guarded.issued.load(Ordering::SeqCst), 2);
    // The registry forgets it early.
    guarded.issued.fetch_add(1, Ordering::SeqCst);
    client.document(&found.location, found.config()).unwrap();
    assert_eq!(guarded.issued.load(Ordering::SeqCst), 4);
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_blob_is_replaced_and_the_blob_goes_on() {
    let bytes = noise(10_000, 2);
    let mut content = Content::default();
    let layer = content.blob(LAYER, bytes.clone());
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if seen.path.starts_with("/token") {
            return Reply::new(200, format!(r#"{{"access_token":"t{}"}}"#, count.load(Ordering::SeqCst)));
        }
        let good = format!("Bearer t{}", count.load(Ordering::SeqCst));
        if seen.header("authorization") != Some(&good) {
            let host = seen.header("host").unwrap();
            return Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{host}/token\""));
        }
        // Each answer is the last one for its token.
        count.fetch_add(1, Ordering::SeqCst);
        content.answer(seen).cut_after(3000)
    });
    let (config, clock) = plain();
    let client = Client::new(config);
    let mut reader = client.blob(&place(&client, &server), &layer, 0).unwrap();
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
    assert_eq!(reader.fetched(), 10_000);
    assert_eq!(server.asked("/token").len(), 4);
    assert_eq!(clock.slept().len(), 3);
}

#[test]
fn threads_share_one_token() {
    let guarded = guarded(image(), |_| true);
    let client = Client::new(plain().0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| client.resolve(&name(&guarded.server, ""), &amd64()).unwrap());
        }
    });
    assert_eq!(guarded.server.asked("/token").len(), 1);
}

#[test]
fn a_password_goes_to_the_token_service_and_not_to_the_registry() {
    let guarded = guarded(image(), |seen| seen.header("authorization") == Some(&basic("me", "p:w")));
    let client = Client::new(with(password("me", "p:w")).0);
    client.resolve(&name(&guarded.server, ""), &amd64()).unwrap();
    assert!(guarded.server.asked("/token")[0].path.ends_with("&account=me"));
    let to_registry = guarded.server.asked("/v2/");
    assert!(to_registry.iter().all(|seen| !seen.header("authorization").unwrap_or_default().starts_with("Basic")));

    let client = Client::new(with(password("me", "wrong")).0);
    let error = client.resolve(&name(&guarded.server, ""), &amd64()).unwrap_err();
    let registry = guarded.server.host();
    let detail = "incorrect username or password".to_owned();
    assert_eq!(error.kind, Kind::Unauthorized { registry, with_credentials: true, detail });
    assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
}

#[test]
fn an_identity_token_is_posted_and_a_registry_token_is_shown() {
    let guarded = guarded(image(), |seen| {
        let form = "grant_type=refresh_token&client_id=lodger&refresh_token=r%2F1&service=s%20e&\
                    scope=repository%3Ateam%2Fweb%3Apull";
        seen.method == "POST"
            && seen.header("authorization").is_none()
            && seen.header("content-type") == Some("application/x-www-form-urlencoded")
            && seen.body == form
    });
    let client = Client::new(with(Credentials::IdentityToken(Secret::new("r/1".to_owned()))).0);
    client.resolve(&name(&guarded.server, ""), &amd64()).unwrap();

    let client = Client::new(with(Credentials::RegistryToken(Secret::new("t1".to_owned()))).0);
    client.resolve(&name(&guarded.server, ""), &amd64()).unwrap();
    assert_eq!(guarded.issued.load(Ordering::SeqCst), 1);
}

#[test]
fn basic_is_answered_with_the_password_and_only_when_asked() {
    let content = image();
    let server = Server::start(move |seen| match seen.header("authorization") {
        Some(value) if value == basic("me", "pw") => content.answer(seen),
        _ => Reply::new(401, "").with("WWW-Authenticate", "Negotiate").with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let client = Client::new(with(password("me", "pw")).0);
    client.resolve(&name(&server, ""), &amd64()).unwrap();
    client.ping(&server.host()).unwrap();
    assert_eq!(server.seen()[0].header("authorization"), None);

    let error = Client::new(plain().0).ping(&server.host()).unwrap_err();
    let wanted = format!("contact registry \"{0}\": login required at {0}", server.host());
    assert_eq!(error.to_string(), wanted);
    let error = Client::new(with(password("me", "no")).0).ping(&server.host()).unwrap_err();
    assert!(matches!(error.kind, Kind::Unauthorized { with_credentials: true, .. }), "{error}");
    // Refused twice is refused: nobody's account should be locked.
    assert_eq!(
        server.asked("/v2/").iter().filter(|seen| seen.header("authorization") == Some(&basic("me", "no"))).count(),
        1
    );
}

#[test]
fn the_files_are_asked_in_order_and_the_most_specific_key_counts() {
    let content = image();
    let server = Server::start(move |seen| match seen.header("authorization") {
        Some(value) if value == basic("web", "2") => content.answer(seen),
        _ => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
    });
    let directory = tempfile::tempdir().unwrap();
    let host = server.host();
    let encoded = |pair: &str| base64::engine::general_purpose::STANDARD.encode(pair);
    let write = |name: &str, auths: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("{{\"auths\": {{{auths}}}}}")).unwrap();
        path
    };
    let other = write("a.json", format!("\"other.example\": {{\"auth\": \"{}\"}}", encoded("x:1")));
    let keys = format!(
        "\"{host}\": {{\"auth\": \"{}\"}}, \"{host}/team\": {{\"auth\": \"{}\"}}",
        encoded("host:1"),
        encoded("web:2")
    );
    let both = write("b.json", keys);
    let files = vec![directory.path().join("absent.json"), other, both];
    let config = |files| Config { auth: Sources { credentials: None, files }, ..plain().0 };
    Client::new(config(files)).resolve(&name(&server, ""), &amd64()).unwrap();

    let broken = write("c.json", "oops".to_owned());
    let error = Client::new(config(vec![broken.clone()])).resolve(&name(&server, ""), &amd64()).unwrap_err();
    assert!(
        error.to_string().contains(&format!("read credentials \"{}\": malformed JSON", broken.display())),
        "{error}"
    );
}

#[test]
fn a_token_service_elsewhere_gets_the_password_only_as_the_registry_is_trusted() {
    // This registry is configured as insecure, so its token service may be plain http on another port.
    let tokens = Server::start(|seen| match seen.header("authorization") {
        Some(value) if value == basic("me", "pw") => Reply::new(200, r#"{"token":"t"}"#),
        _ => Reply::new(401, ""),
    });
    let realm = format!("Bearer realm=\"http://{}/auth\"", tokens.host());
    let content = image();
    let registry = Server::start(move |seen| match seen.header("authorization") {
        Some("Bearer t") => content.answer(seen),
        _ => Reply::new(401, "").with("WWW-Authenticate", &*realm),
    });
    Client::new(with(password("me", "pw")).0).resolve(&name(&registry, ""), &amd64()).unwrap();
    assert_eq!(tokens.seen().len(), 1);
}

#[test]
fn what_a_token_service_must_not_do() {
    for (realm, reply, wanted) in [
        ("file:///etc/passwd", Reply::new(200, ""), "neither http nor https"),
        ("/token", Reply::new(200, ""), "neither http nor https"),
        ("http://HOST/token", Reply::new(200, "{}"), "sent no token"),
        ("http://HOST/token", Reply::new(200, r#"{"token":"a\r\nb"}"#), "forbidden characters"),
        ("http://HOST/token", Reply::new(200, vec![b' '; 2 << 20]), "larger than"),
        ("http://HOST/token", Reply::new(200, vec![b' '; 2 << 20]).framed(Framing::Chunked), "larger than"),
        ("http://169.254.169.254/token", Reply::new(200, ""), "own address"),
    ] {
        let server = Server::start(move |seen| match seen.path.starts_with("/token") {
            true => reply.clone(),
            false => {
                let realm = realm.replace("HOST", seen.header("host").unwrap());
                Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
            }
        });
        let error = Client::new(plain().0).resolve(&name(&server, ""), &amd64()).unwrap_err();
        assert!(
            error.to_string().starts_with("fetch token ") && error.to_string().contains(wanted),
            "{realm}: {error}"
        );
    }
}

#[test]
fn the_registrys_other_name_for_a_repository_is_asked_for_too() {
    let content = image();
    let server = Server::start(move |seen| {
        if seen.path.starts_with("/token") {
            return Reply::new(200, r#"{"token":"t"}"#);
        }
        if seen.header("authorization") == Some("Bearer t") {
            return content.answer(seen);
        }
        let host = seen.header("host").unwrap();
        let offer = format!("Bearer realm=\"http://{host}/token\", scope=\"repository:docker/team/web:pull\"");
        Reply::new(401, "").with("WWW-Authenticate", offer)
    });
    Client::new(plain().0).resolve(&name(&server, ""), &amd64()).unwrap();
    let scopes = "/token?scope=repository%3Ateam%2Fweb%3Apull&scope=repository%3Adocker%2Fteam%2Fweb%3Apull";
    assert_eq!(server.asked("/token")[0].path, scopes);
}

/// Runs one test of this file again in a process of its own with a directory in front of `$PATH`.
fn again_with_path(test: &str, helpers: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    for (name, script) in helpers {
        use std::os::unix::fs::OpenOptionsExt;
        let path = directory.path().join(format!("docker-credential-{name}"));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(path).unwrap();
        file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
    }
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("login::{test}"), "--nocapture"])
        .env("PATH", path)
        .env("LODGER_TEST_HELPERS", directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_credential_helper_is_asked_and_bounded() {
    if std::env::var_os("LODGER_TEST_HELPERS").is_none() {
        return again_with_path(
            "a_credential_helper_is_asked_and_bounded",
            &[
                (
                    "good",
                    "read -r server; [ \"$1\" = get ] || exit 1\necho '{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"'$server'\"}'",
                ),
                ("none", "echo 'credentials not found in native keychain'; exit 1"),
                ("bad", "echo 'keychain is locked'; exit 1"),
                ("loud", "exec yes"),
                ("slow", "exec sleep 60"),
                ("spy", "touch \"$LODGER_TEST_HELPERS/spied\""),
            ],
        );
    }
    let content = image();
    let server = Server::start(move |seen| {
        let host = seen.header("host").unwrap().to_owned();
        match seen.header("authorization") {
            Some(value) if value == basic("me", &host) => content.answer(seen),
            _ => Reply::new(401, "").with("WWW-Authenticate", "Basic"),
        }
    });
    let host = server.host();
    let directory = tempfile::tempdir().unwrap();
    let attempt = |file: String| {
        let path = directory.path().join("auth.json");
        std::fs::write(&path, file).unwrap();
        let mut config = Config { auth: Sources { credentials: None, files: vec![path] }, ..plain().0 };
        config.timeouts.helper = Duration::from_millis(500);
        let found = Client::new(config).resolve(&name(&server, ""), &amd64());
        found.map(drop).map_err(|error| error.to_string())
    };
    let helper = |name: &str| attempt(format!("{{\"credHelpers\": {{\"{host}\": \"{name}\"}}}}"));
    let store = |name: &str| attempt(format!("{{\"credsStore\": \"{name}\"}}"));
    assert_eq!((helper("good"), store("good")), (Ok(()), Ok(())));
    // A registry that wants no login starts no program.
    let open = image();
    let open = Server::start(move |seen| open.answer(seen));
    let path = directory.path().join("spy.json");
    std::fs::write(&path, r#"{"credsStore": "spy"}"#).unwrap();
    let config = Config { auth: Sources { credentials: None, files: vec![path] }, ..plain().0 };
    Client::new(config).resolve(&name(&open, ""), &amd64()).unwrap();
    assert!(!std::path::Path::new(&std::env::var("LODGER_TEST_HELPERS").unwrap()).join("spied").exists());
    for (result, wanted) in [
        (helper("none"), "login required"),
        (store("uninstalled"), "login required"),
        (helper("bad"), "read credentials \"docker-credential-bad\": failed: keychain is locked"),
        (helper("uninstalled"), "cannot start"),
        (helper("../../bin/sh"), "not a credential helper's name"),
        (helper("loud"), "larger than"),
        (helper("slow"), "timed out"),
    ] {
        let error = result.unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_document_of_the_wrong_kind_is_not_a_reason_to_log_in() {
    let mut content = Content::default();
    content.document(MANIFEST, b"{}".to_vec(), Some("latest"));
    let server = Server::start(move |seen| content.answer(seen));
    Client::new(with(password("me", "pw")).0).resolve(&name(&server, ""), &amd64()).unwrap_err();
    assert!(server.seen().iter().all(|seen| seen.header("authorization").is_none()));
}
