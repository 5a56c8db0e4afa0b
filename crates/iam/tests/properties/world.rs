//! A small world of callers, actions, resources and statements.

use proptest::prelude::*;
use terrane_iam::*;

pub const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";

const PRINCIPALS: [&str; 8] = [
    "*",
    "111111111111",
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::222222222222:root",
    "arn:aws:iam::111111111111:user/ann",
    "arn:aws:iam::111111111111:role/reader",
    "arn:aws:sts::111111111111:assumed-role/reader/s1",
    "AIDAANN",
];
const ACTIONS: [&str; 8] = [
    "*",
    "kms:*",
    "kms:Decrypt",
    "KMS:d*",
    "dynamodb:GetItem",
    "dynamodb:*Item",
    "s3:GetObject",
    "sts:AssumeRole",
];
const RESOURCES: [&str; 7] = [
    "*",
    KEY,
    "arn:aws:kms:*:111111111111:key/*",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Post",
    "arn:aws:dynamodb:eu-west-1:*:table/${aws:PrincipalTag/table}",
    "arn:aws:dynamodb:eu-west-1:222222222222:table/*",
    "arn:aws:kms:eu-west-1:111111111111:key/\u{FFFF}",
];
const OPERATORS: [&str; 9] = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringEqualsIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringEquals",
    "Null",
    "Bool",
    "ArnLike",
];
pub const KEYS: [&str; 4] = ["aws:PrincipalTag/table", "kms:ViaService", "aws:TagKeys", "aws:PrincipalArn"];
const VALUES: [&str; 7] = [
    "Post",
    "P*",
    "true",
    "false",
    "dynamodb.eu-west-1.amazonaws.com",
    "arn:aws:iam::*:user/*",
    "${aws:username}",
];

pub fn caller() -> impl Strategy<Value = Caller> {
    prop_oneof![
        1 => Just(Caller::Root { account: "111111111111".into(), partition: "aws".into() }),
        4 => Just(Caller::User {
            arn: "arn:aws:iam::111111111111:user/ann".into(),
            user_id: Some("AIDAANN".into()),
        }),
        1 => Just(Caller::User { arn: "arn:aws:iam::222222222222:user/bob".into(), user_id: None }),
        2 => Just(Caller::AssumedRole {
            role_arn: "arn:aws:iam::111111111111:role/reader".into(),
            session_arn: "arn:aws:sts::111111111111:assumed-role/reader/s1".into(),
            role_id: Some("AROAREADER".into()),
            session_name: "s1".into(),
        }),
        1 => Just(Caller::Service { name: "lambda.amazonaws.com".into() }),
        1 => Just(Caller::Anonymous),
    ]
}

fn texts(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(from).prop_map(str::to_owned), 0..3)
}

fn principals() -> impl Strategy<Value = Vec<Principal>> {
    let one = prop_oneof![
        8 => prop::sample::select(&PRINCIPALS).prop_map(|value| Principal { kind: "AWS".into(), value: value.into() }),
        1 => Just(Principal { kind: "*".into(), value: "*".into() }),
        3 => Just(Principal { kind: "AWS".into(), value: "arn:aws:iam::111111111111:user/\u{FFFF}".into() }),
        1 => Just(Principal { kind: "Service".into(), value: "lambda.amazonaws.com".into() }),
    ];
    prop::collection::vec(one, 0..3)
}

fn condition() -> impl Strategy<Value = Condition> {
    (prop::sample::select(&OPERATORS), prop::sample::select(&KEYS), texts(&VALUES))
        .prop_map(|(operator, key, values)| Condition { operator: operator.into(), key: key.into(), values })
}

/// An element or its `Not` form, or neither.
fn either<T: Clone + std::fmt::Debug + 'static>(
    list: impl Strategy<Value = Vec<T>>,
) -> impl Strategy<Value = (Option<Vec<T>>, Option<Vec<T>>)> {
    (list, 0..8).prop_map(|(list, form)| match form {
        0 => (None, None),
        1 | 2 => (None, Some(list)),
        _ => (Some(list), None),
    })
}

pub fn statement(effect: Effect) -> impl Strategy<Value = Statement> {
    (
        either(texts(&ACTIONS)),
        either(texts(&RESOURCES)),
        either(principals()),
        prop::collection::vec(condition(), 0..2),
    )
        .prop_map(move |(actions, resources, principals, conditions)| Statement {
            index: 0,
            sid: None,
            effect,
            actions: actions.0,
            not_actions: actions.1,
            resources: resources.0,
            not_resources: resources.1,
            principals: principals.0,
            not_principals: principals.1,
            conditions,
        })
}

pub fn document() -> impl Strategy<Value = Document> {
    let one = prop_oneof![3 => statement(Effect::Allow), 1 => statement(Effect::Deny)];
    prop::collection::vec(one, 0..4).prop_map(|statements| Document {
        version: Some("2012-10-17".into()),
        id: None,
        statements: statements
            .into_iter()
            .enumerate()
            .map(|(index, statement)| Statement { index, ..statement })
            .collect(),
    })
}

/// A document that allows everything to everybody in every second case, so that what else it says decides.
fn open_document() -> impl Strategy<Value = Document> {
    (document(), any::<bool>()).prop_map(|(mut document, open)| {
        if open {
            document.statements.push(Statement {
                index: document.statements.len(),
                sid: Some("Open".into()),
                effect: Effect::Allow,
                actions: Some(vec!["*".into()]),
                not_actions: None,
                resources: Some(vec!["*".into()]),
                not_resources: None,
                principals: Some(vec![Principal { kind: "AWS".into(), value: "*".into() }]),
                not_principals: None,
                conditions: Vec::new(),
            });
        }
        document
    })
}

