//! AssumeRole: the trust policy decides, and a session with its own access key comes of it.

use std::time::Duration;

use terrane_iam::{Context, Document, NamedPolicy, Request, decide_assume_role};

use crate::authorize;
use crate::iam::{Entity, EntityKind, Tag, aws_managed};
use crate::identity::{Identity, Session};
use crate::ids;
use crate::policies::CallerPolicies;
use crate::principals;
use crate::visit::Visit;
use crate::wire::{Form, Refusal, Reply, Xml};

pub(super) fn assume(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let arn = visit.argument("RoleArn")?;
    let name = visit.argument("RoleSessionName")?;
    check_session_name(name)?;
    let seconds = seconds(visit)?;
    let policies = session_policies(visit)?;
    let tags = session_tags(visit)?;
    let role = visit
        .store
        .get::<Entity>(&Entity::key_of(EntityKind::Role, arn.rsplit('/').next().unwrap_or_default()))?
        .filter(|role| role.arn(visit.account()) == arn && visit.now >= role.known_from);
    let Some((role, part)) = role.and_then(|role| role.role.clone().map(|part| (role, part))) else {
        // AWS does not tell whether the role exists.
        let caller = visit.caller.arn(visit.account());
        return Err(authorize::denied(
            visit.call.service,
            format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"),
        ));
    };
    let trust = principals::rendered(visit, &part.trust)?;
    trusted(visit, "sts:AssumeRole", arn, &trust, &tags)?;
    if !tags.is_empty() {
        trusted(visit, "sts:TagSession", arn, &trust, &tags)?;
    }
    let longest = match visit.caller {
        // A role that was reached through another role gives at most an hour.
        Identity::Session { .. } => 3600,
        Identity::Root | Identity::User(_) => part.max_session_seconds,
    };
    if seconds > longest {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::new("ValidationError", message));
    }
    let session = Session {
        access_key: ids::access_key_id("ASIA")?,
        secret: ids::secret_access_key()?,
        token: ids::session_token()?,
        role: role.id.clone(),
        name: name.to_owned(),
        policies,
        expires: visit.now.plus(Duration::from_secs(u64::from(seconds))),
        tags,
    };
    visit.store.put(&session)?;
    let identity = Identity::Session { role, session: session.clone() };
    let mut xml = Xml::new();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.access_key)
            .text("SecretAccessKey", &session.secret)
            .text("SessionToken", &session.token)
            .text("Expiration", session.expires.iso());
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", identity.user_id(visit.account()))
            .text("Arn", identity.arn(visit.account()));
    });
    Ok(xml.into())
}

fn trusted(visit: &Visit<'_>, action: &str, arn: &str, trust: &str, tags: &[Tag]) -> Result<(), Refusal> {
    if matches!(visit.caller, Identity::Root) {
        let message = "Roles may not be assumed by root accounts.".to_owned();
        return Err(authorize::denied(visit.call.service, message));
    }
    let trust = visit.policies.document(trust)?;
    let policies = CallerPolicies::of(visit.caller, visit.store, visit.policies)?;
    let caller = authorize::caller(visit);
    let mut context = Context::complete()
        .with("sts:RoleSessionName", visit.form().text("RoleSessionName").unwrap_or_default());
    if let Some(id) = visit.form().text("ExternalId") {
        context = context.with("sts:ExternalId", id);
    }
    if !tags.is_empty() {
        context = context.with_all("aws:TagKeys", tags.iter().map(|tag| &tag.key));
    }
    for tag in tags {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    let context = authorize::surroundings(visit, context);
    let request = Request { caller: &caller, action, resource: arn, context };
    let sources = policies.sources(&caller, request.action, &visit.options.organization);
    let decision = decide_assume_role(&request, &sources, &NamedPolicy::new("the trust policy", &trust));
    authorize::allowed(visit, &decision)
}

fn check_session_name(name: &str) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (2..=64).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::new(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        ),
    ))
}

fn seconds(visit: &Visit<'_>) -> Result<u32, Refusal> {
    let Some(text) = visit.form().text("DurationSeconds") else { return Ok(3600) };
    text.parse().ok().filter(|seconds| (900..=43200).contains(seconds)).ok_or_else(|| {
        Refusal::new(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"
            ),
        )
    })
}

/// The tags of the session. It takes `sts:TagSession` to give it any.
fn session_tags(visit: &Visit<'_>) -> Result<Vec<Tag>, Refusal> {
    let members = visit.form().members("Tags");
    if members.len() > 50 {
        return Err(Refusal::new("ValidationError", "A session can have 50 tags at most."));
    }
    let tag = |member: &Form| {
        let text = |name| member.text(name).unwrap_or_default().to_owned();
        Tag { key: text("Key"), value: text("Value") }
    };
    let tags: Vec<Tag> = members.iter().map(tag).collect();
    match tags.iter().any(|tag| tag.key.is_empty()) {
        true => Err(Refusal::new("ValidationError", "The key of a tag must not be empty.")),
        false => Ok(tags),
    }
}

/// The texts of the policies that limit the session: one inline, and managed ones by ARN.
fn session_policies(visit: &Visit<'_>) -> Result<Vec<String>, Refusal> {
    let mut texts = Vec::new();
    if let Some(text) = visit.form().text("Policy") {
        Document::parse(text)
            .map_err(|_| Refusal::new("MalformedPolicyDocument", "Syntax errors in policy."))?;
        texts.push(text.to_owned());
    }
    for member in visit.form().members("PolicyArns") {
        let arn = member.text("arn").unwrap_or_default();
        let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let own = visit.store.get::<crate::iam::ManagedPolicy>(&name)?.filter(|policy| policy.arn == arn);
        let text = own.map(|policy| policy.document().to_owned());
        let text = text.or_else(|| aws_managed(arn).map(|policy| policy.document.to_owned()));
        texts.push(text.ok_or_else(|| {
            Refusal::new("ValidationError", format!("Policy {arn} does not exist or is not attachable."))
        })?);
    }
    Ok(texts)
}
