//! How a host stands, seen from inside: what runs, and what one run of
//! nix-deploy did to it. Tests compare the standing before and after.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::fleet::{Fleet, LOOK, OnHost, Run, command, finish};

/// Text of hosts.toml: the units of p620 are watched for as long as by default.
pub(crate) const SETTLE_5S: &str = "[hosts.p620.timeouts]\nsettle = \"5s\"\n";
/// Text of hosts.toml: an activation of p620 is given up early. Its rollback has no longer
/// than that either, on a machine that is busy with other tests.
pub(crate) const ACTIVATION_8S: &str = "[hosts.p620.rollback]\nactivation_timeout = \"8s\"\n";

/// Prints every unit of the system that is not inactive, with its state.
const UNITS: &str = "systemctl list-units --all --plain --no-legend --type=service,socket,timer | \
                     while read -r unit _ state _; do \
                         [ $state = inactive ] || [ $state != failed -a ! -e /etc/systemd/system/$unit ] || \
                             echo $unit $state; \
                     done";
const UNFINISHED: &str = "ls /run/nixos | grep -e -list";

/// A host's systems and its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) on: OnHost,
    /// State of every unit of the system that is not inactive.
    pub(crate) units: BTreeMap<String, String>,
    /// Lists of an activation that was cut off, which the next one resumes.
    pub(crate) unfinished: String,
}

impl Fleet {
    /// How a host stands.
    pub(crate) fn standing(&self, host: &str) -> Standing {
        self.standing_and(host, "").0
    }

    /// The same, and what more of a script prints, by one look.
    pub(crate) fn standing_and(&self, host: &str, more: &str) -> (Standing, String) {
        let text = self.on(host, &format!("{LOOK}; echo --; {UNITS}; echo --; {UNFINISHED}; echo --; {more}"));
        let mut parts = text.splitn(4, "--\n");
        let mut next = || parts.next().unwrap_or_else(|| panic!("{text}"));
        let on = OnHost::of_look(next());
        let units = next().lines().filter_map(|line| line.split_once(' '));
        let units = units.map(|(unit, state)| (unit.to_owned(), state.to_owned())).collect();
        (Standing { on, units, unfinished: next().to_owned() }, next().to_owned())
    }

    /// Makes a host run a variant as its generation 2, without nix-deploy.
    pub(crate) fn install(&self, host: &str, variant: &str) {
        self.variant(host, variant);
        let installable = format!(".#nixosConfigurations.{host}.config.system.build.toplevel");
        let link = self.state().with_extension("result");
        // --print-out-paths is younger than Nix 2.8.
        self.nix(&["build", "--out-link", link.to_str().unwrap(), &installable]);
        let path = std::fs::read_link(&link).unwrap().to_str().unwrap().to_owned();
        self.nix(&["copy", "--no-check-sigs", "--to", &format!("ssh-ng://root@{host}"), &path]);
        // A step or a unit that fails is what some variants are for: exit codes 2 and 4.
        self.on(
            host,
            &format!(
                "nix-env -p /nix/var/nix/profiles/system --set {path} && \
                 {{ {path}/bin/switch-to-configuration switch || case $? in 2|4) ;; *) false ;; esac; }} 2>&1"
            ),
        );
    }

    /// Runs Nix as the operator; gives what it prints.
    pub(crate) fn nix(&self, arguments: &[&str]) -> String {
        let mut nix = command("nix");
        let options = format!("-F {}", self.hosts_folder().join("ssh_config").display());
        let output = self.operator(&mut nix).args(arguments).env("NIX_SSHOPTS", options).output().unwrap();
        assert!(output.status.success(), "nix {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Deploys with further variables in the environment.
    pub(crate) fn deploy_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut all = vec!["--output", "json", "--yes"];
        all.extend(arguments);
        let mut nix_deploy: Command = self.nix_deploy(&all);
        nix_deploy.envs(environment.iter().copied());
        finish(nix_deploy)
    }

    /// Cuts a host's power and turns it on again; returns when it answers.
    pub(crate) fn power_cycle(&self, host: &str) {
        self.on_fleet("kill", &[host]);
        self.on_fleet("boot", &[host]);
    }

    /// Asserts that a host stands as before, and that nothing of a run is left.
    #[track_caller]
    pub(crate) fn assert_as_before(&self, host: &str, before: &Standing) {
        assert_eq!(self.standing(host), *before);
        self.assert_no_traces(host);
    }

    /// Deploys a variant to p620, which has to take it back: all as before,
    /// exit code 6, and a failure that names all of `named`.
    #[track_caller]
    pub(crate) fn taken_back(&self, variant: &str, named: &[&str]) -> Run {
        self.taken_back_to(variant, 1, named)
    }

    /// The same for a host on a later generation.
    #[track_caller]
    pub(crate) fn taken_back_to(&self, variant: &str, generation: u32, named: &[&str]) -> Run {
        let before = self.standing("p620");
        self.variant("p620", variant);
        let run = self.deploy(&["p620"]);
        run.expect("p620", 6, "rolled-back");
        run.assert_failure("p620", named);
        assert_eq!(run.report("p620")["truth"]["current_system"], before.on.current_system.as_str());
        assert_eq!(run.summary("p620", "settle"), format!("back on generation {generation}"));
        self.assert_as_before("p620", &before);
        run
    }

    /// Deploys a variant to p620, which has to refuse it untouched.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], variant: &str, code: i32, named: &[&str]) -> Run {
        let before = self.standing("p620");
        self.variant("p620", variant);
        let mut all = vec!["p620"];
        all.extend(arguments);
        let run = self.deploy(&all);
        run.expect("p620", code, "failed");
        run.assert_failure("p620", named);
        self.assert_as_before("p620", &before);
        run
    }

