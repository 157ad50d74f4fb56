//! Arguments of `status`.

use clap::Args;

/// Which hosts to ask.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// Print JSON, an object per host
    #[arg(long)]
    pub json: bool,
}
