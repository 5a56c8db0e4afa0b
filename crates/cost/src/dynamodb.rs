//! DynamoDB: capacity by the hour or requests, storage, point-in-time recovery and streams.
//! <https://aws.amazon.com/dynamodb/pricing/provisioned/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>
//!
//! An index has its own capacity. Requests to the indexes of an on-demand table are counted with those of the table, and so
//! is what they store.

use terrane_model::Value;

use crate::attributes::{Known, block, blocks, count, text, truth};
use crate::estimate::Context;
use crate::part::{Part, Quantity};

/// What can be said of a table's usage in a month: gigabytes stored with all indexes, gigabytes of the table and its local
/// indexes alone (for point-in-time recovery; as `storage_gb` unless said), request units, and reads of its stream.
pub const USAGE: [&str; 5] = ["storage_gb", "pitr_gb", "reads", "writes", "stream_reads"];

const SECONDS_IN_AN_HOUR: i64 = 3600;

/// The lines of a table.
pub fn table(object: &Value, context: &Context<'_>) -> Vec<Part> {
    let class = match text(object, "table_class") {
        Known::Is("STANDARD_INFREQUENT_ACCESS") => "-ia",
        _ => "",
    };
    let mut parts = Vec::new();
    match text(object, "billing_mode") {
        Known::Later => parts.push(Part::unknown("capacity", "`billing_mode` is known only after apply")),
        Known::Is("PAY_PER_REQUEST") => requests(object, context, class, &mut parts),
        Known::Is(_) | Known::Null => capacity(object, context, class, &mut parts),
    }
    let storage = context.usage("storage_gb").unwrap_or_else(Quantity::open);
    parts.push(Part::new("storage", storage.clone(), context.price(&format!("dynamodb-storage{class}"))));
    match block(object, "point_in_time_recovery") {
        Known::Is(recovery) => match truth(recovery, "enabled") {
            Known::Is(true) => {
                let kept = context.usage("pitr_gb").unwrap_or(storage);
                parts.push(Part::new("point-in-time recovery", kept, context.price("dynamodb-pitr")));
            }
            Known::Later => {
                let why = "`point_in_time_recovery` is known only after apply";
                parts.push(Part::unknown("point-in-time recovery", why));
            }
            Known::Is(false) | Known::Null => {}
        },
        // Where nothing is said, it is off when the table is made.
        Known::Later | Known::Null => {}
    }
    if matches!(truth(object, "stream_enabled"), Known::Is(true)) {
        let reads = context.usage("stream_reads").unwrap_or_else(Quantity::open);
        parts.push(Part::new("stream reads", reads, context.price("dynamodb-stream-reads")));
    }
    if matches!(blocks(object, "replica"), Known::Is([_, ..])) {
        parts.push(Part::unknown("replicas", "the table has no prices for replicas"));
    }
    parts
}

/// Each index with its name, in the order in which they are given.
fn indexes(object: &Value) -> Vec<(String, &Value)> {
    let Known::Is(indexes) = blocks(object, "global_secondary_index") else { return Vec::new() };
    let named = |index: &Value| match text(index, "name") {
        Known::Is(name) => name.to_owned(),
        Known::Null | Known::Later => "(known after apply)".to_owned(),
    };
    indexes.iter().map(|index| (named(index), index)).collect()
}

fn capacity(object: &Value, context: &Context<'_>, class: &str, parts: &mut Vec<Part>) {
    let mut of = |owner: &Value, suffix: &str| {
        for (name, attribute, item) in [
            ("write capacity", "write_capacity", format!("dynamodb-write-capacity{class}")),
            ("read capacity", "read_capacity", format!("dynamodb-read-capacity{class}")),
        ] {
            let hours = count(owner, attribute).times(context.prices.hours);
            parts.push(Part::new(format!("{name}{suffix}"), hours, context.price(&item)));
        }
    };
    of(object, "");
    for (name, index) in indexes(object) {
        of(index, &format!(" of the index {name}"));
    }
    if matches!(blocks(object, "global_secondary_index"), Known::Later) {
        parts.push(Part::unknown("indexes", "`global_secondary_index` is known only after apply"));
    }
}

fn requests(object: &Value, context: &Context<'_>, class: &str, parts: &mut Vec<Part>) {
    for (name, usage, limit, item) in [
        ("write requests", "writes", "max_write_request_units", "write"),
        ("read requests", "reads", "max_read_request_units", "read"),
    ] {
        let quantity = context.usage(usage).unwrap_or_else(|| within(object, limit, context));
        parts.push(Part::new(name, quantity, context.price(&format!("dynamodb-{item}-requests{class}"))));
    }
}

/// What the limits of a table and its indexes leave room for: without a limit on each of them there is no upper end.
fn within(object: &Value, limit: &str, context: &Context<'_>) -> Quantity {
    let mut total: i64 = 0;
    for owner in std::iter::once(object).chain(indexes(object).into_iter().map(|(_, index)| index)) {
        let most = match block(owner, "on_demand_throughput") {
            Known::Is(limits) => limits.get(limit).and_then(Value::as_i64).filter(|units| *units > 0),
            Known::Null | Known::Later => None,
        };
        match most.and_then(|units| total.checked_add(units)) {
            Some(sum) => total = sum,
            None => return Quantity::open(),
        }
    }
    let seconds = SECONDS_IN_AN_HOUR.saturating_mul(context.prices.hours);
    let most = crate::money::Decimal::whole(total).and_then(|units| units.times(seconds));
    most.map_or_else(Quantity::open, |most| Quantity::Between(crate::money::Decimal::ZERO, Some(most)))
}
