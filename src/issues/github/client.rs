//! One question to the tracker and its answer, through octocrab.
//!
//! Waiting and trying again are decided here and nowhere else: what GitHub asks
//! for with `Retry-After` and `x-ratelimit-*` is obeyed, briefly by waiting,
//! otherwise by giving up. octocrab's own retries are not compiled in.
//! A `304 Not Modified` costs nothing of the limit when a token is sent.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use http::header::{
    CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LINK, RETRY_AFTER,
};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use octocrab::Octocrab;

use crate::model::Secret;
use crate::model::text::clean_line;

use super::error::FetchError;
use super::transport::Transport;

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// A hundred issues with the longest bodies that GitHub allows are smaller.
const LARGEST_BODY: u64 = 48 << 20;
/// So much of an error's text is shown.
const SHOWN_TEXT: usize = 200;

/// How long is waited, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The longest wait that the server may ask for.
    pub(crate) longest_wait: Duration,
    /// For one answer, body included.
    pub(crate) answer: Duration,
    /// Before the second try; doubled with each further one.
    pub(crate) backoff: Duration,
    /// How often a question is asked.
    pub(crate) attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            longest_wait: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            backoff: Duration::from_millis(300),
            attempts: 4,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// What was asked for.
    Page(Page),
    /// Nothing changed since the answer with the given entity tag.
    NotModified,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) body: Vec<u8>,
    pub(super) etag: Option<String>,
    /// The number of the last page, where the server counts them.
    pub(super) last: Option<u32>,
    /// The next page, path and query.
    pub(super) next: Option<String>,
    /// How many requests are left.
    pub(super) remaining: Option<u32>,
}

/// A connection to the tracker. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client {
    octocrab: Octocrab,
    pub(super) api: String,
    pub(super) repository: String,
    pub(super) with_token: bool,
    patience: Patience,
}

/// What one try came to.
enum Attempt {
    Done(Reply),
    Wait(Duration, FetchError),
    Failed(FetchError),
}

impl Client {
    /// Prepares a connection; nothing is sent yet. Needs a runtime.
    pub(super) fn new(
        api: &str,
        repository: &str,
        token: Option<&Secret>,
        patience: Patience,
    ) -> Result<Self, FetchError> {
        let transport = Transport::new(api, token)
            .map_err(|error| FetchError::Client { api: api.to_owned(), detail: root_cause(&error) })?;
        Ok(Self {
            octocrab: transport.octocrab(),
            api: api.to_owned(),
            repository: repository.to_owned(),
            with_token: token.is_some(),
            patience,
        })
    }

