//! Discord: a webhook (discord.com/developers, "Execute Webhook").

use serde_json::json;

use super::note::Note;
use super::{Notifier, Post, Service, json_header};
use crate::model::NotifierKind;

/// The longest message.
const LONGEST: usize = 2_000;

/// The service.
pub(super) struct Discord;

impl Service for Discord {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Discord
    }

    fn post(&self, notifier: &Notifier, note: &Note) -> Post {
        let text = note.text();
        let content: String = match text.chars().count() {
            count if count > LONGEST => text.chars().take(LONGEST - 1).chain(['…']).collect(),
            _ => text,
        };
        Post {
            puts: false,
            url: notifier.url.reveal().to_owned(),
            headers: vec![json_header()],
            // Nobody is called, whatever the text says.
            body: json!({ "content": content, "allowed_mentions": { "parse": [] } }).to_string(),
        }
    }
}
