//! `--commit` and `--pr`: the configuration's changes become a commit before the
//! deploy, and a pull request after it. An update is committed behind its deploy,
//! because a flake.lock that fails is put back. Without the flags nothing is
//! committed, pushed or opened.

mod after_update;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::DeployArgs;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::forge::{self, Forge, ForgeError, PullRequest};
use crate::git::commit::{self, CommitError};
use crate::git::{self};
use crate::issues::github::token;
use crate::model::text::{clean_line, plural};
use crate::model::{Failure, FailureClass, PullRequestSpec, Secret, SourceState};
use crate::report::KeptMarkdown;

pub(super) use after_update::{check_update, commit_update};

/// Commits what is named or staged in the repository of the flake; names begin
/// at the folder that the program was started in. Gives the commit, if there is a new
/// one. Fails before anything is deployed.
pub(super) async fn commit_changes(
    arguments: &DeployArgs,
    folder: &Path,
    named_from: &Path,
) -> Result<Option<String>, CommandError> {
    let Some(files) = &arguments.commit else { return Ok(None) };
    let files: Vec<PathBuf> = files.iter().map(|file| named_from.join(file)).collect();
    let Some(staged) = commit::stage(folder, &files).await.map_err(not_committed)? else {
        say("nothing to commit: the configuration is as it was committed last");
        return Ok(None);
    };
    let message = message(arguments.message.as_deref(), &staged, arguments.issue);
    let hash = commit::commit(folder, &message).await.map_err(not_committed)?;
    say(&format!("committed {}: {message}", short(&hash)));
    Ok(Some(hash))
}

fn short(hash: &str) -> String {
    hash.chars().take(7).collect()
}

fn tell(failure: Failure) {
    // Standard error that is gone has no reader left to tell.
    let _ = CommandError::from(failure).write(&mut std::io::stderr().lock());
}

fn not_committed(error: CommitError) -> CommandError {
    let (class, hint) = match &error {
        CommitError::NothingStaged(file) => {
            (FailureClass::Usage, format!("name what belongs to it: --commit={file}, or `git add` it"))
        }
        CommitError::NoRepository { .. } => (FailureClass::Usage, "`git init` makes one".to_owned()),
        CommitError::Stage { .. } => {
            (FailureClass::Usage, "the files are relative to the current folder".to_owned())
        }
        CommitError::Refused { .. } => {
            (FailureClass::Blocked, "nothing was deployed; what was staged stays staged".to_owned())
        }
        _ => (FailureClass::Unexpected, "nothing was deployed".to_owned()),
    };
    let failure = Failure::from_error(class, &error).evidence(error.said().to_vec());
    failure.hint(hint).into()
}

/// `feat(area): what changed (#123)`.
fn message(given: Option<&str>, files: &[String], issue: Option<u64>) -> String {
    let reference = issue.map(|number| format!("(#{number})"));
    let given = given.map(clean_line).filter(|text| !text.is_empty());
    let mut message = match given {
        Some(text) if is_conventional(&text) => text,
        Some(text) => format!("feat({}): {text}", area(files)),
        None => format!("feat({}): {}", area(files), summary(files)),
    };
    if let Some(reference) = reference.filter(|reference| !message.contains(reference)) {
        message.push(' ');
        message.push_str(&reference);
    }
    message
}

/// Whether a message has its own `type(area): `.
fn is_conventional(text: &str) -> bool {
    let Some((head, _)) = text.split_once(": ") else { return false };
    let head = head.strip_suffix('!').unwrap_or(head);
    let kind = head.split_once('(').map_or(head, |(kind, _)| kind);
    let area_is_closed = !head.contains('(') || head.ends_with(')');
    !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) && area_is_closed
}

