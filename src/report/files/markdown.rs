//! A run as Markdown: for a pull request, a step summary, a page of a wiki.
//!
//! Foreign text stands in code, where Markdown and HTML mean nothing and nobody
//! is called by `@name`; a fence is always longer than what it holds.

use std::fmt::Write;

use super::document::Document;
use crate::model::text::{bytes, clean, clean_line, plural, signed_bytes};
use crate::model::{Failure, HostName, HostReport, Phase, StepOutcome};
use crate::report::{resources, words};

/// Packages that a table lists.
const PACKAGES: usize = 50;
/// Lines of evidence that are shown.
const EVIDENCE: usize = 30;

/// The report.
pub(super) fn text(document: &Document) -> String {
    let run = &document.gathered;
    let mut text = format!("# {}: {}\n\n", document.title(), document.outcome());
    let mut facts = Vec::new();
    if let Some(started) = document.started {
        let time = started.strftime("%Y-%m-%d %H:%M:%SZ");
        facts.push(format!("{time}, {}", words::milliseconds(document.elapsed_ms())));
    }
    facts.push(format!("by {}", code(&document.actor)));
    if let Some(commit) = run.commit() {
        facts.push(format!("commit {}", code(&commit)));
    }
    facts.extend(run.issue.map(|number| format!("issue #{number}")));
    facts.push(format!("{}, mode {}", run.action, document.mode));
    if let Some(run) = &document.run {
        facts.push(format!("run {}", code(run.as_str())));
    }
    line(&mut text, &facts.join(" · "));
    if document.interrupted {
        line(&mut text, "\nThe run was interrupted.");
    }
    for warning in &document.warnings {
        line(&mut text, &format!("\n> Warning: {}", code(warning)));
    }
    text.push('\n');
    table(&mut text, &["Host", "Outcome", "Time", "Generation", "Changes"], |rows| {
        for (host, _, report) in document.in_order() {
            rows.push(match report {
                Some(report) => vec![
                    code(host.as_str()),
                    report.word().to_lowercase(),
                    words::milliseconds(report.elapsed_ms),
                    crate::report::end_report::generations(report).unwrap_or_default(),
                    closure_in_short(report),
                ],
                None => vec![code(host.as_str()), "cut off".to_owned()],
            });
        }
    });
    for (host, _, report) in document.in_order() {
        if let Some(report) = report {
            host_section(&mut text, document, host, report);
        }
    }
    line(&mut text, &format!("\nnix-deploy {}", clean_line(&document.tool_version)));
    text
}

fn host_section(text: &mut String, document: &Document, host: &HostName, report: &HostReport) {
    let run = &document.gathered;
    line(text, &format!("\n## {}: {}\n", code(host.as_str()), report.word().to_lowercase()));
    if let Some(target) = run.targets.get(host) {
        line(text, &format!("- Back to {}", code(&words::target(target))));
    }
    if let Some(changes) = &report.changes {
        if let Some(files) = changes.files.as_ref().filter(|files| !files.is_empty()) {
            line(text, &format!("- Files: {}", codes(files)));
        }
        if changes.reboot_needed {
            line(text, &format!("- Reboot needed: {}", codes(&changes.reboot_reasons)));
        }
    }
    if let Some(plan) = &report.unit_plan {
        let kinds = [
            ("Stop", &plan.stop),
            ("Restart", &plan.restart),
            ("Reload", &plan.reload),
            ("Start", &plan.start),
            ("Start (new)", &plan.new),
        ];
        for (what, units) in kinds {
            if !units.is_empty() {
                line(text, &format!("- {what}: {}", codes(units)));
            }
        }
    }
    for service in &report.services {
        line(text, &format!("- {}: {}", code(&service.unit), code(&service.in_words())));
    }
    for warning in &report.warnings {
        line(text, &format!("- Warning: {}", code(warning)));
    }
    let findings = run.findings.get(host).map(Vec::as_slice).unwrap_or_default();
    for finding in findings.iter().filter(|finding| finding.suppressed.is_none()) {
        let (severity, rule) = (finding.severity.as_str(), code(&finding.rule));
        let place = finding.place.as_ref();
        let place = place.map(|place| code(&format!("{}:{}", place.file.display(), place.line)));
        let place = place.map_or_else(String::new, |place| format!(" in {place}"));
        line(text, &format!("- {severity} {rule}{place}: {}", code(&finding.message)));
    }
    if let Some(failure) = &report.failure {
        failure_section(text, failure);
    }
    packages(text, report);
    measured(text, report);
    steps(text, report);
}

fn failure_section(text: &mut String, failure: &Failure) {
    line(text, &format!("\n**Failed**: {}\n", code(&failure.message)));
    for cause in &failure.causes {
        line(text, &format!("- Why: {}", code(cause)));
    }
    for hint in &failure.hints {
        line(text, &format!("- Next: {}", code(hint)));
    }
    let hidden = failure.evidence.len().saturating_sub(EVIDENCE);
    if !failure.evidence.is_empty() {
        block(text, &failure.evidence[hidden..]);
    }
}

fn packages(text: &mut String, report: &HostReport) {
    let closure = report.changes.as_ref().and_then(|changes| changes.closure.as_ref());
    let Some(closure) = closure.filter(|closure| !closure.packages.is_empty()) else { return };
    line(text, &format!("\n<details><summary>{}</summary>\n", closure_in_short(report)));
    table(text, &["Package", "Before", "After", "Size"], |rows| {
        for package in closure.packages.iter().take(PACKAGES) {
            rows.push(vec![
                code(&package.name),
                codes(&package.before),
                codes(&package.after),
                signed_bytes(package.size_difference),
            ]);
        }
    });
    if closure.packages.len() > PACKAGES {
        line(text, &format!("\nand {} more", closure.packages.len() - PACKAGES));
    }
    line(text, "\n</details>");
}

