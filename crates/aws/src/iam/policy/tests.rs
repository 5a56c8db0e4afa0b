use terrane_model::{Path, Type, Value};
use terrane_provider::{ErrorKind, Note, PlanRequest, ResourceType};

use super::Policy;
use crate::object::{absent, filled, whole};
use crate::testing::{Cloud, configured, facts, misfit, plan_with};

const ARN: &str = "arn:aws:iam::123456789012:policy/app";
const GET: &str = r#"{"Statement":[{"Action":["dynamodb:GetItem"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
const PUT: &str = r#"{"Statement":[{"Action":["dynamodb:PutItem"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;

fn body(document: &str) -> Value {
    Value::object([("name", Value::from("app")), ("policy", Value::from(document))])
}

fn policy(tags: &str) -> String {
    format!(
        "<Policy><PolicyName>app</PolicyName><DefaultVersionId>v3</DefaultVersionId><PolicyId>ANPA</PolicyId><Path>/</Path>\
         <Arn>{ARN}</Arn><AttachmentCount>2</AttachmentCount><CreateDate>2099-01-01T00:00:00Z</CreateDate>\
         <Tags>{tags}</Tags></Policy>"
    )
}

fn got(tags: &str) -> String {
    format!("<GetPolicyResponse><GetPolicyResult>{}</GetPolicyResult></GetPolicyResponse>", policy(tags))
}

fn version(document: &str) -> String {
    let encoded: String = document.bytes().map(|b| format!("%{b:02X}")).collect();
    format!(
        "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><Document>{encoded}</Document>\
         <VersionId>v3</VersionId></PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>"
    )
}

fn created() -> String {
    format!(
        "<CreatePolicyResponse><CreatePolicyResult>{}</CreatePolicyResult></CreatePolicyResponse>",
        policy("")
    )
}

fn versions(count: u32) -> String {
    let member = |n: u32| {
        format!(
            "<member><VersionId>v{n}</VersionId><IsDefaultVersion>{}</IsDefaultVersion>\
             <CreateDate>2026-01-0{n}T00:00:00Z</CreateDate></member>",
            n == 1
        )
    };
    let members: String = (1..=count).rev().map(member).collect();
    format!(
        "<ListPolicyVersionsResponse><ListPolicyVersionsResult><Versions>{members}</Versions>\
         <IsTruncated>false</IsTruncated></ListPolicyVersionsResult></ListPolicyVersionsResponse>"
    )
}

