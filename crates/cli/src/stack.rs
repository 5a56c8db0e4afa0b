//! A stack's folder: the spec, the values of its variables, and where its state is.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use terrane_expr::FunctionContext;
use terrane_model::diagnostic::has_errors;
use terrane_model::schema::Schemas;
use terrane_model::source::SourceFile;
use terrane_model::{Diagnostic, Diagnostics, Sources, Value};
use terrane_spec::inputs::{self, Argument, Inputs, Values};
use terrane_spec::settings::Settings;
use terrane_spec::version::Version;
use terrane_spec::{Module, Parsed, Spec, is_spec_file, is_variable_file};
use terrane_state::{Backend, COMPATIBLE_VERSION};

use crate::backends;
use crate::cli::{Variable, Variables};
use crate::exit::Problem;
use crate::git::LOCK_FILE;
use crate::modules::{self, Disk, Saved};
use crate::terminal::Terminal;
use crate::workspace::selected;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A checked spec with the values of its variables.
pub struct Stack {
    /// The spec.
    pub spec: Spec,
    /// Names and bytes of its files and of those of its modules, and the lock file of these.
    pub files: Vec<(String, Vec<u8>)>,
    /// Values of the variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The workspace.
    pub workspace: Arc<str>,
    /// What is allowed and yet worth saying.
    pub warnings: Diagnostics,
}

/// The names and bytes of the files of a folder that a test accepts, sorted.
fn files_of(folder: &Path, accepts: fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let unreadable = |path: &Path, error: &io::Error| {
        let detail = format!("`{}` can't be read: {error}.", path.display());
        Problem::from(Diagnostic::error("unreadable-file", "File not readable", detail))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if accepts(&name) && !path.is_dir() {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            files.push((name, bytes));
        }
    }
    files.sort();
    Ok(files)
}

/// The files of the spec in the current folder.
pub fn spec_files() -> Result<Vec<(String, Vec<u8>)>, Problem> {
    files_of(Path::new("."), is_spec_file)
}

/// Reads and checks the spec of the current folder.
pub fn read(
    files: Vec<(String, Vec<u8>)>,
    schemas: &dyn Schemas,
    functions: &FunctionContext,
) -> Result<Spec, Problem> {
    let parsed = terrane_spec::parse(files).with_modules(&mut Disk::new());
    allowed(terrane_spec::check(parsed, schemas, functions)?)
}

/// Refuses a spec that wants other versions.
fn allowed(spec: Spec) -> Result<Spec, Problem> {
    let (Ok(terrane), Ok(terraform)) = (VERSION.parse::<Version>(), COMPATIBLE_VERSION.parse::<Version>())
    else {
        return Ok(spec);
    };
    let settings = spec.all_modules().map(|(_, module)| &module.settings);
    let refused: Diagnostics = settings.flat_map(|s| s.verify(&terrane, &terraform)).collect();
    if refused.is_empty() { Ok(spec) } else { Err(Problem::new(refused, &spec.sources)) }
}

impl Stack {
    /// Reads the stack of the current folder. Asks for missing variables where somebody can be asked.
    ///
    /// # Errors
    /// Everything that is wrong with spec and variables together.
    pub fn load(
        arguments: &Variables,
        schemas: &dyn Schemas,
        functions: &FunctionContext,
        terminal: &Terminal,
    ) -> Result<Stack, Problem> {
        let parsed = terrane_spec::parse(spec_files()?).with_modules(&mut Disk::new());
        let (mut spec, files, values) = checked(parsed, arguments, schemas, functions)?;
        let mut variables = values.values;
        let missing = answers(&values.missing, arguments.input, &spec.root, &mut spec.sources, terminal)?;
        variables.extend(missing);
        let warnings = [std::mem::take(&mut spec.warnings), values.warnings].concat();
        Ok(Stack { spec, files, variables, workspace: selected()?.name, warnings })
    }

