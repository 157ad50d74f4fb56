//! Writes a hosts.toml for the hosts of a flake.
//!
//! Invariant: a file that is there is only replaced with `--force`, and only
//! after everything else has worked; what is written can be read by our own
//! reader.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{GlobalArgs, InitArgs};
use crate::error::CommandError;
use crate::exec::{Command, ExecError};
use crate::exit::{self, ExitCode};
use crate::git;
use crate::model::text::{clean, plural};
use crate::model::{Failure, FailureClass};
use crate::nix::{is_without_git, untracked_hint};
use crate::settings::{Environment, FlakeRef, file, host_name};

const TEMPLATE: &str = include_str!("../../templates/hosts.toml.in");
/// Reading a flake may fetch all its inputs.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// How much of what Nix said is shown.
const SHOWN_LINES: usize = 10;

/// Writes hosts.toml and says what to do next.
pub(crate) async fn init(
    arguments: &InitArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<ExitCode, CommandError> {
    let path = match &global.config {
        Some(path) => environment.directory.join(path),
        None => environment.directory.join(file::FILE_NAME),
    };
    if path.exists() && !arguments.force {
        let message = format!("{} is there already", path.display());
        return Err(CommandError::new(FailureClass::Usage, message).hint("replace it with --force"));
    }
    let flake = find_flake(&arguments.flake, &path, environment)?;
    say(&format!("Reading the hosts of {} …", flake.for_nix));
    let names = read_hosts(&flake).await?;
    let (hosts, left_out): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| host_name(name).is_ok());
    for name in &left_out {
        say(&format!("warning: {name:?} cannot be a host's name here and is left out"));
    }
    if hosts.is_empty() {
        let message = format!("the flake {} has no nixosConfigurations", flake.for_nix);
        return Err(CommandError::new(FailureClass::Usage, message)
            .hint("add one, for example nixosConfigurations.HOST = nixpkgs.lib.nixosSystem { … }"));
    }
    write_file(&path, &render(&flake.for_file, &hosts, &environment.machine), arguments.force)?;
    let shown = file::shown(&path, environment);
    say(&format!("Wrote {shown} with {}: {}", plural(hosts.len(), "host"), hosts.join(", ")));
    say("Next:");
    say(&format!("  1. look at the addresses in {shown}"));
    say("  2. check what is needed here and on the hosts:  nix-deploy doctor");
    say(&format!("  3. see the plan of a first deploy:  nix-deploy {} --dry-run", hosts[0]));
    Ok(exit::OK)
}

/// A flake as Nix is given it, and as the file names it.
#[derive(Debug, PartialEq, Eq)]
struct FoundFlake {
    for_nix: String,
    for_file: String,
    /// Its folder when it is a local one.
    directory: Option<PathBuf>,
}

/// The flake seen from the current folder and, when it is a local one, seen
/// from the folder of the file.
fn find_flake(text: &str, path: &Path, environment: &Environment) -> Result<FoundFlake, CommandError> {
    let usage = |message: String| CommandError::new(FailureClass::Usage, message);
    let flake =
        FlakeRef::from_folder(text, environment).map_err(|reason| usage(format!("--flake: {reason}")))?;
    let Some(directory) = flake.directory else {
        return Ok(FoundFlake { for_file: flake.text.clone(), for_nix: flake.text, directory: None });
    };
    if !directory.join("flake.nix").exists() {
        let error = usage(format!("there is no flake.nix in {}", directory.display()));
        let above = directory.ancestors().skip(1).find(|folder| folder.join("flake.nix").exists());
        return Err(match above {
            Some(above) => error.hint(format!("there is one in {}: run init there", above.display())),
            None => error.hint("run init in the folder of your flake, or name the flake with --flake"),
        });
    }
    let is_plain = flake.text == directory.to_string_lossy();
    let for_file = match path.parent().filter(|_| is_plain).map(|parent| directory.strip_prefix(parent)) {
        Some(Ok(below)) if below == Path::new("") => ".".to_owned(),
        Some(Ok(below)) => format!("./{}", below.display()),
        _ => flake.text.clone(),
    };
    Ok(FoundFlake { for_nix: flake.text, for_file, directory: Some(directory) })
}

/// The arguments of Nix that list the hosts of a flake; they work from Nix 2.8 on.
fn nix_arguments(flake: &str) -> Vec<String> {
    let words = [
        "--extra-experimental-features",
        "nix-command flakes",
        "eval",
        "--json",
        // A look at the flake leaves it as it is.
        "--no-write-lock-file",
        "--apply",
        "builtins.attrNames",
        "--",
    ];
    words.map(str::to_owned).into_iter().chain([format!("{flake}#nixosConfigurations")]).collect()
}

async fn read_hosts(flake: &FoundFlake) -> Result<Vec<String>, CommandError> {
    let answer = Command::new("nix").args(nix_arguments(&flake.for_nix)).deadline(DEADLINE).checked().await;
    let output = match answer {
        Ok(output) => output,
        Err(error) => {
            // Nix sees only files that git tracks; git that does not answer leaves the hint out.
            let source = match &flake.directory {
                Some(directory) => git::source_state(directory).await.ok().flatten(),
                None => None,
            };
            return Err(explain(&flake.for_nix, &error, &source.unwrap_or_default().untracked));
        }
    };
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let failure = Failure::from_error(FailureClass::Unexpected, &error);
        CommandError::from(Failure { message: "nix did not answer with a list of names".to_owned(), ..failure })
    })
}

