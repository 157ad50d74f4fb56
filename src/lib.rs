//! nix-deploy deploys NixOS hosts safely: it evaluates and builds a
//! configuration, works out what would change, activates it under a
//! supervisor on the host, proves that the host is well, and takes the change
//! back when it is not.
//!
//! The program is this library; `main.rs` only starts it. Which module may use
//! which is written in DESIGN.md and enforced by `tests/architecture.rs`.

mod check;
pub mod cli;
mod commands;
mod engine;
mod error;
pub mod event;
mod exec;
pub mod exit;
mod fleet;
mod forge;
mod git;
mod host;
pub mod issues;
mod jobs;
pub mod lint;
pub mod model;
mod nix;
mod plan;
mod prompt;
mod report;
mod settings;
mod steps;
mod update;

pub use commands::run;

/// The difference of two closures, each as `nix path-info -r -s` or `--json`
/// prints it; an error when a listing holds no path. For benchmarks: the
/// program reads the listings itself.
pub fn closure_diff(old: &str, new: &str) -> Result<model::ClosureDiff, String> {
    let parse = |listing: &str| nix::Closure::parse(listing).map_err(|error| error.to_string());
    Ok(nix::diff(&parse(old)?, &parse(new)?))
}

/// The fleet database, asked by the program's own code. For benchmarks.
pub struct FleetAnswers(fleet::Database);

impl FleetAnswers {
    /// Opens the database at `url`; a server has to have the schema.
    pub async fn open(url: &str) -> Result<Self, String> {
        let address = fleet::Address::parse(&model::Secret::new(url)).map_err(|error| error.to_string())?;
        fleet::open(&address).await.map(Self).map_err(|error| error.in_short())
    }

    /// Fetches and decodes every row of `SELECT columns rest` and gives their
    /// number.
    pub async fn count(&mut self, columns: &[&str], rest: &str) -> Result<usize, String> {
        let mut count = 0;
        let take = |cells: fleet::Cells| {
            count += usize::from(std::hint::black_box(&cells).len() == columns.len());
            std::ops::ControlFlow::Continue(())
        };
        let asked = self.0.each("answer", columns, rest, &[], take).await;
        asked.map(|()| count).map_err(|error| error.in_short())
    }
}
