//! Flags, environment, file and defaults merged into one [`Settings`].
//!
//! Invariant: nothing later reads flags or environment. A [`RunSpec`] made
//! here is complete; making it touches no host and writes nothing.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::env::{self, Environment};
use super::error::SettingsError;
use super::file;
use super::flake_ref::FlakeRef;
use super::hosts_toml::HostsToml;
use super::references;
use super::source::{Problem, Source};
use super::values::{self, Anchors};
use crate::cli::{DeployArgs, RolloutArgs};
use crate::model::{
    BuildOn, Goal, HostName, HostSpec, IssueSettings, LintSpec, NotifierSpec, PullRequestSpec, Questions,
    RecoverPolicy, Rollout, RunId, RunSpec, Secret, Substituter,
};

/// Everything that is configured, before hosts are selected.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The flake reference; a local one is absolute.
    pub(crate) flake: String,
    /// The folder of a local flake.
    pub(crate) flake_dir: Option<PathBuf>,
    /// How many hosts at a time.
    pub(crate) rollout: Rollout,
    /// Whether garbage is collected on this machine when it has no room.
    pub(crate) recover_gc: bool,
    /// Binary caches beside those that Nix knows.
    pub(crate) substituters: Vec<Substituter>,
    /// Every host, in the order of the file.
    pub(crate) hosts: Vec<HostSpec>,
    /// How the configuration is judged; nothing is allowed yet.
    pub(crate) lint: LintSpec,
    /// The state folder; it may not exist yet.
    pub(crate) state_dir: PathBuf,
    /// The fleet database.
    pub(crate) database_url: Secret,
    /// Where known issues come from and which of them count.
    pub(crate) issues: IssueSettings,
    /// Where `--pr` opens pull requests.
    pub(crate) pull_request: PullRequestSpec,
    /// Who is told of runs.
    pub(crate) notify: Vec<NotifierSpec>,
    /// What is allowed but most likely not meant.
    pub(crate) warnings: Vec<String>,
    /// Who runs the program, `user@machine`.
    pub(crate) actor: String,
    can_ask: bool,
}

impl Settings {
    /// Finds, reads and resolves the settings.
    pub(crate) fn load(config: Option<&Path>, environment: &Environment) -> Result<Self, SettingsError> {
        let path = file::find(config, environment)?;
        let source = file::read(&path)?;
        Self::from_source(&source, environment)
    }

    fn from_source(source: &Source, environment: &Environment) -> Result<Self, SettingsError> {
        let directory = source.path().parent().unwrap_or(Path::new("/"));
        let anchors = Anchors { directory, home: environment.home() };
        let invalid = |problems: Vec<Problem>| {
            let shown = file::shown(source.path(), environment);
            let problems = problems.iter().map(|problem| source.explain(problem, &shown)).collect();
            SettingsError::Invalid { path: source.path().to_owned(), problems }
        };
        let hosts_toml = HostsToml::parse(source, anchors).map_err(invalid)?;
        let flake = resolve_flake(&hosts_toml, anchors).map_err(|problem| invalid(vec![problem]))?;
        let state_dir = environment.state_dir().ok_or(SettingsError::NoStateFolder)?;
        let hosts = hosts_toml.host_specs();
        let warnings = references::unused_tags(&hosts_toml);
        Ok(Self {
            flake: flake.text,
            flake_dir: flake.directory,
            rollout: hosts_toml.rollout,
            recover_gc: hosts_toml.recover_gc.unwrap_or(false),
            substituters: hosts_toml.substituters,
            lint: hosts_toml.lint.spec(),
            issues: hosts_toml.issues,
            pull_request: hosts_toml.pull_request,
            notify: hosts_toml.notify,
            hosts,
            database_url: database_url(hosts_toml.database_url, &state_dir, environment)?,
            state_dir,
            warnings,
            actor: environment.actor(),
            can_ask: environment.terminals.stdin && environment.terminals.stderr && !environment.is_ci(),
        })
    }

