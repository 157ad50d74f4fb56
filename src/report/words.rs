//! Short wordings that several reports share.

use std::time::Duration;

use super::layout::Line;
use super::styles::{Role, step_sign};
use crate::model::text::{clean_line, duration, plural, signed_bytes};
use crate::model::{
    ActivationPhase, ActivationState, Changes, ClosureDiff, PackageChange, PackageChangeKind, StepId,
    StepOutcome, Target,
};

/// What to say of a report that could not be written; nothing where its reader left (`| head`).
pub(super) fn unwritten(written: &std::io::Result<()>) -> Option<String> {
    let error = written.as_ref().err().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)?;
    Some(format!("the report cannot be written to standard output: {error}"))
}

/// A number of milliseconds as people say it.
pub(super) fn milliseconds(count: u64) -> String {
    duration(Duration::from_millis(count))
}

/// `a, b, c and 4 more`.
pub(super) fn some_of<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `3 packages updated`, `1 added`; nothing when nothing changed.
pub(super) fn package_counts(packages: &[PackageChange], rebuilt: usize) -> Vec<String> {
    let count = |kind: PackageChangeKind| packages.iter().filter(|package| package.kind == kind).count();
    let counts = [
        (count(PackageChangeKind::Upgraded), "updated"),
        (count(PackageChangeKind::Downgraded), "downgraded"),
        (count(PackageChangeKind::Changed), "changed"),
        (count(PackageChangeKind::Added), "added"),
        (count(PackageChangeKind::Removed), "removed"),
        (rebuilt, "rebuilt"),
    ];
    let mut parts: Vec<String> = Vec::new();
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        // Only the first number carries the noun: "3 packages updated, 1 added".
        let number = if parts.is_empty() { plural(count, "package") } else { count.to_string() };
        parts.push(format!("{number} {what}"));
    }
    parts
}

/// `3 packages updated, 1 added, +12.4 MiB`.
pub(super) fn closure_in_short(closure: &ClosureDiff) -> String {
    let mut parts = package_counts(&closure.packages, closure.rebuilt);
    if parts.is_empty() {
        parts.push(match closure.configuration_paths {
            0 => "no package changed".to_owned(),
            count => plural(count, "configuration path") + " changed",
        });
    }
    parts.push(signed_bytes(closure.size_difference));
    parts.join(", ")
}

/// `kernel unchanged` or what asks for a reboot.
pub(super) fn reboot(changes: &Changes) -> Line {
    if !changes.reboot_needed {
        return Line::plain("kernel unchanged");
    }
    let reasons = match changes.reboot_reasons.as_slice() {
        [] => String::new(),
        reasons => format!(": {}", reasons.join(", ")),
    };
    Line::new().with(Role::Warning, &format!("reboot needed{reasons}"))
}

/// What a host goes back to: `generation 41, the one before generation 42; made 2025-11-20 09:12Z`.
pub(super) fn target(target: &Target) -> String {
    let made = target.made.map(|made| format!("; made {}", made.strftime("%Y-%m-%d %H:%MZ")));
    format!("{}{}", target.said, made.unwrap_or_default())
}

/// A finished step in the report: `✓ build 38 s (2 derivations)`.
pub(super) fn step(step: StepId, outcome: StepOutcome, elapsed_ms: u64, summary: &str) -> Line {
    let summary = clean_line(summary);
    let mut line = Line::new().with(Role::of_step(outcome), step_sign(outcome));
    let name = match (step, outcome) {
        (StepId::Prove, StepOutcome::Passed) => "proved",
        (StepId::Commit, StepOutcome::Passed) => "committed",
        (_, StepOutcome::Passed) if is_told_by_summary(step) && !summary.is_empty() => {
            line.push(Role::Plain, &format!(" {summary}"));
            return line;
        }
        _ => step.as_str(),
    };
    line.push(Role::Plain, &format!(" {name}"));
    // A word such as "proved" stands alone unless the step was slow.
    let worth_a_time = if name == step.as_str() { 100 } else { 1_000 };
    match outcome {
        StepOutcome::Skipped if summary.is_empty() => line.push(Role::Dim, " skipped"),
        StepOutcome::Cancelled => line.push(Role::Dim, " cancelled"),
        StepOutcome::Passed | StepOutcome::Warned | StepOutcome::Failed if elapsed_ms >= worth_a_time => {
            line.push(Role::Plain, &format!(" {}", milliseconds(elapsed_ms)));
        }
        _ => {}
    }
    if !summary.is_empty() {
        line.push(Role::Plain, &format!(" ({summary})"));
    }
    line
}

