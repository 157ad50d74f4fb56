//! Who is told of runs, and when: what `[notify]` of hosts.toml says.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// When somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// A run begins.
    Start,
    /// A run that changed something ended well.
    Success,
    /// A run failed.
    Failure,
    /// A host went back to its old system, by itself or because somebody asked for it.
    Rollback,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 4] = [Self::Start, Self::Success, Self::Failure, Self::Rollback];

    /// The word of hosts.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Rollback => "rollback",
        }
    }
}

/// What kind of service is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifierKind {
    /// An incoming webhook of Slack, or of what understands its form.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A room of Matrix, by the client interface of a home server.
    Matrix,
    /// A topic of ntfy.
    Ntfy,
    /// Whatever takes JSON.
    Webhook,
}

impl NotifierKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Slack, Self::Discord, Self::Matrix, Self::Ntfy, Self::Webhook];

    /// The word of hosts.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Matrix => "matrix",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
        }
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// From hosts.toml itself.
    Here(Secret),
    /// From an environment variable.
    Variable(String),
    /// From a file.
    File(PathBuf),
}

/// Somebody who is told, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierSpec {
    /// The name in `[notify.NAME]`.
    pub name: String,
    /// What kind of service.
    pub kind: NotifierKind,
    /// Where it is told; whoever knows the address can often write there.
    pub url: SecretSource,
    /// What it is asked for beside the address.
    pub token: Option<SecretSource>,
    /// The room, for Matrix.
    pub room: Option<String>,
    /// When it is told.
    pub on: Vec<Occasion>,
}
