//! A new system's boot entry that is tried once, where systemd-boot is the boot
//! loader: a host that does not come up with it goes back to its old system at
//! the next boot. What happens on the host is in `templates/boot-trial.sh`; a record
//! there lets a later run end a trial whose run could not.

use std::time::Duration;

use super::error::HostError;
use super::facts::PROFILE;
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{RunId, StorePath};

const BOOT_TRIAL: &str =
    concat!(include_str!("../../templates/trial-lib.sh"), include_str!("../../templates/boot-trial.sh"));

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
    (run, owner): (&RunId, &str),
    deadline: Duration,
) -> Result<Answer, HostError> {
    let script = script("try", systems).set("RUN", run.as_str()).set("OWNER", owner);
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

/// Ends a trial that an earlier run has left.
pub(crate) async fn end_left(link: &Link, deadline: Duration) -> Result<(), HostError> {
    let script = Script::new(BOOT_TRIAL).set("WHAT", "end");
    link.run(&script, Privilege::Root, deadline).await.map(|_| ())
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

    /// The scripts with a boot loader of files: `firmware` is the default that it keeps.
    const WITH_FILES: &str = concat!(
        include_str!("../../templates/trial-lib.sh"),
        include_str!("../../templates/boot-trial.sh"),
        r#"
TRIAL=$FOLDER/state/boot-trial
firmware_default() { cat "$FOLDER/firmware" 2>/dev/null; }
bootctl() {
    case $1 in
        status) echo 'Product: systemd-boot 257' ;;
        --print-boot-path) echo "$FOLDER" ;;
        set-default) printf %s "$2" >"$FOLDER/firmware" ;;
    esac
}
"#
    );

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("loader/entries")).unwrap();
            for number in 1..=3 {
                let entry = format!("loader/entries/nixos-generation-{number}.conf");
                std::fs::write(folder.path().join(entry), "").unwrap();
                std::fs::create_dir(folder.path().join(format!("system-{number}"))).unwrap();
                let link = folder.path().join(format!("profile-{number}-link"));
                std::os::unix::fs::symlink(folder.path().join(format!("system-{number}")), link).unwrap();
            }
            Self(folder)
        }

        fn path(&self, name: &str) -> String {
            self.0.path().join(name).to_str().unwrap().to_owned()
        }

        async fn run(&self, what: &str, new: u32, old: u32, kept: &str) -> Answer {
            let script = Script::new(WITH_FILES)
                .set("WHAT", what)
                .set("FOLDER", self.path(""))
                .set("NEW", self.path(&format!("system-{new}")))
                .set("OLD", self.path(&format!("system-{old}")))
                .set("PROFILE", self.path("profile"))
                .set("RUN", "20260101-000000-aaaaaa")
                .set("OWNER", "machine:boot:1")
                .set("KEPT", kept);
            let text = Session::local().run(&script, None, Duration::from_secs(10)).await.unwrap();
            parse(&text)
        }

        fn firmware(&self) -> String {
            std::fs::read_to_string(self.path("firmware")).unwrap_or_default()
        }

        fn has_record(&self) -> bool {
            self.0.path().join("state/boot-trial").exists()
        }
    }

    fn kept(answer: Answer) -> String {
        let Answer::Trial(trial) = answer else { panic!("{answer:?}") };
        trial.kept
    }

    #[tokio::test]
    async fn the_entry_of_a_trial_that_was_left_is_never_taken_for_the_one_to_keep() {
        for before in ["", "windows.conf"] {
            let place = Place::new();
            std::fs::write(place.path("firmware"), before).unwrap();
            assert_eq!(kept(place.run("try", 2, 1, "").await), before);
            assert_eq!(place.firmware(), "nixos-generation-1.conf");
            assert!(place.has_record());
            // The run is killed, and the next one tries another system.
            assert_eq!(kept(place.run("try", 3, 2, "").await), before);
            assert_eq!(place.firmware(), "nixos-generation-2.conf");
            // Killed as well: whoever comes next ends it.
            place.run("end", 3, 2, "").await;
            assert_eq!((place.firmware().as_str(), place.has_record()), (before, false));
        }
    }

    #[tokio::test]
    async fn a_default_that_somebody_has_set_since_a_trial_was_left_stays() {
        let place = Place::new();
        place.run("try", 2, 1, "").await;
        std::fs::write(place.path("firmware"), "nixos-generation-3.conf").unwrap();
        place.run("end", 2, 1, "").await;
        assert_eq!((place.firmware().as_str(), place.has_record()), ("nixos-generation-3.conf", false));
    }

    #[tokio::test]
    async fn a_trial_that_its_run_ends_leaves_no_record() {
        for end in ["keep", "withdraw"] {
            let place = Place::new();
            let before = kept(place.run("try", 2, 1, "").await);
            place.run(end, 2, 1, &before).await;
            assert_eq!((place.firmware().as_str(), place.has_record()), ("", false), "{end}");
        }
    }

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
