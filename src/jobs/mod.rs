//! Work for the fleet database that is not a deploy: reading the history of the
//! configuration, asking hosts what they run, evaluating commits, building what
//! is in the queue.
//!
//! Each file brings facts of git, hosts or Nix into the database through
//! `fleet`; none of them prints. All can be run again and again, by a timer or
//! by several machines at once, and nobody is ever asked anything.

pub(crate) mod build;
pub(crate) mod evaluate;
pub(crate) mod poll;
mod source;
pub(crate) mod sync;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub(crate) use source::{FlakeSource, SourceError};

use crate::fleet::FleetError;

/// Why a job could not be done at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The fleet database did not do what was asked.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The configuration's repository cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A folder of ours cannot be made.
    #[error("make the folder {}", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Makes a folder for its owner alone: logs may name what the configuration
/// keeps private.
fn private_folder(path: &Path) -> Result<(), JobError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|source| JobError::Folder { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::Value;

    use super::build::{End, Settled};
    use super::evaluate::Configuration;
    use super::poll::{Answer, Outcome};
    use super::sync::Synced;
    use crate::model::HostName;

    /// The keys of an object as the README lists them; times are named.
    fn listed(object: &impl Serialize, times: &[&str]) -> String {
        let text = serde_json::to_string(object).unwrap();
        let Value::Object(map) = serde_json::from_str::<Value>(&text).unwrap() else { panic!() };
        // A map has lost the order.
        let mut keys: Vec<(usize, String)> = map
            .iter()
            .map(|(key, value)| {
                let kind = match value {
                    _ if times.contains(&key.as_str()) => " time",
                    Value::Number(_) => " number",
                    Value::Bool(_) => " boolean",
                    _ => "",
                };
                (text.find(&format!("\"{key}\":")).unwrap(), format!("`{key}`{kind}"))
            })
            .collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_readme_lists_every_key_in_order() {
        let hostname = HostName::new("p620").unwrap();
        let text = || Some("x".to_owned());
        let synced = Synced {
            flake: "x".to_owned(),
            newest: text(),
            new: 0,
            reordered: 0,
            known: 0,
            dirty: false,
            shallow: false,
            flake_id: 0,
            asked: Vec::new(),
        };
        let answer = Answer {
            hostname: hostname.clone(),
            outcome: Outcome::Same,
            store_path: text(),
            nixos_version: text(),
            kernel: text(),
            uptime_secs: Some(0),
            ip_address: text(),
            asked_at: jiff::Timestamp::UNIX_EPOCH,
            error: text(),
        };
        let configuration = Configuration {
            commit_hash: "x".to_owned(),
            hostname,
            evaluated: true,
            derivation_path: text(),
            store_path: text(),
            packages: 0,
            duration_ms: 0,
            error: text(),
        };
        let settled = Settled {
            derivation_id: 0,
            derivation_type: "nixos",
            derivation_name: "x",
            hostname: "x",
            commit_hash: "x",
            outcome: End::Built,
            store_path: text(),
            attempts: 0,
            duration_ms: 0,
            error: text(),
            worker_id: "x",
        };
        let readme = include_str!("../../README.md");
        for (name, keys) in [
            ("sync", listed(&synced, &[])),
            ("poll", listed(&answer, &["asked_at"])),
            ("evaluate", listed(&configuration, &[])),
            ("build", listed(&settled, &[])),
        ] {
            let row = format!("| `fleet {name}` | {keys} |");
            assert!(readme.contains(&row), "the README lacks:\n{row}");
        }
    }
}
