//! A flake's lock file as Nix writes it (versions 5 to 7), and the difference
//! of two.
//!
//! Tolerant: fields that are missing or new never fail, and a file that was
//! mangled by hand gives what can be read of it. Nothing here reads a disk.
//! The format is that of nix/src/libflake/lockfile.cc.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::compare;
use super::reference;
use crate::model::{InputMove, InputRevision};

/// The versions that this module knows.
const VERSIONS: std::ops::RangeInclusive<u64> = 5..=7;

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LockFile {
    nodes: BTreeMap<String, Node>,
    root: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    inputs: BTreeMap<String, Edge>,
    /// The attributes of the pinned reference; the flake itself has none.
    locked: Option<Locked>,
}

#[derive(Clone, Debug, PartialEq)]
enum Edge {
    /// The key of another node.
    Node(String),
    /// An input that follows another one: the names that lead there.
    Follows(Vec<String>),
}

/// The pinned reference of an input, attribute by attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Locked {
    attributes: Map<String, Value>,
}

/// A text that is no lock file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LockFileError {
    /// It is not the JSON of one.
    #[error("it is no lock file: {0}")]
    Shape(String),
    /// It is newer or older than what is known.
    #[error("it has version {0}; versions 5 to 7 are known")]
    Version(u64),
}

impl LockFile {
    /// Reads the text of a `flake.lock`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, LockFileError> {
        let value = serde_json::from_slice(text).map_err(|error| LockFileError::Shape(error.to_string()))?;
        Self::of_value(&value)
    }

    /// Reads what `nix flake metadata --json` has as `locks`.
    pub(crate) fn of_value(value: &Value) -> Result<Self, LockFileError> {
        let missing = |what: &str| LockFileError::Shape(format!("it has no `{what}`"));
        let version = value.get("version").and_then(Value::as_u64).ok_or_else(|| missing("version"))?;
        if !VERSIONS.contains(&version) {
            return Err(LockFileError::Version(version));
        }
        let root = value.get("root").and_then(Value::as_str).unwrap_or("root").to_owned();
        let nodes = value.get("nodes").and_then(Value::as_object).ok_or_else(|| missing("nodes"))?;
        Ok(Self { nodes: nodes.iter().map(|(key, node)| (key.clone(), Node::of_value(node))).collect(), root })
    }

    /// The flake's own inputs, those that follow others included.
    pub(crate) fn inputs(&self) -> Vec<&str> {
        let root = self.nodes.get(&self.root);
        root.into_iter().flat_map(|node| node.inputs.keys()).map(String::as_str).collect()
    }

    /// The flake's own input that is a revision of nixpkgs, where exactly one is.
    pub(crate) fn package_set(&self) -> Option<&str> {
        let root = self.nodes.get(&self.root)?;
        let mut sets = root.inputs.iter().filter(|(_, edge)| match edge {
            Edge::Node(key) => {
                self.nodes.get(key).and_then(|node| node.locked.as_ref()).is_some_and(Locked::is_nixpkgs)
            }
            Edge::Follows(_) => false,
        });
        let (name, _) = sets.next()?;
        sets.next().is_none().then_some(name.as_str())
    }

    /// Whether there is an input of this name or path (`home-manager/nixpkgs`).
    pub(crate) fn has_input(&self, path: &str) -> bool {
        let mut node = self.nodes.get(&self.root);
        for name in path.split('/') {
            let Some(edge) = node.and_then(|node| node.inputs.get(name)) else { return false };
            node = match edge {
                Edge::Node(key) => self.nodes.get(key),
                // What lies below an input that follows another is that one's.
                Edge::Follows(_) => None,
            };
        }
        true
    }

    /// Every pinned input by the names that lead to it; what follows another
    /// one is pinned there. Each node is met once, so that a file with a
    /// circle in it ends too.
    pub(crate) fn pinned(&self) -> BTreeMap<String, &Locked> {
        let mut pinned = BTreeMap::new();
        let mut met = BTreeSet::from([self.root.as_str()]);
        let mut open = vec![(String::new(), self.root.as_str())];
        while let Some((path, key)) = open.pop() {
            let Some(node) = self.nodes.get(key) else { continue };
            if let (false, Some(locked)) = (path.is_empty(), &node.locked) {
                pinned.insert(path.clone(), locked);
            }
            for (name, edge) in &node.inputs {
                if let Edge::Node(key) = edge
                    && met.insert(key)
                {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                    open.push((path, key));
                }
            }
        }
        pinned
    }

    /// What another lock file pins otherwise, by name.
    pub(crate) fn moves_to(&self, new: &Self) -> Vec<InputMove> {
        let (before, after) = (self.pinned(), new.pinned());
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        names
            .into_iter()
            .filter_map(|name| {
                let (before, after) = (before.get(name).copied(), after.get(name).copied());
                if before.zip(after).is_some_and(|(before, after)| before.is_same_content(after)) {
                    return None;
                }
                Some(InputMove {
                    input: crate::model::text::clean_line(name),
                    compare_url: before.zip(after).and_then(|(before, after)| compare::url(before, after)),
                    before: before.map(Locked::revision),
                    after: after.map(Locked::revision),
                })
            })
            .collect()
    }
}

