//! Attributes and arguments that are defined twice.
//!
//! Follows current Nix: `a.b = 1; a.c = 2;` and `a = { b = 1; }; a.c = 2;` are
//! one set, merged through all levels; anything else that names the same
//! attribute again is refused. Nix 2.8 refuses a little more.

use super::names::NameMap;
use super::tree::{Attr, Binding, BindingKind, Kind, NodeId, Parameter, Run, Span, Tree};

/// Something defined twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    /// The second definition.
    pub(crate) span: Span,
    /// The first.
    pub(crate) first: Span,
    /// What is defined, as a path.
    pub(crate) name: String,
    /// Whether it is an argument of a function.
    pub(crate) argument: bool,
}

/// What an attribute of a set is so far.
enum Entry<'t> {
    /// Cannot be added to.
    Closed(Span),
    /// A set literal whose names were not needed yet.
    Literal(Span, Run<Binding>),
    /// A set with its names.
    Open(Span, Box<Level<'t>>),
}

impl Entry<'_> {
    fn span(&self) -> Span {
        match self {
            Self::Closed(span) | Self::Literal(span, _) | Self::Open(span, _) => *span,
        }
    }
}

#[derive(Default)]
struct Level<'t> {
    entries: NameMap<'t, Entry<'t>>,
}

/// Every duplicate of a tree, in source order.
pub(crate) fn duplicates(tree: &Tree<'_>) -> Vec<Duplicate> {
    let mut pass = Pass { tree, found: Vec::new() };
    for node in tree.nodes() {
        match tree.kind(node) {
            Kind::Set { bindings, .. } | Kind::Let { bindings, .. } | Kind::LegacyLet { bindings }
                if bindings.len() > 1 || pass.inherits(bindings) =>
            {
                pass.add_all(&mut Level::default(), bindings);
            }
            Kind::Lambda { parameter, .. } => pass.arguments(tree.parameter(parameter)),
            _ => {}
        }
    }
    pass.found.sort_by_key(|duplicate| duplicate.span);
    pass.found.dedup();
    pass.found
}

struct Pass<'a, 't> {
    tree: &'a Tree<'t>,
    found: Vec<Duplicate>,
}

impl<'t> Pass<'_, 't> {
    fn inherits(&self, bindings: Run<Binding>) -> bool {
        self.tree.bindings(bindings).iter().any(|binding| matches!(binding.kind, BindingKind::Inherit { .. }))
    }

    fn arguments(&mut self, parameter: Parameter) {
        let Parameter::Pattern { formals, whole, .. } = parameter else { return };
        let mut known: NameMap<'_, Span> = NameMap::default();
        let names = self.tree.formals(formals).iter().map(|formal| formal.name).chain(whole);
        for name in names {
            let text = self.tree.slice(name);
            if let Some(first) = known.insert(text, name) {
                let (first, span) = if first.start < name.start { (first, name) } else { (name, first) };
                self.found.push(Duplicate { span, first, name: text.to_owned(), argument: true });
            }
        }
    }

    fn add_all(&mut self, level: &mut Level<'t>, bindings: Run<Binding>) {
        let tree = self.tree;
        for binding in tree.bindings(bindings) {
            match binding.kind {
                BindingKind::Value { path, value } => self.add(level, tree.attrs(path), value),
                BindingKind::Inherit { names, .. } => {
                    for attr in tree.attrs(names) {
                        let Some(name) = tree.name(attr) else { continue };
                        match level.entries.get(name) {
                            Some(entry) => {
                                let first = entry.span();
                                self.report(first, attr.span, name.to_owned());
                            }
                            None => {
                                level.entries.insert(name, Entry::Closed(attr.span));
                            }
                        }
                    }
                }
            }
        }
    }

    fn report(&mut self, first: Span, span: Span, name: String) {
        self.found.push(Duplicate { span, first, name, argument: false });
    }

    fn set_of(&self, value: NodeId) -> Option<Run<Binding>> {
        match self.tree.kind(self.tree.bare(value)) {
            Kind::Set { bindings, .. } => Some(bindings),
            _ => None,
        }
    }

    fn add(&mut self, level: &mut Level<'t>, path: &[Attr], value: NodeId) {
        let tree = self.tree;
        let mut level = level;
        for (index, attr) in path.iter().enumerate() {
            // What is below a name worked out at run time is a set of its own.
            let Some(name) = tree.name(attr) else { return };
            let span = Span { start: path[0].span.start, end: attr.span.end };
            let last = index + 1 == path.len();
            let shown = || {
                let names = path[index.saturating_sub(7)..=index]
                    .iter()
                    .map(|attr| tree.name(attr).unwrap_or_default());
                names.collect::<Vec<_>>().join(".")
            };
            if !level.entries.contains_key(name) {
                let entry = match (last, self.set_of(value)) {
                    (true, Some(bindings)) => Entry::Literal(span, bindings),
                    (true, None) => Entry::Closed(span),
                    (false, _) => Entry::Open(span, Box::default()),
                };
                level.entries.insert(name, entry);
                if last {
                    return;
                }
            } else if last && self.set_of(value).is_none() {
                let first = level.entries.get(name).map_or(span, Entry::span);
                return self.report(first, span, shown());
            }
            let Some(entry) = level.entries.get_mut(name) else { return };
            if let Entry::Literal(first, bindings) = *entry {
                let mut inner = Box::<Level<'t>>::default();
                // Its own duplicates are found when it is looked at itself.
                let known = self.found.len();
                self.add_all(&mut inner, bindings);
                self.found.truncate(known);
                *entry = Entry::Open(first, inner);
            }
            match entry {
                Entry::Open(_, inner) if last => {
                    if let Some(bindings) = self.set_of(value) {
                        self.add_all(inner, bindings);
                    }
                    return;
                }
                Entry::Open(_, inner) => level = inner,
                other => {
                    let first = other.span();
                    return self.report(first, span, shown());
                }
            }
        }
    }
}
