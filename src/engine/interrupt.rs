//! Interruption in two steps: asked once, nothing new starts and hosts that
//! are being changed come to an end; asked twice, we leave, and the hosts
//! settle themselves.

use tokio::sync::watch;

/// How far an interruption has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    None,
    Asked,
    AtOnce,
}

/// The state of the interruption; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Sender<Level>);

impl Interrupt {
    /// Nobody has asked.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Level::None))
    }

    /// Asks once more; gives whether the run leaves at once now.
    pub(crate) fn ask(&self) -> bool {
        self.0.send_modify(|level| {
            *level = if *level == Level::None { Level::Asked } else { Level::AtOnce };
        });
        *self.0.borrow() == Level::AtOnce
    }

    /// Whether somebody has asked.
    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow() >= Level::Asked
    }

    /// Waits until somebody asks.
    pub(crate) async fn when_asked(&self) {
        self.reached(Level::Asked).await;
    }

    /// Waits until somebody asks twice.
    pub(crate) async fn when_at_once(&self) {
        self.reached(Level::AtOnce).await;
    }

    async fn reached(&self, wanted: Level) {
        // The sender lives as long as self: waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|level| *level >= wanted).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_time_leaves_at_once() {
        let interrupt = Interrupt::new();
        assert!(!interrupt.asked());
        assert!(!interrupt.ask());
        interrupt.when_asked().await;
        assert!(interrupt.ask());
        interrupt.when_at_once().await;
    }
}
