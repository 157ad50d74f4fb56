//! Shows known issues of what is installed on hosts, and of what their
//! configurations would bring.

use std::io::Write;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{DeployOptions, deploy};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::issues::github::{Coverage, FetchError, Known, Refresh, Tracker};
use crate::issues::{Check, github, package_set_day};
use crate::model::text::{clean_line, duration};
use crate::model::{
    Failure, FailureClass, HostName, InstalledPackage, IssueFinding, IssueReport, IssueSettings, OnUnavailable,
    RunSpec, StorePath,
};
use crate::nix::{Ask, ChunkPolicy, EvalRequest, Nix, Selection};
use crate::report;
use crate::settings::Output;
use crate::update::{FlakeLock, LockFile, running};

/// Issues that are not older count as available when the tracker is not.
const RECENT_ENOUGH: SignedDuration = SignedDuration::from_hours(24);

/// What is asked.
pub(crate) struct IssueOptions {
    /// Where the issues come from; a token of the environment included.
    pub(crate) tracker: Tracker,
    /// Which issues count.
    pub(crate) settings: IssueSettings,
    /// Whether a recent mirror will do.
    pub(crate) refresh: Refresh,
    /// Whether the systems that the configuration describes are judged.
    pub(crate) next: bool,
}

/// Looks at the hosts of a run. Exit code 3 when something blocks, 5 when a
/// host cannot be asked.
pub(crate) async fn issues(
    run_spec: RunSpec,
    mut asked: IssueOptions,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    if asked.tracker.token.is_none() {
        asked.tracker.token = github::token::of_cli(&asked.tracker.api_url).await;
    }
    let nix = Nix::new();
    let (known, next, running) = tokio::join!(
        asked.tracker.known(asked.refresh),
        next_systems(&nix, &run_spec, asked.next),
        join_all(run_spec.hosts.iter().map(|host| running::ask(host, &nix))),
    );
    let quiet = options.screen.output == Output::Quiet;
    let Some((known, unavailable)) = available(known, asked.settings.on_unavailable)? else {
        return Ok(exit::OK);
    };
    if !quiet {
        say(&notes(&known, &asked.tracker));
    }
    let next = next?;
    let package_set = package_set(&run_spec);
    let now = Timestamp::now();
    let mut failures = Vec::new();
    let mut blocked = unavailable;
    for (host, running) in run_spec.hosts.iter().zip(running) {
        let running = match running {
            Ok(running) => running,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let next = next.iter().find(|next| next.host == host.name);
        let system = next.map(|next| &next.system).or(running.system.as_ref());
        let issues = known.relevant(system.and_then(package_set_day));
        let check = Check {
            host: &host.name,
            running: &running.packages(),
            next: next.map(|next| next.packages.as_slice()),
            issues: &issues,
            as_of: Some(known.as_of),
            ignore: &asked.settings.ignore,
            package_set: package_set.as_deref(),
            now,
        };
        let report = check.report(|number| asked.tracker.issue_url(number));
        blocked |= report.findings.iter().any(IssueFinding::blocks);
        print(&report, &options, now)?;
    }
    if !failures.is_empty() {
        return Err(CommandError::several(failures));
    }
    Ok(if blocked { exit::BLOCKED } else { exit::OK })
}

/// The input that is the package set of a local flake; a courtesy, so whatever
/// cannot be read names none.
fn package_set(run_spec: &RunSpec) -> Option<String> {
    let text = FlakeLock::of(run_spec.flake_dir.as_ref()?).read().ok()??;
    LockFile::parse(text.as_bytes()).ok()?.package_set().map(str::to_owned)
}

/// The issues to go on with and whether their absence blocks; none, said and
/// done, when there are none and that does not matter.
fn available(
    known: Result<Known, FetchError>,
    policy: OnUnavailable,
) -> Result<Option<(Known, bool)>, CommandError> {
    let blocks = policy == OnUnavailable::Block;
    match known {
        Ok(known) => {
            let age = Timestamp::now().duration_since(known.as_of);
            let is_lacking = known.problem.is_some() && age > RECENT_ENOUGH;
            Ok(Some((known, blocks && is_lacking)))
        }
        Err(error) if blocks => {
            let failure =
                Failure::new(FailureClass::Blocked, format!("known issues are not available: {error}"));
            let failure = error.hint().into_iter().fold(failure, |failure, hint| failure.hint(hint));
            Err(failure.hint("or set on_unavailable = \"warn\" in [issues] of hosts.toml").into())
        }
        Err(error) => {
            let warning = format!("warning: known issues are not available: {error}");
            say(&std::iter::once(warning)
                .chain(error.hint().map(|hint| format!("hint: {hint}")))
                .collect::<Vec<_>>());
            Ok(None)
        }
    }
}

/// What is to be said about the issues themselves.
fn notes(known: &Known, tracker: &Tracker) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(problem) = &known.problem {
        let seconds = Timestamp::now().duration_since(known.as_of).as_secs();
        let age = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        notes.push(if known.complete {
            format!("warning: {problem}: the issues are those of {} ago", duration(age))
        } else {
            format!("warning: {problem}: only {} issues could be fetched", known.issues.len())
        });
        notes.extend(problem.hint().map(|hint| format!("hint: {hint}")));
    } else if known.coverage == Coverage::Labelled {
        let left_out = match known.left_out {
            0 => String::new(),
            pages => format!(", and {pages} pages of them were left out"),
        };
        notes.push(format!(
            "note: without a token only issues that are labelled as defects and were touched within 18 months are \
             looked at{left_out}"
        ));
        if tracker.token.is_none() {
            notes
                .push("hint: a token brings every open issue: set GITHUB_TOKEN, or `gh auth login`".to_owned());
        }
    }
    notes
}

