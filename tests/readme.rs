//! Keeps README.md true: keys, defaults, environment names, flags and examples
//! are compared with the source and with what the program says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;

const README: &str = include_str!("../README.md");
const HOSTS_TOML: &str = include_str!("../src/settings/hosts_toml.rs");
const HOST_KEYS: &str = include_str!("../src/settings/host_keys.rs");
const LINT_KEYS: &str = include_str!("../src/settings/lint_keys.rs");
const ISSUE_KEYS: &str = include_str!("../src/settings/issue_keys.rs");
const LIMITS: &str = include_str!("../src/model/limits.rs");
const NOTIFY_KEYS: &str = include_str!("../src/settings/notify_keys.rs");
const PULL_REQUEST_KEYS: &str = include_str!("../src/settings/pull_request_keys.rs");
const ROLLOUT_KEYS: &str = include_str!("../src/settings/rollout_keys.rs");
const CHECK_KEYS: &str = include_str!("../src/settings/check_keys.rs");
const ENV: &str = include_str!("../src/settings/env.rs");

/// What reads a key of a table: the methods of `TableReader`.
const READERS: [&str; 10] = [
    "parsed",
    "choice",
    "boolean",
    "integer",
    "duration",
    "list",
    "table",
    "each_table",
    "each_table_or_text",
    "each_named",
];
/// Where the keys of a table of their own are read, and what the table is called.
const TABLES: [(&str, &str); 6] = [
    ("fn read_ignore(", "issues.ignore."),
    ("fn read_database(", "database."),
    ("fn read_recover(", "recover."),
    ("fn read_substituter(", "substituters."),
    ("impl RollbackKeys ", "rollback."),
    ("impl TimeoutKeys ", "timeouts."),
];
/// Tables of single keys, which the README lists one by one.
const UNFOLDED: [&str; 9] =
    ["database", "issues", "lint", "notify", "pull_request", "recover", "rollout", "rollback", "timeouts"];

/// The text between quotes that a line begins with.
fn quoted(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

/// The keys that a source file reads, with the table they stand in.
fn keys_of(source: &str, table: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]").next().unwrap();
    let mut keys = BTreeSet::new();
    let mut prefix = table;
    for line in product.lines() {
        if ["fn ", "impl ", "pub(crate) fn "].iter().any(|item| line.starts_with(item)) {
            let own = TABLES.iter().find(|(item, _)| line.starts_with(item));
            prefix = own.map_or(table, |(_, prefix)| prefix);
        }
        // `value` also looks at keys that another method reads; only these it reads alone.
        for key in ["version", "url", "until"] {
            if line.contains(&format!(".value(\"{key}\")")) {
                keys.insert(format!("{prefix}{key}"));
            }
        }
        // A number or a share of hosts; a canary is one of these, or a list.
        for (call, key) in [("share(&mut reader, ", None), ("canary(&mut reader)", Some("canary"))] {
            let calls = line.split(call).skip(1);
            keys.extend(calls.filter_map(|rest| key.or(quoted(rest))).map(|key| format!("{prefix}{key}")));
        }
        for reader in READERS {
            let call = format!(".{reader}(");
            let calls = line.split(call.as_str()).skip(1);
            keys.extend(calls.filter_map(quoted).map(|key| format!("{prefix}{key}")));
        }
    }
    keys
}

/// Every key of hosts.toml, as its readers spell it.
fn known_keys() -> BTreeSet<String> {
    let mut keys = keys_of(HOSTS_TOML, "");
    keys.extend(keys_of(HOST_KEYS, ""));
    keys.extend(keys_of(CHECK_KEYS, "checks."));
    keys.extend(keys_of(LINT_KEYS, "lint."));
    keys.extend(keys_of(ISSUE_KEYS, "issues."));
    // Limits are read by the names that they have.
    let (_, names) = LIMITS.split_once("pub fn as_str").unwrap();
    let names = names.split("\n    }\n").next().unwrap().split("=> ").skip(1).filter_map(quoted);
    keys.extend(names.map(|name| format!("resources.{name}")));
    keys.extend(keys_of(NOTIFY_KEYS, "notify."));
    keys.extend(keys_of(PULL_REQUEST_KEYS, "pull_request."));
    keys.extend(keys_of(ROLLOUT_KEYS, "rollout."));
    keys.retain(|key| !UNFOLDED.contains(&key.as_str()));
    keys
}

/// The text of a chapter, up to the next one.
fn chapter(name: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n## {name}\n")).unwrap_or_else(|| panic!("no chapter {name}"));
    rest.split("\n## ").next().unwrap()
}

/// The rows of a chapter's tables whose first cell is one code word, with their cells.
fn rows(chapter: &str) -> BTreeMap<String, Vec<String>> {
    let cells = |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().to_owned()).collect() };
    let rows = chapter.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[1].trim_matches('`').to_owned(), cells)).collect()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    #[expect(clippy::disallowed_methods, reason = "a test of the program starts the program")]
    std::process::Command::new(env!("CARGO_BIN_EXE_nix-deploy"))
        .args(arguments)
        .env_clear()
        .env("HOME", folder)
        .env("LANG", "C.UTF-8")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a flake and this hosts.toml.
