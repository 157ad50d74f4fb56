//! Updates of flake inputs beyond one host from afar: several hosts, the machine
//! itself, a first lock file, a commit and a pull request, other versions of Nix.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::fleet::{Fleet, OnHost, Run};
use super::operator::with_nix_226;
use super::updated::{HOST, Updated, decision, of_type};

const HOSTS: [&str; 2] = ["p620", "p510"];

/// What became of flake.lock, and what was said of it last.
fn lock_states(run: &Run) -> (Vec<&str>, &str) {
    let events = of_type(run, "lock-file");
    let remark = events.last().map_or("", |event| event["remark"].as_str().unwrap());
    (events.iter().map(|event| event["state"].as_str().unwrap()).collect(), remark)
}

fn look(fleet: &Fleet) -> [OnHost; 2] {
    HOSTS.map(|host| fleet.look(host))
}

#[test]
fn a_bad_host_keeps_the_update_of_several_from_being_kept() {
    let updated = Updated::start_on(&HOSTS, &[]);
    let fleet = &updated.fleet;
    updated.bump_but("apps", &["unit-changed"], &[("p620", "crash-at-start")]);
    let (before, files) = (look(fleet), updated.lock_files());

    let run = updated.run(&["update", "all", "--yes"]);
    assert_eq!((run.outcome("p620"), run.outcome("p510")), ("rolled-back", "deployed"), "{}", run.stderr);
    assert_eq!(run.code, Some(6));
    assert_eq!(fleet.look("p620"), before[0]);
    assert_ne!(fleet.look("p510").current_system, before[1].current_system);
    assert_eq!(updated.lock_files(), files);
    let (states, remark) = lock_states(&run);
    assert_eq!(states, ["updated", "restored"]);
    let kept = remark.split("the update is in ").nth(1).unwrap();
    assert!(remark.starts_with("a host that was deployed before the failure keeps what it got; "), "{remark}");
    let tried: Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    let moved = &of_type(&run, "update-preview")[0]["preview"]["inputs"][0]["after"]["revision"];
    assert_eq!(&tried["nodes"]["apps"]["locked"]["rev"], moved);

    // The lock file says what all of them are to run: the next deploy brings it.
    let run = fleet.deploy(&["all"]);
    assert_eq!((run.outcome("p620"), run.outcome("p510")), ("unchanged", "deployed"), "{}", run.stderr);
    assert_eq!(fleet.look("p510").current_system, before[1].current_system);

    // One that is good for all is kept.
    updated.bump("apps", &["package-update"]);
    let run = updated.run(&["update", "all", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!((run.outcome("p620"), run.outcome("p510")), ("deployed", "deployed"));
    assert_eq!(lock_states(&run).0, ["updated", "kept"]);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
    for (host, before) in HOSTS.iter().zip(&before) {
        assert_ne!(fleet.look(host).current_system, before.current_system);
        fleet.assert_no_traces(host);
    }
}

#[test]
fn with_rollback_fleet_the_hosts_follow_the_lock_file_back() {
    let updated = Updated::start_on(&HOSTS, &[]);
    let fleet = &updated.fleet;
    updated.bump_but("apps", &["unit-changed"], &[("p620", "crash-at-start")]);
    let (before, files) = (look(fleet), updated.lock_files());
    for arguments in
        [&["update", "all", "--yes", "--rollback-fleet"][..], &["all", "--update", "--yes", "--rollback-fleet"]]
    {
        let run = updated.run(arguments);
        assert_eq!((run.outcome("p620"), run.outcome("p510")), ("rolled-back", "deployed"), "{}", run.stderr);
        assert_eq!(run.code, Some(6), "{}", run.stderr);
        assert!(lock_states(&run).1.contains("are taken back next"), "{:?}", lock_states(&run));
        let runs = of_type(&run, "run-started");
        assert_eq!(runs.len(), 2, "{runs:?}");
        assert_eq!((look(fleet), updated.lock_files()), (before.clone(), files.clone()));
    }
    HOSTS.iter().for_each(|host| fleet.assert_no_traces(host));
}

/// Every file of the flake's index and every file of an update beside it.
fn first_state(updated: &Updated) -> (String, String, Vec<(String, Vec<u8>)>) {
    let status = updated.git_says(&["status", "--porcelain", "--untracked-files=all"]);
    (updated.git_says(&["ls-files", "--stage"]), status, updated.lock_files())
}

#[test]
fn a_first_lock_file_is_gone_again_unless_it_was_deployed() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    updated.git_says(&["rm", "--quiet", "flake.lock"]);
    fleet.commit("no lock file");
    updated.bump("apps", &["crash-at-start"]);
    let (before, state) = (fleet.look(HOST), first_state(&updated));
    assert!(updated.lock_files().is_empty());

    let (code, shown) = updated.answer("n");
    assert_eq!(code, Some(8), "{shown}");
    assert!(shown.contains("2 inputs would move"), "{shown}");
    assert_eq!((fleet.look(HOST), first_state(&updated)), (before.clone(), state.clone()));
    for run in [updated.update(&["--yes"]), fleet.deploy(&[HOST, "--update"])] {
        run.expect(HOST, 6, "rolled-back");
        assert_eq!(lock_states(&run).0, ["updated", "restored"]);
        assert_eq!(
            (fleet.look(HOST).current_system, first_state(&updated)),
            (before.current_system.clone(), state.clone())
        );
    }

    // SIGKILL while the host changes: the next update finds what was left.
    let mut run = fleet.start_deploy(&[HOST, "--update"]);
    run.wait_for_phase("activating");
    run.kill();
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup", "flake.lock.updating"]);
    fleet.await_settled(HOST);
    let (code, shown) = updated.answer("n");
    assert_eq!(code, Some(8), "{shown}");
    assert_eq!(
        (fleet.look(HOST).current_system, first_state(&updated)),
        (before.current_system.clone(), state)
    );

    updated.bump("apps", &["package-update"]);
    let (code, shown) = updated.answer("y");
    assert_eq!(code, Some(0), "{shown}");
    assert_ne!(fleet.look(HOST).current_system, before.current_system);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
    // Nix sees the new file, and its content is left to be committed.
    assert_eq!(updated.git_says(&["ls-files", "flake.lock"]), "flake.lock");
    assert_eq!(updated.git_says(&["diff", "--cached", "--name-only"]), "");
    let run = updated.update(&["--undo", "--yes"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("there was no flake.lock before the last update"), "{}", run.stderr);
}

/// Runs `update --local` on the host itself; flake and inputs are where they are here.
fn update_on_host(fleet: &Fleet) -> Run {
    let line = format!(
        "systemd-run --quiet --pipe --wait --collect -p WorkingDirectory={flake} -E HOME=/root \
         -E NIX_CONFIG='experimental-features = nix-command flakes\nsandbox = false\nbuild-users-group =\nsubstituters =' \
         /root/nix-deploy update --local --output json --yes 2>/root/said || {{ cat /root/said; true; }}",
        flake = fleet.flake().display()
    );
    Run::of_output(&fleet.on(HOST, &line))
}

#[test]
fn the_machine_we_run_on_updates_itself() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    updated.bump("apps", &["package-update"]);
    // Nobody answers there: an update goes on without known issues.
    fleet.write_settings("[issues]\napi_url = \"http://127.0.0.1:9\"\n");
    fs::remove_file(fleet.flake().join("ssh_config")).unwrap();
    fs::write(fleet.flake().join("ssh_config"), "").unwrap();
    let folder = fleet.flake().parent().unwrap().to_owned();
    fleet.on(HOST, &format!("mkdir -p {} && git config --global safe.directory '*'", folder.display()));
    for name in ["flake", "apps", "kernel"] {
        fleet.put(HOST, &folder.join(name), folder.join(name).to_str().unwrap());
    }
    fleet.put(HOST, Path::new(env!("CARGO_BIN_EXE_nix-deploy")), "/root/nix-deploy");
    let (before, logins) = (fleet.look(HOST), fleet.logins(HOST));
    let locks = || fleet.on(HOST, &format!("cd {} && sha256sum flake.lock* | sort", fleet.flake().display()));
    let old_lock = locks();

    let run = update_on_host(fleet);
    run.expect(HOST, 0, "deployed");
    assert_eq!(decision(&run), "apply by flag");
    assert_eq!(lock_states(&run).0, ["updated", "kept"]);
    fleet.assert_runs_new(HOST, &run);
    let (after, new_locks) = (fleet.look(HOST), locks());
    assert_ne!(after.current_system, before.current_system);
    let backup = new_locks.lines().find(|line| line.ends_with("flake.lock.backup")).unwrap();
    assert_eq!(backup.split(' ').next(), old_lock.split(' ').next());

    // What fails is taken back there as anywhere.
    updated.bump("apps", &["crash-at-start"]);
    let apps = folder.join("apps");
    fleet.on(HOST, &format!("rm -r {}", apps.display()));
    fleet.put(HOST, &apps, apps.to_str().unwrap());
    let run = update_on_host(fleet);
    run.expect(HOST, 6, "rolled-back");
    assert_eq!((fleet.look(HOST), locks()), (after, new_locks));
    assert_eq!(fleet.logins(HOST), logins + 1, "only the copy of the input has logged in");
}

#[test]
fn an_update_is_committed_and_published_when_it_is_kept() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    let url = updated.github.url();
    fleet.write_settings(&format!(
        "[issues]\napi_url = \"{url}\"\n[pull_request]\nrepository = \"ada/infra\"\napi_url = \"{url}\"\n"
    ));
    let bare = fleet.flake().with_file_name("infra.git");
    updated.git_says(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    updated.git_says(&["remote", "add", "origin", bare.to_str().unwrap()]);
    updated.git_says(&["switch", "-q", "-c", "newer"]);
    let head = || updated.git_says(&["rev-parse", "HEAD"]);
    let first = head();

    // Nothing that was taken back is committed.
    updated.bump("apps", &["crash-at-start"]);
    let run = updated.update(&["--yes", "--commit"]);
    run.expect(HOST, 6, "rolled-back");
    assert!(run.stderr.contains("nothing was committed"), "{}", run.stderr);
    assert_eq!(head(), first);
    let run = updated.update(&["--yes", "--pr"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("--pr of an update needs --commit"), "{}", run.stderr);

    // A hook that refuses: the host keeps what it has, and so does flake.lock.
    let hook = fleet.flake().join(".git/hooks/pre-commit");
    fs::write(&hook, "#!/bin/sh\necho 'the tests are red'\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    updated.bump("apps", &["package-update"]);
    let run = updated.update(&["--yes", "--commit"]);
    run.expect(HOST, 1, "deployed");
    for part in ["its commit failed", "the tests are red", "commit it by hand"] {
        assert!(run.stderr.contains(part), "{part} in {}", run.stderr);
    }
    assert_eq!((head(), updated.names().len()), (first.clone(), 2));
    fs::remove_file(hook).unwrap();
    let run = updated.update(&["--undo", "--yes", "--commit"]);
    run.expect(HOST, 0, "deployed");
    assert!(run.stderr.contains("nothing to commit"), "{}", run.stderr);
    assert_eq!((head(), updated.git_says(&["diff", "HEAD", "--name-only"])), (first, String::new()));

    // What is named goes with it, and all of it into a pull request.
    fs::write(fleet.flake().join("hosts/p620.nix"), "{ variant = \"baseline\"; revision = 2; }").unwrap();
    let run = updated.update(&["--input=apps", "--yes", "--issue", "7", "--commit=hosts/p620.nix", "--pr"]);
    run.expect(HOST, 0, "deployed");
    let subject = "feat(config): update apps and change hosts/p620.nix (#7)";
    assert_eq!(updated.git_says(&["log", "-1", "--format=%s"]), subject);
    assert!(run.stderr.contains(subject), "{}", run.stderr);
    let body = updated.git_says(&["log", "-1", "--format=%b"]);
    assert!(body.starts_with("apps: ") && body.contains(" -> "), "{body}");
    assert_eq!(updated.git_says(&["show", "--name-only", "--format=", "HEAD"]), "flake.lock\nhosts/p620.nix");
    assert_eq!(updated.git_says(&["diff", "HEAD", "--name-only"]), "");
    let pulls = updated.github.pulls();
    assert_eq!((&pulls[0]["title"], &pulls[0]["head"]), (&subject.into(), &"newer".into()));
    assert!(pulls[0]["body"].as_str().unwrap().starts_with("For #7.\n\n"), "{}", pulls[0]);
    let bare_head = format!("--git-dir={}", bare.display());
    assert_eq!(updated.git_says(&[&bare_head, "rev-parse", "refs/heads/newer"]), head());

    // Nothing newer is nothing to publish.
    let run = updated.update(&["--yes", "--commit", "--pr"]);
    assert_eq!((run.code, updated.github.pulls().len()), (Some(0), 1), "{}", run.stderr);
    assert!(run.stderr.contains("nothing was committed"), "{}", run.stderr);

    // Without a question, of the lock file alone.
    updated.bump("kernel", &["unit-changed"]);
    let run = updated.run(&[HOST, "--update", "--yes", "--commit"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(updated.git_says(&["log", "-1", "--format=%s"]), "chore(flake): update kernel");
    assert_eq!(updated.git_says(&["show", "--name-only", "--format=", "HEAD"]), "flake.lock");

    // Where nothing is newer, what is named is committed all the same.
    fs::write(fleet.flake().join("hosts/p620.nix"), "{ variant = \"baseline\"; revision = 3; }").unwrap();
    let run = updated.run(&[HOST, "--update", "--yes", "--commit=hosts/p620.nix"]);
    run.expect(HOST, 0, "unchanged");
    assert_eq!(updated.git_says(&["log", "-1", "--format=%s"]), "feat(p620): change hosts/p620.nix");
    assert_eq!(updated.git_says(&["diff", "HEAD", "--name-only"]), "");
}

#[test]
fn updates_are_the_same_with_a_nix_that_reads_and_writes_lock_files_elsewhere() {
    let updated = Updated::start(&["nginx 1.26.1: worker segfaults on reload"]);
    let fleet = &updated.fleet;
    let update = |arguments: &[&str], folders: &[&Path]| {
        let all: Vec<&str> =
            ["update", HOST, "--output", "json"].into_iter().chain(arguments.iter().copied()).collect();
        let mut program = fleet.nix_deploy(&all);
        program.env("GITHUB_TOKEN", "t0ken");
        with_nix_226(fleet, &program, folders)
    };
    let (before, files) = (fleet.look(HOST), updated.lock_files());
    updated.bump("apps", &["crash-at-start"]);
    let run = update(&["--yes"], &[]);
    run.expect(HOST, 6, "rolled-back");
    assert_eq!((fleet.look(HOST).current_system, updated.lock_files()), (before.current_system.clone(), files));

    // One whose `nix flake metadata` works out no update, as that of Lix.
    let folder = fleet.flake().with_file_name("bin");
    fs::create_dir(&folder).unwrap();
    let script = "#!/bin/sh\necho \"$*\" >>\"${0%/*}/asked\"\ncase \" $* \" in *' --recreate-lock-file '*|*' --update-input '*)\n\
                  echo '@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"error: unrecognised flag --update-input\"}' >&2\n\
                  echo '@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"Try nix --help for more information.\"}' >&2\n\
                  exit 1;; esac\nPATH=/usr/local/bin:/usr/bin:/bin exec nix \"$@\"\n";
    fs::write(folder.join("nix"), script).unwrap();
    fs::set_permissions(folder.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    updated.bump("apps", &["package-update"]);
    updated.bump("kernel", &["kernel-change"]);
    let run = update(&["--yes", "--input", "apps"], &[&folder]);
    run.expect(HOST, 0, "deployed");
    let asked = fs::read_to_string(folder.join("asked")).unwrap();
    assert!(asked.contains("--output-lock-file") && asked.contains("--reference-lock-file"), "{asked}");
    let inputs = of_type(&run, "update-preview")[0]["preview"]["inputs"].as_array().unwrap();
    assert_eq!(inputs.iter().map(|input| input["input"].as_str().unwrap()).collect::<Vec<_>>(), ["apps"]);
    let known = of_type(&run, "known-issues")[0]["report"].to_string();
    assert!(known.contains("stay at nginx 1.24.0, which runs now, instead of 1.26.1"), "{known}");
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
    let after = fleet.look(HOST);
    assert_ne!(after.current_system, before.current_system);

    // Nix 2.8 finds nothing to complete in it.
    fleet.deploy(&[HOST]).expect(HOST, 0, "unchanged");
    assert_eq!(fleet.look(HOST), after);
}
