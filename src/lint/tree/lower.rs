//! rnix' green tree to [`Tree`], and what rnix lets pass though Nix does not:
//! brackets closed by another kind, numbers out of range, dynamic names where
//! none may be.

use std::marker::PhantomData;

use rnix::{ParseError, SyntaxKind};
use rowan::{GreenNodeData, Language, NodeOrToken};

use super::{
    Attr, AttrName, Binding, BindingKind, Formal, Kind, NodeData, NodeId, Operator, Parameter, Run, Span, Tree,
};

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// Parses a text that is within [`limits`](super::exceeded).
///
/// # Errors
/// All syntax errors, in source order; never empty.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, Vec<Broken>> {
    let mut parsed = rnix::Root::parse(text);
    if !parsed.errors().is_empty()
        && let Some(again) = as_nix_reads_it(text).map(|text| rnix::Root::parse(&text))
        && again.errors().is_empty()
    {
        parsed = again;
    }
    let errors = parsed.errors();
    if !errors.is_empty() {
        let mut broken: Vec<Broken> = errors.iter().take(MOST).map(|error| describe(error, text)).collect();
        broken.sort_by_key(|broken| (broken.span.start, broken.span.end));
        // What follows from the same place says the same once more.
        broken.dedup_by_key(|broken| broken.span.start);
        return Err(broken);
    }
    let root = parsed.syntax();
    let green = root.green();
    let mut lowering = Lowering {
        tree: Tree {
            text,
            nodes: Vec::with_capacity(text.len() / 8),
            bindings: Vec::new(),
            attrs: Vec::new(),
            children: Vec::new(),
            formals: Vec::new(),
            parameters: Vec::new(),
            comments: Vec::new(),
        },
        broken: Vec::new(),
        bindings: Vec::new(),
        items: Vec::new(),
    };
    let root = lowering.first_expression(green, 0, NodeId(0));
    if root.is_none() && lowering.broken.is_empty() {
        lowering.refuse(Span::new(text.len(), text.len()), "the file holds no expression");
    }
    if lowering.broken.is_empty() { Ok(lowering.tree) } else { Err(lowering.broken) }
}

/// A text of the same length that rnix reads as Nix reads the given one, for
/// two things that it takes for errors: `.../x` is a path, and `!` may stand
/// behind `+`. The tree is made from the text that was given.
fn as_nix_reads_it(text: &str) -> Option<String> {
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
const MOST: usize = 100;

/// The words for what rnix says.
fn describe(error: &ParseError, text: &str) -> Broken {
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

struct Lowering<'t> {
    tree: Tree<'t>,
    broken: Vec<Broken>,
    /// Elements of sets and lists that are not finished.
    bindings: Vec<Binding>,
    items: Vec<NodeId>,
}

fn kind_of(raw: rowan::SyntaxKind) -> SyntaxKind {
    rnix::NixLanguage::kind_from_raw(raw)
}

/// A child with where it begins.
type Child<'g> = (NodeOrToken<&'g GreenNodeData, &'g rowan::GreenTokenData>, u32);

fn children(green: &GreenNodeData, start: u32) -> impl Iterator<Item = Child<'_>> {
    let mut position = start;
    green.children().map(move |child| {
        let begin = position;
        position += match &child {
            NodeOrToken::Node(node) => u32::from(node.text_len()),
            NodeOrToken::Token(token) => u32::from(token.text_len()),
        };
        (child, begin)
    })
}

fn run<T>(start: usize, end: usize) -> Run<T> {
    Run { start: start as u32, length: (end - start) as u32, of: PhantomData }
}

