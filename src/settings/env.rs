//! The environment: every name the program reads, and one snapshot of them.
//!
//! Invariant: the environment is read once, here, when the program starts.
//! Everything later asks the [`Environment`], so that a test can hand in its
//! own and nothing depends on the order in which things are read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::model::text::clean_line;
use crate::model::{Secret, SecretSource};

/// The settings file to read instead of the one found by walking up.
pub(crate) const CONFIG: &str = "NIX_DEPLOY_CONFIG";
/// The state folder.
pub(crate) const STATE: &str = "NIX_DEPLOY_STATE";
/// The fleet database; it overrides hosts.toml.
pub(crate) const DATABASE_URL: &str = "NIX_DEPLOY_DATABASE_URL";
/// The password that sudo wants on the hosts.
pub(crate) const SUDO_PASSWORD: &str = "NIX_DEPLOY_SUDO_PASSWORD";
/// Switches colour off when it is set and not empty (no-color.org).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// The terminal's kind; `dumb`, and one without a name, cannot redraw lines.
pub(crate) const TERM: &str = "TERM";
/// Set by continuous integration; `true` means nobody can answer.
pub(crate) const CI: &str = "CI";
/// The home folder.
pub(crate) const HOME: &str = "HOME";
/// Who runs the program.
pub(crate) const USER: &str = "USER";
/// Who runs the program, in the words of POSIX.
pub(crate) const LOGNAME: &str = "LOGNAME";
/// Where state belongs (XDG base directories).
pub(crate) const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// Where caches belong (XDG base directories).
pub(crate) const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// A token for GitHub.
pub(crate) const GITHUB_TOKEN: &str = "GITHUB_TOKEN";
/// A token for GitHub, in the words of its CLI.
pub(crate) const GH_TOKEN: &str = "GH_TOKEN";
/// Says that this is a job of GitHub Actions.
pub(crate) const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// Where a job of GitHub Actions puts its summary.
pub(crate) const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The locale, strongest name first.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// Every name of this file; nothing else is read, but what `[notify]` names.
const NAMES: [&str; 19] = [
    CONFIG,
    STATE,
    DATABASE_URL,
    SUDO_PASSWORD,
    NO_COLOR,
    TERM,
    CI,
    HOME,
    USER,
    LOGNAME,
    XDG_STATE_HOME,
    XDG_CACHE_HOME,
    GITHUB_TOKEN,
    GH_TOKEN,
    GITHUB_ACTIONS,
    GITHUB_STEP_SUMMARY,
    LOCALE[0],
    LOCALE[1],
    LOCALE[2],
];

/// Which standard streams are terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terminals {
    /// Standard input.
    pub(crate) stdin: bool,
    /// Standard output.
    pub(crate) stdout: bool,
    /// Standard error.
    pub(crate) stderr: bool,
}

/// What the program was started in: variables, folder, terminals, machine.
#[derive(Clone)]
pub(crate) struct Environment {
    values: BTreeMap<&'static str, OsString>,
    /// The folder the program was started in.
    pub(crate) directory: PathBuf,
    /// Which standard streams are terminals.
    pub(crate) terminals: Terminals,
    /// The name of this machine.
    pub(crate) machine: String,
    /// The numeric id of the user.
    uid: u32,
}

impl Environment {
    /// Takes the snapshot. It fails when the current folder is gone.
    pub(crate) fn capture() -> std::io::Result<Self> {
        Ok(Self {
            values: NAMES.iter().filter_map(|name| Some((*name, read(name)?))).collect(),
            directory: std::env::current_dir()?,
            terminals: Terminals {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            machine: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            uid: rustix::process::getuid().as_raw(),
        })
    }

    /// A value that is set and not empty.
    fn value(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(OsStr::to_str)
    }

    fn absolute_path(&self, name: &str) -> Option<&Path> {
        self.value(name).map(Path::new).filter(|path| path.is_absolute())
    }

    /// The settings file that [`CONFIG`] names.
    pub(crate) fn config(&self) -> Option<PathBuf> {
        self.value(CONFIG).map(|path| self.directory.join(path))
    }

    /// The home folder.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.absolute_path(HOME)
    }

    /// The state folder: [`STATE`], else below [`XDG_STATE_HOME`], else below
    /// the home folder. A relative XDG path is ignored, as its standard says.
    pub(crate) fn state_dir(&self) -> Option<PathBuf> {
        if let Some(path) = self.value(STATE) {
            return Some(self.directory.join(path));
        }
        let base = self.absolute_path(XDG_STATE_HOME).map(Path::to_owned);
        base.or_else(|| Some(self.home()?.join(".local/state"))).map(|base| base.join("nix-deploy"))
    }

    /// The cache folder: below [`XDG_CACHE_HOME`], else below the home folder.
    pub(crate) fn cache_dir(&self) -> Option<PathBuf> {
        let base = self.absolute_path(XDG_CACHE_HOME).map(Path::to_owned);
        base.or_else(|| Some(self.home()?.join(".cache"))).map(|base| base.join("nix-deploy"))
    }

    /// The token in [`GITHUB_TOKEN`], else in [`GH_TOKEN`].
    pub(crate) fn github_token(&self) -> Option<Secret> {
        let token = self.text(GITHUB_TOKEN).or_else(|| self.text(GH_TOKEN))?.trim();
        (!token.is_empty()).then(|| Secret::new(token))
    }

    /// The fleet database that [`DATABASE_URL`] names.
    pub(crate) fn database_url(&self) -> Option<Secret> {
        self.text(DATABASE_URL).map(Secret::new)
    }

