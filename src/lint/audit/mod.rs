//! The evaluated layer: judges a built system by its unit files, by what sshd
//! reads and by settings that evaluate. Pure like the rest: a caller brings
//! texts and values, findings come out, each on a host and without a place.
//!
//! In a deploy only what is new against the running system is said
//! ([`added`]); `check --evaluated` says everything ([`judge`]).
//!
//! Invariants: nothing here is critical of itself, settings can make it so; a
//! part of the running system that nobody could read is never taken for one
//! that was better.

mod exposure;
mod hardening;
mod packet_filter;
mod seen;
mod services;
mod unit_file;

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use crate::model::{Finding, HostName, Severity};
use seen::Seen;

pub use exposure::{Firewall, OpenSsh, Settings, Sudo, sshd_config};
pub use hardening::{DIRECTIVES, Directive, Score, score};
pub use unit_file::Service;

/// What is known of a built system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Its services, by unit; `None` when its unit files could not be read.
    pub services: Option<BTreeMap<String, Service>>,
    /// What its sshd_config says.
    pub sshd: Option<OpenSsh>,
    /// What its configuration evaluates to; `None` when that is not known.
    pub settings: Option<Settings>,
}

impl System {
    /// A system by its files: paths below `etc`, for example
    /// `systemd/system/web.service`, with their texts, sorted by path.
    pub fn of_files(files: &BTreeMap<String, String>) -> Self {
        let units = files.iter().filter_map(|(path, text)| Some((path.strip_prefix("systemd/system/")?, text)));
        let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        // A unit sorts before the folder of its drop-ins.
        for (path, text) in units {
            let unit = path.split_once(".d/").map_or(path, |(unit, _)| unit);
            if unit.ends_with(".service") {
                texts.entry(unit).or_default().push(text);
            }
        }
        let services = texts.into_iter().map(|(unit, texts)| (unit.to_owned(), Service::read(texts))).collect();
        Self {
            services: Some(services),
            sshd: files.get("ssh/sshd_config").map(|text| sshd_config(text)),
            settings: None,
        }
    }

    /// The same system, which runs, with what only a running one tells: its
    /// set-uid programs, and the rules that the units of its firewall load
    /// (empty when it has none). It stands for settings that nobody evaluated.
    pub fn running(self, setuid: Option<Vec<String>>, filter: Option<&str>) -> Self {
        let firewall = filter.and_then(|rules| match rules.trim() {
            "" => Some(Firewall { enable: Some(false), ..Firewall::default() }),
            rules => packet_filter::packet_filter(rules),
        });
        if setuid.is_none() && firewall.is_none() {
            return self;
        }
        Self { settings: Some(Settings { firewall, setuid, ..Settings::default() }), ..self }
    }

    /// The scores of services of one's own, by unit.
    pub fn scores(&self) -> Vec<(String, Score)> {
        let own = self.services.iter().flatten().filter(|(unit, service)| services::is_own(unit, service));
        own.map(|(unit, service)| (unit.clone(), score(service))).collect()
    }

    fn everything(&self) -> Vec<Seen> {
        let mut seen = self.services.as_ref().map(services::judge).unwrap_or_default();
        seen.extend(exposure::judge(
            self.settings.as_ref().unwrap_or(&Settings::default()),
            self.sshd.as_ref(),
        ));
        seen
    }

    /// Whether the built system itself says how things are where a rule of the
    /// source layer speaks about `subject`: then it is right, and the source is not.
    pub fn decides(&self, rule: &str, subject: &str) -> bool {
        let settings = self.settings.as_ref();
        match rule {
            "service-root" | "service-unhardened" | "service-explicit-root" => {
                let name =
                    subject.trim_start_matches("systemd.services.").split('.').next().unwrap_or_default();
                let unit = format!("{}.service", name.trim_matches('"'));
                self.services.as_ref().is_some_and(|services| services.contains_key(&unit))
            }
            "firewall-off" | "firewall-wide" | "firewall-port" => {
                settings.is_some_and(|settings| settings.firewall.is_some())
            }
            "ssh-root-login" | "ssh-password-auth" => {
                self.sshd.is_some() || settings.is_some_and(|settings| settings.openssh.is_some())
            }
            "sudo-nopasswd" => settings.is_some_and(|settings| settings.sudo.is_some()),
            _ => false,
        }
    }
}

