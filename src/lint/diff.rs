//! Differences for people.

use std::path::Path;
use std::time::Duration;

use similar::TextDiff;

use super::engine::with_stack;
use super::found::Found;
use super::judge::parsed;
use super::mask::{Secrets, masked};
use super::rules;

/// How long the shortest difference is looked for.
const LONGEST: Duration = Duration::from_secs(2);

/// The unified difference of two texts of a file, `a/…` and `b/…` as git
/// writes it; secrets masked; empty when they are equal.
pub fn unified_diff(shown: &Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let shown = shown.to_string_lossy();
    let (before, after) = (without_secrets(before), without_secrets(after));
    // Two long texts without a line in common would take for ever; a rougher
    // difference is as right.
    let mut settings = TextDiff::configure();
    let difference = settings.timeout(LONGEST).diff_lines(&before, &after);
    difference.unified_diff().header(&format!("a/{shown}"), &format!("b/{shown}")).to_string()
}

fn without_secrets(text: &str) -> String {
    let secrets = with_stack(|| match parsed(text) {
        Ok((file, mut secrets)) => {
            rules::run(&file, &mut Found { hits: &mut Vec::new(), secrets: &mut secrets });
            secrets
        }
        Err(_) => Vec::new(),
    });
    masked(text, 0, &Secrets::new(secrets.unwrap_or_default()))
}
