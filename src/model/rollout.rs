//! How a run spreads over its hosts: in which order, how many at a time, when
//! it stops, and when hosts are rebooted.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// In which order hosts are deployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// All at once, up to the limit; a host that depends on others after them.
    #[default]
    Parallel,
    /// One wave after the other, of one host unless a size is set.
    Rolling,
    /// A few first, then the others.
    Canary,
}

impl Strategy {
    /// The name as `--strategy` and hosts.toml spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parallel => "parallel",
            Self::Rolling => "rolling",
            Self::Canary => "canary",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A number of hosts: so many, or a share of those that are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// So many.
    Count(u16),
    /// So many of a hundred.
    Percent(u8),
}

impl Share {
    /// Reads `3` or `10%`; else says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a number of hosts like \"2\" nor a share like \"10%\"");
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim_end().parse() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                Ok(_) => Err(format!("{text:?} is out of bounds; from 1% to 100% are possible")),
                Err(_) => Err(wrong()),
            },
            None => match text.trim().parse() {
                Ok(0) => Err("0 is no number of hosts; the least is 1".to_owned()),
                Ok(count) => Ok(Self::Count(count)),
                Err(_) => Err(wrong()),
            },
        }
    }

    /// How many of so many hosts; a share is rounded up, so that it is never none.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => usize::from(count),
            Self::Percent(percent) => (total * usize::from(percent)).div_ceil(100).max(1),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

/// Which hosts go first with [`Strategy::Canary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Canary {
    /// So many, the first of the order.
    Share(Share),
    /// These: names, globs and `@tags`.
    Hosts(Vec<String>),
}

impl Canary {
    /// Reads `2`, `10%`, or names, globs and `@tags` with commas between them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim_end_matches('%').trim().parse::<u64>().is_ok() {
            return Share::parse(text).map(Self::Share);
        }
        let words: Vec<String> =
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        match words.is_empty() {
            true => Err("no host is named".to_owned()),
            false => Ok(Self::Hosts(words)),
        }
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self::Share(Share::Count(1))
    }
}

impl fmt::Display for Canary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => share.fmt(formatter),
            Self::Hosts(words) => formatter.write_str(&words.join(",")),
        }
    }
}

/// Whether hosts are rebooted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reboot {
    /// None.
    #[default]
    Never,
    /// Those that need it to run the new system wholly.
    IfNeeded,
    /// Every host that is changed.
    Always,
}

impl Reboot {
    /// The name as `--reboot` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::IfNeeded => "if-needed",
            Self::Always => "always",
        }
    }

    /// Whether a host may be rebooted.
    pub fn is_asked(self) -> bool {
        self != Self::Never
    }
}

/// How a run spreads over its hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollout {
    /// In which order.
    pub strategy: Strategy,
    /// How many hosts change at a time.
    pub max_parallel: usize,
    /// Which hosts come first: names, globs and `@tags`; the others come last.
    pub order: Vec<String>,
    /// Who goes first with [`Strategy::Canary`].
    pub canary: Canary,
    /// How many hosts a wave has at most.
    pub wave_size: Option<Share>,
    /// How long the hosts of a wave are watched before the next one begins.
    pub soak: Duration,
    /// After so many failed hosts no other one is started.
    pub max_failures: Option<Share>,
    /// A run that fails takes back the hosts that it had deployed.
    pub rollback_fleet: bool,
    /// How many hosts reboot at a time.
    pub reboot_parallel: usize,
}

impl Rollout {
    /// Whether a wave waits for all of the one before it, and not each host for
    /// those that it depends on alone.
    pub fn has_waves(&self) -> bool {
        self.strategy != Strategy::Parallel
            || self.wave_size.is_some()
            || !self.order.is_empty()
            || !self.soak.is_zero()
    }
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            strategy: Strategy::Parallel,
            max_parallel: 8,
            order: Vec::new(),
            canary: Canary::default(),
            wave_size: None,
            soak: Duration::ZERO,
            max_failures: None,
            rollback_fleet: false,
            reboot_parallel: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_rounded_up() {
        assert_eq!(Share::parse("3"), Ok(Share::Count(3)));
        assert_eq!(Share::parse(" 10% "), Ok(Share::Percent(10)));
        for (share, total, count) in [("10%", 16, 2), ("1%", 3, 1), ("100%", 7, 7), ("5", 3, 5), ("34%", 3, 2)]
        {
            assert_eq!(Share::parse(share).unwrap().of(total), count, "{share} of {total}");
        }
        for text in ["", "0", "-1", "0%", "101%", "x", "1.5", "%", "70000"] {
            assert!(Share::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_canary_is_a_number_a_share_or_hosts() {
        assert_eq!(Canary::parse("2"), Ok(Canary::Share(Share::Count(2))));
        assert_eq!(Canary::parse("5%"), Ok(Canary::Share(Share::Percent(5))));
        let hosts = Canary::Hosts(vec!["p620".to_owned(), "@canary".to_owned()]);
        assert_eq!(Canary::parse("p620, @canary"), Ok(hosts));
        assert!(Canary::parse("0").is_err() && Canary::parse(" , ").is_err());
    }
}
