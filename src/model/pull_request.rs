//! Where pull requests of the configuration belong: what `[pull_request]` of
//! hosts.toml says.

/// Where `--pr` opens pull requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestSpec {
    /// `owner/name` on GitHub; `None` reads it from the remote.
    pub repository: Option<String>,
    /// The address of the REST interface.
    pub api_url: String,
    /// The remote that gets the branch.
    pub remote: String,
    /// The branch that gets the changes; `None` is the repository's default branch.
    pub base: Option<String>,
}

impl Default for PullRequestSpec {
    fn default() -> Self {
        Self {
            repository: None,
            api_url: "https://api.github.com".to_owned(),
            remote: "origin".to_owned(),
            base: None,
        }
    }
}
