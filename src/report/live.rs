//! The live screen: one line per host that moves while the run goes on.
//!
//! It is drawn on standard error. Warnings, plans and failures are printed
//! above it and stay; at the end it makes room for the end report on standard
//! output. While somebody is asked, nothing is drawn or printed.

use std::io::Write;

use jiff::Timestamp;

use super::board::Board;
use super::findings::Told;
use super::frame::Frame;
use super::gathered::Gathered;
use super::layout::{Line, Page};
use super::plan_view::{Detail, Plans};
use super::screen::Screen;
use super::update_view::Checks;
use super::{Asking, Reporter, plain, summary, update_view, words};
use crate::event::{Envelope, Event};

/// Where the end report goes.
pub(super) struct EndReport {
    pub(super) output: Box<dyn Write + Send>,
    pub(super) page: Page,
    /// Whether it appears on the terminal of the live screen.
    pub(super) is_terminal: bool,
}

/// Draws the run.
pub(crate) struct Live {
    screen: Screen,
    page: Page,
    end_report: EndReport,
    verbosity: u8,
    run: Gathered,
    board: Board,
    plans: Plans,
    told: Told,
    checks: Checks,
    /// Lines to print above the screen with the next drawing.
    printed: Vec<Line>,
    /// Something was printed above the screen.
    talked: bool,
    frames: usize,
    asking: bool,
    over: bool,
}

impl Live {
    pub(super) fn new(screen: Screen, page: Page, end_report: EndReport, verbosity: u8) -> Self {
        Self {
            screen,
            page,
            end_report,
            verbosity,
            run: Gathered::default(),
            board: Board::default(),
            plans: Plans::default(),
            told: Told::default(),
            checks: Checks::default(),
            printed: Vec::new(),
            talked: false,
            frames: 0,
            asking: false,
            over: false,
        }
    }

    fn detail(&self) -> Detail {
        if self.verbosity > 0 { Detail::Full } else { Detail::Normal }
    }

    /// Prints what waits and draws the hosts below.
    fn draw(&mut self, now: Timestamp) {
        let (page, size, count) = (self.page, self.screen.size(), self.frames);
        let frame = Frame { board: &self.board, run: &self.run, page, size, now, count };
        // Hosts wait while the checks of an update run.
        let checks = self.checks.lines(page, size.columns, now, count);
        let block = if checks.is_empty() { frame.lines() } else { checks };
        let block = block.into_iter().map(|line| page.render(&line));
        // Within a few columns nothing but the indent of a line may be left.
        let block: Vec<String> = block.filter(|line| !line.is_empty()).collect();
        self.draw_block(&block);
        self.frames += 1;
    }

    /// Prints what waits and takes the hosts off the screen.
    fn clear(&mut self) {
        self.draw_block(&[]);
    }

    fn draw_block(&mut self, block: &[String]) {
        let (page, width) = (self.page, self.screen.size().columns.saturating_sub(1).max(1));
        // Words stay whole; an empty line stays empty.
        let wrap = |line: Line| match line.is_empty() {
            true => vec![line],
            false => page.flow(vec![line], " ", width),
        };
        let printed: Vec<String> =
            self.printed.drain(..).flat_map(wrap).map(|line| page.render(&line)).collect();
        self.talked |= !printed.is_empty();
        self.screen.draw(&printed, block);
    }

    fn end(&mut self, now: Timestamp) {
        self.over = true;
        if self.end_report.is_terminal {
            if self.talked {
                self.printed.push(Line::new());
            }
            self.clear();
        } else {
            // The report goes elsewhere: the last frame stays as the outcome.
            self.draw(now);
            self.screen.leave();
        }
        let EndReport { output, page, .. } = &mut self.end_report;
        let text = page.render_all(&summary::run_report(&self.run, *page));
        let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        if let Some(text) = words::unwritten(&written) {
            self.notice(&text);
        }
    }
}

impl Reporter for Live {
    fn event(&mut self, envelope: &Envelope) {
        self.board.take(envelope);
        self.run.take(&envelope.event);
        self.checks.take(envelope);
        let plans = self.plans.take(&envelope.event, self.detail(), self.page);
        let finding = self.told.line(&envelope.event, self.verbosity);
        let told = finding.into_iter().chain(remarkable(&envelope.event, self.verbosity)).collect();
        let (first, second) = plain::in_order(&envelope.event, plans, told);
        self.printed.extend(first.into_iter().chain(second));
        self.printed.extend(update_view::describe(&envelope.event, self.verbosity, self.page));
        if matches!(envelope.event, Event::RunFinished { .. }) {
            self.end(envelope.time);
        }
    }

    fn tick(&mut self, now: Timestamp) {
        if !self.asking && !self.over {
            self.draw(now);
        }
    }

