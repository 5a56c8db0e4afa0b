//! What the spec says, for tools that read plans: which arguments are fixed, and what the others refer to.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value as Json, json};
use terrane_expr::{Expr, FunctionContext, Reference, Scope, evaluate};
use terrane_model::schema::{Block, NestedBlock, Presence, Schemas};
use terrane_model::{Diagnostic, Mode, ModulePath, Span, Step, Type, Value};
use terrane_plan::ProviderKey;
use terrane_plan::build::provider_of;
use terrane_spec::module::{ModuleCall, Output, Provider};
use terrane_spec::place::Places;
use terrane_spec::{Module, Resource, Spec, Variable};

use super::state_json::{known, provider_source};
use crate::commands::version::PROVIDER_VERSION;

/// The root module, with those that it calls inside, and the provider configurations.
pub fn configuration(spec: &Spec, schemas: &dyn Schemas) -> Json {
    let providers: BTreeMap<String, Json> = spec
        .root
        .providers
        .iter()
        .map(|declared| {
            let key = ProviderKey { name: declared.name.clone(), alias: declared.alias.clone() };
            (key.to_string(), provider(declared, &key, schemas))
        })
        .collect();
    json!({ "provider_config": providers, "root_module": module(spec, &spec.root, &ModulePath::root(), schemas) })
}

fn module(spec: &Spec, declared: &Module, path: &ModulePath, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    let outputs: Map<String, Json> =
        declared.outputs.iter().map(|(name, o)| (name.to_string(), output(o))).collect();
    if !outputs.is_empty() {
        out.insert("outputs".into(), outputs.into());
    }
    let resources: Vec<Json> =
        declared.resources.values().map(|r| resource(spec, r, path, schemas)).collect();
    if !resources.is_empty() {
        out.insert("resources".into(), resources.into());
    }
    let calls: Map<String, Json> = declared
        .modules
        .iter()
        .map(|(name, call)| {
            (name.to_string(), module_call(spec, call, &path.child(name.clone(), None), schemas))
        })
        .collect();
    if !calls.is_empty() {
        out.insert("module_calls".into(), calls.into());
    }
    let variables: Map<String, Json> =
        declared.variables.iter().map(|(name, v)| (name.to_string(), variable(v))).collect();
    if !variables.is_empty() {
        out.insert("variables".into(), variables.into());
    }
    Json::Object(out)
}

/// A call with the module that it leads to. A checked spec has no module that calls itself.
fn module_call(spec: &Spec, call: &ModuleCall, path: &ModulePath, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    out.insert("source".into(), call.source.0.as_ref().into());
    let names: Vec<Arc<str>> = path.0.iter().map(|step| step.name.clone()).collect();
    let called = spec.module(&names);
    let secret = |name: &str| called.and_then(|m| m.variables.get(name)).is_some_and(|v| v.sensitive);
    let shown = |name: &str, input: &Expr| if secret(name) { json!({}) } else { expression(input) };
    let inputs: Map<String, Json> =
        call.named_inputs.iter().map(|(name, input)| (name.to_string(), shown(name, input))).collect();
    out.insert("expressions".into(), inputs.into());
    if let Some(called) = called {
        out.insert("module".into(), module(spec, called, path, schemas));
    }
    repetition(&mut out, call.count.as_ref(), call.for_each.as_ref());
    depends_on(&mut out, &call.depends_on);
    Json::Object(out)
}

fn repetition(out: &mut Map<String, Json>, count: Option<&Expr>, for_each: Option<&Expr>) {
    for (name, repeated) in [("count_expression", count), ("for_each_expression", for_each)] {
        if let Some(repeated) = repeated {
            out.insert(name.into(), expression(repeated));
        }
    }
}

fn depends_on(out: &mut Map<String, Json>, needed: &[(Reference, Span)]) {
    if !needed.is_empty() {
        let names: Vec<String> = needed.iter().map(|(reference, _)| reference.to_string()).collect();
        out.insert("depends_on".into(), names.into());
    }
}

fn output(declared: &Output) -> Json {
    let mut out = Map::new();
    if declared.sensitive {
        out.insert("sensitive".into(), true.into());
    }
    out.insert("expression".into(), expression(&declared.value));
    if let Some(description) = &declared.description {
        out.insert("description".into(), description.as_ref().into());
    }
    Json::Object(out)
}

