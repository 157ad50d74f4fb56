//! `rollback`: works out what each host is to go back to. What follows is a run
//! like a deploy: the same supervisor, proof and record.

use std::collections::BTreeMap;

use super::record::{self, Deploy};
use crate::cli::RollbackArgs;
use crate::error::CommandError;
use crate::model::{
    Existing, Failure, FailureClass, Goal, HostName, RunId, RunSpec, Secret, StorePath, Wanted,
};

/// What `--to` names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    Generation(u64),
    Run(RunId),
    System(StorePath),
}

/// What the hosts of a run go back to.
pub(super) async fn goal(
    arguments: &RollbackArgs,
    run_spec: &RunSpec,
    database_url: &Secret,
) -> Result<Goal, CommandError> {
    let named = arguments.to.as_deref().map(read).transpose()?;
    let hosts: Vec<&HostName> = run_spec.hosts.iter().map(|host| &host.name).collect();
    let recorded = record::deploys(database_url, hosts.iter().copied()).await;
    let mut wanted = BTreeMap::new();
    match named {
        None => {}
        Some(Named::Generation(number)) => {
            wanted.extend(hosts.iter().map(|host| ((*host).clone(), Wanted::Generation(number))));
        }
        Some(Named::System(path)) => {
            let said = "as it was named".to_owned();
            wanted.extend(hosts.iter().map(|host| {
                ((*host).clone(), Wanted::System { path: path.clone(), said: said.clone(), instead_of: None })
            }));
        }
        Some(Named::Run(run)) => {
            let recorded = recorded.as_ref().map_err(|why| {
                CommandError::new(FailureClass::Unexpected, format!("what run {run} deployed is not known"))
                    .hint(format!("the fleet database does not say it: {why}"))
                    .hint("name a generation instead: `nix-deploy history HOST` lists them")
            })?;
            let mut failures = Vec::new();
            for host in &hosts {
                let deploys = recorded.get(*host).map(Vec::as_slice).unwrap_or_default();
                match of_run(host, &run, deploys) {
                    Ok(found) => drop(wanted.insert((*host).clone(), found)),
                    Err(failure) => failures.push(failure),
                }
            }
            if !failures.is_empty() {
                return Err(CommandError::several(failures));
            }
        }
    }
    let recorded = recorded.unwrap_or_default().into_iter().map(|(host, deploys)| {
        let well = deploys.into_iter().filter(Deploy::is_success);
        (host, well.map(|deploy| deploy.system).collect())
    });
    Ok(Goal::Existing(Existing { wanted, recorded: recorded.collect() }))
}

fn read(text: &str) -> Result<Named, Failure> {
    if let Ok(number) = text.parse() {
        return Ok(Named::Generation(number));
    }
    if text.starts_with('/') {
        return StorePath::new(text).map(Named::System).map_err(|error| refused(text, &error.to_string()));
    }
    // A run's id begins with its date; anything else was meant to be something else.
    let is_run = text.len() > 16 && text.as_bytes()[..8].iter().all(u8::is_ascii_digit);
    match RunId::new(text) {
        Ok(run) if is_run => Ok(Named::Run(run)),
        _ => Err(refused(text, "it is no number, no run and no store path")),
    }
}

fn refused(text: &str, why: &str) -> Failure {
    Failure::new(FailureClass::Usage, format!("{text:?} names nothing to go back to: {why}"))
        .hint("write a generation such as `42`, a run such as `20251121-120000-4f2c1a`, or a store path")
        .hint("`nix-deploy history HOST` lists what a host can go back to")
}

/// What a run left on a host.
fn of_run(host: &HostName, run: &RunId, deploys: &[Deploy]) -> Result<Wanted, Failure> {
    let of_run = deploys.iter().find(|deploy| deploy.system.run.as_deref() == Some(run.as_str()));
    let hint = format!("`nix-deploy history {host}` lists what the host can go back to");
    match of_run {
        Some(deploy) if deploy.is_success() => Ok(Wanted::System {
            path: deploy.system.path.clone(),
            said: format!("what run {run} deployed"),
            instead_of: None,
        }),
        Some(deploy) => {
            let ended = deploy.outcome.as_deref().unwrap_or(&deploy.status).to_lowercase();
            let message = format!("run {run} left nothing on {host} to go back to: it ended as {ended}");
            Err(Failure::new(FailureClass::Usage, message).hint(hint))
        }
        None => {
            Err(Failure::new(FailureClass::Usage, format!("no run {run} of {host} is recorded")).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecordedSystem;

    const PATH: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p-25.05";

    #[test]
    fn a_number_is_a_generation_a_dated_word_a_run_and_a_path_a_system() {
        assert_eq!(read("42"), Ok(Named::Generation(42)));
        let run = "20251121-120000-4f2c1a";
        assert_eq!(read(run), Ok(Named::Run(RunId::new(run).unwrap())));
        assert_eq!(read(PATH), Ok(Named::System(StorePath::new(PATH).unwrap())));
        for text in [
            "",
            "-1",
            "yesterday",
            "generation-42",
            "/etc/passwd",
            "2025112x-120000-4f2c1a",
            "2025112ä-120000-4f2c1a",
            "ä".repeat(20).as_str(),
        ] {
            assert_eq!(read(text).unwrap_err().class, FailureClass::Usage, "{text}");
        }
    }

    #[test]
    fn a_run_is_what_it_deployed_and_nothing_when_it_failed() {
        let host = HostName::new("p620").unwrap();
        let run = RunId::new("20251121-120000-4f2c1a").unwrap();
        let deploy = |status: &str, outcome: &str| Deploy {
            system: RecordedSystem {
                path: StorePath::new(PATH).unwrap(),
                before: None,
                commit: None,
                time: jiff::Timestamp::UNIX_EPOCH,
                actor: None,
                run: Some(run.to_string()),
                is_deploy: true,
            },
            status: status.to_owned(),
            outcome: Some(outcome.to_owned()),
            error: None,
            dirty: None,
            to_generation: None,
        };
        let found = of_run(&host, &run, &[deploy("success", "SUCCESS")]).unwrap();
        let said = "what run 20251121-120000-4f2c1a deployed".to_owned();
        assert_eq!(found, Wanted::System { path: StorePath::new(PATH).unwrap(), said, instead_of: None });
        let failed = of_run(&host, &run, &[deploy("rolled_back", "ROLLED BACK")]).unwrap_err();
        assert!(failed.message.ends_with("it ended as rolled back"), "{}", failed.message);
        assert!(of_run(&host, &run, &[]).unwrap_err().message.starts_with("no run"));
    }
}
