//! `aws_dynamodb_table_item`: one item of a table.
//!
//! Object: an item, identified by its table and key. Calls and permissions: `dynamodb:PutItem`, `dynamodb:GetItem`,
//! `dynamodb:UpdateItem`, `dynamodb:DeleteItem`. Replaced when table or names of the key attributes change; the item changes in
//! place, also in its key. An item that is there already is not taken over. Cannot be imported.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use std::collections::HashMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use terrane_model::conform::Problem;
use terrane_model::schema::{FormKind, NormalForm, block, optional, optional_computed, required};
use terrane_model::{Mode, Path, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::{
    Certainty, Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::object::{filled, needed, settled, text, unknown_text};
use terrane_provider::permission::{Condition, pattern};

mod json;

use json::Item;

/// The resource type.
pub struct TableItem;

/// What DynamoDB says where an item is that must not be.
const TAKEN: &str = "ConditionalCheckFailedException";

/// Two texts are the same when they have the same attributes.
static SAME_ITEM: NormalForm = NormalForm {
    kind: FormKind::Other,
    equivalent: |a, b| match (json::parse(a), json::parse(b)) {
        (Ok(a), Ok(b)) => json::same(&a, &b),
        _ => a == b,
    },
    normalise: |text| text.to_owned(),
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let name = |name| required(name, Type::String).force_new();
    Schema::new(
        "aws_dynamodb_table_item",
        Mode::Managed,
        "One item of a table.",
        block(
            [
                name("hash_key").doc("Name of the attribute that is the table's partition key."),
                optional_computed("id", Type::String).doc("Table and key, with `|` between the parts."),
                required("item", Type::String)
                    .form(&SAME_ITEM)
                    .doc("The item as DynamoDB's JSON: `{\"name\": {\"S\": \"value\"}}`."),
                optional("range_key", Type::String)
                    .force_new()
                    .doc("Name of the attribute that is the table's sort key."),
                name("table_name").doc("Name of the table."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for TableItem {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        let problem = |detail: String| {
            let path = Path::attribute("item");
            Err(vec![Problem {
                path,
                code: "invalid-item",
                summary: "Item that DynamoDB would not take",
                detail,
            }])
        };
        let mut id = unknown_text();
        if let Some(written) = text(&request.planned, "item") {
            let item = match json::parse(written) {
                Ok(item) => item,
                Err(why) => return problem(format!("The item is not in DynamoDB's JSON: {why}.")),
            };
            for key in ["hash_key", "range_key"] {
                if let Some(name) = filled(&request.planned, key).filter(|name| !item.contains_key(*name)) {
                    return problem(format!("The item has no attribute `{name}`, which is its `{key}`."));
                }
            }
            if let Some(known) = id_of(&request.planned, &item) {
                id = Value::from(known);
            }
        }
        if request.changes("item") || request.is_create() {
            request.set("id", id);
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let item = item_of(prior, "dynamodb:GetItem")?;
        let found = get(cx.session.clients()?, prior, &item).await?;
        Ok(found.map(|found| into_state(&found, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let item = item_of(planned, "dynamodb:PutItem")?;
        make(cx, planned, &item).await?;
        Ok(settled(with_id(planned, &item)))
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match change(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let item = item_of(prior, "dynamodb:DeleteItem")?;
        present(delete(cx.session.clients()?, prior, &item).await).map(|_| Deleted::default())
    }

    async fn import(&self, _cx: &Context<'_>, _id: &str) -> Result<Option<Value>, Error> {
        let message = "Items of tables cannot be imported.";
        Err(Error::new(ErrorKind::Invalid, "import", message)
            .hint("Delete the item and let an apply put it, or leave it to who put it."))
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        if filled(planned, "item").is_none() {
            return Ok(None);
        }
        let item = item_of(planned, "dynamodb:GetItem")?;
        let found = get(cx.session.clients()?, planned, &item).await?;
        let found = found.filter(|found| json::same(found, &item));
        Ok(found.map(|found| into_state(&found, &with_id(planned, &item))))
    }
}

fn item_of(object: &Value, operation: &'static str) -> Result<Item, Error> {
    json::parse(needed(object, "item", operation)?)
        .map_err(|why| Error::new(ErrorKind::Invalid, operation, format!("The item cannot be read: {why}.")))
}

/// Table, and for each key attribute its name and value.
fn id_of(object: &Value, item: &Item) -> Option<String> {
    let mut parts = vec![filled(object, "table_name")?.to_owned()];
    let hash = filled(object, "hash_key")?;
    let range =
        object.get("range_key").filter(|range| !range.is_unknown())?.as_str().filter(|name| !name.is_empty());
    for name in std::iter::once(hash).chain(range) {
        parts.push(name.to_owned());
        parts.push(json::key_text(item.get(name)?)?);
    }
    Some(parts.join("|"))
}

fn with_id(planned: &Value, item: &Item) -> Value {
    match id_of(planned, item) {
        Some(id) => planned.clone().with("id", Value::from(id)),
        None => planned.clone(),
    }
}

/// The attributes of the item that are its key.
fn key(object: &Value, item: &Item) -> HashMap<String, AttributeValue> {
    let names = ["hash_key", "range_key"].into_iter().filter_map(|key| filled(object, key));
    names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect()
}

async fn get(clients: &Clients, object: &Value, item: &Item) -> Result<Option<Item>, Error> {
    let table = needed(object, "table_name", "dynamodb:GetItem")?;
    let call = clients.dynamodb().get_item().table_name(table).set_key(Some(key(object, item)));
    let answer = call.consistent_read(true).send().await.map_err(failed("dynamodb:GetItem"));
    let found = present(answer)?.and_then(|answer| answer.item);
    Ok(found.map(|found| found.into_iter().collect()))
}

/// Puts an item that must not be there yet.
async fn make(cx: &Context<'_>, planned: &Value, item: &Item) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let table = needed(planned, "table_name", "dynamodb:PutItem")?;
    let hash = needed(planned, "hash_key", "dynamodb:PutItem")?;
    let call = || async {
        let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
        let call = clients.dynamodb().put_item().table_name(table);
        let call = call.set_item(Some(item.clone().into_iter().collect()));
        let call =
            call.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", hash);
        let call = call.customize().config_override(once);
        call.send().await.map(drop).map_err(failed("dynamodb:PutItem")).map_err(|error| {
            // The item is there: somebody's, or the one that a lost answer was about.
            let kind = if error.is_code(TAKEN) { ErrorKind::Conflict } else { error.kind };
            Error { kind, ..error }
        })
    };
    let look = || async {
        let found = get(clients, planned, item).await?;
        Ok(found.filter(|found| json::same(found, item)).map(drop))
    };
    create_once(cx, call, look).await.map_err(|error| match error.is_code(TAKEN) {
        true => error.hint("The table has an item with this key already. It is not overwritten."),
        false => error,
    })
}

async fn change(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let (before, after) = (item_of(prior, "dynamodb:UpdateItem")?, item_of(planned, "dynamodb:UpdateItem")?);
    let (old, new) = (key(prior, &before), key(planned, &after));
    let is_same_key = old.len() == new.len()
        && old.iter().all(|(name, old)| new.get(name).is_some_and(|new| json::same_value(old, new)));
    if !is_same_key {
        match make(cx, planned, &after).await {
            // A run that died may have put it and not taken the old one away.
            Err(error) if error.is_code(TAKEN) => {
                let found = get(clients, planned, &after).await?;
                found.filter(|found| json::same(found, &after)).ok_or(error)?;
            }
            made => made?,
        }
        delete(clients, prior, &before).await?;
    } else if !json::same(&before, &after) {
        update(clients, planned, &before, &after).await?;
    }
    Ok(settled(with_id(planned, &after)))
}

/// Sets the attributes that are new or others, and removes those that are gone. What others put beside them stays.
async fn update(clients: &Clients, planned: &Value, before: &Item, after: &Item) -> Result<(), Error> {
    let table = needed(planned, "table_name", "dynamodb:UpdateItem")?;
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    let mut call = clients.dynamodb().update_item().table_name(table).set_key(Some(key(planned, after)));
    let is_same = |name: &str, value| before.get(name).is_some_and(|before| json::same_value(before, value));
    for (number, (name, value)) in after.iter().filter(|(name, value)| !is_same(name, value)).enumerate() {
        set.push(format!("#s{number} = :s{number}"));
        call = call.expression_attribute_names(format!("#s{number}"), name);
        call = call.expression_attribute_values(format!(":s{number}"), value.clone());
    }
    for (number, name) in before.keys().filter(|name| !after.contains_key(*name)).enumerate() {
        removed.push(format!("#r{number}"));
        call = call.expression_attribute_names(format!("#r{number}"), name);
    }
    let clause = |word: &str, parts: Vec<String>| match parts.is_empty() {
        true => String::new(),
        false => format!("{word} {} ", parts.join(", ")),
    };
    let expression = clause("SET", set) + &clause("REMOVE", removed);
    let answer = call.update_expression(expression.trim_end()).send().await;
    answer.map(drop).map_err(failed("dynamodb:UpdateItem"))
}

async fn delete(clients: &Clients, object: &Value, item: &Item) -> Result<(), Error> {
    let table = needed(object, "table_name", "dynamodb:DeleteItem")?;
    let call = clients.dynamodb().delete_item().table_name(table).set_key(Some(key(object, item)));
    call.send().await.map(drop).map_err(failed("dynamodb:DeleteItem"))
}

fn into_state(found: &Item, prior: &Value) -> Value {
    let same = text(prior, "item")
        .and_then(|text| json::parse(text).ok())
        .is_some_and(|item| json::same(&item, found));
    match same {
        true => prior.clone(),
        false => with_id(&prior.clone().with("item", Value::from(json::write(found))), found),
    }
}

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    const READ: &[&str] = &["dynamodb:GetItem"];
    let table = |object: &Value| {
        let name = pattern(object.get("table_name")).unwrap_or_else(|| "*".to_owned());
        ground.regional("dynamodb", &format!("table/{name}"))
    };
    // Under which key the table is, and whether it is under one of the account's own, is not said here.
    let with_key = |actions: &[&'static str]| {
        let through = Condition {
            operator: "StringEquals",
            key: "kms:ViaService",
            value: format!("dynamodb.{}.amazonaws.com", ground.facts.region),
        };
        let key = ground.regional("kms", "key/*");
        Permissions::none().with(&key, actions, Some(through), Certainty::Perhaps)
    };
    const WRITING: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
    match doing {
        Doing::LookFor(_) | Doing::Import(_) => Permissions::none(),
        Doing::Read(object) => with_key(&["kms:Decrypt"]).on(&table(object), READ),
        Doing::Create(planned) => with_key(WRITING).on(&table(planned), &["dynamodb:PutItem"]),
        Doing::Update { prior, planned } => match filled(prior, "id") == filled(planned, "id") {
            true => with_key(WRITING).on(&table(prior), &["dynamodb:UpdateItem"]),
            false => with_key(WRITING).on(&table(prior), &["dynamodb:DeleteItem", "dynamodb:PutItem"]),
        },
        Doing::Delete(prior) => with_key(WRITING).on(&table(prior), &["dynamodb:DeleteItem"]),
    }
}

#[cfg(test)]
mod tests;
