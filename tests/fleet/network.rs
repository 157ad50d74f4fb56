//! Network properties that hosts.toml asks for: names that the host resolves and
//! Tailscale, each well, broken by the change, and broken before it. And what the
//! Tailscale of this machine says about a host that does not answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::fleet::{Fleet, Run};

/// A name server of the host's own: it knows every name, or with exit code `code` of
/// DNS none.
const RESOLVER: &str = r#"{ settings, ... }:
let
  server = builtins.toFile "resolver.pl" ''
    use IO::Socket::INET;
    my $code = shift;
    my $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 53, Proto => "udp") or die "$@";
    while ($socket->recv(my $query, 512)) {
      my $rest = substr $query, 12;
      my $question = substr $rest, 0, index($rest, chr 0) + 5;
      my $known = !$code && unpack("n", substr $question, -4, 2) == 1;
      my $answer = pack "n6", unpack("n", $query), 0x8180 | $code, 1, $known, 0, 0;
      $answer .= $question;
      $answer .= pack "n3 N n C4", 0xc00c, 1, 1, 60, 4, 192, 0, 2, 7 if $known;
      $socket->send($answer);
    }
  '';
in
{
  units."resolver.service" = {
    Service.ExecStart = "/usr/bin/perl ${server} ${toString settings.code}";
    wantedBy = [ "multi-user.target" ];
  };
}
"#;

const NAME: &str = "cache.example.org";

/// Deploys the resolver, which answers with `code`; `more` is another change.
fn resolver(fleet: &Fleet, code: u8, more: &str) {
    fleet.host_file("p620", &format!("{{ variant = [ \"resolver\" {more} ]; code = {code}; revision = 1; }}"));
}

#[test]
fn names_that_a_change_makes_unknown_take_it_back_and_what_was_unknown_before_is_a_warning() {
    let fleet = Fleet::start(&["p620"]);
    fs::write(fleet.flake().join("variants/resolver.nix"), RESOLVER).unwrap();
    resolver(&fleet, 0, "");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    fleet.on("p620", "printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n' >/etc/resolv.conf");
    let resolves = || fleet.on("p620", &format!("getent ahosts {NAME} | grep -c 192.0.2.7 || true"));
    assert_ne!(resolves().trim(), "0");

    fleet.write_settings(&format!("[hosts.p620]\nnetwork = [\"ssh\", \"dns\"]\ndns_name = \"{NAME}\"\n"));
    resolver(&fleet, 0, "\"unit-changed\"");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.summary("p620", "network"), "ssh, dns");

    let before = fleet.standing("p620");
    resolver(&fleet, 3, "\"unit-changed\"");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &[&format!("dns: cannot resolve {NAME}")]);
    fleet.assert_as_before("p620", &before);
    assert_ne!(resolves().trim(), "0");

    // What does not work already is not the change's fault.
    fleet.on("p620", "printf 'nameserver 127.0.0.2\noptions timeout:1 attempts:1\n' >/etc/resolv.conf");
    resolver(&fleet, 0, "\"reload\"");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    let warning = format!("dns: cannot resolve {NAME}, as before this deploy");
    assert!(run.warnings("p620").contains(&warning), "{}", run.warnings("p620"));
}

/// A unit that stands in for Tailscale's daemon: it says what `states` hold, one after
/// the other, and when it is stopped what was said before.
const DAEMON: &str = r#"{ settings, ... }: {
  units."tailscaled.service" = {
    Service = {
      ExecStartPre = "/usr/bin/cp /root/${builtins.head settings.states}.json /run/tailscale.json";
      ExecStart = "/bin/sh -c 'for state in ${toString settings.states}; do cp /root/$$state.json /run/tailscale.json; sleep 2; done; exec sleep infinity'";
      ExecStopPost = "/usr/bin/cp /root/running.json /run/tailscale.json";
    };
    wantedBy = [ "multi-user.target" ];
  };
}
"#;

/// Gives the host a program that says how Tailscale is.
fn with_tailscale(fleet: &Fleet) {
    fleet.on(
        "p620",
        r#"cat >/usr/local/bin/tailscale <<'END'
#!/bin/sh
[ "$*" = "status --json --peers=false" ] || exit 64
exec cat /run/tailscale.json
END
        chmod +x /usr/local/bin/tailscale
        cat >/root/running.json <<'END'
{
  "Version": "1.78.1",
  "BackendState": "Running",
  "Self": {
    "HostName": "p620",
    "Online": true
  },
  "Health": []
}
END
        sed 's/"Online": true/"Online": false/' /root/running.json >/root/offline.json
        sed 's/"Running"/"Stopped"/; s/"Online": true/"Online": false/; s/\[\]/["Tailscale is stopped."]/' \
            /root/running.json >/root/stopped.json
        cp /root/running.json /run/tailscale.json"#,
    );
    fs::write(fleet.flake().join("variants/tailscale.nix"), DAEMON).unwrap();
    fleet.write_settings("[hosts.p620]\nnetwork = [\"ssh\", \"tailscale\"]\n");
}

