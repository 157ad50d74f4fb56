//! The one point where a person is asked: before the first host changes, when
//! every host that will get there has shown its plan.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::event::{Event, EventSink};
use crate::model::{Action, Failure, FailureClass, Goal, HostName, Mode, Questions};
use crate::steps::context::RunContext;
use crate::steps::shared::Roster;

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
        self.on_their_way.complete().await;
        match self.answer.get_or_init(|| self.ask()).await {
            Some(true) => Ok(()),
            Some(false) => Err(Failure::new(FailureClass::Declined, "declined; nothing was changed")),
            None => Err(Failure::new(FailureClass::Declined, "nobody answered; nothing was changed")
                .hint("use --yes to deploy without the question")),
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
