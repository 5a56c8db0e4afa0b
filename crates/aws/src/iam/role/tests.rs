use terrane_model::{Path, Type, Value};
use terrane_provider::{ErrorKind, Failure, PlanRequest, ResourceType};

use super::Role;
use crate::object::{absent, filled, text};
use crate::testing::{Cloud, configured, facts, misfit, plan_with};

const TRUST: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"}}],"Version":"2012-10-17"}"#;
const READ: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Action":"a:b","Effect":"Allow","Resource":"*"}]}"#;
const MANAGED: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn body() -> Value {
    Value::object([("name", Value::from("ops")), ("assume_role_policy", Value::from(TRUST))])
}

fn encoded(document: &str) -> String {
    document.replace('"', "%22").replace('{', "%7B")
}

fn got(more: &str) -> String {
    got_trusting(TRUST, more)
}

fn got_trusting(trust: &str, more: &str) -> String {
    format!(
        "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>ops</RoleName><RoleId>AROA</RoleId>\
         <Arn>arn:aws:iam::123456789012:role/ops</Arn><CreateDate>2099-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>{more}</Role></GetRoleResult></GetRoleResponse>",
        encoded(trust)
    )
}

fn list(operation: &str, list: &str, members: &[&str]) -> String {
    let members: String = members.iter().map(|member| format!("<member>{member}</member>")).collect();
    format!(
        "<{operation}Response><{operation}Result><{list}>{members}</{list}><IsTruncated>false</IsTruncated></{operation}Result>\
         </{operation}Response>"
    )
}

fn inline(names: &[&str]) -> String {
    list("ListRolePolicies", "PolicyNames", names)
}

fn attached(arns: &[&str]) -> String {
    let arns: Vec<_> = arns.iter().map(|arn| format!("<PolicyArn>{arn}</PolicyArn>")).collect();
    let arns: Vec<_> = arns.iter().map(String::as_str).collect();
    list("ListAttachedRolePolicies", "AttachedPolicies", &arns)
}

fn document() -> String {
    format!(
        "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>ops</RoleName><PolicyName>read</PolicyName><PolicyDocument>{}\
         </PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>",
        encoded(READ)
    )
}

const CREATED: &str = "<CreateRoleResponse><CreateRoleResult/></CreateRoleResponse>";

fn bare() -> Cloud {
    Cloud::default()
        .answer("ListRolePolicies", &inline(&[]))
        .answer("ListAttachedRolePolicies", &attached(&[]))
}

fn made() -> Cloud {
    bare().answer("CreateRole", CREATED).answer("GetRole", &got(""))
}

