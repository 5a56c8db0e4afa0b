//! Objects under other addresses, objects that are let go of, and objects that must not be deleted, on a fake cloud.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use terrane_model::{Action, Address, Reason};
use terrane_plan::plan::{Mode, Totals};
use terrane_plan::{Change, Plan};
use terrane_state::Status;
use terrane_testkit::Stack;

fn thing(name: &str, more: &str) -> String {
    format!("[resource.fake_thing.{name}]\nname = \"n\"\n{more}\n")
}

fn moved(from: &str, to: &str) -> String {
    format!("[[moved]]\nfrom = '{from}'\nto = '{to}'\n")
}

fn change<'p>(plan: &'p Plan, address: &str) -> &'p Change {
    let address: Address = address.parse().unwrap();
    plan.changes.iter().find(|c| c.address == address).unwrap()
}

fn addresses(stack: &Stack) -> Vec<String> {
    stack.snapshot.instances().map(|(address, _, _)| address.to_string()).collect()
}

async fn settled(stack: &Stack, text: &str) {
    let spec = stack.spec(text).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
}

async fn refused(stack: &mut Stack, text: &str) -> Vec<&'static str> {
    let before = stack.snapshot.clone();
    let codes = match stack.up(text).await {
        Ok((plan, _)) => unreachable!("{:#?}", plan.changes),
        Err(errors) => errors.iter().map(|error| error.code).collect(),
    };
    assert_eq!(stack.snapshot, before, "nothing changed");
    codes
}

#[tokio::test]
async fn a_move_alone_changes_the_state_and_nothing_else() {
    let user = "[resource.fake_thing.user]\nname = \"u\"\nvalue = \"${fake_thing.NAME.id}\"\n";
    let mut stack = Stack::default();
    stack.up(&(thing("old", "") + &user.replace("NAME", "old"))).await.unwrap();
    stack.cloud.take_calls();
    let text = thing("new", "") + &user.replace("NAME", "new") + &moved("fake_thing.old", "fake_thing.new");
    let (plan, report) = stack.up(&text).await.unwrap();
    assert!(plan.has_changes() && report.is_success());
    assert_eq!(plan.totals(), Totals::default());
    let change = change(&plan, "fake_thing.new");
    assert_eq!(change.action, Action::NoOp);
    assert_eq!(change.previous_address.as_ref().unwrap().to_string(), "fake_thing.old");
    assert!(plan.drift.is_empty(), "{:?}", plan.drift);
    assert_eq!(addresses(&stack), ["fake_thing.new", "fake_thing.user"]);
    let calls = stack.cloud.take_calls();
    assert!(calls.iter().all(|(operation, _)| *operation == "read"), "{calls:?}");
    let user = stack.snapshot.get(&"fake_thing.user".parse().unwrap()).unwrap();
    let needs: Vec<String> = user.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["fake_thing.new"]);
    settled(&stack, &text).await;
}

#[tokio::test]
async fn what_moved_is_planned_as_any_other() {
    let mut stack = Stack::default();
    stack.up(&thing("old", "value = \"one\"")).await.unwrap();
    let entry = moved("fake_thing.old", "fake_thing.new");
    let (plan, report) = stack.up(&(thing("new", "value = \"two\"") + &entry)).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let updated = change(&plan, "fake_thing.new");
    assert_eq!((updated.action, updated.previous_address.is_some()), (Action::Update, true));
    // The target is not in the spec any more.
    let entry = moved("fake_thing.new", "fake_thing.gone");
    let (plan, report) = stack.up(&entry).await.unwrap();
    assert!(report.is_success());
    let gone = change(&plan, "fake_thing.gone");
    assert_eq!((gone.action, gone.reason), (Action::Delete, Reason::DeleteBecauseNoMoveTarget));
    assert!(stack.cloud.names().is_empty());
}

