//! The policy simulator: its decisions are those of real calls, and its answers have the shapes of AWS.

use std::sync::Arc;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use serde_json::json;

use crate::aws::{ACCOUNT, Aws, refused, sandbox, sandbox_with, statement};

const TABLE: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/one";
const OTHER: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/two";

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

fn entry(key: &str, value: &str) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(key)
        .context_key_values(value)
        .context_key_type(ContextKeyTypeEnum::String)
        .build()
}

async fn simulated(aws: &Aws, who: &str, actions: &[&str], resources: &[&str]) -> Vec<EvaluationResult> {
    let mut call = aws.iam.simulate_principal_policy().policy_source_arn(who);
    for action in actions {
        call = call.action_names(*action);
    }
    for resource in resources {
        call = call.resource_arns(*resource);
    }
    call.send().await.unwrap().evaluation_results.unwrap_or_default()
}

fn words(results: &[EvaluationResult]) -> Vec<String> {
    let mut words = Vec::new();
    for result in results {
        if result.resource_specific_results().is_empty() {
            words.push(format!("{} {}", result.eval_action_name(), result.eval_decision()));
        }
        for of in result.resource_specific_results() {
            let resource = of.eval_resource_name().rsplit('/').next().unwrap();
            words.push(format!("{} {resource} {}", result.eval_action_name(), of.eval_resource_decision()));
        }
    }
    words
}

/// Makes a policy, and gives its ARN.
async fn policy(aws: &Aws, name: &str, document: String) -> String {
    let made = aws.iam.create_policy().policy_name(name).policy_document(document).send().await;
    made.unwrap().policy.unwrap().arn.unwrap()
}

#[tokio::test]
async fn each_action_is_decided_on_each_resource() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let ann = admin.new_user(&sandbox, "ann").await;
    admin.allow("ann", "reads", "dynamodb:Get*", TABLE).await;
    let deny = statement("Deny", "dynamodb:DeleteTable", "*");
    let put = admin.iam.put_user_policy().user_name("ann").policy_name("never").policy_document(deny);
    put.send().await.unwrap();
    let actions = ["dynamodb:GetItem", "dynamodb:DeleteTable"];
    let results = simulated(&admin, &user("ann"), &actions, &[TABLE, OTHER]).await;
    assert_eq!(
        words(&results),
        [
            "dynamodb:GetItem one allowed",
            "dynamodb:GetItem two implicitDeny",
            "dynamodb:DeleteTable one explicitDeny",
            "dynamodb:DeleteTable two explicitDeny",
        ]
    );
    // The result of the action is its most restrictive one.
    let both: Vec<_> = results.iter().map(|result| result.eval_decision().as_str()).collect();
    assert_eq!(both, ["implicitDeny", "explicitDeny"]);
    // Each statement is told by its policy and by its place in the text.
    let matched = &results[0].resource_specific_results()[0].matched_statements()[0];
    assert_eq!(matched.source_policy_id(), Some("user_ann_reads"));
    assert_eq!(matched.source_policy_type().unwrap().as_str(), "IAM Policy");
    let text = statement("Allow", "dynamodb:Get*", TABLE);
    let begin = i32::try_from(text.find('[').unwrap()).unwrap() + 2;
    assert_eq!(matched.start_position().unwrap().line(), 1);
    assert_eq!(matched.start_position().unwrap().column(), begin);
    assert!(results[0].resource_specific_results()[1].matched_statements().is_empty());
    let denied = &results[1].resource_specific_results()[0].matched_statements();
    assert_eq!(denied.len(), 1);
    assert_eq!(denied[0].source_policy_id(), Some("user_ann_never"));
    // Without resources it is about any.
    assert_eq!(
        words(&simulated(&admin, &user("ann"), &["dynamodb:GetItem"], &[]).await),
        ["dynamodb:GetItem implicitDeny"]
    );
    // It takes a permission, on the entity whose policies are looked at.
    let call =
        || ann.iam.simulate_principal_policy().policy_source_arn(user("ann")).action_names("kms:Decrypt");
    let (code, message) = refused(call().send().await);
    assert_eq!(code, "AccessDenied");
    assert!(
        message.contains(&format!("iam:SimulatePrincipalPolicy on resource: {}", user("ann"))),
        "{message}"
    );
    admin.allow("ann", "itself", "iam:SimulatePrincipalPolicy", &user("ann")).await;
    call().send().await.unwrap();
    assert_eq!(refused(call().policy_source_arn(user("terrane-admin")).send().await).0, "AccessDenied");
}

