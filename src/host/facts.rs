//! The facts of a host: the script's input and the reading of its answer.

use std::collections::BTreeMap;

use super::error::HostError;
use super::link::Link;
use super::session::{Elevation, Privilege};
use super::shell::{self, Script};
use super::{measure, supervisor, units};
use crate::model::text::clean_line;
use crate::model::{
    DeployedRecord, Elevate, ElevationFact, HostFacts, HostSpec, LeftTrial, LockHolder, OrphanRun, Secret,
    StorePath, Watched,
};

const FACTS: &str = concat!(
    include_str!("../../templates/measure-lib.sh"),
    include_str!("../../templates/memory-lib.sh"),
    include_str!("../../templates/facts.sh")
);
const ROOT_FACTS: &str = include_str!("../../templates/root-facts.sh");
/// The system profile (NixOS manual, "Rolling Back Configuration Changes").
pub(crate) const PROFILE: &str = "/nix/var/nix/profiles/system";

/// Asks a host what it is and runs, in one round trip, and remembers how the
/// login user becomes root. A sudo password is not asked here: the answer says
/// that one is needed, and [`collect_with_password`] goes on.
pub(crate) async fn collect(link: &Link, host: &HostSpec) -> Result<HostFacts, HostError> {
    let script = Script::new(FACTS)
        .set("ELEVATE", elevate_word(host.elevate))
        .set("PROFILE", PROFILE)
        .set("SERVICE_MEMORY", service_memory_word(host))
        .set("ROOT_FACTS", ROOT_FACTS);
    let text = link.run(&script, Privilege::Login, host.timeouts.command).await?;
    let facts =
        parse(&text, None).map_err(|detail| HostError::Answer { address: link.destination(), detail })?;
    link.set_elevation(Elevation { how: facts.elevation, password: None });
    Ok(facts)
}

/// The same as root, with the sudo password; a wrong one is an error of its own.
pub(crate) async fn collect_with_password(
    link: &Link,
    host: &HostSpec,
    login: &HostFacts,
    password: Secret,
) -> Result<HostFacts, HostError> {
    link.set_elevation(Elevation { how: ElevationFact::SudoPassword, password: Some(password) });
    link.check_password(host.timeouts.command).await?;
    let script = Script::new(FACTS)
        .set("ELEVATED", "1")
        .set("LOGIN_UID", login.uid.to_string())
        .set("PROFILE", PROFILE)
        .set("SERVICE_MEMORY", service_memory_word(host))
        .set("ROOT_FACTS", ROOT_FACTS);
    let text = link.run(&script, Privilege::Root, host.timeouts.command).await?;
    let mut facts = parse(&text, Some(ElevationFact::SudoPassword))
        .map_err(|detail| HostError::Answer { address: link.destination(), detail })?;
    // Trust was asked as the login user; root would always be trusted.
    facts.trusted = login.trusted;
    Ok(facts)
}

/// The version in the store path of the `nix` program; `None` for one that is not
/// from the store.
fn nix_version(program: &str) -> Option<String> {
    let package = program.strip_suffix("/bin/nix")?;
    let version = StorePath::new(package).ok()?.name().strip_prefix("nix-")?.to_owned();
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

/// Asked where a deploy can fail by it: what was so before is not the deploy's fault.
fn service_memory_word(host: &HostSpec) -> &'static str {
    let limit = host.limits.0.get(&Watched::ServiceMemory);
    if limit.is_some_and(|limit| limit.fail.is_some()) { "1" } else { "0" }
}

fn elevate_word(elevate: Elevate) -> &'static str {
    match elevate {
        Elevate::Auto => "auto",
        Elevate::None => "none",
        Elevate::Sudo => "sudo",
        Elevate::Doas => "doas",
        Elevate::Run0 => "run0",
    }
}

