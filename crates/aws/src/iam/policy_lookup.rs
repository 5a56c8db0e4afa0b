//! `aws_iam_policy`, the data source: a managed policy, of the account or of AWS, by ARN or name.
//!
//! Calls and permissions, all `iam:`: GetPolicy, GetPolicyVersion; by name also ListPolicies. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::nearest::nearest;
use terrane_model::schema::{Check, block, computed, optional, optional_computed};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error, ErrorKind, Ground, Permissions};

use crate::client::Clients;
use crate::error::failed;
use crate::iam::policy::{Observed, observe};
use crate::iam::tag_map;
use crate::object::{filled, or_empty};
use crate::tags;
use terrane_provider::permission::pattern;

/// The data source.
pub struct PolicyLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_policy",
        Mode::Data,
        "A managed policy that is there already.",
        block(
            [
                optional_computed("arn", Type::String)
                    .check(Check::Arn)
                    .conflicts_with(&["name", "path_prefix"])
                    .doc("ARN of the policy."),
                computed("attachment_count", Type::Number)
                    .doc("Number of users, groups and roles that it is attached to."),
                computed("description", Type::String).doc("What the policy is for."),
                optional_computed("id", Type::String).doc("ARN of the policy."),
                optional_computed("name", Type::String).conflicts_with(&["arn"]).doc("Name of the policy."),
                computed("path", Type::String).doc("Path of the policy, such as `/team/`."),
                optional("path_prefix", Type::String)
                    .conflicts_with(&["arn"])
                    .doc("Beginning of the path of the policy that is looked for by name."),
                computed("policy", Type::String).doc("The document."),
                computed("policy_id", Type::String).doc("Unique id of the policy."),
                optional_computed("tags", Type::map(Type::String)).doc("Tags."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for PolicyLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        let arn = pattern(config.get("arn")).unwrap_or_else(|| ground.global("iam", "policy/*"));
        let all = Permissions::none().on(&arn, &["iam:GetPolicy", "iam:GetPolicyVersion"]);
        // Whether it was found by name can't be told once its ARN is known.
        match filled(config, "name") {
            Some(_) => all.perhaps_on("*", &["iam:ListPolicies"]),
            None => all,
        }
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let clients: &Clients = cx.session.clients()?;
        let arn = match (filled(config, "arn"), filled(config, "name")) {
            (Some(arn), _) => arn.to_owned(),
            (None, Some(name)) => by_name(clients, name, filled(config, "path_prefix")).await?,
            (None, None) => {
                let message = "Neither `arn` nor `name` says which policy is meant.";
                return Err(Error::new(ErrorKind::Invalid, "iam:GetPolicy", message));
            }
        };
        let Some(Observed { policy, document }) = observe(clients, &arn).await? else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "iam:GetPolicy",
                format!("There is no policy `{arn}`."),
            ));
        };
        Ok(config
            .clone()
            .with("arn", or_empty(policy.arn.as_deref()))
            .with("attachment_count", Value::from(i64::from(policy.attachment_count.unwrap_or(0))))
            .with("description", or_empty(policy.description.as_deref()))
            .with("id", or_empty(policy.arn.as_deref()))
            .with("name", or_empty(policy.policy_name.as_deref()))
            .with("path", or_empty(policy.path.as_deref()))
            .with("policy", Value::from(document))
            .with("policy_id", or_empty(policy.policy_id.as_deref()))
            .with("tags", tags::seen(tag_map(policy.tags()), &cx.session.facts)))
    }
}

