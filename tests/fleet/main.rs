//! Every promise about hosts, on real hosts: Linux with systemd as PID 1, sshd
//! and a Nix daemon, deployed over real SSH. `tests/support/fleet.sh` makes
//! them; it needs root.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod fleet;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../support/github.rs"]
mod github;
mod host;
mod proof;
mod standing;
mod updated;

mod access;
mod actions;
mod checks;
mod consent;
mod deploy;
mod doctor;
mod doubt;
mod emergency;
mod faults;
mod health;
mod hidden;
mod interrupt;
mod issues;
mod kill;
mod lease;
mod locks;
mod network;
mod observe;
mod operator;
mod poll;
mod preview;
mod published;
mod reboot;
mod reconnect;
mod recover;
mod resumed;
mod rollback;
mod rollout;
mod scarce;
mod several;
mod transport;
mod update;
mod update_ways;
mod views;
mod way_back;
