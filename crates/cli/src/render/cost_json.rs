//! What a stack costs, for tools. Amounts are decimal text with all their digits.

use serde_json::{Map, Value as Json, json};
use terrane_cost::{Billed, Estimate, Part, Price, Quantity, ResourceCost, Sum};

use super::cost::NOT_INCLUDED;

/// The version of this format: the first number changes when a key goes or means something else.
const FORMAT: &str = "1.0";

/// The whole document.
pub fn document(estimate: &Estimate) -> Json {
    let prices = &estimate.prices;
    let totals = &estimate.totals;
    json!({
        "format_version": FORMAT,
        "currency": prices.currency,
        "prices": { "date": prices.date, "hours_in_a_month": prices.hours },
        "resources": estimate.resources.iter().map(resource).collect::<Vec<_>>(),
        "totals": { "before": sum(&totals.before), "after": sum(&totals.after), "change": sum(&totals.change) },
        "free": estimate.free.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "not_included": NOT_INCLUDED,
    })
}

fn resource(resource: &ResourceCost) -> Json {
    let mut out = Map::new();
    out.insert("address".into(), resource.address.to_string().into());
    if let Some(key) = &resource.deposed {
        out.insert("deposed".into(), key.as_str().into());
    }
    out.insert("type".into(), resource.address.resource.type_name.as_ref().into());
    out.insert("region".into(), resource.region.as_deref().into());
    out.insert("before".into(), resource.before.as_ref().map_or(Json::Null, billed));
    out.insert("after".into(), resource.after.as_ref().map_or(Json::Null, billed));
    out.insert("change".into(), sum(&resource.change));
    Json::Object(out)
}

fn billed(billed: &Billed) -> Json {
    json!({ "monthly": sum(&billed.monthly), "parts": billed.parts.iter().map(part).collect::<Vec<_>>() })
}

fn part(part: &Part) -> Json {
    let (low, high) = match &part.quantity {
        Quantity::Between(low, high) => (Some(low.to_string()), high.map(|high| high.to_string())),
        Quantity::Unknown(_) => (None, None),
    };
    json!({
        "name": part.name,
        "quantity": { "low": low, "high": high },
        "price": part.price.as_ref().map_or(Json::Null, price),
        "monthly": sum(&part.monthly),
        "note": part.note,
    })
}

fn price(price: &Price) -> Json {
    json!({
        "item": price.item,
        "amount": price.amount,
        "per": price.per,
        "unit": price.unit,
        "source": price.source,
        "date": price.date,
    })
}

fn sum(sum: &Sum) -> Json {
    json!({
        "low": sum.low.to_string(),
        "high": sum.high.to_string(),
        "usage": sum.open,
        "unknown": sum.unknown,
    })
}