#[tokio::test]
async fn groups_boundaries_and_given_policies_count() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    admin.new_user(&sandbox, "ann").await;
    let iam = &admin.iam;
    iam.create_group().group_name("team").send().await.unwrap();
    iam.add_user_to_group().group_name("team").user_name("ann").send().await.unwrap();
    let tables = policy(&admin, "Tables", statement("Allow", "dynamodb:*", "*")).await;
    iam.attach_group_policy().group_name("team").policy_arn(&tables).send().await.unwrap();
    let who = user("ann");
    let get = ["dynamodb:GetItem", "dynamodb:PutItem", "kms:Decrypt"];
    let results = simulated(&admin, &who, &get, &[TABLE]).await;
    assert_eq!(words(&results)[0], "dynamodb:GetItem one allowed");
    assert_eq!(results[0].matched_statements()[0].source_policy_id(), Some("Tables"));
    assert!(results[0].permissions_boundary_decision_detail().is_none());
    let team = format!("arn:aws:iam::{ACCOUNT}:group/team");
    assert_eq!(words(&simulated(&admin, &team, &get[..1], &[TABLE]).await), ["dynamodb:GetItem one allowed"]);

    let limit = policy(&admin, "Limit", statement("Allow", "dynamodb:GetItem", "*")).await;
    iam.put_user_permissions_boundary().user_name("ann").permissions_boundary(&limit).send().await.unwrap();
    let results = simulated(&admin, &who, &get, &[TABLE]).await;
    let within = |number: usize| {
        let result: &EvaluationResult = &results[number];
        let detail = result.permissions_boundary_decision_detail().unwrap();
        (result.eval_decision().as_str().to_owned(), detail.allowed_by_permissions_boundary())
    };
    assert_eq!(within(0), ("allowed".to_owned(), true));
    assert_eq!(within(1), ("implicitDeny".to_owned(), false));
    assert_eq!(within(2), ("implicitDeny".to_owned(), false));

    // Another boundary and more policies, given with the call, in place of the boundary and beside the policies.
    let answer = iam
        .simulate_principal_policy()
        .policy_source_arn(&who)
        .action_names("kms:Decrypt")
        .resource_arns("arn:aws:kms:eu-west-3:123456789012:key/k")
        .policy_input_list(statement("Allow", "kms:Decrypt", "*"))
        .permissions_boundary_policy_input_list(statement("Allow", "kms:*", "*"))
        .send()
        .await
        .unwrap();
    let result = &answer.evaluation_results()[0];
    assert_eq!(result.eval_decision(), &PolicyEvaluationDecisionType::Allowed);
    assert_eq!(result.matched_statements()[0].source_policy_id(), Some("PolicyInputList.1"));
    let of_boundary = &result.matched_statements()[1];
    assert_eq!(of_boundary.source_policy_type().unwrap().as_str(), "Permissions Boundary Policy");
}

