//! A repository's tags, page by page
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).
//!
//! The next page is only looked for at the same registry, and there is an end to pages and tags.

use crate::http::{Address, Answer, Call, exchange};
use crate::session::Session;
use crate::{Error, Kind, Location, Operation};
use serde::Deserialize;
use spec::Reference;
use ureq::http::header;

/// The largest page, in bytes.
const PAGE_LIMIT: u64 = 4 << 20;
/// The most pages of a list.
const PAGES_LIMIT: usize = 1000;
/// The most tags.
const TAGS_LIMIT: usize = 200_000;

#[derive(Deserialize)]
struct Page {
    /// `null` for a repository without tags.
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// One page and where the next one is.
struct Turned {
    tags: Vec<String>,
    next: Option<String>,
}

/// Lists the tags at one place.
pub(crate) fn list(session: &Session, location: &Location) -> Result<Vec<String>, Error> {
    let subject = location.to_string();
    let call = Call::get(Operation::ListTags, &subject);
    let mut path = format!("/v2/{}/tags/list?n=1000", location.repository());
    let mut found = Vec::new();
    for _ in 0..PAGES_LIMIT {
        let page = session.attempts(|| turn(exchange(session, location, &path, &call)?, &call))?;
        found.extend(page.tags.into_iter().filter(|tag| Reference::parse(&format!("x:{tag}")).is_ok()));
        if found.len() > TAGS_LIMIT {
            return Err(call.error(Kind::Protocol(format!("more than {TAGS_LIMIT} tags"))));
        }
        match page.next {
            Some(next) if next != path => path = next,
            _ => return Ok(found),
        }
    }
    Err(call.error(Kind::Protocol(format!("more than {PAGES_LIMIT} pages of tags"))))
}

fn turn(answer: Answer, call: &Call<'_>) -> Result<Turned, Error> {
    let next = answer.text(&header::LINK).and_then(|link| next_page(&answer.address, link));
    let body = answer.document(call, PAGE_LIMIT)?;
    let page: Page = serde_json::from_slice(&body)
        .map_err(|error| call.error(Kind::Protocol("the list of tags is malformed".to_owned())).because(error))?;
    Ok(Turned { tags: page.tags.unwrap_or_default(), next })
}

/// The path in `Link: <…>; rel="next"`, if it is at the same server.
fn next_page(here: &Address, link: &str) -> Option<String> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    if !parameters.replace([' ', '"'], "").contains("rel=next") {
        return None;
    }
    here.join(target).ok().filter(|next| next.same_origin(here)).map(|next| next.path().to_owned())
}