/// What the files are about: the name of one, the folder of several.
fn area(files: &[String]) -> String {
    let parts = |file: &String| file.split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut common: Vec<String> = files.first().map(parts).unwrap_or_default();
    let file = common.pop().unwrap_or_default();
    if files.len() == 1 {
        let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or_default().to_owned();
        // These names say nothing; the folder does.
        return match (stem.as_str(), common.pop()) {
            ("default" | "configuration" | "hardware-configuration", Some(folder)) => folder,
            _ => stem,
        };
    }
    for other in &files[1..] {
        let other = parts(other);
        let same = common.iter().zip(&other[..other.len() - 1]).take_while(|(one, two)| one == two).count();
        common.truncate(same);
    }
    common.pop().unwrap_or_else(|| "config".to_owned())
}

fn summary(files: &[String]) -> String {
    match files {
        [file] => format!("change {file}"),
        [first, rest @ ..] => format!("change {first} and {}", plural(rest.len(), "more file")),
        [] => "change nothing".to_owned(),
    }
}

/// A pull request that will be opened when the deploy has gone well.
pub(super) struct Publishing {
    folder: PathBuf,
    forge: Forge,
    spec: PullRequestSpec,
    branch: String,
    /// The commit that is published: what was deployed, whatever is checked out later.
    commit: String,
    issue: Option<u64>,
    pub(super) markdown: KeptMarkdown,
}

/// Looks whether a pull request can be opened at all, before anything is done. It is
/// for the commit that is checked out, or for that of an interrupted run that is taken
/// up, where another one is checked out now.
pub(super) async fn prepare(
    arguments: &DeployArgs,
    folder: &Path,
    spec: PullRequestSpec,
    resumed: Option<&SourceState>,
    token: Option<Secret>,
) -> Result<Option<Publishing>, CommandError> {
    if !arguments.pr {
        return Ok(None);
    }
    let usage = |message: String, hint: String| CommandError::new(FailureClass::Usage, message).hint(hint);
    let state = git::source_state(folder)
        .await
        .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    let state = state.ok_or_else(|| {
        usage("--pr needs a git repository".to_owned(), format!("{} is in none", folder.display()))
    })?;
    let state = resumed.cloned().unwrap_or(state);
    let branch = state.branch.ok_or_else(|| {
        usage("--pr needs a branch, and none is checked out".to_owned(), "git switch -c NAME".to_owned())
    })?;
    let commit = state.commit.ok_or_else(|| {
        usage("--pr needs a commit, and there is none yet".to_owned(), "git commit".to_owned())
    })?;
    let url = commit::remote(folder, &spec.remote).await.ok_or_else(|| {
        usage(
            format!("--pr needs the remote {}, which the repository does not have", spec.remote),
            "git remote add, or `remote` in [pull_request] of hosts.toml".to_owned(),
        )
    })?;
    let repository = spec.repository.clone().or_else(|| forge::repository_of(&url)).ok_or_else(|| {
        usage(
            format!("{url} does not say which repository of GitHub it is"),
            "set `repository = \"owner/name\"` in [pull_request] of hosts.toml".to_owned(),
        )
    })?;
    let token = match token {
        Some(token) => Some(token),
        None => token::of_cli(&spec.api_url).await,
    };
    let token = token.ok_or_else(|| {
        usage(
            "--pr needs a token for GitHub, and there is none".to_owned(),
            "set GITHUB_TOKEN, or `gh auth login`".to_owned(),
        )
    })?;
    if spec.base.as_deref() == Some(branch.as_str()) {
        return Err(same_branch(&branch));
    }
    let forge = Forge::new(&spec.api_url, &repository, &token)
        .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
    let (folder, markdown) = (folder.to_owned(), KeptMarkdown::default());
    Ok(Some(Publishing { folder, forge, spec, branch, commit, issue: arguments.issue, markdown }))
}

fn same_branch(branch: &str) -> CommandError {
    CommandError::new(FailureClass::Usage, format!("a pull request from {branch} into itself cannot be opened"))
        .hint("make a branch for the change: git switch -c NAME")
}

