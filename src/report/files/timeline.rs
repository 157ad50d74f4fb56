//! The timeline of a run as SVG: a bar per step, or a bar per host.
//!
//! Plain shapes and text, no script: it stands in the page it belongs to and
//! takes its colours from that page's style sheet (`templates/report.css`).

use std::fmt::Write;

use super::document::TimedStep;
use super::html::escaped;
use crate::model::text::duration;
use crate::model::{HostOutcome, StepOutcome};
use crate::report::words::milliseconds;

/// The picture's width in its own units; it is scaled to the page.
const WIDTH: f64 = 760.0;
/// Where the bars begin.
const LEFT: f64 = 120.0;
/// Room at the right for the time of a bar that reaches the end.
const RIGHT: f64 = 64.0;
/// The height of a bar with its gap.
const ROW: f64 = 20.0;
/// Room for the axis.
const AXIS: f64 = 22.0;
/// The narrowest bar that can be seen.
const THINNEST: f64 = 2.0;
/// About so many marks are on the axis.
const MARKS: u64 = 6;

/// A bar of the picture.
struct Bar {
    label: String,
    begun_ms: u64,
    elapsed_ms: u64,
    class: &'static str,
    /// What a reader that points at it is told.
    told: String,
}

/// The steps of a host, one below the other.
pub(super) fn of_steps(host: &str, steps: &[TimedStep], total_ms: u64) -> String {
    let bars = steps.iter().map(|timed| {
        let time = milliseconds(timed.elapsed_ms);
        let (class, word) = of_step(timed.outcome);
        let summary = if timed.summary.is_empty() { String::new() } else { format!(" ({})", timed.summary) };
        Bar {
            label: timed.step.to_string(),
            begun_ms: timed.begun_ms,
            elapsed_ms: timed.elapsed_ms,
            class,
            told: format!("{}: {word}, {time}{summary}", timed.step),
        }
    });
    picture(&format!("Timeline of the steps of {host}"), &bars.collect::<Vec<_>>(), total_ms)
}

/// The hosts of a run, one below the other.
pub(super) fn of_hosts(hosts: &[(String, u64, u64, Option<HostOutcome>)], total_ms: u64) -> String {
    let bars = hosts.iter().map(|(host, begun_ms, elapsed_ms, outcome)| Bar {
        label: host.clone(),
        begun_ms: *begun_ms,
        elapsed_ms: *elapsed_ms,
        class: of_host(*outcome),
        told: format!(
            "{host}: {}, {}",
            outcome.map_or("cut off", HostOutcome::as_str).to_lowercase(),
            milliseconds(*elapsed_ms)
        ),
    });
    picture("Timeline of the hosts", &bars.collect::<Vec<_>>(), total_ms)
}

fn of_step(outcome: Option<StepOutcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(StepOutcome::Passed) => ("ok", "passed"),
        Some(StepOutcome::Warned) => ("warn", "passed with a warning"),
        Some(StepOutcome::Failed) => ("bad", "failed"),
        Some(StepOutcome::Skipped) => ("dim", "skipped"),
        Some(StepOutcome::Cancelled) | None => ("dim", "cut off"),
    }
}

fn of_host(outcome: Option<HostOutcome>) -> &'static str {
    match outcome {
        Some(HostOutcome::Unchanged | HostOutcome::Skipped) | None => "dim",
        Some(HostOutcome::DeployedWithWarnings | HostOutcome::RebootRequired) => "warn",
        Some(outcome) if outcome.is_success() => "ok",
        Some(_) => "bad",
    }
}

