//! `fleet show`: the report of a run again, from the record.

use super::{Desk, fail, print_json};
use crate::cli::ShowArgs;
use crate::commands::{deploy, print};
use crate::error::CommandError;
use crate::exit::ExitCode;
use crate::fleet::query;
use crate::report;

/// Shows one run.
pub(super) async fn show(desk: &Desk, asked: &ShowArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let record = query::run_record(&mut database, &asked.run).await.map_err(fail)?;
    if desk.json(asked.json) {
        return print_json([record]);
    }
    let text = |key: &str| record.run.get(key).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned();
    let mut lines = vec![format!(
        "Run {} of {}, {} (nix-deploy {})",
        text("id"),
        text("started_at"),
        text("actor"),
        text("tool_version")
    )];
    let dirty = record.run.get("dirty").and_then(serde_json::Value::as_bool) == Some(true);
    // A check has no action.
    let action = record.run.get("action").and_then(serde_json::Value::as_str);
    lines.push(format!(
        "{}{} of {}, commit {}{}",
        text("command"),
        action.map(|action| format!(" {action}")).unwrap_or_default(),
        text("flake"),
        text("commit_hash"),
        if dirty { " (dirty)" } else { "" }
    ));
    lines.extend(record.findings.iter().map(finding_line));
    if let Some(update) = &record.update {
        lines.extend(update_lines(update));
    }
    let unsettled =
        record.hosts.iter().filter(|host| host.get("report").is_none_or(serde_json::Value::is_null));
    for host in unsettled {
        let word = |key: &str| host.get(key).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned();
        lines.push(format!("{}: {}, no report", word("hostname"), word("status")));
    }
    let mut shown: String = lines.iter().map(|line| crate::model::text::clean_line(line) + "\n").collect();
    if !record.reports.is_empty() {
        shown.push('\n');
    }
    shown.push_str(&report::reports_again(deploy::shown(desk.screen), &record.reports));
    print(shown.as_bytes())
}

/// What a check found, on one line.
fn finding_line(finding: &serde_json::Value) -> String {
    let text = |key: &str| finding.get(key).and_then(serde_json::Value::as_str).unwrap_or("-");
    let host = finding.get("hostname").and_then(serde_json::Value::as_str);
    let host = host.map(|host| format!("{host}: ")).unwrap_or_default();
    let place = match (finding.get("file").and_then(serde_json::Value::as_str), finding.get("line")) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        _ => String::new(),
    };
    let let_pass = finding.get("suppressed").and_then(serde_json::Value::as_str);
    let let_pass = let_pass.map(|how| format!(" ({how})")).unwrap_or_default();
    format!("{host}{place}{} [{}]: {}{let_pass}", text("severity"), text("rule"), text("message"))
}

/// Inputs before and after, and the decision.
fn update_lines(update: &serde_json::Value) -> Vec<String> {
    let text = |object: &serde_json::Value, key: &str| {
        object.get(key).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    // A commit hash or the hash of a content, as short as people write them.
    let short = |object: &serde_json::Value, key: &str| {
        let long = text(object, key).unwrap_or_else(|| "none".to_owned());
        long.chars().take(if long.starts_with("sha256-") { 14 } else { 7 }).collect::<String>()
    };
    let mut lines = Vec::new();
    for input in update.get("inputs").and_then(serde_json::Value::as_array).into_iter().flatten() {
        let name = text(input, "input").unwrap_or_default();
        lines.push(format!(
            "input {name}: {} → {}",
            short(input, "revision_before"),
            short(input, "revision_after")
        ));
    }
    if let Some(risk) = text(update, "risk") {
        lines.push(format!("risk: {risk}"));
    }
    if let Some(verdict) = text(update, "verdict") {
        let or_unknown = |key: &str| text(update, key).unwrap_or_else(|| "-".to_owned());
        let (by, actor, reason) = (or_unknown("decided_by"), or_unknown("actor"), or_unknown("reason"));
        lines.push(format!("decided: {verdict}, by {by} ({actor}): {reason}"));
    }
    if let Some(state) = text(update, "lock_file") {
        lines.push(format!("flake.lock: {state}"));
    }
    lines
}
