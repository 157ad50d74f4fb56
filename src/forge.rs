//! Pull requests on GitHub, through octocrab.
//!
//! Owns the three questions that are needed: which branch is the default one,
//! whether a pull request is open for a branch, and opening one. Nothing is asked
//! twice and nothing is retried: whoever runs the program sees at once what came
//! of it.

use std::time::Duration;

use octocrab::Octocrab;
use serde_json::{Value, json};

use crate::issues::github::transport::Transport;
use crate::model::Secret;
use crate::model::text::clean_line;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// GitHub's limit for a body, in characters.
const LONGEST_BODY: usize = 65_536;

/// Why there is no pull request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgeError {
    /// The connection cannot be prepared.
    #[error("{api:?} cannot be asked: {why}")]
    Client {
        /// The address.
        api: String,
        /// Why.
        why: String,
    },
    /// No answer came.
    #[error("{api} did not answer within 30 s")]
    Slow {
        /// The address.
        api: String,
    },
    /// GitHub refused, or could not be reached.
    #[error("{api} did not {doing}: {why}")]
    Refused {
        /// The address.
        api: String,
        /// What was asked for.
        doing: &'static str,
        /// What it said.
        why: String,
    },
}

/// A repository on GitHub.
pub(crate) struct Forge {
    octocrab: Octocrab,
    api: String,
    /// `owner/name`.
    repository: String,
}

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    pub(crate) title: String,
    /// The branch with the changes.
    pub(crate) head: String,
    /// The branch that gets them.
    pub(crate) base: String,
    pub(crate) body: String,
}

/// A pull request that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) number: u64,
    pub(crate) url: String,
    /// Whether it was open before.
    pub(crate) is_old: bool,
}

impl Forge {
    /// Prepares a connection; nothing is sent yet. Needs a runtime.
    pub(crate) fn new(api: &str, repository: &str, token: &Secret) -> Result<Self, ForgeError> {
        let transport = Transport::plain(api, token)
            .map_err(|error| ForgeError::Client { api: api.to_owned(), why: error.to_string() })?;
        Ok(Self { octocrab: transport.octocrab(), api: api.to_owned(), repository: repository.to_owned() })
    }

    /// The default branch.
    pub(crate) async fn default_branch(&self) -> Result<String, ForgeError> {
        let route = format!("/repos/{}", self.repository);
        let answer = self.get("say its default branch", &route).await?;
        Ok(answer["default_branch"].as_str().unwrap_or("main").to_owned())
    }

    /// The pull request that is open for a branch, else a new one.
    pub(crate) async fn open(&self, wanted: &PullRequest) -> Result<Opened, ForgeError> {
        let owner = self.repository.split('/').next().unwrap_or_default();
        let route = format!("/repos/{}/pulls", self.repository);
        let asked = format!("{route}?state=open&head={}", query(&format!("{owner}:{}", wanted.head)));
        let open = self.get("list pull requests", &asked).await?;
        if let Some(old) = open.as_array().and_then(|list| list.first()) {
            return Ok(opened(old, true));
        }
        let body = json!({
            "title": clean_line(&wanted.title),
            "head": wanted.head,
            "base": wanted.base,
            "body": shortened(&wanted.body),
        });
        let request = self.octocrab.post::<Value, Value>(route, Some(&body));
        Ok(opened(&self.within("open a pull request", request).await?, false))
    }

    async fn get(&self, doing: &'static str, route: &str) -> Result<Value, ForgeError> {
        self.within(doing, self.octocrab.get::<Value, _, ()>(route, None)).await
    }

    async fn within(
        &self,
        doing: &'static str,
        request: impl Future<Output = octocrab::Result<Value>>,
    ) -> Result<Value, ForgeError> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(ForgeError::Refused { api: self.api.clone(), doing, why: words(&error) }),
            Err(_) => Err(ForgeError::Slow { api: self.api.clone() }),
        }
    }
}

fn opened(answer: &Value, is_old: bool) -> Opened {
    Opened {
        number: answer["number"].as_u64().unwrap_or_default(),
        url: clean_line(answer["html_url"].as_str().unwrap_or_default()),
        is_old,
    }
}

/// As much of a text as GitHub takes.
fn shortened(text: &str) -> String {
    const NOTE: &str = "\n\n(shortened)";
    match text.chars().count() {
        count if count > LONGEST_BODY => {
            text.chars().take(LONGEST_BODY - NOTE.len()).collect::<String>() + NOTE
        }
        _ => text.to_owned(),
    }
}

/// A value of a query (RFC 3986, unreserved characters stay).
fn query(text: &str) -> String {
    let mut query = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => query.push(char::from(byte)),
            other => query.push_str(&format!("%{other:02X}")),
        }
    }
    query
}

/// What GitHub or the network said. octocrab prints a backtrace behind the first line.
fn words(error: &octocrab::Error) -> String {
    if let octocrab::Error::GitHub { source, .. } = error {
        let more: Vec<String> = source
            .errors
            .iter()
            .flatten()
            .filter_map(|error| error.get("message")?.as_str().map(str::to_owned))
            .collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        return clean_line(&format!("{}, {}{more}", source.status_code, source.message));
    }
    let mut said = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let line = clean_line(error.to_string().lines().next().unwrap_or_default());
        if !line.is_empty() && !said.contains(&line) {
            said = if said.is_empty() { line } else { format!("{said}: {line}") };
        }
        cause = error.source();
    }
    said
}

/// `owner/name` of a URL of git.
pub(crate) fn repository_of(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        // git@github.com:owner/name
        None => url.split_once(':')?.1,
    };
    let path = path.trim_matches('/').trim_end_matches(".git");
    let mut parts = path.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let is_name = |text: &str| {
        !text.is_empty()
            && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.'))
    };
    (parts.next().is_none() && is_name(owner) && is_name(name)).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_read_from_every_kind_of_url() {
        for url in [
            "https://github.com/ada/infra.git",
            "https://github.com/ada/infra",
            "git@github.com:ada/infra.git",
            "ssh://git@github.com:22/ada/infra.git",
        ] {
            assert_eq!(repository_of(url).as_deref(), Some("ada/infra"), "{url}");
        }
        for url in ["/srv/git/infra.git", "https://github.com/ada", "git@host:a/b/c", "https://x/a b/c"] {
            assert_eq!(repository_of(url), None, "{url}");
        }
    }

    #[test]
    fn a_body_is_never_longer_than_github_takes() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ä".repeat(LONGEST_BODY + 1));
        assert_eq!(long.chars().count(), LONGEST_BODY);
        assert!(long.ends_with("(shortened)"));
        assert_eq!(query("ada:feat/x y"), "ada%3Afeat%2Fx%20y");
    }
}
