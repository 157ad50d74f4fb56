//! The fleet database from outside: the program, and a real SQLite file and a
//! real PostgreSQL beside each other.
//!
//! What is asked of one database is asked of the other. PostgreSQL is a
//! throw-away cluster on a private socket, started once for a test run
//! (`cluster.rs`); each test has a database of its own in it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod beside;
mod builders;
mod checks;
mod cluster;
mod engine;
mod faults;
mod grafana;
mod journal;
mod model;
mod recorder;
mod retention;
mod schema;
mod shapes;
mod story;
mod tls;
mod triggers;
mod turns;
mod updates;
mod views;
mod workshop;
