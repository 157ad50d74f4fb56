//! What a module sets: option paths with their values, however they are
//! nested.
//!
//! `config.`, parentheses, `let`, `with`, `assert`, `//`, `if`, `mkIf`,
//! `optionalAttrs`, `mkMerge`, `mkForce`, `mkDefault` and `mkOverride` are looked
//! through. Modules are the file itself and the literals in `imports = [ … ]`,
//! `modules = [ … ]` and `nixosModules`. What cannot be known without
//! evaluation stays one setting with an opaque value; option declarations are
//! no settings.

use super::tree::{BindingKind, Kind, NodeId, Operator, Run, Span, Tree};

/// One name of an option path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'t> {
    Name(&'t str),
    /// Worked out at run time.
    Unknown,
}

/// How strongly a value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    Normal,
    /// `mkDefault`, `mkOptionDefault`: others are meant to override it.
    Default,
    /// `mkForce`, `mkOverride`, `mkVMOverride`.
    Force,
}

/// Where a setting stands, apart from its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// It holds only under a condition.
    pub(crate) conditional: bool,
    pub(crate) priority: Priority,
    /// The module it is part of.
    pub(crate) module: u32,
}

/// A value given to an option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    keys: (u32, u32),
    /// The value without wrappers; `None` for `inherit`.
    pub(crate) value: Option<NodeId>,
    /// Where the last part of its path stands.
    pub(crate) span: Span,
    pub(crate) around: Around,
}

/// A module of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Module {
    /// It describes a machine for tests, a container or a virtual machine.
    pub(crate) guest: bool,
    /// It declares options: others switch it on.
    pub(crate) declares: bool,
}

/// All settings of a file.
#[derive(Debug, Default)]
pub(crate) struct Settings<'t> {
    keys: Vec<Key<'t>>,
    pub(crate) all: Vec<Setting>,
    pub(crate) modules: Vec<Module>,
}

impl<'t> Settings<'t> {
    pub(crate) fn path(&self, setting: &Setting) -> &[Key<'t>] {
        &self.keys[setting.keys.0 as usize..setting.keys.1 as usize]
    }

    pub(crate) fn module(&self, setting: &Setting) -> Module {
        self.modules[setting.around.module as usize]
    }

    /// The path as people write it; unknown names are `*`.
    pub(crate) fn shown(&self, setting: &Setting) -> String {
        show(self.path(setting))
    }

    /// Whether a path is exactly this one; `*` matches any name.
    pub(crate) fn is(&self, setting: &Setting, path: &str) -> bool {
        let keys = self.path(setting);
        let mut names = path.split('.');
        keys.iter().all(|key| names.next().is_some_and(|name| matches(*key, name))) && names.next().is_none()
    }

    /// Whether a path begins with this one; `*` matches any name.
    pub(crate) fn below(&self, setting: &Setting, path: &str) -> bool {
        let mut keys = self.path(setting).iter();
        path.split('.').all(|name| keys.next().is_some_and(|key| matches(*key, name)))
    }

    /// Settings of exactly this path.
    pub(crate) fn find<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s Setting> + 's {
        self.all.iter().filter(move |setting| self.is(setting, path))
    }
}

