//! DynamoDB: what the engine of the items lacks, and who may touch which items.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeValue, BillingMode, ContinuousBackupsStatus, CreateGlobalSecondaryIndexAction,
    DeleteGlobalSecondaryIndexAction, Get, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, IndexStatus,
    KeyType, KeysAndAttributes, PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, Projection,
    ProjectionType, Put, SseSpecification, SseStatus, StreamSpecification, StreamViewType, TableClass,
    TableDescription, TableStatus, Tag, TimeToLiveSpecification, TimeToLiveStatus, TransactGetItem,
    TransactWriteItem, UpdateGlobalSecondaryIndexAction,
};

use crate::aws::{ACCOUNT, Aws, REGION, refused, sandbox, sandbox_with};
use crate::encrypted_tables::{part, sse, text, units, value};

async fn create(aws: &Aws, name: &str) -> TableDescription {
    let call = aws.dynamodb.create_table().table_name(name).key_schema(part("k", KeyType::Hash));
    let call = call.attribute_definitions(text("k")).provisioned_throughput(units(1, 1));
    call.send().await.unwrap().table_description.unwrap()
}

async fn describe(aws: &Aws, name: &str) -> TableDescription {
    aws.dynamodb.describe_table().table_name(name).send().await.unwrap().table.unwrap()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

#[tokio::test]
async fn tables_settle_for_as_long_as_is_asked_for() {
    let sandbox = sandbox_with(|options| options.table_settling = Duration::from_secs(5));
    let admin = Aws::admin(&sandbox);
    let db = &admin.dynamodb;
    assert_eq!(create(&admin, "Forum").await.table_status, Some(TableStatus::Creating));
    assert_eq!(describe(&admin, "Forum").await.table_status, Some(TableStatus::Creating));
    let put = || db.put_item().table_name("Forum").item("k", value("a")).send();
    assert_eq!(refused(put().await).0, "ResourceNotFoundException");
    assert_eq!(refused(db.delete_table().table_name("Forum").send().await).0, "ResourceInUseException");
    sandbox.advance_clock(Duration::from_secs(5)).unwrap();
    assert_eq!(describe(&admin, "Forum").await.table_status, Some(TableStatus::Active));
    put().await.unwrap();
    let wider = || db.update_table().table_name("Forum").provisioned_throughput(units(2, 2)).send();
    wider().await.unwrap();
    assert_eq!(describe(&admin, "Forum").await.table_status, Some(TableStatus::Updating));
    assert_eq!(refused(wider().await).0, "ResourceInUseException");
    put().await.unwrap();
    sandbox.advance_clock(Duration::from_secs(5)).unwrap();
    let deleted = db.delete_table().table_name("Forum").send().await.unwrap().table_description.unwrap();
    assert_eq!(deleted.table_status, Some(TableStatus::Deleting));
    assert_eq!(describe(&admin, "Forum").await.table_status, Some(TableStatus::Deleting));
    let again = db.create_table().table_name("Forum").key_schema(part("k", KeyType::Hash));
    let again = again.attribute_definitions(text("k")).billing_mode(BillingMode::PayPerRequest).send().await;
    assert_eq!(refused(again).0, "ResourceInUseException");
    sandbox.advance_clock(Duration::from_secs(5)).unwrap();
    assert_eq!(refused(db.describe_table().table_name("Forum").send().await).0, "ResourceNotFoundException");
    create(&admin, "Forum").await;
}

#[tokio::test]
async fn a_table_made_again_has_nothing_of_the_old_one() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let db = &admin.dynamodb;
    let old = create(&admin, "Forum").await;
    let arn = old.table_arn.clone().unwrap();
    assert_eq!(arn, format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Forum"));
    db.tag_resource().resource_arn(&arn).tags(tag("a", "1")).send().await.unwrap();
    pitr(&admin, true, None).await.unwrap();
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("t").build().unwrap();
    db.update_time_to_live().table_name("Forum").time_to_live_specification(ttl).send().await.unwrap();
    db.put_item().table_name("Forum").item("k", value("a")).send().await.unwrap();
    db.delete_table().table_name("Forum").send().await.unwrap();
    assert_eq!(refused(db.delete_table().table_name("Forum").send().await).0, "ResourceNotFoundException");
    let new = create(&admin, "Forum").await;
    assert_ne!(new.table_id, old.table_id);
    assert!(db.list_tags_of_resource().resource_arn(&arn).send().await.unwrap().tags.unwrap().is_empty());
    let backups = db.describe_continuous_backups().table_name("Forum").send().await.unwrap();
    let backups = backups.continuous_backups_description.unwrap();
    assert_eq!(backups.continuous_backups_status, ContinuousBackupsStatus::Enabled);
    let recovery = backups.point_in_time_recovery_description.unwrap();
    assert_eq!(recovery.point_in_time_recovery_status, Some(PointInTimeRecoveryStatus::Disabled));
    let ttl = db
        .describe_time_to_live()
        .table_name("Forum")
        .send()
        .await
        .unwrap()
        .time_to_live_description
        .unwrap();
    assert_eq!(ttl.time_to_live_status, Some(TimeToLiveStatus::Disabled));
    assert_eq!(db.scan().table_name("Forum").send().await.unwrap().count, 0);
}

async fn pitr(aws: &Aws, enabled: bool, days: Option<i32>) -> Result<i32, String> {
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(enabled)
        .set_recovery_period_in_days(days)
        .build()
        .unwrap();
    let call = aws.dynamodb.update_continuous_backups().table_name("Forum");
    match call.point_in_time_recovery_specification(specification).send().await {
        Ok(answer) => {
            let backups = answer.continuous_backups_description.unwrap();
            let recovery = backups.point_in_time_recovery_description.unwrap();
            Ok(recovery.recovery_period_in_days.unwrap_or_default())
        }
        Err(error) => Err(refused::<(), _>(Err(error)).0),
    }
}

#[tokio::test]
async fn point_in_time_recovery_has_a_period() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    assert_eq!(pitr(&admin, true, None).await, Err("TableNotFoundException".to_owned()));
    create(&admin, "Forum").await;
    assert_eq!(pitr(&admin, true, None).await, Ok(35));
    assert_eq!(pitr(&admin, true, Some(7)).await, Ok(7));
    assert_eq!(pitr(&admin, true, Some(36)).await, Err("ValidationException".to_owned()));
    assert_eq!(pitr(&admin, false, None).await, Ok(0));
}

