//! Which flake a configuration is, whoever deploys it from wherever.
//!
//! A repository with a remote is known by that, so that all clones of it are
//! one flake; without one it is a folder of one machine. URLs of one place
//! written in several ways (`git@host:a/b.git`, `https://host/a/b`,
//! `github:a/b`) are the same flake.

/// Names a flake in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlakeIdentity {
    /// What people call it: the last part of its URL.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) repo_url: String,
}

impl FlakeIdentity {
    /// The identity of a flake reference as the settings resolved it on
    /// `machine`, with the URL of its repository's remote.
    pub(crate) fn new(machine: &str, flake: &str, remote: Option<&str>) -> Self {
        let repo_url = match remote {
            Some(remote) => remote.to_owned(),
            None => match local_path(flake) {
                Some(path) => format!("file://{machine}{path}"),
                None => flake.to_owned(),
            },
        };
        Self { name: name_of(&repo_url), repo_url }
    }

    /// Whether a URL that is recorded means this flake.
    pub(super) fn is(&self, recorded: &str) -> bool {
        self.repo_url == recorded || canonical(&self.repo_url) == canonical(recorded)
    }
}

/// The folder that a flake reference names, if it does.
fn local_path(flake: &str) -> Option<&str> {
    let path = ["git+file://", "path://", "path:", "file://", "git+file:"]
        .iter()
        .find_map(|scheme| flake.strip_prefix(scheme))
        .unwrap_or(flake);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.starts_with('/').then_some(path)
}

fn name_of(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/').trim_end_matches(".git");
    let name = path.rsplit(['/', ':']).next().unwrap_or(path);
    if name.is_empty() { url.to_owned() } else { name.to_owned() }
}

/// `host/path` of a URL, in small letters where letters do not count.
fn canonical(url: &str) -> String {
    const FORGES: [(&str, &str); 3] =
        [("github:", "github.com/"), ("gitlab:", "gitlab.com/"), ("sourcehut:", "git.sr.ht/")];
    let url = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/').trim_end_matches(".git");
    if let Some((forge, host)) = FORGES.iter().find(|(forge, _)| url.starts_with(forge)) {
        return format!("{host}{}", &url[forge.len()..]).to_lowercase();
    }
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let (host, path) = match rest {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        // git@host:path, as ssh takes it.
        None => url.split_once(':').unwrap_or(("", url)),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(':').next().unwrap_or(host).to_lowercase();
    format!("{host}/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_is_one_flake_however_it_is_written() {
        let identity =
            FlakeIdentity::new("desk", "git+file:///home/ada/infra", Some("git@github.com:acme/infra.git"));
        assert_eq!(identity.name, "infra");
        for same in
            ["https://github.com/acme/infra", "ssh://git@github.com:22/acme/infra.git", "github:acme/infra"]
        {
            assert!(identity.is(same), "{same}");
        }
        for other in
            ["https://github.com/acme/infra2", "https://git.acme.example/acme/infra", "/home/ada/infra"]
        {
            assert!(!identity.is(other), "{other}");
        }
    }

    #[test]
    fn a_folder_without_remote_is_that_of_one_machine() {
        let here = FlakeIdentity::new("desk", "git+file:///etc/nixos?dir=x", None);
        assert_eq!((here.name.as_str(), here.repo_url.as_str()), ("nixos", "file://desk/etc/nixos"));
        assert!(!here.is(&FlakeIdentity::new("lap", "/etc/nixos", None).repo_url));
        assert_eq!(
            FlakeIdentity::new("desk", "github:acme/infra/main", None).repo_url,
            "github:acme/infra/main"
        );
    }
}