/// A path as people write it.
pub(crate) fn show(keys: &[Key<'_>]) -> String {
    let names = keys.iter().map(|key| match key {
        Key::Name(name) if name.contains('.') => format!("\"{name}\""),
        Key::Name(name) => (*name).to_owned(),
        Key::Unknown => "*".to_owned(),
    });
    names.collect::<Vec<_>>().join(".")
}

fn matches(key: Key<'_>, name: &str) -> bool {
    name == "*" || key == Key::Name(name)
}

/// Bindings whose list holds modules.
const MODULE_LISTS: &[&str] = &["imports", "modules", "extraModules", "sharedModules", "baseModules"];
/// Sets whose values are modules.
const MODULE_SETS: &[&str] = &["nixosModules", "nixosModule"];
/// What stands above machines that are no hosts.
const GUESTS: &[&str] = &[
    "nodes",
    "machine",
    "containers",
    "vmVariant",
    "vmVariantWithBootLoader",
    "vmVariantWithDisko",
    "example",
    "tests",
    "checks",
    "microvm",
    "testScript",
];

/// Reads the settings of a tree.
pub(crate) fn settings<'t>(tree: &Tree<'t>) -> Settings<'t> {
    let mut pass = Pass { tree, path: Vec::new(), settings: Settings::default() };
    pass.module(tree.root(), false);
    for binding in tree.all_bindings() {
        let BindingKind::Value { path, value } = binding.kind else { continue };
        let Some(name) = tree.last_name(path) else { continue };
        if MODULE_LISTS.contains(&name) {
            for item in tree.items(value) {
                if matches!(tree.kind(tree.bare(item)), Kind::Set { .. } | Kind::Lambda { .. }) {
                    pass.module(item, pass.is_guest(item));
                }
            }
        } else if MODULE_SETS.contains(&name) {
            pass.module_set(value);
        } else if let [.., above, _] = tree.attrs(path)
            && tree.name(above).is_some_and(|above| MODULE_SETS.contains(&above))
        {
            pass.module(value, pass.is_guest(value));
        }
    }
    pass.settings
}

struct Pass<'a, 't> {
    tree: &'a Tree<'t>,
    path: Vec<Key<'t>>,
    settings: Settings<'t>,
}

