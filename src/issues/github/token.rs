//! Where a token for GitHub comes from: the environment, else the GitHub CLI.

use std::time::Duration;

use crate::exec::Command;
use crate::model::Secret;

/// The CLI answers from a file or a keyring; one that is locked may ask.
const DEADLINE: Duration = Duration::from_secs(5);

/// The token that `gh auth login` left for the host of a REST interface; none
/// when there is no such program, or no login.
pub(crate) async fn of_cli(api_url: &str) -> Option<Secret> {
    let output = argv(host(api_url)).deadline(DEADLINE).output().await.ok()?;
    let text = output.stdout_text();
    let token = text.trim();
    let is_token = output.success() && !token.is_empty() && !token.contains(char::is_whitespace);
    is_token.then(|| Secret::new(token))
}

fn argv(host: &str) -> Command {
    Command::new("gh").args(["auth", "token", "--hostname", host])
}

/// `https://api.github.com` belongs to github.com, an enterprise server's
/// interface to its own host.
fn host(api_url: &str) -> &str {
    let rest = api_url.split_once("://").map_or(api_url, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host.strip_prefix("api.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_interface_is_asked_for() {
        assert_eq!(host("https://api.github.com"), "github.com");
        assert_eq!(host("https://ghe.example/api/v3"), "ghe.example");
        assert_eq!(host("http://127.0.0.1:8080/"), "127.0.0.1");
        assert_eq!(argv("github.com").argv(), ["gh", "auth", "token", "--hostname", "github.com"]);
    }
}
