//! `fleet evaluate`: hosts at the newest commits.

use super::jobs::{failed, unless_stopped};
use super::sync as synced;
use super::table::aligned;
use super::{Desk, print_json};
use crate::cli::EvaluateArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::fleet::query::Kind;
use crate::jobs::evaluate::{self, Configuration, Evaluation, Found};
use crate::jobs::sync::{self, Part};
use crate::model::text::{clean_line, duration, plural};
use crate::nix::Nix;

/// The widest path or error in the table, in characters.
const WIDEST: usize = 60;

/// Reads the newest commits and evaluates what is not evaluated of them. Exit
/// code 4 when something does not evaluate.
pub(super) async fn evaluate(desk: &Desk, asked: &EvaluateArgs) -> Result<ExitCode, CommandError> {
    let hosts = desk.hosts(&asked.hosts)?;
    let found = unless_stopped(async {
        let mut database = desk.open().await?;
        let source = desk.source();
        let part = Part { limit: Some(asked.commits), since: None };
        let read = sync::sync(&mut database, &source, part).await.map_err(failed)?;
        synced::notes(desk, &read);
        let evaluation =
            Evaluation { source: &source, flake_id: read.flake_id, hosts: &hosts, commits: &read.asked };
        let tell = |hash: &str, count: usize| {
            desk.say(&format!("evaluating {} at {} …", plural(count, "host"), hash.get(..8).unwrap_or(hash)));
        };
        evaluate::evaluate(&mut database, &Nix::new(), &evaluation, tell).await.map_err(failed)
    })
    .await?;
    if desk.json(asked.json) {
        print_json(&found.configurations)?;
    } else {
        if !found.configurations.is_empty() {
            print(table(&found.configurations).as_bytes())?;
        }
        desk.say(&told(&found));
    }
    for hash in &found.missing {
        desk.warn(&format!("commit {hash} is recorded, but not in this clone; `git fetch` brings it"));
    }
    for warning in &found.warnings {
        desk.warn(warning);
    }
    let is_good = found.configurations.iter().all(|configuration| configuration.evaluated);
    Ok(if is_good && found.given_up == 0 { exit::OK } else { exit::BUILD })
}

fn told(found: &Found) -> String {
    let failed = found.configurations.iter().filter(|configuration| !configuration.evaluated).count();
    let evaluated = found.configurations.len() - failed;
    let mut text = format!("{} evaluated, {failed} failed", plural(evaluated, "configuration"));
    if found.known > 0 {
        text.push_str(&format!("; {} evaluated before", plural(found.known, "commit")));
    }
    if found.given_up > 0 {
        let count = plural(found.given_up, "configuration");
        text.push_str(&format!("; {count} failed five times and not tried again"));
    }
    text
}

fn table(configurations: &[Configuration]) -> String {
    let headings = ["COMMIT", "HOST", "OUTCOME", "TO BUILD", "TOOK", "DERIVATION"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    for found in configurations {
        let last = match (&found.error, &found.derivation_path) {
            // How it got there stands in the record.
            (Some(error), _) => clean_line(error.lines().next().unwrap_or_default()),
            (None, path) => path.clone().unwrap_or_default(),
        };
        let last = console::truncate_str(&last, WIDEST, "…").into_owned();
        lines.push(vec![
            found.commit_hash.chars().take(8).collect(),
            found.hostname.to_string(),
            if found.evaluated { "evaluated" } else { "failed" }.to_owned(),
            if found.evaluated { found.packages.to_string() } else { "-".to_owned() },
            duration(std::time::Duration::from_millis(found.duration_ms)),
            last,
        ]);
    }
    aligned(&lines, &[Kind::Text, Kind::Text, Kind::Text, Kind::Integer, Kind::Real, Kind::Text])
}
