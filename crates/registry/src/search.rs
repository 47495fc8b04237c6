//! Searching: Docker's first interface (`/v1/search`), and the list of repositories where a registry has nothing better.

use crate::client::Client;
use crate::http::{Call, encoded, exchange};
use crate::{Error, Kind, Location, Operation};
use serde::Deserialize;

/// The largest answer, in bytes.
const ANSWER_LIMIT: u64 = 4 << 20;
/// The most repositories of a catalogue that are looked through; registries refuse to list more at once.
const CATALOGUE: usize = 1_000;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct SearchWish {
    /// A part of a name.
    pub term: String,
    /// The most hits.
    pub limit: usize,
}

/// An image that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hit {
    /// `library/nginx`; the registry is not in it.
    pub name: String,
    /// The author's words; bounded and without control characters.
    pub description: String,
    /// How many like it.
    pub stars: i64,
    /// Whether the registry vouches for it.
    pub official: bool,
    /// Whether the registry builds it.
    pub automated: bool,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    results: Vec<RawHit>,
}

#[derive(Deserialize)]
struct RawHit {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    star_count: i64,
    #[serde(default)]
    is_official: bool,
    #[serde(default)]
    is_automated: bool,
}

#[derive(Deserialize)]
struct Catalogue {
    #[serde(default)]
    repositories: Option<Vec<String>>,
}

impl Client {
    /// Looks for images at a registry (`host[:port]`). One that knows neither way is an error.
    pub fn search(&self, registry: &str, wish: &SearchWish) -> Result<Vec<Hit>, Error> {
        let security = self.security(self.0.config.registries.security(registry));
        // Docker Hub's index has a host of its own.
        let index = if registry == "docker.io" { "index.docker.io" } else { registry };
        let first = self.first_interface(&Location::whole_registry(index, security), wish);
        match first {
            Err(error) if matches!(error.kind, Kind::NotFound(_) | Kind::Protocol(_)) => {
                let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
                self.catalogue(&Location::whole_registry(registry, security), wish)
            }
            other => other,
        }
    }

    fn first_interface(&self, at: &Location, wish: &SearchWish) -> Result<Vec<Hit>, Error> {
        let call = Call::get(Operation::Search, at.registry());
        let path = format!("/v1/search?q={}&n={}", encoded(&wish.term), wish.limit.min(100));
        let body = self.0.attempts(|| exchange(&self.0, at, &path, &call)?.document(&call, ANSWER_LIMIT))?;
        let found: Found = serde_json::from_slice(&body)
            .map_err(|error| call.error(Kind::Protocol("the answer is malformed".to_owned())).because(error))?;
        let plain = |text: &str| crate::http::plain_words(text);
        let hit = |raw: RawHit| Hit {
            name: plain(&raw.name),
            description: plain(&raw.description.unwrap_or_default()),
            stars: raw.star_count,
            official: raw.is_official,
            automated: raw.is_automated,
        };
        Ok(found.results.into_iter().take(wish.limit).map(hit).collect())
    }

    fn catalogue(&self, at: &Location, wish: &SearchWish) -> Result<Vec<Hit>, Error> {
        let call = Call::get(Operation::Search, at.registry());
        let path = format!("/v2/_catalog?n={CATALOGUE}");
        let body = self.0.attempts(|| exchange(&self.0, at, &path, &call)?.document(&call, ANSWER_LIMIT))?;
        let found: Catalogue = serde_json::from_slice(&body)
            .map_err(|error| call.error(Kind::Protocol("the list is malformed".to_owned())).because(error))?;
        let fits =
            |name: &String| name.contains(&wish.term) && spec::Reference::parse(&format!("x.example/{name}")).is_ok();
        let names = found.repositories.unwrap_or_default().into_iter().take(CATALOGUE).filter(fits).take(wish.limit);
        Ok(names.map(|name| Hit { name, ..Hit::default() }).collect())
    }
}