fn made() -> Cloud {
    Cloud::default()
        .answer("CreatePolicy", &created())
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(GET))
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&Policy, None, body).unwrap();
    let object = cloud.with(async |cx| Policy.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = made()
        .answer("ListPolicyVersions", &versions(3))
        .answer("DeletePolicyVersion", "<DeletePolicyVersionResponse/>")
        .answer("DeletePolicy", "<DeletePolicyResponse/>");
    let object = create(&cloud, body(GET)).await.unwrap();
    assert_eq!((filled(&object, "id"), filled(&object, "policy")), (Some(ARN), Some(GET)));
    assert_eq!(
        whole(&object, "attachment_count"),
        Some(0),
        "what is attached meanwhile is no part of this change"
    );
    let read = cloud.with(async |cx| Policy.read(cx, &object).await).await.unwrap().unwrap();
    assert_eq!(whole(&read, "attachment_count"), Some(2));
    cloud.with(async |cx| Policy.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.requests("DeletePolicyVersion").len(), 2, "the version in effect goes with the policy");
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let cloud = Cloud::default().fail("GetPolicy", 404, "NoSuchEntity", "no policy").fail(
        "ListPolicyVersions",
        404,
        "NoSuchEntity",
        "no policy",
    );
    let prior = absent(Policy.schema()).with("id", Value::from(ARN));
    assert_eq!(cloud.with(async |cx| Policy.read(cx, &prior).await).await.unwrap(), None);
    cloud.with(async |cx| Policy.delete(cx, &prior).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced() {
    let object = create(&made(), body(GET)).await.unwrap();
    for (name, value) in [("name", "other"), ("path", "/team/"), ("description", "new")] {
        let (_, replace) =
            plan_with(&Policy, Some(&object), body(GET).with(name, value.into()), &facts()).unwrap();
        assert_eq!(replace, [Path::attribute(name)]);
    }
}

#[test]
fn a_new_arn_is_known_unless_an_old_policy_has_to_let_go_first() {
    let (planned, _) = plan_with(&Policy, None, body(GET).with("path", "/team/".into()), &facts()).unwrap();
    assert_eq!(filled(&planned, "arn"), Some("arn:aws:iam::123456789012:policy/team/app"));
    let config = configured(body(GET), &Policy.schema().block);
    let (old, facts) = (planned.clone(), facts());
    let mut request = PlanRequest {
        prior: None,
        replaces: Some(&old),
        config: &config,
        planned,
        replace: vec![],
        keep: vec![],
        facts: &facts,
    };
    Policy.plan(&mut request).unwrap();
    assert!(request.planned("arn").unwrap().is_unknown() && request.planned("id").unwrap().is_unknown());
    let unnamed = Value::object([("policy", Value::from(GET))]);
    let (planned, _) = plan_with(&Policy, None, unnamed, &facts).unwrap();
    assert!(["arn", "name", "name_prefix"].iter().all(|name| planned.get(name).unwrap().is_unknown()));
}

#[tokio::test(start_paused = true)]
async fn a_new_text_makes_room_waits_and_keeps_the_old_one_out() {
    let object = create(&made(), body(GET)).await.unwrap();
    let (planned, _) = plan_with(&Policy, Some(&object), body(PUT), &facts()).unwrap();
    let cloud = Cloud::default()
        .answer("ListPolicyVersions", &versions(5))
        .answer("DeletePolicyVersion", "<DeletePolicyVersionResponse/>")
        .answer(
            "CreatePolicyVersion",
            "<CreatePolicyVersionResponse><CreatePolicyVersionResult/></CreatePolicyVersionResponse>",
        )
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(GET))
        .answer("GetPolicyVersion", &version(PUT));
    let changed = cloud.with(async |cx| Policy.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert!(
        cloud.requests("DeletePolicyVersion")[0].contains("VersionId=v2"),
        "the oldest that is not in effect"
    );
    assert!(cloud.requests("CreatePolicyVersion")[0].contains("SetAsDefault=true"));
    assert_eq!(cloud.requests("GetPolicyVersion").len(), 2);
    let lost = Cloud::default()
        .answer("ListPolicyVersions", &versions(1))
        .lose("CreatePolicyVersion")
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(PUT));
    lost.with(async |cx| Policy.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(lost.requests("CreatePolicyVersion").len(), 1, "no second version");
}

#[tokio::test(start_paused = true)]
async fn tags_set_and_cleared() {
    let tag = "<member><Key>team</Key><Value>a</Value></member>";
    let with_tags = body(GET).with("tags", Value::object([("team", Value::from("a"))]));
    let object = create(&made(), body(GET)).await.unwrap();
    assert_eq!(object.get("tags"), Some(&Value::null(Type::map(Type::String))));
    let (planned, _) = plan_with(&Policy, Some(&object), with_tags, &facts()).unwrap();
    let cloud = Cloud::default()
        .answer("TagPolicy", "<TagPolicyResponse/>")
        .answer("GetPolicy", &got(tag))
        .answer("GetPolicyVersion", &version(GET));
    let tagged = cloud.with(async |cx| Policy.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(cloud.calls(), ["TagPolicy", "GetPolicy", "GetPolicyVersion"]);
    let (planned, _) = plan_with(&Policy, Some(&tagged), body(GET), &facts()).unwrap();
    let cloud = Cloud::default()
        .answer("UntagPolicy", "<UntagPolicyResponse/>")
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(GET));
    cloud.with(async |cx| Policy.update(cx, &tagged, &planned).await).await.unwrap();
    assert!(cloud.requests("UntagPolicy")[0].contains("TagKeys.member.1=team"));
}

#[tokio::test(start_paused = true)]
async fn throttled_lost_and_taken() {
    let throttled = Cloud::default()
        .fail("CreatePolicy", 400, "Throttling", "Rate exceeded")
        .answer("CreatePolicy", &created())
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(GET));
    create(&throttled, body(GET)).await.unwrap();
    let lost = Cloud::default()
        .lose("CreatePolicy")
        .answer("GetPolicy", &got(""))
        .answer("GetPolicyVersion", &version(GET));
    create(&lost, body(GET)).await.unwrap();
    assert_eq!(lost.requests("CreatePolicy").len(), 1);
    let taken = Cloud::default().fail(
        "CreatePolicy",
        409,
        "EntityAlreadyExists",
        "A policy called app already exists.",
    );
    let failure = create(&taken, body(GET)).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.partial.is_none()), (ErrorKind::Conflict, true));
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("CreatePolicy", &created()).fail(
        "GetPolicy",
        403,
        "AccessDenied",
        "not allowed",
    );
    let partial = create(&cloud, body(GET)).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some(ARN), true));
}

