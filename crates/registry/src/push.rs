//! Pushing: blobs that the registry lacks, then the manifest
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push>).
//!
//! What must stay true: a manifest is sent when all its blobs are there; a blob that is there, or in another repository of
//! the same registry, is not sent; credentials go to the registry alone, wherever it wants the bytes.

use crate::client::Client;
use crate::http::{Address, Answer, Call, Identity, Open, Payload, Reach, Scheme, Verb, exchange, exchange_at, follow};
use crate::location::Access;
use crate::session::route;
use crate::{Error, Kind, Location, Operation, Security};
use spec::oci::Descriptor;
use spec::{Digest, Reference};
use ureq::http::header;

/// The repository that an image is pushed to.
#[derive(Debug, Clone)]
pub struct Target {
    location: Location,
    /// Other repositories of the registry that may have the same blobs.
    siblings: Vec<String>,
}

/// How a blob came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It was.
    Present,
    /// The registry took it from another repository of its own.
    Mounted,
    /// It was sent.
    Sent,
}

impl Target {
    /// The repository that the name leads to.
    pub fn location(&self) -> &Location {
        &self.location
    }
}

impl Client {
    /// Where a full name is pushed to: the registry itself, never a mirror. `known` are other names of the same content.
    pub fn push_target(&self, name: &Reference, known: &[Reference]) -> Result<Target, Error> {
        let none = || Error::new(Operation::Locate, name.to_string(), Kind::Invalid("no place to push to".to_owned()));
        let mut location = self.locations(name)?.pop().ok_or_else(none)?;
        let here = |other: &&Reference| other.registry.as_deref() == Some(location.registry());
        let mut siblings: Vec<String> = known.iter().filter(here).map(|other| other.repository.clone()).collect();
        siblings.retain(|repository| repository != location.repository());
        siblings.sort();
        siblings.dedup();
        location.access = Access::Push { from: siblings.clone() };
        Ok(Target { location, siblings })
    }

    /// Whether the repository has a blob.
    pub fn has_blob(&self, target: &Target, digest: &Digest) -> Result<bool, Error> {
        let subject = format!("{}@{digest}", target.location);
        let call = Call { verb: Verb::Head, ..Call::get(Operation::PushBlob, &subject) };
        let path = format!("/v2/{}/blobs/{digest}", target.location.repository());
        match self.0.attempts(|| exchange(&self.0, &target.location, &path, &call)) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind, Kind::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the repository has a blob by now, without sending it: it had, or the registry has it elsewhere.
    pub fn obtain_blob(&self, target: &Target, digest: &Digest) -> Result<Option<Given>, Error> {
        if self.has_blob(target, digest)? {
            return Ok(Some(Given::Present));
        }
        let subject = format!("{}@{digest}", target.location);
        let call = Call { verb: Verb::Begin, ..Call::get(Operation::PushBlob, &subject) };
        for sibling in &target.siblings {
            let path = format!("/v2/{}/blobs/uploads/?mount={digest}&from={sibling}", target.location.repository());
            match exchange(&self.0, &target.location, &path, &call) {
                Ok(answer) if answer.status == 201 => return Ok(Some(Given::Mounted)),
                // 202: it has begun an upload instead, which ends by itself. A refusal means no more than that.
                Ok(_) => {}
                Err(error) if error.kind.is_transient() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Sends a blob; `open` gives its bytes from their start.
    pub fn push_blob(&self, target: &Target, blob: &Descriptor, open: &Open<'_>) -> Result<(), Error> {
        let subject = format!("{}@{}", target.location, blob.digest);
        let begin = Call { verb: Verb::Begin, ..Call::get(Operation::PushBlob, &subject) };
        let path = format!("/v2/{}/blobs/uploads/", target.location.repository());
        let payload = Payload { media_type: "application/octet-stream", size: blob.size, open };
        let put = Call { verb: Verb::Put(payload), ..begin };
        self.0.attempts(|| {
            let begun = exchange(&self.0, &target.location, &path, &begin)?;
            let place = place_of(&begun, &begin)?.with_query("digest", &blob.digest.to_string());
            self.send_to(target, &place, &put).map(drop)
        })
    }

    /// Sends to where the registry says: with its login to itself, with none to anybody else.
    fn send_to(&self, target: &Target, place: &Address, call: &Call<'_>) -> Result<Answer, Error> {
        let registry = self.0.address(&target.location, "/v2/")?;
        if place.same_origin(&registry) {
            return exchange_at(&self.0, &target.location, place, call);
        }
        let refuse = |why: String| Err(call.error(Kind::Redirect(why)));
        if place.scheme() == Scheme::Http && target.location.security() == Security::Verified {
            return refuse(format!("{place} is not https"));
        }
        let reach: Reach = self.0.reach_from(&registry);
        if !reach.allows_literal(place) {
            return refuse(format!("{place} is this machine's or link's own address"));
        }
        let mut route = route(&target.location);
        (route.identity, route.reach) = (Identity::Nobody, reach);
        let answer = follow(&self.0, &route, place, call)?;
        answer.accepted(call, target.location.registry(), false)
    }

    /// Sends a manifest under the tag of the name, or under its digest where the name has no tag.
    pub fn push_manifest(&self, target: &Target, media_type: &str, bytes: &[u8], digest: &Digest) -> Result<(), Error> {
        let reference = &target.location.reference;
        let subject = reference.to_string();
        let under = reference.tag.clone().unwrap_or_else(|| digest.to_string());
        let path = format!("/v2/{}/manifests/{under}", target.location.repository());
        let open = || Ok(Box::new(std::io::Cursor::new(bytes.to_vec())) as Box<dyn std::io::Read>);
        let payload = Payload { media_type, size: bytes.len() as u64, open: &open };
        let call = Call { verb: Verb::Put(payload), ..Call::get(Operation::PushManifest, &subject) };
        self.0.attempts(|| exchange(&self.0, &target.location, &path, &call).map(drop))
    }
}

/// Where an upload that has begun goes on.
fn place_of(begun: &Answer, call: &Call<'_>) -> Result<Address, Error> {
    let protocol = |why: String| call.error(Kind::Protocol(why));
    let location = begun.text(&header::LOCATION);
    let location = location.ok_or_else(|| protocol("an upload without a location".to_owned()))?;
    begun.address.join(location).map_err(protocol)
}
