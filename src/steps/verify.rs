//! `verify`: is the host well under the new system? Units against their
//! baseline over the settle window, critical services, health checks, network, and
//! the limits of resources that are to take a deploy back.

mod failure;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::context::HostContext;
use super::{Done, StepResult, activate, lease, limits, observed, step};
use crate::host::checks::{self, CheckFailure};
use crate::host::judge::{Ailing, Judge, Judgement};
use crate::host::network::{self, Asked};
use crate::host::observe::{self, Look, Sample};
use crate::host::{HostError, Session};
use crate::model::text::plural;
use crate::model::{Baseline, Failure, FailureClass, HostFacts, NetworkCheck, StepId, StorePath, UnitPlan};

pub(super) use failure::failure;
use services::note_services;
pub(super) use services::{is_on, note_ended};

step!(Verify, StepId::Verify);

/// The pause between two looks at the units.
pub(super) const INTERVAL: Duration = Duration::from_millis(1000);
/// How long a critical service may take to come up beyond the settle window.
pub(super) const START_GRACE: Duration = Duration::from_secs(60);
/// How often Tailscale is asked after the activation, a second apart.
pub(super) const ATTEMPTS: u8 = 5;
/// The name that the `dns` check resolves unless another is set: every NixOS
/// host needs it.
pub(super) const DNS_NAME: &str = "cache.nixos.org";

async fn run(context: &HostContext) -> StepResult {
    let (Some(session), Some(activated_at)) = (context.proof.get(), context.activation().activated_at) else {
        return Ok(Done::skipped("nothing was activated"));
    };
    lease::kept(context, session, look(context, session, activated_at)).await
}

async fn look(context: &HostContext, session: &Session, activated_at: Instant) -> StepResult {
    let facts = context.facts()?;
    let first = context.first_sample.get().cloned().unwrap_or_default();
    let mut judge = judge_for(context, &facts, &first);
    judge.failed_reloads = failed_reloads(context, &first).await;
    critical_exist(context, &judge, &first.units, &first.unit_files)?;
    let watch = Watch { step: StepId::Verify, session, judge: &judge, since: activated_at };
    let mut findings = examine(context, watch).await.map_err(|error| lost(&error))?;
    // The plan runs this step once per host.
    let _ = context.running_units.set(findings.judgement.running);
    let _ = context.failed_units.set(findings.judgement.failed);
    findings.limits = failed_limits(context).await.map_err(|error| lost(&error))?;
    if findings.is_well() && is_unexplained(context, &findings.judgement) {
        let said = activate::said(context).await;
        findings.activation = if said.is_empty() { vec!["it said nothing".to_owned()] } else { said };
    }
    note_services(context, &findings.judgement, &first, &judge.critical);
    if findings.is_well() {
        let checked = match context.host.checks.len() {
            0 => String::new(),
            count => format!(", {}", plural(count, "check")),
        };
        return Ok(Done::passed(format!("{}{checked}", plural(findings.judgement.running, "unit"))));
    }
    let mut failure = failure(context, session, &findings).await;
    if findings.judgement.ailing.is_empty() {
        failure = failure.hint(context.journal_hint());
    }
    if context.host.rollback.auto {
        return Err(failure);
    }
    failure.class = FailureClass::HostNotWell;
    context.warn(format!("{}; kept, because rollback.auto is false", failure.message), None);
    // The plan runs this step once per host.
    let _ = context.unwell.set(failure);
    Ok(Done::warned("not well"))
}

/// What the units of a host are judged against, from its first look on.
pub(super) fn judge_for(context: &HostContext, facts: &HostFacts, first: &Sample) -> Judge {
    let critical = context.host.critical_services.iter();
    Judge {
        baseline: facts.baseline.clone(),
        first_sample: first.units.clone(),
        critical: critical.map(|unit| first.aliases.get(unit).unwrap_or(unit).clone()).collect(),
        removed: first.removed.clone(),
        may_be_idle: first.may_be_idle.clone(),
        failed_reloads: BTreeMap::new(),
        own_unit: format!("nix-deploy-{}.service", context.run.spec.id),
    }
}

/// The units that the change was to reload and could not. What failed earlier is not of it.
async fn failed_reloads(context: &HostContext, first: &Sample) -> BTreeMap<String, String> {
    let is_failure = context.activation().state.and_then(|state| state.exit_code) == Some(4);
    if !is_failure || first.failed_reloads.is_empty() {
        return BTreeMap::new();
    }
    let asked = match context.preview.get().and_then(|preview| preview.plan.as_ref()) {
        Some(plan) => plan.reload.clone(),
        None => activate::reloaded(context).await,
    };
    let failed = first.failed_reloads.iter().filter(|(unit, _)| asked.contains(unit));
    failed.map(|(unit, result)| (unit.clone(), result.clone())).collect()
}

