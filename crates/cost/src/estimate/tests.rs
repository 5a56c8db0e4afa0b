use proptest::prelude::*;
use terrane_model::{FileId, Span, Type};

use super::*;
use crate::usage::{Amount, Entry, Figure};

fn list(block: Value) -> Value {
    Value::list(block.ty(), [block])
}

fn table(fields: Vec<(&'static str, Value)>) -> Value {
    let arn = ("arn", Value::from("arn:aws:dynamodb:us-east-1:123456789012:table/t"));
    Value::object([arn].into_iter().chain(fields))
}

fn provisioned(write: i64, read: i64) -> Value {
    table(vec![
        ("billing_mode", "PROVISIONED".into()),
        ("write_capacity", write.into()),
        ("read_capacity", read.into()),
    ])
}

fn item(address: &str, before: Option<Value>, after: Option<Value>) -> Item {
    let provider = "aws".to_owned();
    Item { address: address.parse().unwrap(), deposed: None, provider, before, after, is_replaced: false }
}

fn usage(items: &[Item], figures: &[(&str, &str)]) -> Usage {
    let span = Span { file: FileId(0), start: 0, end: 0 };
    let figure = |(name, amount): &(&str, &str)| Figure {
        name: (*name).to_owned(),
        key: span,
        amount: Amount::One((*amount).to_owned()),
        span,
    };
    let entry = Entry { pattern: "*".into(), span, figures: figures.iter().map(figure).collect() };
    let objects: Vec<Address> = items.iter().map(|item| item.address.clone()).collect();
    Usage::resolve(&[entry], &objects).unwrap().0
}

/// Each line with its cost: `name low`, `name low..high`, `name low..`, `name ?`.
fn lines(items: &[Item], usage: &Usage) -> Vec<String> {
    let estimate = estimate(Prices::embedded().unwrap(), items, usage);
    let parts =
        estimate.resources.iter().filter_map(|resource| resource.after.as_ref()).flat_map(|b| &b.parts);
    parts
        .map(|part| {
            let Sum { low, high, open, unknown } = part.monthly;
            match (unknown, open) {
                (true, _) => format!("{} ?", part.name),
                (_, true) => format!("{} {low}..", part.name),
                _ if low == high => format!("{} {low}", part.name),
                _ => format!("{} {low}..{high}", part.name),
            }
        })
        .collect()
}

fn new(object: Value) -> Vec<Item> {
    vec![item("aws_dynamodb_table.t", None, Some(object))]
}

#[test]
fn provisioned_capacity_is_paid_by_the_hour_and_each_index_has_its_own() {
    let index = Value::object([
        ("name", Value::from("by_date")),
        ("write_capacity", 1.into()),
        ("read_capacity", 3.into()),
    ]);
    let object = provisioned(2, 5).with("global_secondary_index", list(index));
    assert_eq!(
        lines(&new(object), &Usage::default()),
        [
            "write capacity 0.949",
            "read capacity 0.4745",
            "write capacity of the index by_date 0.4745",
            "read capacity of the index by_date 0.2847",
            "storage 0..",
        ]
    );
}

#[test]
fn requests_on_demand_depend_on_the_usage_or_on_limits() {
    let on_demand = table(vec![("billing_mode", "PAY_PER_REQUEST".into())]);
    let items = new(on_demand.clone());
    assert_eq!(lines(&items, &Usage::default()), ["write requests 0..", "read requests 0..", "storage 0.."]);
    let figures = usage(&items, &[("writes", "3000000"), ("reads", "8000000"), ("storage_gb", "230.5")]);
    assert_eq!(lines(&items, &figures), ["write requests 1.875", "read requests 1", "storage 57.625"]);

    let limits =
        Value::object([("max_write_request_units", Value::from(1)), ("max_read_request_units", (-1).into())]);
    let limited = on_demand.with("on_demand_throughput", list(limits));
    // One unit a second, 3600 seconds, 730 hours.
    assert_eq!(
        lines(&new(limited.clone()), &Usage::default())[..2],
        ["write requests 0..1.6425", "read requests 0.."]
    );
    let index = Value::object([("name", Value::from("i"))]);
    let and_index = limited.with("global_secondary_index", list(index));
    assert_eq!(
        lines(&new(and_index), &Usage::default())[0],
        "write requests 0..",
        "an index without a limit"
    );
}

#[test]
fn storage_recovery_and_streams() {
    let enabled = Value::object([("enabled", Value::from(true))]);
    let object =
        provisioned(0, 0).with("point_in_time_recovery", list(enabled)).with("stream_enabled", true.into());
    let items = new(object.clone());
    let figures = usage(&items, &[("storage_gb", "100"), ("stream_reads", "2000000")]);
    assert_eq!(lines(&items, &figures)[2..], ["storage 25", "point-in-time recovery 20", "stream reads 0.4"]);
    let figures = usage(&items, &[("storage_gb", "100"), ("pitr_gb", "10")]);
    assert_eq!(lines(&items, &figures)[3..], ["point-in-time recovery 2", "stream reads 0.."]);
    let infrequent = object.with("table_class", "STANDARD_INFREQUENT_ACCESS".into());
    let figures = usage(&items, &[("storage_gb", "100")]);
    assert_eq!(lines(&new(infrequent), &figures)[2..4], ["storage 10", "point-in-time recovery 20"]);
}

#[test]
fn what_is_known_after_apply_says_so() {
    let number = || Value::unknown(Type::Number);
    let object = table(vec![("read_capacity", number()), ("write_capacity", 1.into())]);
    let estimate = estimate(Prices::embedded().unwrap(), &new(object), &Usage::default());
    let billed = estimate.resources[0].after.as_ref().unwrap();
    assert_eq!(billed.parts[1].note.as_deref(), Some("`read_capacity` is known only after apply"));
    assert!(billed.monthly.unknown && billed.monthly.low > crate::Money::ZERO);
    let mode = table(vec![("billing_mode", Value::unknown(Type::String))]);
    assert_eq!(lines(&new(mode), &Usage::default()), ["capacity ?", "storage 0.."]);
    let whole = Value::unknown(Type::Any);
    assert_eq!(lines(&new(whole), &Usage::default()), ["capacity ?", "storage ?"]);
}

#[test]
fn a_key_costs_one_dollar_and_up_to_two_more_for_rotations() {
    let key = |spec: &str, rotates: bool| {
        Value::object([
            ("customer_master_key_spec", Value::from(spec)),
            ("enable_key_rotation", rotates.into()),
        ])
    };
    let of = |before: Option<Value>, after: Value, figures: &[(&str, &str)]| {
        let items = [item("aws_kms_key.k", before, Some(after))];
        lines(&items, &usage(&items, figures))
    };
    let symmetric = key("SYMMETRIC_DEFAULT", true);
    assert_eq!(of(None, symmetric.clone(), &[]), ["key 1", "rotations kept 0", "requests 0.."]);
    let old = Some(symmetric.clone());
    assert_eq!(of(old.clone(), symmetric.clone(), &[])[1], "rotations kept 0..2");
    assert_eq!(of(old.clone(), key("SYMMETRIC_DEFAULT", false), &[])[1], "rotations kept 0");
    for (rotations, cost) in [("0", "0"), ("1", "1"), ("7", "2")] {
        assert_eq!(
            of(old.clone(), symmetric.clone(), &[("rotations", rotations)])[1],
            format!("rotations kept {cost}")
        );
    }
    for (spec, cost) in
        [("SYMMETRIC_DEFAULT", "6"), ("RSA_2048", "6"), ("RSA_4096", "30"), ("ECC_NIST_P256", "30")]
    {
        assert_eq!(of(None, key(spec, false), &[("requests", "2000000")])[2], format!("requests {cost}"));
    }
    assert_eq!(of(None, key("HMAC_256", false), &[])[2], "requests ?");
}

#[test]
fn a_replica_of_a_key_costs_as_much_as_the_key() {
    for type_name in kms::KEYS {
        let key = Value::object([("arn", Value::from("arn:aws:kms:eu-west-3:123456789012:key/k"))]);
        let items = [item(&format!("{type_name}.k"), None, Some(key))];
        assert_eq!(
            lines(&items, &usage(&items, &[("requests", "10000")])),
            ["key 1", "rotations kept 0", "requests 0.03"]
        );
    }
}

#[test]
fn a_region_comes_from_the_arn_or_from_the_neighbours() {
    let nameless = || Value::object([("arn", Value::unknown(Type::String)), ("write_capacity", 1.into())]);
    let alone = [item("aws_dynamodb_table.t", None, Some(nameless()))];
    assert_eq!(lines(&alone, &Usage::default())[0], "write capacity ?");
    let beside = [alone[0].clone(), item("aws_dynamodb_table.u", None, Some(provisioned(0, 0)))];
    assert_eq!(lines(&beside, &Usage::default())[0], "write capacity 0.4745");
    let elsewhere = provisioned(0, 0).with("arn", "arn:aws:dynamodb:eu-west-1:123456789012:table/v".into());
    let torn = [beside[0].clone(), beside[1].clone(), item("aws_dynamodb_table.v", None, Some(elsewhere))];
    assert_eq!(lines(&torn, &Usage::default())[0], "write capacity ?", "the provider's objects disagree");
    let mut other = beside.clone();
    other[1].provider = "aws.paris".into();
    assert_eq!(lines(&other, &Usage::default())[0], "write capacity ?", "another configuration");
}

#[test]
fn what_is_free_and_what_has_no_price() {
    let items = [
        item("aws_iam_user.u", None, Some(Value::object([("name", Value::from("u"))]))),
        item("terraform_data.d", None, Some(Value::object([("id", Value::from("x"))]))),
        item("data.aws_region.r", None, Some(Value::object([("name", Value::from("x"))]))),
        item("aws_s3_bucket.b", None, Some(Value::object([("id", Value::from("x"))]))),
    ];
    let estimate = estimate(Prices::embedded().unwrap(), &items, &Usage::default());
    assert_eq!(estimate.free.len(), 2);
    assert_eq!(estimate.resources.len(), 1);
    assert!(estimate.totals.after.unknown);
}

#[test]
fn a_replaced_key_begins_anew() {
    let key = Value::object([("enable_key_rotation", Value::from(true))]);
    let mut replaced = item("aws_kms_key.k", Some(key.clone()), Some(key));
    replaced.is_replaced = true;
    let estimate = estimate(Prices::embedded().unwrap(), &[replaced], &Usage::default());
    let change = estimate.totals.change;
    assert_eq!(
        (change.low.to_string(), change.high.to_string(), change.open),
        ("-2".into(), "0".into(), false)
    );
}

fn any_object() -> impl Strategy<Value = Option<Value>> {
    let mode = prop_oneof![Just("PROVISIONED"), Just("PAY_PER_REQUEST"), Just("other")];
    let class = prop_oneof![Just("STANDARD"), Just("STANDARD_INFREQUENT_ACCESS")];
    let object = (mode, class, any::<i64>(), 0..100_i64, any::<bool>()).prop_map(
        |(mode, class, write, read, stream)| {
            provisioned(write, read)
                .with("billing_mode", mode.into())
                .with("table_class", class.into())
                .with("stream_enabled", stream.into())
        },
    );
    proptest::option::of(object)
}

proptest! {
    #[test]
    fn nothing_costs_less_than_nothing_and_sums_are_sums(sides in proptest::collection::vec((any_object(), any_object()), 0..6)) {
        let items: Vec<Item> = sides
            .into_iter()
            .enumerate()
            .map(|(i, (before, after))| item(&format!("aws_dynamodb_table.t{i}"), before, after))
            .collect();
        let prices = Prices::embedded().unwrap();
        let whole = estimate(prices.clone(), &items, &Usage::default());
        for billed in whole.resources.iter().flat_map(|resource| [&resource.before, &resource.after]).flatten() {
            for part in &billed.parts {
                prop_assert!(crate::Money::ZERO <= part.monthly.low && part.monthly.low <= part.monthly.high);
            }
        }
        let alone = |item: &Item| estimate(prices.clone(), std::slice::from_ref(item), &Usage::default()).totals;
        prop_assert_eq!(whole.totals.after, items.iter().map(|item| alone(item).after).sum::<Sum>());
        prop_assert_eq!(whole.totals.change, items.iter().map(|item| alone(item).change).sum::<Sum>());
        let same: Vec<Item> = items.iter().map(|item| Item { after: item.before.clone(), ..item.clone() }).collect();
        prop_assert_eq!(estimate(prices, &same, &Usage::default()).totals.change, Sum::ZERO);
    }
}
