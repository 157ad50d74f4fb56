//! Prints a manual page in roff.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::CommandError;
use crate::model::FailureClass;
use crate::settings::{enumerate, nearest};

/// The page of a command, or of the whole program.
pub(crate) fn page(command: Option<&str>) -> Result<Vec<u8>, CommandError> {
    let mut program = Cli::command();
    program.build();
    let chosen = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => found.clone().name(format!("nix-deploy-{name}")).version(env!("CARGO_PKG_VERSION")),
            None => return Err(unknown(name)),
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(chosen)
        .render(&mut page)
        .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    Ok(page)
}

fn unknown(name: &str) -> CommandError {
    let names = Cli::command_names();
    let names = names.iter().map(String::as_str);
    let error = CommandError::new(FailureClass::Usage, format!("no command is called {name:?}"));
    match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint(format!("it is one of {}", enumerate(names, "or"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let page_text = |command: Option<&str>| String::from_utf8(page(command).unwrap()).unwrap();
        assert!(page_text(None).contains(".TH nix-deploy 1"));
        for name in Cli::command_names() {
            assert!(page_text(Some(&name)).contains(&format!(".TH nix-deploy-{name} 1")), "{name}");
        }
        assert_eq!(page(Some("docter")).unwrap_err().failures()[0].hints, ["did you mean \"doctor\"?"]);
    }
}
