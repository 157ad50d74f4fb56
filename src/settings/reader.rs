//! Reads a TOML table key by key and collects what is wrong with it.
//!
//! A schema is the code that asks a [`TableReader`] for its keys: a key that
//! was never asked for is unknown and is reported with the nearest one that
//! was. A value that is wrong is reported and read as absent, so that one pass
//! finds every independent mistake, each at its own place.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration::parse_duration;
use super::nearest::{enumerate, nearest};
use super::source::Problem;

/// What was wrong so far.
pub(crate) type Problems = Vec<Problem>;

/// A key that people put into the wrong table, and the table it belongs to.
pub(crate) type Misplaced = (&'static str, &'static str);

/// What is wrong with an entry whose key is a name.
pub(crate) enum WrongEntry {
    /// The name.
    Name {
        /// What is wrong.
        message: String,
        /// What may be meant.
        hint: Option<String>,
    },
    /// The value.
    Value(String),
}

/// One table that is being read.
pub(crate) struct TableReader<'t, 'p> {
    /// What the table is called in messages, for example `[hosts.p620]`.
    name: String,
    span: Range<usize>,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
    problems: &'p mut Problems,
}

impl<'t, 'p> TableReader<'t, 'p> {
    /// Begins to read a table.
    pub(crate) fn new(
        name: impl Into<String>,
        span: Range<usize>,
        table: &'t DeTable<'t>,
        problems: &'p mut Problems,
    ) -> Self {
        Self { name: name.into(), span, table, known: Vec::new(), problems }
    }

    /// Reports something that is wrong.
    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Reports that the table as a whole is wrong.
    pub(crate) fn report_here(&mut self, message: impl Into<String>) {
        let span = self.span.clone();
        self.report(Problem::at(span, message));
    }

    /// Reports that the value of a key is wrong, if there is one.
    pub(crate) fn report_value(&mut self, key: &'static str, message: impl Into<String>) {
        if let Some(value) = self.value(key) {
            self.report(Problem::at(value.span(), message));
        }
    }

