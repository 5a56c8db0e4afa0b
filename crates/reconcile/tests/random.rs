//! Random stacks, random changes, random names, random failures: whatever happens, running again gets there, and nothing is
//! lost or made twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use terrane_model::{Action, Address, Value};
use terrane_plan::plan::Mode;
use terrane_plan::{Plan, Targeting};
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

/// What the second spec calls a resource of the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The same.
    Same,
    /// Something else, and an entry says so.
    Moved,
    /// Something else, by two entries.
    Chained,
    /// The same with `count`.
    Counted,
    /// Instance of another one's `for_each`.
    Keyed,
}

impl Way {
    fn label(self, i: usize) -> String {
        match self {
            Way::Same | Way::Counted => format!("t{i}"),
            Way::Moved | Way::Chained | Way::Keyed => format!("r{i}"),
        }
    }

    fn address(self, i: usize) -> String {
        let key = match self {
            Way::Counted => "[0]",
            Way::Keyed => "[\"k\"]",
            Way::Same | Way::Moved | Way::Chained => "",
        };
        format!("fake_thing.{}{key}", self.label(i))
    }

    /// What the spec says besides the resource.
    fn entries(self, i: usize) -> String {
        let entry = |from: &str, to: &str| format!("[[moved]]\nfrom = '{from}'\nto = '{to}'\n");
        let (old, new) = (Way::Same.address(i), self.address(i));
        match self {
            Way::Same | Way::Counted => String::new(),
            Way::Moved | Way::Keyed => entry(&old, &new),
            Way::Chained => {
                entry(&format!("fake_thing.m{i}"), &new) + &entry(&old, &format!("fake_thing.m{i}"))
            }
        }
    }

    /// What makes the resource have the key that it has.
    fn repetition(self) -> &'static str {
        match self {
            Way::Same | Way::Moved | Way::Chained => "",
            Way::Counted => "count = 1\n",
            Way::Keyed => "for_each = { k = 1 }\n",
        }
    }
}

/// What becomes of each resource: its name in the second spec, and whether it is let go of where it is not in there.
fn fates() -> impl Strategy<Value = Vec<(Way, bool)>> {
    let way = prop_oneof![
        4 => Just(Way::Same),
        2 => Just(Way::Moved),
        1 => Just(Way::Chained),
        1 => Just(Way::Counted),
        1 => Just(Way::Keyed),
    ];
    proptest::collection::vec((way, proptest::bool::ANY), 6)
}

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
    text_with(spec, &[(Way::Same, false); 6])
}

fn text_with(spec: &Spec, fates: &[(Way, bool)]) -> String {
    let mut text = String::new();
    for (i, (thing, (way, let_go))) in spec.iter().zip(fates).enumerate() {
        let Some(thing) = thing else {
            if *let_go {
                writeln!(text, "[[removed]]\nfrom = 'fake_thing.t{i}'\nlifecycle = {{ destroy = false }}")
                    .unwrap();
            }
            continue;
        };
        text.push_str(&way.entries(i));
        writeln!(text, "[resource.fake_thing.{}]\nname = \"{}\"", way.label(i), name(i, thing)).unwrap();
        text.push_str(way.repetition());
        let refs: String = thing
            .needs
            .iter()
            .filter(|n| spec[**n].is_some())
            .map(|n| format!("${{{}.id}}", fates[*n].0.address(*n)))
            .collect();
        writeln!(text, "value = 'v{}-{refs}'", thing.value).unwrap();
        writeln!(text, "lifecycle = {{ create_before_destroy = {} }}", thing.made_first).unwrap();
    }
    text
}

fn fault() -> impl Strategy<Value = (&'static str, usize, u8, Fault)> {
    let operation = prop_oneof![Just("create"), Just("update"), Just("delete")];
    let kind = prop_oneof![Just(Fault::Refused), Just(Fault::Partial)];
    (operation, 0..6usize, 0u8..2, kind)
}

