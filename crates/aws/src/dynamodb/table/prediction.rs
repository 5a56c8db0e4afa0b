//! What is known of a table before it is made or changed, and which differences mean nothing.

use terrane_model::{Path, Type, Unknown, Value};
use terrane_provider::PlanRequest;

use super::schema::element;
use crate::object::{elements, filled, first, flag, is_zero, text, unknown_text, unknown_with_prefix, whole};
use crate::tags;

pub const ON_DEMAND: &str = "PAY_PER_REQUEST";
/// How far back continuous backups reach unless the spec says otherwise.
const RECOVERY_DAYS: i64 = 35;

/// Refines the plan.
pub fn refine(request: &mut PlanRequest<'_>) {
    tags::plan(request);
    request
        .keep
        .extend(["restore_source_name", "restore_source_table_arn", "import_table"].map(Path::attribute));
    identity(request);
    class(request);
    encryption(request);
    recovery(request);
    expiry(request);
    attributes(request);
    stream(request);
    capacity(request);
    limits(request);
    global_indexes(request);
    local_indexes(request);
}

fn identity(request: &mut PlanRequest<'_>) {
    if !request.is_create() {
        return;
    }
    let facts = request.facts;
    let name = filled(request.config, "name").map(str::to_owned);
    let start = facts
        .account
        .as_ref()
        .map(|account| format!("arn:{}:dynamodb:{}:{account}:table/", facts.partition, facts.region));
    let arn = match (&name, &start) {
        (Some(name), Some(start)) => Value::from(format!("{start}{name}")),
        (None, Some(start)) => unknown_with_prefix(start),
        _ => unknown_text(),
    };
    request.set("arn", arn);
    request.set("id", name.map_or_else(unknown_text, Value::from));
}

fn class(request: &mut PlanRequest<'_>) {
    let prior =
        request.prior.and_then(|prior| prior.get("table_class")).filter(|class| is_zero(class)).cloned();
    if let Some(prior) = prior
        && text(&request.planned, "table_class") == Some("STANDARD")
    {
        request.set("table_class", prior);
    }
}

/// A block that occurs at most once: what the spec says, what was before, what is planned.
struct Single {
    given: Value,
    before: Option<Value>,
    planned: Value,
}

enum Block {
    Absent,
    Given(Single),
}

/// The block, or nothing where it is not known how often it occurs.
fn single(request: &PlanRequest<'_>, name: &str) -> Option<Block> {
    let list = request.config.get(name)?;
    if list.is_unknown() {
        return None;
    }
    let Some(given) = list.index(0) else { return Some(Block::Absent) };
    let before = request.prior.and_then(|prior| first(prior, name)).cloned();
    let planned = first(&request.planned, name).unwrap_or(given).clone();
    Some(Block::Given(Single { given: given.clone(), before, planned }))
}

fn set_single(request: &mut PlanRequest<'_>, name: &str, block: Value) {
    request.set(name, Value::list(element(name), [block]));
}

fn keep_prior(request: &mut PlanRequest<'_>, name: &str) {
    if let Some(prior) = request.prior.and_then(|prior| prior.get(name)).cloned() {
        request.set(name, prior);
    }
}

fn is_null(object: &Value, name: &str) -> bool {
    object.get(name).is_none_or(Value::is_null)
}

fn truth(object: &Value, name: &str) -> Option<bool> {
    match object.get(name) {
        Some(value) if value.is_unknown() => None,
        _ => Some(flag(object, name)),
    }
}

fn encryption(request: &mut PlanRequest<'_>) {
    const NAME: &str = "server_side_encryption";
    let block = match single(request, NAME) {
        None => return,
        Some(Block::Absent) if request.is_create() => {
            return request.set(NAME, Value::list(element(NAME), []));
        }
        Some(Block::Absent) => return,
        Some(Block::Given(block)) => block,
    };
    let was_on = block.before.as_ref().is_some_and(|before| flag(before, "enabled"));
    match truth(&block.given, "enabled") {
        Some(false) if !request.is_create() && !was_on => keep_prior(request, NAME),
        Some(false) if is_null(&block.given, "kms_key_arn") => {
            set_single(request, NAME, block.planned.with("kms_key_arn", Value::from("")));
        }
        Some(true) if is_null(&block.given, "kms_key_arn") && !was_on => {
            set_single(request, NAME, block.planned.with("kms_key_arn", unknown_text()));
        }
        _ => {}
    }
}

