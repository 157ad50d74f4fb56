//! Writes to the tables that are shared with Crystal Forge: flakes, commits,
//! derivations with their statuses, reports of hosts and heartbeats.
//!
//! Used by the recorder and by the commands that bring facts in. Invariant:
//! all of these can be called again with the same facts and change nothing
//! then. They do not begin transactions; callers do.

use jiff::Timestamp;

use super::database::Database;
use super::error::FleetError;
use super::identity::FlakeIdentity;
use super::value::{Cell, Value, values};
use crate::model::StorePath;

/// Statuses of a derivation, by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Status {
    /// Waits for its evaluation.
    DryRunPending = 3,
    /// Is being evaluated.
    DryRunInProgress = 4,
    /// Is evaluated.
    DryRunComplete = 5,
    /// Cannot be evaluated.
    DryRunFailed = 6,
    /// Waits for its build.
    BuildPending = 7,
    /// Is being built.
    BuildInProgress = 8,
    /// Is built.
    BuildComplete = 10,
    /// Is done: deployed.
    Complete = 11,
    /// Cannot be built.
    BuildFailed = 12,
}

impl Status {
    /// The statuses it may follow. A configuration that was built stays built
    /// when a later run evaluates the same commit again.
    fn follows(self) -> &'static str {
        match self {
            Self::DryRunPending => "1, 2, 6, 13",
            Self::DryRunInProgress => "1, 2, 3, 6, 13",
            Self::DryRunComplete => "1, 2, 3, 4, 6, 13",
            Self::DryRunFailed => "1, 2, 3, 4",
            Self::BuildPending => "3, 4, 5, 12",
            Self::BuildInProgress => "3, 4, 5, 7, 12",
            Self::BuildComplete => "3, 4, 5, 7, 8, 9, 12",
            Self::BuildFailed => "5, 7, 8, 9",
            Self::Complete => "3, 4, 5, 7, 8, 9, 10, 12",
        }
    }
}

/// What kind of derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DerivationKind {
    /// A host's system; its name is the host's.
    Nixos,
    /// A package.
    Package,
}

impl DerivationKind {
    /// The word of the schema.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nixos => "nixos",
            Self::Package => "package",
        }
    }
}

/// Which derivation is meant: one per commit, name and kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerivationKey<'a> {
    /// The commit; `None` for what no commit gives.
    pub(crate) commit_id: Option<i64>,
    /// Its kind.
    pub(crate) kind: DerivationKind,
    /// Its name; for a system the host's.
    pub(crate) name: &'a str,
}

/// What becomes known of a derivation; `None` leaves what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct DerivationFacts<'a> {
    /// The `.drv`.
    pub(crate) drv_path: Option<&'a StorePath>,
    /// What it builds.
    pub(crate) store_path: Option<&'a StorePath>,
    /// How long its evaluation took.
    pub(crate) evaluation_ms: Option<u64>,
    /// How long its build took.
    pub(crate) build_seconds: Option<u64>,
    /// Why it failed.
    pub(crate) error: Option<&'a str>,
    /// The package's name without version.
    pub(crate) pname: Option<&'a str>,
    /// The package's version.
    pub(crate) version: Option<&'a str>,
}

/// The name of a package without its version, and the version: it begins at the
/// first dash that no letter follows, as Nix has it (`builtins.parseDrvName`).
pub(crate) fn parse_name(name: &str) -> (&str, Option<&str>) {
    let dashes = name.match_indices('-').map(|(index, _)| index);
    let is_end = |index: &usize| {
        name[index + 1..].chars().next().is_some_and(|character| !character.is_ascii_alphabetic())
    };
    match dashes.into_iter().find(is_end) {
        Some(index) => (&name[..index], Some(&name[index + 1..])),
        None => (name, None),
    }
}

/// A host's word about what it runs.
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    /// The host.
    pub(crate) hostname: &'a str,
    /// What it runs.
    pub(crate) store_path: &'a StorePath,
    /// Why it reports.
    pub(crate) reason: ChangeReason,
    /// When.
    pub(crate) time: Timestamp,
    /// Seconds since its boot.
    pub(crate) uptime: Option<u64>,
    /// Its version of NixOS.
    pub(crate) nixos_version: Option<&'a str>,
    /// Its kernel.
    pub(crate) kernel: Option<&'a str>,
    /// Its address.
    pub(crate) address: Option<&'a str>,
}

/// Why a host reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeReason {
    /// It was asked, and this is the first word.
    Startup,
    /// It was asked and runs something else than before.
    StateDelta,
    /// A deploy changed it.
    Deployment,
}

impl ChangeReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::StateDelta => "state_delta",
            Self::Deployment => "cf_deployment",
        }
    }
}

fn id(row: Option<Vec<Cell>>) -> Option<i64> {
    row.and_then(|cells| cells.first()?.integer())
}

fn no_id(what: &str) -> FleetError {
    FleetError::Value { what: format!("no {what} after it was written") }
}

