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
    fleet.assert_deployed("p620", status.code(), &events, 2);

    // One that does not come in time is told as unreachable, with where the build is.
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    fleet.on_fleet("link", &["p620", "down"]);
    let run = fleet.deploy(&["p620", "--wait-for-host=1s"]);
    fleet.on_fleet("link", &["p620", "up"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["cannot be reached", "what was built for it is kept in"]);
    assert_eq!(recoveries(run.report("p620")), ["wait-for-host in-vain"]);
}

/// Answers requests by their path, until the test ends.
fn serve(listener: TcpListener, answer: impl Fn(&str) -> (&'static str, String) + Send + 'static) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = String::new();
            let _ = BufReader::new(&stream).read_line(&mut request);
            let (status, body) = answer(request.split(' ').nth(1).unwrap_or_default());
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
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
    serve(listener, move |path| match path {
        "/nix-cache-info" => ("200 OK", "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 1\n".to_owned()),
        _ if path == format!("/{hash}.narinfo") => ("200 OK", narinfo.clone()),
        _ if path.starts_with("/nar/") => ("500 Internal Server Error", String::new()),
        _ => ("404 Not Found", String::new()),
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
    // All units are other ones now, and what restarts them may log.
    assert_eq!(run.code, Some(0), "{:#}", run.report("p620"));
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

const TOPLEVEL: &str = ".#nixosConfigurations.p620.config.system.build.toplevel";

/// Changes a file of the demo flake.
fn replace(fleet: &Fleet, file: &str, from: &str, to: &str) {
    let path = fleet.flake().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in {file}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn what_a_binary_cache_of_hosts_toml_has_is_fetched_if_its_key_is_there_and_not_built() {
    let mut fleet = Fleet::start(&["p620"]);
    replace(&fleet, "nix/toplevel.nix", "allowSubstitutes = false", "allowSubstitutes = true");
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    let beside = |name: &str| fleet.flake().with_file_name(name).to_str().unwrap().to_owned();
    let (secret, public, cache) = (beside("secret-key"), beside("public-key"), beside("cache"));
    let store = |arguments: &[&str]| {
        let mut store = command("nix-store");
        let output = fleet.operator(&mut store).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    store(&["--generate-binary-cache-key", "cache.example.org-1", &secret, &public]);
    fleet.nix(&["build", "--no-link", TOPLEVEL]);
    let system = fleet.nix(&["eval", "--raw", &format!("{TOPLEVEL}.outPath")]);
    fleet.nix(&["copy", "--to", &format!("file://{cache}?secret-key={secret}"), &system]);
    // From here on it is in the cache alone, and nothing can be built.
    store(&["--delete", &system]);
    let key = fs::read_to_string(&public).unwrap();
    fleet.nix_config.push_str("\nmax-jobs = 0");

    let before = fleet.look("p620");
    fleet.write_settings(&format!("[[substituters]]\nurl = \"file://{cache}\"\n"));
    fleet.deploy(&["p620"]).expect("p620", 4, "failed");
    assert_eq!(fleet.look("p620"), before);

    fleet.write_settings(&format!("[[substituters]]\nurl = \"file://{cache}\"\nkeys = [\"{}\"]\n", key.trim()));
    let run = fleet.deploy(&["p620"]);
    // All units are other ones now, and what restarts them may log.
    assert_eq!(run.code, Some(0), "{:#}", run.report("p620"));
    assert_eq!(run.report("p620")["new"], system);
    assert!(recoveries(run.report("p620")).is_empty());
    fleet.assert_runs_new("p620", &run);
}

#[test]
fn a_host_fetches_from_its_own_binary_caches_what_they_have_where_it_is_to() {
    let fleet = Fleet::start(&["p620"]);
    let settings = "substituters = file:///var/nix-cache?trusted=true\n";
    replace(&fleet, "nix/toplevel.nix", "substituters =\n", settings);
    fleet.variant("p620", "baseline");
    assert_eq!(fleet.deploy(&["p620"]).code, Some(0));
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    fleet.nix(&["build", "--no-link", TOPLEVEL]);
    let system = fleet.nix(&["eval", "--raw", &format!("{TOPLEVEL}.outPath")]);
    let cache = fleet.flake().with_file_name("cache");
    fleet.nix(&["copy", "--to", &format!("file://{}", cache.display()), &system]);
    fleet.put("p620", &cache, "/var/nix-cache");
    fleet.write_settings_with("use_substitutes = true", "");
    let run = fleet.deploy(&["p620"]);
    assert_eq!(run.code, Some(0), "{:#}", run.report("p620"));
    let logs =
        fs::read_dir(fleet.state().join("runs")).unwrap().map(|run| run.unwrap().path().join("p620-copy.log"));
    let logs: Vec<String> = logs.map(|log| fs::read_to_string(log).unwrap()).collect();
    let is_fetched =
        |log: &&String| log.contains(&format!("copying path '{system}' from 'file:///var/nix-cache'"));
    let fetched = logs.iter().find(is_fetched).unwrap_or_else(|| panic!("{logs:#?}"));
    assert!(fetched.contains("copying 0 paths") && !fetched.contains("to 'ssh-ng://"), "{fetched}");
    assert!(recoveries(run.report("p620")).is_empty());
    fleet.assert_runs_new("p620", &run);
}

/// A binary cache for hosts, which has broken down. Gives its URL.
fn cache_that_broke_down(fleet: &Fleet) -> String {
    let address = fleet.address("p620");
    let network: Vec<&str> = address.split('.').take(2).collect();
    let listener = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let url = format!("http://{}.0.1:{}", network.join("."), listener.local_addr().unwrap().port());
    serve(listener, |path| match path {
        "/nix-cache-info" => ("200 OK", "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 1\n".to_owned()),
        _ => ("500 Internal Server Error", String::new()),
    });
    url
}

#[test]
fn a_host_whose_binary_cache_broke_down_gets_everything_from_here() {
    let fleet = Fleet::start(&["p620"]);
    let url = cache_that_broke_down(&fleet);
    let settings = format!("substituters = {url}\n    download-attempts = 1\n");
    replace(&fleet, "nix/toplevel.nix", "substituters =\n", &settings);
    fleet.variant("p620", "baseline");
    assert_eq!(fleet.deploy(&["p620"]).code, Some(0));
    fleet.write_settings_with("use_substitutes = true", "");
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    let run = fleet.deploy(&["p620"]);
    assert_eq!(run.code, Some(0), "{:#}", run.report("p620"));
    // Some versions of Nix say so; others break off, and are asked once more before.
    let told = recoveries(run.report("p620"));
    assert_eq!(told.last().map(String::as_str), Some("leave-out-cache helped"), "{:#}", run.report("p620"));
    let recovery = &run.report("p620")["recoveries"][told.len() - 1];
    assert_eq!(recovery["result"], "copied everything from here");
    fleet.assert_runs_new("p620", &run);
}

#[test]
fn a_host_whose_binary_cache_is_gone_gets_everything_from_here() {
    let fleet = Fleet::start(&["p620"]);
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Nothing listens on the host itself either.
        format!("http://{}", listener.local_addr().unwrap())
    };
    let settings = format!("substituters = {gone}\n    download-attempts = 1\n");
    replace(&fleet, "nix/toplevel.nix", "substituters =\n", &settings);
    fleet.variant("p620", "baseline");
    assert_eq!(fleet.deploy(&["p620"]).code, Some(0));
    fleet.write_settings_with("use_substitutes = true", "");
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    let run = fleet.deploy(&["p620"]);
    assert_eq!(run.code, Some(0), "{:#}", run.report("p620"));
    // Whatever Nix makes of it, the host has asked.
    let logs =
        fs::read_dir(fleet.state().join("runs")).unwrap().map(|run| run.unwrap().path().join("p620-copy.log"));
    let logs: String = logs.map(|log| fs::read_to_string(log).unwrap_or_default()).collect();
    assert!(logs.contains(&gone), "{logs}");
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
    let fleet = Fleet::start(&["p620", "p510"]);
    let before = ["p620", "p510"].map(|host| fleet.look(host));
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
    // A secret that is not there, then a file that is somebody else's.
    let unit = |service: &str| {
        format!(
            "units.\"needs.service\" = {{ Service = {{ {service} }}; wantedBy = [ \"multi-user.target\" ]; }};"
        )
    };
    let more = [
        (
            "ExecStart = \"/bin/true\"; EnvironmentFile = \"/run/secrets/web\";",
            "a file of EnvironmentFile is missing",
        ),
        (
            "ExecStart = \"/bin/cat /etc/shadow\"; User = \"deploy\";",
            "/etc/shadow cannot be read or written by the unit's user",
        ),
        ("ExecStart = \"/usr/bin/perl -e '$$x = q(a) x (256 << 20)'\"; LimitAS = \"64M\";", "memory ran out"),
    ];
    for (service, suggested) in more {
        let variant = format!("{{ ... }}: {{ {} }}", unit(service));
        fs::write(fleet.flake().join("variants/more-causes.nix"), variant).unwrap();
        fleet.variant("p510", "more-causes");
        let run = fleet.deploy(&["p510"]);
        run.expect("p510", 6, "rolled-back");
        run.assert_failure("p510", &[suggested]);
    }
    // One that must run, and requires one that fails for a reason of its own.
    let base = "units.\"base.service\".Service = { Type = \"oneshot\"; ExecStart = \"/bin/cat /nowhere\"; };";
    let top = "units.\"top.service\" = { Unit = { Requires = \"base.service\"; After = \"base.service\"; }; \
               Service.ExecStart = \"/bin/sleep infinity\"; wantedBy = [ \"multi-user.target\" ]; };";
    fs::write(fleet.flake().join("variants/more-causes.nix"), format!("{{ ... }}: {{ {base} {top} }}"))
        .unwrap();
    fleet.write_settings("[hosts.p510]\ncritical_services = [\"top.service\"]\n");
    let run = fleet.deploy(&["p510"]);
    run.expect("p510", 6, "rolled-back");
    run.assert_failure("p510", &["a unit that it requires failed first", "/nowhere is not there"]);
    assert_eq!(["p620", "p510"].map(|host| fleet.look(host)), before);
}
