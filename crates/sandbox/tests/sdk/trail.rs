//! The audit trail, through CloudTrail's own client.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudtrail::config::retry::RetryConfig;
use aws_sdk_cloudtrail::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use terrane_sandbox::{Options, Sandbox, serve};
use tokio::net::TcpListener;

use crate::aws::{ADMIN, Aws, REGION, fixed, refused, sandbox};
use crate::encrypted_tables::make;

fn config(id: &str, secret: &str) -> aws_sdk_cloudtrail::config::Builder {
    aws_sdk_cloudtrail::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .retry_config(RetryConfig::disabled())
}

fn trail(sandbox: &Sandbox) -> aws_sdk_cloudtrail::Client {
    let key = sandbox.admin_credentials();
    let config = config(&key.access_key_id, &key.secret_access_key).http_client(sandbox.http_client());
    aws_sdk_cloudtrail::Client::from_conf(config.build())
}

async fn by(trail: &aws_sdk_cloudtrail::Client, key: LookupAttributeKey, value: &str) -> Vec<Event> {
    let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build().unwrap();
    let found = trail.lookup_events().lookup_attributes(attribute).send().await.unwrap();
    found.events.unwrap_or_default()
}

fn record(event: &Event) -> Value {
    serde_json::from_str(event.cloud_trail_event().unwrap()).unwrap()
}

#[tokio::test]
async fn a_refusal_of_the_key_is_an_event_of_kms_in_the_callers_name() {
    let sandbox = sandbox();
    let (key, user) = make(&sandbox).await;
    let id = AttributeValue::S("x".to_owned());
    refused(user.dynamodb.get_item().table_name("Forum").key("Name", id).send().await);
    refused(user.kms.describe_key().key_id(&key).send().await);
    let trail = trail(&sandbox);
    let events = by(&trail, LookupAttributeKey::ResourceName, &key).await;
    assert_eq!(events[0].event_name(), Some("DescribeKey"), "the newest first");
    let refusal = &events[1];
    assert_eq!(
        (refusal.event_name(), refusal.event_source(), refusal.username(), refusal.read_only()),
        (Some("Decrypt"), Some("kms.amazonaws.com"), Some("reader"), Some("true"))
    );
    let record = record(refusal);
    assert_eq!(record["userIdentity"]["type"], "IAMUser");
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::123456789012:user/reader");
    assert_eq!(record["userIdentity"]["invokedBy"], "dynamodb.amazonaws.com");
    assert_eq!(record["sourceIPAddress"], "dynamodb.amazonaws.com");
    assert_eq!(record["errorCode"], "AccessDenied");
    let message = record["errorMessage"].as_str().unwrap();
    assert!(
        message.contains("is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:"),
        "{message}"
    );
    let context = &record["requestParameters"]["encryptionContext"];
    assert_eq!(context["aws:dynamodb:tableName"], "Forum");
    assert_eq!(record["resources"][0]["ARN"], key);
    assert_eq!((&record["readOnly"], &record["managementEvent"]), (&true.into(), &true.into()));
    assert_eq!(record["eventCategory"], "Management");
    assert!(record["eventVersion"].is_string() && record["eventID"].is_string());
    assert_eq!(record["awsRegion"], REGION);
}

#[tokio::test]
async fn items_are_not_in_it_and_a_tables_key_is_asked_for_once_in_a_while() {
    let sandbox = sandbox();
    let (key, _) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    let read =
        || admin.dynamodb.get_item().table_name("Forum").key("Name", AttributeValue::S("x".to_owned()));
    for _ in 0..3 {
        read().send().await.unwrap();
    }
    let trail = trail(&sandbox);
    let of_table = by(&trail, LookupAttributeKey::ResourceName, "Forum").await;
    let names: Vec<&str> = of_table.iter().filter_map(Event::event_name).collect();
    assert_eq!(names, ["UpdateContinuousBackups", "CreateTable"]);
    let count = async || {
        let all = by(&trail, LookupAttributeKey::ResourceName, &key).await;
        all.iter()
            .filter(|event| {
                record(event)["requestParameters"]["encryptionContext"]["aws:dynamodb:tableName"] == "Forum"
                    && event.event_name() == Some("Decrypt")
            })
            .count()
    };
    let before = count().await;
    sandbox.advance_clock(Duration::from_secs(301)).unwrap();
    read().send().await.unwrap();
    assert_eq!(count().await, before + 1);
}

