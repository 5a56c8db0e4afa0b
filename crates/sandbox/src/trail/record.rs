//! One record, and the JSON that CloudTrail makes of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::Moment;
use crate::identity::Identity;
use crate::wire::{Call, Service};

/// A call, as little of it as the JSON can be made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(super) id: String,
    pub(super) request: String,
    pub(crate) at: Moment,
    pub(super) region: String,
    /// The service, such as `kms`.
    pub(super) source: String,
    /// The operation.
    pub(super) name: String,
    pub(super) who: Who,
    /// The service that called in the caller's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) through: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<(String, String)>,
    /// Types and ARNs or names.
    pub(super) resources: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Value>,
    pub(super) reads: bool,
    /// Whether it is about the data in a resource, which CloudTrail does not show among its events.
    pub(super) data: bool,
    pub(super) agent: String,
}

/// Who called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Who {
    kind: Kind,
    arn: String,
    id: String,
    /// The user's name, or that of the session.
    pub(super) name: String,
    /// ARN, unique id and name of the role behind a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<(String, String, String)>,
    pub(super) key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Root,
    #[serde(rename = "IAMUser")]
    User,
    AssumedRole,
}

impl Who {
    pub(super) fn of(caller: &Identity, account: &str, key: &str) -> Who {
        let (kind, name, role) = match caller {
            Identity::Root => (Kind::Root, "root".to_owned(), None),
            Identity::User(user) => (Kind::User, user.name.clone(), None),
            Identity::Session { role, session } => {
                let behind = (role.arn(account), role.id.clone(), role.name.clone());
                (Kind::AssumedRole, session.name.clone(), Some(behind))
            }
        };
        let (arn, id) = (caller.arn(account), caller.user_id(account));
        Who { kind, arn, id, name, role, key: key.to_owned() }
    }

    fn json(&self, account: &str, through: Option<&str>) -> Value {
        let mut who = Map::new();
        who.insert("type".to_owned(), json!(self.kind));
        for (name, text) in [
            ("principalId", self.id.as_str()),
            ("arn", &self.arn),
            ("accountId", account),
            ("accessKeyId", &self.key),
        ] {
            who.insert(name.to_owned(), text.into());
        }
        if self.kind == Kind::User {
            who.insert("userName".to_owned(), self.name.as_str().into());
        }
        if let Some((arn, id, name)) = &self.role {
            let issuer = json!({ "type": "Role", "principalId": id, "arn": arn, "accountId": account, "userName": name });
            who.insert("sessionContext".to_owned(), json!({ "sessionIssuer": issuer, "attributes": {} }));
        }
        if let Some(through) = through {
            who.insert("invokedBy".to_owned(), through.into());
        }
        Value::Object(who)
    }
}

impl Record {
    /// The event as CloudTrail writes it.
    pub(super) fn json(&self, account: &str) -> Value {
        let through = self.through.as_deref();
        let arns = self.resources.iter().filter(|(_, name)| name.starts_with("arn:"));
        let resources: Vec<Value> =
            arns.map(|(kind, arn)| json!({ "accountId": account, "type": kind, "ARN": arn })).collect();
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": self.who.json(account, through),
            "eventTime": self.at.iso(),
            "eventSource": format!("{}.amazonaws.com", self.source),
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": through.unwrap_or("127.0.0.1"),
            "userAgent": self.agent,
            "requestParameters": self.parameters,
            "responseElements": null,
            "requestID": self.request,
            "eventID": self.id,
            "readOnly": self.reads,
            "resources": resources,
            "eventType": "AwsApiCall",
            "managementEvent": !self.data,
            "recipientAccountId": account,
            "eventCategory": if self.data { "Data" } else { "Management" },
        });
        if let (Some((code, message)), Some(event)) = (&self.error, event.as_object_mut()) {
            event.insert("errorCode".to_owned(), code.as_str().into());
            event.insert("errorMessage".to_owned(), message.as_str().into());
        }
        event
    }
}

/// Operations on items and on streams: data events.
const DATA: [&str; 15] = [
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "GetRecords",
    "GetShardIterator",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

pub(super) fn is_data(call: &Call) -> bool {
    matches!(call.service, Service::DynamoDb | Service::DynamoDbStreams)
        && DATA.contains(&call.operation.as_str())
}

/// Uses of a key that leave it as it is, and the assuming of a role, count as reading.
const READS: [&str; 16] = [
    "AssumeRole",
    "BatchGetItem",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "Query",
    "ReEncrypt",
    "Scan",
    "Sign",
    "Verify",
    "VerifyMac",
];

pub(super) fn reads(operation: &str) -> bool {
    let looks = ["Get", "List", "Describe", "Lookup", "TransactGet"];
    READS.contains(&operation) || looks.iter().any(|prefix| operation.starts_with(prefix))
}

/// Arguments that say what a call is about, with the type of what they name. Nothing else of a request is recorded: it may hold
/// secrets.
const NAMES: [(&str, &str); 10] = [
    ("UserName", "AWS::IAM::User"),
    ("RoleName", "AWS::IAM::Role"),
    ("RoleArn", "AWS::IAM::Role"),
    ("GroupName", "AWS::IAM::Group"),
    ("PolicyArn", "AWS::IAM::Policy"),
    ("AccessKeyId", "AWS::IAM::AccessKey"),
    ("InstanceProfileName", "AWS::IAM::InstanceProfile"),
    ("PolicyName", ""),
    ("RoleSessionName", ""),
    ("SerialNumber", ""),
];

const FIELDS: [&str; 7] =
    ["KeyId", "AliasName", "TableName", "IndexName", "GranteePrincipal", "ResourceArn", "DryRun"];

/// The resources that the arguments of a call to IAM or STS name.
pub(super) fn named(call: &Call) -> Vec<(String, String)> {
    let typed = NAMES.iter().filter(|(_, kind)| !kind.is_empty());
    typed.filter_map(|(name, kind)| Some(((*kind).to_owned(), call.form.text(name)?.to_owned()))).collect()
}

/// The arguments that say what a call is about.
pub(super) fn parameters(call: &Call) -> Option<Value> {
    let mut found = Map::new();
    let mut add = |name: &str, value: Value| drop(found.insert(crate::visit::lower_first(name), value));
    if call.service.speaks_xml() {
        for (name, _) in NAMES {
            if let Some(text) = call.form.text(name) {
                add(name, text.into());
            }
        }
    } else if let Ok(Value::Object(fields)) = serde_json::from_str(&call.body) {
        for name in FIELDS {
            // What is too long to be a name is none.
            let short =
                |value: &&Value| value.is_boolean() || value.as_str().is_some_and(|text| text.len() <= 2048);
            if let Some(value) = fields.get(name).filter(short) {
                add(name, value.clone());
            }
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

#[cfg(test)]
impl Record {
    /// A record that differs from others by its time alone.
    pub(crate) fn sample(at: i64) -> Record {
        let who = Who::of(&Identity::Root, "123456789012", "AKIA");
        Record {
            id: String::new(),
            request: String::new(),
            at: Moment(at),
            region: "eu-west-3".to_owned(),
            source: "kms".to_owned(),
            name: "ListKeys".to_owned(),
            who,
            through: None,
            error: None,
            resources: vec![],
            parameters: None,
            reads: true,
            data: false,
            agent: String::new(),
        }
    }
}
