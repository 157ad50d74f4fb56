//! Arguments of `rollback`.

use std::path::PathBuf;

use clap::Args;

use super::{DeployArgs, values};
use crate::model::{Action, Reboot};

/// Which hosts go back, and to what.
#[derive(Clone, Debug, Default, Args)]
pub struct RollbackArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,

    /// A generation of the host, a run (what it deployed), or a system's store path; otherwise the one before
    #[arg(long, value_name = "GENERATION|RUN")]
    pub to: Option<String>,

    /// What to do with the old system
    #[arg(long, value_name = "ACTION", value_parser = values::action(), default_value = "switch")]
    pub action: Action,

    /// Reboot hosts and prove them again; without a value those that need it
    #[arg(
        long, value_name = "WHEN", value_parser = values::reboot(), num_args = 0..=1, require_equals = true,
        default_missing_value = "if-needed", default_value = "never", hide_default_value = true
    )]
    pub reboot: Reboot,

    /// Print the plan and touch no host
    #[arg(long)]
    pub dry_run: bool,

    /// Answer every question with yes
    #[arg(short, long)]
    pub yes: bool,

    /// Never ask; automatic without a terminal, or with CI=true
    #[arg(long)]
    pub non_interactive: bool,

    /// Write a report of the run to this file at its end: .md, .html or .json; may be repeated
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,

    /// Work on at most this many hosts at a time
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_parallel: Option<u16>,
}

impl RollbackArgs {
    /// The deploy that has the same arguments: a way back is one, of a system
    /// that the host has.
    pub fn as_deploy(&self) -> DeployArgs {
        let mut deploy = DeployArgs::for_hosts(self.hosts.clone());
        deploy.action = self.action;
        deploy.rollout.reboot = self.reboot;
        deploy.dry_run = self.dry_run;
        deploy.yes = self.yes;
        deploy.non_interactive = self.non_interactive;
        deploy.report.clone_from(&self.report);
        deploy.rollout.max_parallel = self.max_parallel;
        deploy
    }
}
