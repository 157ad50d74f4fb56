//! What steps share: the run, and what is known of one host so far.
//!
//! Values are filled by one step and read by later ones; the plan's order
//! guarantees that they are there. Locks are held for one assignment only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, mpsc};

use super::build::BuildRequest;
use super::check::Checks;
use super::link_speed;
use super::recover::Recoveries;
use super::shared::{Names, Results, Roster};
use super::sudo::SudoPassword;
use crate::event::{Event, EventSink};
use crate::host::boot_trial::Trial;
use crate::host::observe::Sample;
use crate::host::preview::Preview;
use crate::host::{HostError, Link, Session};
use crate::model::{
    ActivationState, Changes, Committed, Failure, FailureClass, Finding, HostFacts, HostName, HostOutcome,
    HostSpec, Observed, RunSpec, Secret, ServiceChange, SourceState, StepId, StorePath, Target, Truth,
};
use crate::nix::{Caches, Closure, Evaluated, Nix};

/// What all hosts of a run share.
pub(crate) struct RunContext {
    /// The run as it was asked for.
    pub(crate) spec: RunSpec,
    /// Where events go.
    pub(crate) sink: EventSink,
    /// The Nix on this machine.
    pub(crate) nix: Nix,
    /// Machine, boot and process of this program.
    pub(crate) owner: String,
    /// The configuration's repository; `None` outside of one.
    pub(crate) source: OnceCell<Option<SourceState>>,
    /// What the source says, by what it is judged for.
    pub(crate) checks: Checks,
    /// The evaluation, by host.
    pub(crate) evaluation: Results<Evaluated>,
    /// Where builds are asked for.
    pub(crate) build_requests: mpsc::UnboundedSender<BuildRequest>,
    /// The builds, by host.
    pub(crate) builds: Results<()>,
    /// Hosts whose build was asked for before they had answered.
    pub(crate) ahead: Names,
    /// Hosts that have not yet said whether they need a build.
    pub(crate) undecided: Roster,
    /// The binary caches of hosts.toml that answer.
    pub(crate) caches: OnceCell<Caches>,
    /// What was set right by itself.
    pub(crate) recoveries: Recoveries,
    /// Which host each machine is, by its id and that of its boot: two names may be one.
    pub(crate) machines: Mutex<BTreeMap<(String, String), HostName>>,
    /// The sudo password: given in the environment, or asked once for all hosts.
    pub(crate) sudo_password: SudoPassword,
}

impl RunContext {
    /// A run of which nothing is known yet, and where its build requests arrive.
    pub(crate) fn new(
        spec: RunSpec,
        sink: EventSink,
        owner: String,
        sudo_password: Option<Secret>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<BuildRequest>) {
        let (build_requests, requests) = mpsc::unbounded_channel();
        let run = Self {
            sink,
            nix: Nix::new(),
            owner,
            // What is deployed is of the source that the interrupted run saw.
            source: OnceCell::new_with(spec.resumed.as_ref().and_then(|run| run.source.clone()).map(Some)),
            checks: Checks::default(),
            machines: Mutex::default(),
            evaluation: Results::new(),
            build_requests,
            builds: Results::new(),
            ahead: Names::default(),
            undecided: Roster::new(spec.hosts.iter().map(|host| host.name.clone())),
            caches: OnceCell::new(),
            recoveries: Recoveries::default(),
            sudo_password: SudoPassword::new(sudo_password),
            spec,
        };
        (Arc::new(run), requests)
    }
}

/// The activation of this run on the host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activation {
    /// A supervisor was started, or may have been: the truth has to be settled.
    pub(crate) begun: bool,
    /// The host's clock at the start, in seconds since 1970 with a fraction where the
    /// host can say one, in the host's own digits.
    pub(crate) since: String,
    /// When the host said that the new system runs.
    pub(crate) activated_at: Option<tokio::time::Instant>,
    /// What the supervisor wrote last, as far as we know.
    pub(crate) state: Option<ActivationState>,
    /// Since when nobody could log in any more; steps share the patience with that.
    pub(crate) unreachable_since: Option<tokio::time::Instant>,
    /// The word was given to commit.
    pub(crate) confirmed: bool,
}

/// A host that came up again after its reboot.
#[derive(Debug)]
pub(crate) struct Rebooted {
    /// The login that found it in another boot.
    pub(crate) session: Session,
    /// What is on it since.
    pub(crate) truth: Truth,
    /// Units that run since, once they are judged.
    pub(crate) running_units: OnceLock<usize>,
}

