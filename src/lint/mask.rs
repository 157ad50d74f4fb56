//! Keeps secrets out of what is shown.
//!
//! Two ways together: strings that rules called a secret, and what looks like
//! one in the text alone, for files that do not parse.

use std::ops::Range;

use super::tree::Span;

/// What is shown in the place of a secret.
pub(crate) const MASK: &str = "***";

/// Beginnings of tokens that services issue, and how many characters follow at
/// least. Sources: the services' documentation of their token formats.
const TOKENS: &[(&str, usize)] = &[
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xapp-", 16),
    ("sk-ant-", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("npm_", 30),
    ("pypi-AgE", 16),
    ("hf_", 30),
    ("tskey-", 16),
    ("AGE-SECRET-KEY-1", 16),
    ("SG.", 40),
    ("AIza", 30),
    ("dop_v1_", 30),
    ("eyJhbGciOi", 40),
];

/// Tokens and private keys in a text, as byte ranges.
pub(crate) fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let is_body = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let boundary = index == 0 || !bytes[index - 1].is_ascii_alphanumeric();
        let first = bytes[index];
        if boundary
            && matches!(
                first,
                b'g' | b'A' | b'x' | b's' | b'r' | b'n' | b'p' | b'h' | b't' | b'S' | b'd' | b'e'
            )
            && let Some((prefix, least)) =
                TOKENS.iter().find(|(prefix, _)| bytes[index..].starts_with(prefix.as_bytes()))
        {
            let start = index + prefix.len();
            let body = bytes[start..].iter().take_while(|byte| is_body(**byte)).count();
            let token = &text[start..start + body];
            if body >= *least && is_random(prefix, token) {
                found.push(index..start + body);
                index = start + body;
                continue;
            }
        }
        if first == b'-'
            && bytes[index..].starts_with(b"-----BEGIN ")
            && let Some(range) = private_key(text, index)
        {
            index = range.end;
            found.push(range);
            continue;
        }
        index += 1;
    }
    found
}

/// Whether a token's body is more than a word repeated or a placeholder.
fn is_random(prefix: &str, body: &str) -> bool {
    let mut seen = [false; 128];
    body.bytes().for_each(|byte| seen[usize::from(byte & 127)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    let lower = body.to_ascii_lowercase();
    let placeholder = ["xxxx", "example", "your", "placeholder", "redacted", "changeme"];
    let aws = prefix == "AKIA" || prefix == "ASIA";
    let upper = body.bytes().take(16).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    different >= 6
        && !placeholder.iter().any(|word| lower.contains(word))
        && (!aws || upper && body.len() == 16)
}

/// A PEM block of a private key that has a body.
fn private_key(text: &str, start: usize) -> Option<Range<usize>> {
    let head_end = start + text.get(start..)?.find('\n').unwrap_or(text.len() - start);
    let head = &text[start..head_end];
    if !head.contains("PRIVATE KEY") {
        return None;
    }
    let rest = &text[head_end..];
    let end = rest.find("-----END").map_or(text.len(), |end| head_end + end);
    let body = text[head_end..end].bytes().filter(|byte| byte.is_ascii_alphanumeric()).count();
    (body >= 16).then_some(start..end)
}

/// Names whose value is a secret.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "privatekey",
    "private_key",
    "accesskey",
    "access_key",
    "secretkey",
    "secret_key",
    "pass",
    "psk",
];

/// Quoted values behind names of secrets in one line: `password = "…"`.
fn named(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let lower = line.to_ascii_lowercase();
    let mut from = 0;
    while let Some(equals) = line[from..].find('=').map(|index| from + index) {
        from = equals + 1;
        let name = lower[..equals].trim_end().trim_end_matches('"');
        // What follows is looked at up to the next sign only.
        if !NAMES.iter().any(|secret| name.ends_with(secret)) {
            continue;
        }
        let Some(open) = line[from..].find('"').map(|index| from + index + 1) else { break };
        // Only what stands directly behind the sign, wrappers included.
        if line[from..open - 1].contains([';', '{', '[']) {
            continue;
        }
        let close = line[open..].find('"').map_or(line.len(), |index| open + index);
        if close > open {
            found.push(open..close);
        }
        from = close;
    }
    found
}

/// Strings that hold secrets, in an order that finds those of a line fast.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    spans: Vec<Span>,
    /// How far the spans up to each reach.
    reach: Vec<u32>,
}

