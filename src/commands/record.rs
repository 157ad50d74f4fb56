//! What the fleet database has of hosts, for commands that look at hosts
//! themselves: help where it is there, and no reason to fail where it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fleet::query::{self, Narrowed};
use crate::fleet::{self, Address, Cell, Cells};
use crate::model::{HostName, HostOutcome, RecordedSystem, Secret, StorePath};

/// How long the record is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many deploys are read.
const DEPLOYS: u64 = 1_000;

/// A deploy of the record with how it ended.
#[derive(Clone, Debug)]
pub(super) struct Deploy {
    /// What was deployed; what was not worked out is no deploy.
    pub(super) system: RecordedSystem,
    /// The status of the schema: `success`, `failed`, `rolled_back` …
    pub(super) status: String,
    /// In this tool's own words, for example `SUCCESS`.
    pub(super) outcome: Option<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// Whether its source had changes that are in no commit, when that is known.
    pub(super) dirty: Option<bool>,
    /// The generation that it left.
    pub(super) to_generation: Option<u64>,
}

impl Deploy {
    /// Whether its system was confirmed on the host.
    pub(super) fn is_success(&self) -> bool {
        self.status == "success"
    }

    /// Whether it was more than a look: a host that was unchanged, or only previewed.
    pub(super) fn did_something(&self) -> bool {
        self.status != "skipped" && self.outcome.as_deref() != Some(HostOutcome::Unchanged.as_str())
    }
}

/// Deploys of these hosts, newest first, or why there are none.
pub(super) async fn deploys(
    database_url: &Secret,
    hosts: impl IntoIterator<Item = &HostName>,
) -> Result<BTreeMap<HostName, Vec<Deploy>>, String> {
    let hosts = hosts.into_iter().map(ToString::to_string).collect();
    let asked = tokio::time::timeout(PATIENCE, ask(database_url, hosts));
    asked.await.unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
}

async fn ask(database_url: &Secret, hosts: Vec<String>) -> Result<BTreeMap<HostName, Vec<Deploy>>, String> {
    let address = Address::parse(database_url).map_err(|error| error.in_short())?;
    let mut database = fleet::open(&address).await.map_err(|error| error.in_short())?;
    let narrowed = Narrowed { hosts: Some(hosts), limit: Some(DEPLOYS), ..Narrowed::default() };
    let answer =
        query::ask(&mut database, &query::HISTORY, &narrowed).await.map_err(|error| error.in_short())?;
    let mut deploys: BTreeMap<HostName, Vec<Deploy>> = BTreeMap::new();
    for row in &answer.rows {
        if let Some((host, deploy)) = deploy(&answer, row) {
            deploys.entry(host).or_default().push(deploy);
        }
    }
    Ok(deploys)
}

fn deploy(answer: &query::Answer, row: &Cells) -> Option<(HostName, Deploy)> {
    let cell = |name: &str| {
        let index = answer.columns.iter().position(|column| column.name == name)?;
        row.get(index)
    };
    let text = |name: &str| cell(name).and_then(Cell::text).map(str::to_owned);
    let path = |name: &str| text(name).and_then(|path| StorePath::new(path).ok());
    let system = RecordedSystem {
        path: path("to_store_path")?,
        before: path("from_store_path"),
        commit: text("commit_hash"),
        time: cell("started_at").and_then(Cell::time)?,
        actor: text("actor"),
        run: text("run_id"),
        is_deploy: text("command").as_deref() != Some("rollback"),
    };
    let deploy = Deploy {
        system,
        status: text("status").unwrap_or_default(),
        outcome: text("outcome"),
        error: text("error"),
        dirty: cell("dirty").and_then(Cell::boolean),
        to_generation: cell("to_generation")
            .and_then(Cell::integer)
            .and_then(|number| u64::try_from(number).ok()),
    };
    Some((HostName::new(text("hostname")?).ok()?, deploy))
}
