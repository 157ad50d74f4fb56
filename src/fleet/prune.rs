//! Retention: thins old reports and heartbeats, never deploys.
//!
//! Of reports that are older than is kept, one per host and day stays (the
//! newest), and every one that says something else than the one before it. So
//! what ran when can still be told, to the report for changes and to the day
//! for the rest.

use jiff::Timestamp;
use serde::Serialize;

use super::database::Database;
use super::error::FleetError;
use super::value::values;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pruned {
    /// Reports that are gone.
    pub(crate) reports: u64,
    /// Heartbeats that are gone, beside those of reports that are gone.
    pub(crate) heartbeats: u64,
}

/// The reports older than `$1` that say nothing which others do not say.
const OLD_REPORTS: &str = "SELECT id FROM (\
    SELECT id, store_path, \
      lag(store_path) OVER (PARTITION BY hostname ORDER BY \"timestamp\", id) AS path_before, \
      row_number() OVER (\
        PARTITION BY hostname, substr(CAST(\"timestamp\" AS text), 1, 10) \
        ORDER BY \"timestamp\" DESC, id DESC) AS place \
    FROM system_states WHERE \"timestamp\" < $1) old \
  WHERE place > 1 AND path_before = store_path";

/// Thins what is older than `before`.
pub(crate) async fn prune(database: &mut Database, before: Timestamp) -> Result<Pruned, FleetError> {
    database
        .transaction(async |database| {
            let sql = "DELETE FROM agent_heartbeats WHERE id IN (SELECT id FROM (\
                       SELECT id, row_number() OVER (\
                         PARTITION BY system_state_id, substr(CAST(\"timestamp\" AS text), 1, 10) \
                         ORDER BY \"timestamp\" DESC, id DESC) AS place \
                       FROM agent_heartbeats WHERE \"timestamp\" < $1) old WHERE place > 1)";
            let heartbeats = database.execute("thin heartbeats", sql, &values![before]).await?;
            // In a database of Crystal Forge a report cannot go before its heartbeats.
            let sql = format!("DELETE FROM agent_heartbeats WHERE system_state_id IN ({OLD_REPORTS})");
            database.execute("thin heartbeats", &sql, &values![before]).await?;
            let sql = format!("DELETE FROM system_states WHERE id IN ({OLD_REPORTS})");
            let reports = database.execute("thin reports", &sql, &values![before]).await?;
            Ok(Pruned { reports, heartbeats })
        })
        .await
}
