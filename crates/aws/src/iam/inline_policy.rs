//! `aws_iam_user_policy`, `aws_iam_role_policy` and `aws_iam_group_policy`: a policy that is part of a user, a role or a group.
//!
//! Object: the policy, identified by its owner and its name. Calls and permissions, all `iam:`, for users (and likewise for
//! roles and groups): PutUserPolicy, GetUserPolicy, DeleteUserPolicy. Replaced when owner or name changes; the document
//! changes in place. What was just put may not be found for some seconds.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{Attribute, Check, block, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::iam::permissions::arns_of;
use crate::iam::{self, Holder, INLINE_POLICY, PROPAGATION, RETRIES};
use crate::names;
use crate::object::{absent, filled, needed, settled, text, unknown_text, unknown_with_prefix};

/// The resource type for one kind of owner.
pub struct InlinePolicy(pub Holder);

static USER: LazyLock<Schema> = LazyLock::new(|| {
    let user = required("user", Type::String).force_new().doc("Name of the user.");
    schema("aws_iam_user_policy", "A policy that is part of a user.", user, |name, _| name)
});

static GROUP: LazyLock<Schema> = LazyLock::new(|| {
    let group = required("group", Type::String).force_new().doc("Name of the group.");
    schema("aws_iam_group_policy", "A policy that is part of a group.", group, |name, _| name)
});

static ROLE: LazyLock<Schema> = LazyLock::new(|| {
    const NAME: Check = Check::Pattern(r"^[\w+=,.@-]*$", "consist of letters, digits and `+=,.@_-`");
    let role = required("role", Type::String)
        .force_new()
        .check(Check::Length(1, 128))
        .check(Check::Pattern(r"[\w+=,.@-]+", "consist of letters, digits and `+=,.@_-`"))
        .check(Check::NotPrefix("arn:"))
        .doc("Name of the role.");
    let bounded = |name: Attribute, longest| name.check(Check::Length(1, longest)).check(NAME);
    schema("aws_iam_role_policy", "A policy that is part of a role.", role, bounded)
});

fn schema(
    type_name: &'static str,
    summary: &'static str,
    owner: Attribute,
    bounded: impl Fn(Attribute, usize) -> Attribute,
) -> Schema {
    let name = |name| optional_computed(name, Type::String).force_new();
    let attributes = [
        optional_computed("id", Type::String).doc("Owner and name, with a colon between them."),
        bounded(name("name"), 128).conflicts_with(&["name_prefix"]).doc("Name of the policy."),
        bounded(name("name_prefix"), 102)
            .conflicts_with(&["name"])
            .doc("Beginning of a name that is made up."),
        required("policy", Type::String).check(Check::PolicyJson).form(&INLINE_POLICY).doc("The document."),
        owner,
    ];
    Schema::new(type_name, Mode::Managed, summary, block(attributes, []))
}

