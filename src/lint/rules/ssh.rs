//! `ssh-root-login` and `ssh-password-auth`: how one gets in over SSH.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::settings::Setting;
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct SshRootLogin;
pub(crate) struct SshPasswordAuth;

static ROOT_LOGIN: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "`yes` lets anyone who guesses root's password in. `prohibit-password` (the default) keeps keys working; \
          `no` with sudo is better still.",
    source: "sshd_config(5), PermitRootLogin",
    bad: &[
        Sample::new("{ services.openssh.settings.PermitRootLogin = \"yes\"; }"),
        Sample::new("{ services.openssh = { enable = true; permitRootLogin = \"yes\"; }; }"),
    ],
    good: &[
        Sample::new("{ services.openssh.settings.PermitRootLogin = \"prohibit-password\"; }"),
        Sample::new("{ services.openssh.settings.PermitRootLogin = \"no\"; }"),
        Sample::new("x: { services.openssh.settings.PermitRootLogin = x; }"),
    ],
    ..RuleInfo::new("ssh-root-login", Severity::Warning, "root may log in over SSH with a password")
};

static PASSWORD_AUTH: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "Passwords can be guessed from the network, keys cannot. Set \
          `services.openssh.settings.PasswordAuthentication = false`.",
    source: "sshd_config(5), PasswordAuthentication",
    bad: &[
        Sample::new("{ services.openssh.settings.PasswordAuthentication = true; }"),
        Sample::new("{ lib, ... }: { services.openssh.passwordAuthentication = lib.mkForce true; }"),
    ],
    good: &[
        Sample::new("{ services.openssh.settings.PasswordAuthentication = false; }"),
        Sample::new("{ services.openssh.enable = true; }"),
        Sample::noted(
            "the client's settings",
            "{ programs.ssh.extraConfig = \"PasswordAuthentication yes\"; }",
        ),
    ],
    ..RuleInfo::new("ssh-password-auth", Severity::Warning, "password login over SSH is switched on")
};

/// A machine that lives for an hour, or behind another one.
fn severity(file: &File<'_>, setting: &Setting) -> Severity {
    let quiet = file.settings().module(setting).guest || file.is_guest() || file.is_test();
    if quiet { Severity::Information } else { Severity::Warning }
}

impl Rule for SshRootLogin {
    fn info(&self) -> &'static RuleInfo {
        &ROOT_LOGIN
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        let paths = ["services.openssh.settings.PermitRootLogin", "services.openssh.permitRootLogin"];
        for setting in paths.iter().flat_map(|path| settings.find(path)) {
            let Some(value) = setting.value else { continue };
            if file.tree.plain_text(value) == Some("yes") || file.tree.boolean(value) == Some(true) {
                found.push(
                    Hit::new(&ROOT_LOGIN, setting.span, "root may log in over SSH with a password")
                        .severity(severity(file, setting))
                        .guest_severity(Severity::Information)
                        .subject(settings.shown(setting))
                        .mend("set it to \"prohibit-password\" or \"no\""),
                );
            }
        }
    }
}

impl Rule for SshPasswordAuth {
    fn info(&self) -> &'static RuleInfo {
        &PASSWORD_AUTH
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        let paths =
            ["services.openssh.settings.PasswordAuthentication", "services.openssh.passwordAuthentication"];
        for setting in paths.iter().flat_map(|path| settings.find(path)) {
            let Some(value) = setting.value else { continue };
            if file.tree.plain_text(value) == Some("yes") || file.tree.boolean(value) == Some(true) {
                found.push(
                    Hit::new(&PASSWORD_AUTH, setting.span, "password login over SSH is switched on")
                        .severity(severity(file, setting))
                        .guest_severity(Severity::Information)
                        .subject(settings.shown(setting))
                        .mend("set it to false and log in with keys"),
                );
            }
        }
    }
}
