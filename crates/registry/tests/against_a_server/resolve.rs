//! From a name to an image: which document is believed, which is refused and in which words.

use crate::content::{CONFIG, Content, INDEX, LAYER, MANIFEST, digest, noise};
use crate::server::{Framing, Reply, Server};
use crate::{amd64, name, place, plain};
use registry::{Client, Error, Kind, RegistriesConf, Resolved, Role};
use serde_json::{Value, json};
use spec::{Platform, Reference};

fn serve(content: Content) -> Server {
    Server::start(move |seen| content.answer(seen))
}

fn resolve(server: &Server, rest: &str) -> Result<Resolved, Error> {
    Client::new(plain().0).resolve(&name(server, rest), &amd64())
}

/// What resolving a document served as `latest` says.
fn refusal(media_type: &str, document: impl Into<Vec<u8>>) -> Error {
    let mut content = Content::default();
    content.document(media_type, document.into(), Some("latest"));
    resolve(&serve(content), "").unwrap_err()
}

fn manifest(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let blob = |media_type| json!({"mediaType": media_type, "digest": digest(b""), "size": 0});
    let mut value = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(CONFIG), "layers": [blob(LAYER)]});
    change(&mut value);
    value.to_string().into_bytes()
}

#[test]
fn an_index_leads_to_the_platforms_image_and_its_blobs() {
    let mut content = Content::default();
    let arm = content.image("arm64", noise(100, 1));
    let amd = content.image("amd64", noise(200, 2));
    let index = content.index(&[("linux/arm64/v8", &arm), ("linux/amd64", &amd)], Some("1.0"));
    let server = serve(content);
    let client = Client::new(plain().0);

    let found = client.resolve(&name(&server, ":1.0"), &amd64()).unwrap();
    assert_eq!(found.manifest_digest, amd.digest);
    assert_eq!(digest(&found.manifest_bytes), amd.digest);
    assert_eq!(found.index_digest, Some(index.digest));
    assert_eq!(found.location.role(), Role::Primary);
    let config = client.document(&found.location, found.config()).unwrap();
    assert!(String::from_utf8(config).unwrap().contains("amd64"));
    let mut layer = Vec::new();
    let mut reader = client.blob(&found.location, &found.layers()[0], 0).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut layer).unwrap();
    assert_eq!(layer, noise(200, 2));

    let arm64 = Platform::parse("linux/arm64").unwrap();
    assert_eq!(client.resolve(&name(&server, ":1.0"), &arm64).unwrap().manifest_digest, arm.digest);
    let error = client.resolve(&name(&server, ":1.0"), &Platform::parse("linux/s390x").unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("no image for linux/s390x; there are linux/amd64, linux/arm64"), "{error}");
}

#[test]
fn the_variant_that_runs_best_is_chosen() {
    let mut content = Content::default();
    let images = ["v5", "v6", "v7", "none", "x"].map(|word| content.image(word, noise(10, 3)));
    let [v5, v6, v7, none, other] = &images;
    let all = [("linux/arm/v5", v5), ("linux/arm/v6", v6), ("linux/arm/v7", v7), ("linux/arm", none)];
    content.index(&all, Some("all"));
    content.index(&[("linux/arm/v5", v5), ("linux/arm/v7", v7)], Some("some"));
    content.index(&[("linux/amd64/v3", other), ("unknown/unknown", v5)], Some("new"));
    content.index(&[("windows/amd64", other), ("", none)], Some("bare"));
    let server = serve(content);
    let client = Client::new(plain().0);
    let chosen = |tag: &str, platform: &str| {
        client.resolve(&name(&server, tag), &Platform::parse(platform).unwrap()).map(|found| found.manifest_digest)
    };
    assert_eq!(chosen(":all", "linux/arm/v6").unwrap(), v6.digest);
    assert_eq!(chosen(":all", "linux/arm/v8").unwrap(), v7.digest);
    assert_eq!(chosen(":all", "linux/arm").unwrap(), none.digest);
    assert_eq!(chosen(":some", "linux/arm/v6").unwrap(), v5.digest);
    assert_eq!(chosen(":some", "linux/arm").unwrap(), v7.digest);
    // An image for newer processors is not one for all.
    let error = chosen(":new", "linux/amd64").unwrap_err();
    assert!(error.to_string().ends_with("there are linux/amd64/v3"), "{error}");
    assert_eq!(chosen(":new", "linux/amd64/v4").unwrap(), other.digest);
    assert_eq!(chosen(":bare", "linux/amd64").unwrap(), none.digest);
}

