//! The installed Nix as the judge: it confirms or withdraws what we call
//! broken, and says what it refuses that we do not.

use std::path::{Path, PathBuf};

use super::accepted::{self, Accepted};
use crate::lint::{Report, SourceFile};
use crate::nix::{Nix, NixError, Rejected};

/// The file beside the cache of findings that keeps what Nix accepted.
const ACCEPTED: &str = "nix-accepts";
/// What judges.
const PROGRAM: &str = "nix-instantiate";
/// Nix is not asked on when it refuses so many files (`nix::parse`).
const MOST_REFUSED: usize = 200;

/// More new files than this are not worth waiting for: Nix takes about half a
/// millisecond for each, and our own passes miss one broken file in two thousand.
const MANY: usize = 2000;

/// What came of asking the installed Nix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NixAnswer {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It judged so many files.
    Judged(usize),
    /// It was asked only about what we call broken, because so many files are new.
    TooMany(usize),
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
    /// These, and every file that it has not accepted before, unless these are
    /// so many that a person would wait for it.
    New,
    /// These, and every file that it has not accepted before.
    All,
}

/// What Nix says of files, by the names that findings call them.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    answer: NixAnswer,
    accepted: Vec<PathBuf>,
    refused: Vec<(PathBuf, Rejected)>,
}

impl Verdict {
    /// Whether Nix has to be asked about what we call broken.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.answer, NixAnswer::TooMany(_))
    }

    /// Puts it into the report.
    pub(super) fn apply(self, report: &mut Report) -> NixAnswer {
        for (shown, refused) in &self.refused {
            report.nix_rejects(shown, refused.line, refused.column, &refused.message);
        }
        // Few files are called broken, many are accepted.
        for suspect in report.suspects.clone() {
            if self.accepted.contains(&suspect) {
                report.nix_accepts(&suspect);
            }
        }
        self.answer
    }
}

/// Asks Nix about files, but for texts that it has accepted before; `state` is
/// where these are kept.
pub(super) async fn verdict(nix: &Nix, files: Vec<SourceFile>, ask: AskNix, state: Option<&Path>) -> Verdict {
    let accepted = state.map(|folder| folder.join(ACCEPTED));
    let looking = tokio::task::spawn_blocking(move || {
        let known = accepted.map(|path| Accepted::open(&path, Path::new(PROGRAM)));
        let of_text = |file: SourceFile| {
            // What is no file that can be read is a finding of its own.
            let text = std::fs::read(&file.path).ok().filter(|_| file.path.is_file())?;
            Some((file, accepted::hash(&text)))
        };
        let files: Vec<_> = files.into_iter().filter_map(of_text).collect();
        (files, known)
    });
    let Ok((files, mut known)) = looking.await else { return Verdict::default() };
    let is_known = |text: u64| known.as_ref().is_some_and(|known| known.knows(text));
    let (before, asked): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, text)| is_known(*text));
    let mut verdict = Verdict::default();
    verdict.accepted.extend(before.into_iter().map(|(file, _)| file.shown));
    if asked.is_empty() {
        return verdict;
    }
    if ask == AskNix::New && asked.len() > MANY {
        return Verdict { answer: NixAnswer::TooMany(asked.len()), ..verdict };
    }
    let paths: Vec<PathBuf> = asked.iter().map(|(file, _)| file.path.clone()).collect();
    let refused = match nix.parse_files(&paths).await {
        Ok(refused) => refused,
        Err(error) => return Verdict { answer: NixAnswer::Unavailable(in_words(&error)), ..verdict },
    };
    verdict.answer = NixAnswer::Judged(asked.len());
    // It may not have come to the last ones.
    let is_complete = refused.len() < MOST_REFUSED;
    for (file, text) in asked {
        match refused.iter().find(|refused| refused.file == file.path) {
            Some(refused) => verdict.refused.push((file.shown, refused.clone())),
            None if !is_complete => {}
            None => {
                if let Some(known) = &mut known {
                    known.add(text);
                }
                verdict.accepted.push(file.shown);
            }
        }
    }
    if let Some(known) = known {
        known.save();
    }
    verdict
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
        let answer = verdict(&accepting, files.clone(), AskNix::New, None).await.apply(&mut withdrawn);
        assert_eq!((answer, broken(&withdrawn)), (NixAnswer::Judged(2), vec![]));
        let refusing = script(
            folder.path(),
            "for file; do case $file in *good.nix) echo \"error: no such thing\" >&2; echo \"  at $file:1:3:\" >&2; exit 1;; esac; done",
        );
        let mut added = report.clone();
        verdict(&refusing, files.clone(), AskNix::New, None).await.apply(&mut added);
        assert_eq!(broken(&added), ["Nix refuses this file: no such thing"]);
        // Without Nix our own judgement stands.
        let mut own = report.clone();
        let nowhere = Nix::in_folder("/nowhere");
        let answer = verdict(&nowhere, files, AskNix::New, None).await.apply(&mut own);
        assert!(matches!(answer, NixAnswer::Unavailable(reason) if reason.contains("nix-instantiate")));
        assert_eq!(broken(&own).len(), broken(&report).len());
    }

    #[tokio::test]
    async fn nix_is_not_asked_twice_about_a_text_that_it_accepts() {
        let folder = tempfile::tempdir().unwrap();
        let (files, report) = judged(folder.path(), &[("a.nix", "{ }"), ("b.nix", "{ a = 1 }")]);
        let nix = script(folder.path(), "exit 0");
        let mut answers = Vec::new();
        for _ in 0..2 {
            let mut report = report.clone();
            answers
                .push(verdict(&nix, files.clone(), AskNix::New, Some(folder.path())).await.apply(&mut report));
            assert_eq!(broken(&report), Vec::<&str>::new());
        }
        assert_eq!(answers, [NixAnswer::Judged(2), NixAnswer::NotAsked]);
        std::fs::write(&files[1].path, "2").unwrap();
        let third = verdict(&nix, files, AskNix::New, Some(folder.path())).await.apply(&mut report.clone());
        assert_eq!(third, NixAnswer::Judged(1));
    }

    #[tokio::test]
    async fn nix_judges_no_more_new_files_than_a_person_would_wait_for() {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<(String, String)> = (0..=MANY).map(|n| (format!("{n}.nix"), format!("{n}"))).collect();
        let texts: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (files, _) = judged(folder.path(), &texts);
        let nix = script(folder.path(), "exit 0");
        let few = verdict(&nix, files.clone(), AskNix::New, None).await;
        assert!(few.is_open() && few.answer == NixAnswer::TooMany(MANY + 1));
        let all = verdict(&nix, files, AskNix::All, None).await;
        assert_eq!((all.is_open(), all.answer), (false, NixAnswer::Judged(MANY + 1)));
    }
}
