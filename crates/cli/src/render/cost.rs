//! What a stack costs, for people: a table, and what is not in it.

use std::collections::{BTreeMap, BTreeSet};

use terrane_cost::{Billed, Estimate, Money, Part, Price, Quantity, ResourceCost, Sum};

use super::paint::{Paint, Tone};
use super::review::document::{Block, Importance, Inline, Section, shortened};

/// What no line of the table says.
pub const NOT_INCLUDED: [&str; 6] = [
    "taxes and currency conversion",
    "what an account has free of charge each month",
    "discounts, savings plans and reserved capacity",
    "backups on demand, exports, imports and restores",
    "transfer of data",
    "requests to keys by services on behalf of their users, unless `requests` says how many",
];

/// The longest name of a file that is shown whole.
const LONGEST_NAME: usize = 100;

/// One line for reviewers. `file` is the plan file; nothing when nothing costs anything.
pub fn section(estimate: &Estimate, file: Option<&str>) -> Option<Section> {
    if estimate.resources.is_empty() {
        return None;
    }
    let totals = &estimate.totals;
    let command = match file {
        Some(file) => format!("terrane cost {}", shortened(file, LONGEST_NAME)),
        None => "terrane cost".to_owned(),
    };
    let changed = match totals.change == Sum::ZERO {
        true => "unchanged".to_owned(),
        false => change(&totals.change),
    };
    let line = vec![
        Inline::Strong(format!("{} {}", amount(&totals.after), estimate.prices.currency)),
        Inline::text(" a month ("),
        Inline::Strong(changed),
        Inline::text(format!("), at prices of {} at the latest. ", estimate.prices.date)),
        Inline::code(command),
        Inline::text(" says what it is made of, and what is not in it."),
    ];
    let blocks = vec![Block::Paragraph(line)];
    Some(Section { id: "cost", title: "Cost".to_owned(), importance: Importance::High, share: 5, blocks })
}

/// Whether there is a before and an after, or only what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// A plan's.
    Both,
    /// A state's.
    One,
}

/// The table.
pub fn table(estimate: &Estimate, sides: Sides, paint: Paint) -> String {
    let currency = &estimate.prices.currency;
    if estimate.resources.is_empty() {
        let nothing = match estimate.free.len() {
            0 => "There is nothing to price: no objects.\n".to_owned(),
            free => format!("Nothing costs anything: {} free of charge.\n", objects(free)),
        };
        return nothing;
    }
    let mut rows = vec![Row::heading(currency)];
    for resource in &estimate.resources {
        rows.push(Row::resource(resource));
        rows.extend(parts(resource));
    }
    rows.push(Row::total(estimate));
    if sides == Sides::One {
        rows.iter_mut().for_each(Row::keep_one);
    }
    let widths = [0, 1, 2, 3].map(|column| rows.iter().map(|row| row.width(column)).max().unwrap_or(0));
    let last = rows.len() - 1;
    let mut out = String::new();
    for (i, row) in rows.iter().enumerate() {
        if i == last {
            let width = rows.iter().map(|row| row.text(widths, Paint::default()).chars().count() - 1).max();
            out.push_str(&paint.faint(&"─".repeat(width.unwrap_or(0))));
            out.push('\n');
        }
        out.push_str(&row.text(widths, paint));
    }
    out.push_str(&remarks(estimate));
    out
}

/// One row: a name and three amounts.
struct Row {
    kind: Kind,
    cells: [String; 4],
    tone: Option<Tone>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Strong,
    Part,
}

impl Row {
    fn heading(currency: &str) -> Row {
        let cells = [format!("{currency} a month"), "before".into(), "after".into(), "change".into()];
        Row { kind: Kind::Strong, cells, tone: None }
    }

    fn resource(resource: &ResourceCost) -> Row {
        let name = match &resource.deposed {
            Some(key) => format!("{} (deposed object {key})", resource.address),
            None => resource.address.to_string(),
        };
        let cells =
            [name, side(resource.before.as_ref()), side(resource.after.as_ref()), change(&resource.change)];
        Row { kind: Kind::Strong, cells, tone: tone(&resource.change) }
    }

    fn total(estimate: &Estimate) -> Row {
        let totals = &estimate.totals;
        let cells = ["total".into(), amount(&totals.before), amount(&totals.after), change(&totals.change)];
        Row { kind: Kind::Strong, cells, tone: tone(&totals.change) }
    }