/// Everything there is to say about a system.
pub fn judge(host: &HostName, system: &System, policy: &Policy) -> Vec<Finding> {
    findings(system.everything(), host, policy)
}

/// What a deploy adds: what holds for the new system and did not for the old.
/// Where nobody knows the old one, what deserves a look is said and what is
/// only worth knowing is not.
pub fn added(host: &HostName, new: &System, old: &System, policy: &Policy) -> Vec<Finding> {
    let before: BTreeSet<(&str, String)> =
        old.everything().into_iter().map(|seen| (seen.rule, seen.subject)).collect();
    let mut fresh = new.everything();
    fresh.retain(|seen| !before.contains(&(seen.rule, seen.subject.clone())));
    fresh.retain(|seen| seen.severity > Severity::Information || old.knows(seen.rule));
    for seen in fresh.iter_mut().filter(|seen| old.knows(seen.rule)) {
        seen.message = format!("new: {}", seen.message);
        // Worth knowing on a system that stands; to be looked at when it comes.
        if matches!(seen.rule, "firewall-port" | "setuid-wrapper") {
            seen.severity = Severity::Warning;
        }
    }
    if let (Some(new), Some(old)) = (&new.services, &old.services) {
        let removed = services::removed(new, old);
        // What a service lost says more than that it has nothing now.
        let lost = |seen: &Seen| removed.iter().any(|removed| removed.subject == seen.subject);
        fresh.retain(|seen| seen.rule != "service-unhardened" || !lost(seen));
        fresh.extend(removed);
    }
    findings(fresh, host, policy)
}

impl System {
    /// Whether it is known how the system stands with a rule.
    fn knows(&self, rule: &str) -> bool {
        let settings = self.settings.as_ref();
        match rule {
            "service-root" | "service-unhardened" | "service-explicit-root" => self.services.is_some(),
            "ssh-root-login" | "ssh-password-auth" => {
                self.sshd.is_some() || settings.is_some_and(|settings| settings.openssh.is_some())
            }
            "setuid-wrapper" => settings.is_some_and(|settings| settings.setuid.is_some()),
            "firewall-off" | "firewall-wide" | "firewall-port" => {
                settings.is_some_and(|settings| settings.firewall.is_some())
            }
            "sudo-nopasswd" => settings.is_some_and(|settings| settings.sudo.is_some()),
            "user-password" => settings.is_some_and(|settings| settings.open_users.is_some()),
            "no-state-version" => settings.is_some_and(|settings| settings.state_version.is_some()),
            "no-garbage-collection" => settings.is_some_and(|settings| settings.collects_garbage.is_some()),
            _ => settings.is_some(),
        }
    }
}

