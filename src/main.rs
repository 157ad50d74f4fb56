//! Starts nix-deploy and maps its outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(nix_deploy::run())
}
