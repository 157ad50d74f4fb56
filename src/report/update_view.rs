//! An update as people follow it: its checks while they run, what they found,
//! what was decided, and where flake.lock stands.
//!
//! Owns the lines of every event of an update. Which packages change is shown
//! as in a preview by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::board::milliseconds_between;
use super::layout::{Line, Page};
use super::styles::{Role, step_sign};
use super::{preview_view, words};
use crate::event::{Envelope, Event};
use crate::model::text::plural;
use crate::model::{
    IssueAdvice, IssueFinding, IssueReport, IssueScope, IssueSeverity, LockFileState, RiskAssessment,
    RiskLevel, RiskReason, UpdateCheck, UpdateDecision, UpdateOffer, Verdict,
};

/// So many mild issues, and reasons of a risk, are shown; all of them with `-v`.
const SHOWN: usize = 10;

/// A check that runs.
#[derive(Clone, Debug)]
struct Running {
    started: Timestamp,
    doing: String,
}

/// The checks of an update that run.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks(BTreeMap<UpdateCheck, Running>);

impl Checks {
    /// Takes what an event says about checks.
    pub(super) fn take(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::UpdateCheckProgress { check, doing } => {
                let new = || Running { started: envelope.time, doing: String::new() };
                self.0.entry(*check).or_insert_with(new).doing.clone_from(doing);
            }
            Event::UpdateCheckFinished { check, .. } => drop(self.0.remove(check)),
            _ => {}
        }
    }

    /// A line for each check that runs; none when none does.
    pub(super) fn lines(&self, page: Page, columns: usize, now: Timestamp, count: usize) -> Vec<Line> {
        let width = columns.saturating_sub(1).max(1);
        let lines = self.0.iter().map(|(check, running)| {
            let mut line = Line::plain(page.styles().spinner(count)).with(Role::Plain, " ");
            line.push(Role::Strong, &format!("{:14}", check.as_str()));
            line.push(Role::Plain, &format!(" {}", running.doing));
            let time = words::milliseconds(milliseconds_between(running.started, now));
            let time = Line::new().with(Role::Dim, &format!(" {time:>7}"));
            let room = width.saturating_sub(time.width());
            let mut line = page.fit(line, room).padded(room);
            line.append(time);
            page.fit(line, width)
        });
        lines.collect()
    }

    /// What runs on, for output that is not redrawn.
    pub(super) fn progress(&self, now: Timestamp, at_least_ms: u64) -> Vec<Line> {
        let old =
            self.0.iter().filter(|(_, running)| milliseconds_between(running.started, now) >= at_least_ms);
        old.map(|(check, running)| {
            let time = words::milliseconds(milliseconds_between(running.started, now) / 1000 * 1000);
            Line::plain(&format!("{}: {} ({time})", check.as_str(), running.doing))
        })
        .collect()
    }
}

/// The lines of an event of an update; none for other events.
pub(super) fn describe(event: &Event, verbosity: u8, page: Page) -> Vec<Line> {
    match event {
        Event::UpdatePreview { preview } => preview_view::lines(preview, preview_view::most(verbosity), page),
        Event::UpdateCheckFinished { check, outcome, elapsed_ms, summary } => {
            let mut line = Line::new().with(Role::of_step(*outcome), step_sign(*outcome));
            line.push(Role::Plain, &format!(" {}: {summary}", check.as_str()));
            vec![line.with(Role::Dim, &format!(" ({})", words::milliseconds(*elapsed_ms)))]
        }
        Event::KnownIssues { report, afterwards } => issues(report, *afterwards, verbosity),
        Event::Risk { risk } => assessment(risk, verbosity),
        Event::UpdateOffer { offer } => self::offer(offer),
        Event::UpdateDecided { decision } => vec![decided(decision)],
        Event::NewPackages { host, packages } => {
            let names = words::some_of(packages, if verbosity > 0 { usize::MAX } else { 12 });
            let count = plural(packages.len(), "package");
            let line = Line::new().with(Role::Host, host.as_str());
            vec![line.with(Role::Plain, &format!(": {count} newly available: {names}"))]
        }
        Event::LockFile { state, path, remark } => vec![lock_file(*state, path, remark)],
        _ => Vec::new(),
    }
}

