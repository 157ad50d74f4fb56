//! Findings of a check, in the formats that people and machines read.
//!
//! Owns the wording and the shape of each format: one file, and one line in
//! [`FORMATS`]. What is found, what counts and where it goes is decided
//! elsewhere. A format gives the whole text at once.
//!
//! Invariants: findings come worst first where order is the format's own, else
//! by file and place; a finding that is suppressed never looks like one that
//! counts; foreign text is escaped the way the format wants it, and reaches a
//! terminal only without control characters.

mod excerpt;
mod github;
mod human;
mod json;
mod junit;
mod lines;
mod plain;
mod sarif;

pub(super) use github::{annotation, data, property};
pub(super) use lines::{Told, rows};

use super::Output;
use super::layout::Page;
use serde::Serialize;

use crate::model::text::plural;
use crate::model::{Finding, HostName, Place, Severity};

/// A rule as formats that carry a list of rules describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleText {
    /// The rule's id.
    pub(crate) id: String,
    /// What it finds, one sentence.
    pub(crate) what: String,
    /// Why that matters.
    pub(crate) why: String,
    /// How much it matters unless settings say otherwise; `None` when it is off.
    pub(crate) severity: Option<Severity>,
}

/// How well a service of a built system is walled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Hardening {
    /// The host it is on.
    pub(crate) host: HostName,
    /// The service.
    pub(crate) unit: String,
    /// From 0, open, to 100.
    pub(crate) points: u32,
    /// Directives it lacks, the weightiest first.
    pub(crate) missing: Vec<&'static str>,
}

/// What a check found.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    /// Every finding, suppressed ones too, sorted by file and place.
    pub(crate) findings: &'a [Finding],
    /// How many files were judged.
    pub(crate) files: usize,
    /// Every rule there is.
    pub(crate) rules: &'a [RuleText],
    /// Scores of services, when a built system was judged; for people and JSON.
    pub(crate) hardening: &'a [Hardening],
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Findings that block.
    pub(crate) critical: usize,
    /// Findings that deserve a look.
    pub(crate) warning: usize,
    /// Findings worth knowing.
    pub(crate) information: usize,
    /// Findings that do not count.
    pub(crate) suppressed: usize,
}

impl Counts {
    /// Counts findings.
    pub(crate) fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            let count = match finding.severity {
                _ if finding.suppressed.is_some() => &mut counts.suppressed,
                Severity::Critical => &mut counts.critical,
                Severity::Warning => &mut counts.warning,
                Severity::Information => &mut counts.information,
            };
            *count += 1;
        }
        counts
    }

    /// `1 critical finding, 2 warnings`, or `no findings`.
    pub(crate) fn in_words(self) -> String {
        let mut parts = Vec::new();
        if self.critical > 0 {
            parts.push(plural(self.critical, "critical finding"));
        }
        if self.warning > 0 {
            parts.push(plural(self.warning, "warning"));
        }
        if self.information > 0 {
            parts.push(format!("{} for information", self.information));
        }
        if parts.is_empty() {
            parts.push("no findings".to_owned());
        }
        if self.suppressed > 0 {
            parts.push(format!("{} suppressed", self.suppressed));
        }
        parts.join(", ")
    }
}

/// One way of writing findings.
pub(crate) trait Format: Sync {
    /// Its name, as `--format` spells it.
    fn name(&self) -> &'static str;
    /// The whole text; empty when there is nothing to say.
    fn text(&self, found: &Found<'_>, page: Page) -> String;
}

/// Every format there is.
static FORMATS: [&dyn Format; 6] =
    [&human::Human, &plain::Plain, &json::Json, &sarif::Sarif, &github::Github, &junit::Junit];

/// The findings in a format; `None` when no format has this name. Only what
/// `output` says of colour and signs counts here.
pub(crate) fn write(format: &str, found: &Found<'_>, output: Output) -> Option<String> {
    let format = FORMATS.iter().find(|known| known.name() == format)?;
    Some(format.text(found, output.data().1))
}

/// Those that count, the worst first, then by file and place.
fn worst_first<'a>(found: &Found<'a>) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = counting(found).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Those that count, in their order.
fn counting<'a>(found: &Found<'a>) -> impl Iterator<Item = &'a Finding> + use<'a> {
    found.findings.iter().filter(|finding| finding.suppressed.is_none())
}

