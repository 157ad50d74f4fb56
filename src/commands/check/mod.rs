//! Judges the configuration without deploying it.
//!
//! Owns what a person may ask for: which files, which format, mending, the
//! baseline, the index, watching, a built system. Findings go to standard
//! output in the chosen format; everything else is talk on standard error.
//!
//! Exit codes: 3 when a finding blocks, else 0; 2 for wrong usage or settings.

mod evaluated;
mod mend;
mod recorded;
mod staged;
mod watch;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use recorded::Recorded;

use super::{deploy, explain, known_rules, print};
use crate::check::{self, AskNix, Judged, NixAnswer, Source};
use crate::cli::{CheckArgs, GlobalArgs, NixArg};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::lint::{self, Baseline, Policy, audit};
use crate::model::text::{clean_line, plural};
use crate::model::{FailureClass, Finding, HostName, LintSpec};
use crate::nix::Nix;
use crate::report::{self, Counts, Found, Hardening, RuleText};
use crate::settings::{Environment, Output, Screen, Settings, SettingsError};

/// The baseline file when settings name none, beside the flake.
const BASELINE: &str = "nix-deploy-baseline.json";

/// Judges what the arguments ask for.
pub(crate) async fn check(
    arguments: &CheckArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    if arguments.list_rules {
        return print(explain::list().as_bytes());
    }
    known_rules(&arguments.allow)?;
    let job = Job::new(arguments, global, environment)?;
    if arguments.staged {
        return job.show(staged::judge(&job).await?, &[]);
    }
    if arguments.diff {
        return mend::show(&job).await;
    }
    if arguments.write_baseline {
        return job.write_baseline().await;
    }
    if arguments.watch {
        return watch::watch(&job).await;
    }
    let record = Recorded::begin(&job);
    let checked = judge(&job).await.and_then(|(judged, hardening)| {
        if let Some(record) = &record {
            record.found(&judged);
        }
        job.show(judged, &hardening)
    });
    if let Some(record) = record {
        record.end(checked.as_ref().map_or_else(CommandError::exit_code, |code| *code)).await;
    }
    checked
}

/// Judges what the arguments name, and mends it first when that is asked for.
async fn judge(job: &Job<'_>) -> Result<(Judged, Vec<Hardening>), CommandError> {
    if job.arguments.fix {
        mend::mend(job).await?;
    } else if let Some(host) = &job.arguments.evaluated {
        return evaluated::judge(job, host).await;
    }
    Ok((job.judge().await?, Vec::new()))
}

/// What is judged, under which settings, and how it is shown.
struct Job<'a> {
    arguments: &'a CheckArgs,
    environment: &'a Environment,
    screen: Screen,
    settings: Option<Settings>,
    /// The folder that findings and patterns are relative to.
    root: PathBuf,
    paths: Vec<PathBuf>,
    lint: LintSpec,
    policy: Arc<Policy>,
    baseline: PathBuf,
}

impl<'a> Job<'a> {
    fn new(
        arguments: &'a CheckArgs,
        global: &GlobalArgs,
        environment: &'a Environment,
    ) -> Result<Self, CommandError> {
        let settings = match Settings::load(global.config.as_deref(), environment) {
            // A check needs no hosts.
            Err(SettingsError::NotFound { .. }) => None,
            result => Some(result?),
        };
        let here = &environment.directory;
        let paths: Vec<PathBuf> = arguments.paths.iter().map(|path| here.join(path)).collect();
        if let Some(missing) = paths.iter().find(|path| path.symlink_metadata().is_err()) {
            let message = format!("there is no {}", missing.display());
            return Err(CommandError::new(FailureClass::Usage, message));
        }
        let flake = settings.as_ref().and_then(|settings| settings.flake_dir.clone());
        let holds_all = |folder: &PathBuf| paths.iter().all(|path| path.starts_with(folder));
        let root = flake.filter(holds_all).unwrap_or_else(|| here.clone());
        let mut lint = settings.as_ref().map(|settings| settings.lint.clone()).unwrap_or_default();
        lint.allow.clone_from(&arguments.allow);
        let actor = settings.as_ref().map_or_else(|| environment.actor(), |settings| settings.actor.clone());
        let policy = check::policy(&lint, None, &actor)
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
        Ok(Self {
            arguments,
            environment,
            screen: Screen::resolve(global, environment),
            settings,
            paths,
            baseline: lint.baseline.clone().unwrap_or_else(|| root.join(BASELINE)),
            root,
            lint,
            policy: Arc::new(policy),
        })
    }

    /// What the installed Nix is asked about, at most.
    fn ask(&self) -> AskNix {
        match self.arguments.nix {
            NixArg::Auto => AskNix::New,
            NixArg::Always => AskNix::All,
            NixArg::Never => AskNix::Never,
        }
    }

