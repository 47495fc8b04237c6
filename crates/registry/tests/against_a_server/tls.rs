//! Certificates: who is believed, who is not, and that the word for it is right.

use crate::content::{Content, noise};
use crate::server::{Reply, Seen, Server};
use crate::{TestClock, amd64};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use registry::auth::{Credentials, Secret, Sources};
use registry::{Certificates, Client, Config, Error, Kind, RegistriesConf, Resolved, TlsVerify};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use spec::Reference;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key.
struct Shown {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

fn signed(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let cert = params.signed_by(&key, authority).unwrap();
    Shown { pem: cert.pem(), der: cert.der().clone(), key }
}

/// What `openssl req -x509` makes: its own issuer, and an authority.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    Shown { pem: cert.pem(), der: cert.der().clone(), key }
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn server_config(shown: &Shown, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(shown.key.serialize_der()).unwrap();
    Arc::new(builder.with_single_cert(vec![shown.der.clone()], key).unwrap())
}

fn image() -> Content {
    let mut content = Content::default();
    let image = content.image("amd64", noise(10, 1));
    content.index(&[("linux/amd64", &image)], Some("latest"));
    content
}

fn serve(shown: &Shown) -> Server {
    let content = image();
    Server::start_tls(server_config(shown, None), move |seen| content.answer(seen))
}

/// A machine that trusts an authority nobody here uses, and has these files in certs.d for a server.
fn machine(server: &Server, files: &[(&str, &str)]) -> (Config, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, authority().pem()).unwrap();
    let own = directory.path().join("certs.d").join(server.localhost());
    std::fs::create_dir_all(&own).unwrap();
    for (name, text) in files {
        std::fs::write(own.join(name), text).unwrap();
    }
    let per_host = vec![directory.path().join("absent"), directory.path().join("certs.d")];
    let certificates = Certificates { system: vec![roots], directory: None, per_host };
    (Config { certificates, clock: TestClock::new(), ..Config::default() }, directory)
}

fn resolve(config: Config, server: &Server) -> Result<Resolved, Error> {
    let name = Reference::parse(&format!("{}/team/web", server.localhost())).unwrap();
    Client::new(config).resolve(&name, &amd64())
}