/// One host's run.
pub(crate) struct HostContext {
    /// The run.
    pub(crate) run: Arc<RunContext>,
    /// The host as configured.
    pub(crate) host: HostSpec,
    /// The way to it.
    pub(crate) link: Link,
    facts: Mutex<Option<Arc<HostFacts>>>,
    /// Which of the masters the facts came over.
    facts_over: AtomicU32,
    /// The sudo password that it has accepted.
    pub(crate) sudo_password: OnceLock<Secret>,
    /// The place among those that connect, while it connects.
    connecting: Mutex<Option<OwnedSemaphorePermit>>,
    activation: Mutex<Activation>,
    warnings: Mutex<Vec<String>>,
    services: Mutex<Vec<ServiceChange>>,
    /// Derivation and toplevel.
    pub(crate) evaluated: OnceLock<Evaluated>,
    /// The system to go back to, instead of one that is evaluated.
    pub(crate) target: OnceLock<Target>,
    /// Set when an interrupted run had changed the host already: it is brought to its
    /// end, and not changed again.
    pub(crate) taken_up: OnceLock<Committed>,
    /// The closure of what the host runs now, fetched while others work.
    pub(crate) old_closure: OnceCell<Option<Closure>>,
    /// The closure of the new system, once it was read.
    pub(crate) new_closure: OnceLock<Closure>,
    /// Set once the systems may have roots on the host.
    pub(crate) rooted: OnceLock<()>,
    /// The host's disk had no room for them.
    pub(crate) no_room_for_roots: OnceLock<()>,
    /// Services that the source defines as root and that the host does not have
    /// yet: the built system decides about them.
    pub(crate) new_root_services: OnceLock<Vec<(String, Finding)>>,
    /// What would change.
    pub(crate) changes: OnceLock<Changes>,
    /// What the host said before.
    pub(crate) preview: OnceLock<Preview>,
    /// Network problems before the activation.
    pub(crate) network_before: OnceLock<Vec<String>>,
    /// Network problems after it.
    pub(crate) network_after: OnceLock<Vec<String>>,
    /// The fresh connection that proved the login.
    pub(crate) proof: OnceLock<Session>,
    /// The first look at the units after the activation.
    pub(crate) first_sample: OnceLock<Sample>,
    /// Units that run after the deploy.
    pub(crate) running_units: OnceLock<usize>,
    /// Units that have failed after the deploy.
    pub(crate) failed_units: OnceLock<usize>,
    /// A health problem that is reported but not undone (`rollback.auto = false`).
    pub(crate) unwell: OnceLock<Failure>,
    /// How the host settled.
    pub(crate) settled: OnceLock<HostOutcome>,
    /// Set before the host is told to reboot.
    pub(crate) reboot_asked: OnceLock<()>,
    /// The new system's boot entry is tried once.
    pub(crate) trial: OnceLock<Trial>,
    /// The host came up with its old system instead, and is well.
    pub(crate) fell_back: OnceLock<()>,
    /// What came up after the reboot.
    pub(crate) rebooted: OnceLock<Rebooted>,
    /// Busy time of the processors before the copy, in percent.
    pub(crate) cpu_before: OnceLock<f64>,
    /// What was seen after the activation, beside what was before.
    pub(crate) observed: OnceCell<Result<Observed, HostError>>,
    /// What is on the host at the end.
    pub(crate) truth: OnceLock<Truth>,
}

impl HostContext {
    /// A host of which nothing is known yet.
    pub(crate) fn new(run: Arc<RunContext>, host: HostSpec) -> Result<Self, HostError> {
        Ok(Self {
            link: Link::new(&host)?.compressed(link_speed::is_slow(&run, &host.name))?,
            run,
            host,
            facts: Mutex::default(),
            facts_over: AtomicU32::default(),
            sudo_password: OnceLock::new(),
            connecting: Mutex::default(),
            activation: Mutex::default(),
            warnings: Mutex::default(),
            services: Mutex::default(),
            evaluated: OnceLock::new(),
            target: OnceLock::new(),
            taken_up: OnceLock::new(),
            old_closure: OnceCell::new(),
            new_closure: OnceLock::new(),
            rooted: OnceLock::new(),
            no_room_for_roots: OnceLock::new(),
            new_root_services: OnceLock::new(),
            changes: OnceLock::new(),
            preview: OnceLock::new(),
            network_before: OnceLock::new(),
            network_after: OnceLock::new(),
            proof: OnceLock::new(),
            first_sample: OnceLock::new(),
            running_units: OnceLock::new(),
            failed_units: OnceLock::new(),
            unwell: OnceLock::new(),
            settled: OnceLock::new(),
            reboot_asked: OnceLock::new(),
            trial: OnceLock::new(),
            fell_back: OnceLock::new(),
            rebooted: OnceLock::new(),
            cpu_before: OnceLock::new(),
            observed: OnceCell::new(),
            truth: OnceLock::new(),
        })
    }

