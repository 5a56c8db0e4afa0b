//! Regular expressions in RE2 syntax, on the `regex` crate: both match in linear time.
//!
//! The syntaxes differ in a few places, which [`translate`] evens out: in RE2 `\d`, `\w`, `\s` and `\b` mean ASCII, a `{`
//! that opens no repetition is a literal, `\Q..\E` quotes, and a `[` or `&&` inside a class is a literal.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use regex::{Captures, Regex, RegexBuilder};
use terrane_model::{Type, Value};

use super::{Fault, Given, Outcome};
use crate::eval::MAX_TEXT;

/// A compiled pattern may take so much memory, in bytes.
const MAX_PROGRAM: usize = 4 << 20;
/// So many compiled patterns are kept.
const MAX_KEPT: usize = 256;

static KEPT: OnceLock<Mutex<HashMap<String, Regex>>> = OnceLock::new();

/// Compiles a pattern, or takes it from those compiled before.
fn compile(pattern: &str) -> Result<Regex, String> {
    let kept = KEPT.get_or_init(Mutex::default);
    if let Some(regex) = kept.lock().ok().and_then(|kept| kept.get(pattern).cloned()) {
        return Ok(regex);
    }
    let translated = translate(pattern)?;
    let regex = RegexBuilder::new(&translated)
        .size_limit(MAX_PROGRAM)
        .dfa_size_limit(MAX_PROGRAM)
        .octal(false)
        .build()
        .map_err(|error| explain(&error))?;
    if let Ok(mut kept) = kept.lock() {
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), regex.clone());
    }
    Ok(regex)
}

fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large, since its repetitions multiply".into(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            format!("the pattern is invalid: {last}")
        }
    }
}

/// From RE2 to the syntax of the `regex` crate.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    let mut rest_from = 0;
    while let Some(c) = chars.next() {
        rest_from += c.len_utf8();
        let rest = pattern.get(rest_from..).unwrap_or("");
        let at_class_start = std::mem::take(&mut class_start);
        match c {
            '\\' => {
                let Some(next) = chars.next() else { return Err("the pattern ends in a lone `\\`".into()) };
                rest_from += next.len_utf8();
                if next == 'Q' {
                    let quoted = pattern.get(rest_from..).unwrap_or("");
                    let length = quoted.find("\\E").unwrap_or(quoted.len());
                    let literal = quoted.get(..length).unwrap_or("");
                    out.push_str(&regex::escape(literal));
                    let skip = (length + 2).min(quoted.len());
                    rest_from += skip;
                    chars = pattern.get(rest_from..).unwrap_or("").chars().peekable();
                    continue;
                }
                escape(next, in_class, &mut out)?;
                let named = pattern.get(rest_from..).unwrap_or("");
                if matches!(next, 'p' | 'P' | 'x') && named.starts_with('{') {
                    let length = named.find('}').map_or(named.len(), |i| i + 1);
                    out.push_str(named.get(..length).unwrap_or(""));
                    rest_from += length;
                    chars = pattern.get(rest_from..).unwrap_or("").chars().peekable();
                }
            }
            '[' if in_class => match rest.starts_with(':') && rest.contains(":]") {
                true => {
                    // A named class such as [:alpha:] is copied as it is.
                    let length = rest.find(":]").map_or(0, |i| i + 2);
                    out.push('[');
                    out.push_str(rest.get(..length).unwrap_or(""));
                    rest_from += length;
                    chars = pattern.get(rest_from..).unwrap_or("").chars().peekable();
                }
                false => out.push_str("\\["),
            },
            '[' => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    rest_from += 1;
                    out.push('^');
                }
            }
            // Right behind the opening bracket it is a literal.
            ']' if in_class && at_class_start => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && rest.starts_with('-') => out.push_str("\\-"),
            '{' if !in_class && !opens_repetition(rest) => out.push_str("\\{"),
            '}' if !in_class && !closes_repetition(&out) => out.push_str("\\}"),
            '(' if !in_class && rest.starts_with('?') => {
                check_group(rest)?;
                out.push('(');
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn escape(next: char, in_class: bool, out: &mut String) -> Result<(), String> {
    let ascii = match next {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\x0C\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\x0C\\r ",
        'b' if !in_class => {
            out.push_str("(?-u:\\b)");
            return Ok(());
        }
        'C' => return Err("`\\C` is not supported".into()),
        '0'..='9' => return Err("back references and octal escapes are not supported".into()),
        c if c.is_ascii_alphanumeric() || c == '<' || c == '>' => {
            if matches!(c, '<' | '>' | 'Z' | 'K' | 'G' | 'R' | 'X' | 'h' | 'H' | 'N' | 'V' | 'u' | 'U') {
                return Err(format!("there is no escape `\\{c}`"));
            }
            out.push('\\');
            out.push(c);
            return Ok(());
        }
        c => {
            out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
            return Ok(());
        }
    };
    match in_class && !ascii.starts_with('^') {
        true => out.push_str(ascii),
        false => {
            out.push('[');
            out.push_str(ascii);
            out.push(']');
        }
    }
    Ok(())
}

/// Whether what follows a `{` makes it a repetition.
fn opens_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    match inside.split_once(',') {
        Some((min, max)) => !min.is_empty() && digits(min) && digits(max),
        None => !inside.is_empty() && digits(inside),
    }
}

