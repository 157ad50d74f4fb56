//! Inserting many rows with few statements.

use super::database::{Database, Dialect};
use super::error::FleetError;
use super::value::Value;

/// Rows of one statement; SQLite takes about 32,000 values in one.
pub(super) const ROWS: usize = 1_000;

/// Inserts rows, [`ROWS`] with a statement; `tail` is what follows them, for
/// example `ON CONFLICT DO NOTHING`.
pub(super) async fn insert(
    database: &mut Database,
    table: &str,
    columns: &str,
    rows: Vec<Vec<Value>>,
    tail: &str,
) -> Result<(), FleetError> {
    for rows in rows.chunks(ROWS) {
        let mut place = 0;
        // SQLite looks through all names of places for each of them; those without one cost nothing.
        let is_sqlite = database.dialect() == Dialect::Sqlite;
        let mut next = |_: &Value| {
            place += 1;
            if is_sqlite { "?".to_owned() } else { format!("${place}") }
        };
        let places: Vec<String> = rows
            .iter()
            .map(|row| format!("({})", row.iter().map(&mut next).collect::<Vec<_>>().join(", ")))
            .collect();
        let sql = format!("INSERT INTO {table} ({columns}) VALUES {} {tail}", places.join(", "));
        let values: Vec<Value> = rows.iter().flatten().cloned().collect();
        database.execute("write rows", &sql, &values).await?;
    }
    Ok(())
}
