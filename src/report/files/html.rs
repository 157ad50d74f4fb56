//! A run as one HTML page that needs nothing else: no script, no picture, no
//! font from elsewhere. It can be mailed, kept, printed, and read on a phone.
//!
//! Invariant: everything that is not a word of this file goes through
//! [`escaped`].

use std::fmt::Write;

use super::document::{Document, HostDocument};
use super::timeline;
use crate::model::text::{bytes, clean, signed_bytes};
use crate::model::{
    ClosureDiff, Failure, Finding, HostFacts, HostName, HostOutcome, HostReport, Observed, PackageChangeKind,
    Severity, StepOutcome, UnitPlan,
};
use crate::report::end_report::generations;
use crate::report::resources::{HEADINGS, rows};
use crate::report::words;

const STYLE: &str = include_str!("../../../templates/report.css");
/// The page may load nothing from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub(super) fn text(document: &Document) -> String {
    let hosts = document.in_order();
    let names: Vec<&str> = hosts.iter().map(|(host, ..)| host.as_str()).collect();
    let title = format!("{} of {}", document.title(), words::some_of(&names, 3));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&title)
    );
    head(&mut page, document, &title);
    if hosts.len() > 1 {
        overview(&mut page, document);
    }
    for (host, known, report) in &hosts {
        host_section(&mut page, document, host, known, *report);
    }
    let version = escaped(&document.tool_version);
    add(&mut page, format_args!("</main>\n<footer>nix-deploy {version}</footer>\n</body>\n</html>\n"));
    page
}

/// Text as HTML takes it, without control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}

fn head(page: &mut String, document: &Document, title: &str) {
    let run = &document.gathered;
    let is_well = run.end.as_ref().is_some_and(|end| end.exit_code == 0);
    let class = if is_well { "ok" } else { "bad" };
    add(page, format_args!("<h1>{}</h1>\n", escaped(title)));
    add(
        page,
        format_args!(
            "<p class=\"outcome {class}\">{}</p>\n<dl class=\"facts\">\n",
            escaped(&document.outcome())
        ),
    );
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            add(page, format_args!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value)));
        }
    };
    fact("Started", document.started.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()));
    fact("Took", Some(words::milliseconds(document.elapsed_ms())));
    fact("By", Some(document.actor.clone()));
    fact("Commit", run.commit());
    fact("Branch", run.source.as_ref().and_then(|source| source.branch.clone()));
    fact("Issue", run.issue.map(|number| format!("#{number}")));
    fact("Action", Some(format!("{}, mode {}", run.action, document.mode)));
    fact("Flake", Some(document.flake.clone()));
    fact("Run", document.run.as_ref().map(ToString::to_string));
    page.push_str("</dl>\n");
    if document.interrupted {
        page.push_str("<p class=\"note\">The run was interrupted.</p>\n");
    }
    for warning in &document.warnings {
        add(page, format_args!("<p class=\"note\">{}</p>\n", escaped(warning)));
    }
}

/// All hosts: a picture, and a table that leads to each.
fn overview(page: &mut String, document: &Document) {
    let bars: Vec<_> = document
        .in_order()
        .into_iter()
        .map(|(host, known, report)| {
            let begun = known.steps.iter().map(|step| step.begun_ms).min().unwrap_or_default();
            let ended = known.steps.iter().map(|step| step.begun_ms + step.elapsed_ms).max().unwrap_or(begun);
            (host.to_string(), begun, ended.saturating_sub(begun), report.map(|report| report.outcome))
        })
        .collect();
    let picture = timeline::of_hosts(&bars, document.elapsed_ms());
    add(
        page,
        format_args!(
            "<section>\n<h2>Hosts</h2>\n<div class=\"picture\">{picture}</div>\n<div class=\"wide\"><table>\n"
        ),
    );
    page.push_str("<tr><th>Host</th><th>Outcome</th><th>Time</th><th>Generation</th></tr>\n");
    for (host, _, report) in document.in_order() {
        let name = escaped(host.as_str());
        let (class, outcome) = outcome_of(report);
        let time = report.map(|report| words::milliseconds(report.elapsed_ms)).unwrap_or_default();
        let generation = report.and_then(generations).unwrap_or_default();
        add(
            page,
            format_args!(
                "<tr><td><a href=\"#{name}\">{name}</a></td><td class=\"{class}\">{outcome}</td><td>{time}</td>\
                 <td>{generation}</td></tr>\n"
            ),
        );
    }
    page.push_str("</table></div>\n</section>\n");
}

fn outcome_of(report: Option<&HostReport>) -> (&'static str, &'static str) {
    let Some(report) = report else { return ("bad", "cut off") };
    let class = match report.outcome {
        HostOutcome::DeployedWithWarnings | HostOutcome::RebootRequired => "warn",
        HostOutcome::Unchanged | HostOutcome::Skipped => "dim",
        outcome if outcome.is_success() => "ok",
        _ => "bad",
    };
    (class, report.word())
}

