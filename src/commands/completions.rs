//! Prints a shell's completion script. The files in `completions/` are what
//! this prints, for packages to install.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

/// The completion script of a shell.
pub(crate) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "nix-deploy", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_completions_are_up_to_date() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let path = format!("{}/completions/nix-deploy.{shell}", env!("CARGO_MANIFEST_DIR"));
            let kept = std::fs::read(&path).unwrap_or_default();
            assert!(
                kept == script(shell),
                "completions/nix-deploy.{shell} is stale; write it anew with:\n\
                 cargo run -- completions {shell} > completions/nix-deploy.{shell}"
            );
        }
    }
}
