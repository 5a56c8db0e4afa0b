//! Points in time as policies write them: W3C profiles of ISO 8601, or seconds since 1970.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date>

/// Reads a time as nanoseconds since 1970; `None` if it is none.
///
/// Accepted are `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, the last with `Thh:mm`, `Thh:mm:ss` or `Thh:mm:ss.fraction` and a zone
/// (`Z` or `+hh:mm`), and whole seconds since 1970 of any other length than four digits.
pub(crate) fn parse(text: &str) -> Option<i128> {
    let text = text.trim();
    if text.len() != 4
        && let Ok(seconds) = text.parse::<i64>()
    {
        return Some(i128::from(seconds).saturating_mul(NANOS));
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_1970(year, month, day).saturating_mul(86_400).saturating_mul(NANOS);
    match time {
        None => Some(midnight),
        // A time needs a whole date before it.
        Some(time) if date.len() == 10 => Some(midnight.saturating_add(time_of_day(time)?)),
        Some(_) => None,
    }
}

const NANOS: i128 = 1_000_000_000;

fn time_of_day(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let offset_minutes = match zone.strip_prefix(['Z', 'z']) {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
    };
    let mut parts = clock.split(':');
    let hours = digits(parts.next()?, 2)?;
    let minutes = digits(parts.next()?, 2)?;
    let (seconds, nanos) = match parts.next() {
        None => (0, 0),
        Some(part) => match part.split_once('.') {
            None => (digits(part, 2)?, 0),
            Some((whole, fraction)) => (digits(whole, 2)?, fraction_nanos(fraction)?),
        },
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(((hours * 60 + minutes - offset_minutes) * 60 + seconds) * NANOS + nanos)
}

fn fraction_nanos(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nine: String = text.chars().chain(std::iter::repeat('0')).take(9).collect();
    nine.parse().ok()
}

fn digits(text: &str, length: usize) -> Option<i128> {
    let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i128, month: i128) -> i128 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_since_1970(year: i128, month: i128, day: i128) -> i128 {
    let before = year - 1;
    let to_year = before * 365 + before / 4 - before / 100 + before / 400;
    let to_month: i128 = (1..month).map(|earlier| days_in(year, earlier)).sum();
    // 719162 days lie between the first day of year 1 and 1970.
    to_year + to_month + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i128> {
        parse(text).map(|nanos| nanos / NANOS)
    }

    #[test]
    fn the_forms_of_a_date() {
        assert_eq!(seconds("1970"), Some(0));
        assert_eq!(seconds("1970-02"), Some(31 * 86_400));
        assert_eq!(seconds("2000-03-01"), Some(951_868_800));
        assert_eq!(seconds("2019-07-16T12:00:00Z"), Some(1_563_278_400));
        assert_eq!(seconds("2019-07-16T14:00+02:00"), Some(1_563_278_400));
        assert_eq!(seconds("1563278400"), Some(1_563_278_400));
        assert_eq!(parse("1970-01-01T00:00:00.25Z"), Some(250_000_000));
    }

    #[test]
    fn what_is_no_date() {
        for text in ["", "x", "2019-13", "2019-02-29", "2019-01-01T00:00", "2019T00:00Z", "2019-01-01T24:00Z"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
