//! `--output plain`: one line per thing that happens, for logs and pipes.
//!
//! Lines go to standard error as `host: step: what`; the end report goes to
//! standard output. While steps run silently, a line every ten seconds says
//! that they still do, so that a CI system does not take the run for dead.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;

use super::board::{Board, milliseconds_between, remark};
use super::findings::Told;
use super::gathered::Gathered;
use super::layout::{Line, Page};
use super::plan_view::{Detail, Plans};
use super::styles::{Role, sign_of};
use super::update_view::Checks;
use super::{Asking, Reporter, summary, update_view, words};
use crate::event::{Envelope, Event};
use crate::model::text::plural;
use crate::model::{HostName, Phase, Recovery, RecoveryOutcome, StepId, StepOutcome};

/// How often a step that runs on says so, in milliseconds.
const PROGRESS_EVERY: u64 = 10_000;
/// With more hosts than this at the same point, one line speaks for all.
const SPOKEN_ALONE: usize = 3;

/// Writes lines.
pub(crate) struct Plain {
    talk: Box<dyn Write + Send>,
    data: Box<dyn Write + Send>,
    talk_page: Page,
    data_page: Page,
    verbosity: u8,
    run: Gathered,
    board: Board,
    plans: Plans,
    told: Told,
    checks: Checks,
    last_progress: Option<Timestamp>,
}

impl Plain {
    /// Talk goes to `talk`, the end report to `data`.
    pub(super) fn new(
        (talk, talk_page): (Box<dyn Write + Send>, Page),
        (data, data_page): (Box<dyn Write + Send>, Page),
        verbosity: u8,
    ) -> Self {
        Self {
            talk,
            data,
            talk_page,
            data_page,
            verbosity,
            run: Gathered::default(),
            board: Board::default(),
            plans: Plans::default(),
            told: Told::default(),
            checks: Checks::default(),
            last_progress: None,
        }
    }

    fn say(&mut self, line: &Line) {
        let text = self.talk_page.render_all(std::slice::from_ref(line));
        // Where standard error is gone there is nobody left to tell.
        let _ = self.talk.write_all(text.as_bytes());
    }

    fn say_all(&mut self, lines: &[Line]) {
        lines.iter().for_each(|line| self.say(line));
    }

    fn detail(&self) -> Detail {
        if self.verbosity > 0 { Detail::Full } else { Detail::Compact }
    }

    fn progress(&mut self, now: Timestamp) {
        let checks = self.checks.progress(now, PROGRESS_EVERY);
        self.say_all(&checks);
        // Hosts that wait for one build say the same: they speak together.
        let mut groups: BTreeMap<(StepId, String, u64), Vec<HostName>> = BTreeMap::new();
        for state in &self.board.hosts {
            let Some((step, running)) = state.current() else { continue };
            let elapsed = milliseconds_between(running.started, now);
            if elapsed >= PROGRESS_EVERY {
                let key = (step, running.progress(), elapsed / 1000);
                groups.entry(key).or_default().push(state.host.clone());
            }
        }
        for ((step, progress, seconds), hosts) in groups {
            let doing = if progress.is_empty() { "still at it".to_owned() } else { progress };
            let what = format!("{doing} ({})", words::milliseconds(seconds * 1000));
            if hosts.len() > SPOKEN_ALONE {
                let all = Line::new().with(Role::Host, &plural(hosts.len(), "host"));
                self.say(&all.with(Role::Plain, &format!(": {step}: {what}")));
            } else {
                for host in hosts {
                    self.say(&prefix(&host, step).with(Role::Plain, &what));
                }
            }
        }
    }