fn host_section(
    page: &mut String,
    document: &Document,
    host: &HostName,
    known: &HostDocument,
    report: Option<&HostReport>,
) {
    let run = &document.gathered;
    let name = escaped(host.as_str());
    let (class, outcome) = outcome_of(report);
    add(
        page,
        format_args!("<section id=\"{name}\">\n<h2>{name} <span class=\"tag {class}\">{outcome}</span></h2>\n"),
    );
    if let Some(target) = run.targets.get(host) {
        add(page, format_args!("<p>Back to {}</p>\n", escaped(&words::target(target))));
    }
    if let Some(report) = report {
        let generation = generations(report).map(|text| format!("Generation {text}"));
        let reboot = report.changes.as_ref().filter(|changes| changes.reboot_needed);
        let reboot = reboot.map(|changes| format!("reboot needed: {}", changes.reboot_reasons.join(", ")));
        let parts: Vec<String> = generation.into_iter().chain(reboot).collect();
        add(page, format_args!("<p>{}</p>\n", escaped(&parts.join("; "))));
        if let Some(failure) = &report.failure {
            failure_block(page, failure);
        }
        for warning in &report.warnings {
            add(page, format_args!("<p class=\"note\">{}</p>\n", escaped(warning)));
        }
    }
    let picture = timeline::of_steps(host.as_str(), &known.steps, document.elapsed_ms());
    if !picture.is_empty() {
        add(page, format_args!("<h3>Timeline</h3>\n<div class=\"picture\">{picture}</div>\n"));
        steps(page, known);
    }
    if let Some(report) = report {
        changes(page, report);
    }
    findings(page, run.findings.get(host).map(Vec::as_slice).unwrap_or_default());
    match (report.and_then(|report| report.observed.as_ref()), &known.facts) {
        (Some(observed), _) => measured(page, observed),
        (None, Some(facts)) => resources(page, facts, report),
        (None, None) => {}
    }
    page.push_str("</section>\n");
}

fn failure_block(page: &mut String, failure: &Failure) {
    add(page, format_args!("<div class=\"failure\">\n<p><strong>{}</strong></p>\n", escaped(&failure.message)));
    list(page, &failure.causes);
    if !failure.evidence.is_empty() {
        let lines: Vec<String> = failure.evidence.iter().map(|line| escaped(line)).collect();
        add(page, format_args!("<pre>{}</pre>\n", lines.join("\n")));
    }
    if !failure.hints.is_empty() {
        page.push_str("<p>Next:</p>\n");
        list(page, &failure.hints);
    }
    page.push_str("</div>\n");
}

fn list(page: &mut String, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    page.push_str("<ul>\n");
    for text in texts {
        add(page, format_args!("<li>{}</li>\n", escaped(text)));
    }
    page.push_str("</ul>\n");
}

fn steps(page: &mut String, known: &HostDocument) {
    page.push_str("<details><summary>Steps as a table</summary>\n<div class=\"wide\"><table>\n");
    page.push_str("<tr><th>Step</th><th>Outcome</th><th>Time</th><th>Said</th></tr>\n");
    for timed in &known.steps {
        let (class, word) = match timed.outcome {
            Some(StepOutcome::Passed) => ("ok", "passed"),
            Some(StepOutcome::Warned) => ("warn", "warning"),
            Some(StepOutcome::Failed) => ("bad", "failed"),
            Some(StepOutcome::Skipped) => ("dim", "skipped"),
            Some(StepOutcome::Cancelled) | None => ("dim", "cut off"),
        };
        add(
            page,
            format_args!(
                "<tr><td>{}</td><td class=\"{class}\">{word}</td><td>{}</td><td>{}</td></tr>\n",
                timed.step,
                words::milliseconds(timed.elapsed_ms),
                escaped(&timed.summary)
            ),
        );
    }
    page.push_str("</table></div>\n</details>\n");
}

fn changes(page: &mut String, report: &HostReport) {
    if let Some(changes) = &report.changes {
        if let Some(closure) = changes.closure.as_ref() {
            packages(page, closure);
        }
        if let Some(files) = changes.files.as_ref().filter(|files| !files.is_empty()) {
            page.push_str("<h3>Files</h3>\n");
            list(page, files);
        }
    }
    if let Some(plan) = report.unit_plan.as_ref() {
        units(page, plan, report);
    }
}

fn packages(page: &mut String, closure: &ClosureDiff) {
    add(page, format_args!("<h3>Packages</h3>\n<p>{}</p>\n", escaped(&words::closure_in_short(closure))));
    if closure.packages.is_empty() {
        return;
    }
    page.push_str(
        "<div class=\"wide\"><table>\n<tr><th>Package</th><th>Before</th><th>After</th><th>Size</th></tr>\n",
    );
    for package in &closure.packages {
        let class = match package.kind {
            PackageChangeKind::Added | PackageChangeKind::Upgraded => "ok",
            PackageChangeKind::Removed => "bad",
            PackageChangeKind::Downgraded | PackageChangeKind::Changed => "warn",
        };
        let versions = |versions: &[String]| match versions.is_empty() {
            true => "–".to_owned(),
            false => escaped(&versions.join(", ")),
        };
        add(
            page,
            format_args!(
                "<tr><td class=\"{class}\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&package.name),
                versions(&package.before),
                versions(&package.after),
                signed_bytes(package.size_difference)
            ),
        );
    }
    page.push_str("</table></div>\n");
}

