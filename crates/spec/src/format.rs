//! The one way in which a spec's text is laid out.
//!
//! The text is printed anew token by token: every token but blank space is kept, in its order, comments too, so that
//! nothing can get lost. What is changed is blank space, and that inside of strings which are one whole `${...}`.

use terrane_model::{Diagnostics, FileId};
use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use crate::toml;

mod expression;

/// One level of arrays that go over several lines.
const INDENT: &str = "  ";

/// Whether strings of a file are templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// In a spec.
    Templates,
    /// In a file of variables.
    Plain,
}

/// Lays out a file. Formatting what it gives changes nothing.
///
/// # Errors
/// What is wrong with the TOML; `file` is what the messages point into.
pub fn format(file: FileId, text: &str, strings: Strings) -> Result<String, Diagnostics> {
    let (_, errors) = toml::read(file, text);
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut lines = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((line, tail)) = logical_line(rest) {
        lines.push(Line::read(text, line, strings));
        rest = tail;
    }
    Ok(join(&lines))
}

/// The tokens up to the end of a line at which no bracket is open, and what follows.
fn logical_line(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    if tokens.iter().all(|token| token.kind() == TokenKind::Eof) {
        return None;
    }
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.saturating_sub(1),
            TokenKind::Newline if depth == 0 => return tokens.split_at_checked(at + 1),
            _ => {}
        }
    }
    Some((tokens, &[]))
}

/// A line, or several where a value goes over more than one.
enum Line {
    Blank,
    Comment(String),
    Header(String),
    /// A key and what stands behind its `=`.
    Entry(String, String),
}

impl Line {
    fn read(text: &str, tokens: &[Token], strings: Strings) -> Line {
        let meant = |token: &&Token| {
            !matches!(token.kind(), TokenKind::Whitespace | TokenKind::Newline | TokenKind::Eof)
        };
        let written = |token: &Token| text.get(token.span().start()..token.span().end()).unwrap_or_default();
        let Some(first) = tokens.iter().find(meant) else { return Line::Blank };
        match first.kind() {
            TokenKind::Comment => Line::Comment(written(first).trim_end().to_owned()),
            TokenKind::LeftSquareBracket => {
                let mut header = String::new();
                for token in tokens.iter().filter(meant) {
                    if token.kind() == TokenKind::Comment {
                        header.push(' ');
                    }
                    header.push_str(written(token).trim_end());
                }
                Line::Header(header)
            }
            _ => {
                let equals = tokens.iter().position(|token| token.kind() == TokenKind::Equals);
                let (key, value) = tokens.split_at(equals.unwrap_or(tokens.len()));
                let key = key.iter().filter(meant).map(written).collect();
                Line::Entry(key, print_value(text, value.get(1..).unwrap_or_default(), strings))
            }
        }
    }
}

/// A value, printed token by token.
fn print_value(text: &str, tokens: &[Token], strings: Strings) -> String {
    let mut out = String::new();
    let mut depth = 0usize;
    let mut before = None;
    let mut spaced = false;
    let mut newlines = 0usize;
    for token in tokens {
        let kind = token.kind();
        let written = text.get(token.span().start()..token.span().end()).unwrap_or_default();
        let closes = matches!(kind, TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket);
        match kind {
            TokenKind::Eof => continue,
            TokenKind::Whitespace => {
                spaced = true;
                continue;
            }
            TokenKind::Newline => {
                newlines += 1;
                continue;
            }
            _ => {}
        }
        if closes {
            depth = depth.saturating_sub(1);
        }
        let opened = matches!(before, Some(TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket));
        if newlines > 0 && !out.is_empty() {
            let blank = newlines > 1 && !opened && !closes;
            out.push_str(if blank { "\n\n" } else { "\n" });
            out.push_str(&INDENT.repeat(depth));
        } else if space_between(before, kind, spaced) {
            out.push(' ');
        }
        let is_single = matches!(kind, TokenKind::BasicString | TokenKind::LiteralString);
        match (kind, strings) {
            (TokenKind::Comment, _) => out.push_str(written.trim_end()),
            (_, Strings::Templates) if is_single => out.push_str(&expression::string(written)),
            _ => out.push_str(written),
        }
        if matches!(kind, TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket) {
            depth += 1;
        }
        before = Some(kind);
        spaced = false;
        newlines = 0;
    }
    out
}

/// Whether a space stands between two tokens of a line.
fn space_between(before: Option<TokenKind>, kind: TokenKind, spaced: bool) -> bool {
    use TokenKind::{
        Atom, Comma, Comment, Dot, Equals, LeftCurlyBracket, LeftSquareBracket, RightCurlyBracket,
        RightSquareBracket,
    };
    match (before, kind) {
        (None, _) => false,
        (_, Comment) => true,
        (Some(LeftCurlyBracket), RightCurlyBracket) => false,
        (Some(LeftCurlyBracket), _) | (_, RightCurlyBracket) => true,
        (Some(LeftSquareBracket), _) | (_, RightSquareBracket | Comma) => false,
        (Some(Comma | Equals), _) | (_, Equals) => true,
        (Some(Dot), _) | (_, Dot) => false,
        // A date and a time may have a space between them.
        (Some(Atom), Atom) => spaced,
        _ => false,
    }
}

/// The lines with blank lines between tables, and the `=` of neighbours below each other.
fn join(lines: &[Line]) -> String {
    let mut out = String::new();
    let mut blank = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        match line {
            Line::Blank => {
                blank = !out.is_empty();
                at += 1;
                continue;
            }
            Line::Comment(text) => {
                // A comment above a header belongs to it.
                let behind = lines.iter().skip(at).find(|line| !matches!(line, Line::Comment(_)));
                let of_header = matches!(behind, Some(Line::Header(_)));
                let is_first = at == 0 || !matches!(lines.get(at - 1), Some(Line::Comment(_)));
                separate(&mut out, blank || (of_header && is_first));
                out.push_str(text);
                out.push('\n');
            }
            Line::Header(text) => {
                let under_comment = at > 0 && matches!(lines.get(at - 1), Some(Line::Comment(_)));
                separate(&mut out, blank || !under_comment);
                out.push_str(text);
                out.push('\n');
            }
            Line::Entry(..) => {
                separate(&mut out, blank);
                let group: Vec<(&str, &str)> = lines
                    .iter()
                    .skip(at)
                    .map_while(|line| match line {
                        Line::Entry(key, value) => Some((key.as_str(), value.as_str())),
                        _ => None,
                    })
                    .collect();
                at += group.len();
                entries(&mut out, &group);
                blank = false;
                continue;
            }
        }
        blank = false;
        at += 1;
    }
    out
}

fn separate(out: &mut String, blank: bool) {
    if blank && !out.is_empty() {
        out.push('\n');
    }
}

/// Neighbours. A value over several lines ends the alignment behind it.
fn entries(out: &mut String, group: &[(&str, &str)]) {
    for run in group.chunk_by(|a, _| !a.1.contains('\n')) {
        let width = run.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in run {
            let padding = " ".repeat(width.saturating_sub(key.chars().count()));
            out.push_str(&format!("{key}{padding} = {value}\n"));
        }
    }
}

#[cfg(test)]
mod tests;
