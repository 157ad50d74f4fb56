//! Writes a run's events into the database.
//!
//! Invariant: an event's rows and the note that it is in the database
//! (`runs.last_seq`) are one transaction, and the run's row is locked in it:
//! whoever writes, how often and in how many parts, each event is in it once.
//! Runs that meet at rows of the same hosts take their turns (`take_turns`).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::journal::Line;
use super::state::RunState;
use super::{findings, recoveries, resources, settle, updates};
use crate::event::Event;
use crate::fleet::database::{Database, Dialect};
use crate::fleet::error::FleetError;
use crate::fleet::identity::FlakeIdentity;
use crate::fleet::shared::{
    self, ChangeReason, CommitStage, DerivationFacts, DerivationKey, DerivationKind, Report, Status,
};
use crate::fleet::value::{Value, values};
use crate::fleet::{packages, rows};
use crate::model::{
    Changes, HostFacts, HostName, HostOutcome, HostReport, PackageChangeKind, RunId, ServiceChange,
    SourceState, StepId, StepOutcome, StorePath, Target,
};

/// Sets the locks of hosts apart from those of other programs.
const HOST_LOCKS: i64 = 0x6e69_785f_6470;
/// The command of a run that deploys nothing.
pub(super) const CHECK: &str = "check";
/// How long a deploy counts as running after it was heard of last.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Writes those of these lines that are not in the database yet and gives their
/// number. `state` is that before the lines and becomes that after them.
pub(super) async fn apply(
    database: &mut Database,
    run: &RunId,
    state: &mut RunState,
    lines: &[Line],
) -> Result<usize, FleetError> {
    let before = state.clone();
    database
        .transaction(async |database| {
            // It may be the second time.
            state.clone_from(&before);
            let mut last_seq = begin(database, run, state, lines).await?;
            take_turns(database, lines).await?;
            let mut count = 0;
            for line in lines {
                let is_new = line.seq > last_seq;
                if let Some(event) = &line.event {
                    state.take(event, line.time);
                    if is_new {
                        let mut writer = Writer { database, run, state, time: line.time };
                        writer.write(event).await?;
                    } else if state.knows_its_commit() {
                        state.hosts.values_mut().for_each(|host| host.written = host.stage);
                    }
                }
                if is_new {
                    count += 1;
                    last_seq = line.seq;
                }
            }
            if count > 0 {
                let sql = "UPDATE runs SET last_seq = $2 WHERE id = $1";
                database.execute("note what is recorded", sql, &values![run.as_str(), last_seq]).await?;
            }
            Ok(count)
        })
        .await
}

/// Locks the run's row, which is made when it is missing, and gives the last
/// event that is in the database.
async fn begin(
    database: &mut Database,
    run: &RunId,
    state: &mut RunState,
    lines: &[Line],
) -> Result<u64, FleetError> {
    let lock = if database.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT last_seq, flake_id, commit_id FROM runs WHERE id = $1{lock}");
    let mut row = database.row("read the run", &sql, &values![run.as_str()]).await?;
    if row.is_none() {
        write_run(database, run, lines).await?;
        row = database.row("read the run", &sql, &values![run.as_str()]).await?;
    }
    let cells = row.unwrap_or_default();
    let number = |index: usize| cells.get(index).and_then(crate::fleet::value::Cell::integer);
    state.flake_id = number(1);
    state.commit_id = number(2);
    Ok(number(0).and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default())
}

/// Lets runs that write about the same hosts at a time wait for each other
/// here, in the order of the names, and not for a row in the middle, where each
/// could hold what the other needs.
async fn take_turns(database: &mut Database, lines: &[Line]) -> Result<(), FleetError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let hosts: BTreeSet<&str> = lines.iter().filter_map(|line| shared_host(line.event.as_ref()?)).collect();
    for host in hosts {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))::text";
        database.rows("wait for another run", sql, &values![host, HOST_LOCKS]).await?;
    }
    Ok(())
}

/// The host of an event that is written to tables that runs share.
fn shared_host(event: &Event) -> Option<&str> {
    match event {
        Event::Facts { host, .. }
        | Event::StepStarted { host, .. }
        | Event::StepFinished { host, .. }
        | Event::Evaluated { host, .. }
        | Event::Built { host, .. }
        | Event::HostFinished { host, .. } => Some(host.as_str()),
        _ => None,
    }
}

