//! Where in the spec a finding is: the argument, and within a policy the statement's element, as far as it can be told.

use terrane_expr::{Expr, Reference};
use terrane_model::{Address, Mode, Path, Span, Step};
use terrane_spec::{Resource, Spec};

use super::pointer::find;

/// A place in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// The statement, counted from 0; absent: the whole policy.
    pub statement: Option<usize>,
    /// The element, such as `Action`.
    pub element: Option<&'static str>,
}

/// The place of an argument, or of what is within the policy that it holds.
pub fn place(spec: &Spec, address: &Address, path: &Path, within: Option<&Within>) -> Option<Span> {
    let resource = spec.resource(&address.resource)?;
    let Some(Step::Attribute(name)) = path.0.first() else { return Some(resource.span) };
    if !resource.places.names().any(|(declared, _)| declared == name) {
        return Some(resource.span);
    }
    let whole = resource.places.key_at(path);
    let (Some(within), [_]) = (within, path.0.as_slice()) else { return Some(whole) };
    let inside = resource.body.item(name).and_then(|expr| in_expression(spec, address, expr, within));
    Some(inside.or_else(|| in_literal(spec, resource, path, within)).unwrap_or(whole))
}

/// In a policy that stands in the spec as JSON text.
fn in_literal(spec: &Spec, resource: &Resource, path: &Path, within: &Within) -> Option<Span> {
    let span = resource.places.at(path);
    let source = spec.sources.text(span);
    let quotes = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quotes| source.starts_with(quotes))?;
    let mut text = source.strip_prefix(quotes)?.strip_suffix(quotes)?;
    let mut start = span.start as usize + quotes.len();
    // A line break right behind three quotes does not count.
    for line_break in ["\r\n", "\n"] {
        if let Some(rest) = text.strip_prefix(line_break).filter(|_| quotes.len() == 3) {
            text = rest;
            start += line_break.len();
            break;
        }
    }
    let found = find(text, within.statement?, within.element)?;
    Some(Span::new(span.file, start + found.start, start + found.end))
}

fn in_expression(spec: &Spec, address: &Address, expr: &Expr, within: &Within) -> Option<Span> {
    if let Some(argument) = expr.argument_of("jsonencode") {
        let statements = argument.item("Statement")?;
        let statement = match statements.element(within.statement?) {
            Some(statement) => statement,
            None if within.statement == Some(0) => statements,
            None => return Some(statements.span()),
        };
        let element = within.element.and_then(|element| statement.item(element));
        return Some(element.map_or(statement.span(), Expr::span));
    }
    in_document(spec, address, expr, within)
}

/// In the data source that writes the policy.
fn in_document(spec: &Spec, address: &Address, expr: &Expr, within: &Within) -> Option<Span> {
    let mut references = expr.references();
    let (Reference::Resource { mode: Mode::Data, type_name, name }, _, _) = references.next()? else {
        return None;
    };
    if references.next().is_some() || type_name.as_ref() != "aws_iam_policy_document" {
        return None;
    }
    let names: Vec<_> = address.resource.module.0.iter().map(|step| step.name.clone()).collect();
    let document = spec.module(&names)?.resource(Mode::Data, type_name, name)?;
    let has = |name: &str| document.places.names().any(|(declared, _)| declared.as_ref() == name);
    // What is merged in moves the statements.
    let (Some(statement), false) =
        (within.statement, has("source_policy_documents") || has("override_policy_documents"))
    else {
        return Some(document.span);
    };
    let argument = match within.element {
        Some("Action") => "actions",
        Some("NotAction") => "not_actions",
        Some("Resource") => "resources",
        Some("NotResource") => "not_resources",
        Some("Principal") => "principals",
        Some("NotPrincipal") => "not_principals",
        _ => "sid",
    };
    let path = Path(vec![
        Step::Attribute("statement".into()),
        Step::Index(statement),
        Step::Attribute(argument.into()),
    ]);
    Some(document.places.key_at(&path))
}