    /// The run that the arguments ask for, on the selected hosts.
    pub(crate) fn run_spec(&self, arguments: &DeployArgs, selected: &[HostName]) -> RunSpec {
        let (hosts, others): (Vec<_>, Vec<_>) =
            self.hosts.iter().cloned().partition(|host| selected.contains(&host.name));
        let is_builder = |name: &HostName| {
            hosts.iter().any(|host| matches!(&host.build_on, BuildOn::Host(builder) if builder == name))
        };
        let builders = others.into_iter().filter(|host| is_builder(&host.name)).collect();
        let id = RunId::generate();
        RunSpec {
            goal: Goal::Configuration,
            issue: arguments.issue,
            flake: self.flake.clone(),
            flake_dir: self.flake_dir.clone(),
            mode: arguments.mode(),
            action: arguments.action,
            reboot: arguments.rollout.reboot,
            questions: self.questions(arguments),
            rollout: self.rollout(&arguments.rollout),
            hosts,
            waves: Vec::new(),
            canaries: Vec::new(),
            updates: false,
            resumed: None,
            takes_back: None,
            builders,
            recover: RecoverPolicy { gc: self.recover_gc, wait_for_host: arguments.wait_for_host },
            substituters: self.substituters.clone(),
            lint: LintSpec { allow: arguments.allow.clone(), ..self.lint.clone() },
            run_dir: self.state_dir.join("runs").join(id.as_str()),
            state_dir: self.state_dir.clone(),
            actor: self.actor.clone(),
            id,
        }
    }

    fn rollout(&self, arguments: &RolloutArgs) -> Rollout {
        let file = self.rollout.clone();
        Rollout {
            strategy: arguments.strategy().unwrap_or(file.strategy),
            max_parallel: arguments.max_parallel.map_or(file.max_parallel, usize::from),
            canary: arguments.canary.clone().unwrap_or(file.canary),
            wave_size: arguments.wave_size.or(file.wave_size),
            soak: arguments.soak.unwrap_or(file.soak),
            max_failures: arguments.max_failures.or(file.max_failures),
            rollback_fleet: arguments.rollback_fleet || file.rollback_fleet,
            reboot_parallel: arguments.reboot_parallel.map_or(file.reboot_parallel, usize::from),
            order: file.order,
        }
    }

    fn questions(&self, arguments: &DeployArgs) -> Questions {
        match (arguments.yes, arguments.non_interactive || !self.can_ask) {
            (true, _) => Questions::AssumeYes,
            (false, true) => Questions::NonInteractive,
            (false, false) => Questions::Ask,
        }
    }
}

/// Creates the folder of a run, for its owner alone: logs may name what the
/// configuration keeps private.
pub(crate) fn create_run_dir(run_spec: &RunSpec) -> Result<(), SettingsError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(&run_spec.run_dir)
        .map_err(|source| SettingsError::CreateFolder { path: run_spec.run_dir.clone(), source })
}

fn resolve_flake(hosts_toml: &HostsToml, anchors: Anchors<'_>) -> Result<FlakeRef, Problem> {
    let text = hosts_toml.flake.as_ref().map_or(".", |flake| flake.as_ref().as_str());
    let problem = |message: String| match &hosts_toml.flake {
        Some(flake) => Problem::at(flake.span(), format!("`flake`: {message}")),
        None => Problem::whole(message),
    };
    let flake = FlakeRef::resolve(text, anchors).map_err(problem)?;
    match &flake.directory {
        Some(directory) if !directory.join("flake.nix").exists() => {
            let message = format!("there is no flake.nix in {}", directory.display());
            Err(problem(message).hint("`flake` is a folder seen from hosts.toml, or another flake reference"))
        }
        None if anchors.directory.join(text).join("flake.nix").exists() => {
            let message = format!("{text:?} is an entry of the flake registry, and a folder here");
            Err(problem(message).hint(format!("write \"./{text}\" for the folder, or \"flake:{text}\"")))
        }
        _ => Ok(flake),
    }
}

