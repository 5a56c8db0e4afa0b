//! No input makes the sandbox panic, fail inside, or answer something that is not in the service's protocol.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use terrane_sandbox::Sandbox;

use crate::aws::sandbox;

const KMS: &[&str] = &[
    "CreateKey",
    "DescribeKey",
    "ListKeys",
    "EnableKey",
    "DisableKey",
    "UpdateKeyDescription",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "GetKeyPolicy",
    "PutKeyPolicy",
    "ListKeyPolicies",
    "EnableKeyRotation",
    "DisableKeyRotation",
    "GetKeyRotationStatus",
    "RotateKeyOnDemand",
    "ListKeyRotations",
    "TagResource",
    "UntagResource",
    "ListResourceTags",
    "CreateAlias",
    "UpdateAlias",
    "DeleteAlias",
    "ListAliases",
    "CreateGrant",
    "ListGrants",
    "ListRetirableGrants",
    "RevokeGrant",
    "RetireGrant",
    "Encrypt",
    "Decrypt",
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateRandom",
    "GenerateMac",
    "VerifyMac",
];
const DYNAMODB: &[&str] = &[
    "CreateTable",
    "DeleteTable",
    "UpdateTable",
    "DescribeTable",
    "ListTables",
    "DescribeContinuousBackups",
    "UpdateContinuousBackups",
    "DescribeTimeToLive",
    "UpdateTimeToLive",
    "TagResource",
    "UntagResource",
    "ListTagsOfResource",
    "GetResourcePolicy",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
    "ExecuteStatement",
    "ExecuteTransaction",
    "BatchExecuteStatement",
    "DescribeContributorInsights",
    "UpdateContributorInsights",
    "DescribeKinesisStreamingDestination",
];
const IAM: &[&str] = &[
    "CreateUser",
    "GetUser",
    "UpdateUser",
    "DeleteUser",
    "CreateGroup",
    "GetGroup",
    "UpdateGroup",
    "AddUserToGroup",
    "RemoveUserFromGroup",
    "ListGroupsForUser",
    "CreateRole",
    "GetRole",
    "UpdateRole",
    "UpdateAssumeRolePolicy",
    "CreatePolicy",
    "GetPolicy",
    "CreatePolicyVersion",
    "GetPolicyVersion",
    "DeletePolicyVersion",
    "SetDefaultPolicyVersion",
    "ListEntitiesForPolicy",
    "AttachUserPolicy",
    "DetachRolePolicy",
    "ListAttachedUserPolicies",
    "PutUserPolicy",
    "GetUserPolicy",
    "ListUserPolicies",
    "PutUserPermissionsBoundary",
    "TagUser",
    "UntagUser",
    "ListUserTags",
    "TagPolicy",
    "CreateAccessKey",
    "ListAccessKeys",
    "UpdateAccessKey",
    "GetAccessKeyLastUsed",
    "CreateInstanceProfile",
    "AddRoleToInstanceProfile",
    "CreateAccountAlias",
    "ListPolicies",
    "GetAccountAuthorizationDetails",
    "SimulatePrincipalPolicy",
];
const FIELDS: &[&str] = &[
    "KeyId",
    "AliasName",
    "TargetKeyId",
    "Policy",
    "PolicyName",
    "Description",
    "Tags",
    "TagKeys",
    "Limit",
    "Marker",
    "PendingWindowInDays",
    "RotationPeriodInDays",
    "GranteePrincipal",
    "Operations",
    "Constraints",
    "GrantId",
    "Plaintext",
    "CiphertextBlob",
    "EncryptionContext",
    "NumberOfBytes",
    "KeySpec",
    "KeyUsage",
    "MacAlgorithm",
    "Message",
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "StreamSpecification",
    "TableClass",
    "Item",
    "Key",
    "KeyConditionExpression",
    "ExpressionAttributeValues",
    "RequestItems",
    "TransactItems",
    "Statement",
    "Statements",
    "ResourceArn",
    "TimeToLiveSpecification",
    "PointInTimeRecoverySpecification",
    "UserName",
    "NewUserName",
    "Path",
    "NewPath",
    "GroupName",
    "RoleName",
    "PolicyArn",
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "VersionId",
    "PermissionsBoundary",
    "AccessKeyId",
    "Status",
    "MaxItems",
    "InstanceProfileName",
    "AccountAlias",
    "Tags.member.1.Key",
    "Tags.member.1.Value",
    "TagKeys.member.1",
];

