//! Failures that are common to all questions put to Nix, and the hint for the
//! file that git does not know.

use crate::exec::ExecError;

/// A call of Nix that gave nothing to go on with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NixError {
    /// It could not be run to its end.
    #[error("cannot run nix")]
    Exec(#[from] ExecError),
    /// It ran and refused; the text is its error message.
    #[error("nix refused: {0}")]
    Refused(String),
    /// `nix --version` printed something else.
    #[error("cannot read a version from {0:?}")]
    Version(String),
    /// Its answer has another shape than expected.
    #[error("cannot read the answer of {call}: {detail}")]
    Answer {
        /// Which call.
        call: &'static str,
        /// What is wrong with the answer.
        detail: String,
    },
}

impl NixError {
    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Exec(error) => exec_hints(error),
            Self::Refused(_) => Vec::new(),
            Self::Version(_) | Self::Answer { .. } => {
                vec!["check that `nix --version` shows Nix 2.8 or newer".to_owned()]
            }
        }
    }
}

/// What to do about a program that could not be run to its end.
pub(super) fn exec_hints(error: &ExecError) -> Vec<String> {
    match error {
        ExecError::NotFound { .. } => {
            vec!["install Nix (https://nixos.org/download) or put it on PATH".to_owned()]
        }
        ExecError::Io { .. }
        | ExecError::Deadline { .. }
        | ExecError::Stalled { .. }
        | ExecError::Failed { .. } => Vec::new(),
    }
}

/// Whether a text says that a disk is full, in bytes, in inodes or for this user.
pub(super) fn is_full_disk(text: &str) -> bool {
    ["No space left on device", "database or disk is full", "Disk quota exceeded"]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether Nix could not start git: `executing 'git': No such file or directory`.
pub(crate) fn is_without_git(text: &str) -> bool {
    ["executing 'git'", "executing \"git\""].iter().any(|words| text.contains(words))
}

/// Words of an error that mean a file is not there, in Nix 2.8 to 2.34:
/// `getting status of '…': No such file or directory`, `opening file '…': No
/// such file …`, `path '…' does not exist`, `Path '…' in the repository "…" is
/// not tracked by Git.`
const NOT_THERE: [&str; 3] = ["No such file or directory", "does not exist", "is not tracked by Git"];

/// The hint to `git add` a file, when `error` says that a file of the flake is
/// missing and git does not track it.
///
/// Nix sees only files that git tracks: a new file that was not added does not
/// exist for it, whatever the folder shows. `untracked` holds paths relative
/// to the repository, folders with a slash at the end, as `git status` prints them.
pub(crate) fn untracked_hint(error: &str, untracked: &[String]) -> Option<String> {
    if !NOT_THERE.iter().any(|words| error.contains(words)) {
        return None;
    }
    let missing = missing_paths(error);
    let file = untracked.iter().find_map(|entry| {
        let entry = entry.trim_end_matches('/');
        missing.iter().find_map(|path| {
            if is_below(path, entry) {
                Some((*path).to_owned())
            } else {
                // Older versions name the folder where the search ended.
                is_below(entry, path).then(|| entry.to_owned())
            }
        })
    });
    let told_by_nix =
        || missing.first().filter(|_| error.contains("is not tracked by Git")).map(|path| (*path).to_owned());
    let file = file.or_else(told_by_nix)?;
    Some(format!("git does not track {file}, so Nix cannot see it: run `git add {}`", shell_word(&file)))
}

/// The paths inside the flake's source that an error names.
fn missing_paths(error: &str) -> Vec<&str> {
    let in_store = error.match_indices("-source/").map(|(start, mark)| &error[start + mark.len()..]);
    let told = error.match_indices("Path '").map(|(start, mark)| &error[start + mark.len()..]);
    in_store
        .chain(told)
        .map(|rest| rest.split(['\'', '"', ':', '\n', '»']).next().unwrap_or_default())
        .filter(|path| !path.is_empty())
        .collect()
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path as a person can paste it into a shell.
pub(crate) fn shell_word(path: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+@".contains(character);
    if path.chars().all(plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    let folder = if path.starts_with('-') { "./" } else { "" };
    format!("'{folder}{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_that_git_does_not_track_is_pointed_out() {
        let store = "/nix/store/c8d0c2hwxzazf0sjn8634k86kchxnq8g-source";
        let cases = [
            (format!("getting status of '{store}/hosts/new.nix': No such file or directory"), "hosts/new.nix"),
            (format!("path '{store}/hosts/new.nix' does not exist"), "hosts/new.nix"),
            (format!("opening file '{store}/hosts/new.nix': No such file or directory"), "hosts/new.nix"),
            (format!("reading directory {store}/static: No such file or directory"), "static"),
            (
                format!("getting status of '{store}/static/img/a.png': No such file or directory"),
                "static/img/a.png",
            ),
        ];
        let untracked = ["other.nix".to_owned(), "hosts/new.nix".to_owned(), "static/".to_owned()];
        for (error, file) in &cases {
            let hint = untracked_hint(error, &untracked).unwrap();
            assert!(hint.ends_with(&format!("run `git add {file}`")), "{hint}");
        }
        // The folder where the search ended stands for what is below it.
        let folder = format!("getting status of '{store}/hosts': No such file or directory");
        assert!(untracked_hint(&folder, &untracked).unwrap().contains("`git add hosts/new.nix`"));
    }

    #[test]
    fn nix_that_knows_about_git_needs_no_list() {
        let error = "Path 'it''s' in the repository \"/home/user/fleet\" is not tracked by Git.";
        assert!(untracked_hint(error, &[]).is_some());
    }

    #[test]
    fn other_errors_and_tracked_files_give_no_hint() {
        let untracked = ["notes.txt".to_owned()];
        let missing = "path '/nix/store/c8d0c2hwxzazf0sjn8634k86kchxnq8g-source/gone.nix' does not exist";
        assert_eq!(untracked_hint(missing, &untracked), None);
        assert_eq!(untracked_hint("attribute 'notes.txt' missing", &untracked), None);
        assert_eq!(untracked_hint("the option `x' does not exist", &untracked), None);
    }

    #[test]
    fn odd_file_names_are_quoted_for_the_shell() {
        assert_eq!(shell_word("a b.nix"), "'a b.nix'");
        assert_eq!(shell_word("-x"), "'./-x'");
        assert_eq!(shell_word("modules/web.nix"), "modules/web.nix");
    }
}
