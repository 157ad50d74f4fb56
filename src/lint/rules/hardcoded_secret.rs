//! `hardcoded-secret`: a password or token that stands in the code.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::mask::tokens;
use crate::lint::rule::Rule;
use crate::lint::secret_words::{Likeness, likeness, secret_name};
use crate::lint::tree::{BindingKind, Kind, NodeId, Part, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct HardcodedSecret;

static INFO: RuleInfo = RuleInfo {
    why: "The configuration is in git and the built system in the world-readable Nix store: every user of the host \
          and everyone with the repository can read it. Give a file (`passwordFile`, sops-nix, agenix) and renew \
          the secret. Tokens of known services and private keys count wherever they stand; other literals only \
          under a name like `password` or `apiKey`. A well-known default such as `admin` is a warning.",
    source: "https://nixos.org/manual/nixos/stable/#sec-writing-modules (secrets do not belong in the store)",
    bad: &[
        Sample::new("{ services.x.password = \"hunter2\"; }"),
        Sample::new("{ services.x.settings.smtp = { user = \"a\"; smtp_password = \"kR9xpq2LmV\"; }; }"),
        Sample::new("{ a.apiKey = \"b7f3A9c2D4e6F8a0B1c3\"; }"),
        Sample::noted("a token of a known kind, anywhere", "{ a = \"ghp_abcdEFGH1234ijklMNOP5678\"; }"),
        Sample::new(
            "{ a.text = ''\n  -----BEGIN OPENSSH PRIVATE KEY-----\n  b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n  -----END OPENSSH PRIVATE KEY-----\n''; }",
        ),
        Sample::noted("a known default is a warning", "{ services.x.password = \"admin\"; }"),
    ],
    good: &[
        Sample::new("{ services.x.passwordFile = \"/run/secrets/x\"; }"),
        Sample::new("{ services.x.password = \"changeme\"; }"),
        Sample::new("{ lib, ... }: { options.a = lib.mkOption { example = { password = \"hunter2\"; }; }; }"),
        Sample::new(
            "{ lib, ... }: { options.password = lib.mkOption { description = \"The password of the user.\"; }; }",
        ),
        Sample::new(
            "{ config, ... }: { services.x.password = config.sops.placeholder.x; a.token = \"${config.y}\"; }",
        ),
        Sample::new(
            "{ services.x.token = \"/var/lib/x/token\"; a.password = \"$__file{/run/x}\"; b.secret = \"!secret x\"; }",
        ),
        Sample::noted(
            "a hash",
            "{ rev = \"9f2c4e7d1b3a5c6d8e0f1a2b3c4d5e6f7a8b9c0d\"; sha256 = \"0000000000000000000000000000000000000000000000000000\"; }",
        ),
        Sample::noted(
            "names of things",
            "{ a.token = \"github-token\"; tokenizer = \"gpt2xxxxxxxxxxx1A\"; b.secret = \"wireguard-home-key2\"; }",
        ),
        Sample::noted("an environment variable's name", "{ a.password = \"SMTP_PASSWORD\"; }"),
        Sample::new(
            "{ a = \"AGE-SECRET-KEY-1xxxx\"; b = \"grep -- '-----BEGIN OPENSSH PRIVATE KEY-----' f\"; }",
        ),
        Sample::new("{ a.password = null; b.password = \"\"; }"),
    ],
    ..RuleInfo::new("hardcoded-secret", Severity::Critical, "a password, token or private key in the code")
};

impl Rule for HardcodedSecret {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Text]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let source = tree.source(node);
        // The shortest token that counts is longer.
        let marked = if source.len() >= 20 { tokens(source) } else { Vec::new() };
        if let Some(first) = marked.first() {
            let start = tree.span(node).start as usize;
            for token in &marked {
                found.secrets.push(Span::new(start + token.start, start + token.end));
            }
            if !file.is_example(node) {
                let span = Span::new(start + first.start, start + first.start + 1);
                let key = source[first.clone()].starts_with("-----BEGIN");
                let message =
                    if key { "a private key stands in the code" } else { "an access token stands in the code" };
                found.push(self.hit(file, node, span, message, Severity::Critical));
            }
            return;
        }
        self.named(file, node, found);
    }
}

impl HardcodedSecret {
    fn hit(&self, file: &File<'_>, node: NodeId, span: Span, message: &str, severity: Severity) -> Hit {
        let severity = if file.is_test() { severity.min(Severity::Information) } else { severity };
        Hit::new(&INFO, span, message)
            .severity(severity)
            .subject(file.tree.bound_name(node).unwrap_or_default())
            .mend("read it from a file at run time (sops-nix, agenix, LoadCredential), and renew it")
    }

    /// A literal that is bound to a secret's name, through `mkDefault` and the like.
    fn named(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let mut value = node;
        while let Some(parent) = tree.parent(value) {
            match tree.kind(parent) {
                Kind::Paren { .. } => value = parent,
                Kind::Apply { function, argument } if argument == value => match tree.called(function) {
                    Some("mkDefault" | "mkForce" | "mkVMOverride") => value = parent,
                    _ => return,
                },
                _ => break,
            }
        }
        let Some(binding) = tree.binding_of(value) else { return };
        let BindingKind::Value { path, .. } = binding.kind else { return };
        let Some(name) = tree.last_name(path) else { return };
        let Some(kind) = secret_name(name) else { return };
        // Only what is literal: an interpolated part comes from elsewhere.
        let text = match tree.text_parts(node).as_slice() {
            [Part::Text(text)] => *text,
            _ => return,
        };
        let likeness = likeness(kind, text);
        if likeness == Likeness::None {
            return;
        }
        found.secret(tree, node);
        if file.is_example(node) || is_user(file, value) || text.eq_ignore_ascii_case(name) {
            return;
        }
        let severity = if likeness == Likeness::Strong { Severity::Critical } else { Severity::Warning };
        let message = format!("the value of `{name}` stands in the code");
        found.push(self.hit(file, node, tree.path_span(path), &message, severity));
    }
}

/// `users.users.NAME.password` has a rule of its own.
fn is_user(file: &File<'_>, value: NodeId) -> bool {
    let path = file.tree.path_of(value);
    path.windows(2).any(|two| two[0] == "users" && matches!(two[1], "users" | "extraUsers"))
}
