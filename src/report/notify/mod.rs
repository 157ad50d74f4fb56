//! `[notify]`: tells chat rooms, phones and programs of a run.
//!
//! Each service is one file and one line in [`SERVICES`]: it turns a [`Note`]
//! into a request, and nothing else. Requests are sent beside the run, one after
//! the other for each service. A service that fails or is slow is a warning; the
//! end of a run waits for all of them together no longer than [`END`].
//!
//! Invariant: an address never appears in a message, and what hosts say cannot
//! call anybody by name.

mod discord;
mod matrix;
mod note;
mod ntfy;
mod slack;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Reporter;
use crate::event::{Envelope, Event};
use crate::model::text::{clean_line, duration};
use crate::model::{NotifierKind, Occasion, Secret};
use note::{Note, Run};

/// How long a service may take for one message.
const REQUEST: Duration = Duration::from_secs(5);
/// How long the end of a run waits for all services together.
const END: Duration = Duration::from_secs(5);

/// Every service: one line each.
static SERVICES: [&dyn Service; 5] =
    [&slack::Slack, &discord::Discord, &matrix::Matrix, &ntfy::Ntfy, &webhook::Webhook];

/// Somebody who is told, ready to be told.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    /// The name in `[notify.NAME]`.
    pub(crate) name: String,
    /// What kind of service.
    pub(crate) kind: NotifierKind,
    /// Where it is told.
    pub(crate) url: Secret,
    /// What it is asked for beside the address.
    pub(crate) token: Option<Secret>,
    /// The room, for Matrix.
    pub(crate) room: Option<String>,
    /// When it is told.
    pub(crate) on: Vec<Occasion>,
}

/// A request to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Post {
    /// Matrix puts, all others post.
    puts: bool,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// One kind of service.
trait Service: Sync {
    /// Which kind.
    fn kind(&self) -> NotifierKind;

    /// The request that tells it.
    fn post(&self, notifier: &Notifier, note: &Note) -> Post;
}

/// Tells services of a run.
pub(crate) struct Notifying {
    runtime: Runtime,
    notes: Vec<(Vec<Occasion>, mpsc::UnboundedSender<Note>)>,
    tasks: JoinSet<()>,
    troubles: Arc<Mutex<Vec<String>>>,
    run: Run,
}

impl Notifying {
    /// Over services that are ready. Fails when no thread can be had.
    pub(crate) fn new(notifiers: Vec<Notifier>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("notify")
            .enable_all()
            .build()?;
        let troubles = Arc::new(Mutex::default());
        let mut tasks = JoinSet::new();
        let mut notes = Vec::new();
        for notifier in notifiers {
            let (sender, receiver) = mpsc::unbounded_channel();
            notes.push((notifier.on.clone(), sender));
            tasks.spawn_on(tell_all(notifier, receiver, Arc::clone(&troubles)), runtime.handle());
        }
        Ok(Self { runtime, notes, tasks, troubles, run: Run::default() })
    }

    fn tell(&self, note: &Note) {
        for (on, sender) in &self.notes {
            if note.occasions.iter().any(|occasion| on.contains(occasion)) {
                // A task that broke tells nobody any more.
                let _ = sender.send(note.clone());
            }
        }
    }
}

impl Reporter for Notifying {
    fn event(&mut self, envelope: &Envelope) {
        self.run.take(envelope);
        let note = match &envelope.event {
            Event::RunStarted { .. } => Some(self.run.at_start()),
            Event::RunFinished { .. } => self.run.at_end(),
            _ => None,
        };
        if let Some(note) = note {
            self.tell(&note);
        }
    }

    fn trouble(&mut self) -> Option<String> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let text = troubles.join("; ");
        troubles.clear();
        (!text.is_empty()).then_some(text)
    }

    fn finish(&mut self) {
        // Without a sender the tasks end when they have told everything.
        self.notes.clear();
        let tasks = &mut self.tasks;
        let all = async { while tasks.join_next().await.is_some() {} };
        let ended = self.runtime.block_on(async { tokio::time::timeout(END, all).await });
        if ended.is_err() {
            let text = format!("somebody of [notify] did not answer within {} of the run's end", duration(END));
            self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            self.tasks.abort_all();
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(END + Duration::from_millis(500))
    }

    fn overdue(&self) -> &'static str {
        "somebody of [notify] was not told: no answer in time"
    }
}

/// Tells a service everything that is for it, one after the other.
async fn tell_all(
    notifier: Notifier,
    mut notes: mpsc::UnboundedReceiver<Note>,
    troubles: Arc<Mutex<Vec<String>>>,
) {
    while let Some(note) = notes.recv().await {
        if let Err(why) = tell(&notifier, &note).await {
            let text = format!("[notify.{}] was not told of the {}: {why}", notifier.name, note.what());
            troubles.lock().unwrap_or_else(PoisonError::into_inner).push(clean_line(&text));
        }
    }
}

async fn tell(notifier: &Notifier, note: &Note) -> Result<(), String> {
    let service = SERVICES.iter().find(|service| service.kind() == notifier.kind);
    let service = service.ok_or("nobody knows this kind of service")?;
    let post = service.post(notifier, note);
    let client = reqwest::Client::builder()
        .timeout(REQUEST)
        // A body that is sent elsewhere may reach somebody who should not read it.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("nix-deploy/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(told)?;
    let mut request = if post.puts { client.put(&post.url) } else { client.post(&post.url) };
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let response = request.body(post.body).send().await.map_err(told)?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("it answered {status}")),
    }
}

/// What went wrong, without the address.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {}", duration(REQUEST));
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn json_header() -> (&'static str, String) {
    (JSON.0, JSON.1.to_owned())
}

#[cfg(test)]
mod tests;
