//! `build`: all hosts that need one are built in one Nix process, because
//! several processes wait for each other's locks (5 s, build-poll-interval).
//!
//! Hosts ask over a channel; the builder starts when nobody is undecided any
//! more, or a moment after the first asked: a host that answers slowly does
//! not hold up the others, and is built in a later round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::{HostContext, RunContext};
use super::recover::building::{self, Place, Tried};
use super::recover::connection;
use super::{Done, StepResult, nix_words, recover, roots, step};
use crate::event::Event;
use crate::host::Link;
use crate::model::{BuildOn, Failure, FailureClass, HostName, HostSpec, StepId, StorePath};
use crate::nix::{self, BuildError, Evaluated, NixProgress, RemoteStore};

step!(Build, StepId::Build);

/// How long the first that asks waits for the others.
const LINGER: Duration = Duration::from_secs(1);

/// A host that needs its system built.
#[derive(Debug)]
pub(crate) struct BuildRequest {
    host: HostName,
    build_on: BuildOn,
    target: Evaluated,
    /// The host's own store, for `build_on = "target"`.
    target_store: Option<RemoteStore>,
}

async fn run(context: &HostContext) -> StepResult {
    let run = &context.run;
    let evaluated = context
        .evaluated
        .get()
        .ok_or_else(|| Failure::new(FailureClass::Unexpected, "a build was asked for before the evaluation"))?;
    if !run.ahead.contains(context.name()) {
        let target_store = match context.host.build_on {
            BuildOn::Target => Some(remote_store(context, StepId::Build).await?),
            _ => None,
        };
        let request = BuildRequest {
            host: context.name().clone(),
            build_on: context.host.build_on.clone(),
            target: evaluated.clone(),
            target_store,
        };
        let gone = || Failure::new(FailureClass::Unexpected, "the builder went away");
        run.build_requests.send(request).map_err(|_| gone())?;
    }
    run.undecided.strike(context.name());
    let (rooted, built) = tokio::join!(roots::give(context, StepId::Build), run.builds.get(context.name()));
    built?;
    rooted?;
    Ok(Done::passed(match &context.host.build_on {
        BuildOn::Local => String::new(),
        BuildOn::Target => "on the host".to_owned(),
        BuildOn::Host(builder) => format!("on {builder}"),
    }))
}

/// Asks for the build of a host before it has answered, when the system it was
/// last seen with is another one: then it will most likely be needed. A host
/// that was not seen from here yet, or that has this system, is asked first.
pub(super) fn head_start(run: &RunContext, host: &HostSpec, evaluated: &Evaluated) {
    let is_other = last_seen(run, &host.name).is_some_and(|seen| seen != evaluated.out_path.as_str());
    if is_other {
        ask_ahead(run, host, evaluated);
    }
}

/// The same for a host that does not answer, whatever it was last seen with.
pub(super) fn build_ahead(context: &HostContext, evaluated: &Evaluated) {
    if !context.run.ahead.contains(context.name()) {
        ask_ahead(&context.run, &context.host, evaluated);
    }
}

fn ask_ahead(run: &RunContext, host: &HostSpec, evaluated: &Evaluated) {
    if host.build_on != BuildOn::Local {
        return;
    }
    let request = BuildRequest {
        host: host.name.clone(),
        build_on: BuildOn::Local,
        target: evaluated.clone(),
        target_store: None,
    };
    run.ahead.insert(&host.name);
    run.undecided.strike(&host.name);
    // Without a builder the run is over.
    let _ = run.build_requests.send(request);
}

/// The system that a host was last seen to run, from here.
fn last_seen(run: &RunContext, host: &HostName) -> Option<String> {
    std::fs::read_to_string(last_seen_file(run, host)).ok().map(|text| text.trim().to_owned())
}

/// Remembers what a host runs. Best effort: it only makes the next run quicker.
pub(super) fn remember_seen(run: &RunContext, host: &HostName, system: &StorePath) {
    if let Err(error) = std::fs::write(last_seen_file(run, host), format!("{system}\n")) {
        tracing::debug!(%error, "the host's system is not remembered");
    }
}

