//! An issue's title taken apart: its words, and the places that the templates
//! of nixpkgs give them.
//!
//! Only the form is judged here; which word is a package is said by `score`.
//! Titles are foreign text: any text gives a title, none makes this fail.

use std::ops::Range;

use crate::model::text::clean_line;

/// More words are not looked at; no real title has half as many.
const MOST_WORDS: usize = 80;
/// Signs that are words of their own.
const OPERATORS: [&str; 7] = ["->", ">=", "<=", "<", ">", "+", "&"];
/// What stands in front of the slash of a path in a head.
const FOLDERS: [&str; 7] = ["nixos", "nixpkgs", "pkgs", "modules", "services", "programs", "hardware"];
/// A colon further behind does not end a template place.
const LONGEST_HEAD: usize = 4;

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `Vulnerability roundup 93: THIS: 1 advisory`: a package and a version.
    Exact,
    /// `THIS: …` or `Build failure: THIS`.
    Template,
    /// `nixos/THIS: …`.
    Module,
    /// `[THIS] …`.
    Bracket,
    /// Anywhere else.
    Prose,
    /// Says nothing: `NixOS 24.05:`, `[unstable]`, counts of advisories.
    Skipped,
}

/// A word with what surrounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, without the punctuation around it.
    pub(super) raw: String,
    /// The same with `-` for `_`, as names are compared.
    pub(super) text: String,
    pub(super) place: Place,
    /// Inside of backticks; only the first word there is a name.
    pub(super) backticks: bool,
    /// Inside of backticks or quotes with other words before it, or a path: no name.
    pub(super) foreign: bool,
    pub(super) parenthesised: bool,
    /// A clause ends behind it.
    pub(super) ends_clause: bool,
    /// A colon stands behind it.
    pub(super) ends_head: bool,
}

/// A title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Title {
    pub(super) words: Vec<Word>,
    /// The items before the first colon, each a range of words; empty when
    /// there is no head.
    pub(super) head: Vec<Range<usize>>,
    /// The first word behind head and brackets.
    pub(super) body: usize,
}

impl Title {
    /// Takes a title apart.
    pub(super) fn parse(text: &str) -> Self {
        let mut words = tokens(&unify(text));
        words.truncate(MOST_WORDS);
        let mut title = Self { words, head: Vec::new(), body: 0 };
        if title.roundup() || title.build_failure() {
            return title;
        }
        title.brackets();
        title.colon_head();
        title
    }

