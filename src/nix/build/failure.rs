//! Why a target was not built, read from what Nix said.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::exec::ExecError;
use crate::model::{StorePath, text};
use crate::nix::CopyError;
use crate::nix::error::{exec_hints, is_full_disk};
use crate::nix::run::Said;
use crate::nix::transcript::BuilderLog;

/// A derivation that failed by itself, not because of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedDerivation {
    /// The derivation.
    pub(crate) drv_path: StorePath,
    /// Why, one line: `builder failed with exit code 3`.
    pub(crate) reason: String,
    /// The last lines its builder printed.
    pub(crate) tail: Vec<String>,
    /// Where everything its builder printed is.
    pub(crate) log: Option<PathBuf>,
}

/// Why a target was not built. It is cloned for every host it concerns.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// A derivation failed: the target's own or one it needs.
    #[error("{} failed to build: {}{}", name(.first), .first.reason, and_others(.others.len()))]
    Failed {
        /// The first derivation that failed.
        first: Box<FailedDerivation>,
        /// Others that the target needs and that failed too.
        others: Vec<FailedDerivation>,
    },
    /// Garbage collection took the derivation between evaluation and build.
    #[error("the derivation is no longer in the store: {message}")]
    Collected {
        /// What Nix said.
        message: String,
    },
    /// Nix failed and named no derivation.
    #[error("{message}")]
    Nix {
        /// What Nix said last.
        message: String,
        /// Where everything it said is.
        log: PathBuf,
    },
    /// The derivations could not be sent to the store that builds.
    #[error("cannot send the derivations to the builder")]
    Send(#[source] Arc<CopyError>),
    /// Nix could not be run to its end.
    #[error("cannot run the build")]
    Exec(#[source] Arc<ExecError>),
}

/// How a build that did not succeed ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// With an exit code, or by a signal.
    Code(Option<i32>),
    /// It could not be run to its end.
    Exec(Arc<ExecError>),
}

impl FailedDerivation {
    pub(super) fn new(drv_path: StorePath, reason: &str, log: BuilderLog) -> Self {
        let (reason, quoted) = reason_and_tail(reason);
        let tail = if log.tail.is_empty() { quoted } else { log.tail };
        Self { drv_path, reason, tail, log: log.file }
    }
}

impl BuildError {
    pub(super) fn judge(culprits: Vec<FailedDerivation>, said: &Said, ended: &Ended, log: &Path) -> Self {
        let mut culprits = culprits.into_iter();
        if let Some(first) = culprits.next() {
            return Self::Failed { first: Box::new(first), others: culprits.collect() };
        }
        let code = match ended {
            Ended::Exec(error) => return Self::Exec(Arc::clone(error)),
            Ended::Code(code) => *code,
        };
        let message = said.errors.last().map(|error| match &error.error {
            Some(parts) => parts.message.clone(),
            None => without_prefix(&error.text).to_owned(),
        });
        let message = message.or_else(|| said.plain.last().cloned()).unwrap_or_else(|| match code {
            Some(code) => format!("nix-store ended with exit code {code} and no message"),
            None => "nix-store was ended by a signal".to_owned(),
        });
        if is_missing_derivation(&message) {
            return Self::Collected { message };
        }
        Self::Nix { message, log: log.to_owned() }
    }

    /// The same where it was built on a host, with its name.
    pub(crate) fn message_on(&self, host: &str) -> String {
        match self {
            Self::Failed { first, others } => format!(
                "{} failed to build on {host}: {}{}",
                name(first),
                first.reason,
                and_others(others.len())
            ),
            other => other.to_string(),
        }
    }

    /// Whether a disk is full where it is built.
    pub(crate) fn is_full_disk(&self) -> bool {
        match self {
            Self::Failed { first, others } => std::iter::once(first.as_ref()).chain(others).any(|failed| {
                is_full_disk(&failed.reason) || failed.tail.iter().any(|line| is_full_disk(line))
            }),
            Self::Nix { message, .. } => is_full_disk(message),
            Self::Send(error) => matches!(error.as_ref(), CopyError::NoSpace { .. }),
            Self::Collected { .. } | Self::Exec(_) => false,
        }
    }

    /// What is said of the connection to the store that builds, when it was lost.
    pub(crate) fn lost_connection(&self) -> Option<String> {
        match self {
            Self::Nix { message, .. } if CopyError::is_connection(message) => Some(message.clone()),
            Self::Send(error) => match error.as_ref() {
                CopyError::Connection { .. } | CopyError::Stalled { .. } => Some(error.to_string()),
                _ => None,
            },
            _ => None,
        }
    }