/// The environment's database, else the file's, else a file in the state folder.
fn database_url(
    from_file: Option<Secret>,
    state_dir: &Path,
    environment: &Environment,
) -> Result<Secret, SettingsError> {
    let anchors = Anchors { directory: &environment.directory, home: environment.home() };
    let from_environment = environment.database_url().map(|url| values::database_url(url.reveal(), anchors));
    let from_environment = from_environment
        .transpose()
        .map_err(|reason| SettingsError::Environment { name: env::DATABASE_URL, reason })?;
    let default = || Secret::new(format!("sqlite:{}", state_dir.join("fleet.db").display()));
    Ok(from_environment.or(from_file).unwrap_or_else(default))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::model::{Action, Mode, Strategy};
    use crate::settings::env::{CI, DATABASE_URL, STATE, Terminals, USER};

    struct Folder(tempfile::TempDir);

    impl Folder {
        /// A folder with a flake and a hosts.toml.
        fn new(text: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("flake.nix"), "{}").unwrap();
            std::fs::write(folder.path().join(file::FILE_NAME), format!("version = 1\n{text}")).unwrap();
            Self(folder)
        }

        fn environment(&self, values: &[(&'static str, &str)]) -> Environment {
            let standard = [(STATE, "state"), (USER, "ada")];
            Environment::for_test(self.0.path(), &[&standard, values].concat())
        }

        fn load(&self, values: &[(&'static str, &str)]) -> Result<Settings, SettingsError> {
            Settings::load(None, &self.environment(values))
        }
    }

    fn arguments(words: &str) -> DeployArgs {
        let words = std::iter::once("nix-deploy").chain(words.split_whitespace()).map(Into::into);
        crate::cli::Cli::read(words).unwrap().deploy
    }

    fn names(names: &[&str]) -> Vec<HostName> {
        names.iter().map(|name| HostName::new(*name).unwrap()).collect()
    }

    #[test]
    fn flags_beat_the_file_and_the_file_beats_the_defaults() {
        let folder = Folder::new("[hosts.p620]\n[rollout]\nmax_parallel = 3\nstrategy = \"rolling\"\n");
        let settings = folder.load(&[]).unwrap();
        let spec = settings.run_spec(&arguments("p620"), &names(&["p620"]));
        assert_eq!((spec.mode, spec.action), (Mode::Standard, Action::Switch));
        let rolling = Rollout { strategy: Strategy::Rolling, max_parallel: 3, ..Rollout::default() };
        assert_eq!(spec.rollout, rolling);
        let flags = "p620 --canary 10% --wave-size 4 --soak 90s --max-failures 2 --reboot always";
        let spec = settings.run_spec(&arguments(flags), &names(&["p620"]));
        assert_eq!(
            (spec.rollout.strategy, spec.rollout.soak),
            (Strategy::Canary, std::time::Duration::from_secs(90))
        );
        assert_eq!((spec.rollout.max_parallel, spec.reboot), (3, crate::model::Reboot::Always));
        let spec =
            settings.run_spec(&arguments("p620 --emergency --action boot --max-parallel 5"), &names(&["p620"]));
        assert_eq!((spec.mode, spec.action), (Mode::Emergency, Action::Boot));
        assert_eq!(spec.rollout.max_parallel, 5);
        assert_eq!(spec.actor, "ada@desk");
    }

    #[test]
    fn hosts_are_waited_for_only_when_that_is_asked_for() {
        let folder = Folder::new("[hosts.p620]\n[recover]\ngc = true\n");
        let settings = folder.load(&[]).unwrap();
        let recover = |words: &str| settings.run_spec(&arguments(words), &names(&["p620"])).recover;
        let hour = std::time::Duration::from_secs(3600);
        assert_eq!(recover("p620"), RecoverPolicy { gc: true, wait_for_host: None });
        assert_eq!(recover("--wait-for-host p620").wait_for_host, Some(hour));
        assert_eq!(recover("p620 --wait-for-host=2h").wait_for_host, Some(2 * hour));
    }

    #[test]
    fn a_run_has_a_folder_of_its_own_for_its_owner_alone() {
        let folder = Folder::new("[hosts.p620]\n");
        let spec = folder.load(&[]).unwrap().run_spec(&arguments("p620"), &names(&["p620"]));
        assert_eq!(spec.run_dir, folder.0.path().join("state/runs").join(spec.id.as_str()));
        assert!(!spec.state_dir.exists(), "a plan writes nothing");
        create_run_dir(&spec).unwrap();
        let mode = std::fs::metadata(&spec.run_dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn builders_are_those_that_selected_hosts_name_and_that_are_not_selected() {
        let folder =
            Folder::new("[hosts.a]\nbuild_on = \"b\"\n[hosts.b]\n[hosts.c]\nbuild_on = \"d\"\n[hosts.d]\n");
        let settings = folder.load(&[]).unwrap();
        let builders = |selected: &[&str]| {
            let spec = settings.run_spec(&arguments("x"), &names(selected));
            spec.builders.iter().map(|host| host.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(builders(&["a"]), ["b"]);
        assert_eq!(builders(&["a", "b"]), Vec::<String>::new());
        assert_eq!(builders(&["a", "c"]), ["b", "d"]);
    }

    #[test]
    fn only_a_person_at_a_terminal_is_asked() {
        let folder = Folder::new("[hosts.x]\n");
        let questions = |terminals: Terminals, values: &[(&'static str, &str)], flags: &str| {
            let mut environment = folder.environment(values);
            environment.terminals = terminals;
            Settings::load(None, &environment).unwrap().questions(&arguments(flags))
        };
        let both = Terminals { stdin: true, stdout: false, stderr: true };
        let no_input = Terminals { stdin: false, ..both };
        let no_screen = Terminals { stderr: false, ..both };
        assert_eq!(questions(both, &[], "x"), Questions::Ask);
        assert_eq!(questions(no_input, &[], "x"), Questions::NonInteractive);
        assert_eq!(questions(no_screen, &[], "x"), Questions::NonInteractive);
        assert_eq!(questions(both, &[(CI, "true")], "x"), Questions::NonInteractive);
        assert_eq!(questions(both, &[], "x --non-interactive"), Questions::NonInteractive);
        assert_eq!(questions(no_input, &[(CI, "true")], "x --yes"), Questions::AssumeYes);
    }

    #[test]
    fn the_database_of_the_environment_beats_that_of_the_file() {
        let url = |folder: &Folder, values: &[(&'static str, &str)]| {
            folder.load(values).unwrap().database_url.reveal().to_owned()
        };
        let plain = Folder::new("[hosts.x]\n");
        let root = plain.0.path().display().to_string();
        assert_eq!(url(&plain, &[]), format!("sqlite:{root}/state/fleet.db"));
        let set = Folder::new("[hosts.x]\n[database]\nurl = \"postgres://a:b@c/d\"\n");
        assert_eq!(url(&set, &[]), "postgres://a:b@c/d");
        assert_eq!(url(&set, &[(DATABASE_URL, "sqlite:/x.db")]), "sqlite:/x.db");
        let error = set.load(&[(DATABASE_URL, "mysql://u:hunter2@x")]).unwrap_err().to_string();
        assert!(error.starts_with("NIX_DEPLOY_DATABASE_URL: ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_flake_that_is_not_there_or_is_a_registry_name_by_mistake_says_so() {
        let message = |folder: &Folder| folder.load(&[]).unwrap_err().into_failures()[0].message.clone();
        let missing = Folder::new("flake = \"./nix\"\n[hosts.x]\n");
        assert!(message(&missing).contains("hosts.toml:2:9: `flake`: there is no flake.nix in "));
        let nested = Folder::new("flake = \"nix\"\n[hosts.x]\n");
        assert_eq!(nested.load(&[]).unwrap().flake, "nix");
        std::fs::create_dir(nested.0.path().join("nix")).unwrap();
        std::fs::write(nested.0.path().join("nix/flake.nix"), "{}").unwrap();
        assert!(message(&nested).contains("an entry of the flake registry, and a folder here"));
    }

    #[test]
    fn without_any_home_the_state_folder_must_be_named() {
        let folder = Folder::new("[hosts.x]\n");
        let environment = Environment::for_test(folder.0.path(), &[]);
        assert!(matches!(Settings::load(None, &environment), Err(SettingsError::NoStateFolder)));
    }
}
