//! `status`: asks hosts how they stand right now, all of them at the same time.
//! The record only adds commits; nothing is changed and no password is asked for.

use std::time::Instant;

use futures_util::{StreamExt, stream};

use super::{DeployOptions, deploy, print, record};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::host::Link;
use crate::host::status::{self, Answer};
use crate::model::text::{bytes, plural};
use crate::model::{Failure, HostFacts, HostSpec, HostStatus, Room, RunSpec, Standing, StorePath};
use crate::report;
use crate::settings::Output;

/// Hosts that are asked at the same time.
const AT_A_TIME: usize = 32;
/// Units that a complaint names.
const UNITS: usize = 4;
/// Below this share of a file system, and below this much, room is little.
const LITTLE: (u64, u64) = (10, 2 << 30);
/// The same for next to none: a deploy is likely to fail.
const ALMOST_NONE: (u64, u64) = (3, 256 << 20);
/// Below so many free inodes the store is all but full.
const FEW_INODES: u64 = 10_000;

/// Asks the hosts of a run and shows them, worst first. Exit code 5 when one
/// cannot be asked or is degraded.
pub(crate) async fn status(
    run_spec: RunSpec,
    json: bool,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    let names = run_spec.hosts.iter().map(|host| &host.name);
    let asking = stream::iter(&run_spec.hosts).map(one).buffered(AT_A_TIME).collect::<Vec<_>>();
    let (mut hosts, recorded) = tokio::join!(asking, record::deploys(&options.database_url, names));
    let recorded = recorded.unwrap_or_default();
    for host in hosts.iter_mut().filter(|host| host.commit.is_none()) {
        let Some(system) = &host.system else { continue };
        let deploys = recorded.get(&host.host).map(Vec::as_slice).unwrap_or_default();
        let brought = deploys.iter().find(|deploy| deploy.is_success() && deploy.system.path == *system);
        host.commit = brought.and_then(|deploy| deploy.system.commit.clone());
        host.run = host.run.take().or_else(|| brought.and_then(|deploy| deploy.system.run.clone()));
    }
    // The order of hosts.toml among equals.
    hosts.sort_by_key(|host| std::cmp::Reverse(host.standing));
    let text = match options.screen.output {
        Output::Json => json_lines(&hosts)?,
        _ if json => json_lines(&hosts)?,
        Output::Quiet => report::status(&well_left_out(&hosts), deploy::shown(options.screen)),
        _ => report::status(&hosts, deploy::shown(options.screen)),
    };
    print(text.as_bytes())?;
    let worst = hosts.iter().map(|host| host.standing).max().unwrap_or(Standing::Well);
    Ok(if worst >= Standing::Degraded { exit::UNFIT } else { exit::OK })
}

fn well_left_out(hosts: &[HostStatus]) -> Vec<HostStatus> {
    hosts.iter().filter(|host| host.standing != Standing::Well).cloned().collect()
}

