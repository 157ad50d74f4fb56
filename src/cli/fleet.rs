//! Arguments of `fleet`: questions to the fleet database, and its upkeep.

mod jobs;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

pub use jobs::{BuildArgs, EvaluateArgs, PollArgs, SyncArgs};

use super::values;

/// What to do with the fleet database.
#[derive(Clone, Debug, Args)]
pub struct FleetArgs {
    /// Which question.
    #[command(subcommand)]
    pub command: FleetCommand,
}

/// A question, or upkeep.
#[derive(Clone, Debug, Subcommand)]
pub enum FleetCommand {
    /// How each host stands to its flake, problem first
    Status(AskArgs),
    /// Registered systems, and whether the newest commit is evaluated for them
    Systems(AskArgs),
    /// Commits of the last 30 days: evaluated, deployed where, running where
    Timeline(AskArgs),
    /// Commits with the state of each host's configuration
    Commits(AskArgs),
    /// Commits with every derivation
    Builds(AskArgs),
    /// What waits to be built
    Queue(QueueArgs),
    /// When hosts were last heard of, worst first
    Heartbeat(AskArgs),
    /// Hosts that run what no recorded commit gives, or were changed by somebody else
    Drift(AskArgs),
    /// Hosts that were not heard of for a while
    Stale(StaleArgs),
    /// Hosts whose configuration evaluates and that were never seen
    Missing(AskArgs),
    /// Deploys, newest first
    History(AskArgs),
    /// One run again, from the record
    Show(ShowArgs),
    /// Deploys per day, success rate, median duration, rollbacks
    Stats(AskArgs),
    /// Make hosts known as systems of this flake
    Register(RegisterArgs),
    /// Leave hosts out of the questions; their history stays
    Retire(HostsArgs),
    /// Read the commits of the configuration's history
    Sync(SyncArgs),
    /// Ask hosts what they run
    Poll(PollArgs),
    /// Evaluate hosts at the newest commits
    Evaluate(EvaluateArgs),
    /// Build what is in the queue
    Build(BuildArgs),
    /// Bring the tables of a PostgreSQL database up to date
    Migrate(JsonArgs),
    /// Record what earlier runs could not
    Flush(FlushArgs),
    /// Thin old reports; deploys are never forgotten
    Prune(PruneArgs),
    /// Write the whole database as JSON lines
    Export(ExportArgs),
    /// Read an export into an empty database
    Import(ImportArgs),
    /// Write a dashboard for Grafana, on a PostgreSQL database
    Grafana(GrafanaArgs),
}

/// How an answer is narrowed down and shown.
#[derive(Clone, Debug, Default, Args)]
pub struct AskArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// Print JSON, an object per line
    #[arg(long)]
    pub json: bool,

    /// Show at most this many rows
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Only what is newer: an age like 24h or 7d, or a date
    #[arg(long, value_name = "TIME", value_parser = values::since())]
    pub since: Option<jiff::Timestamp>,
}

/// Arguments of `fleet queue`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("part").args(["next", "newest"]))]
pub struct QueueArgs {
    /// How to narrow down.
    #[command(flatten)]
    pub ask: AskArgs,

    /// Only the system whose turn it is; builders take its packages first
    #[arg(long)]
    pub next: bool,

    /// Only what belongs to the newest commit in the queue
    #[arg(long)]
    pub newest: bool,
}

/// Arguments of `fleet stale`.
#[derive(Clone, Debug, Args)]
pub struct StaleArgs {
    /// How to narrow down.
    #[command(flatten)]
    pub ask: AskArgs,

    /// How long is a while
    #[arg(long, value_name = "AGE", value_parser = values::age(), default_value = "2h")]
    pub older_than: std::time::Duration,
}

/// Arguments of `fleet show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The run's id, or the beginning of it
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Hosts that have to be named.
#[derive(Clone, Debug, Args)]
pub struct HostsArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; or a name that is recorded
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,

    /// Print JSON, an object per line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet register`.
#[derive(Clone, Debug, Args)]
pub struct RegisterArgs {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: HostsArgs,

    /// What they are for
    #[arg(long, value_name = "NAME", value_parser = ["dev", "test", "preprod", "prod"])]
    pub environment: Option<String>,
}

/// Whether to print JSON.
#[derive(Clone, Debug, Args)]
pub struct JsonArgs {
    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet flush`.
#[derive(Clone, Debug, Args)]
pub struct FlushArgs {
    /// Also look through runs that were wholly recorded, for a database that lost some
    #[arg(long)]
    pub all: bool,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet prune`.
#[derive(Clone, Debug, Args)]
pub struct PruneArgs {
    /// Keep every report that is younger; of older ones, one per host and day and every change
    #[arg(long, value_name = "AGE", value_parser = values::age())]
    pub keep: std::time::Duration,

    /// Also remove journals and logs that are older, of runs that are wholly recorded
    #[arg(long)]
    pub journals: bool,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The file to write; standard output without one
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Arguments of `fleet import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// The file to read; standard input without one
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet grafana`.
#[derive(Clone, Debug, Args)]
pub struct GrafanaArgs {
    /// The file to write; standard output without one
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}
