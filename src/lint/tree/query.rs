//! Questions about a [`Tree`].

use super::{Attr, AttrName, Binding, BindingKind, Formal, Kind, NodeId, Operator, Parameter, Run, Span, Tree};

/// A piece of a string: text as it is written, or an interpolated expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Text(&'t str),
    Interpolated(NodeId),
}

impl<'t> Tree<'t> {
    /// The expression of the file.
    pub(crate) fn root(&self) -> NodeId {
        NodeId(0)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn kind(&self, node: NodeId) -> Kind {
        self.nodes[node.index()].kind
    }

    pub(crate) fn span(&self, node: NodeId) -> Span {
        self.nodes[node.index()].span
    }

    /// The node above; `None` for the root.
    pub(crate) fn parent(&self, node: NodeId) -> Option<NodeId> {
        (node.0 != 0).then(|| self.nodes[node.index()].parent)
    }

    /// The node and those above it, inside out.
    pub(crate) fn upwards(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(node), |node| self.parent(*node))
    }

    /// The node and all below it.
    pub(crate) fn below(&self, node: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        (node.0..self.nodes[node.index()].after).map(NodeId)
    }

    pub(crate) fn slice(&self, span: Span) -> &'t str {
        &self.text[span.range()]
    }

    /// The text of a node as it is written.
    pub(crate) fn source(&self, node: NodeId) -> &'t str {
        self.slice(self.span(node))
    }

    pub(crate) fn bindings(&self, run: Run<Binding>) -> &[Binding] {
        &self.bindings[run.range()]
    }

    /// The binding with this index in the whole tree.
    pub(crate) fn binding(&self, index: usize) -> &Binding {
        &self.bindings[index]
    }

    /// Every binding of the file.
    pub(crate) fn all_bindings(&self) -> &[Binding] {
        &self.bindings
    }

    pub(crate) fn attrs(&self, run: Run<Attr>) -> &[Attr] {
        &self.attrs[run.range()]
    }

    pub(crate) fn list(&self, run: Run<NodeId>) -> &[NodeId] {
        &self.children[run.range()]
    }

    pub(crate) fn formals(&self, run: Run<Formal>) -> &[Formal] {
        &self.formals[run.range()]
    }

    pub(crate) fn parameter(&self, index: u32) -> Parameter {
        self.parameters[index as usize]
    }

    /// The name of an attribute that is known without evaluation. Escapes in a
    /// quoted name are left as they are.
    pub(crate) fn name(&self, attr: &Attr) -> Option<&'t str> {
        match attr.name {
            AttrName::Fixed(span) => Some(self.slice(span)),
            AttrName::Dynamic(_) => None,
        }
    }

    /// The name, when the path is one that is known.
    pub(crate) fn single_name(&self, path: Run<Attr>) -> Option<&'t str> {
        match self.attrs(path) {
            [attr] => self.name(attr),
            _ => None,
        }
    }

    /// The last name of a path.
    pub(crate) fn last_name(&self, path: Run<Attr>) -> Option<&'t str> {
        self.attrs(path).last().and_then(|attr| self.name(attr))
    }

    /// Where a path stands.
    pub(crate) fn path_span(&self, path: Run<Attr>) -> Span {
        let attrs = self.attrs(path);
        match (attrs.first(), attrs.last()) {
            (Some(first), Some(last)) => Span { start: first.span.start, end: last.span.end },
            _ => Span { start: 0, end: 0 },
        }
    }

    /// The name of a plain identifier.
    pub(crate) fn ident(&self, node: NodeId) -> Option<&'t str> {
        matches!(self.kind(node), Kind::Ident).then(|| self.source(node))
    }

    /// Without parentheses around it.
    pub(crate) fn bare(&self, mut node: NodeId) -> NodeId {
        while let Kind::Paren { inner } = self.kind(node) {
            node = inner;
        }
        node
    }

    /// What a function is called: `lib.mkIf` and `mkIf` are both `mkIf`.
    pub(crate) fn called(&self, node: NodeId) -> Option<&'t str> {
        let node = self.bare(node);
        match self.kind(node) {
            Kind::Ident => Some(self.source(node)),
            Kind::Select { path, default: None, .. } => self.last_name(path),
            _ => None,
        }
    }

    /// The function at the head of an application and its arguments, outermost
    /// application first asked. At most four arguments are looked at.
    pub(crate) fn application(&self, node: NodeId) -> Option<(NodeId, Vec<NodeId>)> {
        let mut node = self.bare(node);
        let mut arguments = Vec::new();
        while let Kind::Apply { function, argument } = self.kind(node) {
            if arguments.len() == 4 {
                return None;
            }
            arguments.push(argument);
            node = self.bare(function);
        }
        arguments.reverse();
        (!arguments.is_empty()).then_some((node, arguments))
    }

    /// The arguments, when `node` applies a function of this name to exactly
    /// this many.
    pub(crate) fn call<const N: usize>(&self, node: NodeId, name: &str) -> Option<[NodeId; N]> {
        let mut node = self.bare(node);
        let mut arguments = [node; N];
        for slot in arguments.iter_mut().rev() {
            let Kind::Apply { function, argument } = self.kind(node) else { return None };
            *slot = argument;
            node = self.bare(function);
        }
        (self.called(node) == Some(name)).then_some(arguments)
    }

    /// The text of a string without interpolation, as it is written between the
    /// quotes. Indentation and escapes are left as they are.
    pub(crate) fn plain_text(&self, node: NodeId) -> Option<&'t str> {
        match self.kind(node) {
            Kind::Text { indented, parts } if parts.len() == 0 => Some(self.inside(node, indented)),
            _ => None,
        }
    }

    fn inside(&self, node: NodeId, indented: bool) -> &'t str {
        let quote = if indented { 2 } else { 1 };
        let source = self.source(node);
        source.get(quote..source.len().saturating_sub(quote)).unwrap_or_default()
    }

    /// The pieces of a string; empty for other nodes.
    pub(crate) fn text_parts(&self, node: NodeId) -> Vec<Part<'t>> {
        let Kind::Text { indented, parts } = self.kind(node) else { return Vec::new() };
        let quote = if indented { 2 } else { 1 };
        let span = self.span(node);
        let mut position = span.start + quote;
        let mut pieces = Vec::new();
        for part in self.list(parts) {
            let inner = self.span(*part);
            let opening = self.text[position as usize..inner.start as usize].rfind("${");
            let start = position + opening.unwrap_or_default() as u32;
            if start > position {
                pieces.push(Part::Text(self.slice(Span { start: position, end: start })));
            }
            pieces.push(Part::Interpolated(*part));
            position = self.closing_brace(inner.end, span.end);
        }
        let end = span.end.saturating_sub(quote).max(position);
        if end > position {
            pieces.push(Part::Text(self.slice(Span { start: position, end })));
        }
        pieces
    }

    /// After the `}` that ends an interpolation; comments before it are skipped.
    fn closing_brace(&self, from: u32, end: u32) -> u32 {
        let mut position = from;
        while position < end {
            if self.text.as_bytes()[position as usize] == b'}' {
                return position + 1;
            }
            let comment = self.comments.partition_point(|comment| comment.start < position);
            match self.comments.get(comment) {
                Some(comment) if comment.start == position => position = comment.end,
                _ => position += 1,
            }
        }
        end
    }

    /// `true` or `false`, written so.
    pub(crate) fn boolean(&self, node: NodeId) -> Option<bool> {
        match self.ident(self.bare(node))? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The names of `a.b.c` from the first identifier on; empty for others.
    pub(crate) fn dotted(&self, node: NodeId) -> Vec<&'t str> {
        let node = self.bare(node);
        match self.kind(node) {
            Kind::Ident => vec![self.source(node)],
            Kind::Select { base, path, .. } => {
                let mut names = self.dotted(base);
                if !names.is_empty() {
                    names.extend(self.attrs(path).iter().map(|attr| self.name(attr).unwrap_or("*")));
                }
                names
            }
            _ => Vec::new(),
        }
    }

    /// The binding that a node is the value of; parentheses do not count.
    pub(crate) fn binding_of(&self, node: NodeId) -> Option<&Binding> {
        let mut node = node;
        let mut parent = self.parent(node)?;
        while let Kind::Paren { .. } = self.kind(parent) {
            node = parent;
            parent = self.parent(node)?;
        }
        let run = match self.kind(parent) {
            Kind::Set { bindings, .. } | Kind::Let { bindings, .. } | Kind::LegacyLet { bindings } => bindings,
            _ => return None,
        };
        let bindings = self.bindings(run);
        // In source order, so the one that reaches past the node's start.
        let start = self.span(node).start;
        let index = bindings.partition_point(|binding| binding.span.end <= start);
        bindings
            .get(index)
            .filter(|binding| matches!(binding.kind, BindingKind::Value { value, .. } if value == node))
    }

    /// The last name of the path that a node is the value of.
    pub(crate) fn bound_name(&self, node: NodeId) -> Option<&'t str> {
        match self.binding_of(node)?.kind {
            BindingKind::Value { path, .. } => self.last_name(path),
            BindingKind::Inherit { .. } => None,
        }
    }

    /// The parts of a list that is written as such or joined with `++`.
    pub(crate) fn items(&self, node: NodeId) -> Vec<NodeId> {
        let mut items = Vec::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let node = self.bare(node);
            match self.kind(node) {
                Kind::List { items: run } => items.extend_from_slice(self.list(run)),
                Kind::Binary { operator: Operator::Concat, left, right } => open.extend([right, left]),
                Kind::Let { body, .. } | Kind::With { body, .. } | Kind::Assert { body, .. } => open.push(body),
                Kind::If { then, otherwise, .. } => open.extend([otherwise, then]),
                Kind::Apply { argument, .. } => {
                    let conditional = ["mkIf", "optionals", "mkForce", "mkDefault", "mkBefore", "mkAfter"];
                    let name = self.application(node).and_then(|(head, _)| self.called(head));
                    if name.is_some_and(|name| conditional.contains(&name) || name == "mkMerge") {
                        open.push(argument);
                    }
                }
                _ => {}
            }
        }
        items
    }

    /// The names of all bindings around a node, outermost first, its own last.
    pub(crate) fn path_of(&self, node: NodeId) -> Vec<&'t str> {
        let mut names = Vec::new();
        for node in self.upwards(node) {
            // One in parentheses and the parentheses have the same binding.
            let inner = self.parent(node).is_some_and(|parent| matches!(self.kind(parent), Kind::Paren { .. }));
            if let Some(Binding { kind: BindingKind::Value { path, .. }, .. }) = self.binding_of(node)
                && !inner
            {
                names.extend(self.attrs(*path).iter().rev().map(|attr| self.name(attr).unwrap_or("*")));
            }
        }
        names.reverse();
        names
    }

    /// Where a token stands between two bytes, comments and what is in strings
    /// left out. Only for stretches that hold no expression.
    pub(crate) fn token_between(&self, from: u32, to: u32, token: &str) -> Option<Span> {
        let mut position = from;
        while position < to {
            let comment = self.comments.partition_point(|comment| comment.start < position);
            if let Some(comment) = self.comments.get(comment).filter(|comment| comment.start == position) {
                position = comment.end;
                continue;
            }
            let rest = self.text.get(position as usize..to as usize)?;
            if rest.starts_with(token) {
                return Some(Span { start: position, end: position + token.len() as u32 });
            }
            position += rest.chars().next().map_or(1, |next| next.len_utf8() as u32);
        }
        None
    }

    /// Whether a comment stands in a stretch of text.
    pub(crate) fn has_comment(&self, span: Span) -> bool {
        let first = self.comments.partition_point(|comment| comment.start < span.start);
        self.comments.get(first).is_some_and(|comment| comment.start < span.end)
    }
}
