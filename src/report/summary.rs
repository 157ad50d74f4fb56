//! The end of a run: the reports of its hosts, a table and the exit code.
//!
//! One host needs no table. With several, hosts at which nothing happened
//! appear in the table only, failed ones come last (nearest to the prompt),
//! and a failure that several hosts share is told once.

use std::collections::BTreeMap;

use super::end_report::{generations, host_report};
use super::gathered::{Gathered, RunEnd};
use super::layout::{Line, Page};
use super::styles::{Role, sign_of};
use super::words;
use crate::model::text::plural;
use crate::model::{Failure, HostName, HostOutcome, HostReport};

/// The widest column of host names.
const WIDEST_NAME: usize = 30;
/// How many hosts that were not started are named.
const NAMED: usize = 8;

/// Everything that is shown at the end of a run.
pub(super) fn run_report(run: &Gathered, page: Page) -> Vec<Line> {
    let mut lines = Vec::new();
    let several = run.reports.len() > 1;
    let mut told: Vec<(&HostName, &Failure)> = Vec::new();
    let (well, failed): (Vec<_>, Vec<_>) =
        run.reports.iter().partition(|(_, report)| report.outcome.is_success());
    for (host, report) in well.into_iter().chain(failed) {
        if several && is_told_by_table(report) {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        let same = told.iter().find(|(_, failure)| report.failure.as_ref() == Some(failure));
        match same {
            Some((other, _)) => lines.extend(host_report(host, &as_told(report, other), run, page)),
            None => lines.extend(host_report(host, report, run, page)),
        }
        told.extend(report.failure.as_ref().map(|failure| (host, failure)));
    }
    if several {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.extend(table(run, page));
        lines.extend(not_started(run).into_iter().flat_map(|line| page.flow(vec![line], "", page.width())));
    }
    if let Some(end) = &run.end {
        lines.extend(closing(run, end, page));
    }
    lines
}

fn is_told_by_table(report: &HostReport) -> bool {
    let is_told = match report.outcome {
        HostOutcome::Unchanged => report.failure.is_none(),
        // The reason stands below the table.
        HostOutcome::Skipped => true,
        _ => false,
    };
    is_told && report.warnings.is_empty()
}

/// `Not started: db, mail, web-1 (p620, which went first, failed)`, by reason.
fn not_started(run: &Gathered) -> Vec<Line> {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let place = |host: &HostName| run.hosts.iter().position(|other| other == host);
    let mut skipped: Vec<&(HostName, HostReport)> =
        run.reports.iter().filter(|(_, report)| report.outcome == HostOutcome::Skipped).collect();
    skipped.sort_by_key(|(host, _)| place(host));
    for (host, report) in skipped {
        let Some(failure) = &report.failure else { continue };
        let told = format!("{host} was not started: ");
        let reason = failure.message.strip_prefix(&told).unwrap_or(&failure.message);
        by_reason.entry(reason.to_owned()).or_default().push(host.as_str());
    }
    let line = |(reason, hosts): (String, Vec<&str>)| {
        Line::plain("Not started: ")
            .with(Role::Host, &words::some_of(&hosts, NAMED))
            .with(Role::Plain, &format!(" ({reason})"))
    };
    by_reason.into_iter().map(line).collect()
}

/// The report with its failure reduced to a reference.
fn as_told(report: &HostReport, other: &HostName) -> HostReport {
    let mut report = report.clone();
    if let Some(failure) = &mut report.failure {
        failure.causes = vec![format!("the same as on {other}, see above")];
        failure.evidence.clear();
        failure.hints.clear();
    }
    report
}

fn table(run: &Gathered, page: Page) -> Vec<Line> {
    let longest = run.reports.iter().map(|(host, _)| host.as_str().len()).max().unwrap_or(0);
    let name_width = longest.clamp(4, WIDEST_NAME.min(page.width() / 3));
    let outcomes = run.reports.iter().map(|(_, report)| report.word().len());
    let outcome_width = outcomes.max().unwrap_or(0).max(7);
    // A column that does not fit whole is left out.
    let widths = [name_width + 2, outcome_width + 4, 9, 16];
    let row = |cells: [Line; 4]| {
        let mut row = Line::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            if row.width() + width > page.width() + 2 {
                break;
            }
            row.append(page.fit(cell, width - 2).padded(width));
        }
        row
    };
    let heading = ["HOST", "  OUTCOME", "TIME", "GENERATION"];
    let mut lines = vec![row(heading.map(|text| Line::new().with(Role::Dim, text)))];
    // In the order of the command line; a host that ended without being selected comes last.
    let place = |host: &HostName| run.hosts.iter().position(|other| other == host).unwrap_or(usize::MAX);
    let mut reports: Vec<_> = run.reports.iter().collect();
    reports.sort_by_key(|(host, _)| place(host));
    for (host, report) in reports {
        let role = Role::of_report(report);
        let outcome = format!("{} {}", sign_of(role), report.word());
        lines.push(row([
            page.host_name(host.as_str(), name_width),
            Line::new().with(role, &outcome),
            Line::plain(&words::milliseconds(report.elapsed_ms)),
            Line::plain(&generations(report).unwrap_or_default()),
        ]));
    }
    lines
}

