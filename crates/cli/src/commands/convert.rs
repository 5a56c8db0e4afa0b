//! `terrane convert`: Terraform's files to a spec beside them. Makes no call, and reads no state.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use terrane_convert::Converted;
use terrane_model::{Diagnostic, Diagnostics, FileId, Sources, Span};
use terrane_spec::format::{Strings, format};
use terrane_spec::modules::local_folder;
use terrane_spec::{is_hidden, is_spec_file};

use crate::cli::Convert;
use crate::commands::fmt::unusable;
use crate::exit::{Ended, Exit, Problem};
use crate::terminal::Terminal;

/// Where Terraform keeps a state if nobody says otherwise.
const TERRAFORM_STATE: &str = "terraform.tfstate";

/// Runs the command: a folder is converted with the modules that it calls; of a file, and of what comes in, the text is
/// written to standard output.
pub fn run(arguments: &Convert, terminal: &Terminal) -> Ended {
    let path = arguments.path.as_deref().unwrap_or(Path::new("."));
    match path.is_dir() {
        true => folder(path, arguments.force, terminal),
        false => one(path, terminal),
    }
}

fn one(path: &Path, terminal: &Terminal) -> Ended {
    let mut sources = Sources::default();
    let (name, kind, bytes) = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| unusable("<stdin>", "read", &error))?;
        ("<stdin>".to_owned(), FileKind::Hcl, bytes)
    } else {
        let name = path.display().to_string();
        if !path.exists() {
            let detail = format!("There is no `{name}`.");
            return Err(Problem::usage(Diagnostic::error("no-such-file", "File not found", detail)));
        }
        let Some(kind) = FileKind::of(&name) else {
            let detail = format!(
                "`{name}` is none of Terraform's files: `*.tf`, `*.tf.json`, `*.tfvars`, `*.tfvars.json`."
            );
            return Err(Problem::usage(Diagnostic::error(
                "no-terraform-file",
                "Not a file of Terraform",
                detail,
            )));
        };
        let bytes = fs::read(path).map_err(|error| unusable(&name, "read", &error))?;
        (name, kind, bytes)
    };
    let converted =
        convert(kind, &name, bytes, &mut sources).map_err(|found| Problem::new(found, &sources))?;
    terminal.report(&converted.warnings, &sources);
    terminal.say(&converted.text);
    Ok(Exit::Done)
}

/// A file that is to be written.
struct Target {
    from: Option<PathBuf>,
    path: PathBuf,
    text: String,
}

/// What was found on the way through the folders.
#[derive(Default)]
struct Walk {
    sources: Sources,
    found: Diagnostics,
    targets: Vec<Target>,
    /// Folders that were looked at, without links.
    seen: BTreeSet<PathBuf>,
}

fn folder(root: &Path, force: bool, terminal: &Terminal) -> Ended {
    let mut walk = Walk::default();
    let mut open = vec![(root.to_owned(), None)];
    while let Some((folder, called)) = open.pop() {
        let known = fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
        if !walk.seen.insert(known) {
            continue;
        }
        let below = walk.folder(&folder, called, force)?;
        open.extend(below.into_iter().rev().map(|(folder, span)| (folder, Some(span))));
    }
    if !force {
        let taken = walk.targets.iter().filter(|target| target.path.exists());
        let taken: Vec<String> = taken.map(|target| format!("`{}`", shown(&target.path))).collect();
        if !taken.is_empty() {
            let (is, them) = if taken.len() == 1 { ("is", "it") } else { ("are", "them") };
            let detail = format!("{} {is} there already. Nothing was written.", taken.join(", "));
            let error = Diagnostic::error("file-exists", "File exists", detail);
            walk.found.push(error.hint(format!("`--force` writes over {them}.")));
        }
    }
    if walk.found.iter().any(Diagnostic::is_error) {
        return Err(Problem::new(walk.found, &walk.sources));
    }
    write(&walk.targets)?;
    terminal.report(&walk.found, &walk.sources);
    for target in &walk.targets {
        let from = target.from.as_deref().map_or_else(String::new, |from| format!("{} -> ", shown(from)));
        terminal.say(&format!("{from}{}\n", shown(&target.path)));
    }
    let files = if walk.targets.len() == 1 { "file" } else { "files" };
    terminal.tell(&format!(
        "\nWrote {} {files}; Terraform's own are as they were. `terrane validate` says what needs a hand, and\n\
         `terrane plan` must then say that nothing changes.\n",
        walk.targets.len()
    ));
    Ok(Exit::Done)
}

