//! Journals as runs write them, made of the program's own events.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use nix_deploy::event::{Envelope, Event, SCHEMA_VERSION};
use nix_deploy::model::{
    Action, Changes, ClosureDiff, ElevationFact, HostFacts, HostName, HostOutcome, HostReport, Metric, Mode,
    Observed, PackageChange, PackageChangeKind, Resource, RunId, ServiceChange, SourceState, StepId,
    StepOutcome, StorePath, Truth,
};

use crate::engine::Engine;

/// What is built beside a system.
const HELLO: &str = "/nix/store/33333333333333333333333333333333-hello-2.0.drv";

/// A run to be written down.
#[derive(Clone)]
pub(crate) struct Journal {
    run: RunId,
    folder: PathBuf,
    time: Timestamp,
    events: Vec<(Timestamp, Event)>,
    pub(crate) hosts: Vec<String>,
    commit: String,
    pub(crate) commit_time: Timestamp,
    pub(crate) dirty: bool,
    says_facts: bool,
    remote: String,
    old: StorePath,
    new: StorePath,
}

fn path(text: &str) -> StorePath {
    StorePath::new(text).unwrap()
}

impl Journal {
    /// A run that began so many minutes ago.
    pub(crate) fn new(engine: &Engine, run: &str, minutes_ago: u64) -> Self {
        let time = Timestamp::now().checked_sub(Duration::from_secs(minutes_ago * 60)).unwrap();
        Self {
            run: RunId::new(run).unwrap(),
            folder: engine.state().join("runs").join(run),
            time,
            events: Vec::new(),
            hosts: vec!["p620".to_owned()],
            commit: "c1".to_owned(),
            commit_time: time.checked_sub(Duration::from_secs(300)).unwrap(),
            dirty: false,
            says_facts: true,
            remote: "https://git.example/infra.git".to_owned(),
            old: path("/nix/store/00000000000000000000000000000000-nixos-system-p620-1"),
            new: path("/nix/store/11111111111111111111111111111111-nixos-system-p620-2"),
        }
    }

    /// Which commit it deploys, and from and to which system.
    pub(crate) fn of(mut self, commit: &str, old: &str, new: &str) -> Self {
        self.commit = commit.to_owned();
        (self.old, self.new) = (path(old), path(new));
        self
    }

    /// Hosts do not answer at the beginning.
    pub(crate) fn without_facts(mut self) -> Self {
        self.says_facts = false;
        self
    }

    /// Another repository.
    pub(crate) fn with_remote(mut self, remote: &str) -> Self {
        self.remote = remote.to_owned();
        self
    }

    /// In another state folder.
    pub(crate) fn in_state(mut self, state: &std::path::Path) -> Self {
        self.folder = state.join("runs").join(self.run.as_str());
        self
    }

    /// Where it is written.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    /// An event, a second after the one before.
    pub(crate) fn event(mut self, event: Event) -> Self {
        self.time = self.time.checked_add(Duration::from_secs(1)).unwrap();
        self.events.push((self.time, event));
        self
    }

    /// The clock jumps by so many seconds.
    pub(crate) fn jump(mut self, seconds: i64) -> Self {
        self.time = self.time.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        self
    }

