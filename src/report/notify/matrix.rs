//! Matrix: a message to a room by the client interface of a home server
//! (spec.matrix.org, "PUT /_matrix/client/v3/rooms/{roomId}/send/…").

use serde_json::json;

use super::note::Note;
use super::{Notifier, Post, Service, json_header};
use crate::model::NotifierKind;

/// The service.
pub(super) struct Matrix;

impl Service for Matrix {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Matrix
    }

    fn post(&self, notifier: &Notifier, note: &Note) -> Post {
        let room = segment(notifier.room.as_deref().unwrap_or_default());
        // The same id makes a message that is sent twice one.
        let transaction = segment(&format!("{}-{}", note.run, note.what()));
        let server = notifier.url.reveal().trim_end_matches('/');
        let token = notifier.token.as_ref().map(|token| token.reveal().to_owned()).unwrap_or_default();
        Post {
            puts: true,
            url: format!("{server}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"),
            headers: vec![json_header(), ("authorization", format!("Bearer {token}"))],
            body: json!({ "msgtype": "m.notice", "body": note.text(), "m.mentions": {} }).to_string(),
        }
    }
}

/// Text as one segment of a path (RFC 3986, unreserved characters stay).
fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                segment.push(char::from(byte))
            }
            other => segment.push_str(&format!("%{other:02X}")),
        }
    }
    segment
}
