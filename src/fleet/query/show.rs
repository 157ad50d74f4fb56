//! One run as it was recorded: what was asked, and the report of each host.

use serde::Serialize;
use serde_json::Value as Json;

use super::Kind::{Boolean, Integer, Text, Time};
use super::{Kind, json_cell};
use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::{Cell, values};
use crate::model::{HostName, HostReport};

/// A recorded run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunRecord {
    /// Columns of `runs`.
    pub(crate) run: Json,
    /// Columns of `updates`, with the inputs; nothing when no input was updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<Json>,
    /// What a check found, columns of `findings`; those of a deploy stand with its hosts.
    pub(crate) findings: Vec<Json>,
    /// Columns of `deployment_events`, with steps, packages, units, findings and report.
    pub(crate) hosts: Vec<Json>,
    /// Reports that can be shown again.
    #[serde(skip)]
    pub(crate) reports: Vec<(HostName, HostReport)>,
}

const RUN: [(&str, Kind); 19] = [
    ("id", Text),
    ("started_at", Time),
    ("ended_at", Time),
    ("actor", Text),
    ("machine", Text),
    ("tool_version", Text),
    ("mode", Text),
    ("command", Text),
    ("action", Text),
    ("flake", Text),
    ("commit_hash", Text),
    ("branch", Text),
    ("dirty", Boolean),
    ("issue", Text),
    ("outcome", Text),
    ("exit_code", Integer),
    ("elapsed_ms", Integer),
    ("flake_id", Integer),
    ("commit_id", Integer),
];

const HOST: [(&str, Kind); 19] = [
    ("hostname", Text),
    ("status", Text),
    ("outcome", Text),
    ("action", Text),
    ("started_at", Time),
    ("completed_at", Time),
    ("duration_ms", Integer),
    ("from_generation", Integer),
    ("to_generation", Integer),
    ("from_store_path", Text),
    ("to_store_path", Text),
    ("running_store_path", Text),
    ("kernel_changed", Boolean),
    ("reboot_needed", Boolean),
    ("error", Text),
    ("commit_id", Integer),
    ("derivation_id", Integer),
    ("machine_id", Text),
    ("report", Text),
];

/// What hangs below a host's event: its name in JSON, table, columns.
type Below = (&'static str, &'static str, &'static [(&'static str, Kind)]);
const BELOW: [Below; 6] = [
    (
        "steps",
        "steps",
        &[("name", Text), ("started_at", Time), ("duration_ms", Integer), ("outcome", Text), ("detail", Text)],
    ),
    (
        "packages",
        "package_changes",
        &[
            ("name", Text),
            ("kind", Text),
            ("version_before", Text),
            ("version_after", Text),
            ("size_difference", Integer),
        ],
    ),
    ("units", "unit_changes", &[("unit", Text), ("what", Text)]),
    ("findings", "findings", &FINDING),
    ("resources", "resources", &[("name", Text), ("value_before", Kind::Real), ("value_after", Kind::Real)]),
    (
        "issues",
        "issue_findings",
        &[
            ("package", Text),
            ("version", Text),
            ("issue_number", Integer),
            ("title", Text),
            ("url", Text),
            ("state", Text),
            ("severity", Text),
            ("reason", Text),
        ],
    ),
];

const FINDING: [(&str, Kind); 10] = [
    ("hostname", Text),
    ("rule", Text),
    ("severity", Text),
    ("file", Text),
    ("line", Integer),
    ("subject", Text),
    ("message", Text),
    ("mend", Text),
    ("suppressed", Text),
    ("fingerprint", Text),
];

const UPDATE: [(&str, Kind); 8] = [
    ("risk", Text),
    ("assessment", Text),
    ("verdict", Text),
    ("decided_by", Text),
    ("decided_at", Time),
    ("actor", Text),
    ("reason", Text),
    ("lock_file", Text),
];

const INPUT: [(&str, Kind); 7] = [
    ("input", Text),
    ("url", Text),
    ("revision_before", Text),
    ("revision_after", Text),
    ("date_before", Time),
    ("date_after", Time),
    ("compare_url", Text),
];

