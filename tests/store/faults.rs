//! What can go wrong with a database, done for real: a clear message or a
//! correct row, never a wrong one, and never a deploy that notices.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::engine::{BOTH, Engine, Kind, Outcome, outcome};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";
const RUN: &str = "20251121-100000-aaaaaa";
/// No wait of these tests takes longer unless something is broken.
const LONGEST: Duration = Duration::from_secs(60);

/// A run over so many hosts, and how many reports and steps it makes.
fn large_run(engine: &Engine, run: &str, hosts: usize) -> (usize, usize, usize) {
    let mut journal = Journal::new(engine, run, 60).of("c1", OLD, NEW);
    journal.hosts = (0..hosts).map(|index| format!("host-{index}")).collect();
    let names = journal.hosts.clone();
    let mut journal = journal.begin();
    for host in &names {
        journal = journal.evaluated(host).built(host).ended(host, "deployed");
    }
    (journal.finish(0).write(), hosts * 2, hosts * 3)
}

/// Everything of such a run is there once.
async fn assert_once(engine: &Engine, run: &str, hosts: usize, lines: usize) {
    for (sql, expected) in [
        (format!("SELECT last_seq FROM runs WHERE id = '{run}'"), lines),
        (
            format!("SELECT count(*) FROM deployment_events WHERE run_id = '{run}' AND status = 'success'"),
            hosts,
        ),
        ("SELECT count(*) FROM system_states".to_owned(), hosts * 2),
        ("SELECT count(*) FROM steps".to_owned(), hosts * 3),
        ("SELECT count(*) FROM unit_changes".to_owned(), hosts),
        ("SELECT count(*) FROM package_changes".to_owned(), hosts),
        ("SELECT count(*) FROM derivations WHERE status_id = 11".to_owned(), hosts),
    ] {
        assert_eq!(engine.value(&sql).await, expected.to_string(), "{:?} {sql}", engine.kind);
    }
}

/// Waits until a condition holds, as long as the child lives.
async fn until(child: &mut Child, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST {
        if holds().await {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("waited too long");
}

async fn recorded(engine: &Engine) -> usize {
    let rows = engine.rows(&format!("SELECT last_seq FROM runs WHERE id = '{RUN}'")).await;
    rows.first().map_or(0, |row| row[0].parse().unwrap())
}

#[tokio::test]
async fn a_recorder_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let (lines, ..) = large_run(&engine, RUN, 300);
        let mut kills = 0;
        let mut before = 0;
        while before < lines && kills < 8 {
            let mut child = engine.command(&["fleet", "flush"]).spawn().unwrap();
            // Killed as soon as it has come further than the one before.
            if until(&mut child, async || recorded(&engine).await > before).await {
                let _ = child.kill();
                kills += 1;
            }
            child.wait().unwrap();
            before = recorded(&engine).await;
        }
        assert!(kills > 1, "{kind:?}: it was never killed in the middle");
        engine.good(&["fleet", "flush"]);
        assert_once(&engine, RUN, 300, lines).await;
    }
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_of_a_transaction_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::own(folder.path());
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.good(&["fleet", "migrate"]);
    let (lines, ..) = large_run(&engine, RUN, 300);
    let mut child = engine.command(&["fleet", "flush"]).spawn().unwrap();
    assert!(until(&mut child, async || recorded(&engine).await > 0).await);
    cluster.stop();
    assert_ne!(child.wait().unwrap().code(), Some(0));
    let outcome = engine.run(&["fleet", "status"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("connect to the fleet database"), "{}", outcome.stderr);
    cluster.start();
    engine.good(&["fleet", "flush"]);
    assert_once(&engine, RUN, 300, lines).await;
    cluster.stop();
}

/// A shell in mount and user namespaces of its own, where it may mount.
#[expect(clippy::disallowed_methods, reason = "a test makes the disk it needs")]
fn in_own_mounts(engine: &Engine, script: &str) -> Outcome {
    let output = std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-euc",
            script,
            "sh",
            env!("CARGO_BIN_EXE_nix-deploy"),
        ])
        .env("NIX_DEPLOY_STATE", engine.state())
        .env("NIX_DEPLOY_DATABASE_URL", &engine.url)
        .env("HOME", engine.folder.path())
        .env("LANG", "C.UTF-8")
        .current_dir(engine.folder.path())
        .output()
        .unwrap();
    outcome(output)
}