/// Reads the answer of facts.sh.
fn parse(text: &str, known_elevation: Option<ElevationFact>) -> Result<HostFacts, String> {
    let mut single: BTreeMap<&str, &str> = BTreeMap::new();
    let mut units_text = String::new();
    let mut deployed = String::new();
    let mut orphans = Vec::new();
    let mut holder = String::new();
    let mut boot_trial = String::new();
    for (key, value) in shell::pairs(text) {
        match key {
            "listed" => {
                units_text.push_str(value);
                units_text.push('\n');
            }
            "deployed" => {
                deployed.push_str(value);
                deployed.push('\n');
            }
            "deploy_holder" => {
                holder.push_str(value);
                holder.push('\n');
            }
            "boot_trial" => {
                boot_trial.push_str(value);
                boot_trial.push('\n');
            }
            "orphan" => orphans.push(orphan(value)),
            _ => {
                single.entry(key).or_insert(value);
            }
        }
    }
    let get = |key: &str| single.get(key).copied().filter(|value| !value.is_empty());
    let path = |key: &str| get(key).and_then(|value| StorePath::new(value).ok());
    let elevation = match known_elevation {
        Some(known) => known,
        None => elevation(get("elevation").ok_or("it does not say how to become root")?)?,
    };
    let (store_free, store_free_inodes) = room(get("store"));
    let mut baseline = units::parse_list(&units_text);
    let current_system = path("current_system");
    // The old one is there again half taken back at most, or a run that ended well says so.
    let unproven =
        current_system.is_some() && [path("unproven_system"), path("unproven_old")].contains(&current_system);
    if unproven {
        let excused = get("unproven_broken").unwrap_or_default();
        let is_excused = |unit: &String| excused.split(' ').any(|excused| excused == unit);
        baseline.retain(|unit, health| !health.is_broken() || is_excused(unit));
    }
    Ok(HostFacts {
        uid: get("uid").and_then(|uid| uid.parse().ok()).ok_or("it does not say who is logged in")?,
        user: get("user").unwrap_or_default().to_owned(),
        elevation,
        current_system,
        booted_system: path("booted_system"),
        profile: path("profile"),
        generation: get("generation").and_then(generation),
        machine_id: get("machine_id").unwrap_or_default().to_owned(),
        boot_id: get("boot_id").unwrap_or_default().to_owned(),
        hostname: get("hostname").unwrap_or_default().to_owned(),
        systemd: get("pid1").is_some_and(|name| name.starts_with("systemd")),
        machine: get("machine").unwrap_or_default().to_owned(),
        nix_version: get("nix").and_then(nix_version),
        trusted: get("trusted") == Some("1"),
        store_free,
        store_free_inodes,
        boot_free: room(get("boot")).0,
        memory_available: get("memory_kib")
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib.saturating_mul(1024)),
        load: get("load").and_then(|line| line.split(' ').next()).and_then(|load| load.parse().ok()),
        uptime: get("uptime").and_then(|line| line.split('.').next()).and_then(|seconds| seconds.parse().ok()),
        measured: measure::measured(text, Some(&baseline)),
        cpu_times: measure::cpu_times(text),
        service_memory: measure::service_memory(text),
        default_route: measure::default_route(text),
        baseline,
        unproven,
        commit_cut_off: get("committing").is_some(),
        lock: lock_holder(&holder, get("deploy_lock"), get("activation_lock"), &orphans),
        orphans,
        boot_trial: left_trial(&boot_trial),
        deployed: deployed_record(&deployed),
    })
}

fn elevation(word: &str) -> Result<ElevationFact, String> {
    Ok(match word {
        "root" => ElevationFact::Root,
        "sudo" => ElevationFact::Sudo,
        "sudo-password" => ElevationFact::SudoPassword,
        "doas" => ElevationFact::Doas,
        "run0" => ElevationFact::Run0,
        "impossible" => ElevationFact::Impossible,
        other => return Err(format!("it becomes root by {other:?}, which is not known here")),
    })
}

/// `system-42-link` → 42.
pub(super) fn generation(link: &str) -> Option<u64> {
    let name = link.rsplit('/').next()?;
    name.strip_suffix("-link")?.rsplit('-').next()?.parse().ok()
}

/// Free bytes and inodes of `stat -f -c '%a %S %d %c %b'`. File systems without a
/// fixed number of inodes (btrfs) say 0 of 0.
pub(super) fn room(line: Option<&str>) -> (Option<u64>, Option<u64>) {
    let numbers: Vec<u64> = line.unwrap_or_default().split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [free, size, free_inodes, inodes, ..] => {
            (Some(free.saturating_mul(size)), (inodes > 0).then_some(free_inodes))
        }
        _ => (None, None),
    }
}