#[tokio::test]
async fn time_to_live_is_switched_once_each_way() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    create(&admin, "Forum").await;
    let switch = |enabled: bool, name: &str| {
        let ttl = TimeToLiveSpecification::builder().enabled(enabled).attribute_name(name).build().unwrap();
        admin.dynamodb.update_time_to_live().table_name("Forum").time_to_live_specification(ttl).send()
    };
    assert!(refused(switch(false, "t").await).1.contains("already disabled"));
    switch(true, "t").await.unwrap();
    assert!(refused(switch(true, "t").await).1.contains("already enabled"));
    assert!(refused(switch(false, "u").await).1.contains("current AttributeName is t"));
    let shown = admin.dynamodb.describe_time_to_live().table_name("Forum").send().await.unwrap();
    let shown = shown.time_to_live_description.unwrap();
    assert_eq!(shown.time_to_live_status, Some(TimeToLiveStatus::Enabled));
    assert_eq!(shown.attribute_name.as_deref(), Some("t"));
    switch(false, "t").await.unwrap();
}

#[tokio::test]
async fn encryption_alone_can_be_changed() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let key = admin.kms.create_key().send().await.unwrap().key_metadata.unwrap();
    create(&admin, "Forum").await;
    assert_eq!(describe(&admin, "Forum").await.sse_description, None);
    let change =
        |to: SseSpecification| admin.dynamodb.update_table().table_name("Forum").sse_specification(to).send();
    change(sse(&key.key_id)).await.unwrap();
    let shown = describe(&admin, "Forum").await.sse_description.unwrap();
    assert_eq!((shown.status, shown.kms_master_key_arn), (Some(SseStatus::Enabled), key.arn));
    assert_eq!(refused(change(sse(&key.key_id)).await).0, "ValidationException");
    let off = SseSpecification::builder().enabled(false).build();
    change(off).await.unwrap();
    assert_eq!(describe(&admin, "Forum").await.sse_description, None);
    let absent = "arn:aws:kms:eu-west-3:123456789012:key/12345678-1234-1234-1234-123456789012";
    assert_eq!(refused(change(sse(absent)).await).0, "ValidationException");
    admin.kms.disable_key().key_id(&key.key_id).send().await.unwrap();
    assert!(refused(change(sse(&key.key_id)).await).1.contains("is not enabled"));
}

