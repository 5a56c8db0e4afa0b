//! Assertions as plans, states and tools see them.

use serde_json::{Map, Value as Json, json};
use terrane_access::{Estate, Judgement, Verdict};

use super::claims::told;

/// An assertion and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The name, such as `cannot_read["Post"]`.
    pub name: String,
    /// Why it matters.
    pub description: Option<String>,
    /// Whether it expects to be allowed; else denied.
    pub allowed: bool,
    /// How it came out.
    pub verdict: Verdict,
    /// How many questions it asked.
    pub asked: usize,
    /// What settled it, when it holds: `kms (key-iam)`.
    pub settled_by: Vec<String>,
    /// The answers that go against it, a line each.
    pub against: Vec<String>,
}

/// The name under which a report stands in plan files and JSON.
pub type Report = super::AccessReport;

const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Holds, "pass"),
    (Verdict::Accepted, "accepted"),
    (Verdict::Open, "unknown"),
    (Verdict::Broken, "fail"),
];

impl Assertion {
    pub(super) fn of(judgement: &Judgement, estate: &Estate) -> Assertion {
        let claim = &judgement.claim;
        let against = judgement.against.iter().map(|(principal, action, resource, answered)| {
            let (principal, resource) = (estate.label_of(principal), estate.label_of(resource));
            let last = answered.chain.last().map(|reason| told(reason, estate)).unwrap_or_default();
            format!("{principal} {action} on {resource}: {last}")
        });
        Assertion {
            name: claim.name.clone(),
            description: claim.description.clone(),
            allowed: claim.allowed,
            verdict: judgement.verdict,
            asked: judgement.asked,
            settled_by: judgement.settled_by.clone(),
            against: against.collect(),
        }
    }

    /// The verdict's name in JSON.
    pub fn status(&self) -> &'static str {
        VERDICTS.iter().find(|(verdict, _)| *verdict == self.verdict).map_or("", |(_, name)| name)
    }

    /// As JSON, in plan files, plan JSON and states.
    pub fn to_json(&self) -> Json {
        json!({
            "name": self.name,
            "description": self.description,
            "expect": if self.allowed { "allowed" } else { "denied" },
            "status": self.status(),
            "asked": self.asked,
            "settled_by": self.settled_by,
            "against": self.against,
        })
    }

    /// Reads what [`Assertion::to_json`] gives. Nothing when it is damaged.
    pub fn from_json(json: &Json) -> Option<Assertion> {
        let texts = |name: &str| -> Option<Vec<String>> {
            json.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let status = json.get("status")?.as_str()?;
        Some(Assertion {
            name: json.get("name")?.as_str()?.to_owned(),
            description: json.get("description")?.as_str().map(str::to_owned),
            allowed: json.get("expect")?.as_str()? == "allowed",
            verdict: VERDICTS.iter().find(|(_, name)| *name == status)?.0,
            asked: usize::try_from(json.get("asked")?.as_u64()?).ok()?,
            settled_by: texts("settled_by")?,
            against: texts("against")?,
        })
    }
}

impl super::AccessReport {
    /// As JSON, in plan files and plan JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "assertions": self.assertions.iter().map(Assertion::to_json).collect::<Vec<_>>(),
            "changes": self.changes.iter().map(|change| json!(change)).collect::<Vec<_>>(),
        })
    }

    /// Reads what [`Report::to_json`] gives. Nothing when it is damaged.
    pub fn from_json(json: &Json) -> Option<Report> {
        let assertions = json.get("assertions")?.as_array()?.iter().map(Assertion::from_json);
        let changes = json.get("changes")?.as_array()?.iter();
        Some(Report {
            assertions: assertions.collect::<Option<_>>()?,
            changes: changes
                .map(|change| serde_json::from_value(change.clone()).ok())
                .collect::<Option<_>>()?,
        })
    }
}

/// Puts the results into Terrane's own part of a state: the assertions of the last apply.
pub fn own_part(own: &mut Map<String, Json>, assertions: &[Assertion]) {
    match assertions.is_empty() {
        true => drop(own.remove("access")),
        false => {
            let all = assertions.iter().map(Assertion::to_json).collect();
            own.insert("access".to_owned(), Json::Array(all));
        }
    }
}
