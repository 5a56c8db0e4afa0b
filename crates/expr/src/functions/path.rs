//! Paths, as text: nothing here looks at the disk.

use terrane_model::Value;

use super::{Fault, Given, Outcome};

/// The shortest equal path: `.` and `..` are resolved, as far as the text alone allows.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

/// A leading `~` made the home folder.
pub(super) fn expand(path: &str, given: &Given<'_>) -> Result<String, String> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err("the home folder of another user is not known".into());
    }
    let home = given.context.home.as_ref().ok_or("the home folder is not known")?;
    match home.to_str() {
        Some(home) if rest.is_empty() => Ok(home.to_owned()),
        Some(home) => Ok(clean(&format!("{home}{rest}"))),
        None => Err("the path of the home folder is no text".into()),
    }
}

/// The absolute form of a path, taken from the stack's folder.
pub(super) fn absolute(path: &str, given: &Given<'_>) -> Result<String, String> {
    if path.starts_with('/') {
        return Ok(clean(path));
    }
    match given.context.base.to_str() {
        Some(base) => Ok(clean(&format!("{base}/{path}"))),
        None => Err("the path of the stack's folder is no text".into()),
    }
}

pub(super) fn abspath(given: &Given<'_>) -> Outcome {
    absolute(given.text(0)?, given).map(Value::from).map_err(Fault::new)
}

pub(super) fn pathexpand(given: &Given<'_>) -> Outcome {
    expand(given.text(0)?, given).map(Value::from).map_err(Fault::new)
}

pub(super) fn basename(given: &Given<'_>) -> Outcome {
    let path = given.text(0)?;
    let trimmed = path.trim_end_matches('/');
    Ok(Value::from(match (path.is_empty(), trimmed.rsplit('/').next()) {
        (true, _) => ".",
        (false, Some(name)) if !name.is_empty() => name,
        _ => "/",
    }))
}

pub(super) fn dirname(given: &Given<'_>) -> Outcome {
    let path = given.text(0)?;
    let folder = path.rfind('/').and_then(|i| path.get(..=i)).unwrap_or("");
    Ok(Value::from(clean(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_lexical() {
        for (path, cleaned) in [
            ("", "."),
            ("a/./b//c/", "a/b/c"),
            ("a/../..", ".."),
            ("../a/..", ".."),
            ("/../a", "/a"),
            ("/", "/"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }
}
