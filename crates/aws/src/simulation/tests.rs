use super::*;
use crate::testing::Cloud;

const USER: &str = "arn:aws:iam::123456789012:user/ann";
const TABLE: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/";

fn question(actions: &[&str], resources: &[&str]) -> Question {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    Question { actions: texts(actions), resources: texts(resources), context: None }
}

fn answer(results: &str, more: &str) -> String {
    format!(
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>{results}\
         </EvaluationResults><IsTruncated>{}</IsTruncated>{more}</SimulatePrincipalPolicyResult>\
         </SimulatePrincipalPolicyResponse>",
        !more.is_empty()
    )
}

/// A result on two resources.
fn result(action: &str, first: &str, second: &str, missing: &str) -> String {
    let one = |name: &str, word: &str, missing: &str| {
        format!(
            "<member><EvalResourceName>{TABLE}{name}</EvalResourceName><EvalResourceDecision>{word}\
             </EvalResourceDecision><MissingContextValues>{missing}</MissingContextValues></member>"
        )
    };
    format!(
        "<member><EvalActionName>{action}</EvalActionName><EvalDecision>implicitDeny</EvalDecision>\
         <ResourceSpecificResults>{}{}</ResourceSpecificResults></member>",
        one("a", first, ""),
        one("b", second, missing)
    )
}

async fn asked(cloud: &Cloud, caller: &str, questions: &[Question]) -> Result<Vec<String>, Error> {
    let session = cloud.clone().session();
    let clients: &Clients = session.clients().unwrap();
    let found = ask(clients, Subject::of(caller).unwrap(), questions).await?;
    let line = |((action, resource, _), verdict): (Asked, Verdict)| {
        format!("{action} {} {verdict:?}", resource.rsplit('/').next().unwrap())
    };
    Ok(found.verdicts.into_iter().map(line).collect())
}

fn both(actions: &[&str]) -> Question {
    question(actions, &[&format!("{TABLE}a"), &format!("{TABLE}b")])
}

#[tokio::test(start_paused = true)]
async fn each_resource_has_its_verdict_over_all_pages() {
    let missing = "<member>aws:MultiFactorAuthPresent</member>";
    let cloud = Cloud::default()
        .answer(
            "SimulatePrincipalPolicy",
            &answer(&result("dynamodb:GetItem", "allowed", "implicitDeny", ""), "<Marker>m</Marker>"),
        )
        .answer(
            "SimulatePrincipalPolicy",
            &answer(&result("dynamodb:PutItem", "explicitDeny", "explicitDeny", missing), ""),
        );
    let found = asked(&cloud, USER, &[both(&["dynamodb:GetItem", "dynamodb:PutItem"])]).await.unwrap();
    assert_eq!(
        found,
        [
            "dynamodb:GetItem a Allowed",
            "dynamodb:GetItem b NotAllowed",
            "dynamodb:PutItem a Denied",
            "dynamodb:PutItem b Open",
        ]
    );
    assert!(cloud.requests("SimulatePrincipalPolicy")[1].contains("Marker=m"));
}

#[tokio::test(start_paused = true)]
async fn a_result_without_resources_is_about_all() {
    let plain = "<member><EvalActionName>kms:CreateKey</EvalActionName><EvalResourceName>*</EvalResourceName>\
                 <EvalDecision>implicitDeny</EvalDecision></member>";
    let cloud = Cloud::default().answer("SimulatePrincipalPolicy", &answer(plain, ""));
    let question = Question {
        context: Some(("kms:ViaService", "dynamodb.eu-west-3.amazonaws.com".to_owned())),
        ..question(&["kms:CreateKey"], &["*"])
    };
    assert_eq!(asked(&cloud, USER, &[question]).await.unwrap(), ["kms:CreateKey * NotAllowed"]);
    let sent = cloud.requests("SimulatePrincipalPolicy").remove(0);
    assert!(sent.contains("ContextEntries.member.1.ContextKeyName=kms%3AViaService"), "{sent}");
    assert!(sent.contains("ContextEntries.member.1.ContextKeyType=string"), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn actions_that_do_not_go_together_are_asked_one_by_one() {
    let plain = |action: &str| {
        answer(
            &format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalDecision>allowed</EvalDecision></member>"
            ),
            "",
        )
    };
    let cloud = Cloud::default()
        .fail("SimulatePrincipalPolicy", 400, "InvalidInput", "require different authorization information")
        .answer("SimulatePrincipalPolicy", &plain("kms:CreateKey"))
        .fail("SimulatePrincipalPolicy", 400, "InvalidInput", "unknown");
    let question = question(&["kms:CreateKey", "kms:Odd"], &["*"]);
    assert_eq!(asked(&cloud, USER, &[question]).await.unwrap(), ["kms:CreateKey * Allowed"]);
    assert_eq!(cloud.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_ask_asks_once() {
    for (status, code) in [(403, "AccessDenied"), (400, "InvalidAction"), (501, "NotImplemented"), (404, "x")]
    {
        let cloud = Cloud::default().fail("SimulatePrincipalPolicy", status, code, "no");
        let questions = [both(&["dynamodb:GetItem"]), both(&["dynamodb:PutItem"])];
        let error = asked(&cloud, USER, &questions).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some(code));
        assert_eq!(cloud.calls().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_few() {
    let cloud = Cloud::default().answer("SimulatePrincipalPolicy", &answer("", ""));
    let many: Vec<String> = (0..5_000).map(|number| format!("{TABLE}{number}")).collect();
    let question = Question { resources: many, ..both(&["dynamodb:GetItem"]) };
    assert!(asked(&cloud, USER, &[question.clone(), question]).await.unwrap().is_empty());
    assert_eq!(cloud.calls().len(), CALLS);
    assert!(asked(&cloud, USER, &[]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_is_simulated_by_its_role() {
    let session = "arn:aws:sts::123456789012:assumed-role/deploy/run-1";
    let role = "<GetRoleResponse><GetRoleResult><Role><Path>/ci/</Path><RoleName>deploy</RoleName>\
                <RoleId>AROAX</RoleId><Arn>arn:aws:iam::123456789012:role/ci/deploy</Arn>\
                <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>";
    let cloud = Cloud::default().answer("GetRole", role).answer("SimulatePrincipalPolicy", &answer("", ""));
    asked(&cloud, session, &[both(&["dynamodb:GetItem"])]).await.unwrap();
    let sent = cloud.requests("SimulatePrincipalPolicy").remove(0);
    assert!(sent.contains("role%2Fci%2Fdeploy"), "{sent}");
    let cloud = Cloud::default()
        .fail("GetRole", 403, "AccessDenied", "no")
        .answer("SimulatePrincipalPolicy", &answer("", ""));
    asked(&cloud, session, &[both(&["dynamodb:GetItem"])]).await.unwrap();
    let sent = cloud.requests("SimulatePrincipalPolicy").remove(0);
    assert!(sent.contains("role%2Fdeploy&"), "{sent}");
}

#[test]
fn whose_policies_bind_nobody_is_not_asked_for() {
    for caller in [
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:federated-user/ann",
        "arn:aws:sts::123456789012:user/moto",
        "arn:aws:sts::123456789012:assumed-role/deploy",
        "",
        "ann",
    ] {
        assert_eq!(Subject::of(caller), None, "{caller}");
    }
    assert_eq!(Subject::of(USER), Some(Subject::User(USER.to_owned())));
}