/// Which units are watched: by what, over which connection and since when.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    /// The step that says how far the watch is.
    pub(super) step: StepId,
    pub(super) session: &'a Session,
    pub(super) judge: &'a Judge,
    /// When the settle window began.
    pub(super) since: Instant,
}

/// What the proof of a changed host found.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) judgement: Judgement,
    pub(super) failed_checks: Vec<CheckFailure>,
    pub(super) network: Vec<String>,
    pub(super) limits: Vec<String>,
    /// What the activation said when it failed and no unit shows why.
    pub(super) activation: Vec<String>,
}

impl Findings {
    pub(super) fn is_well(&self) -> bool {
        self.judgement.ailing.is_empty()
            && self.failed_checks.is_empty()
            && self.network.is_empty()
            && self.limits.is_empty()
            && self.activation.is_empty()
    }
}

/// Whether the activation ended with exit code 4, something did not start or reload, and
/// nothing that is seen of the units says what: none had failed before, and none that it
/// touched came up by an automatic restart. Then a start or a reload was refused, and what
/// reads active may be the old one.
fn is_unexplained(context: &HostContext, judgement: &Judgement) -> bool {
    let code = context.activation().state.and_then(|state| state.exit_code);
    let plan = context.preview.get().and_then(|preview| preview.plan.as_ref());
    let touched = plan.map(UnitPlan::touched);
    let mut recovered = judgement.recovered.iter();
    code == Some(4)
        && judgement.broken_before.is_empty()
        && !recovered.any(|unit| touched.as_ref().is_none_or(|touched| touched.contains(unit)))
}

/// Units over the settle window, health checks and network, all at once.
pub(super) async fn examine(context: &HostContext, watch: Watch<'_>) -> Result<Findings, HostError> {
    let session = watch.session;
    let (units, failed_checks, network) = tokio::join!(
        watch_units(context, watch),
        run_checks(context, session),
        new_network_problems(context, session)
    );
    Ok(Findings { judgement: units?, failed_checks, network: network?, ..Findings::default() })
}

/// Limits that are to take a deploy back and that the host is beyond. What was so
/// before the deploy is a warning: taking the deploy back would not mend it.
async fn failed_limits(context: &HostContext) -> Result<Vec<String>, HostError> {
    if !context.host.limits.can_fail() {
        return Ok(Vec::new());
    }
    let found = limits::beyond(&context.host.limits, observed::ask(context).await?, |limit| limit.fail);
    let (old, new): (Vec<_>, Vec<_>) = found.into_iter().partition(|beyond| beyond.before);
    for beyond in old {
        context.warn(format!("{}, as before this deploy", beyond.message), beyond.hint);
    }
    Ok(new.into_iter().map(|beyond| beyond.message).collect())
}

fn lost(error: &HostError) -> Failure {
    let mut failure = error.failure();
    failure.class = FailureClass::RolledBack;
    failure
}

/// A critical service that is nowhere is a mistake in hosts.toml. The preview
/// finds it before the host is changed, but for what generators make.
fn critical_exist(
    context: &HostContext,
    judge: &Judge,
    units: &Baseline,
    files: &BTreeSet<String>,
) -> Result<(), Failure> {
    let exists = |unit: &String| {
        files.contains(unit)
            || judge.baseline.get(unit).is_some_and(|known| known.load == "loaded")
            || units.get(unit).is_some_and(|known| known.load == "loaded")
    };
    let Some(unknown) = judge.critical.iter().find(|unit| !exists(unit)) else { return Ok(()) };
    let loaded = units.iter().filter(|(_, health)| health.load == "loaded").map(|(unit, _)| unit);
    Err(unknown_critical(context, unknown, files.iter().chain(loaded)))
}

/// The failure of a critical service that does not exist.
pub(super) fn unknown_critical<'a>(
    context: &HostContext,
    unknown: &str,
    known: impl Iterator<Item = &'a String>,
) -> Failure {
    let nearest = known
        .map(|unit| (strsim::damerau_levenshtein(unknown, unit), unit))
        .min()
        .filter(|(distance, _)| *distance <= unknown.len() / 2);
    let failure = Failure::new(
        FailureClass::RolledBack,
        format!("the critical service {unknown} does not exist on {}", context.name()),
    );
    match nearest {
        Some((_, unit)) => {
            failure.hint(format!("did you mean {unit}? correct `critical_services` in hosts.toml"))
        }
        None => failure.hint("correct `critical_services` in hosts.toml"),
    }
}