fn texts() -> impl Strategy<Value = String> {
    let known = select(vec![
        "Forum",
        "a",
        "",
        "alias/x",
        "alias/aws/dynamodb",
        "terrane-admin",
        "PROVISIONED",
        "PAY_PER_REQUEST",
        "v1",
        "arn:aws:kms:eu-west-3:123456789012:key/x",
        "arn:aws:dynamodb:eu-west-3:123456789012:table/Forum",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::123456789012:policy/",
        "arn:::::",
        "AQID",
        "/a/",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
        "SELECT * FROM \"Forum\"",
        "k = :v",
    ]);
    prop_oneof![known.prop_map(str::to_owned), any::<String>()]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        texts().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..4000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({ "S": "a" })),
        Just(json!([{ "AttributeName": "k", "KeyType": "HASH" }])),
        Just(json!([{ "AttributeName": "k", "AttributeType": "S" }])),
        Just(json!({ "Enabled": true })),
        Just(json!({ "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 })),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![select(FIELDS).prop_map(str::to_owned), texts()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn bodies() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((select(FIELDS).prop_map(str::to_owned), values()), 0..7)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn targets() -> impl Strategy<Value = (&'static str, &'static str)> {
    let kms = select(KMS).prop_map(|operation| ("TrentService", operation));
    let dynamodb = select(DYNAMODB).prop_map(|operation| ("DynamoDB_20120810", operation));
    prop_oneof![kms, dynamodb]
}

fn call(sandbox: &Sandbox, service: &str, target: Option<String>, body: String) -> (u16, String) {
    let key = sandbox.admin_credentials().access_key_id;
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={key}/20261123/eu-west-3/{service}/aws4_request, Signature=0");
    let mut request = Request::post("http://localhost/").header("authorization", scope);
    if let Some(target) = target {
        request = request.header("x-amz-target", target);
    }
    let request = request.body(Bytes::from(body)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(sandbox.handle(request));
    (answer.status().as_u16(), String::from_utf8(answer.into_body().to_vec()).unwrap())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn json_calls_are_answered(calls in prop::collection::vec((targets(), bodies()), 1..25)) {
        let sandbox = sandbox();
        for ((prefix, operation), body) in calls {
            let service = if prefix == "TrentService" { "kms" } else { "dynamodb" };
            let text = Value::Object(body).to_string();
            let (status, answer) = call(&sandbox, service, Some(format!("{prefix}.{operation}")), text.clone());
            prop_assert!(status == 200 || status == 400, "{} {}: {} {}", operation, text, status, answer);
            prop_assert!(serde_json::from_str::<Value>(&answer).is_ok(), "{} {}", operation, answer);
        }
    }

    #[test]
    fn form_calls_are_answered(calls in prop::collection::vec((select(IAM), prop::collection::vec((select(FIELDS), texts()), 0..7)), 1..25)) {
        let sandbox = sandbox();
        for (operation, arguments) in calls {
            let arguments: String = arguments.iter().map(|(name, value)| format!("&{name}={}", encoded(value))).collect();
            let body = format!("Action={operation}&Version=2010-05-08{arguments}");
            let (status, answer) = call(&sandbox, "iam", None, body.clone());
            prop_assert!(status < 500, "{}: {} {}", body, status, answer);
            prop_assert!(answer.starts_with('<') && answer.contains("RequestId"), "{}", answer);
        }
    }

    #[test]
    fn any_bytes_are_answered(target in "[A-Za-z_0-9]{0,20}\\.?[A-Za-z]{0,20}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let sandbox = sandbox();
        let request = Request::post("http://localhost/").header("x-amz-target", target).body(Bytes::from(body)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(sandbox.handle(request)).status().is_client_error());
    }
}
