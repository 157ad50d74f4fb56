//! The registry of rules. A new rule is one file here, one line in [`RULES`];
//! one that the engine or the built system decides is a line in [`OWN`].

mod auto_discovery_imports;
mod comparisons;
mod deprecated_name;
mod eval_secret_read;
mod firewall_off;
mod firewall_port;
mod firewall_wide;
mod hardcoded_home;
mod hardcoded_secret;
mod import_from_derivation;
mod inherit;
mod let_in;
mod mkif;
mod nix_env_install;
mod options;
mod override_uncommented;
mod own;
mod package_meta;
mod patterns;
mod rec_unneeded;
mod renamed_option;
mod repeated_keys;
mod services;
mod ssh;
mod sudo_nopasswd;
mod unquoted_url;
mod unused;
mod useless_parens;
mod user_password;
mod with_top_level;
mod wrappers;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use super::RuleInfo;
use super::file::File;
use super::found::Found;
use super::judge::name_hits;
use super::rule::Rule;
use super::tree::Tag;

pub(crate) use own::{
    BAD_SUPPRESSION, DUPLICATE_ATTR, SYNTAX_ERROR, UNDEFINED_VAR, UNREADABLE_FILE, UNUSED_SUPPRESSION,
};

/// Rules that look at source text.
static RULES: &[&dyn Rule] = &[
    &auto_discovery_imports::AutoDiscoveryImports,
    &comparisons::BoolComparison,
    &deprecated_name::DeprecatedName,
    &eval_secret_read::EvalSecretRead,
    &firewall_off::FirewallOff,
    &firewall_port::FirewallPort,
    &firewall_wide::FirewallWide,
    &hardcoded_home::HardcodedHome,
    &hardcoded_secret::HardcodedSecret,
    &import_from_derivation::ImportFromDerivation,
    &inherit::ManualInherit,
    &let_in::CollapsibleLet,
    &let_in::EmptyLet,
    &mkif::MkifLiteral,
    &mkif::MkifTrue,
    &nix_env_install::NixEnvInstall,
    &options::OptionType,
    &options::OptionUndocumented,
    &override_uncommented::OverrideUncommented,
    &package_meta::PackageMeta,
    &patterns::EmptyPattern,
    &patterns::RedundantBind,
    &rec_unneeded::RecUnneeded,
    &renamed_option::RenamedOption,
    &repeated_keys::RepeatedKeys,
    &services::ServiceExplicitRoot,
    &services::ServiceRoot,
    &services::ServiceUnhardened,
    &ssh::SshPasswordAuth,
    &ssh::SshRootLogin,
    &sudo_nopasswd::SudoNopasswd,
    &unquoted_url::UnquotedUrl,
    &unused::UnusedBinding,
    &unused::UnusedLambdaArgument,
    &useless_parens::UselessParens,
    &user_password::UserPassword,
    &with_top_level::WithTopLevel,
    &wrappers::Eta,
    &wrappers::TrivialWrapper,
];

/// Rules without code of their own: decided by the engine, or on the built system.
static OWN: &[&RuleInfo] = &[
    &BAD_SUPPRESSION,
    &DUPLICATE_ATTR,
    &own::HARDENING_REMOVED,
    &own::NO_GARBAGE_COLLECTION,
    &own::NO_STATE_VERSION,
    &own::SETUID_WRAPPER,
    &SYNTAX_ERROR,
    &UNDEFINED_VAR,
    &UNREADABLE_FILE,
    &UNUSED_SUPPRESSION,
];

/// Every rule, sorted by id.
pub fn rules() -> &'static [&'static RuleInfo] {
    static SORTED: OnceLock<Vec<&'static RuleInfo>> = OnceLock::new();
    SORTED.get_or_init(|| {
        let mut all: Vec<_> = RULES.iter().map(|rule| rule.info()).chain(OWN.iter().copied()).collect();
        all.sort_by_key(|info| info.id);
        all
    })
}

/// The rule with this id.
pub fn find_rule(id: &str) -> Option<&'static RuleInfo> {
    let rules = rules();
    rules.binary_search_by(|rule| rule.id.cmp(id)).ok().map(|index| rules[index])
}

/// The id that is nearest to a misspelt one, if one is near.
pub fn nearest_rule(id: &str) -> Option<&'static str> {
    let near = rules().iter().map(|rule| (strsim::damerau_levenshtein(rule.id, id), rule.id));
    near.min().filter(|(distance, _)| *distance <= 1 + id.len() / 4).map(|(_, id)| id)
}

/// Runs every rule over a file, the name passes first.
pub(crate) fn run(file: &File<'_>, found: &mut Found<'_>) {
    static BY_TAG: OnceLock<[Vec<&'static dyn Rule>; Tag::COUNT]> = OnceLock::new();
    let by_tag = BY_TAG.get_or_init(|| {
        let mut by_tag = [const { Vec::new() }; Tag::COUNT];
        for rule in RULES {
            for tag in rule.tags() {
                by_tag[*tag as usize].push(*rule);
            }
        }
        by_tag
    });
    name_hits(file, found.hits);
    for node in file.tree.nodes() {
        for rule in &by_tag[file.tree.kind(node).tag() as usize] {
            rule.node(file, node, found);
        }
    }
    for rule in RULES {
        rule.file(file, found);
    }
}