/// The ARN of the only policy of a name.
async fn by_name(clients: &Clients, name: &str, prefix: Option<&str>) -> Result<String, Error> {
    let call = clients.iam().list_policies().set_path_prefix(prefix.map(str::to_owned));
    let pages = call.into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListPolicies"))?;
    let named = all.iter().filter(|policy| policy.policy_name.as_deref() == Some(name));
    let arns: Vec<&str> = named.filter_map(|policy| policy.arn.as_deref()).collect();
    let place = prefix.map(|prefix| format!(" under `{prefix}`")).unwrap_or_default();
    let not_found = |message| Error::new(ErrorKind::NotFound, "iam:ListPolicies", message);
    match arns.as_slice() {
        [arn] => Ok((*arn).to_owned()),
        [] => {
            let error = not_found(format!("There is no policy named `{name}`{place}."));
            let names = all.iter().filter_map(|policy| policy.policy_name.as_deref());
            Err(match nearest(name, names) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None => error,
            })
        }
        several => {
            let message = format!(
                "The name `{name}`{place} stands for {} policies: {}.",
                several.len(),
                several.join(", ")
            );
            Err(Error::new(ErrorKind::Invalid, "iam:ListPolicies", message)
                .hint("`arn` says which one is meant."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Cloud;

    const ARN: &str = "arn:aws:iam::123456789012:policy/read";

    fn listed(paths: &[&str]) -> String {
        let policy = |path: &&str| {
            format!(
                "<member><PolicyName>{}</PolicyName><Arn>arn:aws:iam::123456789012:policy{path}</Arn></member>",
                path.rsplit('/').next().unwrap()
            )
        };
        let all: String = paths.iter().map(policy).collect();
        format!(
            "<ListPoliciesResponse><ListPoliciesResult><Policies>{all}</Policies><IsTruncated>false</IsTruncated>\
             </ListPoliciesResult></ListPoliciesResponse>"
        )
    }

    fn there(cloud: Cloud) -> Cloud {
        let policy = format!(
            "<GetPolicyResponse><GetPolicyResult><Policy><PolicyName>read</PolicyName><Arn>{ARN}</Arn><Path>/</Path>\
             <PolicyId>ANPA1</PolicyId><DefaultVersionId>v2</DefaultVersionId><AttachmentCount>3</AttachmentCount></Policy>\
             </GetPolicyResult></GetPolicyResponse>"
        );
        let version = "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><Document>%7B%7D</Document>\
            </PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>";
        cloud.answer("GetPolicy", &policy).answer("GetPolicyVersion", version)
    }

    fn by(attribute: &str, value: &str) -> Value {
        Value::object([(attribute, Value::from(value))])
    }

    #[tokio::test]
    async fn a_policy_is_found_by_arn_and_by_name() {
        let cloud = there(Cloud::default().answer("ListPolicies", &listed(&["/write", "/read"])));
        for body in [by("arn", ARN), by("name", "read")] {
            let found = cloud.read_data(&PolicyLookup, body).await.unwrap();
            assert_eq!((filled(&found, "id"), filled(&found, "policy")), (Some(ARN), Some("{}")));
            assert_eq!(found.get("attachment_count"), Some(&Value::from(3)));
        }
        assert!(cloud.requests("GetPolicyVersion")[0].contains("VersionId=v2"));
        let below = by("name", "read").with("path_prefix", "/".into());
        cloud.read_data(&PolicyLookup, below).await.unwrap();
        assert!(cloud.requests("ListPolicies").last().unwrap().contains("PathPrefix=%2F"));
    }

    #[tokio::test]
    async fn what_names_none_or_several_is_an_error() {
        let cloud = Cloud::default().answer("ListPolicies", &listed(&["/read", "/team/read", "/write"]));
        let error = cloud.read_data(&PolicyLookup, by("name", "read")).await.unwrap_err();
        assert!(error.kind == ErrorKind::Invalid && error.message.contains("2 policies"), "{error:?}");
        let error = cloud.read_data(&PolicyLookup, by("name", "writ")).await.unwrap_err();
        assert!(error.is_not_found() && error.hints == ["Did you mean `write`?"], "{error:?}");
        let nothing = Cloud::default().read_data(&PolicyLookup, Value::object::<&str>([])).await.unwrap_err();
        assert_eq!(nothing.kind, ErrorKind::Invalid);
        let gone = Cloud::default().fail("GetPolicy", 404, "NoSuchEntity", "no");
        assert!(gone.read_data(&PolicyLookup, by("arn", ARN)).await.unwrap_err().is_not_found());
    }
}
