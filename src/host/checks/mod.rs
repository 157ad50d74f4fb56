//! Health checks of a host, a kind a file: how one attempt is made, and how
//! attempts are repeated.
//!
//! A new kind is a variant of `CheckKind`, one file here and one line in
//! [`attempt`].

mod command;
mod http;
mod tcp;

use std::time::Instant;

use super::link::Link;
use super::session::Session;
use crate::model::text::duration;
use crate::model::{Check, CheckKind};

/// A check that did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckFailure {
    /// The check's name.
    pub(crate) name: String,
    /// What was asked and what came back, of the last attempt.
    pub(crate) why: String,
}

async fn attempt(check: &Check, link: &Link, session: &Session) -> Result<(), String> {
    match &check.kind {
        CheckKind::Http { url, expect_status } => http::attempt(url, *expect_status, check.timeout).await,
        CheckKind::Tcp { address } => tcp::attempt(address).await,
        CheckKind::Command { argv } => command::attempt(argv, link, session, check.timeout).await,
    }
}

/// Runs a check: the first attempt at once, then up to `retries` more with
/// `grace` between them. Each attempt has the check's timeout.
pub(crate) async fn run(check: &Check, link: &Link, session: &Session) -> Result<(), CheckFailure> {
    let begun = Instant::now();
    let mut left = check.retries;
    loop {
        let why = match tokio::time::timeout(check.timeout, attempt(check, link, session)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {}", duration(check.timeout)),
        };
        if left == 0 {
            let attempts = crate::model::text::plural(check.retries as usize + 1, "attempt");
            let why = format!("{why} ({attempts} in {})", duration(begun.elapsed()));
            return Err(CheckFailure { name: check.name.clone(), why });
        }
        left -= 1;
        tokio::time::sleep(check.grace).await;
    }
}
