//! Arguments of a preview, which is asked for with the hosts of a deploy.

use clap::Args;

/// What of an update is previewed, and how deep.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Preview of an update")]
pub struct PreviewArgs {
    /// Show what an update of the flake's inputs would change, and change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "reboot", "mode", "fast", "emergency"])]
    pub preview: bool,

    /// Estimate from derivations instead of building the new systems
    #[arg(long, requires = "preview")]
    pub no_build: bool,

    /// Update this input only; may be repeated
    #[arg(long = "input", value_name = "INPUT", value_delimiter = ',', requires = "preview")]
    pub inputs: Vec<String>,

    /// Name attributes of the package set that are new, those of a glob: `firefox*`, `python3Packages.*`
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "*", requires = "preview")]
    pub new_packages: Option<String>,
}
