//! What recording adds to a run.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::program;

/// What recording adds to the wall time of a run at most, in milliseconds.
const RECORDING: f64 = 20.0;
/// How many runs are timed of each kind.
const RUNS: usize = 9;

/// Times a short run, so that what recording adds can be seen: with each
/// database, and with one that refuses to be connected to.
pub(crate) async fn measure(cluster: &Cluster, folder: &Path) -> bool {
    let place = folder.join("recording");
    std::fs::create_dir_all(place.join("bin")).unwrap();
    std::fs::write(place.join("flake.nix"), "{ outputs = _: { }; }\n").unwrap();
    std::fs::write(place.join("hosts.toml"), "version = 1\n[hosts.p620]\n").unwrap();
    // Nothing is built or copied: what recording does beside the run is not hidden by work.
    for (name, script) in
        [("nix", "/bin/sleep 0.5; exit 1"), ("ssh", "/bin/sleep 0.5; exit 255"), ("git", "exit 1")]
    {
        let path = place.join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let postgres = cluster.url(&cluster.database().await);
    program(&postgres, &place, &["fleet", "migrate"]);
    let sqlite = format!("sqlite:{}", place.join("fleet.db").display());
    let refused = "postgres://fleet@127.0.0.1:1/fleet".to_owned();
    let mut times: [Vec<f64>; 3] = Default::default();
    // By turns, so that what else the machine does falls on all of them.
    for _ in 0..RUNS {
        for (url, times) in [&refused, &sqlite, &postgres].into_iter().zip(&mut times) {
            times.push(short_run(url, &place).as_secs_f64() * 1e3);
        }
    }
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    });
    println!("\na run that ends early, wall time in milliseconds (median of {RUNS})\n");
    for (name, median) in ["no database", "SQLite", "PostgreSQL"].iter().zip(medians) {
        println!("{name:<22}{median:>12.1}{:>+12.1}", median - medians[0]);
    }
    let met = medians.iter().all(|median| median - medians[0] <= RECORDING);
    println!("recording adds at most {RECORDING} ms{}", if met { "" } else { "  MISSED" });
    met
}

#[expect(clippy::disallowed_methods, reason = "a benchmark of the program starts the program")]
fn short_run(url: &str, place: &Path) -> Duration {
    let begun = Instant::now();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nix-deploy"))
        .args(["p620", "--yes", "--output", "plain"])
        .env("PATH", place.join("bin"))
        .env("NIX_DEPLOY_DATABASE_URL", url)
        .env("NIX_DEPLOY_STATE", place.join("state"))
        .current_dir(place)
        .output()
        .unwrap();
    assert!(output.status.code().is_some_and(|code| code == 4 || code == 5), "{output:?}");
    begun.elapsed()
}
