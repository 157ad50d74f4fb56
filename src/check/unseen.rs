//! Nix files of a flake's folder that Nix does not see, because git does not know
//! them: nothing in them can keep a deploy from being right.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Judged;
use crate::git;
use crate::model::{Finding, Severity};

/// What is not tracked, relative to the flake's folder.
#[derive(Clone, Debug, Default)]
struct Unseen {
    /// What `git add` would take.
    untracked: BTreeSet<PathBuf>,
    /// What git is told to ignore.
    ignored: BTreeSet<PathBuf>,
}

impl Unseen {
    /// Asks git; nothing is hidden outside of a repository and where Nix reads the folder itself.
    async fn of(flake: &str, root: &Path) -> Self {
        if !git::hides_untracked(flake) {
            return Self::default();
        }
        match git::unseen_nix_files(root).await {
            Ok((untracked, ignored)) => {
                Self { untracked: untracked.into_iter().collect(), ignored: ignored.into_iter().collect() }
            }
            Err(error) => {
                tracing::debug!(%error, "untracked files");
                Self::default()
            }
        }
    }

    /// Takes out what is about files that git ignores, and makes warnings of what would
    /// block in the others that Nix does not see.
    fn settle(self, judged: &mut Judged) {
        judged.findings.retain(|finding| !is_in(finding, &self.ignored));
        for finding in judged.findings.iter_mut().filter(|finding| is_in(finding, &self.untracked)) {
            if finding.severity == Severity::Critical {
                finding.severity = Severity::Warning;
                finding.message.push_str(
                    "; git does not track this file, so Nix does not see it: `git add` it, or let git ignore it",
                );
            }
        }
        judged.untracked = self.untracked;
    }
}

/// Makes what was found one of the configuration that Nix sees. Where nothing was, git is not asked.
pub(crate) async fn settle(judged: &mut Judged, flake: &str, root: &Path) {
    if !judged.findings.is_empty() {
        Unseen::of(flake, root).await.settle(judged);
    }
}

/// Whether a finding is about one of these files.
pub(super) fn is_in(finding: &Finding, files: &BTreeSet<PathBuf>) -> bool {
    finding.place.as_ref().is_some_and(|place| files.contains(&place.file))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{AskNix, Source, judge};
    use crate::exec::Command;
    use crate::lint::Policy;
    use crate::nix::Nix;

    async fn git(folder: &Path, arguments: &[&str]) {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().await.unwrap();
        assert!(output.success(), "{:?}", output.stderr_tail);
    }

    /// What blocks and what only warns, each as `file rule`.
    async fn judged(root: &Path, flake: &str) -> (Vec<String>, Vec<String>) {
        let source = Source::all(root, &[], Arc::new(Policy::new()));
        let mut judged = judge(source, &Nix::new(), AskNix::Never).await;
        settle(&mut judged, flake, root).await;
        let (blocking, others): (Vec<_>, Vec<_>) = judged.findings.iter().partition(|finding| finding.blocks());
        let words = |findings: Vec<&Finding>| {
            let file = |finding: &Finding| finding.place.as_ref().unwrap().file.display().to_string();
            findings.iter().map(|finding| format!("{} {}", file(finding), finding.rule)).collect()
        };
        for finding in &others {
            assert!(finding.message.contains("`git add` it"), "{}", finding.message);
        }
        (words(blocking), words(others))
    }

    #[tokio::test]
    async fn what_git_does_not_track_never_blocks_where_nix_reads_what_git_knows() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["tracked.nix", "untracked.nix", "ignored.nix"] {
            std::fs::write(root.join(file), "{ a = ").unwrap();
        }
        let all = ["ignored.nix", "tracked.nix", "untracked.nix"].map(|file| format!("{file} syntax-error"));
        let shown = root.to_str().unwrap();
        assert_eq!(judged(root, shown).await, (all.to_vec(), Vec::new()), "outside of a repository");
        git(root, &["init", "-q"]).await;
        std::fs::write(root.join(".gitignore"), "ignored.nix\n").unwrap();
        git(root, &["add", "tracked.nix"]).await;
        assert_eq!(judged(root, shown).await, (vec![all[1].clone()], vec![all[2].clone()]));
        assert_eq!(judged(root, &format!("path:{shown}")).await, (all.to_vec(), Vec::new()));
    }
}
