//! Blank space in strings that are one whole `${...}`.

use terrane_expr::{Origin, parse_expression};
use terrane_model::FileId;

/// Operators with a space on both sides, longer ones first. Signs that may stand alone before a value, or in a name, are
/// not among them.
const SPACED: [&str; 9] = ["==", "!=", "<=", ">=", "&&", "||", "=>", "?", ":"];

/// A TOML string of one line, its expression laid out where it is one. Others come back as they are.
pub(super) fn string(raw: &str) -> String {
    laid_out(raw).unwrap_or_else(|| raw.to_owned())
}

fn laid_out(raw: &str) -> Option<String> {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = raw.strip_prefix(quote)?.strip_suffix(quote)?;
    // With escapes, what is written is not what is meant.
    if quote == '"' && inside.contains('\\') {
        return None;
    }
    let expression = inside.strip_prefix("${")?.strip_suffix('}')?;
    // `${~` strips, and heredocs and comments end at line ends.
    if expression.starts_with('~') || expression.ends_with('~') || expression.contains(['\n', '#']) {
        return None;
    }
    if ["//", "/*", "<<"].iter().any(|mark| expression.contains(mark)) {
        return None;
    }
    let printed = print(expression)?;
    let parses = |text: &str| parse_expression(text, &Origin::linear(FileId(0), 0)).is_ok();
    (parses(expression) && parses(&printed)).then(|| format!("{quote}${{{printed}}}{quote}"))
}

/// The expression with its blank space outside of quotes laid out. Nothing when a quote is not closed.
fn print(expression: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = expression.trim();
    while let Some(next) = rest.chars().next() {
        if next == '"' {
            let length = quoted(rest)?;
            let (text, tail) = rest.split_at_checked(length)?;
            out.push_str(text);
            rest = tail;
            continue;
        }
        if next.is_whitespace() {
            rest = rest.trim_start();
            let after_open = out.ends_with(['(', '[', ' ']);
            if !after_open && !rest.starts_with([')', ']', ',', ' ']) {
                out.push(' ');
            }
            continue;
        }
        if let Some(operator) = SPACED.iter().find(|operator| rest.starts_with(**operator)) {
            // `::` joins the parts of a name.
            if let Some(tail) = rest.strip_prefix("::") {
                out.push_str("::");
                rest = tail;
                continue;
            }
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
            out.push_str(operator);
            rest = rest.strip_prefix(*operator)?.trim_start();
            if !rest.is_empty() {
                out.push(' ');
            }
            continue;
        }
        out.push(next);
        rest = rest.strip_prefix(next)?;
        if next == ',' && !rest.is_empty() {
            rest = rest.trim_start();
            if !rest.starts_with([')', ']']) {
                out.push(' ');
            }
        }
    }
    Some(out)
}

/// How long a quoted template at the beginning of the text is, with its quotes. Templates inside it may hold quotes.
fn quoted(text: &str) -> Option<usize> {
    let mut depth: Vec<char> = Vec::new();
    let mut previous = ' ';
    let mut skip = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut skip) {
            previous = ' ';
            continue;
        }
        match (depth.last().copied(), c) {
            (Some('"'), '\\') => skip = true,
            (Some('"'), '"') => {
                depth.pop();
                if depth.is_empty() {
                    return Some(at + 1);
                }
            }
            (Some('"'), '{') if matches!(previous, '$' | '%') => depth.push('{'),
            (Some('"'), _) => {}
            (_, '"') => depth.push('"'),
            (Some(_), '{') => depth.push('{'),
            (Some(_), '}') => {
                depth.pop();
            }
            _ => {}
        }
        // `$${` is no template.
        previous = if c == previous { ' ' } else { c };
    }
    None
}
