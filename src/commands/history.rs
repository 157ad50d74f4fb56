//! `history`: what hosts ran when: their generations, joined with the record of
//! deploys. A deploy that left no generation has a line of its own.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::record::{self, Deploy};
use super::{DeployOptions, deploy, print};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::host::generations::{self, Generations};
use crate::host::{Link, contents, status};
use crate::model::{Failure, FailureClass, HistoryEntry, HostHistory, HostName, HostSpec, RunSpec, StorePath};
use crate::report;
use crate::settings::Output;

/// Hosts that are asked at the same time.
const AT_A_TIME: usize = 32;

/// What a host said: its generations, what runs, which generation boots.
struct OnHost {
    generations: Generations,
    running: Option<StorePath>,
    boots: Option<u64>,
}

/// Shows the history of the hosts of a run. Exit code 5 when one cannot be
/// asked; its recorded deploys are shown all the same.
pub(crate) async fn history(
    run_spec: RunSpec,
    limit: usize,
    json: bool,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    let names = run_spec.hosts.iter().map(|host| &host.name);
    let asking = stream::iter(&run_spec.hosts).map(ask).buffered(AT_A_TIME).collect::<Vec<_>>();
    let (answers, recorded) = tokio::join!(asking, record::deploys(&options.database_url, names));
    let mut histories = Vec::new();
    let mut unasked = false;
    for (host, answer) in run_spec.hosts.iter().zip(answers) {
        let mut missing = Vec::new();
        let deploys = match &recorded {
            Ok(recorded) => recorded.get(&host.name).map(Vec::as_slice).unwrap_or_default(),
            Err(why) => {
                missing.push(format!("the fleet database does not answer: {why}"));
                &[]
            }
        };
        let on_host = answer.map_err(|failure| {
            unasked = true;
            let cause = failure.causes.first().map(|cause| format!(": {cause}")).unwrap_or_default();
            missing.push(format!("{}{cause}; only the record is shown", failure.message));
        });
        let mut entries = join(&host.name, on_host.ok().as_ref(), deploys);
        entries.truncate(limit);
        histories.push(HostHistory { host: host.name.clone(), entries, missing });
    }
    let text = match options.screen.output {
        Output::Json => json_lines(&histories)?,
        _ if json => json_lines(&histories)?,
        _ => report::history(&histories, deploy::shown(options.screen)),
    };
    print(text.as_bytes())?;
    Ok(if unasked { exit::UNFIT } else { exit::OK })
}

