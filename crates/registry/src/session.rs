//! What a client learns while it works: how each registry is spoken to, who we are there, and the tokens it gave us.
//!
//! Shared by all threads. A token is fetched by one thread while the others that need it wait.

use crate::auth::token::{self, Token, Wanted};
use crate::auth::{Challenge, Credentials, Secret, parse_challenge};
use crate::http::{self, Address, Agents, Backoff, Call, Identity, Next, Reach, Route, Scheme, Verb};
use crate::location::Access;
use crate::{Config, Error, Kind, Location, Operation, Security};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A client's configuration and memory.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) agents: Agents,
    schemes: Mutex<HashMap<String, Scheme>>,
    /// By location: one service can hold repositories of several kinds.
    challenges: Mutex<HashMap<String, Challenge>>,
    credentials: Mutex<HashMap<String, Option<Credentials>>>,
    tokens: Mutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is valid between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            agents: Agents::new(),
            schemes: Mutex::default(),
            challenges: Mutex::default(),
            credentials: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    /// Repeats what fails for a passing reason, as often and as late as is configured.
    pub(crate) fn attempts<T>(&self, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut backoff = Backoff::new(self.config.retry.clone(), self.config.clock.clone());
        loop {
            match attempt() {
                Err(error) if backoff.failed(&error.kind) == Next::TryAgain => {}
                result => return result,
            }
        }
    }

    /// Where `path` is at a location.
    pub(crate) fn address(&self, location: &Location, path: &str) -> Result<Address, Error> {
        let scheme = match location.security() {
            Security::Verified => Scheme::Https,
            Security::Insecure => self.insecure_scheme(location)?,
        };
        self.at(scheme, location, path)
    }

    fn at(&self, scheme: Scheme, location: &Location, path: &str) -> Result<Address, Error> {
        Address::registry(scheme, location.registry(), path)
            .map_err(|reason| Error::new(Operation::Locate, location.to_string(), Kind::Invalid(reason)))
    }

    /// https if it answers there at all, else plain http: the order podman tries.
    fn insecure_scheme(&self, location: &Location) -> Result<Scheme, Error> {
        if let Some(scheme) = locked(&self.schemes).get(location.registry()) {
            return Ok(*scheme);
        }
        let asked = |scheme| {
            let address = self.at(scheme, location, "/v2/")?;
            let call = Call::get(Operation::Ping, location.registry());
            http::send(self, &route(location), &address, &call)
        };
        let scheme = match asked(Scheme::Https) {
            Ok(_) => Scheme::Https,
            // What failed over https is reported if http fails too, unless http is what the server speaks.
            Err(error) => match (asked(Scheme::Http), &error.kind) {
                (Ok(_), _) => Scheme::Http,
                (Err(second), Kind::PlainHttp) => return Err(second),
                (Err(_), _) => return Err(error),
            },
        };
        locked(&self.schemes).insert(location.registry().to_owned(), scheme);
        Ok(scheme)
    }

    /// Where a registry may send us. Through a proxy, names are not ours to resolve.
    pub(crate) fn reach_from(&self, registry: &Address) -> Reach {
        match self.config.proxies.choose(registry) {
            Some(_) => Reach::PUBLIC,
            None => Reach::from_registry(registry),
        }
    }

    /// The credentials for a location, if there are any; looked up once.
    fn credentials(&self, location: &Location) -> Result<Option<Credentials>, Error> {
        let key = location.to_string();
        // Held while a helper runs: it should not be asked by every thread.
        let mut known = locked(&self.credentials);
        if let Some(credentials) = known.get(&key) {
            return Ok(credentials.clone());
        }
        let helpers = &self.config.registries.credential_helpers;
        let wait = self.config.timeouts.helper;
        let found = self.config.auth.find(helpers, location.registry(), location.repository(), wait)?;
        known.insert(key, found.clone());
        Ok(found)
    }

    /// Whether there is anything to show at a location.
    pub(crate) fn has_credentials(&self, location: &Location) -> bool {
        self.credentials(location).is_ok_and(|found| found.is_some())
    }

    /// Remembers how a location wants to be convinced: with a token, if it offers that. Says whether it can be done.
    pub(crate) fn learn<'a>(&self, location: &Location, headers: impl Iterator<Item = &'a str>) -> Convincing {
        let offers: Vec<Challenge> = headers.flat_map(parse_challenge).collect();
        let bearer = offers.iter().find(|offer| matches!(offer, Challenge::Bearer { .. }));
        match bearer.or(offers.first()) {
            Some(offer) => {
                locked(&self.challenges).insert(location.to_string(), offer.clone());
                Convincing::Possible
            }
            None => Convincing::Impossible,
        }
    }

    /// The `Authorization` for a request, as far as the registry's wish is known. `refused` is a value that it just turned
    /// down.
    pub(crate) fn authorization(&self, location: &Location, refused: Option<&Secret>) -> Result<Option<Secret>, Error> {
        let challenge = locked(&self.challenges).get(&location.to_string()).cloned();
        let Some(challenge) = challenge else { return Ok(None) };
        let credentials = self.credentials(location)?;
        Ok(match (challenge, credentials) {
            (_, Some(Credentials::RegistryToken(token))) => Some(bearer(&token)),
            (Challenge::Basic, Some(Credentials::Password { user, password })) => Some(token::basic(&user, &password)),
            (Challenge::Basic, _) => None,
            (Challenge::Bearer { realm, service, scope }, credentials) => {
                let scopes = scopes(location, scope);
                let wanted = Wanted { service: service.as_deref(), scopes: &scopes, credentials: credentials.as_ref() };
                Some(self.token(location, &realm, &wanted, refused)?)
            }
        })
    }

    fn token(
        &self,
        location: &Location,
        realm: &str,
        wanted: &Wanted<'_>,
        refused: Option<&Secret>,
    ) -> Result<Secret, Error> {
        let key = format!("{location} {realm} {:?}", location.access);
        let place = locked(&self.tokens).entry(key).or_default().clone();
        let mut kept = locked(&place);
        let now = self.config.clock.now();
        if let Some(token) = kept.as_ref().filter(|token| now < token.stale) {
            let value = bearer(&token.secret);
            if Some(&value) != refused {
                return Ok(value);
            }
        }
        let token = self.fetch_token(location, realm, wanted)?;
        let value = bearer(&token.secret);
        *kept = Some(token);
        Ok(value)
    }

    fn fetch_token(&self, location: &Location, realm: &str, wanted: &Wanted<'_>) -> Result<Token, Error> {
        let subject = location.to_string();
        let error = |kind| Error::new(Operation::FetchToken, &subject, kind);
        let realm =
            Address::parse(realm).map_err(|reason| error(Kind::Protocol(format!("token service: {reason}"))))?;
        if realm.scheme() == Scheme::Http && location.security() == Security::Verified {
            return Err(error(Kind::Protocol(format!("refused the token service {realm}: it is not https"))));
        }
        let registry = self.address(location, "/v2/")?;
        let mut route = route(location);
        if !realm.same_origin(&registry) {
            route.identity = Identity::Nobody;
            route.reach = self.reach_from(&registry);
        }
        let asked = self.config.clock.now();
        let call = Call::get(Operation::FetchToken, &subject);
        let answer = match wanted.credentials {
            Some(Credentials::IdentityToken(refresh)) => {
                let form = token::refresh_form(wanted, refresh);
                http::follow(self, &route, &realm, &Call { verb: Verb::Post(&form), ..call })?
            }
            Some(Credentials::Password { user, password }) => {
                let proof = token::basic(user, password);
                let address = asking(realm, wanted).with_query("account", user);
                http::follow(self, &route, &address, &Call { authorization: Some(&proof), ..call })?
            }
            Some(Credentials::RegistryToken(_)) | None => http::follow(self, &route, &asking(realm, wanted), &call)?,
        };
        let answer = answer.accepted(&call, location.registry(), wanted.credentials.is_some())?;
        let body = answer.document(&call, token::ANSWER_LIMIT)?;
        Token::parse(&body, asked).map_err(|reason| error(Kind::Protocol(reason)))
    }
}

