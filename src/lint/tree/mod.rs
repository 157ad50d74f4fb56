//! The tree that rules look at: an arena without trivia, made from rnix' green
//! tree in one walk.
//!
//! rnix' own typed tree allocates for every step of a walk; here a node is an
//! index, its children are ranges, and all of it crosses threads. Nodes stand
//! in source order, parents before children: what is below a node follows it
//! directly.

mod bindings;
mod broken;
mod limits;
mod lower;
mod place;
mod query;

use std::marker::PhantomData;

pub(crate) use broken::{Broken, TOO_DEEP};
pub(crate) use limits::{Limit, exceeded};
pub(crate) use lower::parse;
pub(crate) use place::Lines;
pub(crate) use query::Part;

/// A half-open range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A run of elements in one of the tree's tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run<T> {
    start: u32,
    length: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Run<T> {}

impl<T> Run<T> {
    /// The indices of its elements.
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }

    pub(crate) fn len(self) -> usize {
        self.length as usize
    }
}

/// One name of an attribute path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attr {
    pub(crate) span: Span,
    pub(crate) name: AttrName,
}

/// What an attribute is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AttrName {
    /// A name or a string without interpolation: where its text stands.
    Fixed(Span),
    /// Worked out when evaluated: the expression, or the string it is part of.
    Dynamic(NodeId),
}

/// `path = value;` or `inherit …;`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    pub(crate) span: Span,
    pub(crate) kind: BindingKind,
}

/// The two forms of a binding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BindingKind {
    Value { path: Run<Attr>, value: NodeId },
    Inherit { from: Option<NodeId>, names: Run<Attr> },
}

/// One name of a pattern, `name ? default`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Formal {
    pub(crate) name: Span,
    pub(crate) default: Option<NodeId>,
}

/// What stands before the colon of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter {
    Name(Span),
    Pattern { formals: Run<Formal>, ellipsis: bool, whole: Option<Span>, span: Span },
}

/// Operators with two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Concat,
    Update,
    Add,
    Subtract,
    Multiply,
    Divide,
    And,
    Or,
    Implies,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    PipeLeft,
    PipeRight,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Ident,
    Integer,
    Float,
    Uri,
    SearchPath,
    CurPos,
    /// A path; interpolated expressions are its children.
    Path {
        parts: Run<NodeId>,
    },
    /// A string; interpolated expressions are its children.
    Text {
        indented: bool,
        parts: Run<NodeId>,
    },
    Apply {
        function: NodeId,
        argument: NodeId,
    },
    Lambda {
        parameter: u32,
        body: NodeId,
    },
    Let {
        bindings: Run<Binding>,
        body: NodeId,
    },
    LegacyLet {
        bindings: Run<Binding>,
    },
    With {
        scope: NodeId,
        body: NodeId,
    },
    Assert {
        condition: NodeId,
        body: NodeId,
    },
    If {
        condition: NodeId,
        then: NodeId,
        otherwise: NodeId,
    },
    Set {
        recursive: bool,
        bindings: Run<Binding>,
    },
    List {
        items: Run<NodeId>,
    },
    Binary {
        operator: Operator,
        left: NodeId,
        right: NodeId,
    },
    Not {
        operand: NodeId,
    },
    Negate {
        operand: NodeId,
    },
    Select {
        base: NodeId,
        path: Run<Attr>,
        default: Option<NodeId>,
    },
    HasAttr {
        base: NodeId,
        path: Run<Attr>,
    },
    Paren {
        inner: NodeId,
    },
}

/// The kinds without what they hold, to register rules for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Ident,
    Number,
    Uri,
    SearchPath,
    Path,
    Text,
    Apply,
    Lambda,
    Let,
    LegacyLet,
    With,
    Assert,
    If,
    Set,
    List,
    Binary,
    Not,
    Negate,
    Select,
    HasAttr,
    Paren,
}

impl Tag {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Paren as usize + 1;
}

impl Kind {
    pub(crate) fn tag(&self) -> Tag {
        match self {
            Self::Ident | Self::CurPos => Tag::Ident,
            Self::Integer | Self::Float => Tag::Number,
            Self::Uri => Tag::Uri,
            Self::SearchPath => Tag::SearchPath,
            Self::Path { .. } => Tag::Path,
            Self::Text { .. } => Tag::Text,
            Self::Apply { .. } => Tag::Apply,
            Self::Lambda { .. } => Tag::Lambda,
            Self::Let { .. } => Tag::Let,
            Self::LegacyLet { .. } => Tag::LegacyLet,
            Self::With { .. } => Tag::With,
            Self::Assert { .. } => Tag::Assert,
            Self::If { .. } => Tag::If,
            Self::Set { .. } => Tag::Set,
            Self::List { .. } => Tag::List,
            Self::Binary { .. } => Tag::Binary,
            Self::Not { .. } => Tag::Not,
            Self::Negate { .. } => Tag::Negate,
            Self::Select { .. } => Tag::Select,
            Self::HasAttr { .. } => Tag::HasAttr,
            Self::Paren { .. } => Tag::Paren,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct NodeData {
    span: Span,
    parent: NodeId,
    /// The first node that is not below this one.
    after: u32,
    kind: Kind,
}

/// The tree of one file without syntax errors.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    pub(crate) text: &'t str,
    nodes: Vec<NodeData>,
    bindings: Vec<Binding>,
    attrs: Vec<Attr>,
    children: Vec<NodeId>,
    formals: Vec<Formal>,
    parameters: Vec<Parameter>,
    /// Comments in source order.
    pub(crate) comments: Vec<Span>,
}