/// Steps that look at the deployed host say it all in their summary: `✓ ssh, dns`.
fn is_told_by_summary(step: StepId) -> bool {
    matches!(step, StepId::Services | StepId::Resources | StepId::Network | StepId::Logs)
}

/// What the supervisor is doing, as a fragment.
pub(super) fn activation(state: &ActivationState) -> String {
    let phase = match state.phase {
        ActivationPhase::Starting => "supervisor starts",
        ActivationPhase::Waiting => "waits for another activation to end",
        ActivationPhase::Activating => "switches to the new system",
        ActivationPhase::Activated => "new system runs, waits for the proof",
        ActivationPhase::Committing => "makes the new system the boot default",
        ActivationPhase::Committed => "committed",
        ActivationPhase::Kept => "kept until the next reboot",
        ActivationPhase::BootOnly => "new system is the boot default",
        ActivationPhase::RollingBack => "rolls back",
        ActivationPhase::RolledBack => "rolled back, the old system runs",
        ActivationPhase::RollbackFailed => "rollback failed",
        ActivationPhase::Refused => "refused, nothing was changed",
    };
    let mut text = phase.to_owned();
    if let Some(code) = state.exit_code.filter(|code| *code != 0) {
        text.push_str(&format!(" (exit code {code})"));
    }
    let reason = clean_line(&state.reason);
    if !reason.is_empty() && is_a_setback(state.phase) {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// Whether a phase means that the new system does not stay.
pub(super) fn is_a_setback(phase: ActivationPhase) -> bool {
    matches!(
        phase,
        ActivationPhase::RollingBack
            | ActivationPhase::RolledBack
            | ActivationPhase::RollbackFailed
            | ActivationPhase::Refused
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;

    fn shown(line: &Line) -> String {
        page(80).render(line)
    }

    #[test]
    fn steps_read_as_in_the_report() {
        let line = |id, outcome, elapsed, summary| shown(&step(id, outcome, elapsed, summary));
        assert_eq!(line(StepId::Build, StepOutcome::Passed, 38_000, ""), "✓ build 38 s");
        assert_eq!(line(StepId::Changes, StepOutcome::Passed, 20, ""), "✓ changes");
        assert_eq!(
            line(StepId::Copy, StepOutcome::Passed, 3_100, "14 paths, 22 MiB"),
            "✓ copy 3.1 s (14 paths, 22 MiB)"
        );
        assert_eq!(line(StepId::Prove, StepOutcome::Passed, 340, ""), "✓ proved");
        assert_eq!(line(StepId::Prove, StepOutcome::Failed, 4_000, ""), "✗ prove 4.0 s");
        assert_eq!(line(StepId::Network, StepOutcome::Passed, 700, "ssh, dns"), "✓ ssh, dns");
        assert_eq!(line(StepId::Copy, StepOutcome::Skipped, 0, ""), "- copy skipped");
        assert_eq!(line(StepId::Verify, StepOutcome::Cancelled, 900, ""), "- verify cancelled");
        assert_eq!(line(StepId::Copy, StepOutcome::Warned, 200, "slow"), "! copy 0.2 s (slow)");
    }

    #[test]
    fn lists_are_cut_with_a_count() {
        assert_eq!(some_of(&["a", "b"], 3), "a, b");
        assert_eq!(some_of(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(some_of::<&str>(&[], 2), "");
    }

    #[test]
    fn a_rollback_says_why() {
        let state = ActivationState {
            phase: ActivationPhase::RollingBack,
            exit_code: Some(1),
            reason: "switch\u{7} failed".to_owned(),
            activation_ms: None,
        };
        assert_eq!(activation(&state), "rolls back (exit code 1): switch failed");
    }
}