    /// The words as text, for what looks at the whole.
    pub(super) fn plain(&self) -> String {
        self.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn begins(&self, first: &str, second: &str) -> bool {
        matches!(&self.words[..], [one, two, ..] if one.text == first && two.text.starts_with(second))
    }

    /// `Vulnerability roundup 93: a2ps-4.14: 1 advisory [7.8]`.
    fn roundup(&mut self) -> bool {
        if !self.begins("vulnerability", "roundup") {
            return false;
        }
        let named = self.words.iter().position(|word| word.ends_head).map(|colon| colon + 1);
        for (index, word) in self.words.iter_mut().enumerate() {
            word.place = if Some(index) == named { Place::Exact } else { Place::Skipped };
        }
        self.body = self.words.len();
        true
    }

    /// `Build failure: nvidia-x11 on 6.12`: what follows the colon is a head
    /// without a colon of its own, up to the first word that is no list.
    fn build_failure(&mut self) -> bool {
        let Some(colon) = self.words.iter().take(4).position(|word| word.ends_head) else { return false };
        if !(self.begins("build", "fail") || self.begins("build", "error") || self.begins("build", "broken")) {
            return false;
        }
        for word in &mut self.words[..=colon] {
            word.place = Place::Skipped;
        }
        let mut end = colon + 1;
        while let Some(word) = self.words.get(end) {
            end += 1;
            let goes_on =
                self.words.get(end).is_some_and(|next| matches!(next.raw.as_str(), "," | "and" | "&" | "/"))
                    || matches!(word.raw.as_str(), "," | "and" | "&" | "/")
                    || word.ends_clause;
            if !goes_on {
                break;
            }
        }
        self.take_head(colon + 1..end);
        self.body = end;
        true
    }

    /// `[kernel] …`, `[24.05] …`.
    fn brackets(&mut self) {
        while self.words.get(self.body).is_some_and(|word| word.place == Place::Bracket) {
            self.body += 1;
        }
    }

    /// `firefox: …`, `nixos/nginx, nixos/caddy: …`; heads that say nothing
    /// are skipped and the next one is looked at.
    fn colon_head(&mut self) {
        loop {
            let start = self.body;
            let window = self.words.len().min(start + LONGEST_HEAD * 2);
            let Some(colon) = (start..window).find(|index| self.words[*index].ends_head) else { return };
            let head = start..colon + 1;
            if self.words[head.clone()].iter().any(|word| word.foreign) {
                return;
            }
            let naming = self.words[head.clone()].iter().filter(|word| !is_number(&word.raw));
            let name = naming.map(|word| word.text.as_str()).collect::<Vec<_>>().join("-");
            let is_generic = name.is_empty() || super::words::is_generic_head(&name) || is_test(&name);
            if is_generic && colon + 1 < self.words.len() {
                for word in &mut self.words[head] {
                    word.place = Place::Skipped;
                }
                self.body = colon + 1;
                continue;
            }
            let lists = self.words[head.clone()].iter().filter(|word| word.ends_clause).count();
            if head.len() <= LONGEST_HEAD + lists {
                self.take_head(head);
                self.body = colon + 1;
            }
            return;
        }
    }

    /// Splits a range of words into the items of a head. A word may hold
    /// several: `plasma-desktop/kwin`.
    fn take_head(&mut self, range: Range<usize>) {
        let mut words: Vec<Word> = Vec::new();
        let mut items: Vec<Range<usize>> = Vec::new();
        let mut begun = range.start;
        let close = |begun: &mut usize, end: usize, items: &mut Vec<Range<usize>>| {
            if end > *begun {
                items.push(*begun..end);
            }
            *begun = end;
        };
        for word in &self.words[range.clone()] {
            if matches!(word.raw.as_str(), "," | "and" | "&" | "/" | "+") {
                close(&mut begun, range.start + words.len(), &mut items);
                continue;
            }
            let (place, parts) = head_parts(&word.raw);
            let several = parts.len() > 1;
            for part in parts {
                words.push(Word {
                    place,
                    text: normalise(part),
                    raw: part.to_owned(),
                    foreign: false,
                    ..word.clone()
                });
                if several {
                    close(&mut begun, range.start + words.len(), &mut items);
                }
            }
            if word.ends_clause {
                close(&mut begun, range.start + words.len(), &mut items);
            }
        }
        close(&mut begun, range.start + words.len(), &mut items);
        self.head = items;
        self.words.splice(range, words);
        // The head may be longer or shorter now; the caller counted its old words.
        self.body = self.head.last().map_or(self.body, |item| item.end);
    }
}

/// The names in one word of a head, and whether they are NixOS modules.
fn head_parts(raw: &str) -> (Place, Vec<&str>) {
    let mut parts: Vec<&str> = raw.split(['/', '+']).filter(|part| !part.is_empty()).collect();
    // `gtk+3` and `libxml2+py` are names.
    if raw.contains('+') && !raw.contains('/') {
        parts = vec![raw];
    }
    match parts[..] {
        ["nixos", "tests" | "doc" | "lib" | "manual", ..] => (Place::Skipped, parts),
        ["nixos", "modules", .., last] | ["nixos", .., last] => (Place::Module, vec![last]),
        ["pkgs" | "nixpkgs" | "modules" | "services" | "programs" | "hardware", .., last] => {
            (Place::Template, vec![last])
        }
        _ => (Place::Template, parts),
    }
}

/// NixOS tests say what they test, not what is broken.
fn is_test(name: &str) -> bool {
    name.starts_with("nixostests.") || name.starts_with("nixos/tests/")
}

/// A name as it is compared: lower case, `-` for `_`.
pub(super) fn normalise(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// One kind of quotes, arrows and dashes; no control characters.
fn unify(text: &str) -> String {
    let mut unified = String::with_capacity(text.len() + 8);
    for character in clean_line(text).chars() {
        match character {
            '\u{2018}' | '\u{2019}' => unified.push('\''),
            '\u{201c}' | '\u{201d}' => unified.push('"'),
            '\u{2192}' | '\u{21d2}' => unified.push_str(" -> "),
            '\u{2013}' | '\u{2014}' => unified.push_str(" - "),
            '\u{2265}' => unified.push_str(" >= "),
            '\u{2264}' => unified.push_str(" <= "),
            '\u{a0}' => unified.push(' '),
            other => unified.push(other),
        }
    }
    if !unified.contains(['<', '>']) {
        return unified;
    }
    unified.replace("->", " -> ").replace("=>", " -> ").replace(">=", " >= ").replace("<=", " <= ")
}

/// Splits at white space and notes what each word stands in.
fn tokens(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut state = Inside {
        // An odd quote is an apostrophe or an inch.
        counts_quotes: text.matches('"').count().is_multiple_of(2),
        counts_backticks: text.matches('`').count().is_multiple_of(2),
        ..Inside::default()
    };
    for chunk in text.split_whitespace() {
        state.word(chunk, &mut words);
    }
    words
}

/// What the words stand in while a title is read.
#[derive(Default)]
struct Inside {
    counts_quotes: bool,
    counts_backticks: bool,
    backticks: bool,
    quotes: bool,
    parentheses: bool,
    brackets: bool,
    /// Whether the quotation's first word has been read.
    within: bool,
}

impl Inside {
    /// A word as it is.
    fn plain(&self, word: &str) -> Word {
        Word {
            raw: word.to_owned(),
            text: word.to_owned(),
            place: if self.brackets { Place::Bracket } else { Place::Prose },
            backticks: false,
            foreign: self.backticks || self.quotes,
            parenthesised: self.parentheses,
            ends_clause: false,
            ends_head: false,
        }
    }

    fn word(&mut self, chunk: &str, words: &mut Vec<Word>) {
        if OPERATORS.contains(&chunk) {
            words.push(self.plain(chunk));
            return;
        }
        let opens = |character: char| "([{\"'`*<".contains(character);
        let closes = |character: char| ")]}\"'`*>,.;:!?".contains(character);
        let start = chunk.find(|character| !opens(character)).unwrap_or(chunk.len());
        let (leading, rest) = chunk.split_at(start);
        let end = rest.trim_end_matches(closes).len();
        let (mut core, mut trailing) = rest.split_at(end);
        // `{openssh,nfs4}` and `foo(bar)` keep their own brackets.
        if core.contains('{') && trailing.starts_with('}') {
            (core, trailing) = rest.split_at(end + 1);
        }
        let at_start = words.is_empty() || words.iter().all(|word: &Word| word.place == Place::Bracket);
        for character in leading.chars() {
            match character {
                '`' if self.counts_backticks => (self.backticks, self.within) = (true, false),
                '"' if self.counts_quotes => (self.quotes, self.within) = (true, false),
                '(' => self.parentheses = true,
                '[' if at_start => self.brackets = true,
                _ => {}
            }
        }
        let closes_quotation = trailing.contains('`') || trailing.contains('"');
        let one_word = closes_quotation && !self.within;
        let ends_head = trailing.ends_with(':');
        let ends_clause = trailing.contains([',', ';', ':', '!', '?'])
            || trailing.contains('.')
            || matches!(core, "-" | "|" | "," | ";");
        let template = Word {
            raw: String::new(),
            text: String::new(),
            place: if self.brackets { Place::Bracket } else { Place::Prose },
            backticks: self.backticks,
            foreign: (self.backticks && self.within) || (self.quotes && !one_word),
            parenthesised: self.parentheses,
            ends_clause,
            ends_head,
        };
        let pushed = push_names(core, &template, words);
        if !pushed && let Some(last) = words.last_mut() {
            last.ends_clause |= ends_clause;
            last.ends_head |= ends_head;
        }
        self.within |= pushed && (self.backticks || self.quotes);
        for character in trailing.chars() {
            match character {
                '`' => self.backticks = false,
                '"' => self.quotes = false,
                ')' => self.parentheses = false,
                ']' => self.brackets = false,
                _ => {}
            }
        }
    }
}

/// Adds the names of one chunk: `{a,b}` and `a/b` are several. Says whether
/// there was any.
fn push_names(core: &str, template: &Word, words: &mut Vec<Word>) -> bool {
    let core = core.strip_suffix("'s").unwrap_or(core).to_lowercase();
    let core = core.trim_matches(|character| matches!(character, '*' | '"' | '`'));
    if core.is_empty() || core.chars().all(|character| character == '-' || character == '|') {
        return false;
    }
    let is_path =
        core.starts_with(['/', '~', '.']) || (core.matches('/').count() > 1 && !core.starts_with("nixos/"));
    let names = if is_path { vec![core.to_owned()] } else { expand(core) };
    let count = names.len();
    for (index, raw) in names.into_iter().enumerate() {
        let is_last = index + 1 == count;
        words.push(Word {
            foreign: template.foreign || is_path,
            ends_clause: template.ends_clause && is_last || count > 1 && !is_last,
            ends_head: template.ends_head && is_last,
            // The word is in lower case already.
            text: raw.replace('_', "-"),
            raw,
            ..template.clone()
        });
    }
    true
}

/// `xorg.{a,b}` → `xorg.a`, `xorg.b`; `crashes/fails` → both. The slash of a
/// head is kept: `nixos/nginx`.
fn expand(core: &str) -> Vec<String> {
    if let (Some(open), Some(close)) = (core.find('{'), core.find('}'))
        && open < close
    {
        let (before, inner, after) = (&core[..open], &core[open + 1..close], &core[close + 1..]);
        let names = inner.split(',').filter(|name| !name.is_empty());
        return names.map(|name| format!("{before}{name}{after}")).collect();
    }
    match core.split_once('/') {
        Some((left, right)) if is_word(left) && is_word(right) && !FOLDERS.contains(&left) => {
            vec![left.to_owned(), right.to_owned()]
        }
        _ => vec![core.to_owned()],
    }
}

/// Whether one half of a slash is a word of its own.
fn is_word(half: &str) -> bool {
    half.len() > 2 && half.starts_with(|first: char| first.is_ascii_alphabetic()) && !half.contains('/')
}

/// The version in a word, without a leading `v`; none for a release of NixOS
/// (`24.05`, `25.11.20250704`), which is the version of no package.
pub(super) fn version(word: &str) -> Option<&str> {
    let version = word.strip_prefix('v').unwrap_or(word);
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_~".contains(&byte))
        && !is_release(version);
    is_version.then_some(version)
}

/// Whether a word is a version or a release, which names nothing.
pub(super) fn is_number(word: &str) -> bool {
    version(word).is_some() || is_release(word)
}

/// `YY.MM` of a NixOS release, with whatever follows.
fn is_release(version: &str) -> bool {
    let bytes = version.as_bytes();
    let (Some(year), Some(month)) = (version.get(..2), version.get(3..5)) else { return false };
    bytes[2] == b'.'
        && year.parse::<u8>().is_ok_and(|year| (13..60).contains(&year))
        && matches!(month, "03" | "05" | "09" | "11")
        && bytes.get(5).is_none_or(|next| !next.is_ascii_digit())
}

#[cfg(test)]
mod tests;
