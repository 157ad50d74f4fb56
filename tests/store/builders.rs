//! History, evaluations and builders, as real processes with a real Nix: what is
//! claimed, what is built how often, and what is left when one is killed.

use rustix::process::Signal;

use crate::engine::{BOTH, Kind};
use crate::workshop::{Does, Workshop, ended, objects, signal, until};

/// The one object that a command printed.
fn only(mut objects: Vec<serde_json::Value>) -> serde_json::Value {
    assert_eq!(objects.len(), 1, "{objects:?}");
    objects.remove(0)
}

#[tokio::test]
async fn history_evaluations_and_builds_of_a_fleet_are_recorded_to_the_end() {
    for kind in BOTH {
        let workshop = Workshop::new(kind).await;
        let first = workshop.commit_text("{ outputs = _: throw \"not yet\"; }\n");
        let second = workshop.commit(
            &[
                ("lib-1.0", &[], Does::Build),
                ("hello-2.1", &["lib-1.0"], Does::Build),
                ("world-3.0", &["lib-1.0"], Does::Build),
                ("broken-1.0", &[], Does::Fail),
            ],
            &[("p620", &["hello-2.1"]), ("p510", &["world-3.0"]), ("razer", &["broken-1.0"])],
        );
        let synced = only(workshop.json(0, &["fleet", "sync"]));
        assert_eq!((synced["new"].as_u64(), synced["newest"].as_str()), (Some(2), Some(second.as_str())));
        let again = only(workshop.json(0, &["fleet", "sync"]));
        assert_eq!((again["new"].as_u64(), again["known"].as_u64()), (Some(0), Some(2)));

        // samsung is in no commit, and the first commit evaluates for nobody.
        let found = workshop.json(4, &["fleet", "evaluate", "--commits", "2"]);
        let shown: Vec<String> = found
            .iter()
            .map(|row| {
                let hash = row["commit_hash"].as_str().unwrap();
                let which = if hash == first { "first" } else { "second" };
                format!(
                    "{which} {} {} {}",
                    row["hostname"].as_str().unwrap(),
                    row["evaluated"],
                    row["packages"]
                )
            })
            .collect();
        let expected = [
            "second p620 true 2",
            "second p510 true 2",
            "second razer true 1",
            "second samsung false 0",
            "first p620 false 0",
            "first p510 false 0",
            "first razer false 0",
            "first samsung false 0",
        ];
        assert_eq!(shown, expected, "{kind:?}");
        let commits = workshop
            .engine
            .rows(
                "SELECT evaluation_status, evaluation_attempt_count, \
                 CASE WHEN evaluation_error_message LIKE '%not yet%' THEN 'not yet' ELSE '-' END \
                 FROM commits ORDER BY id",
            )
            .await;
        assert_eq!(commits, [["failed", "1", "not yet"], ["complete", "1", "-"]]);
        // What evaluates stays; the others are tried five times.
        for _ in 0..4 {
            assert_eq!(workshop.json(4, &["fleet", "evaluate", "--commits", "2"]).len(), 5);
        }
        assert_eq!(workshop.json(4, &["fleet", "evaluate", "--commits", "2"]).len(), 0);

        let built = workshop.json(4, &["fleet", "build", "--once", "--workers", "3", "--retry-after", "0s"]);
        let place = |name: &str| built.iter().position(|row| row["derivation_name"] == name).unwrap();
        assert!(place("lib-1.0") < place("hello-2.1") && place("hello-2.1") < place("p620"), "{built:#?}");
        assert!(place("lib-1.0") < place("world-3.0") && place("world-3.0") < place("p510"), "{built:#?}");
        let attempts: Vec<_> = built
            .iter()
            .filter(|row| row["derivation_name"] == "broken-1.0")
            .map(|row| (row["outcome"].as_str().unwrap(), row["attempts"].as_u64().unwrap()))
            .collect();
        assert_eq!(attempts, [1, 2, 3, 4, 5].map(|number| ("failed", number)));
        let expected = [
            "broken-1.0 build-failed 5",
            "hello-2.1 build-complete 0",
            "lib-1.0 build-complete 0",
            "world-3.0 build-complete 0",
            "p510 build-complete 0",
            "p620 build-complete 0",
            "razer build-failed 0",
            "samsung dry-run-failed 5",
        ];
        assert_eq!(workshop.derivations().await[4..], expected, "{kind:?}");
        for package in ["lib-1.0", "hello-2.1", "world-3.0", "nixos-system-p620-25.05"] {
            assert_eq!(workshop.begun(package), 1, "{kind:?} {package}");
        }
        assert_eq!(workshop.begun("broken-1.0"), 5);
        let why = "SELECT error_message FROM derivations WHERE derivation_name = ";
        let error = workshop.engine.value(&format!("{why}'broken-1.0'")).await;
        assert!(error.contains("exit code 3") && error.contains("it is out of order"), "{error}");
        let error = workshop.engine.value(&format!("{why}'razer' AND status_id = 12")).await;
        assert_eq!(error, "it needs broken-1.0, which failed 5 times");
        assert_eq!(workshop.json(0, &["fleet", "build", "--once"]).len(), 0, "nothing is left");
        assert_eq!(workshop.engine.value("SELECT count(*) FROM build_reservations").await, "0");
        // The link that keeps a host's newest system.
        let result = workshop.path("state-of-desk/builds/results/p620/result");
        let system = std::fs::read_link(result).unwrap();
        assert!(system.to_str().unwrap().ends_with("-nixos-system-p620-25.05"), "{system:?}");
    }
}

