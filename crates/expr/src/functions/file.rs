//! Functions that read files, through the context alone.

use std::path::Path;

use terrane_model::{Type, Value};

use super::encoding::to_base64;
use super::hash::{self, Sum};
use super::path::{absolute, clean, expand};
use super::{Fault, Given, Outcome};
use crate::scope::FileKind;

/// `fileset` looks at so many names at most.
const MAX_NAMES: usize = 200_000;
/// `fileset` goes so deep at most.
const MAX_FOLDERS: usize = 60;

/// The bytes of the file that an argument names.
pub(super) fn bytes(given: &Given<'_>, place: usize) -> Result<Vec<u8>, Fault> {
    let path = given.text(place)?;
    let read = || {
        let full = absolute(&expand(path, given)?, given)?;
        given.context.files.read(Path::new(&full))
    };
    read().map_err(|why| Fault::at(place, format!("the file `{path}` can't be read: {why}")))
}

/// The text of the file that an argument names.
pub(super) fn text(given: &Given<'_>, place: usize) -> Result<String, Fault> {
    let path = given.text(place)?;
    String::from_utf8(bytes(given, place)?).map_err(|_| {
        Fault::at(place, format!("the file `{path}` is no UTF-8 text; `filebase64` reads files of any kind"))
    })
}

pub(super) fn file(given: &Given<'_>) -> Outcome {
    Ok(Value::from(text(given, 0)?))
}

pub(super) fn file_base64(given: &Given<'_>) -> Outcome {
    Ok(Value::from(to_base64(bytes(given, 0)?)))
}

fn digest(given: &Given<'_>, sum: Sum) -> Outcome {
    Ok(Value::from(sum(&bytes(given, 0)?)))
}

pub(super) fn file_base64_sha256(given: &Given<'_>) -> Outcome {
    digest(given, hash::sha256_base64)
}

pub(super) fn file_base64_sha512(given: &Given<'_>) -> Outcome {
    digest(given, hash::sha512_base64)
}

pub(super) fn file_md5(given: &Given<'_>) -> Outcome {
    digest(given, hash::md5_hex)
}

pub(super) fn file_sha1(given: &Given<'_>) -> Outcome {
    digest(given, hash::sha1_hex)
}

pub(super) fn file_sha256(given: &Given<'_>) -> Outcome {
    digest(given, hash::sha256_hex)
}

pub(super) fn file_sha512(given: &Given<'_>) -> Outcome {
    digest(given, hash::sha512_hex)
}

/// Whether there is a regular file. Anything else in its place is an error.
pub(super) fn file_exists(given: &Given<'_>) -> Outcome {
    let path = given.text(0)?;
    let kind = || {
        let full = absolute(&expand(path, given)?, given)?;
        given.context.files.kind(Path::new(&full))
    };
    match kind().map_err(|why| Fault::at(0, format!("`{path}` can't be looked at: {why}")))? {
        None => Ok(Value::bool(false)),
        Some(FileKind::File) => Ok(Value::bool(true)),
        Some(FileKind::Folder) => Err(Fault::at(0, format!("`{path}` is a folder"))),
        Some(FileKind::Other) => Err(Fault::at(0, format!("`{path}` is no regular file"))),
    }
}

/// The regular files below a folder whose path fits a pattern.
pub(super) fn file_set(given: &Given<'_>) -> Outcome {
    let (folder, pattern) = (given.text(0)?, given.text(1)?);
    let patterns = alternatives(pattern).map_err(Fault::new)?;
    let folder = expand(folder, given).and_then(|f| absolute(&f, given)).map_err(|e| Fault::at(0, e))?;
    let mut search = Search { given, found: Vec::new(), looked_at: 0 };
    for pattern in &patterns {
        let parts: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        search.descend(&folder, String::new(), &parts, 0).map_err(Fault::new)?;
    }
    Ok(Value::set(Type::String, search.found.into_iter().map(Value::from)))
}

/// A pattern with `{a,b}` made several without.
fn alternatives(pattern: &str) -> Result<Vec<String>, String> {
    let mut done = Vec::new();
    let mut todo = vec![pattern.to_owned()];
    while let Some(next) = todo.pop() {
        if todo.len() + done.len() > 1000 {
            return Err("the pattern has too many alternatives".into());
        }
        let Some((before, rest)) = next.split_once('{') else {
            check_pattern(&next)?;
            done.push(next);
            continue;
        };
        let (inside, after) = rest.split_once('}').ok_or("a `{` of the pattern is not closed")?;
        todo.extend(inside.split(',').map(|option| format!("{before}{option}{after}")));
    }
    Ok(done)
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut rest = pattern;
    while let Some((_, inside)) = rest.split_once('[') {
        let closed = inside.strip_prefix(['!', '^']).unwrap_or(inside);
        let (_, after) =
            closed.get(1..).and_then(|c| c.split_once(']')).ok_or("a `[` of the pattern is not closed")?;
        rest = after;
    }
    Ok(())
}

