//! The known issues of a host as a person reads them.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use crate::model::text::{clean_line, duration, plural};
use crate::model::{IssueAdvice, IssueFinding, IssueReport, IssueScope, IssueSeverity};

use super::Output;
use super::styles::{Role, Styles};

/// So many findings of the mildest kind are shown; all of them with `-v`.
const SHOWN: usize = 10;

/// The report of a host, for standard output.
pub(crate) fn issue_report(report: &IssueReport, output: Output, now: Timestamp) -> String {
    let view = View {
        styles: Styles { color: output.data_color, unicode: output.unicode },
        verbose: output.verbosity > 0,
    };
    view.styles.signs(view.report(report, now))
}

struct View {
    styles: Styles,
    verbose: bool,
}

impl View {
    fn report(&self, report: &IssueReport, now: Timestamp) -> String {
        let counted: Vec<&IssueFinding> =
            report.findings.iter().filter(|finding| finding.ignored.is_none()).collect();
        let mut text = self.heading(report, &counted, now);
        for severity in IssueSeverity::ALL {
            let of_severity: Vec<&IssueFinding> =
                counted.iter().copied().filter(|finding| finding.severity == severity).collect();
            self.severity(&mut text, severity, &of_severity);
        }
        self.ignored(&mut text, report);
        self.advice(&mut text, report);
        text
    }

    fn heading(&self, report: &IssueReport, counted: &[&IssueFinding], now: Timestamp) -> String {
        let of =
            |severity: IssueSeverity| counted.iter().filter(|finding| finding.severity == severity).count();
        let counts: Vec<String> = IssueSeverity::ALL
            .iter()
            .filter(|severity| of(**severity) > 0)
            .map(|severity| {
                self.styles.paint(role(*severity), &format!("{} {}", of(*severity), severity.as_str()))
            })
            .collect();
        let counts = if counts.is_empty() { "nothing known".to_owned() } else { counts.join(", ") };
        let age = report.as_of.map_or_else(String::new, |as_of| format!(", {}", age(as_of, now)));
        let host = self.styles.paint(Role::Host, report.host.as_str());
        format!(
            "{host}: {counts} ({}, {}{age})\n",
            plural(report.packages, "package"),
            plural(report.issues, "open issue")
        )
    }

    fn severity(&self, text: &mut String, severity: IssueSeverity, findings: &[&IssueFinding]) {
        if findings.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n  {}", self.styles.paint(role(severity), severity.as_str()));
        let shown = if severity == IssueSeverity::Medium && !self.verbose { SHOWN } else { findings.len() };
        let mut packages: BTreeMap<&str, Vec<&IssueFinding>> = BTreeMap::new();
        for finding in findings.iter().take(shown) {
            packages.entry(&finding.package).or_default().push(finding);
        }
        for (package, findings) in packages {
            let versions = findings[0].versions.join(", ");
            let new = if findings[0].scope == IssueScope::Update { " (new)" } else { "" };
            let heading = format!("{package} {versions}");
            let _ = writeln!(text, "    {}{new}", self.styles.paint(Role::Strong, &clean_line(&heading)));
            for finding in findings {
                let _ = writeln!(text, "      #{} {}", finding.number, clean_line(&finding.title));
                let _ = writeln!(text, "        {}", self.styles.paint(Role::Path, &finding.url));
                let _ = writeln!(text, "        {}", self.styles.paint(Role::Dim, &clean_line(&finding.why)));
            }
        }
        if findings.len() > shown {
            let more = format!("… and {} more; all of them with -v or --output json", findings.len() - shown);
            let _ = writeln!(text, "    {}", self.styles.paint(Role::Dim, &more));
        }
    }

    fn ignored(&self, text: &mut String, report: &IssueReport) {
        let mut first = true;
        for finding in &report.findings {
            let Some(reason) = &finding.ignored else { continue };
            if std::mem::take(&mut first) {
                let _ = writeln!(text, "\n  ignored");
            }
            let line = format!("#{} {}: {reason}", finding.number, finding.package);
            let _ = writeln!(text, "    {}", self.styles.paint(Role::Dim, &clean_line(&line)));
        }
    }

