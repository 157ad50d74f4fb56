//! Settles a deploy's row: from its own report, or, when its program ended
//! without a word, from what the next run found on the host.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::{Cell, values};
use crate::model::{Failure, HostFacts, HostName, HostOutcome, HostReport, RunId, StorePath};

/// The status of the schema for an outcome.
fn status(outcome: HostOutcome) -> &'static str {
    match outcome {
        HostOutcome::Unchanged
        | HostOutcome::Deployed
        | HostOutcome::DeployedWithWarnings
        | HostOutcome::RebootRequired => "success",
        HostOutcome::Previewed | HostOutcome::Skipped => "skipped",
        HostOutcome::RolledBack => "rolled_back",
        HostOutcome::RollbackFailed => "rollback_failed",
        HostOutcome::Unknown => "unknown",
        HostOutcome::Failed => "failed",
    }
}

/// What the host runs at the end: what it said, else what it ran before when
/// it was not changed.
fn running(report: &HostReport) -> Option<&StorePath> {
    let untouched = matches!(
        report.outcome,
        HostOutcome::Unchanged | HostOutcome::Previewed | HostOutcome::Skipped | HostOutcome::Failed
    );
    match &report.truth {
        Some(truth) => truth.current_system.as_ref(),
        None if untouched => report.old.as_ref(),
        None => None,
    }
}

fn error_text(failure: &Failure) -> String {
    let causes = failure.causes.iter().map(String::as_str);
    std::iter::once(failure.message.as_str()).chain(causes).collect::<Vec<_>>().join(": ")
}

/// Settles the row from its report and gives when the deploy ended: never
/// before it began, whatever the clock did meanwhile.
pub(super) async fn settle(
    database: &mut Database,
    event_id: Uuid,
    report: &HostReport,
    time: Timestamp,
) -> Result<Timestamp, FleetError> {
    let sql = "SELECT started_at FROM deployment_events WHERE id = $1";
    let row = database.row("read the deploy", sql, &values![event_id]).await?;
    let started = row.and_then(|cells| cells.first()?.time()).unwrap_or(time);
    let completed = match time < started {
        true => started.checked_add(Duration::from_millis(report.elapsed_ms)).unwrap_or(started),
        false => time,
    };
    let text = |path: Option<&StorePath>| path.map(|path| path.as_str().to_owned());
    let generation = report
        .generation_after
        .or_else(|| report.generation_before.filter(|_| report.outcome == HostOutcome::Unchanged));
    let sql = "UPDATE deployment_events SET status = $2, outcome = $3, completed_at = $4, \
               from_store_path = coalesce($5, from_store_path), to_store_path = coalesce($6, to_store_path), \
               running_store_path = $7, from_generation = coalesce($8, from_generation), to_generation = $9, \
               activated = $10, duration_ms = $11, error = $12, report = $13, lock_expires_at = NULL WHERE id = $1";
    let values = values![
        event_id,
        status(report.outcome),
        report.outcome.as_str(),
        completed,
        text(report.old.as_ref()),
        text(report.new.as_ref()),
        text(running(report)),
        report.generation_before,
        generation,
        report.outcome != HostOutcome::RebootRequired,
        report.elapsed_ms,
        report.failure.as_ref().map(error_text),
        serde_json::to_string(report).ok(),
    ];
    database.execute("settle the deploy", sql, &values).await?;
    Ok(completed)
}

/// Settles deploys of this host that other runs left open and nobody leads any
/// more, from what the host runs now.
pub(super) async fn others(
    database: &mut Database,
    run: &RunId,
    host: &HostName,
    facts: &HostFacts,
    time: Timestamp,
) -> Result<(), FleetError> {
    let sql = "SELECT e.id, e.run_id, e.from_store_path, e.to_store_path, e.started_at, \
               EXISTS (SELECT 1 FROM steps s WHERE s.event_id = e.id AND s.name = 'activate'), e.machine_id \
               FROM deployment_events e, fleet_clock k \
               WHERE e.hostname = $1 AND e.status = 'in_progress' AND coalesce(e.run_id, '') <> $2 \
               AND e.started_at < $3 AND (e.lock_expires_at IS NULL OR e.lock_expires_at <= k.at)";
    let values = values![host.as_str(), run.as_str(), time];
    for cells in database.rows("look for deploys left open", sql, &values).await? {
        let text = |index: usize| cells.get(index).and_then(Cell::text);
        // A host of the same name in another flake is another machine.
        if text(6).is_some_and(|machine| machine != facts.machine_id) {
            continue;
        }
        let Some(event_id) = text(0).and_then(|id| id.parse::<Uuid>().ok()) else { continue };
        let started = cells.get(4).and_then(Cell::time).unwrap_or(time);
        let activated = cells.get(5).and_then(Cell::boolean).unwrap_or_default();
        let (status, why) = judge(facts, text(1), text(2), text(3), activated);
        let current = facts.current_system.as_ref().map(StorePath::as_str);
        let sql = "UPDATE deployment_events SET status = $2, completed_at = $3, running_store_path = $4, \
                   error = $5, lock_expires_at = NULL WHERE id = $1 AND status = 'in_progress'";
        let values = values![event_id, status, time.max(started), current, why];
        database.execute("settle a deploy left open", sql, &values).await?;
    }
    Ok(())
}

/// How a deploy must have ended, from what the host runs now.
fn judge(
    facts: &HostFacts,
    run: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
    activated: bool,
) -> (&'static str, Option<&'static str>) {
    let current = facts.current_system.as_ref().map(StorePath::as_str);
    let confirmed = facts.deployed.as_ref().is_some_and(|record| Some(record.run.as_str()) == run);
    if confirmed || (current.is_some() && current == to && current != from) {
        return ("success", None);
    }
    match current {
        Some(path) if Some(path) == from && activated => {
            ("rolled_back", Some("the program ended without a word; the host runs its old system"))
        }
        Some(path) if Some(path) == from || from.is_none() => {
            ("failed", Some("the program ended without a word; the host was not changed"))
        }
        _ => ("unknown", Some("the program ended without a word; the host runs another system than before")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_status_of_the_schema() {
        let schema = include_str!("../migrations/sqlite/0002_own.sql");
        for outcome in [
            HostOutcome::Unchanged,
            HostOutcome::Deployed,
            HostOutcome::DeployedWithWarnings,
            HostOutcome::RebootRequired,
            HostOutcome::Previewed,
            HostOutcome::RolledBack,
            HostOutcome::RollbackFailed,
            HostOutcome::Unknown,
            HostOutcome::Failed,
            HostOutcome::Skipped,
        ] {
            assert!(schema.contains(&format!("'{}'", status(outcome))), "{outcome:?}");
        }
    }
}
