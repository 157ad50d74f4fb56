//! End-to-end tests of the program: what it prints and which code it returns.
//!
//! Every test has folders of its own and a cleared environment; outside
//! programs are scripts on its own PATH.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod bad_settings;
mod check;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../support/github.rs"]
mod github;
mod help;
mod init;
mod issues;
mod missing;
mod plan;
mod program;
mod publish;
mod resume;
mod templates;
mod update;
