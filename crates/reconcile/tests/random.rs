//! Random stacks, random changes, random failures: whatever happens, running again gets there, and nothing is lost or
//! made twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use terrane_model::Value;
use terrane_testkit::{Fault, Stack};

/// One resource: which earlier ones it refers to, which generation its name and value are of, how it is replaced.
#[derive(Clone, Debug)]
struct Thing {
    needs: Vec<usize>,
    name: u8,
    value: u8,
    made_first: bool,
}

/// Resources by number; absent ones are not in the spec.
type Spec = Vec<Option<Thing>>;

fn thing(i: usize) -> impl Strategy<Value = Option<Thing>> {
    let needs = proptest::collection::vec(0..i.max(1), 0..3);
    let thing = (needs, 0u8..2, 0u8..2, proptest::bool::weighted(0.2));
    proptest::option::weighted(
        0.8,
        thing.prop_map(move |(needs, name, value, made_first)| Thing {
            needs: if i == 0 { vec![] } else { needs },
            name,
            value,
            made_first,
        }),
    )
}

fn spec() -> impl Strategy<Value = Spec> {
    (0..6usize).map(thing).collect::<Vec<_>>()
}

fn name(i: usize, thing: &Thing) -> String {
    format!("t{i}-{}", thing.name)
}

fn text(spec: &Spec) -> String {
    let mut text = String::new();
    for (i, thing) in spec.iter().enumerate() {
        let Some(thing) = thing else { continue };
        writeln!(text, "[resource.fake_thing.t{i}]\nname = \"{}\"", name(i, thing)).unwrap();
        let refs: String = thing
            .needs
            .iter()
            .filter(|n| spec[**n].is_some())
            .map(|n| format!("${{fake_thing.t{n}.id}}"))
            .collect();
        writeln!(text, "value = \"v{}-{refs}\"", thing.value).unwrap();
        writeln!(text, "lifecycle = {{ create_before_destroy = {} }}", thing.made_first).unwrap();
    }
    text
}

fn fault() -> impl Strategy<Value = (&'static str, usize, u8, Fault)> {
    let operation = prop_oneof![Just("create"), Just("update"), Just("delete")];
    let kind = prop_oneof![Just(Fault::Refused), Just(Fault::Partial)];
    (operation, 0..6usize, 0u8..2, kind)
}

async fn converge(before: Spec, after: Spec, faults: Vec<(&'static str, usize, u8, Fault)>) {
    let mut stack = Stack::default();
    let (_, report) = stack.up(&text(&before)).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    for (operation, i, generation, fault) in faults {
        stack.cloud.fail(operation, &format!("t{i}-{generation}"), fault);
    }
    let mut runs = 0;
    loop {
        let (plan, report) = stack.up(&text(&after)).await.unwrap();
        let known: BTreeSet<String> = stack
            .snapshot
            .instances()
            .flat_map(|(_, _, instance)| instance.current.iter().chain(instance.deposed.values()))
            .filter_map(|object| Some(object.attributes.get("name")?.as_str()?.to_owned()))
            .collect();
        let lost: Vec<String> = stack.cloud.names().difference(&known).cloned().collect();
        assert!(lost.is_empty(), "the state does not know of {lost:?}");
        if report.is_success() {
            break;
        }
        assert!(
            !report.failed.is_empty(),
            "nothing failed and yet: {:?} {:?}",
            report.diagnostics,
            plan.changes
        );
        runs += 1;
        assert!(runs < 30, "it does not converge: {:?}", report.diagnostics);
    }
    let wanted: BTreeSet<String> =
        after.iter().enumerate().filter_map(|(i, t)| Some(name(i, t.as_ref()?))).collect();
    assert_eq!(stack.cloud.names(), wanted);
    for (i, thing) in after.iter().enumerate() {
        let Some(thing) = thing else { continue };
        let value = stack.cloud.attribute(&name(i, thing), "value");
        let value = value.as_ref().and_then(Value::as_str).unwrap();
        assert!(value.starts_with(&format!("v{}-", thing.value)), "{value}");
    }
    let parsed = stack.spec(&text(&after)).unwrap();
    let again = stack.plan(&parsed).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn running_again_gets_there(
        before in spec(),
        after in spec(),
        faults in proptest::collection::vec(fault(), 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(converge(before, after, faults));
    }

    #[test]
    fn the_same_input_gives_the_same_plan(before in spec(), after in spec()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut stack = Stack::default();
            stack.up(&text(&before)).await.unwrap();
            let parsed = stack.spec(&text(&after)).unwrap();
            let envelope = terrane_plan::file::Envelope {
                program_version: "test".into(),
                created: "now".into(),
                spec_files: vec![("terrane.toml".into(), text(&after))],
                warnings: vec!["Odd: it is.".into()],
            };
            let plan = stack.plan(&parsed).await.unwrap();
            let bytes = terrane_plan::file::write(&plan, &envelope);
            let other = stack.plan(&parsed).await.unwrap();
            assert_eq!(bytes, terrane_plan::file::write(&other, &envelope));
            let (read, read_envelope) = terrane_plan::file::read(&bytes).unwrap();
            assert_eq!(terrane_plan::file::write(&read, &read_envelope), bytes, "reading loses nothing");
            assert!(terrane_plan::file::read(&bytes[..bytes.len() / 2]).is_err());
        });
    }
}