struct Search<'s, 'g> {
    given: &'s Given<'g>,
    found: Vec<String>,
    looked_at: usize,
}

impl Search<'_, '_> {
    /// Looks for the parts of a pattern in a folder; `so_far` is the way from the first folder to it.
    fn descend(&mut self, folder: &str, so_far: String, parts: &[&str], depth: usize) -> Result<(), String> {
        let Some((part, rest)) = parts.split_first() else { return Ok(()) };
        if depth > MAX_FOLDERS {
            return Err(format!("it goes more than {MAX_FOLDERS} folders deep"));
        }
        let join = |name: &str| match so_far.is_empty() {
            true => name.to_owned(),
            false => format!("{so_far}/{name}"),
        };
        if *part == ".." {
            return self.descend(&clean(&format!("{folder}/..")), join(".."), rest, depth + 1);
        }
        if *part == "**" {
            self.descend(folder, so_far.clone(), if rest.is_empty() { &["*"] } else { rest }, depth + 1)?;
        }
        let mut names = self.given.context.files.list(Path::new(folder))?;
        self.looked_at += names.len();
        if self.looked_at > MAX_NAMES {
            return Err(format!("it looks at more than {MAX_NAMES} names"));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in names {
            let below = format!("{folder}/{name}");
            match kind {
                FileKind::Folder if *part == "**" => self.descend(&below, join(&name), parts, depth + 1)?,
                FileKind::Folder if !rest.is_empty() && fits(part, &name) => {
                    self.descend(&below, join(&name), rest, depth + 1)?;
                }
                FileKind::File if rest.is_empty() && *part != "**" && fits(part, &name) => {
                    self.found.push(join(&name));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a name fits a part of a pattern: `*` any text, `?` one character, `[ab]` and `[a-z]` one of them.
fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last star does not fit.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            None if n == name.len() => return true,
            None => None,
            Some('*') => {
                retry = Some((p + 1, n + 1));
                p += 1;
                continue;
            }
            Some(_) => name.get(n).and_then(|c| one_fits(pattern.get(p..).unwrap_or(&[]), *c)),
        };
        match (step, retry) {
            (Some(length), _) => (p, n) = (p + length, n + 1),
            (None, Some((after_star, next))) if next <= name.len() => {
                (p, n) = (after_star, next);
                retry = Some((after_star, next + 1));
            }
            _ => return false,
        }
    }
}

/// How long the pattern of one character is that the character fits.
fn one_fits(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == c).then_some(2),
        ['[', class @ ..] => {
            let negated = matches!(class.first(), Some('!' | '^'));
            let inner = class.get(usize::from(negated)..)?;
            let close = inner.iter().skip(1).position(|c| *c == ']')? + 1;
            let inner = inner.get(..close)?;
            let mut inside = false;
            let mut place = 0;
            while let Some(low) = inner.get(place) {
                match (inner.get(place + 1), inner.get(place + 2)) {
                    (Some('-'), Some(high)) => {
                        inside |= (*low..=*high).contains(&c);
                        place += 3;
                    }
                    _ => {
                        inside |= *low == c;
                        place += 1;
                    }
                }
            }
            (inside != negated).then_some(close + 2 + usize::from(negated))
        }
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("*", "a.txt", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.json", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab].*", "b.json", true),
            ("[!ab].*", "b.json", false),
            ("[a-c]x", "bx", true),
            ("[]x]", "]", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxxcd", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn stars_do_not_explode() {
        let start = std::time::Instant::now();
        assert!(!fits(&"*a".repeat(40), &"a".repeat(39)));
        assert!(!fits(&format!("{}b", "*a".repeat(200)), &"a".repeat(5000)));
        assert!(start.elapsed().as_secs() < 2);
    }

    #[test]
    fn broken_patterns_are_refused() {
        assert!(alternatives("[").is_err());
        assert!(alternatives("{a").is_err());
        assert!(alternatives(&"{a,b}".repeat(30)).is_err());
        let mut both = alternatives("x{a,b}y").unwrap();
        both.sort();
        assert_eq!(both, ["xay", "xby"]);
    }
}
