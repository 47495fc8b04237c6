//! What ureq, rustls and the system report, in our words.

use super::Address;
use super::reach::{OutOfReach, Unresolved};
use crate::Kind;
use crate::error::Source;
use rustls::{CertificateError, InvalidMessage};
use std::io::ErrorKind;

/// The kind of a failed request to `address`, and the cause as it was reported.
pub(crate) fn classify(error: ureq::Error, address: &Address) -> (Kind, Option<Source>) {
    let host = || format!("{}:{}", address.host(), address.port());
    match error {
        ureq::Error::HostNotFound => (Kind::Dns(address.host().to_owned()), None),
        ureq::Error::Timeout(phase) => (Kind::Timeout(format!("{}, {phase}", address.host())), None),
        ureq::Error::Rustls(cause) => (handshake(&cause, address), Some(Box::new(cause))),
        ureq::Error::Tls(reason) => (Kind::Tls(reason.to_owned()), None),
        ureq::Error::ConnectionFailed => (Kind::Connect(host()), None),
        ureq::Error::ConnectProxyFailed(reason) => {
            (Kind::Connect(format!("{} through the proxy: {}", host(), super::plain_words(&reason))), None)
        }
        ureq::Error::Io(cause) => io(cause, address),
        ureq::Error::Other(cause) => match cause.downcast::<OutOfReach>() {
            Ok(refused) => (Kind::Redirect(format!("{}: {refused}", address.host())), None),
            Err(cause) => match cause.downcast::<Unresolved>() {
                Ok(unresolved) => (Kind::Dns(address.host().to_owned()), Some(unresolved)),
                Err(cause) => (Kind::Protocol("the request failed".to_owned()), Some(cause)),
            },
        },
        other => (Kind::Protocol("malformed answer".to_owned()), Some(Box::new(other))),
    }
}

fn io(cause: std::io::Error, address: &Address) -> (Kind, Option<Source>) {
    let tls = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return (handshake(tls, address), Some(Box::new(cause)));
    }
    let kind = match cause.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected => Kind::Interrupted(address.host().to_owned()),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Kind::Timeout(address.host().to_owned()),
        _ => Kind::Connect(format!("{}:{}", address.host(), address.port())),
    };
    (kind, Some(Box::new(cause)))
}

fn handshake(error: &rustls::Error, address: &Address) -> Kind {
    let host = address.host();
    Kind::Tls(match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => return Kind::PlainHttp,
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate of {host} has expired (or this machine's clock is wrong)")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate of {host} is not valid yet (or this machine's clock is wrong)")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate shown by {host} is for another name")
            }
            // A bad signature is an authority that was made anew under its old name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                format!("the certificate of {host} is not trusted here: certificate signed by unknown authority")
            }
            other => format!("the certificate of {host} is not acceptable: {}", super::plain_words(&other.to_string())),
        },
        other => super::plain_words(&other.to_string()),
    })
}
