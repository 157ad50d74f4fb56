//! Arguments of `man`.

use clap::Args;

/// Which manual page to print.
#[derive(Clone, Debug, Default, Args)]
pub struct ManArgs {
    /// The command to print the page of; without it, that of nix-deploy
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
