//! What is well, what is not, and what was not before.

use super::*;

fn unit(active: &str, sub: &str, restarts: u32) -> UnitHealth {
    UnitHealth {
        load: "loaded".to_owned(),
        active: active.to_owned(),
        sub: sub.to_owned(),
        result: if active == "failed" { "exit-code" } else { "success" }.to_owned(),
        restarts,
    }
}

fn units(list: &[(&str, UnitHealth)]) -> Baseline {
    list.iter().map(|(name, health)| ((*name).to_owned(), health.clone())).collect()
}

fn ailing(judge: &Judge, sample: &Baseline) -> Vec<String> {
    judge.judge(sample).ailing.into_iter().map(|ailing| ailing.unit).collect()
}

#[test]
fn a_reload_that_failed_ails_while_the_unit_reads_active() {
    let failed_reloads = BTreeMap::from([("a.service".to_owned(), "exit-code".to_owned())]);
    let judge = Judge { failed_reloads, ..Judge::default() };
    let sample =
        units(&[("a.service", unit("active", "running", 0)), ("b.service", unit("active", "running", 0))]);
    assert_eq!(ailing(&judge, &sample), ["a.service"]);
}

#[test]
fn an_idle_critical_service_passes_only_where_that_is_its_nature() {
    let idle = units(&[("a.service", unit("inactive", "dead", 0))]);
    let critical = vec!["a.service".to_owned()];
    let mut judge = Judge { baseline: idle.clone(), critical, ..Judge::default() };
    assert_eq!(ailing(&judge, &idle), ["a.service"]);
    judge.may_be_idle = ["a.service".to_owned()].into();
    assert!(ailing(&judge, &idle).is_empty());
    judge.baseline = units(&[("a.service", unit("active", "running", 0))]);
    assert_eq!(ailing(&judge, &idle), ["a.service"]);
}

#[test]
fn a_unit_that_cannot_be_loaded_ails_unless_it_could_not_before() {
    let bad = UnitHealth { load: "bad-setting".to_owned(), ..unit("inactive", "dead", 0) };
    let sample = units(&[("a.service", bad)]);
    let judge = Judge { baseline: units(&[("a.service", unit("active", "running", 0))]), ..Judge::default() };
    assert_eq!(ailing(&judge, &sample), ["a.service"]);
    let judge = Judge { baseline: sample.clone(), ..Judge::default() };
    assert!(ailing(&judge, &sample).is_empty());
    assert_eq!(judge.judge(&sample).broken_before, ["a.service"]);
}

#[test]
fn what_ran_and_is_on_its_way_is_told_and_judged_only_when_critical() {
    let judge = Judge {
        baseline: units(&[
            ("a.service", unit("active", "running", 0)),
            ("b.service", unit("active", "exited", 0)),
        ]),
        ..Judge::default()
    };
    let sample =
        units(&[("a.service", unit("activating", "start", 0)), ("b.service", unit("activating", "start", 0))]);
    let judgement = judge.judge(&sample);
    assert!(judgement.ailing.is_empty());
    assert_eq!(judgement.unsettled, ["a.service"]);
}

#[test]
fn one_restart_is_once() {
    assert_eq!((times(1), times(3)), ("once".to_owned(), "3 times".to_owned()));
}

#[test]
fn only_what_was_well_before_is_judged() {
    let judge = Judge {
        baseline: units(&[
            ("old.service", unit("failed", "failed", 0)),
            ("a.service", unit("active", "running", 0)),
        ]),
        ..Judge::default()
    };
    let sample = units(&[
        ("old.service", unit("failed", "failed", 0)),
        ("a.service", unit("failed", "failed", 0)),
        ("new.service", unit("failed", "failed", 0)),
    ]);
    assert_eq!(ailing(&judge, &sample), ["a.service", "new.service"]);
    assert_eq!(judge.judge(&sample).broken_before, ["old.service"]);
}

