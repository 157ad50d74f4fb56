//! Pinned inputs as flake references: for people, and for `--override-input`.

use super::lock::Locked;
use crate::model::text::clean_line;

/// The reference without revision, hash and password.
pub(super) fn shown(locked: &Locked) -> String {
    let text = |name: &str| locked.text(name).unwrap_or_default();
    let reference = match text("type") {
        kind @ ("github" | "gitlab" | "sourcehut") => format!("{kind}:{}/{}", text("owner"), text("repo")),
        "path" => format!("path:{}", text("path")),
        kind @ ("git" | "hg") => format!("{kind}+{}", without_user(text("url"))),
        "tarball" | "file" => without_user(text("url")),
        "indirect" => format!("flake:{}", text("id")),
        kind => format!("{kind}:{}", without_user(text("url"))),
    };
    let reference = match locked.text("dir") {
        Some(dir) => format!("{reference}?dir={dir}"),
        None => reference,
    };
    clean_line(&reference)
}

/// `https://user:token@host/x` without what stands before the host.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        // The login name of ssh is no secret.
        Some(at) if !scheme.ends_with("ssh") || rest[..at].contains(':') => {
            format!("{scheme}://{}", &rest[at + 1..])
        }
        _ => url.to_owned(),
    }
}

/// The reference that gives exactly this content; `None` for one that cannot
/// be told to Nix 2.8, such as a path inside of the flake itself.
pub(super) fn pinned(locked: &Locked) -> Option<String> {
    let text = |name: &str| locked.text(name);
    let mut parameters: Vec<(&str, String)> = Vec::new();
    for name in ["dir", "host"] {
        parameters.extend(text(name).map(|value| (name, value.to_owned())));
    }
    let base = match text("type")? {
        kind @ ("github" | "gitlab" | "sourcehut") => {
            format!("{kind}:{}/{}/{}", text("owner")?, text("repo")?, text("rev")?)
        }
        kind @ ("git" | "hg") => {
            parameters.push(("rev", text("rev")?.to_owned()));
            parameters.extend(text("ref").map(|name| ("ref", name.to_owned())));
            for flag in ["submodules", "shallow", "allRefs"] {
                parameters.extend(locked.is_set(flag).then(|| (flag, "1".to_owned())));
            }
            format!("{kind}+{}", text("url")?)
        }
        kind @ ("tarball" | "file") => {
            parameters.push(("narHash", text("narHash")?.to_owned()));
            let url = text("url")?;
            // Without the kind Nix would guess it from the ending.
            format!("{kind}+{url}")
        }
        "path" => {
            let path = text("path").filter(|path| path.starts_with('/'))?;
            parameters.push(("narHash", text("narHash")?.to_owned()));
            format!("path:{}", percent_encode(path, b"/-._~"))
        }
        _ => return None,
    };
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", percent_encode(value, b"/-._~:"))).collect();
    let first = if base.contains('?') { '&' } else { '?' };
    Some(match query.is_empty() {
        true => base,
        false => format!("{base}{first}{}", query.join("&")),
    })
}

/// Escapes everything but letters, digits and `plain` (RFC 3986).
fn percent_encode(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn both(attributes: Value) -> (String, Option<String>) {
        let locked = Locked::of(attributes);
        (shown(&locked), pinned(&locked))
    }

    #[test]
    fn every_kind_of_input_can_be_pinned() {
        let cases = [
            (
                json!({ "type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "ab12", "narHash": "sha256-x=" }),
                "github:NixOS/nixpkgs",
                "github:NixOS/nixpkgs/ab12",
            ),
            (
                json!({ "type": "gitlab", "owner": "group%2Fsub", "repo": "x", "rev": "ab", "host": "git.example.org", "dir": "nix" }),
                "gitlab:group%2Fsub/x?dir=nix",
                "gitlab:group%2Fsub/x/ab?dir=nix&host=git.example.org",
            ),
            (
                json!({ "type": "git", "url": "https://ada:s3cret@h/x.git", "ref": "main", "rev": "ab", "submodules": true }),
                "git+https://h/x.git",
                "git+https://ada:s3cret@h/x.git?rev=ab&ref=main&submodules=1",
            ),
            (
                json!({ "type": "git", "url": "ssh://git@h/x", "ref": "a&b#c", "rev": "ab" }),
                "git+ssh://git@h/x",
                "git+ssh://git@h/x?rev=ab&ref=a%26b%23c",
            ),
            (
                json!({ "type": "tarball", "url": "https://h/x.tar.gz?v=1", "narHash": "sha256-a+b/c=" }),
                "https://h/x.tar.gz?v=1",
                "tarball+https://h/x.tar.gz?v=1&narHash=sha256-a%2Bb/c%3D",
            ),
            (
                json!({ "type": "path", "path": "/srv/a b", "narHash": "sha256-x", "lastModified": 5 }),
                "path:/srv/a b",
                "path:/srv/a%20b?narHash=sha256-x",
            ),
        ];
        for (attributes, reference, exact) in cases {
            assert_eq!(both(attributes), (reference.to_owned(), Some(exact.to_owned())));
        }
    }

    #[test]
    fn what_cannot_be_pinned_says_so() {
        for attributes in [
            json!({ "type": "path", "path": "./sub" }),
            json!({ "type": "github", "owner": "a", "repo": "b" }),
            json!({ "type": "later", "url": "x" }),
            json!({}),
        ] {
            assert_eq!(both(attributes).1, None);
        }
    }
}