fn json_lines(hosts: &[HostStatus]) -> Result<String, CommandError> {
    let mut text = String::new();
    for host in hosts {
        let line = serde_json::to_string(host)
            .map_err(|error| CommandError::from_error(crate::model::FailureClass::Unexpected, &error))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

async fn one(host: &HostSpec) -> HostStatus {
    let begun = Instant::now();
    let asked = async { status::ask(&Link::new(host)?, host).await };
    let mut found = match asked.await {
        Ok(answer) => judge(host, answer),
        Err(error) => unreachable(host, &error.failure()),
    };
    found.answered_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    found
}

fn unreachable(host: &HostSpec, failure: &Failure) -> HostStatus {
    let mut found = HostStatus::of(host.name.clone());
    let mut what = failure.message.clone();
    for cause in failure.causes.iter().filter(|cause| !failure.message.contains(cause.as_str())) {
        what = format!("{what}: {cause}");
    }
    found.complain(Standing::Unreachable, what, failure.hints.first().cloned());
    found
}

/// What the answer amounts to.
fn judge(host: &HostSpec, answer: Answer) -> HostStatus {
    let Answer { facts, more } = answer;
    let mut found = HostStatus::of(host.name.clone());
    let deployed = facts.deployed.as_ref().filter(|record| Some(&record.path) == facts.current_system.as_ref());
    found.commit = deployed.and_then(|record| record.commit.clone());
    found.run = deployed.map(|record| record.run.clone());
    found.generation = more.runs.map(|(number, _)| number);
    found.since = more.runs.and_then(|(_, made)| made);
    found.boots_generation = facts.generation;
    found.version = more.version;
    found.reboot_pending = more.differs;
    found.store = more.store;
    found.boot = more.boot;
    found.memory_available = facts.memory_available;
    found.load = facts.load;
    found.uptime = facts.uptime;
    found.deployed_by = facts.lock.as_ref().map(|lock| lock.who.clone());
    found.failed_units = failed_units(&facts, more.failed);
    system(&mut found, &facts);
    units(&mut found, host, &facts, &more.state);
    room(&mut found);
    found.system = facts.current_system;
    found
}

/// Units that failed or are started again and again.
fn failed_units(facts: &HostFacts, failed: Vec<String>) -> Vec<String> {
    let mut units = failed;
    units.extend(facts.broken_before().into_iter().map(str::to_owned));
    units.sort();
    units.dedup();
    units
}

/// What runs, what boots, and whether they are the same.
fn system(found: &mut HostStatus, facts: &HostFacts) {
    let Some(running) = &facts.current_system else {
        found.complain(
            Standing::Degraded,
            "it runs no NixOS system: /run/current-system is not there",
            Some("a first system is installed with nixos-install or nixos-anywhere".to_owned()),
        );
        return;
    };
    if facts.profile.as_ref().is_some_and(|profile| profile != running) {
        let generation = |number: Option<u64>| {
            number.map_or_else(
                || "a system that is no generation".to_owned(),
                |number| format!("generation {number}"),
            )
        };
        let what = format!(
            "it runs {} and boots {}: a reboot is pending, or a test was not confirmed",
            generation(found.generation),
            generation(facts.generation)
        );
        let hint = format!("deploy it, or `nix-deploy rollback {}`", found.host);
        found.complain(Standing::Notice, what, Some(hint));
    }
    if !found.reboot_pending.is_empty() {
        let what = format!("a reboot is pending: it booted with another {}", found.reboot_pending.join(", "));
        found.complain(Standing::Notice, what, None);
    }
    let booted_away = |path: &StorePath| Some(path) != facts.current_system.as_ref();
    if facts.deployed.as_ref().is_some_and(|record| booted_away(&record.path))
        && found.commit.is_none()
        && facts.profile.as_ref() == Some(running)
    {
        found.complain(Standing::Notice, "what runs is not what nix-deploy deployed last", None);
    }
    if let Some(trial) = &facts.boot_trial {
        let what =
            format!("the boot loader's default is {}: run {} did not prove its reboot", trial.entry, trial.run);
        found.complain(Standing::Notice, what, Some("the next deploy sets it back".to_owned()));
    }
    if facts.unproven {
        let what = "an earlier run activated a system and neither proved it nor took it back";
        let hint = Some("deploy what it should run: what nobody has proven is never unchanged".to_owned());
        found.complain(Standing::Degraded, what, hint);
    }
    if facts.commit_cut_off {
        let what = "a commit was cut off: the boot loader may not know what the profile names";
        found.complain(Standing::Notice, what, Some("the next deploy ends it".to_owned()));
    }
    let left = facts.orphans.iter().find(|orphan| !orphan.alive);
    if let Some(orphan) = left {
        let what = format!("run {} left traces: it was cut off", orphan.run);
        found.complain(Standing::Notice, what, Some("the next deploy settles it".to_owned()));
    }
}

fn units(found: &mut HostStatus, host: &HostSpec, facts: &HostFacts, state: &str) {
    let failed = &found.failed_units;
    if !failed.is_empty() {
        let (verb, rest) = (if failed.len() == 1 { "has" } else { "have" }, failed.len().saturating_sub(UNITS));
        let named = failed.iter().take(UNITS).cloned().collect::<Vec<_>>().join(", ");
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let what = format!("{} {verb} failed: {named}{more}", plural(failed.len(), "unit"));
        let hint = format!("ssh {} journalctl -b -u {}", found.host, failed[0]);
        found.complain(Standing::Degraded, what, Some(hint));
    } else if !matches!(state, "running" | "degraded" | "") {
        found.complain(Standing::Notice, format!("systemd says it is {state}"), None);
    }
    for unit in &host.critical_services {
        let health = facts.baseline.get(unit);
        let runs = health.is_some_and(|health| matches!(health.active.as_str(), "active" | "reloading"));
        // A oneshot that has ended is as good as one that runs; what failed is told above.
        let ended = health.is_some_and(|health| health.active == "inactive" && health.load == "loaded");
        if !runs && !ended && !found.failed_units.contains(unit) {
            let what = format!("the critical service {unit} does not run");
            found.complain(Standing::Degraded, what, None);
        }
    }
}

fn room(found: &mut HostStatus) {
    let hint = |place: &str| match place {
        "/boot" => "keep fewer generations on it: boot.loader.systemd-boot.configurationLimit".to_owned(),
        _ => "on the host: nix-collect-garbage --delete-older-than 14d".to_owned(),
    };
    for (place, room) in [("/nix/store", found.store), ("/boot", found.boot)] {
        let Some(room) = room else { continue };
        let what = format!("{place} has {} of {} free", bytes(room.free), bytes(room.size));
        match room_standing(room) {
            Standing::Well => {}
            standing => found.complain(standing, what, Some(hint(place))),
        }
        if room.free_inodes.is_some_and(|free| free < FEW_INODES) && place != "/boot" {
            let free = room.free_inodes.unwrap_or_default();
            found.complain(Standing::Degraded, format!("{place} has {free} inodes free"), Some(hint(place)));
        }
    }
}

/// Both the share and the amount have to be small: 5 % of a large disk is much.
fn room_standing(room: Room) -> Standing {
    let below = |(percent, amount): (u64, u64)| {
        room.free < amount && room.free.saturating_mul(100) < room.size.saturating_mul(percent)
    };
    if below(ALMOST_NONE) {
        Standing::Degraded
    } else if below(LITTLE) {
        Standing::Notice
    } else {
        Standing::Well
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::status::More;
    use crate::model::{HostName, UnitHealth};

    const A: &str = "/nix/store/00000000000000000000000000000000-nixos-system-a";
    const B: &str = "/nix/store/11111111111111111111111111111111-nixos-system-b";

    fn host() -> HostSpec {
        HostSpec::with_defaults(HostName::new("p620").unwrap())
    }

    fn answer() -> Answer {
        let facts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p620", "systemd": true, "machine": "x86_64", "generation": 2,
            "current_system": A, "profile": A, "booted_system": A,
            "trusted": true, "baseline": {}, "orphans": []
        }));
        let room = Room { free: 50 << 30, size: 100 << 30, free_inodes: None };
        let more =
            More { runs: Some((2, None)), state: "running".to_owned(), store: Some(room), ..More::default() };
        Answer { facts: facts.unwrap(), more }
    }

    fn complaints(host: &HostSpec, answer: Answer) -> (Standing, String) {
        let found = judge(host, answer);
        let what: Vec<String> = found.complaints.into_iter().map(|complaint| complaint.what).collect();
        (found.standing, what.join(" | "))
    }

    #[test]
    fn a_host_without_complaints_is_well() {
        assert_eq!(complaints(&host(), answer()), (Standing::Well, String::new()));
    }

    #[test]
    fn failed_units_and_critical_services_that_do_not_run_make_a_host_degraded() {
        let mut answer = answer();
        answer.more.failed = vec!["web.service".to_owned()];
        answer.more.state = "degraded".to_owned();
        let health = UnitHealth {
            load: "loaded".to_owned(),
            active: "activating".to_owned(),
            sub: "auto-restart".to_owned(),
            result: String::new(),
            restarts: 0,
        };
        answer.facts.baseline.insert("loop.service".to_owned(), health);
        let mut host = host();
        host.critical_services = vec!["sshd.service".to_owned(), "web.service".to_owned()];
        let (standing, what) = complaints(&host, answer);
        assert_eq!(standing, Standing::Degraded);
        assert_eq!(
            what,
            "2 units have failed: loop.service, web.service | the critical service sshd.service does not run"
        );
    }

    #[test]
    fn what_waits_for_a_reboot_and_what_somebody_else_changed_deserves_a_look() {
        let mut pending = answer();
        pending.facts.profile = Some(StorePath::new(B).unwrap());
        pending.facts.generation = Some(3);
        pending.more.differs = vec!["kernel".to_owned()];
        let (standing, what) = complaints(&host(), pending);
        assert_eq!(standing, Standing::Notice);
        assert!(what.contains("it runs generation 2 and boots generation 3"), "{what}");
        assert!(what.contains("it booted with another kernel"), "{what}");

        let mut changed = answer();
        changed.facts.deployed = Some(crate::model::DeployedRecord {
            path: StorePath::new(B).unwrap(),
            commit: None,
            run: "1".to_owned(),
            actor: "ada".to_owned(),
        });
        assert_eq!(complaints(&host(), changed).1, "what runs is not what nix-deploy deployed last");
    }

    #[test]
    fn what_nobody_has_proven_is_not_well() {
        let (mut unproven, mut cut_off) = (answer(), answer());
        unproven.facts.unproven = true;
        let (standing, what) = complaints(&host(), unproven);
        assert_eq!(standing, Standing::Degraded);
        assert!(what.contains("neither proved it nor took it back"), "{what}");
        cut_off.facts.commit_cut_off = true;
        let (standing, what) = complaints(&host(), cut_off);
        assert_eq!(standing, Standing::Notice);
        assert!(what.contains("a commit was cut off"), "{what}");
    }

    #[test]
    fn little_room_is_judged_by_share_and_by_amount() {
        let standing = |free: u64, size: u64| room_standing(Room { free, size, free_inodes: None });
        assert_eq!(standing(50 << 30, 1000 << 30), Standing::Well);
        assert_eq!(standing(1 << 30, 100 << 30), Standing::Notice);
        assert_eq!(standing(100 << 20, 100 << 30), Standing::Degraded);
        // A small /boot that is half free is well.
        assert_eq!(standing(200 << 20, 512 << 20), Standing::Well);
    }

    #[test]
    fn a_host_that_cannot_be_asked_says_why_and_what_to_do() {
        let failure = Failure::new(crate::model::FailureClass::Unfit, "p620 cannot be reached")
            .cause("No route to host")
            .hint("is it switched on?");
        let found = unreachable(&host(), &failure);
        assert_eq!(found.standing, Standing::Unreachable);
        assert_eq!(found.complaints[0].what, "p620 cannot be reached: No route to host");
        assert_eq!(found.complaints[0].hint.as_deref(), Some("is it switched on?"));
    }
}