fn variable(declared: &Variable) -> Json {
    let mut out = Map::new();
    if let Some(default) = &declared.default {
        out.insert("default".into(), if declared.sensitive { Json::Null } else { known(default) });
    }
    if let Some(description) = &declared.description {
        out.insert("description".into(), description.as_ref().into());
    }
    if declared.sensitive {
        out.insert("sensitive".into(), true.into());
    }
    Json::Object(out)
}

fn provider(declared: &Provider, key: &ProviderKey, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    out.insert("name".into(), declared.name.as_ref().into());
    out.insert("full_name".into(), provider_source(key).into());
    if let Some(alias) = &declared.alias {
        out.insert("alias".into(), alias.as_ref().into());
    }
    if declared.name.as_ref() == "aws" {
        out.insert("version_constraint".into(), PROVIDER_VERSION.into());
    }
    if let Some(block) = schemas.provider(&declared.name) {
        out.insert("expressions".into(), Body::new(&declared.body).block(&declared.places, block, None));
    }
    Json::Object(out)
}

fn resource(spec: &Spec, declared: &Resource, path: &ModulePath, schemas: &dyn Schemas) -> Json {
    let key = declared.key();
    let mut out = Map::new();
    out.insert("address".into(), key.to_string().into());
    out.insert("mode".into(), if key.mode == Mode::Data { "data" } else { "managed" }.into());
    out.insert("type".into(), key.type_name.as_ref().into());
    out.insert("name".into(), key.name.as_ref().into());
    out.insert("provider_config_key".into(), provider_of(spec, &key.address(path)).to_string().into());
    if let Some(schema) = schemas.schema(key.mode, &key.type_name) {
        let body = Body::new(&declared.body);
        let expressions = body.block(&declared.places, &schema.block, body.value.as_ref());
        if expressions != json!({}) {
            out.insert("expressions".into(), expressions);
        }
        out.insert("schema_version".into(), schema.version.into());
    }
    repetition(&mut out, declared.count.as_ref(), declared.for_each.as_ref());
    depends_on(&mut out, &declared.depends_on);
    Json::Object(out)
}

/// A whole expression: its value, or what it refers to.
fn expression(expr: &Expr) -> Json {
    let body = Body::new(expr);
    body.shown(&body.references, body.value.as_ref())
}

/// An expression with everything that it refers to, and its value as far as it refers to nothing.
struct Body {
    value: Option<Value>,
    references: Vec<(Span, Vec<String>)>,
}

impl Body {
    fn new(expr: &Expr) -> Body {
        let references =
            expr.references().map(|(reference, span, steps)| (span, names(reference, &steps))).collect();
        Body { value: evaluate(expr, &Anything).ok(), references }
    }

    /// The arguments of a block that are written down, nested blocks inside.
    fn block(&self, places: &Places, block: &Block, value: Option<&Value>) -> Json {
        let mut out = Map::new();
        for attribute in &block.attributes {
            let Some(place) = places.child(&Step::Attribute(attribute.name.into())) else { continue };
            let value = value.or(self.value.as_ref()).and_then(|value| value.get(attribute.name));
            let value = if attribute.sensitive { None } else { value };
            out.insert(attribute.name.into(), self.shown(&self.within(place.value), value));
        }
        for nested in &block.blocks {
            let Some(place) = places.child(&Step::Attribute(nested.name.into())) else { continue };
            let value = value.and_then(|value| value.get(nested.name));
            out.insert(nested.name.into(), self.nested(place, nested, value));
        }
        Json::Object(out)
    }

