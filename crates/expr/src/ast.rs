//! The tree of an expression, as the evaluator walks it. Every node has its place in the file.
//!
//! INVARIANT: the tree is at most [`MAX_DEPTH`] levels deep (the parser counts them), so that walking it needs a bounded
//! stack. Chains of operators and of steps are flat.

use std::sync::Arc;

use terrane_model::{Kind, Number, Span, Step, Value};

use crate::reference::Reference;

/// The deepest nesting of expressions that is accepted.
pub const MAX_DEPTH: usize = 100;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(crate) node: Node,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Literal(Value),
    Array(Box<[Expr]>),
    Object(Box<[(ObjectKey, Expr)]>),
    Template(Box<[Part]>),
    Reference(Reference),
    /// A name that a `for` or the caller of a template binds.
    Variable(Arc<str>),
    /// Steps into a value.
    Steps(Box<Expr>, Box<[Postfix]>),
    Conditional(Box<Conditional>),
    Unary(UnaryOperator, Box<Expr>),
    /// Operands joined by left-associative operators of one precedence.
    Binary(Box<Expr>, Box<[(BinaryOperator, Expr)]>),
    Call(Box<Call>),
    For(Box<For>),
}

/// The key of an item of an object literal.
#[derive(Clone, Debug)]
pub enum ObjectKey {
    /// A name that stands as it is.
    Name(Arc<str>, Span),
    /// An expression that gives text.
    Computed(Expr),
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(Arc<str>),
    Value(Expr),
    /// A `for` whose results are joined.
    Join(Expr),
}

#[derive(Clone, Debug)]
pub(crate) struct Postfix {
    pub(crate) step: PostfixStep,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum PostfixStep {
    Attribute(Arc<str>),
    Index(Expr),
    /// The steps are applied to each element.
    Splat(Box<[Postfix]>),
}

#[derive(Clone, Debug)]
pub(crate) struct Conditional {
    pub(crate) condition: Expr,
    pub(crate) yes: Expr,
    pub(crate) no: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    pub(crate) name_span: Span,
    pub(crate) arguments: Box<[Expr]>,
    /// The last argument is a list whose elements are the arguments.
    pub(crate) expand_last: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) key_name: Option<Arc<str>>,
    pub(crate) value_name: Arc<str>,
    pub(crate) collection: Expr,
    /// Present where the result is an object.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) condition: Option<Expr>,
    pub(crate) group: bool,
}

impl Expr {
    pub(crate) fn new(node: Node, span: Span) -> Expr {
        Expr { node, span }
    }

    /// A value that stands in the spec as it is.
    pub fn literal(value: Value, span: Span) -> Expr {
        Expr::new(Node::Literal(value), span)
    }

    /// An array of expressions; it evaluates to a tuple.
    pub fn array(elements: Vec<Expr>, span: Span) -> Expr {
        match elements.iter().map(Expr::as_literal).collect::<Option<Vec<&Value>>>() {
            Some(values) => Expr::literal(Value::tuple(values.into_iter().cloned()), span),
            None => Expr::new(Node::Array(elements.into()), span),
        }
    }

    /// An object of expressions. Of two equal keys the later one wins.
    pub fn object(items: Vec<(ObjectKey, Expr)>, span: Span) -> Expr {
        let literal = |(key, value): &(ObjectKey, Expr)| {
            let key: Arc<str> = match key {
                ObjectKey::Name(name, _) => name.clone(),
                ObjectKey::Computed(key) => match key.as_literal()?.kind() {
                    Kind::String(text) => text.clone(),
                    _ => return None,
                },
            };
            Some((key, value.as_literal()?.clone()))
        };
        match items.iter().map(literal).collect::<Option<Vec<_>>>() {
            Some(entries) => Expr::literal(Value::object(entries), span),
            None => Expr::new(Node::Object(items.into()), span),
        }
    }

    /// Where it stands in the file.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The item of an object literal whose key is this very name.
    pub fn item(&self, name: &str) -> Option<&Expr> {
        let Node::Object(items) = &self.node else { return None };
        let named = |key: &ObjectKey| matches!(key, ObjectKey::Name(known, _) if known.as_ref() == name);
        items.iter().find(|(key, _)| named(key)).map(|(_, expr)| expr)
    }

