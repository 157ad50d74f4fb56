//! Breaks files in the ways that people and merges break them. The same seed
//! gives the same mutants on every machine.

/// xorshift64*: small, seedable, good enough to pick places.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Words, numbers, single signs and stretches of white space.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |next: char| next.is_alphanumeric() || "_'-".contains(next);
        let length = if word(first) {
            rest.find(|next| !word(next)).unwrap_or(rest.len())
        } else if first.is_whitespace() {
            rest.find(|next: char| !next.is_whitespace()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = &rest[length..];
    }
    tokens
}

/// What is put in by accident.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    "=",
    ":",
    ",",
    ".",
    "@",
    "?",
    "\"",
    "''",
    "${",
    "#",
    "/*",
    "*/",
    "+",
    "-",
    "//",
    "++",
    "==",
    "->",
    "!",
    "&&",
    "||",
    "<",
    "or",
    "let",
    "in",
    "with",
    "rec",
    "if",
    "then",
    "else",
    "inherit",
    "assert",
    "...",
    "x",
    "lib",
    "config",
    "pkgs",
    "1",
    "0.5",
    "./a",
    "<nixpkgs>",
    "~/x",
    "null",
    "true",
    "'",
    "$",
    "\\",
    "a.b",
    "a = 1;",
    "inherit a;",
    "x: ",
    "{ a }: ",
    "http://a.b/c",
    "@args",
    "? 1",
    ", a",
    "\u{e9}",
];

/// Changes a text in one place.
pub(crate) fn mutate(text: &str, random: &mut Random) -> String {
    let parts = tokens(text);
    let solid: Vec<usize> = (0..parts.len()).filter(|index| !parts[*index].trim().is_empty()).collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = random.pick(&solid);
    let join = |parts: &[&str]| parts.concat();
    let mut changed = parts.clone();
    match random.below(12) {
        // A sign or a word is lost.
        0 | 1 => {
            changed.remove(at);
        }
        // Something gets in, apart from its neighbours or not.
        2 | 3 => changed.insert(at, random.pick(PIECES)),
        4 => {
            changed.insert(at, " ");
            changed.insert(at, random.pick(PIECES));
            changed.insert(at, " ");
        }
        // Something is written in the place of something else.
        5 => changed[at] = random.pick(PIECES),
        6 => changed[at] = parts[random.pick(&solid)],
        // A word is written twice, two words change places.
        7 => changed.insert(at, parts[at]),
        8 => changed.swap(at, random.pick(&solid)),
        // A line is lost or there twice, as after a merge.
        9 => {
            let line = random.below(lines.len());
            return lines
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != line)
                .map(|(_, line)| *line)
                .collect();
        }
        10 => {
            let mut lines = lines.clone();
            let line = random.below(lines.len());
            let to = random.below(lines.len());
            lines.insert(to, lines[line]);
            return lines.concat();
        }
        // The file ends too early.
        _ => changed.truncate(at),
    }
    join(&changed)
}

/// `count` mutants of the given texts; every fourth is changed twice.
pub(crate) fn mutants(texts: &[(String, String)], count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let (_, text) = &texts[made.len() % texts.len()];
        let mut mutant = mutate(text, &mut random);
        if random.below(4) == 0 && !mutant.trim().is_empty() {
            mutant = mutate(&mutant, &mut random);
        }
        made.push(mutant);
    }
    made
}

#[test]
fn the_same_seed_gives_the_same_mutants() {
    let texts = crate::fixtures();
    let first = mutants(&texts, 200, 1);
    assert_eq!(first, mutants(&texts, 200, 1));
    assert_ne!(first, mutants(&texts, 200, 2));
    let changed = first.iter().zip(texts.iter().cycle()).filter(|(mutant, (_, text))| *mutant != text).count();
    assert!(changed > 190, "{changed}");
}
