//! May this principal do this to that, and why?

use terrane_iam::{
    Answer, Caller, Context, ContextValue, Decision, GroupPolicies, KeyAuthority, Layer, NamedPolicy,
    PolicySources, Reason, Request, answer, answer_key, answer_table_access, decide, decide_assume_role,
    decide_key, decide_table_access,
};

use crate::estate::{Encryption, Estate, Key, Principal, Table};

/// A question about one principal, one action and one resource.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action, such as `dynamodb:GetItem`.
    pub action: &'a str,
    /// The resource's ARN, or `*` where the action has none.
    pub resource: &'a str,
    /// Condition keys that the request carries, with their values; they win over what is assumed.
    pub context: &'a [(String, Vec<String>)],
}

/// An answer with what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The action that settled it: for an item of a table it can be one on the table's key.
    pub action: String,
    /// The resource that this action is on.
    pub resource: String,
    /// Every statement that was looked at, in the order of evaluation.
    pub chain: Vec<Reason>,
}

impl Answered {
    fn of(decision: Decision) -> Answered {
        let Decision { answer, chain, action, resource, .. } = decision;
        Answered { answer, action, resource, chain }
    }

    /// The service whose rules settled it, such as `kms`.
    pub fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// Whether it was settled by a service or by a layer of this name.
    pub fn is_by(&self, name: &str) -> bool {
        let Answer::Denied(layer) = &self.answer else { return self.service() == name };
        // `iam`: an identity policy is missing; of a key only where the key leaves it to IAM.
        let iam = matches!(layer, Layer::NoIdentityStatement) && self.service() != "kms";
        self.service() == name || layer_name(layer) == name || (name == "iam" && iam)
    }
}

/// The names of layers, as specs and JSON write them.
pub fn layer_name(layer: &Layer) -> &'static str {
    match layer {
        Layer::ExplicitDeny { .. } => "explicit-deny",
        Layer::ServiceControlPolicy => "service-control-policy",
        Layer::ResourcePolicy => "resource-policy",
        Layer::NoIdentityStatement => "identity-policy",
        Layer::Boundary => "permissions-boundary",
        Layer::SessionPolicy => "session-policy",
        Layer::KeyPolicy => "key-policy",
        Layer::KeyIam => "key-iam",
        Layer::TrustPolicy => "trust-policy",
    }
}

/// All names by which the place of a refusal can be asserted.
pub const BY: &[&str] = &[
    "dynamodb",
    "explicit-deny",
    "iam",
    "identity-policy",
    "key-iam",
    "key-policy",
    "kms",
    "permissions-boundary",
    "resource-policy",
    "service-control-policy",
    "session-policy",
    "sts",
    "trust-policy",
];

/// A sentence on what a layer's refusal means.
pub fn layer_wording(layer: &Layer) -> String {
    match layer {
        Layer::ExplicitDeny { policy, .. } => format!("a statement of {policy} denies it"),
        Layer::ServiceControlPolicy => "no service control policy allows it".to_owned(),
        Layer::ResourcePolicy => "the resource's policy does not let in the other account".to_owned(),
        Layer::NoIdentityStatement => "no identity policy allows it".to_owned(),
        Layer::Boundary => "the permissions boundary does not allow it".to_owned(),
        Layer::SessionPolicy => "no session policy allows it".to_owned(),
        Layer::KeyPolicy => "neither the key's policy nor a grant allows it".to_owned(),
        Layer::KeyIam => "the key's policy leaves it to IAM policies, and none allows it".to_owned(),
        Layer::TrustPolicy => "the role's trust policy does not allow it".to_owned(),
    }
}

