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
    lines.push(format!(
        "{} {} of {}, commit {}{}",
        text("command"),
        text("action"),
        text("flake"),
        text("commit_hash"),
        if dirty { " (dirty)" } else { "" }
    ));
    let unsettled =
        record.hosts.iter().filter(|host| host.get("report").is_none_or(serde_json::Value::is_null));
    for host in unsettled {
        let word = |key: &str| host.get(key).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned();
        lines.push(format!("{}: {}, no report", word("hostname"), word("status")));
    }
    let mut shown: String = lines.iter().map(|line| crate::model::text::clean_line(line) + "\n").collect();
    shown.push('\n');
    shown.push_str(&report::reports_again(deploy::shown(desk.screen), &record.reports));
    print(shown.as_bytes())
}
