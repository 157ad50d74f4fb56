//! The mirror against a local GitHub: cold, warm, offline, rate limited,
//! slow and broken.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../../../tests/support/github.rs"]
mod github;

use std::time::Duration;

use github::{FakeIssue, Fault, LocalGitHub};
use tempfile::TempDir;

use super::*;

/// A moment in 2025, in seconds since 1970.
const THEN: i64 = 1_750_000_000;

/// Open issues, with a pull request after every second one.
fn issues(count: u64) -> Vec<FakeIssue> {
    let recent = Timestamp::now().as_second() - 1_000_000;
    (1..=count)
        .flat_map(|number| {
            let issue =
                FakeIssue::bug(2 * number, &format!("package-{number}: crashes"), recent + number as i64);
            let pull = FakeIssue { number: 2 * number + 1, is_pull_request: true, ..issue.clone() };
            if number % 2 == 0 { vec![issue, pull] } else { vec![issue] }
        })
        .collect()
}

struct Desk {
    github: LocalGitHub,
    cache: TempDir,
}

impl Desk {
    async fn new(count: u64) -> Self {
        Self { github: LocalGitHub::start(issues(count)).await, cache: tempfile::tempdir().unwrap() }
    }

    fn tracker(&self) -> Tracker {
        Tracker {
            repository: "NixOS/nixpkgs".to_owned(),
            api_url: self.github.url(),
            cache: self.cache.path().to_owned(),
            token: Some(Secret::new("t0ken")),
            patience: Patience {
                longest_wait: Duration::from_secs(2),
                answer: Duration::from_secs(60),
                backoff: Duration::from_millis(1),
                attempts: 3,
            },
        }
    }

    /// Gives up soon on a server that says nothing.
    fn impatient(&self) -> Tracker {
        let tracker = self.tracker();
        Tracker { patience: Patience { answer: Duration::from_secs(2), ..tracker.patience }, ..tracker }
    }

    fn anonymous(&self) -> Tracker {
        Tracker { token: None, ..self.tracker() }
    }

    /// Makes the mirror too old to be used without asking.
    fn age(&self) {
        let tracker = self.tracker();
        let place = Place::new(&tracker.cache, &tracker.api_url, &tracker.repository);
        let mut mirror = place.read().unwrap();
        mirror.synced_at = mirror.synced_at.checked_sub(SignedDuration::from_hours(2)).unwrap();
        place.write(&mirror).unwrap();
    }
}

fn refused(status: u16, headers: &[(&'static str, &str)], body: &str) -> Fault {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Fault::Status(status, headers, body.to_owned())
}

#[tokio::test]
async fn the_first_time_every_open_issue_is_fetched_and_no_pull_request() {
    let desk = Desk::new(1000).await;
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    assert_eq!(known.issues.len(), 1000);
    assert_eq!((known.problem, known.coverage, known.left_out), (None, Coverage::All, 0));
    let seen = desk.github.seen();
    // 1,500 with pull requests, a hundred a page.
    assert_eq!(seen.len(), 15);
    assert!(seen.iter().all(|seen| seen.authorization.as_deref() == Some("Bearer t0ken")));
}

#[tokio::test]
async fn within_the_hour_nobody_is_asked() {
    let desk = Desk::new(10).await;
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    desk.github.seen();
    assert_eq!(desk.tracker().known(Refresh::WhenOld).await.unwrap().issues.len(), 10);
    assert_eq!(desk.github.seen().len(), 0);
    desk.tracker().known(Refresh::Always).await.unwrap();
    assert_eq!(desk.github.seen().len(), 1);
}

#[tokio::test]
async fn later_only_changes_are_asked_for_and_closed_issues_leave() {
    let desk = Desk::new(300).await;
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    let later = Timestamp::now().as_second() + 10;
    desk.github.close(2, later);
    desk.github.put(FakeIssue::bug(9000, "new: crashes", later));
    desk.age();
    desk.github.seen();
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    let numbers: Vec<u64> = known.issues.iter().map(|issue| issue.number).collect();
    assert!(!numbers.contains(&2) && numbers.contains(&9000) && numbers.len() == 300);
    // Its fix is newer than a package set of yesterday.
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let concerns = |day| known.relevant(day).iter().any(|issue| issue.number == 2);
    assert!(concerns(today.yesterday().ok()) && !concerns(today.tomorrow().ok()) && !concerns(None));
    let seen = desk.github.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].target.contains("since=") && seen[0].target.contains("state=all"), "{seen:?}");
    // The question after the last change is asked twice in the same words.
    desk.age();
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    desk.age();
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    let statuses: Vec<u16> = desk.github.seen().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [200, 304]);
}