/// What a resource of a question is.
enum Target<'e> {
    Table(&'e Table),
    Key(&'e Key),
    Role(&'e Principal),
    /// A table that the stack does not have.
    ForeignTable,
    /// A key that the stack does not have.
    ForeignKey,
    Other,
}

impl Estate {
    /// Answers a question with the chain of statements.
    pub fn ask(&self, question: &Question<'_>) -> Answered {
        let sources = sources(question.principal);
        self.decided(question, sources)
    }

    fn target(&self, resource: &str, action: &str) -> Target<'_> {
        if let Some(table) = self.tables.iter().find(|table| is_of(resource, &table.arn)) {
            return Target::Table(table);
        }
        if let Some(key) = self.keys.iter().find(|key| key.arn == resource) {
            return Target::Key(key);
        }
        if action.eq_ignore_ascii_case("sts:AssumeRole")
            && let Some(role) = self.principals.iter().find(|p| p.arn == resource && p.trust.is_some())
        {
            return Target::Role(role);
        }
        let service = resource.split(':').nth(2);
        match (service, resource.split(':').nth(5)) {
            (Some("dynamodb"), Some(name)) if name.starts_with("table/") => Target::ForeignTable,
            (Some("kms"), Some(name)) if name.starts_with("key/") => Target::ForeignKey,
            _ => Target::Other,
        }
    }

    fn decided<'e>(&'e self, question: &Question<'_>, mut sources: PolicySources<'e>) -> Answered {
        let target = self.target(question.resource, question.action);
        let request = request(question, &target);
        Answered::of(match target {
            Target::Table(table) => {
                sources.resource = table.policy.as_ref().map(|policy| policy.named());
                let region = region(question.resource);
                match &table.encryption {
                    Encryption::ByAws => decide_table_access(&request, &sources, None, region),
                    Encryption::By(number) => {
                        let key = self.keys.get(*number).map(authority);
                        decide_table_access(&request, &sources, key.as_ref(), region)
                    }
                    Encryption::Unknown => {
                        let open = unknown_key();
                        decide_table_access(&request, &sources, Some(&open), region)
                    }
                }
            }
            Target::Key(key) => decide_key(&request, &sources, &authority(key)),
            Target::ForeignKey => decide_key(&request, &sources, &foreign_key(question.resource)),
            Target::ForeignTable => {
                let key = unknown_key();
                sources.resource = Some(NamedPolicy::unknown(format!("the policy of {}", question.resource)));
                decide_table_access(&request, &sources, Some(&key), region(question.resource))
            }
            Target::Role(role) => match &role.trust {
                Some(trust) => decide_assume_role(&request, &sources, &trust.named()),
                None => decide(&request, &sources),
            },
            Target::Other => decide(&request, &sources),
        })
    }

    /// Answers without the chain, with the principal's sources at hand: for asking very often.
    pub(crate) fn quick<'e>(&'e self, question: &Question<'_>, sources: &mut PolicySources<'e>) -> Answer {
        let target = self.target(question.resource, question.action);
        let request = request(question, &target);
        sources.resource = None;
        match target {
            Target::Table(table) => {
                sources.resource = table.policy.as_ref().map(|policy| policy.named());
                let region = region(question.resource);
                match &table.encryption {
                    Encryption::ByAws => answer_table_access(&request, sources, None, region),
                    Encryption::By(number) => {
                        let key = self.keys.get(*number).map(authority);
                        answer_table_access(&request, sources, key.as_ref(), region)
                    }
                    Encryption::Unknown => {
                        let open = unknown_key();
                        answer_table_access(&request, sources, Some(&open), region)
                    }
                }
            }
            Target::Key(key) => answer_key(&request, sources, &authority(key)),
            Target::Role(_) => self.decided(question, sources.clone()).answer,
            Target::ForeignKey | Target::ForeignTable | Target::Other => answer(&request, sources),
        }
    }
}

/// The policies of a principal, without those of a resource.
pub(crate) fn sources(principal: &Principal) -> PolicySources<'_> {
    let groups = principal.groups.iter().map(|(group, policies)| GroupPolicies {
        group: group.clone(),
        policies: policies.iter().map(|policy| policy.named()).collect(),
    });
    PolicySources {
        identity: principal.identity.iter().map(|policy| policy.named()).collect(),
        groups: groups.collect(),
        boundary: principal.boundary.as_ref().map(|policy| policy.named()),
        ..PolicySources::default()
    }
}

fn authority(key: &Key) -> KeyAuthority<'_> {
    KeyAuthority {
        key_arn: &key.arn,
        key_policy: key.policy.document.as_deref(),
        grants: &key.grants,
        tags: key.tags.as_deref(),
    }
}

fn foreign_key(arn: &str) -> KeyAuthority<'_> {
    KeyAuthority { key_arn: arn, key_policy: None, grants: &[], tags: None }
}

fn unknown_key() -> KeyAuthority<'static> {
    foreign_key("the key that encrypts the table")
}

/// Whether an ARN is a table's, or that of one of its indexes or streams.
fn is_of(arn: &str, table: &str) -> bool {
    arn.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// A request as somebody would make it directly, signed, and over TLS; what else it carries is not known.
fn request<'q>(question: &Question<'q>, target: &Target<'_>) -> Request<'q> {
    let mut context = Context::partial()
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false")
        .with("aws:PrincipalIsAWSService", flag(matches!(question.principal.caller, Caller::Service { .. })));
    for key in ["kms:ViaService", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"] {
        context.set(key, ContextValue::Absent);
    }
    if question.action.eq_ignore_ascii_case("kms:CreateGrant") {
        context.set("kms:GrantIsForAWSResource", ContextValue::Values(vec!["false".to_owned()]));
    }
    if let Some(tags) = &question.principal.tags {
        context = with_tags(context, "aws:PrincipalTag/", tags);
    }
    if let Target::Table(Table { tags: Some(tags), .. }) = target {
        context = with_tags(context, "aws:ResourceTag/", tags);
    }
    for (key, values) in question.context {
        context.set(key, ContextValue::Values(values.clone()));
    }
    Request {
        caller: &question.principal.caller,
        action: question.action,
        resource: question.resource,
        context,
    }
}

fn with_tags(context: Context, beginning: &str, tags: &[(String, String)]) -> Context {
    let given =
        tags.iter().fold(context, |all, (key, value)| all.with(&format!("{beginning}{key}"), value.as_str()));
    given.closing(beginning)
}

fn flag(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}
