//! `git`: revision, branch, dirty and untracked files of the configuration.

use std::path::Path;

use super::context::{HostContext, RunContext};
use super::{Done, StepResult, step};
use crate::event::Event;
use crate::model::{SourceState, StepId};
use crate::nix::shell_word;

step!(Git, StepId::Git);

/// Untracked files that are named.
const NAMED: usize = 3;

async fn run(context: &HostContext) -> StepResult {
    Ok(match source(&context.run).await {
        Some(source) => {
            let commit =
                source.commit.as_deref().map_or("no commit yet", |commit| commit.get(..7).unwrap_or(commit));
            Done::passed(format!("{commit} ({})", if source.dirty { "dirty" } else { "clean" }))
        }
        None => Done::skipped("no local repository"),
    })
}

/// The state of the configuration's repository, asked once per run; `None`
/// outside of one. Git that does not answer is a warning: the record lacks the
/// commit, and nothing else depends on it.
pub(super) async fn source(run: &RunContext) -> Option<&SourceState> {
    run.source
        .get_or_init(|| async {
            let directory = run.spec.flake_dir.as_deref()?;
            match crate::git::source_state(directory).await {
                Ok(source) => {
                    if let Some(source) = &source {
                        run.sink.send(Event::Source { source: source.clone() });
                        point_at_untracked(run, directory, source).await;
                    }
                    source
                }
                Err(error) => {
                    let hint = error.hints().into_iter().next();
                    run.sink.warn(None, format!("the commit is not known: {error}"), hint);
                    None
                }
            }
        })
        .await
        .as_ref()
}

/// Whether Nix reads every file of the flake's folder, also those that git does not know.
pub(super) fn sees_untracked(run: &RunContext) -> bool {
    !crate::git::hides_untracked(&run.spec.flake)
}

/// Says once in the run that new Nix files are no part of what is deployed.
async fn point_at_untracked(run: &RunContext, directory: &Path, source: &SourceState) {
    let may_be_nix = |entry: &String| entry.ends_with('/') || entry.ends_with(".nix");
    if sees_untracked(run) || !source.untracked.iter().any(may_be_nix) {
        return;
    }
    let files = match crate::git::untracked_nix_files(directory).await {
        Ok(files) => files,
        Err(error) => return tracing::debug!(%error, "untracked files"),
    };
    if let Some((message, hint)) = untracked_words(&files) {
        run.sink.warn(None, message, Some(hint));
    }
}

/// What to say of untracked files, and what to do about them.
fn untracked_words(files: &[String]) -> Option<(String, String)> {
    let shown = &files[..files.len().min(NAMED)];
    let (last, before) = shown.split_last()?;
    let names = match files.len() - shown.len() {
        0 if before.is_empty() => last.clone(),
        0 => format!("{} and {last}", before.join(", ")),
        more => format!("{} and {more} more", shown.join(", ")),
    };
    let message = match files.len() {
        1 => format!("{names} is not tracked by git, so Nix does not see it"),
        _ => format!("{names} are not tracked by git, so Nix does not see them"),
    };
    let words: Vec<String> = shown.iter().map(|file| shell_word(file)).collect();
    let more = if files.len() > shown.len() { " …" } else { "" };
    Some((message, format!("git add {}{more}", words.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_three_untracked_files_are_named() {
        let files = ["hosts/new.nix", "a b.nix", "c.nix", "d.nix", "e.nix"].map(str::to_owned);
        let words = |count: usize| untracked_words(&files[..count]);
        let said = |message: &str, hint: &str| Some((message.to_owned(), hint.to_owned()));
        assert_eq!(words(0), None);
        let one = "hosts/new.nix is not tracked by git, so Nix does not see it";
        assert_eq!(words(1), said(one, "git add hosts/new.nix"));
        let three = "hosts/new.nix, a b.nix and c.nix are not tracked by git, so Nix does not see them";
        assert_eq!(words(3), said(three, "git add hosts/new.nix 'a b.nix' c.nix"));
        let five = "hosts/new.nix, a b.nix, c.nix and 2 more are not tracked by git, so Nix does not see them";
        assert_eq!(words(5), said(five, "git add hosts/new.nix 'a b.nix' c.nix …"));
    }
}
