//! What goes wrong between us and a host, told apart by what a person does
//! about it: "unreachable" is not "refused", and neither is "failed".

use std::time::Duration;

use crate::model::text::{clean_line, duration};
use crate::model::{Failure, FailureClass};

/// Why a host could not be asked or did not answer well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    /// No connection came about.
    #[error("{address} cannot be reached")]
    Unreachable { address: String, detail: String },
    /// The address has no meaning to the resolver.
    #[error("the name {address} cannot be resolved")]
    Unresolved { address: String, detail: String },
    /// Its key is in no known_hosts file.
    #[error("the host key of {address} is not known")]
    HostKeyUnknown { address: String, detail: String },
    /// It shows another key than the one on record.
    #[error("the host key of {address} is not the one on record")]
    HostKeyChanged { address: String, detail: String },
    /// The login was refused.
    #[error("{address} refused the login")]
    LoginRefused { address: String, detail: String },
    /// The login user cannot become root.
    #[error("the login user cannot become root on {address}")]
    Elevation { address: String, detail: String },
    /// sudo asks for a password and takes another one.
    #[error("the sudo password was not accepted: the login user cannot become root on {address}")]
    Password { address: String, detail: String },
    /// There is no ssh on this machine.
    #[error("ssh is not installed here, or not on PATH: {address} cannot be reached")]
    NoSsh { address: String },
    /// The connection broke while a script ran.
    #[error("the connection to {address} was lost")]
    Lost { address: String, detail: String },
    /// A script took longer than allowed.
    #[error("{address} did not answer within {}", duration(*.deadline))]
    Deadline { address: String, deadline: Duration },
    /// A script ended with an error.
    #[error("a command on {address} ended with exit code {code}")]
    Script { address: String, code: i32, stderr: Vec<String> },
    /// The answer makes no sense.
    #[error("the answer of {address} cannot be read")]
    Answer { address: String, detail: String },
    /// Somebody else has activated a system while the new one is looked at.
    #[error("somebody else activated another system on {address} meanwhile")]
    Overtaken { address: String, detail: String },
    /// It runs its old system again while the new one is looked at.
    #[error("{address} went back by itself before the change was confirmed")]
    WentBack { address: String, detail: String },
    /// Something on our side.
    #[error("cannot prepare the connection to {address}")]
    Local { address: String, detail: String },
}

impl HostError {
    /// Sorts what ssh said when a connection did not come about.
    pub(crate) fn from_ssh(address: &str, output: &str) -> Self {
        let address = address.to_owned();
        let detail = clean_line(output);
        let said = |texts: &[&str]| texts.iter().any(|text| output.contains(text));
        if said(&["IDENTIFICATION HAS CHANGED", "host key for", "Host key for"])
            && said(&["changed", "CHANGED"])
        {
            Self::HostKeyChanged { address, detail }
        } else if said(&["Host key verification failed", "key is known for", "No matching host key"]) {
            Self::HostKeyUnknown { address, detail }
        } else if said(&["Could not resolve hostname", "Name or service not known"]) {
            Self::Unresolved { address, detail }
        } else if said(&["Permission denied", "Too many authentication failures", "no such identity"]) {
            Self::LoginRefused { address, detail }
        } else {
            Self::Unreachable { address, detail }
        }
    }

    /// Sorts what the elevating program said when a script did not start.
    pub(crate) fn not_started(address: &str, stderr: &[String]) -> Self {
        let text = stderr.join("\n");
        let said = |texts: &[&str]| texts.iter().any(|needle| text.contains(needle));
        let detail = clean_line(&text);
        let address = address.to_owned();
        let refused =
            ["sudo:", "sudoers", "doas:", "run0", "password", "Authentication", "Access denied", "not allowed"];
        if said(&refused) { Self::Elevation { address, detail } } else { Self::Lost { address, detail } }
    }

