//! Lowers what binds names: sets, `let`, functions, attribute paths.

use rnix::SyntaxKind;
use rowan::{GreenNodeData, NodeOrToken};

use super::lower::{Lowering, children, kind_of, run};
use super::{Attr, AttrName, Binding, BindingKind, Formal, Kind, NodeId, Parameter, Run, Span};

impl Lowering<'_> {
    pub(super) fn attr_path(&mut self, green: &GreenNodeData, start: u32, parent: NodeId) -> Run<Attr> {
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

    pub(super) fn lambda(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
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

    pub(super) fn set(&mut self, green: &GreenNodeData, start: u32, node: NodeId) -> Option<NodeId> {
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