fn recovery(request: &mut PlanRequest<'_>) {
    const NAME: &str = "point_in_time_recovery";
    const PERIOD: &str = "recovery_period_in_days";
    let block = match single(request, NAME) {
        None => return,
        Some(Block::Absent) if request.is_create() => return set_single(request, NAME, no_recovery()),
        Some(Block::Absent) => return,
        Some(Block::Given(block)) => block,
    };
    let was_on = block.before.as_ref().is_some_and(|before| flag(before, "enabled"));
    let no_period = is_null(&block.given, PERIOD);
    match truth(&block.given, "enabled") {
        Some(false) if !request.is_create() && !was_on => keep_prior(request, NAME),
        Some(false) if no_period => set_single(request, NAME, block.planned.with(PERIOD, Value::from(0))),
        Some(true) if no_period && !was_on => {
            set_single(request, NAME, block.planned.with(PERIOD, Value::from(RECOVERY_DAYS)));
        }
        None if no_period => {
            let unknown = Value::unknown_with(Unknown::not_null(Type::Number));
            set_single(request, NAME, block.planned.with(PERIOD, unknown));
        }
        _ => {}
    }
}

/// Continuous backups that are off.
pub fn no_recovery() -> Value {
    Value::object([("enabled", Value::bool(false)), ("recovery_period_in_days", Value::from(0))])
}

/// Expiry that is off.
pub fn no_expiry() -> Value {
    Value::object([("attribute_name", Value::from("")), ("enabled", Value::bool(false))])
}

fn expiry(request: &mut PlanRequest<'_>) {
    const NAME: &str = "ttl";
    let block = match single(request, NAME) {
        None => return,
        Some(Block::Absent) if request.is_create() => return set_single(request, NAME, no_expiry()),
        Some(Block::Absent) => return,
        Some(Block::Given(block)) => block,
    };
    let was_on = block.before.as_ref().is_some_and(|before| flag(before, "enabled"));
    let off = truth(&block.given, "enabled") == Some(false);
    if off && request.is_create() {
        set_single(request, NAME, no_expiry());
    } else if off && !was_on {
        keep_prior(request, NAME);
    } else if off && is_null(&block.given, "attribute_name") {
        let attribute = block.before.as_ref().and_then(|before| before.get("attribute_name")).cloned();
        let attribute = attribute.unwrap_or_else(|| Value::from(""));
        set_single(request, NAME, block.planned.with("attribute_name", attribute));
    }
}

fn stream(request: &mut PlanRequest<'_>) {
    let Some(enabled) = truth(&request.planned, "stream_enabled") else {
        for name in ["stream_arn", "stream_label"] {
            request.set(name, unknown_text());
        }
        return;
    };
    let unset = is_null(request.config, "stream_view_type");
    if request.is_create() && !enabled {
        request.set("stream_arn", Value::from(""));
        request.set("stream_label", Value::from(""));
        if unset {
            request.set("stream_view_type", Value::from(""));
        }
        return;
    }
    let was_enabled = request.prior.is_some_and(|prior| flag(prior, "stream_enabled"));
    if enabled != was_enabled || enabled && request.changes("stream_view_type") {
        let table = text(&request.planned, "arn").map(|arn| format!("{arn}/stream/"));
        let arn = match table {
            Some(start) if enabled => unknown_with_prefix(&start),
            _ => unknown_text(),
        };
        request.set("stream_arn", arn);
        request.set("stream_label", unknown_text());
    }
}

fn capacity(request: &mut PlanRequest<'_>) {
    let Some(mode) = text(&request.planned, "billing_mode").map(str::to_owned) else { return };
    let before = request.prior.and_then(|prior| text(prior, "billing_mode"));
    for name in ["read_capacity", "write_capacity"] {
        if !is_null(request.config, name) {
            continue;
        }
        let provisioned = request.prior.and_then(|prior| whole(prior, name)).unwrap_or(0);
        if mode == ON_DEMAND && before != Some(ON_DEMAND) {
            request.set(name, Value::from(0));
        } else if mode != ON_DEMAND && before == Some(ON_DEMAND) && provisioned < 1 {
            request.set(name, Value::from(1));
        }
    }
}

