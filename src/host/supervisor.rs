//! The protocol with the supervisor on the host: start, wait, word, truth.
//!
//! What the supervisor does is in `templates/supervisor.sh`. Every function
//! here may be cut off at any moment without harm: the supervisor ends on the
//! confirmed new system or on the old one by itself.

use std::time::Duration;

use super::error::HostError;
use super::facts::{PROFILE, generation};
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{Action, ActivationPhase, ActivationState, HostFacts, HostSpec, RunId, StorePath, Truth};

const START: &str =
    concat!(include_str!("../../templates/wait-lib.sh"), include_str!("../../templates/start.sh"));
const SUPERVISOR: &str = concat!(
    include_str!("../../templates/trial-lib.sh"),
    include_str!("../../templates/emergency-lib.sh"),
    include_str!("../../templates/supervisor.sh")
);
const FOLLOW: &str = include_str!("../../templates/follow.sh");
const WAIT: &str = concat!(
    include_str!("../../templates/wait-lib.sh"),
    include_str!("../../templates/truth-lib.sh"),
    include_str!("../../templates/wait.sh")
);
const TRUTH: &str =
    concat!(include_str!("../../templates/truth-lib.sh"), include_str!("../../templates/truth.sh"));
const HOLD: &str =
    concat!(include_str!("../../templates/hold-lib.sh"), include_str!("../../templates/hold.sh"));
const SAID: &str = include_str!("../../templates/said.sh");
/// More of what a failed activation said is in the host's journal.
const LINES_SAID: usize = 20;
/// What a switch says of units stands before what it says of those that failed.
const ALL_LINES: usize = 10_000;

/// What a supervisor is to do.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) host: &'a HostSpec,
    pub(crate) facts: &'a HostFacts,
    pub(crate) new: &'a StorePath,
    pub(crate) action: Action,
    /// The generation that the new system has already.
    pub(crate) generation: Option<u64>,
    /// The commit the system was built from; empty when unknown or dirty.
    pub(crate) commit: String,
    /// Who deploys, in words.
    pub(crate) actor: String,
    /// Machine, boot and process of the deployer, so that a later run can tell
    /// whether it still lives.
    pub(crate) owner: String,
}

/// The deployer's word to the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Commit,
    Rollback,
}

/// What is known of a supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It wrote this state.
    At(ActivationState),
    /// It died without reaching an end; the last state it wrote, if any.
    Dead(Option<ActivationState>),
    /// Its folder is not there: the host was rebooted.
    Gone,
}

/// What the host tells while it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its time at the start, in seconds since 1970, as `journalctl --since=@…` takes it.
    Since(String),
    /// The supervisor passes through this phase.
    Passing(ActivationPhase),
}

/// Starts the supervisor and waits up to `patience` until it is past the phases
/// on the way to [`ActivationPhase::Activated`]. Not repeated when the
/// connection breaks: whether it runs is then found out by waiting for it.
pub(crate) async fn start(
    link: &Link,
    order: &Order<'_>,
    patience: Duration,
    mut hear: impl FnMut(Told) + Send,
) -> Result<Standing, HostError> {
    let facts = order.facts;
    let text = |path: &Option<StorePath>| path.as_ref().map_or_else(String::new, ToString::to_string);
    let seconds = |duration: Duration| duration.as_secs().max(1).to_string();
    let about = format!(
        "run={}\nactor={}\nowner={}\nnew={}\nold={}\nsince={}",
        order.run,
        order.actor.replace('\n', " "),
        order.owner,
        order.new,
        text(&facts.current_system),
        jiff::Timestamp::now(),
    );
    let script = Script::new(START)
        .set("ABOUT", about)
        .set("SUPERVISOR", SUPERVISOR)
        .set("RUN", order.run.as_str())
        .set("NEW", order.new.as_str())
        .set("OLD", text(&facts.current_system))
        .set("OLD_PROFILE", text(&facts.profile))
        .set("OLD_GENERATION", facts.generation.map_or_else(String::new, |number| number.to_string()))
        .set("GENERATION", order.generation.map_or_else(String::new, |number| number.to_string()))
        .set("PROFILE", PROFILE)
        .set("ACTION", order.action.as_str())
        .set("CONFIRM_TIMEOUT", seconds(order.host.rollback.confirm_timeout))
        .set("ACTIVATION_TIMEOUT", seconds(order.host.rollback.activation_timeout))
        .set("LOCK_TIMEOUT", seconds(order.host.timeouts.lock))
        .set("COMMIT_ID", order.commit.clone())
        .set("ACTOR", order.actor.replace('\n', " "))
        .set("BROKEN", facts.broken_before().join(" "))
        .set("PASSING", passing(Until::Past(&ON_THE_WAY)))
        .set("SECONDS_TO_WAIT", patience.as_secs().to_string());
    let deadline = patience + order.host.timeouts.command;
    let answer =
        link.follow(&script, Privilege::Root, deadline, |line| told(line).into_iter().for_each(&mut hear));
    Ok(standing(&answer.await?))
}

