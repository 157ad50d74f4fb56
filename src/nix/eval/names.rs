//! The names of what a host's package set has, for the comparison of two.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::nix::{Nix, TrialLock};

use super::expression::{reference, string_literal};

/// Whose names are asked for.
#[derive(Clone, Debug)]
pub(crate) struct NamesRequest<'a> {
    /// The flake reference as configured.
    pub(crate) flake: &'a str,
    /// The folder of the flake when it is a local one.
    pub(crate) flake_dir: Option<&'a Path>,
    /// The lock file to use.
    pub(crate) lock: &'a TrialLock,
    /// Attributes below `nixosConfigurations`.
    pub(crate) attributes: Vec<&'a str>,
    /// The path of the set inside of the package set; empty for all of it.
    pub(crate) set: &'a [String],
    /// How long it may take.
    pub(crate) deadline: Duration,
}

impl Nix {
    /// The names in each host's package set, by attribute. Hosts without one
    /// are left out, and all of them when it does not evaluate: new packages
    /// are worth knowing, but no reason to fail.
    pub(crate) async fn package_names(&self, request: &NamesRequest<'_>) -> BTreeMap<String, BTreeSet<String>> {
        let is_local = request.flake_dir.is_some();
        let command = self
            .nix()
            .arg("eval")
            .args(request.lock.arguments())
            .args(["--json", "--option", "eval-cache", "false", "--apply", &names_function(request), "--"])
            .arg(format!("{}#nixosConfigurations", reference(request.flake, is_local)))
            .deadline(request.deadline);
        let command = match request.flake_dir {
            Some(directory) => command.current_dir(directory),
            None => command,
        };
        let output = match command.checked().await {
            Ok(output) => output.stdout,
            Err(error) => {
                tracing::debug!(%error, "names of the package set");
                return BTreeMap::new();
            }
        };
        let names: BTreeMap<String, Option<BTreeSet<String>>> =
            serde_json::from_slice(&output).unwrap_or_default();
        names.into_iter().filter_map(|(attribute, names)| Some((attribute, names?))).collect()
    }
}

/// Names only: no package is evaluated.
fn names_function(request: &NamesRequest<'_>) -> String {
    let list = |texts: &mut dyn Iterator<Item = &str>| texts.map(string_literal).collect::<Vec<_>>().join(" ");
    let hosts = list(&mut request.attributes.iter().copied());
    let set = list(&mut request.set.iter().map(String::as_str));
    format!(
        "configurations: let \
         at = path: set: if path == [ ] then set else \
         let next = set.${{builtins.head path}} or null; in \
         if builtins.isAttrs next then at (builtins.tail path) next else {{ }}; \
         names = name: let set = (configurations.${{name}} or {{ }}).pkgs or null; in \
         if builtins.isAttrs set then builtins.attrNames (at [ {set} ] set) else null; in \
         builtins.listToAttrs (map (name: {{ inherit name; value = names name; }}) [ {hosts} ])"
    )
}