    fn end(&mut self) {
        let text = self.data_page.render_all(&summary::run_report(&self.run, self.data_page));
        let written = self.data.write_all(text.as_bytes()).and_then(|()| self.data.flush());
        if let Some(text) = words::unwritten(&written) {
            self.notice(&text);
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, envelope: &Envelope) {
        self.board.take(envelope);
        self.run.take(&envelope.event);
        self.checks.take(envelope);
        let (detail, page) = (self.detail(), self.talk_page);
        let plans = self.plans.take(&envelope.event, detail, page);
        let finding = self.told.line(&envelope.event, self.verbosity);
        let told: Vec<Line> = finding.into_iter().chain(describe(&envelope.event, self.verbosity)).collect();
        let (first, second) = in_order(&envelope.event, plans, told);
        self.say_all(&first);
        self.say_all(&second);
        self.say_all(&update_view::describe(&envelope.event, self.verbosity, page));
        if matches!(envelope.event, Event::RunFinished { .. }) {
            self.end();
        }
    }

    fn tick(&mut self, now: Timestamp) {
        let last = *self.last_progress.get_or_insert(now);
        if milliseconds_between(last, now) >= PROGRESS_EVERY {
            self.last_progress = Some(now);
            self.progress(now);
        }
    }

    fn notice(&mut self, text: &str) {
        self.say(&Line::new().with(Role::Warning, "warning: ").with(Role::Plain, text));
    }

    fn before_question(&mut self, asking: Asking) {
        if asking == Asking::Confirm {
            let lines = self.plans.show_all(self.detail(), self.talk_page);
            self.say_all(&lines);
        }
    }
}

/// Plans stand above what is told of an event, but a wave above the plans of its hosts.
pub(super) fn in_order(event: &Event, plans: Vec<Line>, told: Vec<Line>) -> (Vec<Line>, Vec<Line>) {
    match event {
        Event::WaveStarted { .. } => (told, plans),
        _ => (plans, told),
    }
}

fn prefix(host: &HostName, step: StepId) -> Line {
    Line::new().with(Role::Host, host.as_str()).with(Role::Plain, &format!(": {step}: "))
}

fn subject(host: Option<&HostName>) -> Line {
    match host {
        Some(host) => Line::new().with(Role::Host, host.as_str()).with(Role::Plain, ": "),
        None => Line::new(),
    }
}

/// A warning with its hint, as every talking report words it.
pub(super) fn warning(host: Option<&HostName>, message: &str, hint: Option<&str>) -> Vec<Line> {
    let line = subject(host).with(Role::Warning, "warning: ").with(Role::Plain, message);
    let hint = hint.map(|hint| subject(host).with(Role::Dim, "hint: ").with(Role::Plain, hint));
    std::iter::once(line).chain(hint).collect()
}

/// `p620: recovered: WHY: WHAT CAME OF IT`, as every talking report words it.
pub(super) fn recovered(hosts: &[HostName], recovery: &Recovery) -> Line {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let (word, role) = match recovery.outcome {
        RecoveryOutcome::Helped => ("recovered: ", Role::Warning),
        RecoveryOutcome::InVain => ("tried in vain: ", Role::Error),
        RecoveryOutcome::Declined => ("declined: ", Role::Warning),
    };
    let mut line = Line::new().with(Role::Host, &words::some_of(&names, SPOKEN_ALONE));
    line.push(Role::Plain, ": ");
    line.with(role, word).with(Role::Plain, &recovery.to_string())
}

/// The line of an interruption, as every talking report words it.
pub(super) fn interruption(at_once: bool) -> Line {
    let text = match at_once {
        true => "interrupted again: leaving now; hosts settle themselves",
        false => {
            "interrupted: nothing new starts, running activations finish or undo; press Ctrl-C again to leave at once"
        }
    };
    Line::new().with(Role::Warning, text)
}

/// The lines of an event; none for what is shown otherwise.
pub(super) fn describe(event: &Event, verbosity: u8) -> Vec<Line> {
    match event {
        Event::RunStarted { actor, mode, action, flake, hosts, run_dir, command, .. } => {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            let hosts = words::some_of(&names, 8);
            let text = match command.as_str() {
                "rollback" => format!("roll {hosts} back ({action}, by {actor})"),
                _ => format!("{action} {hosts} from {flake} ({mode}, by {actor})"),
            };
            let mut lines = vec![Line::plain(&text)];
            if verbosity > 0 {
                lines.push(Line::plain("record and logs: ").with(Role::Path, run_dir));
            }
            lines
        }
        Event::Source { source } => match &source.commit {
            Some(commit) => {
                let state = if source.dirty { "dirty" } else { "clean" };
                let branch =
                    source.branch.as_ref().map_or(String::new(), |branch| format!(", branch {branch}"));
                let commit: String = commit.chars().take(7).collect();
                vec![Line::plain(&format!("commit {commit} ({state}{branch})"))]
            }
            None => vec![Line::plain("the configuration's repository has no commit yet")],
        },
        Event::WaveStarted { number, of, hosts } => {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            vec![Line::plain(&format!("wave {number} of {of}: {}", words::some_of(&names, 8)))]
        }
        Event::StepStarted { host, step } if verbosity > 0 || may_take_long(*step) => {
            vec![prefix(host, *step).with(Role::Plain, "started")]
        }
        Event::StepFinished { step, outcome, .. } if verbosity == 0 && goes_without_saying(*step, *outcome) => {
            Vec::new()
        }
        Event::StepFinished { host, step, outcome, elapsed_ms, summary } => {
            vec![step_end(host, *step, *outcome, *elapsed_ms, summary)]
        }
        Event::StepStarted { .. } => Vec::new(),
        // Told once for all hosts.
        Event::Finding { .. } => Vec::new(),
        Event::StepProgress { .. }
        | Event::Built { .. }
        | Event::Changes { .. }
        | Event::UnitPlan { .. }
        | Event::Observed { .. } => Vec::new(),
        Event::Facts { host, facts } if verbosity > 0 => {
            let generation = facts.generation.map_or("?".to_owned(), |number| number.to_string());
            let nix = facts.nix_version.as_deref().unwrap_or("unknown");
            let text = format!("generation {generation}, user {}, Nix {nix}", facts.user);
            vec![prefix(host, StepId::HostFacts).with(Role::Plain, &text)]
        }
        Event::Evaluated { host, out_path, .. } if verbosity > 0 => {
            vec![prefix(host, StepId::Evaluate).with(Role::Path, out_path.as_str())]
        }
        Event::Log { host, step, line } if verbosity > 0 => {
            vec![subject(host.as_ref()).with(Role::Plain, &format!("{step}: ")).with(Role::Dim, line)]
        }
        Event::Target { host, target } => {
            vec![prefix(host, StepId::Decide).with(Role::Plain, &format!("back to {}", words::target(target)))]
        }
        Event::Facts { .. } | Event::Evaluated { .. } | Event::Log { .. } => Vec::new(),
        Event::Activation { host, state } => {
            let role = if words::is_a_setback(state.phase) { Role::Error } else { Role::Plain };
            vec![prefix(host, StepId::Activate).with(role, &words::activation(state))]
        }
        Event::Warning { host, message, hint } => warning(host.as_ref(), message, hint.as_deref()),
        Event::Recovery { hosts, recovery, .. } => vec![recovered(hosts, recovery)],
        // The question itself is shown by whoever asks it.
        Event::Asked { .. } => Vec::new(),
        Event::Answered { question, yes, by_person } => {
            let answer = if *yes { "yes" } else { "no" };
            let by = if *by_person { "" } else { " (nobody was asked)" };
            vec![Line::plain(&format!("{question} {answer}{by}"))]
        }
        Event::Interrupted { at_once } => vec![interruption(*at_once)],
        Event::HostFinished { host, report } => {
            let role = Role::of_report(report);
            let outcome = format!("{} {}", sign_of(role), report.word());
            let mut line = subject(Some(host)).with(role, &outcome);
            line.push(Role::Plain, &format!(" in {}", words::milliseconds(report.elapsed_ms)));
            let remark = remark(report);
            if !remark.is_empty() {
                line.push(Role::Plain, &format!(": {remark}"));
            }
            vec![line]
        }
        Event::RunFinished { .. } => Vec::new(),
        // Events of an update are told in a file of their own.
        _ => Vec::new(),
    }
}

/// `p620: build: done in 38 s (2 derivations)`.
pub(super) fn step_end(
    host: &HostName,
    step: StepId,
    outcome: StepOutcome,
    elapsed_ms: u64,
    summary: &str,
) -> Line {
    let time = words::milliseconds(elapsed_ms);
    let role = Role::of_step(outcome);
    let mut line = match outcome {
        StepOutcome::Passed => prefix(host, step).with(Role::Plain, &format!("done in {time}")),
        StepOutcome::Warned => prefix(host, step).with(role, "done with warnings").with(Role::Plain, " in "),
        StepOutcome::Failed => prefix(host, step).with(role, "failed").with(Role::Plain, " after "),
        StepOutcome::Skipped => prefix(host, step).with(role, "skipped"),
        StepOutcome::Cancelled => prefix(host, step).with(role, "cancelled").with(Role::Plain, " after "),
    };
    if !matches!(outcome, StepOutcome::Passed | StepOutcome::Skipped) {
        line.push(Role::Plain, &time);
    }
    if !summary.is_empty() {
        line.push(Role::Plain, &format!(" ({summary})"));
    }
    line
}

/// Steps whose beginning is worth a line: a person may wait for their end.
fn may_take_long(step: StepId) -> bool {
    matches!(
        step,
        StepId::Evaluate | StepId::Build | StepId::Copy | StepId::Activate | StepId::Verify | StepId::Reboot
    )
}

/// Steps whose good end the report tells soon enough.
fn goes_without_saying(step: StepId, outcome: StepOutcome) -> bool {
    matches!(outcome, StepOutcome::Passed | StepOutcome::Skipped)
        && (step.phase() == Phase::Observe || matches!(step, StepId::Git | StepId::Decide | StepId::Settle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::model::ActivationPhase;
    use crate::report::layout::page;
    use crate::report::story::{Broken, NASTY, Paper, Story, host, success, time};

    fn plain(verbosity: u8) -> (Plain, Paper, Paper) {
        let (talk, data) = (Paper::default(), Paper::default());
        let (talk_end, data_end) = (Box::new(talk.clone()), Box::new(data.clone()));
        (Plain::new((talk_end, page(80)), (data_end, page(80)), verbosity), talk, data)
    }

    #[test]
    fn talk_and_report_go_to_different_streams() {
        let story = Story::of(&["p620"])
            .step("p620", StepId::Build, 1_000, 39_000)
            .activation("p620", 39_100, ActivationPhase::RollingBack, "unit failed")
            .at(39_200, Event::Interrupted { at_once: false })
            .ended("p620", 40_000, success())
            .finished(40_000, exit::OK);
        let (mut reporter, talk, data) = plain(0);
        story.tell(&mut reporter);
        let expected = "\
switch p620 from . (standard, by anna@laptop)
commit 4f2c1aa (clean, branch main)
p620: build: started
p620: build: done in 38 s
p620: activate: rolls back: unit failed
interrupted: nothing new starts, running activations finish or undo; press Ctrl-C again to leave at once
p620: ! SUCCESS WITH WARNINGS in 2m 45s: generation 1235 → 1236
";
        assert_eq!(talk.take(), expected);
        assert!(data.take().starts_with("DEPLOYMENT REPORT: p620"));
    }

    #[test]
    fn a_repository_without_a_commit_is_one_all_the_same() {
        let said = describe(&Event::Source { source: crate::model::SourceState::default() }, 0);
        assert_eq!(said, [Line::plain("the configuration's repository has no commit yet")]);
    }

    #[test]
    fn a_report_that_nobody_gets_is_told() {
        for (kind, told) in [(std::io::ErrorKind::BrokenPipe, false), (std::io::ErrorKind::StorageFull, true)] {
            let talk = Paper::default();
            let data = Box::new(Broken(kind));
            let mut plain = Plain::new((Box::new(talk.clone()), page(80)), (data, page(80)), 0);
            Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK).tell(&mut plain);
            let text = talk.take();
            assert_eq!(
                text.contains("warning: the report cannot be written to standard output: "),
                told,
                "{text}"
            );
        }
    }

    #[test]
    fn an_attempt_to_recover_says_why_and_what_came_of_it() {
        let recovery = |recovery: Recovery, names: &[&str]| Event::Recovery {
            hosts: names.iter().map(|name| host(name)).collect(),
            step: StepId::Copy,
            recovery: Box::new(recovery),
        };
        let what = crate::model::RecoveryKind::CollectGarbage;
        let story = Story::default()
            .at(0, recovery(Recovery::helped(what, "full", "95 MiB were freed"), &["p620"]))
            .at(1, recovery(Recovery::in_vain(what, NASTY, "nothing"), &["a", "b", "c", "d", "e"]));
        let (mut reporter, talk, _) = plain(0);
        story.tell(&mut reporter);
        assert_eq!(
            talk.take(),
            "p620: recovered: full: 95 MiB were freed\na, b, c and 2 more: tried in vain: evil name31m: nothing\n"
        );
    }

    #[test]
    fn a_step_that_runs_on_says_so_every_ten_seconds() {
        let (mut reporter, talk, _) = plain(0);
        // The build is ahead of its step.
        let story = Story::of(&["p620"]).progress("p620", StepId::Build, 0, "building linux", (12, 40));
        story.started("p620", StepId::Build, 0).tell(&mut reporter);
        talk.take();
        let mut said = String::new();
        for tick in 0..=250 {
            reporter.tick(time(tick * 100));
            said.push_str(&talk.take());
        }
        let expected = "p620: build: 12/40 building linux (10 s)\np620: build: 12/40 building linux (20 s)\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn many_hosts_at_the_same_point_speak_with_one_voice() {
        let (mut reporter, talk, _) = plain(0);
        let mut story = Story::of(&["a", "b", "c", "d"]);
        for name in ["a", "b", "c", "d"] {
            story = story.started(name, StepId::Build, 0);
            story = story.progress(name, StepId::Build, 0, "building linux", (12, 40));
        }
        story.tell(&mut reporter);
        talk.take();
        reporter.tick(time(0));
        reporter.tick(time(10_000));
        assert_eq!(talk.take(), "4 hosts: build: 12/40 building linux (10 s)\n");
    }

    #[test]
    fn logs_are_shown_on_demand_and_cleaned() {
        let log = Event::Log { host: Some(host("p620")), step: StepId::Activate, line: NASTY.to_owned() };
        let story = Story::default().at(0, log);
        let (mut reporter, talk, _) = plain(0);
        story.tell(&mut reporter);
        assert_eq!(talk.take(), "");
        let (mut reporter, talk, _) = plain(1);
        story.tell(&mut reporter);
        assert_eq!(talk.take(), "p620: activate: evil name31m\n");
    }

    #[test]
    fn a_question_is_preceded_by_the_plans_and_an_assumed_answer_is_told() {
        let (mut reporter, talk, _) = plain(0);
        Story::default().plan("p620", 10).tell(&mut reporter);
        reporter.before_question(Asking::Password);
        assert_eq!(talk.take(), "");
        reporter.before_question(Asking::Confirm);
        assert!(talk.take().starts_with("p620 would change\n"));
        let question = "Continue?".to_owned();
        Story::default().at(0, Event::Answered { question, yes: true, by_person: false }).tell(&mut reporter);
        assert_eq!(talk.take(), "Continue? yes (nobody was asked)\n");
    }
}