impl Walk {
    /// Converts the files of a folder, and gives the folders of the modules that they call. `called`: from where, if it is
    /// not the one that was asked for.
    fn folder(
        &mut self,
        folder: &Path,
        called: Option<Span>,
        force: bool,
    ) -> Result<Vec<(PathBuf, Span)>, Problem> {
        let files = match files(folder) {
            Ok(files) => files,
            // `validate` says so, too; the other files are converted all the same.
            Err(error) if called.is_some() => {
                let detail =
                    format!("The module in `{}` can't be read: {error}. It is not converted.", shown(folder));
                self.found.push(
                    Diagnostic::warning("unreadable-module", "Module not converted", detail).at(called),
                );
                return Ok(Vec::new());
            }
            Err(error) => return Err(unusable(&shown(folder), "read", &error)),
        };
        if called.is_some() && !force && names(folder).iter().any(|name| is_spec_file(name)) {
            return Ok(Vec::new());
        }
        if files.is_empty() {
            let detail =
                format!("There are no files of Terraform in `{}`: `*.tf` or `*.tf.json`.", shown(folder));
            let error = match called {
                Some(place) => {
                    Diagnostic::warning("no-terraform-files", "Module not converted", detail).at(place)
                }
                None => Diagnostic::error("no-terraform-files", "Nothing to convert", detail)
                    .hint("Go to the folder of the configuration, or name it: `terrane convert DIR`."),
            };
            self.found.push(error);
            return Ok(Vec::new());
        }
        let specs: Vec<&str> =
            files.iter().filter(|(_, kind)| kind.is_spec()).map(|(name, _)| name.as_str()).collect();
        let main = ["main.tf", "main.tf.json"].into_iter().find(|main| specs.contains(main));
        let main = main.or(match specs.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let mut below = Vec::new();
        let mut has_backend = false;
        let first = self.targets.len();
        let mut taken = BTreeSet::new();
        for (name, kind) in &files {
            let path = folder.join(name);
            if kind.is_spec() && is_override(name) {
                let detail = format!(
                    "`{}` replaces parts of other files, and a spec has nothing like it. Write what it says into the files \
                     that it overrides.",
                    shown(&path)
                );
                self.found.push(Diagnostic::error("override-file", "Override file", detail));
                continue;
            }
            let bytes = fs::read(&path).map_err(|error| unusable(&shown(&path), "read", &error))?;
            let converted = match convert(*kind, &shown(&path), bytes, &mut self.sources) {
                Ok(converted) => converted,
                Err(found) => {
                    self.found.extend(found);
                    continue;
                }
            };
            self.found.extend(converted.warnings);
            has_backend |= converted.has_backend;
            for (source, place) in converted.modules {
                if local_folder(&source, "").is_some() {
                    below.push((folder.join(&source), place));
                }
            }
            let target = kind.target(name, main == Some(name.as_str()));
            if !taken.insert(target.clone()) {
                let detail = format!(
                    "`{}` and another file here would both become `{target}`. Put what they say into one of them.",
                    shown(&path)
                );
                self.found.push(Diagnostic::error("same-name", "Two files for one", detail));
                continue;
            }
            self.targets.push(Target { from: Some(path), path: folder.join(target), text: converted.text });
        }
        if called.is_none() && !has_backend && folder.join(TERRAFORM_STATE).is_file() {
            self.keep_state(folder, first);
        }
        Ok(below)
    }

    /// Says in the spec that the state is where Terraform has it.
    fn keep_state(&mut self, folder: &Path, first: usize) {
        let text = format!(
            "# The state stays where Terraform has it.\n[terrane.backend.local]\npath = \"{TERRAFORM_STATE}\"\n"
        );
        let path = folder.join("terrane.toml");
        let targets = self.targets.get_mut(first..).unwrap_or_default();
        match targets.iter_mut().find(|target| target.path == path) {
            Some(target) => {
                let joined = format!("{}\n{text}", target.text);
                // Laid out once more, as where one text ends and the other begins.
                target.text = format(FileId(0), &joined, Strings::Templates).unwrap_or(joined);
            }
            None => {
                let path = folder.join("backend.terrane.toml");
                self.targets.push(Target { from: None, path, text });
            }
        }
    }
}

/// What a file of Terraform is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    Hcl,
    Json,
    Variables,
    VariablesJson,
}

