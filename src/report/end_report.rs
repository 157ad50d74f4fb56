//! The end report of a host: what it was asked to become and what it is now.
//!
//! A title, a headline and rows; a row without content is left out. A failure
//! says what, why, what was seen, what was done and what to do next, in this
//! order.

use super::gathered::Gathered;
use super::layout::{Line, Page};
use super::styles::Role;
use super::{findings, resources, words};
use crate::model::{
    Changes, Failure, FailureClass, HostName, HostOutcome, HostReport, Phase, Recovery, RecoveryOutcome,
    StepId, StepOutcome, StepRecord, StorePath,
};

/// Changed files named in the report.
const FILES: usize = 3;
/// Units named in the report.
const UNITS: usize = 12;
/// Lines of evidence shown; the rest is in the log files.
const EVIDENCE: usize = 30;

/// The whole report of one host.
pub(super) fn host_report(host: &HostName, report: &HostReport, run: &Gathered, page: Page) -> Vec<Line> {
    let mut lines = title(host, report, run, page);
    if report.outcome != HostOutcome::Unchanged {
        lines.extend(page.flow(headline(host, report, run), "   ", page.width()));
        let target = run.targets.get(host).map(|target| Line::plain(&words::target(target)));
        lines.extend(page.row("Back to", target.into_iter().collect()));
        lines.extend(changes_row(report, page));
        lines.extend(services_row(report, page));
        for phase in Phase::ALL {
            lines.extend(phase_row(phase, report, page));
        }
        let measured = report.observed.as_ref().map(resources::items).unwrap_or_default();
        lines.extend(page.row_of_items("Resources", measured, "; "));
        let (own, same) = run.findings_of(host);
        lines.extend(page.row("Findings", findings::rows(own, same)));
    }
    let recovered = report.recoveries.iter().map(recovery_line);
    lines.extend(page.row("Recovered", recovered.collect()));
    let warnings = report.warnings.iter().map(|text| Line::new().with(Role::Warning, text));
    lines.extend(page.row("Warnings", warnings.collect()));
    if let Some(failure) = &report.failure {
        lines.extend(failure_rows(host, failure, page));
    }
    lines.extend(page.row("Done", done(report).as_deref().map(Line::plain).into_iter().collect()));
    lines.extend(page.row("Next", next(host, report, run)));
    lines
}

fn title(host: &HostName, report: &HostReport, run: &Gathered, page: Page) -> Vec<Line> {
    let mut left =
        Line::new().with(Role::Strong, &format!("{} REPORT: ", run.title())).with(Role::Host, host.as_str());
    if let (HostOutcome::Unchanged, Some(generation)) = (report.outcome, report.generation_before) {
        left.push(Role::Plain, &format!("   generation {generation}"));
    }
    let right = Line::new()
        .with(Role::of_report(report), report.word())
        .with(Role::Plain, &format!("  {}", words::milliseconds(report.elapsed_ms)));
    page.edges(left, right)
}

fn headline(host: &HostName, report: &HostReport, run: &Gathered) -> Vec<Line> {
    let mut items = Vec::new();
    if let Some(generations) = generations(report) {
        items.push(Line::plain(&format!("Generation {generations}")));
    }
    let target = run.targets.get(host);
    let commit = match target {
        Some(target) => target.commit.as_ref().map(|commit| commit.chars().take(7).collect()),
        None => run.commit(),
    };
    if let Some(commit) = commit {
        items.push(Line::plain(&format!("commit {commit}")));
    }
    if let Some(issue) = run.issue {
        items.push(Line::plain(&format!("issue #{issue}")));
    }
    if is_rebooted(report) {
        items.push(Line::plain("rebooted"));
    } else {
        items.extend(report.changes.as_ref().map(words::reboot));
    }
    items
}

/// `1235 → 1236`, or one number when it did not change.
pub(super) fn generations(report: &HostReport) -> Option<String> {
    match (report.generation_before, report.generation_after) {
        (Some(before), Some(after)) if before != after => Some(format!("{before} → {after}")),
        (Some(only), _) | (None, Some(only)) => Some(only.to_string()),
        (None, None) => None,
    }
}

fn changes_row(report: &HostReport, page: Page) -> Vec<Line> {
    let Some(Changes { files, closure, .. }) = &report.changes else { return Vec::new() };
    let mut items = Vec::new();
    if let Some(files) = files.as_ref().filter(|files| !files.is_empty()) {
        items.push(Line::new().with(Role::Path, &words::some_of(files, FILES)));
    }
    items.extend(closure.as_ref().map(|closure| Line::plain(&words::closure_in_short(closure))));
    page.row_of_items("Changes", items, "; ")
}