fn told(line: &str) -> Option<Told> {
    match line.split_once('=')? {
        ("since", seconds) if seconds.parse::<f64>().is_ok() => Some(Told::Since(seconds.to_owned())),
        ("passing", word) => {
            PHASES.iter().find(|(_, known)| *known == word).map(|(phase, _)| Told::Passing(*phase))
        }
        _ => None,
    }
}

/// Shows what the supervisor and the activation print, as it comes, until the
/// supervisor ends.
pub(crate) async fn follow(
    link: &Link,
    run: &RunId,
    deadline: Duration,
    on_line: impl FnMut(&str) + Send,
) -> Result<(), HostError> {
    let script = Script::new(FOLLOW).set("RUN", run.as_str());
    link.follow(&script, Privilege::Root, deadline, on_line).await.map(|_| ())
}

/// What [`wait`] waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Any phase but these.
    Past(&'static [ActivationPhase]),
    /// An end.
    Final,
}

/// The phases before the new system runs, when nothing stands in the way.
pub(crate) const ON_THE_WAY: [ActivationPhase; 2] = [ActivationPhase::Starting, ActivationPhase::Activating];

fn passing(until: Until) -> String {
    match until {
        Until::Past(phases) => phases.iter().map(|phase| phase_word(*phase)).collect::<Vec<_>>().join(" "),
        Until::Final => "any".to_owned(),
    }
}

/// Gives the supervisor a word if there is one, then waits up to `patience`
/// for it to move on. Returns what it stands at, moved or not.
pub(crate) async fn wait(
    link: &Link,
    session: &Session,
    run: &str,
    until: Until,
    word: Option<Word>,
    patience: Duration,
) -> Result<Standing, HostError> {
    let script = wait_script(run, until, word, patience);
    let text = link.run_on(session, &script, Privilege::Root, patience + BEYOND).await?;
    Ok(standing(&text))
}

/// Gives the word to commit, waits for the end, and when that is good, reads in the
/// same round trip what is on the host and clears this run's traces away.
pub(crate) async fn confirm(
    link: &Link,
    session: &Session,
    run: &str,
    patience: Duration,
) -> Result<(Standing, Option<Truth>), HostError> {
    let script = wait_script(run, Until::Final, Some(Word::Commit), patience)
        .set("TRUTH", "1")
        .set("PROFILE", PROFILE)
        .set("CLEAN", "1");
    let text = link.run_on(session, &script, Privilege::Root, patience + BEYOND).await?;
    let truth = shell::value(&text, "boot_id").is_some().then(|| truth_in(&text));
    Ok((standing(&text), truth))
}

/// Tells the supervisor that the deployer is there: it waits for the word so long from
/// now on. A run that has come to its end is told nothing.
pub(crate) async fn hold(
    link: &Link,
    session: &Session,
    run: &str,
    time: Duration,
    deadline: Duration,
) -> Result<(), HostError> {
    let script = Script::new(HOLD).set("RUN", run).set("HOLD", time.as_secs().to_string());
    link.run_on(session, &script, Privilege::Root, deadline).await.map(|_| ())
}

/// What an answer may take beyond the patience of its script.
const BEYOND: Duration = Duration::from_secs(15);

fn wait_script(run: &str, until: Until, word: Option<Word>, patience: Duration) -> Script {
    let word = match word {
        Some(Word::Commit) => "commit",
        Some(Word::Rollback) => "rollback",
        None => "",
    };
    Script::new(WAIT)
        .set("RUN", run)
        .set("PASSING", passing(until))
        .set("SECONDS_TO_WAIT", patience.as_secs().to_string())
        .set("ACK", word)
}

fn standing(text: &str) -> Standing {
    if shell::value(text, "gone").is_some() {
        return Standing::Gone;
    }
    let state = state(text, "");
    match state {
        Some(state) if state.phase.is_final() || shell::value(text, "dead").is_none() => Standing::At(state),
        None if shell::value(text, "dead").is_none() => Standing::At(ActivationState {
            phase: ActivationPhase::Starting,
            exit_code: None,
            reason: "the supervisor has not written its state yet".to_owned(),
            activation_ms: None,
        }),
        state => Standing::Dead(state),
    }
}

/// The last lines that the new system's activation printed when it failed;
/// empty when it did not fail, or after the traces were removed.
pub(crate) async fn said(link: &Link, run: &str, deadline: Duration) -> Result<Vec<String>, HostError> {
    lines_said(link, run, LINES_SAID, deadline).await
}

/// The units that an activation that failed has reloaded, by its own words.
pub(crate) async fn reloaded(link: &Link, run: &str, deadline: Duration) -> Result<Vec<String>, HostError> {
    let lines = lines_said(link, run, ALL_LINES, deadline).await?;
    let lists = lines.iter().filter_map(|line| line.strip_prefix("reloading the following units: "));
    Ok(lists.flat_map(|list| list.split(", ")).map(str::to_owned).collect())
}

