//! The whole database as JSON lines, out of one database and into another:
//! backup, restore, and the way between SQLite and PostgreSQL.
//!
//! ```text
//! {"nix_deploy_export":1,"schema":5}
//! {"table":"flakes","row":{"id":1,"name":"infra","repo_url":"https://…"}}
//! ```
//!
//! Ids stay what they are. Invariants: an export is one moment of the
//! database; an import is all or nothing, and only into a database without
//! rows of its own, so that nothing is ever mixed up.

use std::io::{BufRead, Write};

use serde_json::{Map, Value as Json, json};

use super::database::{Database, Dialect};
use super::error::FleetError;
use super::migrate;
use super::tables::{Field, TABLES, Table};
use super::value::{Cell, Value, values};

/// The version of the form.
const FORM: i64 = 1;
/// Rows that are read or written at a time.
const ROWS: usize = 500;

/// Writes everything and gives the number of rows.
pub(crate) async fn export(database: &mut Database, output: &mut impl Write) -> Result<u64, FleetError> {
    database.begin_snapshot().await?;
    let result = write_all(database, output).await;
    // Nothing was changed: how the snapshot ends does not matter.
    let _ = database.end_snapshot().await;
    result
}

async fn write_all(database: &mut Database, output: &mut impl Write) -> Result<u64, FleetError> {
    let mut count = 0;
    write_line(output, &json!({ "nix_deploy_export": FORM, "schema": migrate::known_version() }))?;
    for table in &TABLES {
        let mut last: Option<Vec<Value>> = None;
        loop {
            let rows = page(database, table, last.as_deref()).await?;
            for cells in &rows {
                let pairs = table.columns.iter().zip(cells);
                let row: Map<String, Json> =
                    pairs.map(|((name, field), cell)| ((*name).to_owned(), to_json(*field, cell))).collect();
                write_line(output, &json!({ "table": table.name, "row": row }))?;
                count += 1;
            }
            match rows.last() {
                Some(cells) if rows.len() == ROWS => {
                    let key = table.columns.iter().zip(cells).take(table.key);
                    last =
                        Some(key.map(|((_, field), cell)| to_value(*field, &to_json(*field, cell))).collect());
                }
                _ => break,
            }
        }
    }
    output.flush().map_err(|source| stream("write the export", source))?;
    Ok(count)
}

async fn page(
    database: &mut Database,
    table: &Table,
    after: Option<&[Value]>,
) -> Result<Vec<Vec<Cell>>, FleetError> {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let key = columns[..table.key].join(", ");
    let places: Vec<String> = (1..=table.key).map(|index| format!("${index}")).collect();
    let from = match after {
        Some(_) => format!("WHERE ({key}) > ({})", places.join(", ")),
        None => String::new(),
    };
    let sql = format!("SELECT {} FROM {} {from} ORDER BY {key} LIMIT {ROWS}", columns.join(", "), table.name);
    database.rows("read a table", &sql, after.unwrap_or_default()).await
}

/// Reads an export into a database without rows of its own and gives the number
/// of rows. `place` names the input in errors.
pub(crate) async fn import(
    database: &mut Database,
    input: impl BufRead,
    place: &str,
) -> Result<u64, FleetError> {
    database
        .transaction_once(async |database| {
            refuse_rows(database).await?;
            database.execute("make room", "DELETE FROM environments", &[]).await?;
            let mut reader = Reader { place, line: 0, begun: false };
            let mut batch: Vec<Json> = Vec::new();
            let mut of: Option<&'static Table> = None;
            let mut count = 0;
            for line in input.lines() {
                let line = line.map_err(|source| stream(&format!("read {place}"), source))?;
                reader.line += 1;
                let Some((table, row)) = reader.read(&line)? else { continue };
                if of.is_some_and(|of| of.name != table.name) || batch.len() == ROWS {
                    count += insert(database, of, &mut batch).await?;
                }
                of = Some(table);
                batch.push(row);
            }
            if !reader.begun {
                return Err(reader.wrong("it is empty"));
            }
            count += insert(database, of, &mut batch).await?;
            count_on(database).await?;
            Ok(count)
        })
        .await
}

/// Where an import is in its input.
struct Reader<'a> {
    place: &'a str,
    line: usize,
    begun: bool,
}

impl Reader<'_> {
    fn wrong(&self, reason: &str) -> FleetError {
        FleetError::Line { place: self.place.to_owned(), line: self.line, reason: reason.to_owned() }
    }

    /// The row of a line; `None` for the heading.
    fn read(&mut self, line: &str) -> Result<Option<(&'static Table, Json)>, FleetError> {
        let mut value: Json = serde_json::from_str(line).map_err(|error| self.wrong(&error.to_string()))?;
        if !self.begun {
            self.begun = true;
            let known = migrate::known_version();
            return match (
                value.get("nix_deploy_export").and_then(Json::as_i64),
                value.get("schema").and_then(Json::as_i64),
            ) {
                (Some(FORM), Some(schema)) if schema <= known => Ok(None),
                (Some(_), Some(_)) => Err(self.wrong("it was written by a newer nix-deploy")),
                _ => Err(self.wrong("it does not begin like an export of nix-deploy")),
            };
        }
        let name = value.get("table").and_then(Json::as_str).unwrap_or_default();
        let table = TABLES.iter().find(|table| table.name == name);
        let table = table.ok_or_else(|| self.wrong(&format!("there is no table {name:?}")))?;
        let row = value.get_mut("row").map(Json::take).filter(Json::is_object);
        Ok(Some((table, row.ok_or_else(|| self.wrong("it has no row"))?)))
    }
}

