//! Arguments of `resume`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{DeployArgs, values};

/// Which interrupted run is taken up.
#[derive(Clone, Debug, Default, Args)]
pub struct ResumeArgs {
    /// The run; the last one when there is none, if it was interrupted
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

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

    /// Push the branch and open a pull request when the deploy has gone well
    #[arg(long)]
    pub pr: bool,

    /// Wait for hosts that do not answer, an hour or so long, and deploy them when they do
    #[arg(long, value_name = "DURATION", value_parser = values::age(), num_args = 0..=1)]
    #[arg(require_equals = true, default_missing_value = "1h")]
    pub wait_for_host: Option<Duration>,
}

impl ResumeArgs {
    /// A deploy of these hosts that is answered and shown as this asks for.
    pub fn as_deploy(&self, hosts: Vec<String>) -> DeployArgs {
        let mut deploy = DeployArgs::for_hosts(hosts);
        deploy.dry_run = self.dry_run;
        deploy.yes = self.yes;
        deploy.non_interactive = self.non_interactive;
        deploy.report.clone_from(&self.report);
        deploy.pr = self.pr;
        deploy.wait_for_host = self.wait_for_host;
        deploy
    }
}
