//! Subcommands that ask one question and show its answer as a table or JSON.

use std::io::Write;
use std::ops::ControlFlow;

use super::{Desk, fail, hosts, print_json, table};
use crate::cli::{AskArgs, QueueArgs, StaleArgs};
use crate::commands::{print, unwritable};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::fleet::query::{self, Answer, Narrowed, Question};
use crate::fleet::{Cell, Cells, Database};

/// Asks a question of the catalog.
pub(super) async fn ask(desk: &Desk, question: &Question, asked: &AskArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let narrowed = narrowed(desk, &mut database, asked).await?;
    if desk.json(asked.json) {
        return print_each(&mut database, question, &narrowed).await;
    }
    let answer = query::ask(&mut database, question, &narrowed).await.map_err(fail)?;
    show(desk, &answer, asked.json)
}

/// Prints rows as JSON while they come: an answer may be larger than the memory.
async fn print_each(
    database: &mut Database,
    question: &Question,
    narrowed: &Narrowed,
) -> Result<ExitCode, CommandError> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    let take = |row| {
        written = serde_json::to_writer(&mut output, &query::json_row(question.columns, &row))
            .map_err(std::io::Error::from)
            .and_then(|()| output.write_all(b"\n"));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    query::ask_each(database, question, narrowed, take).await.map_err(fail)?;
    match written.and_then(|()| output.flush()) {
        // Whoever reads has enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
        _ => Ok(exit::OK),
    }
}

/// How hosts stand. In the table a last deploy that did not reach its host has its own word;
/// machines read that of the schema.
pub(super) async fn status(desk: &Desk, asked: &AskArgs) -> Result<ExitCode, CommandError> {
    if desk.json(asked.json) {
        return ask(desk, &query::STATUS, asked).await;
    }
    let mut database = desk.open().await?;
    let narrowed = narrowed(desk, &mut database, asked).await?;
    let mut answer = query::ask(&mut database, &query::STATUS, &narrowed).await.map_err(fail)?;
    let place = |name: &str| answer.columns.iter().position(|column| column.name == name);
    if let (Some(host), Some(last)) = (place("hostname"), place("last_event_status")) {
        let unreached = query::unreached(&mut database).await.map_err(fail)?;
        let is_unreached =
            |row: &Cells| row.get(host).and_then(Cell::text).is_some_and(|host| unreached.contains(host));
        for row in answer.rows.iter_mut().filter(|row| is_unreached(row)) {
            row[last] = Cell::Text("unreachable".to_owned());
        }
    }
    show(desk, &answer, asked.json)
}

/// The timeline, which is asked in its own way.
pub(super) async fn timeline(desk: &Desk, asked: &AskArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let narrowed = narrowed(desk, &mut database, asked).await?;
    let answer = query::timeline(&mut database, &narrowed).await.map_err(fail)?;
    show(desk, &answer, asked.json)
}

/// The build queue, or the part of it that is asked for.
pub(super) async fn queue(desk: &Desk, asked: &QueueArgs) -> Result<ExitCode, CommandError> {
    if asked.next {
        let ask_args = AskArgs { limit: Some(1), ..asked.ask.clone() };
        return ask(desk, &query::BUILDABLE, &ask_args).await;
    }
    ask(desk, if asked.newest { &query::QUEUE_OF_NEWEST } else { &query::QUEUE }, &asked.ask).await
}

/// Hosts that were not heard of for a while, or never.
pub(super) async fn stale(desk: &Desk, asked: &StaleArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let mut narrowed = narrowed(desk, &mut database, &asked.ask).await?;
    // The age is judged here: the limit counts those that are left.
    let limit = narrowed.limit.take().and_then(|limit| usize::try_from(limit).ok());
    let mut answer = query::ask(&mut database, &query::STALE, &narrowed).await.map_err(fail)?;
    let oldest = jiff::Timestamp::now().checked_sub(asked.older_than).unwrap_or(jiff::Timestamp::MIN);
    let heard = |row: &Cells| row.get(1).and_then(Cell::time);
    answer.rows.retain(|row| heard(row).is_none_or(|heard| heard < oldest));
    answer.rows.truncate(limit.unwrap_or(usize::MAX));
    show(desk, &answer, asked.ask.json)
}

async fn narrowed(desk: &Desk, database: &mut Database, asked: &AskArgs) -> Result<Narrowed, CommandError> {
    let hosts = match asked.hosts.is_empty() {
        true => None,
        false => Some(hosts::resolve(desk, database, &asked.hosts).await?),
    };
    Ok(Narrowed { hosts, since: asked.since, limit: asked.limit, only: None })
}

fn show(desk: &Desk, answer: &Answer, json: bool) -> Result<ExitCode, CommandError> {
    if desk.json(json) {
        return print_json(answer.rows.iter().map(|row| answer.json(row)));
    }
    if answer.rows.is_empty() {
        desk.say("nothing is recorded that answers this");
    }
    print(table::table(answer).as_bytes())
}