/// `hosts/p620.nix:12:3`; the host for what was seen on a built system.
pub(super) fn place_text(finding: &Finding) -> String {
    match (&finding.place, &finding.host) {
        (Some(Place { file, line, column, .. }), _) => format!("{}:{line}:{column}", file.display()),
        (None, Some(host)) => host.to_string(),
        (None, None) => "the built system".to_owned(),
    }
}

/// The message, with what it is about where the message does not say it.
pub(super) fn message(finding: &Finding) -> String {
    if finding.subject.is_empty() || finding.message.contains(&finding.subject) {
        return finding.message.clone();
    }
    format!("{}: {}", finding.subject, finding.message)
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::samples;
    use super::*;
    use crate::report::styles::Styles;

    /// Every format's text of the same findings.
    fn all(found: &Found<'_>) -> Vec<(&'static str, String)> {
        let page = Page::new(Styles::UNICODE, None);
        FORMATS.iter().map(|format| (format.name(), format.text(found, page))).collect()
    }

    #[test]
    fn every_format_names_file_line_rule_and_message() {
        let findings = samples::findings();
        for (format, text) in all(&samples::found(&findings)) {
            for part in ["hosts/p620.nix", "12", "firewall-off", "the firewall is off"] {
                assert!(text.contains(part), "{format} lacks {part}: {text}");
            }
        }
    }

    #[test]
    fn what_is_suppressed_counts_in_no_format_and_is_only_in_those_that_can_say_so() {
        let findings = vec![samples::suppressed()];
        for (format, text) in all(&samples::found(&findings)) {
            let shown = text.contains("user-password");
            match format {
                "json" | "sarif" => assert!(shown && text.contains("an installer image"), "{format}: {text}"),
                _ => assert!(!shown, "{format}: {text}"),
            }
        }
    }

    #[test]
    fn foreign_text_drives_no_terminal_and_breaks_no_format() {
        let mut finding = samples::findings().remove(0);
        let nasty = "x\u{1b}[2J\u{7}\u{202e}\n::error::y]]></failure>&\"%0A,:";
        (finding.subject, finding.message) = (nasty.to_owned(), nasty.to_owned());
        (finding.mend, finding.source_line) = (nasty.to_owned(), nasty.to_owned());
        if let Some(place) = &mut finding.place {
            place.file = nasty.into();
        }
        let findings = vec![finding];
        for (format, text) in all(&samples::found(&findings)) {
            assert!(!text.contains(['\u{1b}', '\u{7}']), "{format}: {text:?}");
            match format {
                "json" => {
                    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()))
                }
                "github" => assert_eq!(text.lines().count(), 1, "{text}"),
                "junit" => assert!(!text.contains("]]></failure>&"), "{text}"),
                "plain" => assert_eq!(text.lines().count(), 1, "{text}"),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_found_is_an_empty_answer_that_machines_still_can_read() {
        for (format, text) in all(&samples::found(&[])) {
            match format {
                "human" | "plain" | "github" => assert_eq!(text, "", "{format}"),
                "json" => assert_eq!(text.lines().count(), 1),
                "sarif" => assert!(text.contains("\"results\": []"), "{text}"),
                _ => assert!(text.contains("<testsuite "), "{text}"),
            }
        }
    }

    #[test]
    fn counts_are_said_in_words() {
        let mut findings = samples::findings();
        assert_eq!(
            Counts::of(&findings).in_words(),
            "1 critical finding, 2 warnings, 1 for information, 1 suppressed"
        );
        findings.clear();
        assert_eq!(Counts::of(&findings).in_words(), "no findings");
    }
}