#[tokio::test]
async fn a_builder_that_is_killed_loses_nothing_and_one_that_is_told_to_stop_gives_back() {
    for kind in BOTH {
        let workshop = Workshop::new(kind).await;
        workshop.commit(
            &[("slow-1.0", &[], Does::Wait), ("quick-1.0", &[], Does::Build)],
            &[("p620", &["slow-1.0"]), ("p510", &["quick-1.0"])],
        );
        workshop.json(0, &["fleet", "evaluate", "p620", "p510"]);
        let reservations = "SELECT count(*) FROM build_reservations";
        let building =
            async || workshop.begun("slow-1.0") > 0 && workshop.engine.value(reservations).await == "1";

        // One that is told to stop.
        let child = workshop.start("desk", &["fleet", "build"]);
        until("it builds", building).await;
        signal(&child, Signal::TERM);
        let outcome = ended(child);
        assert_eq!(outcome.code, 130, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("given back"), "{}", outcome.stdout);
        assert_eq!(workshop.engine.value(reservations).await, "0");
        assert_eq!(workshop.derivations().await[1], "slow-1.0 dry-run-complete 0", "{kind:?}");

        // One that is killed. As long as its reservation may live, nobody else builds that.
        std::fs::remove_file(workshop.path("gates/built-slow-1.0")).unwrap();
        let mut child = workshop.start("desk", &["fleet", "build"]);
        until("it builds again", building).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let built = workshop.json(0, &["fleet", "build", "--once"]);
        let names: Vec<_> = built.iter().map(|row| row["derivation_name"].as_str().unwrap()).collect();
        assert_eq!(names, ["quick-1.0", "p510"], "{kind:?}");
        assert_eq!(workshop.begun("slow-1.0"), 1);

        // Then it is taken back, by one of two that come at the same time.
        workshop.engine.sql("UPDATE build_reservations SET heartbeat_at = AGO(6)").await;
        let both = [(); 2].map(|()| workshop.start("desk", &["fleet", "build", "--once"]));
        until("it is claimed again", async || {
            let live = "SELECT count(*) FROM build_reservations WHERE heartbeat_at > AGO(1)";
            workshop.engine.value(live).await == "1"
        })
        .await;
        workshop.open("slow-1.0");
        let outcomes = both.map(ended);
        let told: String = outcomes.iter().map(|outcome| outcome.stderr.as_str()).collect();
        assert!(outcomes.iter().all(|outcome| outcome.code == 0), "{told}");
        assert_eq!(told.matches("not heard of for five minutes").count(), 1, "{told}");
        let expected = [
            "quick-1.0 build-complete 0",
            "slow-1.0 build-complete 0",
            "p510 build-complete 0",
            "p620 build-complete 0",
        ];
        assert_eq!(workshop.derivations().await, expected, "{kind:?}");
        assert_eq!(workshop.engine.value(reservations).await, "0");
    }
}

