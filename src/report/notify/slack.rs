//! Slack: an incoming webhook (docs.slack.dev, "Sending messages using incoming
//! webhooks"). Mattermost and others take the same form.

use serde_json::json;

use super::note::Note;
use super::{Notifier, Post, Service, json_header};
use crate::model::NotifierKind;

/// The service.
pub(super) struct Slack;

impl Service for Slack {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Slack
    }

    fn post(&self, notifier: &Notifier, note: &Note) -> Post {
        Post {
            puts: false,
            url: notifier.url.reveal().to_owned(),
            headers: vec![json_header()],
            // Without `mrkdwn` nothing in the text is markup.
            body: json!({ "text": escaped(&note.text()), "mrkdwn": false }).to_string(),
        }
    }
}

/// The three characters that control text ("Formatting message text"): with them
/// escaped nobody is called and nothing is a link.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
