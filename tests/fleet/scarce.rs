//! What the machine that deploys is short of: memory for the evaluator, room in
//! its store.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::fleet::{Fleet, Run, command, finish};
use super::recover::{fresh_revision, recoveries};

/// Runs a command that stands before nix on PATH for every evaluation.
#[expect(clippy::disallowed_methods, reason = "the programs of this machine are used")]
fn deploy_with_evaluator(fleet: &Fleet, limited: &str, arguments: &[&str]) -> Run {
    let folder = fleet.flake().with_file_name("programs");
    fs::create_dir_all(&folder).unwrap();
    let real = command("sh").args(["-c", "command -v nix"]).output().unwrap().stdout;
    let real = String::from_utf8(real).unwrap();
    let (real, codes) = (real.trim(), exit_codes(fleet));
    // What a signal ended ends by a signal here, too.
    let text = format!(
        "#!/bin/sh\ncase \" $* \" in *\" eval \"*) ;; *) exec {real} \"$@\" ;; esac\n\
         {limited} {real} \"$@\"\ncode=$?\necho $code >>{}\n[ $code -lt 128 ] || kill -KILL $$\nexit $code\n",
        codes.display()
    );
    fs::write(folder.join("nix"), text).unwrap();
    fs::set_permissions(folder.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut nix_deploy = fleet.nix_deploy(&[&["--output", "json", "--yes"], arguments].concat());
    nix_deploy.env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
    finish(nix_deploy)
}

/// The file that says how the evaluations of a deploy ended.
fn exit_codes(fleet: &Fleet) -> PathBuf {
    fleet.flake().with_file_name("exit-codes")
}

/// A control group that may use so much memory; gone when the test ends.
struct MemoryLimit {
    folder: Option<PathBuf>,
    /// What starts a program in it.
    start: String,
}

impl MemoryLimit {
    fn of_mebibytes(count: u64) -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
        // Where memory has no hierarchy of its own, systemd is asked.
        let Some((_, own)) = groups.lines().find_map(|line| line.split_once(":memory:")) else {
            let start =
                format!("systemd-run --quiet --scope --property MemoryMax={count}M --property MemorySwapMax=0");
            return Self { folder: None, start };
        };
        let folder =
            PathBuf::from(format!("/sys/fs/cgroup/memory{own}/nix-deploy-test-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("memory.limit_in_bytes"), format!("{count}M")).unwrap();
        // A kernel that counts no swap has no such file.
        let _ = fs::write(folder.join("memory.memsw.limit_in_bytes"), format!("{count}M"));
        let start = format!("sh -c 'echo $$ >{}/cgroup.procs && exec \"$0\" \"$@\"'", folder.display());
        Self { folder: Some(folder), start }
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // Empty by now; a panic here would hide the test's own.
        let _ = self.folder.as_ref().map(fs::remove_dir);
    }
}

#[test]
fn hosts_that_are_too_many_for_the_memory_are_evaluated_one_by_one() {
    let fleet = Fleet::start(&["p620", "p510"]);
    // The evaluator gets no more memory and says so, or the kernel kills it.
    let limit = MemoryLimit::of_mebibytes(1230);
    let refused = "sh -c 'ulimit -v 1300000; exec \"$0\" \"$@\"'";
    for (revision, limited) in [(31, refused), (32, &limit.start)] {
        // One host fits, two do not: Nix keeps what a file evaluates to.
        for host in ["p620", "p510"] {
            let ballast = "ballast = builtins.genList (x: x * 2) 7000000";
            fleet.host_file(
                host,
                &format!(
                    "rec {{ {ballast}; variant = builtins.deepSeq ballast \"unit-changed\"; revision = {revision}; }}"
                ),
            );
        }
        let run = deploy_with_evaluator(&fleet, limited, &["p620", "p510"]);
        for host in ["p620", "p510"] {
            run.expect(host, 0, "deployed");
            assert_eq!(recoveries(run.report(host)), ["fewer-hosts helped"]);
            fleet.assert_runs_new(host, &run);
        }
    }
    let codes = fs::read_to_string(exit_codes(&fleet)).unwrap();
    // SIGKILL once, then two that go well.
    assert!(codes.ends_with("\n137\n0\n0\n"), "{codes:?}");
}

/// nix-deploy where the store of this machine is a disk of 120 MiB, half of it
/// taken by garbage; `more` is a script that goes on with that.
fn deploy_with_small_store(fleet: &Fleet, more: &str) -> Run {
    let deploy = fleet.nix_deploy(&["p620", "--output", "json", "--yes"]);
    let script = format!(
        "mount -t tmpfs -o size=120m tmpfs /nix; mkdir -p /nix/store /nix/var; \
         head -c 60000000 /dev/urandom >$HOME/garbage; \
         nix-store --add $HOME/garbage >&2; rm $HOME/garbage; {more} exec \"$0\" \"$@\""
    );
    let mut small: Command = command("unshare");
    small.args(["--mount", "--propagation", "private", "sh", "-euc", &script]);
    fleet.operator(&mut small).arg(deploy.get_program()).args(deploy.get_args());
    finish(small)
}

#[test]
fn a_full_disk_of_this_machine_is_told_and_cleared_where_that_is_allowed() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    let variant = "{ ... }: { packages.big = \"1.0\"; packageBuild.big = \"mkdir $out; head -c 60000000 /dev/urandom >$out/big\"; }";
    fs::write(fleet.flake().join("variants/big.nix"), variant).unwrap();
    fleet.variant_with("p620", "big", &fresh_revision());
    let run = deploy_with_small_store(&fleet, "");
    run.expect("p620", 4, "failed");
    let parts = ["the disk of this machine is full", "No space left", "are free in /nix/store", "recover.gc"];
    run.assert_failure("p620", &parts);
    assert!(recoveries(run.report("p620")).is_empty());
    assert_eq!(fleet.look("p620"), before);

    fleet.write_settings("[recover]\ngc = true\n");
    let run = deploy_with_small_store(&fleet, "");
    run.expect("p620", 0, "deployed");
    assert_eq!(recoveries(run.report("p620")), ["collect-garbage helped"]);
    let told = run.report("p620")["recoveries"].to_string();
    assert!(told.contains("the disk of this machine is full: "), "{told}");
    assert!(told.contains("freed") && told.contains("are free now"), "{told}");
    fleet.assert_runs_new("p620", &run);

    // Full before the evaluation, which has to write as well.
    fleet.variant_with("p620", "unit-changed", &fresh_revision());
    let fill = "head -c 65536 /dev/zero >/nix/spare; cat /dev/zero >/nix/filler 2>/dev/null || rm /nix/spare;";
    let run = deploy_with_small_store(&fleet, fill);
    run.expect("p620", 0, "deployed");
    assert_eq!(recoveries(run.report("p620")), ["collect-garbage helped"]);
    let recovered = run.events.iter().find(|event| event["type"] == "recovery").unwrap();
    assert_eq!(recovered["step"], "evaluate", "{recovered}");
}