    /// Sorts what sudo said when it had been given one password and nothing else.
    pub(crate) fn password_refused(address: &str, stderr: &[String]) -> Self {
        // With these the password was right, or did not matter.
        let other =
            ["sudoers", "not allowed", "may not run", "not found", "setuid", "account management", "expired"];
        match Self::not_started(address, stderr) {
            Self::Elevation { address, detail } if !other.iter().any(|words| detail.contains(words)) => {
                Self::Password { address, detail }
            }
            error => error,
        }
    }

    /// The same for whom it makes no difference why the login user cannot become root.
    pub(crate) fn into_elevation(self) -> Self {
        match self {
            Self::Password { address, detail } => {
                Self::Elevation { address, detail: format!("the sudo password was not accepted: {detail}") }
            }
            other => other,
        }
    }

    /// Whether another attempt may go better.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. } | Self::Deadline { .. })
    }

    /// The cause in the words of ssh or the host; empty when there is none.
    fn detail(&self) -> String {
        match self {
            Self::Unreachable { detail, .. }
            | Self::Unresolved { detail, .. }
            | Self::HostKeyUnknown { detail, .. }
            | Self::HostKeyChanged { detail, .. }
            | Self::LoginRefused { detail, .. }
            | Self::Elevation { detail, .. }
            | Self::Password { detail, .. }
            | Self::Lost { detail, .. }
            | Self::Answer { detail, .. }
            | Self::Overtaken { detail, .. }
            | Self::WentBack { detail, .. }
            | Self::Local { detail, .. } => detail.clone(),
            Self::Script { stderr, .. } => clean_line(&stderr.join("\n")),
            Self::Deadline { .. } | Self::NoSsh { .. } => String::new(),
        }
    }

    /// What a person does next.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Unreachable { address, .. } => vec![
                format!("is the host awake, and does `ssh {address}` work from here?"),
                "nothing was changed; run the same command again when it is back".to_owned(),
            ],
            Self::Unresolved { .. } => vec!["set `address` of this host in hosts.toml".to_owned()],
            Self::HostKeyUnknown { address, .. } => vec![format!(
                "log in once with `ssh {address}` and compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host's console"
            )],
            Self::HostKeyChanged { address, .. } => vec![
                "if the host was not installed anew, somebody may be between you and it: do not go on".to_owned(),
                format!("if it was, remove the old key with `ssh-keygen -R {address}` and log in once"),
            ],
            Self::LoginRefused { .. } => vec![
                "set `user` or `identity_file` of this host in hosts.toml, or load the key with `ssh-add`".to_owned(),
                "the user's public key belongs to users.users.<name>.openssh.authorizedKeys.keys on the host".to_owned(),
            ],
            Self::Elevation { .. } => vec![
                "log in as root, or let the user elevate: security.sudo.extraRules (see the README, \"Users and sudo\")".to_owned(),
                "a sudo password is asked at a terminal, or read from NIX_DEPLOY_SUDO_PASSWORD".to_owned(),
            ],
            Self::Password { .. } => vec![
                "it is the password of the login user on that host: asked at a terminal, or read from NIX_DEPLOY_SUDO_PASSWORD"
                    .to_owned(),
            ],
            Self::NoSsh { .. } => vec!["install the OpenSSH client, or put ssh on PATH".to_owned()],
            Self::Lost { .. } | Self::Deadline { .. } => {
                vec!["run the same command again: it finds out where the host stands".to_owned()]
            }
            Self::Overtaken { .. } => {
                vec!["what they activated was left as it is; find out who, and run the same command again".to_owned()]
            }
            Self::WentBack { .. } => vec![
                "the way to it was cut, or nix-deploy stood still, for longer than rollback.confirm_timeout: run the same command again".to_owned(),
            ],
            Self::Script { .. } | Self::Answer { .. } | Self::Local { .. } => Vec::new(),
        }
    }

    /// The failure of a step on this host: not reached or not fit.
    pub(crate) fn failure(&self) -> Failure {
        let class = match self {
            Self::Local { .. } => FailureClass::Unexpected,
            Self::NoSsh { .. } => FailureClass::Usage,
            _ => FailureClass::Unfit,
        };
        let mut failure = Failure::new(class, self.to_string());
        let detail = self.detail();
        if !detail.is_empty() {
            failure = failure.cause(detail);
        }
        failure.hints = self.hints();
        failure.unreached = matches!(
            self,
            Self::Unreachable { .. } | Self::Unresolved { .. } | Self::Lost { .. } | Self::Deadline { .. }
        );
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_told_apart() {
        let cases = [
            ("connect to host 10.0.0.9 port 22: Connection timed out", "unreachable"),
            ("connect to host x port 22: Connection refused", "unreachable"),
            ("Could not resolve hostname nohost: Name or service not known", "unresolved"),
            (
                "No ED25519 host key is known for p and you have requested strict checking.\nHost key verification failed.",
                "key unknown",
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key for p has changed and you have requested strict checking.\nHost key verification failed.",
                "key changed",
            ),
            ("deploy@p: Permission denied (publickey).", "refused"),
            ("kex_exchange_identification: Connection closed by remote host", "unreachable"),
        ];
        for (output, expected) in cases {
            let kind = match HostError::from_ssh("p", output) {
                HostError::Unreachable { .. } => "unreachable",
                HostError::Unresolved { .. } => "unresolved",
                HostError::HostKeyUnknown { .. } => "key unknown",
                HostError::HostKeyChanged { .. } => "key changed",
                HostError::LoginRefused { .. } => "refused",
                _ => "other",
            };
            assert_eq!(kind, expected, "{output}");
        }
    }

    #[test]
    fn a_refused_elevation_is_told_from_a_lost_connection() {
        let sudo = ["sudo: a password is required".to_owned()];
        assert!(matches!(HostError::not_started("p", &sudo), HostError::Elevation { .. }));
        assert!(matches!(HostError::not_started("p", &[]), HostError::Lost { .. }));
    }

    #[test]
    fn a_wrong_password_is_told_from_a_missing_rule() {
        let judge = |said: &[&str]| {
            let stderr: Vec<String> = said.iter().map(|line| (*line).to_owned()).collect();
            HostError::password_refused("p", &stderr)
        };
        // sudo 1.9 and sudo-rs, given one line and then the end of file.
        for said in [
            &["Sorry, try again.", "sudo: no password was provided", "sudo: 1 incorrect password attempt"][..],
            &["sudo: Authentication failed, try again.", "sudo: Authentication required but not attempted"],
        ] {
            let error = judge(said);
            assert!(matches!(error, HostError::Password { .. }), "{error:?}");
            assert!(error.to_string().contains("not accepted") && !error.is_transient());
            assert!(matches!(error.into_elevation(), HostError::Elevation { .. }));
        }
        for said in
            ["deploy is not in the sudoers file.", "Sorry, user deploy is not allowed to execute '/bin/sh'"]
        {
            assert!(matches!(judge(&["sudo: x", said]), HostError::Elevation { .. }), "{said}");
        }
        assert!(matches!(judge(&[]), HostError::Lost { .. }));
    }

    #[test]
    fn a_missing_ssh_is_no_host_that_sleeps() {
        let error = HostError::NoSsh { address: "p".to_owned() };
        assert!(!error.is_transient());
        let failure = error.failure();
        assert_eq!(failure.class, FailureClass::Usage);
        assert!(failure.message.contains("ssh is not installed here") && failure.hints[0].contains("OpenSSH"));
    }

    #[test]
    fn every_remedy_of_a_refusal_is_named() {
        let error = HostError::from_ssh("p", "deploy@p: Permission denied (publickey).");
        let failure = error.failure();
        assert_eq!(failure.class, FailureClass::Unfit);
        assert!(!failure.hints.is_empty() && failure.causes[0].contains("Permission denied"));
        assert!(!failure.unreached, "it answered");
    }
}
