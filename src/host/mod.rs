//! Hosts: how they are reached, asked, changed under a supervisor, and judged.
//!
//! Nothing here decides what a run does; steps do that.

pub(crate) mod after;
pub(crate) mod boot_trial;
pub(crate) mod causes;
pub(crate) mod checks;
pub(crate) mod contents;
mod error;
pub(crate) mod facts;
mod folder;
pub(crate) mod garbage;
pub(crate) mod generations;
pub(crate) mod inventory;
pub(crate) mod judge;
mod link;
mod measure;
pub(crate) mod network;
pub(crate) mod observe;
pub(crate) mod preview;
pub(crate) mod reboot;
mod session;
mod shell;
pub(crate) mod sighting;
mod ssh_config;
mod standing_shell;
pub(crate) mod status;
pub(crate) mod supervisor;
pub(crate) mod tailscale;
pub(crate) mod units;

pub(crate) use error::HostError;
pub(crate) use link::Link;
pub(crate) use session::{Privilege, Session};
pub(crate) use shell::Script;