#[tokio::test]
async fn an_object_that_moved_and_is_gone_is_made_under_its_new_name() {
    let mut stack = Stack::default();
    stack.up(&thing("old", "")).await.unwrap();
    stack.cloud.vanish("n");
    let text = thing("new", "") + &moved("fake_thing.old", "fake_thing.new");
    let (plan, report) = stack.up(&text).await.unwrap();
    assert!(report.is_success());
    assert_eq!(change(&plan, "fake_thing.new").action, Action::Create);
    assert_eq!(plan.drift[0].previous_address.as_ref().unwrap().to_string(), "fake_thing.old");
    assert_eq!(addresses(&stack), ["fake_thing.new"]);
}

#[tokio::test]
async fn moves_hold_in_every_mode() {
    let mut stack = Stack::default();
    stack.up(&thing("old", "")).await.unwrap();
    let text = thing("new", "") + &moved("fake_thing.old", "fake_thing.new");
    stack.options.mode = Mode::RefreshOnly;
    let (plan, _) = stack.up(&text).await.unwrap();
    assert!(plan.has_changes());
    assert_eq!(addresses(&stack), ["fake_thing.new"]);
    stack.options.mode = Mode::Destroy;
    let back = thing("old", "") + &moved("fake_thing.new", "fake_thing.old");
    let (plan, report) = stack.up(&back).await.unwrap();
    assert!(report.is_success());
    assert_eq!(change(&plan, "fake_thing.old").previous_address, None);
    assert!(stack.snapshot.is_empty());
}

#[tokio::test]
async fn instances_between_none_count_and_for_each() {
    let single = thing("a", "");
    let counted = "[resource.fake_thing.a]\ncount = 1\nname = \"n\"\n";
    let each = "[resource.fake_thing.a]\nfor_each = '${toset([\"k\"])}'\nname = \"n\"\n";
    let by_key = moved("fake_thing.a", "fake_thing.a[\"k\"]");
    let back = moved("fake_thing.a[\"k\"]", "fake_thing.a[0]");
    let mut stack = Stack::default();
    for (text, now) in [
        (single.clone(), "fake_thing.a"),
        (counted.to_owned(), "fake_thing.a[0]"),
        (single, "fake_thing.a"),
        (each.to_owned() + &by_key, "fake_thing.a[\"k\"]"),
        (counted.to_owned() + &back, "fake_thing.a[0]"),
    ] {
        let (plan, report) = stack.up(&text).await.unwrap();
        assert!(report.is_success());
        assert_eq!(addresses(&stack), [now], "{:#?}", plan.changes);
        settled(&stack, &text).await;
    }
    assert_eq!(stack.cloud.names().len(), 1);
    assert_eq!(stack.cloud.take_calls().iter().filter(|(operation, _)| *operation == "create").count(), 1);
}

#[tokio::test]
async fn into_a_module_through_it_and_out_again() {
    let mut stack = Stack::default();
    stack.modules.insert("./m", thing("b", "") + &moved("fake_thing.a", "fake_thing.b"));
    stack.up(&thing("x", "")).await.unwrap();
    let call = "[module.m]\nsource = './m'\n";
    let into = call.to_owned() + &moved("fake_thing.x", "module.m.fake_thing.a");
    for (text, now) in [
        (into, "module.m.fake_thing.b"),
        ("[module.n]\nsource = './m'\n".to_owned() + &moved("module.m", "module.n"), "module.n.fake_thing.b"),
        (
            "[module.n]\nsource = './m'\ncount = 1\n".to_owned() + &moved("module.n", "module.n[0]"),
            "module.n[0].fake_thing.b",
        ),
        (thing("y", "") + &moved("module.n[0].fake_thing.b", "fake_thing.y"), "fake_thing.y"),
    ] {
        let (plan, report) = stack.up(&text).await.unwrap();
        assert!(report.is_success());
        assert_eq!(addresses(&stack), [now], "{:#?}", plan.changes);
        assert_eq!(plan.totals(), Totals::default());
        settled(&stack, &text).await;
    }
}