    /// The files that were asked for, found anew each time.
    async fn source(&self) -> Result<Source, CommandError> {
        let (root, paths, policy) = (self.root.clone(), self.paths.clone(), Arc::clone(&self.policy));
        let collecting = tokio::task::spawn_blocking(move || Source::all(&root, &paths, policy));
        collecting.await.map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))
    }

    /// The source with what settings and earlier runs know about it.
    fn furnish(&self, source: Source) -> Result<Source, CommandError> {
        let baseline = check::read_baseline(&self.baseline).map_err(|error| {
            CommandError::from_error(FailureClass::Usage, &error)
                .hint("write it anew: nix-deploy check --write-baseline")
        })?;
        Ok(Source { baseline, state: self.state(), ..source })
    }

    /// The state folder, if there is a place for one.
    fn state(&self) -> Option<PathBuf> {
        let folder = self.environment.state_dir()?;
        std::fs::create_dir_all(&folder).ok()?;
        Some(folder)
    }

    async fn judge(&self) -> Result<Judged, CommandError> {
        let source = self.furnish(self.source().await?)?;
        Ok(check::judge(source, &Nix::new(), self.ask()).await)
    }

    /// Writes findings to standard output and the talk to standard error.
    fn show(&self, mut judged: Judged, hardening: &[Hardening]) -> Result<ExitCode, CommandError> {
        self.rebase(&mut judged.findings);
        let rules = rule_texts();
        let found = Found { findings: &judged.findings, files: judged.files, rules: &rules, hardening };
        let format = self.arguments.format.as_str();
        let text = report::write_findings(format, &found, deploy::shown(self.screen)).ok_or_else(|| {
            CommandError::new(FailureClass::Unexpected, format!("there is no format {format}"))
        })?;
        print(text.as_bytes())?;
        let counts = Counts::of(&judged.findings);
        self.say(&format!("{} checked: {}", plural(judged.files, "file"), counts.in_words()));
        if judged.gone_from_baseline > 0 {
            let gone = plural(judged.gone_from_baseline, "finding");
            self.say(&format!("{gone} of the baseline are gone: write it anew with --write-baseline"));
        }
        // Without Nix nothing is lost unless something is called broken.
        if let NixAnswer::Unavailable(reason) = &judged.nix
            && judged.findings.iter().any(check::is_syntax)
        {
            self.say(&format!("warning: Nix was not asked, what is called broken is not confirmed: {reason}"));
        }
        if let NixAnswer::TooMany(count) = judged.nix {
            self.say(&format!(
                "{} are new to Nix: it was asked only about what is called broken; --nix always asks about all",
                plural(count, "file")
            ));
        }
        Ok(if judged.findings.iter().any(Finding::blocks) { exit::BLOCKED } else { exit::OK })
    }

    /// Names files as seen from the current folder, as editors and services want them.
    fn rebase(&self, findings: &mut [Finding]) {
        let here = &self.environment.directory;
        if self.root == *here {
            return;
        }
        for place in findings.iter_mut().filter_map(|finding| finding.place.as_mut()) {
            place.file = seen_from(here, &self.root.join(&place.file));
        }
    }

    async fn write_baseline(&self) -> Result<ExitCode, CommandError> {
        let source = Source { state: self.state(), ..self.source().await? };
        let judged = check::judge(source, &Nix::new(), AskNix::Never).await;
        // What Nix refuses has to be mended: nothing can be deployed with it.
        let kept: Vec<Finding> =
            judged.findings.into_iter().filter(|finding| !check::is_syntax(finding)).collect();
        let count = kept.iter().filter(|finding| finding.suppressed.is_none()).count();
        check::write_baseline(&self.baseline, &Baseline::of(&kept))
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
        let shown = seen_from(&self.environment.directory, &self.baseline);
        self.say(&format!("wrote {} with {}; commit it", shown.display(), plural(count, "finding")));
        Ok(exit::OK)
    }

    /// Says something to the person.
    fn say(&self, text: &str) {
        if self.screen.output != Output::Quiet {
            say(text);
        }
    }
}

/// Says something on standard error.
fn say(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", clean_line(text));
}

/// A path as seen from a folder; as it is when they share nothing.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(left, right)| left == right).count();
    // Nothing but the root.
    if shared <= 1 {
        return path.to_owned();
    }
    let up = folder.components().skip(shared).map(|_| Path::new(".."));
    up.chain(path.components().skip(shared).map(|part| Path::new(part.as_os_str()))).collect()
}

/// Every rule as formats describe it.
fn rule_texts() -> Vec<RuleText> {
    let text = |rule: &&lint::RuleInfo| RuleText {
        id: rule.id.to_owned(),
        what: rule.summary.to_owned(),
        why: rule.why.to_owned(),
        severity: rule.on.then_some(rule.severity),
    };
    lint::rules().iter().map(text).collect()
}

/// The scores of a system's own services.
fn hardening(host: &HostName, system: &audit::System) -> Vec<Hardening> {
    let score = |(unit, score): (String, audit::Score)| Hardening {
        host: host.clone(),
        unit,
        points: score.points,
        missing: score.missing,
    };
    system.scores().into_iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::FormatArg;
    use clap::ValueEnum;

    #[test]
    fn every_format_of_the_command_line_is_written() {
        let found = Found { findings: &[], files: 0, rules: &[], hardening: &[] };
        let screen =
            Screen { output: Output::Plain, talk_color: false, data_color: false, unicode: true, verbosity: 0 };
        for format in FormatArg::value_variants() {
            let text = report::write_findings(format.as_str(), &found, deploy::shown(screen));
            assert!(text.is_some(), "{format:?}");
        }
    }

    #[test]
    fn paths_are_seen_from_where_the_person_is() {
        let seen =
            |folder: &str, path: &str| seen_from(Path::new(folder), Path::new(path)).display().to_string();
        assert_eq!(seen("/a/b", "/a/b/c/d.nix"), "c/d.nix");
        assert_eq!(seen("/a/b/c", "/a/b/d.nix"), "../d.nix");
        assert_eq!(seen("/a", "/x/y.nix"), "/x/y.nix");
    }
}