fn done(cloud: Cloud, operation: &&str) -> Cloud {
    cloud.answer(operation, &format!("<{operation}Response><{operation}Result/></{operation}Response>"))
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&Role, None, body).unwrap();
    let object = cloud.with(async |cx| Role.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

async fn update(cloud: &Cloud, prior: &Value, body: Value) -> Value {
    let (planned, replace) = plan_with(&Role, Some(prior), body, &facts()).unwrap();
    assert_eq!(replace, []);
    let object = cloud.with(async |cx| Role.update(cx, prior, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &object), None);
    object
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = bare()
        .answer("CreateRole", CREATED)
        .fail("GetRole", 404, "NoSuchEntity", "not yet")
        .answer("GetRole", &got("").replace("arn:aws:iam::123456789012:role/ops", "AROA"))
        .answer("GetRole", &got(""))
        .answer("ListInstanceProfilesForRole", &list("ListInstanceProfilesForRole", "InstanceProfiles", &[]))
        .answer("DeleteRole", "<R/>");
    let object = create(&cloud, body()).await.unwrap();
    assert_eq!(filled(&object, "arn"), Some("arn:aws:iam::123456789012:role/ops"));
    assert_eq!(filled(&object, "create_date"), Some("2099-01-01T00:00:00Z"));
    assert_eq!(
        (text(&object, "permissions_boundary"), filled(&object, "unique_id")),
        (Some(""), Some("AROA"))
    );
    assert!(cloud.requests("CreateRole")[0].contains("MaxSessionDuration=3600"));
    assert_eq!(cloud.with(async |cx| Role.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    cloud.with(async |cx| Role.delete(cx, &object).await).await.unwrap();
    assert!(!cloud.calls().contains(&"DetachRolePolicy".to_owned()));
}

#[tokio::test]
async fn vanished() {
    let none = |cloud: Cloud, operation: &str| cloud.fail(operation, 404, "NoSuchEntity", "no role");
    let operations = [
        "GetRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
        "ListInstanceProfilesForRole",
        "DeleteRole",
    ];
    let cloud = operations.into_iter().fold(Cloud::default(), none);
    let prior = absent(Role.schema()).with("id", "ops".into());
    assert_eq!(cloud.with(async |cx| Role.read(cx, &prior).await).await.unwrap(), None);
    cloud.with(async |cx| Role.delete(cx, &prior).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_name_and_path() {
    let object = create(&made(), body()).await.unwrap();
    for (attribute, value) in [("name", "dev"), ("path", "/team/")] {
        let (_, replace) =
            plan_with(&Role, Some(&object), body().with(attribute, value.into()), &facts()).unwrap();
        assert_eq!(replace, [Path::attribute(attribute)]);
    }
    let config = configured(body(), &Role.schema().block);
    let facts = facts();
    let mut request = PlanRequest {
        prior: None,
        replaces: Some(&object),
        config: &config,
        planned: config.clone(),
        replace: vec![],
        keep: vec![],
        facts: &facts,
    };
    Role.plan(&mut request).unwrap();
    assert!(
        request.planned("arn").unwrap().is_unknown(),
        "policies that name the old role must be put again"
    );
}

#[tokio::test(start_paused = true)]
async fn each_argument_changes_in_place() {
    let object = create(&made(), body()).await.unwrap();
    let boundary = "arn:aws:iam::123456789012:policy/limit";
    let trust = TRUST.replace("user/ann", "user/eve");
    let tags = Value::object([("t", Value::from("1"))]);
    let full = body()
        .with("assume_role_policy", trust.as_str().into())
        .with("description", "Operators".into())
        .with("max_session_duration", 7200.into())
        .with("permissions_boundary", boundary.into())
        .with("tags", tags);
    let more = format!(
        "<Description>Operators</Description><MaxSessionDuration>7200</MaxSessionDuration><PermissionsBoundary>\
         <PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>\
         <Tags><member><Key>t</Key><Value>1</Value></member></Tags>"
    );
    let operations = [
        "TagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRoleDescription",
        "UpdateRole",
        "PutRolePermissionsBoundary",
    ];
    let cloud = operations.iter().fold(bare(), done);
    let cloud = cloud.answer("GetRole", &got("")).answer("GetRole", &got_trusting(&trust, &more));
    let changed = update(&cloud, &object, full).await;
    assert_eq!(cloud.calls()[..5], operations);
    let operations = [
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRoleDescription",
        "UpdateRole",
        "DeleteRolePermissionsBoundary",
    ];
    let cloud = operations.iter().fold(bare(), done);
    let cloud = cloud.answer("GetRole", &got_trusting(&trust, &more)).answer("GetRole", &got(""));
    let cleared = update(&cloud, &changed, body()).await;
    assert_eq!(
        (cloud.calls()[..5].to_vec(), text(&cleared, "description")),
        (operations.map(str::to_owned).to_vec(), Some(""))
    );
}

fn with_policies(inline: bool, managed: &[&str]) -> Value {
    let policy = |name: &str, policy: &str| {
        Value::object([("name", Value::from(name)), ("policy", Value::from(policy))])
    };
    let inline = match inline {
        true => policy("read", READ),
        false => Value::object::<&str>([]),
    };
    let managed = managed.iter().map(|arn| Value::from(*arn));
    body().with("inline_policy", inline).with("managed_policy_arns", Value::set(Type::String, managed))
}

#[tokio::test(start_paused = true)]
async fn policies_of_the_spec_are_put_and_taken_away() {
    let cloud = Cloud::default()
        .answer("CreateRole", CREATED)
        .answer("PutRolePolicy", "<R/>")
        .answer("AttachRolePolicy", "<R/>")
        .answer("GetRole", &got(""))
        .answer("ListRolePolicies", &inline(&["read"]))
        .answer("GetRolePolicy", &document())
        .answer("ListAttachedRolePolicies", &attached(&[MANAGED]));
    let object = create(&cloud, with_policies(true, &[MANAGED])).await.unwrap();
    assert_eq!(cloud.calls()[..3], ["CreateRole", "PutRolePolicy", "AttachRolePolicy"]);
    let (planned, _) = plan_with(&Role, Some(&object), with_policies(true, &[MANAGED]), &facts()).unwrap();
    assert_eq!(misfit(&object, &planned), None);
    let (kept, _) = plan_with(&Role, Some(&object), body(), &facts()).unwrap();
    assert_eq!(misfit(&object, &kept), None, "absent arguments leave the policies to others");
    let cloud = bare()
        .answer("GetRole", &got(""))
        .answer("DeleteRolePolicy", "<R/>")
        .answer("DetachRolePolicy", "<R/>");
    update(&cloud, &object, with_policies(false, &[])).await;
    assert_eq!(cloud.calls()[..2], ["DeleteRolePolicy", "DetachRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_the_role_is_taken_away_when_it_is_known_or_asked_for() {
    let profiles = list(
        "ListInstanceProfilesForRole",
        "InstanceProfiles",
        &[
            "<Path>/</Path><InstanceProfileName>web</InstanceProfileName><InstanceProfileId>AIPA</InstanceProfileId>\
          <Arn>arn:aws:iam::123456789012:instance-profile/web</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><Roles/>",
        ],
    );
    let prior = absent(Role.schema()).with("id", "ops".into());
    let cloud = Cloud::default()
        .answer("ListInstanceProfilesForRole", &profiles)
        .answer("RemoveRoleFromInstanceProfile", "<R/>")
        .answer("ListAttachedRolePolicies", &attached(&[MANAGED]))
        .answer("DetachRolePolicy", "<R/>")
        .answer("ListRolePolicies", &inline(&["read"]))
        .answer("DeleteRolePolicy", "<R/>")
        .fail("DeleteRole", 409, "DeleteConflict", "still listed")
        .answer("DeleteRole", "<R/>");
    let forced = prior.clone().with("force_detach_policies", true.into());
    cloud.with(async |cx| Role.delete(cx, &forced).await).await.unwrap();
    assert_eq!(
        cloud.calls(),
        [
            "ListInstanceProfilesForRole",
            "RemoveRoleFromInstanceProfile",
            "ListAttachedRolePolicies",
            "DetachRolePolicy",
            "ListRolePolicies",
            "DeleteRolePolicy",
            "DeleteRole",
            "DeleteRole"
        ]
    );
    let refusing = Cloud::default()
        .answer("ListInstanceProfilesForRole", &list("ListInstanceProfilesForRole", "InstanceProfiles", &[]))
        .fail("DeleteRole", 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
    let error = refusing.with(async |cx| Role.delete(cx, &prior).await).await.unwrap_err();
    assert!(error.hints.iter().any(|hint| hint.contains("force_detach_policies")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn throttled_lost_and_trusting_somebody_new() {
    let cloud = bare()
        .fail("CreateRole", 400, "Throttling", "Rate exceeded")
        .fail("CreateRole", 400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"arn\"")
        .fail("CreateRole", 409, "ConcurrentModification", "other changes")
        .lose("CreateRole")
        .fail("CreateRole", 409, "EntityAlreadyExists", "Role with name ops already exists.")
        .fail("GetRole", 404, "NoSuchEntity", "not yet")
        .answer("GetRole", &got(""));
    create(&cloud, body()).await.unwrap();
    assert_eq!(cloud.requests("CreateRole").len(), 5);
    let malformed = Cloud::default().fail("CreateRole", 400, "MalformedPolicyDocument", "Syntax errors.");
    assert_eq!(create(&malformed, body()).await.unwrap_err().error.kind, ErrorKind::Invalid);
    assert_eq!(malformed.calls().len(), 1);
    let taken =
        Cloud::default().fail("CreateRole", 409, "EntityAlreadyExists", "Role with name ops already exists.");
    assert_eq!(create(&taken, body()).await.unwrap_err().error.kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud =
        Cloud::default().answer("CreateRole", CREATED).fail("PutRolePolicy", 403, "AccessDenied", "no");
    let partial = create(&cloud, with_policies(true, &[])).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("ops"), true));
}

#[tokio::test]
async fn import_takes_a_name() {
    let cloud = made();
    let object = cloud.with(async |cx| Role.import(cx, "ops").await).await.unwrap().unwrap();
    assert_eq!(object.get("force_detach_policies"), Some(&Value::bool(false)));
    for wrong in ["", "/team/ops", "arn:aws:iam::123456789012:role/ops"] {
        assert!(cloud.with(async |cx| Role.import(cx, wrong).await).await.is_err());
    }
}