#[tokio::test]
async fn moves_that_cannot_be_meant_change_nothing() {
    let mut stack = Stack::default();
    let other = "[resource.fake_thing.b]\nname = \"m\"\n";
    stack.up(&(thing("a", "") + other)).await.unwrap();
    assert_eq!(
        refused(&mut stack, &(other.to_owned() + &moved("fake_thing.a", "fake_thing.b"))).await,
        ["move-occupied"]
    );
    let still = thing("a", "") + &moved("fake_thing.a", "fake_thing.c");
    assert_eq!(refused(&mut stack, &still).await, ["moved-still-declared"]);
    let keyed = "[resource.fake_thing.a]\nfor_each = '${toset([\"k\"])}'\nname = \"n\"\n";
    let entry = moved("fake_thing.a[\"k\"]", "fake_thing.c");
    assert_eq!(refused(&mut stack, &(keyed.to_owned() + other + &entry)).await, ["moved-still-declared"]);
    let circle = moved("fake_thing.a", "fake_thing.c") + &moved("fake_thing.c", "fake_thing.a");
    assert_eq!(refused(&mut stack, &circle).await, ["cyclic-moves"]);
    let kinds = moved("fake_thing.a", "terraform_data.c");
    assert!(stack.spec(&kinds).is_err());
    stack.modules.insert("./m", thing("a", ""));
    let call = "[module.m]\nsource = './m'\n".to_owned() + other;
    let entry = moved("module.m", "module.n");
    assert_eq!(refused(&mut stack, &(call.clone() + &entry)).await, ["moved-still-declared"]);
    let entry = moved("module.m.fake_thing.a", "fake_thing.a");
    assert_eq!(refused(&mut stack, &(call + &entry)).await, ["moved-still-declared"]);
}

#[tokio::test]
async fn a_deposed_and_a_tainted_object_move_too() {
    let mut stack = Stack::default();
    stack.up(&thing("old", "")).await.unwrap();
    let old: Address = "fake_thing.old".parse().unwrap();
    let mut object = stack.snapshot.get(&old).unwrap().clone();
    let provider = stack.snapshot.resource(&old.resource).unwrap().provider.clone();
    stack.snapshot.put_deposed(&old, &provider, "0000000a", object.clone());
    object.status = Status::Tainted;
    stack.snapshot.put(&old, &provider, object);
    let text = thing("new", "") + &moved("fake_thing.old", "fake_thing.new");
    let spec = stack.spec(&text).unwrap();
    let plan = stack.plan(&spec).await.unwrap();
    let told: Vec<(bool, Reason)> = plan.changes.iter().map(|c| (c.deposed.is_some(), c.reason)).collect();
    assert_eq!(told, [(false, Reason::ReplaceBecauseTainted), (true, Reason::Plain)]);
    assert!(plan.changes.iter().all(|c| c.address.to_string() == "fake_thing.new"));
}

#[tokio::test]
async fn what_is_let_go_of_stays_in_the_cloud() {
    let removed = |destroy: bool| {
        format!("[[removed]]\nfrom = \"fake_thing.a\"\nlifecycle = {{ destroy = {destroy} }}\n")
    };
    let mut stack = Stack::default();
    stack.up("[resource.fake_thing.a]\ncount = 2\nname = \"n${count.index}\"\n").await.unwrap();
    let a: Address = "fake_thing.a[1]".parse().unwrap();
    let provider = stack.snapshot.resource(&a.resource).unwrap().provider.clone();
    let object = stack.snapshot.get(&a).unwrap().clone();
    stack.snapshot.put_deposed(&a, &provider, "0000000a", object);
    let state = stack.snapshot.clone();
    for mode in [Mode::Normal, Mode::Destroy] {
        stack.options.mode = mode;
        stack.snapshot = state.clone();
        let (plan, report) = stack.up(&removed(false)).await.unwrap();
        assert!(report.is_success(), "{:?}", report.diagnostics);
        assert!(plan.changes.iter().all(|c| c.action == Action::Forget), "{:#?}", plan.changes);
        assert_eq!(plan.warnings.len(), 1);
        assert_eq!(plan.totals().forget, 3);
        assert!(stack.snapshot.is_empty());
        assert_eq!(stack.cloud.names().len(), 2);
    }
    stack.options.mode = Mode::Normal;
    stack.snapshot = state;
    let (plan, report) = stack.up(&removed(true)).await.unwrap();
    assert!(report.is_success());
    assert_eq!(plan.totals().destroy, 3);
    assert!(stack.cloud.names().is_empty());
}

