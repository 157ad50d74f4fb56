//! The command line: clap types and help text, a file per subcommand.
//!
//! `nix-deploy HOST…` is the command `deploy` without its name. A first word
//! that is a subcommand is one; a host of that name is reached with
//! `nix-deploy deploy HOST`. Nothing here acts: `commands` does.

mod check;
mod completions;
mod deploy;
mod diff;
mod doctor;
mod explain;
mod fleet;
mod global;
mod history;
mod init;
mod issues;
mod man;
mod preview;
mod resume;
mod rollback;
mod rollout;
mod status;
mod update;
mod values;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use check::{CheckArgs, FormatArg, NixArg};
pub use completions::CompletionsArgs;
pub use deploy::DeployArgs;
pub use diff::DiffArgs;
pub use doctor::DoctorArgs;
pub use explain::ExplainArgs;
pub use fleet::{
    AskArgs, BuildArgs, EvaluateArgs, ExportArgs, FleetArgs, FleetCommand, FlushArgs, GrafanaArgs, HostsArgs,
    ImportArgs, JsonArgs, PollArgs, PruneArgs, QueueArgs, RegisterArgs, ShowArgs, StaleArgs, SyncArgs,
};
pub use global::{ColorArg, GlobalArgs, OutputArg};
pub use history::HistoryArgs;
pub use init::InitArgs;
pub use issues::IssuesArgs;
pub use man::ManArgs;
pub use preview::PreviewArgs;
pub use resume::ResumeArgs;
pub use rollback::RollbackArgs;
pub use rollout::RolloutArgs;
pub use status::StatusArgs;
pub use update::UpdateArgs;

/// Deploys NixOS hosts over ssh and takes a bad change back by itself
///
/// Evaluates and builds the hosts' configurations, shows what would change,
/// copies and activates them, proves that each host is well, and returns a
/// host that is not to its old system. Hosts are described in hosts.toml.
#[derive(Debug, Parser)]
#[command(name = "nix-deploy", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(override_usage = "nix-deploy [OPTIONS] HOST...\n       nix-deploy [OPTIONS] COMMAND")]
#[command(subcommand_help_heading = "Commands")]
pub struct Cli {
    /// What is asked for; without a command, a deploy.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to deploy when there is no command.
    #[command(flatten)]
    pub deploy: DeployArgs,
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// A subcommand. One that acts is one file here and one in `commands`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy hosts (the default; also for hosts named like a command)
    Deploy(DeployArgs),
    /// Update flake inputs with open eyes, and deploy what comes of it
    Update(UpdateArgs),
    /// Take hosts back to a system they had, proven like a deploy
    Rollback(RollbackArgs),
    /// Take up a run that was interrupted: hosts that were done are not touched
    Resume(ResumeArgs),
    /// Ask hosts how they stand right now, and why one is not well
    Status(StatusArgs),
    /// Show what hosts ran when: generations and the record of deploys
    History(HistoryArgs),
    /// Compare two systems of a host: packages, units, kernel, size
    Diff(DiffArgs),
    /// Judge the configuration: syntax, anti-patterns, security
    Check(CheckArgs),
    /// Explain a rule of `check`: what, why, bad and good code
    Explain(ExplainArgs),
    /// Check what is needed here and on each host, and say how to mend it
    Doctor(DoctorArgs),
    /// Ask the fleet database what runs where, since when and why
    Fleet(FleetArgs),
    /// Show known issues of the packages that are installed on hosts
    Issues(IssuesArgs),
    /// Write a hosts.toml for the hosts of a flake
    Init(InitArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Print a manual page
    Man(ManArgs),
}

const EXAMPLES: &str = "\
Examples:
  nix-deploy p620                    deploy one host
  nix-deploy @server 'web-*'         hosts with the tag server, and those that match a glob
  nix-deploy all --dry-run           print the plan, touch no host
  nix-deploy p620 --action boot      activate with the next reboot
  nix-deploy p620 --preview          what an update of the inputs would change
  nix-deploy all --canary 1 --soak 5m    one host first, watched for five minutes
  nix-deploy p620 --fast --yes       fewer checks of the configuration, no question
  nix-deploy p620 --output json      one event per line on standard output
  nix-deploy update p620             update flake inputs: look, decide, deploy
  nix-deploy rollback p620           back to the system before, proven like a deploy
  nix-deploy status                  how all hosts stand right now, worst first
  nix-deploy diff p620               what a deploy would change
  nix-deploy check                   judge the configuration, deploy nothing

Exit codes: 0 done, 2 usage or configuration, 3 blocked, 4 evaluation or build,
5 host unreachable or not fit, 6 failed and back on the old system, 7 failed and
not well, 8 declined, 9 another deploy holds the host, 130 interrupted, 1 other.";

impl Cli {
    /// Reads the command line. Errors, help and version come back as an error
    /// that knows how to print itself.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(values::join_reboot(arguments))?;
        refuse_stray_arguments(&mut command, &matches)?;
        Self::from_arg_matches(&matches)
    }

    /// The names of all subcommands.
    pub fn command_names() -> Vec<String> {
        Self::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
    }
}

/// Refuses arguments of the default command in front of another command's
/// name: they would be ignored there.
fn refuse_stray_arguments(command: &mut clap::Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(name) = matches.subcommand_name() else { return Ok(()) };
    let deploy = DeployArgs::augment_args(clap::Command::new("deploy"));
    let stray = deploy.get_arguments().find(|argument| {
        let source = matches.try_contains_id(argument.get_id().as_str());
        matches!(source, Ok(true))
            && matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
    });
    let Some(stray) = stray else { return Ok(()) };
    let message = match stray.get_long() {
        Some(long) => {
            format!("'--{long}' stands before the command '{name}'; write it behind, where it belongs")
        }
        None => format!(
            "a host stands before the command '{name}'\n\n  for a host called '{name}' use: nix-deploy deploy {name}"
        ),
    };
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(std::iter::once("nix-deploy").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_first_word_that_is_no_command_is_a_host() {
        let cli = read("p620 @server --fast").unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.deploy.hosts, ["p620", "@server"]);
        assert!(matches!(read("doctor").unwrap().command, Some(Command::Doctor(_))));
        assert_eq!(read("p620 doctor").unwrap().deploy.hosts, ["p620", "doctor"]);
    }

    #[test]
    fn a_host_named_like_a_command_is_reached_with_deploy() {
        let cli = read("deploy init doctor --fast").unwrap();
        let Some(Command::Deploy(deploy)) = cli.command else { panic!("{cli:?}") };
        assert_eq!(deploy.hosts, ["init", "doctor"]);
        assert_eq!(deploy.mode(), crate::model::Mode::Fast);
    }

    #[test]
    fn arguments_in_front_of_a_command_are_not_silently_ignored() {
        let error = read("--fast doctor").unwrap_err().to_string();
        assert!(error.contains("'--fast' stands before the command 'doctor'"), "{error}");
        assert!(read("p620 --fast doctor").unwrap_err().to_string().contains("nix-deploy deploy doctor"));
        assert!(read("--config x doctor").is_ok());
    }

    #[test]
    fn global_flags_work_on_both_sides_of_the_command() {
        for line in ["--config x -vv doctor", "doctor --config x -vv", "doctor -v --config x -v"] {
            let cli = read(line).unwrap();
            assert_eq!(cli.global.config.as_deref(), Some(std::path::Path::new("x")), "{line}");
        }
        assert_eq!(read("doctor -vv").unwrap().global.verbose, 2);
    }
}
