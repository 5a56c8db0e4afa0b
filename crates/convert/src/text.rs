//! Texts as TOML writes them.

use terrane_spec::write::quoted;

/// A string, in the form that needs the fewest escapes.
pub(crate) fn string(text: &str) -> String {
    let plain = text.chars().all(|c| !c.is_control() || c == '\t' || c == '\n');
    if !plain {
        return quoted(text);
    }
    if text.contains('\n') {
        if text.trim().is_empty() {
            return quoted(text);
        }
        // A newline behind the opening quotes is not part of the text.
        return if !text.contains(['\\', '\t']) && !text.contains("\"\"\"") && !text.ends_with('"') {
            format!("\"\"\"\n{text}\"\"\"")
        } else if !text.contains("'''") && !text.ends_with('\'') {
            format!("'''\n{text}'''")
        } else {
            quoted(text)
        };
    }
    match (text.contains(['"', '\\', '\t']), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => quoted(text),
    }
}