fn units(page: &mut String, plan: &UnitPlan, report: &HostReport) {
    if plan.is_empty() && report.services.is_empty() {
        return;
    }
    page.push_str("<h3>Units</h3>\n<div class=\"wide\"><table>\n");
    let kinds = [
        ("stop", &plan.stop),
        ("restart", &plan.restart),
        ("reload", &plan.reload),
        ("start", &plan.start),
        ("start (new)", &plan.new),
        ("left alone", &plan.not_stopped),
    ];
    for (what, units) in kinds.into_iter().filter(|(_, units)| !units.is_empty()) {
        add(page, format_args!("<tr><th>{what}</th><td>{}</td></tr>\n", escaped(&units.join(", "))));
    }
    for service in &report.services {
        let class = if service.what.starts_with("failed") { "bad" } else { "" };
        let (unit, what) = (escaped(&service.unit), escaped(&service.in_words()));
        add(page, format_args!("<tr><th>{unit}</th><td class=\"{class}\">{what}</td></tr>\n"));
    }
    page.push_str("</table></div>\n");
}

fn findings(page: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.push_str("<h3>Findings</h3>\n<ul>\n");
    for finding in findings {
        let class = match finding.suppressed {
            Some(_) => "dim",
            None if finding.blocks() => "bad",
            None if finding.severity == Severity::Information => "dim",
            None => "warn",
        };
        let place = finding.place.as_ref();
        let place = place.map(|place| format!(" {}:{}", place.file.display(), place.line)).unwrap_or_default();
        let passed = if finding.suppressed.is_some() { " (does not count)" } else { "" };
        add(
            page,
            format_args!(
                "<li><span class=\"tag {class}\">{}</span> <code>{}</code>{}: {}; {}{passed}</li>\n",
                finding.severity.as_str(),
                escaped(&finding.rule),
                escaped(&place),
                escaped(&finding.message),
                escaped(&finding.mend)
            ),
        );
    }
    page.push_str("</ul>\n");
}

/// Metrics before and after the deploy and as they usually are, where they were measured.
fn measured(page: &mut String, observed: &Observed) {
    page.push_str("<h3>Resources</h3>\n<div class=\"wide\"><table class=\"numbers\">\n<tr>");
    for heading in HEADINGS {
        add(page, format_args!("<th>{heading}</th>"));
    }
    page.push_str("</tr>\n");
    for [name, numbers @ ..] in rows(observed) {
        add(page, format_args!("<tr><th>{}</th>", escaped(&name)));
        for number in numbers {
            let number = if number.is_empty() { "–".to_owned() } else { escaped(&number) };
            add(page, format_args!("<td>{number}</td>"));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

/// What the host had before, and what its looks after the deploy said, where little was measured.
fn resources(page: &mut String, facts: &HostFacts, report: Option<&HostReport>) {
    let rows = [
        ("Memory available", facts.memory_available.map(bytes)),
        ("Load", facts.load.map(|load| format!("{load:.2}"))),
        ("Free in /nix/store", facts.store_free.map(bytes)),
        ("Free on /boot", facts.boot_free.map(bytes)),
        ("Units that had failed", Some(facts.broken_before().join(", ")).filter(|text| !text.is_empty())),
    ];
    page.push_str("<h3>Resources</h3>\n<div class=\"wide\"><table>\n");
    for (name, value) in rows {
        if let Some(value) = value {
            add(page, format_args!("<tr><th>{name} before</th><td>{}</td></tr>\n", escaped(&value)));
        }
    }
    let looks = report.iter().flat_map(|report| &report.steps);
    let looks = looks.filter(|record| record.step.phase() == crate::model::Phase::Observe);
    for record in looks.filter(|record| !record.summary.is_empty()) {
        let (step, summary) = (record.step, escaped(&record.summary));
        add(page, format_args!("<tr><th>{step} after</th><td>{summary}</td></tr>\n"));
    }
    page.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_page_is_as_it_was_looked_at_last() {
        let page = text(&samples::two_hosts()).replace(STYLE, "");
        let kept = include_str!("../../../tests/fixtures/report.html");
        assert_eq!(page, kept, "\n{page}");
    }

    #[test]
    fn foreign_text_never_becomes_markup() {
        let page = text(&samples::nasty()).replace(STYLE, "");
        for part in ["<img", "</script>", "onerror=alert(1)>"] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
        assert!(!page.replace('\n', "").contains(char::is_control));
        assert_eq!(escaped("<a href='x'>&\"\u{1b}[31m"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere() {
        let page = text(&samples::two_hosts());
        for part in ["<script", "<link", "src=", "@import", "url(", "http://", "https://"] {
            assert!(!page.contains(part), "{part}");
        }
    }

    #[test]
    fn a_run_that_was_cut_off_has_a_page() {
        let page = text(&samples::cut_off());
        assert!(page.contains("The run was interrupted."));
        assert!(page.contains("<span class=\"tag bad\">cut off</span>"));
        assert!(text(&samples::nothing_to_do()).contains("UNCHANGED"));
    }
}