#[tokio::test]
async fn a_builder_that_was_given_up_but_lives_writes_nothing() {
    for kind in BOTH {
        let workshop = Workshop::new(kind).await;
        workshop.commit(&[("slow-1.0", &[], Does::Wait)], &[("p620", &["slow-1.0"])]);
        workshop.json(0, &["fleet", "evaluate", "p620"]);
        let sleeper = workshop.start("desk", &["fleet", "build", "--once", "--json"]);
        until("it builds", async || workshop.begun("slow-1.0") == 1).await;
        // As after a suspended machine: the others have waited long enough.
        workshop.engine.sql("UPDATE build_reservations SET heartbeat_at = AGO(6)").await;
        let other = workshop.start("desk", &["fleet", "build", "--once", "--json"]);
        until("another has it", async || {
            let live = "SELECT count(*) FROM build_reservations WHERE heartbeat_at > AGO(1)";
            workshop.engine.value(live).await == "1"
        })
        .await;
        workshop.open("slow-1.0");
        let (sleeper, other) = (ended(sleeper), ended(other));
        let ends = |outcome| {
            let rows = objects(outcome);
            let of = |name: &str| {
                rows.iter().find(|row| row["derivation_name"] == name).map(|row| row["outcome"].clone())
            };
            of("slow-1.0").unwrap()
        };
        assert_eq!((ends(&sleeper), ends(&other)), ("lost".into(), "built".into()), "{kind:?}");
        assert_eq!(workshop.begun("slow-1.0"), 1, "Nix' own lock kept the second one waiting");
        assert_eq!(workshop.derivations().await, ["slow-1.0 build-complete 0", "p620 build-complete 0"]);
    }
}

