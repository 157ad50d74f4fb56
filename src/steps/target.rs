//! Which of the systems on a host a run goes back to. A part of `decide`: the
//! profile says what is there, the record what became of it.

use super::context::HostContext;
use super::recover::connection;
use crate::event::Event;
use crate::host::generations::{self, Generation, Generations};
use crate::model::{
    Existing, Failure, FailureClass, HostFacts, HostName, RecordedSystem, StepId, StorePath, Target, Wanted,
};

/// Generations that an error lists.
const LISTED: usize = 8;

/// Finds the system to go back to, and says which it is.
pub(super) async fn find(context: &HostContext, existing: &Existing, facts: &HostFacts) -> Result<(), Failure> {
    let host = context.name();
    let wanted = existing.of(host);
    let system = match &wanted {
        Wanted::System { path, .. } => Some(path),
        _ => None,
    };
    let ask = || generations::list(&context.link, system, context.command_deadline());
    let generations =
        connection::persist(context, StepId::Decide, ask).await?.map_err(|error| error.failure())?;
    let recorded = existing.recorded_of(host);
    let mut target = choose(host, &wanted, &generations, facts)?;
    target.commit = commit_of(&target.path, recorded, facts);
    if wanted == Wanted::Previous
        && let Some(other) = recorded_otherwise(&target.path, recorded, facts)
    {
        let name = match generations.of_path(other) {
            Some(generation) => format!("generation {}", generation.number),
            None => other.to_string(),
        };
        let hint = Some("name what you want with --to".to_owned());
        context.warn(
            format!("the record says that {host} ran {name} before; the profile says {}", target.said),
            hint,
        );
    }
    context.send(Event::Target { host: host.clone(), target: Box::new(target.clone()) });
    // The plan runs this once per host.
    let _ = context.target.set(target);
    Ok(())
}

/// Whether somebody has changed the host since it was given what is to be taken
/// back: it is left alone then. That it is back already is for nobody to know.
pub(super) fn is_left_alone(context: &HostContext, existing: &Existing, facts: &HostFacts) -> bool {
    let Wanted::System { path, instead_of: Some(given), .. } = existing.of(context.name()) else {
        return false;
    };
    if !is_changed_since(&given, facts) {
        return false;
    }
    if facts.current_system.as_ref() != Some(&path) {
        let host = context.name();
        let hint = format!("to take it back all the same: nix-deploy rollback {host} --to {path}");
        context.warn(format!("{host} was changed by somebody else since, and is left alone"), Some(hint));
    }
    true
}

/// Whether the host neither runs nor boots what it was given.
fn is_changed_since(given: &StorePath, facts: &HostFacts) -> bool {
    facts.current_system.as_ref() != Some(given) && facts.profile.as_ref() != Some(given)
}

fn choose(
    host: &HostName,
    wanted: &Wanted,
    generations: &Generations,
    facts: &HostFacts,
) -> Result<Target, Failure> {
    match wanted {
        Wanted::Previous => previous(host, generations, facts),
        Wanted::Generation(number) => match generations.numbered(*number) {
            Some(generation) => whole(host, generation, format!("generation {number}")),
            None => Err(Failure::new(FailureClass::Usage, format!("{host} has no generation {number}"))
                .hint(there_are(generations))),
        },
        Wanted::System { path, said, .. } => match generations.of_path(path) {
            Some(generation) => whole(host, generation, format!("generation {}, {said}", generation.number)),
            None if generations.has_system => Ok(Target {
                path: path.clone(),
                generation: None,
                made: None,
                commit: None,
                said: format!("{path}, {said}"),
            }),
            None => Err(Failure::new(FailureClass::Unfit, format!("{host} no longer has {path}, {said}"))
                .cause("garbage collection has removed it, or it never was on this host")
                .hint(there_are(generations))
                .hint("or deploy the commit again that gave it")),
        },
    }
}

