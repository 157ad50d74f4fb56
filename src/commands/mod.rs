//! One file per subcommand. Here is what they share: the command line is
//! read, settings are loaded, and the outcome becomes an exit code.

mod check;
mod completions;
mod deploy;
mod diff;
mod doctor;
mod explain;
mod fleet;
mod history;
mod init;
mod issues;
mod man;
mod preview;
mod publish;
mod record;
mod resume;
mod rollback;
mod sense;
mod status;
mod told;
mod update;

use std::io::Write;
use std::ops::ControlFlow;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{
    Cli, Command, DeployArgs, DoctorArgs, GlobalArgs, IssuesArgs, ResumeArgs, RollbackArgs, RolloutArgs,
    UpdateArgs,
};
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::issues::github::{Patience, Refresh, Tracker};
use crate::lint;
use crate::model::{Canary, Failure, FailureClass, PullRequestSpec, Rollout, RunSpec, Secret};
use crate::plan;
use crate::settings::{self, Environment, Output, Screen, Settings, nearest};
use crate::update::{Depth, check_pattern};
use told::Told;

/// What a run needs beside its [`RunSpec`]: how it is shown, and secrets.
#[derive(Clone, Debug)]
pub(crate) struct DeployOptions {
    /// How the run is shown.
    pub(crate) screen: Screen,
    /// The password for sudo that the environment gave.
    pub(crate) sudo_password: Option<Secret>,
    /// The fleet database.
    pub(crate) database_url: Secret,
    /// Who else is told of the run.
    pub(crate) told: Told,
}

/// Runs the program and returns its exit code.
pub fn run() -> u8 {
    // A defect must not look like one of the documented outcomes.
    let outcome = std::panic::catch_unwind(|| {
        let cli = match Cli::read(std::env::args_os()) {
            Ok(cli) => cli,
            Err(error) => return print_usage(&error),
        };
        match execute(cli) {
            Ok(code) => code,
            Err(error) => {
                // Standard error that is gone has no reader left to tell.
                let _ = error.write(&mut std::io::stderr().lock());
                error.exit_code()
            }
        }
    });
    outcome.unwrap_or(exit::UNEXPECTED).code
}

/// Prints help and version to standard output, a usage error to standard error.
fn print_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { exit::USAGE } else { exit::OK }
}

fn execute(cli: Cli) -> Result<ExitCode, CommandError> {
    let environment = Environment::capture().map_err(|error| {
        CommandError::from_error(FailureClass::Usage, &error).hint("is the current folder still there?")
    })?;
    let screen = Screen::resolve(&cli.global, &environment);
    start_tracing(screen);
    match cli.command {
        None => start_deploy(&cli.deploy, &cli.global, &environment)
            .map_err(|error| hint_at_command(error, &cli.deploy)),
        Some(Command::Deploy(arguments)) => start_deploy(&arguments, &cli.global, &environment),
        Some(Command::Update(arguments)) => start_update(&arguments, &cli.global, &environment),
        Some(Command::Rollback(arguments)) => start_rollback(&arguments, &cli.global, &environment),
        Some(Command::Status(arguments)) => {
            let hosts = all_unless_named(&arguments.hosts);
            let (run_spec, options) = plan_look(hosts, &cli.global, &environment)?;
            block_on(status::status(run_spec, arguments.json, options))
        }
        Some(Command::History(arguments)) => {
            let (run_spec, options) = plan_look(arguments.hosts, &cli.global, &environment)?;
            block_on(history::history(run_spec, arguments.limit, arguments.json, options))
        }
        Some(Command::Diff(arguments)) => {
            let (run_spec, options) = plan_look(vec![arguments.host.clone()], &cli.global, &environment)?;
            block_on(diff::diff(run_spec, arguments, options))
        }
        Some(Command::Resume(arguments)) => start_resume(&arguments, &cli.global, &environment),
        Some(Command::Check(arguments)) => block_on(check::check(&arguments, &cli.global, &environment)),
        Some(Command::Explain(arguments)) => print(explain::explain(&arguments.rule)?.as_bytes()),
        Some(Command::Doctor(arguments)) => start_doctor(&arguments, &cli.global, &environment),
        Some(Command::Fleet(arguments)) => block_on(fleet::fleet(arguments, &cli.global, &environment)),
        Some(Command::Issues(arguments)) => start_issues(&arguments, &cli.global, &environment),
        Some(Command::Init(arguments)) => block_on(init::init(&arguments, &cli.global, &environment)),
        Some(Command::Completions(arguments)) => print(&completions::script(arguments.shell)),
        Some(Command::Man(arguments)) => print(&man::page(arguments.command.as_deref())?),
    }
}