/// Without a limit the service says 0 or nothing; the spec says -1.
fn limits(request: &mut PlanRequest<'_>) {
    const NAME: &str = "on_demand_throughput";
    if let Some(Block::Given(block)) = single(request, NAME) {
        set_single(request, NAME, units(block.planned, block.before.as_ref()));
    }
}

fn units(planned: Value, before: Option<&Value>) -> Value {
    let mut planned = planned;
    for name in ["max_read_request_units", "max_write_request_units"] {
        let same =
            before.and_then(|before| whole(before, name)) == Some(0) && whole(&planned, name) == Some(-1);
        if same {
            planned = planned.with(name, Value::from(0));
        }
    }
    planned
}

fn named<'v>(set: &'v [Value], name: &str) -> Option<&'v Value> {
    set.iter().find(|element| text(element, "name") == Some(name))
}

/// An attribute is known by its name: its type cannot change in place, and a difference has always been left alone.
fn attributes(request: &mut PlanRequest<'_>) {
    const NAME: &str = "attribute";
    let Some(planned) = request.planned(NAME).filter(|set| !set.is_unknown()) else { return };
    let prior = request.prior.map(|prior| elements(prior, NAME)).unwrap_or_default();
    let kept = planned.elements().iter().map(|attribute| {
        let before = text(attribute, "name").and_then(|name| named(prior, name));
        before.unwrap_or(attribute).clone()
    });
    let kept = Value::set(element(NAME), kept.collect::<Vec<_>>());
    request.set(NAME, kept);
}

fn global_indexes(request: &mut PlanRequest<'_>) {
    const NAME: &str = "global_secondary_index";
    let (Some(planned), mode) = (request.planned(NAME), text(&request.planned, "billing_mode")) else {
        return;
    };
    if planned.is_unknown() {
        return;
    }
    let mode = mode.map(str::to_owned);
    let same_mode = request.prior.and_then(|prior| text(prior, "billing_mode")) == mode.as_deref();
    let prior = request.prior.map(|prior| elements(prior, NAME)).unwrap_or_default();
    let given = elements(request.config, NAME);
    let indexes: Vec<Value> = planned
        .elements()
        .iter()
        .map(|index| {
            let Some(name) = text(index, "name") else { return index.clone() };
            let (before, given) = (named(prior, name), named(given, name));
            let mut index = with_empty(index.clone(), "range_key", Value::from(""));
            index = with_empty(index, "non_key_attributes", Value::set(Type::String, []));
            for capacity in ["read_capacity", "write_capacity"] {
                if given.is_some_and(|given| !is_null(given, capacity)) {
                    continue;
                }
                let kept = before.and_then(|before| whole(before, capacity)).filter(|_| same_mode);
                index = match (kept, mode.as_deref()) {
                    (Some(units), _) => index.with(capacity, Value::from(units)),
                    (None, Some(ON_DEMAND)) => index.with(capacity, Value::from(0)),
                    _ => index,
                };
            }
            let limits = elements(&index, "on_demand_throughput").iter().cloned();
            let limits: Vec<_> = limits
                .map(|block| units(block, before.and_then(|before| first(before, "on_demand_throughput"))))
                .collect();
            match limits.is_empty() {
                true => index,
                false => {
                    index.with("on_demand_throughput", Value::list(element("on_demand_throughput"), limits))
                }
            }
        })
        .collect();
    request.set(NAME, Value::set(element(NAME), indexes));
}

fn local_indexes(request: &mut PlanRequest<'_>) {
    const NAME: &str = "local_secondary_index";
    let Some(planned) = request.planned(NAME).filter(|set| !set.is_unknown()) else { return };
    let prior = request.prior.map(|prior| elements(prior, NAME)).unwrap_or_default();
    let indexes: Vec<_> = planned
        .elements()
        .iter()
        .map(|index| match text(index, "name").and_then(|name| named(prior, name)) {
            // Known by its name, as an attribute is.
            Some(before) => before.clone(),
            None => with_empty(index.clone(), "non_key_attributes", Value::list(Type::String, [])),
        })
        .collect();
    request.set(NAME, Value::set(element(NAME), indexes));
}

fn with_empty(object: Value, name: &str, empty: Value) -> Value {
    match object.get(name) {
        Some(value) if value.is_null() => object.with(name, empty),
        _ => object,
    }
}
