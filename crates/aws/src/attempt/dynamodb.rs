//! Tries on tables and indexes.
//!
//! Authorization, also that of the table's key, comes before a condition is looked at; so a write whose condition fails shows
//! that it was allowed. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, DeleteRequest, KeySchemaElement, KeyType, KeysAndAttributes,
    ScalarAttributeType, Select, TableDescription, TransactWriteItem, WriteRequest,
};
use terrane_provider::Error;

use super::circumstances::SPECIFIC;
use super::{Attempt, Circumstances, Happened, Manner, Untried, account};
use crate::client::Clients;
use crate::error::failed;

const READS: [&str; 12] = [
    "BatchGetItem",
    "ConditionCheckItem",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "GetResourcePolicy",
    "ListTagsOfResource",
    "PartiQLSelect",
    "Query",
    "Scan",
    "DescribeContributorInsights",
];

const WRITES: [&str; 4] = ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"];

/// Reads for which there is no call here.
const OTHER_READS: [&str; 4] = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];

pub(super) fn manner(name: &str, resource: &str) -> Result<Manner, Untried> {
    let Some((_, rest)) = resource.split_once(":table/").filter(|_| resource.contains(":dynamodb:")) else {
        return Err(Untried::NoCall);
    };
    let index = rest.contains('/');
    if index {
        let of_index = rest.contains("/index/") && matches!(name, "Query" | "Scan");
        return if of_index { Ok(Manner::Read) } else { Err(Untried::NoCall) };
    }
    match name {
        _ if READS.contains(&name) => Ok(Manner::Read),
        _ if WRITES.contains(&name) => Ok(Manner::Write),
        _ if OTHER_READS.contains(&name) => Err(Untried::NoCall),
        _ => Err(Untried::CouldChange),
    }
}

/// The key that no item of a table has, made for one run.
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    /// The partition key first.
    key: Vec<(String, AttributeValue)>,
    /// The partition keys of indexes by the index's name.
    indexes: BTreeMap<String, (String, AttributeValue)>,
}

impl Reserved {
    /// Values of the types that the table's keys have; `unique` tells the runs apart.
    fn of(table: &TableDescription, unique: u128) -> Reserved {
        let value = |name: &str| {
            let mut defined = table.attribute_definitions().iter();
            let kind = defined.find(|defined| defined.attribute_name() == name);
            match kind.map(|defined| defined.attribute_type()) {
                Some(ScalarAttributeType::N) => AttributeValue::N((unique >> 64).to_string()),
                Some(ScalarAttributeType::B) => AttributeValue::B(Blob::new(unique.to_be_bytes().to_vec())),
                _ => AttributeValue::S(format!("terrane-access-verify-{unique:032x}")),
            }
        };
        let pair = |part: &KeySchemaElement| (part.attribute_name().to_owned(), value(part.attribute_name()));
        let first = |schema: &[KeySchemaElement]| {
            schema.iter().find(|part| *part.key_type() == KeyType::Hash).map(pair)
        };
        let mut parts: Vec<&KeySchemaElement> = table.key_schema().iter().collect();
        parts.sort_by_key(|part| *part.key_type() != KeyType::Hash);
        let global = table.global_secondary_indexes().iter();
        let global =
            global.filter_map(|index| Some((index.index_name()?.to_owned(), first(index.key_schema())?)));
        let local = table.local_secondary_indexes().iter();
        let local =
            local.filter_map(|index| Some((index.index_name()?.to_owned(), first(index.key_schema())?)));
        Reserved { key: parts.into_iter().map(pair).collect(), indexes: global.chain(local).collect() }
    }

    /// The same with another value of the partition key; nothing where it can't be one.
    pub(super) fn led_by(&self, value: &str) -> Option<Reserved> {
        let mut led = self.clone();
        let (_, partition) = led.key.first_mut()?;
        *partition = match partition {
            AttributeValue::S(_) if !value.is_empty() => AttributeValue::S(value.to_owned()),
            AttributeValue::N(_) if value.parse::<f64>().is_ok_and(f64::is_finite) => {
                AttributeValue::N(value.to_owned())
            }
            _ => return None,
        };
        Some(led)
    }

    /// The names of the table's keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|(name, _)| name.as_str())
    }

    fn item(&self) -> HashMap<String, AttributeValue> {
        self.key.iter().cloned().collect()
    }

    fn partition(&self, index: Option<&str>) -> Option<&(String, AttributeValue)> {
        match index {
            Some(index) => self.indexes.get(index),
            None => self.key.first(),
        }
    }
}

