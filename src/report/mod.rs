//! Events to people, machines and the record.
//!
//! Owns everything that is shown: the screen, plain lines, JSON, the end
//! report and the journal. A [`Reporter`] gets every event in order, in a
//! thread of its own (see `hub.rs`), and never answers back: it cannot slow,
//! change or fail a run.
//!
//! Invariants: standard output carries data (end report, JSON events),
//! standard error carries talk; foreign text reaches a terminal only through
//! `layout.rs`, which cleans it. A new format is one file and one line in
//! [`for_output`].

mod actions;
mod board;
mod diff_view;
mod end_report;
mod files;
mod findings;
mod frame;
mod gathered;
mod grid;
mod history_view;
mod hub;
mod issue_view;
mod journal;
mod json;
mod lane;
mod layout;
mod live;
mod notify;
mod past;
mod plain;
mod plan_view;
mod preview_view;
mod questions;
mod quiet;
mod recorder;
mod resources;
mod screen;
mod status_view;
#[cfg(test)]
mod story;
mod styles;
mod summary;
mod tasks;
mod terminal;
mod update_view;
mod words;

use std::time::Duration;

use console::Term;
use jiff::Timestamp;

use crate::event::Envelope;
use crate::model::{HostName, HostReport};
use gathered::Gathered;
use json::Json;
use layout::Page;
use live::{EndReport, Live};
use plain::Plain;
use quiet::Quiet;
use screen::Screen;
use styles::Styles;

pub(crate) use actions::Actions;
pub(crate) use diff_view::system_diff;
pub(crate) use files::{KeptMarkdown, ReportFile, ReportFileError};
pub(crate) use findings::{Counts, Found, Hardening, RuleText, write as write_findings};
pub(crate) use history_view::history;
pub(crate) use hub::run_hub;
pub(crate) use issue_view::issue_report;
pub(crate) use journal::Journal;
pub(crate) use notify::{Notifier, Notifying};
pub(crate) use past::{PastRun, is_at_work};
pub(crate) use preview_view::preview_report;
pub(crate) use recorder::Recording;
pub(crate) use status_view::status;
pub(crate) use tasks::{TaskEnd, Tasks};

/// What kind of question is about to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Yes or no, about what is planned.
    Confirm,
    /// A password; it may be needed before anything is planned.
    Password,
}

/// One way of telling what happens. All calls come from one thread.
pub(crate) trait Reporter: Send {
    /// Takes the next event.
    fn event(&mut self, envelope: &Envelope);

    /// Comes about ten times a second, for what moves with time.
    fn tick(&mut self, _now: Timestamp) {}

    /// Takes a trouble of another reporter that the person should know of.
    fn notice(&mut self, _text: &str) {}

    /// Gives a trouble of its own to the others, once.
    fn trouble(&mut self) -> Option<String> {
        None
    }

    /// Leaves the terminal to a question; when it returns the question is shown.
    fn before_question(&mut self, _asking: Asking) {}

    /// Takes the terminal back.
    fn after_question(&mut self) {}

    /// Is the last call.
    fn finish(&mut self) {}

    /// How long the end of a run waits for it; `None` as long as it takes.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// What the others are told when the end of a run could not wait for it.
    fn overdue(&self) -> &'static str {
        "the record of this run is incomplete: its disk does not answer"
    }
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Lines that are redrawn in place; needs a terminal.
    Live,
    /// One line per thing that happens.
    Plain,
    /// One event per line on standard output.
    Json,
    /// Only failures.
    Quiet,
}

/// What is shown and how; the settings have decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Which form.
    pub(crate) mode: OutputMode,
    /// How often `-v` was given: from 1 on, logs and all packages are shown.
    pub(crate) verbosity: u8,
    /// Whether standard error is coloured.
    pub(crate) talk_color: bool,
    /// Whether standard output is coloured.
    pub(crate) data_color: bool,
    /// Whether characters beyond ASCII can be shown.
    pub(crate) unicode: bool,
}

impl Output {
    /// Standard error and its page.
    fn talk(self) -> (Term, Page) {
        let terminal = Term::stderr();
        let page = self.page(&terminal, self.talk_color);
        (terminal, page)
    }

    /// Standard output and its page.
    fn data(self) -> (Term, Page) {
        let terminal = Term::stdout();
        let page = self.page(&terminal, self.data_color);
        (terminal, page)
    }

    fn page(self, terminal: &Term, color: bool) -> Page {
        let columns = terminal.is_term().then(|| usize::from(terminal.size().1));
        Page::new(Styles { color, unicode: self.unicode }, columns)
    }

    fn live(self) -> Live {
        let ((_, talk_page), (data, page)) = (self.talk(), self.data());
        let is_terminal = data.is_term();
        let end_report = EndReport { output: Box::new(data), page, is_terminal };
        Live::new(Screen::new(Term::buffered_stderr()), talk_page, end_report, self.verbosity)
    }

    fn plain(self) -> Plain {
        let ((talk, talk_page), (data, data_page)) = (self.talk(), self.data());
        Plain::new((Box::new(talk), talk_page), (Box::new(data), data_page), self.verbosity)
    }

    fn quiet(self) -> Quiet {
        let (talk, page) = self.talk();
        Quiet::new(Box::new(talk), page)
    }
}

/// Reports that are recorded, as they were shown at the end of their run.
pub(crate) fn reports_again(output: Output, reports: &[(HostName, HostReport)]) -> String {
    let (_, page) = output.data();
    let run = Gathered {
        hosts: reports.iter().map(|(host, _)| host.clone()).collect(),
        reports: reports.to_vec(),
        ..Gathered::default()
    };
    let lines = summary::run_report(&run, page);
    page.render_all(&lines)
}

/// The reporter of an output: one line per format.
pub(crate) fn for_output(output: Output) -> Box<dyn Reporter> {
    match output.mode {
        OutputMode::Live => Box::new(output.live()),
        OutputMode::Plain => Box::new(output.plain()),
        OutputMode::Json => Box::new(Json::new()),
        OutputMode::Quiet => Box::new(output.quiet()),
    }
}