impl Node {
    fn of_value(value: &Value) -> Self {
        let inputs = value.get("inputs").and_then(Value::as_object);
        let edge = |edge: &Value| match edge {
            Value::String(key) => Some(Edge::Node(key.clone())),
            Value::Array(names) => {
                Some(Edge::Follows(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
            }
            _ => None,
        };
        let inputs = inputs.into_iter().flatten();
        Self {
            inputs: inputs.filter_map(|(name, value)| Some((name.clone(), edge(value)?))).collect(),
            locked: Locked::of_node(value),
        }
    }
}

impl Locked {
    fn of_node(node: &Value) -> Option<Self> {
        let mut attributes = node.get("locked")?.as_object()?.clone();
        // Version 5 has hash and date beside the reference.
        for (key, value) in node.get("info").and_then(Value::as_object).into_iter().flatten() {
            attributes.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Some(Self { attributes })
    }

    /// A pinned reference of a test.
    #[cfg(test)]
    pub(super) fn of(attributes: Value) -> Self {
        Self { attributes: attributes.as_object().cloned().unwrap_or_default() }
    }

    /// An attribute that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }

    /// Whether it is nixpkgs: its repository, a fork of that name, or what its
    /// channels and FlakeHub publish of it.
    fn is_nixpkgs(&self) -> bool {
        let is_name = |text: &str| text.trim_end_matches(".git").eq_ignore_ascii_case("nixpkgs");
        let is_repository = self.text("repo").is_some_and(is_name);
        let is_url = self.text("url").is_some_and(|url| {
            let url = url.split(['?', '#']).next().unwrap_or(url);
            url.split('/').any(is_name) || url.contains("nixexprs.tar")
        });
        is_repository || is_url
    }

    /// An attribute that is a flag, as JSON or as the number 1.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.attributes.get(name).is_some_and(|value| value == true || value == 1)
    }

    /// Whether both are the same content: a name that is spelt otherwise, as
    /// `main` and `refs/heads/main`, is no move.
    fn is_same_content(&self, other: &Self) -> bool {
        match (self.text("rev"), other.text("rev")) {
            (Some(old), Some(new)) => old == new,
            _ => match (self.text("narHash"), other.text("narHash")) {
                (Some(old), Some(new)) => old == new,
                // Paths inside of the flake are pinned by the flake: 2.26
                // leaves out their hashes, 2.8 writes them.
                _ => self.text("path") == other.text("path") && self.text("url") == other.text("url"),
            },
        }
    }

    fn revision(&self) -> InputRevision {
        let clean = |name: &str| self.text(name).map(crate::model::text::clean_line);
        let seconds = self.attributes.get("lastModified").and_then(Value::as_i64);
        InputRevision {
            revision: clean("rev"),
            hash: clean("narHash"),
            // A path without a date has 0 or 1.
            date: seconds
                .filter(|seconds| *seconds > 1)
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
            url: reference::shown(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    macro_rules! captured {
        ($version:literal) => {{
            let before = include_bytes!(concat!("../../tests/fixtures/nix/", $version, "/flake.lock"));
            let update = include_str!(concat!("../../tests/fixtures/nix/", $version, "/flake-update.json"));
            let update: Value = serde_json::from_str(update).unwrap();
            (LockFile::parse(before).unwrap(), LockFile::of_value(&update["locks"]).unwrap())
        }};
    }

    fn with_inputs(inputs: &[(&str, Value)]) -> LockFile {
        let edges: Map<String, Value> =
            inputs.iter().map(|(name, _)| ((*name).to_owned(), json!(name))).collect();
        let mut nodes = json!({ "root": { "inputs": edges } });
        for (name, locked) in inputs {
            nodes[*name] = json!({ "locked": locked });
        }
        LockFile::of_value(&json!({ "version": 7, "root": "root", "nodes": nodes })).unwrap()
    }

    #[test]
    fn the_package_set_is_the_only_input_that_is_nixpkgs() {
        let other =
            ("home-manager", json!({ "type": "github", "owner": "nix-community", "repo": "home-manager" }));
        for locked in [
            json!({ "type": "github", "owner": "NixOS", "repo": "nixpkgs" }),
            json!({ "type": "git", "url": "https://git.example.org/mirrors/nixpkgs.git?ref=main" }),
            json!({ "type": "git", "url": "file:///srv/nixpkgs" }),
            json!({ "type": "tarball", "url": "https://releases.nixos.org/nixos/25.05/x/nixexprs.tar.xz" }),
            json!({ "type": "tarball", "url": "https://api.flakehub.com/f/pinned/NixOS/nixpkgs/0.1/source.tar.gz" }),
        ] {
            let one = with_inputs(&[("pkgs", locked.clone()), other.clone()]);
            assert_eq!(one.package_set(), Some("pkgs"), "{locked}");
            assert_eq!(with_inputs(&[("pkgs", locked.clone()), ("unstable", locked)]).package_set(), None);
        }
        assert_eq!(with_inputs(&[other]).package_set(), None);
        assert_eq!(LockFile::default().package_set(), None);
    }

    #[test]
    fn what_moves_is_read_from_the_lock_files_of_every_nix() {
        for (before, after) in [captured!("2.8"), captured!("2.26"), captured!("2.34")] {
            assert_eq!(before.inputs(), ["one", "sub", "three"]);
            let moves = before.moves_to(&after);
            let names: Vec<&str> = moves.iter().map(|moved| moved.input.as_str()).collect();
            assert_eq!(names, ["one", "three", "three/two"]);
            let one = &moves[0];
            let (old, new) = (one.before.as_ref().unwrap(), one.after.as_ref().unwrap());
            assert_ne!(old.revision, new.revision);
            assert_eq!(old.revision.as_ref().unwrap().len(), 40);
            assert_eq!(old.date.unwrap().to_string(), "2026-01-01T00:00:00Z");
            assert_eq!(new.date.unwrap().to_string(), "2026-02-03T00:00:00Z");
            assert_eq!((old.url.as_str(), &one.compare_url), ("git+file:///home/user/one", &None));
            assert!(before.moves_to(&before).is_empty());
        }
    }

    #[test]
    fn lock_files_of_different_versions_of_nix_agree() {
        let ((old, _), (new, _)) = (captured!("2.8"), captured!("2.26"));
        let moved: Vec<String> = old.moves_to(&new).into_iter().map(|moved| moved.input).collect();
        // Another commit, because the inner flake has a lock file of its own.
        assert_eq!(moved, ["three"], "spelling and hashes of inner paths are no moves");
    }

    #[test]
    fn inputs_are_found_by_the_names_that_lead_to_them() {
        let (before, _) = captured!("2.8");
        for there in ["one", "three", "three/two", "three/one"] {
            assert!(before.has_input(there), "{there}");
        }
        for missing in ["two", "three/three", "one/x", "", "three/one/x"] {
            assert!(!before.has_input(missing), "{missing}");
        }
    }

    #[test]
    fn the_older_format_has_hash_and_date_beside_the_reference() {
        let lock = |date: u64, rev: &str| {
            LockFile::of_value(&json!({ "version": 5, "root": "root", "nodes": {
                "root": { "inputs": { "nixpkgs": "nixpkgs" } },
                "nixpkgs": {
                    "info": { "lastModified": date, "narHash": format!("sha256-{rev}") },
                    "locked": { "type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": rev },
                },
            }}))
            .unwrap()
        };
        let moves = lock(1_600_000_000, "aa").moves_to(&lock(1_700_000_000, "bb"));
        let after = moves[0].after.as_ref().unwrap();
        assert_eq!(
            (after.hash.as_deref(), after.date.unwrap().as_second()),
            (Some("sha256-bb"), 1_700_000_000)
        );
        assert_eq!(moves[0].compare_url.as_deref(), Some("https://github.com/NixOS/nixpkgs/compare/aa...bb"));
    }

    #[test]
    fn inputs_that_come_and_go_are_moves_too() {
        let (before, after) = captured!("2.26");
        let without: LockFile = {
            let mut lock = after.clone();
            lock.nodes.get_mut("root").unwrap().inputs.remove("one");
            lock
        };
        let moves = before.moves_to(&without);
        assert!(moves[0].input == "one" && moves[0].after.is_none(), "{moves:?}");
        assert!(without.moves_to(&after)[0].before.is_none());
    }

    #[test]
    fn a_mangled_file_gives_what_can_be_read_and_never_hangs() {
        assert_eq!(LockFile::of_value(&json!({ "version": 9, "nodes": {} })), Err(LockFileError::Version(9)));
        assert!(matches!(LockFile::parse(b"<<<<<<< HEAD\n{}"), Err(LockFileError::Shape(_))));
        assert!(matches!(LockFile::parse(b"[]"), Err(LockFileError::Shape(_))));
        let circle = LockFile::of_value(&json!({ "version": 7, "nodes": {
            "root": { "inputs": { "a": "a", "gone": "gone", "odd": 7, "bad": "bad" } },
            "a": { "inputs": { "b": "b" }, "locked": { "type": "path", "path": 3 } },
            "b": { "inputs": { "a": "a", "root": "root" }, "locked": {} },
            "bad": { "locked": "text", "inputs": [] },
        }}))
        .unwrap();
        assert_eq!(circle.pinned().keys().collect::<Vec<_>>(), ["a", "a/b"]);
        let named = json!({ "version": 7, "nodes": {
            "root": { "inputs": { "x\u{1b}[2J": "x" } },
            "x": { "locked": { "type": "git", "url": "https://h/\u{1b}]0;t\u{7}", "rev": "\u{202e}aa" } },
        }});
        let moves = LockFile::default().moves_to(&LockFile::of_value(&named).unwrap());
        let text = format!("{}{:?}", moves[0].input, moves[0].after);
        assert!(!text.contains(char::is_control) && !text.contains('\u{202e}'), "{text:?}");
    }
}
