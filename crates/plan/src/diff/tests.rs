//! One object at a time, on a schema that has one attribute of each kind.

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::{Problem, conform};
use terrane_model::schema::{
    Block, FormKind, Nesting, NormalForm, Schema, block, computed, nested, optional, optional_computed,
    required,
};
use terrane_model::{Mode, Path, Type, Unknown, Value};
use terrane_provider::{Context, Deleted, Error, Facts, Failure, PlanRequest, ResourceType};

use super::plan_object;

static LETTERS: NormalForm = NormalForm {
    kind: FormKind::Other,
    equivalent: |a, b| a.to_lowercase() == b.to_lowercase(),
    normalise: |text| text.trim().to_owned(),
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let part = block([required("name", Type::String), optional_computed("cost", Type::Number)], []);
    let rule = block([required("name", Type::String), optional_computed("cost", Type::Number)], []);
    Schema::new(
        "fake_kinds",
        Mode::Managed,
        "One attribute of each kind.",
        block(
            [
                computed("id", Type::String),
                required("name", Type::String).force_new(),
                optional("note", Type::String),
                optional("speed", Type::Number).default(3),
                optional("flag", Type::Bool).default(false),
                optional_computed("zone", Type::String),
                optional("text", Type::String).form(&LETTERS),
                optional("tags", Type::map(Type::String)),
                computed("token", Type::String).sensitive(),
            ],
            [
                nested("part", Nesting::List, part),
                nested("rule", Nesting::Set, rule),
                nested("extra", Nesting::List, block([optional("on", Type::Bool)], [])).computed(),
                nested("fixed", Nesting::Set, block([required("name", Type::String)], [])).force_new(),
            ],
        ),
    )
});

struct Kinds;

#[async_trait]
impl ResourceType for Kinds {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            request.set("token", Value::unknown(Type::String));
        }
        Ok(())
    }

    async fn read(&self, _: &Context<'_>, _: &Value) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    async fn create(&self, _: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        Ok(planned.clone())
    }

    async fn update(&self, _: &Context<'_>, _: &Value, planned: &Value) -> Result<Value, Failure> {
        Ok(planned.clone())
    }

    async fn delete(&self, _: &Context<'_>, _: &Value) -> Result<Deleted, Error> {
        Ok(Deleted::default())
    }

    async fn import(&self, _: &Context<'_>, _: &str) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    async fn find(&self, _: &Context<'_>, _: &Value) -> Result<Option<Value>, Error> {
        Ok(None)
    }
}

fn config(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let schema: &Block = &SCHEMA.block;
    let (value, problems) = conform(&Value::object(fields), schema);
    assert_eq!(problems, []);
    value
}

fn named(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    config([("name", Value::from("n"))].into_iter().chain(fields))
}

/// An object as it is after a first apply of `config`: unknowns filled in.
fn existing(config: &Value) -> Value {
    let planned = plan_object(&Kinds, None, config, &Facts::default()).unwrap().after;
    fn fill(value: Value) -> Value {
        let marks = value.marks();
        let filled = match value.ty() {
            _ if !value.is_unknown() => value.map_elements(&mut fill),
            Type::Number => Value::from(1),
            Type::List(element) => Value::list(element.as_ref().clone(), []),
            _ => Value::from("filled"),
        };
        filled.with_marks(marks)
    }
    fill(planned)
}

fn replan(before: &Value, config: &Value) -> super::Planned {
    plan_object(&Kinds, Some(before), config, &Facts::default()).unwrap()
}

#[test]
fn a_new_object_gets_defaults_and_unknowns() {
    let after = plan_object(&Kinds, None, &named([]), &Facts::default()).unwrap().after;
    assert_eq!(after.get("speed"), Some(&Value::from(3)));
    assert_eq!(after.get("note"), Some(&Value::null(Type::String)));
    for unknown in ["id", "zone", "extra"] {
        assert!(after.get(unknown).unwrap().is_unknown(), "{unknown}");
    }
    assert_eq!(after.get("part").unwrap().elements(), []);
}

#[test]
fn what_the_schema_calls_sensitive_is_marked_whatever_the_type_plans_for_it() {
    let config = named([("note", "x".into())]);
    let after = plan_object(&Kinds, None, &config, &Facts::default()).unwrap().after;
    let token = after.get("token").unwrap();
    assert!(token.is_unknown() && token.marks().sensitive, "{token:?}");
    let changed = replan(&existing(&config), &named([("note", "y".into())])).after;
    assert!(changed.get("token").unwrap().marks().sensitive);
    assert!(!changed.get("note").unwrap().marks().any());
}