#[tokio::test]
async fn offline_the_mirror_is_used_and_its_age_is_known() {
    let desk = Desk::new(10).await;
    let first = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    let offline = Tracker { api_url: desk.github.url(), ..desk.tracker() };
    desk.age();
    desk.github.set_faults(|_, _| Some(Fault::Cut));
    let known = offline.known(Refresh::WhenOld).await.unwrap();
    assert_eq!(known.issues, first.issues);
    assert!(matches!(known.problem, Some(FetchError::Offline { .. })), "{:?}", known.problem);
    assert!(Timestamp::now().duration_since(known.as_of) >= SignedDuration::from_hours(2));
}

#[tokio::test]
async fn offline_without_a_mirror_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new(1).await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let tracker = Tracker { api_url: closed.clone(), cache: folder.path().to_owned(), ..desk.tracker() };
    let error = tracker.known(Refresh::WhenOld).await.unwrap_err();
    assert!(error.to_string().contains(&closed) && error.hint().is_some(), "{error}");
}

#[tokio::test]
async fn a_short_limit_is_waited_for() {
    let desk = Desk::new(250).await;
    desk.github.set_faults(|_, number| (number == 2).then(|| refused(429, &[("retry-after", "1")], "")));
    let begun = std::time::Instant::now();
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    assert_eq!((known.issues.len(), known.problem), (250, None));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_long_limit_in_the_middle_keeps_what_came_and_says_until_when() {
    let desk = Desk::new(1000).await;
    desk.github.set_left(60, 6);
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    assert!((1..1000).contains(&known.issues.len()), "{}", known.issues.len());
    let Some(FetchError::RateLimited { until: Some(_), with_token: true, .. }) = known.problem else {
        panic!("{:?}", known.problem)
    };
    // The next time everything is asked for.
    desk.github.set_left(60, 5000);
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    assert_eq!((known.issues.len(), known.problem), (1000, None));
}

#[tokio::test]
async fn a_limit_on_changes_keeps_the_mirror_and_asks_again() {
    let desk = Desk::new(100).await;
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    desk.github.put(FakeIssue::bug(9000, "new: crashes", Timestamp::now().as_second()));
    desk.age();
    let reset = (Timestamp::now().as_second() + 3000).to_string();
    desk.github.set_faults(move |_, _| {
        Some(refused(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], ""))
    });
    let known = desk.tracker().known(Refresh::WhenOld).await.unwrap();
    assert_eq!(known.issues.len(), 100);
    assert!(matches!(known.problem, Some(FetchError::RateLimited { .. })));
    desk.github.set_faults(|_, _| None);
    assert_eq!(desk.tracker().known(Refresh::WhenOld).await.unwrap().issues.len(), 101);
}

