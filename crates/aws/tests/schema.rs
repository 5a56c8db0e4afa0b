//! The schemas beside the published ones: attribute for attribute, in `data/schema.json`.
//!
//! `type`, `presence`, `force_new`, `default`, bounds, exclusions and nesting are compared; what a difference of two texts
//! means is tested with each resource type.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use terrane_model::schema::{
    Attribute, Block, Check, FormKind, NestedBlock, Nesting, Presence, Schema, Schemas,
};
use terrane_model::{Mode, Value};
use terrane_provider::Catalog;

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    terrane_aws::catalog(&mut catalog);
    catalog
}

fn published() -> Json {
    serde_json::from_str(include_str!("data/schema.json")).expect("JSON")
}

fn shape_of_schema(schema: &Schema) -> Json {
    let mut shape = shape_of_block(&schema.block);
    shape["version"] = json!(schema.version);
    if !schema.timeouts.is_empty() {
        let limits = schema.timeouts.iter().map(|(operation, limit)| (operation.name(), limit.as_secs()));
        shape["timeouts"] = json!(limits.collect::<BTreeMap<_, _>>());
    }
    shape
}

fn shape_of_block(block: &Block) -> Json {
    let attributes: BTreeMap<_, _> =
        block.attributes.iter().map(|a| (a.name, shape_of_attribute(a))).collect();
    let nested = block.blocks.iter().filter(|nested| nested.name != "timeouts");
    let blocks: BTreeMap<_, _> = nested.map(|nested| (nested.name, shape_of_nested(nested))).collect();
    let mut shape = json!({ "attributes": attributes });
    if !blocks.is_empty() {
        shape["blocks"] = json!(blocks);
    }
    shape
}

fn shape_of_nested(nested: &NestedBlock) -> Json {
    let mut shape = shape_of_block(&nested.block);
    shape["nesting"] = json!(match nested.nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
    });
    let mut put = |name: &str, value: Json, is_there: bool| {
        if is_there {
            shape[name] = value;
        }
    };
    put("min", json!(nested.min), nested.min > 0);
    put("max", json!(nested.max), nested.max.is_some());
    put("computed", json!(true), nested.computed);
    put("force_new", json!(true), nested.force_new);
    put("identity", json!(nested.identity), !nested.identity.is_empty());
    put("conflicts_with", sorted(nested.conflicts_with), !nested.conflicts_with.is_empty());
    shape
}

fn sorted(names: &[&str]) -> Json {
    json!(names.iter().collect::<BTreeSet<_>>())
}

fn shape_of_attribute(attribute: &Attribute) -> Json {
    let presence = match attribute.presence {
        Presence::Required => "required",
        Presence::Optional => "optional",
        Presence::OptionalComputed => "optional_computed",
        Presence::Computed => "computed",
    };
    let mut shape = json!({ "type": attribute.ty.to_string(), "presence": presence });
    let mut put = |name: &str, value: Json, is_there: bool| {
        if is_there {
            shape[name] = value;
        }
    };
    put("force_new", json!(true), attribute.force_new);
    put("default", attribute.default.as_ref().map_or(Json::Null, plain), attribute.default.is_some());
    put(
        "checks",
        json!(attribute.checks.iter().map(shape_of_check).collect::<Vec<_>>()),
        !attribute.checks.is_empty(),
    );
    put("conflicts_with", sorted(attribute.conflicts_with), !attribute.conflicts_with.is_empty());
    put("required_with", sorted(attribute.required_with), !attribute.required_with.is_empty());
    put("deprecated", json!(true), attribute.deprecated.is_some());
    put("form", json!("policy"), attribute.form.is_some_and(|form| form.kind == FormKind::Policy));
    shape
}

fn shape_of_check(check: &Check) -> Json {
    match check {
        Check::Length(min, max) => json!({ "length": [min, max] }),
        Check::Range(min, max) => json!({ "range": [min, max] }),
        Check::Whole => json!("whole"),
        Check::OneOf(options) => json!({ "one_of": options }),
        Check::Pattern(pattern, _) => json!({ "pattern": pattern }),
        Check::NotPrefix(prefix) => json!({ "not_prefix": prefix }),
        Check::Arn => json!("arn"),
        Check::Json => json!("json"),
        Check::PolicyJson => json!("policy_json"),
        Check::Rfc3339 => json!("rfc3339"),
        Check::Duration => json!("duration"),
        Check::Empty => json!("empty"),
    }
}

fn plain(value: &Value) -> Json {
    match (value.as_bool(), value.as_i64(), value.as_str()) {
        (Some(flag), _, _) => json!(flag),
        (_, Some(number), _) => json!(number),
        (_, _, text) => json!(text),
    }
}

/// Where two shapes differ, one line each.
fn differences(path: &str, ours: &Json, theirs: &Json, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let null = Json::Null;
                let (ours, theirs) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                differences(&format!("{path}.{key}"), ours, theirs, found);
            }
        }
        _ if ours != theirs => found.push(format!("{path}: ours {ours}, published {theirs}")),
        _ => {}
    }
}

#[test]
fn every_schema_is_the_published_one() {
    let (catalog, published) = (catalog(), published());
    let mut found = Vec::new();
    for (mode, key) in [(Mode::Managed, "resources"), (Mode::Data, "data")] {
        let shapes: BTreeMap<_, _> = catalog
            .names(mode)
            .into_iter()
            .map(|name| (name, shape_of_schema(catalog.schema(mode, name).expect("it is listed"))))
            .collect();
        differences(key, &json!(shapes), &published[key], &mut found);
    }
    let provider = catalog.provider("aws").expect("the provider is registered");
    differences("provider", &shape_of_block(provider), &published["provider"], &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn everything_is_documented_and_excludes_what_exists() {
    let catalog = catalog();
    let mut missing = Vec::new();
    for mode in [Mode::Managed, Mode::Data] {
        for name in catalog.names(mode) {
            let schema = catalog.schema(mode, name).expect("it is listed");
            assert_eq!((schema.type_name, schema.mode), (name, mode));
            assert!(schema.summary.ends_with('.'), "{name}");
            undocumented(name, &schema.block, &mut missing);
        }
    }
    undocumented("provider", catalog.provider("aws").expect("a provider"), &mut missing);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

fn undocumented(path: &str, block: &Block, missing: &mut Vec<String>) {
    let names: BTreeSet<_> = block.names().collect();
    let mut others: Vec<&str> = Vec::new();
    for attribute in &block.attributes {
        if !attribute.doc.ends_with('.') {
            missing.push(format!("{path}.{}", attribute.name));
        }
        others.extend(attribute.conflicts_with.iter().chain(attribute.required_with));
    }
    for nested in &block.blocks {
        if !nested.doc.ends_with('.') {
            missing.push(format!("{path}.{}", nested.name));
        }
        others.extend(nested.conflicts_with);
        undocumented(&format!("{path}.{}", nested.name), &nested.block, missing);
    }
    missing
        .extend(others.iter().filter(|name| !names.contains(*name)).map(|name| format!("{path}: no {name}")));
}
