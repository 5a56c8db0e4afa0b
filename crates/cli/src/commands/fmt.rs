//! `terrane fmt`: lays out the files of a spec.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use terrane_model::{Diagnostic, Sources};
use terrane_spec::format::{Strings, format};
use terrane_spec::{is_spec_file, is_variable_file};

use crate::cli::Fmt;
use crate::exit::{Ended, Exit, Problem};
use crate::terminal::Terminal;

/// Runs the command. With `--check`, files that are not laid out fail it.
pub fn run(arguments: &Fmt, terminal: &Terminal) -> Ended {
    if matches!(arguments.paths.as_slice(), [only] if only.as_os_str() == "-") {
        return stream(arguments, terminal);
    }
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
    let mut files = BTreeSet::new();
    for path in paths {
        match path.is_dir() {
            true => collect(path, arguments.recursive, &mut files)?,
            false => {
                files.insert(path.clone());
            }
        }
    }
    let mut exit = Exit::Done;
    let mut sources = Sources::default();
    let mut errors = Vec::new();
    for path in files {
        let name = path.strip_prefix(".").unwrap_or(&path).display().to_string();
        let bytes = fs::read(&path).map_err(|error| unusable(&name, "read", &error))?;
        let Ok(text) = String::from_utf8(bytes) else {
            let detail = format!("`{name}` is not UTF-8. Save it as UTF-8.");
            errors.push(Diagnostic::error("not-utf-8", "File not in UTF-8", detail));
            continue;
        };
        let file = sources.add(name.as_str(), text.as_str());
        let laid_out = match format(file, &text, strings(&path)) {
            Ok(laid_out) => laid_out,
            Err(found) => {
                errors.extend(found);
                continue;
            }
        };
        if laid_out == text {
            continue;
        }
        match arguments.diff {
            true => terminal.say(&difference(&name, &text, &laid_out)),
            false => terminal.say(&format!("{name}\n")),
        }
        match arguments.check {
            true => exit = Exit::Failed,
            false => write(&path, &laid_out).map_err(|error| unusable(&name, "written", &error))?,
        }
    }
    if errors.is_empty() { Ok(exit) } else { Err(Problem::new(errors, &sources)) }
}

/// From standard input to standard output.
fn stream(arguments: &Fmt, terminal: &Terminal) -> Ended {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(|error| unusable("<stdin>", "read", &error))?;
    let mut sources = Sources::default();
    let file = sources.add("<stdin>", text.as_str());
    let laid_out = format(file, &text, Strings::Templates).map_err(|found| Problem::new(found, &sources))?;
    match (arguments.diff, arguments.check) {
        (true, _) => terminal.say(&difference("<stdin>", &text, &laid_out)),
        (false, true) => {}
        (false, false) => terminal.say(&laid_out),
    }
    Ok(if arguments.check && laid_out != text { Exit::Failed } else { Exit::Done })
}

/// The files of a folder that are laid out; those of hidden folders are not ours.
fn collect(folder: &Path, recursive: bool, files: &mut BTreeSet<PathBuf>) -> Result<(), Problem> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let name = folder.display().to_string();
        for entry in fs::read_dir(&folder).map_err(|error| unusable(&name, "read", &error))? {
            let entry = entry.map_err(|error| unusable(&name, "read", &error))?;
            let Ok(kind) = entry.file_type() else { continue };
            let Ok(name) = entry.file_name().into_string() else { continue };
            // A link to a folder may lead back here.
            if kind.is_dir() && recursive && !name.starts_with('.') && name != "target" {
                open.push(entry.path());
            } else if !entry.path().is_dir() && (is_spec_file(&name) || is_variable_file(&name)) {
                files.insert(entry.path());
            }
        }
    }
    Ok(())
}

fn strings(path: &Path) -> Strings {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if is_variable_file(name) || name.ends_with(".vars.toml") { Strings::Plain } else { Strings::Templates }
}

/// Writes the file anew under its name, whole or not at all. The mode stays; a link stays one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(mode)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, &path));
    if moved.is_err() {
        // It is of no use any more; the error is that of writing.
        let _ = fs::remove_file(&beside);
    }
    moved
}

fn difference(name: &str, old: &str, new: &str) -> String {
    let (before, after) = (format!("old/{name}"), format!("new/{name}"));
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&before, &after)
        .to_string()
}

/// That a file can't be read or written.
pub(super) fn unusable(name: &str, what: &str, error: &std::io::Error) -> Problem {
    let detail = format!("`{name}` can't be {what}: {error}.");
    Diagnostic::error("unreadable-file", "File not accessible", detail).into()
}