#[tokio::test]
async fn conditions_are_given_or_said_to_be_missing() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    admin.new_user(&sandbox, "ann").await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*",
          "Condition": { "ArnEquals": { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } } },
        { "Effect": "Deny", "Action": "kms:*", "Resource": "*",
          "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } } },
    ] });
    let put =
        admin.iam.put_user_policy().user_name("ann").policy_name("p").policy_document(policy.to_string());
    put.send().await.unwrap();
    let ask = |action: &str, resource: &str, entries: Vec<ContextEntry>| {
        let call = admin.iam.simulate_principal_policy().policy_source_arn(user("ann")).action_names(action);
        let call = call.resource_arns(resource).set_context_entries(Some(entries));
        async { call.send().await.unwrap().evaluation_results.unwrap().remove(0) }
    };
    let bob = user("bob");
    let result = ask("iam:AttachUserPolicy", &bob, vec![]).await;
    let of = &result.resource_specific_results()[0];
    assert_eq!(of.eval_resource_decision().as_str(), "implicitDeny");
    assert_eq!(of.missing_context_values(), ["iam:PolicyARN"]);
    assert!(result.missing_context_values().is_empty());
    for (arn, word) in [("ReadOnlyAccess", "allowed"), ("AdministratorAccess", "implicitDeny")] {
        let arn = format!("arn:aws:iam::aws:policy/{arn}");
        let result = ask("iam:AttachUserPolicy", &bob, vec![entry("iam:PolicyARN", &arn)]).await;
        let of = &result.resource_specific_results()[0];
        assert_eq!(of.eval_resource_decision().as_str(), word);
        assert!(of.missing_context_values().is_empty());
    }
    let result = ask("kms:ListKeys", "*", vec![]).await;
    assert_eq!(result.eval_decision().as_str(), "explicitDeny");
    assert_eq!(result.missing_context_values(), ["aws:MultiFactorAuthPresent"]);
    assert!(result.resource_specific_results().is_empty());
    let with = ask("kms:ListKeys", "*", vec![entry("aws:MultiFactorAuthPresent", "true")]).await;
    assert_eq!(with.eval_decision().as_str(), "implicitDeny");
}

