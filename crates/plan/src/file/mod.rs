//! A plan in a file: self-contained, versioned, JSON.
//!
//! It holds the files of the spec, the values of the variables, the state before and after refreshing, every change with
//! its values, and the action graph. Applying it needs nothing else, and makes no choice.

mod parts;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;
use terrane_model::Value;

use crate::access::AccessReport;
use crate::loss::Loss;
use crate::plan::Plan;

use wire::{Wire, value_from_wire};

/// Says what kind of file it is.
const FORMAT: &str = "terrane-plan";
/// Grows when an older reader would misread the file.
const VERSION: u64 = 1;

/// What a plan file holds besides the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Version of the program that wrote it.
    pub program_version: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Names and texts of the spec's files.
    pub spec_files: Vec<(String, String)>,
    /// What was warned of when it was made, as people read it.
    pub warnings: Vec<String>,
}

/// A plan file that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no JSON: cut off, or something else.
    #[error("it is not a plan file, or it is cut off")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another kind.
    #[error("it is not a plan file")]
    NotAPlan,
    /// A newer program wrote it.
    #[error(
        "it was written by Terrane {program} in the plan format {version}; this program reads format {VERSION}"
    )]
    Newer {
        /// The format's version.
        version: u64,
        /// The program's version.
        program: String,
    },
    /// A part is missing or of the wrong shape.
    #[error("the part `{0}` is missing or damaged")]
    Damaged(String),
}

/// Writes a plan file.
///
/// It is written part by part: beside the bytes, no more than one part at a time is in memory.
pub fn write(plan: &Plan, envelope: &Envelope) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Neither memory nor these types ever fail; what is cut off would not be read as a plan again.
    let _ = serde_json::to_writer(&mut bytes, &File { plan, envelope });
    bytes.push(b'\n');
    bytes
}

struct File<'a> {
    plan: &'a Plan,
    envelope: &'a Envelope,
}

impl Serialize for File<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let File { plan, envelope } = self;
        // An ephemeral value is given anew to the apply.
        let kept = plan.variables.iter().filter(|(_, value)| !value.marks_deep().ephemeral);
        let variables: BTreeMap<&str, Wire<'_>> =
            kept.map(|(name, value)| (name.as_ref(), Wire(value))).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", FORMAT)?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry("program_version", &envelope.program_version)?;
        map.serialize_entry("created", &envelope.created)?;
        map.serialize_entry("mode", parts::mode_name(plan.mode))?;
        map.serialize_entry("targeting", &parts::targeting_to_json(&plan.targeting))?;
        map.serialize_entry("workspace", plan.workspace.as_ref())?;
        map.serialize_entry("digest", &plan.digest)?;
        map.serialize_entry("spec", &parts::Each(&envelope.spec_files, parts::file_to_json))?;
        map.serialize_entry("variables", &variables)?;
        map.serialize_entry("prior", &parts::SnapshotText(&plan.prior))?;
        map.serialize_entry("refreshed", &parts::SnapshotText(&plan.refreshed))?;
        map.serialize_entry("changes", &parts::Each(&plan.changes, parts::WrittenChange))?;
        map.serialize_entry("drift", &parts::Each(&plan.drift, parts::WrittenDrift))?;
        map.serialize_entry("outputs", &parts::WrittenOutputs(&plan.outputs))?;
        map.serialize_entry("order", &parts::WrittenOrder(&plan.order))?;
        map.serialize_entry("verdicts", &parts::Each(&plan.verdicts, parts::verdict_to_json))?;
        map.serialize_entry("access", &plan.access.to_json())?;
        map.serialize_entry(
            "possible_moves",
            &parts::Each(&plan.possible_moves, parts::possible_move_to_json),
        )?;
        map.serialize_entry("generated", &parts::generated_to_json(&plan.generated))?;
        map.serialize_entry("losses", &parts::Each(&plan.losses, Loss::to_file))?;
        map.serialize_entry("warnings", &envelope.warnings)?;
        map.end()
    }
}

