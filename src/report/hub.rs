//! The hub: takes every message of a run and hands it to all reporters.
//!
//! It only routes; reporters work in threads of their own (`lane.rs`) and
//! questions block one of the runtime's blocking threads (`questions.rs`), so
//! events are recorded while a person thinks. It ends when every sender of the
//! run is gone.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Reporter;
use super::lane::Lane;
use super::questions::Questions;
use crate::event::{Event, Message};
use crate::prompt::Asker;

/// Runs until all senders are gone and every reporter has finished.
pub(crate) async fn run_hub(
    mut receiver: mpsc::UnboundedReceiver<Message>,
    reporters: Vec<Box<dyn Reporter>>,
    asker: Box<dyn Asker>,
) {
    let (troubles, mut notices) = mpsc::unbounded_channel();
    let mut lanes = Vec::new();
    for reporter in reporters {
        match Lane::start(reporter, troubles.clone()) {
            Ok(lane) => lanes.push(lane),
            Err(error) => drop(troubles.send(format!("a report is missing: no thread for it: {error}"))),
        }
    }
    let mut questions = Questions::new(asker);
    loop {
        tokio::select! {
            biased;
            () = questions.ended(), if questions.is_open() => {
                lanes.iter().for_each(Lane::after_question);
                open_next(&mut questions, &lanes);
            }
            Some(text) = notices.recv() => tell(&lanes, &text),
            message = receiver.recv() => match message {
                None => break,
                Some(Message::Event(envelope)) => {
                    if matches!(envelope.event, Event::Interrupted { .. }) {
                        questions.close();
                    }
                    let envelope = Arc::from(envelope);
                    lanes.iter().for_each(|lane| lane.event(&envelope));
                }
                Some(Message::Question(question)) => {
                    questions.push(question);
                    open_next(&mut questions, &lanes);
                }
            },
        }
    }
    questions.close();
    if questions.is_open() {
        questions.ended().await;
        lanes.iter().for_each(Lane::after_question);
    }
    finish(lanes, &mut notices).await;
}

fn open_next(questions: &mut Questions, lanes: &[Lane]) {
    questions.next(|asking| lanes.iter().map(|lane| lane.before_question(asking)).collect());
}

fn tell(lanes: &[Lane], text: &str) {
    let text = Arc::from(text);
    lanes.iter().for_each(|lane| lane.notice(&text));
}

