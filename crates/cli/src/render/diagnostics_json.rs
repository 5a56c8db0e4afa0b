//! Messages for tools, in the shape of Terraform's.

use serde_json::{Map, Value as Json, json};
use terrane_model::{Diagnostic, Sources, Span};

/// What `validate` answers.
pub fn validation(diagnostics: &[Diagnostic], sources: &Sources) -> Json {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": diagnostics.iter().map(|d| one(d, sources)).collect::<Vec<_>>(),
    })
}

/// One message.
pub fn one(diagnostic: &Diagnostic, sources: &Sources) -> Json {
    let mut out = Map::new();
    out.insert("severity".into(), if diagnostic.is_error() { "error" } else { "warning" }.into());
    out.insert("summary".into(), diagnostic.summary.into());
    let hints: Vec<&str> = diagnostic.hints.iter().map(String::as_str).collect();
    let detail = [&[diagnostic.detail.as_str()], hints.as_slice()].concat().join("\n");
    out.insert("detail".into(), detail.into());
    if let Some(address) = &diagnostic.address {
        out.insert("address".into(), address.to_string().into());
    }
    if let Some((range, snippet)) = diagnostic.span.and_then(|span| place(span, sources)) {
        out.insert("range".into(), range);
        out.insert("snippet".into(), snippet);
    }
    out.insert("code".into(), diagnostic.code.into());
    Json::Object(out)
}

fn place(span: Span, sources: &Sources) -> Option<(Json, Json)> {
    let file = sources.get(span.file)?;
    let (start, end) = (sources.position(span.file, span.start)?, sources.position(span.file, span.end)?);
    let position =
        |p: terrane_model::source::Position| json!({ "line": p.line, "column": p.column, "byte": p.byte });
    let range = json!({ "filename": file.name.as_ref(), "start": position(start), "end": position(end) });
    let line_start = file.text.get(..start.byte)?.rfind('\n').map_or(0, |i| i + 1);
    let line = file.text.get(line_start..)?.lines().next().unwrap_or_default();
    let within = |byte: usize| byte.saturating_sub(line_start).min(line.len());
    let snippet = json!({
        "context": Json::Null,
        "code": line,
        "start_line": start.line,
        "highlight_start_offset": within(start.byte),
        "highlight_end_offset": within(end.byte),
        "values": [],
    });
    Some((range, snippet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::FileId;

    #[test]
    fn the_shape_is_terraforms() {
        let mut sources = Sources::default();
        sources.add("terrane.toml", "[a]\nbad = 1\n");
        let error = Diagnostic::error("unknown-argument", "Unknown argument", "Bad.")
            .at(Span::new(FileId(0), 4, 7))
            .hint("Good.");
        let json = validation(&[error, Diagnostic::warning("w", "W", "Odd.")], &sources);
        assert_eq!(
            (&json["valid"], &json["error_count"], &json["warning_count"]),
            (&json!(false), &json!(1), &json!(1))
        );
        let first = &json["diagnostics"][0];
        assert_eq!(first["detail"], "Bad.\nGood.");
        assert_eq!(first["range"]["start"], json!({ "line": 2, "column": 1, "byte": 4 }));
        assert_eq!(first["snippet"]["code"], "bad = 1");
        assert_eq!(first["snippet"]["highlight_end_offset"], 3);
        assert!(json["diagnostics"][1].get("range").is_none());
    }
}