/// The system before that which runs now. Where the host runs something else
/// than it boots, that is the older of the two: a pending boot or a test is what
/// is taken back.
fn previous(host: &HostName, generations: &Generations, facts: &HostFacts) -> Result<Target, Failure> {
    let nothing = |why: &str| {
        Failure::new(FailureClass::Unfit, format!("{host} has nothing to go back to: {why}"))
            .hint(there_are(generations))
    };
    let boots = facts.generation.and_then(|number| generations.numbered(number));
    let boots = boots.ok_or_else(|| nothing("its system profile names no generation"))?;
    let Some(running) = facts.current_system.as_ref() else {
        return Err(nothing("it runs no NixOS system"));
    };
    if *running == boots.path {
        let before = generations.all.iter().rev();
        let before = before.filter(|other| other.number < boots.number && other.path != *running);
        let before = before.into_iter().next();
        let before = before.ok_or_else(|| nothing(&format!("generation {} is its first", boots.number)))?;
        let said = format!("generation {}, the one before generation {}", before.number, boots.number);
        return whole(host, before, said);
    }
    match generations.of_path(running) {
        Some(runs) if runs.number < boots.number => {
            let said =
                format!("generation {}, which runs; generation {} waits for a boot", runs.number, boots.number);
            whole(host, runs, said)
        }
        Some(runs) => {
            let said = format!("generation {}, which boots; generation {} runs", boots.number, runs.number);
            whole(host, boots, said)
        }
        None => {
            let said = format!("generation {}, which boots; what runs is no generation", boots.number);
            whole(host, boots, said)
        }
    }
}

/// A generation whose system is still there.
fn whole(host: &HostName, generation: &Generation, said: String) -> Result<Target, Failure> {
    if generation.version.is_none() {
        let message = format!("generation {} of {host} is not whole any more", generation.number);
        return Err(Failure::new(FailureClass::Unfit, message)
            .cause(format!("{} holds no NixOS system", generation.path))
            .hint("name another generation with --to"));
    }
    Ok(Target {
        path: generation.path.clone(),
        generation: Some(generation.number),
        made: generation.made,
        commit: None,
        said,
    })
}

fn there_are(generations: &Generations) -> String {
    let numbers: Vec<String> =
        generations.all.iter().rev().take(LISTED).map(|generation| generation.number.to_string()).collect();
    match numbers.len() {
        0 => "the host has no generations".to_owned(),
        shown if shown < generations.all.len() => {
            format!("the newest generations are {}; `nix-deploy history` lists all", numbers.join(", "))
        }
        _ => format!("the host has generations {}", numbers.join(", ")),
    }
}

/// The commit that a system was built from, as the record or the host knows it.
fn commit_of(path: &StorePath, recorded: &[RecordedSystem], facts: &HostFacts) -> Option<String> {
    let recorded = recorded.iter().find(|system| system.path == *path && system.commit.is_some());
    let deployed = facts.deployed.as_ref().filter(|deployed| deployed.path == *path);
    recorded
        .and_then(|system| system.commit.clone())
        .or_else(|| deployed.and_then(|deployed| deployed.commit.clone()))
}

