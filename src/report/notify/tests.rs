//! Services that are told over real HTTP, and what becomes of those that fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use super::*;
use crate::exit;
use crate::report::story::{NASTY, Story, rolled_back, success, unchanged};

/// A request as it arrived: its first line, its headers, its body.
struct Seen {
    line: String,
    headers: String,
    body: String,
}

/// A server that answers every request with a status, or never.
fn server(status: Option<&'static str>) -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/services/very-secret", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            match status {
                Some(status) => answer(stream, status, &sender),
                None => open.push(stream),
            }
        }
    });
    (url, receiver)
}

fn answer(stream: TcpStream, status: &str, seen: &Sender<Seen>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") && reader.read_line(&mut headers).unwrap() > 2 {}
    let length = headers.to_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.into_inner().write_all(text.as_bytes()).unwrap();
    let _ = seen.send(Seen { line, headers, body: String::from_utf8(body).unwrap() });
}

fn notifier(kind: NotifierKind, url: &str, on: &[Occasion]) -> Notifier {
    Notifier { name: "ops".to_owned(), kind, url: Secret::new(url), token: None, room: None, on: on.to_vec() }
}

/// Tells a story to its end and gives what the reporter had to say.
fn told(notifiers: Vec<Notifier>, story: &Story) -> Option<String> {
    let mut notifying = Notifying::new(notifiers).unwrap();
    story.tell(&mut notifying);
    notifying.finish();
    notifying.trouble()
}

fn good() -> Story {
    Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK)
}

fn bad() -> Story {
    let story = Story::of(&["p620", "p510"]).ended("p510", 10, success());
    story.ended("p620", 12, rolled_back()).finished(20, exit::ROLLED_BACK)
}

#[test]
fn every_service_is_told_in_its_own_form() {
    for kind in NotifierKind::ALL {
        let (url, seen) = server(Some("200 OK"));
        let mut notifier = notifier(kind, &url, &[Occasion::Rollback]);
        notifier.token = Some(Secret::new("token-1"));
        notifier.room = Some("!room:example.org".to_owned());
        assert_eq!(told(vec![notifier], &bad()), None, "{kind:?}");
        let seen = seen.recv().unwrap();
        let json = || serde_json::from_str::<serde_json::Value>(&seen.body).unwrap();
        let failed = "p620: rolled back, generation 1235: prometheus.service failed after the activation";
        match kind {
            NotifierKind::Slack => assert!(json()["text"].as_str().unwrap().contains(failed), "{}", seen.body),
            NotifierKind::Discord => {
                assert!(json()["content"].as_str().unwrap().contains(failed), "{}", seen.body);
                assert_eq!(json()["allowed_mentions"]["parse"], serde_json::json!([]));
            }
            NotifierKind::Matrix => {
                let path =
                    "/services/very-secret/_matrix/client/v3/rooms/%21room%3Aexample.org/send/m.room.message/";
                assert!(seen.line.starts_with(&format!("PUT {path}")), "{}", seen.line);
                assert!(seen.headers.contains("Bearer token-1"), "{}", seen.headers);
                assert!(json()["body"].as_str().unwrap().contains(failed));
            }
            NotifierKind::Ntfy => {
                assert!(seen.body.contains(failed), "{}", seen.body);
                assert!(seen.headers.contains("priority: 4"), "{}", seen.headers);
            }
            NotifierKind::Webhook => {
                let data = json();
                assert_eq!(data["occasions"], serde_json::json!(["failure", "rollback"]));
                assert_eq!(data["hosts"][1]["outcome"], "rolled-back");
                assert_eq!(data["exit_code"], 6);
            }
        }
    }
}

#[test]
fn each_is_told_only_what_it_asked_for_and_nothing_of_nothing() {
    let occasions = |story: &Story| -> Vec<String> {
        let (url, seen) = server(Some("204 No Content"));
        assert_eq!(told(vec![notifier(NotifierKind::Webhook, &url, &Occasion::ALL)], story), None);
        let words = seen.try_iter().map(|seen| {
            let data: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            data["occasions"].to_string()
        });
        words.collect()
    };
    assert_eq!(occasions(&good()), [r#"["start"]"#, r#"["success"]"#]);
    assert_eq!(occasions(&bad()), [r#"["start"]"#, r#"["failure","rollback"]"#]);
    let nothing = Story::of(&["p620"]).ended("p620", 10, unchanged()).finished(20, exit::OK);
    assert_eq!(occasions(&nothing), [r#"["start"]"#]);

    let (url, seen) = server(Some("200 OK"));
    assert_eq!(told(vec![notifier(NotifierKind::Slack, &url, &[Occasion::Failure])], &good()), None);
    assert!(seen.try_recv().is_err());
}

#[test]
fn a_service_that_refuses_or_is_not_there_is_a_warning_without_its_address() {
    let (refusing, _seen) = server(Some("403 Forbidden"));
    let nobody =
        format!("http://{}/very-secret", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for url in [refusing, nobody] {
        let text = told(vec![notifier(NotifierKind::Slack, &url, &[Occasion::Success])], &good()).unwrap();
        assert!(text.starts_with("[notify.ops] was not told of the success: "), "{text}");
        assert!(!text.contains("very-secret") && !text.contains("127.0.0.1"), "{text}");
    }
}

#[test]
fn a_service_that_never_answers_holds_the_end_of_a_run_no_longer_than_it_may() {
    let (url, _seen) = server(None);
    let begun = Instant::now();
    let all = Occasion::ALL;
    let text = told(vec![notifier(NotifierKind::Slack, &url, &all)], &good()).unwrap();
    assert!(begun.elapsed() < END + Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(text.contains("did not answer within") || text.contains("no answer within"), "{text}");
}

#[test]
fn foreign_text_calls_nobody_and_is_no_markup() {
    let mut report = rolled_back();
    if let Some(failure) = &mut report.failure {
        failure.message = format!("<!channel> <@U1> @everyone {NASTY}");
    }
    let story = Story::of(&["p620"]).ended("p620", 10, report).finished(20, exit::ROLLED_BACK);
    let (url, seen) = server(Some("200 OK"));
    told(vec![notifier(NotifierKind::Slack, &url, &[Occasion::Failure])], &story);
    let data: serde_json::Value = serde_json::from_str(&seen.recv().unwrap().body).unwrap();
    let text = data["text"].as_str().unwrap();
    assert!(text.contains("&lt;!channel&gt; &lt;@U1&gt;") && !text.contains('<'), "{text}");
    assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
}
