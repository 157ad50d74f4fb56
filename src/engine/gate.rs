//! The one point where a person is asked: before the first host changes, when
//! every host that will get there has shown its plan.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::event::{Event, EventSink};
use crate::model::{Action, Failure, FailureClass, Goal, HostName, Mode, Questions, StepId};
use crate::steps::context::RunContext;
use crate::steps::shared::Roster;

/// Who waits longer for the others is told for whom, as often at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// The question and who still has to arrive at it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    asks: bool,
    question: &'static str,
    on_their_way: Roster,
    answer: Arc<OnceCell<Option<bool>>>,
    sink: EventSink,
}

impl Gate {
    /// The gate of a run; it stands open when nobody is to be asked.
    pub(crate) fn new(run: &RunContext) -> Self {
        let spec = &run.spec;
        Self {
            asks: spec.questions == Questions::Ask
                && spec.mode != Mode::Emergency
                && spec.action != Action::DryActivate,
            question: match spec.goal {
                Goal::Configuration => "Continue with deployment?",
                Goal::Existing(_) => "Continue with rollback?",
            },
            on_their_way: Roster::new(spec.hosts.iter().map(|host| host.name.clone())),
            answer: Arc::new(OnceCell::new()),
            sink: run.sink.clone(),
        }
    }

    /// This host will not come (any more).
    pub(crate) fn leave(&self, host: &HostName) {
        self.on_their_way.strike(host);
    }

    /// Arrives, waits for the others and for the answer.
    pub(crate) async fn pass(&self, host: &HostName) -> Result<(), Failure> {
        if !self.asks {
            return Ok(());
        }
        self.on_their_way.strike(host);
        self.wait_for_others(host).await;
        match self.answer.get_or_init(|| self.ask()).await {
            Some(true) => Ok(()),
            Some(false) => Err(Failure::new(FailureClass::Declined, "declined; nothing was changed")),
            None => Err(Failure::new(FailureClass::Declined, "nobody answered; nothing was changed")
                .hint("use --yes to deploy without the question")),
        }
    }

    /// Waits until all others have shown their plan, or will not; says who is missing.
    async fn wait_for_others(&self, host: &HostName) {
        let tell = |doing: String| {
            let (host, step) = (host.clone(), StepId::Activate);
            self.sink.send(Event::StepProgress { host, step, doing, done: None, expected: None });
        };
        let mut told: Option<HostName> = None;
        while tokio::time::timeout(PATIENCE, self.on_their_way.complete()).await.is_err() {
            let missing = self.on_their_way.missing();
            // As long as the first is missing the number of the others is no news.
            let Some(first) = missing.first().filter(|first| told.as_ref() != Some(*first)) else { continue };
            tell(match missing.len() {
                1 => format!("waiting for {first}"),
                count => format!("waiting for {first} and {} more", count - 1),
            });
            told = Some(first.clone());
        }
        if told.is_some() {
            tell(String::new());
        }
    }

    async fn ask(&self) -> Option<bool> {
        let question = self.question.to_owned();
        self.sink.send(Event::Asked { question: question.clone() });
        let answer = self.sink.confirm(self.question).await;
        if let Some(yes) = answer {
            self.sink.send(Event::Answered { question, yes, by_person: true });
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Message;
    use crate::model::RunId;

    #[tokio::test]
    async fn who_waits_for_others_is_told_for_whom() {
        let [a, b, c] = ["a", "b", "c"].map(|name| HostName::new(name).unwrap());
        let (sink, mut messages) = EventSink::new(RunId::generate());
        let gate = Gate {
            asks: true,
            question: "Go?",
            on_their_way: Roster::new([b.clone(), c.clone()]),
            answer: Arc::new(OnceCell::new_with(Some(Some(true)))),
            sink,
        };
        let waiting = tokio::spawn({
            let (gate, a) = (gate.clone(), a.clone());
            async move { gate.pass(&a).await }
        });
        let mut doing = async || match messages.recv().await {
            Some(Message::Event(told)) => match told.event {
                Event::StepProgress { host, doing, .. } if host == a => doing,
                other => panic!("{other:?}"),
            },
            _ => panic!("nothing was told"),
        };
        assert_eq!(doing().await, "waiting for b and 1 more");
        gate.leave(&b);
        assert_eq!(doing().await, "waiting for c");
        gate.leave(&c);
        assert_eq!(doing().await, "");
        waiting.await.unwrap().unwrap();
    }
}
