//! `resume`: takes up a run that was interrupted. Hosts that were done are not
//! touched; the others get what that run had evaluated for them, in the waves
//! that were left. Nothing that was deployed before is forgotten: it counts for
//! canaries and limits, and is taken back with the rest.

mod which;

use std::collections::BTreeMap;

use crate::cli::ResumeArgs;
use crate::error::CommandError;
use crate::event::Event;
use crate::git;
use crate::model::{
    Committed, DoneHost, Failure, FailureClass, HostName, LintSpec, Pinned, Resumed, RunId, RunSpec,
    SourceState, StepId, Strategy,
};
use crate::report::PastRun;
use crate::settings::Settings;

/// The run that finishes what another one left; `None` when nothing is left.
pub(super) async fn plan(arguments: &ResumeArgs, settings: &Settings) -> Result<Option<RunSpec>, CommandError> {
    let (id, past) = match &arguments.run {
        Some(text) => which::named(text, settings)?,
        None => which::newest(settings)?,
    };
    let past = which::with_those_before(&id, past, settings)?;
    let Some(Event::RunStarted {
        command,
        mode,
        action,
        flake,
        hosts,
        rollout,
        waves,
        canaries,
        reboot,
        allow,
        issue,
        ..
    }) = &past.started
    else {
        return Err(usage(format!("the journal of run {id} lacks its beginning")).hint("deploy anew"));
    };
    if command != "deploy" {
        let hint = "run the same command again: hosts that are back already cost nothing";
        return Err(usage(format!("run {id} is a {command}, and only a deploy is taken up")).hint(hint));
    }
    if let Some(back) = which::taken_back_by(&id, settings) {
        return Err(usage(format!("the hosts that run {id} had deployed were taken back by run {back}"))
            .hint("deploy anew: none of them is done any more"));
    }
    if past.is_update {
        let message = format!("run {id} is an update, and only a deploy is taken up");
        return Err(Failure::new(FailureClass::Usage, message)
            .cause(
                "an update that was interrupted is taken back: flake.lock does not describe what it evaluated",
            )
            .hint("run the update again: hosts that have it already cost nothing")
            .into());
    }
    if *flake != settings.flake {
        return Err(usage(format!("run {id} deployed {flake}; this hosts.toml deploys {}", settings.flake))
            .hint("name the hosts.toml of that run with --config"));
    }
    let left: Vec<HostName> = hosts.iter().filter(|host| !past.is_done(host)).cloned().collect();
    if let Some(gone) = left.iter().find(|name| settings.hosts.iter().all(|host| host.name != **name)) {
        let message = format!("{gone}, which run {id} was to deploy, is no longer in hosts.toml");
        return Err(usage(message).hint("deploy the others anew"));
    }
    if left.is_empty() {
        return Ok(None);
    }
    let mut asked = arguments.as_deploy(left.iter().map(ToString::to_string).collect());
    asked.action = *action;
    asked.issue = *issue;
    let mut spec = settings.run_spec(&asked, &left);
    spec.mode = *mode;
    spec.reboot = *reboot;
    spec.lint = LintSpec { allow: allow.clone(), ..spec.lint };
    if let Some(rollout) = rollout {
        spec.rollout = (**rollout).clone();
    }
    if spec.rollout.strategy == Strategy::Canary {
        spec.canaries = canaries_left(canaries, waves, &past);
        if spec.canaries.is_empty() {
            // They have proven themselves: what is left comes wave by wave.
            spec.rollout.strategy = Strategy::Rolling;
        }
    }
    let left_of = |wave: &Vec<HostName>| wave.iter().filter(|host| left.contains(host)).cloned().collect();
    spec.waves = waves.iter().map(left_of).filter(|wave: &Vec<HostName>| !wave.is_empty()).collect();
    let now = match settings.flake_dir.as_deref() {
        Some(directory) => git::source_state(directory).await.ok().flatten(),
        None => None,
    };
    let mut resumed = resumed(id, &past, &left, now.as_ref())?;
    resumed.done = done(&past, settings);
    if spec.rollout.rollback_fleet {
        let gone = resumed.done.iter().filter(|done| done.host.is_none() && done.systems.is_some());
        resumed.notes.extend(gone.map(|done| {
            format!("{} is no longer in hosts.toml: it would not be taken back with the others", done.name)
        }));
    }
    spec.resumed = Some(resumed);
    Ok(Some(spec))
}

/// The canaries, where they have not proven themselves yet: with those that are
/// done, whose places others take where they were unchanged. Journals of before do
/// not name them; they were the first wave.
fn canaries_left(named: &[HostName], waves: &[Vec<HostName>], past: &PastRun) -> Vec<HostName> {
    let canaries = match (named.is_empty(), waves) {
        (true, [first, _, ..]) => first,
        _ => named,
    };
    let is_any_changed = past.done().any(|host| past.was_changed(host));
    match is_any_changed && canaries.iter().all(|host| past.is_done(host)) {
        true => Vec::new(),
        false => canaries.to_vec(),
    }
}

