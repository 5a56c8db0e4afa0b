//! The spec as JSON Schema (draft-07), with every resource type: editors complete and check a spec by it.
//!
//! Every value may be written as a template, so bounds hold only for texts without one.

use serde_json::{Map, Value as Json, json};
use terrane_model::schema::{Block, NestedBlock, Presence, Schemas};
use terrane_model::{Mode, Schema};

mod tables;
mod value;

use tables::{conditions, object, repeated};
use value::{documented, value};

/// Where the published schema is named to be.
const ID: &str = "https://terrane.dev/schema/terrane.schema.json";

/// The whole schema.
pub fn document(schemas: &dyn Schemas) -> Json {
    let mut definitions = tables::definitions();
    let mut properties = tables::properties();
    for (mode, table, what) in
        [(Mode::Managed, "resource", "Objects."), (Mode::Data, "data", "What is read.")]
    {
        let mut types = Map::new();
        for name in schemas.names(mode) {
            let Some(schema) = schemas.schema(mode, name) else { continue };
            let definition = format!("{table}.{name}");
            types.insert(name.to_owned(), named(&definition));
            definitions.insert(definition, resource(schema));
        }
        properties.insert(table.to_owned(), documented(object(types, &[]), what));
    }
    let mut providers = Map::new();
    for name in schemas.provider_names() {
        let Some(configuration) = schemas.provider(name).filter(|_| name != "terraform") else { continue };
        let mut arguments = arguments(configuration);
        arguments.insert("alias".to_owned(), json!({ "type": "string" }));
        arguments.insert("version".to_owned(), json!({ "type": "string" }));
        let configuration = blocks_of(object(arguments, &[]), configuration);
        definitions.insert(format!("provider.{name}"), configuration);
        providers.insert(name.to_owned(), repeated(&format!("provider.{name}")));
    }
    let providers = documented(object(providers, &[]), "How providers are configured.");
    properties.insert("provider".to_owned(), providers);
    let mut document = object(properties, &[]);
    if let Some(document) = document.as_object_mut() {
        document.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        document.insert("$id".to_owned(), json!(ID));
        document.insert("title".to_owned(), json!("Terrane spec"));
        document.insert("definitions".to_owned(), Json::Object(definitions));
    }
    document
}

/// Names of definitions under a name of the user's.
fn named(definition: &str) -> Json {
    json!({ "type": "object", "additionalProperties": { "$ref": format!("#/definitions/{definition}") } })
}

fn resource(schema: &Schema) -> Json {
    let mut properties = arguments(&schema.block);
    let reference = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    properties.insert("count".to_owned(), reference("count"));
    properties.insert("for_each".to_owned(), reference("for_each"));
    properties.insert("depends_on".to_owned(), reference("depends_on"));
    properties
        .insert("provider".to_owned(), json!({ "type": "string", "description": "Such as `aws.paris`." }));
    let mut lifecycle = conditions(&["precondition", "postcondition"]);
    if schema.mode == Mode::Managed {
        lifecycle.insert("create_before_destroy".to_owned(), json!({ "type": "boolean" }));
        lifecycle.insert("prevent_destroy".to_owned(), json!({ "type": "boolean" }));
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        let ignored = json!({ "anyOf": [{ "const": "all" }, texts.clone()] });
        lifecycle.insert("ignore_changes".to_owned(), ignored);
        lifecycle.insert("replace_triggered_by".to_owned(), texts);
    }
    properties.insert("lifecycle".to_owned(), object(lifecycle, &[]));
    documented(blocks_of(object(properties, &required(&schema.block)), &schema.block), schema.summary)
}

/// The arguments of a block and the blocks inside it, by name.
fn arguments(block: &Block) -> Map<String, Json> {
    let settable = block.attributes.iter().filter(|a| a.presence != Presence::Computed);
    let mut found: Map<String, Json> =
        settable.map(|a| (a.name.to_owned(), documented(value(&a.ty, &a.checks), a.doc))).collect();
    found.extend(block.blocks.iter().map(|nested| (nested.name.to_owned(), nested_block(nested))));
    if !block.blocks.is_empty() {
        let dynamic = json!({ "$ref": "#/definitions/dynamic" });
        found.insert("dynamic".to_owned(), dynamic);
    }
    found
}

fn required(block: &Block) -> Vec<&'static str> {
    block.attributes.iter().filter(|a| a.presence == Presence::Required).map(|a| a.name).collect()
}

/// Asks for the blocks that must be there, unless they are generated.
fn blocks_of(mut object: Json, block: &Block) -> Json {
    let needed: Vec<&str> = block.blocks.iter().filter(|b| b.min > 0).map(|b| b.name).collect();
    if let (false, Some(object)) = (needed.is_empty(), object.as_object_mut()) {
        let either = json!([{ "required": needed }, { "required": ["dynamic"] }]);
        object.insert("anyOf".to_owned(), either);
    }
    object
}

fn nested_block(nested: &NestedBlock) -> Json {
    let one = blocks_of(object(arguments(&nested.block), &required(&nested.block)), &nested.block);
    let mut many = json!({ "type": "array", "items": one.clone() });
    if let Some(many) = many.as_object_mut() {
        if nested.min > 0 {
            many.insert("minItems".to_owned(), json!(nested.min));
        }
        if let Some(max) = nested.max {
            many.insert("maxItems".to_owned(), json!(max));
        }
    }
    let whole = json!({ "anyOf": [one, many, { "$ref": "#/definitions/template" }] });
    documented(whole, nested.doc)
}