    fn host(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    /// The start of the run, the repository, what the hosts run.
    pub(crate) fn begin(&self) -> Self {
        let hosts: Vec<HostName> = self.hosts.iter().map(|name| Self::host(name)).collect();
        let mut journal = self.clone().event(Event::RunStarted {
            tool_version: "0.1.0".to_owned(),
            actor: "ada@desk".to_owned(),
            mode: Mode::Standard,
            action: Action::Switch,
            flake: "git+file:///home/ada/infra".to_owned(),
            hosts: hosts.clone(),
            run_dir: self.folder.display().to_string(),
            rollout: None,
            waves: Vec::new(),
            canaries: Vec::new(),
            updates: false,
            reboot: Default::default(),
            allow: Vec::new(),
            resumes: None,
            takes_back: None,
            command: "deploy".to_owned(),
            issue: Some(123),
        });
        journal = journal.event(Event::Source {
            source: SourceState {
                commit: Some(self.commit.clone()),
                dirty: self.dirty,
                branch: Some("main".to_owned()),
                remote: Some(self.remote.clone()),
                commit_time: Some(self.commit_time),
                ..SourceState::default()
            },
        });
        for host in &hosts {
            let step = |step, outcome| Event::StepFinished {
                host: host.clone(),
                step,
                outcome,
                elapsed_ms: 20,
                summary: String::new(),
            };
            journal = journal.event(Event::StepStarted { host: host.clone(), step: StepId::Git });
            journal = journal.event(step(StepId::Git, StepOutcome::Passed));
            if !journal.says_facts {
                continue;
            }
            let facts = facts(host.as_str(), &journal.old);
            journal = journal.event(Event::Facts { host: host.clone(), facts: Box::new(facts) });
        }
        journal
    }

    /// A host's configuration evaluates.
    pub(crate) fn evaluated(self, host: &str) -> Self {
        let drv = path(&format!("{}.drv", self.new.as_str().replace("11111", "ddddd")));
        let (name, out_path) = (Self::host(host), self.new.clone());
        self.event(Event::StepStarted { host: name.clone(), step: StepId::Evaluate })
            .event(Event::Evaluated { host: name.clone(), drv_path: drv, out_path })
            .finished(host, StepId::Evaluate, StepOutcome::Passed, 900, "")
    }

    /// A step ends.
    pub(crate) fn finished(
        self,
        host: &str,
        step: StepId,
        outcome: StepOutcome,
        ms: u64,
        summary: &str,
    ) -> Self {
        let (host, summary) = (Self::host(host), summary.to_owned());
        self.event(Event::StepFinished { host, step, outcome, elapsed_ms: ms, summary })
    }

    /// A host's system is built, and what it changes is known.
    pub(crate) fn built(self, host: &str) -> Self {
        let name = Self::host(host);
        let package = PackageChange {
            name: "hello".to_owned(),
            kind: PackageChangeKind::Upgraded,
            before: vec!["1.0".to_owned()],
            after: vec!["1.1".to_owned(), "2.0".to_owned()],
            size_difference: -12,
            selected: false,
        };
        let changes = Changes {
            closure: Some(ClosureDiff { packages: vec![package], ..ClosureDiff::default() }),
            reboot_needed: true,
            reboot_reasons: vec!["kernel".to_owned()],
            ..Changes::default()
        };
        self.event(Event::StepStarted { host: name.clone(), step: StepId::Build })
            .finished(host, StepId::Build, StepOutcome::Passed, 5_000, "")
            .event(Event::Built { host: name.clone(), derivations: vec![path(HELLO)] })
            .event(Event::Changes { host: name, changes: Box::new(changes) })
    }

    /// A host is looked at after its activation.
    pub(crate) fn observed(self, host: &str) -> Self {
        let host = Self::host(host);
        self.event(Event::Observed { host, observed: Box::new(observed()) })
    }

    /// A host's end, by the outcome's word.
    pub(crate) fn ended(self, host: &str, outcome: &str) -> Self {
        self.ended_with(host, outcome, None)
    }

    /// A host's end with the words of its failure.
    pub(crate) fn ended_with(self, host: &str, outcome: &str, error: Option<&str>) -> Self {
        let outcome: HostOutcome = serde_json::from_value(outcome.into()).unwrap();
        let runs = match outcome {
            HostOutcome::Deployed | HostOutcome::Unchanged => Some(self.new.clone()),
            HostOutcome::RolledBack => Some(self.old.clone()),
            _ => None,
        };
        let truth = runs.filter(|_| outcome != HostOutcome::Unchanged).map(|system| Truth {
            current_system: Some(system.clone()),
            profile: Some(system),
            generation: Some(8),
            state: None,
            supervisor_alive: false,
            boot_id: "boot".to_owned(),
        });
        let failure = (!outcome.is_success()).then(|| {
            let class = nix_deploy::model::FailureClass::RolledBack;
            nix_deploy::model::Failure::new(class, error.unwrap_or("sshd.service failed")).cause("because")
        });
        // The report has it too, where the host was looked at.
        let looked_at = self
            .events
            .iter()
            .any(|(_, event)| matches!(event, Event::Observed { host: seen, .. } if seen.as_str() == host));
        let report = HostReport {
            outcome,
            elapsed_ms: 4_000,
            old: Some(self.old.clone()),
            new: Some(self.new.clone()),
            generation_before: Some(7),
            ran_another: false,
            generation_after: truth.as_ref().and_then(|truth| truth.generation),
            changes: None,
            unit_plan: None,
            services: vec![ServiceChange {
                unit: "nginx.service".to_owned(),
                what: "restarted".to_owned(),
                start_ms: None,
            }],
            steps: Vec::new(),
            recoveries: Vec::new(),
            warnings: Vec::new(),
            failure,
            truth,
            observed: looked_at.then(observed),
        };
        let host = Self::host(host);
        self.event(Event::HostFinished { host, report: Box::new(report) })
    }

    /// A host's end that nobody reached.
    pub(crate) fn unreached(self, host: &str) -> Self {
        let mut journal = self.ended_with(host, "failed", Some("p620 cannot be reached"));
        if let Some((_, Event::HostFinished { report, .. })) = journal.events.last_mut() {
            (report.old, report.generation_before) = (None, None);
            report.failure.as_mut().unwrap().unreached = true;
        }
        journal
    }

    /// The run's end.
    pub(crate) fn finish(self, exit_code: u8) -> Self {
        self.event(Event::RunFinished { exit_code, meaning: "the end".to_owned(), elapsed_ms: 5_000 })
    }

    /// The lines of it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let envelopes = self.events.iter().enumerate().map(|(index, (time, event))| Envelope {
            v: SCHEMA_VERSION,
            run: self.run.clone(),
            seq: index as u64 + 1,
            time: *time,
            event: event.clone(),
        });
        envelopes.map(|envelope| serde_json::to_string(&envelope).unwrap() + "\n").collect()
    }

    /// Writes it, in place of what was there.
    pub(crate) fn write(&self) -> usize {
        self.write_first(usize::MAX)
    }

    /// Writes its first lines and gives their number.
    pub(crate) fn write_first(&self, count: usize) -> usize {
        std::fs::create_dir_all(&self.folder).unwrap();
        // A run that goes on has no mark of being wholly recorded.
        let _ = std::fs::remove_file(self.folder.join("recorded"));
        let lines: Vec<String> = self.lines().into_iter().take(count).collect();
        std::fs::write(self.file(), lines.concat()).unwrap();
        lines.len()
    }
}