fn deployed_record(text: &str) -> Option<DeployedRecord> {
    Some(DeployedRecord {
        path: StorePath::new(shell::value(text, "path")?).ok()?,
        commit: shell::value(text, "commit").map(str::to_owned),
        run: shell::value(text, "run").unwrap_or_default().to_owned(),
        actor: shell::value(text, "actor").unwrap_or_default().to_owned(),
    })
}

fn left_trial(text: &str) -> Option<LeftTrial> {
    let get = |key: &str| shell::value(text, key).map(clean_line);
    Some(LeftTrial {
        entry: get("old")?,
        new: get("new").and_then(|path| StorePath::new(&path).ok()),
        run: get("run").unwrap_or_default(),
        owner: get("owner").unwrap_or_default(),
        age: get("age").and_then(|seconds| seconds.parse().ok()),
    })
}

fn lock_holder(
    holder: &str,
    deploy_pid: Option<&str>,
    activation: Option<&str>,
    runs: &[OrphanRun],
) -> Option<LockHolder> {
    if deploy_pid.is_some() {
        return Some(LockHolder {
            run: shell::value(holder, "run").map(str::to_owned),
            who: shell::value(holder, "actor").unwrap_or("another deploy").to_owned(),
            since: shell::value(holder, "since").map(str::to_owned),
        });
    }
    // In a container the kernel does not list a lock that was taken by a process that has
    // ended since, as `flock` has. Whoever activates then is the run that is at work; one that
    // has just been refused is about to end.
    let is_at_work = |run: &&OrphanRun| run.alive && !supervisor::is_end(&run.phase);
    if let Some(run) = runs.iter().find(is_at_work).filter(|_| activation.is_some()) {
        let who = if run.actor.is_empty() { "another deploy" } else { &run.actor };
        return Some(LockHolder { run: Some(run.run.clone()), who: who.to_owned(), since: None });
    }
    activation.map(|line| {
        let (pid, command) = line.split_once(' ').unwrap_or((line, ""));
        let command = command.trim();
        let who =
            if command.is_empty() { format!("process {pid}") } else { format!("process {pid} ({command})") };
        LockHolder { run: None, who, since: None }
    })
}

