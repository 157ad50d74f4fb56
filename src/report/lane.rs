//! A thread for each reporter.
//!
//! A terminal can stop taking text (Ctrl-S), a pipe's reader can sleep, a disk
//! can take seconds for an fsync. Each reporter therefore has its own thread
//! and an endless queue, so that none of them delays the run or another one.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Asking, Reporter};
use crate::event::Envelope;

/// How often a reporter may move what it shows.
const TICK: Duration = Duration::from_millis(100);

/// What a lane is told.
enum Order {
    Event(Arc<Envelope>),
    Notice(Arc<str>),
    BeforeQuestion(Asking, oneshot::Sender<()>),
    AfterQuestion,
    Finish,
}

/// The hub's end of a reporter's thread.
pub(super) struct Lane {
    orders: Sender<Order>,
    /// Closes when the thread ends, however it ends.
    ended: oneshot::Receiver<()>,
    patience: Option<Duration>,
    overdue: &'static str,
}

impl Lane {
    /// Starts the thread; troubles of the reporter are sent to `troubles`.
    pub(super) fn start(
        reporter: Box<dyn Reporter>,
        troubles: mpsc::UnboundedSender<String>,
    ) -> io::Result<Self> {
        let (patience, overdue) = (reporter.patience(), reporter.overdue());
        let (orders, receiver) = channel();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("reporter".to_owned()).spawn(move || {
            work(reporter, &receiver, &troubles);
            drop(alive);
        })?;
        Ok(Self { orders, ended, patience, overdue })
    }

    pub(super) fn event(&self, envelope: &Arc<Envelope>) {
        self.order(Order::Event(Arc::clone(envelope)));
    }

    pub(super) fn notice(&self, text: &Arc<str>) {
        self.order(Order::Notice(Arc::clone(text)));
    }

    /// The receiver resolves when the reporter has left the terminal.
    pub(super) fn before_question(&self, asking: Asking) -> oneshot::Receiver<()> {
        let (left, ready) = oneshot::channel();
        self.order(Order::BeforeQuestion(asking, left));
        ready
    }

    pub(super) fn after_question(&self) {
        self.order(Order::AfterQuestion);
    }

    /// Whether the end of a run waits for it only so long.
    pub(super) fn is_impatient(&self) -> bool {
        self.patience.is_some()
    }

    /// What the others are told when it did not end within its patience.
    pub(super) fn overdue(&self) -> &'static str {
        self.overdue
    }

    /// Ends the thread after everything it was told; false when it did not
    /// end within its patience.
    pub(super) async fn finish(self) -> bool {
        self.order(Order::Finish);
        match self.patience {
            None => {
                let _ = self.ended.await;
                true
            }
            Some(patience) => tokio::time::timeout(patience, self.ended).await.is_ok(),
        }
    }

    fn order(&self, order: Order) {
        // A reporter that broke is gone; the run goes on without it.
        let _ = self.orders.send(order);
    }
}

fn work(mut reporter: Box<dyn Reporter>, orders: &Receiver<Order>, troubles: &mpsc::UnboundedSender<String>) {
    let mut next_tick = Instant::now() + TICK;
    loop {
        let mut last = false;
        match orders.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
            Ok(Order::Event(envelope)) => reporter.event(&envelope),
            Ok(Order::Notice(text)) => reporter.notice(&text),
            Ok(Order::BeforeQuestion(asking, left)) => {
                reporter.before_question(asking);
                // A question that was withdrawn meanwhile no longer listens.
                let _ = left.send(());
            }
            Ok(Order::AfterQuestion) => reporter.after_question(),
            Err(RecvTimeoutError::Timeout) => {}
            // A hub that was dropped ends its reporters as well.
            Ok(Order::Finish) | Err(RecvTimeoutError::Disconnected) => {
                reporter.finish();
                last = true;
            }
        }
        if !last && Instant::now() >= next_tick {
            reporter.tick(Timestamp::now());
            next_tick = Instant::now() + TICK;
        }
        if let Some(trouble) = reporter.trouble() {
            // A hub that has ended shows nothing any more.
            let _ = troubles.send(trouble);
        }
        if last {
            return;
        }
    }
}
