//! Updates of flake inputs as rows: one for the run, one for each input that
//! moves, and the known issues by which it was judged.

use jiff::Timestamp;
use uuid::Uuid;

use crate::event::Event;
use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::{Value, values};
use crate::model::{InputMove, InputRevision, IssueReport, IssueScope, RunId, Verdict};

/// Writes what an event says about the run's update; nothing for other events.
pub(super) async fn write(
    database: &mut Database,
    run: &RunId,
    event: &Event,
    time: Timestamp,
) -> Result<(), FleetError> {
    let (columns, values) = match event {
        Event::UpdatePreview { preview } => return inputs(database, run, &preview.inputs).await,
        Event::Risk { risk } => {
            // It was made from text, and can be written as text.
            let assessment = serde_json::to_string(risk).unwrap_or_default();
            (["risk", "assessment"].as_slice(), values![run.as_str(), risk.level.as_str(), assessment])
        }
        Event::UpdateDecided { decision } => (
            ["verdict", "decided_by", "decided_at", "actor", "reason"].as_slice(),
            values![
                run.as_str(),
                decision.verdict.as_str(),
                decision.by.as_str(),
                time,
                decision.actor.as_str(),
                decision.reason.as_str()
            ],
        ),
        Event::LockFile { state, .. } => (["lock_file"].as_slice(), values![run.as_str(), state.as_str()]),
        _ => return Ok(()),
    };
    set(database, run, columns, values).await?;
    match event {
        Event::UpdateDecided { decision } => {
            name(database, run).await?;
            if decision.verdict == Verdict::Apply { Ok(()) } else { skip(database, run, time).await }
        }
        _ => Ok(()),
    }
}

/// Hosts of an update that is not applied are left as they are.
async fn skip(database: &mut Database, run: &RunId, time: Timestamp) -> Result<(), FleetError> {
    let sql = "UPDATE deployment_events SET status = 'skipped', completed_at = $2, lock_expires_at = NULL \
               WHERE run_id = $1 AND status = 'in_progress'";
    database.execute("settle the hosts of the update", sql, &values![run.as_str(), time]).await?;
    Ok(())
}

/// A run that was to update inputs is called so, whichever command did it.
async fn name(database: &mut Database, run: &RunId) -> Result<(), FleetError> {
    let sql = "UPDATE runs SET command = 'update' WHERE id = $1";
    database.execute("name the update", sql, &values![run.as_str()]).await?;
    Ok(())
}

/// Writes some columns of the run's row, which is made when it is missing.
async fn set(
    database: &mut Database,
    run: &RunId,
    columns: &[&str],
    values: Vec<Value>,
) -> Result<(), FleetError> {
    let sql = "INSERT INTO updates (run_id) VALUES ($1) ON CONFLICT (run_id) DO NOTHING";
    database.execute("write the update", sql, &values![run.as_str()]).await?;
    let columns: Vec<String> =
        columns.iter().enumerate().map(|(index, column)| format!("{column} = ${}", index + 2)).collect();
    let sql = format!("UPDATE updates SET {} WHERE run_id = $1", columns.join(", "));
    database.execute("write the update", &sql, &values).await?;
    Ok(())
}

async fn inputs(database: &mut Database, run: &RunId, moves: &[InputMove]) -> Result<(), FleetError> {
    set(database, run, &["lock_file"], values![run.as_str(), None::<&str>]).await?;
    for moved in moves {
        let of = |side: &Option<InputRevision>| {
            let side = side.as_ref();
            let name = side.and_then(|side| side.revision.clone().or_else(|| side.hash.clone()));
            (name, side.and_then(|side| side.date))
        };
        let ((before, date_before), (after, date_after)) = (of(&moved.before), of(&moved.after));
        let url = moved.after.as_ref().or(moved.before.as_ref()).map(|side| side.url.as_str());
        let sql = "INSERT INTO update_inputs (run_id, input, url, revision_before, revision_after, date_before, \
                   date_after, compare_url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                   ON CONFLICT (run_id, input) DO NOTHING";
        let values = values![
            run.as_str(),
            moved.input.as_str(),
            url,
            before,
            after,
            date_before,
            date_after,
            moved.compare_url.as_deref()
        ];
        database.execute("write an input of the update", sql, &values).await?;
    }
    Ok(())
}

/// Writes the known issues of a host, as of before or after its deploy.
pub(super) async fn issues(
    database: &mut Database,
    run: &RunId,
    event_id: Uuid,
    report: &IssueReport,
    afterwards: bool,
) -> Result<(), FleetError> {
    let sql = "INSERT INTO issue_findings (run_id, event_id, hostname, package, version, issue_number, title, url, \
               state, severity, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    for finding in &report.findings {
        let state = match (&finding.ignored, finding.scope) {
            (Some(_), _) => "ignored",
            (None, _) if afterwards => "afterwards",
            (None, IssueScope::Update) => "update",
            (None, IssueScope::Running) => "running",
        };
        let values = values![
            run.as_str(),
            event_id,
            report.host.as_str(),
            finding.package.as_str(),
            finding.versions.join(", "),
            finding.number,
            finding.title.as_str(),
            finding.url.as_str(),
            state,
            finding.severity.as_str(),
            finding.ignored.as_deref().unwrap_or(&finding.why)
        ];
        database.execute("write a known issue", sql, &values).await?;
    }
    Ok(())
}
