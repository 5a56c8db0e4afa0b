//! What the audit trail saw, for people and for tools.

use serde_json::{Value as Json, json};
use terrane_access::Estate;

use super::paint::{Paint, Tone};
use super::value_text::line;
use crate::commands::access_log::Seen;

const HEADS: [&str; 5] = ["WHEN", "WHO", "CALL", "ON", "RESULT"];

/// What is not in the trail.
const LIMITS: &str = "Reading and writing items is not in this history: CloudTrail looks up management events only. The use of a key \
                      that DynamoDB makes in the caller's name is one.\n";
const LATE: &str = "An event appears up to 15 minutes after the call.\n";

/// One line: its cells, how many calls it stands for, and whether they were refused or failed.
struct Row {
    cells: [String; 5],
    times: usize,
    failed: bool,
}

/// As a table, the newest last. Calls that differ in nothing but the time, one after the other, are one line.
pub fn text(estate: &Estate, seen: &[Seen], in_sandbox: bool, paint: Paint) -> String {
    let mut notes: Vec<String> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for one in seen {
        let cells = row(estate, one, &mut notes);
        match rows.last_mut().filter(|last| last.cells.iter().skip(1).eq(cells.iter().skip(1))) {
            Some(last) => *last = Row { cells, times: last.times + 1, failed: last.failed },
            None => rows.push(Row { cells, times: 1, failed: one.error.is_some() }),
        }
    }
    let mut out = match rows.is_empty() {
        true => "The audit trail has no such event.\n".to_owned(),
        false => table(&rows, paint),
    };
    out.push('\n');
    for (number, text) in notes.iter().enumerate() {
        out.push_str(&format!("[{}] {}\n", number + 1, line(text)));
    }
    if !notes.is_empty() {
        out.push('\n');
    }
    out.push_str(&paint.tone(Tone::Faint, LIMITS.trim_end()));
    out.push('\n');
    if !in_sandbox {
        out.push_str(&format!("{}\n", paint.tone(Tone::Faint, LATE.trim_end())));
    }
    out
}

fn who(estate: &Estate, seen: &Seen) -> String {
    let label = estate.label_of(&seen.principal);
    let short = label.split_once(":iam::").or_else(|| label.split_once(":sts::"));
    short.and_then(|(_, rest)| rest.split_once(':')).map_or(label, |(_, name)| name).to_owned()
}

fn row(estate: &Estate, seen: &Seen, notes: &mut Vec<String>) -> [String; 5] {
    let through = seen.through.as_ref().map(|service| format!(" through {service}")).unwrap_or_default();
    let labels: Vec<&str> = seen.resources.iter().map(|arn| estate.label_of(arn)).collect();
    let table = seen.table.as_ref().map(|arn| format!(" of {}", estate.label_of(arn))).unwrap_or_default();
    let result = match &seen.error {
        None => "allowed".to_owned(),
        Some((code, message)) if message.is_empty() => code.clone(),
        Some((code, message)) => {
            let number = notes.iter().position(|known| known == message).unwrap_or_else(|| {
                notes.push(message.clone());
                notes.len() - 1
            });
            format!("{code} [{}]", number + 1)
        }
    };
    [
        line(&seen.time),
        line(&who(estate, seen)),
        line(&format!("{}{through}", seen.action)),
        line(&format!("{}{table}", labels.join(", "))),
        line(&result),
    ]
}

fn table(rows: &[Row], paint: Paint) -> String {
    let mut widths = HEADS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let padded = |cell: &str, width: usize| {
        format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
    };
    let heads: Vec<String> = HEADS.iter().zip(widths).map(|(head, width)| padded(head, width)).collect();
    let mut out = format!("{}\n", paint.tone(Tone::Faint, heads.join("  ").trim_end()));
    for Row { cells: [when, who, call, on, result], times, failed } in rows {
        let [a, b, c, d, _] = widths;
        let tone = if *failed { Tone::Error } else { Tone::Good };
        let times = if *times > 1 { format!(" ×{times}") } else { String::new() };
        out.push_str(&format!(
            "{}  {}  {}  {}  {}{times}\n",
            padded(when, a),
            padded(who, b),
            padded(call, c),
            padded(on, d),
            paint.tone(tone, result)
        ));
    }
    out
}

/// For tools: each event with what was read from it.
pub fn json(estate: &Estate, seen: &[Seen]) -> Json {
    let label = |arn: &str| Some(estate.label_of(arn)).filter(|label| *label != arn).map(str::to_owned);
    let one = |seen: &Seen| {
        let resources: Vec<Json> =
            seen.resources.iter().map(|arn| json!({ "arn": arn, "address": label(arn) })).collect();
        json!({
            "time": seen.time,
            "principal": { "arn": seen.principal, "address": label(&seen.principal), "caller": seen.caller },
            "action": seen.action,
            "through": seen.through,
            "resources": resources,
            "table": seen.table.as_ref().map(|arn| json!({ "arn": arn, "address": label(arn) })),
            "error": seen.error.as_ref().map(|(code, message)| json!({ "code": code, "message": message })),
            "event": seen.record,
        })
    };
    json!({ "format_version": "1.0", "events": seen.iter().map(one).collect::<Vec<_>>() })
}
