//! What the installed Nix says of many files, with as few processes as it can:
//! `nix-instantiate --parse` prints file after file and stops at the first bad
//! one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What Nix prints for each text: its expression, or `None` if it refuses it.
pub(crate) fn parse_all(texts: &[String]) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    // In a folder of its own, so that `~/` and `./` mean the same each time.
    let paths: Vec<PathBuf> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let path = folder.path().join(format!("m{index}.nix"));
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let verdicts = Mutex::new(vec![None; texts.len()]);
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    let chunks: Vec<&[PathBuf]> = paths.chunks(64).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, chunk)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    chunks.get(number).map(|chunk| (number, chunk))
                } {
                    let verdict = parse_chunk(chunk, folder.path());
                    verdicts.lock().unwrap()[number * 64..][..verdict.len()].clone_from_slice(&verdict);
                }
            });
        }
    });
    verdicts.into_inner().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the installed Nix is the judge of this test")]
fn parse_chunk(paths: &[PathBuf], home: &Path) -> Vec<Option<String>> {
    let mut verdicts = Vec::with_capacity(paths.len());
    while verdicts.len() < paths.len() {
        let rest = &paths[verdicts.len()..];
        let output = Command::new("nix-instantiate")
            .arg("--parse")
            .args(rest)
            .env("NIX_CONFIG", "build-users-group =")
            .env("HOME", home)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|error| {
            panic!("this test needs the installed Nix as its judge (tests/support/install.sh): nix-instantiate: {error}")
        });
        // Relative paths are printed in full.
        let printed = String::from_utf8_lossy(&output.stdout).replace(&*home.to_string_lossy(), "/folder");
        // The prints are one line each: line ends in strings are escaped.
        verdicts.extend(printed.lines().map(|line| Some(line.to_owned())));
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let name = paths[verdicts.len()].file_name().unwrap().to_string_lossy().into_owned();
            assert!(said.contains("error:"), "{name}: {said}");
            verdicts.push(None);
        }
    }
    assert_eq!(verdicts.len(), paths.len());
    verdicts
}

#[test]
fn the_judge_tells_good_from_bad_and_keeps_the_order() {
    let texts: Vec<String> = ["1", "{ a = ''\n x\n''; }", "{", "b", "[ 2 ]", "let x"]
        .iter()
        .map(|text| (*text).to_owned())
        .collect();
    let verdicts = parse_all(&texts);
    let accepted: Vec<bool> = verdicts.iter().map(Option::is_some).collect();
    assert_eq!(accepted, [true, true, false, false, true, false]);
    assert_eq!(verdicts[4].as_deref(), Some("[ (2) ]"));
}
