//! Files that are no honest code: a finding or a clear error, never a crash or
//! an endless wait.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix_deploy::lint::{Policy, check_files, check_text, collect};
use nix_deploy::model::Severity;

fn said(text: &[u8]) -> Vec<(String, Severity)> {
    let report = check_text(Path::new("odd.nix"), text, &Policy::new());
    assert!(
        report.findings.iter().all(|finding| !finding.message.contains("gave up")),
        "{:?}",
        report.findings
    );
    report.findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect()
}

fn says(text: &[u8], rule: &str) -> bool {
    said(text).iter().any(|(said, _)| said == rule)
}

#[test]
fn empty_and_blank_files_are_syntax_errors() {
    for text in ["", " \n", "# only a comment\n", "/* a */"] {
        assert!(says(text.as_bytes(), "syntax-error"), "{text:?}");
    }
}

#[test]
fn line_ends_of_windows_are_fine_and_a_byte_order_mark_is_not() {
    assert_eq!(said(b"{\r\n  # c\r\n  a = ''\r\n x\r\n  '';\r\n}\r\n"), []);
    assert!(says(b"\xef\xbb\xbf{ }", "syntax-error"));
}

#[test]
fn bytes_that_are_no_utf_8_are_said_and_the_rest_is_judged() {
    let said = said(b"{\n  # caf\xe9\n  networking.firewall.enable = false;\n}");
    assert!(said.contains(&("unreadable-file".to_owned(), Severity::Warning)), "{said:?}");
    assert!(said.contains(&("firewall-off".to_owned(), Severity::Critical)), "{said:?}");
    assert!(says(b"\xff\xfe{\x00}\x00", "syntax-error"));
}

#[test]
fn deep_nesting_is_a_critical_finding_and_no_overflow() {
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let mut texts = Vec::new();
    for depth in [600, 100_000] {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a=", ";}"),
            ("\"${", "}\""),
            ("''${", "}''"),
            ("x: ", ""),
            ("let a=", ";in a"),
        ] {
            texts.push(nested(open, close, depth));
        }
    }
    for (unit, count) in [
        ("1 + ", 100_000),
        ("[] ++ ", 100_000),
        ("{} // ", 100_000),
        ("!", 100_000),
        ("-", 100_000),
        ("f ", 100_000),
        ("a: ", 100_000),
        ("if 1 then 2 else ", 100_000),
        ("with a; ", 100_000),
        ("true -> ", 100_000),
    ] {
        texts.push(format!("{}1", unit.repeat(count)));
    }
    for text in texts {
        let said = said(text.as_bytes());
        let shown = &text[..20];
        assert!(said.iter().any(|(_, severity)| *severity == Severity::Critical), "{shown}: {said:?}");
    }
}

#[test]
fn what_is_just_below_the_bounds_is_judged_without_overflow() {
    for text in [
        format!("{}1{}", "[".repeat(500), "]".repeat(500)),
        format!("{}1{}", "(".repeat(500), ")".repeat(500)),
        format!("{}1", "1 + ".repeat(3_900)),
        format!("{}[]", "[] ++ ".repeat(1_900)),
        format!("{}{{}}", "{} // ".repeat(1_900)),
        format!("{}true", "!".repeat(7_000)),
        format!("x: {}x", "x (".repeat(400)) + &")".repeat(400),
        "a.".repeat(3_000) + "b",
    ] {
        let _ = said(text.as_bytes());
    }
}

#[test]
fn ten_megabytes_take_time_in_proportion() {
    let line = "  { name = \"x\"; value = [ 1 2 3 ]; enable = true; }\n";
    let small = format!("[\n{}]", line.repeat(2_000));
    let large = format!("[\n{}]", line.repeat(200_000));
    assert!(large.len() > 10_000_000);
    let time = |text: &str| {
        let start = Instant::now();
        assert_eq!(said(text.as_bytes()), []);
        start.elapsed()
    };
    let first = time(&small).max(Duration::from_millis(5));
    let second = time(&large);
    // A hundred times the size; what is quadratic would take ten thousand times.
    assert!(second < first * 1_000, "{first:?}, and for a hundred times as much {second:?}");
}

