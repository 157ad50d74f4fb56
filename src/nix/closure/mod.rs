//! Closures: every path a system needs, with its size.
//!
//! Read from the database of the local store where we may (`database.rs`), else
//! with `nix path-info -r -s`: 160 ms for 3,700 paths and more for larger stores;
//! asking for closure sizes (`-S`) takes a hundred times as long and is never done.

mod database;
mod diff;
mod packages;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::model::{StorePath, text};

use super::{Nix, NixError, RemoteStore};

pub(crate) use diff::{change_kind, diff, diff_with};
pub(crate) use packages::Selection;

/// Store paths with the size of their contents in bytes (`narSize`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closure {
    sizes: BTreeMap<StorePath, u64>,
}

impl Closure {
    /// Reads what `nix path-info -r -s` prints, or `-r --json` in any of its
    /// shapes: a list (to 2.18), a map by path (from 2.19), a map by base name
    /// below `info` (`--json-format 2`). Other lines, as login shells print
    /// them, are skipped; an answer without any path is an error.
    pub(crate) fn parse(answer: &str) -> Result<Self, NixError> {
        let sizes: BTreeMap<StorePath, u64> = match serde_json::from_str::<Value>(answer) {
            Ok(value) => json_sizes(&value).collect(),
            Err(_) => answer.lines().filter_map(parse_line).collect(),
        };
        if sizes.is_empty() {
            let detail = match answer.lines().next() {
                Some(line) => format!("no store path in {:?}", text::clean_line(line)),
                None => "it is empty".to_owned(),
            };
            return Err(NixError::Answer { call: "nix path-info", detail });
        }
        Ok(Self { sizes })
    }

    /// Whether a path belongs to it.
    pub(crate) fn contains(&self, path: &StorePath) -> bool {
        self.sizes.contains_key(path)
    }

    /// The paths with their sizes in bytes, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StorePath, u64)> {
        self.sizes.iter().map(|(path, size)| (path, *size))
    }

    /// The size of some of its paths in bytes; `None` when one is none of them.
    pub(crate) fn size_of(&self, paths: &[StorePath]) -> Option<u64> {
        paths.iter().map(|path| self.sizes.get(path)).sum()
    }

    /// The size of all paths in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.sizes.values().sum()
    }
}

impl FromIterator<(StorePath, u64)> for Closure {
    fn from_iter<I: IntoIterator<Item = (StorePath, u64)>>(sizes: I) -> Self {
        Self { sizes: sizes.into_iter().collect() }
    }
}

/// `PATH<white space>SIZE`, padded to columns.
fn parse_line(line: &str) -> Option<(StorePath, u64)> {
    let mut words = line.split_whitespace();
    let path = StorePath::new(words.next()?).ok()?;
    Some((path, words.next()?.parse().ok()?))
}

fn json_sizes(value: &Value) -> Box<dyn Iterator<Item = (StorePath, u64)> + '_> {
    let size = |info: &Value| info.get("narSize").and_then(Value::as_u64);
    match value {
        Value::Array(list) => Box::new(list.iter().filter_map(move |info| {
            let path = StorePath::new(info.get("path")?.as_str()?).ok()?;
            Some((path, size(info)?))
        })),
        Value::Object(map) => match map.get("info") {
            Some(info @ Value::Object(_)) => json_sizes(info),
            _ => Box::new(map.iter().filter_map(move |(key, info)| {
                let path = if key.starts_with('/') { key.clone() } else { format!("/nix/store/{key}") };
                Some((StorePath::new(path).ok()?, size(info)?))
            })),
        },
        _ => Box::new(std::iter::empty()),
    }
}

/// The argv that prints a path's closure, here or on a host; read the output
/// with [`Closure::parse`].
pub(crate) fn path_info_argv(path: &StorePath) -> Vec<String> {
    let options = ["nix", "--extra-experimental-features", "nix-command", "path-info", "-r", "-s"];
    options.iter().map(|&word| word.to_owned()).chain([path.as_str().to_owned()]).collect()
}

