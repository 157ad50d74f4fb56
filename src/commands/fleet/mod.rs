//! `fleet`: questions to the fleet database, and its upkeep. A group of
//! subcommands is one file; here is what they share.

mod ask;
mod build;
mod evaluate;
mod grafana;
mod hosts;
mod jobs;
mod poll;
mod show;
mod stats;
mod sync;
mod table;
mod upkeep;

use std::io::Write;

use super::print;
use crate::cli::{FleetArgs, FleetCommand, GlobalArgs};
use crate::error::CommandError;
use crate::exit::ExitCode;
use crate::fleet::{self, Address, Database, FleetError};
use crate::settings::{Environment, Output, Screen, Settings};

/// What every subcommand works with.
struct Desk {
    settings: Settings,
    screen: Screen,
    /// The name of this machine, as in `user@machine`.
    machine: String,
}

impl Desk {
    /// Where the database is.
    fn address(&self) -> Result<Address, CommandError> {
        Address::parse(&self.settings.database_url).map_err(fail)
    }

    /// The database, ready to be asked.
    async fn open(&self) -> Result<Database, CommandError> {
        fleet::open(&self.address()?).await.map_err(fail)
    }

    /// Whether data is printed as JSON.
    fn json(&self, flag: bool) -> bool {
        flag || self.screen.output == Output::Json
    }

    /// Says something on standard error, unless it should be quiet.
    fn say(&self, text: &str) {
        if self.screen.output != Output::Quiet {
            // Standard error that is gone has no reader left.
            let _ = writeln!(std::io::stderr().lock(), "{}", crate::model::text::clean_line(text));
        }
    }
}

fn fail(error: FleetError) -> CommandError {
    error.failure().into()
}

/// Prints values as JSON, one per line.
fn print_json<T: serde::Serialize>(values: impl IntoIterator<Item = T>) -> Result<ExitCode, CommandError> {
    let mut text = String::new();
    for value in values {
        let line = serde_json::to_string(&value)
            .map_err(|error| CommandError::from_error(crate::model::FailureClass::Unexpected, &error))?;
        text.push_str(&line);
        text.push('\n');
    }
    print(text.as_bytes())
}

/// Runs a subcommand.
pub(crate) async fn fleet(
    arguments: FleetArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let settings = Settings::load(global.config.as_deref(), environment)?;
    let screen = Screen::resolve(global, environment);
    let desk = Desk { settings, screen, machine: crate::model::text::clean_line(&environment.machine) };
    match arguments.command {
        FleetCommand::Status(asked) => ask::status(&desk, &asked).await,
        FleetCommand::Systems(asked) => ask::ask(&desk, &fleet::query::SYSTEMS, &asked).await,
        FleetCommand::Timeline(asked) => ask::timeline(&desk, &asked).await,
        FleetCommand::Commits(asked) => ask::ask(&desk, &fleet::query::COMMITS, &asked).await,
        FleetCommand::Builds(asked) => ask::ask(&desk, &fleet::query::BUILDS, &asked).await,
        FleetCommand::Queue(asked) => ask::queue(&desk, &asked).await,
        FleetCommand::Heartbeat(asked) => ask::ask(&desk, &fleet::query::HEARTBEAT, &asked).await,
        FleetCommand::Drift(asked) => ask::ask(&desk, &fleet::query::DRIFT, &asked).await,
        FleetCommand::Stale(asked) => ask::stale(&desk, &asked).await,
        FleetCommand::Missing(asked) => ask::ask(&desk, &fleet::query::MISSING, &asked).await,
        FleetCommand::History(asked) => ask::ask(&desk, &fleet::query::HISTORY, &asked).await,
        FleetCommand::Show(asked) => show::show(&desk, &asked).await,
        FleetCommand::Stats(asked) => stats::stats(&desk, &asked).await,
        FleetCommand::Register(asked) => hosts::register(&desk, &asked).await,
        FleetCommand::Retire(asked) => hosts::retire(&desk, &asked).await,
        FleetCommand::Sync(asked) => sync::sync(&desk, &asked).await,
        FleetCommand::Poll(asked) => poll::poll(&desk, &asked).await,
        FleetCommand::Evaluate(asked) => evaluate::evaluate(&desk, &asked).await,
        FleetCommand::Build(asked) => build::build(&desk, &asked).await,
        FleetCommand::Migrate(asked) => upkeep::migrate(&desk, &asked).await,
        FleetCommand::Flush(asked) => upkeep::flush(&desk, &asked).await,
        FleetCommand::Prune(asked) => upkeep::prune(&desk, &asked).await,
        FleetCommand::Export(asked) => upkeep::export(&desk, &asked).await,
        FleetCommand::Import(asked) => upkeep::import(&desk, &asked).await,
        FleetCommand::Grafana(asked) => grafana::grafana(&desk, &asked),
    }
}