#[tokio::test]
async fn many_builders_build_everything_once_on_one_machine_and_on_several() {
    for kind in BOTH {
        let workshop = Workshop::new(kind).await;
        let names: Vec<String> = (0..8).map(|index| format!("package-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let first_half = &names[..4];
        let packages: Vec<(&str, &[&str], Does)> = names
            .iter()
            .enumerate()
            .map(|(index, name)| (*name, if index < 4 { &[][..] } else { first_half }, Does::Build))
            .collect();
        let hosts: Vec<(&str, &[&str])> =
            ["p620", "p510", "razer", "samsung"].into_iter().zip(names.chunks(2)).collect();
        // Two commits with the same packages, and one that only one machine has.
        workshop.commit(&packages, &hosts);
        workshop.commit(&packages, &hosts);
        workshop.json(0, &["fleet", "evaluate", "--commits", "2"]);
        // A file is one machine's; a server is shared by machines with stores of their own.
        let machines = if kind == Kind::Sqlite { ["desk"; 3] } else { ["desk", "rack", "attic"] };
        let cache = format!("file://{}", workshop.path("cache").display());
        let arguments = ["fleet", "build", "--once", "--workers", "2", "--json", "--cache", &cache];
        let workers = machines.map(|machine| workshop.start(machine, &arguments));
        let outcomes = workers.map(ended);
        let told: String =
            outcomes.iter().map(|outcome| format!("{}{}", outcome.stdout, outcome.stderr)).collect();
        assert!(outcomes.iter().all(|outcome| outcome.code == 0), "{kind:?} {told}");
        let rows: Vec<_> = outcomes.iter().flat_map(objects).collect();
        assert!(rows.iter().all(|row| row["outcome"] == "cache-pushed"), "{kind:?} {rows:#?}");
        assert_eq!(rows.len(), 8 + 8, "the packages once for both commits, and eight systems: {rows:#?}");
        for name in &names {
            assert_eq!(workshop.begun(name), 1, "{kind:?} {name}");
        }
        let pushed = "SELECT count(*) FROM derivations WHERE status_id = 14 AND store_path IS NOT NULL";
        assert_eq!(workshop.engine.value(pushed).await, "24", "{kind:?}");
        let path =
            workshop.engine.value("SELECT store_path FROM derivations WHERE derivation_name = 'razer' LIMIT 1");
        let hash = path.await["/nix/store/".len()..].chars().take(32).collect::<String>();
        assert!(workshop.path(&format!("cache/{hash}.narinfo")).exists());
    }
}

#[tokio::test]
async fn evaluating_the_newest_commit_leaves_no_gap_and_takes_what_is_checked_out() {
    for kind in BOTH {
        let workshop = Workshop::new(kind).await;
        let commit = |name: &str| workshop.commit(&[(name, &[], Does::Build)], &[("p620", &[name])]);
        commit("early-1.0");
        commit("first-1.0");
        workshop.json(0, &["fleet", "evaluate", "p620"]);
        // Older commits than the first that was asked for stay out; then three are pushed at once.
        assert_eq!(workshop.engine.value("SELECT count(*) FROM commits").await, "1", "{kind:?}");
        commit("second-1.0");
        commit("third-1.0");
        let newest = commit("fourth-1.0");
        // Somebody has deployed from a branch that this clone does not have, later than all of it.
        let elsewhere = "a".repeat(40);
        let sql =
            "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (1, 'HASH', AGO(1))";
        workshop.engine.sql(&sql.replace("HASH", &elsewhere)).await;
        let outcome = workshop.run(&["fleet", "evaluate", "p620", "--json"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let told = format!("commit {elsewhere} is recorded, but not in this clone");
        assert!(outcome.stderr.contains(&told), "{}", outcome.stderr);
        assert!(outcome.stdout.contains(&newest) && outcome.stdout.lines().count() == 1, "{}", outcome.stdout);
        let behind = "SELECT count(*) FROM commits WHERE commit_timestamp > \
                      (SELECT c.commit_timestamp FROM commits c JOIN derivations d ON d.commit_id = c.id \
                       WHERE d.derivation_type = 'nixos' ORDER BY c.id LIMIT 1)";
        assert_eq!(workshop.engine.value(behind).await, "4", "{kind:?}: three here, and the one elsewhere");
        assert!(workshop.run(&["fleet", "evaluate", "p620"]).stderr.contains("1 commit evaluated before"));
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_built_here_says_why_and_is_left_to_others() {
    let workshop = Workshop::new(Kind::Postgres).await;
    let error = |arguments: &[&str]| {
        let outcome = workshop.run(arguments);
        (outcome.code, outcome.stderr)
    };
    let (code, said) = error(&["fleet", "sync"]);
    assert!(code == 2 && said.contains("has no commit yet") && said.contains("git commit"), "{said}");
    assert_eq!(
        workshop.run(&["fleet", "build", "--once"]).code,
        0,
        "a flake that is not recorded has no queue"
    );

    let hash = workshop.commit(&[("hello-1.0", &[], Does::Build)], &[("p620", &["hello-1.0"])]);
    workshop.json(0, &["fleet", "evaluate", "p620"]);
    std::fs::write(workshop.path("fleet/flake.nix"), "{ outputs = _: { }; }\n").unwrap();
    let (code, said) = error(&["fleet", "sync"]);
    assert!(code == 0 && said.contains("changes that are not committed belong to no commit"), "{said}");

    // Another machine, whose clone is older: it has neither the derivation nor the commit.
    let far = workshop.path("far");
    std::fs::create_dir(&far).unwrap();
    std::fs::copy(workshop.path("fleet/hosts.toml"), far.join("hosts.toml")).unwrap();
    std::fs::write(far.join("flake.nix"), "{ outputs = _: { }; }\n").unwrap();
    let url = workshop.engine.value("SELECT repo_url FROM flakes").await;
    let git = |arguments: &[&str]| workshop.git(&[&["-C", far.to_str().unwrap()], arguments].concat());
    git(&["init", "--quiet"]);
    git(&["config", "remote.origin.url", &url]);
    git(&["add", "flake.nix"]);
    git(&["commit", "--quiet", "--message", "older"]);
    let mut command = workshop.command_on("far", &["fleet", "build", "--once"]);
    let outcome = crate::engine::outcome(command.current_dir(&far).output().unwrap());
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(outcome.stdout.contains(&format!("commit {hash} is not in this clone")), "{}", outcome.stdout);
    let expected = ["hello-1.0 dry-run-complete 0", "p620 dry-run-complete 0"];
    assert_eq!(workshop.derivations().await, expected, "it counts for nothing");

    // A derivation for another kind of machine is left to one.
    workshop.commit(&[("odd-1.0", &[], Does::Elsewhere)], &[("p510", &["odd-1.0"])]);
    workshop.json(0, &["fleet", "evaluate", "p510"]);
    let outcome = workshop.run(&["fleet", "build", "--once"]);
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    let line = outcome.stdout.lines().find(|line| line.contains("odd-1.0 for p510")).unwrap();
    assert!(line.starts_with("not here") && line.contains("riscv64-linux"), "{line}");
    assert_eq!(workshop.derivations().await[2], "odd-1.0 dry-run-complete 0");

    // No git at all.
    let mut command = workshop.command_on("desk", &["fleet", "sync"]);
    let outcome = crate::engine::outcome(command.env("PATH", workshop.path("home")).output().unwrap());
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("install git"), "{}", outcome.stderr);
}