impl Nix {
    /// The paths that a path of the local store refers to; none when it is not
    /// there.
    pub(crate) async fn references(&self, path: &StorePath) -> Vec<StorePath> {
        let output = self.nix_store().args(["--query", "--references", path.as_str()]).output().await;
        let text = output.map(|output| output.stdout_text()).unwrap_or_default();
        text.lines().filter_map(|line| StorePath::new(line.trim()).ok()).collect()
    }

    /// The derivation that a path of the local store was built from; `None` when
    /// that is not known.
    pub(crate) async fn deriver(&self, path: &StorePath) -> Option<StorePath> {
        let output = self.nix_store().args(["--query", "--deriver", path.as_str()]).output().await.ok()?;
        StorePath::new(output.stdout_text().trim()).ok().filter(StorePath::is_derivation)
    }

    /// The closure of a path as the database of `/nix/store` has it; `None` when
    /// the path is not there or we may not read it.
    pub(crate) async fn known_closure(&self, path: &StorePath) -> Option<Closure> {
        database::closure(path).await
    }

    /// The closure of a path in the local store or in another one.
    pub(crate) async fn closure(
        &self,
        path: &StorePath,
        store: Option<&RemoteStore>,
    ) -> Result<Closure, NixError> {
        if store.is_none()
            && let Some(closure) = self.known_closure(path).await
        {
            return Ok(closure);
        }
        let mut command = self.nix().args(&path_info_argv(path)[3..]).deadline(Duration::from_secs(120));
        if let Some(store) = store {
            command = command.args(["--store", store.url()]).env("NIX_SSHOPTS", store.ssh_options());
        }
        let output = command.output().await?;
        if !output.success() {
            let said = text::clean(&output.stderr_tail.join("\n"));
            return Err(NixError::Refused(said.trim().trim_start_matches("error: ").to_owned()));
        }
        Closure::parse(&output.stdout_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::testing::Playground;

    #[test]
    fn text_and_json_of_every_version_say_the_same() {
        let expected = Closure::parse(include_str!("../../../tests/fixtures/nix/2.8/path-info.txt")).unwrap();
        assert_eq!((expected.iter().count(), expected.size()), (2, 288));
        for answer in [
            include_str!("../../../tests/fixtures/nix/2.26/path-info.txt"),
            include_str!("../../../tests/fixtures/nix/2.34/path-info.txt"),
            include_str!("../../../tests/fixtures/nix/2.8/path-info.json"),
            include_str!("../../../tests/fixtures/nix/2.26/path-info.json"),
            include_str!("../../../tests/fixtures/nix/2.34/path-info.json"),
            include_str!("../../../tests/fixtures/nix/2.34/path-info-2.json"),
        ] {
            assert_eq!(Closure::parse(answer).unwrap(), expected, "{answer}");
        }
    }

    #[test]
    fn lines_of_a_login_shell_are_skipped_and_nothing_is_an_error() {
        let path = "/nix/store/f98asahd0v34slfpy357djz098h6aq55-hello-1.0";
        let closure = Closure::parse(&format!("welcome to p620\n{path} \t  120\n")).unwrap();
        let path = StorePath::new(path).unwrap();
        assert!(closure.contains(&path));
        assert_eq!(closure.size(), 120);
        assert!(Closure::parse("").is_err());
        assert!(Closure::parse("sh: nix: not found").is_err());
    }

    #[tokio::test]
    async fn a_path_that_is_not_there_is_refused_in_the_words_of_nix() {
        let playground = Playground::new().await;
        let path = StorePath::new("/nix/store/f98asahd0v34slfpy357djz098h6aq55-hello-1.0").unwrap();
        let error = playground.nix().closure(&path, None).await.unwrap_err();
        assert!(matches!(&error, NixError::Refused(text) if text.contains("is not valid")), "{error:?}");
    }
}
