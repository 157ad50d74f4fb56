//! How a host stands right now: its facts, and what no deploy asks.

use std::time::Duration;

use jiff::Timestamp;

use super::error::HostError;
use super::facts::{self, PROFILE, generation};
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{HostFacts, HostSpec, Room};

const STATUS: &str = include_str!("../../templates/status.sh");

/// The host's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// What a deploy asks, too.
    pub(crate) facts: HostFacts,
    /// The rest.
    pub(crate) more: More,
}

/// What no deploy asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct More {
    /// The NixOS version of the running system.
    pub(crate) version: Option<String>,
    /// The newest generation with the running system, and when it was made.
    pub(crate) runs: Option<(u64, Option<Timestamp>)>,
    /// `systemctl is-system-running`.
    pub(crate) state: String,
    /// Room for the store.
    pub(crate) store: Option<Room>,
    /// Room on a /boot of its own.
    pub(crate) boot: Option<Room>,
    /// Parts of the running system that differ from those booted.
    pub(crate) differs: Vec<String>,
    /// Units in the state failed, of every kind.
    pub(crate) failed: Vec<String>,
}

/// Asks a host; nothing needs root, and no password is asked for.
pub(crate) async fn ask(link: &Link, host: &HostSpec) -> Result<Answer, HostError> {
    let facts = facts::collect(link, host).await?;
    Ok(Answer { facts, more: more(link, host.timeouts.command).await? })
}

async fn more(link: &Link, deadline: Duration) -> Result<More, HostError> {
    let script = Script::new(STATUS).set("PROFILE", PROFILE);
    Ok(parse(&link.run(&script, Privilege::Login, deadline).await?))
}

fn parse(text: &str) -> More {
    let get = |key: &str| shell::value(text, key);
    let lines = |wanted: &str| -> Vec<String> {
        let values = shell::pairs(text).filter(|(key, _)| *key == wanted);
        values.map(|(_, value)| clean_line(value)).filter(|value| !value.is_empty()).collect()
    };
    let runs = shell::pairs(text).filter(|(key, _)| *key == "runs").filter_map(|(_, line)| {
        let (link, made) = line.split_once(' ').unwrap_or((line, ""));
        let made = made.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        Some((generation(link)?, made))
    });
    More {
        version: get("version").map(clean_line).filter(|version| !version.is_empty()),
        runs: runs.max_by_key(|(number, _)| *number),
        state: get("state").map(clean_line).unwrap_or_default(),
        store: get("store").and_then(room),
        boot: get("boot").and_then(room),
        differs: lines("differs"),
        failed: lines("failed"),
    }
}

/// `stat -f -c '%a %b %S %d %c'`: free blocks, blocks, their size, free inodes, inodes.
fn room(line: &str) -> Option<Room> {
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [free, blocks, size, free_inodes, inodes] = numbers[..] else { return None };
    Some(Room {
        free: free.saturating_mul(size),
        size: blocks.saturating_mul(size),
        free_inodes: (inodes > 0).then_some(free_inodes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read_and_the_newest_generation_counts() {
        let answer = "version=25.05.1\nruns=system-2-link 1763640000\nruns=system-10-link 1763726400\nstate=degraded\n\
                      store=100 400 4096 7 0\ndiffers=kernel\ndiffers=kernel-params\nfailed=web.service\nfailed=\n";
        let more = parse(answer);
        assert_eq!(more.version.as_deref(), Some("25.05.1"));
        let (number, made) = more.runs.unwrap();
        assert_eq!((number, made.unwrap().to_string().as_str()), (10, "2025-11-21T12:00:00Z"));
        assert_eq!(more.store, Some(Room { free: 409_600, size: 1_638_400, free_inodes: None }));
        assert_eq!(more.boot, None);
        assert_eq!(more.differs, ["kernel", "kernel-params"]);
        assert_eq!(more.failed, ["web.service"]);
        assert_eq!(parse(""), More::default());
    }
}