fn orphan(line: &str) -> OrphanRun {
    let fields = line.replace('\t', "\n");
    // The first field is `run<TAB>ID`, the others are key=value.
    let run = line.split('\t').nth(1).unwrap_or_default();
    let get = |key: &str| shell::value(&fields, key).unwrap_or_default().to_owned();
    let path = |key: &str| shell::value(&fields, key).and_then(|path| StorePath::new(path).ok());
    // No answer of systemd, as while it re-executes itself, is no word of an end.
    let unit_state = fields.lines().find_map(|field| field.strip_prefix("unit_state="));
    let has_ended = |state: &str| matches!(state, "inactive" | "failed" | "unknown");
    OrphanRun {
        run: run.to_owned(),
        phase: get("phase"),
        alive: unit_state.is_some_and(|state| !has_ended(state)),
        stale: !get("stale").is_empty(),
        owner: get("owner"),
        new: path("new"),
        old: path("old"),
        actor: get("actor"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = "/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-p620-25.05";

    fn sample() -> String {
        format!(
            "uid=1000\nuser=deploy\nelevation=sudo\ncurrent_system={SYSTEM}\nbooted_system={SYSTEM}\n\
             profile={SYSTEM}\ngeneration=system-42-link\nmachine_id=abc\nboot_id=def\nhostname=p620\n\
             pid1=systemd\nmachine=x86_64\nstore=100 4096 5 10\nmemory_kib=2048\nload=0.50 0.1 0.1 1/2 3\n\
             uptime=17.31 5.0\ndeployed=path={SYSTEM}\ndeployed=commit=4f2c1aa\n\
             nix=/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-nix-2.26.3/bin/nix\ntrusted=1\n\
             listed=foo.service loaded failed failed Foo\nlisted=bar.service loaded active running Bar\n\
             root_facts=1\norphan=run\t20260101-000000-aaaaaa\towner=m:b:7\tphase=activated\tnew={SYSTEM}\tunit_state=active\n\
             deploy_lock=77\ndeploy_holder=run=20260101-000000-aaaaaa\ndeploy_holder=actor=ann@desk\n\
             boot_trial=kept=\nboot_trial=old=nixos-generation-41.conf\nboot_trial=new={SYSTEM}\n\
             boot_trial=run=20260101-000000-bbbbbb\nboot_trial=owner=m:b:7\nboot_trial=age=61\n"
        )
    }

    #[test]
    fn an_answer_becomes_facts() {
        let facts = parse(&sample(), None).unwrap();
        assert_eq!(facts.generation, Some(42));
        assert_eq!(facts.elevation, ElevationFact::Sudo);
        assert_eq!(facts.store_free, Some(409_600));
        assert_eq!(facts.store_free_inodes, Some(5));
        assert_eq!(facts.memory_available, Some(2 << 20));
        assert_eq!((facts.load, facts.uptime), (Some(0.5), Some(17)));
        assert_eq!(facts.nix_version.as_deref(), Some("2.26.3"));
        assert_eq!(facts.broken_before(), ["foo.service"]);
        assert_eq!(facts.deployed.unwrap().commit.as_deref(), Some("4f2c1aa"));
        assert!(facts.systemd && facts.trusted);
        let orphan = &facts.orphans[0];
        assert!(orphan.alive);
        assert_eq!((orphan.phase.as_str(), orphan.owner.as_str()), ("activated", "m:b:7"));
        assert_eq!(facts.lock.unwrap().who, "ann@desk");
        let trial = facts.boot_trial.unwrap();
        assert_eq!(
            (trial.entry.as_str(), trial.run.as_str()),
            ("nixos-generation-41.conf", "20260101-000000-bbbbbb")
        );
        assert_eq!((trial.owner.as_str(), trial.age), ("m:b:7", Some(61)));
        assert_eq!(trial.new.unwrap().as_str(), SYSTEM);
    }

    #[test]
    fn what_fails_under_a_system_that_was_never_proven_is_not_excused() {
        let marked = |system: &str, broken: &str| {
            format!("{}unproven_system={system}\nunproven_broken={broken}\n", sample())
        };
        let facts = parse(&marked(SYSTEM, ""), None).unwrap();
        assert!(facts.unproven && facts.broken_before().is_empty());
        assert!(facts.baseline.contains_key("bar.service"));
        let facts = parse(&marked(SYSTEM, "x.service foo.service"), None).unwrap();
        assert_eq!(facts.broken_before(), ["foo.service"]);
        // Somebody has activated another system since.
        let facts = parse(&marked(&SYSTEM.replace("25.05", "24.11"), ""), None).unwrap();
        assert!(!facts.unproven);
        assert_eq!(facts.broken_before(), ["foo.service"]);
    }

    #[test]
    fn a_supervisor_that_systemd_says_nothing_of_may_live() {
        let alive = |state: &str| orphan(&format!("run\tid\towner=m:b:7{state}")).alive;
        assert!(alive("\tunit_state=activating") && alive("\tunit_state="));
        assert!(!alive("\tunit_state=inactive") && !alive("\tunit_state=failed"));
        // A run that came no further than the copy has none.
        assert!(!alive(""));
    }

    #[test]
    fn an_answer_without_the_essentials_is_refused() {
        assert!(parse("hello\n", None).is_err());
        assert!(parse("uid=0\nelevation=magic\n", None).is_err());
    }

    #[test]
    fn file_systems_without_inode_limits_are_not_full() {
        assert_eq!(room(Some("10 1 0 0")), (Some(10), None));
        assert_eq!(room(None), (None, None));
    }

    #[test]
    fn a_holder_of_the_activation_lock_is_named() {
        let activation = Some("812 /bin/sh /nix/store/x/bin/switch-to-configuration test ");
        let holder = lock_holder("", None, activation, &[]).unwrap();
        assert!(holder.who.contains("812") && holder.who.contains("switch-to-configuration"));
        let line = "run\t20260101-000000-aaaaaa\tactor=ann@desk\tphase=";
        let run_at = |phase: &str, state: &str| [orphan(&format!("{line}{phase}\tunit_state={state}"))];
        let run = |state: &str| run_at("activating", state);
        let holder = lock_holder("", None, activation, &run("active")).unwrap();
        assert_eq!((holder.run.as_deref(), holder.who.as_str()), (Some("20260101-000000-aaaaaa"), "ann@desk"));
        assert_eq!(lock_holder("", None, activation, &run("inactive")).unwrap().run, None);
        assert_eq!(lock_holder("", None, activation, &run_at("refused", "active")).unwrap().run, None);
        assert_eq!(lock_holder("", None, None, &run("active")), None);
    }
}
