//! rnix' green tree to [`Tree`], and what rnix lets pass though Nix does not:
//! brackets closed by another kind, numbers out of range, dynamic names where
//! none may be.

use std::marker::PhantomData;

use rnix::SyntaxKind;
use rowan::{GreenNodeData, Language, NodeOrToken};

use super::broken::{MOST, as_nix_reads_it, describe};
use super::{Binding, Broken, Kind, NodeData, NodeId, Operator, Run, Span, Tree};

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

/// The tree that is being made.
pub(super) struct Lowering<'t> {
    pub(super) tree: Tree<'t>,
    broken: Vec<Broken>,
    /// Elements of sets and lists that are not finished.
    pub(super) bindings: Vec<Binding>,
    items: Vec<NodeId>,
}

pub(super) fn kind_of(raw: rowan::SyntaxKind) -> SyntaxKind {
    rnix::NixLanguage::kind_from_raw(raw)
}

/// A child with where it begins.
pub(super) type Child<'g> = (NodeOrToken<&'g GreenNodeData, &'g rowan::GreenTokenData>, u32);

pub(super) fn children(green: &GreenNodeData, start: u32) -> impl Iterator<Item = Child<'_>> {
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

pub(super) fn run<T>(start: usize, end: usize) -> Run<T> {
    Run { start: start as u32, length: (end - start) as u32, of: PhantomData }
}

impl Lowering<'_> {
    pub(super) fn refuse(&mut self, span: Span, message: &str) {
        self.broken.push(Broken { span, message: message.to_owned() });
    }

    /// Comments are kept; tokens that rnix could not read are errors.
    pub(super) fn token(&mut self, token: &rowan::GreenTokenData, start: u32) {
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

    pub(super) fn finish(&mut self, node: NodeId, kind: Kind) -> NodeId {
        let after = self.tree.nodes.len() as u32;
        let data = &mut self.tree.nodes[node.index()];
        data.kind = kind;
        data.after = after;
        node
    }

    /// The first expression among the children; the comments among them too.
    pub(super) fn first_expression(
        &mut self,
        green: &GreenNodeData,
        start: u32,
        parent: NodeId,
    ) -> Option<NodeId> {
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

    pub(super) fn missing(&mut self, span: Span) -> Option<NodeId> {
        self.refuse(span, "an expression is missing");
        None
    }

    pub(super) fn expression(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Option<NodeId> {
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
    pub(super) fn closes_with(&mut self, green: &GreenNodeData, span: Span, bracket: &str) {
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
}
