//! Arguments of a deploy, the default command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::{PreviewArgs, RolloutArgs, values};
use crate::model::{Action, Mode};

/// Which hosts to deploy, and how.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("careful").args(["mode", "fast", "emergency"]))]
pub struct DeployArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// How much to check around the deploy; a bad change is taken back in every mode
    #[arg(long, value_name = "MODE", value_parser = values::mode())]
    mode: Option<Mode>,

    /// Like --mode fast
    #[arg(long)]
    fast: bool,

    /// Like --mode emergency
    #[arg(long)]
    emergency: bool,

    /// What to do with the new system
    #[arg(long, value_name = "ACTION", value_parser = values::action(), default_value = "switch")]
    pub action: Action,

    /// Bring all flake inputs, or these, to their newest first; asks nothing
    #[arg(long, value_name = "INPUT", value_delimiter = ',', num_args = 0.., require_equals = true)]
    #[arg(conflicts_with = "preview")]
    pub update: Option<Vec<String>>,

    /// Print the plan and touch no host
    #[arg(long)]
    pub dry_run: bool,

    /// Answer every question with yes
    #[arg(short, long)]
    pub yes: bool,

    /// Never ask; automatic without a terminal, or with CI=true
    #[arg(long)]
    pub non_interactive: bool,

    /// Let findings of this rule pass in this run; recorded with your name
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub allow: Vec<String>,

    /// Write a report of the run to this file at its end: .md, .html or .json; may be repeated
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,

    /// The issue of the configuration's repository that this is for: in run, report and record
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub issue: Option<u64>,

    /// Commit what is staged, and these files; flake.lock of an update
    #[arg(long, value_name = "FILE", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub commit: Option<Vec<PathBuf>>,

    /// What the commit says; `feat(area): ` and the issue are added
    #[arg(long, value_name = "TEXT", requires = "commit")]
    pub message: Option<String>,

    /// Push the branch and open a pull request when the deploy has gone well
    #[arg(long)]
    pub pr: bool,

    /// Wait for hosts that do not answer, an hour or so long, and deploy them when they do
    #[arg(long, value_name = "DURATION", value_parser = values::age(), num_args = 0..=1)]
    #[arg(require_equals = true, default_missing_value = "1h")]
    pub wait_for_host: Option<Duration>,

    /// How the deploy spreads over its hosts.
    #[command(flatten)]
    pub rollout: RolloutArgs,

    /// What of an update is previewed instead.
    #[command(flatten)]
    pub preview: PreviewArgs,
}

impl DeployArgs {
    /// Every default, on these hosts.
    pub fn for_hosts(hosts: Vec<String>) -> Self {
        Self { hosts, ..Self::default() }
    }

    /// How careful to be.
    pub fn mode(&self) -> Mode {
        match (self.fast, self.emergency) {
            (true, _) => Mode::Fast,
            (_, true) => Mode::Emergency,
            _ => self.mode.unwrap_or_default(),
        }
    }
}