    /// Leaves the amount that is, and nothing beside it.
    fn keep_one(&mut self) {
        let [_, before, after, change] = &mut self.cells;
        *before = std::mem::take(after);
        change.clear();
        if before == "after" {
            *before = "now".to_owned();
        }
    }

    fn width(&self, column: usize) -> usize {
        self.cells.get(column).map_or(0, |cell| cell.chars().count())
    }

    fn text(&self, widths: [usize; 4], paint: Paint) -> String {
        let [name, before, after, change] = &self.cells;
        let [w0, w1, w2, w3] = widths;
        let line = format!("{name:<w0$}  {before:>w1$}  {after:>w2$}  {change:>w3$}");
        let line = line.trim_end();
        let painted = match (self.kind, self.tone) {
            (Kind::Part, _) => paint.faint(line),
            (Kind::Strong, Some(tone)) => paint.tone(tone, line),
            (Kind::Strong, None) => paint.strong(line),
        };
        format!("{painted}\n")
    }
}

fn tone(change: &Sum) -> Option<Tone> {
    match (change.low > Money::ZERO, change.high < Money::ZERO) {
        (true, _) => Some(Tone::Add),
        (_, true) => Some(Tone::Remove),
        _ => None,
    }
}

fn side(billed: Option<&Billed>) -> String {
    billed.map_or_else(|| "-".to_owned(), |billed| amount(&billed.monthly))
}

/// The lines of both sides, each once. What costs nothing on either side is left out.
fn parts(resource: &ResourceCost) -> Vec<Row> {
    let of = |billed: &Option<Billed>| -> Vec<Part> {
        billed.as_ref().map(|b| b.parts.clone()).unwrap_or_default()
    };
    let (before, after) = (of(&resource.before), of(&resource.after));
    let mut names: Vec<&str> = Vec::new();
    for part in after.iter().chain(&before) {
        if !names.contains(&part.name.as_str()) {
            names.push(&part.name);
        }
    }
    let mut rows = Vec::new();
    for name in names {
        let find = |parts: &'_ [Part]| parts.iter().find(|part| part.name == name).cloned();
        let (old, new) = (find(&before), find(&after));
        if [&old, &new].into_iter().flatten().all(|part| part.monthly == Sum::ZERO) {
            continue;
        }
        let cell = |part: &Option<Part>, side: &Option<Billed>| match (part, side) {
            (Some(part), _) => amount(&part.monthly),
            (None, Some(_)) => "0.00".to_owned(),
            (None, None) => "-".to_owned(),
        };
        let shown = new.as_ref().or(old.as_ref());
        let rate = shown.map(described).unwrap_or_default();
        let cells = [
            format!("  {name}{rate}"),
            cell(&old, &resource.before),
            cell(&new, &resource.after),
            String::new(),
        ];
        rows.push(Row { kind: Kind::Part, cells, tone: None });
    }
    rows
}

/// How a line's amount comes about.
fn described(part: &Part) -> String {
    let Some(price) = &part.price else { return String::new() };
    let unit = &price.unit;
    match (&part.quantity, price.per) {
        (Quantity::Between(low, Some(high)), _) if low == high => {
            let low = grouped(&low.to_string());
            let unit = if low == "1" { unit.trim_end_matches('s') } else { unit };
            format!(", {low} {unit} at {}", rate(price))
        }
        (Quantity::Between(low, Some(high)), _) => {
            let (low, high) = (grouped(&low.to_string()), grouped(&high.to_string()));
            format!(", {low} to {high} {unit} at {}", rate(price))
        }
        (Quantity::Between(..), 1) => format!(", {} a {}", price.amount, unit.trim_end_matches('s')),
        (Quantity::Between(..), _) => format!(", {} {unit}", rate(price)),
        (Quantity::Unknown(_), _) => String::new(),
    }
}

/// What so many units cost: `0.25`, or `0.03 for 10,000`.
fn rate(price: &Price) -> String {
    match price.per {
        1 => price.amount.clone(),
        per => format!("{} for {}", price.amount, grouped(&per.to_string())),
    }
}

/// Decimal text, perhaps behind a sign, with commas between the thousands.
fn grouped(text: &str) -> String {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out: String = text.strip_suffix(digits).unwrap_or_default().to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    fraction.map_or(out.clone(), |fraction| format!("{out}.{fraction}"))
}

/// An amount as it is read: `0.68 + usage`, `1.00 to 3.00`, `unknown`.
pub fn amount(sum: &Sum) -> String {
    written(sum, |money| grouped(&money.cents()))
}