#[tokio::test]
async fn import_takes_an_arn() {
    let object = made().with(async |cx| Policy.import(cx, ARN).await).await.unwrap().unwrap();
    assert_eq!(filled(&object, "name"), Some("app"));
    assert!(made().with(async |cx| Policy.import(cx, "app").await).await.is_err());
}

fn of_version(id: &str, version: &str) -> String {
    got("").replace("<PolicyId>ANPA<", &format!("<PolicyId>{id}<")).replace(">v3<", &format!(">{version}<"))
}

/// Reads a policy with what was noted of it, and tells which calls that took.
async fn look(note: &Note, prior: &Value, got: &str, document: &str) -> (Value, Vec<String>) {
    let cloud = Cloud::default().answer("GetPolicy", got).answer("GetPolicyVersion", &version(document));
    let found = cloud.noting(note, async |cx| Policy.read(cx, prior).await).await.unwrap().unwrap();
    (found, cloud.calls())
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_in_the_state_is_not_fetched_again() {
    let note = Note::default();
    let cloud = made();
    let planned = cloud.plan(&Policy, None, body(GET)).unwrap();
    let object = cloud.noting(&note, async |cx| Policy.create(cx, &planned).await).await.unwrap();
    let (found, calls) = look(&note, &object, &of_version("ANPA", "v3"), PUT).await;
    assert_eq!((filled(&found, "policy"), calls), (Some(GET), vec!["GetPolicy".to_owned()]));

    let both = ["GetPolicy", "GetPolicyVersion"];
    for other in [of_version("ANPA", "v4"), of_version("ANPZ", "v3")] {
        let (found, calls) = look(&Note::of(note.text()), &object, &other, PUT).await;
        assert_eq!((filled(&found, "policy"), calls), (Some(PUT), both.map(str::to_owned).into()));
    }
    let changed_by_others = object.clone().with("policy", Value::from(PUT));
    let (found, calls) =
        look(&Note::of(note.text()), &changed_by_others, &of_version("ANPA", "v3"), GET).await;
    assert_eq!((filled(&found, "policy"), calls), (Some(GET), both.map(str::to_owned).into()));
}

#[tokio::test(start_paused = true)]
async fn a_read_without_a_note_leaves_one() {
    let object = create(&made(), body(GET)).await.unwrap();
    let note = Note::default();
    for calls in [2, 1] {
        let (_, made) = look(&note, &object, &of_version("ANPA", "v3"), GET).await;
        assert_eq!(made.len(), calls);
    }
}