/// Whether a challenge can be answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convincing {
    Possible,
    Impossible,
}

/// How requests to the location itself travel.
pub(crate) fn route(location: &Location) -> Route<'_> {
    Route {
        registry: location.registry(),
        security: location.security(),
        identity: Identity::Own,
        reach: Reach::ANYWHERE,
    }
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// Our own scope, and the registry's where it knows the repository by another name (a path inside a larger service).
fn scopes(location: &Location, theirs: Option<String>) -> Vec<String> {
    if location.repository().is_empty() {
        return Vec::new();
    }
    let actions = match &location.access {
        Access::Pull => "pull",
        Access::Push { .. } => "pull,push",
    };
    let ours = format!("repository:{}:{actions}", location.repository());
    let pull_only = |scope: &String| {
        *scope != ours && scope.starts_with("repository:") && scope.ends_with(":pull") && !scope.contains(' ')
    };
    let mut scopes = vec![ours.clone()];
    if let Access::Push { from } = &location.access {
        scopes.extend(from.iter().map(|other| format!("repository:{other}:pull")));
    }
    scopes.extend(theirs.filter(pull_only));
    scopes
}

fn asking(mut realm: Address, wanted: &Wanted<'_>) -> Address {
    if let Some(service) = wanted.service {
        realm = realm.with_query("service", service);
    }
    wanted.scopes.iter().fold(realm, |realm, scope| realm.with_query("scope", scope))
}
