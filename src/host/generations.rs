//! The generations of a host's system profile: what it can go back to.

use std::time::Duration;

use jiff::Timestamp;

use super::error::HostError;
use super::facts::PROFILE;
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::StorePath;
use crate::model::text::clean_line;

const GENERATIONS: &str = include_str!("../../templates/generations.sh");

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Its number.
    pub(crate) number: u64,
    /// When it was made.
    pub(crate) made: Option<Timestamp>,
    /// The toplevel.
    pub(crate) path: StorePath,
    /// The NixOS version; `None` where the toplevel is gone.
    pub(crate) version: Option<String>,
    /// The kernel it boots, where it names one.
    pub(crate) kernel: Option<StorePath>,
}

/// What is on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generations {
    /// By number.
    pub(crate) all: Vec<Generation>,
    /// Whether the system that was asked for is there.
    pub(crate) has_system: bool,
}

impl Generations {
    /// The newest generation with this toplevel.
    pub(crate) fn of_path(&self, path: &StorePath) -> Option<&Generation> {
        self.all.iter().rev().find(|generation| generation.path == *path)
    }

    /// The generation with this number.
    pub(crate) fn numbered(&self, number: u64) -> Option<&Generation> {
        self.all.iter().find(|generation| generation.number == number)
    }
}

/// Lists the generations, and looks for a system that may have none.
pub(crate) async fn list(
    link: &Link,
    system: Option<&StorePath>,
    deadline: Duration,
) -> Result<Generations, HostError> {
    let script =
        Script::new(GENERATIONS).set("PROFILE", PROFILE).set("SYSTEM", system.map_or("", StorePath::as_str));
    Ok(parse(&link.run(&script, Privilege::Login, deadline).await?))
}

fn parse(text: &str) -> Generations {
    let lines = shell::pairs(text).filter(|(key, _)| *key == "generation");
    let mut all: Vec<Generation> = lines.filter_map(|(_, line)| generation(line)).collect();
    all.sort_by_key(|generation| generation.number);
    Generations { all, has_system: shell::value(text, "there").is_some() }
}

fn generation(line: &str) -> Option<Generation> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    let number = next().parse().ok()?;
    let made = next().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let path = StorePath::new(next()).ok()?;
    let version = clean_line(next());
    // `<kernel package>/bzImage`; a toplevel without one resolves to itself.
    let kernel = next().rsplit_once('/').and_then(|(package, _)| StorePath::new(package).ok());
    let kernel = kernel.filter(|kernel| *kernel != path);
    Some(Generation { number, made, path, version: (!version.is_empty()).then_some(version), kernel })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p-25.05";
    const B: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p-25.11";
    const KERNEL: &str = "/nix/store/22222222222222222222222222222222-linux-6.12.1";

    #[test]
    fn generations_are_read_in_the_order_of_their_numbers() {
        let answer = format!(
            "generation=10\t1763726400\t{B}\t25.11.1\t{KERNEL}/bzImage\ngeneration=9\t1763640000\t{A}\t25.05\t{A}/kernel\n\
             generation=x\t1\t{A}\t\t\nthere=1\n"
        );
        let generations = parse(&answer);
        assert!(generations.has_system);
        let numbers: Vec<u64> = generations.all.iter().map(|generation| generation.number).collect();
        assert_eq!(numbers, [9, 10]);
        let newest = generations.numbered(10).unwrap();
        assert_eq!(newest.made.unwrap().to_string(), "2025-11-21T12:00:00Z");
        assert_eq!(newest.kernel.as_ref().map(StorePath::as_str), Some(KERNEL));
        assert_eq!(generations.all[0].kernel, None);
        assert_eq!(generations.of_path(&StorePath::new(B).unwrap()), Some(newest));
    }

    #[test]
    fn a_removed_toplevel_has_no_version_and_control_characters_do_not_get_in() {
        let generations = parse(&format!("generation=1\tx\t{A}\t\u{1b}[31m\t\n"));
        assert_eq!((generations.all[0].version.as_deref(), generations.all[0].made), (None, None));
        assert!(!generations.has_system);
    }
}
