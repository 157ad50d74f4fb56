//! Reports in PostgreSQL are partitioned by month.
//!
//! Months are made ahead by whoever may: by `fleet migrate`, and by programs
//! that write reports. A report for a month that nobody has made goes to
//! `system_states_other` and is found all the same, so a missing month is
//! never an error.

use jiff::Timestamp;
use jiff::civil::Date;

use super::database::{Database, Dialect};
use super::error::FleetError;
use super::value::values;

/// How many months ahead are made.
const AHEAD: usize = 2;

/// Makes the partitions of this month and the next ones, where they are
/// missing and this user may. In SQLite there is nothing to do.
pub(crate) async fn prepare(database: &mut Database, now: Timestamp) -> Result<(), FleetError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let Some(months) = months(now) else { return Ok(()) };
    for pair in months.windows(2) {
        let [first, next] = pair else { continue };
        let name = format!("system_states_{}", first.strftime("%Y_%m"));
        let sql = "SELECT count(to_regclass($1)), \
                   (SELECT count(*) FROM pg_partitioned_table WHERE partrelid = to_regclass('system_states'))";
        let row = database.row("look for a month", sql, &values![&name]).await?;
        let counts: Vec<i64> = row.unwrap_or_default().iter().filter_map(super::value::Cell::integer).collect();
        // It is there; or the reports are those of Crystal Forge, which are not partitioned.
        if counts != [0, 1] {
            continue;
        }
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {name} PARTITION OF system_states \
             FOR VALUES FROM ('{first} 00:00:00+00') TO ('{next} 00:00:00+00'); SELECT fleet_watch('{name}')"
        );
        if let Err(error) = database.script("make a month", &sql).await {
            tracing::debug!(%error, name, "reports of this month go to system_states_other");
        }
    }
    Ok(())
}

/// The first days of this month and of those that follow.
fn months(now: Timestamp) -> Option<Vec<Date>> {
    let mut first = now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
    let mut months = vec![first];
    for _ in 0..=AHEAD {
        first = first.checked_add(jiff::Span::new().months(1)).ok()?;
        months.push(first);
    }
    Some(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_year() {
        let months = months("2025-11-30T23:59:59Z".parse().unwrap()).unwrap();
        let names: Vec<String> = months.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01"]);
    }
}
