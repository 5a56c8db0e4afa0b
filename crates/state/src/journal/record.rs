//! The lines of a journal: `{"sum":"…","record":{…}}`, where the sum is taken over the record's bytes.
//!
//! Records are what is on disk; [`Intent`] and [`Outcome`](super::Outcome) are what they mean.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use terrane_model::Address;

use super::{Change, Intent, Operation, Outcome};
use crate::backend::Version;
use crate::error::FormatError;
use crate::snapshot::Object;
use crate::v4;

/// The version of the lines that this program writes, and the newest that it reads.
const FORMAT: u64 = 1;

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    /// The first line: which snapshot the rest builds on.
    Base(Version),
    /// A call is about to be made.
    Intent(u64, Box<Intent>),
    /// What became of something.
    Outcome(Outcome),
    /// A snapshot with everything above is about to be written: its serial and the digest of its content.
    Commit { serial: u64, content: String },
}

impl Record {
    /// Whether the line was forced to the disk when it was written, and with it all lines above.
    pub(crate) fn is_durable(&self) -> bool {
        !matches!(self, Record::Outcome(_))
    }

    /// Appends the line of the record.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let failed = |error: serde_json::Error| FormatError::NotStorable { what: error.to_string() };
        let record = serde_json::to_string(&self.stored()).map_err(failed)?;
        // As `Line` is read; the sum is hexadecimal, and the record is JSON already.
        out.extend_from_slice(format!(r#"{{"sum":"{}","record":"#, sum(record.as_bytes())).as_bytes());
        out.extend_from_slice(record.as_bytes());
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    /// Reads a line without its line break. Nothing when it is not whole.
    ///
    /// # Errors
    /// What is wrong with a line that is whole.
    pub(crate) fn read(line: &[u8]) -> Option<Result<Record, String>> {
        let line: Line = serde_json::from_slice(line).ok()?;
        if sum(line.record.get().as_bytes()) != line.sum {
            return None;
        }
        Some(match serde_json::from_str::<Stored<Json>>(line.record.get()) {
            Ok(stored) => Record::from_stored(stored),
            Err(_) => Err("it has a record that this version of Terrane does not know".to_owned()),
        })
    }

    fn stored(&self) -> Stored<v4::ObjectV4<'_>> {
        match self {
            Record::Base(version) => {
                Stored::Base { format: FORMAT, lineage: version.lineage.clone(), serial: version.serial }
            }
            Record::Intent(n, intent) => Stored::Intent {
                n: *n,
                address: intent.address.to_string(),
                deposed: intent.deposed.clone(),
                operation: intent.operation,
                provider: intent.provider.clone(),
                planned: intent.planned.as_ref().map(v4::bare),
                marker: intent.marker.clone(),
                id: intent.id.clone(),
                survey: intent.survey.clone(),
            },
            Record::Outcome(outcome) => Stored::Outcome {
                intent: outcome.intent,
                address: outcome.address.to_string(),
                deposed: outcome.deposed.clone(),
                before: outcome.before.clone(),
                change: match &outcome.change {
                    Change::Put { provider, object } => {
                        StoredChange::Put { provider: provider.clone(), object: v4::bare(object) }
                    }
                    Change::Remove => StoredChange::Remove,
                    Change::Depose { key } => StoredChange::Depose { key: key.clone() },
                    Change::Rename { to } => StoredChange::Rename { to: to.to_string() },
                    Change::Nothing { why } => StoredChange::Nothing { why: why.clone() },
                },
            },
            Record::Commit { serial, content } => {
                Stored::Commit { serial: *serial, content: content.clone() }
            }
        }
    }

    fn from_stored(stored: Stored<Json>) -> Result<Record, String> {
        let address = |text: String| text.parse::<Address>().map_err(|error| error.to_string());
        let object = |json: Json| v4::read_object(json).map_err(|error| error.to_string());
        Ok(match stored {
            Stored::Base { format, .. } if format > FORMAT => {
                return Err(format!(
                    "it has format {format}, and this version of Terrane knows none after {FORMAT}"
                ));
            }
            Stored::Base { lineage, serial, .. } => Record::Base(Version { lineage, serial }),
            Stored::Intent {
                n,
                address: text,
                deposed,
                operation,
                provider,
                planned,
                marker,
                id,
                survey,
            } => {
                let (address, planned) = (address(text)?, planned.map(object).transpose()?);
                Record::Intent(
                    n,
                    Box::new(Intent { address, deposed, operation, provider, planned, marker, id, survey }),
                )
            }
            Stored::Outcome { intent, address: text, deposed, before, change } => {
                let change = match change {
                    StoredChange::Put { provider, object: json } => {
                        Change::Put { provider, object: Box::new(object(json)?) }
                    }
                    StoredChange::Remove => Change::Remove,
                    StoredChange::Depose { key } => Change::Depose { key },
                    StoredChange::Rename { to } => Change::Rename { to: address(to)? },
                    StoredChange::Nothing { why } => Change::Nothing { why },
                };
                Record::Outcome(Outcome { intent, address: address(text)?, deposed, before, change })
            }
            Stored::Commit { serial, content } => Record::Commit { serial, content },
        })
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of some bytes.
pub(crate) fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What tells one object of an instance from another: nothing where there is none.
pub(crate) fn fingerprint(object: Option<&Object>) -> Option<String> {
    object.map(|object| sum(&serde_json::to_vec(&v4::bare(object)).unwrap_or_default()))
}

#[derive(Deserialize)]
struct Line {
    sum: String,
    record: Box<RawValue>,
}

/// A record on disk. An object is written as it is, and read as JSON first.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored<O> {
    Base {
        format: u64,
        lineage: String,
        serial: u64,
    },
    Intent {
        n: u64,
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deposed: Option<String>,
        operation: Operation,
        provider: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned: Option<O>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        survey: Option<String>,
    },
    Outcome {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<u64>,
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deposed: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        change: StoredChange<O>,
    },
    Commit {
        serial: u64,
        content: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredChange<O> {
    Put { provider: String, object: O },
    Remove,
    Depose { key: String },
    Rename { to: String },
    Nothing { why: String },
}