async fn write_run(database: &mut Database, run: &RunId, lines: &[Line]) -> Result<(), FleetError> {
    let started = lines.iter().find_map(|line| match &line.event {
        Some(event @ Event::RunStarted { .. }) => Some((event, line.time)),
        _ => None,
    });
    let sql = "INSERT INTO runs (id, started_at, actor, machine, tool_version, mode, command, action, flake, issue) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
    let values = match started {
        Some((Event::RunStarted { tool_version, actor, mode, action, flake, command, issue, .. }, time)) => {
            let machine = actor.rsplit_once('@').map(|(_, machine)| machine);
            // A check has neither: it does nothing to any host.
            let deploys = command != CHECK;
            let (mode, action) = (deploys.then(|| mode.as_str()), deploys.then(|| action.as_str()));
            let issue = issue.map(|number| number.to_string());
            values![run.as_str(), time, actor, machine, tool_version, mode, command, action, flake, issue]
        }
        // A journal whose beginning a full disk has cost still says what came after.
        _ => {
            let time = lines.first().map_or(Timestamp::UNIX_EPOCH, |line| line.time);
            let none = None::<&str>;
            values![run.as_str(), time, "unknown", none, "unknown", none, "deploy", none, none, none]
        }
    };
    database.execute("write the run", sql, &values).await?;
    Ok(())
}

/// Writes one event.
struct Writer<'a> {
    database: &'a mut Database,
    run: &'a RunId,
    state: &'a mut RunState,
    time: Timestamp,
}

