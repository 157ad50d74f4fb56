//! ntfy: a message to a topic, whose address is given (docs.ntfy.sh, "Publishing").

use super::note::Note;
use super::{Notifier, Post, Service};
use crate::model::NotifierKind;

/// The service.
pub(super) struct Ntfy;

impl Service for Ntfy {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Ntfy
    }

    fn post(&self, notifier: &Notifier, note: &Note) -> Post {
        let (priority, tag) = if note.is_bad() { ("4", "rotating_light") } else { ("3", "white_check_mark") };
        // A header holds plain characters only; the rest of the title is in the text.
        let title: String =
            note.title.chars().filter(|character| character.is_ascii_graphic() || *character == ' ').collect();
        let mut headers = vec![
            ("content-type", "text/plain; charset=utf-8".to_owned()),
            ("title", title),
            ("priority", priority.to_owned()),
            ("tags", tag.to_owned()),
        ];
        if let Some(token) = &notifier.token {
            headers.push(("authorization", format!("Bearer {}", token.reveal())));
        }
        let body = if note.lines.is_empty() { note.title.clone() } else { note.lines.join("\n") };
        Post { puts: false, url: notifier.url.reveal().to_owned(), headers, body }
    }
}
