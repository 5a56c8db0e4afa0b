//! What the grammar refuses, as messages.

use std::cell::Cell;

use terrane_model::{Diagnostic, Diagnostics, FileId, Span};
use toml_parser::{ErrorSink, Expected, ParseError, Source};

/// Messages about one file; what follows is mostly the echo of the first ones.
pub(super) const MOST_MESSAGES: usize = 50;

/// The brackets and braces that are open: the reader knows them, and the messages need to.
#[derive(Default)]
pub(super) struct Brackets {
    depth: Cell<usize>,
    /// The number of the outermost ones.
    number: Cell<usize>,
}

impl Brackets {
    pub(super) fn changed(&self, depth: usize) {
        if self.depth.replace(depth) == 0 {
            self.number.set(self.number.get() + 1);
        }
    }
}

/// Turns the parser's errors into messages.
pub(super) struct Errors<'s> {
    file: FileId,
    source: Source<'s>,
    pub(super) found: Diagnostics,
    brackets: &'s Brackets,
    /// The outermost brackets inside of which a string or a comma is missing: what follows up to their end is read in the
    /// wrong way.
    lost_in: Option<usize>,
}

impl ErrorSink for Errors<'_> {
    fn report_error(&mut self, error: ParseError) {
        let here = (self.brackets.depth.get() > 0).then(|| self.brackets.number.get());
        if (here.is_some() && here == self.lost_in) || self.found.len() >= MOST_MESSAGES {
            return;
        }
        let losing =
            ["invalid basic string", "invalid literal string", "missing comma", "invalid multi-line"];
        if losing.iter().any(|l| error.description().starts_with(l)) {
            self.lost_in = here;
        }
        let place = |span: toml_parser::Span| Span::new(self.file, span.start(), span.end());
        let at = error.unexpected().or(error.context()).map(place);
        let begin = error.context().map(place).filter(|c| c.end > c.start);
        let mut diagnostic = Diagnostic::error("invalid-toml", "Invalid TOML", self.detail(&error)).at(at);
        if let (Some(at), Some(begin)) = (at, begin)
            && begin.end <= at.start
            && error.description().starts_with("unclosed")
        {
            diagnostic = diagnostic.with_related(begin, "it begins here");
        }
        self.found.push(diagnostic);
    }
}

impl<'s> Errors<'s> {
    pub(super) fn new(file: FileId, source: Source<'s>, brackets: &'s Brackets) -> Errors<'s> {
        Errors { file, source, found: Vec::new(), brackets, lost_in: None }
    }
    fn detail(&self, error: &ParseError) -> String {
        if error.description() == "string values must be quoted" {
            let text = error.unexpected().and_then(|s| self.source.get(s)).map_or("", |raw| raw.as_str());
            return match text {
                "" => "The value is missing.".to_owned(),
                text if text.starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("`{text}` is no number. A text needs quotes.")
                }
                text => format!(
                    "`{text}` needs quotes: `\"{text}\"` as a text, `\"${{{text}}}\"` as an expression."
                ),
            };
        }
        if error.description().starts_with("invalid basic string")
            && matches!(error.expected(), Some([Expected::Literal("\"")]))
        {
            return "The string is not closed before the end of the line. A text of several lines stands in `\"\"\"`."
                .to_owned();
        }
        let mut words = error.description().chars();
        let mut detail: String = words.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        detail.push_str(words.as_str());
        let expected: Vec<String> = error
            .expected()
            .unwrap_or_default()
            .iter()
            .map(|e| match e {
                Expected::Literal("\n") => "a line break".to_owned(),
                Expected::Literal(text) => format!("`{text}`"),
                Expected::Description(what) => (*what).to_owned(),
                _ => "something else".to_owned(),
            })
            .collect();
        if let Some((last, before)) = expected.split_last() {
            let list =
                if before.is_empty() { last.clone() } else { format!("{} or {last}", before.join(", ")) };
            detail.push_str(&format!("; expected {list}"));
        }
        detail.push('.');
        detail
    }
}