    /// The password in [`SUDO_PASSWORD`].
    pub(crate) fn sudo_password(&self) -> Option<Secret> {
        self.text(SUDO_PASSWORD).map(Secret::new)
    }

    /// Whether the program runs in continuous integration.
    pub(crate) fn is_ci(&self) -> bool {
        self.text(CI).is_some_and(|value| value == "true" || value == "1")
    }

    /// Whether this is a job of GitHub Actions.
    pub(crate) fn is_github_actions(&self) -> bool {
        self.text(GITHUB_ACTIONS) == Some("true")
    }

    /// The file for the summary of a job of GitHub Actions.
    pub(crate) fn github_summary(&self) -> Option<PathBuf> {
        self.value(GITHUB_STEP_SUMMARY).map(PathBuf::from)
    }

    /// A secret that hosts.toml says to be in this variable, or in this file.
    pub(crate) fn secret(&self, source: &SecretSource) -> Result<Secret, String> {
        let text = match source {
            SecretSource::Here(secret) => return Ok(secret.clone()),
            SecretSource::Variable(name) => {
                let value = read(name).and_then(|value| value.into_string().ok());
                value.ok_or_else(|| format!("the environment variable {name} is not set"))?
            }
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("{} cannot be read: {error}", path.display()))?,
        };
        match text.trim() {
            "" => Err("it is empty".to_owned()),
            text => Ok(Secret::new(text)),
        }
    }

    /// Whether colour is unwanted: [`NO_COLOR`], or a terminal without it.
    pub(crate) fn refuses_color(&self) -> bool {
        self.value(NO_COLOR).is_some() || self.is_dumb()
    }

    /// Whether the terminal cannot redraw lines.
    pub(crate) fn is_dumb(&self) -> bool {
        self.text(TERM).is_none_or(|term| term == "dumb")
    }

    /// Whether the locale can show characters beyond ASCII.
    pub(crate) fn is_utf8(&self) -> bool {
        let locale = LOCALE.iter().find_map(|name| self.text(name)).unwrap_or_default().to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    }

    /// Who runs the program, `user@machine`, for records and locks.
    pub(crate) fn actor(&self) -> String {
        let user = self.text(USER).or_else(|| self.text(LOGNAME)).map(clean_line);
        let user = user
            .filter(|user| !user.is_empty())
            .unwrap_or_else(|| if self.uid == 0 { "root".to_owned() } else { format!("uid {}", self.uid) });
        format!("{user}@{}", clean_line(&self.machine))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
impl Environment {
    /// An environment for a test: these values and this folder, no terminal.
    pub(crate) fn for_test(directory: &Path, values: &[(&'static str, &str)]) -> Self {
        Self {
            values: values.iter().map(|(name, value)| (*name, OsString::from(value))).collect(),
            directory: directory.to_owned(),
            terminals: Terminals::default(),
            machine: "desk".to_owned(),
            uid: 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(values: &[(&'static str, &str)]) -> Environment {
        Environment::for_test(Path::new("/work"), values)
    }

    #[test]
    fn the_state_folder_follows_the_nearest_name_that_is_set() {
        let state = |values: &[(&'static str, &str)]| environment(values).state_dir();
        let home = (HOME, "/home/ada");
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[home]), Some("/home/ada/.local/state/nix-deploy".into()));
        assert_eq!(state(&[home, (XDG_STATE_HOME, "/x")]), Some("/x/nix-deploy".into()));
        assert_eq!(state(&[home, (XDG_STATE_HOME, "x")]), Some("/home/ada/.local/state/nix-deploy".into()));
        assert_eq!(state(&[home, (STATE, "here")]), Some("/work/here".into()));
    }

    #[test]
    fn caches_belong_where_xdg_says_and_the_first_token_counts() {
        let cache = |values: &[(&'static str, &str)]| environment(values).cache_dir();
        assert_eq!(cache(&[]), None);
        assert_eq!(cache(&[(HOME, "/home/ada")]), Some("/home/ada/.cache/nix-deploy".into()));
        assert_eq!(cache(&[(HOME, "/home/ada"), (XDG_CACHE_HOME, "/x")]), Some("/x/nix-deploy".into()));
        let token = |values: &[(&'static str, &str)]| environment(values).github_token();
        assert_eq!(token(&[(GH_TOKEN, "b"), (GITHUB_TOKEN, "a ")]), Some(Secret::new("a")));
        assert_eq!(token(&[(GH_TOKEN, "b"), (GITHUB_TOKEN, "")]), Some(Secret::new("b")));
        assert_eq!(token(&[]), None);
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        let terminal = (TERM, "xterm");
        assert!(!environment(&[terminal, (NO_COLOR, "")]).refuses_color());
        assert!(environment(&[terminal, (NO_COLOR, "1")]).refuses_color());
        assert!(environment(&[(TERM, "")]).is_dumb());
        assert_eq!(environment(&[(CONFIG, "")]).config(), None);
    }

    #[test]
    fn the_actor_is_named_even_without_a_user_name() {
        assert_eq!(environment(&[(USER, "ada"), (LOGNAME, "bob")]).actor(), "ada@desk");
        assert_eq!(environment(&[(LOGNAME, "bob")]).actor(), "bob@desk");
        assert_eq!(environment(&[]).actor(), "uid 1000@desk");
    }

    #[test]
    fn the_strongest_locale_name_decides() {
        assert!(environment(&[("LANG", "de_DE.UTF-8")]).is_utf8());
        assert!(!environment(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).is_utf8());
        assert!(environment(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]).is_utf8());
        assert!(!environment(&[]).is_utf8());
    }
}