fn closing(run: &Gathered, end: &RunEnd, page: Page) -> Vec<Line> {
    let mut lines = Vec::new();
    match run.reports.len() {
        0 => lines.push(Line::plain("No host was deployed.")),
        1 => {}
        _ => lines.extend(page.flow(vec![totals(run, end)], "", page.width())),
    }
    if end.exit_code != 0 {
        let text = format!("Exit code {}: {}", end.exit_code, end.meaning);
        lines.extend(page.flow(vec![Line::new().with(Role::Strong, &text)], "", page.width()));
    }
    lines
}

/// `3 hosts in 2m 50s: 1 success, 1 unchanged, 1 rolled back`.
fn totals(run: &Gathered, end: &RunEnd) -> Line {
    let mut counts: BTreeMap<&str, (usize, Role)> = BTreeMap::new();
    for (_, report) in &run.reports {
        let role = Role::of_report(report);
        counts.entry(report.word()).or_insert((0, role)).0 += 1;
    }
    let time = words::milliseconds(end.elapsed_ms);
    let mut line = Line::plain(&format!("{} in {time}: ", plural(run.reports.len(), "host")));
    for (index, (outcome, (count, role))) in counts.into_iter().enumerate() {
        if index > 0 {
            line.push(Role::Plain, ", ");
        }
        line.push(role, &format!("{count} {}", outcome.to_lowercase()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::report::layout::page;
    use crate::report::story::{Story, rolled_back, success, unchanged};

    fn gathered(story: &Story) -> Gathered {
        let mut run = Gathered::default();
        story.envelopes().iter().for_each(|envelope| run.take(&envelope.event));
        run
    }

    fn shown(story: &Story, columns: usize) -> String {
        page(columns).render_all(&run_report(&gathered(story), page(columns)))
    }

    #[test]
    fn a_run_without_hosts_says_so_with_its_exit_code() {
        let text = shown(&Story::of(&[]).finished(100, exit::USAGE), 80);
        assert_eq!(text, "No host was deployed.\nExit code 2: wrong usage or configuration\n");
    }

    #[test]
    fn one_host_needs_no_table() {
        let story = Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK);
        let text = shown(&story, 80);
        assert!(text.starts_with("DEPLOYMENT REPORT: p620"));
        assert!(!text.contains("GENERATION") && !text.contains("Exit code"), "{text}");
    }

    #[test]
    fn several_hosts_end_with_a_table_in_the_order_of_the_command_line() {
        let story = Story::of(&["p620", "p510", "razer"])
            .ended("razer", 10, unchanged())
            .ended("p510", 20, success())
            .ended("p620", 30, rolled_back())
            .finished(170_000, exit::ROLLED_BACK);
        let text = shown(&story, 80);
        let table = text.split("\n\n").last().unwrap();
        let expected = "\
HOST     OUTCOME                TIME     GENERATION
p620   ✗ ROLLED BACK            1m 12s   1235
p510   ! SUCCESS WITH WARNINGS  2m 45s   1235 → 1236
razer  ✓ UNCHANGED              1.2 s    1235
3 hosts in 2m 50s: 1 rolled back, 1 success with warnings, 1 unchanged
Exit code 6: deploy failed, host is back on its old system
";
        assert_eq!(table, expected);
        assert!(!text.contains("DEPLOYMENT REPORT: razer"), "the table tells it");
        assert!(text.find("REPORT: p510") < text.find("REPORT: p620"), "failures come last");
    }

    #[test]
    fn what_was_not_reached_declined_or_interrupted_has_not_failed() {
        use crate::model::{Failure, FailureClass};
        let ended = |class, unreached| {
            let failure = Some(Failure { unreached, ..Failure::new(class, "why") });
            let (outcome, old, truth) = (HostOutcome::Failed, None, None);
            HostReport { outcome, old, truth, failure, ..rolled_back() }
        };
        let mut lost = ended(FailureClass::Unfit, true);
        lost.old = Some(crate::report::story::system("old"));
        let story = Story::of(&["a", "b", "c", "d", "e"])
            .ended("a", 10, ended(FailureClass::Unfit, true))
            .ended("b", 10, ended(FailureClass::Declined, false))
            .ended("c", 10, ended(FailureClass::Interrupted, false))
            .ended("d", 10, ended(FailureClass::Unfit, false))
            .ended("e", 10, lost)
            .finished(20, exit::UNFIT);
        let text = shown(&story, 80);
        for told in [
            "a     ✗ UNREACHABLE",
            "b     ! DECLINED",
            "c     ! INTERRUPTED",
            "d     ✗ FAILED",
            "e     ✗ FAILED",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(
            text.contains("5 hosts in 0.0 s: 1 declined, 2 failed, 1 interrupted, 1 unreachable"),
            "{text}"
        );
        assert!(text.contains("Done          it was not reached: nothing was changed by this run"), "{text}");
    }

    #[test]
    fn hosts_that_were_not_started_are_told_by_the_table_and_one_reason() {
        use crate::model::{Failure, FailureClass};
        let skipped = |host: &str| {
            let message = format!("{host} was not started: p620, which went first, failed");
            let failure = Some(Failure::new(FailureClass::Blocked, message));
            HostReport { outcome: HostOutcome::Skipped, failure, warnings: Vec::new(), ..rolled_back() }
        };
        let story = Story::of(&["p620", "p510", "razer"])
            .ended("p620", 30, rolled_back())
            .ended("razer", 31, skipped("razer"))
            .ended("p510", 32, skipped("p510"))
            .finished(40, exit::ROLLED_BACK);
        let text = shown(&story, 80);
        assert!(!text.contains("REPORT: p510") && !text.contains("REPORT: razer"), "{text}");
        let told =
            "razer  ! SKIPPED      1m 12s   1235\nNot started: p510, razer (p620, which went first, failed)\n";
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn a_failure_that_hosts_share_is_told_once() {
        let names: Vec<String> = (0..40).map(|number| format!("host-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut story = Story::of(&names);
        for name in &names {
            story = story.ended(name, 10, rolled_back());
        }
        let text = shown(&story.finished(20, exit::ROLLED_BACK), 80);
        assert_eq!(text.matches("err=\"error").count(), 1);
        assert_eq!(text.matches("the same as on host-0, see above").count(), 39);
        assert!(text.contains("40 hosts in 0.0 s: 40 rolled back"));
    }

    #[test]
    fn a_narrow_table_leaves_out_whole_columns() {
        let story = Story::of(&["p620", "p510"])
            .ended("p620", 10, success())
            .ended("p510", 20, unchanged())
            .finished(30, exit::OK);
        let text = shown(&story, 40);
        assert!(text.contains("\np510  ✓ UNCHANGED"), "{text}");
        assert!(!text.contains("GENERATION"));
    }
}
