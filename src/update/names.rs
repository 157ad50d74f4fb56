//! Newly available packages: attributes that the package set has with the
//! update and had not before.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use super::preview::PreviewRequest;
use crate::model::HostName;
use crate::nix::{NamesRequest, Nix, TrialLock};

/// Which attributes are wanted: the path of a set, and a glob for its names.
#[derive(Clone, Debug)]
struct Wanted {
    set: Vec<String>,
    glob: GlobMatcher,
}

/// Checks what a person asks for: `firefox*`, `python3Packages.*`.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    wanted(pattern).map(|_| ())
}

fn wanted(pattern: &str) -> Result<Wanted, String> {
    let (set, glob) = match pattern.rsplit_once('.') {
        Some((set, glob)) => (set.split('.').map(str::to_owned).collect(), glob),
        None => (Vec::new(), pattern),
    };
    if set.iter().any(|name: &String| name.is_empty() || name.contains(['*', '?', '[', '{'])) {
        return Err(format!("{pattern:?}: only the part behind the last dot can be a glob"));
    }
    let glob = GlobBuilder::new(glob).build().map_err(|error| error.to_string())?;
    Ok(Wanted { set, glob: glob.compile_matcher() })
}

/// The new attributes of each host, by name; a host without a package set, or
/// one whose set does not evaluate, is not among them.
pub(super) async fn new_names(nix: &Nix, request: &PreviewRequest<'_>) -> BTreeMap<HostName, Vec<String>> {
    let Some(Ok(wanted)) = request.new_packages.map(wanted) else { return BTreeMap::new() };
    let asked = |lock| NamesRequest {
        flake: &request.spec.flake,
        flake_dir: request.spec.flake_dir.as_deref(),
        lock,
        attributes: request.spec.hosts.iter().map(|host| host.attribute.as_str()).collect(),
        set: &wanted.set,
        deadline: request.deadline(|host| host.timeouts.evaluate),
    };
    let (now, then) = (asked(&TrialLock::Own), asked(request.trial.lock()));
    let (old, new) = tokio::join!(nix.package_names(&now), nix.package_names(&then));
    let hosts = request.spec.hosts.iter().filter_map(|host| {
        let (old, new) = (old.get(&host.attribute)?, new.get(&host.attribute)?);
        Some((host.name.clone(), difference(old, new, &wanted)))
    });
    hosts.collect()
}

fn difference(old: &BTreeSet<String>, new: &BTreeSet<String>, wanted: &Wanted) -> Vec<String> {
    let prefix: String = wanted.set.iter().map(|name| format!("{name}.")).collect();
    new.difference(old)
        .filter(|name| wanted.glob.is_match(name))
        .map(|name| crate::model::text::clean_line(&format!("{prefix}{name}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn new_names_are_those_that_match_and_were_not_there() {
        let (old, new) = (set(&["bash", "gone"]), set(&["bash", "firefox", "firefox-bin", "x\u{1b}[2J"]));
        let found = |pattern: &str| difference(&old, &new, &wanted(pattern).unwrap());
        assert_eq!(found("*"), ["firefox", "firefox-bin", "x"]);
        assert_eq!(found("fire*-bin"), ["firefox-bin"]);
        assert_eq!(found("python3Packages.fire*"), ["python3Packages.firefox", "python3Packages.firefox-bin"]);
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused() {
        assert!(check("*Packages.x").unwrap_err().contains("behind the last dot"));
        assert!(check("a..b").is_err());
        assert!(check("[").is_err());
        assert!(check("gnome.*").is_ok());
    }
}
