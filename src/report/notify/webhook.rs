//! Any other program: the whole message as JSON.

use super::note::Note;
use super::{Notifier, Post, Service, json_header};
use crate::model::NotifierKind;

/// The service.
pub(super) struct Webhook;

impl Service for Webhook {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Webhook
    }

    fn post(&self, notifier: &Notifier, note: &Note) -> Post {
        let mut headers = vec![json_header()];
        if let Some(token) = &notifier.token {
            headers.push(("authorization", format!("Bearer {}", token.reveal())));
        }
        Post { puts: false, url: notifier.url.reveal().to_owned(), headers, body: note.data.to_string() }
    }
}