/// Reads a plan file.
///
/// # Errors
/// Anything that is not a whole plan file of this version. Unknown keys are ignored.
pub fn read(bytes: &[u8]) -> Result<(Plan, Envelope), FileError> {
    let file: Json = serde_json::from_slice(bytes).map_err(FileError::NotJson)?;
    if file.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(FileError::NotAPlan);
    }
    let text = |name: &str| {
        file.get(name)
            .and_then(Json::as_str)
            .map(str::to_owned)
            .ok_or_else(|| FileError::Damaged(name.to_owned()))
    };
    let part = |name: &str| file.get(name).ok_or_else(|| FileError::Damaged(name.to_owned()));
    let version = part("version")?.as_u64().ok_or_else(|| FileError::Damaged("version".into()))?;
    if version != VERSION {
        return Err(FileError::Newer { version, program: text("program_version")? });
    }
    fn whole<T>(name: &str, found: Option<T>) -> Result<T, FileError> {
        found.ok_or_else(|| FileError::Damaged(name.to_owned()))
    }
    let all = |name: &'static str| whole(name, part(name)?.as_array().map(Vec::as_slice));
    let spec_files = all("spec")?.iter().map(parts::file_from_json).collect::<Option<Vec<_>>>();
    let variables = part("variables")?.as_object().and_then(|variables| {
        variables
            .iter()
            .map(|(name, value)| Some((Arc::from(name.as_str()), value_from_wire(value)?)))
            .collect::<Option<BTreeMap<Arc<str>, Value>>>()
    });
    let changes = all("changes")?.iter().map(parts::change_from_json).collect::<Option<Vec<_>>>();
    let drift = all("drift")?.iter().map(parts::drift_from_json).collect::<Option<Vec<_>>>();
    let verdicts = all("verdicts")?.iter().map(parts::verdict_from_json).collect::<Option<Vec<_>>>();
    let plan = Plan {
        mode: whole("mode", parts::mode_from_name(&text("mode")?))?,
        targeting: whole("targeting", parts::targeting_from_json(file.get("targeting")))?,
        prior: whole("prior", parts::snapshot_from_json(part("prior")?))?,
        refreshed: whole("refreshed", parts::snapshot_from_json(part("refreshed")?))?,
        digest: text("digest")?,
        workspace: text("workspace")?.into(),
        variables: whole("variables", variables)?,
        changes: whole("changes", changes)?,
        drift: whole("drift", drift)?,
        outputs: whole("outputs", parts::outputs_from_json(part("outputs")?))?,
        order: whole("order", parts::order_from_json(part("order")?))?,
        verdicts: whole("verdicts", verdicts)?,
        // Files of earlier versions hold none.
        access: match file.get("access") {
            Some(json) => whole("access", AccessReport::from_json(json))?,
            None => AccessReport::default(),
        },
        possible_moves: whole("possible_moves", parts::possible_moves_from_json(file.get("possible_moves")))?,
        generated: whole("generated", parts::generated_from_json(file.get("generated")))?,
        losses: whole("losses", losses(&file))?,
        warnings: vec![],
    };
    crate::verify::verify(&plan).map_err(|_| FileError::Damaged("order".into()))?;
    let envelope = Envelope {
        program_version: text("program_version")?,
        created: text("created")?,
        spec_files: whole("spec", spec_files)?,
        warnings: warnings(&file),
    };
    Ok((plan, envelope))
}

/// Files of earlier versions hold none.
fn losses(file: &Json) -> Option<Vec<Loss>> {
    let Some(all) = file.get("losses") else { return Some(vec![]) };
    all.as_array()?.iter().map(Loss::from_file).collect()
}

/// Files of earlier versions hold none.
fn warnings(file: &Json) -> Vec<String> {
    let all = file.get("warnings").and_then(Json::as_array).into_iter().flatten();
    all.filter_map(Json::as_str).map(str::to_owned).collect()
}
