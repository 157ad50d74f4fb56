//! The lines of the live screen: a header and one line per host.
//!
//! Pure: a board, a size and a time make a frame. When the hosts are more than
//! the rows, those that run are shown and the others counted.

use jiff::Timestamp;

use super::board::{Board, HostState, milliseconds_between};
use super::gathered::Gathered;
use super::layout::{Line, Page};
use super::screen::Size;
use super::styles::{Role, sign_of};
use super::words;
use crate::model::text::plural;

/// Below this many columns phases and the host's own time are left out.
const NARROW: usize = 64;
/// Columns of a time.
const TIME: usize = 7;

/// What a frame is drawn from.
pub(super) struct Frame<'run> {
    pub(super) board: &'run Board,
    pub(super) run: &'run Gathered,
    pub(super) page: Page,
    pub(super) size: Size,
    pub(super) now: Timestamp,
    /// Counts up with each frame; moves the spinners.
    pub(super) count: usize,
}

impl Frame<'_> {
    /// The lines, at most one less than the terminal has rows.
    pub(super) fn lines(&self) -> Vec<Line> {
        if self.board.hosts.is_empty() {
            return Vec::new();
        }
        // The cursor takes a row, the header another.
        let rows = self.size.rows.saturating_sub(2).max(1);
        let mut lines = vec![self.header()];
        let shown = self.chosen(rows);
        lines.extend(shown.iter().map(|state| self.host(state)));
        let hidden = self.board.hosts.len() - shown.len();
        if hidden > 0 {
            lines.push(self.page.fit(self.rest(&shown), self.width()));
        }
        lines
    }

    fn width(&self) -> usize {
        self.size.columns.saturating_sub(1).max(1)
    }

    fn is_narrow(&self) -> bool {
        self.size.columns < NARROW
    }

    fn header(&self) -> Line {
        let hosts = &self.board.hosts;
        let mut line = Line::new().with(Role::Strong, self.run.action.as_str());
        match hosts.as_slice() {
            [only] => line.push(Role::Strong, &format!(" {}", only.host)),
            several => {
                line.push(Role::Strong, &format!(" {}", plural(several.len(), "host")));
                let ended = several.iter().filter(|state| state.end.is_some()).count();
                line.push(Role::Plain, &format!(" · {ended} done"));
            }
        }
        if let Some((number, of)) = self.board.wave {
            line.push(Role::Plain, &format!(" · wave {number} of {of}"));
        }
        if let Some(commit) = self.run.commit() {
            line.push(Role::Dim, &format!(" · {commit}"));
        }
        let elapsed = self.board.started.map_or(0, |started| milliseconds_between(started, self.now));
        self.edges(line, &[elapsed])
    }

    fn host(&self, state: &HostState) -> Line {
        let width = self.name_width();
        let name = self.page.host_name(state.host.as_str(), width).padded(width);
        if let Some(end) = &state.end {
            let role = end.role;
            let mut line = Line::new().with(role, sign_of(role)).with(Role::Plain, " ");
            line.append(name);
            line.push(role, &format!("  {}", end.word));
            line.push(Role::Plain, &format!("  {}", end.remark));
            return self.edges(line, &[end.elapsed_ms]);
        }
        let Some(started) = state.started else {
            let mut line = Line::new().with(Role::Dim, "· ");
            line.append(name);
            return self.edges(line.with(Role::Dim, "  waiting"), &[]);
        };
        let mut line = Line::plain(self.spinner());
        line.push(Role::Plain, " ");
        line.append(name);
        let elapsed = milliseconds_between(started, self.now);
        let Some((step, running)) = state.current() else {
            return self.edges(line.with(Role::Dim, "  waiting"), &[elapsed]);
        };
        if self.is_narrow() {
            line.push(Role::Strong, &format!("  {step}"));
        } else {
            line.push(Role::Dim, &format!("  {:8}", step.phase()));
            line.push(Role::Strong, &format!("  {step:10}"));
        }
        let progress = running.progress();
        if !progress.is_empty() {
            line.push(Role::Plain, &format!("  {progress}"));
        }
        let step_elapsed = milliseconds_between(running.started, self.now);
        if self.is_narrow() {
            self.edges(line, &[step_elapsed])
        } else {
            self.edges(line, &[step_elapsed, elapsed])
        }
    }

    fn spinner(&self) -> &'static str {
        self.page.styles().spinner(self.count)
    }

    fn name_width(&self) -> usize {
        let longest = self.board.hosts.iter().map(|state| state.host.as_str().len()).max().unwrap_or(0);
        longest.min(self.width() / 4).max(4)
    }

    /// Text at the left, cut where the times at the right begin.
    fn edges(&self, left: Line, times: &[u64]) -> Line {
        let mut right = Line::new();
        for time in times {
            right.push(Role::Dim, &format!(" {:>TIME$}", words::milliseconds(*time)));
        }
        let room = self.width().saturating_sub(right.width());
        let mut line = self.page.fit(left, room).padded(room);
        line.append(right);
        self.page.fit(line, self.width())
    }

    /// The hosts that are shown: those that run, then failures, then the others.
    fn chosen(&self, rows: usize) -> Vec<&HostState> {
        let hosts: Vec<&HostState> = self.board.hosts.iter().collect();
        if hosts.len() <= rows {
            return hosts;
        }
        let rank = |state: &HostState| match &state.end {
            _ if state.is_active() => 0,
            Some(end) if !end.is_success => 1,
            None => 2,
            Some(_) => 3,
        };
        let mut order: Vec<usize> = (0..hosts.len()).collect();
        order.sort_by_key(|index| (rank(hosts[*index]), *index));
        // The line that counts the others takes a row.
        order.truncate(rows.saturating_sub(1).max(1));
        order.sort_unstable();
        order.into_iter().map(|index| hosts[index]).collect()
    }

    /// `and 22 more: 3 running, 10 done, 2 failed, 7 waiting`.
    fn rest(&self, shown: &[&HostState]) -> Line {
        let mut counts = [("running", 0), ("done", 0), ("failed", 0), ("unreachable", 0), ("waiting", 0)];
        for state in &self.board.hosts {
            if shown.iter().any(|other| other.host == state.host) {
                continue;
            }
            let index = match &state.end {
                Some(end) if end.is_success => 1,
                Some(end) if end.is_unreached => 3,
                Some(_) => 2,
                None if state.started.is_some() => 0,
                None => 4,
            };
            counts[index].1 += 1;
        }
        let hidden = self.board.hosts.len() - shown.len();
        let parts =
            counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}"));
        let parts: Vec<String> = parts.collect();
        Line::new().with(Role::Dim, &format!("  and {hidden} more: {}", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::model::StepId;
    use crate::report::layout::page;
    use crate::report::story::{NASTY, Story, host, rolled_back, time, unchanged};

    fn frame(story: &Story, rows: usize, columns: usize, now: u64) -> Vec<String> {
        let (mut board, mut run) = (Board::default(), Gathered::default());
        for envelope in story.envelopes().iter().filter(|envelope| envelope.time <= time(now)) {
            board.take(envelope);
            run.take(&envelope.event);
        }
        let (page, size) = (page(columns), Size { rows, columns });
        let frame = Frame { board: &board, run: &run, page, size, now: time(now), count: 0 };
        frame.lines().iter().map(|line| page.render(line)).collect()
    }

    fn story() -> Story {
        Story::of(&["p620", "p510", "razer"])
            .step("p620", StepId::Evaluate, 100, 2_000)
            .step("p620", StepId::Build, 2_000, 9_000)
            .step("p620", StepId::Resources, 2_500, 9_000)
            .progress("p620", StepId::Build, 3_000, "building linux-6.12.9", (12, 40))
            .ended("p510", 4_000, rolled_back())
    }

    #[test]
    fn each_host_has_a_line_with_the_furthest_step_of_the_critical_path() {
        let lines = frame(&story(), 24, 80, 5_000);
        let expected = [
            "switch 3 hosts · 1 done · 4f2c1aa (clean)                                 5.0 s",
            "⠋ p620   test      build       12/40 building linux-6.12.9        3.0 s   4.9 s",
            "✗ p510   ROLLED BACK  prometheus.service failed after the activation     1m 12s",
            "· razer  waiting",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_build_that_is_ahead_of_its_host_is_shown_when_its_step_begins() {
        let story = Story::of(&["p620"])
            .started("p620", StepId::Decide, 100)
            .progress("p620", StepId::Build, 200, "building nginx-1.24.0", (0, 5))
            .started("p620", StepId::Build, 1_000)
            .progress("p620", StepId::Build, 6_000, "building curl-8.0", (3, 5));
        let line = |now| frame(&story, 24, 80, now).remove(1).trim_end().to_owned();
        assert_eq!(
            line(900),
            "⠋ p620  test      decide                                          0.8 s   0.8 s"
        );
        assert!(line(1_500).contains("build       0/5 building nginx-1.24.0"), "{}", line(1_500));
        assert!(line(1_500).ends_with("0.5 s   1.4 s"), "{}", line(1_500));
        assert!(line(6_500).contains("build       3/5 building curl-8.0"), "{}", line(6_500));
    }

    #[test]
    fn a_host_that_waits_for_its_turn_says_so_until_it_changes() {
        let waiting = "waiting for wave 2 of 2".to_owned();
        let (step, done, expected) = (StepId::Activate, None, None);
        let told = Event::StepProgress { host: host("p620"), step, doing: waiting, done, expected };
        let story = Story::of(&["p620"]).at(100, told).started("p620", step, 5_000);
        assert!(frame(&story, 24, 80, 900)[1].contains("waiting for wave 2 of 2"));
        assert!(!frame(&story, 24, 80, 5_100)[1].contains("waiting"));
    }

    #[test]
    fn what_counts_in_its_own_words_is_counted_once() {
        let shown = |doing| {
            let story = Story::of(&["p620"]).started("p620", StepId::Copy, 10);
            frame(&story.progress("p620", StepId::Copy, 20, doing, (144, 145)), 24, 80, 100).remove(1)
        };
        assert_eq!(shown("copying 144/145 (3.0 MiB), x").matches("144/145").count(), 1);
        assert_eq!(shown("copying 144/145, x").matches("144/145").count(), 1);
        assert!(shown("building x").contains("144/145 building x"));
    }

    #[test]
    fn a_narrow_terminal_gets_less_and_never_more_than_its_width() {
        let lines = frame(&story(), 24, 40, 5_000);
        assert_eq!(lines[1], "⠋ p620   build  12/40 building…   3.0 s");
        for columns in [1, 10, 20, 39, 40, 63, 64, 80, 200] {
            for line in frame(&story(), 24, columns, 5_000) {
                assert!(console::measure_text_width(&line) < columns.max(2), "{columns}: {line:?}");
            }
        }
    }

    #[test]
    fn more_hosts_than_rows_are_counted_and_those_that_run_are_shown() {
        let names: Vec<String> = (0..40).map(|number| format!("host-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut story = Story::of(&names).step("host-39", StepId::Copy, 10, 9_000);
        for name in &names[..20] {
            story = story.ended(name, 20, unchanged());
        }
        story = story.ended("host-20", 20, rolled_back());
        let lines = frame(&story, 10, 80, 1_000);
        assert_eq!(lines.len(), 9);
        assert!(lines[1].starts_with("✗ host-20"), "{lines:?}");
        assert!(lines[7].contains("host-39") && lines[7].contains("copy"), "{lines:?}");
        assert_eq!(lines[8].trim_end(), "  and 33 more: 20 done, 13 waiting");
        assert_eq!(frame(&story, 1, 80, 1_000).len(), 3);
    }

    #[test]
    fn without_hosts_nothing_is_drawn_and_foreign_progress_stays_on_its_line() {
        assert!(frame(&Story::of(&[]), 24, 80, 100).is_empty());
        let story = Story::of(&["p620"]).started("p620", StepId::Build, 5);
        let lines = frame(&story.progress("p620", StepId::Build, 10, NASTY, (1, 2)), 24, 80, 100);
        assert!(lines[1].contains("evil"), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
    }
}