#[tokio::test]
async fn putting_a_table_under_a_key_takes_rights_on_the_key() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let key = admin.kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let user = admin.new_user(&sandbox, "ann").await;
    admin.allow("ann", "tables", "dynamodb:*", "*").await;
    let make = |name: &str| {
        let call = user.dynamodb.create_table().table_name(name).key_schema(part("k", KeyType::Hash));
        call.attribute_definitions(text("k"))
            .provisioned_throughput(units(1, 1))
            .sse_specification(sse(&key))
            .send()
    };
    let (code, message) = refused(make("Forum").await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("kms:DescribeKey"), "{message}");
    create(&user, "Plain").await;
    let moved = || user.dynamodb.update_table().table_name("Plain").sse_specification(sse(&key)).send();
    assert!(refused(moved().await).1.contains("kms:DescribeKey"));
    admin.allow("ann", "key", "kms:*", &key).await;
    make("Forum").await.unwrap();
    moved().await.unwrap();
}

#[tokio::test]
async fn capacity_class_protection_and_billing_are_changed() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let db = &admin.dynamodb;
    create(&admin, "Forum").await;
    let update = || db.update_table().table_name("Forum");
    assert_eq!(refused(update().send().await).0, "ValidationException");
    assert_eq!(refused(update().provisioned_throughput(units(1, 1)).send().await).0, "ValidationException");
    update().provisioned_throughput(units(5, 4)).deletion_protection_enabled(true).send().await.unwrap();
    update().table_class(TableClass::StandardInfrequentAccess).send().await.unwrap();
    assert_eq!(refused(db.delete_table().table_name("Forum").send().await).0, "ValidationException");
    update()
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(false)
        .send()
        .await
        .unwrap();
    let shown = describe(&admin, "Forum").await;
    let capacity = shown.provisioned_throughput.unwrap();
    assert_eq!((capacity.read_capacity_units, capacity.write_capacity_units), (Some(0), Some(0)));
    let billing = shown.billing_mode_summary.unwrap();
    assert_eq!(billing.billing_mode, Some(BillingMode::PayPerRequest));
    assert!(billing.last_update_to_pay_per_request_date_time.is_some());
    assert_eq!(shown.table_class_summary.unwrap().table_class, Some(TableClass::StandardInfrequentAccess));
    update().billing_mode(BillingMode::Provisioned).provisioned_throughput(units(2, 3)).send().await.unwrap();
    let shown = describe(&admin, "Forum").await;
    assert_eq!(shown.provisioned_throughput.unwrap().read_capacity_units, Some(2));
    assert_eq!(shown.billing_mode_summary.unwrap().billing_mode, Some(BillingMode::Provisioned));
    db.delete_table().table_name("Forum").send().await.unwrap();
}

fn all() -> Projection {
    Projection::builder().projection_type(ProjectionType::All).build()
}

