//! Tests of reading and writing together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use terrane_model::{Address, Key, Mode, ModulePath, Path, ResourceAddress, Step, Value};

use super::{check, parse, render};
use crate::error::FormatError;
use crate::snapshot::{Instance, Object, Output, Resource, Snapshot, Status};

/// Written by Terraform 1.11.4: modules with keys of both kinds, counts, text with every sort of escape, sensitive places,
/// outputs of all types, tainted and deposed objects, check results.
const TERRAFORM: &str = include_str!("../../tests/golden/terraform-1.11.json");

/// What Terraform 1.11 does not write, but later versions and Terrane do.
const TERRANE: &str = include_str!("../../tests/golden/terrane.json");

fn rendered(snapshot: &Snapshot) -> String {
    String::from_utf8(render(snapshot)).unwrap()
}

#[test]
fn golden_files_come_out_byte_for_byte() {
    for text in [TERRAFORM, TERRANE] {
        let out = rendered(&parse(text.as_bytes()).unwrap());
        for (line, (out, text)) in out.lines().zip(text.lines()).enumerate() {
            assert_eq!(out, text, "line {}", line + 1);
        }
        assert_eq!(out.len(), text.len());
    }
}

#[test]
fn terraforms_state_is_understood() {
    let snapshot = parse(TERRAFORM.as_bytes()).unwrap();
    let get = |text: &str| snapshot.instance(&text.parse().unwrap()).unwrap();
    assert_eq!(get("terraform_data.counted[0]").current.as_ref().unwrap().status, Status::Tainted);
    assert_eq!(get("terraform_data.counted[10]").current.as_ref().unwrap().status, Status::Ready);
    let late = get("terraform_data.late");
    assert_eq!(late.deposed.keys().collect::<Vec<_>>(), ["0000aaaa", "ffff0000"]);
    let dependencies: Vec<String> =
        late.current.as_ref().unwrap().dependencies.iter().map(ToString::to_string).collect();
    assert!(dependencies.contains(&"module.m.terraform_data.in".to_owned()), "{dependencies:?}");
    let keyed = get("terraform_data.keyed[\"10\"]").current.as_ref().unwrap();
    let password = Path(vec![Step::Attribute("input".into()), Step::Attribute("password".into())]);
    assert!(keyed.sensitive.contains(&password), "{:?}", keyed.sensitive);
    assert!(snapshot.instance(&r#"module.m["q\"\\"].terraform_data.in"#.parse().unwrap()).is_some());
    let secret = &snapshot.outputs["secret"];
    assert!(secret.sensitive && secret.value == Value::from("hush"));
    let many = &snapshot.outputs["many"].value;
    assert_eq!(many.get("set").map(|set| set.elements().len()), Some(2));
}

#[test]
fn our_own_part_and_strangers_are_kept() {
    let snapshot = parse(TERRANE.as_bytes()).unwrap();
    assert_eq!(snapshot.terrane, *json!({"protected": ["aws_kms_key.db_key"]}).as_object().unwrap());
    assert_eq!(snapshot.other["from_the_future"], json!({"a": "<"}));
    assert_eq!(snapshot.serial, u64::MAX);
}

#[test]
fn texts_that_are_no_state() {
    assert!(matches!(parse(b""), Err(FormatError::Empty)));
    assert!(matches!(parse(b" \n\0"), Err(FormatError::NotJson { .. })));
    assert!(matches!(parse(b"\n"), Err(FormatError::Empty)));
    assert!(matches!(parse(b"resources:\n"), Err(FormatError::NotJson { .. })));
    assert!(matches!(parse(&TERRAFORM.as_bytes()[..900]), Err(FormatError::NotJson { .. })));
    assert!(matches!(parse(b"\xff\xfe{}"), Err(FormatError::NotJson { .. })));
    assert!(matches!(parse(b"{\"encrypted_data\": \"\"}"), Err(FormatError::Encrypted)));
    assert!(matches!(parse(b"{\"version\": 3}"), Err(FormatError::OldFormat { found: 3 })));
    assert!(matches!(parse(b"{\"version\": 5}"), Err(FormatError::NewFormat { found: 5, .. })));
    for text in ["[]", "1", "null", "\"\""] {
        assert!(matches!(parse(text.as_bytes()), Err(FormatError::Shape { .. })), "{text}");
    }
    let deep = format!("{{\"version\":4,\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(deep.as_bytes()).is_err());
}

/// A state of one object with something in it replaced, and the place of the complaint.
#[test]
fn wrong_shapes_are_named_by_a_pointer_and_never_quoted() {
    let object = json!({"schema_version": 0, "attributes": {"id": "hunter2"}, "sensitive_attributes": []});
    let resource =
        json!({"mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [object]});
    let good = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l",
        "outputs": {"o": {"value": "hunter2", "type": "string", "sensitive": true}},
        "resources": [resource], "check_results": null, "terrane": {"format": 1},
    });
    parse(good.to_string().as_bytes()).unwrap();
    let secret = json!("hunter2");
    let remove = Json::Null;
    for (place, with, complaint) in [
        ("/version", &secret, "/version"),
        ("/version", &json!(-1), "/version"),
        ("/version", &json!(4.5), "/version"),
        ("/serial", &json!(-1), "/serial"),
        ("/serial", &secret, "/serial"),
        ("/lineage", &json!(1), "/lineage"),
        ("/lineage", &remove, "/lineage"),
        ("/terraform_version", &secret, "/terraform_version"),
        ("/outputs", &secret, "/outputs"),
        ("/outputs/o", &secret, "/outputs/o"),
        ("/outputs/o/type", &secret, "/outputs/o/type"),
        ("/outputs/o/type", &json!("number"), "/outputs/o/value"),
        ("/outputs/o/sensitive", &secret, "/outputs/o/sensitive"),
        ("/resources", &secret, "/resources"),
        ("/resources/0", &secret, "/resources/0"),
        ("/resources", &json!([resource, resource]), "/resources/1"),
        ("/resources/0/module", &secret, "/resources/0/module"),
        ("/resources/0/module", &json!("module.a.data"), "/resources/0/module"),
        ("/resources/0/mode", &secret, "/resources/0/mode"),
        ("/resources/0/type", &json!(""), "/resources/0/type"),
        ("/resources/0/name", &json!(1), "/resources/0/name"),
        ("/resources/0/provider", &remove, "/resources/0/provider"),
        ("/resources/0/instances", &secret, "/resources/0/instances"),
        ("/resources/0/instances", &json!([object, object]), "/resources/0/instances/1"),
        ("/resources/0/instances/0", &secret, "/resources/0/instances/0"),
        ("/resources/0/instances/0/index_key", &json!(-1), "/resources/0/instances/0/index_key"),
        ("/resources/0/instances/0/index_key", &json!({}), "/resources/0/instances/0/index_key"),
        ("/resources/0/instances/0/status", &secret, "/resources/0/instances/0/status"),
        ("/resources/0/instances/0/deposed", &json!(1), "/resources/0/instances/0/deposed"),
        ("/resources/0/instances/0/schema_version", &secret, "/resources/0/instances/0/schema_version"),
        ("/resources/0/instances/0/attributes", &secret, "/resources/0/instances/0/attributes"),
        ("/resources/0/instances/0/attributes", &remove, "/resources/0/instances/0/attributes"),
        ("/resources/0/instances/0/attributes_flat", &json!({}), "/resources/0/instances/0/attributes_flat"),
        (
            "/resources/0/instances/0/sensitive_attributes",
            &json!([secret]),
            "/resources/0/instances/0/sensitive_attributes/0",
        ),
        ("/resources/0/instances/0/private", &json!({}), "/resources/0/instances/0/private"),
        (
            "/resources/0/instances/0/dependencies",
            &json!(["a.b", "hunter2"]),
            "/resources/0/instances/0/dependencies/1",
        ),
        (
            "/resources/0/instances/0/dependencies",
            &json!(["module.a[0].b.c"]),
            "/resources/0/instances/0/dependencies/0",
        ),
        (
            "/resources/0/instances/0/create_before_destroy",
            &secret,
            "/resources/0/instances/0/create_before_destroy",
        ),
        ("/terrane", &secret, "/terrane"),
        ("/terrane", &json!({}), "/terrane/format"),
        ("/terrane/format", &secret, "/terrane/format"),
    ] {
        let mut bad = good.clone();
        let (parent, key) = place.rsplit_once('/').unwrap();
        match bad.pointer_mut(parent).unwrap() {
            Json::Object(map) if *with == remove => drop(map.remove(key)),
            Json::Object(map) => drop(map.insert(key.to_owned(), with.clone())),
            parent => parent[key.parse::<usize>().unwrap()] = with.clone(),
        }
        match parse(bad.to_string().as_bytes()) {
            Err(FormatError::Shape { pointer, detail }) => {
                assert_eq!(pointer, complaint, "{place} {with}");
                assert!(!detail.contains("hunter2"), "{place}: {detail}");
            }
            other => panic!("{place} {with}: {other:?}"),
        }
    }
}

#[test]
fn a_newer_part_of_our_own_is_refused() {
    let text = TERRANE.replace("\"format\": 1", "\"format\": 2");
    assert!(matches!(parse(text.as_bytes()), Err(FormatError::NewFormat { found: 2, known: 1, .. })));
}

#[test]
fn keys_of_a_pointer_are_escaped() {
    let text = r#"{"version":4,"terraform_version":"1.0.0","serial":1,"lineage":"","outputs":{"a/b~c":1}}"#;
    let error = parse(text.as_bytes()).unwrap_err();
    assert!(matches!(&error, FormatError::Shape { pointer, .. } if pointer == "/outputs/a~1b~0c"), "{error}");
}

#[test]
fn what_has_no_form_is_refused_by_who_stores_it_and_null_for_who_shows_it() {
    let mut snapshot = Snapshot::empty("l");
    assert!(check(&snapshot).is_ok());
    let value = Value::unknown(terrane_model::Type::String);
    snapshot.outputs.insert("o".into(), Output { value: value.clone(), sensitive: false });
    let error = check(&snapshot).unwrap_err();
    assert!(matches!(&error, FormatError::NotStorable { what } if what.contains("`o`")), "{error}");
    let read = parse(&render(&snapshot)).unwrap();
    assert!(read.outputs["o"].value.is_null());

    // A place that cannot be named makes all that is around it sensitive.
    let unknown = Step::Element(Box::new(value));
    let place = Path(vec![Step::Attribute("a".into()), unknown, Step::Index(0)]);
    let object = Object { sensitive: vec![place], ..Object::default() };
    snapshot = Snapshot::empty("l");
    let address: Address = "t.n".parse().unwrap();
    snapshot.put(&address, "p", object);
    let read = parse(&render(&snapshot)).unwrap();
    assert_eq!(read.get(&address).unwrap().sensitive, [Path::attribute("a")]);
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[0-9]{1,40}\\.[0-9]{1,5}".prop_map(|digits| {
            serde_json::from_str(digits.trim_start_matches('0')).unwrap_or(Json::from(1))
        }),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn map() -> impl Strategy<Value = Map<String, Json>> {
    proptest::collection::btree_map("[a-z_]{1,8}", json_value(), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

/// Keys that mean nothing to the format.
fn other() -> impl Strategy<Value = Map<String, Json>> {
    proptest::collection::btree_map("x_[a-z]{1,4}", json_value(), 0..2)
        .prop_map(|map| map.into_iter().collect())
}

fn key() -> impl Strategy<Value = Option<Key>> {
    prop_oneof![
        Just(None),
        (0u64..12).prop_map(|i| Some(Key::Index(i))),
        any::<String>().prop_map(|name| Some(Key::Name(name.into()))),
    ]
}

fn resource_address(with_keys: bool) -> impl Strategy<Value = ResourceAddress> {
    let module = proptest::collection::vec(("[a-z]{1,3}", key()), 0..3);
    (module, any::<bool>(), "aws_[a-z]{1,3}", "[a-z]{1,3}").prop_map(
        move |(module, data, type_name, name)| {
            let module = module
                .into_iter()
                .fold(ModulePath::root(), |path, (name, key)| path.child(name, key.filter(|_| with_keys)));
            let mode = if data { Mode::Data } else { Mode::Managed };
            ResourceAddress { module, mode, type_name: type_name.into(), name: name.into() }
        },
    )
}

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        any::<String>().prop_map(|name| Step::Attribute(name.into())),
        (0usize..9).prop_map(Step::Index),
        any::<String>().prop_map(|name| Step::Key(name.into())),
        any::<bool>().prop_map(|b| Step::Element(Box::new(Value::object([("b", Value::from(b))])))),
    ];
    proptest::collection::vec(step, 0..3).prop_map(Path)
}

prop_compose! {
    fn object()(
        tainted in any::<bool>(),
        schema_version in any::<u64>(),
        attributes in map(),
        sensitive in proptest::collection::vec(path(), 0..3),
        identity_schema_version in proptest::option::of(0u64..3),
        identity in proptest::option::of(json_value()),
        private in proptest::option::of("[a-zA-Z0-9+/=]{1,20}"),
        dependencies in proptest::collection::btree_set(resource_address(false), 0..4),
        create_before_destroy in any::<bool>(),
        other in other(),
    ) -> Object {
        let status = if tainted { Status::Tainted } else { Status::Ready };
        Object {
            status, schema_version, attributes, sensitive, identity_schema_version, identity, private,
            dependencies, create_before_destroy, other,
        }
    }
}

fn instance() -> impl Strategy<Value = Arc<Instance>> {
    (proptest::option::of(object()), proptest::collection::btree_map("[0-9a-f]{8}", object(), 0..3))
        .prop_map(|(current, deposed)| Instance { current, deposed })
        .prop_filter("an instance has an object", |instance| !instance.is_empty())
        .prop_map(Arc::new)
}

fn resource() -> impl Strategy<Value = Resource> {
    let instances = proptest::collection::btree_map(key(), instance(), 1..3);
    ("[a-z\"\\[\\]/.]{1,20}", instances, other()).prop_map(|(provider, instances, other)| Resource {
        provider,
        instances,
        other,
    })
}

prop_compose! {
    fn snapshot()(
        serial in any::<u64>(),
        lineage in any::<String>(),
        outputs in proptest::collection::btree_map(any::<String>(), (json_value(), any::<bool>()), 0..3),
        resources in proptest::collection::btree_map(resource_address(true), resource(), 0..4),
        check_results in prop_oneof![Just(Json::Null), json_value()],
        terrane in map(),
        other in other(),
    ) -> Snapshot {
        let outputs: BTreeMap<_, _> = outputs
            .into_iter()
            .map(|(name, (json, sensitive))| {
                (name.into(), Output { value: terrane_model::json::implied(&json), sensitive })
            })
            .collect();
        let terrane: Map<String, Json> = terrane.into_iter().filter(|(key, _)| key != "format").collect();
        let terraform_version = "1.11.4".to_owned();
        let resources = Arc::new(resources);
        Snapshot { serial, lineage, terraform_version, outputs, resources, check_results, terrane, other }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_written_gives_the_same(snapshot in snapshot()) {
        let text = render(&snapshot);
        let read = parse(&text).unwrap();
        prop_assert_eq!(rendered(&read), String::from_utf8(text).unwrap());
        prop_assert!(read == snapshot);
    }

    #[test]
    fn no_text_is_too_odd(text in any::<Vec<u8>>()) {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_is_too_odd(at in 0usize..TERRANE.len(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut text = TERRANE.as_bytes().to_vec();
        match cut {
            true => drop(text.remove(at)),
            false => text[at] = byte,
        }
        let _ = parse(&text);
    }

    #[test]
    fn no_value_in_any_place_is_too_odd(with in json_value(), at in any::<proptest::sample::Index>()) {
        let mut json: Json = serde_json::from_str(TERRANE).unwrap();
        let mut places = Vec::new();
        collect(&json, String::new(), &mut places);
        let place = &places[at.index(places.len())];
        *json.pointer_mut(place).unwrap() = with;
        let _ = parse(json.to_string().as_bytes());
    }
}

fn collect(json: &Json, place: String, places: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            map.iter().for_each(|(key, value)| collect(value, format!("{place}/{key}"), places));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| collect(value, format!("{place}/{i}"), places));
        }
        _ => {}
    }
    places.push(place);
}

#[test]
fn an_address_in_a_module_is_found_again() {
    let mut snapshot = Snapshot::empty("l");
    let address: Address = r#"module.a["x.y"].module.b[3].aws_t.n["k"]"#.parse().unwrap();
    snapshot.put(&address, "p", Object { dependencies: BTreeSet::new(), ..Object::default() });
    let read = parse(&render(&snapshot)).unwrap();
    assert!(read.get(&address).is_some());
    assert_eq!(read, snapshot);
}