#[test]
fn a_digest_is_checked_byte_for_byte_and_no_header_is_trusted() {
    let mut content = Content::default();
    let image = content.image("good", noise(10, 4));
    let honest = content.clone();
    let pinned = format!("@{}", image.digest);
    assert!(resolve(&serve(honest.clone()), &pinned).is_ok());
    // One byte more that JSON does not mind.
    let lie = image.digest;
    let server = Server::start(move |seen| {
        let mut reply = honest.answer(seen).with("Docker-Content-Digest", lie.to_string());
        reply.body.push(b' ');
        reply
    });
    let error = resolve(&server, &pinned).unwrap_err();
    assert!(matches!(&error.kind, Kind::DigestMismatch { wanted, .. } if **wanted == lie), "{error}");
    // The same below an index, where the size gives it away first.
    content.index(&[("linux/amd64", &image)], Some("latest"));
    let server = Server::start(move |seen| {
        let mut reply = content.answer(seen);
        if seen.path.contains("sha256:") {
            reply.body.push(b' ');
        }
        reply
    });
    let error = resolve(&server, "").unwrap_err();
    assert!(matches!(error.kind, Kind::SizeMismatch { .. }), "{error}");
}

#[test]
fn a_tag_beside_a_digest_is_not_asked_for() {
    let mut content = Content::default();
    let image = content.image("good", noise(10, 4));
    let found = resolve(&serve(content), &format!(":gone@{}", image.digest)).unwrap();
    assert_eq!((found.manifest_digest, found.index_digest), (image.digest, None));
}

#[test]
fn what_is_not_an_image_is_refused_by_its_name() {
    let artifact = manifest(|m| m["config"]["mediaType"] = json!("application/vnd.example.thing+json"));
    let error = refusal(MANIFEST, artifact).to_string();
    assert!(error.contains("application/vnd.example.thing+json") && error.contains("artifact"), "{error}");

    let error = refusal(MANIFEST, manifest(|m| m["layers"][0]["mediaType"] = json!("application/x-rar"))).to_string();
    assert!(error.contains("unknown media type \"application/x-rar\" of layer sha256:e3b0c442"), "{error}");

    let schema1 = r#"{"schemaVersion":1,"name":"x","fsLayers":[],"history":[],"signatures":[]}"#;
    for media_type in ["application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"] {
        let error = refusal(media_type, schema1).to_string();
        assert!(error.contains("schema 1"), "{error}");
    }

    let many = manifest(|m| m["layers"] = vec![m["layers"][0].clone(); 501].into());
    let error = refusal(MANIFEST, many).to_string();
    assert!(error.contains("501 layers, at most 500"), "{error}");
    let heavy = manifest(|m| {
        m["layers"][0]["size"] = json!(u64::MAX);
        m["layers"] = vec![m["layers"][0].clone(); 2].into();
    });
    assert!(matches!(refusal(MANIFEST, heavy).kind, Kind::InvalidManifest(_)));
}

