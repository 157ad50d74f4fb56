//! Questions to the fleet database, and what an answer is made of.
//!
//! A [`Question`] is a text of SQL with its columns; hosts, time and number of
//! rows narrow it down. Most questions are views with their own order
//! (`catalog.rs`); what takes more than one statement has a file of its own. A
//! new question is one entry of the catalog, or one file.
//!
//! Invariant: the columns of a question are what `--json` prints, in this
//! order and with these types; tests compare them with the README.

mod catalog;
mod show;
mod stats;
mod timeline;
mod unreached;

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::database::{Cells, Database};
use super::error::FleetError;
use super::value::{Cell, Value};

pub(crate) use catalog::*;
pub(crate) use show::run_record;
pub(crate) use stats::{Stats, stats};
pub(crate) use timeline::timeline;
pub(crate) use unreached::unreached;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A number without fraction.
    Integer,
    /// A number.
    Real,
    /// Yes or no.
    Boolean,
    /// A moment, in JSON as RFC 3339 in UTC.
    Time,
}

/// A column of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in SQL and in JSON.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Its heading in a table; columns without one are only in JSON.
    pub(crate) heading: Option<&'static str>,
}

/// A column that a table shows.
pub(super) const fn shown(name: &'static str, kind: Kind, heading: &'static str) -> Column {
    Column { name, kind, heading: Some(heading) }
}

/// A column that only JSON has.
pub(super) const fn plain(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, heading: None }
}

/// A question of one statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// A fragment for errors, "read the timeline".
    pub(crate) doing: &'static str,
    /// What it gives.
    pub(crate) columns: &'static [Column],
    /// A view, or a query in brackets with a name; in its own order.
    pub(crate) from: &'static str,
    /// The column that hosts narrow down.
    pub(crate) host: Option<&'static str>,
    /// The column that a time narrows down.
    pub(crate) time: Option<&'static str>,
}

/// What narrows a question down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Narrowed {
    /// Only these hosts; all when `None`.
    pub(crate) hosts: Option<Vec<String>>,
    /// Only from then on.
    pub(crate) since: Option<Timestamp>,
    /// At most so many rows.
    pub(crate) limit: Option<u64>,
    /// A further condition of the question's own, with its value.
    pub(crate) only: Option<(&'static str, String)>,
}

/// What the database answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// What the cells are.
    pub(crate) columns: &'static [Column],
    /// The rows in their order.
    pub(crate) rows: Vec<Cells>,
}

impl Answer {
    /// A row as JSON; numbers, booleans and times as what they are.
    pub(crate) fn json(&self, row: &Cells) -> Json {
        json_row(self.columns, row)
    }
}

/// A row as JSON.
pub(crate) fn json_row(columns: &[Column], row: &Cells) -> Json {
    let pairs = columns.iter().zip(row);
    let object: Map<String, Json> =
        pairs.map(|(column, cell)| (column.name.to_owned(), json_cell(column.kind, cell))).collect();
    Json::Object(object)
}

/// A cell as JSON.
pub(super) fn json_cell(kind: Kind, cell: &Cell) -> Json {
    let value = match kind {
        Kind::Text => cell.text().map(Json::from),
        Kind::Integer => cell.integer().map(Json::from),
        Kind::Real => cell.real().map(Json::from),
        Kind::Boolean => cell.boolean().map(Json::from),
        Kind::Time => cell.time().map(|time| Json::from(time.to_string())),
    };
    value.unwrap_or(Json::Null)
}

/// Asks a question.
pub(crate) async fn ask(
    database: &mut Database,
    question: &Question,
    narrowed: &Narrowed,
) -> Result<Answer, FleetError> {
    let mut rows = Vec::new();
    let take = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    ask_each(database, question, narrowed, take).await?;
    Ok(Answer { columns: question.columns, rows })
}

/// Asks a question that may have a long answer: each row is handed over as it
/// comes, until `take` has enough.
pub(crate) async fn ask_each(
    database: &mut Database,
    question: &Question,
    narrowed: &Narrowed,
    take: impl FnMut(Cells) -> ControlFlow<()>,
) -> Result<(), FleetError> {
    let names: Vec<&str> = question.columns.iter().map(|column| column.name).collect();
    let mut rest = format!("FROM {}", question.from);
    let mut values = Vec::new();
    let mut conditions = Vec::new();
    if let (Some(column), Some(hosts)) = (question.host, &narrowed.hosts) {
        let places = places(values.len(), hosts.len());
        conditions.push(format!("{column} IN ({places})"));
        values.extend(hosts.iter().map(Value::from));
    }
    if let (Some(column), Some(since)) = (question.time, narrowed.since) {
        values.push(Value::from(since));
        conditions.push(format!("{column} >= ${}", values.len()));
    }
    if let Some((column, value)) = &narrowed.only {
        values.push(Value::from(value));
        conditions.push(format!("{column} = ${}", values.len()));
    }
    if !conditions.is_empty() {
        rest = format!("{rest} WHERE {}", conditions.join(" AND "));
    }
    if let Some(limit) = narrowed.limit {
        values.push(Value::from(limit));
        rest = format!("{rest} LIMIT ${}", values.len());
    }
    database.each(question.doing, &names, &rest, &values, take).await
}

/// `$3, $4` for two values behind two others; `NULL`, which nothing equals,
/// for none.
pub(super) fn places(before: usize, count: usize) -> String {
    if count == 0 {
        return "NULL".to_owned();
    }
    let places: Vec<String> = (before + 1..=before + count).map(|index| format!("${index}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;

    #[test]
    fn the_readme_lists_every_key_of_every_question_in_order() {
        let readme = include_str!("../../../README.md");
        let names = [
            ("status", STATUS.columns),
            ("systems", SYSTEMS.columns),
            ("timeline", &timeline::TIMELINE_COLUMNS[..]),
            ("commits", COMMITS.columns),
            ("builds", BUILDS.columns),
            ("queue", QUEUE.columns),
            ("queue --next", BUILDABLE.columns),
            ("heartbeat", HEARTBEAT.columns),
            ("drift", DRIFT.columns),
            ("stale", STALE.columns),
            ("missing", MISSING.columns),
            ("history", HISTORY.columns),
        ];
        for (name, columns) in names {
            let keys: Vec<String> = columns
                .iter()
                .map(|column| match column.kind {
                    Kind::Text => format!("`{}`", column.name),
                    Kind::Integer | Kind::Real => format!("`{}` number", column.name),
                    Kind::Boolean => format!("`{}` boolean", column.name),
                    Kind::Time => format!("`{}` time", column.name),
                })
                .collect();
            let row = format!("| `fleet {name}` | {} |", keys.join(", "));
            assert!(readme.contains(&row), "the README lacks:\n{row}");
        }
    }

    #[tokio::test]
    async fn every_question_is_one_the_schema_can_answer() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        let narrowed = Narrowed {
            hosts: Some(vec!["p620".to_owned(), "o'brien".to_owned()]),
            since: Some(Timestamp::UNIX_EPOCH),
            limit: Some(3),
            only: None,
        };
        for question in CATALOG {
            for narrowed in [&narrowed, &Narrowed::default()] {
                let answer = ask(&mut database, question, narrowed).await;
                assert_eq!(answer.unwrap().rows, Vec::<Cells>::new(), "{}", question.doing);
            }
        }
        assert!(timeline(&mut database, &narrowed).await.unwrap().rows.is_empty());
        let none = Narrowed { hosts: Some(Vec::new()), ..Narrowed::default() };
        assert!(ask(&mut database, &STATUS, &none).await.unwrap().rows.is_empty());
    }
}