fn start_deploy(
    arguments: &DeployArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let (settings, run_spec) = plan_run(arguments, global, environment)?;
    start_run(arguments, settings, run_spec, Screen::resolve(global, environment), environment)
}

fn start_rollback(
    arguments: &RollbackArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let as_deploy = arguments.as_deploy();
    let (settings, mut run_spec) = plan_run(&as_deploy, global, environment)?;
    run_spec.goal = block_on(rollback::goal(arguments, &run_spec, &settings.database_url))?;
    run_spec.at_once();
    start_run(&as_deploy, settings, run_spec, Screen::resolve(global, environment), environment)
}

fn start_resume(
    arguments: &ResumeArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let settings = Settings::load(global.config.as_deref(), environment)?;
    let screen = Screen::resolve(global, environment);
    let Some(run_spec) = block_on(resume::plan(arguments, &settings))? else {
        return print(b"Nothing is left to do: every host of that run was done.\n");
    };
    let mut as_deploy = arguments.as_deploy(Vec::new());
    as_deploy.issue = run_spec.issue;
    start_run(&as_deploy, settings, run_spec, screen, environment)
}

/// Prints the plan, or runs it.
fn start_run(
    arguments: &DeployArgs,
    settings: Settings,
    run_spec: RunSpec,
    screen: Screen,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    if let Some(code) = warn_or_print_plan(arguments, &settings, &run_spec, screen)? {
        return Ok(code);
    }
    let options = options(screen, environment, settings.database_url.clone());
    if arguments.preview.preview {
        return block_on(preview::preview(run_spec, &arguments.preview, options));
    }
    if let Some(flag) = arguments.preview.first_given() {
        let message = format!("{flag} says what of an update is looked at, and none was asked for");
        return Err(CommandError::new(FailureClass::Usage, message)
            .hint("add --preview, or use `nix-deploy update HOST`; --update=INPUT updates some inputs"));
    }
    let told = Told::resolve(&arguments.report, &settings.notify, environment)?;
    settings::create_run_dir(&run_spec)?;
    let pull_request = settings.pull_request.clone();
    let update = arguments.update.as_ref().map(|inputs| update::UpdateOptions {
        what: update::What::Unasked,
        inputs: inputs.clone(),
        depth: Depth::Estimate,
        new_packages: None,
        issues: issue_options(settings, environment, &run_spec, Refresh::WhenOld),
        commits: arguments.commit.is_some(),
    });
    let asked = Published { arguments, pull_request, update, environment };
    block_on(published(asked, run_spec, DeployOptions { told, ..options }))
}

/// A run, and what is committed and opened with it.
struct Published<'a> {
    arguments: &'a DeployArgs,
    pull_request: PullRequestSpec,
    update: Option<update::UpdateOptions>,
    environment: &'a Environment,
}

/// Runs, with a commit and a pull request where they are asked for. The commit
/// comes before a deploy and behind an update, whose flake.lock it holds.
async fn published(
    asked: Published<'_>,
    run_spec: RunSpec,
    mut options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    let Published { arguments, pull_request, update, environment } = asked;
    let folder = run_spec.flake_dir.clone().unwrap_or_else(|| environment.directory.clone());
    let here = &environment.directory;
    if update.is_some() {
        publish::check_update(arguments, &folder, here).await?;
    }
    let resumed = run_spec.resumed.as_ref().and_then(|resumed| resumed.source.clone());
    let token = environment.github_token();
    let mut publishing = publish::prepare(arguments, &folder, pull_request, resumed.as_ref(), token).await?;
    options.told.markdown = publishing.as_ref().map(|publishing| publishing.markdown.clone());
    let (code, commit) = match update {
        None => {
            let commit = publish::commit_changes(arguments, &folder, here).await?;
            (deploy::deploy(run_spec, options).await?, commit)
        }
        Some(update) => {
            let outcome = update::update(run_spec, update, options).await?;
            match publish::commit_update(arguments, &folder, here, &outcome).await {
                ControlFlow::Continue(commit) => (outcome.code, commit),
                ControlFlow::Break(code) => return Ok(code),
            }
        }
    };
    if let (Some(publishing), Some(commit)) = (publishing.as_mut(), commit) {
        publishing.pin(commit);
    }
    Ok(match publishing {
        Some(publishing) => publishing.finish(code).await,
        None => code,
    })
}

