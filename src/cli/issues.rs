//! Arguments of `issues`.

use clap::Args;

/// Which hosts to look at, and how new the issues have to be.
#[derive(Clone, Debug, Default, Args)]
pub struct IssuesArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,

    /// Ask the tracker even when it was asked within the last hour
    #[arg(long)]
    pub refresh: bool,

    /// Judge what the configuration would bring, and block on what is known to
    /// be broken; the new systems must have been built here
    #[arg(long)]
    pub next: bool,
}
