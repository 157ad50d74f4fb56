//! `hardcoded-home`: a path into somebody's home folder.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct HardcodedHome;

static INFO: RuleInfo = RuleInfo {
    why: "The path breaks when the user or the home folder is another one, on the next host or in a container. Use \
          `config.users.users.NAME.home`, or `config.home.homeDirectory` in home-manager.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-users.users._name_.home",
    bad: &[
        Sample::new("{ services.x.dataDir = \"/home/alice/data\"; }"),
        Sample::new("{ a = /home/alice/b; }"),
    ],
    good: &[
        Sample::new("{ config, ... }: { services.x.dataDir = \"${config.users.users.alice.home}/data\"; }"),
        Sample::noted(
            "the definition itself",
            "{ users.users.alice.home = \"/home/alice\"; home.homeDirectory = \"/home/alice\"; }",
        ),
        Sample::new("{ a = \"/home\"; b = \"/home/\"; c = user: \"/home/${user}/x\"; }"),
        Sample::noted("inside of a container", "{ containers.a.config = { b = \"/home/alice/x\"; }; }"),
        Sample::new("{ lib, ... }: { a = lib.mkOption { example = \"/home/alice/x\"; }; }"),
    ],
    ..RuleInfo::new("hardcoded-home", Severity::Information, "a path into a user's home folder")
};

impl Rule for HardcodedHome {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Text, Tag::Path]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let source = file.tree.source(node);
        let Some(rest) = source.trim_start_matches(['"', '\'']).strip_prefix("/home/") else { return };
        let user: String =
            rest.chars().take_while(|next| next.is_ascii_alphanumeric() || "_-.".contains(*next)).collect();
        if user.is_empty() || file.is_example(node) {
            return;
        }
        let defines = matches!(file.tree.bound_name(node), Some("home" | "homeDirectory"));
        let path = file.tree.path_of(node);
        if defines
            || path.iter().any(|name| matches!(*name, "containers" | "oci-containers" | "nodes" | "volumes"))
        {
            return;
        }
        let message = format!("the home folder of `{user}` is written out");
        found.push(
            Hit::new(&INFO, file.tree.span(node), message)
                .subject(user)
                .mend("use config.users.users.NAME.home"),
        );
    }
}