async fn converge(
    before: Spec,
    after: Spec,
    fates: Vec<(Way, bool)>,
    faults: Vec<(&'static str, usize, u8, Fault)>,
) {
    let mut stack = Stack::default();
    let (_, report) = stack.up(&text(&before)).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let text_after = text_with(&after, &fates);
    let all = || before.iter().zip(&after).zip(&fates).enumerate();
    let let_go: BTreeSet<String> = all()
        .filter(|(_, ((_, after), (_, let_go)))| after.is_none() && *let_go)
        .filter_map(|(i, ((before, _), _))| Some(name(i, before.as_ref()?)))
        .collect();
    // Whatever an object is called in the spec: while its name in the cloud stays, it stays.
    let staying: Vec<(String, Option<Value>)> = all()
        .filter_map(|(i, ((before, after), _))| {
            let (old, new) = (name(i, before.as_ref()?), name(i, after.as_ref()?));
            (old == new).then(|| (old.clone(), stack.cloud.attribute(&old, "id")))
        })
        .collect();
    for (operation, i, generation, fault) in faults {
        stack.cloud.fail(operation, &format!("t{i}-{generation}"), fault);
    }
    let mut runs = 0;
    loop {
        let (plan, report) = stack.up(&text_after).await.unwrap();
        let known: BTreeSet<String> = stack
            .snapshot
            .instances()
            .flat_map(|(_, _, instance)| instance.current.iter().chain(instance.deposed.values()))
            .filter_map(|object| Some(object.attributes.get("name")?.as_str()?.to_owned()))
            .collect();
        let known = &known | &let_go;
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
    assert_eq!(stack.cloud.names(), &wanted | &let_go);
    for (name, id) in staying {
        assert_eq!(stack.cloud.attribute(&name, "id"), id, "{name} is the same object");
    }
    for (i, thing) in after.iter().enumerate() {
        let Some(thing) = thing else { continue };
        let value = stack.cloud.attribute(&name(i, thing), "value");
        let value = value.as_ref().and_then(Value::as_str).unwrap();
        assert!(value.starts_with(&format!("v{}-", thing.value)), "{value}");
    }
    let parsed = stack.spec(&text_after).unwrap();
    let again = stack.plan(&parsed).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
    // The state speaks of what there is only under the names that the spec has.
    let declared: BTreeSet<String> = all()
        .filter(|(_, ((_, after), _))| after.is_some())
        .map(|(i, (_, (way, _)))| way.address(i))
        .collect();
    let listed: BTreeSet<String> =
        stack.snapshot.instances().map(|(address, _, _)| address.to_string()).collect();
    assert_eq!(listed, declared);
    let labels: BTreeSet<String> =
        declared.iter().map(|address| address.split('[').next().unwrap_or_default().to_owned()).collect();
    for (address, _, object) in stack.snapshot.current() {
        let needs: BTreeSet<String> = object.dependencies.iter().map(ToString::to_string).collect();
        assert!(needs.is_subset(&labels), "{address} needs {needs:?}");
    }
}

/// What is limited, and how.
fn limits() -> impl Strategy<Value = (Vec<usize>, u8)> {
    (proptest::collection::vec(0..6usize, 1..3), 0u8..3)
}

fn acting(plan: &Plan) -> BTreeSet<(Address, Option<String>, Action)> {
    let changes = plan.changes.iter().filter(|change| change.action.is_change());
    changes.map(|change| (change.address.clone(), change.deposed.clone(), change.action)).collect()
}

async fn limited(before: Spec, after: Spec, (named, how): (Vec<usize>, u8), mode: Mode) {
    let mut stack = Stack::default();
    stack.up(&text(&before)).await.unwrap();
    let there = |i: &usize| before[*i].is_some() || (after[*i].is_some() && mode == Mode::Normal);
    let named: BTreeSet<usize> = named.into_iter().filter(there).collect();
    if named.is_empty() {
        return;
    }
    let selectors = named.iter().map(|i| format!("fake_thing.t{i}").parse().unwrap()).collect();
    let targeting = match how {
        2 => Targeting { excludes: selectors, ..Targeting::default() },
        _ => Targeting { targets: selectors, dependents: how == 1, ..Targeting::default() },
    };
    let parsed = stack.spec(&text(&after)).unwrap();
    stack.options.mode = mode;
    let full = acting(&stack.plan(&parsed).await.unwrap());
    stack.options.targeting = targeting;
    let part = stack.plan(&parsed).await.unwrap();
    let acted = acting(&part);
    assert!(acted.is_subset(&full), "{acted:#?} of {full:#?}");
    for i in named {
        let about = |(address, ..): &(Address, Option<String>, Action)| {
            address.resource.name.as_ref() == format!("t{i}")
        };
        let wanted = if how == 2 { 0 } else { full.iter().filter(|c| about(c)).count() };
        assert_eq!(acted.iter().filter(|c| about(c)).count(), wanted, "t{i}");
    }
    if how != 2 && mode == Mode::Normal {
        // What a covered object needs is covered.
        let covered: BTreeSet<_> = part.changes.iter().map(|c| c.address.resource.clone()).collect();
        let needed = part.changes.iter().filter(|c| c.after.is_some()).flat_map(|c| c.dependencies.iter());
        for need in needed {
            assert!(covered.contains(need), "{need} is left out");
        }
    }
    let report = stack.apply(&parsed, &part).await;
    assert!(report.is_success(), "{:?}", report.diagnostics);

    stack.options.targeting = Targeting::default();
    stack.options.mode = Mode::Normal;
    let (_, report) = stack.up(&text(&after)).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let wanted: BTreeSet<String> =
        after.iter().enumerate().filter_map(|(i, t)| Some(name(i, t.as_ref()?))).collect();
    assert_eq!(stack.cloud.names(), wanted);
    assert!(!stack.plan(&parsed).await.unwrap().has_changes());
    assert!(stack.snapshot.terrane.is_empty(), "nothing is remembered");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn running_again_gets_there(
        before in spec(),
        after in spec(),
        fates in fates(),
        faults in proptest::collection::vec(fault(), 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(converge(before, after, fates, faults));
    }

    #[test]
    fn the_same_input_gives_the_same_plan(before in spec(), after in spec(), fates in fates()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut stack = Stack::default();
            stack.up(&text(&before)).await.unwrap();
            let text_after = text_with(&after, &fates);
            let parsed = stack.spec(&text_after).unwrap();
            let envelope = terrane_plan::file::Envelope {
                program_version: "test".into(),
                created: "now".into(),
                spec_files: vec![("terrane.toml".into(), text_after.clone())],
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

    #[test]
    fn a_limited_plan_is_a_part_and_the_rest_follows(
        before in spec(),
        after in spec(),
        limits in limits(),
        mode in prop_oneof![Just(Mode::Normal), Just(Mode::Destroy)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(limited(before, after, limits, mode));
    }
}