    /// The value of a key, as it stands; the key becomes a known one.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn wrong_type(&mut self, key: &str, expected: &str, value: &Spanned<DeValue<'_>>) {
        self.problems.push(wrong_type(&format!("`{key}`"), expected, value));
    }

    /// A text that `parse` accepts; what it says else becomes the problem.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let Some(text) = value.as_ref().as_str() else {
            self.wrong_type(key, "a text in quotes", value);
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(Spanned::new(value.span(), parsed)),
            Err(reason) => {
                self.report(Problem::at(value.span(), format!("`{key}`: {reason}")));
                None
            }
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Clone>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.parsed(key, |text| choose(text, choices)).map(Spanned::into_inner)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if value.as_ref().as_bool().is_none() {
            self.wrong_type(key, "true or false", value);
        }
        value.as_ref().as_bool()
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&mut self, key: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(key)?;
        let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
        let Some(integer) = value.as_ref().as_integer() else {
            self.wrong_type(key, &expected, value);
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let message = format!("`{key}` is {expected}, found {integer}");
            self.report(Problem::at(value.span(), message));
        }
        number
    }

    /// A duration such as `"90s"`, within bounds.
    pub(crate) fn duration(&mut self, key: &'static str, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let value = self.value(key)?;
        if value.as_ref().as_str().is_none() {
            self.wrong_type(key, "a duration like \"60s\", \"10m\" or \"1h30m\"", value);
            return None;
        }
        self.parsed(key, |text| parse_duration(text, &bounds)).map(Spanned::into_inner)
    }

    /// A list of texts that `parse` accepts; each wrong one is reported.
    pub(crate) fn list<T, E: Display>(
        &mut self,
        key: &'static str,
        mut parse: impl FnMut(&str) -> Result<T, E>,
    ) -> Option<Vec<Spanned<T>>> {
        let value = self.value(key)?;
        let Some(array) = value.as_ref().as_array() else {
            self.wrong_type(key, "a list like [\"…\", \"…\"]", value);
            return None;
        };
        let mut parsed = Vec::new();
        for item in array.iter() {
            let Some(text) = item.as_ref().as_str() else {
                self.problems.push(wrong_type(&format!("an item of `{key}`"), "a text in quotes", item));
                continue;
            };
            match parse(text) {
                Ok(value) => parsed.push(Spanned::new(item.span(), value)),
                Err(reason) => self.report(Problem::at(item.span(), format!("`{key}`: {reason}"))),
            }
        }
        Some(parsed)
    }

    /// A table below this one.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<TableReader<'t, '_>> {
        let value = self.value(key)?;
        let name = self.name_below(key);
        match value.as_ref() {
            DeValue::Table(table) => Some(TableReader::new(name, value.span(), table, self.problems)),
            _ => {
                self.wrong_type(key, &format!("a table, written as {name}"), value);
                None
            }
        }
    }

    /// Reads every table of `[[key]]` below this one.
    pub(crate) fn each_table<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(TableReader<'t, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let name = format!("[{}]", self.name_below(key));
        let Some(array) = value.as_ref().as_array() else {
            self.wrong_type(key, &format!("a list of tables, each written as {name}"), value);
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in array.iter() {
            match item.as_ref() {
                DeValue::Table(table) => {
                    all.extend(read(TableReader::new(name.clone(), item.span(), table, self.problems)));
                }
                _ => self.problems.push(wrong_type(&format!("an item of `{key}`"), "a table", item)),
            }
        }
        all
    }

    /// Reads every item of a list whose items are tables or texts.
    pub(crate) fn each_table_or_text<T>(
        &mut self,
        key: &'static str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
        mut read: impl FnMut(TableReader<'t, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let name = format!("[{}]", self.name_below(key));
        let Some(array) = value.as_ref().as_array() else {
            self.wrong_type(key, "a list of texts and tables", value);
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in array.iter() {
            match item.as_ref() {
                DeValue::Table(table) => {
                    all.extend(read(TableReader::new(name.clone(), item.span(), table, self.problems)));
                }
                DeValue::String(text) => match parse(text) {
                    Ok(parsed) => all.push(parsed),
                    Err(reason) => self.report(Problem::at(item.span(), format!("`{key}`: {reason}"))),
                },
                _ => {
                    let what = format!("an item of `{key}`");
                    self.problems.push(wrong_type(&what, "a text in quotes or a table", item));
                }
            }
        }
        all
    }

    /// Reads every table below a key that is a table of tables, in the order
    /// of the file.
    pub(crate) fn each_named<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(Spanned<&'t str>, TableReader<'t, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(table) = value.as_ref() else {
            self.wrong_type(key, &format!("a table, written as [{key}.NAME]"), value);
            return Vec::new();
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut all = Vec::new();
        for (name, value) in entries {
            let spanned = Spanned::new(name.span(), name.as_ref().as_ref());
            let shown = format!("[{key}.{}]", name.as_ref());
            match value.as_ref() {
                DeValue::Table(table) => {
                    all.extend(read(spanned, TableReader::new(shown, name.span(), table, self.problems)));
                }
                _ => {
                    let expected = format!("a table, written as {shown}");
                    self.problems.push(wrong_type(&format!("`{}`", name.as_ref()), &expected, value));
                }
            }
        }
        all
    }

    /// Ends a table whose keys are names of somebody's choice: reads every
    /// entry that is a text, in the order of the file. What `read` says is
    /// wrong with a name or a value is reported there.
    pub(crate) fn finish_texts<T>(self, mut read: impl FnMut(&str, &str) -> Result<T, WrongEntry>) -> Vec<T> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut all = Vec::new();
        for (name, value) in entries {
            let key: &str = name.as_ref().as_ref();
            let Some(text) = value.as_ref().as_str() else {
                self.problems.push(wrong_type(&format!("`{key}`"), "a text in quotes", value));
                continue;
            };
            match read(key, text) {
                Ok(entry) => all.push(entry),
                Err(WrongEntry::Name { message, hint }) => {
                    let problem = Problem::at(name.span(), message);
                    self.problems.push(match hint {
                        Some(hint) => problem.hint(hint),
                        None => problem,
                    });
                }
                Err(WrongEntry::Value(reason)) => {
                    self.problems.push(Problem::at(value.span(), format!("`{key}`: {reason}")));
                }
            }
        }
        all
    }

    /// Ends the table: every key that was not asked for is a problem.
    pub(crate) fn finish(self) {
        self.finish_knowing(&[]);
    }

    /// Ends the table, knowing where some keys belong that are not its own.
    pub(crate) fn finish_knowing(self, misplaced: &[Misplaced]) {
        for key in self.table.keys() {
            let name: &str = key.as_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let mut problem = Problem::at(key.span(), format!("unknown key `{name}` in {}", self.name));
            problem = match misplaced.iter().find(|(other, _)| *other == name) {
                Some((_, table)) => problem.hint(format!("`{name}` belongs in {table}")),
                None => match nearest(name, self.known.iter().copied()) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => {
                        let mut known = self.known.clone();
                        known.sort_unstable();
                        problem.hint(format!("known here: {}", known.join(", ")))
                    }
                },
            };
            self.problems.push(problem);
        }
    }

    fn name_below(&self, key: &str) -> String {
        match self.name.strip_suffix(']') {
            Some(open) => format!("{open}.{key}]"),
            None => format!("[{key}]"),
        }
    }
}

fn wrong_type(what: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> Problem {
    let found = match value.as_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Problem::at(value.span(), format!("{what} is {expected}, found {found}"))
}

/// The value that belongs to a word.
pub(crate) fn choose<T: Clone>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(value.clone());
    }
    let words = choices.iter().map(|(word, _)| *word);
    let near = nearest(text, words.clone()).map(|near| format!("; did you mean \"{near}\"?"));
    Err(format!("{text:?} is not one of {}{}", enumerate(words, "or"), near.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::source::Source;

    /// Reads `text` with a small schema and returns the problems as text.
    fn problems(text: &str) -> Vec<String> {
        let source = Source::new("t", text);
        let document = DeTable::parse(source.text()).unwrap();
        let mut problems = Vec::new();
        let mut reader = TableReader::new("the file", 0..0, document.as_ref(), &mut problems);
        reader.boolean("auto");
        reader.integer("port", 1..=65535);
        reader.duration("timeout", Duration::from_secs(1)..=Duration::from_secs(60));
        reader.list("names", |text| if text == "bad" { Err("a bad name") } else { Ok(()) });
        reader.choice("elevate", &[("sudo", 1), ("doas", 2)]);
        if let Some(mut table) = reader.table("rollback") {
            table.boolean("auto");
            table.finish();
        }
        reader.each_table("checks", |mut check| {
            check.boolean("on");
            check.finish();
            Some(())
        });
        reader.finish_knowing(&[("confirm", "[rollback]")]);
        problems.sort_by_key(Problem::start);
        problems
            .iter()
            .map(|problem| {
                let failure = source.explain(problem, "t");
                failure.hints.into_iter().fold(failure.message, |text, hint| format!("{text} | {hint}"))
            })
            .collect()
    }

    #[test]
    fn a_table_without_mistakes_has_no_problems() {
        let text = "auto = true\nport = 0x16\ntimeout = \"1m\"\nnames = [\"a\"]\nelevate = \"doas\"\n\
            [rollback]\nauto = false\n[[checks]]\non = true\n";
        assert_eq!(problems(text), Vec::<String>::new());
    }

    #[test]
    fn every_mistake_is_found_in_one_pass_at_its_own_place() {
        let text = "auto = 1\nport = 70000\ntimeout = 60\nnames = [\"a\", 3, \"bad\"]\nelevate = \"sudoo\"\n\
            confirm = 1\nzzz = 1\n[rollback]\nautoo = true\n[[checks]]\nonn = true\n";
        assert_eq!(
            problems(text),
            [
                "t:1:8: `auto` is true or false, found a number",
                "t:2:8: `port` is a number from 1 to 65535, found 70000",
                "t:3:11: `timeout` is a duration like \"60s\", \"10m\" or \"1h30m\", found a number",
                "t:4:15: an item of `names` is a text in quotes, found a number",
                "t:4:18: `names`: a bad name",
                "t:5:11: `elevate`: \"sudoo\" is not one of sudo or doas; did you mean \"sudo\"?",
                "t:6:1: unknown key `confirm` in the file | `confirm` belongs in [rollback]",
                "t:7:1: unknown key `zzz` in the file | known here: auto, checks, elevate, names, port, \
                 rollback, timeout",
                "t:9:1: unknown key `autoo` in [rollback] | did you mean `auto`?",
                "t:11:1: unknown key `onn` in [[checks]] | did you mean `on`?",
            ]
        );
    }

    #[test]
    fn a_value_where_a_table_belongs_is_explained() {
        assert_eq!(
            problems("rollback = 3\nchecks = true\n"),
            [
                "t:1:12: `rollback` is a table, written as [rollback], found a number",
                "t:2:10: `checks` is a list of tables, each written as [[checks]], found true or false",
            ]
        );
    }
}
