//! Judges a configuration, for `nix-deploy check` and for the steps of a
//! deploy: which files, under which settings, with the installed Nix as the
//! judge of what we call broken; and what is known of a built system.
//!
//! What is wrong with a text is `lint`'s business; how findings are shown is
//! `report`'s. Here they meet git, Nix, the store and the host.
//!
//! Invariants: nothing is written but the cache of findings, which only saves
//! time; a finding's file is valid text and relative to the folder that was
//! checked; when Nix cannot be asked our own judgement stands.

mod accepted;
mod baseline;
mod confirm;
mod source;
pub(crate) mod system;
mod unseen;

pub(crate) use baseline::{read as read_baseline, write as write_baseline};
pub(crate) use confirm::{AskNix, NixAnswer};
pub(crate) use source::{Judged, Source, judge};
pub(crate) use unseen::settle as settle_unseen;

use crate::lint::{Level, Policy, PolicyError};
use crate::model::{Finding, Levels, LintSpec};

/// Rules about text that Nix refuses.
const SYNTAX: [&str; 3] = ["syntax-error", "duplicate-attr", "undefined-var"];

/// Whether a finding says that Nix refuses the file.
pub(crate) fn is_syntax(finding: &Finding) -> bool {
    SYNTAX.contains(&finding.rule.as_str())
}

/// What settings say about rules, for everything or for one host.
pub(crate) fn policy(spec: &LintSpec, host: Option<&Levels>, actor: &str) -> Result<Policy, PolicyError> {
    let mut policy = Policy::new();
    for (rule, severity) in spec.levels.iter().chain(host.into_iter().flatten()) {
        policy.set_level(rule, severity.map_or(Level::Off, Level::At))?;
    }
    policy.set_ignored(spec.ignore.iter().map(String::as_str))?;
    for rule in &spec.allow {
        policy.allow(rule, actor)?;
    }
    Ok(policy)
}