/// Reads a run; the beginning of its id is enough when no other begins alike.
pub(crate) async fn run_record(database: &mut Database, id: &str) -> Result<RunRecord, FleetError> {
    let sql = format!("SELECT {} FROM runs WHERE substr(id, 1, length($1)) = $1 LIMIT 2", list(&RUN));
    let found = database.rows("read the run", &sql, &values![id]).await?;
    let run = match found.as_slice() {
        [run] => object(&RUN, run),
        [] => {
            let hint = "`nix-deploy fleet history` lists runs".to_owned();
            return Err(FleetError::Missing { what: format!("no run {id:?} is recorded"), hint });
        }
        _ => {
            let hint = "give more of its id".to_owned();
            return Err(FleetError::Missing { what: format!("more than one run begins with {id:?}"), hint });
        }
    };
    let id = run.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
    let sql = format!("SELECT id, {} FROM deployment_events WHERE run_id = $1 ORDER BY hostname", list(&HOST));
    let update = update(database, &id).await?;
    let findings = findings(database, &id).await?;
    let mut record = RunRecord { run, update, findings, hosts: Vec::new(), reports: Vec::new() };
    for cells in database.rows("read the run's hosts", &sql, &values![&id]).await? {
        let Some((event, cells)) = cells.split_first() else { continue };
        let mut host = object(&HOST, cells);
        read_report(&mut host, &mut record.reports);
        for (name, table, columns) in BELOW {
            let rows = below(database, table, columns, event).await?;
            if let Some(host) = host.as_object_mut() {
                host.insert(name.to_owned(), Json::Array(rows));
            }
        }
        record.hosts.push(host);
    }
    Ok(record)
}

/// What a run found that is about no host's deploy.
async fn findings(database: &mut Database, id: &str) -> Result<Vec<Json>, FleetError> {
    let sql =
        format!("SELECT {} FROM findings WHERE run_id = $1 AND event_id IS NULL ORDER BY id", list(&FINDING));
    let rows = database.rows("read what the run found", &sql, &values![id]).await?;
    Ok(rows.iter().map(|cells| object(&FINDING, cells)).collect())
}

/// The update of inputs that a run was.
async fn update(database: &mut Database, id: &str) -> Result<Option<Json>, FleetError> {
    let sql = format!("SELECT {} FROM updates WHERE run_id = $1", list(&UPDATE));
    let Some(cells) = database.row("read the run's update", &sql, &values![id]).await? else { return Ok(None) };
    let mut update = object(&UPDATE, &cells);
    let sql = format!("SELECT {} FROM update_inputs WHERE run_id = $1 ORDER BY input", list(&INPUT));
    let inputs = database.rows("read the inputs of the run", &sql, &values![id]).await?;
    let inputs = inputs.iter().map(|cells| object(&INPUT, cells)).collect();
    if let Some(update) = update.as_object_mut() {
        // It is JSON in a column: it becomes part of the object.
        let assessment = update.get("assessment").and_then(Json::as_str).map(str::to_owned);
        let assessment = assessment.and_then(|text| serde_json::from_str(&text).ok());
        update.insert("assessment".to_owned(), assessment.unwrap_or(Json::Null));
        update.insert("inputs".to_owned(), Json::Array(inputs));
    }
    Ok(Some(update))
}

async fn below(
    database: &mut Database,
    table: &str,
    columns: &[(&'static str, Kind)],
    event: &Cell,
) -> Result<Vec<Json>, FleetError> {
    let event = event.text().and_then(|id| id.parse::<uuid::Uuid>().ok());
    let sql = format!("SELECT {} FROM {table} WHERE event_id = $1 ORDER BY id", list(columns));
    let rows = database.rows("read what belongs to a host's deploy", &sql, &values![event]).await?;
    Ok(rows.iter().map(|cells| object(columns, cells)).collect())
}

/// The report is JSON in a column: it becomes part of the host's object.
fn read_report(host: &mut Json, reports: &mut Vec<(HostName, HostReport)>) {
    let name = host.get("hostname").and_then(Json::as_str).and_then(|name| HostName::new(name).ok());
    let Some(report) = host.get_mut("report") else { return };
    let text = report.as_str().unwrap_or_default().to_owned();
    *report = serde_json::from_str(&text).unwrap_or(Json::Null);
    if let (Some(name), Ok(report)) = (name, serde_json::from_str(&text)) {
        reports.push((name, report));
    }
}

fn list(columns: &[(&'static str, Kind)]) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.join(", ")
}

fn object(columns: &[(&'static str, Kind)], cells: &[Cell]) -> Json {
    let pairs = columns.iter().zip(cells);
    Json::Object(pairs.map(|((name, kind), cell)| ((*name).to_owned(), json_cell(*kind, cell))).collect())
}
