//! Where the states of a stack were last: `.terrane/backend.json`.
//!
//! A spec that names another backend than yesterday's would find no state there, and a plan would make everything a second
//! time. So who opens a backend compares, and who reads or writes a state notes where that was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use terrane_model::Diagnostic;
use terrane_state::{Backend, LockInfo, Log, StateError, Taken, Version, Write};

const FILE: &str = ".terrane/backend.json";

/// Arguments that are not written down.
const SECRET: [&str; 4] = ["access_key", "secret_key", "sse_customer_key", "token"];

/// A backend as a spec names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// `local` or `s3`.
    pub kind: String,
    /// Its arguments.
    pub arguments: serde_json::Map<String, Json>,
}

/// What is known about where the states were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The backend.
    pub named: Named,
    /// The place of each workspace's state.
    pub places: BTreeMap<String, String>,
}

impl Record {
    /// The record of the current folder, if there is one that can be read.
    pub fn read() -> Option<Record> {
        let json: Json = serde_json::from_slice(&fs::read(FILE).ok()?).ok()?;
        let (kind, arguments) = json.get("backend")?.as_object()?.iter().next()?;
        let places = json.get("places")?.as_object()?.iter();
        Some(Record {
            named: Named { kind: kind.clone(), arguments: arguments.as_object()?.clone() },
            places: places
                .filter_map(|(name, place)| Some((name.clone(), place.as_str()?.to_owned())))
                .collect(),
        })
    }

    /// Writes the record. It only helps: where it can't be written, the state itself is as safe as before.
    fn write(&self) {
        let mut arguments = self.named.arguments.clone();
        arguments.retain(|name, _| !SECRET.contains(&name.as_str()));
        let json = json!({ "backend": { self.named.kind.as_str(): arguments }, "places": self.places });
        let temporary = format!("{FILE}.tmp");
        let written = fs::create_dir_all(Path::new(FILE).parent().unwrap_or(Path::new(".")))
            .and_then(|()| fs::write(&temporary, format!("{json:#}\n")))
            .and_then(|()| fs::rename(&temporary, FILE));
        if written.is_err() {
            // What is left of a record that could not be written says nothing.
            let _ = fs::remove_file(&temporary);
        }
    }

    /// Notes that a workspace's state is in this place.
    pub fn note(named: &Named, workspace: &str, place: &str) {
        let old = Record::read();
        let mut new = match &old {
            Some(record) => record.clone(),
            None => Record::default(),
        };
        new.named = named.clone();
        new.named.arguments.retain(|name, _| !SECRET.contains(&name.as_str()));
        new.places.insert(workspace.to_owned(), place.to_owned());
        // The default place of a stack that never had another one needs no note.
        let plain = new.named.kind == "local" && new.named.arguments.is_empty() && old.is_none();
        if !plain && old.as_ref() != Some(&new) {
            new.write();
        }
    }

    /// Takes out where a workspace's state was that is gone.
    pub fn forget(workspace: &str) {
        if let Some(mut record) = Record::read()
            && record.places.remove(workspace).is_some()
        {
            record.write();
        }
    }
}

/// A backend that notes where the state was when it was read or written.
pub struct Noting {
    inner: Box<dyn Backend>,
    named: Named,
    workspace: String,
}

impl Noting {
    /// Opens a backend for a command. Looks whether the state was elsewhere before.
    ///
    /// # Errors
    /// When it was, and there is none here.
    pub fn new(
        mut inner: Box<dyn Backend>,
        named: Named,
        workspace: &str,
        default_place: &str,
    ) -> Result<Noting, StateError> {
        let place = inner.place();
        let before = match Record::read() {
            Some(record) => record.places.get(workspace).cloned(),
            // Without a record it was in the default place, if there is one.
            None => Path::new(default_place).exists().then(|| default_place.to_owned()),
        };
        if let Some(before) = before.filter(|before| *before != place)
            && inner.read()?.is_none()
        {
            return Err(StateError::Backend(Box::new(moved(&before, &place))));
        }
        Ok(Noting { inner, named, workspace: workspace.to_owned() })
    }
}

fn moved(before: &str, place: &str) -> Diagnostic {
    let detail = format!(
        "The state of this stack was last at `{before}`, and the spec says `{place}` now, where there is none. A plan would make \
         everything a second time. Nothing was done."
    );
    Diagnostic::error("backend-changed", "State elsewhere", detail)
        .hint("`terrane state migrate` copies it, compares the copy, and puts the old one aside.")
        .hint(format!("To begin anew there, remove `{FILE}` and move the old state away."))
}

impl Backend for Noting {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn workspaces(&mut self) -> Result<Vec<String>, StateError> {
        self.inner.workspaces()
    }

    fn delete_workspace(&mut self, name: &str, may_go: &mut dyn FnMut() -> bool) -> Result<(), StateError> {
        self.inner.delete_workspace(name, may_go)
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let bytes = self.inner.read()?;
        if bytes.is_some() {
            Record::note(&self.named, &self.workspace, &self.inner.place());
        }
        Ok(bytes)
    }

    fn write(&mut self, write: Write<'_>) -> Result<(), StateError> {
        self.inner.write(write)?;
        Record::note(&self.named, &self.workspace, &self.inner.place());
        Ok(())
    }

    fn journal(&self) -> Box<dyn Log> {
        self.inner.journal()
    }

    fn notes(&self) -> Box<dyn Log> {
        self.inner.notes()
    }

    fn lock(&mut self, info: &LockInfo) -> Result<Taken, StateError> {
        self.inner.lock(info)
    }

    fn unlock(&mut self) -> Result<(), StateError> {
        self.inner.unlock()
    }

    fn force_unlock(&mut self, id: &str) -> Result<LockInfo, StateError> {
        self.inner.force_unlock(id)
    }

    fn put_aside(&mut self) -> Result<String, StateError> {
        self.inner.put_aside()
    }

    fn sealed(&self, version: &Version, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        self.inner.sealed(version, bytes)
    }
}
