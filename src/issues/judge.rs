//! Judges the matcher on issues whose packages people have labelled.
//!
//! A pair is a defect and a package that it affects and that is installed.
//! Labels say what an issue is about and not in which version, so a pair counts
//! as found whether or not its versions fit; requests and questions have no
//! pairs, and whatever is found for them is wrong.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Issue, IssueSeverity};

use super::inventory::Inventory;
use super::matcher::compare;
use super::title::{Title, normalise};

/// A labelled issue, as the data files have it.
#[derive(Debug, Deserialize)]
struct Labelled {
    number: u64,
    title: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default = "defect")]
    kind: String,
}

fn defect() -> String {
    "defect".to_owned()
}

/// How well the matcher did.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// Pairs of a defect and an installed package.
    pub pairs: usize,
    /// Those that were found.
    pub found: usize,
    /// Pairs that were found and are none.
    pub wrong: usize,
    /// The share of what was found that is right.
    pub precision: f64,
    /// The share of the pairs that was found.
    pub recall: f64,
    /// The same of pairs whose package's name stands in the title.
    pub recall_named: f64,
    /// The share of what was graded critical that is right; none when nothing was.
    pub critical_precision: Option<f64>,
}

/// The judgement: what went wrong, line by line, and the figures.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// `missed` and `wrong` pairs with their titles.
    pub lines: Vec<String>,
    /// The figures.
    pub score: Score,
    /// How long comparing took, reading and judging not counted.
    pub matching: Duration,
}

impl fmt::Display for Judgement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(formatter, "{line}")?;
        }
        let score = serde_json::to_string(&self.score).map_err(|_| fmt::Error)?;
        writeln!(formatter, "{score}")
    }
}

/// Judges a list of labelled issues (JSON) against an inventory, a
/// `name-version` per line. An error when the list cannot be read.
pub fn judge(issues_json: &str, inventory: &str) -> Result<Judgement, serde_json::Error> {
    let labelled: Vec<Labelled> = serde_json::from_str(issues_json)?;
    Ok(judge_labelled(&labelled, &Inventory::parse(inventory)))
}

fn judge_labelled(labelled: &[Labelled], inventory: &Inventory) -> Judgement {
    let issues: Vec<Issue> = labelled
        .iter()
        .map(|one| Issue {
            number: one.number,
            title: one.title.clone(),
            labels: one.labels.clone(),
            open: true,
            updated_at: None,
            closed_at: None,
        })
        .collect();
    let begun = Instant::now();
    let found = compare(&issues, inventory, Timestamp::UNIX_EPOCH);
    let matching = begun.elapsed();
    let installed: BTreeSet<String> = inventory.names().map(comparable).collect();
    let (mut lines, mut pairs, mut hits, mut named, mut named_hits) = (Vec::new(), 0, 0, 0, 0);
    let (mut wrong, mut critical, mut critical_right) = (0, 0, 0);
    for (index, one) in labelled.iter().enumerate() {
        let of_this: Vec<_> = found.iter().filter(|found| found.issue == index).collect();
        let is_defect = one.kind == "defect";
        let expected: BTreeSet<String> =
            one.packages.iter().filter(|_| is_defect).map(|name| comparable(name)).collect();
        for package in &expected {
            if !installed.contains(package) {
                lines.push(format!("not installed: #{} {package}", one.number));
                continue;
            }
            let hit = of_this.iter().any(|found| comparable(&found.package) == *package);
            let stands = stands_in(package, &one.title);
            pairs += 1;
            hits += usize::from(hit);
            named += usize::from(stands);
            named_hits += usize::from(stands && hit);
            if !hit {
                lines.push(format!("missed: #{} {package} | {}", one.number, one.title));
            }
        }
        for found in of_this {
            let right = expected.contains(&comparable(&found.package));
            if found.severity == IssueSeverity::Critical {
                critical += 1;
                critical_right += usize::from(right);
            }
            if !right {
                wrong += 1;
                lines.push(format!("wrong: #{} {} | {} ({})", one.number, found.package, one.title, found.why));
            }
        }
    }
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    let score = Score {
        pairs,
        found: hits,
        wrong,
        precision: share(hits, hits + wrong),
        recall: share(hits, pairs),
        recall_named: share(named_hits, named),
        critical_precision: (critical > 0).then(|| share(critical_right, critical)),
    };
    Judgement { lines, score, matching }
}

