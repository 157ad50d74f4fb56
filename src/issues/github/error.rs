//! Why issues could not be fetched.

use jiff::Timestamp;

/// A failure of the tracker, in the words of the report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// There is no way to it, or it hung up.
    #[error("{api} cannot be reached: {detail}")]
    Offline {
        /// The address that was tried.
        api: String,
        /// What the system said.
        detail: String,
    },
    /// It did not answer in time.
    #[error("{api} did not answer in time")]
    Slow {
        /// The address that was tried.
        api: String,
    },
    /// No more requests are allowed for now.
    #[error("the rate limit of {api} is reached{}", until.map_or_else(String::new, |until| format!(" until {}", clock(until))))]
    RateLimited {
        /// The address that was tried.
        api: String,
        /// When it ends, as far as the answer says.
        until: Option<Timestamp>,
        /// Whether a token was sent.
        with_token: bool,
    },
    /// The token was refused.
    #[error("{api} refuses the token")]
    Unauthorized {
        /// The address that was tried.
        api: String,
    },
    /// The repository is not there, or the token may not see it.
    #[error("{api} has no repository {repository}")]
    NotFound {
        /// The address that was tried.
        api: String,
        /// The repository.
        repository: String,
    },
    /// Another answer than the documented ones.
    #[error("{api} answered {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Status {
        /// The address that was tried.
        api: String,
        /// The status code.
        status: u16,
        /// What the answer says, cut and cleaned.
        message: String,
    },
    /// The answer is no list of issues.
    #[error("{api} gave an answer that cannot be read: {detail}")]
    Malformed {
        /// The address that was tried.
        api: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The client could not be made.
    #[error("no connection to {api} can be prepared: {detail}")]
    Client {
        /// The address that was tried.
        api: String,
        /// Why.
        detail: String,
    },
}

impl FetchError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Offline { .. } | Self::Slow { .. } => {
                Some("is this machine online? later runs bring the issues up to date")
            }
            Self::RateLimited { with_token: false, .. } => Some(
                "a token raises the limit from 60 to 5,000 requests an hour: set GITHUB_TOKEN, or `gh auth login`",
            ),
            Self::Unauthorized { .. } => Some("renew GITHUB_TOKEN, or unset it: the check works without one"),
            Self::NotFound { .. } => Some("correct `repository` and `api_url` in [issues] of hosts.toml"),
            Self::Client { .. } => Some("are the certificates of the system installed?"),
            Self::RateLimited { .. } | Self::Status { .. } | Self::Malformed { .. } => None,
        }
    }

    /// Whether trying again soon may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Offline { .. } | Self::Slow { .. } | Self::Malformed { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

/// Hours and minutes, UTC.
fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M UTC").to_string()
}
