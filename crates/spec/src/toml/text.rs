//! Decoded strings, and the way back from a place in them to the bytes of the file.

use std::sync::Arc;

use terrane_expr::{OffsetMap, Origin};
use terrane_model::Span;
use toml_parser::decoder::Encoding;

/// The value of a TOML string.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text after escapes were resolved.
    pub decoded: Arc<str>,
    /// Where in the text a run begins that stands in the file byte for byte, and where in the file it begins. Sorted.
    runs: Vec<(u32, u32)>,
    /// The whole string with its quotes.
    pub span: Span,
}

impl Text {
    /// A decoded string together with the raw text that it was decoded from.
    pub fn new(decoded: Arc<str>, raw: &str, encoding: Option<Encoding>, span: Span) -> Text {
        Text { decoded, runs: runs(raw, encoding, span.start), span }
    }

    /// The beginning of this text, with the places that it has.
    pub fn beginning(&self, head: &str) -> Text {
        Text { decoded: head.into(), ..self.clone() }
    }

    /// Where the text comes from, for those who parse it.
    pub fn origin(&self) -> Origin {
        self.origin_from(0)
    }

    /// The runs of a part of the decoded text: where each begins, counted from `start`, and where in the file.
    pub fn runs_between(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, usize)> {
        let before = self.runs.partition_point(|(text, _)| (*text as usize) <= start).saturating_sub(1);
        self.runs
            .iter()
            .skip(before)
            .map(|(text, file)| (*text as usize, *file as usize))
            .take_while(move |(text, _)| *text <= start || *text < end)
            .map(move |(text, file)| match text.checked_sub(start) {
                Some(behind) => (behind, file),
                None => (0, file + (start - text)),
            })
    }

    /// Where the text behind the byte `start` of the decoded text comes from.
    pub fn origin_from(&self, start: usize) -> Origin {
        let mut map = OffsetMap::linear(self.span.start as usize);
        for (text, file) in self.runs_between(start, usize::MAX) {
            map.resume(text, file);
        }
        Origin { file: self.span.file, map }
    }
}

/// Finds the runs of a raw string that begins at `start` in its file. Broken escapes are stepped over; they are reported
/// by the decoder.
fn runs(raw: &str, encoding: Option<Encoding>, start: u32) -> Vec<(u32, u32)> {
    let multi_line = |raw: &str| match raw.get(3..) {
        Some(rest) if rest.starts_with("\r\n") => 5,
        Some(rest) if rest.starts_with('\n') => 4,
        _ => 3,
    };
    let (open, close, escapes) = match encoding {
        None => (0, 0, false),
        Some(Encoding::LiteralString) => (1, 1, false),
        Some(Encoding::BasicString) => (1, 1, true),
        Some(Encoding::MlLiteralString) => (multi_line(raw), 3, false),
        Some(Encoding::MlBasicString) => (multi_line(raw), 3, true),
    };
    let mut found = vec![(0, start.saturating_add(open))];
    let open = open as usize;
    let body = raw.get(open..raw.len().saturating_sub(close).max(open)).unwrap_or_default();
    if !escapes || !body.contains('\\') {
        return found;
    }
    let base = start.saturating_add(u32::try_from(open).unwrap_or(u32::MAX));
    let file = |offset: usize| base.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
    let decoded = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let mut at = 0; // in the body
    let mut out = 0; // in the decoded text
    while let Some(backslash) = body.get(at..).and_then(|rest| rest.find('\\')).map(|i| at + i) {
        out += backslash - at;
        let (taken, gives) = escape(body.get(backslash + 1..).unwrap_or_default());
        if gives > 0 {
            found.push((decoded(out), file(backslash)));
        }
        out += gives;
        at = (backslash + 1 + taken).min(body.len());
        found.push((decoded(out), file(at)));
    }
    found.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            earlier.1 = later.1;
        }
        same
    });
    found
}

/// How many bytes follow the backslash of an escape, and how many bytes it decodes to.
fn escape(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let code = rest.get(1..1 + digits).and_then(|d| u32::from_str_radix(d, 16).ok());
        let given = rest.bytes().skip(1).take(digits).take_while(u8::is_ascii_hexdigit).count();
        (1 + given, code.and_then(char::from_u32).map_or(3, char::len_utf8))
    };
    match rest.bytes().next() {
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len(), 0)
        }
        Some(b'b' | b'e' | b'f' | b'n' | b'r' | b't' | b'\\' | b'"') => (1, 1),
        _ => (0, 1),
    }
}
