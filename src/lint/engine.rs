//! Runs the rules over texts and files, on every core, and applies the policy.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Finding, Place, Severity, Suppression};

use super::collect::{Bytes, read, unreadable};
use super::hash::{fingerprint, hash};
use super::judge::{Judged, RawFinding, is_syntax, judge};
use super::rules;
use super::{Cache, Layer, Policy, SourceFile, find_rule};

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// All findings, suppressed ones too, sorted by file, place and rule.
    pub findings: Vec<Finding>,
    /// How many files were judged.
    pub files: usize,
    /// How many of them needed no work thanks to the cache.
    pub cached: usize,
    /// Files (as shown) that have a finding of `syntax-error`, `duplicate-attr`
    /// or `undefined-var`: to be confirmed by the installed Nix.
    pub suspects: Vec<PathBuf>,
}

impl Report {
    /// Nix parses this file: our findings about its syntax are withdrawn.
    pub fn nix_accepts(&mut self, file: &Path) {
        self.findings.retain(|finding| {
            !is_syntax(&finding.rule) || finding.place.as_ref().is_none_or(|place| place.file != file)
        });
        self.suspects.retain(|suspect| suspect != file);
    }

    /// Nix refuses this file. Adds its own message when we said nothing of it.
    pub fn nix_rejects(&mut self, file: &Path, line: u32, column: u32, message: &str) {
        let ours = |finding: &Finding| {
            is_syntax(&finding.rule) && finding.place.as_ref().is_some_and(|place| place.file == file)
        };
        if self.findings.iter().any(ours) {
            return;
        }
        let shown = file.to_string_lossy();
        self.findings.push(Finding {
            rule: rules::SYNTAX_ERROR.id.to_owned(),
            severity: Severity::Critical,
            place: Some(Place {
                file: file.to_owned(),
                line: line.max(1),
                column: column.max(1),
                end_line: line.max(1),
                end_column: column.max(1),
                start: 0,
                end: 0,
            }),
            subject: String::new(),
            message: format!("Nix refuses this file: {message}"),
            mend: String::new(),
            source_line: String::new(),
            host: None,
            suppressed: None,
            fingerprint: fingerprint(&[rules::SYNTAX_ERROR.id, &shown, message]),
        });
        sort(&mut self.findings);
    }
}

/// Enough for the deepest tree that [`limits`](super::tree::exceeded) lets
/// through, in a build without optimisation. Only what is used takes memory.
const STACK: usize = 128 << 20;

/// Judges files in parallel, the largest first. Ignored files are left out.
pub fn check_files(files: &[SourceFile], policy: &Policy, cache: Option<&mut Cache>) -> Report {
    let mut order: Vec<(u64, &SourceFile)> = files
        .iter()
        .filter(|file| !policy.ignores(&file.shown))
        .map(|file| (std::fs::metadata(&file.path).map_or(0, |metadata| metadata.len()), file))
        .collect();
    // One large file at the end would leave the other cores idle.
    order.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(order.len().max(1));
    let next = AtomicUsize::new(0);
    let known = cache.as_deref();
    let gathered = Mutex::new((Report::default(), Vec::new()));
    let work = || {
        let mut report = Report::default();
        let mut fresh = Vec::new();
        while let Some((_, file)) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            check_one(file, policy, known, &mut report, &mut fresh);
        }
        let mut gathered = gathered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        gathered.0.findings.append(&mut report.findings);
        gathered.0.suspects.append(&mut report.suspects);
        gathered.0.files += report.files;
        gathered.0.cached += report.cached;
        gathered.1.append(&mut fresh);
    };
    on_threads(threads, &work);
    let (mut report, fresh) = gathered.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(cache) = cache {
        cache.add(fresh);
    }
    sort(&mut report.findings);
    report.suspects.sort();
    report
}

/// Runs `work` on this many threads with large stacks; on this thread when
/// the system gives none.
fn on_threads(threads: usize, work: &(impl Fn() + Sync)) {
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..threads {
            let builder = std::thread::Builder::new().name("lint".to_owned()).stack_size(STACK);
            started += usize::from(builder.spawn_scoped(scope, work).is_ok());
        }
        if started == 0 {
            work();
        }
    });
}