impl<'t> Pass<'_, 't> {
    fn is_guest(&self, node: NodeId) -> bool {
        let tree = self.tree;
        tree.upwards(node).any(|node| match tree.binding_of(node).map(|binding| binding.kind) {
            Some(BindingKind::Value { path, .. }) => {
                tree.attrs(path).iter().any(|attr| tree.name(attr).is_some_and(|name| GUESTS.contains(&name)))
            }
            _ => false,
        })
    }

    fn module_set(&mut self, value: NodeId) {
        let tree = self.tree;
        match tree.kind(tree.bare(value)) {
            Kind::Set { bindings, .. } => {
                for binding in tree.bindings(bindings) {
                    if let BindingKind::Value { value, .. } = binding.kind {
                        self.module(value, false);
                    }
                }
            }
            Kind::Lambda { .. } => self.module(value, false),
            _ => {}
        }
    }

    /// The value of a module: what is behind its functions.
    fn module(&mut self, node: NodeId, guest: bool) {
        let tree = self.tree;
        let mut node = tree.bare(node);
        loop {
            node = match tree.kind(node) {
                Kind::Lambda { body, .. } => tree.bare(body),
                Kind::Let { body, .. } | Kind::With { body, .. } | Kind::Assert { body, .. } => tree.bare(body),
                _ => break,
            };
        }
        let declares = match tree.kind(node) {
            Kind::Set { bindings, .. } => tree.bindings(bindings).iter().any(|binding| match binding.kind {
                BindingKind::Value { path, .. } => {
                    tree.attrs(path).first().and_then(|attr| tree.name(attr)) == Some("options")
                }
                BindingKind::Inherit { names, .. } => {
                    tree.attrs(names).iter().any(|attr| tree.name(attr) == Some("options"))
                }
            }),
            _ => false,
        };
        let module = self.settings.modules.len() as u32;
        self.settings.modules.push(Module { guest, declares });
        // A file that is a function call, a list or a string is no module.
        if matches!(
            tree.kind(node),
            Kind::Set { .. } | Kind::If { .. } | Kind::Apply { .. } | Kind::Binary { .. }
        ) {
            self.value(
                node,
                Around { conditional: false, priority: Priority::Normal, module },
                tree.span(node),
            );
        }
    }

    fn value(&mut self, node: NodeId, around: Around, span: Span) {
        let tree = self.tree;
        let node = tree.bare(node);
        match tree.kind(node) {
            Kind::Set { bindings, .. } => self.bindings(bindings, around),
            Kind::Let { body, .. } | Kind::With { body, .. } | Kind::Assert { body, .. } => {
                self.value(body, around, span);
            }
            Kind::If { then, otherwise, .. } => {
                let around = Around { conditional: true, ..around };
                self.value(then, around, span);
                self.value(otherwise, around, span);
            }
            Kind::Binary { operator: Operator::Update, left, right } => {
                self.value(left, around, span);
                self.value(right, around, span);
            }
            Kind::Apply { .. } => self.wrapped(node, around, span),
            _ => self.emit(Some(node), around, span),
        }
    }

    fn wrapped(&mut self, node: NodeId, around: Around, span: Span) {
        let tree = self.tree;
        let Some((head, arguments)) = tree.application(node) else {
            return self.emit(Some(node), around, span);
        };
        match (tree.called(head).unwrap_or_default(), arguments.as_slice()) {
            ("mkIf" | "optionalAttrs", [_, inner]) => {
                self.value(*inner, Around { conditional: true, ..around }, span);
            }
            ("mkMerge", [list]) => {
                if let Kind::List { .. } = tree.kind(tree.bare(*list)) {
                    for item in tree.items(*list) {
                        self.value(item, around, span);
                    }
                } else {
                    self.emit(Some(node), around, span);
                }
            }
            ("mkForce" | "mkVMOverride" | "mkImageMediaOverride", [inner]) => {
                self.value(*inner, Around { priority: Priority::Force, ..around }, span);
            }
            ("mkOverride", [strength, inner]) => {
                // A plain definition is 100, mkForce 50, mkDefault 1000.
                let weak =
                    tree.source(tree.bare(*strength)).parse::<u32>().is_ok_and(|strength| strength > 100);
                let priority = if weak { Priority::Default } else { Priority::Force };
                self.value(*inner, Around { priority, ..around }, span);
            }
            ("mkDefault" | "mkOptionDefault", [inner]) => {
                self.value(*inner, Around { priority: Priority::Default, ..around }, span);
            }
            ("mkBefore" | "mkAfter", [inner]) | ("mkOrder", [_, inner]) => self.value(*inner, around, span),
            ("recursiveUpdate", [left, right]) => {
                self.value(*left, around, span);
                self.value(*right, around, span);
            }
            _ => self.emit(Some(node), around, span),
        }
    }

    fn bindings(&mut self, bindings: Run<super::tree::Binding>, around: Around) {
        let tree = self.tree;
        for binding in tree.bindings(bindings) {
            match binding.kind {
                BindingKind::Value { path, value } => {
                    let depth = self.path.len();
                    let mut attrs = tree.attrs(path).iter().peekable();
                    if depth == 0 {
                        match attrs.peek().and_then(|attr| tree.name(attr)) {
                            Some("options") => continue,
                            Some("config") => {
                                attrs.next();
                            }
                            _ => {}
                        }
                    }
                    for attr in attrs {
                        self.path.push(tree.name(attr).map_or(Key::Unknown, Key::Name));
                    }
                    self.value(value, around, tree.path_span(path));
                    self.path.truncate(depth);
                }
                BindingKind::Inherit { names, .. } => {
                    for attr in tree.attrs(names) {
                        self.path.push(tree.name(attr).map_or(Key::Unknown, Key::Name));
                        self.emit(None, around, attr.span);
                        self.path.pop();
                    }
                }
            }
        }
    }

    fn emit(&mut self, value: Option<NodeId>, around: Around, span: Span) {
        // No option is nested as deep; the bound keeps odd files linear.
        if self.path.is_empty() || self.path.len() > 32 {
            return;
        }
        let start = self.settings.keys.len() as u32;
        self.settings.keys.extend_from_slice(&self.path);
        let keys = (start, self.settings.keys.len() as u32);
        self.settings.all.push(Setting { keys, value, span, around });
    }
}
