//! Arguments as Terraform's users type them: `-flag` is taken as `--flag`, and values are read as Terraform reads them.

use std::ffi::OsString;
use std::time::Duration;

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

/// `true` or `false`, or what is commonly meant by them.
pub fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" => Ok(true),
        "false" | "0" | "f" | "no" | "" => Ok(false),
        _ => Err("must be `true` or `false`".to_owned()),
    }
}

/// A number of things at once.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1000) => Ok(n),
        _ => Err("must be a number from 1 to 1000".to_owned()),
    }
}

/// `60s`, `1m30s`, or a number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    terrane_model::conform::parse_duration(text)
        .or_else(|| text.parse().ok().map(Duration::from_secs))
        .ok_or_else(|| "must be a duration such as `60s`".to_owned())
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
