//! Checks what is needed here and on each host, and says how to mend it.

use std::io::Write;
use std::path::Path;

use futures_util::future::join_all;
use serde::Serialize;

use super::DeployOptions;
use crate::error::CommandError;
use crate::exec::Command;
use crate::exit::{self, ExitCode};
use crate::host::{Link, facts};
use crate::model::text::{bytes, clean_line};
use crate::model::{BuildOn, ElevationFact, Failure, FailureClass, HostFacts, HostSpec, RunSpec};
use crate::nix::Nix;
use crate::settings::Output;

/// Below this much free room in /nix/store a host is worth a warning.
const LITTLE_ROOM: u64 = 2 << 30;

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Mark {
    Ok,
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// `here` or the host's name.
    place: String,
    mark: Mark,
    what: String,
    /// How to mend it.
    mend: Vec<String>,
}

impl Finding {
    fn new(place: &str, mark: Mark, what: impl Into<String>) -> Self {
        Self { place: place.to_owned(), mark, what: what.into(), mend: Vec::new() }
    }

    fn ok(place: &str, what: impl Into<String>) -> Self {
        Self::new(place, Mark::Ok, what)
    }

    fn problem(place: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { mend: vec![mend.into()], ..Self::new(place, Mark::Problem, what) }
    }

    fn warning(place: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { mend: vec![mend.into()], ..Self::new(place, Mark::Warning, what) }
    }

    fn of_failure(place: &str, failure: &Failure) -> Self {
        let mut what = failure.message.clone();
        for cause in &failure.causes {
            what = format!("{what}: {cause}");
        }
        Self { mend: failure.hints.clone(), ..Self::new(place, Mark::Problem, what) }
    }
}

const HERE: &str = "here";

/// Looks at this machine and at the hosts of a run; without settings that can
/// be used, at this machine alone. Exit code 0 when nothing stands in the way
/// of a deploy, 2 for a problem here, 5 for a problem of a host.
pub(crate) async fn doctor(
    run_spec: Result<RunSpec, CommandError>,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    let mut findings = this_machine().await;
    match &run_spec {
        Ok(spec) => {
            findings.push(state_folder(&spec.state_dir));
            findings.push(flake(spec));
        }
        Err(error) => {
            findings.extend(error.failures().iter().map(|failure| Finding::of_failure(HERE, failure)));
        }
    }
    let hosts = run_spec.as_ref().map(|spec| spec.hosts.as_slice()).unwrap_or_default();
    for host_findings in join_all(hosts.iter().map(|host| look_at(host, &options))).await {
        findings.extend(host_findings);
    }
    print(&findings, &options)?;
    let problem_at = |is_here: bool| {
        findings.iter().any(|finding| finding.mark == Mark::Problem && (finding.place == HERE) == is_here)
    };
    Ok(match (problem_at(true), problem_at(false)) {
        (true, _) => exit::USAGE,
        (false, true) => exit::UNFIT,
        (false, false) => exit::OK,
    })
}

/// The oldest Nix that is supported here.
const OLDEST_NIX: &str = "2.8";

async fn installed_nix() -> Finding {
    match Nix::new().version().await {
        Ok(version) if version.at_least(OLDEST_NIX) => Finding::ok(HERE, format!("nix: {version}")),
        Ok(version) => Finding::warning(
            HERE,
            format!("nix: {version} is older than {OLDEST_NIX}"),
            "install a newer Nix: https://nixos.org/download",
        ),
        Err(error) => {
            let hints = error.hints();
            let failure = Failure { hints, ..Failure::from_error(FailureClass::Usage, &error) };
            Finding::of_failure(HERE, &failure)
        }
    }
}

async fn this_machine() -> Vec<Finding> {
    let mut findings = vec![installed_nix().await];
    let programs = [
        ("nix-store", "--version", "it belongs to Nix: is its bin folder on PATH?"),
        ("ssh", "-V", "install the OpenSSH client"),
        ("git", "--version", "install git; flakes in a repository need it"),
    ];
    let programs = programs.map(|(program, flag, mend)| async move {
        match Command::new(program).arg(flag).output().await {
            Ok(output) if output.success() => {
                // ssh prints its version on standard error.
                let line = output.stdout_text().lines().next().map(str::to_owned);
                let line = line.or_else(|| output.stderr_tail.first().cloned()).unwrap_or_default();
                Finding::ok(HERE, format!("{program}: {}", clean_line(&line)))
            }
            Ok(output) => Finding::problem(
                HERE,
                format!("{program} does not work: {}", clean_line(&output.stderr_tail.join(" "))),
                mend,
            ),
            Err(error) => Finding::problem(HERE, error.to_string(), mend),
        }
    });
    findings.extend(join_all(programs).await);
    findings
}

fn state_folder(folder: &Path) -> Finding {
    let probe = folder.join(".doctor");
    let result = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, b"doctor"))
        .and_then(|()| std::fs::remove_file(&probe));
    match result {
        Ok(()) => Finding::ok(HERE, format!("state folder: {}", folder.display())),
        Err(error) => Finding::problem(
            HERE,
            format!("the state folder {} cannot be written: {error}", folder.display()),
            "set NIX_DEPLOY_STATE to a folder of yours",
        ),
    }
}

fn flake(spec: &RunSpec) -> Finding {
    match &spec.flake_dir {
        Some(folder) if folder.join("flake.nix").exists() => {
            Finding::ok(HERE, format!("flake: {}", spec.flake))
        }
        Some(folder) => Finding::problem(
            HERE,
            format!("there is no flake.nix in {}", folder.display()),
            "set `flake` in hosts.toml to the folder of your configuration",
        ),
        None => Finding::ok(HERE, format!("flake: {} (not a local folder; not looked at)", spec.flake)),
    }
}

