//! All pages of a list of issues: the first says how many there are, the rest
//! are fetched at the same time.
//!
//! So a list takes two round trips in a row, and as many more as the bound on
//! requests at a time makes of the rest. A server that does not count its
//! pages is followed from page to page.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::model::Issue;

use super::client::{Client, Page, Reply};
use super::error::FetchError;

/// Requests at a time. GitHub allows a hundred.
pub(super) const AT_A_TIME: usize = 30;
/// The most that the server gives at once.
const PER_PAGE: usize = 100;
/// No tracker is read further; the largest ones have a few hundred pages.
const MOST_PAGES: u32 = 1000;

/// What came of a list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Issues without pull requests; closed ones too where they were asked for.
    pub(super) issues: Vec<Issue>,
    /// The entity tag of the first page.
    pub(super) etag: Option<String>,
    /// Pages that were left out because only so many requests are allowed.
    pub(super) left_out: u32,
    /// Why pages are missing.
    pub(super) failed: Option<FetchError>,
}

/// A first page that has arrived.
pub(super) struct First {
    path: String,
    page: Page,
    issues: Vec<Issue>,
}

impl First {
    /// How many pages follow, as far as the server counts them.
    pub(super) fn following(&self) -> u32 {
        self.page.last.map_or(u32::from(self.page.next.is_some()), |last| last.saturating_sub(1))
    }

    /// As if the server did not count its pages.
    #[cfg(test)]
    pub(super) fn forget_last(&mut self) {
        self.page.last = None;
    }

    /// How many requests are left.
    pub(super) fn remaining(&self) -> Option<u32> {
        self.page.remaining
    }
}

/// An issue as the REST interface gives it; a pull request is one as well.
#[derive(Deserialize)]
struct RawIssue {
    number: u64,
    #[serde(default)]
    title: String,
    state: String,
    #[serde(default)]
    labels: Vec<RawLabel>,
    updated_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    state_reason: Option<String>,
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawLabel {
    #[serde(default)]
    name: String,
}

/// Asks for the first page; none when nothing changed.
pub(super) async fn first(
    client: &Client,
    path: String,
    etag: Option<&str>,
) -> Result<Option<First>, FetchError> {
    let path = format!("{path}&per_page={PER_PAGE}");
    let answer = ask(client, &path, etag).await?;
    Ok(answer.map(|(page, issues)| First { path, page, issues }))
}

/// Asks for a page and reads it; an answer that was cut or garbled on its way
/// is asked for once more.
async fn ask(
    client: &Client,
    path: &str,
    etag: Option<&str>,
) -> Result<Option<(Page, Vec<Issue>)>, FetchError> {
    let mut tries = 2;
    loop {
        tries -= 1;
        let Reply::Page(page) = client.ask(path, etag).await? else { return Ok(None) };
        match read(client, &page.body) {
            Err(_) if tries > 0 => {}
            result => return result.map(|issues| Some((page, issues))),
        }
    }
}

/// Fetches the pages behind the first one, at most `allowed` of them. Pages
/// that have arrived are kept when others fail.
pub(super) async fn rest(client: &Client, first: First, allowed: u32) -> Listed {
    let following = first.following();
    let mut listed = Listed {
        issues: first.issues,
        etag: first.page.etag,
        left_out: following.saturating_sub(allowed),
        ..Listed::default()
    };
    match first.page.last {
        Some(last) => counted(client, &first.path, last.min(allowed.saturating_add(1)), &mut listed).await,
        None => followed(client, first.page.next, allowed, &mut listed).await,
    }
    listed
}

/// Pages with numbers, all at the same time.
async fn counted(client: &Client, path: &str, last: u32, listed: &mut Listed) {
    let permits = Arc::new(Semaphore::new(AT_A_TIME));
    let mut tasks = JoinSet::new();
    for number in 2..=last.min(MOST_PAGES) {
        let (client, permits) = (client.clone(), permits.clone());
        let path = format!("{path}&page={number}");
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            Ok(ask(&client, &path, None).await?.map(|(_, issues)| issues).unwrap_or_default())
        });
    }
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(Ok::<Vec<Issue>, FetchError>(issues)) => listed.issues.extend(issues),
            Ok(Err(error)) => {
                // What failed for one page after all tries fails for the others.
                listed.failed.get_or_insert(error);
                tasks.abort_all();
            }
            // Aborted above.
            Err(_) => {}
        }
    }
}

/// Pages that only know the next one.
async fn followed(client: &Client, mut next: Option<String>, allowed: u32, listed: &mut Listed) {
    let mut count = 0;
    while let Some(path) = next.take().filter(|_| count < allowed.min(MOST_PAGES)) {
        count += 1;
        let (page, issues) = match ask(client, &path, None).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return,
            Err(error) => {
                listed.failed = Some(error);
                return;
            }
        };
        listed.issues.extend(issues);
        next = page.next;
    }
}

/// Reads a page and drops pull requests.
fn read(client: &Client, body: &[u8]) -> Result<Vec<Issue>, FetchError> {
    let raw: Vec<RawIssue> =
        serde_json::from_slice(body).map_err(|error| client.malformed(error.to_string()))?;
    let issues = raw.into_iter().filter(|raw| raw.pull_request.is_none()).map(|raw| Issue {
        number: raw.number,
        title: raw.title,
        labels: raw.labels.into_iter().map(|label| label.name).collect(),
        open: raw.state == "open",
        updated_at: raw.updated_at,
        // Closed without a fix is no fix.
        closed_at: raw
            .closed_at
            .filter(|_| !matches!(raw.state_reason.as_deref(), Some("not_planned" | "duplicate"))),
    });
    Ok(issues.collect())
}