#[async_trait]
impl ResourceType for InlinePolicy {
    fn schema(&self) -> &Schema {
        match self.0 {
            Holder::Group => &GROUP,
            Holder::Role => &ROLE,
            Holder::User => &USER,
        }
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if !request.is_create() {
            return Ok(());
        }
        let name = filled(request.config, "name").map(str::to_owned);
        if request.config.get("name").is_some_and(|name| !name.is_null()) {
            request.set("name_prefix", Value::from(""));
        }
        let id = match (filled(&request.planned, self.0.attribute()), name) {
            (Some(owner), Some(name)) => Value::from(format!("{owner}:{name}")),
            (Some(owner), None) => unknown_with_prefix(&format!("{owner}:")),
            (None, _) => unknown_text(),
        };
        request.set("id", id);
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(self.needs(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let id = needed(prior, "id", self.0.get_operation())?;
        let (owner, name) = parts(id)
            .ok_or_else(|| Error::bug(self.0.get_operation(), format!("The id `{id}` has no colon.")))?;
        let document = self.0.get(cx.session.clients()?, owner, name).await?;
        Ok(document.map(|document| self.in_state(owner, name, &document, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let owner = needed(planned, self.0.attribute(), self.0.get_operation())?;
        let name = match (filled(planned, "name"), filled(planned, "name_prefix")) {
            (Some(name), _) => name.to_owned(),
            (None, prefix) => names::unique(prefix.unwrap_or("terraform-")),
        };
        self.put(cx, owner, &name, planned).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let owner = needed(prior, self.0.attribute(), self.0.get_operation())?;
        let name = needed(prior, "name", self.0.get_operation())?;
        match self.put(cx, owner, name, planned).await {
            Ok(object) => Ok(object),
            Err(failure) => {
                let partial = self.read(cx, prior).await.ok().flatten();
                Err(Failure { error: failure.error, partial })
            }
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let owner = needed(prior, self.0.attribute(), self.0.get_operation())?;
        let name = needed(prior, "name", self.0.get_operation())?;
        let clients: &Clients = cx.session.clients()?;
        let Some(owner) = clients.iam_cache.renamed.by_now(self.0, owner, &place(name)) else {
            return Ok(Deleted::default());
        };
        self.0.delete(clients, &owner, name).await.map(|()| Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if parts(id).is_none() {
            let kind = self.0.attribute().to_uppercase();
            let message = format!(
                "The import id of a policy of a {} is `{kind}:NAME`; `{id}` is not.",
                self.0.attribute()
            );
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        self.read(cx, &absent(self.schema()).with("id", Value::from(id))).await
    }

    fn identity(&self) -> Identity {
        let attributes: &[&str] = match self.0 {
            Holder::Group => &["group", "name"],
            Holder::Role => &["role", "name"],
            Holder::User => &["user", "name"],
        };
        // Putting a policy under a name that is taken would overwrite it.
        Identity { is_chosen: true, ..Identity::joined(attributes, ":") }
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let (Some(owner), Some(name)) = (filled(planned, self.0.attribute()), filled(planned, "name")) else {
            return Ok(None);
        };
        self.read(cx, &planned.clone().with("id", Value::from(format!("{owner}:{name}")))).await
    }
}

impl InlinePolicy {
    /// Puts the document and waits until it is what is found.
    async fn put(
        &self,
        cx: &Context<'_>,
        owner: &str,
        name: &str,
        planned: &Value,
    ) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let document = needed(planned, "policy", self.0.get_operation())?;
        retry(cx, RETRIES, || self.0.put(clients, owner, name, document)).await?;
        clients.iam_cache.renamed.made(self.0, owner, &place(name));
        let look = || async {
            Ok(match self.0.get(clients, owner, name).await? {
                None => Err("no such policy".to_owned()),
                Some(found) if (INLINE_POLICY.equivalent)(document, &found) => Ok(found),
                Some(_) => Err("an old document".to_owned()),
            })
        };
        let wait = Wait::new("the policy to be known everywhere", PROPAGATION);
        match wait.until(cx, self.0.get_operation(), look).await {
            Ok(found) => Ok(self.in_state(owner, name, &found, planned)),
            Err(error) => {
                let partial = settled(self.in_state(owner, name, document, planned));
                Err(Failure { error, partial: Some(partial) })
            }
        }
    }

    fn in_state(&self, owner: &str, name: &str, document: &str, prior: &Value) -> Value {
        prior
            .clone()
            .with("id", Value::from(format!("{owner}:{name}")))
            .with("name", Value::from(name))
            .with("name_prefix", Value::from(names::prefix_of(name)))
            .with("policy", Value::from(iam::kept(&INLINE_POLICY, text(prior, "policy"), document)))
            .with(self.0.attribute(), Value::from(owner))
    }
}

/// What a policy is on its owner, other than an attached one.
fn place(name: &str) -> String {
    format!("policy {name}")
}

/// Owner and name of an id. Neither can have a colon.
fn parts(id: &str) -> Option<(&str, &str)> {
    id.split_once(':').filter(|(owner, name)| !owner.is_empty() && !name.is_empty() && !name.contains(':'))
}

impl InlinePolicy {
    fn needs(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
        let kind = self.0.attribute();
        let (get, put, delete): (&'static str, &'static str, &'static str) = match self.0 {
            Holder::Group => ("iam:GetGroupPolicy", "iam:PutGroupPolicy", "iam:DeleteGroupPolicy"),
            Holder::Role => ("iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"),
            Holder::User => ("iam:GetUserPolicy", "iam:PutUserPolicy", "iam:DeleteUserPolicy"),
        };
        let all = |object: &Value, actions: &[&'static str]| {
            let arns = arns_of(ground, kind, object.get(kind));
            arns.iter().fold(Permissions::none(), |all, arn| all.on(arn, actions))
        };
        match doing {
            Doing::LookFor(object) | Doing::Read(object) => all(object, &[get]),
            Doing::Import(id) => {
                let owner = Value::from(id.split(':').next().unwrap_or_default());
                all(&Value::object([(kind, owner)]), &[get])
            }
            Doing::Create(planned) => all(planned, &[get, put]),
            Doing::Update { prior, .. } => all(prior, &[get, put]),
            Doing::Delete(prior) => all(prior, &[delete]),
        }
    }
}

#[cfg(test)]
mod tests;
