//! The tables of a spec that are the same whatever resource types there are.

use serde_json::{Map, Value as Json, json};

use super::value::TEMPLATE;

/// An object with these properties and no others, but for comments.
pub fn object(mut properties: Map<String, Json>, required: &[&str]) -> Json {
    properties.insert("//".to_owned(), json!({ "description": "A comment." }));
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Some(schema)) = (required.is_empty(), schema.as_object_mut()) {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// One table of a definition, or several.
pub fn repeated(definition: &str) -> Json {
    let one = json!({ "$ref": format!("#/definitions/{definition}") });
    json!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
}

/// Conditions under these names.
pub fn conditions(names: &[&str]) -> Map<String, Json> {
    names.iter().map(|name| ((*name).to_owned(), repeated("condition"))).collect()
}

fn map(entries: Json) -> Map<String, Json> {
    match entries {
        Json::Object(entries) => entries,
        _ => Map::new(),
    }
}

/// What the tables have in common.
pub fn definitions() -> Map<String, Json> {
    let text = || json!({ "type": "string" });
    let flag = || json!({ "type": "boolean" });
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let reference = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    let condition = map(json!({ "condition": true, "error_message": text() }));
    let mut output = conditions(&["precondition"]);
    output.extend(map(json!({
        "value": true, "description": text(), "sensitive": flag(), "ephemeral": flag(),
        "depends_on": reference("depends_on"),
    })));
    let mut variable = conditions(&["validation"]);
    variable.extend(map(json!({
        "type": { "type": "string", "description": "Such as `list(string)`." }, "default": true,
        "description": text(), "nullable": flag(), "sensitive": flag(), "ephemeral": flag(),
    })));
    let module = json!({
        "type": "object",
        "properties": {
            "source": { "type": "string", "minLength": 1, "description": "A folder such as `./network`, or `git::https://...`." },
            "version": text(),
            "providers": { "type": "object", "additionalProperties": text() },
            "count": reference("count"),
            "for_each": reference("for_each"),
            "depends_on": reference("depends_on"),
        },
        "required": ["source"],
        "additionalProperties": { "description": "A variable of the module." },
    });
    let mut check = map(json!({ "data": { "type": "object" } }));
    check.insert("assert".to_owned(), repeated("condition"));
    let one_or_many = json!({ "anyOf": [text(), texts()] });
    let access = map(json!({
        "principal": text(), "principals": one_or_many.clone(), "actions": one_or_many.clone(), "resources": one_or_many,
        "for_each": reference("for_each"), "accept_depends": flag(),
        "context": { "anyOf": [{ "type": "object" }, reference("template")] },
        "expect": { "enum": ["allowed", "denied"] }, "by": text(), "description": text(),
    }));
    let import = map(json!({
        "to": text(), "id": text(), "identity": { "anyOf": [{ "type": "object" }, reference("template")] },
        "for_each": reference("for_each"), "provider": text(),
    }));
    let destroy = object(map(json!({ "destroy": flag() })), &[]);
    let local = object(map(json!({ "path": text(), "workspace_dir": text() })), &[]);
    let backend = object(map(json!({ "local": local, "s3": { "type": "object" } })), &[]);
    let ignore = map(json!({ "id": text(), "address": text(), "reason": text() }));
    let ignore = object(ignore, &["id", "address", "reason"]);
    let ignore = json!({ "anyOf": [ignore.clone(), { "type": "array", "items": ignore }] });
    let lint = object(map(json!({ "ignore": ignore })), &[]);
    let levels = json!({ "type": "array", "items": { "anyOf": [text(), texts()] } });
    let limits = map(json!({
        "service_control_policies": levels.clone(), "resource_control_policies": levels,
        "management_account": flag(),
    }));
    let accounts = json!({ "type": "object", "additionalProperties": object(limits.clone(), &[]) });
    let mut organization = limits;
    organization
        .extend(map(json!({ "organization_id": text(), "accounts": accounts, "check_deployer": flag() })));
    let organization = object(organization, &[]);
    let terrane = map(json!({
        "required_version": text(), "backend": backend, "encryption": { "type": "object" }, "access": organization, "lint": lint,
    }));
    map(json!({
        "template": { "type": "string", "pattern": TEMPLATE, "description": "A template, such as `${var.name}`." },
        "count": { "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] },
        "for_each": { "anyOf": [{ "type": "object" }, reference("template")] },
        "depends_on": texts(),
        "dynamic": { "type": "object" },
        "condition": object(condition, &["condition", "error_message"]),
        "output": object(output, &["value"]),
        "variable": object(variable, &[]),
        "module": module,
        "check": object(check, &["assert"]),
        "access": object(access, &["actions", "resources", "expect"]),
        "moved": object(map(json!({ "from": text(), "to": text() })), &["from", "to"]),
        "import": object(import, &["to"]),
        "removed": object(map(json!({ "from": text(), "lifecycle": destroy })), &["from"]),
        "terrane": object(terrane, &[]),
    }))
}

/// The tables of a spec without those that hang on resource types.
pub fn properties() -> Map<String, Json> {
    let named = |definition: &str, doc: &str| {
        let each = json!({ "$ref": format!("#/definitions/{definition}") });
        json!({ "type": "object", "additionalProperties": each, "description": doc })
    };
    map(json!({
        "terrane": { "$ref": "#/definitions/terrane" },
        "terraform": { "type": "object", "description": "What a converted spec says." },
        "variable": named("variable", "What can be chosen from outside."),
        "locals": { "type": "object", "description": "Names for values." },
        "output": named("output", "What the stack gives out."),
        "module": named("module", "Calls of modules."),
        "check": named("check", "What should hold."),
        "access": named("access", "Who must be able, or unable, to do what."),
        "moved": repeated("moved"),
        "import": repeated("import"),
        "removed": repeated("removed"),
    }))
}
