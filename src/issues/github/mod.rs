//! The issues of a GitHub repository, kept in step with little traffic.
//!
//! The first time everything is fetched; later only what changed since, once an
//! hour at most, and a whole fetch once a week for what a list of changes does
//! not tell (issues that were moved or deleted). One request never asks for one
//! package.
//!
//! With a token every open issue is fetched. Without one 60 requests an hour
//! are allowed, and a large repository has more pages than that: then issues
//! are asked for by the labels of defects, the most telling label first and the
//! most recent ones of each, as far as the limit reaches.

mod client;
mod error;
mod mirror;
mod pages;
pub(crate) mod token;
pub(crate) mod transport;

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Issue, Secret};

pub(crate) use client::Patience;
pub(crate) use error::FetchError;
pub(crate) use mirror::Coverage;

use client::Client;
use mirror::{Mirror, Place};
use pages::{First, Listed};

/// A mirror that is not older is used as it is.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// After so long everything is fetched again.
const WHOLE_AGAIN: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How far back labelled issues are asked for without a token.
const RECENT: SignedDuration = SignedDuration::from_hours(24 * 548);
/// So many of the allowed requests are left for the person's other tools.
const RESERVE: u32 = 5;
/// The labels of defects in nixpkgs, the most telling first.
const LABELS: [&str; 6] = [
    "0.kind: regression",
    "1.severity: channel blocker",
    "1.severity: blocker",
    "1.severity: security",
    "0.kind: build failure",
    "0.kind: bug",
];

/// Where issues come from and where they are kept.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    /// `OWNER/NAME`.
    pub(crate) repository: String,
    /// The REST interface, for example `https://api.github.com`.
    pub(crate) api_url: String,
    /// The folder for the mirror.
    pub(crate) cache: PathBuf,
    /// Raises the limit.
    pub(crate) token: Option<Secret>,
    /// How long is waited.
    pub(crate) patience: Patience,
}

/// Whether a mirror of the last hour will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// It will.
    WhenOld,
    /// The server is asked in any case.
    Always,
}

/// The issues that are known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Open issues by number.
    pub(crate) issues: Vec<Issue>,
    /// Issues that were closed as done of late, as far as this machine saw them
    /// open or closing: see [`Known::relevant`].
    pub(crate) closed: Vec<Issue>,
    /// When they were last in step with the server.
    pub(crate) as_of: Timestamp,
    /// Which were asked for.
    pub(crate) coverage: Coverage,
    /// Why they are not in step, when they are not.
    pub(crate) problem: Option<FetchError>,
    /// Pages that are missing because of a limit.
    pub(crate) left_out: u32,
    /// Whether a fetch of everything came to its end.
    pub(crate) complete: bool,
}

impl Known {
    /// The issues that concern a package set of a day: every open one, and those
    /// that were closed since, because their fix is newer than the package set.
    /// Without a day only open ones are known to concern it.
    pub(crate) fn relevant(&self, package_set: Option<Date>) -> Vec<Issue> {
        let is_newer = |issue: &&Issue| {
            let closed = issue.closed_at.map(|at| at.to_zoned(TimeZone::UTC).date());
            closed.zip(package_set).is_some_and(|(closed, package_set)| closed > package_set)
        };
        self.issues.iter().chain(self.closed.iter().filter(is_newer)).cloned().collect()
    }
}

impl Tracker {
    /// The page of an issue for people.
    pub(crate) fn issue_url(&self, number: u64) -> String {
        let site = match self.api_url.as_str() {
            "https://api.github.com" => "https://github.com",
            api => api.trim_end_matches('/').trim_end_matches("/api/v3"),
        };
        format!("{site}/{}/issues/{number}", self.repository)
    }

    /// The issues, brought in step as far as possible: with a mirror, however
    /// old, a failure is said in [`Known::problem`]; without one it is an error.
    pub(crate) async fn known(&self, refresh: Refresh) -> Result<Known, FetchError> {
        let begun = Timestamp::now();
        let place = Place::new(&self.cache, &self.api_url, &self.repository);
        if let Some(mirror) =
            place.read().filter(|mirror| self.is_fresh(mirror, begun) && refresh == Refresh::WhenOld)
        {
            return Ok(known(mirror, 0, None));
        }
        let _lock = place.lock().await;
        // Another process may have done the work while this one waited.
        let old = place.read();
        match old {
            Some(mirror)
                if mirror.synced_at >= begun
                    || (refresh == Refresh::WhenOld && self.is_fresh(&mirror, begun)) =>
            {
                Ok(known(mirror, 0, None))
            }
            old => self.bring_in_step(&place, old).await,
        }
    }

    fn is_fresh(&self, mirror: &Mirror, now: Timestamp) -> bool {
        let age = now.duration_since(mirror.synced_at);
        // A clock that was set back makes a mirror of the future.
        mirror.complete && age < FRESH && age > -FRESH && self.covers(mirror)
    }

    fn covers(&self, mirror: &Mirror) -> bool {
        self.token.is_none() || mirror.coverage == Coverage::All
    }

