//! `--format human`: what a person reads: severity and rule, message, place,
//! the line with carets, and how to mend it. Nothing is said by colour alone.

use super::excerpt::excerpt;
use super::{Format, Found, Hardening, Page, counting, message, place_text};
use crate::model::text::plural;
use crate::model::{Finding, Severity};
use crate::report::layout::Line;
use crate::report::styles::Role;

/// Missing directives named in the table of scores.
const NAMED: usize = 5;

/// The format.
pub(super) struct Human;

impl Format for Human {
    fn name(&self) -> &'static str {
        "human"
    }

    fn text(&self, found: &Found<'_>, page: Page) -> String {
        let findings: Vec<&Finding> = counting(found).collect();
        let groups = findings.chunk_by(|left, right| is_alike(left, right));
        let mut parts: Vec<String> = groups.map(|group| page.render_all(&block(group))).collect();
        if !found.hardening.is_empty() {
            parts.push(page.render_all(&scores(found.hardening)));
        }
        parts.join("\n")
    }
}

/// A table of scores, the most open service first.
fn scores(hardening: &[Hardening]) -> Vec<Line> {
    let mut rows: Vec<&Hardening> = hardening.iter().collect();
    rows.sort_by_key(|row| row.points);
    let widest =
        rows.iter().map(|row| row.unit.chars().count() + row.host.as_str().len() + 2).max().unwrap_or(0);
    let title = "Hardening of services, from 0 (open) to 100";
    let row = |row: &Hardening| {
        let missing = match row.missing.len() {
            0 => String::new(),
            count if count > NAMED => {
                format!("missing {} and {} more", row.missing[..NAMED].join(", "), count - NAMED)
            }
            _ => format!("missing {}", row.missing.join(", ")),
        };
        let role = if row.points < 30 { Role::Warning } else { Role::Plain };
        Line::plain(&format!("  {}: {}", row.host, row.unit))
            .padded(widest + 4)
            .with(role, &format!("{:>3}", row.points))
            .with(Role::Dim, &format!("  {missing}"))
    };
    std::iter::once(Line::new().with(Role::Strong, title)).chain(rows.into_iter().map(row)).collect()
}

/// Whether two findings on a built system can share what they have in common.
fn is_alike(left: &Finding, right: &Finding) -> bool {
    let shared = |finding: &Finding| (finding.severity, finding.rule.clone(), finding.host.clone());
    left.place.is_none() && right.place.is_none() && shared(left) == shared(right) && left.mend == right.mend
}

/// One finding, or several that are alike.
fn block(group: &[&Finding]) -> Vec<Line> {
    let [first, _, ..] = group else { return group.iter().flat_map(|finding| single(finding)).collect() };
    let heading = format!("{}[{}]", first.severity.as_str(), first.rule);
    let heading = Line::new()
        .with(role(first.severity), &heading)
        .with(Role::Strong, &format!(": {} on ", plural(group.len(), "finding")))
        .with(Role::Host, &place_text(first));
    let mut lines = vec![heading];
    lines.extend(group.iter().map(|finding| Line::plain(&format!("  {}", message(finding)))));
    if !first.mend.is_empty() {
        lines.push(Line::new().with(Role::Ok, "  mend: ").with(Role::Plain, &first.mend));
    }
    lines
}

fn single(finding: &Finding) -> Vec<Line> {
    let role = role(finding.severity);
    let heading = format!("{}[{}]", finding.severity.as_str(), finding.rule);
    let heading = Line::new().with(role, &heading).with(Role::Strong, &format!(": {}", message(finding)));
    let number = finding.place.as_ref().map_or(String::new(), |place| place.line.to_string());
    let gutter = " ".repeat(number.len().max(1));
    let mut lines = vec![heading];
    lines.push(Line::new().with(Role::Dim, &format!("{gutter}--> ")).with(Role::Path, &place_text(finding)));
    if let Some(place) = finding.place.as_ref().filter(|_| !finding.source_line.is_empty()) {
        let (shown, below) = excerpt(&finding.source_line, place);
        lines.push(Line::new().with(Role::Dim, &format!("{gutter} │")));
        lines.push(Line::new().with(Role::Dim, &format!("{number} │ ")).with(Role::Plain, &shown));
        if let Some(below) = below {
            lines.push(Line::new().with(Role::Dim, &format!("{gutter} │ ")).with(role, &below));
        }
    }
    if !finding.mend.is_empty() {
        lines.push(Line::new().with(Role::Ok, &format!("{gutter} mend: ")).with(Role::Plain, &finding.mend));
    }
    lines
}

fn role(severity: Severity) -> Role {
    match severity {
        Severity::Critical => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Information => Role::Strong,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    #[test]
    fn a_finding_shows_rule_place_line_carets_and_mend() {
        let findings = samples::findings();
        let text = Human.text(&samples::found(&findings), Page::new(Styles::UNICODE, None));
        let expected = "\
information[rec-unneeded]: nothing uses the names of this set
 --> hosts/p620.nix:3:1
  │
3 │ rec { a = 1; }
  │ ^^^

critical[firewall-off]: networking.firewall.enable: the firewall is off
  --> hosts/p620.nix:12:2
   │
12 │  networking.firewall.enable = false;
   │  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   mend: open the ports that are needed with networking.firewall.allowedTCPPorts

warning[unquoted-url]: a URL without quotes
  --> hosts/p620.nix:20:8
   │
20 │   日本 = https://example.org;
   │          ^^^^^^^^^^^^^^^^^^^
   mend: write \"https://example.org/日本\"

warning[service-root]: worker.service runs as root
 --> p620
";
        assert_eq!(text, expected);
    }

    #[test]
    fn services_of_a_built_system_are_scored_the_most_open_first() {
        let score = |unit: &str, points, missing: &[&'static str]| Hardening {
            host: crate::model::HostName::new("p620").unwrap(),
            unit: unit.to_owned(),
            points,
            missing: missing.to_vec(),
        };
        let hardening = [
            score("a.service", 98, &["ProtectKernelLogs"]),
            score("worker.service", 0, &["A", "B", "C", "D", "E", "F"]),
        ];
        let found = Found { hardening: &hardening, ..samples::found(&[]) };
        let text = Human.text(&found, Page::new(Styles::UNICODE, None));
        let expected = "\
Hardening of services, from 0 (open) to 100
  p620: worker.service    0  missing A, B, C, D, E and 1 more
  p620: a.service        98  missing ProtectKernelLogs
";
        assert_eq!(text, expected);
    }

    #[test]
    fn findings_of_a_built_system_that_are_alike_stand_together() {
        let mut findings = vec![samples::findings().remove(4)];
        findings.push(Finding {
            message: "a.service runs as root".to_owned(),
            subject: String::new(),
            mend: String::new(),
            ..findings[0].clone()
        });
        findings[0].mend.clear();
        let text = Human.text(&samples::found(&findings), Page::new(Styles::UNICODE, None));
        let expected = "\
warning[service-root]: 2 findings on p620
  worker.service runs as root
  a.service runs as root
";
        assert_eq!(text, expected);
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let findings = samples::findings();
        let found = samples::found(&findings);
        let color = Human.text(&found, Page::new(Styles::COLOR, None));
        assert!(color.contains("\u{1b}["));
        let plain = Human.text(&found, Page::new(Styles::UNICODE, None));
        assert_eq!(crate::model::text::clean(&color), plain);
    }
}
