//! Whether what an expression refers to is declared, has the attribute, and may be referred to here.

use terrane_expr::{Expr, Reference};
use terrane_model::{Diagnostic, Mode, Schema, Span, Step};

use super::Checker;
use crate::condition::Condition;
use crate::module::ResourceKey;
use crate::resource::{OwnKey, Resource};

/// What may be referred to at a place beside what the module declares.
#[derive(Clone, Copy, Default)]
pub(super) struct Here<'h> {
    /// `each`: inside an object with `for_each`.
    pub each: bool,
    /// `count`: inside an object with `count`.
    pub count: bool,
    /// `self`: in a postcondition.
    pub itself: bool,
    /// The resource that the expression belongs to and must not refer to.
    pub inside: Option<&'h Resource>,
    /// A data source of a check.
    pub data: Option<&'h Resource>,
}

impl<'h> Here<'h> {
    fn of(resource: &'h Resource) -> Here<'h> {
        Here {
            each: resource.for_each.is_some(),
            count: resource.count.is_some(),
            inside: Some(resource),
            ..Here::default()
        }
    }
}

impl Checker<'_, '_> {
    /// Looks at every reference of the module.
    pub(super) fn references(&mut self) {
        let module = self.module;
        let nowhere = Here::default();
        for local in module.locals.values() {
            self.expr(&local.expr, nowhere);
        }
        for variable in module.variables.values() {
            self.conditions(&variable.validations, nowhere);
        }
        for provider in &module.providers {
            self.expr(&provider.body, nowhere);
        }
        for resource in module.resources.values() {
            self.resource_references(resource);
        }
        for output in module.outputs.values() {
            self.expr(&output.value, nowhere);
            self.conditions(&output.preconditions, nowhere);
            self.named(&output.depends_on);
        }
        for call in module.modules.values() {
            let here = Here { each: call.for_each.is_some(), count: call.count.is_some(), ..nowhere };
            self.expr(&call.inputs, here);
            call.count.iter().chain(&call.for_each).for_each(|e| self.expr(e, nowhere));
            self.named(&call.depends_on);
        }
        for import in &module.imports {
            let here = Here { each: import.for_each.is_some(), ..nowhere };
            self.expr(import.named_by.expr(), here);
            import.key.iter().for_each(|e| self.expr(e, here));
            import.for_each.iter().for_each(|e| self.expr(e, nowhere));
        }
        for check in module.checks.values() {
            let here = Here { data: check.data.as_ref(), ..nowhere };
            check.data.iter().for_each(|data| self.resource_references(data));
            self.conditions(&check.assertions, here);
        }
        for access in module.access.values() {
            let here = Here { each: access.for_each.is_some(), ..nowhere };
            let exprs =
                [&access.principals, &access.actions, &access.resources].into_iter().chain(&access.context);
            exprs.for_each(|e| self.expr(e, here));
            access.for_each.iter().for_each(|e| self.expr(e, nowhere));
        }
    }

    fn resource_references(&mut self, resource: &Resource) {
        let here = Here::of(resource);
        self.expr(&resource.body, here);
        let alone = Here { inside: Some(resource), ..Here::default() };
        resource.count.iter().chain(&resource.for_each).for_each(|e| self.expr(e, alone));
        self.conditions(&resource.lifecycle.preconditions, here);
        let after = Here { itself: true, inside: None, ..here };
        self.conditions(&resource.lifecycle.postconditions, after);
        self.named(&resource.depends_on);
        for trigger in &resource.lifecycle.replace_triggered_by {
            // Any key stands for that of the instance, which is known only when the plan is made.
            let own = trigger.own_key.map(|own| match own {
                OwnKey::Each => (Reference::EachKey, Step::Key("".into())),
                OwnKey::Count => (Reference::CountIndex, Step::Index(0)),
            });
            let key = own.iter().map(|(_, key)| key.clone());
            let steps: Vec<Step> = key.chain(trigger.steps.iter().cloned()).collect();
            self.reference(&trigger.reference, trigger.span, &steps, Here::default());
            own.iter().for_each(|(own, _)| self.reference(own, trigger.span, &[], here));
        }
    }

    fn conditions(&mut self, conditions: &[Condition], here: Here<'_>) {
        for condition in conditions {
            self.expr(&condition.condition, here);
            self.expr(&condition.error_message, here);
        }
    }

    fn named(&mut self, references: &[(Reference, Span)]) {
        for (reference, span) in references {
            self.reference(reference, *span, &[], Here::default());
        }
    }

    fn expr(&mut self, expr: &Expr, here: Here<'_>) {
        for (reference, span, steps) in expr.references() {
            self.reference(reference, span, &steps, here);
        }
    }