fn services_row(report: &HostReport, page: Page) -> Vec<Line> {
    let mut items: Vec<Line> = Vec::new();
    let (failed, others): (Vec<_>, Vec<_>) =
        report.services.iter().partition(|service| service.what.starts_with("failed"));
    for service in failed.iter().chain(&others).take(UNITS) {
        let role = if service.what.starts_with("failed") { Role::Error } else { Role::Plain };
        items.push(Line::plain(&format!("{} ", service.unit)).with(role, &service.in_words()));
    }
    if report.services.len() > UNITS {
        items.push(Line::plain(&format!("{} more", report.services.len() - UNITS)));
    }
    page.row_of_items("Services", items, "; ")
}

fn phase_row(phase: Phase, report: &HostReport, page: Page) -> Vec<Line> {
    let shown = report.steps.iter().filter(|record| {
        let only_when_it_matters = matches!(record.step, StepId::Git | StepId::Preview | StepId::Settle);
        record.step.phase() == phase
            && !(only_when_it_matters && matches!(record.outcome, StepOutcome::Passed | StepOutcome::Skipped))
    });
    let items =
        shown.map(|record| words::step(record.step, record.outcome, record.elapsed_ms, &record.summary));
    let label = match phase {
        Phase::Validate => "Validate",
        Phase::Test => "Test",
        Phase::Deploy => "Deploy",
        Phase::Observe => "Observe",
    };
    page.row_of_items(label, items.collect(), "   ")
}

/// What was set right by itself; what helped is marked like a step that passed.
fn recovery_line(recovery: &Recovery) -> Line {
    let role = match recovery.outcome {
        RecoveryOutcome::Helped => Role::Plain,
        RecoveryOutcome::InVain | RecoveryOutcome::Declined => Role::Warning,
    };
    let mut line = Line::new();
    if recovery.outcome == RecoveryOutcome::InVain {
        line.push(role, "in vain: ");
    }
    line.with(role, &recovery.to_string())
}

fn failure_rows(host: &HostName, failure: &Failure, page: Page) -> Vec<Line> {
    let mut what = Line::new().with(Role::Error, &failure.message);
    let names_it = failure.message.contains(host.as_str());
    // Where something was built or evaluated, its own message says.
    if failure.unreached && !names_it {
        // The message has the address.
        what.push(Role::Host, &format!(" ({host})"));
    } else if failure.class != FailureClass::Build && !names_it {
        what.push(Role::Plain, " on ");
        what.push(Role::Host, host.as_str());
    }
    let mut lines = page.row("Failed", vec![what]);
    lines.extend(page.row("Why", failure.causes.iter().map(|cause| Line::plain(cause)).collect()));
    let hidden = failure.evidence.len().saturating_sub(EVIDENCE);
    let mut evidence: Vec<Line> = Vec::new();
    if hidden > 0 {
        evidence.push(Line::new().with(Role::Dim, &format!("… {hidden} lines before")));
    }
    evidence.extend(failure.evidence[hidden..].iter().map(|text| Line::plain(text)));
    lines.extend(page.quote("Evidence", evidence));
    lines
}

/// What was done to the host, for everything that is no success.
fn done(report: &HostReport) -> Option<String> {
    let generation = |number: Option<u64>| match number {
        // It is what the host boots, and not what it runs.
        _ if report.ran_another => "what ran before".to_owned(),
        Some(number) => format!("generation {number}"),
        None => "the old system".to_owned(),
    };
    let now = report.truth.as_ref().and_then(|truth| truth.generation).or(report.generation_after);
    match report.outcome {
        HostOutcome::RolledBack => {
            let old = generation(now.or(report.generation_before));
            // What it ran before and does not run now is named by a warning.
            let is_missed = report.warnings.iter().any(|warning| warning.contains("does not run any more"));
            let well = if is_missed { "" } else { " and the host is well" };
            Some(format!("rolled back: {old} runs again{well}"))
        }
        HostOutcome::RollbackFailed => Some(format!("the rollback failed; {}", found(report))),
        HostOutcome::Unknown => Some(format!("not known; {}", found(report))),
        // Kept although it is not well.
        HostOutcome::Failed if is_kept(report) => Some(format!("not taken back; {}", found(report))),
        HostOutcome::Failed if report.is_unreached() => {
            Some("it was not reached: nothing was changed by this run".to_owned())
        }
        // It told nothing of itself.
        HostOutcome::Failed if report.generation_before.or(now).is_none() && report.old.is_none() => {
            Some("nothing was changed on the host".to_owned())
        }
        HostOutcome::Failed => {
            let old = generation(report.generation_before.or(now));
            Some(format!("nothing was changed on the host: {old} still runs"))
        }
        HostOutcome::Skipped => Some("not started, nothing was changed on the host".to_owned()),
        HostOutcome::Unchanged
        | HostOutcome::Deployed
        | HostOutcome::DeployedWithWarnings
        | HostOutcome::RebootRequired
        | HostOutcome::Previewed => None,
    }
}