impl Secrets {
    pub(crate) fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        spans.dedup();
        let mut furthest = 0;
        let reach = spans.iter().map(|span| {
            furthest = furthest.max(span.end);
            furthest
        });
        let reach = reach.collect();
        Self { spans, reach }
    }

    /// Those that may touch a stretch of text.
    fn near(&self, start: u32, end: u32) -> &[Span] {
        let from = self.reach.partition_point(|reach| *reach <= start);
        let to = self.spans.partition_point(|span| span.start < end);
        self.spans.get(from..to).unwrap_or_default()
    }
}

/// A text in which every secret is `***`. `secrets` are strings with their
/// quotes; what only looks like a secret is masked too. `offset` is where the
/// text stands in the file that the secrets are of.
pub(crate) fn masked(text: &str, offset: u32, secrets: &Secrets) -> String {
    let end = offset as usize + text.len();
    let mut ranges: Vec<Range<usize>> = secrets
        .near(offset, end as u32)
        .iter()
        .filter(|span| (span.start as usize) < end && span.end > offset)
        .map(|span| {
            let start = (span.start.max(offset) - offset) as usize;
            let stop = (span.end as usize).min(end) - offset as usize;
            // The quotes stay when they are part of this text.
            let quote = usize::from(text.as_bytes().get(start) == Some(&b'"') && span.start >= offset);
            let close = usize::from(stop > start && text.as_bytes().get(stop - 1) == Some(&b'"'));
            (start + quote).min(text.len())..stop.saturating_sub(close).max(start + quote).min(text.len())
        })
        .collect();
    ranges.extend(tokens(text));
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        ranges.extend(named(line).into_iter().map(|range| begin + range.start..begin + range.end));
        begin += line.len();
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut shown = String::with_capacity(text.len());
    let mut position = 0;
    for range in ranges {
        if range.end <= position || range.is_empty() {
            continue;
        }
        if range.start >= position {
            let Some(before) = text.get(position..range.start) else { continue };
            shown.push_str(before);
            shown.push_str(MASK);
        }
        position = range.end;
    }
    shown.push_str(text.get(position..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        let line = r#"  token = "ghp_abcdEFGH1234ijklMNOP5678"; password = "hunter2"; path = "/x";"#;
        assert_eq!(masked(line, 0, &Secrets::default()), r#"  token = "***"; password = "***"; path = "/x";"#);
        assert_eq!(masked("x AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3 y", 0, &Secrets::default()), "x *** y");
        assert_eq!(
            masked(r#"password = mkDefault "a1b2c3";"#, 0, &Secrets::default()),
            r#"password = mkDefault "***";"#
        );
        assert_eq!(
            masked("# see ghp_xxxxxxxxxxxxxxxxxxxxxxxx", 0, &Secrets::default()),
            "# see ghp_xxxxxxxxxxxxxxxxxxxxxxxx"
        );
        assert_eq!(
            masked(r#"passwordFile = "/run/x";"#, 0, &Secrets::default()),
            r#"passwordFile = "/run/x";"#
        );
    }

    #[test]
    fn strings_that_rules_named_are_masked_over_lines() {
        let text = "a = ''\n  one\n  two\n'';";
        assert_eq!(masked("  two", 14, &Secrets::new(vec![Span::new(4, 21)])), "***");
        assert_eq!(masked("a = \"é\";", 0, &Secrets::new(vec![Span::new(4, 8)])), "a = \"***\";");
        assert_eq!(masked(text, 0, &Secrets::new(vec![Span::new(4, 21)])), "a = ***;");
    }

    #[test]
    fn private_keys_are_found_by_their_head_and_body() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----";
        assert_eq!(tokens(key).len(), 1);
        assert!(tokens("grep -- '-----BEGIN OPENSSH PRIVATE KEY-----'").is_empty());
        assert!(
            tokens("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF\n-----END PUBLIC KEY-----").is_empty()
        );
    }
}
