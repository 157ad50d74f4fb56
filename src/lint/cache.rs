//! Remembers findings by content, so that an unchanged file costs no parse.
//!
//! The file is `MAGIC`, the rule-set version, then entries of key (16 bytes),
//! age (1), length (4) and body; numbers are little-endian. Bodies are decoded
//! when they are asked for. It may be deleted at any time.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::model::Severity;

use super::hash::hash;
use super::judge::{Judged, RawAllow, RawFinding};
use super::tree::Span;
use super::{find_rule, rules};

const MAGIC: &[u8; 8] = b"ndlint02";
/// Runs that an entry survives without being asked for: branches are switched
/// to and fro.
const OLDEST: u8 = 50;

/// Findings of earlier runs, by content hash and rule-set version. Policies and
/// paths are not part of it: they are applied to what comes out.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    bytes: Vec<u8>,
    entries: HashMap<u128, Entry>,
    changed: AtomicBool,
}

#[derive(Debug)]
struct Entry {
    body: Body,
    /// Runs since it was asked for.
    age: AtomicU8,
}

#[derive(Debug)]
enum Body {
    /// Where it stands in the file that was read.
    Stored(std::ops::Range<usize>),
    New(Vec<u8>),
}

impl Cache {
    /// Reads the cache file; one that is missing, broken or of another version
    /// is an empty cache.
    pub fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        let entries = index(&bytes).unwrap_or_default();
        Self { path: path.to_owned(), bytes, entries, changed: AtomicBool::new(false) }
    }

    pub(crate) fn get(&self, key: u128) -> Option<Judged> {
        let entry = self.entries.get(&key)?;
        let body = match &entry.body {
            Body::Stored(range) => self.bytes.get(range.clone())?,
            Body::New(bytes) => bytes,
        };
        let judged = decode(body)?;
        if entry.age.swap(0, Ordering::Relaxed) > OLDEST / 2 {
            // Written back now and then, or what is used would grow old.
            self.changed.store(true, Ordering::Relaxed);
        }
        Some(judged)
    }

    pub(crate) fn add(&mut self, fresh: Vec<(u128, Judged)>) {
        for (key, judged) in fresh {
            self.changed.store(true, Ordering::Relaxed);
            self.entries.insert(key, Entry { body: Body::New(encode(&judged)), age: AtomicU8::new(0) });
        }
    }

    /// Writes it back if anything changed, atomically; what was not used for
    /// long is left out.
    ///
    /// # Errors
    /// When the file cannot be written. Nothing but time is lost then.
    pub fn save(&mut self) -> std::io::Result<()> {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut bytes = Vec::with_capacity(self.bytes.len() + 4096);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&version().to_le_bytes());
        for (key, entry) in &self.entries {
            let age = entry.age.load(Ordering::Relaxed);
            let body = match &entry.body {
                Body::Stored(range) => self.bytes.get(range.clone()).unwrap_or_default(),
                Body::New(bytes) => bytes,
            };
            if age < OLDEST {
                bytes.extend_from_slice(&key.to_le_bytes());
                bytes.push(age + 1);
                bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
                bytes.extend_from_slice(body);
            }
        }
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Changes with the program's version and with the words of any rule.
fn version() -> u128 {
    static VERSION: OnceLock<u128> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let mut text = format!("{} {}", env!("CARGO_PKG_VERSION"), RULE_SET);
        for rule in rules() {
            text.push_str(rule.id);
            text.push_str(rule.why);
            rule.bad.iter().chain(rule.good).for_each(|sample| text.push_str(sample.code));
        }
        hash(text.as_bytes())
    })
}

/// Counted up when a rule judges otherwise without a new sample.
const RULE_SET: u32 = 1;

fn index(bytes: &[u8]) -> Option<HashMap<u128, Entry>> {
    let mut reader = Reader { bytes, position: 0 };
    if reader.take(8)? != MAGIC || u128::from_le_bytes(reader.take(16)?.try_into().ok()?) != version() {
        return None;
    }
    let mut entries = HashMap::with_capacity(bytes.len() / 512);
    while reader.position < bytes.len() {
        let key = u128::from_le_bytes(reader.take(16)?.try_into().ok()?);
        let age = *reader.take(1)?.first()?;
        let length = reader.number()? as usize;
        let start = reader.position;
        reader.take(length)?;
        let body = Body::Stored(start..start + length);
        entries.insert(key, Entry { body, age: AtomicU8::new(age) });
    }
    Some(entries)
}

