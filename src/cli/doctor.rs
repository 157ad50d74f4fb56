//! Arguments of `doctor`.

use clap::Args;

/// Which hosts to look at.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
}
