//! The parts of a plan file. Every `from` answers nothing when the part is damaged.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Value as Json, json};
use terrane_model::{Action, Address, Path, Reason, ResourceAddress, Selector, Step as PathStep, Value};
use terrane_state::Snapshot;

use super::wire::{Wire, value_from_wire};
use crate::conditions::{KINDS, STATUSES, Verdict};
use crate::order::{Order, Step};
use crate::plan::{Change, Drift, Mode, OutputChange, PossibleMove, ProviderKey};
use crate::target::Targeting;

const MODES: [(Mode, &str); 3] =
    [(Mode::Normal, "normal"), (Mode::Destroy, "destroy"), (Mode::RefreshOnly, "refresh-only")];

const ACTIONS: [(Action, &str); 8] = [
    (Action::NoOp, "no-op"),
    (Action::Create, "create"),
    (Action::Read, "read"),
    (Action::Update, "update"),
    (Action::DeleteThenCreate, "delete-then-create"),
    (Action::CreateThenDelete, "create-then-delete"),
    (Action::Delete, "delete"),
    (Action::Forget, "forget"),
];

const REASONS: [Reason; 15] = [
    Reason::Plain,
    Reason::ReplaceBecauseCannotUpdate,
    Reason::ReplaceBecauseTainted,
    Reason::ReplaceByRequest,
    Reason::ReplaceByTriggers,
    Reason::DeleteBecauseNoResourceConfig,
    Reason::DeleteBecauseWrongRepetition,
    Reason::DeleteBecauseCountIndex,
    Reason::DeleteBecauseEachKey,
    Reason::DeleteBecauseNoModule,
    Reason::DeleteBecauseNoMoveTarget,
    Reason::UpdateBecausePendingDeletion,
    Reason::UpdateBecausePredecessorPendingDeletion,
    Reason::ReadBecauseConfigUnknown,
    Reason::ReadBecauseDependencyPending,
];

pub(super) fn mode_name(mode: Mode) -> &'static str {
    MODES.iter().find(|(m, _)| *m == mode).map_or("normal", |(_, name)| name)
}

pub(super) fn mode_from_name(name: &str) -> Option<Mode> {
    MODES.iter().find(|(_, n)| *n == name).map(|(mode, _)| *mode)
}

pub(super) fn targeting_to_json(targeting: &Targeting) -> Json {
    let texts = |all: &[Selector]| -> Json { all.iter().map(ToString::to_string).collect() };
    json!({
        "targets": texts(&targeting.targets),
        "dependents": targeting.dependents,
        "excludes": texts(&targeting.excludes),
    })
}

/// Plan files of earlier versions hold none.
pub(super) fn targeting_from_json(json: Option<&Json>) -> Option<Targeting> {
    let Some(json) = json else { return Some(Targeting::default()) };
    let all = |name: &str| -> Option<Vec<Selector>> {
        json.get(name)?.as_array()?.iter().map(|text| text.as_str()?.parse().ok()).collect()
    };
    let dependents = json.get("dependents")?.as_bool()?;
    Some(Targeting { targets: all("targets")?, dependents, excludes: all("excludes")? })
}

pub(super) fn file_to_json((name, text): &(String, String)) -> Json {
    json!({ "name": name, "text": text })
}

pub(super) fn file_from_json(json: &Json) -> Option<(String, String)> {
    Some((json.get("name")?.as_str()?.to_owned(), json.get("text")?.as_str()?.to_owned()))
}

/// A snapshot stands in the plan as it would stand in a state file.
pub(super) struct SnapshotText<'a>(pub &'a Snapshot);

impl Serialize for SnapshotText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&terrane_state::render(self.0)))
    }
}

pub(super) fn snapshot_from_json(json: &Json) -> Option<Snapshot> {
    terrane_state::parse(json.as_str()?.as_bytes()).ok()
}

/// Absent is null here; damaged is nothing.
fn optional_from(json: Option<&Json>) -> Option<Option<Value>> {
    match json? {
        Json::Null => Some(None),
        json => Some(Some(value_from_wire(json)?)),
    }
}

/// Something that is written as its text.
struct Text<'a, T>(&'a T);

impl<T: Display> Serialize for Text<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// The elements of a list, each written by its own type.
pub(super) struct Each<'a, T, W>(pub &'a [T], pub fn(&'a T) -> W);

impl<T, W: Serialize> Serialize for Each<'_, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

pub(super) struct WrittenChange<'a>(pub &'a Change);