    async fn bring_in_step(&self, place: &Place, old: Option<Mirror>) -> Result<Known, FetchError> {
        let now = Timestamp::now();
        let client = Client::new(&self.api_url, &self.repository, self.token.as_ref(), self.patience)?;
        let is_usable = |mirror: &Mirror| {
            mirror.complete
                && mirror.watermark.is_some()
                && now.duration_since(mirror.whole_at) < WHOLE_AGAIN
                && self.covers(mirror)
        };
        if let Some(mirror) = old.clone().filter(is_usable) {
            let changed = changes(&client, mirror).await;
            return Ok(self.changed(place, now, changed));
        }
        let coverage = if self.token.is_some() { Coverage::All } else { Coverage::Labelled };
        let mut mirror = Mirror::new(&self.api_url, &self.repository, coverage, now);
        // A list of open issues does not tell what was closed.
        mirror.closed = old.as_ref().map(|old| old.closed.clone()).unwrap_or_default();
        let listed = match coverage {
            Coverage::All => everything(&client, &mut mirror).await,
            Coverage::Labelled => labelled(&client, &mut mirror, now).await,
        };
        match (listed, old.filter(|old| old.complete)) {
            // A whole mirror of last week tells more than half of a new one.
            (Ok(Listed { failed: Some(problem), .. }) | Err(problem), Some(old)) => {
                Ok(known(old, 0, Some(problem)))
            }
            (Ok(listed), _) => {
                mirror.complete = listed.failed.is_none();
                write(place, &mirror);
                Ok(known(mirror, listed.left_out, listed.failed))
            }
            (Err(problem), None) => Err(problem),
        }
    }

    /// Keeps what the list of changes said; its time only when all of it came.
    fn changed(
        &self,
        place: &Place,
        now: Timestamp,
        (mut mirror, problem): (Mirror, Option<FetchError>),
    ) -> Known {
        if problem.is_none() {
            mirror.synced_at = now;
        }
        write(place, &mirror);
        known(mirror, 0, problem)
    }
}

/// Keeps a mirror; a cache that cannot be written only costs time.
fn write(place: &Place, mirror: &Mirror) {
    if let Err(error) = place.write(mirror) {
        tracing::debug!(%error, "the mirror cannot be written");
    }
}

fn known(mirror: Mirror, left_out: u32, problem: Option<FetchError>) -> Known {
    Known {
        as_of: mirror.synced_at,
        coverage: mirror.coverage,
        complete: mirror.complete,
        issues: mirror.issues.into_values().collect(),
        closed: mirror.closed.into_values().collect(),
        problem,
        left_out,
    }
}

fn list(client: &Client, query: &str) -> String {
    format!("/repos/{}/issues?{query}", client.repository)
}

/// Every open issue, the oldest first: what is opened meanwhile comes last.
async fn everything(client: &Client, mirror: &mut Mirror) -> Result<Listed, FetchError> {
    let path = list(client, "state=open&sort=created&direction=asc");
    let Some(first) = pages::first(client, path, None).await? else { return Ok(Listed::default()) };
    let mut listed = pages::rest(client, first, u32::MAX).await;
    mirror.take(std::mem::take(&mut listed.issues));
    Ok(listed)
}

/// The recent issues of each label, as many as the limit allows.
async fn labelled(client: &Client, mirror: &mut Mirror, now: Timestamp) -> Result<Listed, FetchError> {
    let since = now.checked_sub(RECENT).unwrap_or(Timestamp::UNIX_EPOCH);
    let asked = LABELS.map(|label| {
        let query =
            format!("state=open&sort=updated&direction=desc&since={}&labels={}", written(since), escape(label));
        pages::first(client, list(client, &query), None)
    });
    let firsts: Vec<First> =
        join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let mut allowed =
        firsts.iter().filter_map(First::remaining).min().map_or(u32::MAX, |left| left.saturating_sub(RESERVE));
    let mut whole = Listed::default();
    for first in firsts {
        let share = first.following().min(allowed);
        allowed -= share;
        let mut listed = pages::rest(client, first, share).await;
        mirror.take(std::mem::take(&mut listed.issues));
        whole.left_out += listed.left_out;
        whole.failed = whole.failed.or(listed.failed);
    }
    Ok(whole)
}

/// What changed since the mirror was last in step, and why some of it is
/// missing. The same question is asked with the same words while nothing
/// changes, so that an entity tag can answer.
async fn changes(client: &Client, mut mirror: Mirror) -> (Mirror, Option<FetchError>) {
    let since = mirror.watermark.unwrap_or(Timestamp::UNIX_EPOCH);
    let labels: Vec<String> = match mirror.coverage {
        Coverage::All => vec![String::new()],
        Coverage::Labelled => LABELS.iter().map(|label| format!("&labels={}", escape(label))).collect(),
    };
    let asked = labels.iter().map(|labels| {
        let query = format!("state=all&sort=updated&direction=asc&since={}{labels}", written(since));
        change_list(client, list(client, &query), &mirror.etags)
    });
    let answers = join_all(asked).await;
    let mut etags = BTreeMap::new();
    let mut problem = None;
    for (path, answer) in answers {
        match answer {
            Ok(Some(listed)) => {
                mirror.take(listed.issues);
                etags.extend(listed.etag.map(|etag| (path, etag)));
                problem = problem.or(listed.failed);
            }
            Ok(None) => etags.extend(mirror.etags.remove_entry(&path)),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    if problem.is_some() {
        // What did not arrive is asked for again.
        mirror.watermark = Some(since);
    } else {
        mirror.etags = etags;
    }
    (mirror, problem)
}

/// One list of changes with the question that was asked; none when nothing
/// changed.
async fn change_list(
    client: &Client,
    path: String,
    etags: &BTreeMap<String, String>,
) -> (String, Result<Option<Listed>, FetchError>) {
    let answer = match pages::first(client, path.clone(), etags.get(&path).map(String::as_str)).await {
        Ok(Some(first)) => Ok(Some(pages::rest(client, first, u32::MAX).await)),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    (path, answer)
}

/// A time as GitHub reads it, in whole seconds.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A label in a query.
fn escape(label: &str) -> String {
    label.replace(' ', "%20").replace(':', "%3A")
}

#[cfg(test)]
mod tests;
