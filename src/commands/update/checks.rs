//! The four checks of an update, beside each other: known issues, preview,
//! configuration, hosts. None of them changes anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::Update;
use crate::check::{self, AskNix, Source};
use crate::error::CommandError;
use crate::event::Event;
use crate::host::{Link, facts};
use crate::issues::github::{self, Coverage, FetchError, Known};
use crate::issues::{Check, package_set_day};
use crate::lint::Baseline;
use crate::model::text::{duration, plural};
use crate::model::{
    Failure, FailureClass, Finding, HostFacts, HostName, HostPreview, IssueReport, IssueScope, OnUnavailable,
    Severity, StepOutcome, UpdateCheck,
};
use crate::update::risk::Evidence;
use crate::update::running::Running;
use crate::update::{PreviewRequest, Previewed, Progress, Stage, Trial, preview, running};

/// Issues that are not older count as available when the tracker is not.
const RECENT_ENOUGH: SignedDuration = SignedDuration::from_hours(24);

/// Everything that the checks found.
pub(super) struct Findings {
    /// The update.
    pub(super) trial: Trial,
    /// What the hosts run.
    pub(super) running: Asked,
    /// What it would change.
    pub(super) previewed: Previewed,
    /// The issues that are known, where they could be had.
    pub(super) known: Option<Known>,
    /// What they mean for each host.
    pub(super) reports: Vec<IssueReport>,
    /// Why issues could not be looked up, or are old.
    issues_lacking: Option<String>,
    /// What was found in the configuration.
    pub(super) found: Vec<Finding>,
    facts: Vec<(HostName, HostFacts)>,
    previews: Vec<HostPreview>,
}

impl Findings {
    /// For the assessment.
    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            issues: &self.reports,
            issues_lacking: self.issues_lacking.clone(),
            previews: &self.previews,
            findings: &self.found,
            facts: &self.facts,
        }
    }
}

/// A check that has begun.
pub(super) struct Clock {
    check: UpdateCheck,
    began: Instant,
}

/// What hosts run, or why that is not known.
pub(super) type Asked = BTreeMap<HostName, Result<Running, Failure>>;
type Looked = (Option<Known>, Option<String>);