/// A value of a condition key that is known: absent, or some values.
pub fn known_value() -> impl Strategy<Value = ContextValue> {
    prop_oneof![
        Just(ContextValue::Absent),
        texts(&["Post", "true", "dynamodb.eu-west-1.amazonaws.com", "arn:aws:iam::1:user/x", "ann", ""])
            .prop_map(ContextValue::Values),
    ]
}

/// A context in which every key of this world is known.
pub fn known_context() -> impl Strategy<Value = Context> {
    prop::collection::vec(known_value(), KEYS.len()).prop_map(|values| {
        KEYS.iter()
            .zip(values)
            // The caller's own ARN is never unknown to the engine.
            .filter(|(key, _)| **key != "aws:PrincipalArn")
            .fold(Context::complete(), |context, (key, value)| context.with_value(key, value))
    })
}

/// All policies that may bear on a request.
#[derive(Debug, Clone)]
pub struct Policies {
    pub identity: Document,
    pub boundary: Option<Document>,
    pub session: Option<Document>,
    pub resource: Option<Document>,
    /// A document for each level of the organization.
    pub service_control: Vec<Document>,
    pub resource_control: Option<Document>,
    /// The policy of a group.
    pub group: Option<Document>,
    pub key: Document,
    pub trust: Document,
    pub grants: Vec<Grant>,
}

pub fn policies() -> impl Strategy<Value = Policies> {
    let rarely = || prop_oneof![3 => Just(None), 1 => open_document().prop_map(Some)];
    let levels = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(open_document(), 1..3)];
    (
        (open_document(), rarely(), rarely(), rarely()),
        (levels, prop::option::weighted(0.2, document()), rarely()),
        (open_document(), open_document(), prop::collection::vec(grant(), 0..2)),
    )
        .prop_map(|((identity, boundary, session, resource), organization, (key, trust, grants))| {
            let (service_control, resource_control, group) = organization;
            Policies {
                identity,
                boundary,
                session,
                resource,
                service_control,
                resource_control,
                group,
                key,
                trust,
                grants,
            }
        })
}

/// A grant on the key, perhaps with a constraint.
pub fn grant() -> impl Strategy<Value = Grant> {
    let grantees = &[
        "arn:aws:iam::111111111111:user/ann",
        "arn:aws:iam::111111111111:role/reader",
        "arn:aws:iam::222222222222:user/bob",
        "lambda.amazonaws.com",
        "arn:aws:iam::111111111111:user/\u{FFFF}",
    ];
    (prop::sample::select(grantees), prop::sample::select(&["Decrypt", "Encrypt"]), any::<bool>()).prop_map(
        |(grantee, operation, bound)| Grant {
            id: "grant".into(),
            grantee: grantee.into(),
            operations: vec![operation.into()],
            constraint: bound.then(|| GrantConstraint::Subset(vec![("a".into(), "b".into())])),
        },
    )
}

impl Policies {
    pub fn sources(&self) -> PolicySources<'_> {
        PolicySources {
            identity: vec![NamedPolicy::new("identity", &self.identity)],
            boundary: named(self.boundary.as_ref()),
            session: named(self.session.as_ref()).into_iter().collect(),
            resource: named(self.resource.as_ref()),
            service_control: self
                .service_control
                .iter()
                .map(|level| vec![NamedPolicy::new("p", level)])
                .collect(),
            resource_control: named(self.resource_control.as_ref()).into_iter().collect(),
            groups: named(self.group.as_ref())
                .map(|policy| GroupPolicies { group: "g".into(), policies: vec![policy] })
                .into_iter()
                .collect(),
        }
    }

    /// Every document, for changing it.
    pub fn documents(&mut self) -> Vec<&mut Document> {
        let mut documents = vec![&mut self.identity, &mut self.key, &mut self.trust];
        documents.extend(self.resource_control.iter_mut());
        documents.extend(self.group.iter_mut());
        documents.extend(self.boundary.iter_mut());
        documents.extend(self.session.iter_mut());
        documents.extend(self.resource.iter_mut());
        documents.extend(self.service_control.iter_mut());
        documents
    }

    /// The decisions on this world's questions.
    pub fn answers(&self, caller: &Caller, context: &Context) -> [Answer; 5] {
        let sources = self.sources();
        let ask = |action: &'static str, resource: &'static str| {
            let request = Request { caller, action, resource, context: context.clone() };
            let key = KeyAuthority {
                key_arn: KEY,
                key_policy: Some(&self.key),
                grants: &self.grants,
                tags: Some(&[]),
            };
            (
                decide(&request, &sources).answer,
                decide_key(&request, &sources, &key).answer,
                decide_table_access(&request, &sources, Some(&key), "eu-west-1").answer,
            )
        };
        let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Post";
        let (on_table, _, joined) = ask("dynamodb:GetItem", table);
        let (in_other_account, _, _) =
            ask("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/Post");
        let (_, on_key, _) = ask("kms:Decrypt", KEY);
        let role = "arn:aws:iam::111111111111:role/reader";
        let request = Request { caller, action: "sts:AssumeRole", resource: role, context: context.clone() };
        let of_role = decide_assume_role(&request, &sources, &NamedPolicy::new("trust", &self.trust)).answer;
        [on_table, joined, in_other_account, on_key, of_role]
    }
}

fn named(document: Option<&Document>) -> Option<NamedPolicy<'_>> {
    document.map(|document| NamedPolicy::new("p", document))
}
