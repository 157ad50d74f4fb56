//! The ways to a host: refused ones name their remedy at once and leave the
//! host untouched, unusual ones work.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::fleet::{Fleet, Run, command};
use super::standing::Standing;

/// A file beside the flake.
fn file(fleet: &Fleet, name: &str, text: &str) -> PathBuf {
    let path = fleet.flake().with_file_name(name);
    fs::write(&path, text).unwrap();
    path
}

/// The fleet's own ssh configuration.
fn ssh_config(fleet: &Fleet) -> String {
    fs::read_to_string(fleet.hosts_folder().join("ssh_config")).unwrap()
}

/// Deploys a change to p620 with further lines for the host; it must be
/// refused with exit code 5, soon, and in these words.
#[track_caller]
fn refused(fleet: &Fleet, before: &Standing, lines: &str, words: &[&str]) -> Run {
    fleet.write_settings(&format!("[hosts.p620]\n{lines}\n[hosts.p620.timeouts]\nconnect = \"1s\"\n"));
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", words);
    // Soon, on a machine that is busy with other tests: nothing of it is waited for.
    assert!(run.took < Duration::from_secs(45), "{:?}", run.took);
    assert_eq!(fleet.standing("p620"), *before);
    run
}

/// Deploys a change to p620 with further lines for the host, which works.
#[track_caller]
fn works(fleet: &Fleet, revision: u32, lines: &str) -> Run {
    fleet.write_settings(&format!("[hosts.p620]\n{lines}\n"));
    fleet.variant_with("p620", "unit-changed", &format!("revision = {revision};"));
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
    fleet.assert_runs_new("p620", &run);
    run
}

#[test]
fn host_keys_that_are_wrong_or_unknown_are_refused_with_the_remedy() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let key = fs::read_to_string(fleet.hosts_folder().join("id_ed25519.pub")).unwrap();
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    let wrong = file(&fleet, "wrong_hosts", &format!("p620,{} {}\n", fleet.address("p620"), key.join(" ")));
    let real = fleet.hosts_folder().join("known_hosts");
    let config = ssh_config(&fleet);
    let with = |known_hosts: &PathBuf| config.replace(real.to_str().unwrap(), known_hosts.to_str().unwrap());
    let other = file(&fleet, "wrong_config", &with(&wrong));
    let lines = format!("ssh_config = \"{}\"", other.display());
    refused(&fleet, &before, &lines, &["is not the one on record", "ssh-keygen -R", "do not go on"]);
    let empty = file(&fleet, "no_hosts", "");
    let other = file(&fleet, "empty_config", &with(&empty));
    let lines = format!("ssh_config = \"{}\"", other.display());
    refused(&fleet, &before, &lines, &["host key of p620 is not known", "ssh-keygen -lf"]);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn hosts_that_nobody_finds_are_unreachable_and_not_failed() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    refused(
        &fleet,
        &before,
        "address = \"no-such-host.invalid\"",
        &["no-such-host.invalid cannot be resolved", "`address`"],
    );
    let address = fleet.address("p620");
    let nobody = format!("{}.250.250", address.split('.').take(2).collect::<Vec<_>>().join("."));
    refused(&fleet, &before, &format!("address = \"{nobody}\""), &["cannot be reached", "is the host awake"]);
    fleet.on_fleet("link", &["p620", "down"]);
    refused(&fleet, &before, "", &["p620 cannot be reached", "run the same command again"]);
    // People read another word than machines.
    let output = fleet.nix_deploy(&["p620", "--yes", "--output", "plain"]).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("DEPLOYMENT REPORT: p620") && shown.contains(" UNREACHABLE "), "{shown}");
    assert!(shown.contains("it was not reached: nothing was changed by this run"), "{shown}");
    assert_eq!(output.status.code(), Some(5));
    fleet.on_fleet("link", &["p620", "up"]);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_login_that_the_host_refuses_is_exit_code_5_and_names_the_settings() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    refused(
        &fleet,
        &before,
        "user = \"stranger\"",
        &["refused the login", "Permission denied", "`user` or `identity_file`"],
    );
    let key = fleet.flake().with_file_name("other_key");
    assert!(
        command("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status()
            .unwrap()
            .success()
    );
    let config = file(&fleet, "config", &ssh_config(&fleet).replace("IdentityFile", "#"));
    let lines = format!("identity_file = \"{}\"\nssh_config = \"{}\"", key.display(), config.display());
    refused(&fleet, &before, &lines, &["refused the login", "authorizedKeys"]);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_user_who_cannot_become_root_is_exit_code_5_and_told_what_is_needed() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "removes-elevation");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    refused(
        &fleet,
        &before,
        "user = \"deploy\"\nelevate = \"doas\"",
        &["user deploy cannot become root on p620", "user = \\\"root\\\""],
    );
    refused(&fleet, &before, "user = \"deploy\"", &["deploy", "password", "security.sudo.extraRules"]);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_user_whom_nix_on_the_host_does_not_trust_is_told_before_the_copy() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "untrusted");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    refused(
        &fleet,
        &before,
        "user = \"deploy\"",
        &["does not trust user deploy", "nix.settings.trusted-users", "build_on"],
    );
    fleet.assert_no_traces("p620");
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn another_machine_under_a_known_name_is_refused() {
    let fleet = Fleet::start(&["p620"]);
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    fleet.on("p620", "cp /etc/machine-id /root/id; echo 0123456789abcdef0123456789abcdef >/etc/machine-id");
    refused(
        &fleet,
        &before,
        "",
        &["p620 is another machine than before", "0123456789abcdef", "p620.machine-id"],
    );
    fleet.on("p620", "cat /root/id >/etc/machine-id");
    fleet.write_settings("");
    // What a disk that was full leaves of it is no other machine's.
    let record = fleet.state().join("hosts/p620.machine-id");
    std::fs::write(&record, "").unwrap();
    fleet.next_run_succeeds("p620");
    assert_eq!(std::fs::read_to_string(record).unwrap(), fleet.on("p620", "cat /etc/machine-id"));
}

