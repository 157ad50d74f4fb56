//! Runs written by hand, for tests of the reporters.
//!
//! A story is a list of events with the times at which they happen; it can be
//! given to a reporter at once, or sent through the hub with real delays.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::event::{Envelope, Event, EventSink, SCHEMA_VERSION};
use crate::model::{
    Action, ActivationPhase, ActivationState, Changes, ClosureDiff, Failure, FailureClass, HostName,
    HostOutcome, HostReport, Mode, PackageChange, PackageChangeKind, RunId, ServiceChange, SourceState, StepId,
    StepOutcome, StepRecord, StorePath, Truth, UnitPlan,
};

/// Keeps what is written to it.
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    /// What was written since the last call.
    pub(super) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A standard output whose reader is gone, or whose disk is full.
pub(super) struct Broken(pub(super) io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Something foreign that tries to drive the terminal.
pub(super) const NASTY: &str = "evil\u{1b}[2J\u{1b}]0;title\u{7}\r\nname\u{202e}\u{9b}31m";

pub(super) fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(super) fn system(name: &str) -> StorePath {
    StorePath::new(format!("/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-{name}")).unwrap()
}

pub(super) fn time(milliseconds: u64) -> Timestamp {
    let start: Timestamp = "2025-11-21T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_millis(milliseconds.try_into().unwrap())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn changes() -> Changes {
    let package = |name: &str, kind, before: &[&str], after: &[&str], size_difference| PackageChange {
        name: name.to_owned(),
        kind,
        before: strings(before),
        after: strings(after),
        size_difference,
        selected: false,
    };
    Changes {
        files: Some(strings(&["modules/services/monitoring.nix"])),
        deployed_commit: None,
        closure: Some(ClosureDiff {
            packages: vec![
                package("grafana", PackageChangeKind::Upgraded, &["11.2.0"], &["11.3.1"], 4_404_019),
                package("openssl", PackageChangeKind::Downgraded, &["3.3.2"], &["3.3.1"], -2_048),
                package("prometheus", PackageChangeKind::Upgraded, &["2.54.1"], &["2.55.0"], 8_598_323),
                package("promtail", PackageChangeKind::Added, &[], &["3.2.0"], 0),
                package("telegraf", PackageChangeKind::Removed, &["1.32"], &[], 0),
            ],
            rebuilt: 2,
            configuration_paths: 9,
            size_difference: 13_002_342,
            new_paths: 14,
            new_bytes: 23_068_672,
        }),
        reboot_needed: false,
        reboot_reasons: Vec::new(),
    }
}

pub(super) fn unit_plan() -> UnitPlan {
    UnitPlan {
        stop: strings(&["telegraf.service"]),
        not_stopped: strings(&["dbus-broker.service"]),
        restart: strings(&["grafana.service", "prometheus.service"]),
        reload: strings(&["nginx.service"]),
        start: strings(&["promtail.service"]),
        new: Vec::new(),
    }
}

/// The successful run of the documentation's example.
pub(super) fn success() -> HostReport {
    let step = |step, elapsed_ms, summary: &str| StepRecord {
        step,
        outcome: StepOutcome::Passed,
        elapsed_ms,
        summary: summary.to_owned(),
    };
    let service = |unit: &str, what: &str, start_ms| ServiceChange {
        unit: unit.to_owned(),
        what: what.to_owned(),
        start_ms,
    };
    HostReport {
        outcome: HostOutcome::DeployedWithWarnings,
        elapsed_ms: 165_000,
        old: Some(system("p620-old")),
        new: Some(system("p620-new")),
        generation_before: Some(1235),
        ran_another: false,
        generation_after: Some(1236),
        changes: Some(changes()),
        unit_plan: Some(unit_plan()),
        services: vec![
            service("prometheus.service", "restarted", Some(800)),
            service("grafana.service", "unchanged", None),
        ],
        steps: vec![
            step(StepId::Git, 20, ""),
            step(StepId::HostFacts, 300, ""),
            step(StepId::Evaluate, 4_200, ""),
            step(StepId::Build, 38_000, ""),
            step(StepId::Changes, 40, ""),
            step(StepId::Copy, 3_100, "14 paths, 22.0 MiB"),
            step(StepId::Preview, 400, ""),
            step(StepId::Activate, 4_100, ""),
            step(StepId::Prove, 300, ""),
            step(StepId::Verify, 12_000, ""),
            step(StepId::Commit, 200, ""),
            step(StepId::Settle, 100, ""),
            step(StepId::Services, 500, "23/23 services"),
            step(StepId::Network, 200, "ssh, dns"),
        ],
        recoveries: Vec::new(),
        warnings: strings(&["1 unit had failed before this deploy: foo.service"]),
        failure: None,
        truth: None,
        observed: None,
    }
}

/// A unit crashes, and the host goes back.
pub(super) fn rolled_back() -> HostReport {
    let mut report = success();
    report.outcome = HostOutcome::RolledBack;
    report.elapsed_ms = 72_000;
    report.generation_after = Some(1235);
    report.warnings.clear();
    report.services = vec![
        ServiceChange { unit: "grafana.service".to_owned(), what: "restarted".to_owned(), start_ms: Some(800) },
        ServiceChange { unit: "prometheus.service".to_owned(), what: "failed".to_owned(), start_ms: None },
    ];
    report.steps.retain(|record| record.step <= StepId::Verify);
    if let Some(verify) = report.steps.last_mut() {
        verify.outcome = StepOutcome::Failed;
        verify.elapsed_ms = 3_200;
    }
    report.failure = Some(
        Failure::new(FailureClass::RolledBack, "prometheus.service failed after the activation")
            .cause("its main process ended with exit code 1 (Result=exit-code, 3 restarts)")
            .evidence(strings(&[
                "Nov 21 12:01:07 p620 prometheus[812]: level=error err=\"error loading config\"",
                "Nov 21 12:01:07 p620 systemd[1]: prometheus.service: Main process exited, code=exited, status=1/FAILURE",
            ]))
            .hint("see the whole log: ssh p620 journalctl -u prometheus.service"),
    );
    report.truth = Some(Truth {
        current_system: Some(system("p620-old")),
        profile: Some(system("p620-old")),
        generation: Some(1235),
        state: None,
        supervisor_alive: false,
        boot_id: String::new(),
    });
    report
}

pub(super) fn unchanged() -> HostReport {
    HostReport {
        outcome: HostOutcome::Unchanged,
        elapsed_ms: 1_200,
        generation_after: Some(1235),
        changes: None,
        unit_plan: None,
        services: Vec::new(),
        steps: Vec::new(),
        recoveries: Vec::new(),
        warnings: Vec::new(),
        ..success()
    }
}

/// Events with their times in milliseconds since the run began.
#[derive(Clone, Default)]
pub(super) struct Story {
    events: Vec<(u64, Event)>,
}

impl Story {
    pub(super) fn of(hosts: &[&str]) -> Self {
        let started = Event::RunStarted {
            tool_version: "0.1.0".to_owned(),
            actor: "anna@laptop".to_owned(),
            mode: Mode::Standard,
            action: Action::Switch,
            flake: ".".to_owned(),
            hosts: hosts.iter().map(|name| host(name)).collect(),
            run_dir: "/state/runs/20251121-120000-abcdef".to_owned(),
            rollout: None,
            waves: Vec::new(),
            canaries: Vec::new(),
            updates: false,
            reboot: Default::default(),
            allow: Vec::new(),
            resumes: None,
            takes_back: None,
            command: "deploy".to_owned(),
            issue: None,
        };
        let source = SourceState {
            commit: Some("4f2c1aa9d1e0b7c34f2c1aa9d1e0b7c34f2c1aa9".to_owned()),
            dirty: false,
            branch: Some("main".to_owned()),
            ..SourceState::default()
        };
        Self::default().at(0, started).at(20, Event::Source { source })
    }

    pub(super) fn at(mut self, milliseconds: u64, event: Event) -> Self {
        self.events.push((milliseconds, event));
        self
    }

    pub(super) fn step(self, name: &str, step: StepId, from: u64, to: u64) -> Self {
        let (host, summary) = (host(name), String::new());
        let finished = StepOutcome::Passed;
        self.at(from, Event::StepStarted { host: host.clone(), step })
            .at(to, Event::StepFinished { host, step, outcome: finished, elapsed_ms: to - from, summary })
    }

    pub(super) fn started(self, name: &str, step: StepId, at: u64) -> Self {
        self.at(at, Event::StepStarted { host: host(name), step })
    }

    pub(super) fn progress(self, name: &str, step: StepId, at: u64, doing: &str, counts: (u64, u64)) -> Self {
        let (done, expected) = (Some(counts.0), Some(counts.1));
        self.at(at, Event::StepProgress { host: host(name), step, doing: doing.to_owned(), done, expected })
    }

    pub(super) fn plan(self, name: &str, at: u64) -> Self {
        let changes = Box::new(changes());
        self.at(at, Event::Changes { host: host(name), changes })
            .at(at, Event::UnitPlan { host: host(name), plan: unit_plan() })
    }

    pub(super) fn activation(self, name: &str, at: u64, phase: ActivationPhase, reason: &str) -> Self {
        let (reason, exit_code, activation_ms) = (reason.to_owned(), None, None);
        let state = ActivationState { phase, exit_code, reason, activation_ms };
        self.at(at, Event::Activation { host: host(name), state })
    }

    pub(super) fn ended(self, name: &str, at: u64, report: HostReport) -> Self {
        self.at(at, Event::HostFinished { host: host(name), report: Box::new(report) })
    }

    pub(super) fn finished(self, at: u64, exit: crate::exit::ExitCode) -> Self {
        let (exit_code, meaning) = (exit.code, exit.meaning.to_owned());
        self.at(at, Event::RunFinished { exit_code, meaning, elapsed_ms: at })
    }

    /// The events in the order of their times, as reporters get them.
    pub(super) fn envelopes(&self) -> Vec<Envelope> {
        let mut events = self.events.clone();
        events.sort_by_key(|(at, _)| *at);
        let run = RunId::new("20251121-120000-abcdef").unwrap();
        let envelope = |(seq, (at, event))| {
            let run = run.clone();
            Envelope { v: SCHEMA_VERSION, run, seq, time: time(at), event }
        };
        (1..).zip(events).map(envelope).collect()
    }

    /// Gives the events to a reporter at once.
    pub(super) fn tell(&self, reporter: &mut dyn super::Reporter) {
        self.envelopes().iter().for_each(|envelope| reporter.event(envelope));
    }

    /// Sends the events with the delays between them; `Asked` also asks.
    pub(super) async fn replay(&self, sink: EventSink) {
        let mut now = time(0);
        for envelope in self.envelopes() {
            let wait = envelope.time.duration_since(now);
            now = envelope.time;
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
            sink.send(envelope.event.clone());
            if let Event::Asked { question } = envelope.event {
                let answer = sink.confirm(question.clone()).await;
                let yes = answer.unwrap_or(false);
                sink.send(Event::Answered { question, yes, by_person: answer.is_some() });
            }
        }
    }
}
