//! The issues of a repository as this machine last saw them: a file in the
//! cache folder.
//!
//! Invariants: the file is replaced as a whole or not at all, so that a reader
//! never sees half of it; a file that cannot be read counts as none and is
//! written anew; while one process brings it up to date others wait for it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::Issue;

/// The version of the file; another one counts as no file.
const VERSION: u32 = 1;

/// A package set that is older is not updated to any more.
const KEPT_CLOSED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Which issues were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Coverage {
    /// Every open one.
    All,
    /// Those that carry a label of a defect and were touched of late.
    Labelled,
}

/// What is known of a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mirror {
    version: u32,
    api: String,
    repository: String,
    pub(super) coverage: Coverage,
    /// Whether every page of the last whole fetch arrived.
    pub(super) complete: bool,
    /// When the server was last asked with success, by this machine's clock.
    pub(super) synced_at: Timestamp,
    /// When everything was last fetched.
    pub(super) whole_at: Timestamp,
    /// The newest change that was seen, by the server's clock: what changed
    /// since is asked for.
    pub(super) watermark: Option<Timestamp>,
    /// Entity tags of questions that may be asked again word by word.
    pub(super) etags: BTreeMap<String, String>,
    /// Open issues by number.
    pub(super) issues: BTreeMap<u64, Issue>,
    /// Issues that were closed as done within [`KEPT_CLOSED`].
    #[serde(default)]
    pub(super) closed: BTreeMap<u64, Issue>,
}

impl Mirror {
    /// An empty one.
    pub(super) fn new(api: &str, repository: &str, coverage: Coverage, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            api: api.to_owned(),
            repository: repository.to_owned(),
            coverage,
            complete: true,
            synced_at: now,
            whole_at: now,
            watermark: None,
            etags: BTreeMap::new(),
            issues: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Takes in issues: open ones stay; closed ones leave, or wait until no
    /// package set that people use is older than their fix.
    pub(super) fn take(&mut self, issues: Vec<Issue>) {
        for issue in issues {
            self.watermark = self.watermark.max(issue.updated_at);
            self.issues.remove(&issue.number);
            self.closed.remove(&issue.number);
            match (issue.open, issue.closed_at) {
                (true, _) => _ = self.issues.insert(issue.number, issue),
                (false, Some(_)) => _ = self.closed.insert(issue.number, issue),
                (false, None) => {}
            }
        }
        let Some(newest) = self.watermark else { return };
        let is_recent = |closed: Timestamp| newest.duration_since(closed) < KEPT_CLOSED;
        self.closed.retain(|_, issue| issue.closed_at.is_some_and(is_recent));
    }
}

/// The place of a mirror.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: PathBuf,
    api: String,
    repository: String,
}

impl Place {
    /// The place below a cache folder.
    pub(super) fn new(cache: &Path, api: &str, repository: &str) -> Self {
        let plain = |text: &str| -> String {
            let keep = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
            text.chars().map(|letter| if keep(letter) { letter } else { '_' }).collect()
        };
        let host = api.split_once("://").map_or(api, |(_, rest)| rest);
        let file = cache.join("issues").join(plain(host)).join(format!("{}.json", plain(repository)));
        Self { file, api: api.to_owned(), repository: repository.to_owned() }
    }

    /// Reads the mirror; none when there is none that can be used.
    pub(super) fn read(&self) -> Option<Mirror> {
        let bytes = std::fs::read(&self.file).ok()?;
        let mirror: Mirror = match serde_json::from_slice(&bytes) {
            Ok(mirror) => mirror,
            Err(error) => {
                tracing::debug!(%error, file = %self.file.display(), "the mirror is rebuilt");
                return None;
            }
        };
        let fits = mirror.version == VERSION && mirror.api == self.api && mirror.repository == self.repository;
        fits.then_some(mirror)
    }

    /// Replaces the mirror.
    pub(super) fn write(&self, mirror: &Mirror) -> std::io::Result<()> {
        let folder = self.folder()?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let bytes = serde_json::to_vec(mirror)?;
        file.write_all(&bytes)?;
        // Not flushed to the disk: what a power cut leaves of it is rebuilt.
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }

    /// Waits until no other process brings the mirror up to date. The lock
    /// ends with the file. None when there can be no lock here: then two
    /// processes at once do the same work and the last one's file stays.
    pub(super) async fn lock(&self) -> Option<File> {
        let folder = self.folder().ok()?.to_owned();
        let path = folder.join(self.file.file_name()?).with_extension("lock");
        let lock = tokio::task::spawn_blocking(move || {
            let file = File::create(path).ok()?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).ok()?;
            Some(file)
        });
        lock.await.ok().flatten()
    }

    fn folder(&self) -> std::io::Result<&Path> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(number: u64, open: bool, updated: &str) -> Issue {
        Issue {
            number,
            title: format!("issue {number}"),
            labels: vec!["0.kind: bug".to_owned()],
            open,
            updated_at: Some(updated.parse().unwrap()),
            closed_at: (!open).then(|| updated.parse().unwrap()),
        }
    }

    fn mirror() -> Mirror {
        let mut mirror =
            Mirror::new("https://api.github.com", "NixOS/nixpkgs", Coverage::All, Timestamp::UNIX_EPOCH);
        mirror.take(vec![issue(1, true, "2025-01-01T00:00:00Z"), issue(2, true, "2025-01-03T00:00:00Z")]);
        mirror
    }

    #[test]
    fn closed_issues_leave_and_the_watermark_only_rises() {
        let mut mirror = mirror();
        mirror.take(vec![issue(1, false, "2025-01-02T00:00:00Z")]);
        assert_eq!(mirror.issues.keys().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(mirror.watermark, Some("2025-01-03T00:00:00Z".parse().unwrap()));
        // It waits for package sets that are newer, unless it is opened again.
        assert!(mirror.closed.contains_key(&1));
        mirror.take(vec![issue(1, true, "2025-01-04T00:00:00Z")]);
        assert!(mirror.closed.is_empty() && mirror.issues.contains_key(&1));
        mirror.take(vec![issue(1, false, "2025-01-05T00:00:00Z"), issue(3, true, "2025-06-01T00:00:00Z")]);
        assert!(mirror.closed.is_empty(), "{:?}", mirror.closed);
    }

    #[test]
    fn a_mirror_is_read_as_it_was_written_and_a_broken_one_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path(), "https://api.github.com", "NixOS/nixpkgs");
        assert_eq!(place.read(), None);
        place.write(&mirror()).unwrap();
        assert_eq!(place.read(), Some(mirror()));
        let other = Place { repository: "someone/else".to_owned(), ..place.clone() };
        assert_eq!(other.read(), None);
        let bytes = std::fs::read(&place.file).unwrap();
        for broken in [&bytes[..bytes.len() / 2], b"", b"{}", b"\xff\xfe"] {
            std::fs::write(&place.file, broken).unwrap();
            assert_eq!(place.read(), None);
        }
        place.write(&mirror()).unwrap();
        assert_eq!(place.read(), Some(mirror()));
    }

    #[test]
    fn a_repository_cannot_lead_out_of_the_cache_folder() {
        let place = Place::new(Path::new("/cache"), "http://127.0.0.1:80/api/v3", "../../etc");
        assert_eq!(place.file, Path::new("/cache/issues/127.0.0.1_80_api_v3/.._.._etc.json"));
    }
}