/// Ends all reporters: those with limited patience first, so that the others
/// can still show their troubles.
async fn finish(lanes: Vec<Lane>, notices: &mut mpsc::UnboundedReceiver<String>) {
    let (impatient, patient): (Vec<_>, Vec<_>) = lanes.into_iter().partition(Lane::is_impatient);
    for lane in impatient {
        let overdue = lane.overdue();
        if !lane.finish().await {
            tell(&patient, overdue);
        }
    }
    while let Ok(text) = notices.try_recv() {
        tell(&patient, &text);
    }
    for lane in patient {
        lane.finish().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::event::{Envelope, EventSink};
    use crate::model::{RunId, Secret, StepId};
    use crate::prompt::FixedAsker;
    use crate::report::story::{Story, success};
    use crate::report::{Asking, Journal};

    type Calls = Arc<Mutex<Vec<String>>>;

    #[derive(Default)]
    struct Listener {
        calls: Calls,
        trouble: Option<String>,
        delay: Duration,
        patience: Option<Duration>,
    }

    impl Listener {
        fn call(&self, call: impl Into<String>) {
            std::thread::sleep(self.delay);
            self.calls.lock().unwrap().push(call.into());
        }
    }

    impl Reporter for Listener {
        fn event(&mut self, envelope: &Envelope) {
            self.call(format!("event {}", envelope.seq));
        }
        fn notice(&mut self, text: &str) {
            self.call(format!("notice {text}"));
        }
        fn trouble(&mut self) -> Option<String> {
            self.trouble.take()
        }
        fn before_question(&mut self, asking: Asking) {
            self.call(format!("before {asking:?}"));
        }
        fn after_question(&mut self) {
            self.call("after");
        }
        fn finish(&mut self) {
            self.call("finish");
        }
        fn patience(&self) -> Option<Duration> {
            self.patience
        }
    }

    /// Answers only when it is cancelled.
    struct Sleeper;

    impl Asker for Sleeper {
        fn confirm(&mut self, _text: &str, _default: bool, cancel: &CancellationToken) -> Option<bool> {
            while !cancel.is_cancelled() {
                std::thread::sleep(Duration::from_millis(5));
            }
            None
        }
        fn password(&mut self, text: &str, cancel: &CancellationToken) -> Option<Secret> {
            self.confirm(text, true, cancel).map(|_| Secret::new(""))
        }
    }

    fn reporters(listeners: Vec<Listener>) -> Vec<Box<dyn Reporter>> {
        listeners.into_iter().map(|listener| Box::new(listener) as Box<dyn Reporter>).collect()
    }

    #[tokio::test]
    async fn every_reporter_gets_every_event_in_order_and_then_finishes() {
        let calls = [Calls::default(), Calls::default()];
        let listeners = calls.iter().map(|calls| Listener { calls: calls.clone(), ..Listener::default() });
        let (sink, receiver) = EventSink::new(RunId::generate());
        sink.warn(None, "one", None);
        sink.warn(None, "two", None);
        drop(sink);
        run_hub(receiver, reporters(listeners.collect()), Box::new(FixedAsker::nobody())).await;
        for calls in calls {
            assert_eq!(*calls.lock().unwrap(), ["event 1", "event 2", "finish"]);
        }
    }

    #[tokio::test]
    async fn a_question_is_asked_between_the_two_calls_and_answered() {
        let calls = Calls::default();
        let listener = Listener { calls: calls.clone(), ..Listener::default() };
        let (sink, receiver) = EventSink::new(RunId::generate());
        let hub = tokio::spawn(run_hub(receiver, reporters(vec![listener]), Box::new(FixedAsker::yes())));
        assert_eq!(sink.confirm("Continue?").await, Some(true));
        assert_eq!(sink.password("sudo password").await, None);
        assert_eq!(sink.confirm("Really?").await, Some(true));
        drop(sink);
        hub.await.unwrap();
        let expected =
            ["before Confirm", "after", "before Password", "after", "before Confirm", "after", "finish"];
        assert_eq!(*calls.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn an_interruption_ends_the_open_question_and_all_later_ones() {
        let calls = Calls::default();
        let listener = Listener { calls: calls.clone(), ..Listener::default() };
        let (sink, receiver) = EventSink::new(RunId::generate());
        let hub = tokio::spawn(run_hub(receiver, reporters(vec![listener]), Box::new(Sleeper)));
        let asking = {
            let sink = sink.clone();
            tokio::spawn(async move { sink.confirm("Continue?").await })
        };
        while calls.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sink.warn(None, "recorded while the question is open", None);
        sink.send(Event::Interrupted { at_once: false });
        assert_eq!(asking.await.unwrap(), None);
        assert_eq!(sink.confirm("Again?").await, None);
        drop(sink);
        hub.await.unwrap();
        assert_eq!(*calls.lock().unwrap(), ["before Confirm", "event 1", "event 2", "after", "finish"]);
    }

    #[tokio::test]
    async fn a_question_that_nobody_waits_for_is_withdrawn() {
        let (sink, receiver) = EventSink::new(RunId::generate());
        let hub = tokio::spawn(run_hub(receiver, Vec::new(), Box::new(Sleeper)));
        let wait = tokio::time::timeout(Duration::from_millis(20), sink.confirm("Continue?"));
        assert!(wait.await.is_err());
        drop(sink);
        tokio::time::timeout(Duration::from_secs(5), hub).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_asker_that_breaks_leaves_no_question_waiting() {
        struct Broken;
        impl Asker for Broken {
            fn confirm(&mut self, _text: &str, _default: bool, _cancel: &CancellationToken) -> Option<bool> {
                std::thread::sleep(Duration::from_millis(20));
                panic!("broken on purpose")
            }
            fn password(&mut self, _text: &str, _cancel: &CancellationToken) -> Option<Secret> {
                None
            }
        }
        let (sink, receiver) = EventSink::new(RunId::generate());
        let hub = tokio::spawn(run_hub(receiver, Vec::new(), Box::new(Broken)));
        let answers = tokio::join!(sink.confirm("1?"), sink.confirm("2?"), sink.password("3"));
        assert_eq!(answers, (None, None, None));
        drop(sink);
        hub.await.unwrap();
    }

    #[tokio::test]
    async fn a_whole_run_with_a_question_is_in_its_journal() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path()).unwrap();
        let (sink, receiver) = EventSink::new(RunId::generate());
        let hub = tokio::spawn(run_hub(receiver, vec![Box::new(journal)], Box::new(FixedAsker::yes())));
        let question = "Continue?".to_owned();
        let story = Story::of(&["p620"])
            .step("p620", StepId::Build, 25, 30)
            .at(35, Event::Asked { question: question.clone() })
            .ended("p620", 40, success())
            .finished(45, crate::exit::OK);
        story.replay(sink).await;
        hub.await.unwrap();
        let text = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
        let events: Vec<Envelope> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(events.iter().map(|envelope| envelope.seq).eq(1..=8));
        assert_eq!(events[5].event, Event::Answered { question, yes: true, by_person: true });
    }

    #[tokio::test]
    async fn a_slow_reporter_delays_no_other_and_a_hanging_record_not_the_end() {
        let calls = [Calls::default(), Calls::default()];
        let slow = Listener {
            calls: calls[0].clone(),
            delay: Duration::from_secs(3),
            patience: Some(Duration::from_millis(20)),
            ..Listener::default()
        };
        let quick = Listener { calls: calls[1].clone(), ..Listener::default() };
        let (sink, receiver) = EventSink::new(RunId::generate());
        sink.send(Event::Interrupted { at_once: true });
        drop(sink);
        let hub = run_hub(receiver, reporters(vec![slow, quick]), Box::new(FixedAsker::nobody()));
        tokio::time::timeout(Duration::from_secs(2), hub).await.unwrap();
        let calls = calls[1].lock().unwrap();
        assert_eq!(calls[0], "event 1");
        assert!(calls[1].starts_with("notice the record of this run is incomplete"), "{calls:?}");
        assert_eq!(calls[2], "finish");
    }

    #[tokio::test]
    async fn a_trouble_of_one_reporter_reaches_the_others_before_they_finish() {
        let calls = Calls::default();
        let journal = Listener {
            trouble: Some("disk full".to_owned()),
            patience: Some(Duration::from_secs(5)),
            ..Listener::default()
        };
        let screen = Listener { calls: calls.clone(), ..Listener::default() };
        let (sink, receiver) = EventSink::new(RunId::generate());
        drop(sink);
        run_hub(receiver, reporters(vec![journal, screen]), Box::new(FixedAsker::nobody())).await;
        assert_eq!(*calls.lock().unwrap(), ["notice disk full", "finish"]);
    }

    #[test]
    fn ticks_come_between_events() {
        struct Ticker(Arc<Mutex<usize>>);
        impl Reporter for Ticker {
            fn event(&mut self, _envelope: &Envelope) {}
            fn tick(&mut self, _now: Timestamp) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let ticks = Arc::new(Mutex::new(0));
        let (troubles, _) = mpsc::unbounded_channel();
        let lane = Lane::start(Box::new(Ticker(Arc::clone(&ticks))), troubles).unwrap();
        std::thread::sleep(Duration::from_millis(350));
        drop(lane);
        assert!((1..=4).contains(&*ticks.lock().unwrap()));
    }
}