fn closes_repetition(before: &str) -> bool {
    let Some((text, inside)) = before.rsplit_once('{') else { return false };
    !text.ends_with('\\') && !inside.contains('}') && opens_repetition(&format!("{inside}}}"))
}

/// What RE2 does not know is refused by name.
fn check_group(rest: &str) -> Result<(), String> {
    let look_around = ["?=", "?!", "?<=", "?<!"];
    if look_around.iter().any(|l| rest.starts_with(l)) {
        return Err("look-around is not supported".into());
    }
    let flags = rest.trim_start_matches('?').split([')', ':']).next().unwrap_or("");
    let is_flags = flags.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    match is_flags && flags.chars().any(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
        true => Err(format!("there is no flag group `(?{flags}`")),
        false => Ok(()),
    }
}

/// How the result of a match is shaped.
enum Shape {
    Whole,
    Groups,
    Named(Vec<String>),
}

fn shape(regex: &Regex) -> Result<Shape, String> {
    let names: Vec<String> = regex.capture_names().flatten().map(str::to_owned).collect();
    let groups = regex.captures_len() - 1;
    match (groups, names.len()) {
        (0, _) => Ok(Shape::Whole),
        (_, 0) => Ok(Shape::Groups),
        (groups, named) if groups == named => Ok(Shape::Named(names)),
        _ => Err("either all of its groups have names, or none".into()),
    }
}

fn result_of(captures: &Captures<'_>, shape: &Shape) -> Value {
    let group = |found: Option<regex::Match<'_>>| match found {
        Some(found) => Value::from(found.as_str()),
        None => Value::null(Type::String),
    };
    match shape {
        Shape::Whole => group(captures.get(0)),
        Shape::Groups => Value::tuple(captures.iter().skip(1).map(group)),
        Shape::Named(names) => {
            Value::object(names.iter().map(|name| (name.as_str(), group(captures.name(name)))))
        }
    }
}

fn shape_type(regex: &Regex, shape: &Shape) -> Type {
    match shape {
        Shape::Whole => Type::String,
        Shape::Groups => Type::tuple((1..regex.captures_len()).map(|_| Type::String)),
        Shape::Named(names) => Type::object(names.iter().map(|n| (n.as_str(), Type::String))),
    }
}

/// The first match.
pub(super) fn regex(given: &Given<'_>) -> Outcome {
    let regex = compile(given.text(0)?).map_err(|e| Fault::at(0, e))?;
    let shape = shape(&regex).map_err(|e| Fault::at(0, e))?;
    match regex.captures(given.text(1)?) {
        Some(captures) => Ok(result_of(&captures, &shape)),
        None => Err(Fault::new("the pattern did not match any part of the text")),
    }
}

/// All matches.
pub(super) fn regex_all(given: &Given<'_>) -> Outcome {
    let regex = compile(given.text(0)?).map_err(|e| Fault::at(0, e))?;
    let shape = shape(&regex).map_err(|e| Fault::at(0, e))?;
    let matches: Vec<Value> =
        regex.captures_iter(given.text(1)?).map(|captures| result_of(&captures, &shape)).collect();
    Ok(Value::list(shape_type(&regex, &shape), matches))
}