    /// The element of an array literal.
    pub fn element(&self, index: usize) -> Option<&Expr> {
        match &self.node {
            Node::Array(elements) => elements.get(index),
            _ => None,
        }
    }

    /// The only argument of a call of this function, if the expression is no more than that.
    pub fn argument_of(&self, function: &str) -> Option<&Expr> {
        match &self.node {
            Node::Call(call) if &*call.name == function => match &*call.arguments {
                [only] => Some(only),
                _ => None,
            },
            Node::Template(parts) => match &**parts {
                [Part::Value(inner)] => inner.argument_of(function),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value, if the expression is no more than that.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.node {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Everything outside itself that the expression refers to, in the order of the text: each reference with its place
    /// and with the steps behind it, as far as they are literal.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, Span, Vec<Step>)> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.into_iter()
    }

    /// Whether the function of this name is called anywhere inside.
    pub fn calls(&self, name: &str) -> bool {
        let mut called = false;
        self.walk(&mut |expr| called |= matches!(&expr.node, Node::Call(call) if &*call.name == name));
        called
    }

    fn collect<'e>(&'e self, found: &mut Vec<(&'e Reference, Span, Vec<Step>)>) {
        self.walk(&mut |expr| match &expr.node {
            Node::Reference(reference) => found.push((reference, expr.span, Vec::new())),
            Node::Steps(base, steps) => {
                if let Node::Reference(reference) = &base.node {
                    found.push((reference, base.span, literal_steps(steps)));
                }
            }
            _ => {}
        });
    }

    /// Calls `f` on this node and on all below, in the order of the text. The base of steps is not visited apart.
    fn walk<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        f(self);
        match &self.node {
            Node::Literal(_) | Node::Reference(_) | Node::Variable(_) => {}
            Node::Array(elements) => elements.iter().for_each(|e| e.walk(f)),
            Node::Object(items) => {
                for (key, value) in items {
                    if let ObjectKey::Computed(key) = key {
                        key.walk(f);
                    }
                    value.walk(f);
                }
            }
            Node::Template(parts) => {
                for part in parts {
                    if let Part::Value(e) | Part::Join(e) = part {
                        e.walk(f);
                    }
                }
            }
            Node::Steps(base, steps) => {
                if !matches!(base.node, Node::Reference(_)) {
                    base.walk(f);
                }
                walk_steps(steps, f);
            }
            Node::Conditional(c) => [&c.condition, &c.yes, &c.no].into_iter().for_each(|e| e.walk(f)),
            Node::Unary(_, operand) => operand.walk(f),
            Node::Binary(first, rest) => {
                first.walk(f);
                rest.iter().for_each(|(_, e)| e.walk(f));
            }
            Node::Call(call) => call.arguments.iter().for_each(|e| e.walk(f)),
            Node::For(for_) => {
                for_.collection.walk(f);
                for_.key.iter().for_each(|e| e.walk(f));
                for_.value.walk(f);
                for_.condition.iter().for_each(|e| e.walk(f));
            }
        }
    }
}

fn walk_steps<'e>(steps: &'e [Postfix], f: &mut dyn FnMut(&'e Expr)) {
    for step in steps {
        match &step.step {
            PostfixStep::Attribute(_) => {}
            PostfixStep::Index(index) => index.walk(f),
            PostfixStep::Splat(each) => walk_steps(each, f),
        }
    }
}

fn literal_steps(steps: &[Postfix]) -> Vec<Step> {
    let literal = |postfix: &Postfix| match &postfix.step {
        PostfixStep::Attribute(name) => Some(Step::Attribute(name.clone())),
        PostfixStep::Splat(_) => None,
        PostfixStep::Index(index) => match index.as_literal()?.kind() {
            Kind::String(text) => Some(Step::Key(text.clone())),
            Kind::Number(number) => number_step(number),
            _ => None,
        },
    };
    steps.iter().map_while(literal).collect()
}

fn number_step(number: &Number) -> Option<Step> {
    usize::try_from(number.to_i64()?).ok().map(Step::Index)
}
