//! From tree to value.
//!
//! Unknown values and marks stay on the element that has them: an array with one unknown element is a known array. Only
//! where the shape of the result hangs on an unknown is the whole unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::convert::{article, convert};
use terrane_model::value::Marks;
use terrane_model::{Diagnostic, Diagnostics, Kind, Span, Type, Unknown, Value};

use crate::ast::{Expr, Node, ObjectKey};
use crate::scope::Scope;

mod conditional;
mod equality;
mod iteration;
mod operator;
mod step;
mod template;

pub(crate) use equality::{Truth, equal};
pub(crate) use template::known_prefix;

/// The deepest nesting of a value. Expressions are less deep, but they can put values around values again and again.
pub const MAX_VALUE_DEPTH: usize = 400;

/// The longest text that is put together out of others, in bytes.
pub(crate) const MAX_TEXT: usize = 64 << 20;

/// Evaluates an expression. The value is at most [`MAX_VALUE_DEPTH`] levels deep.
///
/// # Errors
/// All that is wrong with it, each at its place; where one part hides another, the first.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, Diagnostics> {
    let value = Env::new(scope).eval(expr).map_err(|failure| failure.diagnostics)?;
    if is_deeper(&value, MAX_VALUE_DEPTH) {
        let detail = format!(
            "Values may be nested {MAX_VALUE_DEPTH} levels deep, and this one is deeper. Take values apart before they are \
             put into others again."
        );
        return Err(vec![Diagnostic::error("value-too-deep", "Value too deep", detail).at(expr.span())]);
    }
    Ok(value)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return true };
    let mut deeper = false;
    value.for_each_child(&mut |child| deeper = deeper || is_deeper(child, levels));
    deeper
}

/// An expression that has no value.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) diagnostics: Diagnostics,
    /// Not to be hidden by `try`, `can` or a condition: the spec itself is wrong.
    pub(crate) fatal: bool,
}

pub(crate) type Evaluated = Result<Value, Box<Failure>>;

impl From<Diagnostic> for Box<Failure> {
    fn from(diagnostic: Diagnostic) -> Box<Failure> {
        Box::new(Failure { diagnostics: vec![diagnostic], fatal: false })
    }
}

/// A failure at a place.
pub(crate) fn failure(
    code: &'static str,
    summary: &'static str,
    detail: impl Into<String>,
    span: Span,
) -> Box<Failure> {
    Diagnostic::error(code, summary, detail).at(span).into()
}

/// Collects the failures of parts that are evaluated one beside the other.
#[derive(Default)]
pub(crate) struct Failures(Option<Box<Failure>>);

impl Failures {
    /// The value, or nothing after noting the failure.
    pub(crate) fn note(&mut self, evaluated: Evaluated) -> Option<Value> {
        match evaluated {
            Ok(value) => Some(value),
            Err(more) => {
                match &mut self.0 {
                    Some(all) => {
                        all.fatal |= more.fatal;
                        all.diagnostics.extend(more.diagnostics);
                    }
                    None => self.0 = Some(more),
                }
                None
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(), Box<Failure>> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Names and their values around an expression.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    pub(crate) scope: &'e dyn Scope,
    frame: Option<&'e Frame<'e>>,
    /// The variables of a template file; it sees nothing else.
    given: Option<&'e BTreeMap<Arc<str>, Value>>,
}

/// A name that a `for` binds.
struct Frame<'e> {
    name: &'e str,
    value: Value,
    outer: Option<&'e Frame<'e>>,
}

impl<'e> Env<'e> {
    pub(crate) fn new(scope: &'e dyn Scope) -> Env<'e> {
        Env { scope, frame: None, given: None }
    }

    /// For a template that sees only these variables.
    pub(crate) fn closed(scope: &'e dyn Scope, given: &'e BTreeMap<Arc<str>, Value>) -> Env<'e> {
        Env { scope, frame: None, given: Some(given) }
    }

    /// Whether this is inside a template that was rendered by a function.
    pub(crate) fn in_template(&self) -> bool {
        self.given.is_some()
    }

    fn lookup(&self, name: &str) -> Option<&'e Value> {
        let mut frame = self.frame;
        while let Some(Frame { name: bound, value, outer }) = frame {
            if *bound == name {
                return Some(value);
            }
            frame = *outer;
        }
        self.given?.get(name)
    }

    pub(crate) fn eval(&self, expr: &Expr) -> Evaluated {
        match &expr.node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Array(elements) => self.array(elements),
            Node::Object(items) => self.object(items),
            Node::Template(parts) => self.template(parts),
            Node::Reference(reference) => self.scope.resolve(reference, expr.span).map_err(|diagnostic| {
                Box::new(Failure { diagnostics: vec![diagnostic.at(expr.span)], fatal: true })
            }),
            Node::Variable(name) => match self.lookup(name) {
                Some(value) => Ok(value.clone()),
                None => Err(self.no_variable(name, expr.span)),
            },
            Node::Steps(base, steps) => self.base_and_steps(base, steps),
            Node::Conditional(conditional) => self.conditional(conditional, expr.span),
            Node::Unary(operator, operand) => self.unary(*operator, operand),
            Node::Binary(first, rest) => self.binary(first, rest),
            Node::Call(call) => self.call(call, expr.span),
            Node::For(node) => self.for_(node),
        }
    }