impl Lowering<'_> {
    fn refuse(&mut self, span: Span, message: &str) {
        self.broken.push(Broken { span, message: message.to_owned() });
    }

    /// Comments are kept; tokens that rnix could not read are errors.
    fn token(&mut self, token: &rowan::GreenTokenData, start: u32) {
        let span = Span { start, end: start + u32::from(token.text_len()) };
        match kind_of(token.kind()) {
            SyntaxKind::TOKEN_COMMENT => self.tree.comments.push(span),
            SyntaxKind::TOKEN_ERROR => self.refuse(span, "unexpected text"),
            SyntaxKind::TOKEN_WHITESPACE if !token.text().bytes().all(|byte| b" \t\r\n".contains(&byte)) => {
                self.refuse(span, "white space that Nix does not know (only space, tab and line ends)");
            }
            _ => {}
        }
    }

    fn reserve(&mut self, span: Span, parent: NodeId) -> NodeId {
        let node = NodeId(self.tree.nodes.len() as u32);
        self.tree.nodes.push(NodeData { span, parent, after: node.0 + 1, kind: Kind::Ident });
        node
    }

    fn finish(&mut self, node: NodeId, kind: Kind) -> NodeId {
        let after = self.tree.nodes.len() as u32;
        let data = &mut self.tree.nodes[node.index()];
        data.kind = kind;
        data.after = after;
        node
    }

    /// The first expression among the children; the comments among them too.
    fn first_expression(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Option<NodeId> {
        let mut found = None;
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(node) => {
                    let lowered = self.expression(node, begin, parent);
                    found = found.or(lowered);
                }
            }
        }
        found
    }

    /// All expressions among the children, at most three are looked at.
    fn operands(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> [Option<NodeId>; 3] {
        let mut found = [None; 3];
        let mut count = 0;
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(node) => {
                    if let Some(slot) = found.get_mut(count) {
                        *slot = self.expression(node, begin, parent);
                        count += 1;
                    }
                }
            }
        }
        found
    }

    fn missing(&mut self, span: Span) -> Option<NodeId> {
        self.refuse(span, "an expression is missing");
        None
    }

    fn expression(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Option<NodeId> {
        use SyntaxKind as K;
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let kind = kind_of(green.kind());
        let node = self.reserve(span, parent);
        if matches!(
            kind,
            K::NODE_APPLY
                | K::NODE_BIN_OP
                | K::NODE_UNARY_OP
                | K::NODE_LIST
                | K::NODE_SELECT
                | K::NODE_HAS_ATTR
        ) {
            self.no_bare_function(green, start);
        }
        let lowered = match kind {
            K::NODE_IDENT => Kind::Ident,
            K::NODE_CUR_POS => Kind::CurPos,
            K::NODE_LITERAL => self.literal(green, span),
            K::NODE_PATH_SEARCH => Kind::SearchPath,
            K::NODE_PATH_ABS | K::NODE_PATH_REL | K::NODE_PATH_HOME => {
                let parts = self.interpolations(green, start, node);
                if self.tree.slice(span).ends_with('/') {
                    self.refuse(span, "a path cannot end with a slash");
                }
                Kind::Path { parts }
            }
            K::NODE_STRING => {
                let parts = self.interpolations(green, start, node);
                Kind::Text { indented: self.tree.slice(span).starts_with("''"), parts }
            }
            K::NODE_APPLY => match self.operands(green, start, node) {
                [Some(function), Some(argument), _] => Kind::Apply { function, argument },
                _ => return self.missing(span),
            },
            K::NODE_WITH => match self.operands(green, start, node) {
                [Some(scope), Some(body), _] => Kind::With { scope, body },
                _ => return self.missing(span),
            },
            K::NODE_ASSERT => match self.operands(green, start, node) {
                [Some(condition), Some(body), _] => Kind::Assert { condition, body },
                _ => return self.missing(span),
            },
            K::NODE_IF_ELSE => match self.operands(green, start, node) {
                [Some(condition), Some(then), Some(otherwise)] => Kind::If { condition, then, otherwise },
                _ => return self.missing(span),
            },
            K::NODE_PAREN => {
                self.closes_with(green, span, ")");
                match self.first_expression(green, start, node) {
                    Some(inner) => Kind::Paren { inner },
                    None => return self.missing(span),
                }
            }
            K::NODE_LIST => {
                self.closes_with(green, span, "]");
                self.items(green, start, node)
            }
            K::NODE_BIN_OP => return self.binary(green, start, node),
            K::NODE_UNARY_OP => {
                let negate = self.tree.slice(span).starts_with('-');
                match self.first_expression(green, start, node) {
                    Some(operand) if negate => Kind::Negate { operand },
                    Some(operand) => Kind::Not { operand },
                    None => return self.missing(span),
                }
            }
            K::NODE_SELECT | K::NODE_HAS_ATTR => return self.access(green, start, node),
            K::NODE_LAMBDA => return self.lambda(green, start, node),
            K::NODE_LET_IN | K::NODE_LEGACY_LET | K::NODE_ATTR_SET => return self.set(green, start, node),
            _ => {
                self.refuse(span, "unexpected text");
                return None;
            }
        };
        Some(self.finish(node, lowered))
    }

    /// rnix takes whatever token stands where a bracket should close.
    fn closes_with(&mut self, green: &GreenNodeData, span: Span, bracket: &str) {
        let last = green.children().last();
        let closed = matches!(last, Some(NodeOrToken::Token(token)) if token.text() == bracket);
        if !closed {
            let width = self.tree.slice(span).chars().next_back().map_or(0, char::len_utf8);
            let end = Span { start: span.end - width as u32, end: span.end };
            let message = format!("unexpected `{}`, expected `{bracket}`", self.tree.slice(end));
            self.refuse(end, &message);
        }
    }

    /// rnix takes a function as operand, argument or item; Nix wants parentheses.
    fn no_bare_function(&mut self, green: &GreenNodeData, start: u32) {
        for (child, begin) in children(green, start) {
            if let NodeOrToken::Node(part) = child
                && kind_of(part.kind()) == SyntaxKind::NODE_LAMBDA
            {
                let span = Span { start: begin, end: begin + u32::from(part.text_len()) };
                self.refuse(span, "a function needs parentheses here");
            }
        }
    }

    fn literal(&mut self, green: &GreenNodeData, span: Span) -> Kind {
        let token = green.children().next().and_then(NodeOrToken::into_token);
        match token.map(|token| kind_of(token.kind())) {
            Some(SyntaxKind::TOKEN_FLOAT) => {
                let value: Result<f64, _> = self.tree.slice(span).parse();
                // strtod sets ERANGE for what is too large and too small.
                let in_range = value.is_ok_and(|value| {
                    let zero = self.tree.slice(span).split(['e', 'E']).next().unwrap_or_default();
                    value.is_finite() && (value.is_normal() || zero.bytes().all(|byte| b"0.".contains(&byte)))
                });
                if !in_range {
                    self.refuse(span, "the number is out of range");
                }
                Kind::Float
            }
            Some(SyntaxKind::TOKEN_URI) => Kind::Uri,
            _ => {
                if self.tree.slice(span).parse::<i64>().is_err() {
                    self.refuse(span, "the number is out of range");
                }
                Kind::Integer
            }
        }
    }

    fn interpolations(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Run<NodeId> {
        let base = self.items.len();
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) => {
                    if let Some(inner) = self.first_expression(part, begin, node) {
                        self.items.push(inner);
                    } else {
                        let _ = self.missing(Span { start: begin, end: begin + u32::from(part.text_len()) });
                    }
                }
            }
        }
        self.take_items(base)
    }

    fn items(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Kind {
        let base = self.items.len();
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(item) => {
                    if let Some(item) = self.expression(item, begin, node) {
                        self.items.push(item);
                    }
                }
            }
        }
        Kind::List { items: self.take_items(base) }
    }

    fn take_items(&mut self, base: usize) -> Run<NodeId> {
        let start = self.tree.children.len();
        self.tree.children.extend(self.items.drain(base..));
        run(start, self.tree.children.len())
    }

    fn binary(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
        use SyntaxKind as K;
        let tokens = green.children().filter_map(NodeOrToken::into_token).map(|token| kind_of(token.kind()));
        let operator = tokens.into_iter().find_map(|token| {
            Some(match token {
                K::TOKEN_CONCAT => Operator::Concat,
                K::TOKEN_UPDATE => Operator::Update,
                K::TOKEN_ADD => Operator::Add,
                K::TOKEN_SUB => Operator::Subtract,
                K::TOKEN_MUL => Operator::Multiply,
                K::TOKEN_DIV => Operator::Divide,
                K::TOKEN_AND_AND => Operator::And,
                K::TOKEN_OR_OR => Operator::Or,
                K::TOKEN_IMPLICATION => Operator::Implies,
                K::TOKEN_EQUAL => Operator::Equal,
                K::TOKEN_NOT_EQUAL => Operator::NotEqual,
                K::TOKEN_LESS => Operator::Less,
                K::TOKEN_LESS_OR_EQ => Operator::LessOrEqual,
                K::TOKEN_MORE => Operator::More,
                K::TOKEN_MORE_OR_EQ => Operator::MoreOrEqual,
                K::TOKEN_PIPE_LEFT => Operator::PipeLeft,
                K::TOKEN_PIPE_RIGHT => Operator::PipeRight,
                _ => return None,
            })
        });
        let operands = self.operands(green, start, node);
        match (operator, operands) {
            (Some(operator), [Some(left), Some(right), _]) => {
                Some(self.finish(node, Kind::Binary { operator, left, right }))
            }
            _ => self.missing(Span { start, end: start + u32::from(green.text_len()) }),
        }
    }

    fn access(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
        let has_attr = kind_of(green.kind()) == SyntaxKind::NODE_HAS_ATTR;
        let (mut base, mut path, mut default) = (None, None, None);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) if kind_of(part.kind()) == SyntaxKind::NODE_ATTRPATH => {
                    path = Some(self.attr_path(part, begin, node));
                }
                NodeOrToken::Node(part) if base.is_none() => base = self.expression(part, begin, node),
                NodeOrToken::Node(part) => default = self.expression(part, begin, node),
            }
        }
        match (base, path) {
            (Some(base), Some(path)) if has_attr => Some(self.finish(node, Kind::HasAttr { base, path })),
            (Some(base), Some(path)) => Some(self.finish(node, Kind::Select { base, path, default })),
            _ => self.missing(Span { start, end: start + u32::from(green.text_len()) }),
        }
    }

    fn attr_path(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Run<Attr> {
        let mut attrs = Vec::with_capacity(4);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) => attrs.extend(self.attr(part, begin, parent)),
            }
        }
        let first = self.tree.attrs.len();
        self.tree.attrs.extend(attrs);
        run(first, self.tree.attrs.len())
    }

    fn attr(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Option<Attr> {
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let name = match kind_of(green.kind()) {
            SyntaxKind::NODE_IDENT => AttrName::Fixed(span),
            SyntaxKind::NODE_STRING => self.quoted(green, start, parent)?,
            SyntaxKind::NODE_DYNAMIC => {
                let inner = self.first_expression(green, start, parent);
                let Some(inner) = inner else {
                    self.refuse(span, "an expression is missing");
                    return None;
                };
                // `${"a"}` is `"a"` for Nix.
                match self.tree.kind(self.tree.bare(inner)) {
                    Kind::Text { indented: false, parts } if parts.len() == 0 => {
                        let inner = self.tree.span(self.tree.bare(inner));
                        AttrName::Fixed(Span { start: inner.start + 1, end: inner.end - 1 })
                    }
                    _ => AttrName::Dynamic(inner),
                }
            }
            _ => {
                self.refuse(span, "unexpected text");
                return None;
            }
        };
        Some(Attr { span, name })
    }

    fn quoted(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Option<AttrName> {
        let span = Span { start, end: start + u32::from(green.text_len()) };
        if self.tree.slice(span).starts_with("''") {
            self.refuse(span, "a name cannot be an indented string");
            return None;
        }
        let dynamic = green.children().any(|child| matches!(child, NodeOrToken::Node(_)));
        if !dynamic {
            children(green, start).for_each(|(child, begin)| {
                if let NodeOrToken::Token(token) = child {
                    self.token(token, begin);
                }
            });
            return Some(AttrName::Fixed(Span { start: start + 1, end: span.end - 1 }));
        }
        self.expression(green, start, parent).map(AttrName::Dynamic)
    }

    fn lambda(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let (mut parameter, mut body) = (None, None);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) => match kind_of(part.kind()) {
                    SyntaxKind::NODE_IDENT_PARAM => {
                        let end = begin + u32::from(part.text_len());
                        parameter = Some(Parameter::Name(Span { start: begin, end }));
                    }
                    SyntaxKind::NODE_PATTERN => parameter = Some(self.pattern(part, begin, node)),
                    _ => body = self.expression(part, begin, node),
                },
            }
        }
        let (Some(parameter), Some(body)) = (parameter, body) else { return self.missing(span) };
        let index = self.tree.parameters.len() as u32;
        self.tree.parameters.push(parameter);
        Some(self.finish(node, Kind::Lambda { parameter: index, body }))
    }

    fn pattern(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Parameter {
        let mut formals: Vec<Formal> = Vec::new();
        let (mut ellipsis, mut whole) = (false, None);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => {
                    ellipsis |= kind_of(token.kind()) == SyntaxKind::TOKEN_ELLIPSIS;
                    self.token(token, begin);
                }
                NodeOrToken::Node(part) if kind_of(part.kind()) == SyntaxKind::NODE_PAT_ENTRY => {
                    let (mut name, mut default) = (None, None);
                    for (child, begin) in children(part, begin) {
                        match child {
                            NodeOrToken::Token(token) => self.token(token, begin),
                            NodeOrToken::Node(part) if name.is_none() => {
                                let end = begin + u32::from(part.text_len());
                                name = Some(Span { start: begin, end });
                            }
                            NodeOrToken::Node(part) => default = self.expression(part, begin, node),
                        }
                    }
                    formals.extend(name.map(|name| Formal { name, default }));
                }
                NodeOrToken::Node(part) => {
                    // `name @` or `@ name`.
                    for (child, begin) in children(part, begin) {
                        match child {
                            NodeOrToken::Token(token) => self.token(token, begin),
                            NodeOrToken::Node(name) => {
                                let end = begin + u32::from(name.text_len());
                                whole = Some(Span { start: begin, end });
                            }
                        }
                    }
                }
            }
        }
        let first = self.tree.formals.len();
        self.tree.formals.extend(formals);
        let span = Span { start, end: start + u32::from(green.text_len()) };
        Parameter::Pattern { formals: run(first, self.tree.formals.len()), ellipsis, whole, span }
    }

    fn set(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
        use SyntaxKind as K;
        let kind = kind_of(green.kind());
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let base = self.bindings.len();
        let (mut recursive, mut body) = (false, None);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => {
                    recursive |= kind_of(token.kind()) == K::TOKEN_REC;
                    self.token(token, begin);
                }
                NodeOrToken::Node(part) => match kind_of(part.kind()) {
                    K::NODE_ATTRPATH_VALUE => self.value_binding(part, begin, node),
                    K::NODE_INHERIT => self.inherit_binding(part, begin, node),
                    _ => body = self.expression(part, begin, node),
                },
            }
        }
        let first = self.tree.bindings.len();
        self.tree.bindings.extend(self.bindings.drain(base..));
        let bindings = run(first, self.tree.bindings.len());
        let lowered = match (kind, body) {
            (K::NODE_LET_IN, Some(body)) => Kind::Let { bindings, body },
            (K::NODE_LET_IN, None) => return self.missing(span),
            (K::NODE_LEGACY_LET, _) => Kind::LegacyLet { bindings },
            _ => Kind::Set { recursive, bindings },
        };
        if kind == K::NODE_LET_IN {
            self.refuse_dynamic(bindings);
        }
        Some(self.finish(node, lowered))
    }

    fn refuse_dynamic(&mut self, bindings: Run<Binding>) {
        for index in bindings.range() {
            if let BindingKind::Value { path, .. } = self.tree.bindings[index].kind
                && let Some(Attr { span, name: AttrName::Dynamic(_) }) = self.tree.attrs(path).first().copied()
            {
                self.refuse(span, "a name in `let` cannot be worked out at run time");
            }
        }
    }

    fn value_binding(&mut self, green: &GreenNodeData, start: u32, node: NodeId) {
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let (mut path, mut value) = (None, None);
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) if kind_of(part.kind()) == SyntaxKind::NODE_ATTRPATH => {
                    path = Some(self.attr_path(part, begin, node));
                }
                NodeOrToken::Node(part) => value = self.expression(part, begin, node),
            }
        }
        match (path, value) {
            (Some(path), Some(value)) => {
                self.bindings.push(Binding { span, kind: BindingKind::Value { path, value } });
            }
            _ => {
                let _ = self.missing(span);
            }
        }
    }

    fn inherit_binding(&mut self, green: &GreenNodeData, start: u32, node: NodeId) {
        let span = Span { start, end: start + u32::from(green.text_len()) };
        let mut from = None;
        let mut attrs = Vec::new();
        for (child, begin) in children(green, start) {
            match child {
                NodeOrToken::Token(token) => self.token(token, begin),
                NodeOrToken::Node(part) if kind_of(part.kind()) == SyntaxKind::NODE_INHERIT_FROM => {
                    self.closes_with(part, Span { start: begin, end: begin + u32::from(part.text_len()) }, ")");
                    from = self.first_expression(part, begin, node);
                }
                NodeOrToken::Node(part) => attrs.extend(self.attr(part, begin, node)),
            }
        }
        for attr in &attrs {
            if matches!(attr.name, AttrName::Dynamic(_)) {
                self.refuse(attr.span, "a name in `inherit` cannot be worked out at run time");
            }
        }
        let first = self.tree.attrs.len();
        self.tree.attrs.extend(attrs);
        let names = run(first, self.tree.attrs.len());
        self.bindings.push(Binding { span, kind: BindingKind::Inherit { from, names } });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