    /// What Nix says of a binary cache that could not deliver, when that is the
    /// reason.
    pub(crate) fn dead_cache(&self) -> Option<&str> {
        const WORDS: [&str; 3] =
            ["unable to download", "some substitutes for the outputs", "failed to substitute"];
        let says_so = |text: &&str| WORDS.iter().any(|words| text.contains(words));
        match self {
            Self::Failed { first, others } => {
                let failed = std::iter::once(first.as_ref()).chain(others);
                failed.map(|failed| failed.reason.as_str()).find(says_so)
            }
            Self::Nix { message, .. } => Some(message.as_str()).filter(says_so),
            Self::Collected { .. } | Self::Send(_) | Self::Exec(_) => None,
        }
    }

    /// Whether a machine of another kind could build it.
    pub(crate) fn needs_other_machine(&self) -> bool {
        matches!(self, Self::Failed { first, .. } if system_hint(&first.reason).is_some())
    }

    /// The last lines of the failing builder's log.
    pub(crate) fn evidence(&self) -> Vec<String> {
        match self {
            Self::Failed { first, .. } => first.tail.clone(),
            _ => Vec::new(),
        }
    }

    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Failed { first, others } => {
                let mut hints: Vec<String> = Vec::new();
                hints.extend(system_hint(&first.reason));
                hints.extend(hash_hint(&first.reason));
                for failed in std::iter::once(first.as_ref()).chain(others) {
                    let name = name(failed);
                    if let Some(log) = &failed.log {
                        hints.push(format!("the whole log of {name} is in {}", log.display()));
                    }
                    hints.push(match failed.log {
                        Some(_) => format!("Nix keeps it where it was built: `nix log {}`", failed.drv_path),
                        None => format!("see the log of {name} with `nix log {}`", failed.drv_path),
                    });
                }
                hints
            }
            Self::Collected { .. } => vec!["run it again: evaluation makes the derivation anew".to_owned()],
            Self::Nix { log, .. } => vec![format!("everything Nix said is in {}", log.display())],
            Self::Send(error) => error.hints(),
            Self::Exec(error) => exec_hints(error),
        }
    }
}

/// The derivations that failed by themselves with what Nix says about each, in
/// the order of their failing.
///
/// 2.8 to 2.26: `builder for '/nix/store/….drv' failed with exit code 3`; 2.34:
/// `Cannot build '/nix/store/….drv'.` and a `Reason:` line. Other failures name
/// their derivation in quotes too (hash mismatch, timeout, wrong system).
pub(super) fn failed_derivations(said: &Said) -> Vec<(StorePath, String)> {
    let mut failed: Vec<(StorePath, String)> = Vec::new();
    for error in &said.errors {
        let message = match &error.error {
            Some(parts) => parts.message.as_str(),
            None => without_prefix(&error.text),
        };
        if is_consequence(message) || is_missing_derivation(message) {
            continue;
        }
        if let Some(drv) = quoted_derivation(message)
            && !failed.iter().any(|(known, _)| *known == drv)
        {
            failed.push((drv, message.to_owned()));
        }
    }
    failed
}

/// Whether an error only repeats that another one happened.
fn is_consequence(message: &str) -> bool {
    message.starts_with("build of ")
        || message.contains("dependencies of derivation")
        || message.contains("dependency of derivation")
        || message.contains("Reason: 1 dependency failed")
        || (message.contains("Reason: ") && message.contains(" dependencies failed"))
}

/// Whether a derivation is not in the store: `cannot build missing derivation
/// '….drv'` (2.8, 2.26), `failed to obtain derivation of '….drv'` (2.34), `path
/// '….drv' is not valid`, `… does not exist`.
fn is_missing_derivation(message: &str) -> bool {
    message.contains(".drv")
        && ["missing derivation", "failed to obtain derivation", "is not valid", "does not exist"]
            .iter()
            .any(|words| message.contains(words))
}

fn quoted_derivation(message: &str) -> Option<StorePath> {
    message.split('\'').find(|part| part.ends_with(".drv")).and_then(|path| StorePath::new(path).ok())
}

fn without_prefix(text: &str) -> &str {
    text.trim().strip_prefix("error:").unwrap_or(text).trim()
}

