//! Plans as text, made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::schema::{Block, block, computed, optional, required};
use terrane_model::{Mode as ResourceMode, Path, Reason, Schema, Type, Value};
use terrane_plan::order::Order;
use terrane_plan::{OutputChange, ProviderKey};
use terrane_state::Snapshot;

use super::*;

struct Fake(Schema);

impl Schemas for Fake {
    fn schema(&self, _: ResourceMode, type_name: &str) -> Option<&Schema> {
        (type_name == "aws_thing").then_some(&self.0)
    }

    fn provider(&self, _: &str) -> Option<&Block> {
        None
    }

    fn names(&self, _: ResourceMode) -> Vec<&'static str> {
        vec!["aws_thing"]
    }

    fn provider_names(&self) -> Vec<&'static str> {
        vec![]
    }
}

fn schemas() -> Fake {
    let attributes = [
        computed("id", Type::String),
        required("name", Type::String).force_new(),
        optional("size", Type::Number),
    ];
    Fake(Schema::new("aws_thing", ResourceMode::Managed, "A thing.", block(attributes, [])))
}

fn thing(name: &str, size: i64) -> Value {
    Value::object([("id", Value::from(name)), ("name", Value::from(name)), ("size", Value::number(size))])
}

/// A change without anything special.
pub fn change(address: &str, action: Action, before: Option<Value>, after: Option<Value>) -> Change {
    Change {
        address: address.parse().unwrap(),
        previous_address: None,
        deposed: None,
        provider: ProviderKey::default_of("aws"),
        action,
        reason: Reason::Plain,
        before,
        after,
        replace_paths: vec![],
        dependencies: [].into(),
        create_before_destroy: false,
        left_over: false,
        importing: None,
    }
}

/// A plan of these changes.
pub fn planned(mode: Mode, changes: Vec<Change>) -> Plan {
    Plan {
        targeting: terrane_plan::Targeting::default(),
        mode,
        prior: Snapshot::empty("l"),
        refreshed: Snapshot::empty("l"),
        digest: String::new(),
        workspace: "default".into(),
        variables: BTreeMap::new(),
        changes,
        drift: vec![],
        outputs: BTreeMap::new(),
        order: Order::default(),
        verdicts: vec![],
        losses: vec![],
        access: Default::default(),
        possible_moves: vec![],
        generated: BTreeMap::new(),
        warnings: vec![],
    }
}

fn shown(given: &Plan) -> String {
    plan(given, &schemas(), Paint::default())
}

#[test]
fn every_kind_of_change_in_one_plan() {
    let replaced = Change {
        reason: Reason::ReplaceBecauseCannotUpdate,
        replace_paths: vec![Path::attribute("name")],
        ..change("aws_thing.c", Action::DeleteThenCreate, Some(thing("c", 1)), Some(thing("cc", 1)))
    };
    let gone = Change {
        reason: Reason::DeleteBecauseNoResourceConfig,
        ..change("aws_thing.d", Action::Delete, Some(thing("d", 1)), None)
    };
    let given = planned(
        Mode::Normal,
        vec![
            change("aws_thing.a", Action::Create, None, Some(thing("a", 1))),
            change("aws_thing.b", Action::Update, Some(thing("b", 1)), Some(thing("b", 2))),
            replaced,
            gone,
            change("aws_thing.e", Action::NoOp, Some(thing("e", 1)), Some(thing("e", 1))),
        ],
    );
    let text = r#"
Terrane made the following execution plan. Resource actions are indicated with the
following symbols:
  + create
  ~ update in-place
  - destroy
-/+ destroy and then create replacement

Terrane will perform the following actions:

  # aws_thing.a will be created
  + resource "aws_thing" "a" {
      + id   = "a"
      + name = "a"
      + size = 1
    }

  # aws_thing.b will be updated in-place
  ~ resource "aws_thing" "b" {
        id   = "b"
        name = "b"
      ~ size = 1 -> 2
    }

  # aws_thing.c must be replaced
-/+ resource "aws_thing" "c" {
      ~ id   = "c" -> "cc"
      ~ name = "c" -> "cc" # forces replacement
        # (1 unchanged attribute hidden)
    }

  # aws_thing.d will be destroyed
  # (because aws_thing.d is not in configuration)
  - resource "aws_thing" "d" {
      - id   = "d" -> null
      - name = "d" -> null
      - size = 1 -> null
    }

Plan: 2 to add, 1 to change, 2 to destroy.
"#;
    assert_eq!(shown(&given), text);
}

#[test]
fn nothing_to_do_is_said_in_terraforms_words() {
    let first_line = |mode| shown(&planned(mode, vec![])).trim_start().lines().next().map(str::to_owned);
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(first_line(Mode::Normal), is("No changes. Your infrastructure matches the configuration."));
    assert_eq!(first_line(Mode::Destroy), is("No changes. No objects need to be destroyed."));
    assert_eq!(
        first_line(Mode::RefreshOnly),
        is("No changes. Your infrastructure still matches the configuration.")
    );
    assert_eq!(next_step(&planned(Mode::Normal, vec![]), None, ""), "");
}

#[test]
fn drift_is_told_where_it_matters() {
    let drift = |address: &str, before: Value, after: Option<Value>| Drift {
        previous_address: None,
        address: address.parse().unwrap(),
        before,
        after,
    };
    let mut given = planned(
        Mode::Normal,
        vec![
            change("aws_thing.a", Action::Create, None, Some(thing("a", 1))),
            change("aws_thing.b", Action::Update, Some(thing("b", 5)), Some(thing("b", 1))),
        ],
    );
    given.drift = vec![
        drift("aws_thing.a", thing("a", 1), None),
        drift("aws_thing.b", thing("b", 1), Some(thing("b", 5))),
        drift("aws_thing.c", thing("c", 1), Some(thing("c", 2))),
    ];
    let text = shown(&given);
    let (note, rest) = text.split_once(&rule()).unwrap();
    let wanted = r#"
Note: Objects have changed outside of Terrane

  # aws_thing.a was deleted outside of Terrane; it will be created again

  # aws_thing.b has changed
  ~ resource "aws_thing" "b" {
        id   = "b"
        name = "b"
      ~ size = 1 -> 5
    }
"#;
    assert_eq!(note, wanted);
    assert!(rest.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{rest}");

    given.changes.clear();
    given.drift.remove(0);
    assert!(!shown(&given).contains("Note:"), "nothing of it matters");
    given.mode = Mode::RefreshOnly;
    let text = shown(&given);
    assert!(
        text.contains("# aws_thing.c has changed") && text.contains("This is a refresh-only plan"),
        "{text}"
    );
}

#[test]
fn a_plan_of_outputs_alone() {
    let mut given = planned(Mode::Normal, vec![]);
    let change = OutputChange { before: None, after: Some(Value::from("x")), sensitive: false };
    given.outputs.insert(Arc::from("o"), change);
    let text = shown(&given);
    assert!(text.starts_with("\nChanges to Outputs:\n  + o = \"x\"\n\nYou can apply this plan"), "{text}");
    assert!(!text.contains("Plan:"), "{text}");
}

#[test]
fn how_to_go_on() {
    let given = planned(Mode::Normal, vec![change("aws_thing.a", Action::Create, None, Some(thing("a", 1)))]);
    let text = next_step(&given, Some("p"), "stacks/a");
    assert!(
        text.contains("Saved the plan to: p\n") && text.contains("    terrane -C stacks/a apply \"p\"\n"),
        "{text}"
    );
    assert!(next_step(&given, None, "").contains("--out FILE"));
}