/// The flake's row, when something of it is recorded.
pub(crate) async fn find_flake(
    database: &mut Database,
    identity: &FlakeIdentity,
) -> Result<Option<i64>, FleetError> {
    let rows = database.rows("read the flakes", "SELECT id, repo_url FROM flakes ORDER BY id", &[]).await?;
    let is_same = |cells: &&Vec<Cell>| cells.get(1).and_then(Cell::text).is_some_and(|url| identity.is(url));
    Ok(rows.iter().find(is_same).and_then(|cells| cells.first()?.integer()))
}

/// The flake's row; made when it is missing.
pub(crate) async fn flake(database: &mut Database, identity: &FlakeIdentity) -> Result<i64, FleetError> {
    if let Some(found) = find_flake(database, identity).await? {
        return Ok(found);
    }
    let values = values![&identity.name, &identity.repo_url];
    let sql = "INSERT INTO flakes (name, repo_url) VALUES ($1, $2) ON CONFLICT (repo_url) DO NOTHING";
    database.execute("write the flake", sql, &values).await?;
    let sql = "SELECT id FROM flakes WHERE repo_url = $1";
    id(database.row("read the flake", sql, &values![&identity.repo_url]).await?).ok_or_else(|| no_id("flake"))
}

/// The commit's row; made when it is missing.
pub(crate) async fn commit(
    database: &mut Database,
    flake_id: i64,
    hash: &str,
    time: Timestamp,
) -> Result<i64, FleetError> {
    let sql = "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES ($1, $2, $3) \
               ON CONFLICT (flake_id, git_commit_hash) DO NOTHING";
    database.execute("write the commit", sql, &values![flake_id, hash, time]).await?;
    let sql = "SELECT id FROM commits WHERE flake_id = $1 AND git_commit_hash = $2";
    id(database.row("read the commit", sql, &values![flake_id, hash]).await?).ok_or_else(|| no_id("commit"))
}

/// A commit's row with its flake's, where both are recorded.
pub(crate) async fn find_commit(
    database: &mut Database,
    identity: &FlakeIdentity,
    hash: &str,
) -> Result<(Option<i64>, Option<i64>), FleetError> {
    let Some(flake_id) = find_flake(database, identity).await? else { return Ok((None, None)) };
    let sql = "SELECT id FROM commits WHERE flake_id = $1 AND git_commit_hash = $2";
    Ok((Some(flake_id), id(database.row("read the commit", sql, &values![flake_id, hash]).await?)))
}

/// How far the evaluation of a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitStage<'a> {
    /// It has begun.
    Begun,
    /// At least one host's configuration evaluates.
    Complete,
    /// None does.
    Failed(&'a str),
}

/// Notes how far the evaluation of a commit is; what was complete stays so.
pub(crate) async fn commit_stage(
    database: &mut Database,
    commit_id: i64,
    stage: CommitStage<'_>,
    time: Timestamp,
) -> Result<(), FleetError> {
    let (sql, values) = match stage {
        CommitStage::Begun => (
            "UPDATE commits SET evaluation_status = 'in_progress', evaluation_started_at = $2, \
             evaluation_attempt_count = coalesce(evaluation_attempt_count, 0) + 1 \
             WHERE id = $1 AND coalesce(evaluation_status, 'pending') IN ('pending', 'failed')",
            values![commit_id, time],
        ),
        CommitStage::Complete => (
            "UPDATE commits SET evaluation_status = 'complete', evaluation_completed_at = $2, \
             evaluation_error_message = NULL WHERE id = $1 AND coalesce(evaluation_status, 'pending') <> 'complete'",
            values![commit_id, time],
        ),
        CommitStage::Failed(error) => (
            "UPDATE commits SET evaluation_status = 'failed', evaluation_completed_at = $2, \
             evaluation_error_message = $3 WHERE id = $1 AND coalesce(evaluation_status, 'pending') <> 'complete'",
            values![commit_id, time, error],
        ),
    };
    database.execute("write the commit's evaluation", sql, &values).await?;
    Ok(())
}

/// The derivation's row; made in this status when it is missing, else moved to
/// it where that is a step forward. Returns its id.
pub(crate) async fn derivation(
    database: &mut Database,
    key: DerivationKey<'_>,
    status: Status,
    facts: &DerivationFacts<'_>,
    time: Timestamp,
) -> Result<i64, FleetError> {
    let sql = "INSERT INTO derivations (commit_id, derivation_type, derivation_name, scheduled_at, status_id, \
               pname, version) VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (coalesce(commit_id, -1), derivation_name, derivation_type) DO NOTHING";
    let kind = key.kind.as_str();
    let values = values![key.commit_id, kind, key.name, time, status as i64, facts.pname, facts.version];
    database.execute("write the derivation", sql, &values).await?;
    let sql = "SELECT id FROM derivations \
               WHERE coalesce(commit_id, -1) = $1 AND derivation_type = $2 AND derivation_name = $3";
    let values = values![key.commit_id.unwrap_or(-1), kind, key.name];
    let found = id(database.row("read the derivation", sql, &values).await?);
    let derivation_id = found.ok_or_else(|| no_id("derivation"))?;
    note(database, derivation_id, key.commit_id.is_none(), status, facts, time).await?;
    Ok(derivation_id)
}

