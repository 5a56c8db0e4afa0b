use terrane_model::{Path, Value};
use terrane_provider::{Cleared, ErrorKind, Failure, ResourceType};

use super::{AccessKey, smtp_password};
use crate::object::{filled, text};
use crate::testing::{Cloud, facts, misfit, plan_with};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn body() -> Value {
    Value::object([("user", Value::from("ann"))])
}

fn made() -> String {
    format!(
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>ann</UserName><AccessKeyId>{ID}</AccessKeyId>\
         <Status>Active</Status><SecretAccessKey>{SECRET}</SecretAccessKey><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         </AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
    )
}

fn listed(keys: &[(&str, &str)]) -> String {
    let keys: String = keys
        .iter()
        .map(|(id, status)| {
            format!(
                "<member><UserName>ann</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status>\
                 <CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
            )
        })
        .collect();
    format!(
        "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata>{keys}</AccessKeyMetadata>\
         <IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>"
    )
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&AccessKey, None, body).unwrap();
    let object = cloud.with(async |cx| AccessKey.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn cloud() -> Cloud {
    Cloud::default()
        .answer("ListAccessKeys", &listed(&[]))
        .answer("CreateAccessKey", &made())
        .answer("ListAccessKeys", &listed(&[(ID, "Active")]))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = cloud().answer("DeleteAccessKey", "<R/>");
    let object = create(&cloud, body()).await.unwrap();
    assert_eq!((filled(&object, "id"), filled(&object, "secret")), (Some(ID), Some(SECRET)));
    assert_eq!(filled(&object, "create_date"), Some("2026-01-01T00:00:00Z"));
    assert!(object.get("encrypted_secret").unwrap().is_null());
    assert_eq!(cloud.with(async |cx| AccessKey.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    cloud.with(async |cx| AccessKey.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&cloud(), body()).await.unwrap();
    let other = Cloud::default().answer("ListAccessKeys", &listed(&[("AKIAOTHER", "Active")]));
    let no_user = Cloud::default().fail("ListAccessKeys", 404, "NoSuchEntity", "no user").fail(
        "DeleteAccessKey",
        404,
        "NoSuchEntity",
        "no user",
    );
    for cloud in [&other, &no_user] {
        assert_eq!(cloud.with(async |cx| AccessKey.read(cx, &object).await).await.unwrap(), None);
    }
    no_user.with(async |cx| AccessKey.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_the_user_and_switched_in_place() {
    let object = create(&cloud(), body()).await.unwrap();
    let (_, replace) =
        plan_with(&AccessKey, Some(&object), body().with("user", "eve".into()), &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("user")]);
    let off = body().with("status", "Inactive".into());
    let (planned, replace) = plan_with(&AccessKey, Some(&object), off, &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = Cloud::default().answer("UpdateAccessKey", "<R/>");
    let changed = cloud.with(async |cx| AccessKey.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!((filled(&changed, "status"), filled(&changed, "secret")), (Some("Inactive"), Some(SECRET)));
}

#[tokio::test(start_paused = true)]
async fn one_whose_secret_got_lost_is_deleted_and_another_one_made() {
    let cloud = Cloud::default()
        .answer("ListAccessKeys", &listed(&[("AKIAOLD", "Active")]))
        .lose("CreateAccessKey")
        .answer("ListAccessKeys", &listed(&[("AKIAOLD", "Active"), ("AKIALOST", "Active")]))
        .answer("DeleteAccessKey", "<R/>")
        .answer("CreateAccessKey", &made())
        .answer("ListAccessKeys", &listed(&[("AKIAOLD", "Active"), (ID, "Active")]));
    create(&cloud, body()).await.unwrap();
    let deleted = cloud.requests("DeleteAccessKey");
    assert_eq!(deleted.len(), 1);
    assert!(deleted[0].contains("AccessKeyId=AKIALOST"));
}

#[tokio::test(start_paused = true)]
async fn throttled_not_yet_known_and_too_many() {
    let cloud = Cloud::default()
        .fail("ListAccessKeys", 404, "NoSuchEntity", "no user yet")
        .fail("CreateAccessKey", 400, "Throttling", "Rate exceeded")
        .fail("CreateAccessKey", 404, "NoSuchEntity", "The user with name ann cannot be found.")
        .answer("CreateAccessKey", &made())
        .answer("ListAccessKeys", &listed(&[(ID, "Active")]));
    create(&cloud, body()).await.unwrap();
    let full = Cloud::default()
        .answer("ListAccessKeys", &listed(&[("AKIA1", "Active"), ("AKIA2", "Active")]))
        .fail("CreateAccessKey", 409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    let error = create(&full, body()).await.unwrap_err().error;
    assert!(error.hints.iter().any(|hint| hint.contains("`AKIA1` and `AKIA2`")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn partial_create_keeps_the_secret() {
    let cloud = cloud().fail("UpdateAccessKey", 403, "AccessDenied", "no");
    let failure = create(&cloud, body().with("status", "Inactive".into())).await.unwrap_err();
    let partial = failure.partial.unwrap();
    assert_eq!((filled(&partial, "secret"), partial.is_wholly_known()), (Some(SECRET), true));
    assert_eq!(failure.error.kind, ErrorKind::Denied);
}

#[tokio::test]
async fn import_takes_an_id_and_has_no_secret() {
    let used = "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>ann</UserName>\
                </GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";
    let cloud = Cloud::default()
        .answer("GetAccessKeyLastUsed", used)
        .answer("ListAccessKeys", &listed(&[(ID, "Inactive")]));
    let object = cloud.with(async |cx| AccessKey.import(cx, ID).await).await.unwrap().unwrap();
    assert_eq!((filled(&object, "user"), text(&object, "status")), (Some("ann"), Some("Inactive")));
    assert!(object.get("secret").unwrap().is_null());
    let none =
        Cloud::default().fail("GetAccessKeyLastUsed", 403, "AccessDenied", "The Access Key cannot be found.");
    assert_eq!(none.with(async |cx| AccessKey.import(cx, ID).await).await.unwrap(), None);
    assert!(none.with(async |cx| AccessKey.import(cx, "ann").await).await.is_err());
}

#[tokio::test]
async fn encryption_for_a_pgp_key_is_refused() {
    let problems =
        Cloud::default().plan(&AccessKey, None, body().with("pgp_key", "keybase:ann".into())).unwrap_err();
    assert_eq!((problems[0].code, problems[0].path.clone()), ("not-supported", Path::attribute("pgp_key")));
}

#[test]
fn the_password_for_smtp_is_a_chain_of_signatures() {
    assert_eq!(smtp_password(SECRET, "eu-west-3"), "BDDdpSTzbzUY3SJq/n4Oq7heDuCWbOtogMi5S3AR673+");
}

/// Keys with the times at which they were made.
fn made_at(keys: &[(&str, &str)]) -> String {
    keys.iter().fold(
        listed(&keys.iter().map(|(id, _)| (*id, "Active")).collect::<Vec<_>>()),
        |text, (id, at)| {
            let head = format!("<AccessKeyId>{id}</AccessKeyId><Status>Active</Status><CreateDate>");
            let (before, behind) = text.split_once(&head).expect(&text);
            let behind = behind.split_once('<').unwrap().1;
            format!("{before}{head}{at}<{behind}")
        },
    )
}

fn last_used(date: &str) -> String {
    format!(
        "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>ann</UserName><AccessKeyLastUsed>{date}\
         <ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult>\
         </GetAccessKeyLastUsedResponse>"
    )
}

/// Half a minute before 2026-01-01.
const SURVEY: &str = r#"{"begun":1767225570,"before":["AKIAOLD"]}"#;
const THEN: &str = "2026-01-01T00:00:00Z";

async fn clear(cloud: &Cloud, held: &[&str]) -> Cleared {
    let planned = cloud.plan(&AccessKey, None, body()).unwrap();
    let held = held.iter().map(|id| (*id).to_owned()).collect();
    cloud.with(async |cx| AccessKey.clear(cx, &planned, SURVEY, &held).await).await.unwrap()
}

#[tokio::test]
async fn a_survey_names_the_keys_that_there_are() {
    let cloud = Cloud::default().answer("ListAccessKeys", &listed(&[("AKIAOLD", "Active")]));
    let planned = cloud.plan(&AccessKey, None, body()).unwrap();
    let survey = cloud.with(async |cx| AccessKey.survey(cx, &planned).await).await.unwrap();
    assert!(survey.contains(r#""before":["AKIAOLD"]"#) && survey.contains("begun"), "{survey}");
    assert!(AccessKey.is_surveyed());
}

#[tokio::test]
async fn the_only_new_key_of_an_interrupted_creation_is_deleted() {
    let cloud = Cloud::default()
        .answer("ListAccessKeys", &made_at(&[("AKIAOLD", THEN), ("AKIAHELD", THEN), ("AKIALOST", THEN)]))
        .answer("GetAccessKeyLastUsed", &last_used(""))
        .answer("DeleteAccessKey", "<R/>");
    assert!(
        matches!(clear(&cloud, &["AKIAHELD"]).await, Cleared::Deleted(note) if note.contains("AKIALOST"))
    );
    assert!(cloud.requests("DeleteAccessKey")[0].contains("AccessKeyId=AKIALOST"));
}

#[tokio::test]
async fn a_key_that_may_be_somebody_elses_is_left_alone() {
    let list = |keys: &[(&str, &str)]| Cloud::default().answer("ListAccessKeys", &made_at(keys));
    // Not new, of another time, or none at all.
    for keys in [
        &[("AKIAOLD", THEN)][..],
        &[("AKIANEW", "2026-01-02T00:00:00Z")],
        &[("AKIANEW", "2025-12-31T00:00:00Z")],
        &[],
    ] {
        assert_eq!(clear(&list(keys), &[]).await, Cleared::NotMade, "{keys:?}");
    }
    // Two, one that was used, and one of which that may not be asked.
    let two = list(&[("AKIAONE", THEN), ("AKIATWO", THEN)]);
    let used = list(&[("AKIAONE", THEN)])
        .answer("GetAccessKeyLastUsed", &last_used("<LastUsedDate>2026-01-01T00:01:00Z</LastUsedDate>"));
    let closed =
        list(&[("AKIAONE", THEN)]).fail("GetAccessKeyLastUsed", 403, "AccessDenied", "not authorized");
    for cloud in [two, used, closed] {
        assert!(matches!(clear(&cloud, &[]).await, Cleared::Doubtful(note) if note.contains("AKIAONE")));
        assert_eq!(cloud.requests("DeleteAccessKey").len(), 0);
    }
}
