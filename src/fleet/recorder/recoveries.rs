//! Writes what a run tried by itself into the database: among the steps of the
//! host, numbered, because the same can be tried more than once.

use jiff::Timestamp;
use uuid::Uuid;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::values;
use crate::model::{Recovery, RecoveryOutcome};

/// Writes one attempt of a host's deploy.
pub(super) async fn write(
    database: &mut Database,
    event_id: Uuid,
    recovery: &Recovery,
    time: Timestamp,
) -> Result<(), FleetError> {
    let sql = "SELECT count(*) FROM steps WHERE event_id = $1 AND name LIKE 'recovery %'";
    let row = database.row("count attempts to recover", sql, &values![event_id]).await?;
    let before = row.and_then(|cells| cells.first()?.integer()).unwrap_or_default();
    let name = format!("recovery {}: {}", before + 1, recovery.what);
    let outcome = match recovery.outcome {
        RecoveryOutcome::Helped => "passed",
        RecoveryOutcome::InVain => "failed",
        RecoveryOutcome::Declined => "skipped",
    };
    let detail = recovery.to_string();
    let sql = "INSERT INTO steps (event_id, name, started_at, outcome, detail) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (event_id, name) DO NOTHING";
    let values = values![event_id, &name, time, outcome, &detail];
    database.execute("write an attempt to recover", sql, &values).await?;
    Ok(())
}
