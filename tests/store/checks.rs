//! A check is a run: what it found is recorded, and the record changes nothing of
//! what it says.

use crate::engine::{BOTH, Engine, Outcome};

/// A configuration with something that blocks and something that does not, in a repository
/// with the commit that is given back.
fn configuration(engine: &Engine) -> String {
    engine.script("git", "exec /usr/bin/git -c user.name=ada -c user.email=ada@example.org \"$@\"");
    std::fs::write(engine.folder.path().join("off.nix"), "{ networking.firewall.enable = false; }\n").unwrap();
    std::fs::write(engine.folder.path().join("rec.nix"), "rec { a = 1; }\n").unwrap();
    std::fs::write(engine.folder.path().join(".gitignore"), "state\nbin\naway.toml\n").unwrap();
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "as it is"]] {
        git(engine, arguments);
    }
    git(engine, &["rev-parse", "HEAD"]).trim().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a test of a repository asks git")]
fn git(engine: &Engine, arguments: &[&str]) -> String {
    let mut git = std::process::Command::new(engine.folder.path().join("bin/git"));
    let output = git.args(arguments).current_dir(engine.folder.path()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn check(engine: &Engine, arguments: &[&str]) -> Outcome {
    engine.run(&[&["check", "--nix", "never", "--format", "json"], arguments].concat())
}

/// What a check prints without any record.
fn unrecorded(engine: &Engine) -> Outcome {
    let settings = engine.folder.path().join("hosts.toml");
    let away = engine.folder.path().join("away.toml");
    std::fs::rename(&settings, &away).unwrap();
    let outcome = check(engine, &[]);
    std::fs::rename(&away, &settings).unwrap();
    assert!(!engine.state().join("runs").exists());
    outcome
}

#[tokio::test]
async fn a_check_is_recorded_with_what_it_found() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let commit = configuration(&engine);
        let plain = unrecorded(&engine);
        assert_eq!(plain.code, 3, "{plain:?}");
        let outcome = check(&engine, &[]);
        assert_eq!(
            (outcome.code, &outcome.stdout),
            (plain.code, &plain.stdout),
            "{kind:?}: {}",
            outcome.stderr
        );
        // What a busy machine kept the check from is recorded now.
        engine.good(&["fleet", "flush"]);
        let run = "SELECT command || ' ' || exit_code || ' ' || coalesce(action, 'no action') || ' ' || \
                   coalesce(mode, 'no mode') FROM runs WHERE ended_at IS NOT NULL";
        assert_eq!(engine.value(run).await, "check 3 no action no mode", "{kind:?}");
        let found = "SELECT rule || ' ' || file || ' ' || line || ' ' || coalesce(hostname, 'no host') || ' ' || \
                     coalesce(suppressed, 'counts') FROM findings ORDER BY rule";
        let rows: Vec<String> = engine.rows(found).await.into_iter().flatten().collect();
        assert_eq!(rows, ["firewall-off off.nix 1 no host counts", "rec-unneeded rec.nix 1 no host counts"]);
        assert_eq!(engine.value("SELECT count(*) FROM deployment_events").await, "0", "{kind:?}");
        let of = "SELECT commit_hash || CASE WHEN dirty THEN ' dirty' ELSE ' clean' END FROM runs \
                  ORDER BY id DESC LIMIT 1";
        assert_eq!(engine.value(of).await, format!("{commit} clean"), "{kind:?}");
        // Nobody deploys it: it is not the newest commit of any flake.
        assert_eq!(engine.value("SELECT count(*) FROM commits").await, "0", "{kind:?}");

        let allowed = check(&engine, &["--allow", "firewall-off"]);
        assert_eq!(allowed.code, 0, "{}", allowed.stderr);
        engine.good(&["fleet", "flush"]);
        let let_pass = "SELECT suppressed FROM findings WHERE suppressed IS NOT NULL";
        assert!(engine.value(let_pass).await.starts_with("--allow by ada@"), "{kind:?}");

        let id = engine.value("SELECT min(id) FROM runs").await;
        let shown = engine.good(&["fleet", "show", &id]);
        assert!(shown.stdout.contains("\ncheck of "), "{}", shown.stdout);
        assert!(shown.stdout.contains("\noff.nix:1: critical [firewall-off]: "), "{}", shown.stdout);
        let record = &engine.json(&["fleet", "show", &id])[0];
        assert_eq!(record["findings"][1]["rule"], "rec-unneeded");
        assert_eq!(record["hosts"], serde_json::json!([]));
        // Nothing was deployed.
        assert!(engine.json(&["fleet", "history"]).is_empty(), "{kind:?}");
        // One that is known is named.
        let known = format!(
            "INSERT INTO flakes (name, repo_url) VALUES ('infra', 'https://git.example/infra'); \
             INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) \
             SELECT id, '{commit}', AGO(5) FROM flakes;"
        );
        engine.sql(&known).await;
        git(&engine, &["remote", "add", "origin", "https://git.example/infra"]);
        check(&engine, &[]);
        engine.good(&["fleet", "flush"]);
        let of_known = "SELECT count(*) FROM runs r JOIN commits c ON c.id = r.commit_id";
        assert_eq!(engine.value(of_known).await, "1", "{kind:?}");
        // What is mended belongs to no commit.
        check(&engine, &["--fix"]);
        engine.good(&["fleet", "flush"]);
        assert_eq!(engine.value(of).await, format!("{commit} dirty"), "{kind:?}");
        let resumed = engine.run(&["resume"]);
        assert!(resumed.stderr.contains("nothing was deployed from here yet"), "{resumed:?}");
    }
}

