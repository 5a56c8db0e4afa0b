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
use crate::modules::{Body, Called, ROOT};
use crate::parse::{Failure, Parsed};

mod argument;
mod call;
mod condition;
mod declared;
mod order;
mod reference;
mod resource;
mod scope;
mod statement;

use call::Face;
use scope::StaticScope;

/// The arguments of resources one by one, so that one that has no value does not hide the others.
pub(crate) type Arguments = BTreeMap<ResourceKey, Vec<(Arc<str>, Expr)>>;

/// Messages that follow from text that could not be read.
const ECHOES: [&str; 8] = [
    "missing-argument",
    "too-few-blocks",
    "missing-companion",
    "undeclared-variable",
    "undeclared-local",
    "undeclared-resource",
    "undeclared-module",
    "undeclared-output",
];

/// Checks a spec. `functions` is what functions work with; the files that they read are read here.
///
/// # Errors
/// Everything that is wrong with the spec, what [`parse`](crate::parse::parse) has found included, in the order of the
/// files.
pub fn check(parsed: Parsed, schemas: &dyn Schemas, functions: &FunctionContext) -> Result<Spec, Failure> {
    let digest = parsed.digest();
    let Parsed { sources, mut root, called, mut found } = parsed;
    if called.is_none() {
        found.extend(call::not_looked_for(&root.module));
    }
    let mut called = called.unwrap_or_default();
    let mut faces: BTreeMap<Arc<str>, Face<'_>> = BTreeMap::new();
    let everything =
        called.order.iter().filter_map(|folder| Some((folder.clone(), called.bodies.get(folder)?)));
    for (folder, body) in everything.chain([(ROOT.into(), &root)]) {
        let (checked, face) = check_body(&folder, body, &called, &faces, schemas, functions);
        found.extend(checked);
        faces.extend(face.map(|face| (folder, face)));
    }
    drop(faces);
    let mut diagnostics = in_order(found);
    if diagnostic::has_errors(&diagnostics) {
        return Err(Failure { sources, diagnostics });
    }
    resource::settle_paths(&mut root.module, schemas);
    for body in called.bodies.values_mut() {
        resource::settle_paths(&mut body.module, schemas);
    }
    match called.by_names(&root.module) {
        Ok(modules) => Ok(Spec { sources, root: root.module, modules, digest, warnings: diagnostics }),
        Err(error) => {
            diagnostics.push(*error);
            Err(Failure { sources, diagnostics })
        }
    }
}

/// Checks one module. The second answer is what those who call it see of it, unless parts of it could not be read.
fn check_body<'c>(
    folder: &Arc<str>,
    body: &'c Body,
    called: &Called,
    faces: &BTreeMap<Arc<str>, Face<'c>>,
    schemas: &'c dyn Schemas,
    functions: &'c FunctionContext,
) -> (Diagnostics, Option<Face<'c>>) {
    let face = |call: &Arc<str>| Some((call.clone(), faces.get(called.target(folder, call)?)?));
    let seen: BTreeMap<Arc<str>, &Face<'c>> = body.module.modules.keys().filter_map(face).collect();
    let (mut found, face) = Checker::run(&body.module, &body.arguments, schemas, functions, seen);
    if body.torn {
        found.retain(|d| d.is_error() && !ECHOES.contains(&d.code));
    }
    (found, (!body.torn).then_some(face))
}

/// Sorted by place, each message once.
fn in_order(mut diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.sort_by_key(|d| d.span.map(|s| (s.file, s.start)));
    let mut seen = HashSet::new();
    diagnostics.retain(|d| seen.insert((d.span, d.code, d.detail.clone())));
    diagnostics
}

struct Checker<'c, 'f> {
    module: &'c Module,
    /// Whether the module is the root module.
    is_root: bool,
    schemas: &'c dyn Schemas,
    /// The modules behind the calls, by the names of the calls. Those that could not be read are missing.
    faces: BTreeMap<Arc<str>, &'f Face<'c>>,
    /// Configurations of providers that whoever calls the module must hand to it.
    wants: BTreeMap<String, Span>,
    found: Diagnostics,
    /// Places at which a wrong reference was reported; what the evaluator says there is an echo.
    reported: Vec<Span>,
    /// Nearest names are looked for so many more times: a search is as long as the list of names.
    searches: usize,
}

impl<'c, 'f> Checker<'c, 'f> {
    fn run(
        module: &'c Module,
        arguments: &'c Arguments,
        schemas: &'c dyn Schemas,
        functions: &'c FunctionContext,
        faces: BTreeMap<Arc<str>, &'f Face<'c>>,
    ) -> (Diagnostics, Face<'c>) {
        let outputs = faces.iter().map(|(name, face)| (name.clone(), face.outputs.clone())).collect();
        let mut checker = Checker {
            module,
            is_root: &*module.folder == ROOT,
            schemas,
            faces,
            wants: BTreeMap::new(),
            found: Vec::new(),
            reported: Vec::new(),
            searches: 100,
        };
        checker.references();
        checker.reported.sort();
        let mut scope = StaticScope::new(module, schemas, functions, outputs);
        checker.settle(&mut scope);
        checker.resources(&scope, arguments);
        checker.providers(&scope);
        checker.calls(&scope);
        checker.statements(&scope);
        checker.root_alone();
        let outputs = call::outputs(module, &scope);
        (checker.found, Face { module, outputs, wants: checker.wants })
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
