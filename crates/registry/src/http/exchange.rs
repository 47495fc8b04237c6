//! One request and its answer: redirects, and what a status means.
//!
//! An `Authorization` goes to the server it was made for and no other: it is dropped at the first redirect to another
//! scheme, host or port and does not come back. https never becomes http unless the registry is configured as insecure.

use super::agent::{Identity, Route};
use super::complaint::Complaint;
use super::{Address, Reach, Scheme, classify, retry};
use crate::auth::Secret;
use crate::session::{Convincing, Session, route};
use crate::{Error, Kind, Location, Operation, Security};
use std::io::Read;
use ureq::http::{HeaderMap, HeaderValue, Method, header};
use ureq::{Body, BodyReader, SendBody};

/// The most redirects of one request.
const REDIRECTS: usize = 5;
/// The most of a failure's body that is read, in bytes.
const COMPLAINT_LIMIT: u64 = 16 << 10;

/// What is asked and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) op: Operation,
    /// For errors.
    pub(crate) subject: &'a str,
    pub(crate) accept: Option<&'static str>,
    /// Ask for the bytes from here to the end.
    pub(crate) from: Option<u64>,
    pub(crate) authorization: Option<&'a Secret>,
    pub(crate) verb: Verb<'a>,
}

/// How it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb<'a> {
    Get,
    /// Only the head of the answer.
    Head,
    /// With this form.
    Post(&'a Secret),
    /// POST without a body: asks for a place to upload to.
    Begin,
    /// PUT with a body.
    Put(Payload<'a>),
}

/// What is uploaded; can be sent again from its start.
#[derive(Clone, Copy)]
pub(crate) struct Payload<'a> {
    pub(crate) media_type: &'a str,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) open: &'a Open<'a>,
}

/// Opens what is uploaded, at its start.
pub(crate) type Open<'a> = dyn Fn() -> std::io::Result<Box<dyn Read>> + 'a;

impl std::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("media_type", &self.media_type).field("size", &self.size).finish()
    }
}

impl Verb<'_> {
    /// Whether a status is a success.
    fn accepts(self, status: u16) -> bool {
        match self {
            Self::Begin | Self::Put(_) => matches!(status, 200..=204),
            Self::Get | Self::Head | Self::Post(_) => matches!(status, 200 | 206),
        }
    }
}

impl<'a> Call<'a> {
    pub(crate) fn get(op: Operation, subject: &'a str) -> Self {
        Self { op, subject, accept: None, from: None, authorization: None, verb: Verb::Get }
    }

    pub(crate) fn error(&self, kind: Kind) -> Error {
        Error::new(self.op, self.subject, kind)
    }
}

/// The head of an answer, and its body still to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Who answered in the end.
    pub(crate) address: Address,
    body: Body,
    retry_after: Option<std::time::Duration>,
}

/// A GET at a location with whatever login it wants. Answers with status 200, 206 or (if a range was asked) 416.
pub(crate) fn exchange(session: &Session, location: &Location, path: &str, call: &Call<'_>) -> Result<Answer, Error> {
    let address = session.address(location, path)?;
    exchange_at(session, location, &address, call)
}

/// The same at an address of the registry itself.
pub(crate) fn exchange_at(
    session: &Session,
    location: &Location,
    address: &Address,
    call: &Call<'_>,
) -> Result<Answer, Error> {
    let proof = session.authorization(location, None)?;
    let call = Call { authorization: proof.as_ref(), ..*call };
    let mut answer = follow(session, &route(location), address, &call)?;
    if answer.status == 401 && answer.address.same_origin(address) {
        let offers: Vec<&str> = answer.all(&header::WWW_AUTHENTICATE).collect();
        if session.learn(location, offers.into_iter()) == Convincing::Possible {
            let proof = session.authorization(location, proof.as_ref())?;
            if proof.is_some() {
                let call = Call { authorization: proof.as_ref(), ..call };
                // Read to its end so that the connection can be used again.
                answer.complaint();
                answer = follow(session, &route(location), address, &call)?;
            }
        }
    }
    // Looked up for the message only: a registry that asks for nothing starts no helper.
    let with_credentials = answer.status == 401 && session.has_credentials(location);
    answer.accepted(&call, location.registry(), with_credentials)
}

/// One request with its redirects; any status that is not a redirect is an answer.
pub(crate) fn follow(session: &Session, route: &Route<'_>, origin: &Address, call: &Call<'_>) -> Result<Answer, Error> {
    let mut address = origin.clone();
    let mut route = route.clone();
    let mut call = *call;
    for _ in 0..=REDIRECTS {
        let answer = send(session, &route, &address, &call)?;
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(answer);
        }
        match call.verb {
            Verb::Post(_) => {
                return Err(call.error(Kind::Redirect("the token service wants the login sent elsewhere".to_owned())));
            }
            Verb::Begin | Verb::Put(_) if !matches!(answer.status, 307 | 308) => {
                return Err(call.error(Kind::Redirect("an upload cannot become a download".to_owned())));
            }
            _ => {}
        }
        let location = answer.text(&header::LOCATION).ok_or_else(|| protocol(&call, "redirect without a location"))?;
        let next = address.join(location).map_err(|reason| call.error(Kind::Redirect(reason)))?;
        if next.scheme() == Scheme::Http && route.security == Security::Verified {
            return Err(call.error(Kind::Redirect(format!("{next} is not https"))));
        }
        if !next.same_origin(&address) {
            call.authorization = None;
            route.identity = Identity::Nobody;
            if route.reach == Reach::ANYWHERE {
                route.reach = session.reach_from(origin);
            }
            if !route.reach.allows_literal(&next) {
                return Err(call.error(Kind::Redirect(format!("{next} is this machine's or link's own address"))));
            }
        }
        address = next;
    }
    Err(call.error(Kind::Redirect(format!("more than {REDIRECTS} in a row"))))
}