/// What was measured before and after.
fn measured(text: &mut String, report: &HostReport) {
    let rows = report.observed.as_ref().map(resources::rows).unwrap_or_default();
    if rows.is_empty() {
        return;
    }
    line(text, "\n<details><summary>Resources</summary>\n");
    // Words of ours and numbers, nothing foreign.
    table(text, &resources::HEADINGS, |table| table.extend(rows.into_iter().map(Vec::from)));
    line(text, "\n</details>");
}

fn steps(text: &mut String, report: &HostReport) {
    if report.steps.is_empty() {
        return;
    }
    line(text, "\n<details><summary>Steps</summary>\n");
    table(text, &["Phase", "Step", "Outcome", "Time", ""], |rows| {
        for phase in Phase::ALL {
            for record in report.steps.iter().filter(|record| record.step.phase() == phase) {
                rows.push(vec![
                    phase.to_string(),
                    record.step.to_string(),
                    word(record.outcome).to_owned(),
                    words::milliseconds(record.elapsed_ms),
                    code(&record.summary),
                ]);
            }
        }
    });
    line(text, "\n</details>");
}

fn word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Passed => "passed",
        StepOutcome::Warned => "warning",
        StepOutcome::Failed => "**failed**",
        StepOutcome::Skipped => "skipped",
        StepOutcome::Cancelled => "cancelled",
    }
}

fn closure_in_short(report: &HostReport) -> String {
    let closure = report.changes.as_ref().and_then(|changes| changes.closure.as_ref());
    closure.map_or_else(String::new, |closure| {
        let packages = plural(closure.packages.len(), "package");
        let new =
            if closure.new_bytes > 0 { format!(", {} new", bytes(closure.new_bytes)) } else { String::new() };
        format!("{packages}, {}{new}", signed_bytes(closure.size_difference))
    })
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A table; the cells are Markdown already.
fn table(text: &mut String, heading: &[&str], fill: impl FnOnce(&mut Vec<Vec<String>>)) {
    let mut rows = Vec::new();
    fill(&mut rows);
    line(text, &format!("| {} |", heading.join(" | ")));
    line(text, &format!("|{}", "---|".repeat(heading.len())));
    for mut cells in rows {
        cells.resize(heading.len(), String::new());
        line(text, &format!("| {} |", cells.join(" | ")));
    }
}

/// Foreign text as code in a line; nothing for nothing.
fn code(text: &str) -> String {
    let text = clean_line(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A table ends its cells at a bar, in code, too (GitHub Flavored Markdown, "Tables").
    let text = text.replace('|', "\\|");
    // A space keeps a backtick at the edge apart from the fence, and is left out again.
    match text.starts_with('`') || text.ends_with('`') {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

fn codes(texts: &[String]) -> String {
    texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ")
}

/// Foreign lines as a block of code.
fn block(text: &mut String, lines: &[String]) {
    let lines: Vec<String> = lines.iter().map(|line| clean(line).replace('\n', " ")).collect();
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    // Writing to a string cannot fail.
    let _ = write!(text, "\n{fence}text\n{}\n{fence}\n", lines.join("\n"));
}

/// How many backticks stand in a row at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_report_is_as_it_was_read_last() {
        let text = text(&samples::two_hosts());
        let kept = include_str!("../../../tests/fixtures/report.md");
        assert_eq!(text, kept, "\n{text}");
    }

    #[test]
    fn foreign_text_is_code_and_cannot_leave_it() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code(""), "");
        let text = text(&samples::nasty());
        // Outside of code nothing of it is left.
        let mut outside = String::new();
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match fence {
                None if ticks >= 3 => fence = Some(&line[..ticks]),
                None => outside.push_str(&without_code(line)),
                Some(open) if line == open => fence = None,
                Some(_) => {}
            }
        }
        for part in ["<img", "@everyone", "![x]", "</script>", "&amp;"] {
            assert!(!outside.contains(part), "{part}: {outside}");
        }
        assert!(!text.replace('\n', "").contains(char::is_control));
    }

    /// A line without its spans of code, read as Markdown reads them.
    fn without_code(line: &str) -> String {
        let mut rest = line;
        let mut outside = String::new();
        while let Some(start) = rest.find('`') {
            outside.push_str(&rest[..start]);
            let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            let fence = "`".repeat(ticks);
            let inner = &rest[start + ticks..];
            let mut at = 0;
            let end = loop {
                let Some(found) = inner[at..].find(&fence) else { panic!("an open span: {line}") };
                let (from, to) = (at + found, at + found + ticks);
                let exact = !inner[..from].ends_with('`') && !inner[to..].starts_with('`');
                if exact {
                    break to;
                }
                at = to;
            };
            rest = &inner[end..];
        }
        outside.push_str(rest);
        outside
    }

    #[test]
    fn a_run_that_was_cut_off_and_one_without_work_are_told_too() {
        let cut_off = text(&samples::cut_off());
        assert!(cut_off.contains("| `p620` | cut off |"), "{cut_off}");
        assert!(cut_off.contains("The run was interrupted."), "{cut_off}");
        assert!(text(&samples::nothing_to_do()).contains("| `p620` | unchanged | 1.2 s |"));
    }
}