fn last_seen_file(run: &RunContext, host: &HostName) -> std::path::PathBuf {
    run.spec.state_dir.join("hosts").join(format!("{host}.system"))
}

/// A host's store over its master connection.
pub(super) async fn remote_store(context: &HostContext, step: StepId) -> Result<RemoteStore, Failure> {
    let standing = connection::persist(context, step, || context.link.master()).await?;
    standing.map_err(|error| error.failure())?;
    store_over(&context.link, context.link.copy_config())
}

/// Serves build requests until the run ends.
pub(crate) async fn serve(run: Arc<RunContext>, mut requests: mpsc::UnboundedReceiver<BuildRequest>) {
    while let Some(first) = requests.recv().await {
        let mut round = vec![first];
        // Everybody has decided, or the moment is over: both are fine.
        let _ = tokio::time::timeout(LINGER, run.undecided.complete()).await;
        while let Ok(request) = requests.try_recv() {
            round.push(request);
        }
        build_round(&run, round).await;
    }
}

/// Builds one round: one Nix process for each place that builds.
async fn build_round(run: &Arc<RunContext>, round: Vec<BuildRequest>) {
    let mut places: BTreeMap<String, Vec<BuildRequest>> = BTreeMap::new();
    for request in round {
        let place = match &request.build_on {
            BuildOn::Local => "local".to_owned(),
            BuildOn::Target => format!("target {}", request.host),
            BuildOn::Host(builder) => format!("host {builder}"),
        };
        places.entry(place).or_default().push(request);
    }
    let mut builds = tokio::task::JoinSet::new();
    for requests in places.into_values() {
        let run = Arc::clone(run);
        builds.spawn(async move { build_in_one_place(&run, requests).await });
    }
    builds.join_all().await;
}

async fn build_in_one_place(run: &Arc<RunContext>, requests: Vec<BuildRequest>) {
    let hosts: Vec<HostName> = requests.iter().map(|request| request.host.clone()).collect();
    let fail_all = |failure: Failure| {
        for host in &hosts {
            run.builds.put(host.clone(), Err(failure.clone()));
        }
    };
    // The builder's own connection lives until the build is done.
    let mut builder_link = None;
    let store = match requests.first().map(|request| (&request.build_on, &request.target_store)) {
        Some((BuildOn::Target, target)) => target.clone(),
        Some((BuildOn::Host(builder), _)) => match builder_store(run, builder).await {
            Ok((link, store)) => {
                builder_link = Some(link);
                Some(store)
            }
            Err(failure) => return fail_all(failure),
        },
        _ => None,
    };
    let deadline = run.spec.hosts.iter().map(|host| host.timeouts.build).max().unwrap_or_default();
    let progress = |progress: NixProgress| {
        for host in &hosts {
            run.sink.send(nix_words::progress_event(&progress, host, StepId::Build));
        }
    };
    let stall = run.spec.hosts.iter().map(|host| host.timeouts.copy_stall).max().unwrap_or_default();
    let log_file = run.spec.run_dir.join(log_name(&requests));
    let gc_root_dir = run.spec.run_dir.join("results");
    let keeps = std::fs::create_dir_all(&gc_root_dir).is_ok();
    let options = match store {
        None => recover::caches::usable(run).await.options(),
        // The machine that builds has caches of its own.
        Some(_) => Vec::new(),
    };
    let mut build = nix::BuildRequest {
        targets: requests.iter().map(|request| request.target.clone()).collect(),
        store,
        deadline,
        stall,
        log_file: &log_file,
        gc_root_dir: keeps.then_some(gc_root_dir),
        options,
        failed_downloads: std::sync::Mutex::default(),
        fetched: std::sync::Mutex::default(),
        begun: std::sync::Mutex::default(),
    };
    let place = place_of(run, &requests);
    let mut tried = Tried::default();
    let results = loop {
        let results = run.nix.build(&build, &progress).await;
        if !building::set_right(run, place, &hosts, &results, &mut build, &mut tried).await {
            break results;
        }
    };
    let mut errors = results.values().filter_map(|result| result.as_ref().err());
    let advice = match errors.any(BuildError::is_full_disk) {
        true => building::advice(run, place).await,
        false => None,
    };
    drop(builder_link);
    for request in &requests {
        let result = match results.get(&request.target.drv_path) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => {
                let advice = advice.as_ref().filter(|_| error.is_full_disk());
                let what = format!("{} cannot be built", request.host);
                let mut failure = nix_words::build_failure(error);
                if let Place::Host(builder) = place {
                    failure.message = error.message_on(builder.name.as_str());
                }
                Err(building::advised(failure, &what, advice))
            }
            None => Err(Failure::new(FailureClass::Unexpected, "Nix said nothing about this build")),
        };
        run.builds.put(request.host.clone(), result);
    }
    let begun = build.begun.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let well = |request: &&BuildRequest| matches!(results.get(&request.target.drv_path), Some(Ok(())));
    let built: Vec<(HostName, StorePath)> = requests
        .iter()
        .filter(well)
        .map(|request| (request.host.clone(), request.target.drv_path.clone()))
        .collect();
    // Beside the next round: nobody waits for it.
    tokio::spawn(tell_built(Arc::clone(run), built, begun));
}

