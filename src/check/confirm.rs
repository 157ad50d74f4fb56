//! The installed Nix as the judge: it confirms or withdraws what we call
//! broken, and says what it refuses that we do not.

use std::path::{Path, PathBuf};

use super::accepted::{self, Accepted};
use crate::lint::{Report, SourceFile};
use crate::nix::{Nix, NixError};

/// The file beside the cache of findings that keeps what Nix accepted.
const ACCEPTED: &str = "nix-accepts";
/// What judges.
const PROGRAM: &str = "nix-instantiate";
/// Nix is not asked on when it refuses so many files (`nix::parse`).
const MOST_REFUSED: usize = 200;

/// What came of asking the installed Nix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NixAnswer {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It judged so many files.
    Judged(usize),
    /// It could not be asked; our own judgement stands.
    Unavailable(String),
}

/// What Nix is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskNix {
    /// Nothing.
    Never,
    /// Files that we call broken.
    Suspects,
    /// These, and every file that it has not accepted before.
    Everything,
}

/// Asks Nix and puts its verdict into the report. `state` is where what it
/// accepted is kept.
pub(super) async fn confirm(
    nix: &Nix,
    report: &mut Report,
    files: &[SourceFile],
    ask: AskNix,
    state: Option<&Path>,
) -> NixAnswer {
    let mut known = match (ask, state) {
        (AskNix::Everything, Some(folder)) => Some(Accepted::open(&folder.join(ACCEPTED), Path::new(PROGRAM))),
        _ => None,
    };
    // A text's hash, where one is worth knowing.
    let mut asked: Vec<(&SourceFile, Option<u64>)> = Vec::new();
    for file in files {
        let is_suspect = report.suspects.contains(&file.shown);
        if is_suspect {
            asked.push((file, None));
        } else if ask == AskNix::Everything {
            let text = known.as_ref().and_then(|_| std::fs::read(&file.path).ok());
            let hash = text.map(|text| accepted::hash(&text));
            let is_known = known.as_ref().zip(hash).is_some_and(|(known, hash)| known.knows(hash));
            if !is_known && file.path.is_file() {
                asked.push((file, hash));
            }
        }
    }
    if asked.is_empty() {
        return NixAnswer::NotAsked;
    }
    let paths: Vec<PathBuf> = asked.iter().map(|(file, _)| file.path.clone()).collect();
    let refused = match nix.parse_files(&paths).await {
        Ok(refused) => refused,
        Err(error) => return NixAnswer::Unavailable(in_words(&error)),
    };
    let is_complete = refused.len() < MOST_REFUSED;
    for (file, hash) in &asked {
        match refused.iter().find(|refused| refused.file == file.path) {
            Some(refused) => {
                report.nix_rejects(&file.shown, refused.line, refused.column, &refused.message);
            }
            // It may not have come to this one.
            None if !is_complete => {}
            None => {
                report.nix_accepts(&file.shown);
                if let (Some(known), Some(hash)) = (known.as_mut(), hash) {
                    known.add(*hash);
                }
            }
        }
    }
    if let Some(known) = known {
        known.save();
    }
    NixAnswer::Judged(asked.len())
}

fn in_words(error: &NixError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Policy, check_files};

    /// Files with these texts, and the report about them.
    fn judged(folder: &Path, texts: &[(&str, &str)]) -> (Vec<SourceFile>, Report) {
        let files: Vec<SourceFile> = texts
            .iter()
            .map(|(name, text)| {
                let path = folder.join(name);
                std::fs::write(&path, text).unwrap();
                SourceFile { shown: name.into(), path }
            })
            .collect();
        let report = check_files(&files, &Policy::new(), None);
        (files, report)
    }

    fn script(folder: &Path, text: &str) -> Nix {
        let program = folder.join(PROGRAM);
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Nix::in_folder(folder)
    }

    fn broken(report: &Report) -> Vec<&str> {
        report
            .findings
            .iter()
            .filter(|finding| super::super::is_syntax(finding))
            .map(|finding| finding.message.as_str())
            .collect()
    }

    #[tokio::test]
    async fn nix_withdraws_what_it_accepts_and_adds_what_it_alone_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let (files, report) = judged(folder.path(), &[("bad.nix", "{ a = 1 }"), ("good.nix", "{ a = 1; }")]);
        assert_eq!(report.suspects, [PathBuf::from("bad.nix")]);
        let accepting = script(folder.path(), "exit 0");
        let mut withdrawn = report.clone();
        let answer = confirm(&accepting, &mut withdrawn, &files, AskNix::Suspects, None).await;
        assert_eq!((answer, broken(&withdrawn)), (NixAnswer::Judged(1), vec![]));
        let refusing = script(
            folder.path(),
            "for file; do case $file in *good.nix) echo \"error: no such thing\" >&2; echo \"  at $file:1:3:\" >&2; exit 1;; esac; done",
        );
        let mut added = report.clone();
        confirm(&refusing, &mut added, &files, AskNix::Everything, None).await;
        assert_eq!(broken(&added), ["Nix refuses this file: no such thing"]);
        // Without Nix our own judgement stands.
        let mut own = report.clone();
        let nowhere = Nix::in_folder("/nowhere");
        let answer = confirm(&nowhere, &mut own, &files, AskNix::Everything, None).await;
        assert!(matches!(answer, NixAnswer::Unavailable(reason) if reason.contains("nix-instantiate")));
        assert_eq!(broken(&own).len(), broken(&report).len());
    }

    #[tokio::test]
    async fn nix_is_not_asked_twice_about_the_same_text() {
        let folder = tempfile::tempdir().unwrap();
        let (files, mut report) = judged(folder.path(), &[("a.nix", "{ }"), ("b.nix", "1")]);
        let nix = script(folder.path(), "exit 0");
        let state = Some(folder.path());
        let first = confirm(&nix, &mut report, &files, AskNix::Everything, state).await;
        let second = confirm(&nix, &mut report, &files, AskNix::Everything, state).await;
        assert_eq!((first, second), (NixAnswer::Judged(2), NixAnswer::NotAsked));
        std::fs::write(&files[1].path, "2").unwrap();
        let third = confirm(&nix, &mut report, &files, AskNix::Everything, state).await;
        assert_eq!(third, NixAnswer::Judged(1));
    }
}
