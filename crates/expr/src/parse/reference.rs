//! From a name and the steps behind it to a reference.

use std::sync::Arc;

use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Mode, Span, Type, Value};

use super::Parser;
use crate::ast::{Expr, Node, Postfix, PostfixStep};
use crate::reference::Reference;

/// First words that are not resource types.
const ROOTS: [&str; 13] = [
    "var",
    "local",
    "module",
    "data",
    "resource",
    "each",
    "count",
    "self",
    "path",
    "terraform",
    "terrane",
    "ephemeral",
    "provider",
];

/// The name in front of the steps, if one is there.
fn attribute(steps: &[Postfix], place: usize) -> Option<(&Arc<str>, Span)> {
    match steps.get(place) {
        Some(Postfix { step: PostfixStep::Attribute(name), span }) => Some((name, *span)),
        _ => None,
    }
}

impl Parser<'_> {
    /// Turns a name that nothing binds and the steps behind it into a reference, and leaves the steps that go into its
    /// value. What has no sensible shape is reported, and null stands for it.
    pub(super) fn reference(&mut self, name: &str, span: Span, steps: &mut Vec<Postfix>) -> Expr {
        match resolve(name, span, steps) {
            Ok((reference, used)) => {
                let mut span = span;
                for step in steps.drain(..used) {
                    span = span.to(step.span);
                }
                Expr::new(Node::Reference(reference), span)
            }
            Err(problem) => {
                let span = steps.iter().fold(span, |span, step| span.to(step.span));
                self.problems.push(problem.at(span));
                Expr::literal(Value::null(Type::Any), span)
            }
        }
    }
}

/// The reference and how many steps belong to it.
fn resolve(name: &str, span: Span, steps: &[Postfix]) -> Result<(Reference, usize), Diagnostic> {
    let first = attribute(steps, 0);
    let second = attribute(steps, 1);
    let needs = |what: &str, example: &str| {
        let detail = format!("`{name}` must be followed by {what}, as in `{example}`.");
        Err(invalid(detail).at(span))
    };
    Ok(match name {
        "var" => match first {
            Some((name, _)) => (Reference::Variable(name.clone()), 1),
            None => return needs("the name of a variable", "var.name"),
        },
        "local" => match first {
            Some((name, _)) => (Reference::Local(name.clone()), 1),
            None => return needs("the name of a local value", "local.name"),
        },
        "module" => match (first, second) {
            (Some((name, _)), None) => (Reference::Module { name: name.clone(), output: None }, 1),
            (Some((name, _)), Some((output, _))) => {
                (Reference::Module { name: name.clone(), output: Some(output.clone()) }, 2)
            }
            (None, _) => return needs("the name of a module call", "module.name.output"),
        },
        "data" => match (first, second) {
            (Some((type_name, _)), Some((name, _))) => {
                let (type_name, name) = (type_name.clone(), name.clone());
                (Reference::Resource { mode: Mode::Data, type_name, name }, 2)
            }
            _ => return needs("a type and a name", "data.aws_caller_identity.current"),
        },
        "resource" => match (first, second) {
            (Some((type_name, _)), Some((name, _))) => {
                let (type_name, name) = (type_name.clone(), name.clone());
                (Reference::Resource { mode: Mode::Managed, type_name, name }, 2)
            }
            _ => return needs("a type and a name", "resource.aws_kms_key.main"),
        },
        "each" => (one_of(name, first, &["key", "value"], &[Reference::EachKey, Reference::EachValue])?, 1),
        "count" => (one_of(name, first, &["index"], &[Reference::CountIndex])?, 1),
        "path" => {
            let places = [Reference::PathModule, Reference::PathRoot, Reference::PathCwd];
            (one_of(name, first, &["module", "root", "cwd"], &places)?, 1)
        }
        "terraform" | "terrane" => (one_of(name, first, &["workspace"], &[Reference::Workspace])?, 1),
        "self" => (Reference::SelfObject, 0),
        "ephemeral" | "provider" => {
            return Err(invalid(format!("`{name}` can't be referred to here.")).at(span));
        }
        _ => match first {
            Some((resource, _)) => {
                let (type_name, name) = (Arc::from(name), resource.clone());
                (Reference::Resource { mode: Mode::Managed, type_name, name }, 1)
            }
            None => return Err(lone_word(name).at(span)),
        },
    })
}

fn invalid(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("invalid-reference", "Invalid reference", detail)
}

fn one_of(
    root: &str,
    found: Option<(&Arc<str>, Span)>,
    names: &[&str],
    references: &[Reference],
) -> Result<Reference, Diagnostic> {
    let listed: Vec<String> = names.iter().map(|n| format!("`{root}.{n}`")).collect();
    let listed = listed.join(", ");
    let Some((name, span)) = found else {
        return Err(invalid(format!("`{root}` can't stand alone; there is {listed}.")));
    };
    match names.iter().position(|n| **n == **name).and_then(|i| references.get(i)) {
        Some(reference) => Ok(reference.clone()),
        None => Err(invalid(format!("There is no `{root}.{name}`; there is {listed}.")).at(span)),
    }
}

fn lone_word(name: &str) -> Diagnostic {
    let problem = invalid(format!(
        "`{name}` is no reference: a resource needs its name behind its type, as in `{name}.main`, and text stands in quotes."
    ));
    let literals = ["true", "false", "null"];
    let lower = name.to_lowercase();
    match nearest(&lower, ROOTS.into_iter().chain(literals)) {
        Some(near) if literals.contains(&near) => problem.hint(format!("Write `{near}` for the value.")),
        Some(near) => problem.hint(format!("Did you mean `{near}.{name}` or another name behind `{near}`?")),
        None if matches!(name, "nil" | "None" | "undefined") => {
            problem.hint("Write `null` for an absent value.")
        }
        None => problem,
    }
}