impl Update<'_> {
    /// Makes all four checks. Fails where the update cannot be made anyway.
    pub(super) async fn check(&self) -> Result<Findings, CommandError> {
        let (looked, previewed, found, facts) = tokio::join!(
            self.known_issues(),
            self.preview(&self.asked.inputs),
            self.configuration(),
            self.hosts()
        );
        let (clock, (known, issues_lacking)) = looked?;
        let (trial, running, previewed) = previewed?;
        let (found, facts) = (found?, facts?);
        let reports = known
            .as_ref()
            .map(|known| self.reports(known, &previewed, trial.package_set()))
            .unwrap_or_default();
        self.end_of_issues(clock, &reports, known.as_ref(), issues_lacking.as_deref());
        let previews: Vec<HostPreview> = previewed.hosts.iter().map(|host| host.preview.clone()).collect();
        if !trial.moves().is_empty() {
            self.send(Event::UpdatePreview { preview: Box::new(previewed.report(&trial)) });
        }
        if !previewed.failures.is_empty() {
            self.offer_for_failure(&trial, &running).await;
            return Err(CommandError::several(previewed.failures));
        }
        Ok(Findings { trial, running, previewed, known, reports, issues_lacking, found, facts, previews })
    }

    /// What is known means for each host.
    pub(super) fn reports(
        &self,
        known: &Known,
        previewed: &Previewed,
        package_set: Option<&str>,
    ) -> Vec<IssueReport> {
        let now = Timestamp::now();
        let settings = &self.asked.issues.settings;
        let of_host = previewed.hosts.iter().map(|host| {
            let issues = known.relevant(package_set_day(&host.preview.new));
            Check {
                host: &host.preview.host,
                running: &host.before,
                next: Some(&host.after),
                issues: &issues,
                as_of: Some(known.as_of),
                ignore: &settings.ignore,
                package_set,
                now,
            }
            .report(|number| self.asked.issues.tracker.issue_url(number))
        });
        of_host.collect()
    }

    async fn known_issues(&self) -> Result<(Clock, Looked), CommandError> {
        let clock = self.begin(UpdateCheck::Issues, "asking the tracker");
        let mut tracker = self.asked.issues.tracker.clone();
        if tracker.token.is_none() {
            tracker.token = github::token::of_cli(&tracker.api_url).await;
        }
        let policy = self.asked.issues.settings.on_unavailable;
        let looked = match tracker.known(self.asked.issues.refresh).await {
            Ok(known) => self.as_known(known, policy)?,
            Err(error) if policy == OnUnavailable::Block => return Err(unavailable(&error).into()),
            Err(error) => (None, Some(error.to_string())),
        };
        self.doing(UpdateCheck::Issues, "waiting for the preview");
        Ok((clock, looked))
    }

    fn as_known(&self, known: Known, policy: OnUnavailable) -> Result<Looked, CommandError> {
        let age = Timestamp::now().duration_since(known.as_of);
        let Some(problem) = &known.problem else { return Ok((Some(known), None)) };
        let old = duration(std::time::Duration::from_secs(u64::try_from(age.as_secs()).unwrap_or_default()));
        let what = format!("{problem}: the issues are those of {old} ago");
        self.running.sink.warn(None, what.clone(), problem.hint().map(str::to_owned));
        if age <= RECENT_ENOUGH && known.complete {
            return Ok((Some(known), None));
        }
        if policy == OnUnavailable::Block {
            return Err(unavailable(problem).into());
        }
        Ok((Some(known), Some(what)))
    }

    fn end_of_issues(
        &self,
        clock: Clock,
        reports: &[IssueReport],
        known: Option<&Known>,
        lacking: Option<&str>,
    ) {
        let Some(known) = known else {
            return self.end(clock, StepOutcome::Warned, lacking.unwrap_or("not available").to_owned());
        };
        let new = reports.iter().flat_map(|report| &report.findings);
        let new =
            new.filter(|finding| finding.scope == IssueScope::Update && finding.ignored.is_none()).count();
        let found = if new == 0 { "nothing known".to_owned() } else { format!("{new} known") };
        let of = plural(known.issues.len(), "open issue");
        let coverage = if known.coverage == Coverage::Labelled { ", labelled ones only: no token" } else { "" };
        let outcome = if new == 0 { StepOutcome::Passed } else { StepOutcome::Warned };
        self.end(clock, outcome, format!("{found} of what it brings ({of}{coverage})"));
    }

    /// Tries the update and says what it would change.
    async fn preview(&self, inputs: &[String]) -> Result<(Trial, Asked, Previewed), CommandError> {
        let clock = self.begin(UpdateCheck::Preview, "looking for newer inputs");
        let hosts = &self.spec.hosts;
        let asking = join_all(hosts.iter().map(|host| running::ask(host, &self.nix)));
        let told = |progress: crate::nix::NixProgress| self.doing(UpdateCheck::Preview, &progress.doing);
        let (trial, asked) = tokio::join!(self.trial(inputs, &told), asking);
        let trial = match trial {
            Ok(trial) => trial,
            Err(error) => {
                self.end(clock, StepOutcome::Failed, "the inputs cannot be brought to their newest".to_owned());
                return Err(error);
            }
        };
        if trial.moves().is_empty() {
            self.end(clock, StepOutcome::Skipped, "no input moves".to_owned());
            return Ok((trial, Asked::new(), Previewed::default()));
        }
        let running: Asked = hosts.iter().map(|host| host.name.clone()).zip(asked).collect();
        let previewed = self.previewed(&trial, &running).await;
        let moved = plural(trial.moves().len(), "input");
        let packages: usize = previewed.hosts.iter().map(|host| host.preview.packages.len()).sum();
        let outcome = if previewed.failures.is_empty() { StepOutcome::Passed } else { StepOutcome::Failed };
        let summary = match previewed.failures.first() {
            Some(failure) => failure.message.clone(),
            None => format!("{moved} moved, {} changed", plural(packages, "package")),
        };
        self.end(clock, outcome, summary);
        Ok((trial, running, previewed))
    }

    /// What an update changes on hosts that have been asked what they run.
    pub(super) async fn previewed(&self, trial: &Trial, running: &Asked) -> Previewed {
        let roots = self.spec.run_dir.join("results");
        // Without it a later collection of garbage takes what was built.
        let _ = std::fs::create_dir_all(&roots);
        let request = PreviewRequest {
            spec: self.spec,
            trial,
            running,
            depth: self.asked.depth,
            new_packages: self.asked.new_packages.as_deref(),
            log_dir: &self.spec.run_dir,
            gc_root_dir: Some(&roots),
        };
        let told = |progress: Progress| self.doing(UpdateCheck::Preview, &doing(&progress));
        preview(&self.nix, &request, &told).await
    }

    async fn configuration(&self) -> Result<Vec<Finding>, CommandError> {
        let clock = self.begin(UpdateCheck::Configuration, "reading");
        let (lint, state_dir) = (&self.spec.lint, self.spec.state_dir.clone());
        let policy = check::policy(lint, None, &self.spec.actor)
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
        let (root, policy) = (self.flake_dir.to_owned(), Arc::new(policy));
        let looking = tokio::task::spawn_blocking(move || Source::all(&root, &[], policy));
        let source =
            looking.await.map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
        let baseline = match &lint.baseline {
            Some(path) => check::read_baseline(path)
                .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?,
            None => Baseline::default(),
        };
        let source = Source { baseline, state: Some(state_dir), ..source };
        let mut judged = check::judge(source, &self.nix, AskNix::Suspects).await;
        check::settle_unseen(&mut judged, &self.spec.flake, self.flake_dir).await;
        let found: Vec<Finding> =
            judged.findings.into_iter().filter(|finding| finding.suppressed.is_none()).collect();
        let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
        let (critical, warnings) = (count(Severity::Critical), count(Severity::Warning));
        let outcome = match (critical, warnings) {
            (0, 0) => StepOutcome::Passed,
            (0, _) => StepOutcome::Warned,
            _ => StepOutcome::Failed,
        };
        let mut summary = plural(judged.files, "file");
        for (count, what) in [(critical, "critical finding"), (warnings, "warning")] {
            if count > 0 {
                summary = format!("{summary}, {}", plural(count, what));
            }
        }
        self.end(clock, outcome, summary);
        Ok(found)
    }

    /// The facts of every host; one that does not answer ends the update: its
    /// deploy would fail with all others done.
    async fn hosts(&self) -> Result<Vec<(HostName, HostFacts)>, CommandError> {
        let clock = self.begin(UpdateCheck::Hosts, "asking");
        let asked = self.spec.hosts.iter().map(|host| async {
            let link = Link::new(host).map_err(|error| error.failure())?;
            facts::collect(&link, host).await.map_err(|error| error.failure())
        });
        let (mut facts, mut failures) = (Vec::new(), Vec::<Failure>::new());
        for (host, answer) in self.spec.hosts.iter().zip(join_all(asked).await) {
            match answer {
                Ok(answer) => facts.push((host.name.clone(), answer)),
                Err(failure) => failures.push(failure.hint("or update without it: name the other hosts")),
            }
        }
        let asked = plural(self.spec.hosts.len(), "host");
        if failures.is_empty() {
            self.end(clock, StepOutcome::Passed, format!("{asked} answered"));
            return Ok(facts);
        }
        self.end(clock, StepOutcome::Failed, format!("{} of {asked} did not answer", failures.len()));
        Err(CommandError::several(failures))
    }

    /// Says that a check begins.
    pub(super) fn begin(&self, check: UpdateCheck, doing: &str) -> Clock {
        self.doing(check, doing);
        Clock { check, began: Instant::now() }
    }

    /// Says what a check is doing.
    pub(super) fn doing(&self, check: UpdateCheck, doing: &str) {
        self.send(Event::UpdateCheckProgress { check, doing: doing.to_owned() });
    }

    /// Says how a check ended.
    pub(super) fn end(&self, clock: Clock, outcome: StepOutcome, summary: String) {
        let elapsed_ms = u64::try_from(clock.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.send(Event::UpdateCheckFinished { check: clock.check, outcome, elapsed_ms, summary });
    }
}

fn unavailable(error: &FetchError) -> Failure {
    let failure = Failure::new(FailureClass::Blocked, format!("known issues are not available: {error}"));
    let failure = error.hint().into_iter().fold(failure, Failure::hint);
    failure.hint("or set on_unavailable = \"warn\" in [issues] of hosts.toml")
}

/// `12/40 building linux`.
fn doing(progress: &Progress) -> String {
    let words = match (progress.stage, progress.nix.doing.as_str()) {
        (Stage::Compare, _) => return "comparing".to_owned(),
        (Stage::Evaluate, "") => "evaluating",
        (Stage::Build, "") => "building",
        (_, words) => words,
    };
    match (progress.nix.done, progress.nix.expected) {
        (Some(done), Some(expected)) => format!("{done}/{expected} {words}"),
        _ => words.to_owned(),
    }
}
