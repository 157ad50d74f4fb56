//! Arguments of `completions`.

use clap::Args;
use clap_complete::Shell;

/// For which shell to print a completion script.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}
