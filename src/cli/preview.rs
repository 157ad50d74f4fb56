//! Arguments of a preview, by itself with the hosts of a deploy or as a part of
//! `update`.

use clap::Args;

/// What of an update is previewed, and how deep.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Preview of an update")]
pub struct PreviewArgs {
    /// Show what an update of the flake's inputs would change, and change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "reboot", "mode", "fast", "emergency"])]
    pub preview: bool,

    /// Estimate from derivations instead of building the new systems
    #[arg(long)]
    pub no_build: bool,

    /// Update this input only; may be repeated
    #[arg(long = "input", value_name = "INPUT", value_delimiter = ',')]
    pub inputs: Vec<String>,

    /// Name attributes of the package set that are new, those of a glob: `firefox*`, `python3Packages.*`
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub new_packages: Option<String>,
}

impl PreviewArgs {
    /// A flag that says what of an update is looked at.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.no_build, "--no-build"),
            (!self.inputs.is_empty(), "--input"),
            (self.new_packages.is_some(), "--new-packages"),
        ];
        given.into_iter().find(|(is_given, _)| *is_given).map(|(_, flag)| flag)
    }
}
