//! What a host has to show once it was deployed. One look at it, without nix-deploy,
//! says everything: profile, running system, generation, boot default and units; the
//! report of the run has to agree with each of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fleet::{Fleet, OnHost, Run, report};
use super::standing::Standing;

/// What is printed of a host beyond its standing: since when it runs its system, its
/// generations, what the default boot entry starts, and of each unit its state, since
/// when it is in it, and whether its process has the environment of its file.
const MORE: &str = r#"
stat -c %Y /run/current-system
for link in /nix/var/nix/profiles/system-*-link; do echo "$link $(readlink $link)"; done; echo --
sed -n 's/^options //p' "/boot/loader/entries/$(sed -n 's/^default //p' /boot/loader/loader.conf)"; echo --
for unit in $units; do
    shown=$(systemctl show --timestamp=unix -p ActiveState,ActiveEnterTimestamp,MainPID "$unit")
    pid=${shown#*MainPID=} pid=${pid%%[!0-9]*} environment=none
    while read -r line; do
        case $line in Environment=*)
            environment=old
            if grep -zqxF -- "${line#Environment=}" "/proc/$pid/environ"; then environment=new; fi ;;
        esac
    done <"/etc/systemd/system/$unit"
    echo $unit $shown environment=$environment
done
"#;

/// The number in `system-7-link`.
fn number_of(link: &str) -> u64 {
    let number = link.rsplit('/').next().and_then(|name| name.strip_prefix("system-")?.strip_suffix("-link"));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{link:?} is no generation"))
}

/// The units that a run says it has started anew.
fn started(report: &Value) -> Vec<&str> {
    let services = report["services"].as_array().into_iter().flatten();
    let anew = services.filter(|one| one["what"] == "restarted" || one["what"] == "started");
    anew.map(|one| one["unit"].as_str().unwrap()).collect()
}

impl Fleet {
    /// Asserts that the host runs and boots what the run deployed, with its units and
    /// without traces.
    #[track_caller]
    pub(crate) fn assert_runs_new(&self, host: &str, run: &Run) -> Standing {
        self.assert_runs_reported(host, run.report(host))
    }

    /// The same for the end of a deploy that was watched: exit code 0, deployed, and the
    /// host runs and boots it as this generation.
    #[track_caller]
    pub(crate) fn assert_deployed(&self, host: &str, code: Option<i32>, events: &[Value], generation: u64) {
        let report = report(events, host);
        assert_eq!((code, &report["outcome"]), (Some(0), &"deployed".into()), "{report:#}");
        let after = self.assert_runs_reported(host, report);
        assert_eq!(number_of(&after.on.generation), generation, "{report:#}");
    }

    /// Asserts that a host runs and boots what a run deployed to one that was never
    /// deployed before: it is generation 2.
    #[track_caller]
    pub(crate) fn assert_runs_and_boots(&self, host: &str, run: &Run, before: &OnHost) {
        let after = self.assert_runs_new(host, run);
        assert_ne!(after.on.current_system, before.current_system);
        assert_eq!(after.on.generation, "system-2-link");
        assert_ne!(after.on.boot_default, before.boot_default);
    }

    /// Asserts that the process of worker.service has this in its environment.
    #[track_caller]
    pub(crate) fn assert_worker_has(&self, host: &str, variable: &str) {
        let environment =
            self.on(host, "tr '\\0' '\\n' </proc/$(systemctl show -P MainPID worker.service)/environ");
        assert!(environment.lines().any(|line| line == variable), "no {variable} in {environment}");
    }

    /// Asserts that what a report says of a host that was deployed is so, wholly.
    #[track_caller]
    pub(crate) fn assert_runs_reported(&self, host: &str, report: &Value) -> Standing {
        let units = started(report);
        let (after, more) = self.standing_and(host, &format!("units='{}'{MORE}", units.join(" ")));
        let new = after.on.current_system.as_str();
        assert_eq!(report["new"], new, "{report:#}");
        assert_eq!(after.on.profile, new);
        let mut parts = more.split("--\n").map(str::lines);
        let mut next = || parts.next().unwrap_or_else(|| panic!("{more}"));

        let mut links = next();
        let since: u64 = links.next().unwrap().parse().unwrap();
        let links = links.map(|line| line.split_once(' ').unwrap());
        let generations: BTreeMap<u64, &str> = links.map(|(link, system)| (number_of(link), system)).collect();
        let generation = number_of(&after.on.generation);
        assert_generation(report, &generations, generation, new);

        assert_eq!(after.on.boot_default, format!("nixos-generation-{generation}.conf"));
        let options: Vec<&str> = next().collect();
        assert_eq!(options, [format!("init={new}/init")], "of the boot default");

        assert_eq!(after.unfinished, "");
        for unit in ["sshd.service", "worker.service", "monitor.service", "nix-daemon.socket"] {
            assert_eq!(after.units.get(unit).map(String::as_str), Some("active"), "{unit}: {:?}", after.units);
        }
        let failed = after.units.iter().filter(|(_, state)| *state == "failed");
        for (unit, _) in failed {
            assert!(report.to_string().contains(unit.as_str()), "{unit} failed, which nobody told: {report:#}");
        }
        let shown: Vec<&str> = next().collect();
        assert_eq!(shown.len(), units.len(), "{more}");
        for line in shown {
            assert!(line.contains(" ActiveState=active "), "{line}");
            let entered = line.split(' ').find_map(|word| word.strip_prefix("ActiveEnterTimestamp=@"));
            let entered: u64 = entered.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
            assert!(entered >= since, "older than the system, which runs since {since}: {line}");
            assert!(!line.ends_with("=old"), "it does not run from its new file: {line}");
        }
        self.assert_no_traces(host);
        after
    }
}

/// Asserts that the profile's generation is a new one, one more than before, and what the
/// report says; or that of before, if it was this system already.
#[track_caller]
fn assert_generation(report: &Value, all: &BTreeMap<u64, &str>, generation: u64, new: &str) {
    assert_eq!(all.last_key_value(), Some((&generation, &new)), "the newest one is {new}: {all:?}");
    let earlier = all.range(..generation).next_back();
    assert!(earlier.is_none_or(|(_, system)| *system != new), "{new} is there twice: {all:?}");
    let told = |key: &str| report[key].as_u64();
    assert_eq!(told("generation_after").unwrap_or(generation), generation, "{report:#}");
    if let Some(before) = told("generation_before") {
        assert!([before, before + 1].contains(&generation), "{before} before: {all:?}");
    }
    let truth = &report["truth"];
    if !truth.is_null() {
        let seen = (&truth["current_system"], &truth["profile"], &truth["generation"]);
        assert_eq!(seen, (&new.into(), &new.into(), &generation.into()), "{report:#}");
    }
}
