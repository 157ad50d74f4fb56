//! Who is told of a run beside the screen and the record: report files, GitHub
//! Actions, `[notify]`.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::model::{Failure, FailureClass, NotifierSpec};
use crate::report::{Actions, KeptMarkdown, Notifier, Notifying, ReportFile, ReportFileError, Reporter};
use crate::settings::Environment;

/// Who is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    files: Vec<PathBuf>,
    /// In GitHub Actions; with the file for the summary, if there is one.
    actions: Option<Option<PathBuf>>,
    notifiers: Vec<Notifier>,
    /// Filled with the run as Markdown, for who asks for it.
    pub(crate) markdown: Option<KeptMarkdown>,
    /// Who cannot be told, and why.
    pub(crate) untold: Vec<String>,
}

impl Told {
    /// What arguments, settings and environment ask for. What cannot work is
    /// refused before anything is done, but for `[notify]`, which only warns.
    pub(crate) fn resolve(
        files: &[PathBuf],
        notify: &[NotifierSpec],
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let files: Vec<PathBuf> = files.iter().map(|path| environment.directory.join(path)).collect();
        for path in &files {
            ReportFile::new(path).map_err(refused)?;
        }
        let mut told = Self {
            files,
            actions: environment.is_github_actions().then(|| environment.github_summary()),
            ..Self::default()
        };
        for spec in notify {
            match ready(spec, environment) {
                Ok(notifier) => told.notifiers.push(notifier),
                Err(why) => told.untold.push(format!("[notify.{}] is not told: {why}", spec.name)),
            }
        }
        Ok(told)
    }

    /// The same for the run that takes back what the first one deployed: its
    /// reports stand beside those of the first, `report-rollback.md`.
    pub(super) fn of_way_back(&self) -> Self {
        let beside = |path: &PathBuf| {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push("-rollback.");
            name.push(path.extension().unwrap_or_default());
            path.with_file_name(name)
        };
        Self {
            files: self.files.iter().map(beside).collect(),
            markdown: None,
            untold: Vec::new(),
            ..self.clone()
        }
    }

    /// The reporters that do it.
    pub(super) fn reporters(&self) -> Result<Vec<Box<dyn Reporter>>, CommandError> {
        let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
        for path in &self.files {
            reporters.push(Box::new(ReportFile::new(path).map_err(refused)?));
        }
        if let Some(markdown) = &self.markdown {
            reporters.push(markdown.reporter());
        }
        if let Some(summary) = &self.actions {
            reporters.push(Box::new(Actions::new(summary.clone())));
        }
        if !self.notifiers.is_empty() {
            let notifying = Notifying::new(self.notifiers.clone())
                .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
            reporters.push(Box::new(notifying));
        }
        Ok(reporters)
    }
}

fn refused(error: ReportFileError) -> CommandError {
    let hint = error.hint();
    Failure::from_error(FailureClass::Usage, &error).hint(hint).into()
}

fn ready(spec: &NotifierSpec, environment: &Environment) -> Result<Notifier, String> {
    let url = environment.secret(&spec.url)?;
    if !["https://", "http://"].iter().any(|scheme| url.reveal().starts_with(scheme)) {
        return Err("its address does not begin with https://".to_owned());
    }
    Ok(Notifier {
        name: spec.name.clone(),
        kind: spec.kind,
        url,
        token: spec.token.as_ref().map(|token| environment.secret(token)).transpose()?,
        room: spec.room.clone(),
        on: spec.on.clone(),
    })
}