#[test]
fn a_document_with_two_meanings_is_refused() {
    for (media_type, change) in [
        (MANIFEST, json!({"manifests": []})),
        (MANIFEST, json!({"Layers": []})),
        (MANIFEST, json!({"fsLayers": []})),
        (MANIFEST, json!({"mediaType": INDEX})),
        (INDEX, json!({})),
        (MANIFEST, json!({"schemaVersion": 3})),
    ] {
        let document = manifest(|m| m.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
        let error = refusal(media_type, document);
        assert!(matches!(error.kind, Kind::InvalidManifest(_)), "{change}: {error}");
    }
    let twice = String::from_utf8(manifest(|_| ())).unwrap().replacen('{', "{\"layers\":[],", 1);
    let error = refusal(MANIFEST, twice);
    assert!(error.to_string().contains("twice"), "{error}");
    for garbage in ["", "null", "[]", "{}", "{} {}", "<html>", "\u{1}"] {
        let error = refusal(MANIFEST, garbage);
        assert!(matches!(error.kind, Kind::InvalidManifest(_)), "{garbage:?}: {error}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(10_000), "[".repeat(10_000));
    assert!(matches!(refusal(MANIFEST, deep).kind, Kind::InvalidManifest(_)));
}

#[test]
fn a_vague_content_type_leaves_it_to_the_document() {
    for media_type in ["text/plain; charset=utf-8", "application/json", "application/octet-stream"] {
        let mut content = Content::default();
        content.document(media_type, manifest(|m| m["mediaType"] = Value::Null), Some("latest"));
        assert!(resolve(&serve(content), "").is_ok(), "{media_type}");
    }
}

#[test]
fn indexes_inside_indexes_end_somewhere() {
    let mut content = Content::default();
    let image = content.image("x", noise(10, 5));
    let mut inner = image.clone();
    for depth in 1..=4 {
        inner = content.index(&[("", &inner)], Some(&format!("depth{depth}")));
    }
    let server = serve(content);
    assert_eq!(resolve(&server, ":depth3").unwrap().manifest_digest, image.digest);
    let error = resolve(&server, ":depth4").unwrap_err();
    assert!(error.to_string().contains("indexes inside each other"), "{error}");
}

#[test]
fn an_endless_manifest_is_not_read_to_its_end() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let server = Server::start(move |_| Reply::new(200, vec![b' '; 5 << 20]).framed(framing));
        let error = resolve(&server, "").unwrap_err();
        assert!(matches!(error.kind, Kind::TooLarge { .. }), "{framing:?}: {error}");
    }
}

#[test]
fn a_config_must_have_its_size_and_digest() {
    let config = noise(1000, 6);
    let wanted = crate::content::descriptor(CONFIG, &config);
    let fetch = |reply: Reply| {
        let server = Server::start(move |seen| match &seen.path[..] {
            "/v2/" => Reply::new(200, ""),
            _ => reply.clone(),
        });
        let client = Client::new(plain().0);
        client.document(&place(&client, &server), &wanted)
    };
    assert_eq!(fetch(Reply::new(200, config.clone())).unwrap(), config);
    let error = fetch(Reply::new(200, noise(1000, 7))).unwrap_err();
    assert!(matches!(error.kind, Kind::DigestMismatch { .. }), "{error}");
    for size in [999, 1001] {
        for framing in [Framing::Length, Framing::Chunked] {
            let error = fetch(Reply::new(200, noise(size, 6)).framed(framing)).unwrap_err();
            assert!(matches!(error.kind, Kind::SizeMismatch { wanted: 1000, .. }), "{size} {framing:?}: {error}");
        }
    }
    let error = fetch(Reply::new(200, config.clone()).cut_after(10)).unwrap_err();
    assert!(matches!(error.kind, Kind::Interrupted(_)), "{error}");
    let error = fetch(Reply::new(200, config).with("Content-Encoding", "gzip")).unwrap_err();
    assert!(error.to_string().contains("compressed"), "{error}");
}

#[test]
fn a_passing_failure_is_waited_out_and_a_lasting_one_is_named() {
    let mut content = Content::default();
    content.image("x", noise(10, 8));
    content.document(MANIFEST, manifest(|_| ()), Some("latest"));
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        let again = || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match &seen.path[..] {
            "/v2/" => Reply::new(200, ""),
            _ => match again() {
                0 => Reply::new(502, "<html>").with("Retry-After", "3"),
                1 => Reply::new(429, "").with("Retry-After", "Sun, 06 Nov 1994 08:49:42 GMT"),
                2 => content.answer(seen).cut_after(20),
                _ => content.answer(seen),
            },
        }
    });
    let (config, clock) = plain();
    Client::new(config).resolve(&name(&server, ""), &amd64()).unwrap();
    let slept: Vec<f64> = clock.slept().iter().map(|pause| pause.as_secs_f64()).collect();
    assert_eq!(slept[..2], [3.0, 5.0]);
    assert_eq!(slept.len(), 3);

    for (reply, wanted) in [
        (
            Reply::new(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no\u001b[1m such"}]}"#),
            "not found: no [1m such",
        ),
        (Reply::new(403, r#"{"errors":[{"code":"DENIED","message":"no"}]}"#), "access denied: no"),
        (Reply::new(418, "tea"), "unexpected status 418"),
        (Reply::new(401, ""), "login required at 127.0.0.1:"),
        (Reply::new(429, "").with("Retry-After", "7200"), "too many requests; the registry asks to wait 7200 s"),
        (Reply::new(403, r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#), "too many requests"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let error = resolve(&server, "").unwrap_err().to_string();
        let name = name(&server, ":latest");
        assert!(error.starts_with(&format!("fetch manifest \"{name}\": {wanted}")), "{error}");
    }
}

#[test]
fn mirrors_are_asked_first_and_their_failures_told_last() {
    let mut content = Content::default();
    content.document(MANIFEST, manifest(|_| ()), Some("latest"));
    let good = serve(content.clone());
    let bad = Server::start(|_| Reply::new(500, ""));
    let conf = |mirror: &Server, primary: &Server| {
        let text = format!(
            "[[registry]]\nprefix = \"r.example\"\nlocation = \"{}\"\ninsecure = true\n\
             [[registry.mirror]]\nlocation = \"{}\"\ninsecure = true",
            primary.host(),
            mirror.host()
        );
        registry::Config {
            registries: RegistriesConf::parse("x", text.as_bytes()).unwrap(),
            tls_verify: registry::TlsVerify::AsConfigured,
            ..plain().0
        }
    };
    let wanted = Reference::parse("r.example/team/web").unwrap();

    let found = Client::new(conf(&good, &bad)).resolve(&wanted, &amd64()).unwrap();
    assert_eq!((found.location.role(), found.location.registry()), (Role::Mirror, &*good.host()));
    assert_eq!(bad.seen().len(), 0);

    let found = Client::new(conf(&bad, &good)).resolve(&wanted, &amd64()).unwrap();
    assert_eq!(found.location.role(), Role::Primary);
    // No patience with a mirror while the registry itself is there.
    assert_eq!(bad.asked("/manifests/").len(), 1);

    let error = Client::new(conf(&bad, &bad)).resolve(&wanted, &amd64()).unwrap_err();
    assert_eq!(error.before.len(), 1);
    assert!(error.to_string().contains("(before that,"), "{error}");
    assert_eq!(bad.asked("/manifests/").len(), 1 + 1 + 4);
}

#[test]
fn tags_come_page_by_page_from_the_same_server() {
    let server = Server::start(|seen| match &seen.path[..] {
        "/v2/" => Reply::new(200, ""),
        "/v2/team/web/tags/list?n=1000" => Reply::new(200, r#"{"name":"x","tags":["a","b","../x"]}"#)
            .with("Link", "</v2/team/web/tags/list?n=1000&last=b>; rel=\"next\""),
        "/v2/team/web/tags/list?n=1000&last=b" => {
            Reply::new(200, r#"{"tags":["c"]}"#).with("Link", "<http://198.51.100.1/evil>; rel=\"next\"")
        }
        _ => Reply::new(404, ""),
    });
    let client = Client::new(plain().0);
    assert_eq!(client.tags(&name(&server, "")).unwrap(), ["a", "b", "c"]);

    let empty = Server::start(|_| Reply::new(200, r#"{"tags":null}"#));
    assert_eq!(client.tags(&name(&empty, "")).unwrap(), Vec::<String>::new());
    let count = std::sync::atomic::AtomicUsize::new(0);
    let circle = Server::start(move |_| {
        let next = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2;
        Reply::new(200, r#"{"tags":[]}"#).with("Link", format!("</v2/team/web/tags/list?n={next}>; rel=next"))
    });
    let error = client.tags(&name(&circle, "")).unwrap_err();
    assert!(error.to_string().contains("pages of tags"), "{error}");
}

#[test]
fn a_tag_can_be_watched_without_fetching_it() {
    let mut content = Content::default();
    let image = content.document(MANIFEST, manifest(|_| ()), Some("latest"));
    let server =
        Server::start(move |seen| content.answer(seen).with("Docker-Content-Digest", image.digest.to_string()));
    let client = Client::new(plain().0);
    assert_eq!(client.peek(&name(&server, "")).unwrap(), Some(image.digest));
    assert_eq!(server.asked("/manifests/latest")[0].method, "HEAD");
    assert!(matches!(client.peek(&name(&server, ":gone")).unwrap_err().kind, Kind::NotFound(_)));
    for odd in ["", "sha256:x", "sha512:00"] {
        let server = Server::start(move |_| Reply::new(200, "").with("Docker-Content-Digest", odd));
        assert_eq!(client.peek(&name(&server, "")).unwrap(), None, "{odd}");
    }
}
