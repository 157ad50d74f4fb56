//! Rows of SQLite as one value each.
//!
//! The driver of SQLite copies every value of a row by itself and hands it from
//! its thread to ours: 200,000 rows of 34 values take it several times as long
//! as the query. A row that SQLite packs into one JSON text is one value.
//!
//! Invariant: what comes out is what the same values give one by one. Numbers
//! with and without fraction stay apart, because SQLite writes `3.0` for one; of
//! a fraction it writes 15 digits, and the views round to two.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::database::Cells;
use super::value::Cell;

/// The statement that gives the columns of `rest` ("FROM …") as one text a row.
pub(super) fn select(columns: &[&str], rest: &str) -> String {
    format!("SELECT json_array({}) {rest}", columns.join(", "))
}

/// The values of such a text.
pub(super) fn cells(text: &str) -> Result<Cells, serde_json::Error> {
    serde_json::from_str(text)
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl Visitor<'_> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of SQLite")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        i64::try_from(number).map(Cell::Integer).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Real(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use crate::fleet::database::Patience;
    use crate::fleet::url::Address;
    use crate::fleet::{Database, value::values};

    #[tokio::test]
    async fn a_packed_row_has_the_values_of_a_plain_one() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = Database::connect(&address, Patience::COMMAND).await.unwrap();
        database.script("make a table", "CREATE TABLE odd (i, r, b, t, n)").await.unwrap();
        let texts = ["", "o'brien", "a \"quote\" \\ and\ttab\nline \u{7}", "grün 🟢 \u{2028}", "3", "null"];
        for (index, text) in texts.into_iter().enumerate() {
            let sign = if index % 2 == 0 { 1 } else { -1 };
            let row = values![i64::MAX * sign, index as f64 / 4.0 + 0.01, index % 2 == 0, text, None::<&str>];
            let sql = "INSERT INTO odd VALUES ($1, $2, $3, $4, $5)";
            database.execute("fill it", sql, &row).await.unwrap();
        }
        let columns = ["i", "r", "b", "t", "n"];
        let rest = "FROM odd WHERE t <> $1 ORDER BY t DESC";
        let packed = database.answer("read", &columns, rest, &values!["3"]).await.unwrap();
        let sql = format!("SELECT {} {rest}", columns.join(", "));
        let plain = database.rows("read", &sql, &values!["3"]).await.unwrap();
        assert_eq!(packed, plain);
        assert_eq!(packed.len(), texts.len() - 1);
    }
}
