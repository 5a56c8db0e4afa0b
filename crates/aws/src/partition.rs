//! `aws_partition`: the partition that the provider works in.
//!
//! No call, no permission. Always known at plan.

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{block, computed, optional_computed};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error, Facts};

use crate::regions;

/// The data source.
pub struct Partition;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_partition",
        Mode::Data,
        "The partition that the provider works in.",
        block(
            [
                computed("dns_suffix", Type::String)
                    .doc("Domain of the partition's services, such as `amazonaws.com`."),
                optional_computed("id", Type::String).doc("The partition's name."),
                computed("partition", Type::String).doc("The partition's name, as ARNs have it."),
                computed("reverse_dns_prefix", Type::String).doc("The domain read from the right."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for Partition {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn compute(&self, _config: &Value, facts: &Facts) -> Option<Result<Value, Vec<Problem>>> {
        Some(Ok(result(facts)))
    }

    async fn read(&self, cx: &Context<'_>, _config: &Value) -> Result<Value, Error> {
        Ok(result(&cx.session.facts))
    }
}

fn result(facts: &Facts) -> Value {
    let partition = regions::partition_of(&facts.region);
    Value::object(
        [
            ("dns_suffix", partition.dns_suffix),
            ("id", partition.name),
            ("partition", partition.name),
            ("reverse_dns_prefix", partition.reverse_dns_prefix),
        ]
        .map(|(name, value)| (name, Value::from(value))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_from_the_region() {
        for (region, name, suffix) in
            [("eu-west-3", "aws", "com.amazonaws"), ("cn-north-1", "aws-cn", "cn.com.amazonaws")]
        {
            let facts = Facts { region: region.into(), ..Facts::default() };
            let value =
                Partition.compute(&Value::object::<&str>([]), &facts).expect("computed").expect("a value");
            assert_eq!(value.get("id"), Some(&Value::from(name)));
            assert_eq!(value.get("reverse_dns_prefix"), Some(&Value::from(suffix)));
        }
    }
}
