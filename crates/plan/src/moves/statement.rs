//! The `[[moved]]` entries of all modules, put into an order in which each finds what others bring it.

use std::collections::BTreeMap;

use terrane_model::{Diagnostic, Diagnostics, Span};
use terrane_spec::Spec;
use terrane_spec::statement::Moved;

use super::pattern::Pattern;

/// One entry, seen from the root module.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) from: Pattern,
    pub(super) to: Pattern,
    pub(super) from_span: Span,
    pub(super) to_span: Span,
}

impl Statement {
    fn new(names: &[std::sync::Arc<str>], moved: &Moved) -> Statement {
        let (from, to) = Pattern::pair(names, &moved.from.0, &moved.to.0);
        Statement { from, to, from_span: moved.from.1, to_span: moved.to.1 }
    }

    /// Whether this one must be carried out after the other: it takes up what the other brings, or brings something into
    /// a module that the other moves.
    fn follows(&self, other: &Statement) -> bool {
        self.from.may_lie_in(&other.to)
            || other.to.surely_lies_in(&self.from)
            || self.to.may_lie_in(&other.to)
    }
}

/// All statements in the order in which they are carried out.
///
/// # Errors
/// Statements that contradict each other, and chains without an end.
pub(super) fn statements(spec: &Spec) -> Result<Vec<Statement>, Diagnostics> {
    let all: Vec<Statement> = spec
        .all_modules()
        .flat_map(|(names, module)| module.moved.iter().map(|moved| Statement::new(names, moved)))
        .collect();
    let found = contradictions(&all);
    if !found.is_empty() {
        return Err(found);
    }
    in_order(all).map_err(|cycle| vec![cycle])
}

fn contradictions(all: &[Statement]) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut seen: [BTreeMap<String, &Statement>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for statement in all {
        if statement.from.is_same(&statement.to) {
            let detail = format!("`{}` is moved to where it is.", statement.from);
            let error = Diagnostic::error("redundant-move", "Redundant move", detail).at(statement.to_span);
            found.push(error.hint("Take the entry out."));
            continue;
        }
        let sides =
            [(&statement.from, statement.from_span, "from"), (&statement.to, statement.to_span, "to")];
        for (seen, (pattern, span, side)) in seen.iter_mut().zip(sides) {
            let Some(first) = seen.insert(pattern.to_string(), statement) else { continue };
            let (other, detail) = match side {
                "from" => (
                    first.from_span,
                    format!(
                        "`{pattern}` can move to one place only: one entry says `{}`, another one `{}`.",
                        first.to, statement.to
                    ),
                ),
                _ => (
                    first.to_span,
                    format!(
                        "To `{pattern}` only one object can move: one entry says `{}`, another one `{}`.",
                        first.from, statement.from
                    ),
                ),
            };
            let error = Diagnostic::error("ambiguous-move", "Ambiguous move", detail).at(span);
            found.push(error.with_related(other, "the other one"));
        }
    }
    found
}

/// Sorts statements such that each comes after those that it follows; otherwise in the order in which they are written.
fn in_order(all: Vec<Statement>) -> Result<Vec<Statement>, Diagnostic> {
    let waits_for: Vec<Vec<usize>> = all
        .iter()
        .enumerate()
        .map(|(i, statement)| {
            let others = all.iter().enumerate();
            others.filter(|(j, other)| *j != i && statement.follows(other)).map(|(j, _)| j).collect()
        })
        .collect();
    let mut done = vec![false; all.len()];
    let is_done = |done: &[bool], i: &usize| done.get(*i).copied().unwrap_or(false);
    let mut sorted = Vec::with_capacity(all.len());
    loop {
        let next = waits_for
            .iter()
            .enumerate()
            .find(|(i, waits)| !is_done(&done, i) && waits.iter().all(|wait| is_done(&done, wait)));
        let Some((next, _)) = next else { break };
        if let (Some(flag), Some(statement)) = (done.get_mut(next), all.get(next)) {
            *flag = true;
            sorted.push(statement.clone());
        }
    }
    if sorted.len() == all.len() {
        return Ok(sorted);
    }
    // What is left waits for a cycle or is part of one: what nothing else waits for is not part of it.
    let mut rest: Vec<usize> = (0..all.len()).filter(|i| !is_done(&done, i)).collect();
    loop {
        let needed =
            |i: &usize| rest.iter().any(|other| waits_for.get(*other).is_some_and(|waits| waits.contains(i)));
        let kept: Vec<usize> = rest.iter().copied().filter(|i| needed(i)).collect();
        if kept.len() == rest.len() {
            break;
        }
        rest = kept;
    }
    let members: Vec<&Statement> = rest.iter().filter_map(|i| all.get(*i)).collect();
    let chain: Vec<String> = members.iter().map(|s| format!("`{}` to `{}`", s.from, s.to)).collect();
    let detail = format!(
        "These moves lead back to where they begin, so there is no place where the objects would stay: {}.",
        chain.join(", ")
    );
    let mut error = Diagnostic::error("cyclic-moves", "Moves in a cycle", detail)
        .hint("A chain of moves must end at an address from which nothing moves away.");
    for (i, member) in members.iter().enumerate() {
        error = match i {
            0 => error.at(member.from_span),
            _ => error.with_related(member.from_span, "and from here"),
        };
    }
    Err(error)
}