impl FileKind {
    fn of(name: &str) -> Option<FileKind> {
        [
            (".tf", FileKind::Hcl),
            (".tf.json", FileKind::Json),
            (".tfvars", FileKind::Variables),
            (".tfvars.json", FileKind::VariablesJson),
        ]
        .into_iter()
        .find_map(|(suffix, kind)| name.ends_with(suffix).then_some(kind))
    }

    fn is_spec(self) -> bool {
        matches!(self, FileKind::Hcl | FileKind::Json)
    }

    /// The name without what says that it is Terraform's.
    fn stem(name: &str) -> &str {
        let name = name.strip_suffix(".json").unwrap_or(name);
        name.strip_suffix(".tfvars").or_else(|| name.strip_suffix(".tf")).unwrap_or(name)
    }

    /// The name of what is made of it.
    fn target(self, name: &str, is_main: bool) -> String {
        let stem = FileKind::stem(name);
        match (self.is_spec(), stem) {
            (true, _) if is_main => "terrane.toml".to_owned(),
            (true, _) => format!("{stem}.terrane.toml"),
            (false, "terraform") => "terrane.vars.toml".to_owned(),
            (false, _) => format!("{stem}.vars.toml"),
        }
    }
}

fn is_override(name: &str) -> bool {
    let stem = FileKind::stem(name);
    stem == "override" || stem.ends_with("_override")
}

/// The names of what is in a folder, in their order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.into_iter().collect()
}

/// The files of Terraform in a folder. Those of editors are no files of it.
fn files(folder: &Path) -> std::io::Result<Vec<(String, FileKind)>> {
    fs::read_dir(folder)?;
    let names = names(folder).into_iter().filter(|name| !is_hidden(name) && folder.join(name).is_file());
    Ok(names.filter_map(|name| FileKind::of(&name).map(|kind| (name, kind))).collect())
}

fn convert(
    kind: FileKind,
    name: &str,
    bytes: Vec<u8>,
    sources: &mut Sources,
) -> Result<Converted, Diagnostics> {
    let Ok(text) = String::from_utf8(bytes) else {
        let detail = format!("`{name}` is not UTF-8. Save it as UTF-8.");
        return Err(vec![Diagnostic::error("not-utf-8", "File not in UTF-8", detail)]);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let file = sources.add(name, text);
    match kind {
        FileKind::Hcl => terrane_convert::hcl(file, text),
        FileKind::Json => terrane_convert::json(file, text),
        FileKind::Variables => terrane_convert::variables(file, text),
        FileKind::VariablesJson => terrane_convert::variables_json(file, text),
    }
}

/// Writes all files or none: each beside its place first.
fn write(targets: &[Target]) -> Result<(), Problem> {
    let mut beside = Vec::new();
    let written = targets.iter().try_for_each(|target| {
        let mut name = target.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = target.path.with_file_name(name);
        let failed = |error: &std::io::Error| unusable(&shown(&target.path), "written", error);
        let mut file = fs::File::create_new(&new).map_err(|error| failed(&error))?;
        beside.push(new);
        let done = file.write_all(target.text.as_bytes()).and_then(|()| file.sync_all());
        done.map_err(|error| failed(&error))
    });
    let moved = written.and_then(|()| {
        targets.iter().zip(&beside).try_for_each(|(target, new)| {
            fs::rename(new, &target.path).map_err(|error| unusable(&shown(&target.path), "written", &error))
        })
    });
    if moved.is_err() {
        for new in &beside {
            // They are of no use any more, or moved; the error is that of writing.
            let _ = fs::remove_file(new);
        }
    }
    moved
}

/// A path without the dots that lead nowhere.
fn shown(path: &Path) -> String {
    let parts: PathBuf = path.components().filter(|part| *part != std::path::Component::CurDir).collect();
    if parts.as_os_str().is_empty() { ".".to_owned() } else { parts.display().to_string() }
}