#[tokio::test]
async fn a_secondary_limit_without_a_time_is_a_limit() {
    let desk = Desk::new(10).await;
    desk.github.set_faults(|_, _| {
        Some(refused(403, &[], r#"{"message": "You have exceeded a secondary rate limit."}"#))
    });
    let error = desk.tracker().known(Refresh::WhenOld).await.unwrap_err();
    assert!(matches!(error, FetchError::RateLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn without_a_token_the_most_telling_issues_come_within_the_limit() {
    let desk = Desk::new(9000).await;
    let recent = Timestamp::now().as_second() - 5000;
    for number in 0..3 {
        desk.github.put(FakeIssue {
            labels: vec!["0.kind: regression".to_owned()],
            ..FakeIssue::bug(100_000 + number, "regressed: crashes", recent)
        });
    }
    desk.github.put(FakeIssue::bug(200_000, "old: crashes", THEN - 100_000_000));
    let known = desk.anonymous().known(Refresh::WhenOld).await.unwrap();
    let seen = desk.github.seen();
    assert!(seen.len() <= 60 && seen.iter().all(|seen| seen.status == 200 && seen.authorization.is_none()));
    assert_eq!((known.coverage, known.problem), (Coverage::Labelled, None));
    assert!(known.left_out > 0);
    let has = |number: u64| known.issues.iter().any(|issue| issue.number == number);
    assert!(has(100_000) && has(100_002) && !has(200_000));
    // The most recent bug is there, the oldest one has to wait for a token.
    assert!(has(18_000) && !has(2));
    desk.age();
    desk.github.set_left(60, 5000);
    desk.anonymous().known(Refresh::WhenOld).await.unwrap();
    assert_eq!(desk.github.seen().len(), LABELS.len());
    // With a token everything is fetched after all.
    assert_eq!(desk.tracker().known(Refresh::WhenOld).await.unwrap().issues.len(), 9004);
}

#[tokio::test]
async fn faults_that_pass_are_got_over() {
    let faults: [fn() -> Fault; 5] = [
        || refused(502, &[], "<html>Bad Gateway</html>"),
        || Fault::Cut,
        || Fault::Garbled,
        || Fault::Late(Duration::from_secs(30)),
        || refused(500, &[], "{}"),
    ];
    for fault in faults {
        let desk = Desk::new(450).await;
        desk.github.set_faults(move |_, number| (number == 3).then(fault));
        let known = desk.impatient().known(Refresh::WhenOld).await.unwrap();
        assert_eq!((known.issues.len(), known.problem), (450, None), "{:?}", fault());
    }
}

#[tokio::test]
async fn faults_that_stay_are_told_apart() {
    let desk = Desk::new(10).await;
    type Check = fn(&FetchError) -> bool;
    let cases: [(fn() -> Fault, Check); 6] = [
        (
            || refused(500, &[], r#"{"message": "oh\u001b[31m no"}"#),
            |error| matches!(error, FetchError::Status { status: 500, message, .. } if message == "oh no"),
        ),
        (|| refused(401, &[], "{}"), |error| matches!(error, FetchError::Unauthorized { .. })),
        (|| refused(404, &[], "{}"), |error| matches!(error, FetchError::NotFound { .. })),
        (
            || refused(403, &[], r#"{"message": "Forbidden"}"#),
            |error| matches!(error, FetchError::Status { status: 403, .. }),
        ),
        (|| Fault::Garbled, |error| matches!(error, FetchError::Malformed { .. })),
        (|| Fault::Silent, |error| matches!(error, FetchError::Slow { .. })),
    ];
    for (fault, expected) in cases {
        desk.github.set_faults(move |_, _| Some(fault()));
        let error = desk.impatient().known(Refresh::WhenOld).await.unwrap_err();
        assert!(expected(&error), "{error:?}");
    }
}

#[tokio::test]
async fn a_broken_mirror_is_rebuilt() {
    let desk = Desk::new(10).await;
    desk.tracker().known(Refresh::WhenOld).await.unwrap();
    let mut folders = vec![desk.cache.path().to_owned()];
    let mut broken = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                std::fs::write(&path, "{\"version\": 1, \"issu").unwrap();
                broken += 1;
            }
        }
    }
    assert_eq!(broken, 1);
    assert_eq!(desk.tracker().known(Refresh::WhenOld).await.unwrap().issues.len(), 10);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_costs_only_time() {
    let desk = Desk::new(10).await;
    let file = desk.cache.path().join("file");
    std::fs::write(&file, "").unwrap();
    let tracker = Tracker { cache: file, ..desk.tracker() };
    assert_eq!(tracker.known(Refresh::WhenOld).await.unwrap().issues.len(), 10);
}

#[tokio::test]
async fn two_at_once_fetch_once() {
    let desk = Desk::new(500).await;
    desk.github.set_latency(Duration::from_millis(30));
    let (one, other) = (desk.tracker(), desk.tracker());
    let (one, other) = tokio::join!(one.known(Refresh::WhenOld), other.known(Refresh::WhenOld));
    assert_eq!((one.unwrap().issues.len(), other.unwrap().issues.len()), (500, 500));
    assert_eq!(desk.github.seen().len(), 8);
}

#[tokio::test]
async fn a_server_that_does_not_count_pages_is_followed() {
    let desk = Desk::new(250).await;
    let client = Client::new(&desk.github.url(), "NixOS/nixpkgs", None, Patience::default()).unwrap();
    let path = list(&client, "state=open&sort=created&direction=asc");
    let mut first = pages::first(&client, path, None).await.unwrap().unwrap();
    first.forget_last();
    let listed = pages::rest(&client, first, u32::MAX).await;
    assert_eq!((listed.issues.len(), listed.failed), (250, None));
}

#[test]
fn an_issue_is_shown_at_the_site_of_its_interface() {
    let tracker = |api_url: &str| Tracker {
        repository: "NixOS/nixpkgs".to_owned(),
        api_url: api_url.to_owned(),
        cache: PathBuf::new(),
        token: None,
        patience: Patience::default(),
    };
    assert_eq!(tracker("https://api.github.com").issue_url(7), "https://github.com/NixOS/nixpkgs/issues/7");
    assert_eq!(
        tracker("https://ghe.example/api/v3").issue_url(7),
        "https://ghe.example/NixOS/nixpkgs/issues/7"
    );
}
