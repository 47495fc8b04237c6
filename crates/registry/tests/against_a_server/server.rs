//! A small HTTP/1.1 server on 127.0.0.1 whose answers a test writes, faults included.
//!
//! One thread for each connection; everything that was asked is kept. `CONNECT` is answered with success and the
//! connection goes on as if it were the target's, so the server can also play a proxy in front of any host.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// Of the client's end: tells connections apart.
    pub port: u16,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first position of a `Range: bytes=N-`.
    pub fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// How a body's end is made known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Framing {
    /// By its true length.
    Length,
    /// By a length that may be wrong.
    Claimed(usize),
    Chunked,
    /// By closing.
    Close,
}

/// What to answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub framing: Framing,
    /// Close the connection after so many bytes of the body.
    pub cut: Option<usize>,
    /// Then say nothing more, but keep the connection.
    pub stall: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), body, framing: Framing::Length, cut: None, stall: false }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    pub fn stalled_after(mut self, bytes: usize) -> Self {
        self.stall = true;
        self.cut_after(bytes)
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server; its threads end with the test process.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(handler))
    }

    pub fn start_tls(tls: Arc<ServerConfig>, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Some(tls), Arc::new(handler))
    }

    fn serve(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, seen: seen.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, handler, seen) = (tls.clone(), handler.clone(), seen.clone());
                let _ = stream.set_nodelay(true);
                let port = stream.peer_addr().map_or(0, |peer| peer.port());
                std::thread::spawn(move || match tls {
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).unwrap();
                        talk(StreamOwned::new(connection, stream), port, &*handler, &seen);
                    }
                    None => talk(stream, port, &*handler, &seen),
                });
            }
        });
        server
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `localhost:PORT`
    pub fn localhost(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Everything asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests whose path contains `part`.
    pub fn asked(&self, part: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.contains(part)).collect()
    }
}

/// Answers requests until the other side or the reply ends the connection.
fn talk(stream: impl Read + Write, port: u16, handler: &Handler, seen: &Mutex<Vec<Seen>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream, port) {
        if request.method == "CONNECT" {
            seen.lock().unwrap().push(request);
            if stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_err() {
                return;
            }
            continue;
        }
        let mut reply = handler(&request);
        if request.method == "HEAD" {
            reply = Reply { framing: Framing::Claimed(reply.body.len()), body: Vec::new(), ..reply };
        }
        seen.lock().unwrap().push(request);
        if !matches!(write_reply(stream.get_mut(), &reply), Ok(true)) {
            return;
        }
    }
}

fn read_request(stream: &mut impl BufRead, port: u16) -> Option<Seen> {
    let mut line = String::new();
    // A TLS hello to a plain server is no request; a real server answers in its own words.
    stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Seen { method, path, headers, body: String::from_utf8_lossy(&body).into_owned(), port })
}

/// Whether the connection can be used again.
fn write_reply(stream: &mut impl Write, reply: &Reply) -> std::io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.framing {
        Framing::Length => head.push_str(&format!("Content-Length: {}\r\n", reply.body.len())),
        Framing::Claimed(length) => head.push_str(&format!("Content-Length: {length}\r\n")),
        Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
        Framing::Close => head.push_str("Connection: close\r\n"),
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    let end = reply.cut.map_or(reply.body.len(), |cut| cut.min(reply.body.len()));
    if reply.framing == Framing::Chunked {
        for chunk in reply.body[..end].chunks(4096) {
            stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        if reply.cut.is_none() {
            stream.write_all(b"0\r\n\r\n")?;
        }
    } else {
        stream.write_all(&reply.body[..end])?;
    }
    stream.flush()?;
    if reply.stall {
        // Longer than any test; the thread ends with the process.
        std::thread::park_timeout(std::time::Duration::from_secs(600));
    }
    Ok(reply.cut.is_none() && matches!(reply.framing, Framing::Length | Framing::Chunked))
}