#[tokio::test]
async fn the_closest_removal_decides() {
    let mut stack = Stack::default();
    stack.modules.insert("./m", thing("a", "") + "[resource.fake_thing.b]\nname = \"b\"\n");
    stack.up("[module.m]\nsource = './m'\n").await.unwrap();
    let text = "[[removed]]\nfrom = \"module.m\"\nlifecycle = { destroy = false }\n\
                [[removed]]\nfrom = \"module.m.fake_thing.b\"\n";
    let (plan, report) = stack.up(text).await.unwrap();
    assert!(report.is_success());
    assert_eq!(change(&plan, "module.m.fake_thing.a").action, Action::Forget);
    assert_eq!(change(&plan, "module.m.fake_thing.b").action, Action::Delete);
    assert_eq!(stack.cloud.names().into_iter().collect::<Vec<_>>(), ["n"]);
}

#[tokio::test]
async fn a_removal_of_what_is_there_is_refused() {
    let mut stack = Stack::default();
    stack.modules.insert("./m", thing("b", ""));
    let removed = |from: &str| format!("[[removed]]\nfrom = \"{from}\"\n");
    let code = ["removed-still-declared"];
    assert_eq!(refused(&mut stack, &(thing("a", "") + &removed("fake_thing.a"))).await, code);
    let call = "[module.m]\nsource = './m'\n";
    for from in ["module.m", "module.m.fake_thing.b"] {
        assert_eq!(refused(&mut stack, &(call.to_owned() + &removed(from))).await, code, "{from}");
    }
    let both =
        removed("fake_thing.x") + "[[removed]]\nfrom = \"fake_thing.x\"\nlifecycle = { destroy = false }\n";
    assert_eq!(refused(&mut stack, &both).await, ["ambiguous-removal"]);
}

#[tokio::test]
async fn protection_outlives_the_declaration() {
    let protected = thing("a", "lifecycle = { prevent_destroy = true }");
    let code = ["prevent-destroy"];
    let mut stack = Stack::default();
    stack.up(&protected).await.unwrap();
    assert_eq!(refused(&mut stack, "").await, code);
    stack.options.mode = Mode::Destroy;
    assert_eq!(refused(&mut stack, "").await, code);
    assert_eq!(refused(&mut stack, &protected).await, code);
    stack.options.mode = Mode::Normal;
    // It goes with the object to another address, also to one that is not declared.
    assert_eq!(refused(&mut stack, &moved("fake_thing.a", "fake_thing.b")).await, code);
    let state = stack.snapshot.clone();
    let made = stack.cloud.names();

    // Letting go of it does not delete it.
    let forget = "[[removed]]\nfrom = \"fake_thing.a\"\nlifecycle = { destroy = false }\n";
    assert!(stack.up(forget).await.unwrap().1.is_success());
    assert_eq!(stack.cloud.names(), made);
    // The flag names it, or its resource.
    stack.snapshot = state.clone();
    stack.options.allow_destroy = ["fake_thing.b".parse().unwrap()].into();
    assert_eq!(refused(&mut stack, "").await, code);
    stack.options.allow_destroy = ["fake_thing.a".parse().unwrap()].into();
    assert!(stack.up("").await.unwrap().1.is_success());
    assert!(stack.cloud.names().is_empty() && stack.snapshot.is_empty());
}