/// Gives the result of `work`, run with a large stack; `None` when it failed
/// (the parser is not ours, and a bug of it must not end the program).
pub(crate) fn with_stack<T: Send>(work: impl Fn() -> T + Sync) -> Option<T> {
    let result = Mutex::new(None);
    on_threads(1, &|| {
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&work)).ok();
        *result.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = made;
    });
    result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn check_one(
    file: &SourceFile,
    policy: &Policy,
    cache: Option<&Cache>,
    report: &mut Report,
    fresh: &mut Vec<(u128, Judged)>,
) {
    let bytes = match read(&file.path) {
        Bytes::Read(bytes) => bytes,
        Bytes::Refused(problem) => {
            report.findings.extend(unreadable(&file.shown, &problem, policy));
            return;
        }
    };
    report.files += 1;
    let Some(cache) = cache else {
        return apply(&file.shown, &judge(&bytes), policy, report);
    };
    let key = hash(&bytes);
    match cache.get(key) {
        Some(judged) => {
            report.cached += 1;
            apply(&file.shown, &judged, policy, report);
        }
        None => {
            let judged = judge(&bytes);
            apply(&file.shown, &judged, policy, report);
            fresh.push((key, judged));
        }
    }
}

/// Judges one text that stands for the file `shown`.
pub fn check_text(shown: &Path, text: &[u8], policy: &Policy) -> Report {
    let mut report = Report { files: 1, ..Report::default() };
    let judged = with_stack(|| judge(text)).unwrap_or_default();
    apply(shown, &judged, policy, &mut report);
    sort(&mut report.findings);
    report
}

pub(crate) fn sort(findings: &mut [Finding]) {
    let key =
        |finding: &Finding| finding.place.as_ref().map(|place| (place.file.clone(), place.start, place.line));
    findings.sort_by_cached_key(|finding| (key(finding), finding.rule.clone(), finding.message.clone()));
}

/// Makes findings of what was found in one file.
fn apply(shown: &Path, judged: &Judged, policy: &Policy, report: &mut Report) {
    let mut used = vec![false; judged.allows.len()];
    let path = shown.to_string_lossy();
    if judged.findings.iter().any(|raw| is_syntax(raw.rule)) {
        report.suspects.push(shown.to_owned());
    }
    for raw in &judged.findings {
        let given = raw.guest_severity.filter(|_| policy.vm_guest()).unwrap_or(raw.severity);
        let by_comment = suppressing(judged, raw, &mut used);
        let Some(severity) = policy.severity(raw.rule, given) else { continue };
        let allowed = policy.allowed_by(raw.rule).map(|actor| Suppression::Flag { actor: actor.to_owned() });
        let comment = by_comment.map(|reason| Suppression::Comment { reason });
        report.findings.push(Finding {
            rule: raw.rule.to_owned(),
            severity,
            place: Some(place(shown, raw.lines, raw.span)),
            subject: raw.subject.clone(),
            message: raw.message.clone(),
            mend: raw.mend.clone(),
            source_line: raw.source_line.clone(),
            host: None,
            suppressed: comment.or(allowed),
            fingerprint: fingerprint(&[raw.rule, &path, &format!("{:016x}", raw.code)]),
        });
    }
    // A file that does not parse may hide what a suppression is for.
    let broken = judged.findings.iter().any(|raw| is_syntax(raw.rule));
    for (allow, _) in judged.allows.iter().zip(used).filter(|(_, used)| !used && !broken) {
        let info = &rules::UNUSED_SUPPRESSION;
        let evaluated = find_rule(&allow.rule).is_some_and(|rule| rule.layer == Layer::Evaluated);
        let off = policy.severity(&allow.rule, Severity::Information).is_none();
        let Some(severity) = policy.severity(info.id, info.severity).filter(|_| !evaluated && !off) else {
            continue;
        };
        report.findings.push(Finding {
            rule: info.id.to_owned(),
            severity,
            place: Some(place(shown, allow.lines, allow.span)),
            subject: allow.rule.clone(),
            message: format!("nothing here breaks `{}`, so this comment is not needed", allow.rule),
            mend: "take it out".to_owned(),
            source_line: allow.source_line.clone(),
            host: None,
            suppressed: None,
            fingerprint: fingerprint(&[info.id, &path, &allow.rule, &allow.reason]),
        });
    }
}

/// The reason of the comment that allows a finding. Syntax errors cannot be
/// allowed: the file would not evaluate.
fn suppressing(judged: &Judged, raw: &RawFinding, used: &mut [bool]) -> Option<String> {
    if is_syntax(raw.rule) || raw.rule == rules::BAD_SUPPRESSION.id {
        return None;
    }
    let mut reason = None;
    for (allow, used) in judged.allows.iter().zip(used) {
        if allow.rule == raw.rule && (allow.line == 0 || allow.line == raw.lines[0]) {
            *used = true;
            reason.get_or_insert_with(|| allow.reason.clone());
        }
    }
    reason
}

fn place(shown: &Path, lines: [u32; 4], span: super::tree::Span) -> Place {
    Place {
        file: shown.to_owned(),
        line: lines[0],
        column: lines[1],
        end_line: lines[2],
        end_column: lines[3],
        start: span.start as usize,
        end: span.end as usize,
    }
}
