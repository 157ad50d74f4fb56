//! `--commit` and `--pr` of an update: flake.lock, and what is named or staged
//! with it, becomes one commit when the update has been deployed and is kept.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{not_committed, say, short, summary, tell};
use crate::cli::DeployArgs;
use crate::commands::update::{Kept, LOCK, Outcome};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::git::commit::{self, CommitError};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, InputMove, InputRevision};

/// Looks whether a commit can follow an update, before anything is done.
pub(in crate::commands) async fn check_update(
    arguments: &DeployArgs,
    folder: &Path,
    named_from: &Path,
) -> Result<(), CommandError> {
    let Some(files) = &arguments.commit else {
        return match arguments.pr {
            true => Err(CommandError::new(
                FailureClass::Usage,
                "--pr of an update needs --commit: flake.lock would not be in it",
            )
            .hint("add --commit")),
            false => Ok(()),
        };
    };
    let files: Vec<PathBuf> = files.iter().map(|file| named_from.join(file)).collect();
    commit::can_stage(folder, &files).await.map_err(not_committed)
}

/// Commits the flake.lock of an update, and what is named or staged with it.
/// The hosts run it already: what goes wrong here is told and takes nothing back.
/// Gives the commit, if there is a new one, and ends without a pull request where
/// nothing of the update is there to publish.
pub(in crate::commands) async fn commit_update(
    arguments: &DeployArgs,
    folder: &Path,
    named_from: &Path,
    update: &Outcome,
) -> ControlFlow<ExitCode, Option<String>> {
    let go_on = ControlFlow::Continue(None);
    let Some(files) = &arguments.commit else { return go_on };
    let Some(kept) = &update.kept else {
        say("nothing was committed: no new flake.lock was deployed and kept");
        return if update.code == exit::OK { ControlFlow::Break(exit::OK) } else { go_on };
    };
    let lock = match kept {
        Kept::AsItIs => None,
        Kept::Moved(_) | Kept::Older => Some(folder.join(LOCK)),
    };
    let files: Vec<PathBuf> = lock.into_iter().chain(files.iter().map(|file| named_from.join(file))).collect();
    match commit(arguments, folder, &files, kept).await {
        Ok(Some((hash, subject))) => {
            say(&format!("committed {}: {subject}", short(&hash)));
            return ControlFlow::Continue(Some(hash));
        }
        Ok(None) | Err(CommitError::NothingStaged(_)) => {
            say("nothing to commit: flake.lock and what is named are as they were committed last");
        }
        Err(error) => {
            say("the update is deployed and flake.lock is kept; its commit failed:");
            let failure = Failure::from_error(FailureClass::Unexpected, &error).evidence(error.said().to_vec());
            tell(failure.hint("hosts run what flake.lock says: commit it by hand"));
            return ControlFlow::Break(exit::UNEXPECTED);
        }
    }
    go_on
}

/// The commit and its subject; `None` where nothing had changed.
async fn commit(
    arguments: &DeployArgs,
    folder: &Path,
    files: &[PathBuf],
    kept: &Kept,
) -> Result<Option<(String, String)>, CommitError> {
    let Some(staged) = commit::stage(folder, files).await? else { return Ok(None) };
    let text = message(arguments, &staged, kept);
    let hash = commit::commit(folder, &text).await?;
    Ok(Some((hash, text.lines().next().unwrap_or_default().to_owned())))
}

/// `chore(flake): update nixpkgs (#123)`, and below it what moved from where to where.
fn message(arguments: &DeployArgs, staged: &[String], kept: &Kept) -> String {
    let (moved, moves) = match kept {
        Kept::AsItIs => return super::message(arguments.message.as_deref(), staged, arguments.issue),
        Kept::Older => ("go back to the inputs from before".to_owned(), [].as_slice()),
        Kept::Moved(moves) => (moved(moves), moves.as_slice()),
    };
    let others: Vec<String> =
        staged.iter().filter(|file| file.rsplit('/').next() != Some(LOCK)).cloned().collect();
    let default = match others.is_empty() {
        true => format!("chore(flake): {moved}"),
        false => format!("{moved} and {}", summary(&others)),
    };
    let given = arguments.message.as_deref().unwrap_or(&default);
    let mut message = super::message(Some(given), staged, arguments.issue);
    let lines: Vec<String> = moves
        .iter()
        .filter_map(|moved| {
            let revision = |state: &Option<InputRevision>| Some(short(state.as_ref()?.revision.as_ref()?));
            let after = revision(&moved.after)?;
            Some(match revision(&moved.before) {
                Some(before) => format!("{}: {before} -> {after}", moved.input),
                None => format!("{}: {after}", moved.input),
            })
        })
        .collect();
    if !lines.is_empty() {
        message.push_str(&format!("\n\n{}\n", lines.join("\n")));
    }
    message
}

/// Which of the flake's own inputs moved, in a few words.
fn moved(moves: &[InputMove]) -> String {
    let mut names: Vec<&str> = moves.iter().filter_map(|moved| moved.input.split('/').next()).collect();
    names.dedup();
    match names.as_slice() {
        [] => "update no input".to_owned(),
        [one] => format!("update {one}"),
        [one, two] => format!("update {one} and {two}"),
        [one, two, three] => format!("update {one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("update {one}, {two} and {}", plural(rest.len(), "more input")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(names: &[&str]) -> Vec<InputMove> {
        let revision = |first: char| InputRevision {
            revision: Some(first.to_string().repeat(40)),
            hash: None,
            date: None,
            url: String::new(),
        };
        let of = |name: &&str| InputMove {
            input: (*name).to_owned(),
            before: (*name != "new").then(|| revision('a')),
            after: (*name != "gone").then(|| revision('b')),
            compare_url: None,
        };
        names.iter().map(of).collect()
    }

    fn composed(given: Option<&str>, files: &[&str], moves: &[&str]) -> String {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let mut arguments = DeployArgs::for_hosts(Vec::new());
        (arguments.message, arguments.issue) = (given.map(str::to_owned), Some(7));
        let kept = if moves.is_empty() { Kept::Older } else { Kept::Moved(moved(moves)) };
        message(&arguments, &files, &kept)
    }

    #[test]
    fn a_message_names_what_moved_and_from_where_to_where() {
        let lock = ["flake.lock"];
        assert_eq!(
            composed(None, &lock, &["nixpkgs", "new", "gone"]),
            "chore(flake): update nixpkgs, new and gone (#7)\n\nnixpkgs: aaaaaaa -> bbbbbbb\nnew: bbbbbbb\n"
        );
        let subject = |given, files: &[&str], moves: &[&str]| {
            composed(given, files, moves).lines().next().unwrap().to_owned()
        };
        let rows = [
            (None, &lock[..], &["hm", "hm/nixpkgs"][..], "chore(flake): update hm (#7)"),
            (None, &lock, &["a", "b", "c", "d"], "chore(flake): update a, b and 2 more inputs (#7)"),
            (None, &lock, &[], "chore(flake): go back to the inputs from before (#7)"),
            (
                None,
                &["flake.lock", "hosts/a.nix"],
                &["a"],
                "feat(config): update a and change hosts/a.nix (#7)",
            ),
            (Some("newer kernel"), &lock, &["a"], "feat(flake): newer kernel (#7)"),
        ];
        for (given, files, moves, expected) in rows {
            assert_eq!(subject(given, files, moves), expected);
        }
    }
}