/// Looks at the units until the settle window is over. A failure that time
/// cannot mend ends the watch at once.
async fn watch_units(context: &HostContext, watch: Watch<'_>) -> Result<Judgement, HostError> {
    let Watch { step, session, since, .. } = watch;
    let mut judge = watch.judge.clone();
    let settled = since + context.host.timeouts.settle;
    let latest = settled + START_GRACE;
    // The first look was taken with the new login, after the change.
    let mut judgement = judge.judge(&judge.first_sample);
    let mut last_look = Instant::now();
    let mut looked_after_window = context.host.timeouts.settle.is_zero();
    loop {
        let now = Instant::now();
        let hopeless = judgement.ailing.iter().any(|ailing| !may_recover(ailing));
        let waiting = !judgement.pending.is_empty() && now < latest;
        if hopeless || (looked_after_window && !waiting) {
            break;
        }
        let next = (last_look + INTERVAL).min(if now < settled { settled } else { latest }).max(now);
        tokio::time::sleep_until(next).await;
        last_look = Instant::now();
        let left = settled.saturating_duration_since(last_look);
        if !left.is_zero() {
            context.progress(step, format!("watching units for {} s more", left.as_secs() + 1));
        } else if let Some(unit) = judgement.pending.first() {
            context.progress(step, format!("waiting for {unit} to start"));
        }
        let facts = context.facts_if_known();
        let look = Look {
            old: facts.as_ref().and_then(|facts| facts.current_system.as_ref()),
            new: match context.new_system() {
                Ok(new) => new,
                Err(_) => break,
            },
            extra_units: &context.host.critical_services,
            counted: None,
            timed: &[],
            files: false,
            hold: None,
        };
        let sample = observe::sample(&context.link, session, look, context.command_deadline()).await?;
        if step == StepId::Verify && sample.current_system.as_ref() != Some(look.new) {
            // As after a cut that was longer than the host waits: nothing is left to look at.
            return Err(replaced(context, &sample));
        }
        looked_after_window = last_look >= settled;
        judgement = judge.judge(&sample.units);
        judge.count_from(&sample.units);
    }
    for unit in std::mem::take(&mut judgement.pending) {
        let why = "critical service did not start in time".to_owned();
        judgement.ailing.push(Ailing { unit, why });
    }
    Ok(judgement)
}

/// The host no longer runs what is to be confirmed.
fn replaced(context: &HostContext, sample: &Sample) -> HostError {
    let address = context.name().to_string();
    let runs = sample.current_system.as_ref();
    let detail = format!("it runs {}", runs.map_or("no NixOS system", StorePath::as_str));
    match context.facts_if_known().is_some_and(|facts| facts.current_system.as_ref() == runs) {
        true => HostError::WentBack { address, detail },
        false => HostError::Overtaken { address, detail },
    }
}

/// A unit between two automatic restarts may still come up.
fn may_recover(ailing: &Ailing) -> bool {
    ailing.why.starts_with("keeps being restarted")
}

/// All at once: the slowest decides how long it takes.
pub(super) async fn run_checks(context: &HostContext, session: &Session) -> Vec<CheckFailure> {
    let running = context.host.checks.iter().map(|check| checks::run(check, &context.link, session));
    join_all(running).await.into_iter().filter_map(Result::err).collect()
}

pub(super) fn network_wanted(context: &HostContext) -> bool {
    context.host.network.iter().any(|check| *check != NetworkCheck::Ssh)
}

/// Asks for the network properties that hosts.toml names; gives the problems.
pub(super) async fn network_problems(
    context: &HostContext,
    session: &Session,
    attempts: u8,
) -> Result<Vec<String>, HostError> {
    let wanted = |check| context.host.network.contains(&check);
    let dns = wanted(NetworkCheck::Dns).then(|| context.host.dns_name.as_deref().unwrap_or(DNS_NAME));
    let asked = Asked {
        dns_name: dns,
        tailscale: wanted(NetworkCheck::Tailscale),
        route: wanted(NetworkCheck::Route),
        attempts,
    };
    network::problems(&context.link, session, asked, context.command_deadline()).await
}

/// Network problems that were not there before; the old ones are warnings.
async fn new_network_problems(context: &HostContext, session: &Session) -> Result<Vec<String>, HostError> {
    if !network_wanted(context) {
        return Ok(Vec::new());
    }
    let after = network_problems(context, session, ATTEMPTS).await?;
    let before = context.network_before.get();
    let (old, new): (Vec<String>, Vec<String>) =
        after.iter().cloned().partition(|problem| before.is_none_or(|before| before.contains(problem)));
    for problem in old {
        context.warn(format!("{problem}, as before this deploy"), None);
    }
    // The plan runs this step once per host.
    let _ = context.network_after.set(after);
    Ok(new)
}
