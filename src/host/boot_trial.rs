//! A new system's boot entry that is tried once, where systemd-boot is the boot
//! loader: a host that does not come up with it goes back to its old system at
//! the next boot. What happens on the host is in `templates/boot-trial.sh`.

use std::time::Duration;

use super::error::HostError;
use super::facts::PROFILE;
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::StorePath;
use crate::model::text::clean_line;

const BOOT_TRIAL: &str = include_str!("../../templates/boot-trial.sh");

/// Which systems a trial is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Systems<'a> {
    pub(crate) new: &'a StorePath,
    pub(crate) old: &'a StorePath,
}

/// A trial that is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    /// The entry that the next boot enters.
    pub(crate) new: String,
    /// The entry that every other boot enters meanwhile.
    pub(crate) old: String,
    /// The default that the firmware kept before; empty for none.
    kept: String,
}

/// What came of setting up a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The next boot is one.
    Trial(Trial),
    /// The boot loader is another one, or has no entry for one of the systems.
    None,
    /// It is systemd-boot, and the firmware takes no change.
    Refused,
}

/// How a trial ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The new system has proven itself: it is the default.
    Keep,
    /// There was no reboot.
    Withdraw,
    /// The host came up with the old system: profile and boot loader follow.
    Undo,
}

/// Sets up a trial for the next boot.
pub(crate) async fn begin(
    link: &Link,
    session: &Session,
    systems: Systems<'_>,
    deadline: Duration,
) -> Result<Answer, HostError> {
    let script = script("try", systems);
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    Ok(parse(&text))
}

/// The trial of another run that nobody has ended, if there is one.
pub(crate) async fn left(
    link: &Link,
    session: &Session,
    systems: Systems<'_>,
    deadline: Duration,
) -> Result<Option<Trial>, HostError> {
    let text = link.run_on(session, &script("left", systems), Privilege::Root, deadline).await?;
    Ok(match parse(&text) {
        Answer::Trial(trial) => Some(trial),
        Answer::None | Answer::Refused => None,
    })
}

/// Ends a trial.
pub(crate) async fn end(
    link: &Link,
    session: &Session,
    trial: (&Trial, End),
    systems: Systems<'_>,
    deadline: Duration,
) -> Result<(), HostError> {
    let what = match trial.1 {
        End::Keep => "keep",
        End::Withdraw => "withdraw",
        End::Undo => "undo",
    };
    let script = script(what, systems).set("KEPT", trial.0.kept.clone());
    link.run_on(session, &script, Privilege::Root, deadline).await.map(|_| ())
}

fn script(what: &str, systems: Systems<'_>) -> Script {
    Script::new(BOOT_TRIAL)
        .set("WHAT", what)
        .set("NEW", systems.new.as_str())
        .set("OLD", systems.old.as_str())
        .set("PROFILE", PROFILE)
}

fn parse(text: &str) -> Answer {
    let value = |key: &str| shell::value(text, key).map(clean_line);
    match (value("new"), value("old")) {
        (Some(new), Some(old)) => {
            // Given back to the host as it came.
            let kept = shell::value(text, "kept").unwrap_or_default().to_owned();
            Answer::Trial(Trial { new, old, kept })
        }
        _ if shell::value(text, "refused").is_some() => Answer::Refused,
        _ => Answer::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_names_both_entries_and_what_the_firmware_kept() {
        let text = "kept=\nnew=nixos-generation-2.conf\nold=nixos-generation-1.conf\n";
        let Answer::Trial(trial) = parse(text) else { panic!("{text}") };
        assert_eq!((trial.new.as_str(), trial.kept.as_str()), ("nixos-generation-2.conf", ""));
        assert_eq!(parse("none=1\n"), Answer::None);
        assert_eq!(parse("refused=1\n"), Answer::Refused);
        assert_eq!(parse(""), Answer::None);
    }
}
