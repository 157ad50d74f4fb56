//! Names and versions of packages in store path names: pure text, used by the
//! closure diff and by the inventory of installed packages.
//!
//! A path's name says which package it is and in which version, but also which
//! output, for which interpreter, and often that it is no package at all but a
//! piece of configuration.

use std::collections::BTreeSet;

/// What a store path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A package, with the version as the path says it.
    Package { name: String, version: &'a str },
    /// Configuration: units, /etc, scripts; anything without a version.
    Configuration,
}

/// Outputs and parts that nixpkgs names after the version.
const OUTPUTS: [&str; 27] = [
    "bin",
    "lib",
    "dev",
    "man",
    "doc",
    "info",
    "data",
    "devdoc",
    "debug",
    "static",
    "dist",
    "out",
    "env",
    "wrapped",
    "unwrapped",
    "modules",
    "shrunk",
    "terminfo",
    "getent",
    "libgcc",
    "py",
    "utils",
    "tools",
    "sharedlib",
    "scripts",
    "locales",
    "source",
];

/// Interpreters whose version is part of their packages' names.
const INTERPRETERS: [&str; 6] = ["python", "perl", "ruby", "luajit", "lua", "ocaml"];

/// Names that begin like this and go on with a letter are configuration,
/// versioned or not; `unit-1.32.1` is a web server.
const CONFIGURATION_PREFIXES: [&str; 4] = ["unit-", "etc-", "nixos-system-", "initrd-"];

/// Names that begin like this are configuration, whatever follows.
const TRIGGER_PREFIXES: [&str; 2] = ["X-Restart-Triggers", "X-Reload-Triggers"];

/// Names that are configuration although they look like a name and a version.
const CONFIGURATION_NAMES: [&str; 2] = ["dbus-1", "source"];

/// Names that end like this are configuration or inputs of builds.
const CONFIGURATION_SUFFIXES: [&str; 23] = [
    ".drv",
    ".patch",
    ".diff",
    ".service",
    ".socket",
    ".timer",
    ".conf",
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".ini",
    ".sh",
    ".rules",
    ".pam",
    ".nix",
    ".key",
    ".service-path",
    ".tar.gz",
    ".tar.xz",
    ".tar.bz2",
    ".tgz",
    ".zip",
];

/// Judges a path's name (the part after the hash).
pub(crate) fn kind(path_name: &str) -> Kind<'_> {
    let begins_like = |prefix: &&str| {
        path_name
            .strip_prefix(*prefix)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_alphabetic()))
    };
    let is_configuration = CONFIGURATION_NAMES.contains(&path_name)
        || CONFIGURATION_PREFIXES.iter().any(begins_like)
        || TRIGGER_PREFIXES.iter().any(|prefix| path_name.starts_with(prefix))
        || CONFIGURATION_SUFFIXES.iter().any(|suffix| path_name.ends_with(suffix));
    match split(path_name) {
        Some((name, version)) if !is_configuration => {
            Kind::Package { name: without_interpreter(name), version }
        }
        _ => Kind::Configuration,
    }
}

/// The name ends before the first dash that no letter follows, as in Nix
/// (`builtins.parseDrvName`), or before a git hash that begins with a letter.
/// `unstable` before a date belongs to the version.
fn split(path_name: &str) -> Option<(&str, &str)> {
    let dashes = path_name.match_indices('-').map(|(index, _)| index);
    let starts_version = |index: &usize| {
        let rest = &path_name[index + 1..];
        rest.starts_with(|first: char| !first.is_ascii_alphabetic())
            || is_git_hash(rest.split('-').next().unwrap_or_default())
    };
    let dash = dashes.into_iter().find(starts_version).filter(|index| *index > 0)?;
    let (name, version) = (&path_name[..dash], &path_name[dash + 1..]);
    match name.strip_suffix("-unstable") {
        Some(name) => Some((name, &path_name[name.len() + 1..])),
        None => Some((name, version)),
    }
}

fn is_git_hash(part: &str) -> bool {
    part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// `python3.12-requests` is `python-requests`: else a new interpreter shows as
/// thousands of packages removed and added.
fn without_interpreter(name: &str) -> String {
    for interpreter in INTERPRETERS {
        let Some(rest) = name.strip_prefix(interpreter) else { continue };
        let Some((version, package)) = rest.split_once('-') else { continue };
        let is_version = version.starts_with(|first: char| first.is_ascii_digit())
            && version.chars().all(|character| character.is_ascii_alphanumeric() || character == '.');
        if is_version && package.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return format!("{interpreter}-{package}");
        }
    }
    name.to_owned()
}

/// The version without its output, when the package's other outputs show that
/// it is one: `8.5.0-bin` is `8.5.0` only where that exists as well.
pub(crate) fn without_output<'a>(version: &'a str, versions: &BTreeSet<&str>) -> &'a str {
    let mut base = version;
    while let Some((shorter, output)) = base.rsplit_once('-') {
        if !OUTPUTS.contains(&output) {
            break;
        }
        base = shorter;
        if versions.contains(base) {
            return base;
        }
    }
    version
}