    /// Asks for a path with its query. With an entity tag the answer may be
    /// that nothing changed.
    pub(super) async fn ask(&self, path: &str, etag: Option<&str>) -> Result<Reply, FetchError> {
        let mut attempt = 1;
        loop {
            let (wait, error) = match self.attempt(path, etag).await {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Failed(error) if error.is_transient() => {
                    (self.patience.backoff * 2_u32.pow(attempt - 1), error)
                }
                Attempt::Failed(error) => return Err(error),
                Attempt::Wait(wait, error) => (wait, error),
            };
            if attempt >= self.patience.attempts || wait > self.patience.longest_wait {
                return Err(error);
            }
            tracing::debug!(%error, ?wait, path, "asked again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, path: &str, etag: Option<&str>) -> Attempt {
        match tokio::time::timeout(self.patience.answer, self.exchange(path, etag)).await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::Failed(FetchError::Slow { api: self.api.clone() }),
        }
    }

    async fn exchange(&self, path: &str, etag: Option<&str>) -> Attempt {
        let headers = etag.and_then(|etag| HeaderValue::from_str(etag).ok()).map(|etag| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, etag);
            headers
        });
        let offline = |detail: String| Attempt::Failed(FetchError::Offline { api: self.api.clone(), detail });
        let response = match self.octocrab._get_with_headers(path, headers).await {
            Ok(response) => response,
            Err(error) => return offline(root_cause(&error)),
        };
        let (parts, body) = response.into_parts();
        let limit = usize::try_from(LARGEST_BODY).unwrap_or(usize::MAX);
        let bytes = match Limited::new(body, limit).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => return offline(root_cause(&*error)),
        };
        let body = match unpack(&parts.headers, &bytes) {
            Ok(body) => body,
            Err(error) => return Attempt::Failed(self.malformed(error.to_string())),
        };
        match parts.status.as_u16() {
            200 => Attempt::Done(Reply::Page(page(&parts.headers, body))),
            304 => Attempt::Done(Reply::NotModified),
            401 => Attempt::Failed(FetchError::Unauthorized { api: self.api.clone() }),
            404 => Attempt::Failed(FetchError::NotFound {
                api: self.api.clone(),
                repository: self.repository.clone(),
            }),
            403 | 429 => self.limited(&parts.headers, parts.status.as_u16(), &body),
            status => Attempt::Failed(self.status(status, &body)),
        }
    }

    /// A 403 or 429: a limit, unless nothing says so. Without a time a
    /// secondary limit ends after a minute, as GitHub's documentation says.
    fn limited(&self, headers: &HeaderMap, status: u16, body: &[u8]) -> Attempt {
        let number = |name: &HeaderName| header(headers, name)?.trim().parse::<i64>().ok();
        let now = Timestamp::now();
        let reset = || {
            let exhausted = number(&REMAINING) == Some(0);
            number(&RESET).filter(|_| exhausted).map(|reset| (reset - now.as_second()).max(0))
        };
        let says_limit = String::from_utf8_lossy(body).to_lowercase().contains("rate limit");
        let seconds =
            number(&RETRY_AFTER).or_else(reset).or_else(|| (status == 429 || says_limit).then_some(60));
        let Some(seconds) = seconds else { return Attempt::Failed(self.status(status, body)) };
        let wait = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let until = now.checked_add(wait).ok();
        Attempt::Wait(
            wait,
            FetchError::RateLimited { api: self.api.clone(), until, with_token: self.with_token },
        )
    }

    fn status(&self, status: u16, body: &[u8]) -> FetchError {
        let value: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = value.as_ref().and_then(|value| value.get("message")?.as_str()).unwrap_or_default();
        let message = clean_line(message).chars().take(SHOWN_TEXT).collect();
        FetchError::Status { api: self.api.clone(), status, message }
    }

    pub(super) fn malformed(&self, detail: String) -> FetchError {
        FetchError::Malformed {
            api: self.api.clone(),
            detail: clean_line(&detail).chars().take(SHOWN_TEXT).collect(),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn page(headers: &HeaderMap, body: Vec<u8>) -> Page {
    let links = header(headers, &LINK).unwrap_or_default();
    Page {
        body,
        etag: header(headers, &ETAG).map(str::to_owned),
        last: link(links, "last").and_then(|url| page_number(&url)),
        next: link(links, "next").map(|url| path_and_query(&url)),
        remaining: header(headers, &REMAINING).and_then(|number| number.trim().parse().ok()),
    }
}

/// The address with a relation in a `Link` header (RFC 8288).
fn link(header: &str, relation: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.split_once(';')?;
        let wanted = format!("rel=\"{relation}\"");
        let address = address.trim().strip_prefix('<')?.strip_suffix('>')?;
        parameters.split(';').any(|parameter| parameter.trim() == wanted).then(|| address.to_owned())
    })
}

fn page_number(url: &str) -> Option<u32> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("page="))?.parse().ok()
}

/// The part of a URL that is asked for: links lead back to the same server,
/// and a token is never sent to another one.
fn path_and_query(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or_else(|| "/".to_owned(), |slash| rest[slash..].to_owned())
}

fn unpack(headers: &HeaderMap, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    if header(headers, &CONTENT_ENCODING) != Some("gzip") {
        return Ok(bytes.to_vec());
    }
    let mut body = Vec::new();
    GzDecoder::new(bytes).take(LARGEST_BODY).read_to_end(&mut body)?;
    Ok(body)
}

/// What the innermost cause of an error says: the layers above it only say
/// which layer they are.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = first_line(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let line = first_line(&cause.to_string());
        if !line.is_empty() {
            said = line;
        }
        source = cause.source();
    }
    said
}

/// octocrab's errors print a backtrace behind their first line.
fn first_line(text: &str) -> String {
    clean_line(text.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_next_and_the_last_page() {
        let links = "<https://api.github.com/repositories/4542716/issues?state=open&page=2>; rel=\"next\", \
            <https://api.github.com/repositories/4542716/issues?state=open&page=61>; rel=\"last\"";
        assert_eq!(link(links, "last").and_then(|url| page_number(&url)), Some(61));
        assert_eq!(
            link(links, "next").map(|url| path_and_query(&url)).as_deref(),
            Some("/repositories/4542716/issues?state=open&page=2")
        );
        assert_eq!(link(links, "first"), None);
        assert_eq!(link("", "last"), None);
        assert_eq!(page_number("https://x/y?per_page=100&after=abc"), None);
        assert_eq!(path_and_query("https://evil.example"), "/");
    }
}