impl Serialize for WrittenChange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = self.0;
        let action = ACTIONS.iter().find(|(a, _)| *a == change.action).map_or("", |(_, name)| name);
        let dependencies: Vec<Text<'_, ResourceAddress>> = change.dependencies.iter().map(Text).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("address", &Text(&change.address))?;
        map.serialize_entry("previous_address", &change.previous_address.as_ref().map(Text))?;
        map.serialize_entry("deposed", &change.deposed)?;
        map.serialize_entry("provider", &change.provider.state_name())?;
        map.serialize_entry("action", action)?;
        map.serialize_entry("reason", &change.reason.json_name())?;
        map.serialize_entry("before", &change.before.as_ref().map(Wire))?;
        map.serialize_entry("after", &change.after.as_ref().map(Wire))?;
        map.serialize_entry("replace_paths", &Each(&change.replace_paths, path_to_json))?;
        map.serialize_entry("dependencies", &dependencies)?;
        map.serialize_entry("create_before_destroy", &change.create_before_destroy)?;
        map.serialize_entry("left_over", &change.left_over)?;
        map.serialize_entry("importing", &change.importing)?;
        map.end()
    }
}

/// Where a move led from. Absent is null here; damaged is nothing.
fn previous_from_json(json: &Json) -> Option<Option<Address>> {
    match json.get("previous_address") {
        None | Some(Json::Null) => Some(None),
        Some(text) => Some(Some(text.as_str()?.parse().ok()?)),
    }
}

pub(super) fn change_from_json(json: &Json) -> Option<Change> {
    let reason = json.get("reason")?.as_str();
    let deposed = json.get("deposed")?;
    // Files of earlier versions say nothing of it.
    let importing = json.get("importing").unwrap_or(&Json::Null);
    let paths = json.get("replace_paths")?.as_array()?.iter().map(path_from_json).collect::<Option<_>>()?;
    let dependencies =
        json.get("dependencies")?.as_array()?.iter().map(resource_from_json).collect::<Option<_>>()?;
    let action = json.get("action")?.as_str()?;
    Some(Change {
        address: json.get("address")?.as_str()?.parse().ok()?,
        previous_address: previous_from_json(json)?,
        deposed: if deposed.is_null() { None } else { Some(deposed.as_str()?.to_owned()) },
        provider: ProviderKey::from_state_name(json.get("provider")?.as_str()?)?,
        action: ACTIONS.iter().find(|(_, name)| *name == action).map(|(a, _)| *a)?,
        reason: REASONS.iter().find(|r| r.json_name() == reason).copied()?,
        before: optional_from(json.get("before"))?,
        after: optional_from(json.get("after"))?,
        replace_paths: paths,
        dependencies,
        create_before_destroy: json.get("create_before_destroy")?.as_bool()?,
        left_over: json.get("left_over")?.as_bool()?,
        importing: if importing.is_null() { None } else { Some(importing.as_str()?.to_owned()) },
    })
}

fn resource_from_json(json: &Json) -> Option<ResourceAddress> {
    json.as_str()?.parse::<Address>().ok().map(|address| address.resource)
}

pub(super) struct WrittenDrift<'a>(pub &'a Drift);

impl Serialize for WrittenDrift<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let drift = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("address", &Text(&drift.address))?;
        map.serialize_entry("previous_address", &drift.previous_address.as_ref().map(Text))?;
        map.serialize_entry("before", &Wire(&drift.before))?;
        map.serialize_entry("after", &drift.after.as_ref().map(Wire))?;
        map.end()
    }
}

pub(super) fn drift_from_json(json: &Json) -> Option<Drift> {
    Some(Drift {
        address: json.get("address")?.as_str()?.parse().ok()?,
        previous_address: previous_from_json(json)?,
        before: value_from_wire(json.get("before")?)?,
        after: optional_from(json.get("after"))?,
    })
}

pub(super) fn possible_move_to_json(one: &PossibleMove) -> Json {
    json!({ "from": one.from, "to": one.to })
}

/// Plan files of earlier versions hold none.
pub(super) fn possible_moves_from_json(json: Option<&Json>) -> Option<Vec<PossibleMove>> {
    let text = |json: &Json, name: &str| Some(json.get(name)?.as_str()?.to_owned());
    let one = |json: &Json| Some(PossibleMove { from: text(json, "from")?, to: text(json, "to")? });
    json.map_or(Some(vec![]), |json| json.as_array()?.iter().map(one).collect())
}

pub(super) fn generated_to_json(generated: &BTreeMap<Address, String>) -> Json {
    generated.iter().map(|(address, text)| (address.to_string(), Json::from(text.as_str()))).collect()
}

/// Plan files of earlier versions hold none.
pub(super) fn generated_from_json(json: Option<&Json>) -> Option<BTreeMap<Address, String>> {
    let Some(json) = json else { return Some(BTreeMap::new()) };
    let one = |(address, text): (&String, &Json)| Some((address.parse().ok()?, text.as_str()?.to_owned()));
    json.as_object()?.iter().map(one).collect()
}

