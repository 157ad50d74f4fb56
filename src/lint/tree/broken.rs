//! What rnix refuses, in words for people, and what it refuses although Nix
//! does not.

use rnix::{ParseError, SyntaxKind};

use super::Span;

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// A text of the same length that rnix reads as Nix reads the given one, for
/// two things that it takes for errors: `.../x` is a path, and `!` may stand
/// behind `+`. The tree is made from the text that was given.
pub(super) fn as_nix_reads_it(text: &str) -> Option<String> {
    use SyntaxKind as K;
    let mut changed = text.as_bytes().to_vec();
    let mut position = 0;
    let mut last = K::TOKEN_WHITESPACE;
    for (kind, token) in rnix::tokenize(text) {
        let end = position + token.len();
        let path = text
            .as_bytes()
            .get(end..end + 2)
            .is_some_and(|next| next[0] == b'/' && next[1].is_ascii_alphanumeric());
        let arithmetic =
            matches!(last, K::TOKEN_ADD | K::TOKEN_SUB | K::TOKEN_MUL | K::TOKEN_DIV | K::TOKEN_CONCAT);
        match kind {
            K::TOKEN_ELLIPSIS if path => changed[position] = b'a',
            K::TOKEN_INVERT if arithmetic => changed[position] = b'-',
            _ => {}
        }
        if !kind.is_trivia() {
            // One behind the other: `+ !!x`.
            last = if kind == K::TOKEN_INVERT && arithmetic { K::TOKEN_SUB } else { kind };
        }
        position = end;
    }
    String::from_utf8(changed).ok().filter(|changed| changed != text)
}

/// Errors of one file that are told: after so many it is no code.
pub(super) const MOST: usize = 100;

/// The words for what rnix says.
pub(super) fn describe(error: &ParseError, text: &str) -> Broken {
    let at = |range: &rnix::TextRange, message: String| {
        let (start, end) = (usize::from(range.start()), usize::from(range.end()));
        let shown = text.get(start..end).unwrap_or_default();
        // An error that swallows half a file is shown at its beginning.
        let width = shown.find('\n').unwrap_or(shown.len()).max(1).min(shown.len());
        Broken { span: Span::new(start, start + width), message }
    };
    let end = |message: String| {
        let end = text.trim_end().len();
        Broken { span: Span::new(end, end), message }
    };
    match error {
        ParseError::Unexpected(range) => at(range, "unexpected text".to_owned()),
        ParseError::UnexpectedExtra(range) => {
            at(range, format!("unexpected {} after the end of the expression", first_token(text, range)))
        }
        ParseError::UnexpectedWanted(_, range, wanted) => {
            at(range, format!("unexpected {}, expected {}", first_token(text, range), wanted_words(wanted)))
        }
        ParseError::UnexpectedDoubleBind(range) => at(range, "a pattern can have one name only".to_owned()),
        ParseError::UnexpectedEOF => end("the file ends too early".to_owned()),
        ParseError::UnexpectedEOFWanted(wanted) => {
            end(format!("the file ends too early, expected {}", wanted_words(wanted)))
        }
        ParseError::DuplicatedArgs(range, name) => at(range, format!("the argument `{name}` is given twice")),
        ParseError::RecursionLimitExceeded => end(TOO_DEEP.to_owned()),
        other => end(format!("{other}")),
    }
}

/// What rnix' own bound is called; the engine tells it from syntax errors.
pub(crate) const TOO_DEEP: &str = "nested more than 512 levels deep";

fn first_token(text: &str, range: &rnix::TextRange) -> String {
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let shown = text.get(start..end).unwrap_or_default().trim_start();
    let is_word = |character: char| character.is_alphanumeric() || "_'-".contains(character);
    let length = if shown.starts_with(is_word) {
        shown.find(|character| !is_word(character)).unwrap_or(shown.len())
    } else {
        shown.chars().next().map_or(0, char::len_utf8)
    };
    match &shown[..length] {
        "" => "end".to_owned(),
        token => format!("`{token}`"),
    }
}

fn wanted_words(wanted: &[SyntaxKind]) -> String {
    use SyntaxKind as K;
    if wanted.contains(&K::TOKEN_L_BRACE) && wanted.len() > 1 {
        return "an expression".to_owned();
    }
    let word = |kind: &SyntaxKind| match kind {
        K::TOKEN_IDENT => "a name",
        K::TOKEN_SEMICOLON => "`;`",
        K::TOKEN_ASSIGN => "`=`",
        K::TOKEN_COLON => "`:`",
        K::TOKEN_L_BRACE => "`{`",
        K::TOKEN_R_BRACE | K::TOKEN_INTERPOL_END => "`}`",
        K::TOKEN_R_PAREN => "`)`",
        K::TOKEN_R_BRACK => "`]`",
        K::TOKEN_AT => "`@`",
        K::TOKEN_THEN => "`then`",
        K::TOKEN_ELSE => "`else`",
        K::TOKEN_IN => "`in`",
        K::TOKEN_ELLIPSIS => "`...`",
        K::TOKEN_STRING_START | K::TOKEN_STRING_END => "a quote",
        K::TOKEN_STRING_CONTENT => "text",
        K::TOKEN_INTERPOL_START => "`${`",
        K::TOKEN_OR => "`or`",
        _ => "something else",
    };
    let mut words: Vec<&str> = wanted.iter().map(word).collect();
    words.dedup();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use crate::lint::tree::parse;

    #[test]
    fn what_only_rnix_refuses_is_read_as_nix_reads_it() {
        for text in ["{ a = .../b/c; }", "a: a + !a", "a: [ 1 ] ++ !(a) + !!a", "a: - !a"] {
            let tree = parse(text).unwrap();
            assert_eq!(tree.source(tree.root()), text);
        }
        for text in ["{ a = ...; }", "a: a + ! + a", "a: a + / a"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_only_rnix_takes_is_refused() {
        for text in [
            "(1]",
            "[1)",
            "[ x: x ]",
            "x: x y: y",
            "99999999999999999999",
            "1.0e400",
            "let ${x} = 1; in 1",
            "./a/",
            "x:\u{a0}x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