    fn advice(&self, text: &mut String, report: &IssueReport) {
        let (role, words) = match report.advice {
            IssueAdvice::DoNotUpdate => (Role::Error, "do not update"),
            IssueAdvice::Caution => (Role::Warning, "update with caution"),
            IssueAdvice::Clear => (Role::Ok, "clear"),
        };
        let _ = writeln!(text, "\n  recommendation: {}", self.styles.paint(role, words));
        for hint in &report.hints {
            let _ = writeln!(text, "    → {}", clean_line(hint));
        }
    }
}

fn role(severity: IssueSeverity) -> Role {
    match severity {
        IssueSeverity::Critical => Role::Error,
        IssueSeverity::High => Role::Warning,
        IssueSeverity::Medium => Role::Plain,
    }
}

/// How old the issues are.
fn age(as_of: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.duration_since(as_of).as_secs()).unwrap_or_default();
    match seconds {
        0..60 => "up to date".to_owned(),
        _ => format!("as of {} ago", duration(std::time::Duration::from_secs(seconds))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostName, VersionFit};
    use crate::report::OutputMode;

    fn finding(number: u64, package: &str, severity: IssueSeverity) -> IssueFinding {
        IssueFinding {
            number,
            title: format!("{package} is broken"),
            url: format!("https://github.com/NixOS/nixpkgs/issues/{number}"),
            package: package.to_owned(),
            versions: vec!["1.0".to_owned()],
            severity,
            version_fit: VersionFit::Affected,
            unaffected: None,
            why: format!("the title begins with {package}"),
            scope: IssueScope::Update,
            ignored: None,
        }
    }

    fn shown(findings: Vec<IssueFinding>, advice: IssueAdvice, verbosity: u8) -> String {
        let report = IssueReport {
            host: HostName::new("p620").unwrap(),
            packages: 2,
            issues: 1,
            as_of: Some(Timestamp::UNIX_EPOCH),
            findings,
            advice,
            hints: vec!["stay at linux 6.16".to_owned()],
            package_set: None,
        };
        let output =
            Output { mode: OutputMode::Plain, verbosity, talk_color: false, data_color: false, unicode: true };
        issue_report(&report, output, Timestamp::from_second(120).unwrap())
    }

    #[test]
    fn findings_are_read_from_the_worst_to_the_mildest() {
        let ignored =
            IssueFinding { ignored: Some("not used".to_owned()), ..finding(3, "steam", IssueSeverity::High) };
        let findings = vec![
            finding(1, "linux", IssueSeverity::Critical),
            finding(2, "vlc", IssueSeverity::Medium),
            ignored,
        ];
        assert_eq!(
            shown(findings, IssueAdvice::DoNotUpdate, 0),
            "p620: 1 critical, 1 medium (2 packages, 1 open issue, as of 2m 00s ago)\n\n  critical\n    linux 1.0 (new)\n      \
             #1 linux is broken\n        https://github.com/NixOS/nixpkgs/issues/1\n        the title begins with linux\n\n  \
             medium\n    vlc 1.0 (new)\n      #2 vlc is broken\n        https://github.com/NixOS/nixpkgs/issues/2\n        \
             the title begins with vlc\n\n  ignored\n    #3 steam: not used\n\n  recommendation: do not update\n    \
             → stay at linux 6.16\n"
        );
    }

    #[test]
    fn many_mild_findings_are_cut_unless_asked_for() {
        let many: Vec<IssueFinding> =
            (0..30).map(|number| finding(number, "vlc", IssueSeverity::Medium)).collect();
        let text = shown(many.clone(), IssueAdvice::Clear, 0);
        assert!(text.contains("… and 20 more") && !text.contains("#29 "), "{text}");
        assert!(shown(many, IssueAdvice::Clear, 1).contains("#29 "));
        assert!(shown(Vec::new(), IssueAdvice::Clear, 0).starts_with("p620: nothing known ("));
    }
}
