//! The keys of `[pull_request]`: where `--pr` pushes and opens.

use toml::Spanned;

use super::issue_keys::{api_url, repository};
use super::reader::TableReader;
use crate::model::PullRequestSpec;

/// Reads `[pull_request]`; what is wrong has been reported.
pub(crate) fn read(mut reader: TableReader<'_, '_>) -> PullRequestSpec {
    let default = PullRequestSpec::default();
    let repository = reader.parsed("repository", repository).map(Spanned::into_inner);
    let api_url = reader.parsed("api_url", api_url).map(Spanned::into_inner);
    let remote = reader.parsed("remote", name).map(Spanned::into_inner);
    let base = reader.parsed("base", name).map(Spanned::into_inner);
    reader.finish();
    PullRequestSpec {
        repository,
        api_url: api_url.unwrap_or(default.api_url),
        remote: remote.unwrap_or(default.remote),
        base,
    }
}

/// The name of a remote or a branch, which is never taken for an option.
fn name(text: &str) -> Result<String, String> {
    let refused = |one: char| one.is_whitespace() || one.is_control() || "~^:?*[\\".contains(one);
    match text {
        "" => Err("it cannot be empty".to_owned()),
        text if text.starts_with('-') || text.contains("..") || text.contains(refused) => {
            Err(format!("{text:?} is no name that git takes"))
        }
        text => Ok(text.to_owned()),
    }
}
