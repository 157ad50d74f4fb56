//! `user-password`: a login password or its hash in the code.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::settings::{Key, Priority};
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct UserPassword;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "The Nix store is readable by every user of the host, the repository by everyone who has it; a hash can be \
          tried offline. Use `hashedPasswordFile`. An empty password of root lets anyone in at the console, and \
          over SSH where password login is on: critical outside of installer images.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-users.users._name_.hashedPasswordFile",
    bad: &[
        Sample::new("{ users.users.alice.password = \"hunter2\"; }"),
        Sample::new("{ users.users.alice = { isNormalUser = true; initialPassword = \"1234\"; }; }"),
        Sample::new(
            "{ users.users.alice.hashedPassword = \"$6$abcdefgh$0123456789abcdefghijklmnopqrstuvwxyz\"; }",
        ),
        Sample::noted("critical", "{ users.users.root.initialHashedPassword = \"\"; }"),
        Sample::noted("critical", "{ lib, ... }: { users.users.root = { password = lib.mkForce \"\"; }; }"),
    ],
    good: &[
        Sample::new("{ users.users.alice.hashedPasswordFile = \"/run/secrets/alice\"; }"),
        Sample::noted(
            "takes another definition back",
            "{ lib, ... }: { users.users.root.initialHashedPassword = lib.mkForce null; }",
        ),
        Sample::noted(
            "no login",
            "{ users.users.alice.hashedPassword = \"!\"; users.users.bob.hashedPassword = \"*\"; }",
        ),
        Sample::new("{ config, ... }: { users.users.alice.hashedPassword = config.x.hash; }"),
    ],
    ..RuleInfo::new("user-password", Severity::Critical, "a user's password or its hash in the code")
};

const FIELDS: [&str; 5] =
    ["password", "initialPassword", "hashedPassword", "initialHashedPassword", "hashedInitialPassword"];

impl Rule for UserPassword {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        for setting in &settings.all {
            let [Key::Name("users"), Key::Name("users" | "extraUsers"), user, Key::Name(field)] =
                settings.path(setting)
            else {
                continue;
            };
            if !FIELDS.contains(field) {
                continue;
            }
            let Some(text) = setting.value.and_then(|value| file.tree.plain_text(value)) else { continue };
            if let Some(value) = setting.value {
                found.secret(&file.tree, value);
            }
            // What no password hashes to.
            if matches!(text, "!" | "*" | "!!" | "x" | "!*") {
                continue;
            }
            let quiet = settings.module(setting).guest || file.is_guest() || file.is_test();
            let meant_to_be_overridden = setting.around.priority == Priority::Default;
            let empty_root = text.is_empty() && *user == Key::Name("root") && !meant_to_be_overridden;
            let severity = match (empty_root, quiet) {
                (true, false) => Severity::Critical,
                (false, true) => Severity::Information,
                _ => Severity::Warning,
            };
            let message = match (text.is_empty(), field.contains("ashed")) {
                (true, _) => "this user logs in with an empty password",
                (false, true) => "the hash of a password stands in the code",
                (false, false) => "a password stands in the code",
            };
            found.push(
                Hit::new(&INFO, setting.span, message)
                    .severity(severity)
                    .guest_severity(severity.min(Severity::Warning))
                    .subject(settings.shown(setting))
                    .mend("use hashedPasswordFile with a secret that is decrypted on the host"),
            );
        }
    }
}