fn tls_error(result: Result<Resolved, Error>) -> String {
    match result.unwrap_err() {
        Error { kind: Kind::Tls(reason), .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn an_authority_in_certs_d_or_in_the_roots_is_believed_and_others_are_not() {
    let ca = authority();
    let server = serve(&signed(&ca, |_| ()));
    let (config, _directory) = machine(&server, &[("ca.crt", &ca.pem())]);
    resolve(config.clone(), &server).unwrap();

    let (mut bare, directory) = machine(&server, &[]);
    assert_eq!(
        tls_error(resolve(bare.clone(), &server)),
        "the certificate of localhost is not trusted here: certificate signed by unknown authority"
    );
    // A directory for another port is not for this one.
    let other = directory.path().join("certs.d/localhost:1");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("ca.crt"), ca.pem()).unwrap();
    tls_error(resolve(bare.clone(), &server));
    // `--cert-dir` is the directory itself.
    bare.certificates.directory = Some(other);
    resolve(bare.clone(), &server).unwrap();
    bare.certificates.directory = None;
    let roots = directory.path().join("more");
    std::fs::create_dir(&roots).unwrap();
    std::fs::write(roots.join("0.pem"), "not a certificate").unwrap();
    std::fs::write(roots.join("1.pem"), format!("{}{}", authority().pem(), ca.pem())).unwrap();
    bare.certificates.system = vec![directory.path().join("absent.pem"), roots];
    resolve(bare, &server).unwrap();
}

#[test]
fn expired_early_and_foreign_certificates_are_refused_in_plain_words() {
    let ca = authority();
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(2200, 1, 1);
    let foreign = |params: &mut CertificateParams| {
        *params = CertificateParams::new(vec!["registry.example".to_owned()]).unwrap();
    };
    let cases: [(Shown, &str); 3] = [
        (signed(&ca, expired), "has expired (or this machine's clock is wrong)"),
        (signed(&ca, early), "is not valid yet (or this machine's clock is wrong)"),
        (signed(&ca, foreign), "is for another name"),
    ];
    for (shown, wanted) in cases {
        let server = serve(&shown);
        let (config, _directory) = machine(&server, &[("ca.crt", &ca.pem())]);
        let reason = tls_error(resolve(config, &server));
        assert!(reason.ends_with(wanted), "{reason}");
    }
}

#[test]
fn a_self_signed_certificate_in_certs_d_is_believed_for_its_name_and_time() {
    let shown = self_signed(|_| ());
    let server = serve(&shown);
    let (config, _directory) = machine(&server, &[("ca.crt", &shown.pem)]);
    resolve(config, &server).unwrap();

    let other = self_signed(|_| ());
    let (config, _directory) = machine(&server, &[("ca.crt", &other.pem)]);
    tls_error(resolve(config, &server));

    let foreign = self_signed(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("registry.example".try_into().unwrap())];
    });
    for (shown, wanted) in [(self_signed(expired), "has expired"), (foreign, "another name")] {
        let server = serve(&shown);
        let (config, _directory) = machine(&server, &[("ca.crt", &shown.pem)]);
        let reason = tls_error(resolve(config, &server));
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn insecure_takes_any_certificate_where_it_is_configured_and_nowhere_else() {
    let server = serve(&self_signed(expired));
    let (config, _directory) = machine(&server, &[]);
    let conf = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true", server.localhost());
    let registries = RegistriesConf::parse("x", conf.as_bytes()).unwrap();
    let insecure = Config { registries, ..config.clone() };
    resolve(insecure.clone(), &server).unwrap();
    resolve(Config { tls_verify: TlsVerify::Never, ..config.clone() }, &server).unwrap();
    tls_error(resolve(Config { tls_verify: TlsVerify::Always, ..insecure }, &server));
    tls_error(resolve(config, &server));
}

#[test]
fn plain_http_is_named_and_never_spoken_to_a_verified_registry() {
    let content = image();
    let server = Server::start(move |seen| content.answer(seen));
    let (config, _directory) = machine(&server, &[]);
    let error = resolve(config.clone(), &server).unwrap_err();
    // A server that does not even answer what it does not understand looks like a broken connection.
    assert!(matches!(error.kind, Kind::PlainHttp | Kind::Interrupted(_)), "{error}");
    assert_eq!(server.asked("/v2/").len(), 0);

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 1024]);
            let _ =
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTP server\n");
        }
    });
    let name = Reference::parse(&format!("localhost:{port}/team/web")).unwrap();
    let error = Client::new(config).resolve(&name, &amd64()).unwrap_err();
    assert_eq!(error.kind, Kind::PlainHttp);
    assert!(error.to_string().ends_with("the server answered in plain http, not https"));
}

