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
