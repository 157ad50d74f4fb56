//! The page of a forge that shows what lies between two revisions.

use super::lock::Locked;

/// Where a repository is.
#[derive(Debug, PartialEq, Eq)]
struct Repository {
    forge: Forge,
    host: String,
    /// Owner, groups and name.
    path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forge {
    GitHub,
    GitLab,
}

/// The page, when both are of one repository on a forge that has such pages.
/// Every part of it is checked: lock files are foreign text.
pub(super) fn url(before: &Locked, after: &Locked) -> Option<String> {
    let repository = repository(after)?;
    let (old, new) = (revision(before)?, revision(after)?);
    if Some(&repository) != self::repository(before).as_ref() || old == new {
        return None;
    }
    let Repository { forge, host, path } = repository;
    Some(match forge {
        Forge::GitHub => format!("https://{host}/{path}/compare/{old}...{new}"),
        Forge::GitLab => format!("https://{host}/{path}/-/compare/{old}...{new}"),
    })
}

fn revision(locked: &Locked) -> Option<&str> {
    locked.text("rev").filter(|rev| !rev.is_empty() && rev.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn repository(locked: &Locked) -> Option<Repository> {
    let of_parts = |forge: Forge, default: &str| {
        let host = locked.text("host").unwrap_or(default).to_owned();
        // GitLab's groups may be nested, written with an escaped slash.
        let path = format!("{}/{}", locked.text("owner")?.replace("%2F", "/"), locked.text("repo")?);
        Some(Repository { forge, host, path })
    };
    let repository = match locked.text("type")? {
        "github" => of_parts(Forge::GitHub, "github.com"),
        "gitlab" => of_parts(Forge::GitLab, "gitlab.com"),
        "git" => of_url(locked.text("url")?),
        _ => None,
    }?;
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
    };
    (is_plain(&repository.path) && is_plain(&repository.host) && !repository.host.contains('/'))
        .then_some(repository)
}

/// `https://github.com/owner/name.git`, `ssh://git@gitlab.com/group/name`.
fn of_url(url: &str) -> Option<Repository> {
    let (scheme, rest) = url.split_once("://")?;
    if !["https", "http", "ssh"].contains(&scheme) {
        return None;
    }
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let forge = match host {
        "github.com" => Forge::GitHub,
        "gitlab.com" => Forge::GitLab,
        _ => return None,
    };
    let path = path.trim_end_matches('/');
    Some(Repository {
        forge,
        host: host.to_owned(),
        path: path.strip_suffix(".git").unwrap_or(path).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn link(mut attributes: Value) -> Option<String> {
        attributes["rev"] = json!("aa11");
        let before = Locked::of(attributes.clone());
        attributes["rev"] = json!("bb22");
        url(&before, &Locked::of(attributes))
    }

    #[test]
    fn forges_with_such_pages_get_a_link() {
        let cases = [
            (
                json!({ "type": "github", "owner": "NixOS", "repo": "nixpkgs" }),
                "https://github.com/NixOS/nixpkgs/compare/aa11...bb22",
            ),
            (
                json!({ "type": "github", "owner": "a", "repo": "b", "host": "git.example.org" }),
                "https://git.example.org/a/b/compare/aa11...bb22",
            ),
            (
                json!({ "type": "gitlab", "owner": "group%2Fsub", "repo": "x" }),
                "https://gitlab.com/group/sub/x/-/compare/aa11...bb22",
            ),
            (
                json!({ "type": "git", "url": "ssh://git@github.com/a/b.git" }),
                "https://github.com/a/b/compare/aa11...bb22",
            ),
            (
                json!({ "type": "git", "url": "https://gitlab.com/a/b/c/" }),
                "https://gitlab.com/a/b/c/-/compare/aa11...bb22",
            ),
        ];
        for (attributes, expected) in cases {
            assert_eq!(link(attributes).as_deref(), Some(expected));
        }
    }

    #[test]
    fn nothing_else_does_and_foreign_text_makes_no_link() {
        for attributes in [
            json!({ "type": "path", "path": "/x" }),
            json!({ "type": "git", "url": "file:///x/github.com/a/b" }),
            json!({ "type": "git", "url": "https://evil.org/github.com/a" }),
            json!({ "type": "github", "owner": "a/../..", "repo": "b" }),
            json!({ "type": "github", "owner": "a", "repo": "b?x=<script>" }),
            json!({ "type": "github", "owner": "a", "repo": "b", "host": "evil.org/x" }),
            json!({ "type": "gitlab", "owner": "%2F", "repo": "b" }),
        ] {
            assert_eq!(link(attributes.clone()), None, "{attributes}");
        }
        let one = |owner: &str, rev: &str| {
            Locked::of(json!({ "type": "github", "owner": owner, "repo": "b", "rev": rev }))
        };
        assert_eq!(url(&one("a", "aa"), &one("other", "bb")), None);
        assert_eq!(url(&one("a", "aa"), &one("a", "aa")), None);
        assert_eq!(url(&one("a", "aa"), &one("a", "main\n")), None);
    }
}