struct Reader<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let taken = self.bytes.get(self.position..self.position.checked_add(count)?)?;
        self.position += count;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()? as usize;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn severity(&mut self) -> Option<Option<Severity>> {
        Some(match self.take(1)?.first()? {
            0 => None,
            1 => Some(Severity::Information),
            2 => Some(Severity::Warning),
            3 => Some(Severity::Critical),
            _ => return None,
        })
    }

    fn place(&mut self) -> Option<([u32; 4], Span)> {
        let lines = [self.number()?, self.number()?, self.number()?, self.number()?];
        Some((lines, Span { start: self.number()?, end: self.number()? }))
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn put_severity(bytes: &mut Vec<u8>, severity: Option<Severity>) {
    bytes.push(match severity {
        None => 0,
        Some(Severity::Information) => 1,
        Some(Severity::Warning) => 2,
        Some(Severity::Critical) => 3,
    });
}

fn put_place(bytes: &mut Vec<u8>, lines: [u32; 4], span: Span) {
    for number in lines.into_iter().chain([span.start, span.end]) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

fn encode(judged: &Judged) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(judged.findings.len() as u32).to_le_bytes());
    for finding in &judged.findings {
        put_text(&mut bytes, finding.rule);
        put_severity(&mut bytes, Some(finding.severity));
        put_severity(&mut bytes, finding.guest_severity);
        put_place(&mut bytes, finding.lines, finding.span);
        for text in [&finding.subject, &finding.message, &finding.mend, &finding.source_line] {
            put_text(&mut bytes, text);
        }
        bytes.extend_from_slice(&finding.code.to_le_bytes());
    }
    bytes.extend_from_slice(&(judged.allows.len() as u32).to_le_bytes());
    for allow in &judged.allows {
        put_text(&mut bytes, &allow.rule);
        put_text(&mut bytes, &allow.reason);
        bytes.extend_from_slice(&allow.line.to_le_bytes());
        put_place(&mut bytes, allow.lines, allow.span);
        put_text(&mut bytes, &allow.source_line);
    }
    bytes
}

fn decode(body: &[u8]) -> Option<Judged> {
    let mut reader = Reader { bytes: body, position: 0 };
    let mut judged = Judged::default();
    for _ in 0..reader.number()? {
        let rule = find_rule(&reader.text()?)?.id;
        let severity = reader.severity()??;
        let guest_severity = reader.severity()?;
        let (lines, span) = reader.place()?;
        judged.findings.push(RawFinding {
            rule,
            severity,
            guest_severity,
            lines,
            span,
            subject: reader.text()?,
            message: reader.text()?,
            mend: reader.text()?,
            source_line: reader.text()?,
            code: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
        });
    }
    for _ in 0..reader.number()? {
        let (rule, reason, line) = (reader.text()?, reader.text()?, reader.number()?);
        let (lines, span) = reader.place()?;
        judged.allows.push(RawAllow { rule, reason, line, lines, span, source_line: reader.text()? });
    }
    Some(judged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::judge::judge;

    const TEXT: &[u8] = b"{\n  # nix-deploy: allow firewall-off -- behind the router\n  networking.firewall.enable = false;\n  a = rec { b = 1; };\n}";

    #[test]
    fn what_was_judged_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/cache");
        let judged = judge(TEXT);
        assert!(judged.findings.len() > 1 && judged.allows.len() == 1);
        let mut cache = Cache::open(&path);
        cache.add(vec![(7, judged.clone())]);
        assert_eq!(cache.get(7).unwrap(), judged);
        cache.save().unwrap();
        let cache = Cache::open(&path);
        assert_eq!(cache.get(7).unwrap(), judged);
        assert_eq!(cache.get(8), None);
    }

    #[test]
    fn a_broken_file_is_an_empty_cache() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let mut cache = Cache::open(&path);
        cache.add(vec![(7, judge(TEXT))]);
        cache.save().unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(Cache::open(&path).get(7), None, "cut at {length}");
        }
        for index in 0..whole.len() {
            let mut broken = whole.clone();
            broken[index] ^= 0x55;
            std::fs::write(&path, &broken).unwrap();
            // Whatever it gives, it does not panic.
            let _ = Cache::open(&path).get(7);
        }
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let mut cache = Cache::open(&path);
        cache.add(vec![(1, judge(b"1")), (2, judge(b"2"))]);
        cache.save().unwrap();
        for run in 0..u128::from(OLDEST) + 2 {
            let mut cache = Cache::open(&path);
            assert!(cache.get(1).is_some());
            cache.add(vec![(100 + run, judge(b"3"))]);
            cache.save().unwrap();
        }
        assert!(Cache::open(&path).get(1).is_some());
        assert!(Cache::open(&path).get(2).is_none());
    }
}