#[test]
fn a_crash_loop_is_seen_while_the_unit_reads_active() {
    let first = units(&[("a.service", unit("active", "running", 4))]);
    let judge = Judge { baseline: first.clone(), first_sample: first, ..Judge::default() };
    assert!(ailing(&judge, &units(&[("a.service", unit("active", "running", 4))])).is_empty());
    assert_eq!(ailing(&judge, &units(&[("a.service", unit("active", "running", 5))])), ["a.service"]);
    assert_eq!(ailing(&judge, &units(&[("a.service", unit("activating", "auto-restart", 4))])), ["a.service"]);
}

#[test]
fn restarts_are_counted_from_the_first_look_that_counts_them() {
    let listed = UnitHealth { result: String::new(), ..unit("active", "running", 0) };
    let mut judge = Judge { first_sample: units(&[("a.service", listed)]), ..Judge::default() };
    // Restarts of long ago are none of this deploy.
    let second = units(&[("a.service", unit("active", "running", 3))]);
    assert!(ailing(&judge, &second).is_empty());
    judge.count_from(&second);
    assert!(ailing(&judge, &second).is_empty());
    let third = units(&[("a.service", unit("active", "running", 4))]);
    judge.count_from(&third);
    assert_eq!(ailing(&judge, &third), ["a.service"]);
}

#[test]
fn what_was_up_and_has_gone_without_a_failure_is_named() {
    let judge = Judge {
        baseline: units(&[
            ("web.service", unit("active", "running", 0)),
            ("once.service", unit("active", "exited", 0)),
            ("off.socket", unit("inactive", "dead", 0)),
            ("x.socket", unit("active", "running", 0)),
            ("y.timer", unit("active", "waiting", 0)),
            ("z.path", unit("active", "waiting", 0)),
            ("sys.mount", unit("active", "mounted", 0)),
        ]),
        ..Judge::default()
    };
    let ended: Vec<_> =
        judge.baseline.keys().map(|name| (name.as_str(), unit("inactive", "dead", 0))).collect();
    // systemd forgets what has ended and nothing refers to.
    for sample in [units(&ended), Baseline::new()] {
        let judgement = judge.judge(&sample);
        assert_eq!(judgement.idle, ["web.service"]);
        assert!(judgement.on_demand.is_empty());
        assert_eq!(judgement.not_ready, ["x.socket", "y.timer", "z.path"]);
        assert!(judgement.ailing.is_empty());
    }
    let on_demand =
        units(&[("web.service", unit("inactive", "dead", 0)), ("web.socket", unit("active", "listening", 0))]);
    assert_eq!(judge.judge(&on_demand).on_demand, ["web.service"]);
    let as_before = judge.judge(&judge.baseline);
    assert!(as_before.idle.is_empty() && as_before.not_ready.is_empty());
}

#[test]
fn a_finished_oneshot_is_healthy() {
    let judge = Judge { baseline: units(&[("a.service", unit("inactive", "dead", 0))]), ..Judge::default() };
    assert!(ailing(&judge, &units(&[("a.service", unit("inactive", "dead", 0))])).is_empty());
}

#[test]
fn critical_services_must_run_whatever_was_before() {
    let judge = Judge {
        baseline: units(&[
            ("db.service", unit("failed", "failed", 0)),
            ("web.service", unit("active", "running", 0)),
        ]),
        critical: vec!["db.service".to_owned(), "web.service".to_owned(), "gone.service".to_owned()],
        ..Judge::default()
    };
    let sample =
        units(&[("db.service", unit("failed", "failed", 0)), ("web.service", unit("inactive", "dead", 0))]);
    assert_eq!(ailing(&judge, &sample), ["db.service", "web.service", "gone.service"]);
    let starting = units(&[
        ("db.service", unit("activating", "start", 0)),
        ("web.service", unit("active", "running", 0)),
        ("gone.service", unit("active", "running", 0)),
    ]);
    assert_eq!(judge.judge(&starting).pending, ["db.service"]);
    assert!(ailing(&judge, &starting).is_empty());
}

#[test]
fn a_removed_unit_that_still_runs_is_not_well() {
    let mut running = unit("active", "running", 0);
    running.load = "not-found".to_owned();
    let judge = Judge { removed: ["x.service".to_owned()].into(), ..Judge::default() };
    assert_eq!(ailing(&judge, &units(&[("x.service", running)])), ["x.service"]);
}