/// Every host where none is named.
fn all_unless_named(hosts: &[String]) -> Vec<String> {
    if hosts.is_empty() { vec!["all".to_owned()] } else { hosts.to_vec() }
}

/// What a command needs that only looks at hosts.
fn plan_look(
    hosts: Vec<String>,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<(RunSpec, DeployOptions), CommandError> {
    let (settings, run_spec) = plan_run(&DeployArgs::for_hosts(hosts), global, environment)?;
    let options = options(Screen::resolve(global, environment), environment, settings.database_url);
    Ok((run_spec, options))
}

/// Says what the settings warn of; with `--dry-run` prints the plan, and that is all.
fn warn_or_print_plan(
    arguments: &DeployArgs,
    settings: &Settings,
    run_spec: &RunSpec,
    screen: Screen,
) -> Result<Option<ExitCode>, CommandError> {
    if screen.output != Output::Quiet {
        warn(&settings.warnings);
    }
    if !arguments.dry_run {
        return Ok(None);
    }
    let json = screen.output == Output::Json;
    let text = if json { plan::plan_json(run_spec) } else { plan::plan_text(run_spec) };
    print(text.as_bytes()).map(Some)
}

fn start_update(
    arguments: &UpdateArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let mut deploy = arguments.deploy.clone();
    if arguments.local {
        deploy.hosts =
            vec![update::local_host(&Settings::load(global.config.as_deref(), environment)?, environment)?];
    }
    let (settings, mut run_spec) = plan_run(&deploy, global, environment)?;
    if arguments.local {
        // This machine is reached without ssh, whatever others call it.
        run_spec.hosts.iter_mut().for_each(|host| host.address = None);
    }
    let screen = Screen::resolve(global, environment);
    if let Some(code) = warn_or_print_plan(&deploy, &settings, &run_spec, screen)? {
        return Ok(code);
    }
    let options = options(screen, environment, settings.database_url.clone());
    let looked = &deploy.preview;
    if looked.preview {
        return block_on(preview::preview(run_spec, looked, options));
    }
    if let Some(pattern) = &looked.new_packages {
        check_pattern(pattern)
            .map_err(|why| CommandError::new(FailureClass::Usage, format!("--new-packages: {why}")))?;
    }
    let told = Told::resolve(&deploy.report, &settings.notify, environment)?;
    let pull_request = settings.pull_request.clone();
    let asked = update::UpdateOptions {
        what: update::What::of(arguments),
        inputs: [looked.inputs.clone(), deploy.update.clone().unwrap_or_default()].concat(),
        depth: if looked.no_build { Depth::Estimate } else { Depth::Build },
        new_packages: Some(looked.new_packages.clone().unwrap_or_else(|| "*".to_owned())),
        issues: issue_options(settings, environment, &run_spec, Refresh::WhenOld),
        commits: deploy.commit.is_some(),
    };
    settings::create_run_dir(&run_spec)?;
    let asked = Published { arguments: &deploy, pull_request, update: Some(asked), environment };
    block_on(published(asked, run_spec, DeployOptions { told, ..options }))
}

fn start_doctor(
    arguments: &DoctorArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let hosts = if arguments.hosts.is_empty() { vec!["all".to_owned()] } else { arguments.hosts.clone() };
    let asked = DeployArgs::for_hosts(hosts);
    let planned = plan_run(&asked, global, environment);
    // Without hosts.toml this machine can still be looked at; but who names a
    // host wants to hear about that host.
    let (run_spec, database_url) = match planned {
        Ok((settings, run_spec)) => (Ok(run_spec), settings.database_url),
        Err(error) if arguments.hosts.is_empty() => (Err(error), Secret::new("")),
        Err(error) => return Err(error),
    };
    let options = options(Screen::resolve(global, environment), environment, database_url);
    block_on(doctor::doctor(run_spec, options))
}

fn start_issues(
    arguments: &IssuesArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let hosts = if arguments.hosts.is_empty() { vec!["all".to_owned()] } else { arguments.hosts.clone() };
    let (settings, run_spec) = plan_run(&DeployArgs::for_hosts(hosts), global, environment)?;
    let options = options(Screen::resolve(global, environment), environment, settings.database_url.clone());
    let refresh = if arguments.refresh { Refresh::Always } else { Refresh::WhenOld };
    let asked = issue_options(settings, environment, &run_spec, refresh);
    block_on(issues::issues(run_spec, issues::IssueOptions { next: arguments.next, ..asked }, options))
}

/// Where known issues come from and which count, for the hosts of a run.
fn issue_options(
    settings: Settings,
    environment: &Environment,
    run_spec: &RunSpec,
    refresh: Refresh,
) -> issues::IssueOptions {
    let cache = environment.cache_dir().unwrap_or_else(|| run_spec.state_dir.join("cache"));
    issues::IssueOptions {
        tracker: Tracker {
            repository: settings.issues.repository.clone(),
            api_url: settings.issues.api_url.clone(),
            cache,
            token: environment.github_token(),
            patience: Patience::default(),
        },
        settings: settings.issues,
        refresh,
        next: false,
    }
}

fn plan_run(
    arguments: &DeployArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<(Settings, RunSpec), CommandError> {
    sense::of_flags(arguments)?;
    known_rules(&arguments.allow)?;
    let mut settings = Settings::load(global.config.as_deref(), environment)?;
    let RolloutArgs { limit, skip, .. } = &arguments.rollout;
    let selected =
        plan::select_within(&settings.hosts, &arguments.hosts, limit, skip).map_err(Failure::from)?;
    let mut run_spec = settings.run_spec(arguments, &selected);
    plan_waves(&settings, &mut run_spec)?;
    settings.warnings.extend(sense::of_rollout(arguments, &run_spec));
    settings.warnings.extend(sense::of_files(&run_spec.hosts)?);
    Ok((settings, run_spec))
}

/// Works out the waves; a word of the order that no host of the file matches is
/// most likely misspelt.
fn plan_waves(settings: &Settings, run_spec: &mut RunSpec) -> Result<(), CommandError> {
    let Rollout { order, canary, .. } = &run_spec.rollout;
    let named = match canary {
        Canary::Hosts(words) => words.as_slice(),
        Canary::Share(_) => &[],
    };
    for words in [order.as_slice(), named] {
        plan::known(&settings.hosts, words).map_err(Failure::from)?;
    }
    let planned = plan::waves(&run_spec.hosts, &run_spec.rollout).map_err(Failure::from)?;
    (run_spec.waves, run_spec.canaries) = (planned.waves, planned.canaries);
    Ok(())
}

/// Refuses rules that do not exist: a misspelt one would let nothing pass.
fn known_rules(rules: &[String]) -> Result<(), CommandError> {
    match rules.iter().find(|rule| lint::find_rule(rule).is_none()) {
        Some(rule) => Err(explain::unknown(rule)),
        None => Ok(()),
    }
}

fn options(screen: Screen, environment: &Environment, database_url: Secret) -> DeployOptions {
    DeployOptions { screen, sudo_password: environment.sudo_password(), database_url, told: Told::default() }
}

/// A misspelt command is read as a host: says so when nothing else is wrong.
fn hint_at_command(error: CommandError, arguments: &DeployArgs) -> CommandError {
    let names = Cli::command_names();
    let near = arguments.hosts.first().and_then(|word| nearest(word, names.iter().map(String::as_str)));
    match near {
        Some(name) if error.exit_code() == exit::USAGE => {
            error.hint(format!("if a command was meant: nix-deploy {name}"))
        }
        _ => error,
    }
}

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(future: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    let result = runtime.block_on(future);
    // A thread that still waits for an answer at the terminal must not keep the program.
    runtime.shutdown_background();
    result
}

/// Writes data to standard output. A reader that went away wanted no more.
fn print(data: &[u8]) -> Result<ExitCode, CommandError> {
    let mut output = std::io::stdout().lock();
    match output.write_all(data).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
        _ => Ok(exit::OK),
    }
}

/// The failure of data that nobody got.
fn unwritable(error: &std::io::Error) -> CommandError {
    let message = "the answer cannot be written to standard output";
    Failure::new(FailureClass::Unexpected, message).cause(error.to_string()).into()
}

fn warn(warnings: &[String]) {
    let mut output = std::io::stderr().lock();
    for warning in warnings {
        let _ = writeln!(output, "warning: {}", crate::model::text::clean_line(warning));
    }
}

/// Sends traces to standard error: what the program does with one `-v`, every
/// detail with more, libraries included.
fn start_tracing(screen: Screen) {
    let ours = env!("CARGO_CRATE_NAME");
    let targets = match screen.verbosity {
        0 => return,
        1 => Targets::new().with_target(ours, Level::DEBUG),
        _ => Targets::new().with_default(Level::DEBUG).with_target(ours, Level::TRACE),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(screen.talk_color)
        .with_writer(std::io::stderr)
        .without_time();
    tracing_subscriber::registry().with(lines).with(targets).init();
}
