//! Reports for GitHub Actions: annotations, logs in groups, a step summary.
//!
//! Active where `GITHUB_ACTIONS` is `true`, beside the other reporters. The
//! runner reads commands such as `::error::` from everything that is printed, so
//! commands are stopped with a random word for the whole run (docs.github.com,
//! "Workflow commands", `stop-commands`): nothing that a host or a build prints
//! can be one. Each of ours is one write that lets commands in and stops them
//! again.
//!
//! Everything goes to standard error: standard output carries data.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::Reporter;
use super::files::KeptMarkdown;
use super::findings::{data, property};
use super::gathered::Gathered;
use super::words;
use crate::event::{Envelope, Event};
use crate::model::text::clean_line;
use crate::model::{Finding, HostName, HostOutcome, HostReport, Severity};

/// GitHub shows ten of a kind for each step.
const ANNOTATIONS: usize = 10;
/// Lines of a host's log that its group holds.
const LINES: usize = 2_000;
/// GitHub refuses a summary of more than 1 MiB.
const SUMMARY: usize = 1 << 20;
/// How long the end of a run waits for the summary's disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the runner is told.
pub(crate) struct Actions {
    talk: Box<dyn Write + Send>,
    /// Where the summary belongs.
    summary: Option<PathBuf>,
    markdown: (KeptMarkdown, Box<dyn Reporter>),
    run: Gathered,
    /// Lines of each host; those of all are under no name.
    logs: BTreeMap<Option<HostName>, Vec<String>>,
    /// The word that lets commands in again.
    token: String,
    trouble: Option<String>,
}

impl Actions {
    /// Tells the runner on standard error, and writes to its summary file.
    pub(crate) fn new(summary: Option<PathBuf>) -> Self {
        Self::over(Box::new(std::io::stderr()), summary, uuid::Uuid::new_v4().simple().to_string())
    }

    fn over(talk: Box<dyn Write + Send>, summary: Option<PathBuf>, token: String) -> Self {
        let kept = KeptMarkdown::default();
        let reporter = kept.reporter();
        let mut actions = Self {
            talk,
            summary,
            markdown: (kept, reporter),
            run: Gathered::default(),
            logs: BTreeMap::new(),
            token,
            trouble: None,
        };
        let stop = format!("::stop-commands::{}\n", actions.token);
        actions.write(&stop);
        actions
    }

    /// One write: another thread's line may come before or after it, not within.
    fn write(&mut self, text: &str) {
        // Where standard error is gone there is nobody left to tell.
        let _ = self.talk.write_all(text.as_bytes()).and_then(|()| self.talk.flush());
    }

    /// Lets commands in for these lines only.
    fn command(&mut self, commands: &str) {
        let text = format!("::{0}::\n{commands}::stop-commands::{0}\n", self.token);
        self.write(&text);
    }

    /// Foreign lines below a title that can be opened.
    fn group(&mut self, title: &str, lines: &[String]) {
        let mut text = format!("::{0}::\n::group::{1}\n::stop-commands::{0}\n", self.token, data(title));
        for line in lines {
            text.push_str(&clean_line(line));
            text.push('\n');
        }
        text.push_str(&format!("::{0}::\n::endgroup::\n::stop-commands::{0}\n", self.token));
        self.write(&text);
    }

    fn host_ended(&mut self, host: &HostName, report: &HostReport) {
        let mut lines: Vec<String> = report
            .steps
            .iter()
            .map(|record| {
                let summary =
                    if record.summary.is_empty() { String::new() } else { format!(" ({})", record.summary) };
                let time = words::milliseconds(record.elapsed_ms);
                format!("{} {}: {time}{summary}", record.step.phase(), record.step)
            })
            .collect();
        lines.extend(self.logs.remove(&Some(host.clone())).unwrap_or_default());
        let outcome = report.word().to_lowercase();
        self.group(&format!("{host}: {outcome} in {}", words::milliseconds(report.elapsed_ms)), &lines);
        let annotations =
            annotations(host, report, self.run.findings.get(host).map(Vec::as_slice).unwrap_or_default());
        if !annotations.is_empty() {
            self.command(&annotations);
        }
    }

    fn write_summary(&mut self) {
        self.markdown.1.finish();
        let (Some(path), Some(text)) = (self.summary.as_ref(), self.markdown.0.get()) else { return };
        // Other commands of the same step may have written there.
        let written = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let room = SUMMARY.saturating_sub(usize::try_from(written).unwrap_or(SUMMARY));
        let text = shortened(text, room);
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            self.trouble = Some(format!("the step summary was not written: {error}"));
        }
    }
}

/// As much of a text as there is room for, in whole lines.
fn shortened(text: &str, room: usize) -> String {
    const NOTE: &str = "\n\nThe report is longer than a step summary may be.\n";
    if text.len() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(NOTE.len());
    let lines = text.split_inclusive('\n').take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let short: String = lines.collect();
    if short.is_empty() { String::new() } else { short + NOTE }
}

fn annotations(host: &HostName, report: &HostReport, findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut add = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if let Some(failure) = &report.failure {
        let title = format!("{host}: {}", report.word().to_lowercase());
        let mut message = failure.message.clone();
        for more in failure.causes.iter().chain(&failure.hints) {
            message.push('\n');
            message.push_str(&clean_line(more));
        }
        add(format!("::error title={}::{}", property(&title), data(&message)));
    } else if report.outcome == HostOutcome::Skipped {
        add(format!(
            "::warning title={}::{}",
            property(&format!("{host}: skipped")),
            data("it was not started")
        ));
    }
    for warning in report.warnings.iter().take(ANNOTATIONS) {
        add(format!("::warning title={}::{}", property(host.as_str()), data(&clean_line(warning))));
    }
    let mut worst: Vec<&Finding> = findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in
        worst.into_iter().filter(|finding| finding.severity > Severity::Information).take(ANNOTATIONS)
    {
        add(super::findings::annotation(finding));
    }
    text
}

