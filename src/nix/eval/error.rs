//! Why a host could not be evaluated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::exec::ExecError;
use crate::nix::error::{exec_hints, is_full_disk, is_without_git, untracked_hint};
use crate::nix::run::Said;

/// How many lines of a trace are kept, innermost first.
const TRACE_LINES: usize = 8;

/// Why a host could not be evaluated. It is cloned for every host it concerns.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum EvalError {
    /// The flake has no such host.
    #[error("the flake has no nixosConfigurations.{attribute}; it has {}", listed(.available))]
    Missing {
        /// What was looked for.
        attribute: String,
        /// The most similar name, when one is similar.
        nearest: Option<String>,
        /// All names the flake has.
        available: Vec<String>,
    },
    /// The flake has no hosts at all.
    #[error("{flake} has no nixosConfigurations")]
    NoConfigurations {
        /// The flake reference.
        flake: String,
    },
    /// There is no flake.
    #[error("there is no flake at {flake}")]
    NoFlake {
        /// The flake reference.
        flake: String,
        /// What Nix said.
        message: String,
    },
    /// Nix found an error in the configuration.
    #[error("{message}")]
    Failed {
        /// Nix' own message, without position and trace.
        message: String,
        /// `file:line:column` inside the flake or an input, when known.
        position: Option<String>,
        /// How evaluation got there, innermost first.
        trace: Vec<String>,
        /// Where everything Nix said is.
        log: PathBuf,
        /// What to do about it, as far as the text tells.
        hints: Vec<String>,
    },
    /// Nix ended without a word; a kill for lack of memory looks like this.
    #[error("nix ended without a message ({})", .code.map_or("by a signal".to_owned(), |code| format!("exit code {code}")))]
    Silent {
        /// The exit code; `None` for a signal.
        code: Option<i32>,
        /// The last lines it printed.
        printed: Vec<String>,
    },
    /// The answer has another shape than expected.
    #[error("cannot read the answer of nix eval: {detail}")]
    Answer {
        /// What is wrong.
        detail: String,
        /// Where everything Nix said is.
        log: PathBuf,
    },
    /// Nix could not be run to its end.
    #[error("cannot run the evaluation")]
    Exec(#[source] Arc<ExecError>),
}

impl EvalError {
    /// Judges a failed call by what was said.
    pub(super) fn from_said(said: &Said, code: Option<i32>, flake: &str, log: &Path) -> Self {
        let Some(last) = said.errors.last() else {
            return Self::without_parts(said, code, log);
        };
        let flake = flake.to_owned();
        let (message, position, trace) = match &last.error {
            Some(error) => (error.message.clone(), error.position.clone(), error.trace.clone()),
            None => (without_prefix(&last.text), None, Vec::new()),
        };
        if message.contains("does not provide attribute") && message.contains("nixosConfigurations") {
            return Self::NoConfigurations { flake };
        }
        if message.contains("could not find a flake.nix file") {
            return Self::NoFlake { flake, message };
        }
        let trace = trace.iter().take(TRACE_LINES).map(|line| shorten(line)).collect();
        let hints = hints_of(&message);
        Self::Failed {
            message,
            position: position.map(|text| shorten(&text)),
            trace,
            log: log.to_owned(),
            hints,
        }
    }

    /// A stack overflow of 2.8 and a killed evaluator leave plain lines at most.
    fn without_parts(said: &Said, code: Option<i32>, log: &Path) -> Self {
        match said.plain.iter().rev().find(|line| line.starts_with("error:")) {
            Some(line) => {
                let message = without_prefix(line);
                let hints = hints_of(&message);
                Self::Failed { message, position: None, trace: Vec::new(), log: log.to_owned(), hints }
            }
            None => Self::Silent { code, printed: said.plain.iter().rev().take(5).rev().cloned().collect() },
        }
    }

    /// Whether memory ran out: the evaluator was killed, or says so itself.
    pub(crate) fn is_for_memory(&self) -> bool {
        const WORDS: [&str; 6] = [
            // Nix when an allocation fails; libstdc++; the kernel.
            "out of memory",
            "Out of memory",
            "std::bad_alloc",
            "Cannot allocate memory",
            // The garbage collector, which aborts then.
            "Out of Memory",
            "Too many heap sections",
        ];
        let says_so = |text: &String| WORDS.iter().any(|words| text.contains(words));
        match self {
            // A shell between us and Nix makes 137 of the kernel's SIGKILL.
            Self::Silent { code, printed } => matches!(code, None | Some(137)) || printed.iter().any(says_so),
            Self::Failed { message, .. } => says_so(message),
            Self::Missing { .. }
            | Self::NoConfigurations { .. }
            | Self::NoFlake { .. }
            | Self::Answer { .. }
            | Self::Exec(_) => false,
        }
    }