/// The one line that says why, and the lines of the log that Nix quotes.
fn reason_and_tail(message: &str) -> (String, Vec<String>) {
    let told = message.lines().find_map(|line| line.trim().strip_prefix("Reason: "));
    let first = message.lines().next().unwrap_or_default();
    let reason = match told {
        Some(reason) => reason.to_owned(),
        None if first.starts_with("builder for ") => match first.rsplit_once("' ") {
            Some((_, rest)) => format!("builder {rest}"),
            None => first.to_owned(),
        },
        // A hash mismatch says the two hashes on the lines that follow.
        None if first.starts_with("hash mismatch") => text::clean_line(&squeeze(message)),
        None => first.to_owned(),
    };
    let tail = message
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('>'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect();
    (reason.trim_end_matches(['.', ';', ':']).to_owned(), tail)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(failed: &FailedDerivation) -> &str {
    failed.drv_path.name().trim_end_matches(".drv")
}

fn and_others(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {})", text::plural(count, "other derivation")) }
}

fn system_hint(reason: &str) -> Option<String> {
    let wrong = reason.contains("is required to build")
        || reason.contains("platform mismatch")
        || reason.contains("required system");
    wrong.then(|| {
        "build it where that system runs: build_on = \"target\", or a remote builder in nix.conf".to_owned()
    })
}

fn hash_hint(reason: &str) -> Option<String> {
    reason
        .starts_with("hash mismatch")
        .then(|| "the source changed: update its hash, or find out why it changed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_derivations_that_failed_by_themselves_are_named() {
        for log in [
            include_str!("../../../tests/fixtures/nix/2.8/build-failure.log"),
            include_str!("../../../tests/fixtures/nix/2.26/build-failure.log"),
            include_str!("../../../tests/fixtures/nix/2.34/build-failure.log"),
            include_str!("../../../tests/fixtures/nix/2.8/build-failure-daemon.log"),
            include_str!("../../../tests/fixtures/nix/2.26/build-failure-daemon.log"),
            include_str!("../../../tests/fixtures/nix/2.34/build-failure-daemon.log"),
        ] {
            let failed: Vec<_> = failed_derivations(&Said::of_log(log))
                .into_iter()
                .map(|(drv, reason)| FailedDerivation::new(drv, &reason, BuilderLog::default()))
                .map(|failed| (name(&failed).to_owned(), failed.reason))
                .collect();
            let expected = [
                ("broken-3.0".to_owned(), "builder failed with exit code 3".to_owned()),
                ("nixos-system-broken2-25.05".to_owned(), "builder failed with exit code 1".to_owned()),
            ];
            assert_eq!(failed, expected);
        }
    }

    #[test]
    fn the_quoted_log_serves_when_there_is_no_other() {
        for log in [
            include_str!("../../../tests/fixtures/nix/2.8/build-failure-single.log"),
            include_str!("../../../tests/fixtures/nix/2.26/build-failure-single.log"),
            include_str!("../../../tests/fixtures/nix/2.34/build-failure-single.log"),
        ] {
            let (drv, reason) = failed_derivations(&Said::of_log(log)).pop().unwrap();
            let failed = FailedDerivation::new(drv, &reason, BuilderLog::default());
            assert_eq!(failed.reason, "builder failed with exit code 1");
            assert_eq!(failed.tail, ["about to fail"]);
        }
    }

    #[test]
    fn the_failing_derivation_and_its_log_are_named() {
        let drv = StorePath::new("/nix/store/rbh1z00a3b6li9xwzcc4kcxd19nqln5w-broken-3.0.drv").unwrap();
        let log = BuilderLog { tail: Vec::new(), file: Some(PathBuf::from("/run/broken.log")) };
        let reason = format!("builder for '{drv}' failed with exit code 3");
        let first = FailedDerivation::new(drv, &reason, log);
        let error = BuildError::Failed { first: Box::new(first), others: Vec::new() };
        assert_eq!(error.to_string(), "broken-3.0 failed to build: builder failed with exit code 3");
        let there = "broken-3.0 failed to build on p620: builder failed with exit code 3";
        assert_eq!(error.message_on("p620"), there);
        let hints = error.hints().join("\n");
        assert!(hints.contains("/run/broken.log"), "{hints}");
        let command = "`nix log /nix/store/rbh1z00a3b6li9xwzcc4kcxd19nqln5w-broken-3.0.drv`";
        assert!(hints.contains(command), "{hints}");
    }

    #[test]
    fn other_ways_to_fail_are_read() {
        // Wordings of nix/src/libstore (2.8 and 2.26).
        let drv = "/nix/store/rbh1z00a3b6li9xwzcc4kcxd19nqln5w-broken-3.0.drv";
        let mismatch = format!(
            "hash mismatch in fixed-output derivation '{drv}':\n  specified: sha256-A\n     got:    sha256-B"
        );
        let (reason, _) = reason_and_tail(&mismatch);
        assert!(reason.ends_with("specified: sha256-A got: sha256-B"), "{reason}");
        assert!(hash_hint(&reason).is_some());
        let system = format!(
            "a 'aarch64-linux' with features {{}} is required to build '{drv}', but I am a 'x86_64-linux'"
        );
        assert_eq!(quoted_derivation(&system).unwrap().as_str(), drv);
        assert!(system_hint(&system).is_some());
        assert!(is_consequence("2 dependencies of derivation '/nix/store/x.drv' failed to build"));
        assert!(is_consequence("Cannot build '/nix/store/x.drv'.\nReason: 2 dependencies failed."));
    }
}
