//! Arguments of `update`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};

use super::DeployArgs;
use crate::model::RiskLevel;

/// Which hosts to update, and who decides.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("other").args(["smart", "undo"]))]
pub struct UpdateArgs {
    /// Decide by risk: go on where nothing was found, ask where something was,
    /// stop where it is critical
    #[arg(long)]
    pub smart: bool,

    /// Apply updates up to this risk without asking
    #[arg(long, value_name = "RISK", requires = "smart", value_parser = accepted())]
    pub accept_risk: Option<RiskLevel>,

    /// Put back the flake.lock from before the last update, and deploy it
    #[arg(long)]
    pub undo: bool,

    /// The machine this runs on, as hosts.toml describes it
    #[arg(long, conflicts_with = "hosts")]
    pub local: bool,

    /// How the hosts are deployed.
    #[command(flatten)]
    pub deploy: DeployArgs,
}

/// Reads a risk that can be accepted: nobody accepts a critical one in advance.
fn accepted() -> impl TypedValueParser<Value = RiskLevel> {
    let levels = [RiskLevel::Medium, RiskLevel::High];
    PossibleValuesParser::new(levels.map(|level| PossibleValue::new(level.as_str()))).map(move |text| {
        // clap only lets the words above through.
        levels.into_iter().find(|level| level.as_str() == text).unwrap_or_default()
    })
}