pub(super) struct WrittenOutputs<'a>(pub &'a BTreeMap<Arc<str>, OutputChange>);

impl Serialize for WrittenOutputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, output)| (name.as_ref(), WrittenOutput(output))))
    }
}

struct WrittenOutput<'a>(&'a OutputChange);

impl Serialize for WrittenOutput<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let output = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("before", &output.before.as_ref().map(Wire))?;
        map.serialize_entry("after", &output.after.as_ref().map(Wire))?;
        map.serialize_entry("sensitive", &output.sensitive)?;
        map.end()
    }
}

pub(super) fn outputs_from_json(json: &Json) -> Option<BTreeMap<Arc<str>, OutputChange>> {
    json.as_object()?
        .iter()
        .map(|(name, output)| {
            let change = OutputChange {
                before: optional_from(output.get("before"))?,
                after: optional_from(output.get("after"))?,
                sensitive: output.get("sensitive")?.as_bool()?,
            };
            Some((Arc::from(name.as_str()), change))
        })
        .collect()
}

pub(super) struct WrittenOrder<'a>(pub &'a Order);

impl Serialize for WrittenOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("steps", &Each(&self.0.steps, WrittenStep))?;
        map.serialize_entry("followers", &self.0.followers)?;
        map.end()
    }
}

struct WrittenStep<'a>(&'a Step);

impl Serialize for WrittenStep<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, index) = match self.0 {
            Step::Apply(i) => ("apply", Some(i)),
            Step::Delete(i) => ("delete", Some(i)),
            Step::Forget(i) => ("forget", Some(i)),
            Step::Made => ("made", None),
            Step::Unneeded => ("unneeded", None),
        };
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(name)?;
        if let Some(index) = index {
            list.serialize_element(index)?;
        }
        list.end()
    }
}

pub(super) fn order_from_json(json: &Json) -> Option<Order> {
    let number = |json: &Json| json.as_u64().and_then(|n| usize::try_from(n).ok());
    let step = |json: &Json| {
        let index = || json.get(1).and_then(number);
        Some(match json.get(0)?.as_str()? {
            "apply" => Step::Apply(index()?),
            "delete" => Step::Delete(index()?),
            "forget" => Step::Forget(index()?),
            "made" => Step::Made,
            "unneeded" => Step::Unneeded,
            _ => return None,
        })
    };
    let steps: Vec<Step> = json.get("steps")?.as_array()?.iter().map(step).collect::<Option<_>>()?;
    let followers: Vec<Vec<usize>> = json
        .get("followers")?
        .as_array()?
        .iter()
        .map(|list| list.as_array()?.iter().map(number).collect())
        .collect::<Option<_>>()?;
    let whole = followers.len() == steps.len() && followers.iter().flatten().all(|node| *node < steps.len());
    whole.then_some(Order { steps, followers })
}

pub(super) fn verdict_to_json(verdict: &Verdict) -> Json {
    json!({
        "kind": verdict.kind_name(),
        "declared": verdict.declared,
        "object": verdict.object,
        "status": verdict.status_name(),
        "messages": verdict.messages,
    })
}

pub(super) fn verdict_from_json(json: &Json) -> Option<Verdict> {
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    let messages = json.get("messages")?.as_array()?;
    Some(Verdict {
        kind: KINDS.iter().find(|(_, name)| Some(*name) == text("kind")).map(|(kind, _)| *kind)?,
        declared: text("declared")?.to_owned(),
        object: text("object")?.to_owned(),
        status: STATUSES.iter().find(|(_, name)| Some(*name) == text("status")).map(|(status, _)| *status)?,
        messages: messages.iter().map(|m| m.as_str().map(str::to_owned)).collect::<Option<_>>()?,
    })
}

fn path_to_json(path: &Path) -> Json {
    let step = |step: &PathStep| match step {
        PathStep::Attribute(name) => json!({ "attribute": name.as_ref() }),
        PathStep::Key(name) => json!({ "key": name.as_ref() }),
        PathStep::Index(i) => json!({ "index": i }),
        PathStep::Element(value) => json!({ "element": Wire(value) }),
    };
    Json::Array(path.0.iter().map(step).collect())
}

fn path_from_json(json: &Json) -> Option<Path> {
    let step = |json: &Json| {
        if let Some(name) = json.get("attribute") {
            return Some(PathStep::Attribute(name.as_str()?.into()));
        }
        if let Some(name) = json.get("key") {
            return Some(PathStep::Key(name.as_str()?.into()));
        }
        if let Some(i) = json.get("index") {
            return Some(PathStep::Index(usize::try_from(i.as_u64()?).ok()?));
        }
        Some(PathStep::Element(Box::new(value_from_wire(json.get("element")?)?)))
    };
    json.as_array()?.iter().map(step).collect::<Option<_>>().map(Path)
}