#[test]
fn a_client_certificate_is_shown_to_its_registry_only() {
    let (ca, clients) = (authority(), authority());
    let shown = signed(&ca, |_| ());
    let me = signed(&clients, |_| ());
    let content = image();
    // Redirects of a registry with a client certificate go to storage that would take one, too.
    let storage = Server::start_tls(server_config(&shown, Some(&clients)), |_| Reply::new(200, "x"));
    let target = format!("https://{}/", storage.localhost());
    let server = Server::start_tls(server_config(&shown, Some(&clients)), move |seen: &Seen| {
        match seen.path.contains("/blobs/") {
            true => Reply::new(307, "").with("Location", &*target),
            false => content.answer(seen),
        }
    });
    let files = [("ca.crt", ca.pem()), ("me.cert", me.pem.clone()), ("me.key", me.key.serialize_pem())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let (config, _directory) = machine(&server, &files);
    let found = resolve(config.clone(), &server).unwrap();
    let error = Client::new(config).document(&found.location, found.config()).unwrap_err();
    assert!(matches!(error.kind, Kind::Tls(_) | Kind::Interrupted(_)), "{error}");
    assert_eq!(storage.seen().len(), 0);

    let (without, _directory) = machine(&server, &[("ca.crt", &ca.pem())]);
    resolve(without, &server).unwrap_err();
}

#[test]
fn files_in_certs_d_that_cannot_work_are_named() {
    let ca = authority();
    let server = serve(&signed(&ca, |_| ()));
    let (me, other) = (signed(&ca, |_| ()), signed(&ca, |_| ()));
    let key = other.key.serialize_pem();
    for (files, file, wanted) in [
        (vec![("ca.crt", "")], "ca.crt", "no PEM certificate inside"),
        (vec![("ca.crt", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")], "ca.crt", "malformed PEM"),
        (vec![("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")], "ca.crt", "not a usable"),
        (vec![("me.cert", &*me.pem)], "me.key", "cannot read"),
        (vec![("me.key", &*key)], "me.key", "no certificate"),
        (vec![("me.cert", &*me.pem), ("me.key", &*key)], "me.key", "not the key of the certificate"),
        (vec![("me.cert", &*me.pem), ("me.key", "")], "me.key", "no PEM private key"),
    ] {
        let (config, directory) = machine(&server, &files);
        let error = resolve(config, &server).unwrap_err();
        let path = directory.path().join("certs.d").join(server.localhost()).join(file);
        let begin = format!("read certificates \"{}\": ", path.display());
        assert!(error.to_string().starts_with(&begin) && error.to_string().contains(wanted), "{error}");
    }
    let (mut config, _directory) = machine(&server, &[]);
    config.certificates.system = vec![Path::new("/nonexistent").to_owned()];
    let error = resolve(config, &server).unwrap_err();
    assert!(error.to_string().contains("trusts no certificate authority"), "{error}");
}

#[test]
fn a_verified_registry_cannot_lead_to_plain_http() {
    let ca = authority();
    let shown = signed(&ca, |_| ());
    let elsewhere = Server::start(|_| Reply::new(200, r#"{"token":"t"}"#));
    let host = elsewhere.host();
    let password = Credentials::Password { user: "me".to_owned(), password: Secret::new("pw".to_owned()) };
    let attempt = |reply: Reply| {
        let server = Server::start_tls(server_config(&shown, None), move |_| reply.clone());
        let (mut config, directory) = machine(&server, &[("ca.crt", &ca.pem())]);
        config.auth = Sources { credentials: Some(password.clone()), files: Vec::new() };
        let error = resolve(config, &server).unwrap_err();
        drop(directory);
        error
    };
    let error = attempt(Reply::new(302, "").with("Location", format!("http://{host}/")));
    assert!(matches!(&error.kind, Kind::Redirect(reason) if reason.ends_with("is not https")), "{error}");
    let error = attempt(Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{host}/\"")));
    assert!(error.to_string().contains("is not https"), "{error}");
    assert_eq!(elsewhere.seen().len(), 0);
}

/// A proxy that carries every CONNECT to `target` and keeps what it was asked.
fn tunnel(target: std::net::SocketAddr) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let mut server = std::net::TcpStream::connect(target).unwrap();
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut line = String::new();
            let mut asked = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                asked.push_str(&std::mem::take(&mut line));
            }
            sender.send(asked).unwrap();
            (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut up, mut down) = (server.try_clone().unwrap(), client);
            std::thread::spawn(move || std::io::copy(&mut reader, &mut up));
            std::thread::spawn(move || std::io::copy(&mut server, &mut down));
        }
    });
    (address, receiver)
}

#[test]
fn a_proxy_carries_tls_without_being_trusted_with_it() {
    let ca = authority();
    let shown = signed(&ca, |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("registry.example".try_into().unwrap())];
    });
    let server = serve(&shown);
    let (proxy, asked) = tunnel(server.address);
    let (mut config, directory) = machine(&server, &[]);
    let own = directory.path().join("certs.d/registry.example");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("ca.crt"), ca.pem()).unwrap();
    config.proxies.https = Some(proxy);
    let name = Reference::parse("registry.example/team/web").unwrap();
    Client::new(config.clone()).resolve(&name, &amd64()).unwrap();
    assert!(asked.recv().unwrap().starts_with("CONNECT registry.example:443 HTTP/1.1\r\n"));
    // The names are the registry's, not the proxy's.
    let name = Reference::parse("other.example/team/web").unwrap();
    let error = Client::new(config).resolve(&name, &amd64()).unwrap_err();
    assert!(matches!(error.kind, Kind::Tls(_)), "{error}");
}
