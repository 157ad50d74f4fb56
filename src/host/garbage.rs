//! Collecting garbage, on a host or on the machine we run on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::error::HostError;
use super::facts::{self, PROFILE};
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::StorePath;
use crate::model::text::{bytes, clean_line, plural};

const COLLECT: &str = include_str!("../../templates/collect-garbage.sh");
const ROOM: &str = concat!(include_str!("../../templates/measure-lib.sh"), "\nmain() { measure; }\n");
/// Collecting walks the whole store: minutes on a large one.
const DEADLINE: Duration = Duration::from_secs(3600);

/// What may go beside what no root refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generations {
    /// Every generation stays.
    All,
    /// System generations older than the previous one go, except those that run
    /// or were booted.
    Recent,
}

/// What is free in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes; `None` when it is not known.
    pub(crate) bytes: Option<u64>,
    /// Inodes; `None` where the file system has no limit.
    pub(crate) inodes: Option<u64>,
}

impl Room {
    /// What is free in the store of the machine we run on.
    pub(crate) fn here() -> Self {
        let Ok(stat) = rustix::fs::statvfs("/nix/store") else { return Self::default() };
        Self {
            bytes: Some(stat.f_bavail.saturating_mul(stat.f_frsize)),
            // File systems without a fixed number of inodes (btrfs) say 0 of 0.
            inodes: (stat.f_files > 0).then_some(stat.f_favail),
        }
    }
}

impl std::fmt::Display for Room {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let free = self.bytes.map_or("an unknown amount".to_owned(), bytes);
        match self.inodes {
            Some(inodes) => write!(formatter, "{free} and {inodes} inodes"),
            None => formatter.write_str(&free),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collected {
    /// How many generations went.
    pub(crate) generations: usize,
    /// What Nix says was freed, for example `37 store paths deleted, 95.37 MiB freed`.
    pub(crate) said: String,
    /// What is free now.
    pub(crate) room: Room,
}

impl Collected {
    /// The same in words.
    pub(crate) fn words(&self) -> String {
        let generations = match self.generations {
            0 => String::new(),
            count => format!(" and {} removed", plural(count, "old generation")),
        };
        format!("{}{generations}; {} are free now", self.said, self.room)
    }
}

fn script(keep: &BTreeSet<StorePath>, generations: Generations) -> Script {
    let keep: Vec<&str> = keep.iter().map(StorePath::as_str).collect();
    Script::new(COLLECT)
        .set("KEEP", keep.join("\n"))
        .set("OLD_GENERATIONS", if generations == Generations::Recent { "1" } else { "0" })
        .set("PROFILE", PROFILE)
}

/// Collects garbage on a host; these paths and what they need stay.
pub(crate) async fn collect(
    link: &Link,
    keep: &BTreeSet<StorePath>,
    generations: Generations,
) -> Result<Collected, HostError> {
    link.run(&script(keep, generations), Privilege::Root, DEADLINE).await.map(|answer| parse(&answer))
}

/// What is free on a host now.
pub(crate) async fn room(link: &Link, deadline: Duration) -> Result<Room, HostError> {
    let answer = link.run(&Script::new(ROOM), Privilege::Login, deadline).await?;
    Ok(room_in(&answer))
}

/// The same on the machine we run on, where no generation goes.
pub(crate) async fn collect_here(keep: &BTreeSet<StorePath>) -> Result<Collected, HostError> {
    let answer = Session::local().run(&script(keep, Generations::All), None, DEADLINE).await?;
    Ok(parse(&answer))
}

fn parse(answer: &str) -> Collected {
    Collected {
        generations: shell::pairs(answer).filter(|(key, _)| *key == "removed").count(),
        said: clean_line(shell::value(answer, "said").unwrap_or("nothing was said")),
        room: room_in(answer),
    }
}

fn room_in(answer: &str) -> Room {
    let (bytes, inodes) = facts::room(shell::value(answer, "store"));
    Room { bytes, inodes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_freed_is_told_in_the_words_of_nix() {
        let answer =
            "removed=3\nremoved=4\nsaid=37 store paths deleted, 95.37 MiB freed\nstore=25600 4096 100 200\n";
        let collected = parse(answer);
        assert_eq!(
            collected.words(),
            "37 store paths deleted, 95.37 MiB freed and 2 old generations removed; 100 MiB and 100 inodes are free now"
        );
        let nothing = parse("said=0 store paths deleted, 0.00 MiB freed\nstore=1 4096 0 0\n");
        assert_eq!(nothing.words(), "0 store paths deleted, 0.00 MiB freed; 4.0 KiB are free now");
        assert_eq!(parse("").room, Room::default());
    }

    #[tokio::test]
    async fn what_is_free_is_asked_without_collecting_anything() {
        let answer = Session::local().run(&Script::new(ROOM), None, Duration::from_secs(10)).await.unwrap();
        let room = room_in(&answer);
        assert_eq!(room.bytes.is_some(), std::path::Path::new("/nix/store").exists(), "{answer}");
    }
}
