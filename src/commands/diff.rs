//! `diff`: what differs between two systems of a host: packages, units, kernel,
//! size. Each may be on the host, or what the configuration describes now.

use super::{DeployOptions, deploy, print, record};
use crate::cli::DiffArgs;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::host::contents::{self, Contents};
use crate::host::generations::{self, Generations};
use crate::host::{Link, status};
use crate::model::{
    BuildOn, ComparedSystem, Failure, FailureClass, HostFacts, HostSpec, RunId, RunSpec, StorePath, SystemDiff,
};
use crate::nix::{self, Ask, BuildRequest, ChunkPolicy, Closure, EvalRequest, Evaluated, Nix, Selection};
use crate::report;
use crate::settings::Output;
use crate::steps;

/// What a person calls a system.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// What runs.
    Current,
    /// What was booted.
    Booted,
    /// What boots next.
    Boots,
    /// What the configuration describes.
    New,
    Generation(u64),
    Run(RunId),
    System(StorePath),
}

/// A system with what is known of it.
struct Found {
    name: String,
    path: StorePath,
    contents: Contents,
}

/// Compares two systems of the one host of a run.
pub(crate) async fn diff(
    run_spec: RunSpec,
    arguments: DiffArgs,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    let from = read(&arguments.from)?;
    let to = match &arguments.to {
        Some(text) => read(text)?,
        // `diff HOST 41`: from there to what runs.
        None if from != Name::Current => Name::Current,
        None => Name::New,
    };
    let [host] = run_spec.hosts.as_slice() else {
        return Err(CommandError::new(FailureClass::Usage, "diff looks at one host at a time"));
    };
    let failure = |error: crate::host::HostError| error.failure();
    let link = Link::new(host).map_err(failure)?;
    let facts = status::ask(&link, host).await.map_err(failure)?.facts;
    let generations = generations::list(&link, None, host.timeouts.command).await.map_err(failure)?;
    let desk = Desk { run_spec: &run_spec, host, link, facts, generations, options: &options };
    let (before, after) = (desk.find(&from).await?, desk.find(&to).await?);
    let difference = compare(host, &before, &after)?;
    let text = match options.screen.output {
        Output::Json => json_line(&difference)?,
        _ if arguments.json => json_line(&difference)?,
        _ => report::system_diff(&difference, deploy::shown(options.screen)),
    };
    print(text.as_bytes())?;
    Ok(exit::OK)
}

fn json_line(difference: &SystemDiff) -> Result<String, CommandError> {
    let line = serde_json::to_string(difference)
        .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    Ok(line + "\n")
}

fn read(text: &str) -> Result<Name, Failure> {
    let is_run = text.len() > 16 && text.as_bytes()[..8].iter().all(u8::is_ascii_digit);
    let name = match text {
        "current" => Some(Name::Current),
        "booted" => Some(Name::Booted),
        "boots" => Some(Name::Boots),
        "new" => Some(Name::New),
        _ if text.starts_with('/') => StorePath::new(text).ok().map(Name::System),
        _ if is_run => RunId::new(text).ok().map(Name::Run),
        _ => text.parse().ok().map(Name::Generation),
    };
    name.ok_or_else(|| {
        Failure::new(FailureClass::Usage, format!("{text:?} names no system"))
            .hint("write a generation such as `41`, a run, a store path, or current, booted, boots or new")
    })
}

/// What names are resolved with.
struct Desk<'a> {
    run_spec: &'a RunSpec,
    host: &'a HostSpec,
    link: Link,
    facts: HostFacts,
    generations: Generations,
    options: &'a DeployOptions,
}

