//! The fleet database: which host runs which commit, since when, how every
//! deploy went, and what is to be built next.
//!
//! Owns the schema, the only statements that reach the database, and the
//! recorder that writes runs into it. It knows nothing of hosts, Nix or
//! screens: facts are handed in, answers are handed out as rows.
//!
//! # For who brings facts in
//!
//! A command that learns something (git history, what hosts run, what
//! evaluates, what was built) opens the database with [`open`] and writes
//! through [`shared`]; systems are in [`systems`]:
//!
//! ```text
//! let mut database = fleet::open(&address).await?;          // one connection; open several for workers
//! database.transaction(async |database| {
//!     let flake_id = shared::flake(database, &identity).await?;          // FlakeIdentity::new(machine, flake, remote)
//!     let commit_id = shared::commit(database, flake_id, hash, time).await?;
//!     let key = DerivationKey { commit_id: Some(commit_id), kind: DerivationKind::Nixos, name: host };
//!     let system = shared::derivation(database, key, Status::DryRunComplete, &facts, now).await?;
//!     shared::depends_on(database, system, package).await
//! }).await?;
//! shared::report(database, &report).await?;                 // or `heartbeat` when nothing changed
//! ```
//!
//! All of these may be called again with the same facts. Anything else is
//! [`Database::rows`] and [`Database::execute`] with `$1`-style places and
//! `values!`; one text serves both databases (see `migrations/both`), and
//! where it cannot, [`Database::dialect`] decides. A question of one statement
//! is a [`query::Question`] in `query/catalog.rs`; its columns are its table
//! and its `--json`. `view_buildable_derivations` and `build_reservations` are
//! the build queue. Before many reports are written, call
//! [`partitions::prepare`] once per connection.
//!
//! # Invariants
//!
//! No statement holds a pasted value. No message holds a password. A database
//! that is slow or gone never fails or delays a deploy (`recorder`).

pub(crate) mod commits;
mod database;
mod error;
mod identity;
mod migrate;
pub(crate) mod packages;
mod packed;
pub(crate) mod partitions;
pub(crate) mod prune;
pub(crate) mod query;
pub(crate) mod queue;
pub(crate) mod recorder;
pub(crate) mod reports;
mod rows;
pub(crate) mod shared;
pub(crate) mod systems;
mod tables;
pub(crate) mod transfer;
mod url;
mod value;

pub(crate) use database::{Cells, Database, Patience};
pub(crate) use error::FleetError;
pub(crate) use identity::FlakeIdentity;
pub(crate) use migrate::Migrated;
pub(crate) use url::Address;
pub(crate) use value::Cell;

/// Opens the database for a command, ready to be used: a file of SQLite is made
/// and brought up to date, a server has to have the schema.
pub(crate) async fn open(address: &Address) -> Result<Database, FleetError> {
    migrate::open(address, Patience::COMMAND).await
}

/// Opens the database and brings it up to date, a server too.
pub(crate) async fn open_and_migrate(address: &Address) -> Result<(Database, Migrated), FleetError> {
    let (mut database, migrated) = migrate::open_and_migrate(address, Patience::COMMAND).await?;
    partitions::prepare(&mut database, jiff::Timestamp::now()).await?;
    Ok((database, migrated))
}