/// What was found on the host at the end, in words.
fn found(report: &HostReport) -> String {
    let Some(truth) = &report.truth else {
        return "the host could not be asked at the end".to_owned();
    };
    let name = |path: &Option<StorePath>| match path {
        Some(path) if Some(path) == report.new.as_ref() => "the new system".to_owned(),
        Some(path) if Some(path) == report.old.as_ref() => "the old system".to_owned(),
        Some(path) => path.to_string(),
        None => "an unknown system".to_owned(),
    };
    let mut text = format!("it runs {} and boots {}", name(&truth.current_system), name(&truth.profile));
    if let Some(generation) = truth.generation {
        text.push_str(&format!(" (generation {generation})"));
    }
    if truth.supervisor_alive {
        text.push_str("; the supervisor is still at work");
    }
    text
}

/// What to do next: the failure's hints, then what the outcome itself asks for.
fn next(host: &HostName, report: &HostReport, run: &Gathered) -> Vec<Line> {
    let hints = report.failure.iter().flat_map(|failure| &failure.hints);
    let mut lines: Vec<Line> = hints.clone().map(|hint| Line::plain(hint)).collect();
    match (report.outcome, &report.old) {
        (HostOutcome::RollbackFailed, Some(old)) => {
            lines.push(Line::plain("by hand, as root on the host:"));
            let profile = "/nix/var/nix/profiles/system";
            lines.push(Line::new().with(Role::Command, &format!("nix-env -p {profile} --set {old}")));
            let switch = old.join("bin/switch-to-configuration switch");
            lines.push(Line::new().with(Role::Command, &switch));
        }
        // Its supervisor has ended: nothing settles any more.
        (HostOutcome::Unknown, _) if reboot_step(report).is_some() => {}
        // The failure says so already.
        (HostOutcome::Unknown, _) if hints.clone().any(|hint| hint.contains(" again")) => {}
        (HostOutcome::Unknown, _) => {
            let text =
                format!("the host settles itself; run nix-deploy {host} again, it takes over what it finds");
            lines.push(Line::plain(&text));
        }
        (HostOutcome::RebootRequired, _) => {
            let text = format!(
                "reboot {host} to enter the new system; --reboot does that with a deploy, and proves it"
            );
            lines.push(Line::plain(&text));
        }
        (HostOutcome::Deployed | HostOutcome::DeployedWithWarnings, _) if needs_reboot(report) => {
            let text = format!(
                "reboot {host} when it suits; until then the old kernel runs (--reboot does it with a deploy)"
            );
            lines.push(Line::plain(&text));
        }
        _ => {}
    }
    if report.failure.is_some() && !run.run_dir.is_empty() {
        lines.push(Line::plain("logs of this run: ").with(Role::Path, &run.run_dir));
    }
    lines
}

fn needs_reboot(report: &HostReport) -> bool {
    !is_rebooted(report) && report.changes.as_ref().is_some_and(|changes| changes.reboot_needed)
}

fn reboot_step(report: &HostReport) -> Option<&StepRecord> {
    report.steps.iter().find(|record| record.step == StepId::Reboot && record.outcome != StepOutcome::Skipped)
}

/// Whether the host was rebooted and proven in this run.
fn is_rebooted(report: &HostReport) -> bool {
    reboot_step(report).is_some_and(|record| record.outcome == StepOutcome::Passed)
}

/// Whether the host runs or boots the new system although the deploy failed.
fn is_kept(report: &HostReport) -> bool {
    report.new.is_some()
        && report.new != report.old
        && report
            .truth
            .as_ref()
            .is_some_and(|truth| truth.current_system == report.new || truth.profile == report.new)
}

#[cfg(test)]
mod tests;
