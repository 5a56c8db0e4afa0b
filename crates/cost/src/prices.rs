//! The table of prices: `prices.json` of this crate. Each price says where it stands, of when it is, where it was
//! found and what it was checked against.

use serde_json::Value as Json;

use crate::money::UnitPrice;

/// The table as it is in the repository.
const TABLE: &str = include_str!("../prices.json");

/// Stands for every region of the partition `aws` where the price is the same in all of them.
const EVERYWHERE: &str = "aws";

/// Regions of other partitions begin like this; what holds for `aws` does not hold there.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "us-gov-", "us-iso", "eusc-"];

/// One price.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// What is paid for, such as `dynamodb-storage`.
    pub item: String,
    /// The regions in which it holds.
    pub regions: Vec<String>,
    /// The amount, as the table has it.
    pub amount: String,
    /// For how many units.
    pub per: u64,
    /// What is counted.
    pub unit: String,
    /// The page of AWS that states it.
    pub source: String,
    /// Of when it is: a year, a month or a day.
    pub date: String,
    /// Where it was found, and what it was checked against.
    pub checked: Vec<String>,
    /// The price of one unit.
    pub each: UnitPrice,
}

/// All prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// The currency.
    pub currency: String,
    /// The day of the youngest price.
    pub date: String,
    /// How many hours a month has.
    pub hours: i64,
    /// The prices.
    pub all: Vec<Price>,
}

impl Prices {
    /// The table of this program.
    ///
    /// # Errors
    /// What is wrong in the table. A test holds that nothing is.
    pub fn embedded() -> Result<Prices, String> {
        Prices::parse(TABLE)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str) -> Result<Prices, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if json.get("format").and_then(Json::as_u64) != Some(1) {
            return Err("the format is not 1".to_owned());
        }
        let all = json.get("prices").and_then(Json::as_array).ok_or("`prices` is missing")?;
        Ok(Prices {
            currency: text_of(&json, "currency")?,
            date: text_of(&json, "date")?,
            hours: json
                .get("hours_in_a_month")
                .and_then(Json::as_i64)
                .ok_or("`hours_in_a_month` is missing")?,
            all: all.iter().map(price).collect::<Result<_, _>>()?,
        })
    }

    /// The price of an item in a region; nothing when the table has none.
    pub fn find(&self, item: &str, region: &str) -> Option<&Price> {
        let elsewhere = OTHER_PARTITIONS.iter().any(|prefix| region.starts_with(prefix));
        let holds = |place: &String| place == region || (place == EVERYWHERE && !elsewhere);
        self.all.iter().find(|price| price.item == item && price.regions.iter().any(holds))
    }

    /// The price of an item that is the same in all regions of the partition `aws`.
    pub fn everywhere(&self, item: &str) -> Option<&Price> {
        self.all
            .iter()
            .find(|price| price.item == item && price.regions.iter().any(|place| place == EVERYWHERE))
    }
}

fn text_of(json: &Json, name: &str) -> Result<String, String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned).ok_or_else(|| format!("`{name}` is missing"))
}

