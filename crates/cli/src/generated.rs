//! Resources that `plan --generate-config-out` writes for objects to import: where they may go, their text, whether they keep
//! what is, and the file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use terrane_model::schema::Schemas;
use terrane_model::{Action, Address, Diagnostic, Diagnostics, Mode, Sources};
use terrane_plan::diff::changed_paths;
use terrane_plan::{Plan, Undeclared};
use terrane_spec::{is_spec_file, write};

use crate::exit::Problem;

/// What the file begins with.
const HEAD: &str = "# Written by `terrane plan --generate-config-out`, from objects that exist.\n\
                    # Review these resources, and move them to where they belong.\n";

/// A file of the spec that is yet to be written.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    name: String,
}

/// What `--generate-config-out` asked for, and what came of it.
#[derive(Debug)]
pub struct Generation {
    /// The file.
    pub target: Target,
    /// The objects that resources were written for, and the text of these. None: no import led to no resource.
    pub resources: Option<(Vec<Undeclared>, String)>,
}

impl Target {
    /// The file, if resources may be written there.
    ///
    /// # Errors
    /// A file that is there already, and one that the spec would not read.
    pub fn of(path: &Path) -> Result<Target, Problem> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_here = path.parent().is_some_and(|folder| {
            let same = || Some(folder.canonicalize().ok()? == Path::new(".").canonicalize().ok()?);
            folder.as_os_str().is_empty() || same().unwrap_or(false)
        });
        if !is_here || !is_spec_file(name) {
            let detail = format!(
                "`{}` would not be read: the files of a spec lie in the folder of the stack, and are called \
                 `*.terrane.toml`.",
                path.display()
            );
            let error = Diagnostic::error("not-of-the-spec", "Target file not part of the spec", detail);
            return Err(error.hint("`--generate-config-out generated.terrane.toml`").into());
        }
        let target = Target { path: path.to_owned(), name: name.to_owned() };
        match fs::symlink_metadata(path) {
            Ok(_) => Err(target.exists_already()),
            Err(_) => Ok(target),
        }
    }

    fn exists_already(&self) -> Problem {
        let detail = format!(
            "Terrane can only write generated config into a new file, and there is `{}`. Either choose a different \
             target location or move all existing configuration out of the target file, delete it and try again.",
            self.path.display()
        );
        Diagnostic::error("file-exists", "Target generated file already exists", detail).into()
    }

    /// Its name as one of the spec's files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes it: whole, or not at all, and never over another one.
    ///
    /// # Errors
    /// What the disk refuses, and a file that came to be there meanwhile.
    pub fn write(&self, text: &str) -> Result<(), Problem> {
        let draft = self.path.with_file_name(format!(".{}.{}", self.name, uuid::Uuid::new_v4()));
        let written = written(&draft, text).and_then(|()| fs::hard_link(&draft, &self.path));
        // What it leaves behind where it can't be removed is hidden, and in nobody's way.
        let _ = fs::remove_file(&draft);
        written.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => self.exists_already(),
            _ => {
                let detail =
                    format!("The configuration can't be written to `{}`: {error}.", self.path.display());
                Diagnostic::error("not-written", "Configuration not written", detail).into()
            }
        })
    }

    /// What is said when it is written.
    pub fn done(&self) -> String {
        format!(
            "\nTerrane has generated configuration and written it to {}. Please review\nthe configuration and edit it as \
             necessary before adding it to version\ncontrol.\n",
            self.path.display()
        )
    }
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The text of the file.
///
/// # Errors
/// A bug of the writer.
pub fn text(undeclared: &[Undeclared], schemas: &dyn Schemas) -> Result<String, Problem> {
    let mut out = HEAD.to_owned();
    for (one, text) in undeclared.iter().zip(texts(undeclared, schemas)?) {
        out.push_str(&format!("\n# From the object with the import id {:?}.\n{text}", one.id));
    }
    Ok(out)
}