fn picture(title: &str, bars: &[Bar], total_ms: u64) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let last = bars.iter().map(|bar| bar.begun_ms + bar.elapsed_ms).max().unwrap_or_default();
    let total = total_ms.max(last).max(1);
    let scale = (WIDTH - LEFT - RIGHT) / total as f64;
    let bottom = bars.len() as f64 * ROW;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">\n",
        bottom + AXIS,
        escaped(title)
    );
    let step = mark(total);
    for at in (0..).map(|index| index * step).take_while(|at| *at <= total) {
        let x = LEFT + at as f64 * scale;
        let text = if at == 0 { "0".to_owned() } else { mark_text(at) };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{bottom:.0}\"/>\
             <text class=\"axis\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{text}</text>",
            bottom + 15.0
        );
    }
    for (index, bar) in bars.iter().enumerate() {
        let y = index as f64 * ROW;
        let x = LEFT + bar.begun_ms as f64 * scale;
        let width = (bar.elapsed_ms as f64 * scale).max(THINNEST);
        let _ = writeln!(
            svg,
            "<g><title>{}</title><text x=\"0\" y=\"{:.0}\">{}</text>\
             <rect class=\"{}\" x=\"{x:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"14\" rx=\"2\"/>\
             <text class=\"time\" x=\"{:.1}\" y=\"{:.0}\">{}</text></g>",
            escaped(&bar.told),
            y + 14.0,
            escaped(&shortened(&bar.label)),
            bar.class,
            y + 3.0,
            x + width + 5.0,
            y + 14.0,
            milliseconds(bar.elapsed_ms)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A label that fits before the bars.
fn shortened(label: &str) -> String {
    const MOST: usize = 16;
    match label.chars().count() {
        count if count > MOST => label.chars().take(MOST - 1).chain(['…']).collect(),
        _ => label.to_owned(),
    }
}

/// The distance of marks on the axis: 1, 2 or 5 of a unit.
fn mark(total_ms: u64) -> u64 {
    const STEPS: [u64; 17] = [
        100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        1_800_000, 3_600_000, 7_200_000, 21_600_000,
    ];
    STEPS.into_iter().find(|step| total_ms / step <= MARKS).unwrap_or(total_ms / MARKS + 1)
}

fn mark_text(at_ms: u64) -> String {
    match at_ms {
        ..60_000 => format!("{} s", at_ms as f64 / 1_000.0),
        _ => duration(std::time::Duration::from_millis(at_ms)).replace(" 00s", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StepId;

    #[test]
    fn bars_stand_where_their_time_is_and_the_shortest_can_be_seen() {
        let step = |step, begun_ms, elapsed_ms, outcome| TimedStep {
            step,
            begun_ms,
            elapsed_ms,
            outcome,
            summary: String::new(),
        };
        let steps = [
            step(StepId::Evaluate, 0, 5_000, Some(StepOutcome::Passed)),
            step(StepId::Build, 5_000, 5_000, Some(StepOutcome::Failed)),
            step(StepId::Copy, 10_000, 0, None),
        ];
        let svg = of_steps("p620", &steps, 10_000);
        // The bars share 576 units.
        assert!(svg.contains("<rect class=\"ok\" x=\"120.0\" y=\"3\" width=\"288.0\""), "{svg}");
        assert!(svg.contains("<rect class=\"bad\" x=\"408.0\" y=\"23\" width=\"288.0\""), "{svg}");
        assert!(svg.contains("<rect class=\"dim\" x=\"696.0\" y=\"43\" width=\"2.0\""), "{svg}");
        assert!(svg.contains("<title>build: failed, 5.0 s</title>"), "{svg}");
        assert_eq!(svg.matches("class=\"axis\" x1").count(), 6);
        assert_eq!(of_steps("p620", &[], 0), "");
    }

    #[test]
    fn marks_are_round_numbers_for_a_second_and_for_a_day() {
        for total in [1, 900, 1_200, 45_000, 165_000, 3_600_000, 86_400_000, 999_999_999] {
            let marks = total / mark(total);
            assert!(marks <= MARKS, "{total}: {marks}");
        }
        assert_eq!([mark_text(500), mark_text(30_000), mark_text(120_000)], ["0.5 s", "30 s", "2m"]);
    }
}
