//! What hosts ran when, as a person reads it: a line per generation or deploy.

use super::Output;
use super::grid::grid;
use super::layout::{Line, Page};
use super::styles::Role;
use crate::model::{HistoryEntry, HostHistory};

/// The histories of hosts, for standard output.
pub(crate) fn history(histories: &[HostHistory], output: Output) -> String {
    let (_, page) = output.data();
    let mut lines = Vec::new();
    for history in histories {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.extend(of_host(history, histories.len() > 1, page));
    }
    page.render_all(&lines)
}

fn of_host(history: &HostHistory, is_named: bool, page: Page) -> Vec<Line> {
    let mut lines = Vec::new();
    if is_named {
        lines.push(Line::new().with(Role::Host, history.host.as_str()));
    }
    for text in &history.missing {
        let note = Line::new().with(Role::Warning, "note: ").with(Role::Plain, text);
        lines.extend(page.flow(vec![note], "", page.width()));
    }
    if history.entries.is_empty() {
        lines.push(Line::plain("nothing is known of what it ran"));
        return lines;
    }
    let heading = ["GEN", "", "WHEN", "OUTCOME", "COMMIT", "BY", "VERSION", "KERNEL", "RUN"];
    let rows = history.entries.iter().map(row).collect();
    for (index, line) in grid(&heading, rows, page).into_iter().enumerate() {
        lines.push(line);
        let entry = index.checked_sub(1).and_then(|index| history.entries.get(index));
        if let Some(error) = entry.and_then(|entry| entry.error.as_ref()) {
            lines.extend(page.row("", vec![Line::new().with(Role::Dim, error)]));
        }
    }
    lines
}

fn row(entry: &HistoryEntry) -> Vec<Line> {
    let text = |text: Option<&String>| Line::plain(text.map_or("-", String::as_str));
    let marks = match (entry.runs, entry.boots) {
        (true, true) => "runs, boots",
        (true, false) => "runs",
        (false, true) => "boots",
        (false, false) => "",
    };
    let when = entry.time.map(|time| time.strftime("%Y-%m-%d %H:%MZ").to_string());
    let dirty = if entry.dirty == Some(true) { "+dirty" } else { "" };
    let commit = entry.commit.as_ref().map(|commit| commit.chars().take(7).collect::<String>() + dirty);
    let is_rollback = entry.command.as_deref() == Some("rollback");
    let outcome = match (&entry.outcome, is_rollback) {
        (Some(outcome), true) => Line::plain(&format!("rollback: {}", outcome.to_lowercase())),
        (Some(outcome), false) => Line::plain(&outcome.to_lowercase()),
        (None, _) => Line::new().with(Role::Dim, "not by nix-deploy"),
    };
    vec![
        text(entry.generation.map(|number| number.to_string()).as_ref()),
        Line::new().with(Role::Ok, marks),
        text(when.as_ref()),
        outcome,
        text(commit.as_ref()),
        text(entry.actor.as_ref()),
        text(entry.version.as_ref()),
        text(entry.kernel.as_ref()),
        text(entry.run.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;
    use crate::report::story::{NASTY, host, system, time};

    fn entry(generation: Option<u64>) -> HistoryEntry {
        HistoryEntry {
            host: host("p620"),
            generation,
            runs: false,
            boots: false,
            time: Some(time(0)),
            path: system("p620"),
            version: None,
            kernel: None,
            commit: None,
            dirty: None,
            command: None,
            outcome: None,
            error: None,
            actor: None,
            run: None,
        }
    }

    fn shown(entries: Vec<HistoryEntry>, columns: usize) -> String {
        let missing = vec!["the fleet database does not answer".to_owned()];
        let history = HostHistory { host: host("p620"), entries, missing };
        page(columns).render_all(&of_host(&history, true, page(columns)))
    }

    #[test]
    fn generations_deploys_and_failures_are_lines() {
        let running = HistoryEntry {
            runs: true,
            boots: true,
            commit: Some("4f2c1aa9d1e0".to_owned()),
            command: Some("deploy".to_owned()),
            outcome: Some("SUCCESS".to_owned()),
            actor: Some("ada@desk".to_owned()),
            ..entry(Some(2))
        };
        let failed = HistoryEntry {
            command: Some("rollback".to_owned()),
            outcome: Some("ROLLED BACK".to_owned()),
            error: Some("web.service failed".to_owned()),
            ..entry(None)
        };
        let expected = "p620\nnote: the fleet database does not answer\n\
             GEN               WHEN               OUTCOME                COMMIT   BY\n\
             -                 2025-11-21 12:00Z  rollback: rolled back  -        -\n              web.service failed\n\
             2    runs, boots  2025-11-21 12:00Z  success                4f2c1aa  ada@desk\n\
             1                 2025-11-21 12:00Z  not by nix-deploy      -        -\n";
        assert_eq!(shown(vec![failed, running, entry(Some(1))], 80), expected);
    }

    #[test]
    fn a_commit_of_a_tree_with_changes_is_marked() {
        let of = |dirty| HistoryEntry { commit: Some("4f2c1aa9d1e0".to_owned()), dirty, ..entry(Some(1)) };
        assert!(shown(vec![of(Some(true))], 80).contains("  4f2c1aa+dirty  -"));
        assert!(!shown(vec![of(Some(false)), of(None)], 80).contains("dirty"));
    }

    #[test]
    fn foreign_text_never_drives_the_terminal() {
        let nasty = Some(NASTY.to_owned());
        let entry = HistoryEntry {
            commit: nasty.clone(),
            outcome: nasty.clone(),
            error: nasty.clone(),
            actor: nasty.clone(),
            version: nasty,
            ..entry(Some(1))
        };
        let text = shown(vec![entry], 60);
        assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
        assert!(shown(Vec::new(), 60).contains("nothing is known"));
    }
}
