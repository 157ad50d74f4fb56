//! `check --evaluated`: the source and the built system of hosts. What is not
//! built yet is built; no host is asked.

use std::time::Duration;

use super::{Job, hardening};
use crate::check::{self, Judged, system};
use crate::cli::DeployArgs;
use crate::error::CommandError;
use crate::lint::audit::{self, System};
use crate::model::{Failure, FailureClass, Finding, HostSpec, RunSpec};
use crate::nix::{Ask, BuildRequest, ChunkPolicy, EvalRequest, Evaluated, Nix, NixProgress};
use crate::plan;
use crate::report::Hardening;
use crate::steps;

/// Judges the source and the hosts that a name, a glob or a tag selects.
pub(super) async fn judge(job: &Job<'_>, selector: &str) -> Result<(Judged, Vec<Hardening>), CommandError> {
    let Some(settings) = &job.settings else {
        return Err(CommandError::new(
            FailureClass::Usage,
            "--evaluated needs a hosts.toml that names the host",
        )
        .hint("`nix-deploy init` writes one"));
    };
    let asked = DeployArgs::for_hosts(vec![selector.to_owned()]);
    let selected = plan::select(&settings.hosts, &asked.hosts).map_err(Failure::from)?;
    let run_spec = settings.run_spec(&asked, &selected);
    let (judged, systems) = tokio::join!(job.judge(), systems(&run_spec));
    let (mut judged, systems) = (judged?, systems?);
    // Where the built systems say how things are, the source is not asked.
    judged.findings.retain(|finding| {
        systems.is_empty() || !systems.iter().all(|(_, system)| system.decides(&finding.rule, &finding.subject))
    });
    let mut scores = Vec::new();
    for (host, system) in &systems {
        let policy = check::policy(&job.lint, Some(&host.lint), &settings.actor)
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
        let mut findings = audit::judge(&host.name, system, &policy);
        check::read_baseline(&job.baseline)
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?
            .apply(&mut findings);
        let key = |finding: &Finding| {
            (std::cmp::Reverse(finding.severity), finding.rule.clone(), finding.subject.clone())
        };
        findings.sort_by_cached_key(key);
        judged.findings.extend(findings);
        scores.extend(hardening(&host.name, system));
        if system.settings.is_none() {
            job.say(&format!(
                "warning: the settings of {} do not evaluate: only its units are judged",
                host.name
            ));
        }
    }
    Ok((judged, scores))
}

/// The built system of each host.
async fn systems(run_spec: &RunSpec) -> Result<Vec<(HostSpec, System)>, CommandError> {
    let nix = Nix::new();
    // No run: its log is of no use once the error is shown.
    let folder =
        tempfile::tempdir().map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    let log_file = folder.path().join("evaluate.log");
    let longest = |of: fn(&HostSpec) -> Duration| run_spec.hosts.iter().map(of).max().unwrap_or_default();
    let request = EvalRequest {
        flake: &run_spec.flake,
        flake_dir: run_spec.flake_dir.as_deref(),
        attributes: run_spec.hosts.iter().map(|host| (host.name.clone(), host.attribute.clone())).collect(),
        deadline: longest(|host| host.timeouts.evaluate),
        log_file: &log_file,
        ask: Ask::PathsAndSettings,
        chunks: ChunkPolicy::of_this_machine(),
        lock: None,
    };
    let quiet = |_: NixProgress| {};
    let mut evaluated: Vec<(HostSpec, Evaluated)> = Vec::new();
    for (name, answer) in nix.evaluate(&request, &quiet).await {
        let answer = answer.map_err(|error| steps::evaluation_failure(&error))?;
        let host = run_spec.hosts.iter().find(|host| host.name == name);
        evaluated.extend(host.map(|host| (host.clone(), answer)));
    }
    let missing: Vec<Evaluated> = evaluated
        .iter()
        .filter(|(_, evaluated)| !std::path::Path::new(evaluated.out_path.as_str()).exists())
        .map(|(_, evaluated)| evaluated.clone())
        .collect();
    if !missing.is_empty() {
        let log_file = folder.path().join("build.log");
        let build = BuildRequest {
            targets: missing,
            store: None,
            deadline: longest(|host| host.timeouts.build),
            stall: longest(|host| host.timeouts.copy_stall),
            log_file: &log_file,
            gc_root_dir: None,
            options: Vec::new(),
            failed_downloads: std::sync::Mutex::default(),
            fetched: std::sync::Mutex::default(),
            begun: std::sync::Mutex::default(),
        };
        for result in nix.build(&build, &quiet).await.into_values() {
            result.map_err(|error| steps::build_failure(&error))?;
        }
    }
    let mut systems = Vec::new();
    for (host, evaluated) in evaluated {
        let Some(mut read) = system::read_local(&evaluated.out_path).await else {
            let message = format!("{} cannot be read", evaluated.out_path);
            return Err(CommandError::new(FailureClass::Unexpected, message));
        };
        read.settings = evaluated.settings.as_deref().and_then(system::settings);
        systems.push((host, read));
    }
    Ok(systems)
}