    fn notice(&mut self, text: &str) {
        self.printed.extend(plain::warning(None, text, None));
        if self.over {
            self.clear();
        }
    }

    fn before_question(&mut self, asking: Asking) {
        if asking == Asking::Confirm {
            self.printed.extend(self.plans.show_all(self.detail(), self.page));
        }
        self.clear();
        self.asking = true;
    }

    fn after_question(&mut self) {
        self.asking = false;
    }

    fn finish(&mut self) {
        // A run that was cut off keeps its last frame on the screen.
        if !self.over {
            self.draw(Timestamp::now());
            self.screen.leave();
        }
    }
}

/// What is printed above the screen.
fn remarkable(event: &Event, verbosity: u8) -> Vec<Line> {
    match event {
        Event::Warning { host, message, hint } => plain::warning(host.as_ref(), message, hint.as_deref()),
        Event::Recovery { hosts, recovery, .. } => vec![plain::recovered(hosts, recovery)],
        Event::Interrupted { at_once } => vec![plain::interruption(*at_once)],
        Event::WaveStarted { .. } => plain::describe(event, verbosity),
        Event::Answered { by_person: false, .. } => plain::describe(event, verbosity),
        Event::Log { .. } | Event::Evaluated { .. } | Event::Facts { .. } if verbosity > 0 => {
            plain::describe(event, verbosity)
        }
        Event::HostFinished { report, .. } if !report.outcome.is_success() => plain::describe(event, verbosity),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::exit;
    use crate::model::StepId;
    use crate::report::layout::page;
    use crate::report::story::{Paper, Story, host, rolled_back, time};

    fn live(is_terminal: bool) -> (Live, InMemoryTerm, Paper) {
        let (terminal, output) = (InMemoryTerm::new(50, 80), Paper::default());
        let end_report = EndReport { output: Box::new(output.clone()), page: page(80), is_terminal };
        (Live::new(Screen::new(terminal.clone()), page(80), end_report, 0), terminal, output)
    }

    #[test]
    fn nothing_is_drawn_or_printed_while_somebody_is_asked() {
        let (mut live, terminal, _) = live(true);
        Story::of(&["p620"]).plan("p620", 10).step("p620", StepId::Build, 10, 20).tell(&mut live);
        live.tick(time(100));
        assert!(terminal.contents().contains("switch p620"));
        live.before_question(Asking::Confirm);
        let shown = terminal.contents();
        assert!(shown.starts_with("p620 would change") && !shown.contains("switch p620"), "{shown}");
        live.notice("disk full");
        live.tick(time(200));
        assert_eq!(terminal.contents(), shown);
        live.after_question();
        live.tick(time(300));
        assert!(terminal.contents().contains("\nwarning: disk full\nswitch p620"));
    }

    #[test]
    fn the_screen_makes_room_for_the_report_only_on_its_own_terminal() {
        let story = Story::of(&["p620"]).ended("p620", 10, rolled_back()).finished(20, exit::ROLLED_BACK);
        for is_terminal in [true, false] {
            let (mut live, terminal, output) = live(is_terminal);
            story.tell(&mut live);
            live.tick(time(100));
            live.finish();
            let shown = terminal.contents();
            assert!(shown.contains("p620: ✗ ROLLED BACK in 1m 12s: prometheus.service failed"), "{shown}");
            assert_eq!(shown.contains("switch p620"), !is_terminal, "{shown}");
            assert!(output.take().starts_with("DEPLOYMENT REPORT: p620"));
        }
    }

    #[test]
    fn a_wave_that_begins_is_told_above_the_screen_and_stays_in_its_header() {
        let (mut live, terminal, _) = live(true);
        let wave = |number, hosts: &[&str]| Event::WaveStarted {
            number,
            of: 2,
            hosts: hosts.iter().map(|name| host(name)).collect(),
        };
        Story::of(&["p620", "p510"]).at(10, wave(1, &["p620"])).tell(&mut live);
        live.tick(time(20));
        let shown = terminal.contents();
        assert!(shown.starts_with("wave 1 of 2: p620\nswitch 2 hosts · 0 done · wave 1 of 2"), "{shown}");
        Story::of(&["p620", "p510"]).at(30, wave(2, &["p510"])).tell(&mut live);
        live.tick(time(40));
        let shown = terminal.contents();
        assert!(shown.starts_with("wave 1 of 2: p620\nwave 2 of 2: p510\nswitch 2 hosts"), "{shown}");
    }

    #[test]
    fn a_trouble_of_the_record_at_the_very_end_is_still_shown() {
        let (mut live, terminal, _) = live(true);
        Story::of(&["p620"]).finished(20, exit::OK).tell(&mut live);
        live.notice("2 events are missing");
        assert_eq!(terminal.contents(), "warning: 2 events are missing");
    }
}
