//! `--report FILE`: a run as a file, for people who were not there.
//!
//! The file is written when the run ends, however it ends: deployed, failed or
//! interrupted. It replaces an older one whole or not at all. The name's end
//! decides the format; a format is one file here and one line in [`FORMATS`].
//! Everything foreign is escaped by each format in its own way.

mod document;
mod html;
mod json;
mod markdown;
mod timeline;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Reporter;
use crate::event::Envelope;
use document::Document;

/// How long the end of a run waits for a report's disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// A format of report files.
struct Format {
    /// How names end.
    ends: &'static [&'static str],
    text: fn(&Document) -> String,
}

/// Every format: one line each.
static FORMATS: [Format; 3] = [
    Format { ends: &["md", "markdown"], text: markdown::text },
    Format { ends: &["html", "htm"], text: html::text },
    Format { ends: &["json"], text: json::text },
];

/// Why a report cannot be written there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ReportFileError {
    /// The name says no format.
    #[error("{path:?} does not say what kind of report it is to be")]
    Format {
        /// As it was given.
        path: PathBuf,
    },
    /// There is no folder for it.
    #[error("the folder {folder:?} for the report is not there")]
    Folder {
        /// Which folder.
        folder: PathBuf,
    },
}

impl ReportFileError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Format { .. } => "let the name end in .md, .html or .json",
            Self::Folder { .. } => "make the folder first",
        }
    }
}

/// Writes a run to a file at its end.
pub(crate) struct ReportFile {
    path: PathBuf,
    format: &'static Format,
    document: Document,
    trouble: Option<String>,
}

impl ReportFile {
    /// A report that will be written there.
    pub(crate) fn new(path: &Path) -> Result<Self, ReportFileError> {
        let end = path.extension().and_then(|end| end.to_str()).map(str::to_lowercase).unwrap_or_default();
        let format = FORMATS.iter().find(|format| format.ends.contains(&end.as_str()));
        let format = format.ok_or_else(|| ReportFileError::Format { path: path.to_owned() })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(ReportFileError::Folder { folder: folder.to_owned() });
        }
        Ok(Self { path: path.to_owned(), format, document: Document::default(), trouble: None })
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        // A pipe or a device cannot be replaced.
        if self.path.exists() && !self.path.is_file() {
            return File::options().write(true).open(&self.path)?.write_all(text.as_bytes());
        }
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = self.path.with_file_name(name);
        let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.path));
        if written.is_err() {
            // What is half written is no report.
            let _ = std::fs::remove_file(&new);
        }
        written
    }
}

impl Reporter for ReportFile {
    fn event(&mut self, envelope: &Envelope) {
        self.document.take(envelope);
    }

    fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn finish(&mut self) {
        self.document.close();
        let text = (self.format.text)(&self.document);
        if let Err(error) = self.write(&text) {
            self.trouble = Some(format!("the report {} was not written: {error}", self.path.display()));
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn overdue(&self) -> &'static str {
        "a report is not written: its disk does not answer"
    }
}

/// A run as Markdown, there once the run has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptMarkdown(Arc<OnceLock<String>>);

impl KeptMarkdown {
    /// The text; `None` before the end.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// The reporter that fills it.
    pub(crate) fn reporter(&self) -> Box<dyn Reporter> {
        Box::new(Keeper { document: Document::default(), kept: self.clone() })
    }
}

struct Keeper {
    document: Document,
    kept: KeptMarkdown,
}

impl Reporter for Keeper {
    fn event(&mut self, envelope: &Envelope) {
        self.document.take(envelope);
    }

    fn finish(&mut self) {
        self.document.close();
        // The last call comes once.
        let _ = self.kept.0.set(markdown::text(&self.document));
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}

/// Runs for the tests of all formats.
#[cfg(test)]
mod samples {
    use super::Document;
    use crate::event::Event;
    use crate::exit;
    use crate::model::{
        ActivationPhase, Finding, HostReport, Metric, Observed, Place, Resource, Severity, StepId,
    };
    use crate::report::story::{NASTY, Story, host, rolled_back, success, unchanged};

    /// Two hosts: one goes well with a finding, and was measured; one goes back.
    pub(super) fn two_hosts() -> Document {
        let resource = |metric, before, after| Resource { metric, before: Some(before), after, usual: None };
        let gib = f64::from(1 << 30);
        let resources = vec![
            resource(Metric::MemoryAvailable, 3.1 * gib, Some(3.0 * gib)),
            resource(Metric::MemoryTotal, 7.7 * gib, Some(7.7 * gib)),
            Resource { usual: Some(0.2), ..resource(Metric::Load, 0.25, Some(0.9)) },
            resource(Metric::Cpu, 3.0, None),
        ];
        let mut well = success();
        well.observed = Some(Observed { resources, ..Observed::default() });
        let finding = Finding {
            message: "the firewall is off".to_owned(),
            mend: "turn it on".to_owned(),
            ..sample_finding()
        };
        let story = Story::of(&["p620", "p510"])
            .step("p620", StepId::HostFacts, 20, 320)
            .step("p620", StepId::Evaluate, 20, 4_220)
            .step("p510", StepId::Evaluate, 20, 4_220)
            .step("p620", StepId::Build, 4_300, 42_300)
            .plan("p620", 43_000)
            .at(43_000, Event::Finding { host: host("p620"), finding: Box::new(finding) })
            .step("p620", StepId::Activate, 45_000, 49_100)
            .activation("p620", 49_000, ActivationPhase::Committed, "confirmed")
            .at(50_000, Event::Warning { host: None, message: "the database is slow".to_owned(), hint: None })
            .ended("p510", 72_000, rolled_back())
            .ended("p620", 165_000, well)
            .finished(165_000, exit::ROLLED_BACK);
        document(&story)
    }

