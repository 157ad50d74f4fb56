//! Arguments of `resume`.

use clap::Args;

use super::DeployArgs;

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
}

impl ResumeArgs {
    /// A deploy of these hosts that is answered and shown as this asks for.
    pub fn as_deploy(&self, hosts: Vec<String>) -> DeployArgs {
        let mut deploy = DeployArgs::for_hosts(hosts);
        deploy.dry_run = self.dry_run;
        deploy.yes = self.yes;
        deploy.non_interactive = self.non_interactive;
        deploy
    }
}
