//! `templatefile` and `templatestring`.

use terrane_model::{Diagnostics, FileId, Kind, Span, Value};

use super::choice::variables;
use super::{Fault, Given, Outcome, file};
use crate::ast::{Call, Node, PostfixStep};
use crate::eval::{Env, Evaluated, failure, undetermined};
use crate::origin::Origin;
use crate::parse::parse_closed_template;

/// Renders a file with the given variables and nothing else.
pub(super) fn template_file(given: &Given<'_>) -> Outcome {
    if given.env.in_template() {
        return Err(Fault::new("a template can't render another one"));
    }
    let vars = given.value(1)?;
    check_variables(vars).map_err(|why| Fault::at(1, why))?;
    let path = given.text(0)?;
    let text = file::text(given, 0)?;
    match render(given.env, &text, vars) {
        Ok(value) => Ok(value),
        Err(problems) => Err(Fault::at(0, describe(&format!("the template `{path}`"), &text, &problems))),
    }
}

fn check_variables(vars: &Value) -> Result<(), String> {
    match vars.kind() {
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let is_name = |name: &str| {
                let mut chars = name.chars();
                chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
                    && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
            };
            match entries.keys().find(|name| !is_name(name)) {
                Some(name) => Err(format!("`{name}` can't be the name of a variable")),
                None => Ok(()),
            }
        }
        Kind::Unknown(u) if !u.ty.is_primitive() => Ok(()),
        _ => Err("the variables must be given as a map or object".into()),
    }
}

fn render(env: &Env<'_>, text: &str, vars: &Value) -> Result<Value, Diagnostics> {
    let template = parse_closed_template(text, &Origin::linear(FileId(0), 0))?;
    let Some(vars) = variables(vars) else { return Ok(undetermined()) };
    Env::closed(env.scope, &vars).eval(&template).map_err(|failure| failure.diagnostics)
}

/// What is wrong inside a template, with its line.
fn describe(what: &str, text: &str, problems: &Diagnostics) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let before = problem.span.and_then(|span| text.get(..span.start as usize)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            format!("in line {line} of {what}: {}", problem.detail.trim_end_matches('.'))
        })
        .collect();
    lines.join("; ")
}

/// Renders a template that a named value holds.
pub(super) fn template_string(env: &Env<'_>, call: &Call, span: Span) -> Evaluated {
    let [template, vars] = &*call.arguments else {
        let detail = "`templatestring` takes a template and its variables.";
        return Err(failure("missing-arguments", "Missing arguments of a function", detail, span));
    };
    let refused = |detail: String, span: Span| {
        failure("invalid-argument", "Invalid argument of a function", detail, span)
    };
    let is_name = match &template.node {
        Node::Reference(_) | Node::Variable(_) => true,
        Node::Steps(base, steps) => {
            matches!(base.node, Node::Reference(_) | Node::Variable(_))
                && steps.iter().all(|s| !matches!(s.step, PostfixStep::Splat(_)))
        }
        _ => false,
    };
    if !is_name {
        let detail = "The first argument of `templatestring` must name a value that holds the template, such as `local.greeting`. \
                      Write a template that is known here as it is, without this function.";
        return Err(refused(detail.into(), template.span()));
    }
    if env.in_template() {
        return Err(refused("A template can't render another one.".into(), span));
    }
    let (text, given) = (env.eval(template)?, env.eval(vars)?);
    let marks = text.marks();
    check_variables(&given).map_err(|why| refused(format!("{why}."), vars.span()))?;
    let text = terrane_model::convert::convert(&text, &terrane_model::Type::String)
        .map_err(|error| refused(format!("The template must be text: {}.", error.detail), template.span()))?;
    let Some(text) = text.as_str() else {
        return match text.is_null() {
            true => Err(refused("The template is null.".into(), template.span())),
            false => Ok(undetermined().with_marks(marks)),
        };
    };
    match render(env, text, &given) {
        Ok(value) => Ok(value.with_marks(marks)),
        Err(_) if marks.any() => {
            Err(refused("The template, which is sensitive, can't be rendered.".into(), template.span()))
        }
        Err(problems) => Err(refused(
            format!("It can't be rendered: {}.", describe("the template", text, &problems)),
            template.span(),
        )),
    }
}
