//! What a plan knows, what it refuses, and which differences mean nothing.

use terrane_model::conform::Problem;
use terrane_model::{Kind, Path, Type, Value};
use terrane_provider::Facts;

use super::{ARN, body, encrypted, index, made, object};
use crate::dynamodb::table::Table;
use crate::object::{elements, filled, first, flag, text, whole};
use crate::testing::{facts, misfit, plan_with};

fn planned(prior: Option<&Value>, body: Value) -> Value {
    plan_with(&Table, prior, body, &facts()).unwrap().0
}

fn problems(prior: Option<&Value>, body: Value) -> Vec<Problem> {
    plan_with(&Table, prior, body, &facts()).unwrap_err()
}

fn null() -> Value {
    Value::null(Type::Any)
}

fn attributes(names: &[&str]) -> Value {
    Value::tuple(names.iter().map(|name| object([("name", (*name).into()), ("type", "S".into())])))
}

#[test]
fn nothing_of_a_new_table_is_unknown() {
    let recovery = object([("enabled", true.into())]);
    let plan =
        planned(None, body(&[("server_side_encryption", encrypted()), ("point_in_time_recovery", recovery)]));
    assert!(plan.is_wholly_known(), "{plan:#?}");
    assert_eq!((filled(&plan, "arn"), filled(&plan, "id")), (Some(ARN), Some("Post")));
    assert_eq!(whole(first(&plan, "point_in_time_recovery").unwrap(), "recovery_period_in_days"), Some(35));
    assert_eq!(
        first(&plan, "ttl"),
        Some(&object([("attribute_name", "".into()), ("enabled", false.into())]))
    );
    assert_eq!((text(&plan, "stream_arn"), text(&plan, "stream_view_type")), (Some(""), Some("")));
}

#[test]
fn without_an_account_only_the_arn_is_unknown() {
    let (plan, _) = plan_with(&Table, None, body(&[]), &Facts::default()).unwrap();
    let unknown: Vec<_> =
        plan.entries().unwrap().iter().filter(|(_, v)| !v.is_wholly_known()).map(|(k, _)| &**k).collect();
    assert_eq!(unknown, ["arn"]);
}

#[test]
fn what_aws_invents_stays_unknown() {
    let stream = [("stream_enabled", true.into()), ("stream_view_type", "NEW_IMAGE".into())];
    let plan = planned(None, body(&stream));
    let Kind::Unknown(arn) = plan.get("stream_arn").unwrap().kind() else {
        panic!("the stream's ARN is known")
    };
    assert_eq!(&*arn.prefix, format!("{ARN}/stream/"));
    let aws_key = object([("enabled", true.into())]);
    let plan = planned(None, body(&[("server_side_encryption", aws_key)]));
    assert!(first(&plan, "server_side_encryption").unwrap().get("kms_key_arn").unwrap().is_unknown());
    let key = object([("enabled", true.into()), ("kms_key_arn", Value::unknown(Type::String))]);
    let plan = planned(None, body(&[("server_side_encryption", key)]));
    assert!(flag(first(&plan, "server_side_encryption").unwrap(), "enabled"));
}

#[tokio::test(start_paused = true)]
async fn the_same_arguments_are_no_change() {
    let table = made(body(&[])).await;
    assert_eq!(misfit(&table, &planned(Some(&table), body(&[]))), None);
    let off = || object([("enabled", false.into())]);
    let said = [
        ("server_side_encryption", off()),
        ("point_in_time_recovery", off()),
        ("ttl", object([("enabled", false.into()), ("attribute_name", "expires".into())])),
        ("stream_enabled", false.into()),
        ("deletion_protection_enabled", false.into()),
        ("tags", Value::object::<&str>([])),
    ];
    assert_eq!(planned(Some(&table), body(&said)), table);
    let other_type = object([("name", "pk".into()), ("type", "N".into())]);
    let retyped = Value::tuple([other_type, object([("name", "sk".into()), ("type", "S".into())])]);
    assert_eq!(planned(Some(&table), body(&[("attribute", retyped)])), table);
}