fn findings(seen: Vec<Seen>, host: &HostName, policy: &Policy) -> Vec<Finding> {
    seen.into_iter().filter_map(|seen| seen.finding(host, policy)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(files: &[(&str, &str)], settings: Option<&str>) -> System {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let settings = settings.map(|json| serde_json::from_str(json).unwrap());
        System { settings, ..System::of_files(&files) }
    }

    fn added_to(old: &System, new: &System) -> Vec<String> {
        let host = HostName::new("p620").unwrap();
        let findings = added(&host, new, old, &Policy::new());
        findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
    }

    const WEB: &str = "[Service]\nExecStart=/web\n";
    const WALLED: &str = "[Service]\nExecStart=/web\nDynamicUser=yes\n";

    #[test]
    fn units_and_their_drop_ins_make_one_service() {
        let system = system(
            &[
                ("ssh/sshd_config", "PasswordAuthentication no\n"),
                ("systemd/system/web.service", WEB),
                ("systemd/system/web.service.d/overrides.conf", "[Service]\nUser=web\n"),
                ("systemd/system/web.socket", "[Socket]\n"),
            ],
            None,
        );
        let services = system.services.unwrap();
        assert_eq!(services.len(), 1);
        assert!(!services["web.service"].runs_as_root());
        assert_eq!(system.sshd.unwrap().passwords, Some(false));
    }

    #[test]
    fn only_what_a_deploy_adds_is_said() {
        let old = system(
            &[
                ("systemd/system/a.service", WEB),
                ("systemd/system/b.service", WALLED),
                ("ssh/sshd_config", "PasswordAuthentication no\n"),
            ],
            Some(r#"{"firewall":{"enable":true,"tcp":[22]},"setuid":["sudo"]}"#),
        );
        assert_eq!(added_to(&old, &old), Vec::<String>::new());
        let new = system(
            &[
                ("systemd/system/a.service", WEB),
                ("systemd/system/b.service", WEB),
                ("ssh/sshd_config", "Port 22\n"),
            ],
            Some(r#"{"firewall":{"enable":true,"tcp":[22,8080]},"setuid":["sudo","ping"]}"#),
        );
        let said = added_to(&old, &new);
        let rules: Vec<&str> = said.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(
            rules,
            ["service-root", "firewall-port", "ssh-password-auth", "setuid-wrapper", "hardening-removed"],
            "{said:#?}"
        );
        assert!(said[1].contains("new: TCP port 8080 is open"), "{said:#?}");
    }

    #[test]
    fn what_a_running_system_shows_of_itself_stands_for_its_settings() {
        let rules = "unit firewall\nip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept\n";
        let old = System::of_files(&BTreeMap::new()).running(Some(vec!["sudo".to_owned()]), Some(rules));
        let new = system(
            &[],
            Some(
                r#"{"firewall":{"enable":true,"tcp":[22,8080]},"setuid":["sudo","ping"],"collectsGarbage":false}"#,
            ),
        );
        let said = added_to(&old, &new);
        assert_eq!(said.len(), 2, "{said:#?}");
        assert!(said[0].contains("new: TCP port 8080") && said[1].contains("new: ping"), "{said:#?}");
        // A host without a firewall is no host of which nothing is known.
        let open = System::default().running(None, Some(""));
        assert_eq!(open.settings.unwrap().firewall.unwrap().enable, Some(false));
        assert_eq!(System::default().running(None, None), System::default());
    }

    #[test]
    fn against_an_unknown_system_only_what_deserves_a_look_is_said() {
        let new = system(
            &[("systemd/system/a.service", WEB)],
            Some(
                r#"{"firewall":{"enable":true,"tcp":[22]},"setuid":["sudo"],"sudo":{"wheelNeedsPassword":false}}"#,
            ),
        );
        let said = added_to(&System::default(), &new);
        assert_eq!(said.len(), 3, "{said:#?}");
        assert!(said.iter().all(|line| !line.contains("new:")), "{said:#?}");
        // A system whose files nobody could read says nothing about services.
        let unread = System { services: None, ..System::default() };
        assert_eq!(added_to(&unread, &unread), Vec::<String>::new());
    }

    #[test]
    fn settings_decide_and_a_flag_lets_pass() {
        let mut policy = Policy::new();
        let new = system(&[("systemd/system/a.service", WEB)], None);
        let host = HostName::new("p620").unwrap();
        let _ = policy.allow("service-root", "ada@desk");
        let findings = judge(&host, &new, &policy);
        assert!(findings.iter().any(|finding| finding.rule == "service-root" && finding.suppressed.is_some()));
        assert!(findings.iter().all(|finding| !finding.blocks()));
    }

    #[test]
    fn the_built_system_decides_only_about_what_it_has() {
        let system = system(&[("systemd/system/a.service", WEB)], Some(r#"{"firewall":{"enable":true}}"#));
        assert!(system.decides("service-root", "systemd.services.a"));
        assert!(!system.decides("service-root", "systemd.services.b"));
        assert!(system.decides("firewall-off", "networking.firewall.enable"));
        assert!(!system.decides("ssh-root-login", "services.openssh.settings.PermitRootLogin"));
        assert!(!system.decides("hardcoded-secret", "x"));
    }
}
