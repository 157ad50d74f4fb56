//! Why a copy failed, read from what Nix and ssh said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exec::ExecError;
use crate::model::text;
use crate::nix::error::exec_hints;
use crate::nix::run::Said;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// ssh could not connect, or the connection ended in the middle.
    #[error("lost the connection while copying: {message}")]
    Connection {
        /// What ssh or Nix said.
        message: String,
    },
    /// The target does not take unsigned paths from this login.
    #[error("the host refuses paths without a signature it trusts: {message}")]
    Untrusted {
        /// What Nix said.
        message: String,
    },
    /// The target's disk is full, in bytes or in inodes.
    #[error("no space left on the host: {message}")]
    NoSpace {
        /// What Nix said.
        message: String,
    },
    /// Nothing moved for too long.
    #[error("nothing was copied for {} ({doing})", text::duration(*.stall))]
    Stalled {
        /// How long.
        stall: Duration,
        /// What it was doing, with its counts.
        doing: String,
    },
    /// A binary cache could not be reached, and the copy could not do without.
    #[error("a binary cache cannot be reached: {message}")]
    Substituter {
        /// What Nix said.
        message: String,
    },
    /// The target has no Nix where a login without a terminal finds it.
    #[error("nix is not found on the host: {message}")]
    NoNix {
        /// What the host's shell said.
        message: String,
    },
    /// The login shell prints text into Nix' protocol.
    #[error("the login shell on the host prints text where Nix' answer should begin: {message}")]
    Noise {
        /// What Nix said, with the text.
        message: String,
    },
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What Nix said last.
        message: String,
        /// Where everything is.
        log: PathBuf,
    },
    /// Nix could not be run to its end.
    #[error("cannot run the copy")]
    Exec(#[source] ExecError),
}

/// The kinds that a text can be told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NoSpace,
    Untrusted,
    NoNix,
    Noise,
    Connection,
    Substituter,
}

/// Words that decide, in Nix 2.8 to 2.34 and OpenSSH; the first match counts.
/// Full disks come before lost connections, because a daemon that cannot write
/// hangs up.
const WORDS: [(&str, Kind); 25] = [
    ("No space left on device", Kind::NoSpace),
    ("Disk quota exceeded", Kind::NoSpace),
    ("database or disk is full", Kind::NoSpace),
    ("lacks a valid signature", Kind::Untrusted),
    ("lacks a signature by a trusted key", Kind::Untrusted),
    ("nix-daemon: not found", Kind::NoNix),
    ("nix-daemon: command not found", Kind::NoNix),
    ("nix-daemon: No such file", Kind::NoNix),
    ("protocol mismatch", Kind::Noise),
    ("Connection refused", Kind::Connection),
    ("Connection timed out", Kind::Connection),
    ("Connection reset", Kind::Connection),
    ("Connection closed", Kind::Connection),
    ("closed by remote host", Kind::Connection),
    ("not responding", Kind::Connection),
    ("No route to host", Kind::Connection),
    ("Could not resolve hostname", Kind::Connection),
    ("Permission denied (", Kind::Connection),
    ("Host key verification failed", Kind::Connection),
    ("Broken pipe", Kind::Connection),
    ("cannot open connection to remote store", Kind::Connection),
    ("unexpected end-of-file", Kind::Connection),
    ("disconnected unexpectedly", Kind::Connection),
    ("failed to start SSH connection", Kind::Connection),
    ("unable to download", Kind::Substituter),
];

impl CopyError {
    /// Whether a line of Nix or ssh says that the connection to a store was lost.
    pub(in crate::nix) fn is_connection(line: &str) -> bool {
        let said = WORDS.iter().find(|(word, _)| line.contains(word));
        said.is_some_and(|(_, kind)| *kind == Kind::Connection) && !line.contains("unable to download")
    }

    /// Judges a failed call by what was said.
    pub(super) fn from_said(said: &Said, code: Option<i32>, log: &Path) -> Self {
        let lines = said_lines(said);
        for (word, kind) in WORDS {
            // libcurl says "Could not resolve hostname" of a cache, too.
            let matches = |line: &&String| {
                line.contains(word) && (kind != Kind::Connection || !line.contains("unable to download"))
            };
            if let Some(message) = lines.iter().find(matches) {
                return Self::of(kind, message.clone());
            }
        }
        let message = lines.last().cloned().unwrap_or_else(|| match code {
            Some(code) => format!("nix copy ended with exit code {code} and no message"),
            None => "nix copy was ended by a signal".to_owned(),
        });
        Self::Other { message, log: log.to_owned() }
    }

    pub(super) fn from_exec(error: ExecError, said: &Said, doing: &str) -> Self {
        match error {
            // What ssh said before the silence tells more than the silence.
            ExecError::Stalled { .. }
                if said_lines(said).iter().any(|line| line.contains("not responding")) =>
            {
                Self::Connection { message: "the host stopped answering".to_owned() }
            }
            ExecError::Stalled { stall, .. } => Self::Stalled { stall, doing: doing.to_owned() },
            other => Self::Exec(other),
        }
    }