/// Commits a system whose daemon goes through these states.
fn states(fleet: &Fleet, states: &[&str]) {
    let quoted: Vec<String> = states.iter().map(|state| format!("\"{state}\"")).collect();
    fleet.variant_with("p620", "tailscale", &format!("states = [ {} ];", quoted.join(" ")));
}

#[test]
fn tailscale_that_a_change_stops_takes_it_back_and_what_was_down_before_is_a_warning() {
    let fleet = Fleet::start(&["p620"]);
    with_tailscale(&fleet);
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.summary("p620", "network"), "ssh, tailscale");

    let before = fleet.standing("p620");
    states(&fleet, &["stopped"]);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["tailscale: it is not up, but Stopped (Tailscale is stopped.)"]);
    fleet.assert_as_before("p620", &before);

    // A daemon that was restarted connects anew, which takes a moment.
    states(&fleet, &["offline", "running"]);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");

    fleet.on("p620", "cp /root/stopped.json /run/tailscale.json");
    fleet.host_file(
        "p620",
        "{ variant = [ \"tailscale\" \"unit-changed\" ]; states = [ \"offline\" \"running\" ]; revision = 2; }",
    );
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    let warnings = run.warnings("p620");
    assert!(
        warnings.contains("it is not up, but Stopped") && warnings.contains("as before this deploy"),
        "{warnings}"
    );
}

/// Deploys where `tailscale status --json` answers this.
#[expect(clippy::disallowed_methods, reason = "the programs of this machine are used")]
fn deploy_with_answer(fleet: &Fleet, answer: &str) -> Run {
    let programs = fleet.flake().with_file_name("programs");
    fs::create_dir_all(&programs).unwrap();
    let program = programs.join("tailscale");
    let text = format!("#!/bin/sh\n[ \"$*\" = 'status --json' ] || exit 64\ncat <<'END'\n{answer}\nEND\n");
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    fleet.deploy_with(&["p620"], &[("PATH", &path)])
}

#[test]
fn what_tailscale_here_knows_about_a_host_that_does_not_answer_is_told() {
    const ADDRESS: &str = "p620.tail1234.ts.net";
    let fleet = Fleet::start(&["p620"]);
    let config = fleet.flake().with_file_name("tailnet_config");
    let text = fs::read_to_string(fleet.hosts_folder().join("ssh_config")).unwrap();
    fs::write(&config, text.replacen("Host p620", &format!("Host p620 {ADDRESS}"), 1)).unwrap();
    fleet.write_settings(&format!(
        "[hosts.p620]\naddress = \"{ADDRESS}\"\nssh_config = \"{}\"\n[hosts.p620.timeouts]\nconnect = \"1s\"\n",
        config.display()
    ));
    // A host that answers is not asked about.
    deploy_with_answer(&fleet, "nonsense").expect("p620", 0, "unchanged");

    fleet.on_fleet("link", &["p620", "down"]);
    let peer = |online: bool| {
        format!(
            r#"{{"BackendState":"Running","Peer":{{"nodekey:a":{{"HostName":"p620","DNSName":"{ADDRESS}.","TailscaleIPs":["100.101.102.103"],"Online":{online},"LastSeen":"2025-11-20T21:14:03Z"}}}}}}"#
        )
    };
    let rows = [
        (peer(false), "Tailscale says that p620 is offline, last seen 2025-11-20T21:14:03Z", "--wait-for-host"),
        (peer(true), "Tailscale says that p620 is online", "tailscale ping p620"),
        (r#"{"BackendState":"Stopped","Peer":null}"#.to_owned(), "is not connected (Stopped)", "tailscale up"),
        (String::new(), "Tailscale does not run on this machine", "systemctl start tailscaled"),
    ];
    for (answer, finding, hint) in rows {
        let run = deploy_with_answer(&fleet, &answer);
        run.expect("p620", 5, "failed");
        run.assert_failure("p620", &[&format!("{ADDRESS} cannot be reached"), finding, hint]);
    }
    fleet.on_fleet("link", &["p620", "up"]);
}

/// A bridge with the address of one of its ports changes it when that port's host goes, and
/// the answers of all other hosts came late.
#[test]
fn the_bridge_of_the_hosts_keeps_its_address() {
    let address = || fs::read_to_string("/sys/class/net/ndtbr/address").unwrap();
    let _stays = Fleet::start(&["p620"]);
    let with_both = {
        let _goes = Fleet::start(&["p510"]);
        address()
    };
    assert_eq!(with_both, "02:6e:64:ff:00:01\n");
    assert_eq!(address(), with_both);
}