    /// Adds a file to the spec that is not on the disk yet. The values of the variables stay.
    ///
    /// # Errors
    /// Everything that is wrong with the spec then.
    pub fn add(
        &mut self,
        name: &str,
        text: String,
        arguments: &Variables,
        schemas: &dyn Schemas,
        functions: &FunctionContext,
    ) -> Result<(), Problem> {
        let added = (name.to_owned(), text.into_bytes());
        let parsed = parse_saved(&[self.files.as_slice(), &[added]].concat());
        let (mut spec, files, values) = checked(parsed, arguments, schemas, functions)?;
        self.warnings = [std::mem::take(&mut spec.warnings), values.warnings].concat();
        (self.spec, self.files) = (spec, files);
        Ok(())
    }

    /// The stack that a plan was made from: its spec's files, and the values that the plan holds.
    ///
    /// # Errors
    /// When this version does not accept the spec any more.
    pub fn of_plan(
        plan: &terrane_plan::Plan,
        files: Vec<(String, Vec<u8>)>,
        schemas: &dyn Schemas,
        functions: &FunctionContext,
    ) -> Result<Stack, Problem> {
        let spec = allowed(terrane_spec::check(parse_saved(&files), schemas, functions)?)?;
        let (variables, workspace) = (plan.variables.clone(), plan.workspace.clone());
        Ok(Stack { spec, files, variables, workspace, warnings: vec![] })
    }

    /// Gives the ephemeral variables their values, which a plan does not hold.
    ///
    /// # Errors
    /// Values that don't fit, and values that are missing where nobody can be asked.
    pub fn give_ephemeral(&mut self, arguments: &Variables, terminal: &Terminal) -> Result<(), Problem> {
        let root = &self.spec.root;
        if root.variables.values().all(|variable| !variable.ephemeral) {
            return Ok(());
        }
        let ephemeral = |name: &Arc<str>| root.variables.get(name).is_some_and(|variable| variable.ephemeral);
        let mut sources = self.spec.sources.clone();
        let found = inputs::variables(root, &given(arguments)?, &mut sources);
        let values = found.map_err(|errors| Problem::new(errors, &sources))?;
        let missing: Vec<Arc<str>> = values.missing.into_iter().filter(ephemeral).collect();
        let answered = answers(&missing, arguments.input, root, &mut sources, terminal)?;
        let given = values.values.into_iter().filter(|(name, _)| ephemeral(name));
        self.variables.extend(given.chain(answered));
        self.spec.sources = sources;
        Ok(())
    }

    /// Where the state is.
    ///
    /// # Errors
    /// When the spec wants a kind of backend that there is not.
    pub fn backend(&self) -> Result<Box<dyn Backend>, Problem> {
        backends::open(&self.spec.root, &self.spec.sources, &self.workspace)
    }
}

/// The spec of files that are at hand, those of its modules and its lock file among them.
fn parse_saved(files: &[(String, Vec<u8>)]) -> Parsed {
    let is_below = |name: &str| name.contains('/') || name == LOCK_FILE;
    let root = files.iter().filter(|(name, _)| !is_below(name)).cloned().collect();
    terrane_spec::parse(root).with_modules(&mut Saved::new(files))
}

/// A spec, its files by name, and the values of its variables.
type Checked = (Spec, Vec<(String, Vec<u8>)>, Values);

/// A spec with its files and variables, or everything that is wrong with them together.
fn checked(
    parsed: Parsed,
    arguments: &Variables,
    schemas: &dyn Schemas,
    functions: &FunctionContext,
) -> Result<Checked, Problem> {
    let text = |file: &SourceFile| (file.name.to_string(), file.text.as_bytes().to_vec());
    let mut files: Vec<_> = parsed.sources.iter().map(|(_, file)| text(file)).collect();
    files.extend(modules::lock_file());
    let inputs = given(arguments)?;
    let mut sources = parsed.sources.clone();
    let values = inputs::variables(parsed.module(), &inputs, &mut sources);
    let checked = terrane_spec::check(parsed, schemas, functions);
    let (mut spec, values) = match (checked, values) {
        (Ok(spec), Ok(values)) => (spec, values),
        (checked, values) => {
            let mut all = checked.err().map(|failure| failure.diagnostics).unwrap_or_default();
            all.extend(values.err().unwrap_or_default());
            return Err(Problem::new(all, &sources));
        }
    };
    spec.sources = sources;
    Ok((allowed(spec)?, files, values))
}