fn say(notes: &[String]) {
    let mut output = std::io::stderr().lock();
    for note in notes {
        let _ = writeln!(output, "{}", clean_line(note));
    }
}

/// A system that the configuration describes.
struct Next {
    host: HostName,
    system: StorePath,
    packages: Vec<InstalledPackage>,
}

/// The packages of the systems that the configuration describes, as far as
/// they have been built here.
async fn next_systems(nix: &Nix, run_spec: &RunSpec, wanted: bool) -> Result<Vec<Next>, CommandError> {
    if !wanted {
        return Ok(Vec::new());
    }
    let log = tempfile::NamedTempFile::new()
        .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    let request = EvalRequest {
        flake: &run_spec.flake,
        flake_dir: run_spec.flake_dir.as_deref(),
        ask: Ask::Paths,
        attributes: run_spec.hosts.iter().map(|host| (host.name.clone(), host.attribute.clone())).collect(),
        deadline: run_spec.hosts.iter().map(|host| host.timeouts.evaluate).max().unwrap_or_default(),
        log_file: log.path(),
        chunks: ChunkPolicy::of_this_machine(),
        lock: None,
    };
    let mut systems = Vec::new();
    for (host, evaluated) in nix.evaluate(&request, &|_| {}).await {
        let evaluated = evaluated.map_err(|error| CommandError::from_error(FailureClass::Build, &error))?;
        let closure = nix.closure(&evaluated.out_path, None).await.map_err(|_| {
            let message = format!("{host}: the new system has not been built here");
            CommandError::new(FailureClass::Build, message)
                .hint(format!("nix-deploy {host} --action dry-activate builds it"))
        })?;
        // What is installed by name is what the common path of the system holds.
        let common = std::fs::canonicalize(evaluated.out_path.join("sw")).ok();
        let common = common.and_then(|path| StorePath::new(path.to_str()?).ok());
        let selection: Selection = match common {
            Some(path) => nix.references(&path).await.into_iter().collect(),
            None => Selection::default(),
        };
        let packages = closure.packages(&selection);
        systems.push(Next { host, system: evaluated.out_path, packages });
    }
    Ok(systems)
}

fn print(report: &IssueReport, options: &DeployOptions, now: Timestamp) -> Result<(), CommandError> {
    let text = match options.screen.output {
        Output::Json => {
            let line = serde_json::to_string(report)
                .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
            format!("{line}\n")
        }
        Output::Quiet if !report.findings.iter().any(IssueFinding::blocks) => return Ok(()),
        _ => report::issue_report(report, deploy::shown(options.screen), now),
    };
    super::print(text.as_bytes()).map(|_| ())
}
