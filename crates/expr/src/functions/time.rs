//! Times in RFC 3339, durations as `1h30m`.

use std::time::SystemTime;

use terrane_model::{Type, Value};
use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

use super::{Fault, Given, Outcome, unknown};

/// Reads `2018-01-02T23:12:01Z` or with an offset; a fraction of a second is allowed.
pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mark = |at: usize, c: u8| (text.as_bytes().get(at) == Some(&c)).then_some(());
    for (at, c) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        mark(at, c)?;
    }
    let small = |from, to| u8::try_from(number(from, to)?).ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(small(5, 7)?).ok()?, small(8, 10)?).ok()?;
    let mut rest = text.get(19..)?;
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let digits = fraction.get(..length).filter(|d| !d.is_empty())?;
        nanoseconds = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        rest = fraction.get(length..)?;
    }
    let time = Time::from_hms_nano(small(11, 13)?, small(14, 16)?, small(17, 19)?, nanoseconds).ok()?;
    let offset = match rest {
        "Z" => UtcOffset::UTC,
        _ => {
            let sign = match rest.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            let two = |s: &str| -> Option<i8> {
                (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            if hours > 24 || minutes > 59 {
                return None;
            }
            UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?
        }
    };
    Some(date.with_time(time).assume_offset(offset))
}

/// In whole seconds.
pub(super) fn print_time(time: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        if time.offset().is_utc() { "Z".into() } else { print_offset(time.offset(), ":") }
    )
}

fn print_offset(offset: UtcOffset, colon: &str) -> String {
    let sign = if offset.whole_seconds() < 0 { '-' } else { '+' };
    let (hours, minutes, _) = offset.as_hms();
    format!("{sign}{:02}{colon}{:02}", hours.abs(), minutes.abs())
}

fn time_at(given: &Given<'_>, place: usize) -> Result<OffsetDateTime, Fault> {
    let text = given.text(place)?;
    parse_time(text).ok_or_else(|| {
        Fault::at(
            place,
            format!("`{text}` is no time such as `2018-01-02T23:12:01Z` or `2018-01-02T23:12:01+02:00`"),
        )
    })
}

pub(super) fn time_cmp(given: &Given<'_>) -> Outcome {
    let order = time_at(given, 0)?.cmp(&time_at(given, 1)?);
    Ok(Value::number(order as i64))
}

pub(super) fn time_add(given: &Given<'_>) -> Outcome {
    let time = time_at(given, 0)?;
    let text = given.text(1)?;
    let duration = parse_duration(text)
        .ok_or_else(|| Fault::at(1, format!("`{text}` is no duration such as `1h30m` or `-10s`")))?;
    match time.checked_add(duration).filter(|t| (0..=9999).contains(&t.year())) {
        Some(time) => Ok(Value::from(print_time(time))),
        None => Err(Fault::new("the result lies outside the years 0 to 9999")),
    }
}

/// Units `ns`, `us`, `ms`, `s`, `m` and `h`, each with a number that may have a fraction; at most about 292 years.
fn parse_duration(text: &str) -> Option<Duration> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanoseconds: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at_checked(length)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let unit_length = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_length)?;
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.into() };
        let fraction = fraction.get(..fraction.len().min(18))?;
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse::<i64>().ok()?.into() };
        let power = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        nanoseconds =
            nanoseconds.checked_add(whole.checked_mul(scale)?)?.checked_add(part * scale / power)?;
        rest = tail;
    }
    let nanoseconds = i64::try_from(nanoseconds).ok()?;
    Some(Duration::nanoseconds(if negative { -nanoseconds } else { nanoseconds }))
}

/// The time of the plan. It exists only where there is one.
pub(super) fn plan_timestamp(given: &Given<'_>) -> Outcome {
    match &given.context.plan_time {
        Some(time) => Ok(Value::string(time.clone())),
        None => Err(Fault::new("there is no plan here")),
    }
}

/// The time now; unknown while planning.
pub(super) fn timestamp(given: &Given<'_>) -> Outcome {
    let Some(impure) = &given.context.impure else { return Ok(unknown(Type::String)) };
    let since = impure.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(time) => Ok(Value::from(print_time(time))),
        Err(_) => Err(Fault::new("the clock is set to a time beyond all years")),
    }
}