/// Where requests that belong together are built.
fn place_of<'a>(run: &'a RunContext, requests: &[BuildRequest]) -> Place<'a> {
    let spec = match requests.first().map(|request| (&request.build_on, &request.host)) {
        Some((BuildOn::Target, host) | (BuildOn::Host(host), _)) => builder_spec(run, host).ok(),
        _ => None,
    };
    spec.map_or(Place::Here, Place::Host)
}

/// Says which derivations were built for each host, for the record.
async fn tell_built(run: Arc<RunContext>, hosts: Vec<(HostName, StorePath)>, begun: BTreeSet<StorePath>) {
    for (host, system) in hosts {
        if begun.iter().all(|drv_path| *drv_path == system) {
            continue;
        }
        let needed = run.nix.requisites(&system).await;
        let derivations: Vec<StorePath> =
            begun.intersection(&needed).filter(|drv_path| **drv_path != system).cloned().collect();
        if !derivations.is_empty() {
            run.sink.send(Event::Built { host, derivations });
        }
    }
}

/// A host's store, reached with a given ssh configuration.
pub(super) fn store_over(link: &Link, ssh_config: &std::path::Path) -> Result<RemoteStore, Failure> {
    RemoteStore::new(format!("ssh-ng://{}", link.destination()), ssh_config)
        .map_err(|error| Failure::from_error(FailureClass::Unexpected, &error))
}

/// Builds in several places at a time have a log each.
fn log_name(requests: &[BuildRequest]) -> String {
    match requests.first().map(|request| (&request.build_on, &request.host)) {
        Some((BuildOn::Target, host) | (BuildOn::Host(host), _)) => format!("build-on-{host}.log"),
        _ => "build.log".to_owned(),
    }
}

async fn builder_store(run: &RunContext, builder: &HostName) -> Result<(Link, RemoteStore), Failure> {
    let spec = builder_spec(run, builder)?;
    let link = Link::new(spec).map_err(|error| error.failure())?;
    link.master().await.map_err(|error| error.failure())?;
    let store = store_over(&link, link.copy_config())?;
    Ok((link, store))
}

pub(super) fn builder_spec<'a>(run: &'a RunContext, builder: &HostName) -> Result<&'a HostSpec, Failure> {
    run.spec.builders.iter().chain(&run.spec.hosts).find(|host| host.name == *builder).ok_or_else(|| {
        Failure::new(FailureClass::Usage, format!("the build host {builder} is not in hosts.toml"))
    })
}