/// The attributes that a read asks for, and what it answers with.
struct AskedFor {
    select: Option<Select>,
    projection: Option<String>,
    names: HashMap<String, String>,
}

impl AskedFor {
    /// Where attributes must be named and none is given, the partition key is.
    fn of(circumstances: &Circumstances, partition: &str) -> AskedFor {
        let Circumstances { attributes, select, .. } = circumstances;
        let named: Vec<&str> = match select.as_deref() {
            Some(SPECIFIC) if attributes.is_empty() => vec![partition],
            _ => attributes.iter().map(String::as_str).collect(),
        };
        let names: HashMap<String, String> =
            named.iter().enumerate().map(|(n, name)| (format!("#a{n}"), (*name).to_owned())).collect();
        let list: Vec<String> = (0..named.len()).map(|n| format!("#a{n}")).collect();
        AskedFor {
            select: select.as_deref().map(Select::from),
            projection: (!list.is_empty()).then(|| list.join(", ")),
            names,
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }
}

/// Looks at a table as the identity that deploys, with clients in its region.
///
/// # Errors
/// What DynamoDB has to say.
pub async fn reserved(clients: &Clients, table: &str) -> Result<Reserved, Error> {
    let (name, _) = parts(table, true);
    let described = clients.dynamodb().describe_table().table_name(name).send().await;
    let described = described.map_err(failed("dynamodb:DescribeTable"))?;
    let Some(table) = described.table else {
        return Err(Error::bug("dynamodb:DescribeTable", "The answer has no description of the table."));
    };
    Ok(Reserved::of(&table, uuid::Uuid::new_v4().as_u128()))
}

/// The table, by its name or where it is in another account by its ARN, and the index.
fn parts(resource: &str, own: bool) -> (String, Option<&str>) {
    let (front, rest) = resource.split_once(":table/").unwrap_or(("", resource));
    let (name, index) = match rest.split_once("/index/") {
        Some((name, index)) => (name, Some(index)),
        None => (rest, None),
    };
    let table = if own || front.is_empty() { name.to_owned() } else { format!("{front}:table/{name}") };
    (table, index)
}

pub(super) async fn make(
    clients: &Clients,
    attempt: &Attempt<'_>,
    name: &str,
    reserved: &Reserved,
) -> Option<Happened> {
    let own = account(attempt.caller) == account(attempt.resource);
    let (table, index) = parts(attempt.resource, own);
    let led = attempt.circumstances.leading_key.as_deref().map(|value| reserved.led_by(value));
    let reserved = match &led {
        Some(led) => led.as_ref()?,
        None => reserved,
    };
    let partition = reserved.partition(index)?;
    let asked = AskedFor::of(attempt.circumstances, &partition.0);
    let dynamodb = clients.dynamodb();
    // No item fulfils it, whoever chose the key.
    let never = "attribute_exists(#partition) AND attribute_not_exists(#partition)";
    let key = reserved.item();
    Some(match name {
        "GetItem" => {
            let get = dynamodb.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
            let get = get.set_projection_expression(asked.projection.clone());
            Happened::of(get.set_expression_attribute_names(asked.names()).send().await)
        }
        "BatchGetItem" => {
            let keys = KeysAndAttributes::builder().keys(key);
            let keys = keys.set_projection_expression(asked.projection.clone());
            let keys = keys.set_expression_attribute_names(asked.names()).build().ok()?;
            Happened::of(dynamodb.batch_get_item().request_items(table, keys).send().await)
        }
        "Query" => {
            let query = dynamodb.query().table_name(table).set_index_name(index.map(str::to_owned)).limit(1);
            let query = query
                .key_condition_expression("#partition = :value")
                .set_select(asked.select.clone())
                .set_projection_expression(asked.projection.clone())
                .set_expression_attribute_names(asked.names())
                .expression_attribute_names("#partition", &partition.0)
                .expression_attribute_values(":value", partition.1.clone());
            Happened::of(query.send().await)
        }
        "Scan" => {
            let scan = dynamodb.scan().table_name(table).set_index_name(index.map(str::to_owned)).limit(1);
            let scan = scan.set_select(asked.select.clone());
            let scan = scan.set_projection_expression(asked.projection.clone());
            Happened::of(scan.set_expression_attribute_names(asked.names()).send().await)
        }
        "PartiQLSelect" => {
            let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let statement = format!("SELECT * FROM {} WHERE {} = ?", quoted(&table), quoted(&partition.0));
            let select = dynamodb.execute_statement().statement(statement).parameters(partition.1.clone());
            Happened::of(select.send().await)
        }
        "ConditionCheckItem" => {
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(key))
                .condition_expression(never)
                .expression_attribute_names("#partition", &partition.0)
                .build()
                .ok()?;
            let item = TransactWriteItem::builder().condition_check(check).build();
            Happened::of(dynamodb.transact_write_items().transact_items(item).send().await)
        }
        "DescribeTable" => Happened::of(dynamodb.describe_table().table_name(table).send().await),
        "DescribeContinuousBackups" => {
            Happened::of(dynamodb.describe_continuous_backups().table_name(table).send().await)
        }
        "DescribeTimeToLive" => Happened::of(dynamodb.describe_time_to_live().table_name(table).send().await),
        "DescribeContributorInsights" => {
            Happened::of(dynamodb.describe_contributor_insights().table_name(table).send().await)
        }
        "ListTagsOfResource" => {
            Happened::of(dynamodb.list_tags_of_resource().resource_arn(attempt.resource).send().await)
        }
        "GetResourcePolicy" => {
            Happened::of(dynamodb.get_resource_policy().resource_arn(attempt.resource).send().await)
        }
        "PutItem" => {
            let put = dynamodb.put_item().table_name(table).set_item(Some(key));
            let put = put.condition_expression(never).expression_attribute_names("#partition", &partition.0);
            Happened::of(put.send().await)
        }
        "UpdateItem" => {
            let update = dynamodb.update_item().table_name(table).set_key(Some(key));
            let update =
                update.condition_expression(never).expression_attribute_names("#partition", &partition.0);
            Happened::of(update.send().await)
        }
        "DeleteItem" => {
            let delete = dynamodb.delete_item().table_name(table).set_key(Some(key));
            let delete =
                delete.condition_expression(never).expression_attribute_names("#partition", &partition.0);
            Happened::of(delete.send().await)
        }
        "BatchWriteItem" => {
            // A batch has no conditions; to delete what is not there changes nothing.
            let delete = DeleteRequest::builder().set_key(Some(key)).build().ok()?;
            let write = WriteRequest::builder().delete_request(delete).build();
            Happened::of(dynamodb.batch_write_item().request_items(table, vec![write]).send().await)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{AttributeDefinition, GlobalSecondaryIndexDescription};

    use super::*;

    #[test]
    fn reserved_keys_have_the_types_of_the_tables_keys() {
        let defined = |name: &str, kind| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
        };
        let part = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let index = GlobalSecondaryIndexDescription::builder()
            .index_name("ByRaw")
            .key_schema(part("Raw", KeyType::Hash))
            .build();
        let table = TableDescription::builder()
            .attribute_definitions(defined("Id", ScalarAttributeType::N))
            .attribute_definitions(defined("At", ScalarAttributeType::S))
            .attribute_definitions(defined("Raw", ScalarAttributeType::B))
            .key_schema(part("At", KeyType::Range))
            .key_schema(part("Id", KeyType::Hash))
            .global_secondary_indexes(index)
            .build();
        let reserved = Reserved::of(&table, 7 << 64 | 9);
        assert_eq!(reserved.partition(None), Some(&("Id".to_owned(), AttributeValue::N("7".to_owned()))));
        assert!(
            matches!(reserved.item().get("At"), Some(AttributeValue::S(text)) if text.starts_with("terrane-"))
        );
        assert!(matches!(reserved.partition(Some("ByRaw")), Some((_, AttributeValue::B(_)))));
        assert_eq!(reserved.partition(Some("Other")), None);
        let led = reserved.led_by("42").unwrap();
        assert_eq!(led.partition(None), Some(&("Id".to_owned(), AttributeValue::N("42".to_owned()))));
        assert_eq!(led.item().get("At"), reserved.item().get("At"));
        assert!(reserved.led_by("ann").is_none(), "the key is a number");
    }

    #[test]
    fn tables_of_other_accounts_are_named_by_their_arn() {
        let index = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post/index/ByDate";
        assert_eq!(parts(index, true), ("Post".to_owned(), Some("ByDate")));
        assert_eq!(
            parts(index, false),
            ("arn:aws:dynamodb:eu-west-3:123456789012:table/Post".to_owned(), Some("ByDate"))
        );
    }
}
