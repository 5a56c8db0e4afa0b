//! From a vector to the engine: the caller, the documents, and the question that fits.

use serde_json::{Value, json};
use terrane_iam::*;

use crate::vector::Vector;

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";

/// Who asks, by the name that vectors use.
fn caller(name: &str) -> Caller {
    let user = |account: &str, name: &str, id: Option<&str>| Caller::User {
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        user_id: id.map(str::to_owned),
    };
    let session = |account: &str, role: &str, id: &str, session: &str| Caller::AssumedRole {
        role_arn: format!("arn:aws:iam::{account}:role/{role}"),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        role_id: Some(id.to_owned()),
        session_name: session.to_owned(),
    };
    let root = |account: &str| Caller::Root { account: account.to_owned(), partition: "aws".to_owned() };
    match name {
        "user" => user(ACCOUNT, "team/ann", Some("AIDAANNEXAMPLEEXAMPLE")),
        "new-user" => user(ACCOUNT, "team/ann", None),
        "session" => session(ACCOUNT, "reader", "AROAREADEREXAMPLEEX", "s1"),
        "root" => root(ACCOUNT),
        "stranger" => user(OTHER, "bob", Some("AIDABOBEXAMPLEEXAMPLE")),
        "stranger-session" => session(OTHER, "guest", "AROAGUESTEXAMPLE", "s9"),
        "stranger-root" => root(OTHER),
        "anonymous" => Caller::Anonymous,
        other => match other.strip_prefix("service:") {
            Some(name) => Caller::Service { name: name.to_owned() },
            None => panic!("nobody is called `{other}`"),
        },
    }
}

/// The text of a document with these statements; nothing for one that is not known.
fn text(vector: &Vector, statements: &Value) -> Option<String> {
    if statements == "unknown" {
        return None;
    }
    Some(match vector.text("version") {
        Some("none") => json!({ "Statement": statements }),
        version => json!({ "Version": version.unwrap_or("2012-10-17"), "Statement": statements }),
    })
    .map(|document| document.to_string())
}

/// A policy of a vector, under its name.
struct Given {
    name: String,
    document: Option<Document>,
}

impl Given {
    fn new(vector: &Vector, name: &str, statements: &Value) -> Given {
        let document = text(vector, statements).map(|text| Document::parse(&text).expect(&text));
        Given { name: name.to_owned(), document }
    }

    fn named(&self) -> NamedPolicy<'_> {
        NamedPolicy { name: self.name.clone(), document: self.document.as_ref() }
    }
}

fn named(given: &Option<Given>) -> Vec<NamedPolicy<'_>> {
    given.as_ref().map(Given::named).into_iter().collect()
}

/// The statements of a kind of policy.
fn statements(vector: &Vector, kind: &str) -> Option<Value> {
    let condition = vector.given.get("condition").filter(|_| kind == "identity");
    let short =
        |condition| json!([{ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition }]);
    vector.given.get(kind).cloned().or_else(|| condition.map(short))
}

fn context(vector: &Vector) -> Context {
    let partial = vector.given.get("partial") == Some(&Value::Bool(true));
    let mut context = if partial { Context::partial() } else { Context::complete() };
    for (key, value) in vector.given.get("context").and_then(Value::as_object).into_iter().flatten() {
        let texts = match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => vec![value.as_str().expect("a text").to_owned()],
        };
        context.set(key, ContextValue::Values(texts));
    }
    for key in vector.list("absent").iter().filter_map(Value::as_str) {
        context.set(key, ContextValue::Absent);
    }
    context
}

fn pairs(value: Option<&Value>) -> Option<Vec<(String, String)>> {
    let pairs = value?.as_object()?.iter();
    Some(pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
}

fn grants(vector: &Vector) -> Vec<Grant> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let one = |(number, grant): (usize, &Value)| Grant {
        id: format!("grant-{number}"),
        grantee: grant.get("grantee").and_then(Value::as_str).expect("a grantee").to_owned(),
        operations: grant.get("operations").map(texts).expect("operations"),
        constraint: pairs(grant.get("equals"))
            .map(GrantConstraint::Equals)
            .or_else(|| pairs(grant.get("subset")).map(GrantConstraint::Subset)),
    };
    vector.list("grants").iter().enumerate().map(one).collect()
}

/// The decision, and the answer of the way without a chain where there is one.
pub fn decided(vector: &Vector) -> (Decision, Option<Answer>) {
    let given = |kind: &str| statements(vector, kind).map(|all| Given::new(vector, kind, &all));
    let (identity, groups, boundary) = (given("identity"), given("groups"), given("boundary"));
    let (session, mut resource, rcp) = (given("session"), given("resource_policy"), given("rcp"));
    if let Some(resource) = &mut resource {
        resource.name = "resource".to_owned();
    }
    let levels = vector.list("scp").iter().enumerate();
    let levels: Vec<Given> =
        levels.map(|(number, level)| Given::new(vector, &format!("scp-{}", number + 1), level)).collect();
    let sources = PolicySources {
        identity: named(&identity),
        groups: vec![GroupPolicies { group: "group".to_owned(), policies: named(&groups) }],
        boundary: boundary.as_ref().map(Given::named),
        session: named(&session),
        resource: resource.as_ref().map(Given::named),
        service_control: levels.iter().map(|level| vec![level.named()]).collect(),
        resource_control: named(&rcp),
    };
    let caller = caller(vector.text("caller").expect("a caller"));
    let action = vector.text("action").expect("an action");
    let resource = vector.text("resource").expect("a resource");
    let request = Request { caller: &caller, action, resource, context: context(vector) };
    if let Some(trust) = given("trust") {
        return (decide_assume_role(&request, &sources, &trust.named()), None);
    }
    let key = given("key");
    let (grants, tags) = (grants(vector), pairs(vector.given.get("key_tags")).unwrap_or_default());
    let key_arn = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd");
    let authority = key.as_ref().map(|key| KeyAuthority {
        key_arn: &key_arn,
        key_policy: key.document.as_ref(),
        grants: &grants,
        tags: Some(&tags),
    });
    match &authority {
        Some(key) if action.starts_with("kms:") => {
            (decide_key(&request, &sources, key), Some(answer_key(&request, &sources, key)))
        }
        authority if action.starts_with("dynamodb:") => (
            decide_table_access(&request, &sources, authority.as_ref(), "eu-west-1"),
            Some(answer_table_access(&request, &sources, authority.as_ref(), "eu-west-1")),
        ),
        _ => (decide(&request, &sources), Some(answer(&request, &sources))),
    }
}

/// What AWS would have against the policies of a vector.
pub fn violations(vector: &Vector) -> Vec<String> {
    let uses = [
        ("identity", PolicyUse::Managed),
        ("groups", PolicyUse::Managed),
        ("boundary", PolicyUse::Managed),
        ("session", PolicyUse::Managed),
        ("resource_policy", PolicyUse::Table),
        ("key", PolicyUse::Key),
        ("trust", PolicyUse::Trust),
    ];
    let mut found = Vec::new();
    for (kind, policy_use) in uses {
        let texts = statements(vector, kind).and_then(|all| text(vector, &all));
        let violations = texts.into_iter().flat_map(|text| validate(&text, policy_use));
        found.extend(violations.map(|violation| format!("{kind}: {violation}")));
    }
    found
}
