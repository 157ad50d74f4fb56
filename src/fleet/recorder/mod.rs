//! Records a run in the fleet database while it goes on.
//!
//! The journal comes first, the database second: the recorder reads what the
//! journal holds and writes it, event by event, with the note how far it came
//! in the same transaction. What it cannot write stays in the journal, and the
//! next run, or `fleet flush`, goes on where it stopped. So there is one way
//! into the database, whether it is there, slow, full or gone.
//!
//! It works in a thread of its own with its own connection. The run never
//! waits for it but at the end, and there only as long as [`PATIENCE`].
//!
//! The same thread asks for the hosts (`claims.rs`) and keeps them while the
//! run lasts.

mod apply;
mod claims;
mod findings;
mod journal;
mod recoveries;
mod resources;
mod run;
mod settle;
mod state;
mod updates;
mod upkeep;
mod worker;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use super::url::Address;
use crate::model::HostName;

pub(crate) use claims::{ClaimAnswer, Claims};
pub(crate) use upkeep::{flush, remove_journals};
use worker::Order;

/// How long the end of a run waits for the database. A server near by needs a
/// tenth of it; from a slow one the rest is written by the next run.
pub(crate) const PATIENCE: Duration = Duration::from_millis(250);

/// What a run is recorded with.
#[derive(Clone, Debug)]
pub(crate) struct RecorderOptions {
    /// Where the database is.
    pub(crate) address: Address,
    /// The state folder, for what earlier runs left.
    pub(crate) state_dir: PathBuf,
    /// The folder of this run; its name is the run's id.
    pub(crate) run_dir: PathBuf,
    /// Who runs it, `user@machine`.
    pub(crate) actor: String,
    /// Machine, boot and process of this program.
    pub(crate) owner: String,
}

/// The recorder of a run: the end that the run holds.
pub(crate) struct Recorder {
    orders: mpsc::UnboundedSender<Order>,
    troubles: Receiver<String>,
    ended: Receiver<()>,
    claims: Claims,
}

impl Recorder {
    /// Starts the thread. The database is opened there, so this takes no time.
    pub(crate) fn start(options: RecorderOptions) -> std::io::Result<Self> {
        let (orders, received) = mpsc::unbounded_channel();
        let (tell, troubles) = channel();
        let (alive, ended) = channel();
        let claims = Claims::default();
        let theirs = claims.clone();
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            worker::work(options, received, &tell, &theirs);
            theirs.close();
            drop(alive);
        })?;
        Ok(Self { orders, troubles, ended, claims })
    }

    /// The journal has something new.
    pub(crate) fn wake(&self) {
        self.order(Order::Wake);
    }

    /// Asks for a host, for as long as the run lasts.
    pub(crate) fn claim(&self, host: &HostName, machine_id: &str) {
        self.order(Order::Claim { host: host.clone(), machine_id: machine_id.to_owned() });
    }

    /// The answers to what was asked for.
    pub(crate) fn claims(&self) -> Claims {
        self.claims.clone()
    }

    /// What stood in the way, once.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.troubles.try_recv().ok()
    }

    /// Records what the journal holds now and ends; returns when that is done.
    /// Who does not want to wait so long goes on without it: what is not
    /// written then is written by the next run.
    pub(crate) fn finish(&self) {
        self.order(Order::Finish);
        // Nothing is ever sent: the channel closes when the thread ends.
        let _ = self.ended.recv();
    }

    fn order(&self, order: Order) {
        // A thread that has ended has said why.
        let _ = self.orders.send(order);
    }
}
