//! How much a service is walled in: a score and the directives it lacks.
//!
//! The directives are those of `systemd-analyze security` that a service of
//! one's own can nearly always set. Their points follow the weights in
//! systemd's `analyze-security.c` (a user of its own weighs twice a protected
//! file system, `~CAP_SYS_ADMIN` half as much again), with its single
//! capabilities, namespaces, address families and system call groups taken
//! together, scaled so that all of them make 100. More points mean less that a
//! break-in can reach; 0 is a service that runs as root with everything open.

use super::unit_file::Service;

/// A directive that walls a service in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// What it is called.
    pub name: &'static str,
    /// What it adds to the score.
    pub points: u32,
    /// Whether `DynamicUser=` switches it on too (systemd.exec(5)).
    implied: bool,
}

const fn directive(name: &'static str, points: u32, implied: bool) -> Directive {
    Directive { name, points, implied }
}

/// Every directive that counts, the weightiest first.
pub const DIRECTIVES: [Directive; 16] = [
    directive("User", 16, true),
    directive("CapabilityBoundingSet", 14, false),
    directive("SystemCallFilter", 10, false),
    directive("NoNewPrivileges", 8, true),
    directive("ProtectSystem", 8, true),
    directive("PrivateTmp", 6, true),
    directive("ProtectHome", 6, true),
    directive("PrivateDevices", 6, false),
    directive("RestrictAddressFamilies", 6, false),
    directive("RestrictNamespaces", 5, false),
    directive("ProtectKernelModules", 3, false),
    directive("ProtectKernelTunables", 3, false),
    directive("RestrictSUIDSGID", 3, true),
    directive("MemoryDenyWriteExecute", 2, false),
    directive("ProtectControlGroups", 2, false),
    directive("ProtectKernelLogs", 2, false),
];

/// With none of these a service counts as not walled in at all.
const FIRST: [&str; 5] = ["NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "DynamicUser"];

/// How well a service is walled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// From 0 to 100.
    pub points: u32,
    /// What it lacks, the weightiest first.
    pub missing: Vec<&'static str>,
}

impl Score {
    /// The weightiest of what is missing, in words.
    pub fn in_short(&self) -> String {
        const NAMED: usize = 3;
        match self.missing.len() {
            count if count > NAMED => {
                format!("{} and {} more", self.missing[..NAMED].join(", "), count - NAMED)
            }
            _ => self.missing.join(", "),
        }
    }
}

/// Whether a service has a directive, itself or through `DynamicUser=`.
pub(super) fn has(service: &Service, directive: Directive) -> bool {
    let dynamic = directive.implied && service.is_on("DynamicUser");
    match directive.name {
        "User" => !service.runs_as_root(),
        name => dynamic || service.is_on(name),
    }
}

/// The score of a service.
pub fn score(service: &Service) -> Score {
    let (there, missing): (Vec<_>, Vec<_>) =
        DIRECTIVES.into_iter().partition(|directive| has(service, *directive));
    Score {
        points: there.iter().map(|directive| directive.points).sum(),
        missing: missing.iter().map(|directive| directive.name).collect(),
    }
}

/// Whether nothing at all walls a service in.
pub(super) fn is_open(service: &Service) -> bool {
    !FIRST.iter().any(|name| service.is_on(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_directives_make_a_hundred_and_none_makes_nothing() {
        assert_eq!(DIRECTIVES.iter().map(|directive| directive.points).sum::<u32>(), 100);
        let lines = DIRECTIVES.map(|directive| format!("{}=yes\n", directive.name)).concat();
        let all = score(&Service::read([format!("[Service]\n{lines}").as_str()]));
        assert_eq!((all.points, all.missing.len()), (100, 0));
        let none = score(&Service::read(["[Service]\nExecStart=/x\n"]));
        assert_eq!((none.points, none.missing.len()), (0, 16));
        assert_eq!(none.missing[0], "User");
    }

    #[test]
    fn a_dynamic_user_brings_what_systemd_gives_it() {
        let service = Service::read(["[Service]\nDynamicUser=yes\n"]);
        assert_eq!(score(&service).points, 16 + 8 + 8 + 6 + 6 + 3);
        assert!(!is_open(&service));
        assert!(is_open(&Service::read(["[Service]\nUser=web\nProtectSystem=false\n"])));
    }
}
