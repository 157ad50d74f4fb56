//! Which run is taken up: one by its name, or the last one; what it had taken up in
//! turn; and whether its hosts were taken back since. All of it is read from the
//! journals in the state folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::usage;
use crate::error::CommandError;
use crate::event::Event;
use crate::model::{Failure, FailureClass, RunId};
use crate::report::{PastRun, is_at_work};
use crate::settings::Settings;

fn folder(settings: &Settings) -> PathBuf {
    settings.state_dir.join("runs")
}

/// A run by its id.
pub(super) fn named(text: &str, settings: &Settings) -> Result<(RunId, PastRun), CommandError> {
    let id = RunId::new(text).map_err(|error| usage(format!("{text:?} is no run: {error}")))?;
    let run_dir = folder(settings).join(id.as_str());
    match read(&run_dir)? {
        Some(past) => Ok((id, past)),
        None => Err(usage(format!("there is no journal of run {id} on this machine"))
            .hint(format!("runs are kept in {}", folder(settings).display()))),
    }
}

/// The last deploy from here, which has to be one that was interrupted: after
/// another one, its systems may be older than what hosts run.
pub(super) fn newest(settings: &Settings) -> Result<(RunId, PastRun), CommandError> {
    let mut last = None;
    let mut taken_up = BTreeSet::new();
    for id in runs(settings).into_iter().rev() {
        let run_dir = folder(settings).join(id.as_str());
        // A check is none of a deploy's business, also while it is at work.
        if is_check(&run_dir)? {
            continue;
        }
        let Some(past) = read(&run_dir)? else { continue };
        let Some(Event::RunStarted { command, resumes, .. }) = &past.started else { continue };
        if command != "deploy" {
            continue;
        }
        taken_up.extend(resumes.clone());
        match (past.is_interrupted() && !taken_up.contains(&id), &last) {
            (true, None) => return Ok((id, past)),
            (true, Some(last)) => {
                return Err(usage(format!("the last deploy, run {last}, was not interrupted"))
                    .hint(format!("run {id} was, before it: `nix-deploy resume {id}` takes that one up")));
            }
            (false, None) => last = Some(id),
            (false, Some(_)) => {}
        }
    }
    Err(match last {
        Some(last) => usage(format!("no deploy was interrupted; the last one was run {last}"))
            .hint("a run that ended with failures is taken up by its name: `nix-deploy resume RUN`"),
        None => usage("nothing was deployed from here yet".to_owned()),
    })
}

/// The run that took back what a run had deployed, or one that had taken it up.
pub(super) fn taken_back_by(id: &RunId, settings: &Settings) -> Option<RunId> {
    let mut rollout = BTreeSet::from([id.clone()]);
    for later in runs(settings).into_iter().filter(|run| run.as_str() > id.as_str()) {
        // One at work is neither: whoever looks at its hosts finds that.
        let Ok(Some(past)) = read(&folder(settings).join(later.as_str())) else { continue };
        let Some(Event::RunStarted { resumes, takes_back, .. }) = past.started else { continue };
        if takes_back.is_some_and(|run| rollout.contains(&run)) {
            return Some(later);
        }
        if resumes.is_some_and(|run| rollout.contains(&run)) {
            rollout.insert(later);
        }
    }
    None
}

/// Runs from here, the first one first: their ids sort by time.
fn runs(settings: &Settings) -> Vec<RunId> {
    let names = std::fs::read_dir(folder(settings)).into_iter().flatten().filter_map(Result::ok);
    let mut ids: Vec<RunId> =
        names.filter_map(|entry| RunId::new(entry.file_name().into_string().ok()?).ok()).collect();
    ids.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    ids
}

fn is_check(run_dir: &Path) -> Result<bool, CommandError> {
    let past = PastRun::read(run_dir).map_err(|error| unreadable(run_dir, &error))?;
    let started = past.and_then(|past| past.started);
    Ok(matches!(started, Some(Event::RunStarted { command, .. }) if command == "check"))
}

fn read(run_dir: &Path) -> Result<Option<PastRun>, CommandError> {
    if is_at_work(run_dir) {
        let name = run_dir.file_name().unwrap_or_default().display().to_string();
        return Err(CommandError::new(FailureClass::Busy, format!("run {name} is still at work"))
            .hint("wait for its end, or stop it with Ctrl-C there"));
    }
    PastRun::read(run_dir).map_err(|error| unreadable(run_dir, &error))
}

fn unreadable(run_dir: &Path, error: &std::io::Error) -> CommandError {
    Failure::from_error(FailureClass::Unexpected, error)
        .hint(format!("the journal is in {}", run_dir.display()))
        .into()
}

/// What is known of a run with those that it had taken up itself.
pub(super) fn with_those_before(
    id: &RunId,
    past: PastRun,
    settings: &Settings,
) -> Result<PastRun, CommandError> {
    let resumes = |past: &PastRun| match &past.started {
        Some(Event::RunStarted { resumes, .. }) => resumes.clone(),
        _ => None,
    };
    let mut runs = vec![id.clone()];
    let mut before = resumes(&past);
    // Run ids sort by time: a run takes up an earlier one, so this comes to an end.
    while let Some(run) = before.filter(|run| runs.iter().all(|later| run.as_str() < later.as_str())) {
        before = read(&folder(settings).join(run.as_str()))?.as_ref().and_then(resumes);
        runs.push(run);
    }
    if runs.len() == 1 {
        return Ok(past);
    }
    let mut all = PastRun::default();
    for run in runs.iter().rev() {
        let run_dir = folder(settings).join(run.as_str());
        all.go_on(&run_dir).map_err(|error| unreadable(&run_dir, &error))?;
    }
    Ok(all)
}