#[test]
fn keys_need_attributes_and_attributes_keys() {
    let found = problems(None, body(&[("attribute", attributes(&["pk", "other"]))]));
    let codes: Vec<_> = found.iter().map(|problem| (problem.code, problem.path.to_string())).collect();
    assert_eq!(codes, [("undefined-key", "range_key".into()), ("unused-attribute", "attribute".into())]);
    let found = problems(None, body(&[("attribute", null())]));
    assert!(found.iter().all(|problem| problem.code == "undefined-key") && found.len() == 2, "{found:?}");
    let found = problems(None, body(&[("hash_key", null()), ("range_key", null()), ("attribute", null())]));
    assert_eq!(found[0].code, "missing-argument");
    let with_index =
        body(&[("global_secondary_index", index("a", "ALL", 1)), ("attribute", attributes(&["pk", "sk"]))]);
    planned(None, with_index);
}

#[test]
fn what_is_not_known_is_not_judged() {
    let unknown = || Value::unknown(Type::String);
    planned(None, body(&[("hash_key", unknown())]));
    planned(None, body(&[("attribute", attributes(&["pk", "sk", "other"])), ("range_key", unknown())]));
    planned(None, body(&[("read_capacity", Value::unknown(Type::Number))]));
    planned(None, body(&[("billing_mode", unknown()), ("read_capacity", null())]));
    planned(None, body(&[("attribute", Value::unknown(Type::Any)), ("ttl", Value::unknown(Type::Any))]));
    planned(None, body(&[("global_secondary_index", Value::unknown(Type::Any))]));
    planned(None, body(&[("stream_enabled", Value::unknown(Type::Bool))]));
}

#[tokio::test(start_paused = true)]
async fn capacity_fits_the_billing_mode() {
    let on_demand = ("billing_mode", Value::from("PAY_PER_REQUEST"));
    for (prior, more) in [
        (None, vec![("read_capacity", null())]),
        (None, vec![("write_capacity", 0.into())]),
        (None, vec![on_demand.clone()]),
        (None, vec![("global_secondary_index", index("a", "ALL", 0))]),
    ] {
        assert!(!problems(prior, body(&more)).is_empty(), "{more:?}");
    }
    // The numbers may stay for the one apply that changes the mode.
    let table = made(body(&[])).await;
    let plan = planned(Some(&table), body(&[on_demand]));
    assert_eq!(
        (text(&plan, "billing_mode"), whole(&plan, "read_capacity")),
        (Some("PAY_PER_REQUEST"), Some(1))
    );
}

#[test]
fn companions_are_asked_for() {
    let found = problems(None, body(&[("stream_enabled", true.into())]));
    assert_eq!(found[0].path, Path::attribute("stream_view_type"));
    let found = problems(None, body(&[("ttl", object([("enabled", true.into())]))]));
    assert_eq!(found[0].path.to_string(), "ttl[0].attribute_name");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_supported_is_refused_unless_it_was_there() {
    let replica = object([("region_name", "eu-west-1".into())]);
    let source = object([("bucket", "b".into())]);
    let import = object([("input_format", "CSV".into()), ("s3_bucket_source", source)]);
    for (name, value) in [
        ("replica", replica),
        ("import_table", import),
        ("restore_source_name", "Old".into()),
        ("restore_to_latest_time", true.into()),
    ] {
        let found = problems(None, body(&[(name, value)]));
        assert_eq!((found[0].code, found[0].path.root()), ("not-supported", Some(name)));
        assert!(found[0].detail.contains("supported yet") || found[0].detail.contains("type yet"));
    }
    let restored = made(body(&[])).await.with("restore_source_name", "Old".into());
    let (plan, replace) = plan_with(&Table, Some(&restored), body(&[]), &facts()).unwrap();
    assert_eq!((replace, text(&plan, "restore_source_name")), (vec![], None));
    planned(Some(&restored), body(&[("restore_source_name", "Old".into())]));
}

#[test]
fn index_elements_have_the_shape_of_the_state() {
    let local = object([("name", "l".into()), ("range_key", "sk".into()), ("projection_type", "ALL".into())]);
    let more = [
        ("billing_mode", "PAY_PER_REQUEST".into()),
        ("read_capacity", null()),
        ("write_capacity", null()),
        ("local_secondary_index", local),
        (
            "global_secondary_index",
            object([("name", "g".into()), ("hash_key", "sk".into()), ("projection_type", "ALL".into())]),
        ),
    ];
    let plan = planned(None, body(&more));
    assert!(plan.is_wholly_known());
    let global = &elements(&plan, "global_secondary_index")[0];
    assert_eq!((text(global, "range_key"), whole(global, "read_capacity")), (Some(""), Some(0)));
    let local = &elements(&plan, "local_secondary_index")[0];
    assert!(!local.get("non_key_attributes").unwrap().is_null());
}
