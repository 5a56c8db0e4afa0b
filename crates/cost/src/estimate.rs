//! All objects of a stack, before and after.

use std::collections::BTreeMap;

use terrane_model::{Address, Mode, Value};

use crate::part::{Part, Quantity, Sum};
use crate::prices::{Price, Prices};
use crate::usage::Usage;
use crate::{attributes, dynamodb, kms};

/// An object as it is and as it will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The object.
    pub address: Address,
    /// The key under which it was put aside, when it is a left-over of a replacement.
    pub deposed: Option<String>,
    /// The provider configuration that it belongs to: objects of one are in one region.
    pub provider: String,
    /// As it is.
    pub before: Option<Value>,
    /// As it will be.
    pub after: Option<Value>,
    /// Whether it will be another object than it is.
    pub is_replaced: bool,
}

/// What lines are priced from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The table.
    pub prices: &'a Prices,
    usage: &'a Usage,
    address: &'a Address,
    region: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// The price of an item where the object is, or why there is none.
    ///
    /// # Errors
    /// When the table has none, or the region can't be told.
    pub fn price(&self, item: &str) -> Result<&'a Price, String> {
        match self.region {
            Some(region) => {
                self.prices.find(item, region).ok_or_else(|| format!("the table has no price for {region}"))
            }
            None => {
                self.prices.everywhere(item).ok_or_else(|| "the region is known only after apply".to_owned())
            }
        }
    }

    /// What the user says of the object under a name.
    pub fn usage(&self, name: &str) -> Option<Quantity> {
        self.usage.of(self.address, name).cloned()
    }
}

/// The lines of one object on one side, and their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Billed {
    /// The lines.
    pub parts: Vec<Part>,
    /// Their sum.
    pub monthly: Sum,
}

/// What one object costs.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceCost {
    /// The object.
    pub address: Address,
    /// The key under which it was put aside.
    pub deposed: Option<String>,
    /// Where it is, as far as that is known.
    pub region: Option<String>,
    /// As it is; absent: there is none.
    pub before: Option<Billed>,
    /// As it will be; absent: there will be none.
    pub after: Option<Billed>,
    /// The difference.
    pub change: Sum,
}

/// Sums over all objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// As it is.
    pub before: Sum,
    /// As it will be.
    pub after: Sum,
    /// The difference.
    pub change: Sum,
}

/// What a stack costs a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The table that it was reckoned with.
    pub prices: Prices,
    /// What costs something, sorted by address.
    pub resources: Vec<ResourceCost>,
    /// What is free of charge.
    pub free: Vec<Address>,
    /// Sums.
    pub totals: Totals,
}

/// Whether objects of a type cost nothing by themselves.
fn is_free(type_name: &str) -> bool {
    // IAM and STS are free of charge: https://aws.amazon.com/iam/
    const FREE: [&str; 8] = [
        "terraform_data",
        "aws_dynamodb_resource_policy",
        "aws_dynamodb_table_item",
        "aws_dynamodb_tag",
        "aws_kms_alias",
        "aws_kms_grant",
        "aws_kms_key_policy",
        "aws_caller_identity",
    ];
    FREE.contains(&type_name) || type_name.starts_with("aws_iam_")
}

/// Prices objects.
pub fn estimate(prices: Prices, items: &[Item], usage: &Usage) -> Estimate {
    let managed = || items.iter().filter(|item| item.address.resource.mode == Mode::Managed);
    let regions = regions(managed());
    let (mut resources, mut free) = (Vec::new(), Vec::new());
    for item in managed() {
        if is_free(&item.address.resource.type_name) {
            free.push(item.address.clone());
            continue;
        }
        let region = region_of(item).or_else(|| regions.get(item.provider.as_str()).copied().flatten());
        let context = Context { prices: &prices, usage, address: &item.address, region };
        let is_new = item.before.is_none() || item.is_replaced;
        let before = item.before.as_ref().map(|object| billed(object, &context, false));
        let after = item.after.as_ref().map(|object| billed(object, &context, is_new));
        let change = difference(before.as_ref(), after.as_ref());
        let (address, deposed) = (item.address.clone(), item.deposed.clone());
        let region = region.map(str::to_owned);
        resources.push(ResourceCost { address, deposed, region, before, after, change });
    }
    resources.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let side = |side: fn(&ResourceCost) -> &Option<Billed>| -> Sum {
        resources.iter().filter_map(|resource| side(resource).as_ref()).map(|billed| billed.monthly).sum()
    };
    let totals = Totals {
        before: side(|resource| &resource.before),
        after: side(|resource| &resource.after),
        change: resources.iter().map(|resource| resource.change).sum(),
    };
    Estimate { prices, resources, free, totals }
}

fn billed(object: &Value, context: &Context<'_>, is_new: bool) -> Billed {
    let parts = match context.address.resource.type_name.as_ref() {
        "aws_dynamodb_table" => dynamodb::table(object, context),
        name if kms::KEYS.contains(&name) => kms::key(object, context, is_new),
        other => vec![Part::unknown("all of it", format!("there are no prices for `{other}`"))],
    };
    let monthly = parts.iter().map(|part| part.monthly).sum();
    Billed { parts, monthly }
}

/// What changes. Lines that are the same on both sides say nothing about the difference, however wide their range is.
fn difference(before: Option<&Billed>, after: Option<&Billed>) -> Sum {
    let parts = |side: Option<&'_ Billed>| side.map(|billed| billed.parts.clone()).unwrap_or_default();
    let (mut before, mut after) = (parts(before), parts(after));
    before.retain(|old| match after.iter().position(|new| new == old) {
        Some(place) => {
            after.remove(place);
            false
        }
        None => true,
    });
    let sum = |parts: &[Part]| parts.iter().map(|part| part.monthly).sum::<Sum>();
    sum(&after).beyond(sum(&before))
}

/// The region of each provider configuration, where the ARNs of its objects agree.
fn regions<'a>(items: impl Iterator<Item = &'a Item>) -> BTreeMap<&'a str, Option<&'a str>> {
    let mut regions: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for item in items {
        if let Some(region) = region_of(item) {
            regions
                .entry(item.provider.as_str())
                .and_modify(|known| *known = known.filter(|known| *known == region))
                .or_insert(Some(region));
        }
    }
    regions
}

fn region_of(item: &Item) -> Option<&str> {
    [&item.after, &item.before].into_iter().flatten().find_map(attributes::region)
}

#[cfg(test)]
mod tests;