async fn refuse_rows(database: &mut Database) -> Result<(), FleetError> {
    for table in TABLES.iter().filter(|table| table.name != "environments") {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        if database.row("look for rows", &sql, &[]).await?.is_some() {
            return Err(FleetError::Missing {
                what: format!("the fleet database {} has rows in {}", database.place(), table.name),
                hint: "an export is read into a database without rows: name another one".to_owned(),
            });
        }
    }
    Ok(())
}

async fn insert(
    database: &mut Database,
    table: Option<&'static Table>,
    batch: &mut Vec<Json>,
) -> Result<u64, FleetError> {
    let Some(table) = table.filter(|_| !batch.is_empty()) else { return Ok(0) };
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let mut places = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for row in batch.iter() {
        let row_places: Vec<String> = table
            .columns
            .iter()
            .map(|(name, field)| {
                values.push(to_value(*field, row.get(*name).unwrap_or(&Json::Null)));
                format!("${}", values.len())
            })
            .collect();
        places.push(format!("({})", row_places.join(", ")));
    }
    let count = batch.len() as u64;
    batch.clear();
    let sql = format!("INSERT INTO {} ({}) VALUES {}", table.name, columns.join(", "), places.join(", "));
    database.execute("write rows of the export", &sql, &values).await?;
    Ok(count)
}

/// Lets PostgreSQL count on from the highest ids; SQLite does by itself.
async fn count_on(database: &mut Database) -> Result<(), FleetError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for table in TABLES.iter().filter(|table| table.counts) {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence($1, 'id'), coalesce((SELECT max(id) FROM {}), 0) + 1, false)",
            table.name
        );
        database.rows("count on", &sql, &values![table.name]).await?;
    }
    Ok(())
}

fn to_json(field: Field, cell: &Cell) -> Json {
    let value = match field {
        Field::Integer => cell.integer().map(Json::from),
        Field::Real => cell.real().map(Json::from),
        Field::Boolean => cell.boolean().map(Json::from),
        Field::Text | Field::Json | Field::Uuid => cell.text().map(Json::from),
        Field::Time => cell.time().map(|time| Json::from(time.to_string())),
    };
    value.unwrap_or(Json::Null)
}

fn to_value(field: Field, json: &Json) -> Value {
    match field {
        Field::Integer => Value::from(json.as_i64()),
        Field::Real => Value::from(json.as_f64()),
        // Exports of earlier schemas have some of these as text.
        Field::Boolean => Value::from(json.as_bool().or_else(|| json.as_str().map(|text| text == "true"))),
        Field::Text => Value::from(json.as_str()),
        Field::Json => Value::Json(json.as_str().map(|text| match serde_json::from_str::<Json>(text) {
            Ok(_) => text.to_owned(),
            Err(_) => Json::from(text).to_string(),
        })),
        Field::Time => Value::from(json.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok())),
        Field::Uuid => Value::from(json.as_str().and_then(|text| text.parse::<uuid::Uuid>().ok())),
    }
}

fn write_line(output: &mut impl Write, value: &Json) -> Result<(), FleetError> {
    writeln!(output, "{value}").map_err(|source| stream("write the export", source))
}

fn stream(doing: &str, source: std::io::Error) -> FleetError {
    FleetError::Stream { doing: doing.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::tables::NOT_EXPORTED;
    use crate::fleet::url::Address;

    async fn database(folder: &tempfile::TempDir, name: &str) -> Database {
        migrate::open(&Address::Sqlite(folder.path().join(name)), Patience::COMMAND).await.unwrap()
    }

    #[tokio::test]
    async fn every_table_and_column_of_the_schema_is_exported_or_named_as_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(&folder, "fleet.db").await;
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let rows = database.rows("test", sql, &[]).await.unwrap();
        let there: BTreeSet<&str> = rows.iter().map(|cells| cells[0].text().unwrap()).collect();
        let known: BTreeSet<&str> = TABLES.iter().map(|table| table.name).chain(NOT_EXPORTED).collect();
        assert_eq!(there, known);
        for table in &TABLES {
            let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name);
            let rows = database.rows("test", &sql, &[]).await.unwrap();
            let columns: Vec<&str> = rows.iter().map(|cells| cells[0].text().unwrap()).collect();
            let exported: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            assert_eq!(exported, columns, "{}", table.name);
        }
    }

    #[tokio::test]
    async fn what_is_no_export_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(&folder, "fleet.db").await;
        let heading = "{\"nix_deploy_export\":1,\"schema\":5}\n";
        let rows = [
            (String::new(), "line 0 of - cannot be read: it is empty"),
            ("x".to_owned(), "line 1 of - cannot be read: expected value"),
            ("{}".to_owned(), "it does not begin like an export"),
            ("{\"nix_deploy_export\":9,\"schema\":5}".to_owned(), "by a newer nix-deploy"),
            (
                format!("{heading}{{\"table\":\"flakes; DROP\"}}"),
                "line 2 of - cannot be read: there is no table",
            ),
            (
                format!(
                    "{heading}{{\"table\":\"flakes\",\"row\":{{\"id\":1,\"name\":\"a\",\"repo_url\":\"b\"}}}}\n{{\"table\":\"flakes\"}}"
                ),
                "line 3 of - cannot be read: it has no row",
            ),
        ];
        for (text, part) in rows {
            let error = import(&mut database, text.as_bytes(), "-").await.unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            let rows = database.rows("test", "SELECT count(*) FROM flakes", &[]).await.unwrap();
            assert_eq!(rows[0][0].integer(), Some(0));
        }
    }
}