    fn reference(&mut self, reference: &Reference, span: Span, steps: &[Step], here: Here<'_>) {
        let module = self.module;
        match reference {
            Reference::Variable(name) if !module.variables.contains_key(name) => {
                let near = self.suggestion(name, module.variables.keys().map(|n| &**n));
                let detail = format!("There is no variable `{name}`.{near}");
                let hint = near.is_empty().then(|| format!("To declare it, add `[variable.{name}]`."));
                self.wrong("undeclared-variable", "Undeclared variable", detail, span, hint);
            }
            Reference::Local(name) if !module.locals.contains_key(name) => {
                let near = self.suggestion(name, module.locals.keys().map(|n| &**n));
                let detail = format!("There is no local value `{name}`.{near}");
                self.wrong("undeclared-local", "Undeclared local value", detail, span, None);
            }
            Reference::Module { name, .. } if !module.modules.contains_key(name) => {
                let near = self.suggestion(name, module.modules.keys().map(|n| &**n));
                let detail = format!("There is no module call `{name}`.{near}");
                self.wrong("undeclared-module", "Undeclared module", detail, span, None);
            }
            Reference::Module { name, output } => self.output_reference(name, output.as_ref(), span, steps),
            Reference::EachKey | Reference::EachValue if !here.each => {
                let detail = format!("`{reference}` has a value only inside of what has `for_each`.");
                self.wrong("each-without-for-each", "`each` without for_each", detail, span, None);
            }
            Reference::CountIndex if !here.count => {
                let detail = format!("`{reference}` has a value only inside of what has `count`.");
                self.wrong("count-without-count", "`count` without count", detail, span, None);
            }
            Reference::SelfObject if !here.itself => {
                let detail =
                    "`self` has a value only in a postcondition. Elsewhere name the resource.".to_owned();
                self.wrong("self-outside", "`self` outside of a postcondition", detail, span, None);
            }
            Reference::Resource { mode, type_name, name } => {
                let is = |r: &&Resource| r.mode == *mode && r.type_name == *type_name && r.name == *name;
                if here.inside.filter(is).is_some() {
                    let detail = format!(
                        "`{reference}` refers to itself. Its attributes are not known while it is made."
                    );
                    return self.wrong("self-reference", "Reference to itself", detail, span, None);
                }
                let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
                match here.data.filter(is).or_else(|| module.resources.get(&key)) {
                    Some(resource) => self.traversal(resource, reference, span, steps),
                    None => self.undeclared_resource(&key, span),
                }
            }
            _ => {}
        }
    }

    fn undeclared_resource(&mut self, key: &ResourceKey, span: Span) {
        let module = self.module;
        let other = match key.mode {
            Mode::Managed => Mode::Data,
            Mode::Data => Mode::Managed,
        };
        let mirrored = ResourceKey { mode: other, ..key.clone() };
        let what = if key.mode == Mode::Data { "data source" } else { "resource" };
        let mut detail = format!("There is no {what} `{key}`.");
        if module.resources.contains_key(&mirrored) {
            detail.push_str(&format!(" There is `{mirrored}`."));
        } else if let Some(near) = self.nearest_resource(key) {
            detail.push_str(&format!(" Did you mean `{near}`?"));
        }
        let single = !key.type_name.contains('_') && self.schemas.schema(key.mode, &key.type_name).is_none();
        let hint = single.then(|| {
            format!("`{}` is not the type of a resource; a text is written without `${{}}`.", key.type_name)
        });
        self.wrong("undeclared-resource", "Undeclared resource", detail, span, hint);
    }

    /// Looks at the steps behind a reference to a resource: which instance, which attribute.
    fn traversal(&mut self, resource: &Resource, reference: &Reference, span: Span, steps: &[Step]) {
        let Some(schema) = self.schemas.schema(resource.mode, &resource.type_name) else { return };
        let indexed = |detail: String| ("wrong-instance", "Wrong instance of a resource", detail);
        let mut rest = steps.iter();
        let first = rest.next();
        let (attribute, problem) = if resource.count.is_some() {
            match first {
                Some(Step::Attribute(name)) => (
                    None,
                    Some(indexed(format!(
                        "`{reference}` has `count`, so it is a list of instances. Write `{reference}[0].{name}` for \
                         one of them, `{reference}[*].{name}` for all."
                    ))),
                ),
                Some(Step::Key(key)) => (
                    None,
                    Some(indexed(format!(
                        "`{reference}` has `count`, so its instances have numbers, not names such as `{key}`."
                    ))),
                ),
                _ => (rest.next(), None),
            }
        } else if resource.for_each.is_some() {
            match first {
                Some(Step::Attribute(name)) if has(schema, name) => (
                    None,
                    Some(indexed(format!(
                        "`{reference}` has `for_each`, so it is a map of instances. Write \
                         `{reference}[\"KEY\"].{name}` for one of them."
                    ))),
                ),
                Some(Step::Index(_)) => (
                    None,
                    Some(indexed(format!(
                        "`{reference}` has `for_each`, so its instances have names, not numbers."
                    ))),
                ),
                _ => (rest.next(), None),
            }
        } else {
            match first {
                Some(Step::Index(_) | Step::Key(_)) => (
                    None,
                    Some(indexed(format!(
                        "`{reference}` has neither `count` nor `for_each`, so there is one of it. Leave the index out."
                    ))),
                ),
                _ => (first, None),
            }
        };
        if let Some((code, summary, detail)) = problem {
            return self.wrong(code, summary, detail, span, None);
        }
        if let Some(Step::Attribute(name)) = attribute
            && !has(schema, name)
        {
            let near = self.suggestion(name, schema.block.names());
            let detail = format!("`{}` has no attribute `{name}`.{near}", resource.type_name);
            let behind = length(steps.get(..steps.len() - rest.len()).unwrap_or_default());
            let place = Span { end: span.end.saturating_add(behind), ..span };
            self.wrong("unknown-attribute", "Unknown attribute", detail, place, None);
        }
    }

    pub(super) fn wrong(
        &mut self,
        code: &'static str,
        summary: &'static str,
        detail: String,
        span: Span,
        hint: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::error(code, summary, detail).at(span);
        diagnostic.hints.extend(hint);
        self.reported.push(span);
        self.found.push(diagnostic);
    }
}

/// How long steps are when they are written without spaces.
pub(super) fn length(steps: &[Step]) -> u32 {
    let written = |step: &Step| match step {
        Step::Attribute(name) => name.len() + 1,
        Step::Index(index) => index.to_string().len() + 2,
        Step::Key(key) => key.len() + 4,
        Step::Element(_) => 0,
    };
    steps.iter().map(|step| u32::try_from(written(step)).unwrap_or(0)).sum()
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.block.attribute(name).is_some() || schema.block.nested(name).is_some()
}