/// Letters stand for parts of the time; text stands in single quotes.
pub(super) fn format_date(given: &Given<'_>) -> Outcome {
    let time = time_at(given, 1)?;
    let mut out = String::new();
    let mut rest = given.text(0)?;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest =
                quoted(rest, &mut out).ok_or_else(|| Fault::at(0, "a single quote in it is not closed"))?;
            continue;
        }
        let length = match first.is_ascii_alphabetic() {
            true => rest.find(|c| c != first).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (run, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match first.is_ascii_alphabetic() {
            true => out.push_str(&part(run, time).ok_or_else(|| {
                Fault::at(0, format!("`{run}` in it stands for nothing; text stands in single quotes"))
            })?),
            false => out.push_str(run),
        }
        rest = tail;
    }
    Ok(Value::from(out))
}

/// Copies quoted text; two quotes in it stand for one.
fn quoted<'t>(text: &'t str, out: &mut String) -> Option<&'t str> {
    let mut rest = text.get(1..)?;
    loop {
        let (literal, tail) = rest.split_once('\'')?;
        out.push_str(literal);
        match tail.strip_prefix('\'') {
            Some(more) => {
                out.push('\'');
                rest = more;
            }
            None => return Some(tail),
        }
    }
}

fn part(run: &str, time: OffsetDateTime) -> Option<String> {
    let short = |name: String| name.chars().take(3).collect::<String>();
    let hour_12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    Some(match run {
        "YYYY" => format!("{:04}", time.year()),
        "YY" => format!("{:02}", time.year() % 100),
        "MMMM" => time.month().to_string(),
        "MMM" => short(time.month().to_string()),
        "MM" => format!("{:02}", u8::from(time.month())),
        "M" => u8::from(time.month()).to_string(),
        "DD" => format!("{:02}", time.day()),
        "D" => time.day().to_string(),
        "EEEE" => time.weekday().to_string(),
        "EEE" => short(time.weekday().to_string()),
        "hh" => format!("{:02}", time.hour()),
        "h" => time.hour().to_string(),
        "HH" => format!("{hour_12:02}"),
        "H" => hour_12.to_string(),
        "AA" => if time.hour() < 12 { "AM" } else { "PM" }.into(),
        "aa" => if time.hour() < 12 { "am" } else { "pm" }.into(),
        "mm" => format!("{:02}", time.minute()),
        "m" => time.minute().to_string(),
        "ss" => format!("{:02}", time.second()),
        "s" => time.second().to_string(),
        "ZZZZZ" => print_offset(time.offset(), ":"),
        "ZZZZ" => print_offset(time.offset(), ""),
        "ZZZ" if time.offset().is_utc() => "UTC".into(),
        "ZZZ" => print_offset(time.offset(), ""),
        "Z" if time.offset().is_utc() => "Z".into(),
        "Z" => print_offset(time.offset(), ":"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for text in ["2018-01-02T23:12:01Z", "2018-01-02T23:12:01-08:00", "0000-02-29T00:00:00+02:30"] {
            assert_eq!(parse_time(text).map(print_time).as_deref(), Some(text));
        }
        assert_eq!(parse_time("2018-01-02T23:12:01.25Z").map(|t| t.nanosecond()), Some(250_000_000));
        for text in [
            "2018-01-02",
            "2018-13-02T00:00:00Z",
            "2018-01-02t00:00:00Z",
            "2018-02-30T00:00:00Z",
            "2018-01-02T24:00:00Z",
            "2018-01-02T00:00:00",
            "2018-01-02T00:00:00+2:30",
            "",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_go_durations() {
        for (text, seconds) in
            [("1h30m", 5400.0), ("-10m", -600.0), ("1.5s", 1.5), ("0", 0.0), ("+1ms", 0.001), (".5h", 1800.0)]
        {
            assert_eq!(parse_duration(text).map(|d| d.as_seconds_f64()), Some(seconds), "{text}");
        }
        for text in ["", "1", "1d", "h", "1h-", "1..5s", "9999999999999h", "-"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