    fn of(kind: Kind, message: String) -> Self {
        match kind {
            Kind::NoSpace => Self::NoSpace { message },
            Kind::Untrusted => Self::Untrusted { message },
            Kind::NoNix => Self::NoNix { message },
            Kind::Noise => Self::Noise { message },
            Kind::Connection => Self::Connection { message },
            Kind::Substituter => Self::Substituter { message },
        }
    }

    /// The same, with the name of the host that it is about.
    pub(crate) fn message_on(&self, host: &str) -> String {
        match self {
            Self::Untrusted { message } => {
                format!("{host} refuses paths without a signature it trusts: {message}")
            }
            Self::NoSpace { message } => format!("no space left on {host}: {message}"),
            Self::NoNix { message } => format!("nix is not found on {host}: {message}"),
            Self::Noise { message } => {
                format!("the login shell on {host} prints text where Nix' answer should begin: {message}")
            }
            other => other.to_string(),
        }
    }

    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Connection { .. } | Self::Stalled { .. } => {
                "look at the network and run it again: paths that arrived are kept"
            }
            Self::Untrusted { .. } => {
                "add the login to nix.settings.trusted-users on the host, or log in as root, or sign the paths \
                 with a key of the host's trusted-public-keys"
            }
            Self::NoSpace { .. } => {
                "free space on the host: `nix-collect-garbage --delete-older-than 14d`; part of the copy stays until then"
            }
            Self::Substituter { .. } => "check the host's substituters, or copy without them",
            Self::NoNix { .. } => {
                "nix-daemon must be on the PATH of a login without a terminal; `ssh HOST nix-daemon --version` shows"
            }
            Self::Noise { .. } => {
                "let the user's shell rc files on the host print only for a person: begin them with \
                 `[[ $- == *i* ]] || return`; or set another `user` in hosts.toml"
            }
            Self::Other { log, .. } => {
                return vec![format!("everything that was said is in {}", log.display())];
            }
            Self::Exec(error) => return exec_hints(error),
        };
        vec![hint.to_owned()]
    }
}

/// What counts for the judgement, in the order of telling power: the lines of
/// ssh, then the errors of Nix. Warnings come first of all, so that the last
/// line is the error that ended it.
fn said_lines(said: &Said) -> Vec<String> {
    let errors = said.errors.iter().map(|error| match &error.error {
        Some(parts) => text::clean_line(&parts.message),
        None => text::clean_line(error.text.trim_start_matches("error:")),
    });
    said.warnings.iter().cloned().chain(said.plain.iter().cloned()).chain(errors).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(log: &str) -> CopyError {
        CopyError::from_said(&Said::of_log(log), Some(1), Path::new("/log"))
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
    fn captured_failures_of_every_version_are_told_apart() {
        for error in judged!("copy-nosig.log") {
            assert!(matches!(error, CopyError::Untrusted { .. }), "{error:?}");
        }
        for error in judged!("copy-full.log") {
            assert!(matches!(error, CopyError::NoSpace { .. }), "{error:?}");
            assert!(error.message_on("p620").starts_with("no space left on p620: "), "{error}");
        }
        for error in judged!("copy-cut.log") {
            assert!(matches!(error, CopyError::Connection { .. }), "{error:?}");
        }
        for error in judged!("copy-refuse.log") {
            assert_eq!(
                error.to_string(),
                "lost the connection while copying: ssh: connect to host target port 22: Connection refused"
            );
        }
        for error in judged!("copy-nonix.log") {
            assert!(matches!(error, CopyError::NoNix { .. }), "{error:?}");
        }
        let inodes = judge(include_str!("../../../tests/fixtures/nix/2.8/copy-inodes.log"));
        assert!(matches!(inodes, CopyError::NoSpace { .. }), "{inodes:?}");
    }

    #[test]
    fn a_cache_that_cannot_be_resolved_is_no_lost_connection() {
        let log = "@nix {\"action\":\"msg\",\"level\":0,\"raw_msg\":\"\",\"msg\":\"x\",\"raw_msg\":\"unable to download \
                   'http://cache.invalid/nix-cache-info': Could not resolve hostname (6)\"}";
        let log = log.replacen("\"raw_msg\":\"\",", "", 1);
        assert!(matches!(judge(&log), CopyError::Substituter { .. }));
    }

    #[test]
    fn text_of_the_login_shell_is_no_lost_connection() {
        let log = "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"x\",\"raw_msg\":\"cannot open connection to \
                   remote store 'ssh-ng://p620': error: protocol mismatch, got 'welcome'\"}";
        assert!(matches!(judge(log), CopyError::Noise { .. }));
    }

    #[test]
    fn what_nobody_knows_is_told_as_it_was_said() {
        let log = "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"error: odd\",\"raw_msg\":\"odd\"}";
        assert_eq!(judge(log).to_string(), "odd");
        assert_eq!(judge("").to_string(), "nix copy ended with exit code 1 and no message");
    }
}