impl Writer<'_> {
    async fn write(&mut self, event: &Event) -> Result<(), FleetError> {
        match event {
            Event::RunStarted { hosts, .. } => self.run_started(hosts).await,
            Event::Source { source } => self.source(source).await,
            Event::StepStarted { host, step: StepId::Evaluate | StepId::Build }
            | Event::Evaluated { host, .. } => self.derivation(host.as_str()).await,
            Event::StepFinished { host, step, outcome, elapsed_ms, summary } => {
                self.step(host, *step, *outcome, *elapsed_ms, summary).await
            }
            Event::Facts { host, facts } => self.facts(host, facts).await,
            Event::Target { host, target } => self.target(host, target).await,
            Event::Built { host, derivations } => self.built(host, derivations).await,
            Event::Changes { host, changes } => self.changes(host, changes).await,
            Event::Recovery { hosts, recovery, .. } => {
                for host in hosts {
                    let event_id = self.event_id(host.as_str()).await?;
                    recoveries::write(self.database, event_id, recovery, self.time).await?;
                }
                Ok(())
            }
            Event::Finding { host, finding } => {
                let event_id = self.event_id(host.as_str()).await?;
                let deploy = Some((event_id, host.as_str()));
                findings::write(self.database, self.run, deploy, std::slice::from_ref(finding)).await
            }
            Event::Checked { findings, .. } => findings::write(self.database, self.run, None, findings).await,
            Event::KnownIssues { report, afterwards } => {
                let event_id = self.event_id(report.host.as_str()).await?;
                updates::issues(self.database, self.run, event_id, report, *afterwards).await
            }
            Event::Observed { host, observed } => {
                let event_id = self.event_id(host.as_str()).await?;
                resources::write_both(self.database, event_id, &observed.resources).await
            }
            Event::HostFinished { host, report } => self.host_finished(host, report).await,
            Event::RunFinished { exit_code, meaning, elapsed_ms } => {
                self.run_finished(*exit_code, meaning, *elapsed_ms).await
            }
            event => updates::write(self.database, self.run, event, self.time).await,
        }
    }

    /// The host's row; made when the run did not name the host at its start.
    async fn event_id(&mut self, host: &str) -> Result<Uuid, FleetError> {
        if let Some(id) = self.state.hosts.get(host).and_then(|host| host.event_id) {
            return Ok(id);
        }
        let sql = "SELECT id FROM deployment_events WHERE run_id = $1 AND hostname = $2";
        let values = values![self.run.as_str(), host];
        let row = self.database.row("read the host's deploy", sql, &values).await?;
        let found = row.and_then(|cells| cells.first()?.text()?.parse().ok());
        let id = match found {
            Some(id) => id,
            None => {
                self.open_events(&[host.to_owned()]).await?;
                let row = self.database.row("read the host's deploy", sql, &values).await?;
                let id = row.and_then(|cells| cells.first()?.text()?.parse().ok());
                id.ok_or_else(|| FleetError::Value { what: "no deploy after it was written".to_owned() })?
            }
        };
        self.state.hosts.entry(host.to_owned()).or_default().event_id = Some(id);
        Ok(id)
    }

    /// One row per host, in progress.
    async fn open_events(&mut self, hosts: &[String]) -> Result<(), FleetError> {
        let (action, holder) = (self.state.action.as_str(), self.state.actor.clone());
        let started = self.state.started_at.unwrap_or(self.time);
        let expires = started.checked_add(LEASE).unwrap_or(started);
        let commit = self.state.commit_id.filter(|_| self.is_clean());
        let rows = hosts.iter().map(|host| {
            values![Uuid::new_v4(), self.run.as_str(), host, started, action, &holder, expires, commit]
        });
        let columns = "id, run_id, hostname, started_at, action, lock_holder, lock_expires_at, commit_id";
        let tail = "ON CONFLICT (run_id, hostname) DO NOTHING";
        rows::insert(self.database, "deployment_events", columns, rows.collect(), tail).await
    }

    fn is_clean(&self) -> bool {
        self.state.source.as_ref().is_some_and(|source| !source.dirty)
    }

    async fn run_started(&mut self, hosts: &[HostName]) -> Result<(), FleetError> {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        self.open_events(&hosts).await
    }

    async fn source(&mut self, source: &SourceState) -> Result<(), FleetError> {
        let identity = FlakeIdentity::new(self.state.machine(), &self.state.flake, source.remote.as_deref());
        let (flake_id, commit_id) = match &source.commit {
            // It may be one that nobody deploys, and must not become the newest of the flake.
            Some(hash) if self.state.is_check => shared::find_commit(self.database, &identity, hash).await?,
            Some(hash) => {
                let flake_id = shared::flake(self.database, &identity).await?;
                let time = source.commit_time.unwrap_or(self.time);
                (Some(flake_id), Some(shared::commit(self.database, flake_id, hash, time).await?))
            }
            None if self.state.is_check => (None, None),
            None => (Some(shared::flake(self.database, &identity).await?), None),
        };
        // What differs from the commit belongs to none.
        let clean = commit_id.filter(|_| !source.dirty);
        self.state.flake_id = flake_id;
        self.state.commit_id = clean;
        let sql = "UPDATE runs SET flake_id = $2, commit_id = $3, commit_hash = $4, branch = $5, dirty = $6 WHERE id = $1";
        let (commit, branch) = (source.commit.as_deref(), source.branch.as_deref());
        let values = values![self.run.as_str(), flake_id, clean, commit, branch, source.dirty];
        self.database.execute("write the run's commit", sql, &values).await?;
        if let Some(commit_id) = clean {
            let sql = "UPDATE deployment_events SET commit_id = $2 WHERE run_id = $1";
            self.database
                .execute("write the deploys' commit", sql, &values![self.run.as_str(), commit_id])
                .await?;
        }
        self.derivations().await
    }

    /// Catches up with what was known before it was known for which commit.
    async fn derivations(&mut self) -> Result<(), FleetError> {
        let hosts: Vec<String> = self.state.hosts.keys().cloned().collect();
        for host in hosts {
            self.derivation(&host).await?;
        }
        Ok(())
    }

    /// Moves the host's derivation to where it is.
    async fn derivation(&mut self, host: &str) -> Result<(), FleetError> {
        if !self.state.knows_its_commit() {
            return Ok(());
        }
        let Some(state) = self.state.hosts.get(host).cloned() else { return Ok(()) };
        let Some(stage) = state.stage.filter(|stage| Some(*stage) != state.written) else { return Ok(()) };
        let commit_id = self.state.commit_id;
        let key = DerivationKey { commit_id, kind: DerivationKind::Nixos, name: host };
        let facts = DerivationFacts {
            drv_path: state.drv_path.as_ref(),
            store_path: state.out_path.as_ref(),
            evaluation_ms: state.evaluation_ms,
            build_seconds: state.build_ms.map(|ms| ms.div_ceil(1000)),
            error: state
                .error
                .as_deref()
                .filter(|_| matches!(stage, Status::DryRunFailed | Status::BuildFailed)),
            ..DerivationFacts::default()
        };
        let derivation_id = shared::derivation(self.database, key, stage, &facts, self.time).await?;
        if let Some(commit_id) = commit_id {
            self.commit_stage(commit_id, stage, facts.error).await?;
        }
        if stage == Status::BuildComplete {
            packages::settle_with(self.database, derivation_id, self.time).await?;
        }
        if stage == Status::DryRunComplete {
            let event_id = self.event_id(host).await?;
            let sql = "UPDATE deployment_events SET derivation_id = $2, to_store_path = $3 WHERE id = $1";
            let out_path = state.out_path.as_ref().map(StorePath::as_str);
            let values = values![event_id, derivation_id, out_path];
            self.database.execute("write the deploy's system", sql, &values).await?;
        }
        if let Some(state) = self.state.hosts.get_mut(host) {
            state.written = Some(stage);
        }
        Ok(())
    }

    async fn commit_stage(
        &mut self,
        commit_id: i64,
        stage: Status,
        error: Option<&str>,
    ) -> Result<(), FleetError> {
        let stage = match stage {
            Status::DryRunInProgress => CommitStage::Begun,
            Status::DryRunComplete => CommitStage::Complete,
            Status::DryRunFailed => CommitStage::Failed(error.unwrap_or_default()),
            _ => return Ok(()),
        };
        shared::commit_stage(self.database, commit_id, stage, self.time).await
    }

    async fn step(
        &mut self,
        host: &HostName,
        step: StepId,
        outcome: StepOutcome,
        elapsed_ms: u64,
        summary: &str,
    ) -> Result<(), FleetError> {
        let event_id = self.event_id(host.as_str()).await?;
        let begun = self.state.hosts.get(host.as_str()).and_then(|host| host.begun.get(&step).copied());
        let sql = "INSERT INTO steps (event_id, name, started_at, duration_ms, outcome, detail) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (event_id, name) DO NOTHING";
        let values = values![event_id, step.as_str(), begun, elapsed_ms, step_word(outcome), summary];
        self.database.execute("write a step", sql, &values).await?;
        match step {
            StepId::Git => self.derivations().await,
            StepId::Evaluate | StepId::Decide | StepId::Build => self.derivation(host.as_str()).await,
            _ => Ok(()),
        }
    }

    async fn facts(&mut self, host: &HostName, facts: &HostFacts) -> Result<(), FleetError> {
        settle::others(self.database, self.run, host, facts, self.time).await?;
        let event_id = self.event_id(host.as_str()).await?;
        let from = facts.current_system.as_ref();
        let sql = "UPDATE deployment_events SET from_store_path = $2, from_generation = $3, machine_id = $4 WHERE id = $1";
        let path = from.map(StorePath::as_str);
        let values = values![event_id, path, facts.generation, &facts.machine_id];
        self.database.execute("write what the host ran", sql, &values).await?;
        if let Some(store_path) = from {
            let is_first = shared::newest_report(self.database, host.as_str()).await?.is_none();
            let report = Report {
                hostname: host.as_str(),
                store_path,
                reason: if is_first { ChangeReason::Startup } else { ChangeReason::StateDelta },
                time: self.time,
                uptime: facts.uptime,
                nixos_version: None,
                kernel: None,
                address: None,
            };
            shared::report(self.database, &report).await?;
        }
        resources::write_before(self.database, event_id, &facts.measured).await
    }

    /// The system that a host goes back to, with the commit it was deployed from.
    async fn target(&mut self, host: &HostName, target: &Target) -> Result<(), FleetError> {
        let event_id = self.event_id(host.as_str()).await?;
        let sql = "UPDATE deployment_events SET to_store_path = $2, \
                   commit_id = (SELECT o.commit_id FROM deployment_events o WHERE o.hostname = $3 \
                   AND o.to_store_path = $2 AND o.commit_id IS NOT NULL ORDER BY o.started_at DESC, o.id DESC LIMIT 1) \
                   WHERE id = $1";
        let values = values![event_id, target.path.as_str(), host.as_str()];
        self.database.execute("write what is gone back to", sql, &values).await?;
        Ok(())
    }

    /// Packages that were built for a host, as what its system needs.
    async fn built(&mut self, host: &HostName, derivations: &[StorePath]) -> Result<(), FleetError> {
        let event_id = self.event_id(host.as_str()).await?;
        let sql = "SELECT derivation_id FROM deployment_events WHERE id = $1";
        let row = self.database.row("read the deploy's system", sql, &values![event_id]).await?;
        let system_id = row.and_then(|cells| cells.first()?.integer());
        for drv_path in derivations {
            packages::built(self.database, self.state.commit_id, system_id, drv_path, self.time).await?;
        }
        Ok(())
    }

    async fn changes(&mut self, host: &HostName, changes: &Changes) -> Result<(), FleetError> {
        let event_id = self.event_id(host.as_str()).await?;
        let kernel = changes.reboot_reasons.iter().any(|reason| reason.contains("kernel"));
        let sql = "UPDATE deployment_events SET kernel_changed = $2, reboot_needed = $3 WHERE id = $1";
        let values = values![event_id, kernel, changes.reboot_needed];
        self.database.execute("write the deploy's changes", sql, &values).await?;
        let packages = changes.closure.iter().flat_map(|closure| &closure.packages);
        let rows: Vec<Vec<Value>> = packages
            .map(|package| {
                let versions = |list: &[String]| (!list.is_empty()).then(|| list.join(", "));
                let (before, after) = (versions(&package.before), versions(&package.after));
                values![
                    event_id,
                    &package.name,
                    kind_word(package.kind),
                    before,
                    after,
                    package.size_difference
                ]
            })
            .collect();
        let columns = "event_id, name, kind, version_before, version_after, size_difference";
        let tail = "ON CONFLICT (event_id, name) DO NOTHING";
        rows::insert(self.database, "package_changes", columns, rows, tail).await
    }

    async fn host_finished(&mut self, host: &HostName, report: &HostReport) -> Result<(), FleetError> {
        let event_id = self.event_id(host.as_str()).await?;
        let completed = settle::settle(self.database, event_id, report, self.time).await?;
        let units = report.services.iter().filter(|change| change.what != ServiceChange::UNCHANGED);
        let rows: Vec<Vec<Value>> = units.map(|change| values![event_id, &change.unit, &change.what]).collect();
        rows::insert(self.database, "unit_changes", "event_id, unit, what", rows, "").await?;
        let truth = report.truth.as_ref().and_then(|truth| truth.current_system.as_ref());
        if let Some(store_path) = truth.filter(|_| report.outcome != HostOutcome::Unchanged) {
            let report = Report {
                hostname: host.as_str(),
                store_path,
                reason: ChangeReason::Deployment,
                time: completed,
                uptime: None,
                nixos_version: None,
                kernel: None,
                address: None,
            };
            shared::report(self.database, &report).await?;
        }
        let sql = "DELETE FROM deployment_locks WHERE run_id = $1 AND hostname = $2";
        self.database.execute("let go of the host", sql, &values![self.run.as_str(), host.as_str()]).await?;
        self.derivation(host.as_str()).await
    }

    async fn run_finished(&mut self, code: u8, meaning: &str, elapsed_ms: u64) -> Result<(), FleetError> {
        let ended = self.state.started_at.map_or(self.time, |started| started.max(self.time));
        let sql = "UPDATE runs SET ended_at = $2, exit_code = $3, outcome = $4, elapsed_ms = $5 WHERE id = $1";
        let values = values![self.run.as_str(), ended, code, meaning, elapsed_ms];
        self.database.execute("write the run's end", sql, &values).await?;
        // A host whose part of the program broke has said nothing.
        let sql = "UPDATE deployment_events SET status = 'unknown', completed_at = $2, lock_expires_at = NULL \
                   WHERE run_id = $1 AND status = 'in_progress'";
        self.database.execute("settle what is left", sql, &values![self.run.as_str(), ended]).await?;
        let sql = "DELETE FROM deployment_locks WHERE run_id = $1";
        self.database.execute("let go of the hosts", sql, &values![self.run.as_str()]).await?;
        Ok(())
    }
}

fn step_word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Passed => "passed",
        StepOutcome::Warned => "warned",
        StepOutcome::Failed => "failed",
        StepOutcome::Skipped => "skipped",
        StepOutcome::Cancelled => "cancelled",
    }
}

fn kind_word(kind: PackageChangeKind) -> &'static str {
    match kind {
        PackageChangeKind::Added => "added",
        PackageChangeKind::Removed => "removed",
        PackageChangeKind::Upgraded => "upgraded",
        PackageChangeKind::Downgraded => "downgraded",
        PackageChangeKind::Changed => "changed",
    }
}
