//! The built-in resource `terraform_data`: keeps a value and triggers replacement. It calls nothing.
//!
//! Identified by a random UUID. `triggers_replace` forces replacement; `output` follows `input`.

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{block, computed, optional};
use terrane_model::{Mode, Schema, Type, Unknown, Value};

use crate::contract::{Context, Deleted, Failure, PlanRequest, ResourceType};
use crate::error::Error;
use crate::permission::{Doing, Ground, Permissions};

/// The resource type.
pub struct TerraformData;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "terraform_data",
        Mode::Managed,
        "A value kept in the state, with triggers of replacement.",
        block(
            [
                computed("id", Type::String).doc("A random UUID."),
                optional("input", Type::Any).doc("Any value; `output` takes it over."),
                computed("output", Type::Any).doc("The value of `input` after apply."),
                optional("triggers_replace", Type::Any).force_new().doc("A change makes the resource new."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for TerraformData {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn is_local(&self) -> bool {
        true
    }

    fn permissions(&self, _doing: Doing<'_>, _ground: &Ground<'_>) -> Option<Permissions> {
        Some(Permissions::none())
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            request.set("id", Value::unknown_with(Unknown::not_null(Type::String)));
        }
        let input = request.planned("input").cloned().unwrap_or_else(|| Value::null(Type::Any));
        if input.is_null() {
            request.set("output", Value::null(Type::Any));
        } else if request.changes("input") {
            let marks = input.marks_deep();
            request.set("output", Value::unknown(input.ty()).with_marks(marks));
        }
        Ok(())
    }

    async fn read(&self, _cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        Ok(Some(prior.clone()))
    }

    async fn create(&self, _cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let id = uuid::Uuid::new_v4().to_string();
        Ok(with_output(planned.clone().with("id", Value::from(id))))
    }

    async fn update(&self, _cx: &Context<'_>, _prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Ok(with_output(planned.clone()))
    }

    async fn delete(&self, _cx: &Context<'_>, _prior: &Value) -> Result<Deleted, Error> {
        Ok(Deleted::default())
    }

    async fn import(&self, _cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let nothing = || Value::null(Type::Any);
        Ok(Some(Value::object([
            ("id", Value::from(id)),
            ("input", nothing()),
            ("output", nothing()),
            ("triggers_replace", nothing()),
        ])))
    }

    async fn find(&self, _cx: &Context<'_>, _planned: &Value) -> Result<Option<Value>, Error> {
        Ok(None)
    }
}

fn with_output(object: Value) -> Value {
    let input = object.get("input").cloned().unwrap_or_else(|| Value::null(Type::Any));
    object.with("output", input)
}