async fn look_at(host: &HostSpec, options: &DeployOptions) -> Vec<Finding> {
    let place = host.name.as_str();
    let link = match Link::new(host) {
        Ok(link) => link,
        Err(error) => return vec![Finding::of_failure(place, &error.failure())],
    };
    let mut facts = match facts::collect(&link, host).await {
        Ok(facts) => facts,
        Err(error) => return vec![Finding::of_failure(place, &error.failure())],
    };
    if let (ElevationFact::SudoPassword, Some(password)) = (facts.elevation, &options.sudo_password) {
        match facts::collect_with_password(&link, host, &facts, password.clone()).await {
            Ok(elevated) => facts = elevated,
            Err(error) => return vec![Finding::of_failure(place, &error.failure())],
        }
    }
    judge(host, &facts)
}

fn judge(host: &HostSpec, facts: &HostFacts) -> Vec<Finding> {
    let place = host.name.as_str();
    let mut findings = vec![Finding::ok(place, format!("login as {} works, host key known", facts.user))];
    findings.push(elevation(place, facts));
    findings.push(match (&facts.current_system, facts.systemd) {
        (_, false) => Finding::problem(place, "PID 1 is not systemd", "nix-deploy needs a booted NixOS host"),
        (None, true) => Finding::problem(
            place,
            "/run/current-system is not there: no NixOS",
            "install NixOS first, for example with nixos-anywhere",
        ),
        (Some(system), true) => Finding::ok(
            place,
            format!(
                "runs {}{}",
                system.name(),
                facts.generation.map_or_else(String::new, |number| format!(", generation {number}"))
            ),
        ),
    });
    if facts.profile != facts.current_system {
        findings.push(Finding::warning(
            place,
            "boots another system than it runs",
            "a reboot is pending, or a test or an earlier deploy was cut off; a deploy settles it",
        ));
    }
    // Built in place, nothing is brought from here.
    let brings_paths = host.build_on != BuildOn::Target && !host.is_local();
    findings.push(if facts.trusted || !brings_paths {
        Finding::ok(
            place,
            if facts.trusted { "Nix trusts the login user" } else { "built in place: no trust needed" },
        )
    } else {
        Finding::problem(
            place,
            format!("Nix does not trust user {}", facts.user),
            format!(
                "on the host: nix.settings.trusted-users = [ \"root\" \"{}\" ]; or build_on = \"target\"",
                facts.user
            ),
        )
    });
    if let Some(free) = facts.store_free {
        findings.push(if free < LITTLE_ROOM {
            Finding::warning(
                place,
                format!("only {} are free in /nix/store", bytes(free)),
                "nix-collect-garbage --delete-older-than 14d, or collect_garbage = true in hosts.toml",
            )
        } else {
            Finding::ok(place, format!("{} free in /nix/store", bytes(free)))
        });
    }
    findings.extend(units(host, facts));
    findings
}

fn elevation(place: &str, facts: &HostFacts) -> Finding {
    match facts.elevation {
        ElevationFact::Root => Finding::ok(place, "the login user is root"),
        ElevationFact::Sudo => Finding::ok(place, "becomes root by sudo without a password"),
        ElevationFact::Doas => Finding::ok(place, "becomes root by doas"),
        ElevationFact::Run0 => Finding::ok(place, "becomes root by run0"),
        ElevationFact::SudoPassword => Finding::warning(
            place,
            "sudo asks for a password",
            "fine at a terminal; for CI set NIX_DEPLOY_SUDO_PASSWORD or a NOPASSWD rule",
        ),
        ElevationFact::Impossible => Finding::problem(
            place,
            format!("user {} cannot become root", facts.user),
            "log in as root, or add a sudo, doas or polkit rule (README, \"Users and sudo\")",
        ),
    }
}

fn units(host: &HostSpec, facts: &HostFacts) -> Vec<Finding> {
    let place = host.name.as_str();
    let mut findings = Vec::new();
    let broken = facts.broken_before();
    if !broken.is_empty() {
        findings.push(Finding::warning(
            place,
            format!("failed units: {}", broken.join(", ")),
            "a deploy reports them and does not judge them",
        ));
    }
    for unit in &host.critical_services {
        match facts.baseline.get(unit) {
            Some(health) if health.active == "active" => {}
            Some(health) if health.load == "loaded" => findings.push(Finding::warning(
                place,
                format!("critical service {unit} is {}", health.active),
                "a deploy would be taken back while it does not run",
            )),
            _ => findings.push(Finding::warning(
                place,
                format!("critical service {unit} is not there"),
                "correct critical_services in hosts.toml, unless the next system brings it",
            )),
        }
    }
    findings
}

fn print(findings: &[Finding], options: &DeployOptions) -> Result<(), CommandError> {
    let mut output = std::io::stdout().lock();
    let json = options.screen.output == Output::Json;
    let result = findings.iter().try_for_each(|finding| {
        if json {
            let line = serde_json::to_string(finding).map_err(std::io::Error::other)?;
            return writeln!(output, "{line}");
        }
        let mark = match finding.mark {
            Mark::Ok if options.screen.output == Output::Quiet => return Ok(()),
            Mark::Ok => "ok     ",
            Mark::Warning => "warning",
            Mark::Problem => "PROBLEM",
        };
        writeln!(output, "{mark}  {:<10} {}", finding.place, clean_line(&finding.what))?;
        finding.mend.iter().try_for_each(|mend| writeln!(output, "         {:<10} -> {}", "", clean_line(mend)))
    });
    match result {
        // A reader that went away wanted no more.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(super::unwritable(&error)),
        _ => Ok(()),
    }
}
