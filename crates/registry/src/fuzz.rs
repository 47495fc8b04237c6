//! What registries and configuration files say that nobody wrote. See `xtask::fuzz`.

use crate::RegistriesConf;
use crate::auth::{AuthFile, parse_challenge};
use crate::http::{Address, ContentRange};
use crate::manifest;
use spec::Reference;
use xtask::fuzz::Target;

#[test]
fn challenge() {
    let seeds: [&[u8]; 3] = [
        br#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull,push""#,
        br#"Basic realm="x", Negotiate, Bearer realm=y"#,
        br#"Bearer realm="a\"b\\",error="invalid_token""#,
    ];
    let words = ["Bearer ", "Basic ", "realm=", "service=", "scope=", "\"", ",", " ", "\\", "=", "\t"];
    Target { name: "challenge", seeds: &seeds, words: &words }
        .run(|input| format!("{}", parse_challenge(&String::from_utf8_lossy(input)).len()));
}

#[test]
fn auth_file() {
    let seeds: [&[u8]; 2] = [
        br#"{"auths":{"quay.io/team":{"auth":"YWxpY2U6d29uZGVybGFuZA=="},"https://index.docker.io/v1/":{"username":"a","password":"b","identitytoken":"t"}},"credHelpers":{"gcr.io":"gcloud"},"credsStore":"pass"}"#,
        br#"{"auths":{"registry.test:5000":{}}}"#,
    ];
    let words = ["\"auths\":", "\"auth\":", "\"credHelpers\":", "null", "{}", "==", "\"\"", ":", "https://", "/"];
    Target { name: "auth_file", seeds: &seeds, words: &words }.run(|input| {
        let edited = AuthFile::without_login(input, "quay.io/team").map(|left| left.is_some());
        match AuthFile::parse(input) {
            Ok(file) => {
                format!("{:?} {edited:?}", std::mem::discriminant(&file.lookup("quay.io", "team/web")))
            }
            Err(error) => format!("{error} {}", edited.is_ok()),
        }
    });
}

#[test]
fn registry_document() {
    let seeds: [&[u8]; 3] = [
        br#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":2},"layers":[]}"#,
        br#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":9,"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}"#,
        br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no","detail":{}}]}"#,
    ];
    let words = ["\"layers\":", "\"manifests\":", "\"mediaType\":", "\"config\":", "null", "[]", "{}", "\"v7\""];
    Target { name: "registry_document", seeds: &seeds, words: &words }.run(|input| {
        let native = spec::Platform::native();
        match manifest::parse(input, None) {
            Ok(manifest::Document::Manifest(manifest)) => {
                format!("manifest {:?}", manifest::check_image(&manifest).is_ok())
            }
            Ok(manifest::Document::Index(index)) => format!("index {:?}", manifest::choose(&index, &native).is_ok()),
            Err(kind) => kind.to_string(),
        }
    });
}

#[test]
fn registries_conf() {
    let seeds: [&[u8]; 2] = [
        b"unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"enforcing\"\n[[registry]]\nprefix = \"*.example.com\"\nlocation = \"mirror.test:5000/x\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"m.test\"\npull-from-mirror = \"digest-only\"\n[aliases]\n\"web\" = \"quay.io/team/web\"\n",
        b"credential-helpers = [\"containers-auth.json\"]\n[[registry]]\nlocation = \"a.test/b\"\nblocked = true\n",
    ];
    let words =
        ["[[registry]]", "prefix = ", "location = ", "\"*.\"", "\"\"", "[[registry.mirror]]", "true", "[]", "\n", "*."];
    Target { name: "registries_conf", seeds: &seeds, words: &words }.run(|input| {
        match RegistriesConf::parse("x", input) {
            Ok(conf) => {
                let name = Reference::parse("www.example.com/a/b:1").expect("a reference");
                let places = conf.locations(&name).map(|places| places.len());
                format!("{places:?} {:?}", conf.short_name(&Reference::parse("web").expect("a reference")))
            }
            Err(error) => error.kind.to_string(),
        }
    });
}

#[test]
fn headers() {
    let seeds: [&[u8]; 4] = [b"bytes 5-9/10", b"https://user@host:5000/v2/?a=b#c", b"[::1]:80", b"http://x/../y"];
    let words = ["bytes ", "-", "/", "*", "https://", "http://", "@", "[", "]", ":", "?", "#", "%2f"];
    Target { name: "headers", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        let range = ContentRange::parse(&text).map(|range| range.total.is_some());
        match Address::parse(&text) {
            // What a redirect leads to is an address as well.
            Ok(address) => {
                let followed = address.join(&text).map(|next| Address::parse(&next.to_wire()).is_ok());
                format!("{range:?} {followed:?}")
            }
            Err(error) => format!("{range:?} {error}"),
        }
    });
}