impl Desk<'_> {
    async fn find(&self, name: &Name) -> Result<Found, CommandError> {
        if *name == Name::New {
            return self.new_system().await;
        }
        let (name, path) = self.resolve(name).await?;
        if let Some(contents) = self.on_host(&path).await? {
            return Ok(Found { name, path, contents });
        }
        // A system that was built here and is gone from the host can still be looked at.
        match here(&path, self.host).await? {
            Some(contents) => Ok(Found { name, path, contents }),
            None => {
                let message = format!("{} no longer has {name}: {path} is gone", self.host.name);
                let hint = format!("`nix-deploy history {}` lists what it has", self.host.name);
                Err(CommandError::new(FailureClass::Unfit, message).hint(hint))
            }
        }
    }

    async fn on_host(&self, path: &StorePath) -> Result<Option<Contents>, Failure> {
        let contents = contents::read(&self.link, path, self.host.timeouts.command).await;
        contents.map_err(|error| error.failure())
    }

    /// A name in words, and its path.
    async fn resolve(&self, name: &Name) -> Result<(String, StorePath), CommandError> {
        let host = &self.host.name;
        let lacks = |what: &str| CommandError::new(FailureClass::Unfit, format!("{host} has no {what}"));
        let numbered = |what: &str, path: &StorePath| match self.generations.of_path(path) {
            Some(generation) => format!("{what} (generation {})", generation.number),
            None => what.to_owned(),
        };
        let named = |what: &str, path: &Option<StorePath>| match path {
            Some(path) => Ok((numbered(what, path), path.clone())),
            None => Err(lacks(what)),
        };
        match name {
            Name::Current => named("running system", &self.facts.current_system),
            Name::Booted => named("booted system", &self.facts.booted_system),
            Name::Boots => named("boot default", &self.facts.profile),
            Name::System(path) => Ok((numbered(path.name(), path), path.clone())),
            Name::Generation(number) => match self.generations.numbered(*number) {
                Some(generation) => Ok((format!("generation {number}"), generation.path.clone())),
                None => {
                    Err(CommandError::new(FailureClass::Usage, format!("{host} has no generation {number}"))
                        .hint(format!("`nix-deploy history {host}` lists what it has")))
                }
            },
            Name::Run(run) => {
                let recorded = record::deploys(&self.options.database_url, [host]).await.map_err(|why| {
                    CommandError::new(
                        FailureClass::Unexpected,
                        format!("what run {run} deployed is not known: {why}"),
                    )
                })?;
                let deploys = recorded.get(host).map(Vec::as_slice).unwrap_or_default();
                let of_run = deploys.iter().find(|deploy| deploy.system.run.as_deref() == Some(run.as_str()));
                of_run.map(|deploy| (format!("run {run}"), deploy.system.path.clone())).ok_or_else(|| {
                    CommandError::new(FailureClass::Usage, format!("no run {run} of {host} is recorded"))
                })
            }
            // Found in another way.
            Name::New => Err(lacks("new system")),
        }
    }

    /// What the configuration describes: evaluated, and built where nobody has it.
    async fn new_system(&self) -> Result<Found, CommandError> {
        let nix = Nix::new();
        let log = tempfile::NamedTempFile::new()
            .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
        let evaluated = self.evaluate(&nix, log.path()).await?;
        let name = "configuration".to_owned();
        let path = evaluated.out_path.clone();
        if let Some(contents) = self.on_host(&path).await? {
            return Ok(Found { name, path, contents });
        }
        if let Some(contents) = here(&path, self.host).await? {
            return Ok(Found { name, path, contents });
        }
        if self.host.build_on != BuildOn::Local {
            let host = &self.host.name;
            return Err(CommandError::new(
                FailureClass::Build,
                format!("the new system of {host} has not been built"),
            )
            .hint(format!("`nix-deploy {host} --action dry-activate` builds it where `build_on` says")));
        }
        self.build(&nix, &evaluated, log.path()).await?;
        match here(&path, self.host).await? {
            Some(contents) => Ok(Found { name, path, contents }),
            None => Err(CommandError::new(FailureClass::Build, format!("{path} is no whole NixOS system"))),
        }
    }

    async fn evaluate(&self, nix: &Nix, log_file: &std::path::Path) -> Result<Evaluated, CommandError> {
        let request = EvalRequest {
            flake: &self.run_spec.flake,
            flake_dir: self.run_spec.flake_dir.as_deref(),
            ask: Ask::Paths,
            attributes: vec![(self.host.name.clone(), self.host.attribute.clone())],
            deadline: self.host.timeouts.evaluate,
            log_file,
            chunks: ChunkPolicy::of_this_machine(),
            lock: None,
        };
        let answers = nix.evaluate(&request, &|_| {}).await;
        match answers.into_values().next() {
            Some(Ok(evaluated)) => Ok(evaluated),
            Some(Err(error)) => Err(steps::evaluation_failure(&error).into()),
            None => Err(CommandError::new(FailureClass::Unexpected, "Nix said nothing about the host")),
        }
    }

    async fn build(
        &self,
        nix: &Nix,
        evaluated: &Evaluated,
        log_file: &std::path::Path,
    ) -> Result<(), CommandError> {
        let request = BuildRequest {
            targets: vec![evaluated.clone()],
            store: None,
            deadline: self.host.timeouts.build,
            stall: self.host.timeouts.copy_stall,
            log_file,
            gc_root_dir: None,
            options: Vec::new(),
            failed_downloads: std::sync::Mutex::default(),
            fetched: std::sync::Mutex::default(),
            begun: std::sync::Mutex::default(),
        };
        let results = nix.build(&request, &|_| {}).await;
        match results.get(&evaluated.drv_path) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(steps::build_failure(error).into()),
            None => Err(CommandError::new(FailureClass::Unexpected, "Nix said nothing about this build")),
        }
    }
}