fn issues(report: &IssueReport, afterwards: bool, verbosity: u8) -> Vec<Line> {
    // What runs already is no news before an update, and all there is to tell after it.
    let is_shown = |finding: &&IssueFinding| {
        finding.ignored.is_none() && (afterwards || finding.scope == IssueScope::Update)
    };
    let shown: Vec<&IssueFinding> = report.findings.iter().filter(is_shown).collect();
    let mut lines = Vec::new();
    if shown.is_empty() {
        return lines;
    }
    let what = if afterwards { "known issues of what runs now" } else { "known issues of the update" };
    lines.push(Line::new().with(Role::Host, report.host.as_str()).with(Role::Plain, &format!(": {what}")));
    let mut mild = 0;
    for finding in &shown {
        if finding.severity == IssueSeverity::Medium {
            mild += 1;
            if mild > SHOWN && verbosity == 0 {
                continue;
            }
        }
        let role = match finding.severity {
            IssueSeverity::Critical => Role::Error,
            IssueSeverity::High => Role::Warning,
            IssueSeverity::Medium => Role::Plain,
        };
        let mut line = Line::plain("  ").with(role, &format!("{:8}", finding.severity.as_str()));
        line.push(Role::Strong, &format!(" {} {}", finding.package, finding.versions.join(", ")));
        lines.push(line.with(Role::Plain, &format!(": #{} {}", finding.number, finding.title)));
        lines.push(Line::plain("           ").with(Role::Path, &finding.url));
    }
    if mild > SHOWN && verbosity == 0 {
        let more = format!("  and {} that {} mild; all of them with -v", mild - SHOWN, are(mild - SHOWN));
        lines.push(Line::new().with(Role::Dim, &more));
    }
    // What blocks comes with offers, which say more.
    if report.advice != IssueAdvice::DoNotUpdate {
        lines.extend(report.hints.iter().map(|hint| Line::plain("  → ").with(Role::Plain, hint)));
    }
    lines
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn assessment(risk: &RiskAssessment, verbosity: u8) -> Vec<Line> {
    let role = of_level(risk.level);
    let mut lines = vec![match risk.level {
        RiskLevel::None => Line::plain("risk: ").with(role, "nothing was found that speaks against it"),
        level => Line::plain("risk: ").with(role, level.as_str()),
    }];
    let most = if verbosity > 0 { usize::MAX } else { SHOWN };
    // Issues have been told one by one.
    let is_told = |reason: &&RiskReason| reason.check == UpdateCheck::Issues && reason.host.is_some();
    let reasons: Vec<&RiskReason> = risk.reasons.iter().filter(|reason| !is_told(reason)).collect();
    for reason in reasons.iter().take(most) {
        let mut line = Line::plain("  ").with(of_level(reason.level), &format!("{:8}", reason.level.as_str()));
        let host = reason.host.as_ref().map_or(String::new(), |host| format!("{host}: "));
        line.push(Role::Plain, &format!(" {host}{}", reason.what));
        lines.push(line);
    }
    if reasons.len() > most {
        let more = format!("  and {} more; all of them with -v", reasons.len() - most);
        lines.push(Line::new().with(Role::Dim, &more));
    }
    lines.extend(risk.notes.iter().map(|note| Line::new().with(Role::Dim, &format!("  note: {note}"))));
    lines
}

fn of_level(level: RiskLevel) -> Role {
    match level {
        RiskLevel::None => Role::Ok,
        RiskLevel::Medium => Role::Warning,
        RiskLevel::High | RiskLevel::Critical => Role::Error,
    }
}

fn offer(offer: &UpdateOffer) -> Vec<Line> {
    match offer {
        UpdateOffer::HoldBack { input, others, brings } => {
            let what = format!("hold back {input}, which brings {brings}");
            let inputs = others.join(" --input ");
            let how = match others.len() {
                0 => "no other input moves: wait until it is mended".to_owned(),
                1 => format!("update the other one alone: --input {inputs}"),
                _ => format!("update the others alone: --input {inputs}"),
            };
            vec![offered(&what), Line::plain("    ").with(Role::Plain, &how)]
        }
        UpdateOffer::Pin { package, version, overlay } => {
            let mut lines =
                vec![offered(&format!("or keep {package} at {version}, with this in the configuration:"))];
            lines.push(Line::new());
            lines.extend(overlay.lines().map(|line| Line::plain("    ").with(Role::Path, line)));
            lines.push(Line::new());
            lines
        }
    }
}

fn offered(text: &str) -> Line {
    Line::plain("  → ").with(Role::Strong, text)
}

fn decided(decision: &UpdateDecision) -> Line {
    let (role, words) = match decision.verdict {
        Verdict::Apply => (Role::Ok, "the update is applied"),
        Verdict::Decline => (Role::Warning, "the update is not applied"),
        Verdict::Block => (Role::Error, "the update is blocked"),
    };
    Line::new().with(role, words).with(Role::Plain, &format!(": {}", decision.reason))
}

fn lock_file(state: LockFileState, path: &str, remark: &str) -> Line {
    let (role, words) = match state {
        LockFileState::Updated => (Role::Plain, "holds what is deployed now, until that has ended well"),
        LockFileState::Kept => (Role::Ok, "keeps what was deployed"),
        LockFileState::Restored => (Role::Warning, "is what it was before"),
        LockFileState::Recovered => (Role::Warning, "an update that was cut off has been taken back"),
        LockFileState::LeftAlone => (Role::Error, "was changed by somebody else, and is left as it is"),
    };
    let line = Line::new().with(Role::Path, path).with(Role::Plain, ": ").with(role, words);
    if remark.is_empty() { line } else { line.with(Role::Plain, &format!("; {remark}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DecidedBy, StepOutcome, VersionFit};
    use crate::report::layout::page;
    use crate::report::story::{NASTY, host, time};

    fn envelope(event: Event, at: u64) -> Envelope {
        Envelope { v: 1, run: crate::model::RunId::generate(), seq: 1, time: time(at), event }
    }

    fn shown(event: &Event) -> String {
        page(100).render_all(&describe(event, 0, page(100)))
    }

    fn finding(number: u64, severity: IssueSeverity, scope: IssueScope) -> IssueFinding {
        IssueFinding {
            number,
            title: NASTY.to_owned(),
            url: format!("https://github.com/NixOS/nixpkgs/issues/{number}"),
            package: "linux".to_owned(),
            versions: vec!["6.17".to_owned()],
            severity,
            version_fit: VersionFit::Affected,
            unaffected: None,
            why: String::new(),
            scope,
            ignored: None,
        }
    }

    #[test]
    fn each_check_that_runs_has_a_line_until_it_ends() {
        let mut checks = Checks::default();
        for check in UpdateCheck::ALL {
            checks.take(&envelope(Event::UpdateCheckProgress { check, doing: "asking".to_owned() }, 0));
        }
        assert_eq!(checks.lines(page(60), 60, time(2_000), 0).len(), 4);
        let outcome = StepOutcome::Passed;
        for check in UpdateCheck::ALL.into_iter().skip(1) {
            let event = Event::UpdateCheckFinished { check, outcome, elapsed_ms: 10, summary: String::new() };
            checks.take(&envelope(event, 10));
        }
        let lines = page(60).render_all(&checks.lines(page(60), 60, time(2_000), 0));
        assert!(lines.contains("known issues   asking") && lines.trim_end().ends_with("2.0 s"), "{lines}");
        assert!(checks.progress(time(2_000), 10_000).is_empty());
        assert_eq!(checks.progress(time(12_345), 10_000), [Line::plain("known issues: asking (12 s)")]);
    }

    #[test]
    fn only_what_the_update_brings_is_shown_before_it() {
        let report = |scope| IssueReport {
            host: host("p620"),
            packages: 1,
            issues: 1,
            as_of: None,
            findings: vec![finding(7, IssueSeverity::Critical, scope)],
            advice: IssueAdvice::Caution,
            hints: vec!["stay at linux 6.16".to_owned()],
            package_set: None,
        };
        let event = |scope, afterwards| Event::KnownIssues { report: Box::new(report(scope)), afterwards };
        assert_eq!(shown(&event(IssueScope::Running, false)), "");
        assert!(shown(&event(IssueScope::Running, true)).starts_with("p620: known issues of what runs now\n"));
        let text = shown(&event(IssueScope::Update, false));
        assert!(text.contains("critical linux 6.17: #7 evil name31m"), "{text}");
        assert!(text.ends_with("  → stay at linux 6.16\n"), "{text}");
    }

    #[test]
    fn an_assessment_has_its_reasons_and_many_are_cut() {
        let reason = |number: usize| RiskReason {
            level: RiskLevel::Medium,
            check: UpdateCheck::Hosts,
            host: Some(host("p620")),
            what: format!("reason {number}"),
        };
        let risk = RiskAssessment {
            level: RiskLevel::Medium,
            reasons: (0..12).map(reason).collect(),
            notes: vec!["a reboot".to_owned()],
        };
        let text = shown(&Event::Risk { risk: Box::new(risk) });
        assert!(text.starts_with("risk: medium\n  medium   p620: reason 0\n"), "{text}");
        assert!(text.ends_with("  and 2 more; all of them with -v\n  note: a reboot\n"), "{text}");
        let nothing = shown(&Event::Risk { risk: Box::default() });
        assert_eq!(nothing, "risk: nothing was found that speaks against it\n");
    }

    #[test]
    fn offers_can_be_copied_as_they_are() {
        let hold = UpdateOffer::HoldBack {
            input: "nixpkgs".to_owned(),
            others: vec!["a".to_owned(), "b".to_owned()],
            brings: "linux 6.17".to_owned(),
        };
        let text = shown(&Event::UpdateOffer { offer: Box::new(hold) });
        assert!(text.contains("--input a --input b"), "{text}");
        let pin = UpdateOffer::Pin {
            package: "linux".to_owned(),
            version: "6.16".to_owned(),
            overlay: "{\n  a = 1;\n}\n".to_owned(),
        };
        assert!(shown(&Event::UpdateOffer { offer: Box::new(pin) }).contains("\n    {\n      a = 1;\n    }\n"));
    }

    #[test]
    fn a_decision_and_the_lock_file_are_one_line_each() {
        let decision = UpdateDecision {
            verdict: Verdict::Decline,
            by: DecidedBy::Person,
            actor: "anna@laptop".to_owned(),
            reason: "the answer was no".to_owned(),
        };
        let text = shown(&Event::UpdateDecided { decision: Box::new(decision) });
        assert_eq!(text, "the update is not applied: the answer was no\n");
        let event = Event::LockFile {
            state: LockFileState::Restored,
            path: "/srv/flake.lock".to_owned(),
            remark: String::new(),
        };
        assert_eq!(shown(&event), "/srv/flake.lock: is what it was before\n");
    }
}
