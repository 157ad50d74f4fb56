//! `fleet poll`: asks hosts what they run.

use super::jobs::{failed, unless_stopped};
use super::table::aligned;
use super::{Desk, print_json};
use crate::cli::PollArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::fleet::query::Kind;
use crate::jobs::poll::{self, Answer, Outcome};
use crate::model::text::{clean_line, duration, plural};

/// The widest path or error in the table, in characters.
const WIDEST: usize = 60;

/// Asks hosts. A host that cannot be reached does not fail it: exit code 5 only
/// when an answer could not be used.
pub(super) async fn poll(desk: &Desk, asked: &PollArgs) -> Result<ExitCode, CommandError> {
    let hosts = desk.hosts(&asked.hosts)?;
    let answers = unless_stopped(async {
        let mut database = desk.open().await?;
        let at_once = usize::from(asked.at_once);
        poll::poll(&mut database, &hosts, at_once, &desk.settings.state_dir).await.map_err(failed)
    })
    .await?;
    let count = |outcome| answers.iter().filter(|answer| answer.outcome == outcome).count();
    if desk.json(asked.json) {
        print_json(&answers)?;
    } else {
        print(table(&answers).as_bytes())?;
        desk.say(&format!(
            "{} asked: {} changed, {} same, {} unreachable, {} failed",
            plural(answers.len(), "host"),
            count(Outcome::Changed),
            count(Outcome::Same),
            count(Outcome::Unreachable),
            count(Outcome::Failed)
        ));
    }
    Ok(if count(Outcome::Failed) > 0 { exit::UNFIT } else { exit::OK })
}

fn table(answers: &[Answer]) -> String {
    let headings = ["HOST", "OUTCOME", "NIXOS", "KERNEL", "UP", "ADDRESS", "RUNS"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    for answer in answers {
        let word = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), clean_line);
        let up = answer
            .uptime_secs
            .map_or_else(|| "-".to_owned(), |seconds| duration(std::time::Duration::from_secs(seconds)));
        let runs = word(if answer.error.is_some() { &answer.error } else { &answer.store_path });
        let runs = console::truncate_str(&runs, WIDEST, "…").into_owned();
        lines.push(vec![
            answer.hostname.to_string(),
            answer.outcome.as_str().to_owned(),
            word(&answer.nixos_version),
            word(&answer.kernel),
            up,
            word(&answer.ip_address),
            runs,
        ]);
    }
    aligned(&lines, &[Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Real, Kind::Text, Kind::Text])
}
