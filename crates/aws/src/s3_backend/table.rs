//! The lock and the digest in a DynamoDB table, item for item as Terraform writes them.
//!
//! `LockID` = `<bucket>/<object>`, `Info` = the lock's description; and `LockID` = `<bucket>/<object>-md5`, `Digest` = the
//! MD5 of the state, by which a reader finds out that S3 gave it an older one.

use aws_sdk_dynamodb::types::AttributeValue;
use terrane_provider::Error;
use terrane_state::{LockInfo, StateError};

use super::bucket::problem;
use crate::error::failed;

/// A table of locks.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) name: String,
}

const KEY: &str = "LockID";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl Table {
    fn problem(&self, error: &Error) -> StateError {
        problem(&format!("table {}", self.name), error)
    }

    async fn attribute(&self, id: &str, name: &'static str) -> Result<Option<String>, StateError> {
        let call = self.client.get_item().table_name(&self.name).key(KEY, text(id)).consistent_read(true);
        let answer = call
            .projection_expression(format!("{KEY}, #a"))
            .expression_attribute_names("#a", name)
            .send()
            .await;
        let answer = answer.map_err(failed("dynamodb:GetItem")).map_err(|error| self.problem(&error))?;
        let item = answer.item.unwrap_or_default();
        Ok(item.get(name).and_then(|value| value.as_s().ok()).cloned())
    }

    /// The description of the lock, as it is written there.
    pub(super) async fn holder(&self, id: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.attribute(id, "Info").await?.map(String::into_bytes))
    }

    /// Takes the lock. False when somebody has it.
    pub(super) async fn lock(&self, id: &str, info: &[u8]) -> Result<bool, StateError> {
        let info = String::from_utf8_lossy(info);
        let call =
            self.client.put_item().table_name(&self.name).item(KEY, text(id)).item("Info", text(&info));
        let answer = call.condition_expression(format!("attribute_not_exists({KEY})")).send().await;
        match answer.map_err(failed("dynamodb:PutItem")) {
            Ok(_) => Ok(true),
            // The client may have repeated a write whose answer was lost.
            Err(error) if error.is_code("ConditionalCheckFailedException") => {
                Ok(self.holder(id).await?.is_some_and(|there| there == info.as_bytes()))
            }
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// Writes another description over the one that is there. False when another one is there.
    pub(super) async fn rewrite(&self, id: &str, old: &[u8], new: &[u8]) -> Result<bool, StateError> {
        let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
        let call = self.client.update_item().table_name(&self.name).key(KEY, text(id));
        let call = call.update_expression("SET Info = :new").condition_expression("Info = :old");
        let call = call
            .expression_attribute_values(":new", text(&new))
            .expression_attribute_values(":old", text(&old));
        match call.send().await.map_err(failed("dynamodb:UpdateItem")) {
            Ok(_) => Ok(true),
            Err(error) if error.is_code("ConditionalCheckFailedException") => {
                Ok(self.holder(id).await?.is_some_and(|there| there == new.as_bytes()))
            }
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// Removes the lock with this id of its own; that there is none, or another one, is fine.
    pub(super) async fn unlock(&self, id: &str, lock: &str) -> Result<(), StateError> {
        let Some(there) = self.holder(id).await? else { return Ok(()) };
        if LockInfo::parse(&there).is_some_and(|info| info.id != lock) {
            return Ok(());
        }
        let there = String::from_utf8_lossy(&there);
        let call = self.client.delete_item().table_name(&self.name).key(KEY, text(id));
        let call = call.condition_expression("Info = :i").expression_attribute_values(":i", text(&there));
        match call.send().await.map_err(failed("dynamodb:DeleteItem")) {
            Ok(_) => Ok(()),
            Err(error) if error.is_code("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(self.problem(&error)),
        }
    }

    fn digest_id(id: &str) -> String {
        format!("{id}-md5")
    }

    /// The digest that the state must have; nothing where none was noted.
    pub(super) async fn digest(&self, id: &str) -> Result<Option<String>, StateError> {
        Ok(self.attribute(&Self::digest_id(id), "Digest").await?.filter(|digest| !digest.is_empty()))
    }

    /// Notes the digest of the state.
    pub(super) async fn note_digest(&self, id: &str, digest: &str) -> Result<(), StateError> {
        let call = self.client.put_item().table_name(&self.name);
        let call = call.item(KEY, text(&Self::digest_id(id))).item("Digest", text(digest));
        let answer = call.send().await.map_err(failed("dynamodb:PutItem"));
        answer.map(drop).map_err(|error| self.problem(&error))
    }

    /// Forgets the digest.
    pub(super) async fn forget_digest(&self, id: &str) -> Result<(), StateError> {
        let call = self.client.delete_item().table_name(&self.name).key(KEY, text(&Self::digest_id(id)));
        let answer = call.send().await.map_err(failed("dynamodb:DeleteItem"));
        answer.map(drop).map_err(|error| self.problem(&error))
    }
}
