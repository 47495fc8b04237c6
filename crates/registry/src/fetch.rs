//! Fetching a file from a web server, with the same trust and proxies as images: for `import URL`.

use crate::client::Client;
use crate::http::{Address, Call, Identity, Reach, Route, follow};
use crate::{Error, Kind, Operation, Security};
use std::io::Read;

impl Client {
    /// Opens what is at an http or https address. No credentials are sent.
    pub fn fetch_file(&self, url: &str) -> Result<impl Read + use<>, Error> {
        let malformed = |reason: String| Error::new(Operation::FetchFile, "URL", Kind::Invalid(reason));
        let address = Address::parse(url).map_err(malformed)?;
        let subject = address.to_string();
        let call = Call::get(Operation::FetchFile, &subject);
        let host = format!("{}:{}", address.host(), address.port());
        let route =
            Route { registry: &host, security: Security::Verified, identity: Identity::Nobody, reach: Reach::ANYWHERE };
        let answer = self.0.attempts(|| follow(&self.0, &route, &address, &call)?.accepted(&call, &host, false))?;
        Ok(answer.into_reader())
    }
}