    /// Whether the disk of this machine is full.
    pub(crate) fn is_full_disk(&self) -> bool {
        matches!(self, Self::Failed { message, .. } if is_full_disk(message))
    }

    /// Whether it may be due to one host, so that the others deserve a try.
    pub(super) fn may_be_one_hosts(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Silent { .. } => true,
            Self::Missing { .. }
            | Self::NoConfigurations { .. }
            | Self::NoFlake { .. }
            | Self::Answer { .. }
            | Self::Exec(_) => false,
        }
    }

    /// Adds the hint to `git add` when the error is about a file in this list
    /// of untracked files (as `git status` names them).
    pub(crate) fn with_untracked(mut self, untracked: &[String]) -> Self {
        if let Self::Failed { message, hints, .. } = &mut self
            && hints.is_empty()
        {
            hints.extend(untracked_hint(message, untracked));
        }
        self
    }

    /// How evaluation got there, innermost first.
    pub(crate) fn trace(&self) -> &[String] {
        match self {
            Self::Failed { trace, .. } => trace,
            _ => &[],
        }
    }

    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { nearest, .. } => {
                nearest.iter().map(|name| format!("did you mean {name}?")).collect()
            }
            Self::NoConfigurations { .. } => {
                vec![
                    "the flake's outputs need nixosConfigurations.HOST = nixpkgs.lib.nixosSystem { … }"
                        .to_owned(),
                ]
            }
            Self::NoFlake { .. } => {
                vec!["set `flake` in hosts.toml to the folder that holds flake.nix".to_owned()]
            }
            Self::Failed { hints, log, .. } => {
                let mut hints = hints.clone();
                hints.push(format!("the whole trace is in {}", log.display()));
                hints
            }
            error @ Self::Silent { .. } if error.is_for_memory() => vec![
                "memory ran out, for this host alone: free some, or evaluate on a machine that has more"
                    .to_owned(),
            ],
            Self::Silent { .. } => Vec::new(),
            Self::Answer { log, .. } => vec![format!("what Nix printed is in {}", log.display())],
            Self::Exec(error) => exec_hints(error),
        }
    }
}

/// Hints that need nothing but the message.
fn hints_of(message: &str) -> Vec<String> {
    let mut hints: Vec<String> = untracked_hint(message, &[]).into_iter().collect();
    if is_without_git(message) {
        hints.push("install git: the flake is in a git repository, and Nix asks git about it".to_owned());
    }
    if message.contains("is not owned by current user") || message.contains("dubious ownership") {
        hints.push("git refuses a repository of another user: run as its owner, or `git config --global --add safe.directory DIR`".to_owned());
    }
    if message.contains("'file://") && message.contains("is not a valid URL") {
        hints.push(
            "this Nix cannot read a git repository whose path has a space or a letter beyond ASCII: move it, or \
             use a newer Nix (2.26 can)"
                .to_owned(),
        );
    }
    hints
}

/// The name that is most like the wanted one.
pub(super) fn nearest(wanted: &str, names: &[String]) -> Option<String> {
    let similarity = |name: &String| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    names
        .iter()
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name.clone())
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN),
        _ => names.join(", "),
    }
}

fn without_prefix(text: &str) -> String {
    text.strip_prefix("error:").unwrap_or(text).trim().to_owned()
}

