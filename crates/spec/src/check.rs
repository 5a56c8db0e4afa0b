//! Checks a decoded spec against itself and against the schemas, without any value from outside.
//!
//! Every expression is evaluated over unknown values of the right types, so that what is wrong for all values of the
//! variables is found now: undeclared names, attributes that do not exist, arguments of the wrong type, literals out of
//! bounds. What hangs on a value is for the plan.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use terrane_expr::{Expr, FunctionContext};
use terrane_model::schema::Schemas;
use terrane_model::{Diagnostic, Diagnostics, Span, diagnostic};

use crate::module::{Module, ResourceKey, Spec};
use crate::parse::{Failure, Parsed};

mod argument;
mod condition;
mod declared;
mod order;
mod reference;
mod resource;
mod scope;
mod statement;

use scope::StaticScope;

/// The arguments of resources one by one, so that one that has no value does not hide the others.
pub(crate) type Arguments = BTreeMap<ResourceKey, Vec<(Arc<str>, Expr)>>;

/// Messages that follow from text that could not be read.
const ECHOES: [&str; 7] = [
    "missing-argument",
    "too-few-blocks",
    "missing-companion",
    "undeclared-variable",
    "undeclared-local",
    "undeclared-resource",
    "undeclared-module",
];

/// Checks a spec. `functions` is what functions work with; the files that they read are read here.
///
/// # Errors
/// Everything that is wrong with the spec, what [`parse`](crate::parse::parse) has found included, in the order of the
/// files.
pub fn check(parsed: Parsed, schemas: &dyn Schemas, functions: &FunctionContext) -> Result<Spec, Failure> {
    let Parsed { sources, mut root, digest, found, torn, arguments } = parsed;
    let checked = Checker::run(&root, &arguments, schemas, functions);
    let mut all = found;
    all.extend(checked.into_iter().filter(|d| !torn || (d.is_error() && !ECHOES.contains(&d.code))));
    let diagnostics = in_order(all);
    if diagnostic::has_errors(&diagnostics) {
        return Err(Failure { sources, diagnostics });
    }
    resource::settle_paths(&mut root, schemas);
    Ok(Spec { sources, root, modules: BTreeMap::new(), digest, warnings: diagnostics })
}

/// Sorted by place, each message once.
fn in_order(mut diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.sort_by_key(|d| d.span.map(|s| (s.file, s.start)));
    let mut seen = HashSet::new();
    diagnostics.retain(|d| seen.insert((d.span, d.code, d.detail.clone())));
    diagnostics
}

struct Checker<'c> {
    module: &'c Module,
    schemas: &'c dyn Schemas,
    found: Diagnostics,
    /// Places at which a wrong reference was reported; what the evaluator says there is an echo.
    reported: Vec<Span>,
    /// Nearest names are looked for so many more times: a search is as long as the list of names.
    searches: usize,
}

impl<'c> Checker<'c> {
    fn run(
        module: &'c Module,
        arguments: &'c Arguments,
        schemas: &'c dyn Schemas,
        functions: &'c FunctionContext,
    ) -> Diagnostics {
        let mut checker = Checker { module, schemas, found: Vec::new(), reported: Vec::new(), searches: 100 };
        checker.references();
        checker.reported.sort();
        let mut scope = StaticScope::new(module, schemas, functions);
        checker.settle(&mut scope);
        checker.resources(&scope, arguments);
        checker.providers(&scope);
        checker.statements(&scope);
        checker.found
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Takes over what the evaluator found, but for echoes of wrong references.
    fn evaluator_found(&mut self, diagnostics: Diagnostics) {
        for diagnostic in diagnostics {
            let echo = diagnostic.span.is_some_and(|span| {
                let after = self.reported.partition_point(|r| (r.file, r.start) <= (span.file, span.start));
                let before = after.checked_sub(1).and_then(|i| self.reported.get(i));
                before.is_some_and(|r| r.file == span.file && span.start <= r.end)
            });
            if !echo {
                self.found.push(diagnostic);
            }
        }
    }
}
