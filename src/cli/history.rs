//! Arguments of `history`.

use clap::Args;

/// Whose history, and how much of it.
#[derive(Clone, Debug, Default, Args)]
pub struct HistoryArgs {
    /// A host of hosts.toml, a glob, @tag, or `all`
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,

    /// Show at most so many entries per host, the newest
    #[arg(long, value_name = "COUNT", default_value = "20")]
    pub limit: usize,

    /// Print JSON, an object per entry
    #[arg(long)]
    pub json: bool,
}