/// Whether a package is a kernel: `linux`, `linux-zen`, but no part beside it.
pub(crate) fn is_kernel(name: &str) -> bool {
    const BESIDE: [&str; 5] = ["firmware", "headers", "pam", "tools", "doc"];
    name == "linux"
        || name.strip_prefix("linux-").is_some_and(|kind| !BESIDE.iter().any(|beside| kind.starts_with(beside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_versions_begin() {
        let cases = [
            ("nginx-1.26.1", "nginx", "1.26.1"),
            ("SDL2-2.0.5", "SDL2", "2.0.5"),
            ("adwaita-icon-theme-3.24.0", "adwaita-icon-theme", "3.24.0"),
            ("bash-4.4-p12", "bash", "4.4-p12"),
            ("nvidia-x11-545.29.06-6.6.8", "nvidia-x11", "545.29.06-6.6.8"),
            ("linux-6.6.31-modules", "linux", "6.6.31-modules"),
            ("hyprland-unstable-2024-01-01", "hyprland", "unstable-2024-01-01"),
            ("foo-0-unstable-2024-01-01", "foo", "0-unstable-2024-01-01"),
            (
                "vim-plugin-c08995e6e7b94129e6086c78198c77111f2f262a",
                "vim-plugin",
                "c08995e6e7b94129e6086c78198c77111f2f262a",
            ),
            (
                "SPIRV-Tools-7fe8a57a5bd72094e91f9f93e51dac2f2461dcb4-src",
                "SPIRV-Tools",
                "7fe8a57a5bd72094e91f9f93e51dac2f2461dcb4-src",
            ),
            ("python3-3.12.3", "python3", "3.12.3"),
            ("python3-3.12.3-env", "python3", "3.12.3-env"),
            ("python3.12-requests-2.31.0", "python-requests", "2.31.0"),
            ("python3.6-backports.functools_lru_cache-1.3", "python-backports.functools_lru_cache", "1.3"),
            ("perl5.38.2-URI-5.21", "perl-URI", "5.21"),
            ("perl-5.38.2", "perl", "5.38.2"),
            ("ruby3.1-nokogiri-1.16.0", "ruby-nokogiri", "1.16.0"),
            ("lua5.2-lpeg-0.12", "lua-lpeg", "0.12"),
            ("luajit2.1-lpeg-1.0", "luajit-lpeg", "1.0"),
            ("ocaml5.1.1-findlib-1.9.6", "ocaml-findlib", "1.9.6"),
            ("perl5-compat-1.0", "perl-compat", "1.0"),
            ("dbus-1.14.10", "dbus", "1.14.10"),
            ("unit-1.32.1", "unit", "1.32.1"),
            ("system-config-printer-1.5.18", "system-config-printer", "1.5.18"),
            ("iana-etc-20231227", "iana-etc", "20231227"),
        ];
        for (path_name, name, version) in cases {
            assert_eq!(kind(path_name), Kind::Package { name: name.to_owned(), version }, "{path_name}");
        }
    }

    #[test]
    fn configuration_is_no_package() {
        for path_name in [
            "unit-nginx.service",
            "unit-script-foo-start",
            "etc",
            "etc-nixos-1.0",
            "X-Restart-Triggers-nginx",
            "X-Restart-Triggers-1password-8.10",
            "X-Reload-Triggers-dbus",
            "unit-1password.service",
            "hello-2.12.1.tar.xz",
            "nixos-system-p620-25.05",
            "system-path",
            "system-units",
            "initrd-linux-6.6.31",
            "dbus-1",
            "CVE-2024-1234.patch",
            "hello-1.0.drv",
            "source",
            "nginx.conf",
            "users-groups.json",
            "firewall-start",
            "-1",
        ] {
            assert_eq!(kind(path_name), Kind::Configuration, "{path_name}");
        }
    }

    #[test]
    fn an_output_is_folded_only_beside_its_package() {
        let versions = BTreeSet::from(["8.5.0", "8.5.0-bin", "6.6.31", "4.4-p12"]);
        assert_eq!(without_output("8.5.0-bin", &versions), "8.5.0");
        assert_eq!(without_output("6.6.31-modules-shrunk", &versions), "6.6.31");
        assert_eq!(without_output("9.0-bin", &versions), "9.0-bin");
        assert_eq!(without_output("4.4-p12", &versions), "4.4-p12");
        assert_eq!(without_output("4.4-p12-doc", &versions), "4.4-p12");
    }

    #[test]
    fn a_kernel_is_told_from_what_stands_beside_it() {
        for kernel in ["linux", "linux-zen", "linux-rt", "linux-xanmod"] {
            assert!(is_kernel(kernel), "{kernel}");
        }
        for other in ["linux-firmware", "linux-headers", "linux-pam", "linuxptp", "util-linux"] {
            assert!(!is_kernel(other), "{other}");
        }
    }
}
