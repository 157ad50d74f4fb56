//! Arguments of the `fleet` commands that bring facts in: history, hosts,
//! evaluations, builds.

use std::time::Duration;

use clap::Args;

use crate::cli::values;

/// Arguments of `fleet sync`.
#[derive(Clone, Debug, Args)]
pub struct SyncArgs {
    /// Read at most this many of the newest commits
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Read only commits that are newer: an age like 24h or 7d, or a date
    #[arg(long, value_name = "TIME", value_parser = values::since())]
    pub since: Option<jiff::Timestamp>,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet poll`.
#[derive(Clone, Debug, Args)]
pub struct PollArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; all without one
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// How many hosts are asked at a time
    #[arg(long, value_name = "COUNT", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub at_once: u16,

    /// Print JSON, an object per host
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet evaluate`.
#[derive(Clone, Debug, Args)]
pub struct EvaluateArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; all without one
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// Look at this many of the newest commits; what is evaluated of them stays
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub commits: u64,

    /// Print JSON, an object per commit and host
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fleet build`.
#[derive(Clone, Debug, Args)]
pub struct BuildArgs {
    /// End when nothing is left that could be built now
    #[arg(long)]
    pub once: bool,

    /// Build this many derivations at a time
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: u16,

    /// Copy what was built to this binary cache, as for `nix copy --to`
    #[arg(long, value_name = "URL", value_parser = values::cache())]
    pub cache: Option<String>,

    /// How often to look for work while there is none
    #[arg(long, value_name = "AGE", default_value = "10s", value_parser = values::age())]
    pub poll: Duration,

    /// How long after a failure to try again; five times at most
    #[arg(long, value_name = "AGE", default_value = "60s", value_parser = values::age())]
    pub retry_after: Duration,

    /// Begin anew with what failed in the newest commit that was evaluated
    #[arg(long)]
    pub retry_failed: bool,

    /// Print JSON, an object per derivation
    #[arg(long)]
    pub json: bool,
}
