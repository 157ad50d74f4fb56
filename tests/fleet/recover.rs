//! What goes wrong every day and is set right without a person: a host that is
//! not there yet, a binary cache that is gone, a service with a cause that is
//! known. What this machine is short of is in `scarce.rs`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::fleet::{Fleet, command, report};

/// What was set right for a host, as `what outcome`.
pub(crate) fn recoveries(report: &Value) -> Vec<String> {
    let all = report["recoveries"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter().map(|one| format!("{} {}", word(&one["what"]), word(&one["outcome"]))).collect()
}

/// A revision that no store has seen.
pub(crate) fn fresh_revision() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("revision = {};", now.as_millis())
}

#[test]
fn a_host_that_is_not_there_is_waited_for_and_gets_what_was_built_meanwhile() {
    let fleet = Fleet::start(&["p620", "p510"]);
    for host in ["p620", "p510"] {
        fleet.variant_with(host, "unit-changed", &fresh_revision());
    }
    fleet.on_fleet("link", &["p620", "down"]);
    let mut run = fleet.start_deploy(&["p620", "p510", "--wait-for-host=10m"]);
    run.wait_for("the wait", |event| {
        event["host"] == "p620"
            && event["doing"].as_str().is_some_and(|doing| doing.contains("waiting for the host"))
    });
    run.wait_for("the other host", |event| event["type"] == "host-finished" && event["host"] == "p510");
    // Built, and kept by a link, though nobody could ask the host yet.
    let results =
        || fs::read_dir(fleet.state().join("runs")).unwrap().next().unwrap().unwrap().path().join("results");
    let is_built = || {
        let links =
            fs::read_dir(results()).into_iter().flatten().map(|link| fs::read_link(link.unwrap().path()));
        links.flatten().any(|system| system.to_string_lossy().contains("nixos-system-p620"))
    };
    run.wait_for("the build", |_| is_built());
    fleet.on_fleet("link", &["p620", "up"]);
    let (status, events) = run.finish();
    assert_eq!(status.code(), Some(0));
    let report = report(&events, "p620");
    assert_eq!(report["outcome"], "deployed", "{report:#}");
    assert_eq!(recoveries(report), ["wait-for-host helped"]);
    assert_eq!(fleet.look("p620").current_system, report["new"].as_str().unwrap());
    fleet.assert_no_traces("p620");

    // One that does not come in time is told as unreachable, with where the build is.
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    fleet.on_fleet("link", &["p620", "down"]);
    let run = fleet.deploy(&["p620", "--wait-for-host=1s"]);
    fleet.on_fleet("link", &["p620", "up"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["cannot be reached", "what was built for it is kept in"]);
    assert_eq!(recoveries(run.report("p620")), ["wait-for-host in-vain"]);
}

/// A binary cache that knows a path and fails whenever it should deliver it.
/// Gives its URL.
fn broken_cache(store_path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hash = store_path.trim_start_matches("/nix/store/").split('-').next().unwrap().to_owned();
    let narinfo = format!(
        "StorePath: {store_path}\nURL: nar/1.nar\nCompression: none\nNarHash: sha256:{}\nNarSize: 1000\n\
         References: \n",
        "0".repeat(52)
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = String::new();
            let _ = BufReader::new(&stream).read_line(&mut request);
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = if path == "/nix-cache-info" {
                ("200 OK", "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 1\n")
            } else if path == format!("/{hash}.narinfo") {
                ("200 OK", narinfo.as_str())
            } else if path.starts_with("/nar/") {
                ("500 Internal Server Error", "")
            } else {
                ("404 Not Found", "")
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

#[test]
fn binary_caches_that_are_gone_or_broken_are_done_without() {
    let mut fleet = Fleet::start(&["p620"]);
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let toplevel = fleet.flake().join("nix/toplevel.nix");
    let text = fs::read_to_string(&toplevel).unwrap();
    fs::write(&toplevel, text.replace("allowSubstitutes = false", "allowSubstitutes = true")).unwrap();
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    let mut eval = command("nix");
    let attribute = ".#nixosConfigurations.p620.config.system.build.toplevel.outPath";
    let system = fleet.operator(&mut eval).args(["eval", "--raw", attribute]).output().unwrap().stdout;
    let broken = broken_cache(&String::from_utf8(system).unwrap());
    fleet.write_settings(&format!(
        "[[substituters]]\nurl = \"{gone}\"\n[[substituters]]\nurl = \"{broken}\"\nkeys = [\"test-1:AAAA\"]\n"
    ));
    fleet.nix_config.push_str("\nrequire-sigs = false\ndownload-attempts = 1");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    let told = &run.report("p620")["recoveries"];
    assert_eq!(
        recoveries(run.report("p620")),
        ["leave-out-cache helped", "leave-out-cache helped"],
        "{told:#}"
    );
    let whys: Vec<&str> = told.as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
    assert!(whys[0].contains(&gone) && whys[0].contains("refused"), "{whys:?}");
    assert!(whys[1].contains(&broken), "{whys:?}");
    fleet.assert_runs_new("p620", &run);
}

#[test]
fn a_full_disk_of_the_host_that_builds_is_cleared_and_what_is_being_built_stays() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256"]);
    fleet.write_settings("[recover]\ngc = true\n[hosts.p620]\nbuild_on = \"target\"\n");
    let garbage = fleet.on(
        "p620",
        "head -c 100000000 /dev/urandom >/nix/garbage && nix-store --add /nix/garbage && rm /nix/garbage",
    );
    fleet.on_fleet("fill", &["p620", "/nix", "40"]);
    let variant = "{ ... }: { packages.big = \"1.0\"; packageBuild.big = \"mkdir $out; head -c 60000000 /dev/urandom >$out/big\"; }";
    fs::write(fleet.flake().join("variants/big.nix"), variant).unwrap();
    fleet.variant("p620", "big");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert_eq!(recoveries(run.report("p620")), ["collect-garbage helped"]);
    assert_eq!(fleet.on("p620", &format!("ls -d {} 2>/dev/null || echo gone", garbage.trim())).trim(), "gone");
    fleet.assert_runs_new("p620", &run);
}

#[test]
fn a_service_that_fails_for_a_known_reason_is_taken_back_with_what_to_do() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    // The same port twice, and a user that nobody defined.
    let program = "/usr/bin/perl -e 'use IO::Socket; IO::Socket::INET->new(Listen => 1, LocalPort => 22) or die qq(web: cannot listen on 0.0.0.0:22: $!)'";
    let variant = format!(
        "{{ ... }}: {{ units.\"web2.service\" = {{ Service.ExecStart = \"{}\"; wantedBy = [ \"multi-user.target\" ]; }};\n\
         units.\"app.service\" = {{ Service = {{ ExecStart = \"/bin/true\"; User = \"grafana\"; }}; wantedBy = [ \"multi-user.target\" ]; }}; }}",
        program.replace('$', "$$")
    );
    fs::write(fleet.flake().join("variants/known-causes.nix"), variant).unwrap();
    fleet.variant("p620", "known-causes");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure(
        "p620",
        &["port 22 is in use", "sport = :22", "users.users.NAME", "Address already in use"],
    );
    assert_eq!(fleet.look("p620"), before);
}