    /// The host's name.
    pub(crate) fn name(&self) -> &HostName {
        &self.host.name
    }

    /// Sends an event.
    pub(crate) fn send(&self, event: Event) {
        self.run.sink.send(event);
    }

    /// Says how far a step is.
    pub(crate) fn progress(&self, step: StepId, doing: impl Into<String>) {
        let host = self.name().clone();
        self.send(Event::StepProgress { host, step, doing: doing.into(), done: None, expected: None });
    }

    /// Notes something that deserves a look, on the screen and in the report.
    pub(crate) fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        let message = message.into();
        lock(&self.warnings).push(message.clone());
        self.run.sink.warn(Some(self.name()), message, hint);
    }

    /// What deserved a look so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// Where the supervisor's words are, as a hint.
    pub(crate) fn journal_hint(&self) -> String {
        format!("what the activation said, on the host: journalctl -u nix-deploy-{} -b", self.run.spec.id)
    }

    /// Notes what became of a unit.
    pub(crate) fn service(&self, unit: &str, what: impl Into<String>) {
        self.service_in(unit, what, None);
    }

    /// The same, with the milliseconds that its start took.
    pub(crate) fn service_in(&self, unit: &str, what: impl Into<String>, start_ms: Option<u64>) {
        lock(&self.services).push(ServiceChange { unit: unit.to_owned(), what: what.into(), start_ms });
    }

    /// What became of units.
    pub(crate) fn services(&self) -> Vec<ServiceChange> {
        lock(&self.services).clone()
    }

    /// The connection over which the changed host was last proven.
    pub(crate) fn proven_session(&self) -> Option<&Session> {
        self.rebooted.get().map(|rebooted| &rebooted.session).or(self.proof.get())
    }

    /// Takes the place among those that connect.
    pub(crate) fn take_place(&self, place: OwnedSemaphorePermit) {
        *lock(&self.connecting) = Some(place);
    }

    /// Lets another one connect.
    pub(crate) fn give_back_place(&self) {
        *lock(&self.connecting) = None;
    }

    /// The facts, once they are known.
    pub(crate) fn facts_if_known(&self) -> Option<Arc<HostFacts>> {
        lock(&self.facts).clone()
    }

    /// The facts; a failure when the plan let a step run before them.
    pub(crate) fn facts(&self) -> Result<Arc<HostFacts>, Failure> {
        self.facts_if_known().ok_or_else(|| missing("the host's facts"))
    }

    /// Sets the facts as the host told them, also when they are asked anew.
    pub(crate) fn set_facts(&self, facts: HostFacts) {
        self.facts_over.store(self.link.masters(), Ordering::Relaxed);
        *lock(&self.facts) = Some(Arc::new(facts));
    }

    /// Sets what became of the facts meanwhile.
    pub(crate) fn amend_facts(&self, facts: HostFacts) {
        *lock(&self.facts) = Some(Arc::new(facts));
    }

    /// Whether the host was connected to anew since it told its facts.
    pub(crate) fn was_away(&self) -> bool {
        self.facts_over.load(Ordering::Relaxed) != self.link.masters()
    }

    /// The toplevel to deploy.
    pub(crate) fn new_system(&self) -> Result<&StorePath, Failure> {
        let evaluated = self.evaluated.get().map(|evaluated| &evaluated.out_path);
        let target = || self.target.get().map(|target| &target.path);
        evaluated.or_else(target).ok_or_else(|| missing("the new system"))
    }

    /// The activation so far.
    pub(crate) fn activation(&self) -> Activation {
        lock(&self.activation).clone()
    }

    /// Changes what is known of the activation; a new state is an event.
    pub(crate) fn update_activation(&self, change: impl FnOnce(&mut Activation)) {
        let mut activation = lock(&self.activation);
        let before = activation.state.clone();
        change(&mut activation);
        let after = activation.state.clone();
        drop(activation);
        if let Some(state) = after.filter(|after| Some(after) != before.as_ref()) {
            self.send(Event::Activation { host: self.name().clone(), state });
        }
    }

    /// How long one short command on the host may take.
    pub(crate) fn command_deadline(&self) -> Duration {
        self.host.timeouts.command
    }
}

/// A failure that only a mistake in the plan can cause.
fn missing(what: &str) -> Failure {
    Failure::new(FailureClass::Unexpected, format!("{what} should be known by now"))
        .hint("this is a mistake in nix-deploy: please report it with the run's events.jsonl")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