fn folder_with(hosts_toml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flake.nix"), "{ outputs = _: { }; }\n").unwrap();
    std::fs::write(folder.path().join("hosts.toml"), hosts_toml).unwrap();
    folder
}

#[test]
fn the_reference_lists_exactly_the_keys_that_are_read() {
    let known = known_keys();
    assert!(known.len() > 40, "the source is not read as it was meant: {known:?}");
    let listed: BTreeSet<String> = rows(chapter("hosts.toml reference")).into_keys().collect();
    let missing: Vec<_> = known.difference(&listed).collect();
    let invented: Vec<_> = listed.difference(&known).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:?}, invented: {invented:?}");
}

#[test]
fn the_defaults_of_the_reference_are_those_of_a_host_that_says_nothing() {
    let folder = folder_with("version = 1\n[hosts.p620]\n");
    let output = run(folder.path(), &["p620", "--dry-run", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (host, rollout) = (&plan["run"]["hosts"][0], &plan["run"]["rollout"]);
    let mut compared = 0;
    for (key, cells) in rows(chapter("hosts.toml reference")) {
        let default = cells[3].trim_matches('`').trim_matches('"');
        let (table, name) = key.split_once('.').unwrap_or(("", &key));
        let actual = match table {
            "" => &host[name],
            "rollout" => &rollout[name],
            _ => &host[table][name],
        };
        let actual = match actual {
            serde_json::Value::Bool(value) => value.to_string(),
            serde_json::Value::Number(value) => value.to_string(),
            serde_json::Value::Object(duration) if duration.contains_key("secs") => {
                duration["secs"].to_string()
            }
            _ => continue,
        };
        let number = default.trim_end_matches(char::is_alphabetic);
        let seconds = |unit: u64| number.parse::<u64>().map(|count| (count * unit).to_string()).unwrap();
        let default = match cells[2].as_str() {
            "duration" if default.ends_with('s') => seconds(1),
            "duration" if default.ends_with('m') => seconds(60),
            "duration" if default.ends_with('h') => seconds(3600),
            _ => default.to_owned(),
        };
        assert_eq!(default, actual, "default of {key}");
        compared += 1;
    }
    assert!(compared >= 13, "only {compared} defaults were found in {plan}");
}

#[test]
fn every_environment_name_is_listed_and_no_other() {
    let listed = rows(chapter("Environment variables"));
    let ours = |name: &&str| name.starts_with("NIX_DEPLOY_");
    let read: BTreeSet<&str> = ENV.split('"').filter(ours).collect();
    let listed: BTreeSet<&str> = listed.keys().map(String::as_str).filter(ours).collect();
    assert!(read.len() >= 4, "{read:?}");
    assert_eq!(listed, read);
}

#[test]
fn every_long_flag_of_the_help_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        vec!["--help"],
        vec!["init", "--help"],
        vec!["resume", "--help"],
        vec!["check", "--help"],
        vec!["doctor", "--help"],
        vec!["issues", "--help"],
        vec!["update", "--help"],
        vec!["man", "--help"],
        vec!["rollback", "--help"],
        vec!["status", "--help"],
        vec!["history", "--help"],
        vec!["diff", "--help"],
    ] {
        let help = text(&run(folder.path(), &arguments).stdout);
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let flags =
            options.filter_map(|line| line.split([' ', ',', '.', '[']).find(|word| word.starts_with("--")));
        let flags: BTreeSet<&str> = flags.collect();
        assert!(flags.contains("--help"), "{arguments:?}: {help}");
        for flag in flags {
            let shown = README.match_indices(flag).any(|(at, _)| {
                let next = README[at + flag.len()..].chars().next().unwrap_or(' ');
                !next.is_ascii_alphanumeric() && next != '-'
            });
            assert!(shown, "README lacks {flag} of {arguments:?}");
        }
    }
}

#[test]
fn every_example_of_hosts_toml_is_one_that_is_read_without_a_warning() {
    let blocks = README.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let files: Vec<&str> = blocks.filter(|block| block.starts_with("version = 1")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let output = run(folder_with(file).path(), &["all", "--dry-run"]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{file}");
    }
}

#[test]
fn the_chapters_that_hints_of_the_program_name_are_there() {
    let sources = [
        include_str!("../src/host/error.rs"),
        include_str!("../src/steps/host_facts.rs"),
        include_str!("../src/commands/doctor.rs"),
    ];
    for source in sources {
        let name = source.split("README, ").nth(1).unwrap().trim_start_matches(['\\', '"']);
        chapter(name.split(['\\', '"']).next().unwrap());
    }
}

#[test]
fn the_links_within_the_readme_lead_to_chapters() {
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let headings = README.lines().filter(|line| line.starts_with('#'));
    let anchors: BTreeSet<String> =
        headings.map(|line| anchor(line.trim_start_matches('#').trim_start())).collect();
    for link in README.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(anchors.contains(link), "no chapter is called {link}: {anchors:?}");
    }
}