    /// Deploys a variant to p620, which has to accept it wholly: it runs, is
    /// generation 2 and the boot default.
    #[track_caller]
    pub(crate) fn accepted(&self, arguments: &[&str], variant: &str) -> Run {
        let before = self.look("p620");
        self.variant("p620", variant);
        let mut all = vec!["p620"];
        all.extend(arguments);
        let run = self.deploy(&all);
        run.expect("p620", 0, "deployed");
        self.assert_runs_and_boots("p620", &run, &before);
        run
    }

    /// How long a host ran the new system before it was back on the old one, by
    /// its supervisor's own journal.
    pub(crate) fn time_until_back(&self, host: &str) -> Duration {
        self.moment_of(host, "rolled-back") - self.moment_of(host, "activating")
    }

    /// How long after a moment a host was back on its old system. Hosts have the clock of
    /// this machine.
    pub(crate) fn back_after(&self, host: &str, moment: SystemTime) -> Duration {
        self.moment_of(host, "rolled-back").saturating_sub(moment.duration_since(UNIX_EPOCH).unwrap())
    }

    /// When a host's supervisor came to a phase, since 1970.
    fn moment_of(&self, host: &str, phase: &str) -> Duration {
        let text = self.on(host, "journalctl -q -o short-unix | grep ' nix-deploy: '");
        let line = text.lines().find(|line| line.contains(&format!(" nix-deploy: {phase}:")));
        let line = line.unwrap_or_else(|| panic!("no {phase} in {text}"));
        Duration::from_secs_f64(line.split(' ').next().unwrap().parse().unwrap())
    }
}

impl Run {
    /// Asserts that the failure of a host, with its causes, hints and evidence,
    /// holds all of these.
    #[track_caller]
    pub(crate) fn assert_failure(&self, host: &str, named: &[&str]) {
        let failure = self.failure(host);
        for text in named {
            assert!(failure.contains(text), "no {text:?} in {:#}", self.report(host)["failure"]);
        }
    }

    /// What became of units, by unit.
    pub(crate) fn services(&self, host: &str) -> BTreeMap<&str, &str> {
        let services = self.report(host)["services"].as_array().unwrap();
        services.iter().map(|one| (one["unit"].as_str().unwrap(), one["what"].as_str().unwrap())).collect()
    }

    /// The steps that ran, in the order they ended.
    pub(crate) fn steps(&self, host: &str) -> Vec<&str> {
        let steps = self.report(host)["steps"].as_array().unwrap();
        steps.iter().map(|step| step["step"].as_str().unwrap()).collect()
    }

    /// The few words of a step in the report.
    #[track_caller]
    pub(crate) fn summary(&self, host: &str, step: &str) -> &str {
        let steps = self.report(host)["steps"].as_array().unwrap();
        let found = steps.iter().find(|record| record["step"] == step);
        found.unwrap_or_else(|| panic!("{step} did not run: {steps:?}"))["summary"].as_str().unwrap()
    }

    /// Everything that deserved a look, as text.
    pub(crate) fn warnings(&self, host: &str) -> String {
        self.report(host)["warnings"].to_string()
    }

    /// The exit code of switch-to-configuration on a host.
    pub(crate) fn activation_exit(&self, host: &str) -> Option<i64> {
        let of_host = |event: &&Value| event["type"] == "activation" && event["host"] == host;
        self.events.iter().filter(of_host).find_map(|event| event["state"]["exit_code"].as_i64())
    }
}
