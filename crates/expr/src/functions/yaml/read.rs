//! Reads one YAML document: events from the parser to a value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use terrane_model::convert::{article, convert};
use terrane_model::{Number, Type, Value};

use crate::functions::encoding::from_base64;
use crate::functions::time::{parse_time, print_time};

/// So many values at most, those that aliases repeat included.
const MAX_VALUES: usize = 1_000_000;
/// So deep at most.
const MAX_DEPTH: usize = 100;

pub(super) fn document(text: &str) -> Result<Value, String> {
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::Nothing => {}
            Event::DocumentStart(_) => break,
            _ => return Err("the document is empty".into()),
        }
    }
    let first = reader.next()?;
    if matches!(&first, Event::Scalar(text, ScalarStyle::Plain, _, None) if text.is_empty()) {
        return Err("the document is empty".into());
    }
    let value = reader.node(first, 0)?;
    loop {
        match reader.next()? {
            Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => return Ok(value),
            _ => return Err("there is more than one document".into()),
        }
    }
}

struct Reader<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// Values with an anchor, and how many values each holds.
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, String> {
        match self.events.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => {
                Err(format!("the YAML is broken in line {}: {}", error.marker().line(), error.info()))
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        match self.values > MAX_VALUES {
            true => Err(format!("it holds more than {MAX_VALUES} values")),
            false => Ok(()),
        }
    }

    fn node(&mut self, event: Event<'t>, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
        }
        let before = self.values;
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref())?, anchor),
            Event::SequenceStart(anchor, tag) => {
                expect_tag(tag.as_deref(), "seq")?;
                let mut elements = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => elements.push(self.node(event, depth + 1)?),
                    }
                }
                (Value::tuple(elements), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                expect_tag(tag.as_deref(), "map")?;
                (self.mapping(depth)?, anchor)
            }
            Event::Alias(anchor) => {
                let Some((value, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias stands inside what it names".into());
                };
                self.count(size)?;
                (value, 0)
            }
            _ => return Err("a value is missing".into()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut merged: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => break,
                event => event,
            };
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text.as_ref() == "<<");
            let key = self.node(event, depth + 1)?;
            let next = self.next()?;
            let value = self.node(next, depth + 1)?;
            if is_merge {
                merge(&value, &mut merged)?;
                continue;
            }
            if key.is_null() {
                return Err("the key of a mapping is null".into());
            }
            let text = convert(&key, &Type::String).map_err(|_| {
                format!("the key of a mapping must be text, and it is {}", article(&key.ty()))
            })?;
            entries.insert(text.as_str().unwrap_or_default().into(), value);
        }
        // What stands in the mapping itself wins over what is merged into it.
        merged.extend(entries);
        Ok(Value::object(merged))
    }
}

/// Adds what `<<` names: a mapping, or a list of them, of which earlier ones win.
fn merge(value: &Value, into: &mut BTreeMap<Arc<str>, Value>) -> Result<(), String> {
    let add = |entries: &BTreeMap<Arc<str>, Value>, into: &mut BTreeMap<Arc<str>, Value>| {
        for (key, value) in entries {
            into.entry(key.clone()).or_insert_with(|| value.clone());
        }
    };
    if let Some(entries) = value.entries() {
        add(entries, into);
        return Ok(());
    }
    let wrong = || "`<<` takes a mapping or a list of mappings".to_owned();
    if !matches!(value.ty(), Type::Tuple(_)) {
        return Err(wrong());
    }
    for element in value.elements() {
        add(element.entries().ok_or_else(wrong)?, into);
    }
    Ok(())
}

/// The last part of a tag of YAML's own schema; an error for all other tags.
fn core_tag(tag: &Tag) -> Result<&str, String> {
    match tag.is_yaml_core_schema() {
        true => Ok(&tag.suffix),
        false => Err(format!("the tag `{}{}` is not supported", tag.handle, tag.suffix)),
    }
}

