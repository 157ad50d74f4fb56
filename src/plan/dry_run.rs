//! What `--dry-run` prints: the plan of a run, as text or as JSON.
//!
//! The plan comes from settings and arguments alone. Whether a host can be
//! reached, what it runs and what would change is not known here, and the text
//! does not pretend to know.

use serde_json::json;

use super::steps_of;
use crate::model::text::{clean_line, plural};
use crate::model::{
    BuildOn, Check, CheckKind, Goal, HostName, HostSpec, Phase, Questions, Rollout, RunSpec, StepId, Strategy,
    Wanted,
};
use crate::settings::written;

/// Version of the JSON form.
const VERSION: u32 = 1;

/// The plan as people read it.
pub(crate) fn plan_text(run_spec: &RunSpec) -> String {
    let mut lines = vec![
        title(run_spec),
        format!("Flake {}", clean_line(&run_spec.flake)),
        "Nothing was evaluated and no host was contacted.".to_owned(),
        String::new(),
        format!("{}, up to {} at a time", plural(run_spec.hosts.len(), "host"), run_spec.rollout.max_parallel),
    ];
    lines.extend(rollout_lines(run_spec));
    for (index, wave) in run_spec.waves.iter().enumerate() {
        if run_spec.waves.len() > 1 {
            lines.push(format!("  wave {}", index + 1));
        }
        for host in hosts_of(wave, run_spec) {
            lines.extend(host_lines(host, &run_spec.goal));
        }
    }
    lines.push(String::new());
    lines.push("Steps of each host".to_owned());
    let steps = steps_of(run_spec);
    for phase in Phase::ALL {
        let names: Vec<&str> =
            steps.iter().filter(|step| step.phase() == phase).map(|step| step.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!("  {phase:<10}{}", names.join(", ")));
        }
    }
    lines.push(String::new());
    lines.push(question_line(run_spec, &steps).to_owned());
    lines.join("\n") + "\n"
}

/// How the run spreads over its hosts and when it stops; nothing for one host.
fn rollout_lines(run_spec: &RunSpec) -> Vec<String> {
    let Rollout { strategy, canary, soak, max_failures, rollback_fleet, reboot_parallel, .. } =
        &run_spec.rollout;
    let mut lines = Vec::new();
    let mut add = |text: String| lines.push(format!("  {}", clean_line(&text)));
    if run_spec.waves.len() > 1 {
        let order = match strategy {
            Strategy::Canary => format!("canary ({canary} first)"),
            strategy => strategy.to_string(),
        };
        let begins = match run_spec.rollout.has_waves() {
            true => "a wave begins when the one before it has ended",
            false => "a host begins when those it depends on have ended",
        };
        add(format!("{order}: {begins}"));
        if !soak.is_zero() {
            add(format!("each wave but the last is watched for {} before the next", written(*soak)));
        }
    } else if !soak.is_zero() && !run_spec.soaks() {
        add(format!("no host is watched for {}: there is one wave, and none waits for it", written(*soak)));
    }
    if run_spec.total() > 1 {
        if let Some(share) = max_failures {
            add(format!("no host is started once {} failed", plural(share.of(run_spec.total()), "host")));
        }
        if *rollback_fleet {
            add("when the run fails, hosts that it deployed are taken back".to_owned());
        }
    }
    if run_spec.reboot.is_asked() {
        add(format!("reboot {}, {} at a time", run_spec.reboot.as_str(), plural(*reboot_parallel, "host")));
    }
    lines
}

fn hosts_of<'a>(wave: &'a [HostName], run_spec: &'a RunSpec) -> impl Iterator<Item = &'a HostSpec> {
    wave.iter().filter_map(|name| run_spec.hosts.iter().find(|host| host.name == *name))
}

fn title(run_spec: &RunSpec) -> String {
    match run_spec.goal {
        Goal::Configuration => format!("Plan: {}, mode {}", run_spec.action, run_spec.mode),
        Goal::Existing(_) => format!("Plan: rollback, {}", run_spec.action),
    }
}

fn host_lines(host: &HostSpec, goal: &Goal) -> Vec<String> {
    let system = match goal {
        Goal::Configuration => built(host),
        Goal::Existing(existing) => match existing.of(&host.name) {
            Wanted::Previous => "the generation before that which runs now".to_owned(),
            Wanted::Generation(number) => format!("generation {number}"),
            Wanted::System { path, said, .. } => format!("{path}, {said}"),
        },
    };
    let mut lines = vec![format!("  {:<10}{}, {system}", host.name, reached(host))];
    let mut add = |label: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("  {:<10}{label} {}", "", clean_line(&text)));
        }
    };
    if host.attribute != host.name.as_str() {
        add("configuration", host.attribute.clone());
    }
    add("critical", host.critical_services.join(", "));
    add("checks", host.checks.iter().map(check_text).collect::<Vec<_>>().join(", "));
    let rollback = &host.rollback;
    let judged = if rollback.auto { "" } else { "; failed checks are not undone" };
    add(
        "rollback",
        format!(
            "after {} without confirmation, activation at most {}{judged}",
            written(rollback.confirm_timeout),
            written(rollback.activation_timeout)
        ),
    );
    lines
}

fn reached(host: &HostSpec) -> String {
    let Some(address) = &host.address else { return "this machine".to_owned() };
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.port.map(|port| format!(" port {port}")).unwrap_or_default();
    let jump = host.jump.as_ref().map(|jump| format!(" through {jump}")).unwrap_or_default();
    format!("ssh {user}{address}{port}{jump}")
}

fn built(host: &HostSpec) -> String {
    match &host.build_on {
        BuildOn::Local => "built here".to_owned(),
        BuildOn::Target => "built there".to_owned(),
        BuildOn::Host(name) => format!("built on {name}"),
    }
}

