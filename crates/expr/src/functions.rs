//! The function library: one row per function in `table.rs`, the bodies by family beside it.
//!
//! What is common to all is done here: the number of arguments, their types, null, unknown values and marks. A body gets
//! known values of the types that it asked for, without marks, unless its parameter says that it takes more.

use terrane_model::convert::{article, convert};
use terrane_model::nearest::nearest;
use terrane_model::value::Marks;
use terrane_model::{Kind, Span, Type, Unknown, Value};

use crate::ast::{Call, Expr};
use crate::eval::{Env, Evaluated, Failure, Failures, failure, undetermined};
use crate::scope::FunctionContext;

mod parameter;
mod table;

mod amazon;
mod choice;
mod collection;
mod conversion;
mod encoding;
mod file;
mod format;
mod hash;
mod json;
mod network;
mod number;
mod path;
mod pattern;
mod sequence;
mod set;
mod template;
mod text;
mod time;
mod yaml;

pub(crate) use parameter::{Parameter, Returns};

/// One function of the language.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) variadic: Option<Parameter>,
    pub(crate) returns: Returns,
    body: Body,
}

enum Body {
    /// Works on values.
    Values(fn(&Given<'_>) -> Outcome),
    /// Evaluates its arguments itself.
    Lazy(fn(&Env<'_>, &Call, Span) -> Evaluated),
}

/// What a body gives.
type Outcome = Result<Value, Fault>;

/// Why a function refuses its arguments.
#[derive(Debug)]
struct Fault {
    /// The argument that is to blame, if it is one.
    argument: Option<usize>,
    detail: String,
}

impl Fault {
    fn new(detail: impl Into<String>) -> Fault {
        Fault { argument: None, detail: detail.into() }
    }

    fn at(argument: usize, detail: impl Into<String>) -> Fault {
        Fault { argument: Some(argument), detail: detail.into() }
    }
}

/// The arguments of a call and their places.
type Arguments = (Vec<Value>, Vec<Span>);

/// The arguments of a call, checked and converted.
struct Given<'g> {
    values: &'g [Value],
    context: &'g FunctionContext,
    env: &'g Env<'g>,
}

impl<'g> Given<'g> {
    fn value(&self, place: usize) -> Result<&'g Value, Fault> {
        self.values.get(place).ok_or_else(|| Fault::new("an argument is missing"))
    }

    fn text(&self, place: usize) -> Result<&'g str, Fault> {
        self.value(place)?.as_str().ok_or_else(|| Fault::at(place, "text is needed"))
    }

    fn number(&self, place: usize) -> Result<&'g terrane_model::Number, Fault> {
        self.value(place)?.as_number().ok_or_else(|| Fault::at(place, "a number is needed"))
    }

    /// A number that must be whole and of sane size.
    fn whole(&self, place: usize) -> Result<i64, Fault> {
        let number = self.number(place)?;
        number.to_i64().ok_or_else(|| {
            Fault::new(match number.is_whole() {
                true => format!("the number `{number}` is too large"),
                false => format!("a whole number is needed, and `{number}` is none"),
            })
        })
    }

    /// The arguments from a place on.
    fn rest(&self, place: usize) -> &'g [Value] {
        self.values.get(place..).unwrap_or(&[])
    }
}

/// The names of all functions, sorted.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    table::FUNCTIONS.iter().map(|f| f.name)
}

fn find(name: &str) -> Option<&'static Function> {
    let place = table::FUNCTIONS.binary_search_by(|f| f.name.cmp(name)).ok()?;
    table::FUNCTIONS.get(place)
}

impl Env<'_> {
    pub(crate) fn call(&self, call: &Call, span: Span) -> Evaluated {
        let Some(function) = find(&call.name).filter(|f| self.exists(f)) else {
            return Err(unknown_function(&call.name, call.name_span));
        };
        match function.body {
            Body::Lazy(body) => body(self, call, span),
            Body::Values(body) => {
                let Some((values, spans)) = self.arguments(call)? else {
                    return Ok(undetermined());
                };
                function.apply(body, values, &spans, self, span)
            }
        }
    }

    fn exists(&self, function: &Function) -> bool {
        match function.name {
            "type" => self.scope.functions().console,
            "plantimestamp" => self.scope.functions().plan_time.is_some(),
            _ => true,
        }
    }

    /// The arguments; nothing when a list that is to be spread is unknown.
    fn arguments(&self, call: &Call) -> Result<Option<Arguments>, Box<Failure>> {
        let mut failures = Failures::default();
        let mut values = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            values.extend(failures.note(self.eval(argument)));
        }
        failures.finish()?;
        let mut spans: Vec<Span> = call.arguments.iter().map(Expr::span).collect();
        if call.expand_last {
            let (Some(last), Some(span)) = (values.pop(), spans.pop()) else { return Ok(None) };
            let marks = last.marks();
            match last.kind() {
                Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => {
                    values.extend(elements.iter().map(|v| v.clone().with_marks(marks)));
                    spans.resize(values.len(), span);
                }
                Kind::Unknown(unknown) if unknown.ty == Type::Any || !unknown.ty.is_primitive() => {
                    return Ok(None);
                }
                _ => {
                    let detail = match last.is_null() {
                        true => "What stands before `...` is null.".to_owned(),
                        false => format!(
                            "`...` makes arguments of the elements of a list, and this is {}.",
                            article(&last.ty())
                        ),
                    };
                    return Err(failure("invalid-expansion", "Invalid expansion of arguments", detail, span));
                }
            }
        }
        Ok(Some((values, spans)))
    }
}