/// A difference as it is read: with its sign.
pub fn change(sum: &Sum) -> String {
    written(sum, |money| {
        let text = grouped(&money.cents());
        if money > Money::ZERO { format!("+{text}") } else { text }
    })
}

fn written(sum: &Sum, money: impl Fn(Money) -> String) -> String {
    let mut terms = Vec::new();
    if sum.low != sum.high {
        terms.push(format!("{} to {}", money(sum.low), money(sum.high)));
    } else if sum.low != Money::ZERO || !(sum.open || sum.unknown) {
        terms.push(money(sum.low));
    }
    terms.extend(sum.open.then(|| "usage".to_owned()));
    terms.extend(sum.unknown.then(|| "unknown".to_owned()));
    terms.join(" + ")
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object is".to_owned() } else { format!("{count} objects are") }
}

/// What the table does not say.
fn remarks(estimate: &Estimate) -> String {
    let prices = &estimate.prices;
    let mut out = format!(
        "\nPrices of {} at the latest, for months of {} hours; amounts are exact until they are shown.\n",
        prices.date, prices.hours
    );
    if !estimate.free.is_empty() {
        out.push_str(&format!("{} free of charge.\n", objects(estimate.free.len())));
    }
    let all = || estimate.resources.iter().flat_map(|resource| [&resource.after, &resource.before]).flatten();
    if all().any(|billed| billed.monthly.open) {
        out.push_str("`usage` depends on what is stored and asked for: `--usage FILE` takes figures.\n");
    }
    let mut unknown: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut notes: BTreeSet<String> = BTreeSet::new();
    for resource in &estimate.resources {
        for part in [&resource.after, &resource.before].into_iter().flatten().flat_map(|billed| &billed.parts)
        {
            match &part.note {
                Some(note) if part.monthly.unknown => {
                    let key = (part.name.clone(), note.clone());
                    unknown.entry(key).or_default().insert(resource.address.to_string());
                }
                Some(note) => {
                    notes.insert(format!("{}: {note}", part.name));
                }
                None => {}
            }
        }
    }
    if !unknown.is_empty() {
        out.push_str("\nUnknown:\n");
        for ((name, why), addresses) in unknown {
            let which = match addresses.len() {
                1 => addresses.into_iter().next().unwrap_or_default(),
                count => format!("{count} objects"),
            };
            out.push_str(&format!("  - {name} of {which}: {why}\n"));
        }
    }
    if !notes.is_empty() {
        out.push_str("\nTo know:\n");
        notes.iter().for_each(|note| out.push_str(&format!("  - {note}\n")));
    }
    out.push_str("\nNot included:\n");
    NOT_INCLUDED.iter().for_each(|what| out.push_str(&format!("  - {what}\n")));
    out
}

#[cfg(test)]
mod tests {
    use terrane_cost::{Decimal, Prices};

    use super::*;

    fn sum(item: &str, low: &str, high: &str) -> Sum {
        let prices = Prices::embedded().unwrap();
        let price = prices.find(item, "us-east-1").unwrap();
        let read = |text| Decimal::parse(text).unwrap();
        Part::new("x", Quantity::Between(read(low), Some(read(high))), Ok(price)).monthly
    }

    #[test]
    fn amounts_say_what_they_leave_open() {
        let one = sum("kms-key", "1", "1");
        assert_eq!((amount(&one), change(&one)), ("1.00".into(), "+1.00".into()));
        assert_eq!(change(&Sum::ZERO.beyond(one)), "-1.00");
        assert_eq!(amount(&sum("kms-key", "1", "3")), "1.00 to 3.00");
        let (open, unknown) = (Sum { open: true, ..Sum::ZERO }, Sum { unknown: true, ..Sum::ZERO });
        assert_eq!(
            (amount(&Sum::ZERO), amount(&open), amount(&unknown)),
            ("0.00".into(), "usage".into(), "unknown".into())
        );
        assert_eq!(amount(&(one + open + unknown)), "1.00 + usage + unknown");
        assert_eq!(change(&Sum::ZERO), "0.00");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (text, shown) in
            [("1", "1"), ("100", "100"), ("1000", "1,000"), ("1234567.1234", "1,234,567.1234")]
        {
            assert_eq!(grouped(text), shown);
        }
        for (text, shown) in [("-1234.50", "-1,234.50"), ("<0.01", "<0.01"), ("-<0.01", "-<0.01"), ("", "")] {
            assert_eq!(grouped(text), shown, "signs stay in front");
        }
    }
}