#[tokio::test]
async fn a_full_disk_says_so_and_everything_is_recorded_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let url = format!("sqlite:{}/fleet.db", disk.display());
    let engine = Engine::over(Kind::Sqlite, folder, url);
    let (lines, ..) = large_run(&engine, RUN, 300);
    let script = format!(
        "mount -t tmpfs -o size=700k tmpfs {disk}; \
         if $1 fleet flush; then echo 'it fitted'; exit 9; fi; \
         mount -o remount,size=64m {disk}; $1 fleet flush; cp {disk}/fleet.db* {}/",
        engine.folder.path().display(),
        disk = disk.display()
    );
    let outcome = in_own_mounts(&engine, &script);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.stderr.contains("database or disk is full"), "{outcome:?}");
    assert!(outcome.stderr.contains("hint: the disk is full"), "{outcome:?}");
    let Engine { folder, .. } = engine;
    let url = format!("sqlite:{}/fleet.db", folder.path().display());
    let engine = Engine::over(Kind::Sqlite, folder, url);
    assert_once(&engine, RUN, 300, lines).await;
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_named_and_kept() {
    let engine = Engine::new(Kind::Sqlite).await;
    large_run(&engine, RUN, 2);
    let state = engine.state();
    let script = format!("mount --bind {0} {0}; mount -o remount,bind,ro {0}; $1 fleet flush", state.display());
    let outcome = in_own_mounts(&engine, &script);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stderr.contains("fleet.db") && outcome.stderr.contains("can only be read here"),
        "{outcome:?}"
    );
    engine.good(&["fleet", "flush"]);
    assert_eq!(engine.value("SELECT count(*) FROM deployment_events").await, "2");
}

#[tokio::test]
async fn wrong_places_and_passwords_say_what_to_check_and_no_password() {
    let cluster = Cluster::shared();
    let name = cluster.database().await;
    let good = cluster.url(&name);
    let wrong = [
        (good.replace("opens%20sesame", "hunter2"), "password authentication failed"),
        (good.replace(&name, "nowhere"), "database \"nowhere\" does not exist"),
        (good.replace("fleet:", "eve:"), "password authentication failed"),
        ("postgres://fleet:hunter2@127.0.0.1:1/fleet".to_owned(), "fleet of fleet at 127.0.0.1:1"),
        ("postgres://fleet:hunter2@host:port/x".to_owned(), "it is not of the form postgres://"),
        ("sqlite:/proc/nothing/fleet.db".to_owned(), "open the fleet database /proc/nothing/fleet.db"),
        (good.clone(), "has no tables of it yet; this nix-deploy needs schema"),
    ];
    for (url, part) in wrong {
        let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
        let outcome = engine.run(&["fleet", "status"]);
        assert!(outcome.code == 2 || (outcome.code == 1 && part.starts_with("open")), "{outcome:?}");
        assert!(outcome.stderr.contains(part), "{outcome:?}");
        assert!(!outcome.stderr.contains("hunter2") && !outcome.stderr.contains("sesame"), "{outcome:?}");
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
    }
    // The password of the environment, and of ~/.pgpass, as for psql.
    let bare = good.replace(":opens%20sesame", "");
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), bare);
    let output = engine.command(&["fleet", "migrate"]).env("PGPASSWORD", "opens sesame").output().unwrap();
    assert_eq!(outcome(output).code, 0);
    let pgpass = engine.folder.path().join(".pgpass");
    std::fs::write(&pgpass, "*:*:*:fleet:opens sesame\n").unwrap();
    std::fs::set_permissions(&pgpass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(engine.run(&["fleet", "status"]).code, 0, "{:?}", cluster.socket());
}

