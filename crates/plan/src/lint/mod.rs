//! The built-in lint: what is allowed and yet probably not meant, found in the values of a stack.
//!
//! In the order of the flow: [`rule`] (what is looked for, and why), `objects` and `documents` (where it is found), `place`
//! (where that stands in the spec), and here: findings gathered, and those silenced that the spec says are meant to be so.

pub mod rule;

mod documents;
mod objects;
pub(crate) mod place;
mod pointer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_expr::FunctionContext;
use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic, Diagnostics, Mode, Span, Type, Value};
use terrane_provider::Catalog;
use terrane_spec::Spec;
use terrane_spec::settings::LintIgnore;

use crate::access::{Ground, imagine, imagined_by};
use crate::graph::graph;
use crate::plan::Plan;

pub use rule::{Grade, RULES, Rule};

/// Something that a rule speaks against, in one place, for one object or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The objects.
    pub addresses: Vec<Address>,
    /// The argument, such as `policy`.
    pub argument: String,
    /// Where it stands.
    pub span: Option<Span>,
    /// What is found there, a sentence.
    pub detail: String,
    /// Why it is meant to be so, where the spec says that.
    pub silenced: Option<Arc<str>>,
}

/// All findings of a stack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Findings, the gravest first, then by rule and place.
    pub findings: Vec<Finding>,
    /// What is wrong with what the spec silences.
    pub remarks: Diagnostics,
}

impl Report {
    /// Findings that are not silenced.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.silenced.is_none())
    }

    /// How many open findings there are of each grade: high, medium, low.
    pub fn counts(&self) -> [(Grade, usize); 3] {
        [Grade::High, Grade::Medium, Grade::Low]
            .map(|grade| (grade, self.open().filter(|finding| finding.rule.grade == grade).count()))
    }
}

/// Judges a plan: the objects that it leads to.
///
/// # Errors
/// When the spec has no graph.
pub fn of_plan(
    plan: &Plan,
    spec: &Spec,
    catalog: &Catalog,
    functions: &FunctionContext,
) -> Result<Report, Diagnostics> {
    if !concerns(spec) {
        return Ok(report(spec, &BTreeMap::new(), Silence::Checked));
    }
    let (_, objects) = imagined_by(plan, spec, catalog, functions)?;
    let silence = match plan.targeting.is_limited() || plan.mode != crate::plan::Mode::Normal {
        true => Silence::Taken,
        false => Silence::Checked,
    };
    Ok(report(spec, &objects, silence))
}

/// Judges a spec as far as its values are known without any call and with the defaults of its variables.
///
/// # Errors
/// When the spec has no graph.
pub fn of_spec(
    spec: &Spec,
    workspace: &Arc<str>,
    catalog: &Catalog,
    functions: &FunctionContext,
) -> Result<Report, Diagnostics> {
    if !concerns(spec) {
        return Ok(report(spec, &BTreeMap::new(), Silence::Taken));
    }
    let variables = spec.root.variables.iter().map(|(name, variable)| {
        let value = variable.default.clone().unwrap_or_else(|| Value::unknown(variable.ty.clone()));
        (name.clone(), value)
    });
    let variables = variables.collect();
    let ground = Ground {
        spec,
        variables: &variables,
        workspace,
        functions,
        catalog,
        facts: &BTreeMap::new(),
        planned: &|_| Some(Value::unknown(Type::Any)),
    };
    let objects = imagine(&ground, &graph(spec)?).objects;
    Ok(report(spec, &objects, Silence::Taken))
}

/// Whether the spec declares anything that a rule looks at, or silences something.
fn concerns(spec: &Spec) -> bool {
    let looked_at = |type_name: &str| type_name.starts_with("aws_");
    spec.all_modules().any(|(_, module)| {
        module.resources.keys().any(|key| key.mode == Mode::Managed && looked_at(&key.type_name))
    })
}

/// What becomes of entries that silence findings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// They silence.
    Taken,
    /// One that silences nothing is told of, too: everything was judged.
    Checked,
}

fn report(spec: &Spec, objects: &BTreeMap<Address, Value>, silence: Silence) -> Report {
    let ignores = &spec.root.settings.lint_ignores;
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut together: BTreeMap<_, Vec<Address>> = BTreeMap::new();
    for (address, value) in objects {
        let (plain, _) = value.clone().unmark_deep();
        for breach in objects::breaches(&address.resource.type_name, &plain) {
            let argument = breach.path.0.first().map(step_name).unwrap_or_default();
            let secret = value.get(&argument).is_some_and(|value| value.marks_deep().sensitive);
            let covering =
                |ignore: &LintIgnore| *ignore.id.0 == *breach.rule.id && ignore.address.0.covers(address);
            let found = ignores.iter().position(covering);
            used.extend(found);
            let reason = found.and_then(|number| ignores.get(number)).map(|ignore| ignore.reason.clone());
            let span = place::place(spec, address, &breach.path, breach.within.as_ref());
            let detail = if secret { String::new() } else { breach.detail };
            let key = (std::cmp::Reverse(breach.rule.grade), breach.rule.id, span, argument, detail, reason);
            together.entry(key).or_default().push(address.clone());
        }
    }
    let findings =
        together.into_iter().filter_map(|((_, id, span, argument, detail, silenced), addresses)| {
            Some(Finding { rule: rule::rule(id)?, addresses, argument, span, detail, silenced })
        });
    let findings = findings.collect();
    let mut remarks = Diagnostics::new();
    for (number, ignore) in ignores.iter().enumerate() {
        remarks.extend(remark(ignore, used.contains(&number), silence));
    }
    Report { findings, remarks }
}

fn step_name(step: &terrane_model::Step) -> String {
    match step {
        terrane_model::Step::Attribute(name) => name.to_string(),
        _ => String::new(),
    }
}

fn remark(ignore: &LintIgnore, is_used: bool, silence: Silence) -> Option<Diagnostic> {
    let (id, span) = &ignore.id;
    if rule::rule(id).is_none() {
        let near = nearest(id, RULES.iter().map(|rule| rule.id));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let detail = format!("There is no rule `{id}`.{near}");
        return Some(Diagnostic::warning("lint-unknown-rule", "Unknown rule of the lint", detail).at(*span));
    }
    if is_used || silence == Silence::Taken {
        return None;
    }
    let detail = format!("No finding of `{id}` is about `{}`: the entry silences nothing.", ignore.address.0);
    let warning = Diagnostic::warning("lint-nothing-silenced", "Nothing silenced", detail);
    Some(warning.at(ignore.span).hint("Take the entry out, or correct its address."))
}
