//! Services of a built system: which run as root, which are not walled in.

use std::collections::BTreeMap;

use super::hardening::{self, DIRECTIVES};
use super::seen::Seen;
use super::unit_file::Service;
use crate::model::Severity;

/// The platform's own services: they are systemd's and the base system's
/// business, and most of them cannot be anything but root. A `*` at the end
/// stands for any rest.
const PLATFORM: [&str; 58] = [
    "systemd-*",
    "getty@*",
    "autovt@*",
    "serial-getty@*",
    "container-getty@*",
    "console-getty*",
    "user@*",
    "user-runtime-dir@*",
    "emergency*",
    "rescue*",
    "debug-shell*",
    "dbus*",
    "nix-daemon*",
    "nix-gc*",
    "nix-optimise*",
    "nixos-upgrade*",
    "sshd*",
    "nscd*",
    "polkit*",
    "network-setup*",
    "network-addresses-*",
    "network-link-*",
    "network-local-commands*",
    "firewall*",
    "nftables*",
    "NetworkManager*",
    "wpa_supplicant*",
    "dhcpcd*",
    "resolvconf*",
    "kmod-static-nodes*",
    "modprobe@*",
    "initrd-*",
    "ldconfig*",
    "logrotate*",
    "mount-pstore*",
    "post-boot*",
    "post-resume*",
    "pre-sleep*",
    "prepare-kexec*",
    "quotaon*",
    "rc-local*",
    "halt-local*",
    "system-update-cleanup*",
    "reload-systemd-vconsole-setup*",
    "save-hwclock*",
    "suid-sgid-wrappers*",
    "linger-users*",
    "register-nix-paths*",
    "fstrim*",
    "lvm2-*",
    "zfs-*",
    "mdadm*",
    "mdmonitor*",
    "container@*",
    "acpid*",
    "audit*",
    "generate-shutdown-ramfs*",
    "growpart*",
];

/// Whether a unit belongs to the platform.
fn is_platform(unit: &str) -> bool {
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    PLATFORM.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *known,
    })
}

/// Whether a unit starts something and is no part of the platform.
pub(super) fn is_own(unit: &str, service: &Service) -> bool {
    service.starts_something() && !is_platform(unit)
}

/// Everything there is to say about the services of a system.
pub(super) fn judge(services: &BTreeMap<String, Service>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (unit, service) in services {
        if !is_own(unit, service) {
            continue;
        }
        let score = hardening::score(service);
        let milder = if service.is_oneshot() { Severity::Information } else { Severity::Warning };
        if service.says_root() {
            seen.push(Seen {
                rule: "service-explicit-root",
                severity: Severity::Information,
                subject: unit.clone(),
                message: format!("{unit} says that it runs as root"),
                mend: "give it a user of its own, or DynamicUser = true".to_owned(),
            });
        } else if service.runs_as_root() {
            seen.push(Seen {
                rule: "service-root",
                severity: milder,
                subject: unit.clone(),
                message: format!("{unit} runs as root"),
                mend: "set User, or DynamicUser = true, in its serviceConfig".to_owned(),
            });
        }
        if hardening::is_open(service) {
            seen.push(Seen {
                rule: "service-unhardened",
                severity: milder,
                subject: unit.clone(),
                message: format!(
                    "nothing walls {unit} in: hardening score {} of 100, missing {}",
                    score.points,
                    score.in_short()
                ),
                mend: "begin with NoNewPrivileges, ProtectSystem = \"strict\", ProtectHome and PrivateTmp"
                    .to_owned(),
            });
        }
    }
    seen
}

/// Directives that a service had and has no more.
pub(super) fn removed(new: &BTreeMap<String, Service>, old: &BTreeMap<String, Service>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (unit, service) in new.iter().filter(|(_, service)| service.starts_something()) {
        let Some(before) = old.get(unit) else { continue };
        let gone: Vec<&str> = DIRECTIVES
            .into_iter()
            .filter(|directive| hardening::has(before, *directive) && !hardening::has(service, *directive))
            .map(|directive| directive.name)
            .collect();
        if gone.is_empty() {
            continue;
        }
        let (was, is) = (hardening::score(before).points, hardening::score(service).points);
        seen.push(Seen {
            rule: "hardening-removed",
            severity: Severity::Warning,
            subject: unit.clone(),
            message: format!("{unit} loses {}: hardening score {was} → {is} of 100", gone.join(", ")),
            mend: "keep them unless the service cannot work with them".to_owned(),
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(texts: &[(&str, &str)]) -> BTreeMap<String, Service> {
        texts
            .iter()
            .map(|(unit, text)| ((*unit).to_owned(), Service::read([format!("[Service]\n{text}").as_str()])))
            .collect()
    }

    fn said(seen: &[Seen]) -> Vec<(&str, &str, Severity)> {
        seen.iter().map(|seen| (seen.rule, seen.subject.as_str(), seen.severity)).collect()
    }

    #[test]
    fn services_of_ones_own_are_judged_and_those_of_the_platform_are_not() {
        let seen = judge(&services(&[
            ("a.service", "ExecStart=/a\n"),
            ("b.service", "Type=oneshot\nExecStart=/b\n"),
            ("c.service", "ExecStart=/c\nUser=root\nPrivateTmp=true\n"),
            ("d.service", "ExecStart=/d\nDynamicUser=true\n"),
            ("e.service", "Environment=X=1\n"),
            ("systemd-journald.service", "ExecStart=/x\n"),
            ("sshd.service", "ExecStart=/x\n"),
        ]));
        use Severity::{Information, Warning};
        assert_eq!(
            said(&seen),
            [
                ("service-root", "a.service", Warning),
                ("service-unhardened", "a.service", Warning),
                ("service-root", "b.service", Information),
                ("service-unhardened", "b.service", Information),
                ("service-explicit-root", "c.service", Information),
            ]
        );
        assert!(
            seen[1]
                .message
                .contains("0 of 100, missing User, CapabilityBoundingSet, SystemCallFilter and 13 more"),
            "{}",
            seen[1].message
        );
    }

    #[test]
    fn what_a_service_loses_is_named_with_its_scores() {
        let old = services(&[
            ("a.service", "ExecStart=/a\nDynamicUser=yes\nPrivateDevices=yes\n"),
            ("gone.service", "ExecStart=/x\nPrivateTmp=yes\n"),
        ]);
        let new =
            services(&[("a.service", "ExecStart=/a\nDynamicUser=yes\n"), ("new.service", "ExecStart=/n\n")]);
        let seen = removed(&new, &old);
        assert_eq!(said(&seen), [("hardening-removed", "a.service", Severity::Warning)]);
        assert_eq!(seen[0].message, "a.service loses PrivateDevices: hardening score 53 → 47 of 100");
        assert_eq!(removed(&old, &old), []);
    }
}