fn expect_tag(tag: Option<&Tag>, wanted: &str) -> Result<(), String> {
    match tag.map(core_tag).transpose()? {
        None => Ok(()),
        Some(found) if found == wanted => Ok(()),
        Some(found) => Err(format!("the tag `!!{found}` does not fit here")),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let tag = tag.map(core_tag).transpose()?;
    let unfit = |tag: &str| format!("`{text}` does not fit the tag `!!{tag}`");
    match tag {
        None if style != ScalarStyle::Plain => Ok(Value::from(text)),
        None => plain(text),
        Some("str") => Ok(Value::from(text)),
        Some("binary") => {
            from_base64(&text.replace(' ', "")).map(|_| Value::from(text)).ok_or_else(|| unfit("binary"))
        }
        Some("null") => Ok(Value::null(Type::Any)),
        Some("bool") => boolean(text).map(Value::bool).ok_or_else(|| unfit("bool")),
        Some(tag @ ("int" | "float")) => number(text).ok_or_else(|| unfit(tag)),
        Some("timestamp") => timestamp(text).map(Value::from).ok_or_else(|| unfit("timestamp")),
        Some(tag) => Err(format!("the tag `!!{tag}` is not supported")),
    }
}

/// Text without quotes: what it looks like decides what it is.
fn plain(text: &str) -> Result<Value, String> {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Value::null(Type::Any));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err("`.nan` is no number here".into());
    }
    if let Some(value) = boolean(text) {
        return Ok(Value::bool(value));
    }
    if let Some(value) = number(text) {
        return Ok(value);
    }
    Ok(timestamp(text).map_or_else(|| Value::from(text), Value::from))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Value::number(Number::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Value::number(Number::NEGATIVE_INFINITY)),
        _ => {}
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return digits
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| Number::from_radix(digits, radix).map(Value::number))?;
        }
    }
    let starts = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digit = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
    let looks_like_one = digit(starts) || starts.strip_prefix('.').is_some_and(digit);
    looks_like_one.then(|| text.parse::<Number>().ok().map(Value::number))?
}

/// A date, or a date and time, in RFC 3339.
fn timestamp(text: &str) -> Option<String> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |s: &str| !s.is_empty() && s.len() <= 2 && s.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || parts.next().is_some() || !digits(month) || !digits(day) {
        return None;
    }
    let spaced = text.contains(' ');
    let (clock, zone) = match rest.find(['Z', '+', '-']) {
        _ if rest.is_empty() && !text.contains(['T', 't', ' ']) => ("0:0:0", "Z"),
        Some(_) if spaced => return None,
        Some(at) => (rest.get(..at)?, rest.get(at..)?),
        None if spaced => (rest, "Z"),
        None => return None,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || ![hour, minute, second].into_iter().all(digits) {
        return None;
    }
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let full = format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}{fraction}{zone}");
    parse_time(&full).map(print_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        document(text).map_or_else(|why| format!("refused: {why}"), |value| crate::print_value(&value))
    }

    #[test]
    fn plain_text_is_what_it_looks_like() {
        for (text, printed) in [
            ("yes", "true"),
            ("Off", "false"),
            ("017", "17"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("1e3", "1000"),
            (".5", "0.5"),
            ("+.inf", "+Inf"),
            ("1_000", "\"1_000\""),
            ("2001-12-14", "\"2001-12-14T00:00:00Z\""),
            ("2001-12-14t21:59:43.10-05:00", "\"2001-12-14T21:59:43-05:00\""),
            ("2001-12-14 21:59:43", "\"2001-12-14T21:59:43Z\""),
            ("2001-99-14", "\"2001-99-14\""),
            ("!!str 12", "\"12\""),
            ("!!binary aGk=", "\"aGk=\""),
            ("'12'", "\"12\""),
            ("!!int x", "refused: "),
            ("!thing x", "refused: "),
            ("# nothing", "refused: "),
            ("null", "null"),
        ] {
            assert!(shown(text).starts_with(printed), "{text} gave {}", shown(text));
        }
    }

    #[test]
    fn anchors_and_merges() {
        let text = "base: &b {x: 1, z: 2}\nown: {<<: *b, z: 3}\nalso: *b";
        let value = document(text).unwrap();
        assert_eq!(value.get("own").and_then(|v| v.get("z")), Some(&Value::number(3)));
        assert_eq!(value.get("own").and_then(|v| v.get("x")), Some(&Value::number(1)));
        assert_eq!(value.get("also"), value.get("base"));
        assert!(shown("&a [*a]").starts_with("refused: "));
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let previous = format!("*a{}, ", i - 1).repeat(10);
            bomb.push_str(&format!("a{i}: &a{i} [{previous}]\n"));
        }
        assert!(shown(&bomb).contains("more than"), "{}", shown(&bomb).len());
        assert!(shown(&"[".repeat(10_000)).starts_with("refused: "));
    }
}
