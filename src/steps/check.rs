//! `syntax` and `antipatterns`: the configuration's changed files are judged
//! beside the evaluation. The first step that needs it does the work for every
//! host that was deployed from the same commit and has the same settings.
//!
//! What counts and is critical blocks before anything changes; the rest is
//! recorded, and shown at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::context::{HostContext, RunContext};
use super::{Done, StepResult, step};
use crate::check::{self, AskNix, Judged, Source};
use crate::event::Event;
use crate::lint::{self, Baseline};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, Finding, Levels, Severity, StepId, Suppression};

step!(Syntax, StepId::Syntax, syntax);
step!(Antipatterns, StepId::Antipatterns, antipatterns);

const NOT_LOCAL: &str = "the flake is not in a local folder";
/// Findings shown in a failure; the others are counted.
const SHOWN: usize = 10;

/// What decides which findings a host has: the commit it was deployed from and
/// its own severities.
type Key = (Option<String>, Levels);
type Verdict = Result<Arc<Judged>, Failure>;

/// The checks of a run, each made once.
#[derive(Default)]
pub(crate) struct Checks(Mutex<BTreeMap<Key, Arc<OnceCell<Verdict>>>>);

impl Checks {
    fn cell(&self, key: Key) -> Arc<OnceCell<Verdict>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(key).or_default())
    }
}

async fn syntax(context: &HostContext) -> StepResult {
    match judged(context).await? {
        Some(judged) => {
            let findings = judged.findings.iter().filter(|finding| check::is_syntax(finding)).cloned();
            conclude(context, findings.collect(), &plural(judged.files, "file"))
        }
        None => Ok(Done::skipped(NOT_LOCAL)),
    }
}

async fn antipatterns(context: &HostContext) -> StepResult {
    let Some(judged) = judged(context).await? else { return Ok(Done::skipped(NOT_LOCAL)) };
    let (mut here, mut later) = (Vec::new(), Vec::new());
    for finding in judged.findings.iter().filter(|finding| !check::is_syntax(finding)).cloned() {
        match new_root_service(context, &finding) {
            Some(unit) if !judged.is_unseen(&finding) => later.push((unit, finding)),
            _ => here.push(finding),
        }
    }
    // The plan runs this step once per host.
    let _ = context.new_root_services.set(later);
    // How many files there were is said once, by `syntax`.
    conclude(context, here, "")
}

/// The unit of a lasting service that the source defines as root and that the
/// host does not have: a new one is critical. Another module may give it a
/// user, so `audit` looks at what was built before it blocks.
fn new_root_service(context: &HostContext, finding: &Finding) -> Option<String> {
    let unit = lint::lasting_root_service(finding)?;
    let is_set = context.run.spec.lint.levels.contains_key(&finding.rule)
        || context.host.lint.contains_key(&finding.rule);
    let is_there = context.facts_if_known().is_some_and(|facts| facts.baseline.contains_key(&unit));
    (!is_set && !is_there && finding.suppressed.is_none()).then_some(unit)
}

/// Records findings, and ends the host's run when one blocks.
pub(super) fn conclude(context: &HostContext, findings: Vec<Finding>, looked_at: &str) -> StepResult {
    // What a comment or the baseline suppresses was decided before this run.
    let in_this_run = |finding: &Finding| matches!(finding.suppressed, None | Some(Suppression::Flag { .. }));
    let findings: Vec<Finding> = findings.into_iter().filter(in_this_run).collect();
    for finding in &findings {
        context.send(Event::Finding { host: context.name().clone(), finding: Box::new(finding.clone()) });
    }
    let blocking: Vec<&Finding> = findings.iter().filter(|finding| finding.blocks()).collect();
    if !blocking.is_empty() {
        return Err(blocked(&blocking));
    }
    let count = |severity| {
        findings.iter().filter(|finding| finding.severity == severity && finding.suppressed.is_none()).count()
    };
    let allowed = findings.iter().filter(|finding| finding.suppressed.is_some()).count();
    let mut parts = Vec::new();
    if count(Severity::Warning) > 0 {
        parts.push(plural(count(Severity::Warning), "warning"));
    }
    if allowed > 0 {
        parts.push(format!("{} allowed", plural(allowed, "finding")));
    }
    Ok(match parts.is_empty() {
        true => Done::passed(looked_at),
        false => Done::warned(parts.join(", ")),
    })
}