    /// A run that says only foreign things.
    pub(super) fn nasty() -> Document {
        let text = format!("{NASTY}</script><img src=x onerror=alert(1)>`|*_#@everyone ![x](http://x) &amp;");
        let mut report = rolled_back();
        report.warnings = vec![text.clone()];
        report.services[0].unit.clone_from(&text);
        report.services[0].what.clone_from(&text);
        if let Some(failure) = &mut report.failure {
            failure.message.clone_from(&text);
            failure.causes = vec![text.clone()];
            failure.hints = vec![text.clone()];
            failure.evidence = vec![format!("```{text}"), text.clone()];
        }
        for record in &mut report.steps {
            record.summary.clone_from(&text);
        }
        if let Some(closure) = report.changes.as_mut().and_then(|changes| changes.closure.as_mut()) {
            closure.packages[0].name.clone_from(&text);
            closure.packages[0].after = vec![text.clone()];
        }
        if let Some(plan) = &mut report.unit_plan {
            plan.restart = vec![text.clone()];
        }
        let finding = Finding { message: text.clone(), mend: text.clone(), ..sample_finding() };
        let story = Story::of(&["p620"])
            .at(1, Event::Finding { host: host("p620"), finding: Box::new(finding) })
            .at(2, Event::Warning { host: None, message: text, hint: None })
            .ended("p620", 10, report)
            .finished(20, exit::ROLLED_BACK);
        document(&story)
    }

    /// A run that ended before anything was known.
    pub(super) fn cut_off() -> Document {
        document(&Story::of(&["p620"]).at(500, Event::Interrupted { at_once: true }))
    }

    pub(super) fn nothing_to_do() -> Document {
        let report: HostReport = unchanged();
        document(&Story::of(&["p620"]).ended("p620", 1_200, report).finished(1_200, exit::OK))
    }

    fn document(story: &Story) -> Document {
        let mut document = Document::default();
        story.envelopes().iter().for_each(|envelope| document.take(envelope));
        document.close();
        document
    }

    fn sample_finding() -> Finding {
        Finding {
            rule: "firewall-off".to_owned(),
            severity: Severity::Warning,
            place: Some(Place {
                file: "modules/web.nix".into(),
                line: 3,
                column: 3,
                end_line: 3,
                end_column: 28,
                start: 0,
                end: 0,
            }),
            subject: "networking.firewall.enable".to_owned(),
            message: String::new(),
            mend: String::new(),
            source_line: String::new(),
            host: Some(host("p620")),
            suppressed: None,
            fingerprint: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::report::story::{Story, success};

    fn written(path: &Path, story: &Story) -> Option<String> {
        let mut report = ReportFile::new(path).unwrap();
        story.tell(&mut report);
        report.finish();
        report.trouble()
    }

    #[test]
    fn the_end_of_the_name_decides_the_format_and_an_older_report_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let story = Story::of(&["p620"]).ended("p620", 10, success()).finished(20, exit::OK);
        for (name, begins) in [("a.md", "# "), ("b.HTML", "<!doctype html>"), ("c.json", "{")] {
            let path = folder.path().join(name);
            std::fs::write(&path, "old").unwrap();
            assert_eq!(written(&path, &story), None);
            assert!(std::fs::read_to_string(&path).unwrap().starts_with(begins), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_name_without_a_format_and_a_folder_that_is_not_there_are_refused_at_once() {
        let error = |path: &str| ReportFile::new(Path::new(path)).err();
        assert_eq!(error("report.pdf"), Some(ReportFileError::Format { path: "report.pdf".into() }));
        assert_eq!(error("report"), Some(ReportFileError::Format { path: "report".into() }));
        let folder = PathBuf::from("/nowhere/at/all");
        assert_eq!(error("/nowhere/at/all/x.md"), Some(ReportFileError::Folder { folder }));
        assert_eq!(error("report.md"), None);
    }

    #[test]
    fn a_report_that_cannot_be_written_is_a_trouble_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("gone");
        std::fs::create_dir(&inner).unwrap();
        let mut report = ReportFile::new(&inner.join("x.md")).unwrap();
        std::fs::remove_dir(&inner).unwrap();
        report.finish();
        assert!(report.trouble().unwrap().contains("was not written"));
    }
}