impl Reporter for Actions {
    fn event(&mut self, envelope: &Envelope) {
        self.markdown.1.event(envelope);
        self.run.take(&envelope.event);
        match &envelope.event {
            Event::Log { host, step, line } => {
                let lines = self.logs.entry(host.clone()).or_default();
                if lines.len() < LINES {
                    lines.push(format!("{step}: {line}"));
                }
            }
            Event::Warning { host: None, message, hint } => {
                let hint = hint.as_ref().map(|hint| format!("\n{}", clean_line(hint))).unwrap_or_default();
                let message = data(&format!("{}{hint}", clean_line(message)));
                self.command(&format!("::warning title=nix-deploy::{message}\n"));
            }
            Event::HostFinished { host, report } => self.host_ended(host, report),
            Event::RunFinished { .. } => {
                for (host, lines) in std::mem::take(&mut self.logs) {
                    let title = host.map_or("log of all hosts".to_owned(), |host| format!("{host}: log"));
                    self.group(&title, &lines);
                }
            }
            _ => {}
        }
    }

    fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn finish(&mut self) {
        self.write_summary();
        let text = format!("::{}::\n", self.token);
        self.write(&text);
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn overdue(&self) -> &'static str {
        "the step summary is not written: its disk does not answer"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::model::StepId;
    use crate::report::story::{NASTY, Paper, Story, host, rolled_back, success};

    fn told(story: &Story, summary: Option<PathBuf>) -> String {
        let paper = Paper::default();
        let mut actions = Actions::over(Box::new(paper.clone()), summary, "secretword".to_owned());
        story.tell(&mut actions);
        actions.finish();
        assert_eq!(actions.trouble(), None);
        paper.take()
    }

    /// The commands that the runner would obey: what is printed while they are let in.
    fn obeyed(text: &str) -> Vec<&str> {
        let mut stopped = false;
        let mut obeyed = Vec::new();
        for line in text.lines() {
            match line.trim_start() {
                "::secretword::" => stopped = false,
                "::stop-commands::secretword" => stopped = true,
                line if !stopped && (line.starts_with("::") || line.contains("##[")) => obeyed.push(line),
                _ => {}
            }
        }
        obeyed
    }

    #[test]
    fn a_failed_host_is_an_error_and_its_log_a_group() {
        let log =
            Event::Log { host: Some(host("p620")), step: StepId::Activate, line: "starting web".to_owned() };
        let story = Story::of(&["p620", "p510"])
            .at(5, log)
            .ended("p620", 10, rolled_back())
            .ended("p510", 12, success())
            .finished(20, exit::ROLLED_BACK);
        let text = told(&story, None);
        let commands = obeyed(&text);
        assert_eq!(commands[0], "::group::p620: rolled back in 1m 12s");
        assert!(text.contains("\nactivate: starting web\n"), "{text}");
        let error = "::error title=p620%3A rolled back::prometheus.service failed after the activation%0Aits main process";
        assert!(commands.iter().any(|command| command.starts_with(error)), "{commands:?}");
        assert!(commands.contains(&"::warning title=p510::1 unit had failed before this deploy: foo.service"));
        assert!(text.ends_with("::secretword::\n"));
    }

    #[test]
    fn nothing_foreign_is_ever_a_command() {
        let evil = format!("::error::x\n::set-output name=a::b ##[add-mask]c {NASTY}");
        let mut report = rolled_back();
        report.warnings = vec![evil.clone()];
        report.steps[0].summary.clone_from(&evil);
        if let Some(failure) = &mut report.failure {
            failure.message.clone_from(&evil);
            failure.evidence = vec![evil.clone()];
        }
        let line =
            |line: &str| Event::Log { host: Some(host("p620")), step: StepId::Build, line: line.to_owned() };
        let story = Story::of(&["p620"])
            .at(1, line("::add-path::/evil"))
            .at(2, line("::endgroup::"))
            .at(3, Event::Warning { host: None, message: evil, hint: None })
            .ended("p620", 10, report)
            .finished(20, exit::ROLLED_BACK);
        let text = told(&story, None);
        for command in obeyed(&text) {
            let known = [
                "::group::p620",
                "::endgroup::",
                "::error title=p620",
                "::warning title=p620",
                "::warning title=nix-deploy",
            ];
            assert!(known.iter().any(|known| command.starts_with(known)), "{command}");
        }
        assert!(!text.replace('\n', "").contains(char::is_control));
    }

    #[test]
    fn the_summary_is_added_to_what_is_there_and_never_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        std::fs::write(&path, "before\n").unwrap();
        let story = Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK);
        told(&story, Some(path.clone()));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("before\n# Deployment: success\n"), "{text}");
        assert_eq!(shortened("ab\ncd\n", 6), "ab\ncd\n");
        let long = "0123456789\n".repeat(20);
        let short = shortened(&long, 100);
        assert!(
            short.len() <= 100 && short.starts_with("0123456789\n") && short.ends_with("may be.\n"),
            "{short}"
        );
        assert_eq!(shortened(&long, 3), "");
    }
}
