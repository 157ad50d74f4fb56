//! Refuses texts that would overflow the parser's stack or make it slow,
//! before they reach it.
//!
//! rnix bounds the nesting of expressions (512), but not that of lists, of
//! chains of operators that it reads by recursion (`a ++ b ++ …`, `!!…`), or of
//! trees that grow to the left; and for every word it looks ahead to the end of
//! a run of path characters, which is quadratic in `a.a.a.…`. This is a small
//! scanner that knows strings and comments and bounds all of these.

/// Nesting of brackets and of expressions, as rnix counts.
const DEEPEST: usize = 512;
/// Words and operators of one expression, those around it included.
const LONGEST: u32 = 8_000;
/// Steps of looking ahead.
const COSTLIEST: u64 = 50_000_000;

/// A bound that a text exceeds, with the place where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// More than 512 levels of brackets.
    Depth(usize),
    /// One expression of more than 8,000 words.
    Length(usize),
    /// A run of names and dots that takes too long to read.
    Cost(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// Round or curly brackets, the file itself.
    Code,
    /// Square brackets: what stands in them side by side does not nest.
    List,
    /// `${`, from a string when the frame below is one.
    Interpolation,
    Text,
    Indented,
}

struct Open {
    frame: Frame,
    words: u32,
}

/// The first bound that the text exceeds.
pub(crate) fn exceeded(text: &str) -> Option<Limit> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
    let mut stack = vec![Open { frame: Frame::Code, words: 0 }];
    let mut words = 0_u32;
    let mut cost = 0_u64;
    let mut index = 0;
    while index < bytes.len() {
        let frame = stack.last().map_or(Frame::Code, |open| open.frame);
        if matches!(frame, Frame::Text | Frame::Indented) {
            index = in_text(bytes, index, frame, &mut stack);
            continue;
        }
        let byte = bytes[index];
        let mut step = 1;
        let mut counts = false;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'#' => step = bytes[index..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - index),
            b'/' if at(index + 1) == b'*' => {
                step = text[index + 2..].find("*/").map_or(bytes.len() - index, |end| end + 4);
            }
            b'"' => {
                count(&mut stack, &mut words);
                stack.push(Open { frame: Frame::Text, words: 0 });
            }
            b'\'' if at(index + 1) == b'\'' => {
                count(&mut stack, &mut words);
                stack.push(Open { frame: Frame::Indented, words: 0 });
                step = 2;
            }
            b'$' if at(index + 1) == b'{' => {
                stack.push(Open { frame: Frame::Interpolation, words: 0 });
                step = 2;
            }
            b'{' | b'(' => stack.push(Open { frame: Frame::Code, words: 0 }),
            b'[' => stack.push(Open { frame: Frame::List, words: 0 }),
            b'}' | b')' | b']' => {
                if stack.len() > 1 {
                    words -= stack.pop().map_or(0, |open| open.words);
                }
                counts = true;
            }
            b';' | b',' => {
                if let Some(open) = stack.last_mut() {
                    words -= open.words;
                    open.words = 0;
                }
            }
            byte if is_path(byte) => {
                let run = bytes[index..].iter().take_while(|byte| is_path(**byte)).count();
                let joints =
                    bytes[index..index + run].iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
                cost += run as u64 * joints as u64;
                if cost > COSTLIEST {
                    return Some(Limit::Cost(index));
                }
                step = run;
                counts = true;
                // In a list only a default nests: `[ a.b or c.d or e ]`.
                if frame == Frame::List && run == 2 && bytes[index..].starts_with(b"or") {
                    words += 1;
                    if let Some(open) = stack.last_mut() {
                        open.words += 1;
                    }
                }
                // Signs nest one by one.
                let signs = if frame == Frame::List { 0 } else { (joints as u32).min(LONGEST) };
                words += signs;
                if let Some(open) = stack.last_mut() {
                    open.words += signs;
                }
            }
            _ => counts = true,
        }
        if counts {
            count(&mut stack, &mut words);
        }
        if words > LONGEST {
            return Some(Limit::Length(index));
        }
        if stack.len() > DEEPEST {
            return Some(Limit::Depth(index));
        }
        index += step;
    }
    None
}

/// Counts a word of the innermost expression. In a list words stand side by side.
fn count(stack: &mut [Open], words: &mut u32) {
    if let Some(open) = stack.last_mut().filter(|open| open.frame != Frame::List) {
        open.words += 1;
        *words += 1;
    }
}

/// Reads on inside a string to its end or to an interpolation.
fn in_text(bytes: &[u8], mut index: usize, frame: Frame, stack: &mut Vec<Open>) -> usize {
    let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
    while index < bytes.len() {
        match (bytes[index], frame) {
            (b'\\', Frame::Text) => index += 2,
            (b'"', Frame::Text) => {
                stack.pop();
                return index + 1;
            }
            (b'\'', Frame::Indented) if at(index + 1) == b'\'' => match at(index + 2) {
                b'\'' | b'$' => index += 3,
                b'\\' => index += 4,
                _ => {
                    stack.pop();
                    return index + 2;
                }
            },
            (b'$', _) if at(index + 1) == b'$' => index += 2,
            (b'$', _) if at(index + 1) == b'{' => {
                stack.push(Open { frame: Frame::Interpolation, words: 0 });
                return index + 2;
            }
            _ => index += 1,
        }
    }
    index
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_too_deep_is_refused_whatever_it_is_made_of() {
        for unit in ["(", "[", "{a=", "${", "\"${", "''${"] {
            assert!(matches!(exceeded(&unit.repeat(600)), Some(Limit::Depth(_))), "{unit}");
            assert!(exceeded(&unit.repeat(100_000)).is_some(), "{unit}");
        }
        for unit in [
            "a ++ ",
            "!",
            "-",
            "1 + ",
            "a.b or ",
            "a ",
            "\"\"",
            "''\na'' ",
            "x // ",
            "a: ",
            "if a then b else ",
        ] {
            assert!(exceeded(&unit.repeat(100_000)).is_some(), "{unit}");
        }
        assert!(exceeded(&format!("[{}]", "a.b or ".repeat(100_000))).is_some());
        assert!(exceeded(&"a.".repeat(1_000_000)).is_some());
    }

    #[test]
    fn what_is_only_long_is_fine() {
        assert_eq!(exceeded(&format!("[ {} ]", "\"a\" x ./y { a = (b); } [ ] ".repeat(100_000))), None);
        assert_eq!(exceeded(&format!("{{ {} }}", "a.b = f x;\n".repeat(100_000))), None);
        assert_eq!(exceeded(&format!("\"{}\"", "+.(".repeat(1_000_000))), None);
        assert_eq!(exceeded(&format!("/* {} */ # {0}", "((( ".repeat(1_000_000))), None);
        assert_eq!(exceeded("''a '''b ''${c ''\\n $$ ${d} '' + \"\\\"(\""), None);
    }
}
