//! What can be done about a package that stands in the way of an update.
//!
//! Pure text. The overlay is read by people before it is used: what comes from
//! lock files and store paths stands in it as Nix strings.

use crate::model::text::clean_line;
use crate::model::{InputMove, UpdateOffer};

/// The kernel is no package that an overlay could exchange.
const KERNEL: &str = "linux";

/// Keeps a package at the version that runs now; `None` when the input says no
/// revision to go back to.
pub(crate) fn pin(package: &str, version: &str, brought_by: &InputMove) -> Option<UpdateOffer> {
    let before = brought_by.before.as_ref()?;
    let reference = at_revision(&before.url, before.revision.as_deref()?);
    let comment =
        clean_line(&format!("{package} stays at {version}, of {} before its update", brought_by.input));
    let flake = format!("builtins.getFlake\n      {}", literal(&reference));
    // nixpkgs keeps its packages below another name than most flakes.
    let set = if reference.to_lowercase().contains("nixpkgs") { "legacyPackages" } else { "packages" };
    let overlay = if package == KERNEL {
        format!(
            "# {comment}\n{{ pkgs, ... }}: {{\n  boot.kernelPackages = ({flake}\n    ).{set}.${{pkgs.stdenv.hostPlatform.system}}.linuxPackages;\n}}\n"
        )
    } else {
        format!(
            "# {comment}\n{{\n  nixpkgs.overlays = [ (final: prev: {{\n    {name} = ({flake}\n    ).{set}.${{prev.stdenv.hostPlatform.system}}.{name};\n  }}) ];\n}}\n",
            name = attribute(package)
        )
    };
    Some(UpdateOffer::Pin { package: clean_line(package), version: clean_line(version), overlay })
}

/// `github:NixOS/nixpkgs/nixos-24.05` at a revision.
fn at_revision(url: &str, revision: &str) -> String {
    let (reference, query) = url.split_once('?').unwrap_or((url, ""));
    let with_query = |reference: String, parameters: &[&str]| {
        let parameters: Vec<&str> = parameters.iter().copied().filter(|text| !text.is_empty()).collect();
        if parameters.is_empty() { reference } else { format!("{reference}?{}", parameters.join("&")) }
    };
    match reference.split_once(':') {
        Some((kind @ ("github" | "gitlab" | "sourcehut"), path)) => {
            let place: Vec<&str> = path.split('/').take(2).collect();
            with_query(format!("{kind}:{}/{revision}", place.join("/")), &[query])
        }
        _ => with_query(reference.to_owned(), &[query, &format!("rev={revision}")]),
    }
}

/// An attribute name as Nix reads it.
fn attribute(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-'".contains(character));
    if is_plain { name.to_owned() } else { literal(name) }
}

/// A Nix string that evaluates to this text.
fn literal(text: &str) -> String {
    let text = clean_line(text).replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InputRevision;

    const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

    fn input(url: &str) -> InputMove {
        let before =
            InputRevision { revision: Some(REVISION.to_owned()), hash: None, date: None, url: url.to_owned() };
        InputMove { input: "nixpkgs".to_owned(), before: Some(before), after: None, compare_url: None }
    }

    fn overlay(package: &str, url: &str) -> String {
        match pin(package, "6.6.68", &input(url)) {
            Some(UpdateOffer::Pin { overlay, .. }) => overlay,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_package_is_taken_from_the_revision_before() {
        assert_eq!(
            overlay("grafana", "github:NixOS/nixpkgs"),
            format!(
                "# grafana stays at 6.6.68, of nixpkgs before its update\n{{\n  nixpkgs.overlays = [ (final: prev: {{\n    \
                 grafana = (builtins.getFlake\n      \"github:NixOS/nixpkgs/{REVISION}\"\n    ).legacyPackages.\
                 ${{prev.stdenv.hostPlatform.system}}.grafana;\n  }}) ];\n}}\n"
            )
        );
    }

    #[test]
    fn the_kernel_is_pinned_by_its_option() {
        assert!(overlay("linux", "github:NixOS/nixpkgs").contains("boot.kernelPackages = (builtins.getFlake"));
    }

    #[test]
    fn each_kind_of_reference_takes_the_revision_in_its_own_way() {
        let cases = [
            ("github:NixOS/nixpkgs/nixos-24.05", format!("github:NixOS/nixpkgs/{REVISION}")),
            ("gitlab:a/b?host=git.example.org", format!("gitlab:a/b/{REVISION}?host=git.example.org")),
            ("git+file:///srv/pkgs", format!("git+file:///srv/pkgs?rev={REVISION}")),
            ("git+https://x/y?ref=main", format!("git+https://x/y?ref=main&rev={REVISION}")),
        ];
        for (url, expected) in cases {
            assert_eq!(at_revision(url, REVISION), expected);
        }
    }

    #[test]
    fn foreign_text_stays_text() {
        let text = overlay("evil\"; x = ${y", "git+file:///a\"b${c}");
        assert!(text.contains("\"evil\\\"; x = \\${y\" = ("), "{text}");
        assert!(text.contains("getFlake\n      \"git+file:///a\\\"b\\${c}?rev="), "{text}");
    }

    #[test]
    fn an_input_without_a_revision_gives_no_pin() {
        let mut input = input("path:/srv/pkgs");
        input.before.as_mut().unwrap().revision = None;
        assert_eq!(pin("grafana", "1.0", &input), None);
    }
}
