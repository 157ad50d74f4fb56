//! Arguments of `explain`.

use clap::Args;

/// Which rule to explain.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The rule's id, as findings name it in brackets
    #[arg(value_name = "RULE")]
    pub rule: String,
}