#[test]
fn users_who_become_root_without_a_password_can_deploy() {
    let fleet = Fleet::start(&["p620"]);
    works(&fleet, 21, "user = \"deploy\"");
    works(&fleet, 22, "user = \"deploy\"\nelevate = \"doas\"");
    works(&fleet, 23, "user = \"deploy\"\nelevate = \"run0\"");
}

#[test]
fn a_host_behind_a_jump_host_is_deployed_through_it() {
    let fleet = Fleet::start(&["p620", "p510"]);
    let before = fleet.logins("p510");
    works(&fleet, 24, "jump = \"root@p510\"");
    assert_eq!(fleet.logins("p510") - before, 2);
}

#[test]
fn a_proxy_command_with_spaces_and_port_forwards_of_the_user_do_no_harm() {
    let fleet = Fleet::start(&["p620", "p510"]);
    let folder = fleet.flake().with_file_name("my folder");
    fs::create_dir(&folder).unwrap();
    let proxy = folder.join("my proxy");
    let plain = fleet.hosts_folder().join("ssh_config");
    fs::write(
        &proxy,
        format!(
            "#!/bin/sh\necho used >>'{}/used'\nexec ssh -F '{}' -W \"$1:$2\" p510\n",
            folder.display(),
            plain.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&proxy, fs::Permissions::from_mode(0o755)).unwrap();
    // A port that is taken already: a forward of it would end the login.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = format!(
        "Host p620\n  ProxyCommand \"{}\" %h %p\n  LocalForward 127.0.0.1:{port} localhost:22\n  \
         RemoteForward 22 localhost:22\n  ExitOnForwardFailure yes\n  RequestTTY force\n\n{}",
        proxy.display(),
        ssh_config(&fleet)
    );
    let config = file(&fleet, "config with spaces", &config);
    works(&fleet, 25, &format!("ssh_config = \"{}\"", config.display()));
    assert_eq!(fs::read_to_string(folder.join("used")).unwrap().lines().count(), 2);
}

#[test]
fn an_ipv6_address_works() {
    let fleet = Fleet::start(&["p620"]);
    let address =
        fleet.on("p620", "ip -6 -o addr show dev eth0 scope link | sed 's/.*inet6 \\([^/]*\\).*/\\1/'");
    let literal = format!("{}%ndtbr", address.trim());
    let key = fleet.on("p620", "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    let known = file(&fleet, "known6", &format!("{literal} {}", key.trim()));
    let config = format!(
        "Host *\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n",
        fleet.hosts_folder().join("id_ed25519").display(),
        known.display()
    );
    let config = file(&fleet, "config", &config);
    works(&fleet, 26, &format!("address = \"{literal}\"\nssh_config = \"{}\"", config.display()));
}

/// Lets the login shells of root and deploy run a line of sh first.
fn rc_file(fleet: &Fleet, line: &str) {
    fleet.on("p620", &format!("for home in /root /home/deploy; do echo '{line}' >$home/.bashrc; done"));
}

#[test]
fn a_login_shell_that_prints_text_does_no_harm() {
    let fleet = Fleet::start(&["p620"]);
    rc_file(&fleet, "echo \"uid=77 welcome to p620\" >&2");
    works(&fleet, 27, "");
    works(&fleet, 28, "user = \"deploy\"");
    // Our own words are told from the shell's, but Nix' protocol has no room for it.
    let before = fleet.standing("p620");
    rc_file(&fleet, "echo \"uid=77 welcome to p620\"");
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
    fleet.variant("p620", "package-update");
    refused(&fleet, &before, "", &["login shell on p620 prints text", "welcome to p620", "rc files"]);
    fleet.assert_no_traces("p620");
    rc_file(&fleet, "true");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_login_shell_that_is_not_posix_does_no_harm() {
    let fleet = Fleet::start(&["p620"]);
    // It knows words and quotes, and nothing else of sh: no `;`, `$` or `&&`,
    // and no assignments.
    fleet.on(
        "p620",
        "cat >/usr/local/bin/wordsh <<'END'\n\
         #!/usr/bin/perl\n\
         use Text::ParseWords;\n\
         my ($flag, $line) = @ARGV;\n\
         (my $bare = $line) =~ s/'[^']*'|\"[^\"]*\"//g;\n\
         die \"wordsh: syntax error: $line\\n\" if $flag ne '-c' or $bare =~ /[;&|\\$`(){}<>]/ or $bare =~ /^\\w+=/;\n\
         exec shellwords($line) or exit 127;\n\
         END\n\
         chmod +x /usr/local/bin/wordsh; usermod --shell /usr/local/bin/wordsh deploy; \
         grep -q wordsh /etc/shells || echo /usr/local/bin/wordsh >>/etc/shells",
    );
    works(&fleet, 29, "user = \"deploy\"");
}
