//! What the settings say about rules: severities, ignored paths, what is
//! allowed for this run. Built by the caller, applied after the rules ran.

use std::collections::BTreeMap;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::model::Severity;

use super::find_rule;

/// How a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It gives no findings.
    Off,
    /// All its findings have this severity.
    At(Severity),
}

/// Settings that the engine cannot follow.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// No rule has this id.
    #[error("there is no rule {0:?}")]
    UnknownRule(String),
    /// A path pattern is not a glob.
    #[error("{pattern:?} is not a path pattern")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
}

/// How findings of a run are judged.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    levels: BTreeMap<String, Level>,
    ignored: GlobSet,
    allowed: BTreeMap<String, String>,
    vm_guest: bool,
}

impl Policy {
    /// Every rule as it comes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the severity of a rule, or switches it off.
    ///
    /// # Errors
    /// When no rule has this id.
    pub fn set_level(&mut self, rule: &str, level: Level) -> Result<(), PolicyError> {
        find_rule(rule).ok_or_else(|| PolicyError::UnknownRule(rule.to_owned()))?;
        self.levels.insert(rule.to_owned(), level);
        Ok(())
    }

    /// Leaves out files whose shown path matches one of these patterns
    /// (`vendor/**`, `**/generated.nix`). Replaces earlier ones.
    ///
    /// # Errors
    /// When one is not a glob.
    pub fn set_ignored<'p>(&mut self, patterns: impl IntoIterator<Item = &'p str>) -> Result<(), PolicyError> {
        let failed = |pattern: &str, source| PolicyError::Pattern { pattern: pattern.to_owned(), source };
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            builder.add(Glob::new(pattern).map_err(|source| failed(pattern, source))?);
            // A folder stands for what is in it.
            let below = format!("{}/**", pattern.trim_end_matches('/'));
            builder.add(Glob::new(&below).map_err(|source| failed(pattern, source))?);
        }
        self.ignored = builder.build().map_err(|source| failed("", source))?;
        Ok(())
    }

    /// Suppresses a rule for this run; `actor` is who gave the word.
    ///
    /// # Errors
    /// When no rule has this id.
    pub fn allow(&mut self, rule: &str, actor: &str) -> Result<(), PolicyError> {
        find_rule(rule).ok_or_else(|| PolicyError::UnknownRule(rule.to_owned()))?;
        self.allowed.insert(rule.to_owned(), actor.to_owned());
        Ok(())
    }

    /// Says that what is judged runs in a virtual machine behind its host.
    pub fn set_vm_guest(&mut self, vm_guest: bool) {
        self.vm_guest = vm_guest;
    }

    /// Whether a file is left out.
    pub fn ignores(&self, path: &Path) -> bool {
        self.ignored.is_match(path.strip_prefix("./").unwrap_or(path))
    }

    /// The level that settings give a rule, if they do.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.levels.get(rule).copied()
    }

    /// Who allowed a rule for this run.
    pub fn allowed_by(&self, rule: &str) -> Option<&str> {
        self.allowed.get(rule).map(String::as_str)
    }

    /// Whether what is judged is a virtual machine.
    pub fn vm_guest(&self) -> bool {
        self.vm_guest
    }

    /// The severity of a finding that a rule gave `severity` under these
    /// settings; `None` when the rule is off. Also for the evaluated layer.
    pub fn severity(&self, rule: &str, severity: Severity) -> Option<Severity> {
        match self.level(rule) {
            Some(Level::Off) => None,
            Some(Level::At(set)) => Some(set),
            None => find_rule(rule).is_none_or(|info| info.on).then_some(severity),
        }
    }
}
