//! Text of users and of AWS, made harmless for HTML and for Markdown.
//!
//! INVARIANT: nothing that goes through here begins a tag, a link, a mention, a list, a table cell or a code span, or ends
//! one, wherever it stands in a line. Line breaks do not come through.

use std::fmt::Write as _;

use crate::render::value_text::line;

/// An empty comment, which keeps GitHub from seeing what stands on both sides as one word.
const APART: &str = "<!-- -->";

/// Text inside an HTML element, or inside an attribute in quotes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Words within a line of Markdown, or within HTML that stands in Markdown. Nobody is mentioned and nothing is linked.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    // `1.` at the beginning would be a list.
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let list = digits > 0 && matches!(text.chars().nth(digits), Some('.' | ')'));
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '@' | '#' => {
                entity(&mut out, c);
                out.push_str(APART);
            }
            ':' if rest.starts_with("://") => {
                entity(&mut out, c);
                out.push_str(APART);
            }
            'w' | 'W' if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("www.")) => {
                out.push(c);
                out.push_str(APART);
            }
            '.' | ')' if list && at == digits => entity(&mut out, c),
            '-' | '+' | '=' if at == 0 => entity(&mut out, c),
            ' ' | ',' | '.' | ';' | ':' | '(' | ')' | '\'' | '"' | '/' | '%' | '?' | '!' | '-' | '+'
            | '=' => {
                out.push(c);
            }
            '\t' => out.push(' '),
            c if c.is_ascii_punctuation() => entity(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// What a user or AWS named, as code within a line of Markdown.
pub fn markdown_code(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-[]\":/,=()@+ ".contains(c) || c.is_alphabetic();
    if !text.is_empty() && text.chars().all(plain) && text.trim() == text {
        return format!("`{text}`");
    }
    html_code(text)
}

/// What a user or AWS named, as code within HTML that stands in Markdown.
pub fn html_code(text: &str) -> String {
    format!("<code>{}</code>", markdown(text))
}

/// Lines between fences that none of them can end.
pub fn fenced<'t>(language: &str, lines: impl Iterator<Item = &'t str> + Clone) -> String {
    let longest = lines.clone().map(longest_run).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}{language}\n");
    for text in lines {
        out.push_str(line(text).trim_end());
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn entity(out: &mut String, c: char) {
    // Writing into a text cannot fail.
    let _ = write!(out, "&#{};", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
        assert_eq!(markdown("*a* [b](c) | <d>"), "&#42;a&#42; &#91;b&#93;(c) &#124; &#60;d&#62;");
        assert_eq!(markdown("1. a"), "1&#46; a");
        assert_eq!(markdown("12) a 3."), "12&#41; a 3.");
        assert_eq!(markdown("- a - b"), "&#45; a - b");
        assert_eq!(markdown("a\nb"), "a&#92;u000ab");
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_is_linked() {
        assert_eq!(markdown("@all #1"), "&#64;<!-- -->all &#35;<!-- -->1");
        assert_eq!(markdown("https://x www.y WWW.z"), "https&#58;<!-- -->//x w<!-- -->ww.y W<!-- -->WW.z");
    }

    #[test]
    fn code_is_code_whatever_it_is() {
        assert_eq!(markdown_code("aws_a.b[\"c\"]"), "`aws_a.b[\"c\"]`");
        assert_eq!(markdown_code("a`|b"), "<code>a&#96;&#124;b</code>");
        assert_eq!(markdown_code(" "), "<code> </code>");
        assert_eq!(html_code("http://a"), "<code>http&#58;<!-- -->//a</code>");
        assert_eq!(html_code("a_b<"), "<code>a&#95;b&#60;</code>");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("diff", ["+ a", " ````x"].into_iter()), "`````diff\n+ a\n ````x\n`````\n");
        assert_eq!(fenced("", [].into_iter()), "```\n```\n");
    }
}
