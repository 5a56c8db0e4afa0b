//! `aws_dynamodb_table`: a table with its indexes, stream, backups, expiry and encryption.
//!
//! Object: a table, identified by its name; the ARN follows from account, region and name.
//!
//! Calls and permissions, all `dynamodb:`: CreateTable, DescribeTable, DescribeContinuousBackups, DescribeTimeToLive,
//! ListTagsOfResource, UpdateTable, UpdateTimeToLive, UpdateContinuousBackups, TagResource, UntagResource, DeleteTable; and
//! `kms:DescribeKey`, to know AWS's own key for DynamoDB from others.
//!
//! Replaced when its name, a key or a local index changes. Takes seconds to become active, each global index minutes. Not
//! done here: global-table replicas, import from S3 and restoring a backup; they are refused when planned.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::{Schema, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::dynamodb::RETRIES;
use crate::error::{failed, present};
use crate::object::{absent, filled, flag, needed, settled};

mod checks;
mod create;
mod index;
pub mod lookup;
mod observed;
mod permissions;
mod prediction;
mod schema;
mod settings;
mod update;

use observed::observe;
use schema::SCHEMA;

/// The resource type.
pub struct Table;

#[async_trait]
impl ResourceType for Table {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        prediction::refine(request);
        match checks::problems(request) {
            problems if problems.is_empty() => Ok(()),
            problems => Err(problems),
        }
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions::permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let name = needed(prior, "id", "dynamodb:DescribeTable")?;
        match observe(cx, name, filled(prior, "arn")).await? {
            Some(observed) => observed.into_state(cx, prior, false).await.map(Some),
            None => Ok(None),
        }
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        create::make(cx, planned).await?;
        match create::finish(cx, planned).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let name = planned.get("name").cloned().unwrap_or_else(|| "".into());
                let partial = self.find(cx, planned).await.ok().flatten();
                Err(Failure {
                    error,
                    partial: Some(partial.unwrap_or_else(|| settled(planned.clone().with("id", name)))),
                })
            }
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match update::bring(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let name = needed(prior, "id", "dynamodb:DeleteTable")?;
        let dynamodb = cx.session.clients::<Clients>()?.dynamodb();
        let delete = || async {
            dynamodb.delete_table().table_name(name).send().await.map_err(failed("dynamodb:DeleteTable"))
        };
        match present(retry(cx, RETRIES, delete).await) {
            Ok(None) => return Ok(Deleted::default()),
            Ok(Some(_)) => {}
            Err(error)
                if flag(prior, "deletion_protection_enabled") && error.is_code("ValidationException") =>
            {
                return Err(error
                    .hint("Set `deletion_protection_enabled = false` and apply before deleting the table."));
            }
            Err(error) => return Err(error),
        }
        let look = || async {
            let answer = dynamodb.describe_table().table_name(name).send().await;
            Ok(match present(answer.map_err(failed("dynamodb:DescribeTable")))? {
                None => Ok(()),
                Some(_) => Err("a table that is being deleted".to_owned()),
            })
        };
        Wait::new("the table to be gone", cx.timeout).until(cx, "dynamodb:DescribeTable", look).await?;
        Ok(Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if id.is_empty() || id.contains([':', '/']) {
            return Err(Error::new(ErrorKind::Invalid, "import", "The import id of a table is its name."));
        }
        match observe(cx, id, None).await? {
            Some(observed) => observed.into_state(cx, &absent(&SCHEMA), true).await.map(Some),
            None => Ok(None),
        }
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    async fn exists(&self, cx: &Context<'_>, id: &str) -> Result<bool, Error> {
        let clients: &Clients = cx.session.clients()?;
        let answer = clients.dynamodb().describe_table().table_name(id).send().await;
        Ok(present(answer.map_err(failed("dynamodb:DescribeTable")))?.is_some())
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(name) = filled(planned, "name") else { return Ok(None) };
        match observe(cx, name, None).await? {
            Some(observed) => observed.into_state(cx, planned, false).await.map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