    fn no_variable(&self, name: &str, span: Span) -> Box<Failure> {
        let given = self.given.into_iter().flat_map(|g| g.keys()).map(|k| &**k);
        let mut detail = format!("No variable `{name}` is given to the template.");
        if let Some(near) = terrane_model::nearest::nearest(name, given) {
            detail.push_str(&format!(" Did you mean `{near}`?"));
        }
        failure("unknown-variable", "Unknown variable of a template", detail, span)
    }

    fn array(&self, elements: &[Expr]) -> Evaluated {
        let mut failures = Failures::default();
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            values.extend(failures.note(self.eval(element)));
        }
        failures.finish()?;
        Ok(Value::tuple(values))
    }

    fn object(&self, items: &[(ObjectKey, Expr)]) -> Evaluated {
        let mut failures = Failures::default();
        let mut entries = BTreeMap::new();
        let mut marks = Marks::default();
        let mut known = true;
        for (key, item) in items {
            let key = match key {
                ObjectKey::Name(name, _) => Some(name.clone()),
                ObjectKey::Computed(key) => {
                    let text = self.eval(key).and_then(|value| self.key_text(value, key.span));
                    failures.note(text).and_then(|text| {
                        marks = marks.union(text.marks());
                        known &= !text.is_unknown();
                        match text.into_kind() {
                            Kind::String(text) => Some(text),
                            _ => None,
                        }
                    })
                }
            };
            let value = failures.note(self.eval(item));
            if let (Some(key), Some(value)) = (key, value) {
                entries.insert(key, value);
            }
        }
        failures.finish()?;
        let object = match known {
            true => Value::new(Kind::Object(Arc::new(entries))),
            false => undetermined(),
        };
        Ok(object.with_marks(marks))
    }

    /// Makes text of the key of an object.
    fn key_text(&self, key: Value, span: Span) -> Evaluated {
        let invalid =
            |detail: String| Err(failure("invalid-object-key", "Invalid key of an object", detail, span));
        if key.is_null() {
            return invalid("The key of an attribute can't be null.".into());
        }
        match convert(&key, &Type::String) {
            Ok(text) => Ok(text),
            Err(_) => {
                invalid(format!("The key of an attribute must be text, and this is {}.", article(&key.ty())))
            }
        }
    }
}

/// A value of which not even the type is known; but it is not null.
pub(crate) fn undetermined() -> Value {
    Value::unknown_with(Unknown::not_null(Type::Any))
}

/// An unknown truth value.
pub(crate) fn unknown_bool() -> Value {
    Value::unknown_with(Unknown::not_null(Type::Bool))
}