fn check_text(check: &Check) -> String {
    match &check.kind {
        CheckKind::Http { url, expect_status } if check.name == *url => format!("{url} is {expect_status}"),
        CheckKind::Http { url, expect_status } => format!("{} ({url} is {expect_status})", check.name),
        CheckKind::Tcp { address } if check.name == *address => format!("tcp {address}"),
        CheckKind::Tcp { address } => format!("{} (tcp {address})", check.name),
        CheckKind::Command { .. } => format!("{} (command)", check.name),
    }
}

fn question_line(run_spec: &RunSpec, steps: &[StepId]) -> &'static str {
    let asks = steps.contains(&StepId::Preview) && steps.contains(&StepId::Activate);
    match run_spec.questions {
        Questions::Ask if asks => "A question is asked before anything is activated.",
        Questions::Ask => "No question is asked before the activation.",
        Questions::AssumeYes => "Every question is answered with yes.",
        Questions::NonInteractive => "No question is asked: nobody can answer.",
    }
}

/// The plan as one JSON object.
pub(crate) fn plan_json(run_spec: &RunSpec) -> String {
    let plan = json!({
        "v": VERSION,
        "type": "plan",
        "run": run_spec,
        "waves": run_spec.waves,
        "steps": steps_of(run_spec),
    });
    format!("{plan}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Action, Canary, Existing, Mode, Reboot, RunId, Share};

    fn run_spec() -> RunSpec {
        let name = |name: &str| HostName::new(name).unwrap();
        let mut p620 = HostSpec::with_defaults(name("p620"));
        p620.user = Some("root".to_owned());
        p620.critical_services = vec!["sshd.service".to_owned()];
        p620.checks = vec![Check {
            name: "grafana".to_owned(),
            kind: CheckKind::Tcp { address: "p620:3001".to_owned() },
            timeout: Duration::from_secs(5),
            retries: 3,
            grace: Duration::from_secs(1),
        }];
        let mut desk = HostSpec::with_defaults(name("desk"));
        desk.address = None;
        desk.build_on = BuildOn::Host(name("p620"));
        desk.depends_on = vec![name("p620")];
        RunSpec {
            id: RunId::new("20250101-000000-abcdef").unwrap(),
            goal: Goal::Configuration,
            issue: None,
            flake: "/cfg".to_owned(),
            flake_dir: Some("/cfg".into()),
            mode: Mode::Fast,
            action: Action::Switch,
            reboot: Reboot::Never,
            questions: Questions::Ask,
            rollout: Rollout::default(),
            waves: vec![vec![name("p620")], vec![name("desk")]],
            canaries: Vec::new(),
            updates: false,
            resumed: None,
            takes_back: None,
            hosts: vec![desk, p620],
            builders: Vec::new(),
            recover: Default::default(),
            substituters: Vec::new(),
            lint: Default::default(),
            state_dir: "/state".into(),
            run_dir: "/state/runs/x".into(),
            actor: "ada@desk".to_owned(),
        }
    }

    #[test]
    fn the_plan_names_hosts_steps_and_limits() {
        let expected = "\
Plan: switch, mode fast
Flake /cfg
Nothing was evaluated and no host was contacted.

2 hosts, up to 8 at a time
  parallel: a host begins when those it depends on have ended
  wave 1
  p620      ssh root@p620, built here
            critical sshd.service
            checks grafana (tcp p620:3001)
            rollback after 1m without confirmation, activation at most 10m
  wave 2
  desk      this machine, built on p620
            rollback after 1m without confirmation, activation at most 10m

Steps of each host
  validate  git, host facts, syntax
  test      evaluate, decide, build, changes
  deploy    copy, preview, activate, prove, verify, commit, settle
  observe   services

A question is asked before anything is activated.
";
        assert_eq!(plan_text(&run_spec()), expected);
    }

    #[test]
    fn the_plan_says_how_the_run_spreads_and_when_it_stops() {
        let rollout = Rollout {
            strategy: Strategy::Canary,
            canary: Canary::Hosts(vec!["@canary".to_owned()]),
            soak: Duration::from_secs(600),
            max_failures: Some(Share::Percent(50)),
            rollback_fleet: true,
            ..Rollout::default()
        };
        let text = plan_text(&RunSpec { rollout, reboot: Reboot::IfNeeded, ..run_spec() });
        let expected = "\
2 hosts, up to 8 at a time
  canary (@canary first): a wave begins when the one before it has ended
  each wave but the last is watched for 10m before the next
  no host is started once 1 host failed
  when the run fails, hosts that it deployed are taken back
  reboot if-needed, 1 host at a time
  wave 1
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn the_plan_of_a_rollback_names_what_is_wanted_and_evaluates_nothing() {
        let wanted = [(HostName::new("p620").unwrap(), Wanted::Generation(41))].into();
        let goal = Goal::Existing(Existing { wanted, ..Existing::default() });
        let text = plan_text(&RunSpec { goal, mode: Mode::Standard, ..run_spec() });
        assert!(text.starts_with("Plan: rollback, switch\n"), "{text}");
        assert!(text.contains("p620      ssh root@p620, generation 41\n"), "{text}");
        assert!(text.contains("desk      this machine, the generation before that which runs now\n"), "{text}");
        let steps = "  validate  host facts\n  test      decide, changes\n  deploy    preview, activate, prove";
        assert!(text.contains(steps), "{text}");
    }

    #[test]
    fn the_plan_as_json_is_one_line_with_the_same_facts() {
        let text = plan_json(&run_spec());
        assert_eq!(text.lines().count(), 1);
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(plan["waves"], json!([["p620"], ["desk"]]));
        assert_eq!(plan["run"]["hosts"][0]["name"], "desk");
        assert_eq!(plan["steps"][0], "git");
    }
}