/// The type that a match of this pattern will have; any while the pattern is unknown or invalid.
pub(super) fn regex_type(given: &[Value]) -> Type {
    let compiled = given.first().and_then(Value::as_str).and_then(|pattern| compile(pattern).ok());
    compiled.and_then(|regex| Some(shape_type(&regex, &shape(&regex).ok()?))).unwrap_or(Type::Any)
}

pub(super) fn regex_all_type(given: &[Value]) -> Type {
    Type::list(regex_type(given))
}

/// Replaces text, or what matches a pattern that is written between slashes.
pub(super) fn replace(given: &Given<'_>) -> Outcome {
    let (text, wanted, replacement) = (given.text(0)?, given.text(1)?, given.text(2)?);
    let pattern = wanted.strip_prefix('/').and_then(|w| w.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let count = text.matches(wanted).count();
        check_length(count, replacement.len())?;
        return Ok(Value::from(text.replace(wanted, replacement)));
    };
    let regex = compile(pattern).map_err(Fault::new)?;
    let count = regex.find_iter(text).count();
    check_length(count, replacement.len().saturating_add(text.len() * replacement.matches('$').count()))?;
    Ok(Value::from(&*regex.replace_all(text, replacement)))
}

fn check_length(count: usize, each: usize) -> Result<(), Fault> {
    match count.checked_mul(each).is_some_and(|length| length <= MAX_TEXT) {
        true => Ok(()),
        false => Err(Fault::new("the text would grow too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn first(pattern: &str, text: &str) -> Result<Option<String>, String> {
        Ok(compile(pattern)?.find(text).map(|m| m.as_str().to_owned()))
    }

    #[test]
    fn classes_mean_ascii() {
        assert_eq!(first(r"\d+", "٣12"), Ok(Some("12".into())));
        assert_eq!(first(r"\w+", "éab_1"), Ok(Some("ab_1".into())));
        assert_eq!(first(r"[\d.]+", "v1.2"), Ok(Some("1.2".into())));
        assert_eq!(first(r"[^\d]+", "12ab"), Ok(Some("ab".into())));
        assert_eq!(first(r"[\D]+", "12ab"), Ok(Some("ab".into())));
        assert_eq!(first(r"\bcat\b", "a cat!"), Ok(Some("cat".into())));
        assert_eq!(first(r"\pL+", "12éa"), Ok(Some("éa".into())));
        assert_eq!(first(r"\p{Greek}", "aα"), Ok(Some("α".into())));
    }

    #[test]
    fn what_is_a_literal_there_is_one_here() {
        assert_eq!(first("{a}", "x{a}"), Ok(Some("{a}".into())));
        assert_eq!(first("a{2}", "aaa"), Ok(Some("aa".into())));
        assert_eq!(first("a{,2}", "a{,2}"), Ok(Some("a{,2}".into())));
        assert_eq!(first("[[a]+", "x[a"), Ok(Some("[a".into())));
        assert_eq!(first("[a&&b]+", "x&a"), Ok(Some("&a".into())));
        assert_eq!(first("[]a]+", "x]a"), Ok(Some("]a".into())));
        assert_eq!(first("[[:alpha:]]+", "1ab"), Ok(Some("ab".into())));
        assert_eq!(first(r"\Qa.b\E+", "xa.bb"), Ok(Some("a.bb".into())));
        assert_eq!(first(r"\/\-\_", "/-_"), Ok(Some("/-_".into())));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for pattern in
            ["a(?=b)", "(?<!a)b", r"(a)\1", "(", "a**b{", "[z-a]", "(?x) a", r"a\", "a{1001}", r"\Z", "*"]
        {
            let compiled = compile(pattern);
            let by_size = pattern == "a{1001}" || pattern == "a**b{";
            assert!(compiled.is_err() || by_size, "{pattern}");
        }
    }

    #[test]
    fn explosive_patterns_are_refused_or_answered_at_once() {
        let start = Instant::now();
        assert!(compile("((a{100}){100}){100}").is_err());
        assert_eq!(first("(a+)+$", &format!("{}b", "a".repeat(5000))), Ok(None));
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