/// What is seen after the activation.
fn observed() -> Observed {
    let gib = f64::from(1 << 30);
    let resource = |metric, before, after| Resource { metric, before, after, usual: Some(gib) };
    Observed {
        resources: vec![
            resource(Metric::MemoryAvailable, Some(gib), Some(gib / 2.0)),
            resource(Metric::StoreFree, Some(10.0 * gib), Some(9.5 * gib)),
            resource(Metric::Cpu, None, Some(12.5)),
        ],
        garbage_collected: Some(86_400),
        boot_needed: Some(40 << 20),
        default_route: Some("192.0.2.1 on eth0".to_owned()),
        ..Observed::default()
    }
}

/// What a host answers first.
pub(crate) fn facts(host: &str, system: &StorePath) -> HostFacts {
    HostFacts {
        uid: 0,
        user: "root".to_owned(),
        elevation: ElevationFact::Root,
        current_system: Some(system.clone()),
        booted_system: Some(system.clone()),
        profile: Some(system.clone()),
        generation: Some(7),
        machine_id: format!("machine-of-{host}"),
        boot_id: "boot".to_owned(),
        hostname: host.to_owned(),
        systemd: true,
        machine: "x86_64".to_owned(),
        nix_version: None,
        trusted: true,
        store_free: Some(10 << 30),
        store_free_inodes: None,
        boot_free: None,
        memory_available: Some(1 << 30),
        load: Some(0.5),
        measured: [
            (Metric::MemoryAvailable, f64::from(1 << 30)),
            (Metric::StoreFree, 10.0 * f64::from(1 << 30)),
            (Metric::Load, 0.5),
        ]
        .into(),
        cpu_times: None,
        service_memory: Vec::new(),
        default_route: None,
        uptime: Some(43_200),
        baseline: std::collections::BTreeMap::default(),
        unproven: false,
        commit_cut_off: false,
        lock: None,
        orphans: Vec::new(),
        boot_trial: None,
        deployed: None,
    }
}