#[tokio::test]
async fn events_are_found_by_each_attribute_in_pages_and_by_time() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    for name in ["a", "b", "c"] {
        admin.kms.create_key().description(name).send().await.unwrap();
    }
    refused(admin.kms.describe_key().key_id("alias/none").send().await);
    let trail = trail(&sandbox);
    assert_eq!(by(&trail, LookupAttributeKey::EventName, "CreateKey").await.len(), 3);
    assert_eq!(by(&trail, LookupAttributeKey::Username, "terrane-admin").await.len(), 5);
    assert_eq!(by(&trail, LookupAttributeKey::Username, "nobody").await.len(), 0);
    let of_key = by(&trail, LookupAttributeKey::ResourceType, "AWS::KMS::Key").await;
    assert_eq!(of_key.len(), 3);
    let found = by(&trail, LookupAttributeKey::EventId, of_key[0].event_id().unwrap()).await;
    assert_eq!(found, [of_key[0].clone()]);
    let key = sandbox.admin_credentials().access_key_id;
    assert!(by(&trail, LookupAttributeKey::AccessKeyId, &key).await.len() > 5);
    assert_eq!(by(&trail, LookupAttributeKey::EventSource, "iam.amazonaws.com").await.len(), 0);
    assert!(
        by(&trail, LookupAttributeKey::ReadOnly, "false")
            .await
            .iter()
            .all(|e| e.event_name() == Some("CreateKey"))
    );

    let mut pages = trail.lookup_events().max_results(2).into_paginator().send();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        let events = page.unwrap().events.unwrap_or_default();
        assert!(events.len() <= 2);
        ids.extend(events.iter().filter(|e| e.event_name() == Some("CreateKey")).map(|e| e.event_id.clone()));
    }
    assert_eq!(ids.len(), 3);
    ids.dedup();
    assert_eq!(ids.len(), 3, "no event twice");

    sandbox.advance_clock(Duration::from_secs(3600)).unwrap();
    admin.kms.create_key().send().await.unwrap();
    let recently = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_463_923 + 1800);
    let since = trail.lookup_events().start_time(recently.into()).send().await.unwrap();
    let names: Vec<&str> = since.events().iter().filter_map(Event::event_name).collect();
    assert_eq!(names, ["CreateKey"]);
    let (code, _) = refused(trail.lookup_events().max_results(51).send().await);
    assert_eq!(code, "InvalidMaxResultsException");
    let (code, _) = refused(trail.lookup_events().next_token("x").send().await);
    assert_eq!(code, "InvalidNextTokenException");
    let (start, end) = (recently.into(), SystemTime::UNIX_EPOCH.into());
    let (code, _) = refused(trail.lookup_events().start_time(start).end_time(end).send().await);
    assert_eq!(code, "InvalidTimeRangeException");
}

#[tokio::test]
async fn only_who_may_can_look_and_nothing_secret_is_recorded() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let made = admin.kms.create_key().send().await.unwrap().key_metadata.unwrap();
    let plaintext = aws_sdk_kms::primitives::Blob::new(b"very secret".as_slice());
    admin.kms.encrypt().key_id(made.key_id()).plaintext(plaintext).send().await.unwrap();
    admin.iam.create_user().user_name("ann").send().await.unwrap();
    let key = admin.iam.create_access_key().user_name("ann").send().await.unwrap().access_key.unwrap();
    let client =
        config(&key.access_key_id, &key.secret_access_key).http_client(sandbox.http_client()).build();
    let (code, message) = refused(aws_sdk_cloudtrail::Client::from_conf(client).lookup_events().send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudtrail:LookupEvents"), "{message}");
    let all = trail(&sandbox).lookup_events().send().await.unwrap().events.unwrap();
    let text: String = all.iter().filter_map(Event::cloud_trail_event).collect();
    assert!(!text.contains(&key.secret_access_key) && !text.contains("dmVyeSBzZWNyZXQ"), "{text}");
    let refusal = all.iter().find(|event| event.event_name() == Some("LookupEvents")).unwrap();
    assert_eq!(record(refusal)["errorCode"], "AccessDenied");
}

#[tokio::test]
async fn it_is_served_over_http_and_kept_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Sandbox::open(folder.path(), Options { clock: fixed(), ..Options::default() }).unwrap();
    let sandbox = open();
    Aws::admin(&sandbox).kms.create_key().send().await.unwrap();
    drop(sandbox);
    let sandbox = open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    let key = sandbox.admin_credentials();
    let config = config(&key.access_key_id, &key.secret_access_key).endpoint_url(format!("http://{address}"));
    let trail = aws_sdk_cloudtrail::Client::from_conf(config.build());
    let events = by(&trail, LookupAttributeKey::EventName, "CreateKey").await;
    assert_eq!(events.len(), 1);
    assert_eq!(record(&events[0])["userIdentity"]["arn"], ADMIN);
    server.abort();
}