async fn note(
    database: &mut Database,
    derivation_id: i64,
    without_commit: bool,
    status: Status,
    facts: &DerivationFacts<'_>,
    time: Timestamp,
) -> Result<(), FleetError> {
    let seconds = facts.build_seconds;
    let mut values: Vec<Value> = values![
        derivation_id,
        facts.drv_path.map(StorePath::as_str),
        facts.store_path.map(StorePath::as_str),
        facts.evaluation_ms,
        seconds,
    ];
    let sql = "UPDATE derivations SET derivation_path = coalesce($2, derivation_path), \
               store_path = coalesce($3, store_path), \
               evaluation_duration_ms = coalesce($4, evaluation_duration_ms), \
               build_elapsed_seconds = coalesce($5, build_elapsed_seconds) WHERE id = $1";
    if facts.drv_path.is_some()
        || facts.store_path.is_some()
        || facts.evaluation_ms.is_some()
        || seconds.is_some()
    {
        database.execute("write what is known of the derivation", sql, &values).await?;
    }
    let failed = matches!(status, Status::DryRunFailed | Status::BuildFailed);
    let ended = failed || matches!(status, Status::BuildComplete | Status::Complete);
    let began = matches!(status, Status::DryRunInProgress | Status::BuildInProgress);
    // Without a commit a name is used again and again for whatever was deployed last.
    let guard = if without_commit { String::new() } else { format!("AND status_id IN ({})", status.follows()) };
    let sql = format!(
        "UPDATE derivations SET status_id = $2, error_message = $3, \
         attempt_count = attempt_count + $4, \
         completed_at = CASE WHEN $5 THEN $6 ELSE completed_at END, \
         started_at = CASE WHEN $7 THEN $6 ELSE started_at END \
         WHERE id = $1 {guard}"
    );
    values = values![derivation_id, status as i64, facts.error, i64::from(failed), ended, time, began];
    database.execute("write the derivation's status", &sql, &values).await?;
    Ok(())
}

/// Notes what a derivation needs to be built.
pub(crate) async fn depends_on(
    database: &mut Database,
    derivation_id: i64,
    depends_on_id: i64,
) -> Result<(), FleetError> {
    let sql = "INSERT INTO derivation_dependencies (derivation_id, depends_on_id) VALUES ($1, $2) \
               ON CONFLICT DO NOTHING";
    database.execute("write a dependency", sql, &values![derivation_id, depends_on_id]).await?;
    Ok(())
}

/// Writes a report and gives its id.
pub(crate) async fn report(database: &mut Database, report: &Report<'_>) -> Result<i64, FleetError> {
    let sql = "INSERT INTO system_states (hostname, store_path, change_reason, os, kernel, uptime_secs, \
               primary_ip_address, nixos_version, \"timestamp\") \
               VALUES ($1, $2, $3, 'nixos', $4, $5, $6, $7, $8) RETURNING id";
    let values = values![
        report.hostname,
        report.store_path.as_str(),
        report.reason.as_str(),
        report.kernel,
        report.uptime,
        report.address,
        report.nixos_version,
        report.time,
    ];
    id(database.row("write a report", sql, &values).await?).ok_or_else(|| no_id("report"))
}

/// The newest report of a host: its id, and what it ran.
pub(crate) async fn newest_report(
    database: &mut Database,
    hostname: &str,
) -> Result<Option<(i64, String)>, FleetError> {
    let sql = "SELECT id, store_path FROM system_states WHERE hostname = $1 \
               ORDER BY \"timestamp\" DESC, id DESC LIMIT 1";
    let row = database.row("read the newest report", sql, &values![hostname]).await?;
    Ok(row.and_then(|cells| Some((cells.first()?.integer()?, cells.get(1)?.text()?.to_owned()))))
}

/// Notes that a host still runs what its report says.
pub(crate) async fn heartbeat(
    database: &mut Database,
    report_id: i64,
    time: Timestamp,
    version: &str,
) -> Result<(), FleetError> {
    let sql =
        "INSERT INTO agent_heartbeats (system_state_id, \"timestamp\", agent_version) VALUES ($1, $2, $3)";
    database.execute("write a heartbeat", sql, &values![report_id, time, version]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_behind_the_first_dash_that_no_letter_follows() {
        for (name, parts) in [
            ("hello-2.12.1", ("hello", Some("2.12.1"))),
            ("unit-nginx.service", ("unit-nginx.service", None)),
            ("nixos-system-p620-25.05", ("nixos-system-p620", Some("25.05"))),
            ("python3.12-requests-2.31", ("python3.12-requests", Some("2.31"))),
            ("odd-", ("odd-", None)),
        ] {
            assert_eq!(parse_name(name), parts);
        }
    }
}
