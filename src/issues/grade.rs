//! How bad an issue is for a host.
//!
//! Labels cannot say it: real boot-breakers carry none. The words of the title
//! do, together with what the package is for and how sure the match is.

use crate::model::{InstalledPackage, IssueSeverity, VersionFit};

use super::score::Match;
use super::title::Title;

/// Packages without which a host does not boot, finds its data or is reached;
/// one that ends with `*` is a beginning.
const ESSENTIAL: &[&str] = &[
    "bash",
    "bcache*",
    "bcachefs*",
    "btrfs-progs",
    "busybox",
    "coreutils",
    "cryptsetup",
    "dbus",
    "dbus-broker",
    "device-mapper*",
    "dhcp",
    "dhcpcd",
    "dosfstools",
    "e2fsprogs",
    "efibootmgr",
    "efivar",
    "glibc",
    "grub*",
    "initrd*",
    "intel-microcode",
    "iproute2",
    "iptables",
    "iwd",
    "kexec-tools",
    "kmod",
    "lanzaboote*",
    "limine",
    "linux",
    "linux-*",
    "lvm2",
    "mdadm",
    "microcode*",
    "network-manager",
    "networkmanager",
    "nftables",
    "nix",
    "nvidia-*",
    "openresolv",
    "openssh",
    "pam*",
    "plymouth",
    "refind",
    "shadow",
    "sudo",
    "sudo-rs",
    "systemd*",
    "u-boot*",
    "ucode-amd",
    "util-linux",
    "wireguard*",
    "wpa-supplicant",
    "xfsprogs",
    "zfs*",
    "zstd",
    "xz",
];

/// Beginnings of words that say that something does not work.
const FAILS: &[&str] = &[
    "can't",
    "cannot",
    "not",
    "no",
    "fail",
    "won't",
    "hang",
    "stuck",
    "freez",
    "froze",
    "panic",
    "broken",
    "broke",
    "break",
    "doesn't",
    "crash",
    "never",
    "unable",
    "loop",
    "lock",
    "black",
    "blank",
    "error",
    "drop",
    "lost",
    "lose",
    "refus",
    "unreachable",
];
/// Beginnings of words of a crash or of a build that fails.
const CRASHES: &[&str] = &[
    "crash",
    "chrash",
    "segfault",
    "segmentation",
    "segv",
    "sigsegv",
    "core-dump",
    "coredump",
    "abort",
    "panic",
    "build",
    "compil",
    "hang",
    "freez",
];
/// Words that are a catastrophe by themselves.
const CATASTROPHES: &[&str] = &[
    "unbootable",
    "bootloop",
    "boot-loop",
    "brick",
    "bricks",
    "bricked",
    "corrupt",
    "corruption",
    "corrupts",
    "corrupted",
    "corrupting",
];

/// The grade of a match.
pub(super) fn grade(
    title: &Title,
    package: &InstalledPackage,
    found: &Match,
    fit: VersionFit,
) -> IssueSeverity {
    let is_sure = found.in_template || fit == VersionFit::Affected;
    if is_sure && is_essential(&package.name) && is_catastrophe(title) {
        return IssueSeverity::Critical;
    }
    if package.selected && has(title, CRASHES) {
        return IssueSeverity::High;
    }
    IssueSeverity::Medium
}

fn is_essential(name: &str) -> bool {
    let name = super::title::normalise(name);
    ESSENTIAL.iter().any(|essential| match essential.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *essential,
    })
}

/// Whether boot, data or remote access are lost. Whole words are compared:
/// "hang" is inside of "changed".
fn is_catastrophe(title: &Title) -> bool {
    let words: Vec<&str> = title.words.iter().map(|word| word.text.as_str()).collect();
    let is = |beginning: &str| words.iter().any(|word| word.starts_with(beginning));
    let any = |several: &[&str]| words.iter().any(|word| several.contains(word));
    let fails = has(title, FAILS);
    any(CATASTROPHES)
        || (fails
            && any(&[
                "boot", "boots", "booting", "bootable", "reboot", "reboots", "startup", "initrd", "stage-1",
            ]))
        || (is("panic") && (any(&["kernel"]) || is("linux")))
        || (any(&["data"]) && (is("loss") || is("lost") || is("lose") || is("destroy")))
        || (fails
            && any(&["ssh", "sshd", "openssh", "login", "logins", "network", "networking"])
            && (is("lost") || is("unreachable") || is("lock") || is("refus") || is("remote")))
}

/// Whether a word of the title begins with one of these; short ones are words.
fn has(title: &Title, beginnings: &[&str]) -> bool {
    title.words.iter().any(|word| {
        beginnings.iter().any(|beginning| {
            if beginning.len() < 4 { word.text == *beginning } else { word.text.starts_with(beginning) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use IssueSeverity::{Critical, High, Medium};

    fn graded(title: &str, package: &str, selected: bool, in_template: bool, fit: VersionFit) -> IssueSeverity {
        let package = InstalledPackage { name: package.to_owned(), versions: Vec::new(), selected };
        let found = Match { package: 0, score: 4.0, in_template, versions: None, why: String::new() };
        grade(&Title::parse(title), &package, &found, fit)
    }

    #[test]
    fn critical_needs_a_catastrophe_an_essential_package_and_certainty() {
        let unknown = VersionFit::Unknown;
        assert_eq!(graded("linux: cannot boot on Framework", "linux", false, true, unknown), Critical);
        assert_eq!(
            graded("No longer boots since kernel 6.17", "linux", false, false, VersionFit::Affected),
            Critical
        );
        assert_eq!(graded("No longer boots since the last kernel", "linux", false, false, unknown), Medium);
        assert_eq!(graded("firefox: cannot boot", "firefox", true, true, unknown), Medium);
        assert_eq!(graded("zfs: data loss with block cloning", "zfs-user", false, true, unknown), Critical);
        assert_eq!(graded("systemd: bootloop bug", "systemd", false, true, unknown), Critical);
        assert_eq!(graded("linux: i915 changed the panel", "linux", false, true, unknown), Medium);
        assert_eq!(
            graded("openssh: remote login refused after update", "openssh", false, true, unknown),
            Critical
        );
    }

    #[test]
    fn high_is_a_crash_or_a_failing_build_of_what_was_installed_by_name() {
        let unknown = VersionFit::Unknown;
        assert_eq!(graded("firefox: crashes on start", "firefox", true, true, unknown), High);
        assert_eq!(graded("firefox: crashes on start", "firefox", false, true, unknown), Medium);
        assert_eq!(graded("Build failure: imhex", "imhex", true, true, unknown), High);
        assert_eq!(graded("firefox: wrong icon", "firefox", true, true, unknown), Medium);
    }
}
