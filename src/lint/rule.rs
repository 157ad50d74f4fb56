//! What a rule is, as data for people: `explain`, `--list-rules`, the README.

use crate::model::Severity;

use super::file::File;
use super::found::Found;
use super::tree::{NodeId, Tag};

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

impl Sample {
    /// Code that needs no word.
    pub(crate) const fn new(code: &'static str) -> Self {
        Self { code, note: "" }
    }

    /// Code with what it shows.
    pub(crate) const fn noted(note: &'static str, code: &'static str) -> Self {
        Self { code, note }
    }
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

impl RuleInfo {
    /// A rule with everything but its id, severity and words left at what most
    /// rules have.
    pub(crate) const fn new(id: &'static str, severity: Severity, summary: &'static str) -> Self {
        Self {
            id,
            severity,
            on: true,
            layer: Layer::Source,
            fixable: false,
            summary,
            why: "",
            source: "",
            bad: &[],
            good: &[],
        }
    }
}

/// A rule that looks at source text. A rule is one value of its type in the
/// registry; it keeps nothing between files.
pub(crate) trait Rule: Sync {
    /// Its words for people.
    fn info(&self) -> &'static RuleInfo;

    /// The kinds of nodes that [`Rule::node`] wants to see.
    fn tags(&self) -> &'static [Tag] {
        &[]
    }

    /// Looks at one node of those kinds.
    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let _ = (file, node, found);
    }

    /// Looks at the file as a whole, after its nodes.
    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let _ = (file, found);
    }
}