async fn lines_said(
    link: &Link,
    run: &str,
    lines: usize,
    deadline: Duration,
) -> Result<Vec<String>, HostError> {
    let script = Script::new(SAID).set("RUN", run).set("LINES", lines.to_string());
    let text = link.run(&script, Privilege::Root, deadline).await?;
    let lines = shell::pairs(&text).filter(|(key, _)| *key == "line").map(|(_, line)| clean_line(line));
    Ok(lines.filter(|line| !line.trim().is_empty()).collect())
}

/// Reads what really is on the host; removes this run's traces when `clean`
/// and the supervisor has ended.
pub(crate) async fn truth(
    link: &Link,
    session: &Session,
    run: &str,
    clean: bool,
    deadline: Duration,
) -> Result<Truth, HostError> {
    let script =
        Script::new(TRUTH).set("RUN", run).set("PROFILE", PROFILE).set("CLEAN", if clean { "1" } else { "0" });
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    Ok(truth_in(&text))
}

fn truth_in(text: &str) -> Truth {
    let path = |key: &str| shell::value(text, key).and_then(|path| StorePath::new(path).ok());
    Truth {
        current_system: path("current_system"),
        profile: path("profile"),
        generation: shell::value(text, "generation").and_then(generation),
        state: state(text, "state_"),
        supervisor_alive: shell::value(text, "alive").is_some(),
        boot_id: shell::value(text, "boot_id").unwrap_or_default().to_owned(),
    }
}

/// Every phase with its word in the state file.
const PHASES: [(ActivationPhase, &str); 12] = [
    (ActivationPhase::Starting, "starting"),
    (ActivationPhase::Waiting, "waiting"),
    (ActivationPhase::Activating, "activating"),
    (ActivationPhase::Activated, "activated"),
    (ActivationPhase::Committing, "committing"),
    (ActivationPhase::Committed, "committed"),
    (ActivationPhase::Kept, "kept"),
    (ActivationPhase::BootOnly, "boot-only"),
    (ActivationPhase::RollingBack, "rolling-back"),
    (ActivationPhase::RolledBack, "rolled-back"),
    (ActivationPhase::RollbackFailed, "rollback-failed"),
    (ActivationPhase::Refused, "refused"),
];

/// Whether a run has come to its end, by the word of its state file.
pub(super) fn is_end(word: &str) -> bool {
    PHASES.iter().any(|(phase, known)| *known == word && phase.is_final())
}

fn phase_word(phase: ActivationPhase) -> &'static str {
    PHASES.iter().find(|(known, _)| *known == phase).map_or("", |(_, word)| word)
}

fn state(text: &str, prefix: &str) -> Option<ActivationState> {
    let get = |key: &str| shell::value(text, &format!("{prefix}{key}"));
    let word = get("phase")?;
    let (phase, _) = PHASES.iter().find(|(_, known)| *known == word)?;
    Some(ActivationState {
        phase: *phase,
        exit_code: get("exit_code").and_then(|code| code.parse().ok()),
        reason: clean_line(get("reason").unwrap_or_default()),
        activation_ms: get("activation_ms").and_then(|number| number.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_file_is_read() {
        let text = "phase=activated\nexit_code=4\nactivation_ms=381\nreason=waiting for the confirmation\n";
        let Standing::At(state) = standing(text) else { panic!("{text}") };
        assert_eq!(state.phase, ActivationPhase::Activated);
        assert_eq!((state.exit_code, state.activation_ms), (Some(4), Some(381)));
    }

    #[test]
    fn a_dead_supervisor_and_a_rebooted_host_are_told_apart() {
        assert_eq!(standing("gone=1\n"), Standing::Gone);
        assert!(matches!(standing("dead=1\nphase=activating\n"), Standing::Dead(Some(_))));
        assert!(matches!(standing("dead=1\n"), Standing::Dead(None)));
        // It had written its end before it went.
        assert!(matches!(standing("dead=1\nphase=committed\n"), Standing::At(_)));
        assert!(matches!(standing(""), Standing::At(state) if state.phase == ActivationPhase::Starting));
    }

    #[test]
    fn every_phase_of_the_script_is_known_here() {
        for line in SUPERVISOR.lines() {
            let Some(rest) = line.split("state ").nth(1) else { continue };
            let word = rest.split(' ').next().unwrap_or_default();
            if line.trim_start().starts_with('#') || word.contains(['(', '"', '$', '=', '\'']) {
                continue;
            }
            let is_call = line.contains(&format!("state {word} \""));
            assert!(!is_call || PHASES.iter().any(|(_, known)| *known == word), "{line}");
        }
        for (phase, word) in PHASES {
            assert!(SUPERVISOR.contains(&format!("state {word} ")), "{phase:?} is never written");
        }
    }
}
