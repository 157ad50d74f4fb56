//! What a rule is, as data for people: `explain`, `--list-rules`, the README.

use crate::model::Severity;

/// Where a rule is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// On the text alone.
    Source,
    /// On the built system alone; the text never gives a finding.
    Evaluated,
    /// On both; where both speak, the built system is right.
    Both,
}

/// A piece of Nix code that shows a rule.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The code; a whole file.
    pub code: &'static str,
    /// What it shows, for `explain`; empty when the code says it.
    pub note: &'static str,
}

/// Everything a person may want to know of a rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo {
    /// What settings and comments call it.
    pub id: &'static str,
    /// The highest severity it gives when settings say nothing; a finding may
    /// be lower where it is less certain or less exposed.
    pub severity: Severity,
    /// Whether it is on when settings say nothing.
    pub on: bool,
    /// Where it is decided.
    pub layer: Layer,
    /// Whether `--fix` mends it.
    pub fixable: bool,
    /// What it looks for, one line.
    pub summary: &'static str,
    /// Why that matters, and how to mend it; a paragraph.
    pub why: &'static str,
    /// Where the fact stands: an address or a manual's section.
    pub source: &'static str,
    /// Code that it finds.
    pub bad: &'static [Sample],
    /// Code that looks alike and is fine.
    pub good: &'static [Sample],
}