fn explain(flake: &str, error: &ExecError, untracked: &[String]) -> CommandError {
    let tail = error.stderr_tail();
    let said = tail.join("\n");
    if tail.iter().any(|line| line.contains("does not provide attribute")) {
        let message = format!("the flake {flake} has no nixosConfigurations");
        return CommandError::new(FailureClass::Usage, message)
            .hint("name the flake that has your hosts with --flake");
    }
    let failure = Failure::new(FailureClass::Build, format!("cannot read the hosts of {flake}"))
        .cause(error.to_string())
        .evidence(tail.iter().skip(tail.len().saturating_sub(SHOWN_LINES)).cloned());
    match error {
        ExecError::NotFound { .. } => {
            Failure { class: FailureClass::Usage, ..failure }.hint("install Nix: https://nixos.org/download")
        }
        _ if is_without_git(&said) => {
            failure.hint("install git: the flake is in a git repository, and Nix asks git about it")
        }
        _ => match untracked_hint(&said, untracked) {
            Some(hint) => failure.hint(hint),
            None if ["tracked by Git", "does not exist"].iter().any(|words| said.contains(words)) => {
                failure.hint("Nix sees only files that git knows: git add them")
            }
            None => failure,
        },
    }
    .into()
}

/// The text of the file. A host that is the machine itself needs no ssh.
fn render(flake: &str, hosts: &[String], machine: &str) -> String {
    let sections = hosts.iter().map(|host| {
        let address = if host == machine { "address = \"local\"    # this machine, without ssh\n" } else { "" };
        format!("[hosts.{}]\n{address}\n", toml_key(host))
    });
    let sections: String = sections.collect();
    TEMPLATE.replace("@FLAKE@", &toml::Value::from(flake).to_string()).replace("@HOSTS@\n", &sections)
}

/// A name as a TOML key: one with a dot would be two keys without quotes.
fn toml_key(name: &str) -> String {
    if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() }
}

fn write_file(path: &PathBuf, text: &str, force: bool) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        let failure = Failure::from_error(FailureClass::Unexpected, &error);
        CommandError::from(
            Failure { message: format!("cannot write {}", path.display()), ..failure }.cause(error.to_string()),
        )
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    let kept = match force {
        true => temporary.persist(path),
        // Someone may have written the file while Nix was reading the flake.
        false => temporary.persist_noclobber(path),
    };
    kept.map_err(|error| failed(error.error))?;
    Ok(())
}

fn say(line: &str) {
    // Talk that nobody can hear changes nothing.
    let _ = writeln!(std::io::stderr().lock(), "{}", clean(line));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_written_can_be_read_by_our_own_reader() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flake.nix"), "{}").unwrap();
        let text = render(".", &names(&["p620", "web.lan", "desk", "7"]), "desk");
        std::fs::write(folder.path().join(file::FILE_NAME), text).unwrap();
        let environment = Environment::for_test(folder.path(), &[(crate::settings::env::STATE, "state")]);
        let settings = Settings::load(None, &environment).unwrap();
        let hosts: Vec<_> = settings.hosts.iter().map(|host| (host.name.as_str(), host.is_local())).collect();
        assert_eq!(hosts, [("p620", false), ("web.lan", false), ("desk", true), ("7", false)]);
        assert_eq!(settings.flake_dir.as_deref(), Some(folder.path()));
        assert_eq!(settings.warnings, Vec::<String>::new());
    }

    #[test]
    fn every_key_the_template_shows_is_one_the_reader_knows() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flake.nix"), "{}").unwrap();
        let text = render(".", &names(&["database", "p620"]), "desk");
        // Every commented line that is a setting is switched on.
        let is_setting = |line: &str| line.starts_with('[') || line.contains(" = ");
        let shown: Vec<&str> = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
            .collect();
        std::fs::write(folder.path().join(file::FILE_NAME), shown.join("\n")).unwrap();
        let environment = Environment::for_test(folder.path(), &[(crate::settings::env::STATE, "state")]);
        let settings = Settings::load(None, &environment).unwrap();
        let example = settings.hosts.iter().find(|host| host.name.as_str() == "example").unwrap();
        assert_eq!(example.address.as_deref(), Some("example.lan"));
        assert_eq!(example.checks.len(), 1);
        assert_eq!(example.critical_services, ["sshd.service", "postgresql.service"]);
    }

    #[test]
    fn the_file_names_the_flake_as_seen_from_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let nested = root.join("nix");
        std::fs::create_dir(&nested).unwrap();
        std::fs::write(nested.join("flake.nix"), "{}").unwrap();
        let find = |flake: &str, directory: &Path, file: &str| {
            find_flake(flake, Path::new(file), &Environment::for_test(directory, &[])).unwrap()
        };
        let here = root.join("hosts.toml").display().to_string();
        let beside = nested.join("hosts.toml").display().to_string();
        assert_eq!(find(".", &nested, &beside).for_file, ".");
        assert_eq!(find("./nix", &root, &here).for_file, "./nix");
        assert_eq!(find(".", &nested, "/elsewhere/hosts.toml").for_file, nested.display().to_string());
        let remote = find("github:ada/fleet", &root, &here);
        assert_eq!(
            (remote.for_nix.as_str(), remote.for_file.as_str()),
            ("github:ada/fleet", "github:ada/fleet")
        );
    }

    #[test]
    fn a_missing_flake_names_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("flake.nix"), "{}").unwrap();
        let below = root.join("hosts");
        std::fs::create_dir(&below).unwrap();
        let environment = Environment::for_test(&below, &[]);
        let error = find_flake(".", &below.join("hosts.toml"), &environment).unwrap_err();
        assert_eq!(error.failures()[0].hints, [format!("there is one in {}: run init there", root.display())]);
    }

    #[test]
    fn a_file_written_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file::FILE_NAME);
        std::fs::write(&path, "mine").unwrap();
        assert!(write_file(&path, "new", false).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        write_file(&path, "new", true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