fn protocol(call: &Call<'_>, reason: &str) -> Error {
    call.error(Kind::Protocol(reason.to_owned()))
}

/// One request and nothing that follows from its answer.
pub(crate) fn send(session: &Session, route: &Route<'_>, address: &Address, call: &Call<'_>) -> Result<Answer, Error> {
    let agent = session.agents.agent(&session.config, route, address)?;
    let method = match call.verb {
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Post(_) | Verb::Begin => Method::POST,
        Verb::Put(_) => Method::PUT,
    };
    let mut request = ureq::http::Request::builder().method(method).uri(address.to_wire());
    // A body that was compressed on the way has neither the size nor the digest of its descriptor.
    request = request.header(header::ACCEPT_ENCODING, "identity");
    if let Some(accept) = call.accept {
        request = request.header(header::ACCEPT, accept);
    }
    if let Some(from) = call.from {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    if let Some(proof) = call.authorization {
        let mut value = HeaderValue::from_str(proof.expose())
            .map_err(|_| call.error(Kind::Invalid("credentials with forbidden characters".to_owned())))?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let malformed = |cause: ureq::http::Error| protocol(call, "the request cannot be made").because(cause);
    let sent = match call.verb {
        Verb::Post(form) => {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            agent.run(request.body(form.expose()).map_err(malformed)?)
        }
        Verb::Get | Verb::Head => agent.run(request.body(SendBody::none()).map_err(malformed)?),
        Verb::Begin => agent.run(request.body(&[][..]).map_err(malformed)?),
        Verb::Put(payload) => {
            request = request.header(header::CONTENT_TYPE, payload.media_type);
            request = request.header(header::CONTENT_LENGTH, payload.size);
            let mut body = (payload.open)().map_err(|cause| call.error(Kind::Unreadable).because(cause))?;
            agent.run(request.body(SendBody::from_reader(&mut body)).map_err(malformed)?)
        }
    };
    let response = sent.map_err(|error| {
        let (kind, source) = classify(error, address);
        Error { source, ..call.error(kind) }
    })?;
    let (head, body) = response.into_parts();
    let wait = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wait.and_then(|text| retry::retry_after(text, session.config.clock.wall()));
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, address: address.clone(), body, retry_after })
}

impl Answer {
    /// A header's text, if it is there once and is text.
    pub(crate) fn text(&self, name: &header::HeaderName) -> Option<&str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    fn all(&self, name: &header::HeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The announced size of the body, in bytes.
    pub(crate) fn length(&self) -> Option<u64> {
        self.body.content_length()
    }

    /// The body as it comes.
    pub(crate) fn into_reader(self) -> BodyReader<'static> {
        self.body.into_reader()
    }

    /// The answer if its status is a success, else what the status means.
    pub(crate) fn accepted(mut self, call: &Call<'_>, registry: &str, with_credentials: bool) -> Result<Self, Error> {
        match self.status {
            status if call.verb.accepts(status) => {
                let encoding = self.text(&header::CONTENT_ENCODING).unwrap_or("identity");
                if !encoding.eq_ignore_ascii_case("identity") {
                    let reason = format!("the server compressed its answer ({})", super::plain_words(encoding));
                    return Err(call.error(Kind::Protocol(reason)));
                }
                Ok(self)
            }
            416 if call.from.is_some() => Ok(self),
            _ => Err(call.error(self.refusal(registry, with_credentials))),
        }
    }

    fn refusal(&mut self, registry: &str, with_credentials: bool) -> Kind {
        let Complaint { code, words: detail } = self.complaint();
        let retry_after = self.retry_after;
        match self.status {
            _ if code == "TOOMANYREQUESTS" => Kind::RateLimited { retry_after },
            401 => Kind::Unauthorized { registry: registry.to_owned(), with_credentials, detail },
            403 => Kind::Denied(detail),
            404 => Kind::NotFound(detail),
            408 => Kind::Timeout(format!("{registry} says so")),
            429 => Kind::RateLimited { retry_after },
            status @ 500..=599 => Kind::Server { status, retry_after, detail },
            status if detail.is_empty() => Kind::Protocol(format!("unexpected status {status}")),
            status => Kind::Protocol(format!("unexpected status {status}: {detail}")),
        }
    }

    fn complaint(&mut self) -> Complaint {
        let mut body = Vec::new();
        // What there is of it; the status alone says enough.
        let _ = self.body.as_reader().take(COMPLAINT_LIMIT).read_to_end(&mut body);
        Complaint::read(&body)
    }

    /// The whole body, at most `limit` bytes.
    pub(crate) fn document(self, call: &Call<'_>, limit: u64) -> Result<Vec<u8>, Error> {
        let too_large = || call.error(Kind::TooLarge { what: "the answer", limit });
        if self.length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let address = self.address.clone();
        let mut bytes = Vec::new();
        self.into_reader().take(limit + 1).read_to_end(&mut bytes).map_err(|error| {
            let (kind, source) = broken(error, &address);
            Error { source, ..call.error(kind) }
        })?;
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }
}

/// Why a body ended early. Whatever it was, the transfer was under way: it is worth going on.
pub(crate) fn broken(error: std::io::Error, address: &Address) -> (Kind, Option<crate::Source>) {
    match classify(ureq::Error::from(error), address) {
        (kind @ (Kind::Timeout(_) | Kind::Interrupted(_)), source) => (kind, source),
        (_, source) => (Kind::Interrupted(address.host().to_owned()), source),
    }
}