#[tokio::test]
async fn indexes_are_made_changed_and_deleted() {
    let sandbox = sandbox_with(|options| options.table_settling = Duration::from_secs(5));
    let admin = Aws::admin(&sandbox);
    let db = &admin.dynamodb;
    let settle = || sandbox.advance_clock(Duration::from_secs(5)).unwrap();
    let first = GlobalSecondaryIndex::builder()
        .index_name("first")
        .key_schema(part("a", KeyType::Hash))
        .projection(all())
        .provisioned_throughput(units(3, 4))
        .build()
        .unwrap();
    let call = db.create_table().table_name("Forum").key_schema(part("k", KeyType::Hash));
    let call = call.attribute_definitions(text("k")).attribute_definitions(text("a"));
    call.provisioned_throughput(units(1, 1)).global_secondary_indexes(first).send().await.unwrap();
    let index = |table: TableDescription, name: &str| {
        let indexes = table.global_secondary_indexes.unwrap_or_default();
        indexes.into_iter().find(|index| index.index_name.as_deref() == Some(name))
    };
    let shown = index(describe(&admin, "Forum").await, "first").unwrap();
    assert_eq!(shown.index_status, Some(IndexStatus::Creating));
    assert_eq!(
        shown.index_arn.unwrap(),
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Forum/index/first")
    );
    settle();
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name("second")
        .key_schema(part("b", KeyType::Hash))
        .projection(all())
        .provisioned_throughput(units(7, 8))
        .build()
        .unwrap();
    let create = GlobalSecondaryIndexUpdate::builder().create(create).build();
    let call = db.update_table().table_name("Forum").attribute_definitions(text("b"));
    let answer = call.global_secondary_index_updates(create).send().await.unwrap();
    let shown = index(answer.table_description.unwrap(), "second").unwrap();
    assert_eq!(shown.index_status, Some(IndexStatus::Creating));
    settle();
    let shown = index(describe(&admin, "Forum").await, "second").unwrap();
    assert_eq!(shown.index_status, Some(IndexStatus::Active));
    assert_eq!(shown.provisioned_throughput.unwrap().write_capacity_units, Some(8));
    let change = |name: &str| {
        let update =
            UpdateGlobalSecondaryIndexAction::builder().index_name(name).provisioned_throughput(units(9, 9));
        let update = GlobalSecondaryIndexUpdate::builder().update(update.build().unwrap()).build();
        db.update_table().table_name("Forum").global_secondary_index_updates(update).send()
    };
    change("first").await.unwrap();
    settle();
    assert!(refused(change("first").await).1.contains("will not change"));
    assert_eq!(refused(change("absent").await).0, "ResourceNotFoundException");
    let shown = index(describe(&admin, "Forum").await, "first").unwrap();
    assert_eq!(shown.provisioned_throughput.unwrap().read_capacity_units, Some(9));
    db.update_table().table_name("Forum").billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    settle();
    let shown = index(describe(&admin, "Forum").await, "second").unwrap();
    assert_eq!(shown.provisioned_throughput.unwrap().read_capacity_units, Some(0));
    let back = db.update_table().table_name("Forum").billing_mode(BillingMode::Provisioned);
    let back = back.provisioned_throughput(units(1, 1)).send().await;
    assert!(refused(back).1.contains("must be specified for index: first"));
    let delete = DeleteGlobalSecondaryIndexAction::builder().index_name("first").build().unwrap();
    let delete = GlobalSecondaryIndexUpdate::builder().delete(delete).build();
    db.update_table().table_name("Forum").global_secondary_index_updates(delete).send().await.unwrap();
    assert_eq!(index(describe(&admin, "Forum").await, "first"), None);
}

#[tokio::test]
async fn tags_of_tables() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let db = &admin.dynamodb;
    let arn = create(&admin, "Forum").await.table_arn.unwrap();
    db.tag_resource().resource_arn(&arn).tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    db.tag_resource().resource_arn(&arn).tags(tag("b", "3")).send().await.unwrap();
    db.untag_resource().resource_arn(&arn).tag_keys("a").send().await.unwrap();
    let shown = db.list_tags_of_resource().resource_arn(&arn).send().await.unwrap().tags.unwrap();
    assert_eq!(shown, [tag("b", "3")]);
    let absent = arn.replace("Forum", "Absent");
    assert_eq!(
        refused(db.list_tags_of_resource().resource_arn(absent).send().await).0,
        "ResourceNotFoundException"
    );
    assert_eq!(
        refused(db.list_tags_of_resource().resource_arn("Forum").send().await).0,
        "ValidationException"
    );
}

#[tokio::test]
async fn calls_on_several_tables_need_the_right_on_each() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    for name in ["One", "Two"] {
        create(&admin, name).await;
    }
    let prefix = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/");
    admin.allow("ann", "one", "dynamodb:*", &format!("{prefix}One")).await;
    let keys = || KeysAndAttributes::builder().keys([("k".to_owned(), value("a"))].into()).build().unwrap();
    let batch = |name: &str| {
        user.dynamodb.batch_get_item().request_items("One", keys()).request_items(name, keys()).send()
    };
    batch("One").await.unwrap();
    assert!(refused(batch("Two").await).1.contains("table/Two"));
    let get = |name: &str| {
        let get = Get::builder().table_name(name).key("k", value("a")).build().unwrap();
        let item = TransactGetItem::builder().get(get).build();
        user.dynamodb.transact_get_items().transact_items(item).send()
    };
    get("One").await.unwrap();
    get(&format!("{prefix}One")).await.unwrap();
    assert!(refused(get("Two").await).1.contains("dynamodb:GetItem"));
    let put = |name: &str| {
        let put = Put::builder().table_name(name).item("k", value("a")).build().unwrap();
        let item = TransactWriteItem::builder().put(put).build();
        user.dynamodb.transact_write_items().transact_items(item).send()
    };
    put("One").await.unwrap();
    assert!(refused(put("Two").await).1.contains("dynamodb:PutItem"));
    let run = |statement: &str| user.dynamodb.execute_statement().statement(statement).send();
    assert_eq!(run("SELECT * FROM \"One\"").await.unwrap().items.unwrap().len(), 1);
    assert!(refused(run("SELECT * FROM \"Two\"").await).1.contains("dynamodb:PartiQLSelect"));
    assert!(refused(run("DELETE FROM Two WHERE k='a'").await).1.contains("dynamodb:PartiQLDelete"));
    let by_arn =
        user.dynamodb.get_item().table_name(format!("{prefix}One")).key("k", value("a")).send().await;
    assert_eq!(by_arn.unwrap().item.unwrap()["k"], value("a"));
}

