//! Which name means what: every definition of a file, how often it is used, and
//! names that nothing defines.
//!
//! Follows Nix' static scoping: `let`, `rec`, arguments and patterns bind;
//! anything under a `with` may come from it, so nothing is undefined there.

use super::names::NameMap;
use super::tree::{AttrName, Binding, BindingKind, Kind, NodeId, Parameter, Run, Span, Tree};

/// Where a definition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefinedBy {
    /// A binding of `let`, by its index in the tree.
    Let(usize),
    /// A name of `rec { … }` or the old `let { … }`.
    Recursive,
    /// `x` of `x: …`.
    Argument,
    /// `x` of `{ x, … }: …`.
    Formal,
    /// `x` of `x@{ … }: …`.
    Whole,
}

/// A name that is bound somewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Span,
    pub(crate) by: DefinedBy,
    /// The `let`, set or function that binds it.
    pub(crate) owner: NodeId,
    /// How often it is used.
    pub(crate) uses: u32,
}

/// The names of a file.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    pub(crate) definitions: Vec<Definition>,
    /// Recursive sets that a later binding of the same name continues.
    pub(crate) continued: Vec<NodeId>,
    /// Names that nothing defines.
    pub(crate) undefined: Vec<Span>,
    /// For each node that is a name: its definition.
    resolved: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Scopes {
    /// What a name refers to; `None` for global names and those from `with`.
    pub(crate) fn definition(&self, node: NodeId) -> Option<&Definition> {
        self.definition_index(node).map(|index| &self.definitions[index])
    }

    /// The index of what a name refers to.
    pub(crate) fn definition_index(&self, node: NodeId) -> Option<usize> {
        self.resolved.get(node.index()).copied().filter(|index| *index != NONE).map(|index| index as usize)
    }
}

/// Names that Nix 2.3 to 2.34 and Lix define everywhere.
const GLOBAL: &[&str] = &[
    "abort",
    "baseNameOf",
    "break",
    "builtins",
    "derivation",
    "derivationStrict",
    "dirOf",
    "false",
    "fetchGit",
    "fetchMercurial",
    "fetchTarball",
    "fetchTree",
    "fromTOML",
    "import",
    "isNull",
    "map",
    "null",
    "placeholder",
    "removeAttrs",
    "scopedImport",
    "throw",
    "toString",
    "true",
];

/// Primitive operations, each also known as `__NAME` everywhere.
const PRIMITIVE: &[&str] = &[
    "add",
    "addDrvOutputDependencies",
    "addErrorContext",
    "all",
    "any",
    "appendContext",
    "attrNames",
    "attrValues",
    "bitAnd",
    "bitOr",
    "bitXor",
    "catAttrs",
    "ceil",
    "compareVersions",
    "concatLists",
    "concatMap",
    "concatStringsSep",
    "convertHash",
    "currentSystem",
    "currentTime",
    "deepSeq",
    "div",
    "elem",
    "elemAt",
    "exec",
    "fetchClosure",
    "fetchFinalTree",
    "fetchurl",
    "filter",
    "filterAttrs",
    "filterSource",
    "findFile",
    "flakeRefToString",
    "floor",
    "foldl'",
    "fromJSON",
    "functionArgs",
    "genList",
    "genericClosure",
    "getAttr",
    "getContext",
    "getEnv",
    "getFlake",
    "groupBy",
    "hasAttr",
    "hasContext",
    "hashFile",
    "hashString",
    "head",
    "importNative",
    "intersectAttrs",
    "isAttrs",
    "isBool",
    "isFloat",
    "isFunction",
    "isInt",
    "isList",
    "isPath",
    "isString",
    "langVersion",
    "length",
    "lessThan",
    "listToAttrs",
    "mapAttrs",
    "match",
    "mul",
    "nixPath",
    "nixVersion",
    "outputOf",
    "parseDrvName",
    "parseFlakeRef",
    "partition",
    "path",
    "pathExists",
    "readDir",
    "readFile",
    "readFileType",
    "replaceStrings",
    "seq",
    "sort",
    "split",
    "splitVersion",
    "storeDir",
    "storePath",
    "stringLength",
    "sub",
    "substring",
    "tail",
    "toFile",
    "toJSON",
    "toPath",
    "toXML",
    "trace",
    "traceVerbose",
    "tryEval",
    "typeOf",
    "unsafeDiscardOutputDependency",
    "unsafeDiscardStringContext",
    "unsafeGetAttrPos",
    "valueSize",
    "warn",
    "wasm",
    "zipAttrsWith",
];

/// Whether Nix itself defines a name.
pub(crate) fn is_builtin(name: &str) -> bool {
    GLOBAL.binary_search(&name).is_ok()
        || name.strip_prefix("__").is_some_and(|name| PRIMITIVE.binary_search(&name).is_ok())
}

