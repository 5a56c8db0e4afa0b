//! Arguments against the block of a schema.

use std::collections::HashSet;

use terrane_model::conform::{self, Problem};
use terrane_model::convert::article;
use terrane_model::schema::{Block, NestedBlock, Nesting};
use terrane_model::{Address, Diagnostic, Kind, Path, Span, Type, Value};

use super::Checker;
use crate::place::Places;

impl Checker<'_, '_> {
    /// Checks an evaluated body. `header` is where what is absent is reported.
    pub(super) fn body(
        &mut self,
        body: &Value,
        block: &Block,
        places: &Places,
        header: Span,
        about: Option<&Address>,
        seen: &mut HashSet<(Span, &'static str, String)>,
    ) {
        let (mut config, mut problems) = conform::conform(body, block);
        let misfits: HashSet<_> = problems.iter().map(|p| p.path.clone()).collect();
        let listed = listed(block);
        let block = listed.as_ref().unwrap_or(block);
        if listed.is_some() {
            config = conform::conform(body, block).0;
        }
        // A misfit is null in the config; that it is missing is not worth saying.
        problems.extend(conform::check(&config, block).into_iter().filter(|p| !misfits.contains(&p.path)));
        problems.extend(block.blocks.iter().filter_map(|nested| not_a_block(body, nested)));
        for problem in problems {
            let span = place(&problem, places, header);
            if seen.insert((span, problem.code, problem.detail.clone())) {
                let error = Diagnostic::error(problem.code, problem.summary, problem.detail).at(span);
                self.report(match about {
                    Some(address) => error.about(address),
                    None => error,
                });
            }
        }
        // An object that was made with it elsewhere may keep it, so that only the plan can refuse it.
        for (name, why) in block.unsupported() {
            if config.get(name).is_some_and(says_something) {
                let span = places.at(&Path::attribute(name));
                if seen.insert((span, "not-supported", why.to_owned())) {
                    let warning =
                        Diagnostic::warning("not-supported", "Argument not supported", why).at(span);
                    self.report(
                        warning.hint("The plan refuses it, unless the object was made with it elsewhere."),
                    );
                }
            }
        }
        for attribute in block.attributes.iter().filter(|a| a.deprecated.is_some()) {
            if body.get(attribute.name).is_some_and(|v| !v.is_null())
                && let Some(why) = attribute.deprecated
            {
                let span = places.key_at(&Path::attribute(attribute.name));
                let detail = format!("`{}` is deprecated: {why}", attribute.name);
                if seen.insert((span, "deprecated", detail.clone())) {
                    self.report(Diagnostic::warning("deprecated", "Deprecated argument", detail).at(span));
                }
            }
        }
    }
}

/// Whether a value is more than another way of leaving the argument out.
fn says_something(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) => false,
        Kind::Bool(flag) => *flag,
        Kind::String(text) => !text.is_empty(),
        Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => !elements.is_empty(),
        _ => true,
    }
}

/// A problem when an unknown value of a primitive type stands for blocks: no block will come of it.
fn not_a_block(body: &Value, nested: &NestedBlock) -> Option<Problem> {
    let value = body.get(nested.name).filter(|v| v.is_unknown() && v.ty().is_primitive())?;
    let detail = format!(
        "`{}` is a block: a table, or an array of tables; this is {}.",
        nested.name,
        article(&value.ty())
    );
    Some(Problem {
        path: Path::attribute(nested.name),
        code: "wrong-type",
        summary: "Wrong type of a block",
        detail,
    })
}

/// The block with lists in place of sets, if it has sets: the elements of a set are sorted, and a problem must point to
/// where its element stands in the file.
fn listed(block: &Block) -> Option<Block> {
    let is_set = |ty: &Type| matches!(ty, Type::Set(_));
    let inner: Vec<Option<Block>> = block.blocks.iter().map(|b| listed(&b.block)).collect();
    let any = inner.iter().any(Option::is_some)
        || block.attributes.iter().any(|a| is_set(&a.ty))
        || block.blocks.iter().any(|b| b.nesting == Nesting::Set);
    if !any {
        return None;
    }
    let mut ordered = block.clone();
    for attribute in &mut ordered.attributes {
        if let Type::Set(element) = &attribute.ty {
            attribute.ty = Type::List(element.clone());
        }
    }
    for (nested, inner) in ordered.blocks.iter_mut().zip(inner) {
        if nested.nesting == Nesting::Set {
            nested.nesting = Nesting::List;
        }
        nested.block = inner.unwrap_or_else(|| std::mem::take(&mut nested.block));
    }
    Some(ordered)
}

/// The place that a problem is about: the key of what should not be there, the value of what is wrong, the block that
/// lacks something.
fn place(problem: &Problem, places: &Places, header: Span) -> Span {
    let exists = problem.path.0.first().is_none_or(|first| places.child(first).is_some());
    match problem.code {
        _ if !exists => header,
        "unknown-argument"
        | "read-only-argument"
        | "conflicting-arguments"
        | "missing-companion"
        | "too-many-blocks"
        | "too-few-blocks" => places.key_at(&problem.path),
        _ => places.at(&problem.path),
    }
}
