//! Arguments of `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to judge, and how to tell it.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// A file, or a folder with all its Nix files; without one, the flake of
    /// hosts.toml, else the current folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// How to tell what was found
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    pub format: FormatArg,

    /// Let findings of this rule pass this time
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub allow: Vec<String>,

    /// Mend what can be mended without a change of meaning
    #[arg(long)]
    pub fix: bool,

    /// Show what --fix would change, and change nothing
    #[arg(long)]
    pub diff: bool,

    /// Write every finding into the baseline file: from then on only new ones count
    #[arg(long, conflicts_with_all = ["fix", "diff", "staged", "watch"])]
    pub write_baseline: bool,

    /// Judge what git would commit now, for a pre-commit hook
    #[arg(long, conflicts_with_all = ["fix", "diff", "watch"])]
    pub staged: bool,

    /// Judge again whenever a file changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix", "diff"])]
    pub watch: bool,

    /// Judge the built system of this host too; builds it when it is not there
    #[arg(long, value_name = "HOST", conflicts_with_all = ["fix", "diff", "staged", "watch", "write_baseline"])]
    pub evaluated: Option<String>,

    /// When to ask the installed Nix what it refuses
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub nix: NixArg,

    /// List every rule and judge nothing
    #[arg(long, conflicts_with_all = ["paths", "fix", "diff", "staged", "watch", "write_baseline", "evaluated"])]
    pub list_rules: bool,
}

/// When to ask the installed Nix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NixArg {
    /// about files that it has not accepted before; of very many only about those called broken
    #[default]
    Auto,
    /// about every file that it has not accepted before
    Always,
    /// not at all: what is called broken is not confirmed
    Never,
}

/// How to tell what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// for people, with the line and carets
    #[default]
    Human,
    /// file:line:column and one line for each finding
    Plain,
    /// one object per line
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// annotations of GitHub Actions, the worst first
    Github,
    /// JUnit XML
    Junit,
}

impl FormatArg {
    /// The name as `--format` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Plain => "plain",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Junit => "junit",
        }
    }
}
