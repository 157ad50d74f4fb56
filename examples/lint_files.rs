//! Judges files and says how long that took: what `nix-deploy check` does
//! without its command line. For measurements:
//!
//!     lint_files [--cache FILE] [--text] PATH...

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use nix_deploy::lint::{Cache, Policy, check_files, collect};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let mut arguments = std::env::args_os().skip(1).peekable();
    let mut cache = None;
    if arguments.peek().is_some_and(|first| first == "--cache") {
        arguments.next();
        cache = arguments.next().map(|path| Cache::open(&PathBuf::from(path)));
    }
    let show = arguments.peek().is_some_and(|first| first == "--text");
    if show {
        arguments.next();
    }
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let policy = Policy::new();
    let collected = collect(&std::env::current_dir()?, &paths, &policy);
    let report = check_files(&collected.files, &policy, cache.as_mut());
    if let Some(cache) = &mut cache {
        cache.save()?;
    }
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry((finding.rule.clone(), finding.severity.as_str())).or_default() += 1;
        if show && let Some(place) = &finding.place {
            let (line, column) = (place.line, place.column);
            let severity = finding.severity.as_str();
            println!(
                "{}:{line}:{column}: {severity}: {}: {}",
                place.file.display(),
                finding.rule,
                finding.message
            );
        }
    }
    for ((rule, severity), count) in counts {
        println!("{count:7} {rule} ({severity})");
    }
    println!(
        "{} files, {} from the cache, {:.1} ms",
        report.files,
        report.cached,
        start.elapsed().as_secs_f64() * 1000.0
    );
    Ok(())
}
