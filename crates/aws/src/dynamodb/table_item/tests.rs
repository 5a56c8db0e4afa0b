use terrane_model::{Path, Value};
use terrane_provider::{ErrorKind, Failure, ResourceType};

use super::TableItem;
use crate::object::filled;
use crate::testing::{Cloud, facts, misfit, plan_with};

fn body(item: &str) -> Value {
    Value::object([
        ("table_name", Value::from("notes")),
        ("hash_key", Value::from("pk")),
        ("item", Value::from(item)),
    ])
}

const ONE: &str = r#"{"pk":{"S":"a"},"n":{"N":"1"}}"#;

fn got(item: &str) -> String {
    format!(r#"{{"Item":{item}}}"#)
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&TableItem, None, body).unwrap();
    let object = cloud.with(async |cx| TableItem.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default().answer("PutItem", "{}").answer("GetItem", &got(ONE))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = made().answer("DeleteItem", "{}");
    let object = create(&cloud, body(ONE)).await.unwrap();
    assert_eq!(filled(&object, "id"), Some("notes|pk|a"));
    assert_eq!(cloud.with(async |cx| TableItem.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    assert_eq!(cloud.sent("PutItem")["ConditionExpression"], "attribute_not_exists(#key)");
    cloud.with(async |cx| TableItem.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.sent("DeleteItem")["Key"]["pk"]["S"], "a");
}

#[tokio::test(start_paused = true)]
async fn vanished_or_changed() {
    let object = create(&made(), body(ONE)).await.unwrap();
    let cloud = Cloud::default()
        .answer("GetItem", "{}")
        .fail("GetItem", 400, "ResourceNotFoundException", "no table")
        .fail("DeleteItem", 400, "ResourceNotFoundException", "no table");
    for _ in 0..2 {
        assert_eq!(cloud.with(async |cx| TableItem.read(cx, &object).await).await.unwrap(), None);
    }
    cloud.with(async |cx| TableItem.delete(cx, &object).await).await.unwrap();
    let other = Cloud::default().answer("GetItem", &got(r#"{"pk":{"S":"a"},"n":{"N":"2"}}"#));
    let read = other.with(async |cx| TableItem.read(cx, &object).await).await.unwrap().unwrap();
    assert_eq!(filled(&read, "item"), Some(r#"{"n":{"N":"2"},"pk":{"S":"a"}}"#));
}

#[tokio::test(start_paused = true)]
async fn the_item_changes_in_place() {
    let object = create(&made(), body(ONE)).await.unwrap();
    let spaced = body(r#"{ "n": {"N": "1"}, "pk": {"S": "a"} }"#);
    assert_eq!(plan_with(&TableItem, Some(&object), spaced, &facts()).unwrap(), (object.clone(), vec![]));
    let (_, replace) =
        plan_with(&TableItem, Some(&object), body(ONE).with("table_name", "other".into()), &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("table_name")]);
    let changed = body(r#"{"pk":{"S":"a"},"m":{"BOOL":true}}"#);
    let (planned, _) = plan_with(&TableItem, Some(&object), changed, &facts()).unwrap();
    let cloud = Cloud::default().answer("UpdateItem", "{}");
    cloud.with(async |cx| TableItem.update(cx, &object, &planned).await).await.unwrap();
    let sent = cloud.sent("UpdateItem");
    assert_eq!(sent["UpdateExpression"], "SET #s0 = :s0 REMOVE #r0");
    assert_eq!(
        (&sent["ExpressionAttributeNames"]["#s0"], &sent["ExpressionAttributeNames"]["#r0"]),
        (&"m".into(), &"n".into())
    );
}

#[tokio::test(start_paused = true)]
async fn another_key_is_another_item_and_the_old_one_goes() {
    let object = create(&made(), body(ONE)).await.unwrap();
    let moved = body(r#"{"pk":{"S":"b"},"n":{"N":"1"}}"#);
    let (planned, replace) = plan_with(&TableItem, Some(&object), moved, &facts()).unwrap();
    assert_eq!((replace, filled(&planned, "id")), (vec![], Some("notes|pk|b")));
    let cloud = Cloud::default().answer("PutItem", "{}").answer("DeleteItem", "{}");
    let object = cloud.with(async |cx| TableItem.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(
        (misfit(&planned, &object), cloud.calls()),
        (None, vec!["PutItem".into(), "DeleteItem".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn another_key_that_a_dead_run_put_is_taken_for_its_own() {
    let object = create(&made(), body(ONE)).await.unwrap();
    let moved = r#"{"pk":{"S":"b"},"n":{"N":"1"}}"#;
    let (planned, _) = plan_with(&TableItem, Some(&object), body(moved), &facts()).unwrap();
    let there = |item: &str| {
        let taken = Cloud::default().fail("PutItem", 400, "ConditionalCheckFailedException", "there is one");
        taken.answer("GetItem", &got(item)).answer("DeleteItem", "{}")
    };
    let cloud = there(r#"{"n":{"N":"1.0"},"pk":{"S":"b"}}"#);
    let object_now = cloud.with(async |cx| TableItem.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(
        (misfit(&planned, &object_now), cloud.sent("DeleteItem")["Key"]["pk"]["S"].as_str()),
        (None, Some("a"))
    );
    let other = there(r#"{"n":{"N":"2"},"pk":{"S":"b"}}"#);
    other.with(async |cx| TableItem.update(cx, &object, &planned).await).await.unwrap_err();
    assert!(!other.calls().contains(&"DeleteItem".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn throttled_lost_and_taken() {
    let exists = "The conditional request failed";
    let cloud = Cloud::default()
        .fail("PutItem", 400, "ProvisionedThroughputExceededException", "slow down")
        .lose("PutItem")
        .fail("PutItem", 400, "ConditionalCheckFailedException", exists)
        .fail("GetItem", 500, "InternalServerError", "try again")
        .answer("GetItem", &got(ONE));
    create(&cloud, body(ONE)).await.unwrap();
    let taken = Cloud::default().fail("PutItem", 400, "ConditionalCheckFailedException", exists);
    let error = create(&taken, body(ONE)).await.unwrap_err().error;
    assert_eq!((error.kind, error.hints.len()), (ErrorKind::Conflict, 1));
}

#[tokio::test]
async fn bad_items_are_refused_at_plan() {
    for (item, why) in
        [("{", "no JSON"), (r#"{"n":{"N":"1"}}"#, "no attribute `pk`"), (r#"{"pk":1}"#, "`pk`")]
    {
        let problems = Cloud::default().plan(&TableItem, None, body(item)).unwrap_err();
        assert!(problems[0].detail.contains(why), "{}", problems[0].detail);
    }
    let ranged = body(ONE).with("range_key", "n".into());
    let planned = Cloud::default().plan(&TableItem, None, ranged).unwrap();
    assert_eq!(filled(&planned, "id"), Some("notes|pk|a|n|1"));
}

#[tokio::test]
async fn found_when_it_is_the_same_and_never_imported() {
    let planned = Cloud::default().plan(&TableItem, None, body(ONE)).unwrap();
    for (item, is_found) in [(ONE, true), (r#"{"pk":{"S":"a"}}"#, false)] {
        let cloud = Cloud::default().answer("GetItem", &got(item));
        let found = cloud.with(async |cx| TableItem.find(cx, &planned).await).await.unwrap();
        assert_eq!(found.is_some(), is_found);
    }
    assert!(made().with(async |cx| TableItem.import(cx, "x").await).await.is_err());
}