/// Resolves the names of a tree.
pub(crate) fn resolve(tree: &Tree<'_>) -> Scopes {
    let mut pass = Pass {
        tree,
        visible: NameMap::default(),
        scopes: Scopes { resolved: vec![NONE; tree.len()], ..Scopes::default() },
        withs: 0,
    };
    pass.expression(tree.root());
    pass.scopes
}

struct Pass<'a, 't> {
    tree: &'a Tree<'t>,
    /// The definitions of a name that are in force, innermost last.
    visible: NameMap<'t, Vec<u32>>,
    scopes: Scopes,
    withs: usize,
}

impl<'t> Pass<'_, 't> {
    fn define(&mut self, name: Span, by: DefinedBy, owner: NodeId) {
        let index = self.scopes.definitions.len() as u32;
        self.scopes.definitions.push(Definition { name, by, owner, uses: 0 });
        self.visible.entry(self.tree.slice(name)).or_default().push(index);
    }

    /// Takes back the definitions from `first` on.
    fn forget(&mut self, from: usize, to: usize) {
        for index in from..to {
            let name = self.scopes.definitions[index].name;
            if let Some(stack) = self.visible.get_mut(self.tree.slice(name)) {
                stack.pop();
            }
        }
    }

    fn lookup(&mut self, name: Span, node: Option<NodeId>) {
        let text = self.tree.slice(name);
        if let Some(index) = self.visible.get(text).and_then(|stack| stack.last().copied()) {
            self.scopes.definitions[index as usize].uses += 1;
            if let Some(node) = node {
                self.scopes.resolved[node.index()] = index;
            }
        } else if self.withs == 0 && !is_builtin(text) {
            self.scopes.undefined.push(name);
        }
    }

    fn expression(&mut self, node: NodeId) {
        let tree = self.tree;
        match tree.kind(node) {
            Kind::Ident => self.lookup(tree.span(node), Some(node)),
            Kind::Integer | Kind::Float | Kind::Uri | Kind::SearchPath | Kind::CurPos => {}
            Kind::Path { parts } | Kind::Text { parts, .. } | Kind::List { items: parts } => {
                for part in tree.list(parts) {
                    self.expression(*part);
                }
            }
            Kind::Apply { function: first, argument: second }
            | Kind::Assert { condition: first, body: second }
            | Kind::Binary { left: first, right: second, .. } => {
                self.expression(first);
                self.expression(second);
            }
            Kind::With { scope, body } => {
                self.expression(scope);
                self.withs += 1;
                self.expression(body);
                self.withs -= 1;
            }
            Kind::If { condition, then, otherwise } => {
                self.expression(condition);
                self.expression(then);
                self.expression(otherwise);
            }
            Kind::Not { operand: inner } | Kind::Negate { operand: inner } | Kind::Paren { inner } => {
                self.expression(inner);
            }
            Kind::Select { base, path, default } => {
                self.expression(base);
                self.dynamic_names(path);
                if let Some(default) = default {
                    self.expression(default);
                }
            }
            Kind::HasAttr { base, path } => {
                self.expression(base);
                self.dynamic_names(path);
            }
            Kind::Lambda { parameter, body } => self.lambda(node, parameter, body),
            Kind::Let { bindings, body } => {
                let from = self.scopes.definitions.len();
                self.define_all(bindings, node, true);
                let to = self.scopes.definitions.len();
                self.values(bindings, Some((from, to)));
                self.expression(body);
                self.forget(from, to);
            }
            Kind::LegacyLet { bindings } | Kind::Set { recursive: true, bindings } => {
                let from = self.scopes.definitions.len();
                self.define_all(bindings, node, false);
                let to = self.scopes.definitions.len();
                self.values(bindings, Some((from, to)));
                self.forget(from, to);
            }
            Kind::Set { recursive: false, bindings } => self.values(bindings, None),
        }
    }

    fn dynamic_names(&mut self, path: Run<super::tree::Attr>) {
        for attr in self.tree.attrs(path) {
            if let AttrName::Dynamic(name) = attr.name {
                self.expression(name);
            }
        }
    }

    fn lambda(&mut self, node: NodeId, parameter: u32, body: NodeId) {
        let from = self.scopes.definitions.len();
        match self.tree.parameter(parameter) {
            Parameter::Name(name) => self.define(name, DefinedBy::Argument, node),
            Parameter::Pattern { formals, whole, .. } => {
                if let Some(whole) = whole {
                    self.define(whole, DefinedBy::Whole, node);
                }
                let tree = self.tree;
                for formal in tree.formals(formals) {
                    self.define(formal.name, DefinedBy::Formal, node);
                }
                for default in tree.formals(formals).iter().filter_map(|formal| formal.default) {
                    self.expression(default);
                }
            }
        }
        // Those inside of defaults were taken back already.
        let own = match self.tree.parameter(parameter) {
            Parameter::Name(_) => 1,
            Parameter::Pattern { formals, whole, .. } => formals.len() + usize::from(whole.is_some()),
        };
        self.expression(body);
        self.forget(from, from + own);
    }

    /// The names that a `let` or `rec` binds. One that stands there twice (a
    /// dotted path) is defined once.
    fn define_all(&mut self, bindings: Run<Binding>, owner: NodeId, is_let: bool) {
        let tree = self.tree;
        let from = self.scopes.definitions.len() as u32;
        for index in bindings.range() {
            let by = if is_let { DefinedBy::Let(index) } else { DefinedBy::Recursive };
            match tree.binding(index).kind {
                BindingKind::Value { path, .. } => {
                    if let Some(AttrName::Fixed(name)) = tree.attrs(path).first().map(|attr| attr.name) {
                        let known = self.visible.get(tree.slice(name)).and_then(|stack| stack.last());
                        if known.is_none_or(|known| *known < from) {
                            self.define(name, by, owner);
                        }
                    }
                }
                BindingKind::Inherit { names, .. } => {
                    for attr in tree.attrs(names) {
                        if let AttrName::Fixed(name) = attr.name {
                            self.define(name, by, owner);
                        }
                    }
                }
            }
        }
    }

    /// The values of bindings. `own` are the definitions that the bindings make:
    /// `inherit x;` looks past them.
    fn values(&mut self, bindings: Run<Binding>, own: Option<(usize, usize)>) {
        let tree = self.tree;
        let recursive = self.recursive_values(bindings);
        for binding in tree.bindings(bindings) {
            match binding.kind {
                BindingKind::Value { path, value } => {
                    self.dynamic_names(path);
                    match self.merged_scope(&recursive, path, value) {
                        Some(merged) => self.in_merged(merged, value),
                        None => self.expression(value),
                    }
                }
                BindingKind::Inherit { from: Some(from), .. } => self.expression(from),
                BindingKind::Inherit { from: None, names } => {
                    for attr in tree.attrs(names) {
                        let AttrName::Fixed(name) = attr.name else { continue };
                        self.outer_lookup(name, own);
                    }
                }
            }
        }
    }

    fn outer_lookup(&mut self, name: Span, own: Option<(usize, usize)>) {
        let Some((from, to)) = own else { return self.lookup(name, None) };
        let text = self.tree.slice(name);
        let stack = self.visible.get(text).map(Vec::as_slice).unwrap_or_default();
        let outer = stack.iter().rev().find(|index| !(from..to).contains(&(**index as usize))).copied();
        match outer {
            Some(index) => self.scopes.definitions[index as usize].uses += 1,
            None if self.withs == 0 && !is_builtin(text) => self.scopes.undefined.push(name),
            None => {}
        }
    }

    /// Sets among the values that are written `rec`, by the name they have.
    fn recursive_values(&self, bindings: Run<Binding>) -> NameMap<'t, NodeId> {
        let mut found = NameMap::default();
        for binding in self.tree.bindings(bindings) {
            if let BindingKind::Value { path, value } = binding.kind
                && let Kind::Set { recursive: true, .. } = self.tree.kind(self.tree.bare(value))
                && let Some(name) = self.tree.single_name(path)
            {
                found.insert(name, value);
            }
        }
        found
    }

    /// `a = rec { … }; a.b = x;` is one recursive set for Nix: the set whose
    /// names `value` sees, when its binding continues another one.
    fn merged_scope(
        &mut self,
        recursive: &NameMap<'t, NodeId>,
        path: Run<super::tree::Attr>,
        value: NodeId,
    ) -> Option<Run<Binding>> {
        if recursive.is_empty() {
            return None;
        }
        let tree = self.tree;
        let continued = *recursive.get(tree.name(tree.attrs(path).first()?)?)?;
        let Kind::Set { bindings, .. } = tree.kind(tree.bare(continued)) else { return None };
        if continued == value {
            return None;
        }
        self.scopes.continued.push(tree.bare(continued));
        Some(bindings)
    }

    fn in_merged(&mut self, merged: Run<Binding>, value: NodeId) {
        // Lenient: the definitions count for nothing but this lookup.
        let names: Vec<Span> = self
            .tree
            .bindings(merged)
            .iter()
            .flat_map(|binding| match binding.kind {
                BindingKind::Value { path, .. } => self.tree.attrs(path).iter().take(1),
                BindingKind::Inherit { names, .. } => self.tree.attrs(names).iter().take(usize::MAX),
            })
            .filter_map(|attr| match attr.name {
                AttrName::Fixed(name) => Some(name),
                AttrName::Dynamic(_) => None,
            })
            .collect();
        let from = self.scopes.definitions.len();
        for name in names {
            self.define(name, DefinedBy::Recursive, value);
        }
        let to = self.scopes.definitions.len();
        // They are not definitions of their own: never reported as unused.
        for definition in &mut self.scopes.definitions[from..to] {
            definition.uses = 1;
        }
        self.expression(value);
        self.forget(from, to);
    }
}