/// The hosts that are done, as hosts.toml describes them now.
fn done(past: &PastRun, settings: &Settings) -> Vec<DoneHost> {
    let host_of = |name: &HostName| settings.hosts.iter().find(|host| host.name == *name).cloned();
    let done = past.done().map(|name| DoneHost {
        name: name.clone(),
        host: host_of(name),
        is_changed: past.was_changed(name),
        systems: past.replaced(name),
    });
    done.collect()
}

/// What is taken over; refuses where the old and the new configuration would be mixed.
fn resumed(
    id: RunId,
    past: &PastRun,
    left: &[HostName],
    now: Option<&SourceState>,
) -> Result<Resumed, CommandError> {
    let systems: BTreeMap<HostName, Pinned> =
        left.iter().filter_map(|host| Some((host.clone(), past.pinned(host)?))).collect();
    let mut notes = Vec::new();
    let source = match change(past.source.as_ref(), now) {
        None => None,
        Some(change) => {
            let unjudged =
                |host: &&HostName| !systems.contains_key(host) || !past.has_passed(host, StepId::Syntax);
            if let Some(host) = left.iter().find(unjudged) {
                let message =
                    format!("run {id} had not evaluated and checked {host} when it was cut off, and {change}");
                return Err(usage(message).hint("deploy anew; hosts that are unchanged cost nothing"));
            }
            notes.push(format!("{change}; hosts get what run {id} evaluated"));
            past.source.clone()
        }
    };
    let committed: BTreeMap<HostName, Committed> =
        left.iter().filter_map(|host| Some((host.clone(), past.committed(host)?))).collect();
    Ok(Resumed { run: id, systems, done: Vec::new(), committed, source, notes })
}

/// How the configuration differs from what it was; `None` when it does not.
fn change(before: Option<&SourceState>, now: Option<&SourceState>) -> Option<String> {
    let (before, now) = (before?, now?);
    let short = |source: &SourceState| -> String {
        let commit: String = source.commit.as_deref().unwrap_or("none").chars().take(7).collect();
        if source.dirty { format!("{commit} with changes") } else { commit }
    };
    if before.commit != now.commit || before.dirty != now.dirty {
        let (before, now) = (short(before), short(now));
        return Some(format!("the configuration has changed since: it was at commit {before} and is at {now}"));
    }
    before.dirty.then(|| {
        format!("the configuration may have changed since: it has changes beside commit {}", short(now))
    })
}

fn usage(message: String) -> CommandError {
    CommandError::new(FailureClass::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostOutcome;

    fn source(commit: &str, dirty: bool) -> SourceState {
        SourceState { commit: Some(commit.repeat(8)), dirty, ..SourceState::default() }
    }

    #[test]
    fn a_configuration_that_is_not_what_it_was_is_told() {
        let told =
            |before: SourceState, now: SourceState| change(Some(&before), Some(&now)).unwrap_or_default();
        assert_eq!(told(source("abcde", false), source("abcde", false)), "");
        let changed = "the configuration has changed since: it was at commit abcdeab and is at ";
        assert_eq!(told(source("abcde", false), source("12345", false)), format!("{changed}1234512"));
        assert_eq!(
            told(source("abcde", false), source("abcde", true)),
            format!("{changed}abcdeab with changes")
        );
        assert!(told(source("abcde", true), source("abcde", true)).contains("may have changed"));
        // Outside of a repository nothing can be told.
        assert_eq!(change(None, Some(&source("a", true))), None);
    }

    fn past(changed: &[(&str, bool)]) -> PastRun {
        let mut past = PastRun::default();
        for (host, changed) in changed {
            let outcome = if *changed { HostOutcome::Deployed } else { HostOutcome::Unchanged };
            let report = serde_json::json!({
                "outcome": outcome, "elapsed_ms": 0, "services": [], "steps": [], "warnings": []
            });
            past.reports.insert(name(host), serde_json::from_value(report).unwrap());
        }
        past
    }

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    #[test]
    fn canaries_have_proven_themselves_when_one_was_changed_and_none_is_left() {
        let names = |names: &[&str]| names.iter().map(|host| name(host)).collect::<Vec<_>>();
        let waves = [names(&["a", "b"]), names(&["c", "d"])];
        let left = |named: &[&str], done: &[(&str, bool)]| {
            canaries_left(&names(named), &waves, &past(done))
                .iter()
                .map(ToString::to_string)
                .collect::<String>()
        };
        assert_eq!(left(&["a", "b"], &[("a", true), ("b", false)]), "");
        // One that took their place.
        assert_eq!(left(&["a", "b"], &[("a", false), ("b", false), ("c", true)]), "");
        assert_eq!(left(&["a", "b"], &[("a", false), ("b", false)]), "ab");
        assert_eq!(left(&["a", "b"], &[("a", true)]), "ab");
        // A journal of before, which does not name them.
        assert_eq!(left(&[], &[("a", false)]), "ab");
        assert_eq!(left(&[], &[("a", true), ("b", true)]), "");
    }
}
