//! Findings in the talk and in the end report of a deploy: one line each.

use std::collections::BTreeSet;

use super::{message, place_text};
use crate::event::Event;
use crate::model::text::plural;
use crate::model::{Finding, HostName, Severity, Suppression};
use crate::report::layout::Line;
use crate::report::styles::Role;

/// Findings of one host named in its report.
const SHOWN: usize = 8;

/// Tells each finding once, also when it holds for many hosts.
#[derive(Debug, Default)]
pub(in crate::report) struct Told(BTreeSet<String>);

impl Told {
    /// The line of a finding that was not told yet; what is only worth knowing
    /// is told to those who ask for more.
    pub(in crate::report) fn line(&mut self, event: &Event, verbosity: u8) -> Option<Line> {
        let Event::Finding { finding, .. } = event else { return None };
        if finding.severity == Severity::Information && verbosity == 0 {
            return None;
        }
        let line = line(finding);
        self.0.insert(format!("{line:?}")).then_some(line)
    }
}

/// `critical: hosts/p620.nix:12:3: the firewall is off [firewall-off]`.
fn line(finding: &Finding) -> Line {
    let role = match finding.severity {
        _ if finding.suppressed.is_some() => Role::Dim,
        Severity::Critical => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Information => Role::Plain,
    };
    let mut line = Line::new().with(role, &format!("{}: ", finding.severity.as_str()));
    line.push(Role::Path, &place_text(finding));
    line.push(Role::Plain, &format!(": {} ", message(finding)));
    line.push(Role::Dim, &format!("[{}]", finding.rule));
    if let Some(Suppression::Flag { actor }) = &finding.suppressed {
        line.push(Role::Plain, &format!(" allowed by {actor}"));
    }
    line
}

/// What a host's report says of its findings: those that deserve a look, the
/// worst first, without those that the failure names; `earlier` are hosts whose findings were told before.
pub(in crate::report) fn rows(findings: &[Finding], earlier: Option<&HostName>) -> Vec<Line> {
    let mut shown: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Information && !finding.blocks())
        .collect();
    shown.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.suppressed.is_some()));
    if let Some(host) = earlier.filter(|_| !shown.is_empty()) {
        return vec![Line::plain(&format!("{}, the same as on {host}", plural(shown.len(), "finding")))];
    }
    let mut lines: Vec<Line> = shown.iter().take(SHOWN).map(|finding| line(finding)).collect();
    if shown.len() > SHOWN {
        let more = format!("{} more: nix-deploy check shows them", shown.len() - SHOWN);
        lines.push(Line::new().with(Role::Dim, &more));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::layout::Page;
    use crate::report::styles::Styles;

    fn text(lines: &[Line]) -> String {
        Page::new(Styles::UNICODE, None).render_all(lines)
    }

    #[test]
    fn a_finding_of_many_hosts_is_told_once_and_what_is_worth_knowing_only_when_asked() {
        let (mut told, mut verbose) = (Told::default(), Told::default());
        let mut count = (0, 0);
        for name in ["p620", "p510"] {
            for finding in samples::findings() {
                let event = Event::Finding { host: HostName::new(name).unwrap(), finding: Box::new(finding) };
                count.0 += usize::from(told.line(&event, 0).is_some());
                count.1 += usize::from(verbose.line(&event, 1).is_some());
            }
        }
        assert_eq!(count, (4, 5));
    }

    #[test]
    fn the_report_names_the_worst_first_and_who_let_it_pass() {
        let mut findings = samples::findings();
        findings[1].suppressed = Some(Suppression::Flag { actor: "ada@desk".to_owned() });
        let shown = text(&rows(&findings, None));
        assert!(shown.starts_with("critical: hosts/p620.nix:12:2: networking.firewall.enable: the firewall is off [firewall-off] allowed by ada@desk\n"), "{shown}");
        assert!(!shown.contains("rec-unneeded"), "{shown}");
        let other = HostName::new("p510").unwrap();
        assert_eq!(text(&rows(&findings, Some(&other))), "4 findings, the same as on p510\n");
        assert_eq!(rows(&findings[..1], Some(&other)), []);
        let many = vec![findings[2].clone(); 20];
        assert!(text(&rows(&many, None)).ends_with("12 more: nix-deploy check shows them\n"));
    }
}
