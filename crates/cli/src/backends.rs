//! Where a stack's state is kept: opens the backend that the spec names.

use std::path::PathBuf;
use std::sync::OnceLock;

use terrane_aws::s3_backend::{BackendSettings, S3};
use terrane_model::{Diagnostic, Diagnostics, Sources};
use terrane_spec::Module;
use terrane_spec::settings::BackendKind;
use terrane_state::{Backend, Local};

use crate::exit::Problem;

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

/// Opens the backend of a workspace.
///
/// # Errors
/// What is wrong with the backend's arguments, and with what they name.
pub fn open(module: &Module, sources: &Sources, workspace: &str) -> Result<Box<dyn Backend>, Problem> {
    let Some(backend) = &module.settings.backend else {
        return Ok(Box::new(Local::new(&PathBuf::from(STATE_FOLDER), None, workspace)?));
    };
    match &backend.kind {
        BackendKind::Local { path, workspace_dir } => {
            let path = path.as_ref().map(|(path, _)| PathBuf::from(path.as_ref()));
            let folder = workspace_dir.as_ref().map_or(STATE_FOLDER, |(folder, _)| folder.as_ref());
            Ok(Box::new(Local::new(&PathBuf::from(folder), path.as_deref(), workspace)?))
        }
        BackendKind::S3 { .. } => {
            let settings = s3(module).map_err(|errors| Problem::new(errors, sources))?;
            match (settings, IN_SANDBOX.get()) {
                (Some(settings), None | Some(false)) => {
                    let opened = S3::open(settings, workspace);
                    let at = |error: terrane_state::StateError| {
                        Problem::new(vec![error.diagnostic().at(backend.span)], sources)
                    };
                    Ok(Box::new(opened.map_err(at)?))
                }
                _ => Ok(Box::new(Local::new(&PathBuf::from(SANDBOX_STATES), None, workspace)?)),
            }
        }
    }
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
            let at = if problem.path.0.is_empty() { backend.span } else { places.at(&problem.path) };
            Diagnostic::error(problem.code, problem.summary, problem.detail.clone()).at(at)
        };
        problems.iter().map(told).collect()
    })
}
