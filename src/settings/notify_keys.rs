//! The keys of `[notify.NAME]`: who is told of runs. Addresses are secrets: an
//! error never shows the line that holds one.

use toml::Spanned;

use super::reader::TableReader;
use super::source::Problem;
use super::values::Anchors;
use crate::model::{NotifierKind, NotifierSpec, Occasion, Secret, SecretSource};

/// When somebody is told who does not say when.
const USUALLY: [Occasion; 3] = [Occasion::Success, Occasion::Failure, Occasion::Rollback];

/// Reads one table; what is wrong has been reported.
pub(crate) fn read(name: &str, mut reader: TableReader<'_, '_>, anchors: Anchors<'_>) -> Option<NotifierSpec> {
    let kinds = NotifierKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = reader.choice("kind", &kinds);
    if reader.value("kind").is_none() {
        let words: Vec<&str> = NotifierKind::ALL.iter().map(|kind| kind.as_str()).collect();
        reader.report_here(format!("it needs `kind`: {}", words.join(", ")));
    }
    let url = read_url(&mut reader);
    let url_env = reader.parsed("url_env", variable).map(Spanned::into_inner);
    let url_file = reader.parsed("url_file", |text| anchors.path(text)).map(Spanned::into_inner);
    let token_env = reader.parsed("token_env", variable).map(Spanned::into_inner);
    let token_file = reader.parsed("token_file", |text| anchors.path(text)).map(Spanned::into_inner);
    let room = reader.parsed("room", not_empty).map(Spanned::into_inner);
    let on = reader.list("on", occasion).map(|list| list.into_iter().map(Spanned::into_inner).collect());
    let urls: Vec<SecretSource> = url
        .into_iter()
        .chain(url_env.map(SecretSource::Variable))
        .chain(url_file.map(SecretSource::File))
        .collect();
    let named = ["url", "url_env", "url_file"].iter().filter(|key| reader.value(key).is_some()).count();
    if named != 1 {
        reader.report_here("it needs one of `url`, `url_env` and `url_file`");
    }
    if kind == Some(NotifierKind::Matrix)
        && (reader.value("room").is_none() || (token_env.is_none() && token_file.is_none()))
    {
        reader.report_here("matrix needs `room`, and `token_env` or `token_file`");
    }
    reader.finish();
    Some(NotifierSpec {
        name: name.to_owned(),
        kind: kind?,
        url: urls.into_iter().next()?,
        token: token_env.map(SecretSource::Variable).or_else(|| token_file.map(SecretSource::File)),
        room,
        on: on.unwrap_or_else(|| USUALLY.to_vec()),
    })
}

fn read_url(reader: &mut TableReader<'_, '_>) -> Option<SecretSource> {
    let value = reader.value("url")?;
    match value.as_ref().as_str().map(str::trim) {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Some(SecretSource::Here(Secret::new(url)))
        }
        _ => {
            let problem = Problem::at(value.span(), "`url` is an address that begins with https://");
            reader.report(problem.without_line());
            None
        }
    }
}

/// The name of an environment variable.
fn variable(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { Ok(text.to_owned()) } else { Err(format!("{text:?} is no name of an environment variable")) }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it cannot be empty"),
        text => Ok(text.to_owned()),
    }
}

fn occasion(text: &str) -> Result<Occasion, String> {
    let found = Occasion::ALL.into_iter().find(|occasion| occasion.as_str() == text);
    found.ok_or_else(|| {
        let words: Vec<&str> = Occasion::ALL.iter().map(|occasion| occasion.as_str()).collect();
        format!("{text:?} is none of {}", words.join(", "))
    })
}