fn unknown_function(name: &str, span: Span) -> Box<Failure> {
    let mut detail = format!("There is no function `{name}`");
    match name {
        "plantimestamp" => detail.push_str(" outside a plan."),
        "type" => detail.push_str(" outside the console."),
        "list" => detail.push_str(". Write `tolist([...])`, or just `[...]`."),
        "map" => detail.push_str(". Write `tomap({...})`, or just `{...}`."),
        _ => match nearest(name, function_names()) {
            Some(near) => detail.push_str(&format!(". Did you mean `{near}`?")),
            None => detail.push('.'),
        },
    }
    failure("unknown-function", "Unknown function", detail, span)
}

impl Function {
    const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        returns: Returns,
        body: fn(&Given<'_>) -> Outcome,
    ) -> Function {
        Function { name, parameters, variadic: None, returns, body: Body::Values(body) }
    }

    const fn lazy(name: &'static str, body: fn(&Env<'_>, &Call, Span) -> Evaluated) -> Function {
        let variadic = Some(Parameter::any("arguments"));
        Function { name, parameters: &[], variadic, returns: Returns::Any, body: Body::Lazy(body) }
    }

    const fn and_more(mut self, parameter: Parameter) -> Function {
        self.variadic = Some(parameter);
        self
    }

    fn parameter(&self, place: usize) -> Option<&Parameter> {
        self.parameters.get(place).or(self.variadic.as_ref())
    }

    fn apply(
        &self,
        body: fn(&Given<'_>) -> Outcome,
        values: Vec<Value>,
        spans: &[Span],
        env: &Env<'_>,
        span: Span,
    ) -> Evaluated {
        self.check_count(values.len(), spans, span)?;
        let mut failures = Failures::default();
        let mut marks = Marks::default();
        let mut known = true;
        let mut given = Vec::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            let Some(parameter) = self.parameter(place) else { continue };
            let at = spans.get(place).copied().unwrap_or(span);
            let Some(value) = failures.note(self.argument(place, value, parameter, at)) else { continue };
            let value = match parameter.takes_marks {
                true => value,
                false => {
                    let (plain, found) = value.unmark_deep();
                    marks = marks.union(found);
                    plain
                }
            };
            known &= match (parameter.takes_unknown, parameter.takes_partial) {
                (true, _) => true,
                (false, true) => !value.is_unknown(),
                (false, false) => value.is_wholly_known(),
            };
            given.push(value);
        }
        failures.finish()?;
        if !known {
            for value in &given {
                marks = marks.union(value.marks_deep());
            }
            return Ok(self.returns.unknown(&given).with_marks(marks));
        }
        match body(&Given { values: &given, context: env.scope.functions(), env }) {
            Ok(value) => Ok(value.with_marks(marks)),
            Err(fault) => {
                let hidden = marks.any() || given.iter().any(|v| v.marks_deep().any());
                Err(self.fault(fault, spans, span, hidden))
            }
        }
    }

    fn check_count(&self, count: usize, spans: &[Span], span: Span) -> Result<(), Box<Failure>> {
        let needed = self.parameters.len();
        let signature = self.signature();
        if let Some(missing) = self.parameters.get(count) {
            let detail = format!("`{signature}` needs the argument `{}`, and it is not given.", missing.name);
            return Err(failure("missing-arguments", "Missing arguments of a function", detail, span));
        }
        if self.variadic.is_none() && count > needed {
            let at = spans.get(needed).copied().unwrap_or(span);
            let detail = format!("`{signature}` takes {needed} arguments, and there are {count}.");
            return Err(failure("surplus-arguments", "Surplus arguments of a function", detail, at));
        }
        Ok(())
    }

    /// How it is called: `join(separator, lists...)`.
    fn signature(&self) -> String {
        let mut names: Vec<String> = self.parameters.iter().map(|p| p.name.to_owned()).collect();
        names.extend(self.variadic.as_ref().map(|p| format!("{}...", p.name)));
        format!("{}({})", self.name, names.join(", "))
    }

    fn argument(&self, place: usize, value: Value, parameter: &Parameter, at: Span) -> Evaluated {
        let invalid = |what: String| {
            let detail = format!("The argument `{}` of `{}` {what}.", parameter.name, self.name);
            failure("invalid-argument", "Invalid argument of a function", detail, at)
        };
        let _ = place;
        if value.is_null() && !parameter.takes_null {
            return Err(invalid("must not be null".into()));
        }
        match parameter.accepts.ty() {
            Type::Any => Ok(value),
            ty => convert(&value, &ty).map_err(|error| {
                if value.marks_deep().any() {
                    return invalid(format!("must be {}", article(&ty)));
                }
                let place = match error.path.0.is_empty() {
                    true => String::new(),
                    false => format!(" (at `{}`)", error.path),
                };
                invalid(format!("does not fit: {}{place}", error.detail))
            }),
        }
    }

    fn fault(&self, fault: Fault, spans: &[Span], span: Span, hidden: bool) -> Box<Failure> {
        let why = if hidden { "its arguments do not fit (they are sensitive)".into() } else { fault.detail };
        match fault.argument {
            Some(place) => {
                let name = self.parameter(place).map_or("", |p| p.name);
                let detail = format!("The argument `{name}` of `{}` is refused: {why}.", self.name);
                let at = spans.get(place).copied().unwrap_or(span);
                failure("invalid-argument", "Invalid argument of a function", detail, at)
            }
            None => {
                let detail = format!("`{}` has no result: {why}.", self.signature());
                failure("function-failed", "Failed function", detail, span)
            }
        }
    }
}

/// An unknown that is not null.
fn unknown(ty: Type) -> Value {
    Value::unknown_with(Unknown::not_null(ty))
}

#[cfg(test)]
mod tests;