/// What ran before the running system was deployed, when the record knows
/// another one than the profile.
fn recorded_otherwise<'a>(
    target: &StorePath,
    recorded: &'a [RecordedSystem],
    facts: &HostFacts,
) -> Option<&'a StorePath> {
    let running = facts.current_system.as_ref()?;
    let brought = recorded.iter().find(|system| system.is_deploy && system.path == *running)?;
    brought.before.as_ref().filter(|before| *before != target && *before != running)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: char) -> StorePath {
        StorePath::new(format!("/nix/store/{}-nixos-system-{name}", "0".repeat(32))).unwrap()
    }

    fn generations(paths: &str) -> Generations {
        let all = paths.chars().enumerate().map(|(index, name)| Generation {
            number: index as u64 + 1,
            made: None,
            path: path(name.to_ascii_lowercase()),
            version: name.is_ascii_lowercase().then(|| "25.05".to_owned()),
            kernel: None,
        });
        Generations { all: all.collect(), has_system: false }
    }

    fn facts(running: char, boots: u64, generations: &Generations) -> HostFacts {
        let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p", "systemd": true, "machine": "x86_64",
            "trusted": true, "baseline": {}, "orphans": []
        }))
        .unwrap();
        facts.current_system = Some(path(running));
        facts.generation = Some(boots);
        facts.profile = generations.numbered(boots).map(|generation| generation.path.clone());
        facts
    }

    fn chosen(
        paths: &str,
        running: char,
        boots: u64,
        wanted: &Wanted,
    ) -> Result<(Option<u64>, String), String> {
        let generations = generations(paths);
        let host = HostName::new("p620").unwrap();
        match choose(&host, wanted, &generations, &facts(running, boots, &generations)) {
            Ok(target) => Ok((target.generation, target.said)),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn without_a_name_it_is_the_generation_before_or_what_a_pending_change_came_from() {
        let rows = [
            ("abc", 'c', 3, 2, "generation 2, the one before generation 3"),
            // After a rollback the way goes on backwards.
            ("abc", 'b', 2, 1, "generation 1, the one before generation 2"),
            // The same system twice is one.
            ("abb", 'b', 3, 1, "generation 1, the one before generation 3"),
            ("abc", 'b', 3, 2, "generation 2, which runs; generation 3 waits for a boot"),
            ("abc", 'c', 2, 2, "generation 2, which boots; generation 3 runs"),
            ("abc", 'x', 3, 3, "generation 3, which boots; what runs is no generation"),
        ];
        for (paths, running, boots, number, said) in rows {
            let found = chosen(paths, running, boots, &Wanted::Previous);
            assert_eq!(found, Ok((Some(number), said.to_owned())), "{paths} {running} {boots}");
        }
    }

    #[test]
    fn what_is_not_there_any_more_is_refused() {
        let error = |paths, running, boots, wanted: &Wanted| chosen(paths, running, boots, wanted).unwrap_err();
        assert_eq!(
            error("a", 'a', 1, &Wanted::Previous),
            "p620 has nothing to go back to: generation 1 is its first"
        );
        assert_eq!(error("ab", 'b', 2, &Wanted::Generation(7)), "p620 has no generation 7");
        assert_eq!(error("Ab", 'b', 2, &Wanted::Generation(1)), "generation 1 of p620 is not whole any more");
        let gone = Wanted::System { path: path('x'), said: "what run 1 deployed".to_owned(), instead_of: None };
        assert_eq!(
            error("ab", 'b', 2, &gone),
            format!("p620 no longer has {}, what run 1 deployed", path('x'))
        );
    }

    #[test]
    fn a_system_by_its_path_is_its_newest_generation() {
        let wanted =
            Wanted::System { path: path('a'), said: "what run 1 deployed".to_owned(), instead_of: None };
        let found = chosen("aba", 'b', 2, &wanted);
        assert_eq!(found, Ok((Some(3), "generation 3, what run 1 deployed".to_owned())));
    }

    #[test]
    fn the_record_adds_the_commit_and_says_when_it_knows_another_system() {
        let generations = generations("abc");
        let facts = facts('c', 3, &generations);
        let recorded = |path, before, is_deploy| RecordedSystem {
            path,
            before: Some(before),
            commit: Some("4f2c1aa".to_owned()),
            time: jiff::Timestamp::UNIX_EPOCH,
            actor: None,
            run: None,
            is_deploy,
        };
        let same = [recorded(path('c'), path('b'), true)];
        assert_eq!(recorded_otherwise(&path('b'), &same, &facts), None);
        assert_eq!(commit_of(&path('c'), &same, &facts).as_deref(), Some("4f2c1aa"));
        assert_eq!(commit_of(&path('b'), &same, &facts), None);
        let other = [recorded(path('c'), path('b'), false), recorded(path('c'), path('a'), true)];
        assert_eq!(recorded_otherwise(&path('b'), &other, &facts), Some(&path('a')));
    }

    #[test]
    fn a_host_that_was_changed_by_somebody_else_is_not_taken_back() {
        let generations = generations("abc");
        let is_changed =
            |running, boots, given| is_changed_since(&path(given), &facts(running, boots, &generations));
        assert!(!is_changed('c', 3, 'c'));
        // It waits for its boot, or was only tested.
        assert!(!is_changed('b', 3, 'c') && !is_changed('c', 2, 'c'));
        assert!(is_changed('b', 2, 'c') && is_changed('c', 3, 'b'));
    }
}
