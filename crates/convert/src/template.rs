//! Templates: quoted strings with `${...}` in them, and heredocs.

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, HeredocTemplate, Strip};
use terrane_spec::write;

use crate::hcl::Source;

/// A piece of a template.
enum Piece {
    /// Text as it is meant.
    Text(String),
    /// `${...}` or one part of a `%{...}`.
    Code(String, Strip),
}

/// The text of a quoted template.
pub(crate) fn quoted<'e>(source: &Source, elements: impl Iterator<Item = &'e Element>) -> String {
    let mut pieces = Vec::new();
    collect(source, elements, false, &mut pieces);
    let mut out = String::new();
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Code(code, _) => out.push_str(&code),
            Piece::Text(text) => {
                let opens = matches!(pieces.peek(), Some(Piece::Code(..)));
                // A mark before an opening brace would escape it.
                match text.strip_suffix(['$', '%']) {
                    Some(start) if opens => {
                        let mark = text.get(start.len()..).unwrap_or_default();
                        out.push_str(&format!("{}${{\"{mark}\"}}", write::template(start)));
                    }
                    _ => out.push_str(&write::template(&text)),
                }
            }
        }
    }
    out
}

/// The text of a heredoc, in which nothing but `$${` and `%%{` is escaped, as in a template of a spec.
pub(crate) fn heredoc(source: &Source, heredoc: &HeredocTemplate, written: &str) -> String {
    let mut pieces = Vec::new();
    collect(source, heredoc.template.iter(), true, &mut pieces);
    if written.starts_with("<<-") {
        pieces = flushed(pieces);
    }
    let text = |piece| match piece {
        Piece::Text(text) | Piece::Code(text, _) => text,
    };
    pieces.into_iter().map(text).collect()
}

fn collect<'e>(
    source: &Source,
    elements: impl Iterator<Item = &'e Element>,
    raw: bool,
    pieces: &mut Vec<Piece>,
) {
    for element in elements {
        match element {
            Element::Literal(text) if raw => {
                let written = text.span().and_then(|range| source.text.get(range)).unwrap_or_default();
                lines(&written.replace("\r\n", "\n"), pieces);
            }
            Element::Literal(text) => pieces.push(Piece::Text(text.to_string())),
            Element::Interpolation(value) => {
                pieces.push(code('$', value.strip, source.written(&value.expr)));
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(parts) => {
                    let condition = format!("if {}", source.written(&parts.if_expr.cond_expr));
                    pieces.push(code('%', parts.if_expr.strip, &condition));
                    collect(source, parts.if_expr.template.iter(), raw, pieces);
                    if let Some(other) = &parts.else_expr {
                        pieces.push(code('%', other.strip, "else"));
                        collect(source, other.template.iter(), raw, pieces);
                    }
                    pieces.push(code('%', parts.endif_expr.strip, "endif"));
                }
                Directive::For(parts) => {
                    let head = &parts.for_expr;
                    let key =
                        head.key_var.as_ref().map(|key| format!("{}, ", key.as_str())).unwrap_or_default();
                    let value = head.value_var.as_str();
                    let collection = source.written(&head.collection_expr);
                    pieces.push(code('%', head.strip, &format!("for {key}{value} in {collection}")));
                    collect(source, head.template.iter(), raw, pieces);
                    pieces.push(code('%', parts.endfor_expr.strip, "endfor"));
                }
            },
        }
    }
}

/// A line each, as shared indentation is counted by lines.
fn lines(text: &str, pieces: &mut Vec<Piece>) {
    pieces.extend(text.split_inclusive('\n').map(|line| Piece::Text(line.to_owned())));
}

fn code(mark: char, strip: Strip, inside: &str) -> Piece {
    let space = if mark == '%' { " " } else { "" };
    let open = if matches!(strip, Strip::Start | Strip::Both) { "~ " } else { space };
    let close = if matches!(strip, Strip::End | Strip::Both) { " ~" } else { space };
    Piece::Code(format!("{mark}{{{open}{inside}{close}}}"), strip)
}

/// Takes the indentation that all lines share away. It is counted after strip marks have done their work, each of which
/// reaches over one piece; a line of nothing but blank space does not count, and a marker at the start of a line has no
/// indentation.
fn flushed(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let mut starts = Vec::new();
    let mut least = usize::MAX;
    let mut at_line_start = true;
    let mut strips_next = false;
    for (at, piece) in pieces.iter().enumerate() {
        let starts_line = std::mem::replace(&mut at_line_start, false);
        let stripped = std::mem::replace(&mut strips_next, false);
        match piece {
            Piece::Text(text) => {
                let text = if stripped { text.trim_start() } else { text };
                let strips = matches!(pieces.get(at + 1), Some(Piece::Code(_, Strip::Start | Strip::Both)));
                let text = if strips { text.trim_end() } else { text };
                at_line_start = text.ends_with('\n');
                let is_blank = at_line_start && text.trim().is_empty();
                if starts_line && !is_blank {
                    least = least.min(text.chars().take_while(|c| c.is_whitespace()).count());
                    starts.push(at);
                }
            }
            Piece::Code(_, strip) => {
                strips_next = matches!(strip, Strip::End | Strip::Both);
                if starts_line {
                    least = 0;
                }
            }
        }
    }
    for at in starts {
        if let Some(Piece::Text(text)) = pieces.get_mut(at) {
            *text = text.chars().skip(least).collect();
        }
    }
    pieces
}
