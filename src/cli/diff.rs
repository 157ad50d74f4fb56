//! Arguments of `diff`.

use clap::Args;

/// Which systems of a host are compared.
#[derive(Clone, Debug, Default, Args)]
pub struct DiffArgs {
    /// A host of hosts.toml
    #[arg(value_name = "HOST")]
    pub host: String,

    /// The first system: a generation, current, booted, boots, new, a run, or a store path
    #[arg(value_name = "A", default_value = "current")]
    pub from: String,

    /// The second system, in the same words; what the configuration describes unless A is given alone
    #[arg(value_name = "B")]
    pub to: Option<String>,

    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}
