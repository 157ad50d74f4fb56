//! Arguments that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Arguments that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "General")]
pub struct GlobalArgs {
    /// Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// How to show what happens
    #[arg(long, value_enum, value_name = "KIND", default_value = "auto", global = true)]
    pub output: OutputArg,

    /// Show nothing but errors and the result, like --output quiet
    #[arg(short, long, global = true, conflicts_with = "output")]
    pub quiet: bool,

    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorArg,

    /// Trace what the program does; twice for more
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// How to show what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputArg {
    /// live on a terminal, else plain
    #[default]
    Auto,
    /// a line for each thing that happens
    Plain,
    /// one event per line on standard output
    Json,
    /// only errors and the result
    Quiet,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// on a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// always
    Always,
    /// never
    Never,
}
