//! The shape of the source, as DESIGN.md says it: which module may use which,
//! how long a file may be, and that each says at its head what it owns.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each module of `src/` may use. A module that is not listed may be used
/// by nobody until it has a line here.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("event", &["model"]),
    ("exit", &["model"]),
    ("cli", &["model"]),
    ("settings", &["model", "cli", "lint"]),
    ("exec", &["model"]),
    ("nix", &["model", "exec", "event"]),
    ("host", &["model", "exec", "event"]),
    ("git", &["model", "exec", "event"]),
    ("forge", &["model", "issues"]),
    ("issues", &["model", "exec", "event"]),
    ("jobs", &["model", "exec", "nix", "host", "git", "fleet"]),
    ("lint", &["model"]),
    ("check", &["model", "exec", "nix", "host", "git", "lint"]),
    ("fleet", &["model", "event"]),
    ("plan", &["model", "settings"]),
    ("steps", &["model", "event", "nix", "host", "git", "lint", "issues", "check"]),
    ("engine", &["model", "event", "exit", "plan", "steps"]),
    ("update", &["model", "event", "nix", "host", "issues", "git", "plan"]),
    ("report", &["model", "event", "exit", "prompt", "fleet"]),
    ("prompt", &["model", "event"]),
];
/// Modules that may use every other.
const MAY_USE_ALL: &[&str] = &["commands", "error", "lib", "main"];
/// A longer file holds more than one noun. Tests are not counted.
const LONGEST_FILE: usize = 500;

/// A file of `src/` without its tests and comments.
struct SourceFile {
    path: PathBuf,
    /// The part of the path below `src`.
    name: String,
    text: String,
    /// Code before the tests, without comments and doc comments.
    code: String,
}

impl SourceFile {
    /// The module at the top of the tree that the file belongs to.
    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }

    /// How many `super::` lead to the top of the tree.
    fn depth(&self) -> usize {
        let folders = self.name.matches('/').count();
        if self.name.ends_with("mod.rs") { folders } else { folders + 1 }
    }

    fn lines_of_code(&self) -> usize {
        before_tests(&self.text).lines().count()
    }
}

fn before_tests(text: &str) -> &str {
    match text.find("#[cfg(test)]\nmod tests") {
        Some(index) => &text[..index],
        None => text,
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let files = paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let code = before_tests(&text)
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        SourceFile { path, name, text, code }
    });
    files.collect()
}

/// The modules named behind every `crate::`, also in `crate::{a, b::c}`.
fn used_modules(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (index, _) in code.match_indices("crate::") {
        let before = code[..index].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == '$') {
            continue;
        }
        let rest = &code[index + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(first_words(group)),
            None => used.extend(first_word(rest)),
        }
    }
    used
}

fn first_word(text: &str) -> Option<String> {
    let word: String =
        text.trim_start().chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first word of every part of `a, b::{c, d}, e}`, up to the brace that
/// ends the group.
fn first_words(group: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut at_start = true;
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            character if at_start && !character.is_whitespace() => {
                words.extend(first_word(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
    }
    words
}

/// The longest run of `super::` in the code.
fn most_supers(code: &str) -> usize {
    let mut most = 0;
    let mut rest = code;
    while let Some(index) = rest.find("super::") {
        let mut run = 0;
        rest = &rest[index..];
        while let Some(after) = rest.strip_prefix("super::") {
            run += 1;
            rest = after;
        }
        most = most.max(run);
    }
    most
}

#[test]
fn modules_only_use_what_the_design_allows() {
    let mut broken = Vec::new();
    for file in source_files() {
        let module = file.module().to_owned();
        if MAY_USE_ALL.contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            broken.push(format!("{}: the module {module} has no line in MAY_USE", file.name));
            continue;
        };
        for used in used_modules(&file.code) {
            if used != module && !allowed.contains(&used.as_str()) {
                broken.push(format!("{}: {module} may not use {used}", file.name));
            }
        }
        if most_supers(&file.code) >= file.depth() {
            broken.push(format!("{}: leave the module with `crate::`, not with `super::`", file.name));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn files_are_short_enough_to_hold_one_noun() {
    let long = source_files().into_iter().filter(|file| file.lines_of_code() > LONGEST_FILE);
    let long: Vec<String> = long.map(|file| format!("{}: {} lines", file.name, file.lines_of_code())).collect();
    assert!(long.is_empty(), "split these (at most {LONGEST_FILE} lines without tests):\n{}", long.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_owns() {
    for file in source_files() {
        let head = file.text.lines().next().unwrap_or_default();
        assert!(head.len() > "//! ".len() && head.starts_with("//! "), "{} has no head", file.path.display());
    }
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() {
    for file in source_files() {
        assert!(
            !file.text.contains("#[allow(") && !file.text.contains("#![allow("),
            "{}: write #[expect(lint, reason = \"…\")]",
            file.name
        );
    }
}

#[test]
fn the_scanner_finds_modules_however_they_are_imported() {
    let used = |code: &str| used_modules(code).into_iter().collect::<Vec<_>>().join(",");
    assert_eq!(used("use crate::model::Mode; fn f() { crate::exec::run() }"), "exec,model");
    assert_eq!(
        used("use crate::{event::{Event, Envelope}, model::{self, Mode},\n    exit};"),
        "event,exit,model"
    );
    assert_eq!(used("pub(crate) fn f() {} use mycrate::x; $crate::y"), "");
    assert_eq!(most_supers("use super::super::x; use super::y;"), 2);
}
