//! A blob as a stream that survives the network.
//!
//! What must stay true: the bytes handed out are consecutive from the offset asked for, and never more than the
//! descriptor's size. Where a connection breaks, the next one asks for the rest; a server that ignores the range or
//! answers another one is either skipped forward in or given up, never spliced in.

use crate::http::{Address, Answer, Backoff, Call, ContentRange, Next, broken, exchange};
use crate::session::Session;
use crate::{Error, Kind, Location, Operation};
use spec::oci::Descriptor;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use ureq::BodyReader;
use ureq::http::header;

/// A blob being read. Ends after exactly the descriptor's size; survives broken connections.
///
/// Errors are [`Error`]s wrapped in `io::Error`; [`Error::from_io`] takes them out. After an error, reading again starts
/// another attempt.
pub struct BlobReader {
    session: Arc<Session>,
    location: Location,
    descriptor: Descriptor,
    subject: String,
    position: u64,
    fetched: u64,
    backoff: Backoff,
    ranges: Ranges,
    body: Option<Incoming>,
}

/// Whether asking for a part is of any use with this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ranges {
    Ask,
    /// It answered a range that makes no sense; ask for the whole and skip.
    Avoid,
}

/// A body under way, and how much of it to drop before it is at our position.
struct Incoming {
    body: BodyReader<'static>,
    address: Address,
    skip: u64,
}

impl BlobReader {
    pub(crate) fn open(
        session: Arc<Session>,
        location: Location,
        descriptor: Descriptor,
        offset: u64,
    ) -> Result<Self, Error> {
        let subject = format!("{location}@{}", descriptor.digest);
        let backoff = Backoff::new(session.config.retry.clone(), session.config.clock.clone());
        let mut reader = Self {
            session,
            location,
            descriptor,
            subject,
            position: offset,
            fetched: 0,
            backoff,
            ranges: Ranges::Ask,
            body: None,
        };
        if offset > reader.descriptor.size {
            let reason = format!("offset {offset} is behind the end of the blob");
            return Err(reader.error(Kind::Invalid(reason)));
        }
        reader.connect()?;
        Ok(reader)
    }

    /// Bytes from the blob's start up to here, the offset included.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that came over the network as content, those of repeated transfers included.
    pub fn fetched(&self) -> u64 {
        self.fetched
    }

    fn error(&self, kind: Kind) -> Error {
        Error::new(Operation::FetchBlob, &self.subject, kind)
    }

    /// Makes sure there is a body at our position, if anything is left to read.
    fn connect(&mut self) -> Result<(), Error> {
        while self.body.is_none() && self.position < self.descriptor.size {
            match self.request() {
                Ok(incoming) => self.body = incoming,
                Err(error) => self.failed(error)?,
            }
        }
        Ok(())
    }

    /// Sleeps if the failure allows another attempt, else returns it.
    fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.body = None;
        match self.backoff.failed(&error.kind) {
            Next::TryAgain => Ok(()),
            Next::GiveUp => Err(error),
        }
    }

    /// One request for the rest; `None` if the server's answer means that the next one must be made in another way.
    fn request(&mut self) -> Result<Option<Incoming>, Error> {
        let from = (self.position > 0 && self.ranges == Ranges::Ask).then_some(self.position);
        let call = Call { from, ..Call::get(Operation::FetchBlob, &self.subject) };
        let answer = exchange(&self.session, &self.location, &self.location.blob_path(&self.descriptor), &call)?;
        let Some(start) = self.start(&answer, from)? else {
            self.ranges = Ranges::Avoid;
            return Ok(None);
        };
        let address = answer.address.clone();
        Ok(Some(Incoming { address, skip: self.position - start, body: answer.into_reader() }))
    }

    /// Where in the blob an answer's body begins: at or before our position. `None` if it is of no use.
    fn start(&self, answer: &Answer, from: Option<u64>) -> Result<Option<u64>, Error> {
        let size = self.descriptor.size;
        if answer.status == 200 {
            return match answer.length() {
                Some(got) if got != size => Err(self.error(Kind::SizeMismatch { wanted: size, got })),
                _ => Ok(Some(0)),
            };
        }
        let Some(from) = from else {
            return Err(self.error(Kind::Protocol("a part was sent where the whole was asked for".to_owned())));
        };
        let range = answer.text(&header::CONTENT_RANGE).and_then(ContentRange::parse);
        Ok(match range {
            Some(ContentRange { total: Some(got), .. }) if got != size => {
                return Err(self.error(Kind::SizeMismatch { wanted: size, got }));
            }
            // A range that ends early is as good as a connection that breaks there.
            Some(ContentRange { first, last, .. }) if first <= from && from <= last && last < size => {
                let fits = answer.length().is_none_or(|length| length == last - first + 1);
                fits.then_some(first)
            }
            _ => None,
        })
    }

    /// Reads some bytes at our position; zero where the body ends early.
    fn advance(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let left = usize::try_from(self.descriptor.size - self.position).unwrap_or(usize::MAX);
        let buffer = if buffer.len() > left { &mut buffer[..left] } else { buffer };
        loop {
            let Some(incoming) = &mut self.body else { return Ok(0) };
            let wanted = match usize::try_from(incoming.skip) {
                Ok(0) => buffer.len(),
                Ok(skip) => skip.min(buffer.len()),
                Err(_) => buffer.len(),
            };
            let count = match incoming.body.read(&mut buffer[..wanted]) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let (kind, source) = broken(error, &incoming.address);
                    return Err(Error { source, ..self.error(kind) });
                }
            };
            self.fetched += count as u64;
            if count > 0 && incoming.skip > 0 {
                incoming.skip -= count as u64;
                continue;
            }
            self.position += count as u64;
            return Ok(count);
        }
    }

    fn ended_early(&self) -> Error {
        let so_far = format!("after {} of {} bytes", self.position, self.descriptor.size);
        self.error(Kind::Interrupted(so_far))
    }

    /// Reads the end of the body, so that its connection can be used again.
    fn finish(&mut self) {
        if let Some(mut incoming) = self.body.take() {
            // Whatever this says: the blob is whole.
            let _ = incoming.body.read(&mut [0]);
        }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position == self.descriptor.size {
            return Ok(0);
        }
        loop {
            self.connect().map_err(io::Error::other)?;
            match self.advance(buffer) {
                Ok(0) => {
                    let error = self.ended_early();
                    self.failed(error).map_err(io::Error::other)?;
                }
                Ok(count) => {
                    self.backoff.progressed();
                    if self.position == self.descriptor.size {
                        self.finish();
                    }
                    return Ok(count);
                }
                Err(error) => self.failed(error).map_err(io::Error::other)?,
            }
        }
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("subject", &self.subject)
            .field("position", &self.position)
            .field("size", &self.descriptor.size)
            .finish_non_exhaustive()
    }
}
