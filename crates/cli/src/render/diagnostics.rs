//! Messages as people read them: what is wrong, where in the spec, why, and what to do.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use terrane_model::{Diagnostic, FileId, Severity, Sources, Span};

use super::paint::{Paint, Tone};
use super::value_text::line;

/// Longer lines are not shown as source, as a plan's or state's JSON on one line would be.
const LONGEST_LINE: usize = 400;

/// How messages are written.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// Colours.
    pub paint: Paint,
    /// What leads from where the command runs to the stack; empty where that is the same.
    pub folder: &'a str,
}

/// All messages, errors last, so that they stand nearest to the prompt. Each ends with an empty line.
pub fn all(diagnostics: &[Diagnostic], sources: &Sources, manner: Manner<'_>) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.severity);
    sorted.into_iter().map(|diagnostic| one(diagnostic, sources, manner)).collect()
}

/// One line for all warnings together, and the errors in full.
pub fn compact_warnings(diagnostics: &[Diagnostic], sources: &Sources, manner: Manner<'_>) -> String {
    let (errors, warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        diagnostics.iter().partition(|diagnostic| diagnostic.is_error());
    let mut out = String::new();
    if !warnings.is_empty() {
        out.push_str(&manner.paint.tone(Tone::Warning, "Warnings:"));
        out.push_str("\n\n");
        for warning in warnings {
            let place = warning.span.and_then(|span| place(span, sources, manner)).unwrap_or_default();
            out.push_str(&format!("- {}{place}\n", warning.summary));
        }
        out.push('\n');
    }
    out.extend(errors.into_iter().map(|error| one(error, sources, manner)));
    out
}

/// A message in sentences on one line, with its place behind it, for where there is no room to point into the spec.
pub fn sentences(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let manner = Manner { paint: Paint::default(), folder: "" };
    let place = diagnostic.span.and_then(|span| place(span, sources, manner)).unwrap_or_default();
    let place = place.strip_prefix(" at ").map(|place| format!(" (`{place}`)")).unwrap_or_default();
    format!("{}: {}{place}", diagnostic.summary, diagnostic.detail.replace('\n', " "))
}

fn place(span: Span, sources: &Sources, manner: Manner<'_>) -> Option<String> {
    let file = sources.get(span.file)?;
    let position = sources.position(span.file, span.start)?;
    Some(format!(" at {}:{}", path(&file.name, manner), position.line))
}

/// One message, with an empty line behind it.
pub fn one(diagnostic: &Diagnostic, sources: &Sources, manner: Manner<'_>) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR.with_name("Error"),
        Severity::Warning => Level::WARNING.with_name("Warning"),
    };
    let title: Group<'_> =
        level.primary_title(diagnostic.summary).elements(snippets(diagnostic, sources, manner));
    let renderer = if manner.paint.is_on() { Renderer::styled() } else { Renderer::plain() };
    let mut out = renderer.decor_style(DecorStyle::Ascii).render(&[title]).trim_end().to_owned();
    out.push_str("\n\n");
    if let Some(address) = &diagnostic.address
        && !diagnostic.detail.contains(&address.to_string())
    {
        out.push_str(&format!("This is about {}.\n", line(&address.to_string())));
    }
    for part in diagnostic.detail.split('\n') {
        out.push_str(&format!("{}\n", line(part)));
    }
    for hint in &diagnostic.hints {
        out.push_str(&format!("{} {}\n", manner.paint.tone(Tone::Read, "hint:"), line(hint)));
    }
    out.push('\n');
    out
}

