//! KMS: keys by the month, rotations that are kept, and requests. <https://aws.amazon.com/kms/pricing/>
//!
//! A key that is scheduled for deletion costs nothing, and neither do aliases, grants and policies.

use terrane_model::Value;

use crate::attributes::{Known, text, truth};
use crate::estimate::Context;
use crate::money::Decimal;
use crate::part::{Part, Quantity};

/// What can be said of a key's usage: requests a month, and how many rotations it has behind it.
pub const USAGE: [&str; 2] = ["requests", "rotations"];

/// The types that are keys. Replicas of a key in other regions and keys with imported material cost as much.
pub const KEYS: [&str; 4] =
    ["aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"];

/// Rotations that are paid for; later ones cost nothing.
const PAID_ROTATIONS: i64 = 2;

/// The lines of a key. `is_new`: it is going to be made, so it has no rotation behind it.
pub fn key(object: &Value, context: &Context<'_>, is_new: bool) -> Vec<Part> {
    let mut parts = vec![Part::new(
        "key",
        Quantity::exactly(Decimal::whole(1).unwrap_or_default()),
        context.price("kms-key"),
    )];
    parts.push(rotations(object, context, is_new));
    let requests = context.usage("requests").unwrap_or_else(Quantity::open);
    let spec = match text(object, "customer_master_key_spec") {
        Known::Is(spec) => spec,
        // What is not set is made symmetric.
        Known::Null | Known::Later => "SYMMETRIC_DEFAULT",
    };
    let price = match spec {
        "SYMMETRIC_DEFAULT" | "RSA_2048" => context.price("kms-requests"),
        asymmetric if asymmetric.starts_with("RSA_") || asymmetric.starts_with("ECC_") => {
            context.price("kms-requests-asymmetric")
        }
        other => Err(format!("the table has no price for requests to a key of the kind `{other}`")),
    };
    parts.push(Part::new("requests", requests, price));
    parts
}

/// The first two rotations that are behind a key cost as much as the key, each.
fn rotations(object: &Value, context: &Context<'_>, is_new: bool) -> Part {
    let most = Decimal::whole(PAID_ROTATIONS).unwrap_or_default();
    let price = context.price("kms-rotation");
    let rotates = match truth(object, "enable_key_rotation") {
        Known::Is(rotates) => rotates,
        Known::Null => false,
        Known::Later => true,
    };
    let quantity = match context.usage("rotations") {
        Some(Quantity::Between(low, high)) => {
            Quantity::Between(low.min(most), Some(high.map_or(most, |high| high.min(most))))
        }
        Some(unknown) => unknown,
        None if rotates && !is_new => Quantity::Between(Decimal::ZERO, Some(most)),
        None => Quantity::exactly(Decimal::ZERO),
    };
    let part = Part::new("rotations kept", quantity, price);
    match rotates {
        true => part.noting(
            "each of the first two rotations adds the price of a key; `rotations` says how many there were",
        ),
        false => part,
    }
}
