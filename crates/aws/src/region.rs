//! `aws_region`: a region by name or by the address of its EC2 endpoint; without either the provider's own.
//!
//! No call, no permission. Known at plan whenever its arguments are.

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::nearest::nearest;
use terrane_model::schema::{block, computed, optional_computed};
use terrane_model::{Mode, Path, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error, ErrorKind, Facts};

use crate::object::{filled, unknown_text};
use crate::regions;

/// The data source.
pub struct Region;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_region",
        Mode::Data,
        "A region of AWS.",
        block(
            [
                computed("description", Type::String).doc("What people call the region."),
                optional_computed("endpoint", Type::String)
                    .doc("Address of EC2 in the region; selects the region."),
                optional_computed("id", Type::String).doc("The region's name."),
                optional_computed("name", Type::String).doc("The region's name; selects the region."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for Region {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn compute(&self, config: &Value, facts: &Facts) -> Option<Result<Value, Vec<Problem>>> {
        let argument = |name: &str| config.get(name).cloned().unwrap_or_else(|| Value::null(Type::String));
        if argument("name").is_unknown() || argument("endpoint").is_unknown() {
            let known = |name: &str| if argument(name).is_null() { unknown_text() } else { argument(name) };
            return Some(Ok(Value::object([
                ("description", unknown_text()),
                ("endpoint", known("endpoint")),
                ("id", known("name")),
                ("name", known("name")),
            ])));
        }
        Some(select(config, facts).map_err(|problem| vec![problem]))
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        select(config, &cx.session.facts)
            .map_err(|problem| Error::new(ErrorKind::NotFound, "aws_region", problem.detail))
    }
}

fn select(config: &Value, facts: &Facts) -> Result<Value, Problem> {
    let problem = |argument: &'static str, detail: String| Problem {
        path: Path::attribute(argument),
        code: "unknown-region",
        summary: "Unknown region",
        detail,
    };
    let by_endpoint = match filled(config, "endpoint") {
        None => None,
        Some(endpoint) => match regions::names().find(|name| regions::ec2_endpoint(name) == endpoint) {
            Some(name) => Some(name),
            None => return Err(problem("endpoint", format!("No region has the EC2 endpoint `{endpoint}`."))),
        },
    };
    let name = match (filled(config, "name"), by_endpoint) {
        (Some(name), Some(other)) if name != other => {
            let detail = format!("The endpoint belongs to `{other}`, not to `{name}`. Give one of the two.");
            return Err(problem("endpoint", detail));
        }
        (Some(name), _) => name,
        (None, Some(name)) => name,
        (None, None) => &facts.region,
    };
    let description = match regions::find(name) {
        Some(region) => region.description,
        None if filled(config, "name").is_none() => "",
        None => {
            let near = nearest(name, regions::names()).map(|near| format!(" Did you mean `{near}`?"));
            return Err(problem("name", format!("There is no region `{name}`.{}", near.unwrap_or_default())));
        }
    };
    Ok(Value::object([
        ("description", Value::from(description)),
        ("endpoint", Value::from(regions::ec2_endpoint(name))),
        ("id", Value::from(name)),
        ("name", Value::from(name)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computed_for(name: Value, endpoint: Value) -> Result<Value, Vec<Problem>> {
        let facts = Facts { region: "eu-west-3".into(), ..Facts::default() };
        let null = Value::null(Type::String);
        let config = Value::object([
            ("description", null.clone()),
            ("endpoint", endpoint),
            ("id", null),
            ("name", name),
        ]);
        Region.compute(&config, &facts).expect("computed")
    }

    #[test]
    fn without_arguments_it_is_the_providers_region() {
        let null = || Value::null(Type::String);
        let region = computed_for(null(), null()).expect("a region");
        assert_eq!(filled(&region, "name"), Some("eu-west-3"));
        assert_eq!(filled(&region, "endpoint"), Some("ec2.eu-west-3.amazonaws.com"));
        assert_eq!(filled(&region, "description"), Some("Europe (Paris)"));
        let by_endpoint = computed_for(null(), "ec2.cn-north-1.amazonaws.com.cn".into()).expect("a region");
        assert_eq!(filled(&by_endpoint, "id"), Some("cn-north-1"));
    }

    #[test]
    fn bad_arguments_are_problems_and_unknown_ones_stay_unknown() {
        let wrong = computed_for("eu-west-33".into(), Value::null(Type::String)).expect_err("no such region");
        assert!(wrong[0].detail.contains("Did you mean"), "{}", wrong[0].detail);
        assert!(computed_for("eu-west-1".into(), "ec2.eu-west-3.amazonaws.com".into()).is_err());
        assert!(computed_for(Value::null(Type::String), "ec2.x".into()).is_err());
        let unknown = computed_for(Value::unknown(Type::String), Value::null(Type::String)).expect("unknown");
        assert!(unknown.get("description").is_some_and(Value::is_unknown));
    }
}
