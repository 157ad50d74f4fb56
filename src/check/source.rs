//! The source layer over files: judged in threads of their own, confirmed by
//! Nix, with the baseline taken off.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::confirm::{self, AskNix, NixAnswer};
use super::unseen;
use crate::git::{self, GitError};
use crate::lint::{self, Baseline, Cache, Policy, SourceFile};
use crate::model::Finding;
use crate::nix::Nix;

/// The file in the state folder that keeps findings by content.
const CACHE: &str = "lint-cache";

/// What is judged and under which settings.
pub(crate) struct Source {
    /// The folder that findings' files are relative to.
    pub(crate) root: PathBuf,
    /// The files.
    pub(crate) files: Vec<SourceFile>,
    /// What could not be read when the files were looked for.
    pub(crate) findings: Vec<Finding>,
    /// The settings.
    pub(crate) policy: Arc<Policy>,
    /// Findings that were there at adoption.
    pub(crate) baseline: Baseline,
    /// The state folder, where earlier findings are kept; without it every file
    /// is judged anew.
    pub(crate) state: Option<PathBuf>,
}

/// What a check of the source found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Every finding, suppressed ones too, sorted by file and place.
    pub(crate) findings: Vec<Finding>,
    /// How many files were judged.
    pub(crate) files: usize,
    /// Entries of the baseline that nothing matches any more.
    pub(crate) gone_from_baseline: usize,
    /// What the installed Nix said.
    pub(crate) nix: NixAnswer,
    /// Files that Nix does not see in a deploy (`unseen.rs`).
    pub(super) untracked: BTreeSet<PathBuf>,
}

impl Judged {
    /// Whether Nix does not see the file that a finding is about.
    pub(crate) fn is_unseen(&self, finding: &Finding) -> bool {
        unseen::is_in(finding, &self.untracked)
    }
}

impl Source {
    /// Everything below `paths`, or below the root when there are none.
    pub(crate) fn all(root: &Path, paths: &[PathBuf], policy: Arc<Policy>) -> Self {
        let below = if paths.is_empty() { vec![root.to_owned()] } else { paths.to_vec() };
        let collected = lint::collect(root, &below, &policy);
        Self::of(root, collected.files, collected.findings, policy)
    }

    /// What differs from a commit, uncommitted and untracked files included.
    pub(crate) async fn changed(root: &Path, since: &str, policy: Arc<Policy>) -> Result<Self, GitError> {
        let changed = git::changed_nix_files(root, since).await?;
        // A symbolic link has its content elsewhere, and is judged there.
        let is_file = |path: &PathBuf| root.join(path).symlink_metadata().is_ok_and(|found| found.is_file());
        let files = changed.into_iter().filter(|path| !policy.ignores(path) && is_file(path));
        let files = files.map(|shown| SourceFile { path: root.join(&shown), shown }).collect();
        Ok(Self::of(root, files, Vec::new(), policy))
    }

    /// Files found by somebody else.
    pub(crate) fn of(root: &Path, files: Vec<SourceFile>, findings: Vec<Finding>, policy: Arc<Policy>) -> Self {
        Self { root: root.to_owned(), files, findings, policy, baseline: Baseline::default(), state: None }
    }
}

/// Judges the files, and lets Nix confirm what it is asked about.
pub(crate) async fn judge(source: Source, nix: &Nix, ask: AskNix) -> Judged {
    let Source { root, files, findings, policy, baseline, state } = source;
    let to_ask = files.clone();
    let cache = state.as_ref().map(|folder| folder.join(CACHE));
    let judging = tokio::task::spawn_blocking(move || {
        let mut cache = cache.map(|path| Cache::open(&path));
        let report = lint::check_files(&files, &policy, cache.as_mut());
        if let Some(Err(error)) = cache.map(|mut cache| cache.save()) {
            tracing::debug!(%error, "the cache of findings is not written");
        }
        report
    });
    // Nix needs about as long as we do: both at the same time.
    let asking = async {
        match ask {
            AskNix::New | AskNix::All => {
                Some(confirm::verdict(nix, to_ask.clone(), ask, state.as_deref()).await)
            }
            AskNix::Suspects | AskNix::Never => None,
        }
    };
    let (report, verdict) = tokio::join!(judging, asking);
    let mut report = report.unwrap_or_else(|error| {
        tracing::error!(%error, "the check broke");
        lint::Report::default()
    });
    let is_open = verdict.as_ref().map_or(ask == AskNix::Suspects, confirm::Verdict::is_open);
    let mut answer = verdict.map_or(NixAnswer::NotAsked, |verdict| verdict.apply(&mut report));
    if is_open && !report.suspects.is_empty() {
        let suspects = to_ask.into_iter().filter(|file| report.suspects.contains(&file.shown)).collect();
        let about_suspects = confirm::verdict(nix, suspects, AskNix::Suspects, None).await.apply(&mut report);
        if !matches!(answer, NixAnswer::TooMany(_)) || matches!(about_suspects, NixAnswer::Unavailable(_)) {
            answer = about_suspects;
        }
    }
    let mut all = findings;
    all.append(&mut report.findings);
    settle(&mut all);
    let gone_from_baseline = baseline.apply(&mut all);
    tracing::debug!(files = report.files, cached = report.cached, root = %root.display(), "judged");
    let untracked = BTreeSet::new();
    Judged { findings: all, files: report.files, gone_from_baseline, nix: answer, untracked }
}

/// Sorts findings by file and place, and makes file names text.
pub(super) fn settle(findings: &mut [Finding]) {
    for place in findings.iter_mut().filter_map(|finding| finding.place.as_mut()) {
        if place.file.to_str().is_none() {
            place.file = PathBuf::from(place.file.to_string_lossy().into_owned());
        }
    }
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| {
            finding.place.as_ref().map(|place| (place.file.clone(), place.start, finding.rule.clone()))
        };
        key(left).cmp(&key(right))
    });
}