fn json_lines(histories: &[HostHistory]) -> Result<String, CommandError> {
    let mut text = String::new();
    for entry in histories.iter().flat_map(|history| &history.entries) {
        let line = serde_json::to_string(entry)
            .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

async fn ask(host: &HostSpec) -> Result<OnHost, Failure> {
    let failure = |error: crate::host::HostError| error.failure();
    let link = Link::new(host).map_err(failure)?;
    let answer = status::ask(&link, host).await.map_err(failure)?;
    let generations = generations::list(&link, None, host.timeouts.command).await.map_err(failure)?;
    Ok(OnHost { generations, running: answer.facts.current_system, boots: answer.facts.generation })
}

/// Generations with the deploy that made each, and deploys that left none;
/// newest first.
fn join(host: &HostName, on_host: Option<&OnHost>, deploys: &[Deploy]) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    let mut told = vec![false; deploys.len()];
    // The newest generation with the running system is the one that runs.
    let runs = on_host.and_then(|on_host| {
        let running = on_host.running.as_ref()?;
        let boots = on_host.boots.and_then(|number| on_host.generations.numbered(number));
        let found = boots.filter(|boots| boots.path == *running);
        found.or_else(|| on_host.generations.of_path(running)).map(|generation| generation.number)
    });
    for generation in on_host.iter().flat_map(|on_host| on_host.generations.all.iter().rev()) {
        // Deploys are newest first: the oldest that ended there made it.
        let made_by = deploys.iter().enumerate().rev().find(|(index, deploy)| {
            !told[*index]
                && deploy.is_success()
                && deploy.did_something()
                && deploy.system.path == generation.path
                && deploy.to_generation.is_none_or(|number| number == generation.number)
                && deploy.system.is_deploy
        });
        if let Some((index, _)) = made_by {
            told[index] = true;
        }
        let mut entry = match made_by {
            Some((_, deploy)) => of_deploy(host, deploy),
            None => entry(host, &generation.path, generation.made),
        };
        entry.generation = Some(generation.number);
        entry.runs = runs == Some(generation.number);
        entry.boots = on_host.and_then(|on_host| on_host.boots) == Some(generation.number);
        entry.time = generation.made.or(entry.time);
        entry.version.clone_from(&generation.version);
        entry.kernel = generation.kernel.as_ref().map(contents::kernel_version);
        entries.push(entry);
    }
    let others = deploys.iter().zip(told).filter(|(deploy, told)| !told && deploy.did_something());
    // A way back, or a deploy of what is there already: its generation has its line.
    let left = |deploy: &Deploy| deploy.to_generation.filter(|_| deploy.is_success());
    entries
        .extend(others.map(|(deploy, _)| HistoryEntry { generation: left(deploy), ..of_deploy(host, deploy) }));
    // A generation is made at the end of its deploy; equal times keep their order.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
    entries
}

fn entry(host: &HostName, path: &StorePath, time: Option<Timestamp>) -> HistoryEntry {
    HistoryEntry {
        host: host.clone(),
        generation: None,
        runs: false,
        boots: false,
        time,
        path: path.clone(),
        version: None,
        kernel: None,
        commit: None,
        dirty: None,
        command: None,
        outcome: None,
        error: None,
        actor: None,
        run: None,
    }
}

fn of_deploy(host: &HostName, deploy: &Deploy) -> HistoryEntry {
    let command = if deploy.system.is_deploy { "deploy" } else { "rollback" };
    HistoryEntry {
        commit: deploy.system.commit.clone(),
        dirty: deploy.dirty,
        command: Some(command.to_owned()),
        outcome: Some(deploy.outcome.clone().unwrap_or_else(|| deploy.status.clone())),
        error: deploy.error.clone(),
        actor: deploy.system.actor.clone(),
        run: deploy.system.run.clone(),
        ..entry(host, &deploy.system.path, Some(deploy.system.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::generations::Generation;
    use crate::model::RecordedSystem;

    fn path(name: char) -> StorePath {
        StorePath::new(format!("/nix/store/{}-nixos-system-{name}", "0".repeat(32))).unwrap()
    }

    fn time(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_763_726_400 + minutes * 60).unwrap()
    }

    fn deploy(name: char, minutes: i64, status: &str, to_generation: Option<u64>, is_deploy: bool) -> Deploy {
        Deploy {
            system: RecordedSystem {
                path: path(name),
                before: None,
                commit: Some(name.to_string().repeat(40)),
                time: time(minutes),
                actor: Some("ada@desk".to_owned()),
                run: Some(format!("run-{minutes}")),
                is_deploy,
            },
            status: status.to_owned(),
            outcome: None,
            error: None,
            dirty: Some(name == 'd'),
            to_generation,
        }
    }

    #[test]
    fn generations_are_joined_with_the_deploys_that_made_them_and_failures_have_lines_of_their_own() {
        let generation = |(number, name, minutes)| Generation {
            number,
            made: Some(time(minutes)),
            path: path(name),
            version: Some("25.05".to_owned()),
            kernel: None,
        };
        let all = [(1, 'a', 0), (2, 'b', 11), (3, 'c', 21)].map(generation).into();
        let on_host = OnHost {
            generations: Generations { all, has_system: false },
            running: Some(path('b')),
            boots: Some(2),
        };
        let deploys = [
            deploy('b', 50, "success", Some(2), false),
            deploy('b', 45, "skipped", None, true),
            deploy('d', 40, "rolled_back", None, true),
            deploy('b', 30, "success", Some(2), true),
            deploy('c', 20, "success", Some(3), true),
            deploy('b', 10, "success", Some(2), true),
        ];
        let host = HostName::new("p620").unwrap();
        let shown = |entries: &[HistoryEntry]| -> Vec<String> {
            let line = |entry: &HistoryEntry| {
                let generation = entry.generation.map_or("-".to_owned(), |number| number.to_string());
                let marks =
                    format!("{}{}", if entry.runs { "r" } else { "" }, if entry.boots { "b" } else { "" });
                let run = entry.run.clone().unwrap_or_default();
                format!("{generation}{marks} {run} {}", entry.outcome.clone().unwrap_or_default())
            };
            entries.iter().map(line).collect()
        };
        let entries = join(&host, Some(&on_host), &deploys);
        let expected = [
            "2 run-50 success",
            "- run-40 rolled_back",
            "2 run-30 success",
            "3 run-20 success",
            "2rb run-10 success",
            "1  ",
        ];
        assert_eq!(shown(&entries), expected);
        let dirty: Vec<Option<bool>> = entries.iter().map(|entry| entry.dirty).collect();
        let clean = Some(false);
        assert_eq!(dirty, [clean, Some(true), clean, clean, clean, None]);
        // A host that cannot be asked still has its record.
        assert_eq!(join(&host, None, &deploys).len(), 5);
    }
}