/// Leaves out `/nix/store/…-source/`, which says nothing to a person.
fn shorten(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/nix/store/") {
        let path = &rest[start..];
        let end =
            path.find(|character: char| character.is_whitespace() || character == '\'').unwrap_or(path.len());
        let shown = path[..end].split_once("-source/").map_or(&path[..end], |(_, below)| below);
        short.push_str(&rest[..start]);
        short.push_str(shown);
        rest = &path[end..];
    }
    short.push_str(rest);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(log: &str) -> EvalError {
        EvalError::from_said(&Said::of_log(log), Some(1), ".", Path::new("/log"))
    }

    macro_rules! judged {
        ($name:literal) => {
            [
                judge(include_str!(concat!("../../../tests/fixtures/nix/2.8/", $name))),
                judge(include_str!(concat!("../../../tests/fixtures/nix/2.26/", $name))),
                judge(include_str!(concat!("../../../tests/fixtures/nix/2.34/", $name))),
            ]
        };
    }

    #[test]
    fn the_message_comes_first_and_positions_are_short() {
        for error in judged!("eval-typo.log") {
            assert_eq!(error.to_string(), "attribute 'missing' missing");
            let EvalError::Failed { position, trace, .. } = &error else { panic!("{error:?}") };
            // 2.34 names the file where it is, older versions its copy in the store.
            let position = position.as_deref().unwrap();
            assert!(["flake.nix:14:44", "/home/user/fleet/flake.nix:14:44"].contains(&position), "{position}");
            assert!(trace.iter().any(|line| line.contains("nixos-system-typo-25.05")), "{trace:?}");
            assert!(trace.iter().all(|line| !line.contains("-source")), "{trace:?}");
        }
        for error in judged!("eval-throw.log") {
            assert_eq!(error.to_string(), "the option `services.foo' does not exist");
        }
        for error in judged!("eval-syntax.log") {
            assert!(error.to_string().starts_with("syntax error, unexpected ';'"), "{error}");
        }
    }

    #[test]
    fn untracked_files_are_pointed_out_whatever_the_version() {
        let untracked = ["data.txt".to_owned(), "new-module.nix".to_owned()];
        for (errors, file) in [
            (judged!("eval-untracked-import.log"), "new-module.nix"),
            (judged!("eval-untracked-read.log"), "data.txt"),
        ] {
            for error in errors {
                let hints = error.with_untracked(&untracked).hints();
                assert!(hints[0].contains(&format!("`git add {file}`")), "{hints:?}");
            }
        }
        for error in judged!("eval-untracked-flake.log") {
            let hints = error.with_untracked(&["flake.nix".to_owned()]).hints();
            assert!(hints[0].contains("`git add flake.nix`"), "{hints:?}");
        }
    }

    #[test]
    fn a_flake_without_hosts_and_a_folder_without_flake_are_told_apart() {
        for error in judged!("eval-no-configurations.log") {
            assert!(matches!(error, EvalError::NoConfigurations { .. }), "{error:?}");
        }
        for error in judged!("eval-no-flake.log") {
            assert!(matches!(error, EvalError::NoFlake { .. }), "{error:?}");
        }
    }

    #[test]
    fn memory_that_ran_out_is_told_from_other_ends() {
        let silent = |code, printed: &[&str]| EvalError::Silent {
            code,
            printed: printed.iter().map(|&line| line.to_owned()).collect(),
        };
        assert!(silent(None, &[]).is_for_memory());
        assert!(silent(Some(137), &[]).is_for_memory());
        assert!(
            silent(Some(134), &["Too many heap sections: Increase MAXHINCR or MAX_HEAP_SECTS"]).is_for_memory()
        );
        assert!(!silent(Some(1), &["something else"]).is_for_memory());
        assert!(silent(None, &[]).hints()[0].contains("memory ran out"));
        let said = "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"error: out of memory\",\"raw_msg\":\"out of memory\"}";
        assert!(judge(said).is_for_memory());
        for error in judged!("eval-typo.log") {
            assert!(!error.is_for_memory());
        }
        let full = judge(
            "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"x\",\"raw_msg\":\"writing to file: No space left on device\"}",
        );
        assert!(full.is_full_disk() && !judge("").is_full_disk());
    }

    #[test]
    fn an_error_outside_the_log_format_is_found() {
        let error = judge(include_str!("../../../tests/fixtures/nix/2.8/eval-recursion.log"));
        assert_eq!(error.to_string(), "stack overflow (possible infinite recursion)");
    }

    #[test]
    fn a_path_that_an_old_nix_cannot_read_is_told_as_such() {
        // Nix 2.8, of a repository in `/home/ada/meine flotte`.
        let said = judge(
            "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"x\",\"raw_msg\":\"'file:///home/ada/meine flotte' is not a valid URL\"}",
        );
        assert!(said.hints()[0].contains("path has a space"), "{:?}", said.hints());
    }

    #[test]
    fn a_missing_host_names_the_nearest() {
        let names = ["p620", "p510", "razer", "samsung"].map(str::to_owned);
        assert_eq!(nearest("rasor", &names).as_deref(), Some("razer"));
        assert_eq!(nearest("P62O", &names).as_deref(), Some("p620"));
        assert_eq!(nearest("zzz", &names), None);
    }
}
