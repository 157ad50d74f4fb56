//! Judges Nix source text: syntax, anti-patterns and exposure, before anything
//! is evaluated. Pure: text and paths come in, findings go out; nothing is
//! printed, no process is started, the network is never asked.
//!
//! How a caller uses it:
//!
//! 1. [`collect()`] walks folders and gives [`SourceFile`]s, and findings for
//!    what cannot be read.
//! 2. [`check_files`] judges them in parallel under a [`Policy`]; [`check_text`]
//!    judges one text that is not a file (standard input, a blob of the index).
//! 3. Files in [`Report::suspects`] were called broken by us. The installed Nix
//!    is the judge: ask it in one batch (`nix::parse`), then tell the report
//!    with [`Report::nix_accepts`] or [`Report::nix_rejects`].
//! 4. [`Baseline`] marks what was there at adoption; [`fix_text`] and
//!    [`unified_diff`] mend what can be mended without a change of meaning.
//!
//! Findings carry every suppression that applied; the caller counts those with
//! [`Finding::blocks`](crate::model::Finding::blocks) and shows what it likes.
//!
//! Invariants: the same text and policy give the same findings in the same
//! order; no input makes it panic or run longer than in proportion to its size;
//! secrets are masked before a finding or a difference is made.

pub mod audit;
mod baseline;
mod cache;
mod collect;
mod diff;
mod duplicates;
mod engine;
mod file;
mod fix;
mod found;
mod hash;
mod judge;
mod mask;
mod names;
mod policy;
mod rule;
mod rules;
mod scope;
mod secret_words;
mod settings;
mod suppress;
mod tree;

pub use baseline::{Baseline, BaselineError};
pub use cache::Cache;
pub use collect::{Collected, SourceFile, collect};
pub use diff::unified_diff;
pub use engine::{Report, check_files, check_text};
pub use fix::{Fixed, fix_text};
pub use policy::{Level, Policy, PolicyError};
pub use rule::{Layer, RuleInfo, Sample};
pub use rules::{find_rule, lasting_root_service, nearest_rule, rules};
