//! `--output quiet`: only what went wrong, on standard error.
//!
//! A run in which everything is well says nothing at all.

use std::io::Write;

use super::board::remark;
use super::gathered::Gathered;
use super::layout::{Line, Page};
use super::plain::step_end;
use super::styles::Role;
use super::{Reporter, words};
use crate::event::{Envelope, Event};
use crate::model::StepOutcome;

/// Writes failures.
pub(crate) struct Quiet {
    talk: Box<dyn Write + Send>,
    page: Page,
    run: Gathered,
}

impl Quiet {
    pub(super) fn new(talk: Box<dyn Write + Send>, page: Page) -> Self {
        Self { talk, page, run: Gathered::default() }
    }

    fn say(&mut self, line: &Line) {
        let text = self.page.render_all(std::slice::from_ref(line));
        // Where standard error is gone there is nobody left to tell.
        let _ = self.talk.write_all(text.as_bytes());
    }

    /// One line per failing host; where no host says why the run failed, the
    /// exit code does.
    fn end(&mut self) {
        let mut lines = Vec::new();
        for (host, report) in &self.run.reports {
            if report.outcome.is_success() {
                continue;
            }
            let mut line = Line::new().with(Role::Host, host.as_str()).with(Role::Plain, ": ");
            line.push(Role::of_report(report), report.word());
            line.push(Role::Plain, &format!(" after {}", words::milliseconds(report.elapsed_ms)));
            let causes = report.failure.iter().flat_map(|failure| &failure.causes);
            for part in std::iter::once(&remark(report)).chain(causes).filter(|part| !part.is_empty()) {
                line.push(Role::Plain, &format!(": {part}"));
            }
            lines.push(line);
        }
        if let Some(end) = self.run.end.as_ref().filter(|end| end.exit_code != 0 && lines.is_empty()) {
            lines.push(Line::plain(&format!("exit code {}: {}", end.exit_code, end.meaning)));
        }
        lines.iter().for_each(|line| self.say(line));
    }
}

impl Reporter for Quiet {
    fn event(&mut self, envelope: &Envelope) {
        self.run.take(&envelope.event);
        match &envelope.event {
            Event::StepFinished { host, step, outcome: StepOutcome::Failed, elapsed_ms, summary } => {
                self.say(&step_end(host, *step, StepOutcome::Failed, *elapsed_ms, summary));
            }
            Event::RunFinished { .. } => self.end(),
            _ => {}
        }
    }

    fn notice(&mut self, text: &str) {
        self.say(&Line::new().with(Role::Warning, "warning: ").with(Role::Plain, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::report::layout::page;
    use crate::report::story::{Paper, Story, rolled_back, success};

    fn shown(story: &Story) -> String {
        let paper = Paper::default();
        story.tell(&mut Quiet::new(Box::new(paper.clone()), page(80)));
        paper.take()
    }

    #[test]
    fn a_good_run_says_nothing() {
        let story = Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK);
        assert_eq!(shown(&story), "");
    }

    #[test]
    fn each_failing_host_has_one_last_line() {
        let story = Story::of(&["p620", "p510"])
            .ended("p510", 10, success())
            .ended("p620", 20, rolled_back())
            .finished(30, exit::ROLLED_BACK);
        let expected = "p620: ROLLED BACK after 1m 12s: prometheus.service failed after the activation: \
                        its main process ended with exit code 1 (Result=exit-code, 3 restarts)\n";
        assert_eq!(shown(&story), expected);
    }

    #[test]
    fn a_failure_without_a_host_is_told_by_its_exit_code() {
        let story = Story::of(&[]).finished(30, exit::INTERRUPTED);
        assert_eq!(shown(&story), "exit code 130: interrupted\n");
    }
}
