//! May this principal do this to that, and why?

use std::sync::LazyLock;

use terrane_iam::{
    Answer, Caller, Context, ContextValue, Decision, Document, GroupPolicies, KeyAuthority, Layer,
    NamedPolicy, PolicySources, Reason, Request, answer, answer_key, answer_table_access, decide,
    decide_assume_role, decide_key, decide_table_access,
};

use crate::estate::{Encryption, Estate, Key, Place, Policy, Principal, Table};
use crate::organization::account_of;

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
#[derive(Clone, Copy)]
pub(crate) enum Target<'e> {
    Table(&'e Table),
    Key(&'e Key),
    /// The role that is to be assumed, with its trust policy.
    Role(&'e Policy),
    /// A table that the stack does not have.
    ForeignTable,
    /// A key that the stack does not have, or the alias of one.
    ForeignKey,
    Other,
}

impl Estate {
    /// Answers a question with the chain of statements.
    pub fn ask(&self, question: &Question<'_>) -> Answered {
        let target = self.target(question.resource, question.action);
        let mut sources = self.sources(question.principal, question.action);
        let request = self.request(question, &target);
        self.about_resource(&request, &target, &mut sources);
        self.decided(&request, &target, &sources)
    }

    pub(crate) fn target(&self, resource: &str, action: &str) -> Target<'_> {
        // Operations on the alias itself are decided on the alias; any other means its key:
        // https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
        let of_alias = ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"];
        let is_alias = resource.split(':').nth(5).is_some_and(|name| name.starts_with("alias/"))
            && !of_alias.iter().any(|name| name.eq_ignore_ascii_case(action));
        let resource = match self.aliases.get(resource).filter(|_| is_alias) {
            Some(key) => key,
            None => resource,
        };
        match self.places.get(table_of(resource)) {
            Some(Place::Table(number)) => {
                return self.tables.get(*number).map_or(Target::ForeignTable, Target::Table);
            }
            Some(Place::Key(number)) => {
                return self.keys.get(*number).map_or(Target::ForeignKey, Target::Key);
            }
            Some(Place::Principal(number)) if action.eq_ignore_ascii_case("sts:AssumeRole") => {
                let trust = self.principals.get(*number).and_then(|role| role.trust.as_ref());
                return trust.map_or(Target::Other, Target::Role);
            }
            Some(Place::Principal(_)) => return Target::Other,
            None => {}
        }
        match (resource.split(':').nth(2), resource.split(':').nth(5)) {
            (Some("dynamodb"), Some(name)) if name.starts_with("table/") => Target::ForeignTable,
            (Some("kms"), Some(name)) if name.starts_with("key/") || is_alias => Target::ForeignKey,
            _ => Target::Other,
        }
    }

    /// Puts to the principal's policies what bears on the resource.
    fn about_resource<'e>(
        &'e self,
        request: &Request<'_>,
        target: &Target<'e>,
        sources: &mut PolicySources<'e>,
    ) {
        sources.resource = match target {
            Target::Table(table) => table.policy.as_ref().map(Policy::whole),
            Target::ForeignTable => Some(NamedPolicy::unknown(format!("the policy of {}", request.resource))),
            Target::Key(_) | Target::ForeignKey | Target::Role(_) | Target::Other => None,
        };
        sources.resource_control = self.resource_control(request.caller, request.action, request.resource);
    }

    fn decided<'e>(
        &'e self,
        request: &Request<'_>,
        target: &Target<'e>,
        sources: &PolicySources<'e>,
    ) -> Answered {
        let region = region(request.resource);
        Answered::of(match target {
            Target::Table(table) => {
                decide_table_access(request, sources, self.key_of(table, request.caller).as_ref(), region)
            }
            Target::Key(key) => decide_key(request, sources, &authority(key)),
            Target::ForeignKey => decide_key(request, sources, &foreign_key(request.resource)),
            Target::ForeignTable => decide_table_access(request, sources, Some(&unknown_key()), region),
            Target::Role(trust) => decide_assume_role(request, sources, &trust.whole()),
            Target::Other => decide(request, sources),
        })
    }

    /// The key of which a caller needs a right to read or write the items of a table.
    fn key_of<'e>(&'e self, table: &'e Table, caller: &Caller) -> Option<KeyAuthority<'e>> {
        match &table.encryption {
            Encryption::ByDynamoDb => None,
            Encryption::ByAccountsKey => is_outside(caller, &table.arn)
                .then(|| KeyAuthority { key_policy: Some(&CLOSED), ..AWS_MANAGED }),
            Encryption::By(number) => self.keys.get(*number).map(authority),
            Encryption::Unknown => Some(unknown_key()),
        }
    }

    /// Answers without the chain, with the principal's sources at hand: for asking very often.
    pub(crate) fn quick<'e>(
        &'e self,
        request: &Request<'_>,
        target: &Target<'e>,
        sources: &mut PolicySources<'e>,
    ) -> Answer {
        self.about_resource(request, target, sources);
        let region = region(request.resource);
        match target {
            Target::Table(table) => {
                answer_table_access(request, sources, self.key_of(table, request.caller).as_ref(), region)
            }
            Target::Key(key) => answer_key(request, sources, &authority(key)),
            Target::Role(_) => self.decided(request, target, sources).answer,
            Target::ForeignKey | Target::ForeignTable | Target::Other => answer(request, sources),
        }
    }

    /// The policies of a principal as far as they speak of an action, without those of a resource.
    pub(crate) fn sources<'e>(&'e self, principal: &'e Principal, action: &str) -> PolicySources<'e> {
        let about = |policies: &'e [Policy]| policies.iter().map(|policy| policy.about(action)).collect();
        let groups = principal
            .groups
            .iter()
            .map(|(group, policies)| GroupPolicies { group: group.clone(), policies: about(policies) });
        PolicySources {
            identity: about(&principal.identity),
            groups: groups.collect(),
            boundary: principal.boundary.as_ref().map(|policy| policy.about(action)),
            service_control: self.service_control(principal),
            ..PolicySources::default()
        }
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

/// The key that AWS manages for DynamoDB in the table's account.
const AWS_MANAGED: KeyAuthority<'static> = KeyAuthority {
    key_arn: "alias/aws/dynamodb of the table's account",
    key_policy: None,
    grants: &[],
    tags: None,
};

