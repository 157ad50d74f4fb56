//! Arguments that say how a deploy spreads over its hosts.

use std::time::Duration;

use clap::Args;

use super::values;
use crate::model::{Canary, Reboot, Share, Strategy};

/// In which order, how many at a time, and when it stops.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rollout")]
pub struct RolloutArgs {
    /// In which order hosts are deployed; dependencies always come first
    #[arg(long, value_name = "STRATEGY", value_parser = values::strategy())]
    strategy: Option<Strategy>,

    /// Deploy these first, then the others: hosts, a number or a share; means --strategy canary
    #[arg(long, value_name = "HOSTS|N|N%", value_parser = Canary::parse)]
    pub canary: Option<Canary>,

    /// Deploy in waves of at most so many hosts, or of a share of them
    #[arg(long, value_name = "N|N%", value_parser = Share::parse)]
    pub wave_size: Option<Share>,

    /// Watch the hosts of a wave for so long before the next one begins, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = values::age())]
    pub soak: Option<Duration>,

    /// Start no other host once so many, or a share of them, have failed
    #[arg(long, value_name = "N|N%", value_parser = Share::parse)]
    pub max_failures: Option<Share>,

    /// Take back the hosts that were deployed when the run fails
    #[arg(long)]
    pub rollback_fleet: bool,

    /// Work on at most this many hosts at a time
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_parallel: Option<u16>,

    /// Deploy only these of the hosts: names, globs, @tags
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub limit: Vec<String>,

    /// Leave these hosts out: names, globs, @tags
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub skip: Vec<String>,

    /// Reboot hosts and prove them again; without a value those that need it
    #[arg(
        long, value_name = "WHEN", value_parser = values::reboot(), num_args = 0..=1, require_equals = true,
        default_missing_value = "if-needed", default_value = "never", hide_default_value = true
    )]
    pub reboot: Reboot,

    /// Reboot so many hosts at a time; 1 unless told
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub reboot_parallel: Option<u16>,
}

impl RolloutArgs {
    /// The strategy, if one is asked for.
    pub fn strategy(&self) -> Option<Strategy> {
        self.strategy.or(self.canary.as_ref().map(|_| Strategy::Canary))
    }
}