#[tokio::test]
async fn a_newer_schema_is_refused_before_anything_is_read() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        engine.sql("INSERT INTO nix_deploy_schema (version, name) VALUES (900, 'of tomorrow')").await;
        for arguments in [["fleet", "status"], ["fleet", "migrate"], ["fleet", "flush"]] {
            let outcome = engine.run(&arguments);
            assert_eq!(outcome.code, 2, "{outcome:?}");
            assert!(
                outcome.stderr.contains("has schema 900; this nix-deploy knows schemas up to"),
                "{outcome:?}"
            );
            assert!(outcome.stderr.contains("hint: use a newer nix-deploy"), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn many_deployers_do_not_trip_over_each_other() {
    for (kind, deployers) in [(Kind::Sqlite, 4), (Kind::Postgres, 50)] {
        let engine = Engine::new(kind).await;
        // Each with a state folder of its own, all of one flake, one commit and one host.
        let children: Vec<Child> = (0..deployers)
            .map(|index| {
                let state = engine.folder.path().join(format!("state-{index}"));
                let run = format!("20251121-1000{index:02}-aaaaaa");
                let journal = Journal::new(&engine, &run, 60).of("c1", OLD, NEW).in_state(&state);
                journal.begin().evaluated("p620").built("p620").ended("p620", "deployed").finish(0).write();
                let mut command = engine.command(&["fleet", "flush"]);
                command.env("NIX_DEPLOY_STATE", &state).stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let outcome = outcome(child.wait_with_output().unwrap());
            assert_eq!(outcome.code, 0, "{kind:?}: {}", outcome.stderr);
        }
        for (table, rows) in [
            ("flakes", 1),
            ("commits", 1),
            ("derivations", 2),
            ("runs", deployers),
            ("deployment_events", deployers),
            ("system_states", deployers * 2),
        ] {
            let found = engine.value(&format!("SELECT count(*) FROM {table}")).await;
            assert_eq!(found, rows.to_string(), "{kind:?} {table}");
        }
    }
}

/// Tools for a deploy that fails at its first look at the host: `nix` waits
/// until the file `go` is there.
fn short_deploy(engine: &Engine) {
    engine.script("nix", "while [ ! -e go ]; do /bin/sleep 0.02; done; echo 'error: no flake' >&2; exit 1");
    engine.script("ssh", "while [ ! -e go ]; do /bin/sleep 0.02; done; exit 255");
}

fn deploy(engine: &Engine) -> Child {
    let mut command = engine.command(&["p620", "--yes", "--output", "plain"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn a_deploy_is_seen_while_it_runs_and_its_end_is_recorded() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        short_deploy(&engine);
        let mut child = deploy(&engine);
        let running =
            "SELECT count(*) FROM deployment_events WHERE status = 'in_progress' AND hostname = 'p620'";
        assert!(until(&mut child, async || engine.value(running).await == "1").await, "{kind:?}");
        let history = engine.json(&["fleet", "history"]);
        assert_eq!(history[0]["status"], "in_progress");
        std::fs::write(engine.folder.path().join("go"), "").unwrap();
        let outcome = outcome(child.wait_with_output().unwrap());
        assert!([4, 5].contains(&outcome.code), "{outcome:?}");
        assert!(!outcome.stderr.contains("fleet database"), "{outcome:?}");
        let sql =
            "SELECT e.status || ' ' || r.exit_code FROM deployment_events e JOIN runs r ON r.id = e.run_id";
        let sql = sql.replace("r.exit_code", "CAST(r.exit_code AS text)");
        assert_eq!(engine.value(&sql).await, format!("failed {}", outcome.code), "{kind:?}");
    }
}

#[tokio::test]
async fn what_earlier_deploys_left_is_recorded_by_the_next_one() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        short_deploy(&engine);
        let mut child = deploy(&engine);
        let runs = "SELECT count(*) FROM runs";
        assert!(until(&mut child, async || engine.value(runs).await == "1").await, "{kind:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        // What the kill cost the database is in the journal: here nearly all of it. The database was
        // away for forty other runs.
        engine.sql("DELETE FROM runs").await;
        for index in 10..50 {
            let journal = Journal::new(&engine, &format!("20251121-1000{index}-aaaaaa"), 60).of("c1", OLD, NEW);
            journal.begin().evaluated("p620").ended("p620", "deployed").finish(0).write();
        }
        let mut child = deploy(&engine);
        let ended = "SELECT count(*) FROM runs WHERE outcome IS NOT NULL";
        assert!(until(&mut child, async || engine.value(ended).await == "41").await, "{kind:?}");
        std::fs::write(engine.folder.path().join("go"), "").unwrap();
        child.wait().unwrap();
        assert_eq!(engine.value(ended).await, "42", "{kind:?}");
        let sql = "SELECT count(*) FROM runs WHERE outcome = 'the program ended without a word'";
        assert_eq!(engine.value(sql).await, "1", "{kind:?}");
        assert_eq!(engine.value("SELECT count(*) FROM deployment_events").await, "42", "{kind:?}");
        let marks = std::fs::read_dir(engine.state().join("runs")).unwrap();
        assert!(marks.into_iter().all(|run| run.unwrap().path().join("recorded").exists()), "{kind:?}");
        let flushed = &engine.json(&["fleet", "flush", "--all"])[0];
        assert_eq!(flushed["events"], 0, "{kind:?} {flushed}");
    }
}

/// Holds the database, so that nobody can write, until it is dropped.
enum Holder {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Holder {
    async fn of(engine: &Engine) -> Self {
        use sqlx::Executor;
        match engine.kind {
            Kind::Sqlite => {
                let mut connection = engine.sqlite().await;
                connection.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.unwrap();
                Self::Sqlite(connection)
            }
            Kind::Postgres => {
                let mut connection = engine.postgres().await;
                let sql = "BEGIN; LOCK TABLE runs IN ACCESS EXCLUSIVE MODE";
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    async fn let_go(self) {
        use sqlx::Connection;
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

#[tokio::test]
async fn a_lock_that_is_held_all_the_time_delays_no_deploy() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        short_deploy(&engine);
        std::fs::write(engine.folder.path().join("go"), "").unwrap();
        let free = {
            let begun = Instant::now();
            let mut child = deploy(&engine);
            child.wait().unwrap();
            begun.elapsed()
        };
        let holder = Holder::of(&engine).await;
        let begun = Instant::now();
        let outcome = outcome(deploy(&engine).wait_with_output().unwrap());
        let held = begun.elapsed();
        assert!([4, 5].contains(&outcome.code), "{outcome:?}");
        // The recorder's patience is 250 ms, and its database's 5 s; the rest is for a busy machine.
        assert!(held < free * 3 + Duration::from_secs(4), "{kind:?}: {held:?} instead of {free:?}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("the fleet database is slow"), "{kind:?}: {said}");
        holder.let_go().await;
        assert_eq!(engine.value("SELECT count(*) FROM runs").await, "1");
        engine.good(&["fleet", "flush"]);
        assert_eq!(engine.value("SELECT count(*) FROM runs WHERE exit_code IS NOT NULL").await, "2");
    }
}

#[tokio::test]
async fn a_deploy_that_outlasts_a_lock_of_a_minute_is_recorded_before_it_ends() {
    tokio::join!(outlasts_a_lock(Kind::Sqlite), outlasts_a_lock(Kind::Postgres));
}

async fn outlasts_a_lock(kind: Kind) {
    let engine = Engine::new(kind).await;
    short_deploy(&engine);
    let holder = Holder::of(&engine).await;
    let mut child = deploy(&engine);
    // The recorder waits for a lock for 5 s, so that it gives up several times, and says so once.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        assert!(child.try_wait().unwrap().is_none(), "{kind:?}: the deploy has ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    holder.let_go().await;
    let running = "SELECT count(*) FROM deployment_events WHERE status = 'in_progress'";
    assert!(until(&mut child, async || engine.value(running).await == "1").await, "{kind:?}");
    std::fs::write(engine.folder.path().join("go"), "").unwrap();
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let outcome = outcome(ended);
    assert!([4, 5].contains(&outcome.code), "{outcome:?}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(said.matches("what is missing is recorded later").count(), 1, "{kind:?}: {said}");
    assert_eq!(engine.value("SELECT count(*) FROM runs WHERE exit_code IS NOT NULL").await, "1", "{kind:?}");
    // Each event once, however often somebody looks.
    let events = engine.value("SELECT count(*) || ' ' || sum(last_seq) FROM runs").await;
    engine.good(&["fleet", "flush", "--all"]);
    assert_eq!(engine.value("SELECT count(*) || ' ' || sum(last_seq) FROM runs").await, events, "{kind:?}");
    assert_eq!(engine.value("SELECT count(*) FROM deployment_events").await, "1", "{kind:?}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_of_a_deploy_gets_it_from_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::own(folder.path());
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.good(&["fleet", "migrate"]);
    short_deploy(&engine);
    let mut child = deploy(&engine);
    let running = "SELECT count(*) FROM deployment_events WHERE status = 'in_progress'";
    assert!(until(&mut child, async || engine.value(running).await == "1").await);
    cluster.stop();
    std::fs::write(engine.folder.path().join("go"), "").unwrap();
    let first = outcome(child.wait_with_output().unwrap());
    assert!([4, 5].contains(&first.code), "{first:?}");
    let said = format!("{}{}", first.stdout, first.stderr);
    assert_eq!(said.matches("what is missing is recorded later").count(), 1, "{said}");
    cluster.start();
    assert_eq!(engine.value(running).await, "1");
    std::fs::remove_file(engine.folder.path().join("go")).unwrap();
    let mut child = deploy(&engine);
    let ended = "SELECT count(*) FROM runs WHERE exit_code IS NOT NULL";
    assert!(until(&mut child, async || engine.value(ended).await == "1").await);
    std::fs::write(engine.folder.path().join("go"), "").unwrap();
    child.wait().unwrap();
    assert_eq!(engine.value("SELECT count(*) FROM deployment_events WHERE status = 'failed'").await, "2");
    cluster.stop();
}

#[tokio::test]
async fn a_deploy_goes_on_when_its_database_has_no_room_and_is_recorded_when_there_is_some() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let url = format!("sqlite:{}/fleet.db", disk.display());
    let engine = Engine::over(Kind::Sqlite, folder, url);
    short_deploy(&engine);
    std::fs::write(engine.folder.path().join("go"), "").unwrap();
    let place = engine.folder.path().display();
    let script = format!(
        "mount -t tmpfs -o size=2m tmpfs {disk}; PATH={place}/bin:$PATH; $1 fleet migrate; \
         head -c 9m /dev/zero >{disk}/filler || true; \
         code=0; $1 p620 --yes --output plain >said 2>&1 || code=$?; echo $code >code; \
         rm {disk}/filler; $1 fleet flush; cp {disk}/fleet.db* {place}/",
        disk = disk.display()
    );
    let outcome = in_own_mounts(&engine, &script);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let read = |name: &str| std::fs::read_to_string(engine.folder.path().join(name)).unwrap();
    let (said, code) = (read("said"), read("code"));
    assert!(["4\n", "5\n"].contains(&code.as_str()), "{code}: {said}");
    assert_eq!(said.matches("what is missing is recorded later").count(), 1, "{said}");
    let Engine { folder, .. } = engine;
    let url = format!("sqlite:{}/fleet.db", folder.path().display());
    let engine = Engine::over(Kind::Sqlite, folder, url);
    assert_eq!(engine.value("SELECT count(*) FROM runs WHERE exit_code IS NOT NULL").await, "1");
    assert_eq!(engine.value("SELECT count(*) FROM deployment_events WHERE status = 'failed'").await, "1");
}

#[tokio::test]
async fn a_deploy_without_its_database_goes_on_and_says_so_once() {
    let url = "postgres://fleet:hunter2@127.0.0.1:1/fleet".to_owned();
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    short_deploy(&engine);
    std::fs::write(engine.folder.path().join("go"), "").unwrap();
    let outcome = outcome(deploy(&engine).wait_with_output().unwrap());
    assert!([4, 5].contains(&outcome.code), "{outcome:?}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(said.matches("what is missing is recorded later").count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let cluster = Cluster::shared();
    let Engine { folder, .. } = engine;
    let engine = Engine::over(Kind::Postgres, folder, cluster.url(&cluster.database().await));
    engine.good(&["fleet", "migrate"]);
    engine.good(&["fleet", "flush"]);
    assert_eq!(engine.value("SELECT count(*) FROM runs WHERE exit_code IS NOT NULL").await, "1");
}
