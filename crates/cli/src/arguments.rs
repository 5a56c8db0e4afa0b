//! Arguments as Terraform's users type them: `-flag` is taken as `--flag`.

use std::ffi::OsString;

/// Rewrites single-dash long flags. `-h`, `-V` and `-C DIR` stay as they are, and so does all behind `--`.
pub fn rewritten(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    arguments
        .into_iter()
        .map(|argument| {
            literal |= argument == "--";
            match argument.to_str() {
                Some(text) if !literal && is_long(text) => format!("-{text}").into(),
                _ => argument,
            }
        })
        .collect()
}

/// A single dash, then a name of at least two letters that does not begin with a capital one (`-Cdir` is `-C dir`).
fn is_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.split('=').next().unwrap_or(name);
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_flags_are_rewritten() {
        let given = [
            "terrane",
            "-chdir=a",
            "-Cb",
            "-C",
            "plan",
            "-out=f",
            "-h",
            "--var",
            "x=-y",
            "-5",
            "--",
            "-auto-approve",
        ];
        let wanted = [
            "terrane",
            "--chdir=a",
            "-Cb",
            "-C",
            "plan",
            "--out=f",
            "-h",
            "--var",
            "x=-y",
            "-5",
            "--",
            "-auto-approve",
        ];
        assert_eq!(rewritten(given.map(OsString::from)), wanted.map(OsString::from));
    }
}