fn blocked(blocking: &[&Finding]) -> Failure {
    let mut evidence = Vec::new();
    for finding in blocking.iter().take(SHOWN) {
        let place = finding.place.as_ref().map_or(String::new(), |place| {
            format!("{}:{}:{}: ", place.file.display(), place.line, place.column)
        });
        evidence.push(format!("{place}{} [{}]", finding.message, finding.rule));
        if !finding.source_line.trim().is_empty() {
            evidence.push(format!("    {}", finding.source_line.trim()));
        }
        if !finding.mend.is_empty() {
            evidence.push(format!("    mend: {}", finding.mend));
        }
    }
    if blocking.len() > SHOWN {
        evidence.push(format!("{} more", blocking.len() - SHOWN));
    }
    let mut rules: Vec<&str> = blocking.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let message = match blocking.iter().all(|finding| check::is_syntax(finding)) {
        true => format!("the configuration has {}", plural(blocking.len(), "error")),
        false => format!("the configuration has {}", plural(blocking.len(), "critical finding")),
    };
    Failure::new(FailureClass::Blocked, message)
        .evidence(evidence)
        .hint(format!("what it is about: nix-deploy explain {}", rules.first().copied().unwrap_or_default()))
        .hint(format!("to deploy all the same, once and on record: --allow {}", rules.join(",")))
}

/// What the source says about a host, worked out by whoever asks first; `None`
/// when the source is not here.
async fn judged(context: &HostContext) -> Result<Option<Arc<Judged>>, Failure> {
    let run = &context.run;
    if run.spec.flake_dir.is_none() {
        return Ok(None);
    }
    let key = (deployed_commit(context), context.host.lint.clone());
    run.checks.cell(key.clone()).get_or_init(|| judge(run, key)).await.clone().map(Some)
}

/// The commit that the host's running system was deployed from.
fn deployed_commit(context: &HostContext) -> Option<String> {
    let facts = context.facts_if_known()?;
    let deployed = facts.deployed.as_ref()?;
    (Some(&deployed.path) == facts.current_system.as_ref()).then(|| deployed.commit.clone()).flatten()
}

async fn judge(run: &RunContext, (commit, levels): Key) -> Verdict {
    let spec = &run.spec;
    let root = spec.flake_dir.clone().unwrap_or_default();
    let policy = check::policy(&spec.lint, Some(&levels), &spec.actor)
        .map_err(|error| Failure::from_error(FailureClass::Usage, &error))?;
    let policy = Arc::new(policy);
    let changed = match &commit {
        Some(commit) => Source::changed(&root, commit, Arc::clone(&policy)).await.ok(),
        None => None,
    };
    // A commit that is not here, or no git: then everything may have changed.
    let mut source = match changed {
        Some(source) => source,
        None => {
            let (root, policy) = (root.clone(), Arc::clone(&policy));
            tokio::task::spawn_blocking(move || Source::all(&root, &[], policy)).await.map_err(|error| {
                Failure::new(FailureClass::Unexpected, "the files cannot be looked for")
                    .cause(error.to_string())
            })?
        }
    };
    source.baseline = read_baseline(run)?;
    source.state = Some(spec.state_dir.clone());
    let mut judged = check::judge(source, &run.nix, AskNix::Suspects).await;
    check::settle_unseen(&mut judged, &spec.flake, &root).await;
    Ok(Arc::new(judged))
}

fn read_baseline(run: &RunContext) -> Result<Baseline, Failure> {
    let Some(path) = &run.spec.lint.baseline else { return Ok(Baseline::default()) };
    check::read_baseline(path).map_err(|error| {
        Failure::from_error(FailureClass::Usage, &error)
            .hint("write it anew: nix-deploy check --write-baseline")
    })
}