/// The places in the order of the files, each file once.
fn snippets<'s>(
    diagnostic: &'s Diagnostic,
    sources: &'s Sources,
    manner: Manner<'_>,
) -> Vec<Snippet<'s, Annotation<'s>>> {
    let mut files: Vec<(FileId, Vec<Annotation<'s>>)> = Vec::new();
    let primary = diagnostic.span.map(|span| (span, AnnotationKind::Primary, None));
    let related =
        diagnostic.related.iter().map(|(span, label)| (*span, AnnotationKind::Context, Some(label)));
    for (span, kind, label) in primary.into_iter().chain(related) {
        let Some(range) = range(span, sources) else { continue };
        let annotation = kind.span(range);
        let annotation = match label {
            Some(label) => annotation.label(label.as_str()),
            None => annotation,
        };
        match files.iter_mut().find(|(file, _)| *file == span.file) {
            Some((_, annotations)) => annotations.push(annotation),
            None => files.push((span.file, vec![annotation])),
        }
    }
    files
        .into_iter()
        .filter_map(|(file, annotations)| {
            let file = sources.get(file)?;
            let snippet = Snippet::source(file.text.as_ref()).path(path(&file.name, manner)).fold(true);
            Some(snippet.annotations(annotations))
        })
        .collect()
}

/// The bytes to underline: on a line of their own, and never beyond the text.
fn range(span: Span, sources: &Sources) -> Option<Range<usize>> {
    let text = &sources.get(span.file)?.text;
    let whole = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (whole(span.start as usize), whole(span.end as usize));
    let rest = text.get(start..)?;
    let line_end = start + rest.find('\n').unwrap_or(rest.len());
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |i| i + 1);
    if line_end - line_start > LONGEST_LINE {
        return None;
    }
    // What spans several lines is a table or a long expression: its first line says which.
    Some(start..end.min(line_end).max(start))
}

fn path<'n>(name: &'n str, manner: Manner<'_>) -> Cow<'n, str> {
    match manner.folder.is_empty()
        || name.starts_with('-')
        || !name.ends_with(".toml")
        || name.starts_with('/')
    {
        true => name.into(),
        false => format!("{}/{name}", manner.folder.trim_end_matches('/')).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Manner<'static> {
        Manner { paint: Paint::default(), folder: "" }
    }

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("terrane.toml", "[resource.aws_kms_key.a]\ndescriptoin = \"é\"\n");
        sources.add("b.terrane.toml", "[locals]\nx = 1\n");
        sources
    }

    #[test]
    fn a_message_points_into_the_spec() {
        let error = Diagnostic::error("unknown-argument", "Unknown argument", "There is no `descriptoin`.")
            .at(Span::new(FileId(0), 25, 36))
            .hint("Look at the list.");
        let text = "Error: Unknown argument\n \
                    --> stacks/a/terrane.toml:2:1\n  \
                    |\n\
                    2 | descriptoin = \"é\"\n  \
                    | ^^^^^^^^^^^\n\n\
                    There is no `descriptoin`.\n\
                    hint: Look at the list.\n\n";
        assert_eq!(one(&error, &sources(), Manner { folder: "stacks/a", ..plain() }), text);
    }

    #[test]
    fn a_message_without_a_place_and_one_with_two_files() {
        let error = Diagnostic::error("x", "Nothing there", "Nothing.").about(&"aws_a.b".parse().unwrap());
        let text = one(&error, &sources(), plain());
        assert!(text.starts_with("Error: Nothing there\n"), "{text}");
        assert!(text.contains("This is about aws_a.b."), "{text}");
        let error = Diagnostic::warning("x", "Twice", "Twice.")
            .at(Span::new(FileId(0), 0, 4))
            .with_related(Span::new(FileId(1), 0, 8), "first here");
        let text = one(&error, &sources(), plain());
        assert!(text.starts_with("Warning: Twice\n"), "{text}");
        assert!(text.contains("b.terrane.toml") && text.contains("first here"), "{text}");
    }

    #[test]
    fn places_that_do_not_fit_do_no_harm() {
        for span in [Span::new(FileId(0), 40, 41), Span::new(FileId(0), 900, 999), Span::new(FileId(9), 0, 1)]
        {
            let error = Diagnostic::error("x", "Odd", "Odd place.").at(span);
            assert!(one(&error, &sources(), plain()).contains("Odd place."));
        }
        let mut long = Sources::default();
        let file = long.add("x.json", "y".repeat(1000));
        let error = Diagnostic::error("x", "Odd", "Odd place.").at(Span::new(file, 10, 20));
        assert!(!one(&error, &long, plain()).contains("yyy"));
    }

    #[test]
    fn warnings_in_short_and_escapes() {
        let warning = Diagnostic::warning("x", "Old", "Old.").at(Span::new(FileId(0), 26, 30));
        let error = Diagnostic::error("y", "Bad", "Bad \u{1b}[2J thing.");
        let text = compact_warnings(&[warning, error], &sources(), plain());
        assert!(text.starts_with("Warnings:\n\n- Old at terrane.toml:2\n\nError: Bad\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