/// The text of each resource, for who reads the plan.
///
/// # Errors
/// A bug of the writer.
pub fn by_address(
    undeclared: &[Undeclared],
    schemas: &dyn Schemas,
) -> Result<BTreeMap<Address, String>, Problem> {
    let addresses = undeclared.iter().map(|one| one.address.clone());
    Ok(addresses
        .zip(texts(undeclared, schemas)?.into_iter().map(|text| text.trim_end().to_owned()))
        .collect())
}

fn texts(undeclared: &[Undeclared], schemas: &dyn Schemas) -> Result<Vec<String>, Problem> {
    let text = |one: &Undeclared| {
        let resource = &one.address.resource;
        let Some(schema) = schemas.schema(Mode::Managed, &resource.type_name) else {
            return Ok(String::new());
        };
        let provider = one.provider.as_ref().map(ToString::to_string);
        let text = write::resource(schema, &resource.name, provider.as_deref(), &one.arguments);
        text.map_err(|errors| Problem::new(errors, &Sources::default()))
    };
    undeclared.iter().map(text).collect()
}

/// What is wrong with a spec that holds what was written.
pub fn not_valid(mut problem: Problem) -> Problem {
    let detail =
        "What was written from the objects is not valid; it is shown below. Nothing was written to the disk.";
    let error = Diagnostic::error("not-generated", "Configuration not generated", detail);
    problem
        .diagnostics
        .insert(0, error.hint("Declare these resources yourself, or take their imports out for now."));
    problem
}

/// That a plan wants resources to be written though nobody asked for that.
pub fn not_asked_for() -> Problem {
    let detail = "The plan asks for resources that nobody wanted to be written. This is a bug in Terrane; please report it.";
    Diagnostic::error("bug", "Unexpected answer", detail).into()
}

/// Refuses a plan in which a resource that was written for an object would change it.
///
/// # Errors
/// One message per object, with what would change.
pub fn keep_what_is(
    undeclared: &[Undeclared],
    plan: &Plan,
    schemas: &dyn Schemas,
) -> Result<(), Diagnostics> {
    let mut errors = Diagnostics::new();
    for change in &plan.changes {
        let is_ours = undeclared.iter().any(|one| one.address == change.address);
        if !is_ours || change.deposed.is_some() || change.action == Action::NoOp {
            continue;
        }
        let schema = schemas.schema(Mode::Managed, &change.address.resource.type_name);
        let paths = match (schema, &change.before, &change.after) {
            (Some(schema), Some(before), Some(after)) => changed_paths(schema, before, after),
            _ => vec![],
        };
        let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        let what = match names.as_slice() {
            [] => "it would change".to_owned(),
            [one] => format!("{one} would change"),
            many => format!("{} would change", many.join(", ")),
        };
        let detail = format!(
            "No resource can be written for `{}` that keeps the object as it is: {what}.",
            change.address
        );
        errors.push(
            Diagnostic::error("not-generated", "Configuration not generated", detail)
                .about(&change.address)
                .hint("Nothing was written. Declare this resource yourself, or take its import out for now."),
        );
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.terrane.toml");
        let target = Target { path: path.clone(), name: "new.terrane.toml".to_owned() };
        target.write("one").unwrap();
        assert_eq!(target.write("two").unwrap_err().diagnostics[0].code, "file-exists");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere =
            Target { path: folder.path().join("no/x.terrane.toml"), name: "x.terrane.toml".to_owned() };
        assert_eq!(nowhere.write("one").unwrap_err().diagnostics[0].code, "not-written");
    }

    #[test]
    fn only_files_of_the_spec_are_targets() {
        for bad in
            ["generated.toml", "sub/generated.terrane.toml", "/generated.terrane.toml", "", ".x.terrane.toml"]
        {
            let error = Target::of(Path::new(bad)).unwrap_err();
            assert_eq!(error.diagnostics[0].code, "not-of-the-spec", "{bad}");
        }
        assert_eq!(
            Target::of(Path::new("./generated.terrane.toml")).unwrap().name(),
            "generated.terrane.toml"
        );
    }
}