#[tokio::test]
async fn protection_is_lifted_by_an_entry_and_by_the_spec() {
    let protected = thing("a", "lifecycle = { prevent_destroy = true }");
    for lifting in
        ["[[removed]]\nfrom = \"fake_thing.a\"\n".to_owned(), thing("a", "").replace("\"n\"", "\"o\"")]
    {
        let mut stack = Stack::default();
        stack.up(&protected).await.unwrap();
        let (_, report) = stack.up(&lifting).await.unwrap();
        assert!(report.is_success());
        assert!(!stack.cloud.names().contains("n"));
    }
}

#[tokio::test]
async fn protection_comes_and_goes_without_any_call() {
    let a: Address = "fake_thing.a".parse().unwrap();
    let mut stack = Stack::default();
    stack.up(&thing("a", "")).await.unwrap();
    assert!(!stack.snapshot.get(&a).unwrap().is_protected());
    for (more, protected) in [("lifecycle = { prevent_destroy = true }", true), ("", false)] {
        let (plan, _) = stack.up(&thing("a", more)).await.unwrap();
        assert!(!plan.has_changes());
        assert_eq!(stack.snapshot.get(&a).unwrap().is_protected(), protected);
    }
}

/// The entries that a plan's warning holds, ready to paste.
fn pasted(warnings: &[terrane_model::Diagnostic]) -> String {
    let warning = warnings.iter().find(|warning| warning.code == "looks-like-a-move");
    warning
        .and_then(|warning| warning.detail.find("[[moved]]").map(|at| &warning.detail[at..]))
        .unwrap_or("")
        .to_owned()
}

#[tokio::test]
async fn what_looks_like_a_rename_is_pointed_out_with_the_entries_to_paste() {
    let two = "[resource.fake_thing.y]\ncount = 2\nname = \"y${count.index}\"\n";
    let keyed = "[resource.fake_thing.NAME]\nfor_each = '${toset([\"it'\"])}'\nname = \"k\"\n"
        .replace("\"it'\"", "\"it\"");
    let call = |name: &str| format!("[module.{name}]\nsource = './m'\n");
    let cases = [
        (thing("old", ""), thing("new", ""), "[[moved]]\nfrom = 'fake_thing.old'\nto   = 'fake_thing.new'"),
        (
            two.to_owned(),
            two.replace(".y]", ".z]"),
            "[[moved]]\nfrom = 'fake_thing.y'\nto   = 'fake_thing.z'",
        ),
        (
            keyed.replace("NAME", "a"),
            "[resource.fake_thing.a]\nname = \"k\"\n".to_owned(),
            "[[moved]]\nfrom = 'fake_thing.a[\"it\"]'\nto   = 'fake_thing.a'",
        ),
        (call("m"), call("n"), "[[moved]]\nfrom = 'module.m'\nto   = 'module.n'"),
        (call("m"), call("m") + "count = 1\n", "[[moved]]\nfrom = 'module.m'\nto   = 'module.m[0]'"),
        (thing("b", ""), call("m"), "[[moved]]\nfrom = 'fake_thing.b'\nto   = 'module.m.fake_thing.b'"),
        // Another name in the cloud is another object, and so is one of which more is changed.
        (thing("old", ""), thing("new", "").replace("\"n\"", "\"other\""), ""),
        (thing("old", ""), thing("new", "value = \"v\""), ""),
    ];
    for (before, after, wanted) in cases {
        let mut stack = Stack::default();
        stack.modules.insert("./m", thing("b", ""));
        stack.up(&before).await.unwrap();
        let spec = stack.spec(&after).unwrap();
        let plan = stack.plan(&spec).await.unwrap();
        let entries = pasted(&plan.warnings);
        assert_eq!(entries, wanted);
        if !entries.is_empty() {
            let (plan, report) = stack.up(&(after + "\n" + &entries)).await.unwrap();
            assert!(report.is_success());
            assert_eq!(plan.totals(), Totals::default(), "{entries}");
        }
    }
}
