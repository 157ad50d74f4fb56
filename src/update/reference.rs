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