#[test]
fn the_normal_form_of_a_text_may_begin_otherwise() {
    let begun = Unknown { prefix: "  Hel".into(), ..Unknown::not_null(Type::String) };
    let config = named([("text", Value::unknown_with(begun))]);
    let after = plan_object(&Kinds, None, &config, &Facts::default()).unwrap().after;
    assert_eq!(after.get("text"), Some(&Value::unknown_with(Unknown::not_null(Type::String))));
}

#[test]
fn the_same_config_again_changes_nothing() {
    let all = named([
        ("note", "x".into()),
        ("zone", "z".into()),
        ("text", " Hello ".into()),
        ("part", Value::tuple([Value::object([("name", Value::from("p"))])])),
        ("rule", Value::tuple([Value::object([("name", Value::from("r"))])])),
        ("fixed", Value::tuple([Value::object([("name", Value::from("f"))])])),
    ]);
    let before = existing(&all);
    let planned = replan(&before, &all);
    assert!(!planned.changed && planned.replace.is_empty());
    assert_eq!(planned.after, before);
    assert_eq!(before.get("text"), Some(&Value::from("Hello")), "the normal form is stored");
}

#[test]
fn what_is_left_out_is_kept_cleared_or_reset() {
    let before = existing(&named([("note", "x".into()), ("zone", "z".into()), ("speed", 9.into())]));
    let after = replan(&before, &named([])).after;
    assert_eq!(after.get("note"), Some(&Value::null(Type::String)), "optional: cleared");
    assert_eq!(after.get("zone"), Some(&Value::from("z")), "optional and computed: kept");
    assert_eq!(after.get("speed"), Some(&Value::from(3)), "default: reset");
}

#[test]
fn nothing_and_zero_are_the_same() {
    let before = existing(&named([])).with("note", "".into()).with("flag", Value::null(Type::Bool));
    let before = before.with("tags", Value::map::<&str>(Type::String, []));
    assert!(!replan(&before, &named([])).changed);
    assert!(!replan(&before, &named([("note", Value::null(Type::String))])).changed);
}

#[test]
fn texts_of_one_meaning_are_the_same() {
    let before = existing(&named([("text", "HELLO".into())]));
    let planned = replan(&before, &named([("text", "hello".into())]));
    assert!(!planned.changed);
    assert_eq!(planned.after.get("text"), Some(&Value::from("HELLO")));
}

#[test]
fn a_forced_replacement_is_planned_as_a_new_object() {
    let before = existing(&named([("zone", "z".into())]));
    let planned = replan(&before, &config([("name", "other".into())]));
    assert_eq!(planned.replace, [Path::attribute("name")]);
    assert!(planned.after.get("zone").unwrap().is_unknown(), "not kept from the old object");
    let unknown = config([("name", Value::unknown(Type::String))]);
    assert_eq!(replan(&before, &unknown).replace, [Path::attribute("name")]);
}

#[test]
fn a_change_in_a_block_that_forces_replacement() {
    let one = |name: &str| named([("fixed", Value::tuple([Value::object([("name", Value::from(name))])]))]);
    let before = existing(&one("a"));
    let replace = replan(&before, &one("b")).replace;
    assert!(!replace.is_empty());
    assert!(replace.iter().all(|path| path.root() == Some("fixed")), "{replace:?}");
}

#[test]
fn sets_compare_without_order_and_keep_what_the_provider_chose() {
    let rules = |names: &[&str]| {
        let all = names.iter().map(|n| Value::object([("name", Value::from(*n))]));
        named([("rule", Value::tuple(all.collect::<Vec<_>>()))])
    };
    let before = existing(&rules(&["a", "b"]));
    assert!(!replan(&before, &rules(&["b", "a"])).changed);
    let planned = replan(&before, &rules(&["c", "a"]));
    let costs: Vec<bool> = planned
        .after
        .get("rule")
        .unwrap()
        .elements()
        .iter()
        .map(|r| r.get("cost").unwrap().is_unknown())
        .collect();
    assert_eq!(costs.iter().filter(|unknown| **unknown).count(), 1, "only the new element's cost is unknown");
}

#[test]
fn marks_stay_where_they_are_and_make_no_difference() {
    let secret = || named([("note", Value::from("s").sensitive())]);
    let before = existing(&secret());
    assert!(before.get("note").unwrap().marks().sensitive);
    let unmarked = before.clone().unmark_deep().0;
    let planned = replan(&unmarked, &secret());
    assert!(!planned.changed);
}