/// A name as labels and inventories may both write it.
fn comparable(name: &str) -> String {
    let name = normalise(name);
    let bare =
        ["python-", "python3-", "perl-", "ruby-", "lua-"].iter().find_map(|prefix| name.strip_prefix(prefix));
    bare.unwrap_or(&name).to_owned()
}

/// Whether a name stands in a title as a word.
fn stands_in(package: &str, title: &str) -> bool {
    let title = normalise(title);
    let is_letter = |character: char| character.is_alphanumeric();
    title.match_indices(package).any(|(start, _)| {
        !title[..start].ends_with(is_letter) && !title[start + package.len()..].starts_with(is_letter)
    }) || Title::parse(&title).words.iter().any(|word| word.text == package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_missed_and_wrong_is_counted_in_pairs() {
        let issues = r#"[
            {"number": 1, "title": "firefox: crashes", "packages": ["firefox"], "kind": "defect"},
            {"number": 2, "title": "Something else", "packages": ["nginx"], "kind": "defect"},
            {"number": 3, "title": "nginx: fails", "packages": [], "kind": "defect"},
            {"number": 4, "title": "Update Request: firefox 1 → 2", "packages": ["firefox"], "kind": "update-request"},
            {"number": 5, "title": "vlc: crashes", "packages": ["vlc"], "kind": "defect"}
        ]"#;
        let judgement = judge(issues, "firefox-126.0\nnginx-1.26.0\n").unwrap();
        let score = judgement.score;
        assert_eq!((score.pairs, score.found, score.wrong), (2, 1, 1));
        assert_eq!((score.precision, score.recall, score.recall_named), (0.5, 0.5, 1.0));
        assert_eq!(score.critical_precision, None);
        assert_eq!(judgement.lines.len(), 3);
        assert!(judge("{", "").is_err());
    }

    const LABELLED: &str = include_str!("../../tests/fixtures/issues/labelled.json");
    /// Titles in the manner of nixpkgs, real ones and composed ones, labelled
    /// by hand for the same inventory.
    const TITLES: &str = include_str!("../../tests/fixtures/issues/titles.json");
    const INSTALLED: &str = include_str!("../../tests/fixtures/issues/installed.txt");

    #[track_caller]
    fn assert_good(what: &str, judgement: &Judgement, precision: f64, recall: f64) {
        let score = &judgement.score;
        assert!(
            score.precision >= precision && score.recall >= recall,
            "{what}: {score:?}\n{}",
            judgement.lines.join("\n")
        );
    }

    #[test]
    fn labelled_issues_are_matched_with_their_packages() {
        let judgement = judge(LABELLED, INSTALLED).unwrap();
        assert_good("labelled", &judgement, 0.95, 0.92);
        assert!(judgement.score.critical_precision.is_some_and(|precision| precision >= 0.95));
        assert_good("titles", &judge(TITLES, INSTALLED).unwrap(), 0.95, 0.95);
    }

    #[test]
    fn a_small_host_is_not_told_of_what_it_does_not_have() {
        let small = "bash-5.2p37\ncoreutils-9.5\ncurl-8.11.0\nhtop-3.3.0\nnginx-1.24.0\nopenssl-3.3.2\nredis-7.2.6\n\
            vim-9.1.0905\nlinux-6.6.68\nsystemd-257.1\nglibc-2.40\ngit-2.47\npython3-3.12.3\nopenssh-9.9\n";
        assert_good("labelled", &judge(LABELLED, small).unwrap(), 0.95, 0.85);
        assert_good("titles", &judge(TITLES, small).unwrap(), 0.95, 0.90);
    }

    #[test]
    fn each_half_of_the_labelled_issues_is_matched_as_well_as_the_whole() {
        let inventory = Inventory::parse(INSTALLED);
        for half in 0..2 {
            let labelled: Vec<Labelled> = serde_json::from_str(LABELLED).unwrap();
            let labelled: Vec<Labelled> = labelled.into_iter().skip(half).step_by(2).collect();
            assert_good("half", &judge_labelled(&labelled, &inventory), 0.93, 0.90);
        }
    }
}
