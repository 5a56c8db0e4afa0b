//! `aws_iam_policy`: a managed policy of the account.
//!
//! Object: a policy, identified by its ARN, which follows from account, path and name. Calls and permissions, all `iam:`:
//! CreatePolicy, GetPolicy, GetPolicyVersion, ListPolicyVersions, CreatePolicyVersion, DeletePolicyVersion, DeletePolicy,
//! TagPolicy, UntagPolicy. Replaced when name, path or description change; a new text is a new version, and the oldest
//! one makes room when there are five. What was just made may not be found for some seconds.
//!
//! Versions never change, so the document is fetched again only where another version is in effect than the one that is
//! noted beside the object.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>

use std::sync::LazyLock;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_lc_rs::digest;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::{Policy as Remote, PolicyVersion};
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::Wait;
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Facts, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::permissions::own_arn;
use crate::iam::{self, PROPAGATION, tag};
use crate::lately::made_since;
use crate::object::{absent, filled, needed, or_empty, settled, text, unknown_text, unknown_with_prefix};
use crate::tags::TagCalls;
use crate::{names, tags};

/// The resource type.
pub struct Policy;

const NAME: Check = Check::Pattern(r"^[\w+=,.@-]*$", "consist of letters, digits and `+=,.@_-`");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_policy",
        Mode::Managed,
        "A managed policy of the account.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the policy."),
                computed("attachment_count", Type::Number)
                    .doc("Number of users, groups and roles that it is attached to."),
                optional("description", Type::String).force_new().doc("What the policy is for."),
                optional_computed("id", Type::String).doc("ARN of the policy."),
                optional_computed("name", Type::String)
                    .force_new()
                    .check(Check::Length(1, 128))
                    .check(NAME)
                    .conflicts_with(&["name_prefix"])
                    .doc("Name of the policy."),
                optional_computed("name_prefix", Type::String)
                    .force_new()
                    .check(Check::Length(1, 102))
                    .check(NAME)
                    .conflicts_with(&["name"])
                    .doc("Beginning of a name that is made up."),
                optional("path", Type::String)
                    .force_new()
                    .default("/")
                    .doc("Path of the policy, such as `/team/`."),
                required("policy", Type::String)
                    .check(Check::PolicyJson)
                    .form(&iam::POLICY)
                    .doc("The document."),
                computed("policy_id", Type::String).doc("Unique id of the policy."),
                optional("tags", Type::map(Type::String)).doc("Tags."),
                optional_computed("tags_all", Type::map(Type::String))
                    .doc("Tags including the provider's default tags."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for Policy {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        tags::plan(request);
        if !request.is_create() {
            return Ok(());
        }
        let is_given = |name: &str| request.config.get(name).is_some_and(|value| !value.is_null());
        let (named, prefixed) = (is_given("name"), is_given("name_prefix"));
        let arn =
            match (&request.facts.account, filled(request.config, "name"), text(&request.planned, "path")) {
                // What the old policy is attached to has to let go of it first: that needs a change of its ARN.
                (Some(_), Some(name), Some(path)) if request.replaces.is_none() => {
                    Value::from(arn_of(request.facts, path, name).unwrap_or_default())
                }
                (Some(account), _, _) => {
                    unknown_with_prefix(&format!("arn:{}:iam::{account}:policy/", request.facts.partition))
                }
                _ => unknown_text(),
            };
        request.set("id", arn.clone());
        request.set("arn", arn);
        request.set("attachment_count", Value::from(0));
        if named && !prefixed {
            request.set("name_prefix", Value::from(""));
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let arn = needed(prior, "id", "iam:GetPolicy")?;
        let clients: &Clients = cx.session.clients()?;
        let Some(policy) = get(clients, arn).await? else { return Ok(None) };
        let observed = match unchanged(cx.noted(), &policy, prior) {
            Some(document) => Some(Observed { policy, document: document.to_owned() }),
            None => with_document(clients, policy).await?,
        };
        Ok(observed.map(|observed| observed.into_noted_state(cx, prior, false)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let arn = make(cx, planned).await?;
        let object = planned.clone().with("id", Value::from(arn.as_str()));
        match as_planned(cx, &arn, &object).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let partial = settled(object.with("arn", Value::from(arn)));
                Err(Failure { error, partial: Some(partial) })
            }
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match change(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let arn = needed(prior, "id", "iam:DeletePolicy")?;
        let clients: &Clients = cx.session.clients()?;
        let Some(versions) = present(versions(clients, arn).await)? else { return Ok(Deleted::default()) };
        for version in versions.iter().filter(|version| !version.is_default_version) {
            present(delete_version(clients, arn, version).await)?;
        }
        let answer = clients.iam().delete_policy().policy_arn(arn).send().await;
        present(answer.map_err(failed("iam:DeletePolicy")))?;
        Ok(Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if !id.starts_with("arn:") {
            let message = format!("The import id of a policy is its ARN; `{id}` is none.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        let prior = absent(&SCHEMA).with("id", Value::from(id));
        let observed = observe(cx.session.clients()?, id).await?;
        Ok(observed.map(|observed| observed.into_state(&prior, &cx.session.facts, true)))
    }

    fn identity(&self) -> Identity {
        // Whatever its path, a policy has its name alone in the account.
        Identity { unique: Some(&["name"]), ..Identity::chosen(&["arn"]) }
    }

    async fn exists(&self, cx: &Context<'_>, id: &str) -> Result<bool, Error> {
        let clients: &Clients = cx.session.clients()?;
        let answer = clients.iam().get_policy().policy_arn(id).send().await;
        Ok(present(answer.map_err(failed("iam:GetPolicy")))?.is_some())
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let (Some(name), path) = (filled(planned, "name"), text(planned, "path").unwrap_or("/")) else {
            return Ok(None);
        };
        let Some(arn) = arn_of(&cx.session.facts, path, name) else { return Ok(None) };
        self.read(cx, &planned.clone().with("id", Value::from(arn))).await
    }
}

fn arn_of(facts: &Facts, path: &str, name: &str) -> Option<String> {
    let account = facts.account.as_ref()?;
    Some(format!("arn:{}:iam::{account}:policy{path}{name}", facts.partition))
}

async fn make(cx: &Context<'_>, planned: &Value) -> Result<String, Error> {
    let clients: &Clients = cx.session.clients()?;
    let name = match (filled(planned, "name"), filled(planned, "name_prefix")) {
        (Some(name), _) => name.to_owned(),
        (None, prefix) => names::unique(prefix.unwrap_or("terraform-")),
    };
    let path = text(planned, "path").unwrap_or("/");
    let document = needed(planned, "policy", "iam:CreatePolicy")?;
    let call = || async {
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let tags = tags::wanted(planned).iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        let call = clients.iam().create_policy().policy_name(&name).path(path).policy_document(document);
        let call = call.description(text(planned, "description").unwrap_or_default());
        let call = call.set_tags((!tags.is_empty()).then_some(tags)).customize().config_override(once);
        let answer = call.send().await.map_err(failed("iam:CreatePolicy"))?;
        let arn = answer.policy.and_then(|policy| policy.arn);
        arn.ok_or_else(|| Error::bug("iam:CreatePolicy", "The answer names no policy."))
    };
    let start = SystemTime::now();
    let look = || async {
        let Some(arn) = arn_of(&cx.session.facts, path, &name) else { return Ok(None) };
        let answer = clients.iam().get_policy().policy_arn(&arn).send().await;
        let policy = present(answer.map_err(failed("iam:GetPolicy")))?.and_then(|answer| answer.policy);
        Ok(policy.filter(|policy| made_since(start, policy.create_date.as_ref())).map(|_| arn))
    };
    create_once(cx, call, look).await
}

async fn change(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let arn = needed(prior, "id", "iam:GetPolicy")?;
    let clients: &Clients = cx.session.clients()?;
    let change = tags::change(prior, planned);
    if !change.remove.is_empty() {
        let call = clients.iam().untag_policy().policy_arn(arn).set_tag_keys(Some(change.remove));
        call.send().await.map_err(failed("iam:UntagPolicy"))?;
    }
    if !change.put.is_empty() {
        let tags = change.put.iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        let call = clients.iam().tag_policy().policy_arn(arn).set_tags(Some(tags));
        call.send().await.map_err(failed("iam:TagPolicy"))?;
    }
    if prior.get("policy") != planned.get("policy") {
        let document = needed(planned, "policy", "iam:CreatePolicyVersion")?;
        let call = || async {
            make_room(clients, arn).await?;
            let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = clients.iam().create_policy_version().policy_arn(arn).policy_document(document);
            let call = call.set_as_default(true).customize().config_override(once);
            call.send().await.map(drop).map_err(failed("iam:CreatePolicyVersion"))
        };
        let look = || async {
            let observed = observe(clients, arn).await?;
            Ok(observed.filter(|observed| (iam::POLICY.equivalent)(document, &observed.document)).map(drop))
        };
        create_once(cx, call, look).await?;
    }
    as_planned(cx, arn, planned).await
}

/// A policy has room for five versions: the oldest that is not in effect goes.
async fn make_room(clients: &Clients, arn: &str) -> Result<(), Error> {
    let versions = versions(clients, arn).await?;
    if versions.len() < 5 {
        return Ok(());
    }
    let oldest = versions
        .iter()
        .filter(|version| !version.is_default_version)
        .min_by_key(|version| (version.create_date.map(|date| date.as_nanos()), version_number(version)));
    match oldest {
        Some(version) => present(delete_version(clients, arn, version).await).map(drop),
        None => Ok(()),
    }
}

fn version_number(version: &PolicyVersion) -> u64 {
    let id = version.version_id.as_deref().unwrap_or_default();
    id.trim_start_matches('v').parse().unwrap_or(u64::MAX)
}

async fn versions(clients: &Clients, arn: &str) -> Result<Vec<PolicyVersion>, Error> {
    let pages = clients.iam().list_policy_versions().policy_arn(arn).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListPolicyVersions"))
}

async fn delete_version(clients: &Clients, arn: &str, version: &PolicyVersion) -> Result<(), Error> {
    let id = version.version_id.as_deref().unwrap_or_default();
    let call = clients.iam().delete_policy_version().policy_arn(arn).version_id(id);
    call.send().await.map(drop).map_err(failed("iam:DeletePolicyVersion"))
}

/// Waits until the policy is found as planned.
async fn as_planned(cx: &Context<'_>, arn: &str, planned: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        let Some(observed) = observe(clients, arn).await? else {
            return Ok(Err("no such policy".to_owned()));
        };
        let object = observed.into_noted_state(cx, planned, false);
        Ok(match ["policy", "tags_all"].iter().find(|name| object.get(name) != planned.get(name)) {
            Some(name) => Err(format!("an old `{name}`")),
            None => Ok(object),
        })
    };
    let object =
        Wait::new("the policy to be known everywhere", PROPAGATION).until(cx, "iam:GetPolicy", look).await?;
    // Attachments made meanwhile are not of this change.
    let count =
        planned.get("attachment_count").filter(|count| count.is_wholly_known() && !count.is_null()).cloned();
    Ok(match count {
        Some(count) => object.with("attachment_count", count),
        None => object,
    })
}

/// A policy as it is, with its present document.
pub(super) struct Observed {
    pub(super) policy: Remote,
    pub(super) document: String,
}

/// Looks at a policy and its document.
pub(super) async fn observe(clients: &Clients, arn: &str) -> Result<Option<Observed>, Error> {
    match get(clients, arn).await? {
        Some(policy) => with_document(clients, policy).await,
        None => Ok(None),
    }
}

async fn get(clients: &Clients, arn: &str) -> Result<Option<Remote>, Error> {
    let answer = clients.iam().get_policy().policy_arn(arn).send().await.map_err(failed("iam:GetPolicy"));
    Ok(present(answer)?.and_then(|answer| answer.policy))
}

async fn with_document(clients: &Clients, policy: Remote) -> Result<Option<Observed>, Error> {
    let (arn, version) = (policy.arn.clone(), policy.default_version_id.clone());
    let call = clients.iam().get_policy_version().set_policy_arn(arn).set_version_id(version);
    let answer = call.send().await.map_err(failed("iam:GetPolicyVersion"));
    let Some(version) = present(answer)?.and_then(|answer| answer.policy_version) else { return Ok(None) };
    let document = iam::decoded(version.document.as_deref().unwrap_or_default());
    Ok(Some(Observed { policy, document }))
}

/// What is noted of a policy whose document is known: which version that is, and the document's digest. Nothing where AWS
/// does not say which.
fn noted(policy: &Remote, document: &str) -> Option<String> {
    let (id, version) = (policy.policy_id.as_deref()?, policy.default_version_id.as_deref()?);
    let digest = digest::digest(&digest::SHA256, document.as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{id} {version} {digest}"))
}

/// The document of a policy that is in the state already. A version's document never changes, and neither ids nor numbers
/// of versions are used twice; so it is the same one where the version in effect is the noted one, and the state still has
/// the document that was noted with it.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html>
fn unchanged<'v>(note: Option<String>, policy: &Remote, prior: &'v Value) -> Option<&'v str> {
    let document = filled(prior, "policy")?;
    (note? == noted(policy, document)?).then_some(document)
}

impl Observed {
    /// The policy as the state has it; which version its document is of is noted.
    fn into_noted_state(self, cx: &Context<'_>, prior: &Value, imported: bool) -> Value {
        let policy = self.policy.clone();
        let object = self.into_state(prior, &cx.session.facts, imported);
        if let Some(note) = text(&object, "policy").and_then(|document| noted(&policy, document)) {
            cx.remember(note);
        }
        object
    }

    fn into_state(self, prior: &Value, facts: &Facts, imported: bool) -> Value {
        let policy = &self.policy;
        let name = policy.policy_name.as_deref().unwrap_or_default();
        let object = prior
            .clone()
            .with("arn", or_empty(policy.arn.as_deref()))
            .with("attachment_count", Value::from(i64::from(policy.attachment_count.unwrap_or(0))))
            .with("description", or_empty(policy.description.as_deref()))
            .with("id", or_empty(policy.arn.as_deref()))
            .with("name", Value::from(name))
            .with("name_prefix", Value::from(names::prefix_of(name)))
            .with("path", or_empty(policy.path.as_deref()))
            .with("policy", Value::from(iam::kept_policy(text(prior, "policy"), &self.document)))
            .with("policy_id", or_empty(policy.policy_id.as_deref()));
        tags::observed(object, iam::tag_map(policy.tags()), facts, imported)
    }
}

const READ: &[&str] = &["iam:GetPolicy", "iam:GetPolicyVersion"];
const TAGGING: TagCalls = TagCalls { put: "iam:TagPolicy", remove: "iam:UntagPolicy" };
const DELETE_VERSION: &[&str] = &["iam:DeletePolicyVersion"];

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let arn = |object: &Value| own_arn(ground, "policy", object);
    let none = Permissions::none();
    match doing {
        Doing::LookFor(planned) => none.on(&arn(planned), &["iam:GetPolicy"]),
        Doing::Import(id) => none.on(id, READ),
        // Where the noted version is in effect, its document is not fetched.
        Doing::Read(object) => {
            none.on(&arn(object), &["iam:GetPolicy"]).perhaps_on(&arn(object), &["iam:GetPolicyVersion"])
        }
        Doing::Create(planned) => none
            .on(&arn(planned), &["iam:CreatePolicy"])
            .on(&arn(planned), READ)
            .and(tags::permissions(&TAGGING, &arn(planned), None, planned)),
        Doing::Update { prior, planned } => {
            let arn = arn(prior);
            let all = none.on(&arn, READ).and(tags::permissions(&TAGGING, &arn, Some(prior), planned));
            match prior.get("policy") == planned.get("policy") {
                true => all,
                // How many versions there are is found out then.
                false => all
                    .on(&arn, &["iam:CreatePolicyVersion", "iam:ListPolicyVersions"])
                    .perhaps_on(&arn, DELETE_VERSION),
            }
        }
        Doing::Delete(prior) => none
            .on(&arn(prior), &["iam:DeletePolicy", "iam:ListPolicyVersions"])
            .perhaps_on(&arn(prior), DELETE_VERSION),
    }
}

#[cfg(test)]
mod tests;