#[tokio::test]
async fn indexes_are_resources_of_their_own() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    let index = GlobalSecondaryIndex::builder().index_name("by-a").key_schema(part("a", KeyType::Hash));
    let index = index.projection(all()).provisioned_throughput(units(1, 1)).build().unwrap();
    let call = admin.dynamodb.create_table().table_name("Forum").key_schema(part("k", KeyType::Hash));
    let call = call.attribute_definitions(text("k")).attribute_definitions(text("a"));
    call.provisioned_throughput(units(1, 1)).global_secondary_indexes(index).send().await.unwrap();
    let table = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Forum");
    admin.allow("ann", "table", "dynamodb:Query", &table).await;
    let query = || {
        let call =
            user.dynamodb.query().table_name("Forum").index_name("by-a").key_condition_expression("a = :a");
        call.expression_attribute_values(":a", AttributeValue::S("x".to_owned())).send()
    };
    assert!(refused(query().await).1.contains("table/Forum/index/by-a"));
    admin.allow("ann", "index", "dynamodb:Query", &format!("{table}/index/*")).await;
    query().await.unwrap();
}

#[tokio::test]
async fn a_user_can_be_held_to_items_of_its_own() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    create(&admin, "Forum").await;
    let user = admin.new_user(&sandbox, "ann").await;
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*",
            "Condition": { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${aws:username}"] }, "Null": { "dynamodb:LeadingKeys": "false" } },
        }],
    });
    let call =
        admin.iam.put_user_policy().user_name("ann").policy_name("own").policy_document(policy.to_string());
    call.send().await.unwrap();
    let put = |key: &str| user.dynamodb.put_item().table_name("Forum").item("k", value(key)).send();
    put("ann").await.unwrap();
    assert_eq!(refused(put("bob").await).0, "AccessDeniedException");
    let query = |key: &str| {
        let call = user.dynamodb.query().table_name("Forum").key_condition_expression("k = :k");
        call.expression_attribute_values(":k", value(key)).send()
    };
    assert_eq!(query("ann").await.unwrap().count, 1);
    assert_eq!(refused(query("bob").await).0, "AccessDeniedException");
    assert_eq!(refused(user.dynamodb.scan().table_name("Forum").send().await).0, "AccessDeniedException");
}

#[tokio::test]
async fn streams_have_arns_of_the_account() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
    let call = admin.dynamodb.create_table().table_name("Forum").key_schema(part("k", KeyType::Hash));
    let call = call.attribute_definitions(text("k")).billing_mode(BillingMode::PayPerRequest);
    let made =
        call.stream_specification(stream.build().unwrap()).send().await.unwrap().table_description.unwrap();
    let arn = made.latest_stream_arn.unwrap();
    assert!(arn.starts_with(&format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Forum/stream/")), "{arn}");
    let off = StreamSpecification::builder().stream_enabled(false).build().unwrap();
    admin.dynamodb.update_table().table_name("Forum").stream_specification(off).send().await.unwrap();
    assert_eq!(describe(&admin, "Forum").await.stream_specification, None);
}

#[tokio::test]
async fn tables_of_a_region_are_listed_in_pages() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    for number in 0..5 {
        create(&admin, &format!("Table{number}")).await;
    }
    let page = admin.dynamodb.list_tables().limit(3).send().await.unwrap();
    assert_eq!(page.table_names.unwrap(), ["Table0", "Table1", "Table2"]);
    let page =
        admin.dynamodb.list_tables().limit(3).set_exclusive_start_table_name(page.last_evaluated_table_name);
    let page = page.send().await.unwrap();
    assert_eq!(page.table_names.unwrap(), ["Table3", "Table4"]);
    assert_eq!(page.last_evaluated_table_name, None);
}