/// A system in the store of this machine.
async fn here(path: &StorePath, host: &HostSpec) -> Result<Option<Contents>, Failure> {
    let mut this_machine = HostSpec::with_defaults(host.name.clone());
    this_machine.address = None;
    let link = Link::new(&this_machine).map_err(|error| error.failure())?;
    contents::read(&link, path, host.timeouts.command).await.map_err(|error| error.failure())
}

fn compare(host: &HostSpec, before: &Found, after: &Found) -> Result<SystemDiff, Failure> {
    let closure = |found: &Found| {
        Closure::parse(&found.contents.closure).map_err(|error| {
            let message = format!("the closure of {} cannot be read", found.name);
            Failure::new(FailureClass::Unfit, message).cause(error.to_string())
        })
    };
    let (old, new) = (closure(before)?, closure(after)?);
    let selected = before.contents.selected.iter().chain(&after.contents.selected).cloned();
    let selection: Selection = selected.collect();
    let compared = |found: &Found, closure: &Closure| ComparedSystem {
        name: found.name.clone(),
        path: found.path.clone(),
        version: found.contents.version.clone(),
        kernel: found.contents.kernel_version(&found.path),
        size: closure.size(),
    };
    Ok(SystemDiff {
        host: host.name.clone(),
        from: compared(before, &old),
        to: compared(after, &new),
        closure: nix::diff_with(&old, &new, &selection),
        units: before.contents.unit_changes(&after.contents),
        reboot_parts: before.contents.parts_that_differ(&after.contents),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_runs_and_paths_name_systems() {
        let path = "/nix/store/00000000000000000000000000000000-nixos-system-p";
        for (text, name) in [
            ("current", Name::Current),
            ("booted", Name::Booted),
            ("boots", Name::Boots),
            ("new", Name::New),
            ("41", Name::Generation(41)),
            ("20251121-120000-4f2c1a", Name::Run(RunId::new("20251121-120000-4f2c1a").unwrap())),
            (path, Name::System(StorePath::new(path).unwrap())),
        ] {
            assert_eq!(read(text), Ok(name), "{text}");
        }
        for text in ["", "old", "-1", "/etc", "ääääääääääää", "1.5"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