impl Publishing {
    /// What is published is this commit, which was made for it.
    pub(super) fn pin(&mut self, commit: String) {
        self.commit = commit;
    }

    /// Pushes and opens, when the deploy went well, and gives the exit code of
    /// the whole: a deploy that failed keeps its own.
    pub(super) async fn finish(self, deployed: ExitCode) -> ExitCode {
        if deployed != exit::OK {
            say("no pull request was opened, because the deploy did not go well");
            return deployed;
        }
        match self.open().await {
            Ok(text) => {
                say(&text);
                exit::OK
            }
            Err(failure) => {
                say("the deploy went well; its pull request did not:");
                tell(failure);
                exit::UNEXPECTED
            }
        }
    }

    async fn open(&self) -> Result<String, Failure> {
        let refused = |error: ForgeError| {
            Failure::from_error(FailureClass::Unexpected, &error)
                .hint("open it by hand; the branch is pushed if nothing above says otherwise")
        };
        let base = match &self.spec.base {
            Some(base) => base.clone(),
            None => self.forge.default_branch().await.map_err(refused)?,
        };
        if base == self.branch {
            return Err(Failure::new(
                FailureClass::Usage,
                format!("a pull request from {base} into itself cannot be opened"),
            )
            .hint("nothing was pushed; make a branch for the change: git switch -c NAME"));
        }
        let Self { spec, commit, branch, .. } = self;
        commit::push(&self.folder, &spec.remote, commit, branch).await.map_err(|error| {
            Failure::from_error(FailureClass::Unexpected, &error).evidence(error.said().to_vec()).hint(format!(
                "git push {} {}:refs/heads/{branch}",
                spec.remote,
                short(commit)
            ))
        })?;
        let title = commit::subject(&self.folder, commit)
            .await
            .map_err(|error| Failure::from_error(FailureClass::Unexpected, &error))?;
        let report = self.markdown.get().unwrap_or("The deploy's report is missing.");
        let body = match self.issue {
            Some(number) => format!("For #{number}.\n\n{report}"),
            None => report.to_owned(),
        };
        let wanted = PullRequest { title, head: self.branch.clone(), base, body };
        let opened = self.forge.open(&wanted).await.map_err(refused)?;
        let word = if opened.is_old { "was open already, and has the new commits" } else { "is open" };
        Ok(format!("pull request #{} {word}: {}", opened.number, opened.url))
    }
}

fn say(text: &str) {
    // Standard error that is gone has no reader left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", clean_line(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(given: Option<&str>, files: &[&str], issue: Option<u64>) -> String {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        message(given, &files, issue)
    }

    #[test]
    fn a_message_names_area_change_and_issue() {
        type Row = (Option<&'static str>, &'static [&'static str], Option<u64>, &'static str);
        let rows: [Row; 8] = [
            (None, &["hosts/p620.nix"], Some(123), "feat(p620): change hosts/p620.nix (#123)"),
            (None, &["hosts/p620/default.nix"], None, "feat(p620): change hosts/p620/default.nix"),
            (
                None,
                &["modules/web/a.nix", "modules/web/b/c.nix"],
                None,
                "feat(web): change modules/web/a.nix and 1 more file",
            ),
            (None, &["flake.lock", "hosts/a.nix"], None, "feat(config): change flake.lock and 1 more file"),
            (Some("serve grafana"), &["hosts/p620.nix"], Some(7), "feat(p620): serve grafana (#7)"),
            (Some("fix(web): close port"), &["x.nix"], Some(7), "fix(web): close port (#7)"),
            (Some("fix!: close port (#7)"), &["x.nix"], Some(7), "fix!: close port (#7)"),
            (Some("Web: close\nport"), &[".gitignore"], None, "feat(gitignore): Web: close port"),
        ];
        for (given, files, issue, expected) in rows {
            assert_eq!(composed(given, files, issue), expected);
        }
    }
}