/// What the policy of that key says to everybody outside of the account: nothing. It can't be changed either.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html>
static CLOSED: LazyLock<Document> =
    LazyLock::new(|| Document { id: None, version: None, statements: vec![] });

/// Whether a caller is surely nobody of the account that a table is in.
fn is_outside(caller: &Caller, table: &str) -> bool {
    let account = table.split(':').nth(4).filter(|account| !account.is_empty());
    match caller {
        Caller::Anonymous => true,
        Caller::Service { .. } => false,
        _ => matches!((caller.account(), account), (Some(theirs), Some(ours)) if theirs != ours),
    }
}

fn unknown_key() -> KeyAuthority<'static> {
    foreign_key("the key that encrypts the table")
}

/// The ARN of the table, for one of its indexes or streams; any other ARN as it is.
fn table_of(arn: &str) -> &str {
    let Some((before, name)) = arn.split_once(":table/") else { return arn };
    let length = name.split('/').next().map_or(0, str::len);
    arn.get(..before.len() + ":table/".len() + length).unwrap_or(arn)
}

fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

impl Estate {
    /// A request as somebody would make it directly, signed, and over TLS; what else it carries is not known.
    pub(crate) fn request<'q>(&self, question: &Question<'q>, target: &Target<'_>) -> Request<'q> {
        let mut context = base(question, target);
        let of_caller = question.principal.caller.account();
        let of_resource = account_of(question.resource);
        for (key, account) in [("aws:PrincipalOrgID", of_caller), ("aws:ResourceOrgID", of_resource)] {
            if let Some(id) = account.and_then(|account| self.organization_of(account)) {
                context.set(key, ContextValue::Values(vec![id.to_owned()]));
            }
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
}

/// What every request carries that is made so.
fn base(question: &Question<'_>, target: &Target<'_>) -> Context {
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
    // A key that is named by its alias is requested by it:
    // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-request-alias
    if let Some(name) = question.resource.split(':').nth(5).filter(|name| name.starts_with("alias/")) {
        context.set("kms:RequestAlias", ContextValue::Values(vec![name.to_owned()]));
    }
    if let Some(tags) = &question.principal.tags {
        context = with_tags(context, "aws:PrincipalTag/", tags);
    }
    if let Target::Table(Table { tags: Some(tags), .. }) = target {
        context = with_tags(context, "aws:ResourceTag/", tags);
    }
    context
}

fn with_tags(context: Context, beginning: &str, tags: &[(String, String)]) -> Context {
    let given =
        tags.iter().fold(context, |all, (key, value)| all.with(&format!("{beginning}{key}"), value.as_str()));
    given.closing(beginning)
}

fn flag(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}
