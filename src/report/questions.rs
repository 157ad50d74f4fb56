//! The questions of a run: one at a time, in the order they were asked.
//!
//! Owns the asker and lends it to a blocking thread for each question. A
//! question ends without an answer when the run is interrupted, when whoever
//! asked no longer listens, or when nobody answers; after an interruption
//! nobody is asked again.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Asking;
use crate::event::Question;
use crate::prompt::Asker;

/// Gives the asker back; `None` when it broke while it asked.
type OpenQuestion = Pin<Box<dyn Future<Output = Option<Box<dyn Asker>>> + Send>>;

/// Where questions wait for their turn.
pub(super) struct Questions {
    asker: Option<Box<dyn Asker>>,
    waiting: VecDeque<Question>,
    open: Option<OpenQuestion>,
    cancel: CancellationToken,
}

impl Questions {
    pub(super) fn new(asker: Box<dyn Asker>) -> Self {
        Self { asker: Some(asker), waiting: VecDeque::new(), open: None, cancel: CancellationToken::new() }
    }

    /// Takes a question; the caller then calls [`Self::next`].
    pub(super) fn push(&mut self, question: Question) {
        self.waiting.push_back(question);
    }

    /// Ends the open question and all to come without an answer.
    pub(super) fn close(&mut self) {
        self.cancel.cancel();
        self.waiting.clear();
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Opens the next question when none is open. `leave_terminal` tells the
    /// reporters and returns their signs that they have left it.
    pub(super) fn next(&mut self, leave_terminal: impl FnOnce(Asking) -> Vec<oneshot::Receiver<()>>) {
        if self.open.is_some() {
            return;
        }
        if self.cancel.is_cancelled() || self.asker.is_none() {
            // The reply channels go with the questions: nobody can answer.
            self.waiting.clear();
        }
        let Some(question) = self.waiting.pop_front() else { return };
        let Some(asker) = self.asker.take() else { return };
        let cancel = self.cancel.child_token();
        self.open = Some(match question {
            Question::Confirm { text, default, reply } => {
                let left = leave_terminal(Asking::Confirm);
                let question = move |asker: &mut dyn Asker, cancel: &_| asker.confirm(&text, default, cancel);
                Box::pin(ask(left, asker, reply, cancel, question))
            }
            Question::Password { text, reply } => {
                let left = leave_terminal(Asking::Password);
                Box::pin(ask(left, asker, reply, cancel, move |asker, cancel| asker.password(&text, cancel)))
            }
        });
    }

    /// Resolves when the open question has ended; never when none is open.
    pub(super) async fn ended(&mut self) {
        match self.open.as_mut() {
            Some(open) => {
                self.asker = open.await;
                self.open = None;
            }
            None => std::future::pending().await,
        }
    }
}

async fn ask<T: Send + 'static>(
    left: Vec<oneshot::Receiver<()>>,
    mut asker: Box<dyn Asker>,
    mut reply: oneshot::Sender<T>,
    cancel: CancellationToken,
    question: impl FnOnce(&mut dyn Asker, &CancellationToken) -> Option<T> + Send + 'static,
) -> Option<Box<dyn Asker>> {
    for reporter in left {
        // A reporter that broke has left the terminal, too.
        let _ = reporter.await;
    }
    let withdrawn = cancel.clone();
    let mut task = tokio::task::spawn_blocking(move || {
        let answer = question(asker.as_mut(), &cancel);
        (asker, answer)
    });
    let ended = tokio::select! {
        ended = &mut task => ended,
        () = reply.closed() => {
            withdrawn.cancel();
            task.await
        }
    };
    let (asker, answer) = ended.ok()?;
    if let Some(answer) = answer {
        // Whoever asked may have gone meanwhile.
        let _ = reply.send(answer);
    }
    Some(asker)
}
