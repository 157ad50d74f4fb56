//! hosts.toml, environment and flags, merged once into [`Settings`].
//!
//! `env` reads the environment, `file` finds and reads hosts.toml, `source`
//! shows what is wrong in it, `reader` walks its tables, `hosts_toml` with
//! `host_keys`, `check_keys`, `lint_keys`, `issue_keys`, `notify_keys`, `pull_request_keys` and
//! `rollout_keys` is the schema, `references` checks hosts
//! against each other, and `resolve` merges everything.

mod check_keys;
mod duration;
pub(crate) mod env;
mod error;
pub(crate) mod file;
mod flake_ref;
mod host_keys;
mod hosts_toml;
mod issue_keys;
mod lint_keys;
mod nearest;
mod notify_keys;
mod pull_request_keys;
mod reader;
mod references;
mod resolve;
mod resource_keys;
mod rollout_keys;
mod screen;
mod source;
mod values;

pub(crate) use duration::written;
pub(crate) use env::Environment;
pub(crate) use error::SettingsError;
pub(crate) use flake_ref::FlakeRef;
pub(crate) use nearest::{enumerate, nearest};
pub(crate) use resolve::{Settings, create_run_dir};
pub(crate) use screen::{Output, Screen};
pub(crate) use values::host_name;
