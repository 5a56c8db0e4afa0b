//! Where a stack's state is kept: opens the backend that the spec names.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use terrane_aws::s3_backend::{BackendSettings, S3};
use terrane_model::{Diagnostic, Diagnostics, Sources};
use terrane_spec::Module;
use terrane_spec::settings::BackendKind;
use terrane_state::seal::{Sealed, Sealing};
use terrane_state::{Backend, Local, StateError};

use crate::encryption;
use crate::exit::Problem;
use crate::record::{Named, Noting};

/// Where states are when the spec says nothing.
const STATE_FOLDER: &str = "state";

/// Where the states of a sandbox are whose stack keeps its state in a bucket.
const SANDBOX_STATES: &str = ".terrane/sandbox-state";

/// Whether the command works in the embedded AWS, which has no buckets. Said once, at the beginning.
static IN_SANDBOX: OnceLock<bool> = OnceLock::new();

/// Notes for what the command was called.
pub fn note_sandbox(in_sandbox: bool) {
    // A second command in the same process is one of a test's, and says the same.
    let _ = IN_SANDBOX.set(in_sandbox);
}

/// Whether the command works in the embedded AWS.
pub fn in_sandbox() -> bool {
    IN_SANDBOX.get() == Some(&true)
}

/// Opens the backend of a workspace, encrypted where the spec says so.
///
/// # Errors
/// What is wrong with the backend's arguments, and with what they name.
pub fn open(module: &Module, sources: &Sources, workspace: &str) -> Result<Box<dyn Backend>, Problem> {
    let sealing = encryption::of(module, sources)?;
    let span = module.settings.backend.as_ref().map(|backend| backend.span);
    s3(module).map_err(|errors| Problem::new(errors, sources))?;
    let at = |error: StateError| Problem::new(vec![error.diagnostic().at(span)], sources);
    let told =
        |errors: Diagnostics| Problem::new(errors.into_iter().map(|error| error.at(span)).collect(), sources);
    let named = named(module);
    let backend = open_named(&named, workspace, sealing).map_err(told)?;
    if named.kind == "s3" && in_sandbox() {
        return Ok(backend);
    }
    let default_place = format!("{STATE_FOLDER}/{workspace}.tfstate");
    Ok(Box::new(Noting::new(backend, named, workspace, &default_place).map_err(at)?))
}

/// The backend that a spec names.
pub fn named(module: &Module) -> Named {
    let arguments = match module.settings.backend.as_ref().map(|backend| &backend.kind) {
        None => serde_json::Map::new(),
        Some(BackendKind::Local { path, workspace_dir }) => {
            [("path", path), ("workspace_dir", workspace_dir)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.as_ref()?.0.to_string().into())))
                .collect()
        }
        Some(BackendKind::S3 { body, .. }) => {
            let arguments = body.as_literal().and_then(terrane_model::json::to_json);
            let arguments = arguments.and_then(|json| json.as_object().cloned()).unwrap_or_default();
            return Named { kind: "s3".to_owned(), arguments };
        }
    };
    Named { kind: "local".to_owned(), arguments }
}

/// Opens a backend that was named earlier, or now, with an encryption or with none.
///
/// # Errors
/// What is wrong with its arguments, and with what they name.
pub fn open_named(
    named: &Named,
    workspace: &str,
    sealing: Option<Arc<Sealing>>,
) -> Result<Box<dyn Backend>, Diagnostics> {
    let told = |error: StateError| vec![error.diagnostic()];
    let local = |folder: &str, path: Option<&str>| -> Result<Box<dyn Backend>, Diagnostics> {
        let mut local = Local::new(Path::new(folder), path.map(Path::new), workspace).map_err(told)?;
        if let Some(sealing) = &sealing {
            local.seal_backups(sealing.clone());
        }
        Ok(Box::new(local))
    };
    let text = |name: &str| named.arguments.get(name).and_then(serde_json::Value::as_str);
    let backend: Box<dyn Backend> = match named.kind.as_str() {
        "s3" if in_sandbox() => local(SANDBOX_STATES, None)?,
        "s3" => {
            let arguments = terrane_model::json::implied(&serde_json::Value::Object(named.arguments.clone()));
            let settings = BackendSettings::read(&arguments).map_err(|problems| {
                let told =
                    |p: terrane_model::conform::Problem| Diagnostic::error(p.code, p.summary, p.detail);
                problems.into_iter().map(told).collect::<Diagnostics>()
            })?;
            Box::new(S3::open(settings, workspace).map_err(told)?)
        }
        _ => local(text("workspace_dir").unwrap_or(STATE_FOLDER), text("path"))?,
    };
    Ok(match sealing {
        Some(sealing) => Box::new(Sealed::new(backend, sealing)),
        None => backend,
    })
}

/// The checked arguments of the S3 backend, where the spec has one.
///
/// # Errors
/// Everything that is wrong with them.
pub fn s3(module: &Module) -> Result<Option<BackendSettings>, Diagnostics> {
    let Some(backend) = &module.settings.backend else { return Ok(None) };
    let BackendKind::S3 { body, places } = &backend.kind else { return Ok(None) };
    let Some(arguments) = body.as_literal() else {
        let detail = "The arguments of the backend must be fixed values: the state is read before anything can be referred to.";
        let error = Diagnostic::error("not-fixed", "Expression where a fixed value is needed", detail);
        return Err(vec![error.at(backend.span)]);
    };
    BackendSettings::read(arguments).map(Some).map_err(|problems| {
        let told = |problem: &terrane_model::conform::Problem| {
            let at = match problem.code {
                _ if problem.path.0.is_empty() => backend.span,
                "unknown-argument" => places.key_at(&problem.path),
                _ => places.at(&problem.path),
            };
            Diagnostic::error(problem.code, problem.summary, problem.detail.clone()).at(at)
        };
        problems.iter().map(told).collect()
    })
}