fn texts_of(json: &Json, name: &str) -> Result<Vec<String>, String> {
    let all = json.get(name).and_then(Json::as_array).ok_or_else(|| format!("`{name}` is missing"))?;
    all.iter()
        .map(|one| one.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is no text")))
        .collect()
}

fn price(json: &Json) -> Result<Price, String> {
    let (item, amount) = (text_of(json, "item")?, text_of(json, "amount")?);
    let per = json.get("per").and_then(Json::as_u64).ok_or_else(|| format!("`{item}` has no `per`"))?;
    let each = UnitPrice::of(&amount, per).ok_or_else(|| format!("`{item}` has the amount `{amount}`"))?;
    Ok(Price {
        regions: texts_of(json, "regions")?,
        unit: text_of(json, "unit")?,
        source: text_of(json, "source")?,
        date: text_of(json, "date")?,
        checked: texts_of(json, "checked")?,
        item,
        amount,
        per,
        each,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn prices() -> Prices {
        Prices::embedded().unwrap()
    }

    fn value(amount: &str) -> f64 {
        amount.parse().unwrap()
    }

    #[test]
    fn every_price_says_where_it_stands_and_of_when_it_is() {
        let prices = prices();
        let mut seen = BTreeSet::new();
        for price in &prices.all {
            let what = format!("{} {:?}", price.item, price.regions);
            assert!(price.source.starts_with("https://aws.amazon.com/"), "{what}");
            assert!(price.checked.len() >= 2 && price.checked[0] != price.checked[1], "{what}: two places");
            assert!(
                price.date.len() >= 4 && price.date.as_str() <= prices.date.as_str(),
                "{what}: {}",
                price.date
            );
            assert!(price.date.split('-').all(|part| part.bytes().all(|b| b.is_ascii_digit())), "{what}");
            assert!(price.each > UnitPrice::of("0", 1).unwrap(), "{what}");
            for region in &price.regions {
                assert!(seen.insert((price.item.clone(), region.clone())), "{what}: twice");
            }
        }
        assert_eq!(prices.all.iter().map(|price| price.date.as_str()).max(), Some(prices.date.as_str()));
    }

    #[test]
    fn a_read_costs_about_a_fifth_of_a_write() {
        let prices = prices();
        let mut pairs = 0;
        for write in prices.all.iter().filter(|price| price.item.contains("-write-")) {
            for region in &write.regions {
                let read = prices.find(&write.item.replace("-write-", "-read-"), region).unwrap();
                let ratio = value(&write.amount) / value(&read.amount);
                assert!((4.9..=5.1).contains(&ratio), "{} in {region}: {ratio}", write.item);
                assert_eq!(read.per, write.per);
                pairs += 1;
            }
        }
        assert!(pairs > 15, "{pairs}");
    }

    #[test]
    fn on_demand_and_provisioned_keep_their_proportion_in_all_regions() {
        // Since November 2024 a million write requests cost about as much as 960 hours of a write unit, in each region. A
        // price of before would be twice as much.
        let prices = prices();
        for request in prices.all.iter().filter(|price| price.item == "dynamodb-write-requests") {
            for region in &request.regions {
                let hour = prices.find("dynamodb-write-capacity", region).unwrap();
                let hours = value(&request.amount) / value(&hour.amount);
                assert!((950.0..=970.0).contains(&hours), "{region}: {hours}");
            }
        }
    }

    #[test]
    fn infrequent_access_is_dear_to_read_and_cheap_to_keep() {
        let prices = prices();
        for ia in prices.all.iter().filter(|price| price.item.ends_with("-ia")) {
            for region in &ia.regions {
                let standard = prices.find(ia.item.trim_end_matches("-ia"), region).unwrap();
                let ratio = value(&ia.amount) / value(&standard.amount);
                let expected = if ia.item.contains("storage") { 0.39..=0.41 } else { 1.2..=1.3 };
                assert!(expected.contains(&ratio), "{} in {region}: {ratio}", ia.item);
            }
        }
    }

    #[test]
    fn a_price_for_all_regions_ends_at_the_partition() {
        let prices = prices();
        assert_eq!(prices.find("kms-key", "eu-west-3").map(|p| p.amount.as_str()), Some("1.00"));
        assert_eq!(prices.find("kms-key", "cn-north-1"), None);
        assert_eq!(prices.find("dynamodb-storage", "mars-1"), None);
        assert_eq!(prices.everywhere("dynamodb-storage"), None);
    }

    #[test]
    fn a_table_that_is_broken_says_what_is_wrong() {
        for (text, why) in [
            ("", "EOF"),
            (r#"{"format":2}"#, "format"),
            (r#"{"format":1,"prices":[]}"#, "currency"),
            (
                r#"{"format":1,"currency":"USD","date":"2026","hours_in_a_month":730,"prices":[{"item":"x","amount":"-1","per":1}]}"#,
                "-1",
            ),
        ] {
            let error = Prices::parse(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
