//! Who may change a host, when several machines deploy it.
//!
//! The engine only asks; who answers (the fleet database) is the caller's
//! choice. No answer never stops a deploy: the host has a lock of its own.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::model::{Failure, FailureClass, HostName};

/// The answer to asking for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// This run may change it.
    Granted,
    /// Another run holds it.
    Held {
        /// Who and from where, `user@machine`.
        holder: String,
        /// Its run.
        run: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// Nobody answered. The text is a warning, given once per run.
    Unanswered(Option<String>),
}

/// An answer on its way.
pub(crate) type ClaimFuture<'a> = Pin<Box<dyn Future<Output = Claim> + Send + 'a>>;

/// Answers for which host this run may change.
pub(crate) trait HostClaims: Send + Sync {
    /// Waits until the host is this run's: as long as `patience` when another
    /// run holds it, and only briefly for an answer.
    fn claim<'a>(&'a self, host: &'a HostName, patience: Duration) -> ClaimFuture<'a>;
}

/// The failure of a host that another run holds.
pub(super) fn held(host: &HostName, holder: &str, run: &str, since: &str) -> Failure {
    Failure::new(FailureClass::Busy, format!("{host} is being deployed by {holder} since {since} (run {run})"))
        .hint("wait for that deploy to end; `nix-deploy fleet history` shows it")
}