#[tokio::test]
async fn the_policy_of_a_resource_counts_for_users() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    admin.new_user(&sandbox, "ann").await;
    let policy = |principal: &str, action: &str| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action, "Resource": "*" } ] })
        .to_string()
    };
    let ask = |action: &str, resource: &str, policy: String| {
        let call = admin.iam.simulate_principal_policy().policy_source_arn(user("ann")).action_names(action);
        call.resource_arns(resource).resource_policy(policy).send()
    };
    let key = "arn:aws:kms:eu-west-3:123456789012:key/k";
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    for (principal, word) in [(user("ann"), "allowed"), (root.clone(), "implicitDeny")] {
        let answer = ask("kms:Decrypt", key, policy(&principal, "kms:*")).await.unwrap();
        let result = &answer.evaluation_results()[0];
        assert_eq!(result.eval_decision().as_str(), word);
        let matched = result.matched_statements().first().and_then(|one| one.source_policy_id());
        assert_eq!(matched, (word == "allowed").then_some("ResourcePolicy"));
    }
    // In another account both must allow, and it is told what each says.
    let foreign = "arn:aws:dynamodb:eu-west-3:210987654321:table/one";
    let answer = ask("dynamodb:GetItem", foreign, policy(&user("ann"), "dynamodb:*")).await.unwrap();
    let of = &answer.evaluation_results()[0].resource_specific_results()[0];
    assert_eq!(of.eval_resource_decision().as_str(), "implicitDeny");
    let details = of.eval_decision_details().unwrap();
    assert_eq!(details["IAM Policy"].as_str(), "implicitDeny");
    assert_eq!(details["Resource Policy"].as_str(), "allowed");
    // A role has no resource policy simulated.
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "sts:AssumeRole" } ] });
    let role =
        admin.iam.create_role().role_name("r").path("/a/").assume_role_policy_document(trust.to_string());
    role.send().await.unwrap();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/a/r");
    let call = admin.iam.simulate_principal_policy().policy_source_arn(&role).action_names("kms:Decrypt");
    let (code, message) = refused(call.resource_policy(policy("*", "kms:*")).send().await);
    assert_eq!(code, "InvalidInput");
    assert!(message.contains("Caller must be an IAM user"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_simulated_is_refused_as_aws_does() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    admin.new_user(&sandbox, "ann").await;
    let call = |who: &str, action: &str| {
        admin.iam.simulate_principal_policy().policy_source_arn(who).action_names(action)
    };
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session");
    for (who, action, code, words) in [
        (session.as_str(), "kms:Decrypt", "InvalidInput", "does not clearly define entity type and name."),
        (
            "arn:aws:iam::210987654321:user/x",
            "kms:Decrypt",
            "InvalidInput",
            "does not have access to policies in account 210987654321",
        ),
        (&user("bob"), "kms:Decrypt", "NoSuchEntity", "The user with name bob cannot be found."),
        (&user("a/ann"), "kms:Decrypt", "NoSuchEntity", "The user with name ann cannot be found."),
        (&user("ann"), "kms", "InvalidInput", "Invalid Action Name: kms"),
        (&user("ann"), "kms:*", "InvalidInput", "Invalid Action Name: kms:*"),
        (&user("ann"), "k", "ValidationError", "length greater than or equal to 3"),
    ] {
        let (found, message) = refused(call(who, action).send().await);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let ann = user("ann");
    let good = || call(&ann, "kms:Decrypt");
    let bad_arn = good().resource_arns("table/one").send().await;
    assert_eq!(refused(bad_arn).0, "InvalidInput");
    let bad_policy = good().policy_input_list("{").send().await;
    assert_eq!(refused(bad_policy).0, "InvalidInput");
    let allow = statement("Allow", "*", "*");
    let two =
        good().permissions_boundary_policy_input_list(&allow).permissions_boundary_policy_input_list(&allow);
    assert_eq!(refused(two.send().await).0, "InvalidInput");
    let odd = ContextEntry::builder().context_key_name("aws:x").context_key_type("odd".into()).build();
    assert_eq!(refused(good().context_entries(odd).send().await).0, "ValidationError");
    let none = admin.iam.simulate_principal_policy().policy_source_arn(&ann).set_action_names(Some(vec![]));
    assert_eq!(refused(none.send().await).0, "ValidationError");
}

#[tokio::test]
async fn long_answers_come_in_pages() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let ann = user("terrane-admin");
    let actions: Vec<String> = (0..7).map(|number| format!("kms:Action{number}")).collect();
    let mut found = Vec::new();
    let mut marker = None;
    loop {
        let call = admin.iam.simulate_principal_policy().policy_source_arn(&ann).max_items(3);
        let answer = call.set_action_names(Some(actions.clone())).set_marker(marker).send().await.unwrap();
        found.extend(answer.evaluation_results().iter().map(|result| result.eval_action_name().to_owned()));
        assert_eq!(answer.is_truncated(), found.len() < 7);
        marker = answer.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(found, actions);
}

#[tokio::test]
async fn the_organization_of_the_account_counts() {
    let policy = |text: &str| Arc::new(terrane_iam::Document::parse(text).unwrap());
    let level = |text: String| vec![("level".to_owned(), policy(&text))];
    let sandbox = sandbox_with(|options| {
        options.organization.service_control =
            vec![level(statement("Allow", "*", "*")), level(statement("Allow", "dynamodb:*", "*"))];
    });
    let root = Aws::root(&sandbox);
    let admin = user("terrane-admin");
    // The level below lets nobody call IAM, so nobody can ask either.
    let call = root.iam.simulate_principal_policy().policy_source_arn(&admin).action_names("kms:Decrypt");
    assert_eq!(refused(call.send().await).0, "AccessDenied");
    let sandbox = sandbox_with(|options| {
        let two = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["dynamodb:*", "iam:*", "kms:*"], "Resource": "*" },
            { "Effect": "Deny", "Action": "kms:*", "Resource": "*" } ] });
        options.organization.service_control = vec![level(two.to_string())];
    });
    let aws = Aws::admin(&sandbox);
    let results = simulated(&aws, &admin, &["dynamodb:GetItem", "s3:GetObject", "kms:Decrypt"], &["*"]).await;
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let detail = result.organizations_decision_detail().unwrap();
            (result.eval_decision().as_str(), detail.allowed_by_organizations())
        })
        .collect();
    assert_eq!(told, [("allowed", true), ("implicitDeny", false), ("explicitDeny", false)]);
    assert_eq!(results[0].matched_statements().len(), 1);
    assert!(results[2].matched_statements().is_empty());
}
