//! Arguments of `init`.

use clap::Args;

/// For which flake to write a hosts.toml.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The flake whose nixosConfigurations become hosts
    #[arg(long, value_name = "FLAKE", default_value = ".")]
    pub flake: String,

    /// Replace a hosts.toml that is there
    #[arg(long)]
    pub force: bool,
}