    fn nested(&self, places: &Places, nested: &NestedBlock, value: Option<&Value>) -> Json {
        let element = |i: usize| match value {
            Some(value) if value.entries().is_some() => Some(value),
            value => value.and_then(|value| value.index(i)),
        };
        let mut all = Vec::new();
        while let Some(place) = places.child(&Step::Index(all.len())).filter(|_| all.len() < MOST_BLOCKS) {
            let one = std::ptr::eq(place, places);
            all.push(self.block(place, &nested.block, element(all.len())));
            if one {
                break;
            }
        }
        if all.is_empty() {
            // Given as an expression that yields the blocks: what it refers to stands for each of their arguments.
            let shown = self.shown(&self.within(places.value), None);
            let required = nested.block.attributes.iter().filter(|a| a.presence == Presence::Required);
            all.push(Json::Object(required.map(|a| (a.name.to_owned(), shown.clone())).collect()));
        }
        all.into()
    }

    /// The references that stand inside a place.
    fn within(&self, place: Span) -> Vec<(Span, Vec<String>)> {
        let inside =
            |span: &Span| span.file == place.file && span.start >= place.start && span.end <= place.end;
        self.references.iter().filter(|(span, _)| inside(span)).cloned().collect()
    }

    fn shown(&self, references: &[(Span, Vec<String>)], value: Option<&Value>) -> Json {
        if !references.is_empty() {
            let mut all: Vec<&String> = Vec::new();
            for name in references.iter().flat_map(|(_, names)| names) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            return json!({ "references": all });
        }
        match value.filter(|value| value.is_wholly_known()) {
            Some(value) => json!({ "constant_value": known(value) }),
            None => json!({}),
        }
    }
}

/// More blocks of one name are not told one by one.
const MOST_BLOCKS: usize = 1000;

/// A reference as far as its steps are known, and what it leads to as a whole.
fn names(reference: &Reference, steps: &[Step]) -> Vec<String> {
    let mut full = reference.to_string();
    for step in steps {
        match step {
            Step::Attribute(name) => full.push_str(&format!(".{name}")),
            Step::Key(key) => full.push_str(&format!("[{key:?}]")),
            Step::Index(i) => full.push_str(&format!("[{i}]")),
            Step::Element(_) => break,
        }
    }
    let whole = reference.to_string();
    if full == whole { vec![whole] } else { vec![full, whole] }
}

/// A scope in which everything has a value that is not known.
struct Anything;

static CLOSED: LazyLock<FunctionContext> = LazyLock::new(FunctionContext::closed);

impl Scope for Anything {
    fn resolve(&self, _: &Reference, _: Span) -> Result<Value, Diagnostic> {
        Ok(Value::unknown(Type::Any))
    }

    fn functions(&self) -> &FunctionContext {
        &CLOSED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"
[provider.aws]
region     = "eu-west-3"
secret_key = "hunter2"
access_key = "id"

[variable.password]
type      = "string"
default   = "hunter2"
sensitive = true

[locals]
keys = ["Id"]

[resource.aws_kms_key.k]
description = "k"

[resource.aws_dynamodb_table.t]
name                   = "${local.keys[0]}s"
hash_key               = "Id"
billing_mode           = "PAY_PER_REQUEST"
attribute              = '${[for key in local.keys : { name = key, type = "S" }]}'
server_side_encryption = { enabled = true, kms_key_arn = "${aws_kms_key.k.arn}" }
depends_on             = ["aws_kms_key.k"]
"#;

    #[test]
    fn fixed_arguments_have_values_and_the_others_references() {
        let catalog = crate::session::catalog();
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), SPEC.into())]);
        let spec = terrane_spec::check(parsed, &catalog, &FunctionContext::closed()).unwrap();
        let told = configuration(&spec, &catalog);
        assert!(!told.to_string().contains("hunter2"), "{told}");
        let table = &told["root_module"]["resources"][0];
        assert_eq!(table["address"], "aws_dynamodb_table.t");
        let expressions = &table["expressions"];
        assert_eq!(expressions["hash_key"], json!({ "constant_value": "Id" }));
        assert_eq!(expressions["name"], json!({ "references": ["local.keys[0]", "local.keys"] }));
        let encryption = json!([{
            "enabled": { "constant_value": true },
            "kms_key_arn": { "references": ["aws_kms_key.k.arn", "aws_kms_key.k"] },
        }]);
        assert_eq!(expressions["server_side_encryption"], encryption);
        assert_eq!(expressions["attribute"][0]["name"]["references"][0], "local.keys");
        assert_eq!(table["depends_on"], json!(["aws_kms_key.k"]));
    }
}