/// What the current folder's spec says about the state, whatever is wrong elsewhere in it.
pub fn folder_settings() -> Result<(Module, Sources), Problem> {
    settings_where(|settings| settings.backend.is_some() || settings.encryption.is_some())
}

/// What the current folder's spec says about the organization of the account, in the same way.
pub fn folder_organization() -> Result<(Module, Sources), Problem> {
    settings_where(|settings| settings.organization.is_some())
}

fn settings_where(said: fn(&Settings) -> bool) -> Result<(Module, Sources), Problem> {
    let parsed = terrane_spec::parse(spec_files()?);
    let broken = |d: &&Diagnostic| d.is_error() && d.code != "no-spec";
    if !said(&parsed.module().settings) && parsed.diagnostics().iter().any(|d| broken(&d)) {
        // The settings may be in the part that can't be read.
        let errors = parsed.diagnostics().iter().filter(broken).cloned().collect();
        return Err(Problem::new(errors, &parsed.sources));
    }
    Ok((parsed.module().clone(), parsed.sources.clone()))
}

/// The state of the current folder for commands that need no more of the spec. What is wrong elsewhere in it does not
/// matter to them.
pub fn state_backend() -> Result<Box<dyn Backend>, Problem> {
    let (module, sources) = folder_settings()?;
    backends::open(&module, &sources, &selected()?.name)
}

/// Everything that sets variables.
fn given(arguments: &Variables) -> Result<Inputs, Problem> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| inputs::ENVIRONMENT.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    let arguments = arguments.ordered.iter().map(|argument| match argument {
        Variable::Value(text) => Ok(Argument::Value(text.clone())),
        Variable::File(path) => match fs::read(path) {
            Ok(bytes) => Ok(Argument::File(path.display().to_string(), bytes)),
            Err(error) => {
                let detail = format!("The file `{}` of `--var-file` can't be read: {error}.", path.display());
                Err(Problem::from(Diagnostic::error("unreadable-file", "File not readable", detail)))
            }
        },
    });
    let arguments = arguments.collect::<Result<_, _>>()?;
    Ok(Inputs { environment, files: files_of(Path::new("."), is_variable_file)?, arguments })
}

/// Asks for what is missing, or says how to give it.
fn answers(
    missing: &[Arc<str>],
    may_ask: bool,
    module: &Module,
    sources: &mut Sources,
    terminal: &Terminal,
) -> Result<BTreeMap<Arc<str>, Value>, Problem> {
    let mut values = BTreeMap::new();
    let mut errors = Diagnostics::new();
    for name in missing {
        let Some(variable) = module.variables.get(name) else { continue };
        let answer = match may_ask && terminal.can_ask {
            true => {
                let description =
                    variable.description.as_ref().map(|d| format!("  {d}\n\n")).unwrap_or_default();
                terminal.ask(&format!("var.{name}\n{description}  Enter a value: "))
            }
            false => None,
        };
        match answer {
            Some(text) => match inputs::answer(module, name, &text, sources) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(found) => errors.extend(found),
            },
            None => {
                let detail = format!("The variable `{name}` has no default, and no value was given.");
                let error =
                    Diagnostic::error("missing-variable", "Missing variable", detail).at(variable.span);
                errors.push(error.hint(format!(
                    "Give it with `--var {name}=VALUE`, in `terrane.vars.toml`, or as TERRANE_VAR_{name} in the \
                     environment."
                )));
            }
        }
    }
    if has_errors(&errors) { Err(Problem::new(errors, sources)) } else { Ok(values) }
}
