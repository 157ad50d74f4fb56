//! Findings that the engine makes itself: syntax, names, files, suppressions.
//! And rules that only the built system can decide, which have words but no
//! code here.

use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

/// What rnix or the walk over its tree refuses.
pub(crate) static SYNTAX_ERROR: RuleInfo = RuleInfo {
    why: "Nix cannot read the file, so no host that imports it can be evaluated. All errors of all files are \
          shown at once; the installed Nix confirms them, and a file that it reads is not reported.",
    source: "https://nix.dev/manual/nix/latest/language/",
    bad: &[
        Sample::new("{ a = 1 }"),
        Sample::new("{ a = [ 1 2 ); }"),
        Sample::new("let a = 1; a"),
        Sample::noted("the file is empty", ""),
        Sample::noted("a function in a list needs parentheses", "[ x: x ]"),
    ],
    good: &[Sample::new("{ a = 1; }"), Sample::new("[ (x: x) ]")],
    ..RuleInfo::new("syntax-error", Severity::Critical, "text that Nix cannot read")
};

/// An attribute or argument that is there twice.
pub(crate) static DUPLICATE_ATTR: RuleInfo = RuleInfo {
    why: "Nix refuses a set that defines an attribute twice, and a function that names an argument twice. Sets \
          that add to each other (`a.b = 1; a.c = 2;`) are one set and fine.",
    source: "https://nix.dev/manual/nix/latest/language/syntax#attrs-literal",
    bad: &[
        Sample::new("{ a = 1; a = 2; }"),
        Sample::new("{ a = 1; a.b = 2; }"),
        Sample::new("{ a.b = 1; a = { b = 2; }; }"),
        Sample::new("{ a, a }: a"),
        Sample::new("x: { inherit x; x = 1; }"),
    ],
    good: &[
        Sample::new("{ a.b = 1; a.c = 2; }"),
        Sample::new("{ a = { b = 1; }; a.c = 2; }"),
        Sample::new("x: { ${x} = 1; ${x + x} = 2; }"),
    ],
    ..RuleInfo::new("duplicate-attr", Severity::Critical, "an attribute or argument that is defined twice")
};

/// A name that nothing defines.
pub(crate) static UNDEFINED_VAR: RuleInfo = RuleInfo {
    why: "Nix refuses the whole file, even when the value is never used. Under `with` a name may come from \
          there, so nothing is reported.",
    source: "https://nix.dev/manual/nix/latest/language/scope",
    bad: &[
        Sample::new("{ pkgs, ... }: { a = lib.mkIf true { }; }"),
        Sample::new("let a = 1; in b"),
        Sample::new("{ a = 1; b = a; }"),
    ],
    good: &[
        Sample::new("pkgs: with pkgs; [ git ]"),
        Sample::new("rec { a = 1; b = a; }"),
        Sample::new("{ a, b ? a }@args: args // { inherit a; }"),
        Sample::new("map toString (builtins.attrNames __curPos)"),
    ],
    ..RuleInfo::new("undefined-var", Severity::Critical, "a name that nothing defines")
};

/// A file that cannot be judged; critical when nothing of it was looked at.
pub(crate) static UNREADABLE_FILE: RuleInfo = RuleInfo {
    why: "What cannot be read cannot be judged: a link to nowhere, a pipe, a file that is not UTF-8 or is \
          nested more than 512 levels deep (the last is critical: nothing in it was looked at).",
    source: "https://docs.rs/rnix",
    bad: &[Sample::noted("a list in a list, 513 deep", TOO_DEEP)],
    good: &[Sample::new("[ [ [ ] ] ]")],
    ..RuleInfo::new("unreadable-file", Severity::Critical, "a file that cannot be judged")
};

/// A list in a list, 513 deep.
const TOO_DEEP: &str = {
    const BYTES: [u8; 1026] = {
        let mut bytes = [b'['; 1026];
        let mut index = 513;
        while index < 1026 {
            bytes[index] = b']';
            index += 1;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// A suppression that does not work.
pub(crate) static BAD_SUPPRESSION: RuleInfo = RuleInfo {
    why: "A suppression that names no rule or gives no reason does nothing, and whoever wrote it believes that \
          it does. Write `# nix-deploy: allow RULE -- reason`; several rules are separated by commas.",
    source: "nix-deploy explain bad-suppression",
    bad: &[
        Sample::new("{\n  # nix-deploy: allow firewal-off -- behind the router\n  a = 1;\n}"),
        Sample::noted(
            "no reason",
            "{\n  networking.firewall.enable = false; # nix-deploy: allow firewall-off\n}",
        ),
        Sample::new("# nix-deploy: ignore firewall-off -- x\n{ }"),
    ],
    good: &[
        Sample::new(
            "{\n  # nix-deploy: allow firewall-off -- behind the router\n  networking.firewall.enable = false;\n}",
        ),
        Sample::new("# nix-deploy: a sentence about the tool\n{ }"),
    ],
    ..RuleInfo::new("bad-suppression", Severity::Critical, "a suppression without a known rule or a reason")
};

/// A suppression that suppresses nothing.
pub(crate) static UNUSED_SUPPRESSION: RuleInfo = RuleInfo {
    why: "The finding is gone, or the comment stands at the wrong line: there it would hide the next finding \
          that nobody has looked at.",
    source: "nix-deploy explain bad-suppression",
    bad: &[Sample::new(
        "{\n  # nix-deploy: allow firewall-off -- behind the router\n  networking.firewall.enable = true;\n}",
    )],
    good: &[Sample::new(
        "{\n  networking.firewall.enable = false; # nix-deploy: allow firewall-off -- behind the router\n}",
    )],
    ..RuleInfo::new("unused-suppression", Severity::Warning, "a suppression that suppresses nothing")
};

/// Decided on the evaluated host.
pub(crate) static NO_STATE_VERSION: RuleInfo = RuleInfo {
    layer: Layer::Evaluated,
    why: "Without `system.stateVersion` the defaults of stateful services follow the release: an upgrade may \
          move a database to a format or folder that the data is not in.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-system.stateVersion",
    bad: &[Sample::new("{ networking.hostName = \"web\"; }")],
    good: &[Sample::new("{ networking.hostName = \"web\"; system.stateVersion = \"25.05\"; }")],
    ..RuleInfo::new("no-state-version", Severity::Warning, "a host without system.stateVersion")
};

/// Decided on the evaluated host.
pub(crate) static NO_GARBAGE_COLLECTION: RuleInfo = RuleInfo {
    layer: Layer::Evaluated,
    why: "Every deploy leaves a generation. Without `nix.gc.automatic`, or another way to collect them, the disk \
          fills and the next deploy fails.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-nix.gc.automatic",
    bad: &[Sample::new("{ networking.hostName = \"web\"; }")],
    good: &[Sample::new("{ nix.gc.automatic = true; }"), Sample::new("{ programs.nh.clean.enable = true; }")],
    ..RuleInfo::new("no-garbage-collection", Severity::Information, "a host that never collects garbage")
};