#[tokio::test]
async fn a_check_that_cannot_be_recorded_now_says_the_same_and_is_recorded_later() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        configuration(&engine);
        let plain = unrecorded(&engine);
        let mut gone = engine.command(&["check", "--nix", "never", "--format", "json"]);
        // Nothing listens there, and no such file can be made.
        let nowhere = match kind {
            crate::engine::Kind::Sqlite => "sqlite:/proc/fleet.db",
            crate::engine::Kind::Postgres => "postgres://127.0.0.1:1/fleet",
        };
        let outcome = crate::engine::outcome(gone.env("NIX_DEPLOY_DATABASE_URL", nowhere).output().unwrap());
        assert_eq!((outcome.code, &outcome.stdout), (plain.code, &plain.stdout), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("what is missing is recorded later"), "{}", outcome.stderr);
        for _ in 0..2 {
            engine.good(&["fleet", "flush", "--all"]);
            assert_eq!(engine.value("SELECT count(*) FROM runs WHERE command = 'check'").await, "1");
            assert_eq!(engine.value("SELECT count(*) FROM findings").await, "2", "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_written_is_a_warning_of_a_check() {
    let engine = Engine::new(crate::engine::Kind::Sqlite).await;
    configuration(&engine);
    let plain = unrecorded(&engine);
    std::fs::write(engine.state().join("runs"), "").unwrap();
    let outcome = check(&engine, &[]);
    assert_eq!((outcome.code, &outcome.stdout), (plain.code, &plain.stdout), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("warning: this check is not recorded: create the folder "), "{outcome:?}");
}

#[tokio::test]
async fn hooks_and_what_judges_nothing_leave_no_record() {
    let engine = Engine::new(crate::engine::Kind::Sqlite).await;
    configuration(&engine);
    for arguments in [&["--diff"][..], &["--write-baseline"], &["--staged"], &["--list-rules"]] {
        engine.run(&[&["check"], arguments].concat());
        assert!(!engine.state().join("runs").exists(), "{arguments:?}");
    }
    // What the baseline holds was decided before.
    assert_eq!(engine.run(&["check", "--nix", "never"]).code, 0);
    engine.good(&["fleet", "flush"]);
    assert_eq!(engine.value("SELECT count(*) FROM runs").await, "1");
    assert_eq!(engine.value("SELECT count(*) FROM findings").await, "0");
}