#[test]
fn anything_repeated_comes_to_an_end() {
    for unit in [
        "a.",
        "\"",
        "$",
        "x ",
        "''",
        "\\",
        "=",
        "a=1;",
        "}",
        "{;",
        "(1]",
        " ;",
        "\n#",
        "/*",
        "${",
        "\u{e9}",
        "a:b ",
        "((x)) ",
        "\"${x}\"",
        "nix-env -i ",
        "-----BEGIN PRIVATE KEY-----\n",
        "password=\"a1b2c3\";",
        "or ",
        "./a/",
        "<a> ",
        "~/",
    ] {
        let text = unit.repeat(30_000 / unit.len());
        for around in [
            text.clone(),
            format!("[{text}]"),
            format!("{{{text}}}"),
            format!("{{a=\"{text}\";}}"),
            format!("with x; [{text}]"),
        ] {
            let _ = said(around.as_bytes());
        }
    }
}

#[test]
fn one_long_line_is_shown_cut() {
    let list = " 1".repeat(50_000);
    let text = format!("{{ a = [{list}]; networking.firewall.enable = false; }}");
    let report = check_text(Path::new("a.nix"), text.as_bytes(), &Policy::new());
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].source_line.len() < 500);
    assert_eq!(report.findings[0].place.as_ref().unwrap().column, 100_011);
}

fn shown(paths: &[PathBuf], root: &Path) -> (Vec<String>, Vec<String>) {
    let collected = collect(root, paths, &Policy::new());
    let report = check_files(&collected.files, &Policy::new(), None);
    assert!(report.findings.iter().all(|finding| finding.rule == "unreadable-file"), "{:?}", report.findings);
    let files = collected.files.iter().map(|file| file.shown.to_string_lossy().into_owned()).collect();
    let findings = collected.findings.iter().chain(&report.findings);
    let refused = findings.map(|finding| finding.place.as_ref().unwrap().file.to_string_lossy().into_owned());
    (files, refused.collect())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "mkfifo is a program")]
fn links_pipes_and_folders_hold_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |name: &str| {
        std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        std::fs::write(root.join(name), "{ }").unwrap();
    };
    write("b.nix");
    write("a/c.nix");
    write(".hidden/d.nix");
    write("folder.nix/default.nix");
    write("readme.md");
    std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
    std::os::unix::fs::symlink("self.nix", root.join("self.nix")).unwrap();
    std::os::unix::fs::symlink("/nowhere/x", root.join("gone.nix")).unwrap();
    std::os::unix::fs::symlink("b.nix", root.join("link.nix")).unwrap();
    std::os::unix::fs::symlink("/nix/store", root.join("result")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe.nix")).status().unwrap().success());
    let (files, mut refused) = shown(&[PathBuf::from(".")], root);
    refused.sort();
    assert_eq!(files, ["a/c.nix", "b.nix", "folder.nix/default.nix", "link.nix"]);
    assert_eq!(refused, ["gone.nix", "pipe.nix", "self.nix"]);
    // Named themselves, and twice.
    let (files, refused) =
        shown(&["b.nix", "./b.nix", "pipe.nix", "gone.nix", "none.nix", "readme.md"].map(PathBuf::from), root);
    assert_eq!(files, ["b.nix", "readme.md"]);
    assert_eq!(refused, ["pipe.nix", "gone.nix", "none.nix"]);
}

#[test]
fn a_file_that_turns_into_a_pipe_or_goes_away_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.nix"), "{ }").unwrap();
    let collected = collect(folder.path(), &[PathBuf::from(".")], &Policy::new());
    std::fs::remove_file(folder.path().join("a.nix")).unwrap();
    let report = check_files(&collected.files, &Policy::new(), None);
    assert_eq!(report.files, 0);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].rule, "unreadable-file");
}
