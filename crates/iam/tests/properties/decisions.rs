//! Laws of decisions.

use proptest::prelude::*;
use terrane_iam::*;

use crate::world::{KEYS, Policies, caller, document, grant, known_context, policies, statement};

/// How much access an answer means: the answer after a change that takes access away may only be lower.
fn access(answer: &Answer) -> u8 {
    match answer {
        Answer::Denied(_) => 0,
        Answer::Depends(_) => 1,
        Answer::Allowed => 2,
    }
}

fn add(policies: &Policies, place: usize, statement: &Statement) -> Policies {
    let mut more = policies.clone();
    let count = more.documents().len();
    if let Some(document) = more.documents().into_iter().nth(place % count) {
        let index = document.statements.len();
        document.statements.push(Statement { index, ..statement.clone() });
    }
    more
}

fn rotate<T>(list: &mut [T], by: usize) {
    if !list.is_empty() {
        let by = by % list.len();
        list.rotate_left(by);
    }
}

fn reorder(policies: &Policies, by: usize) -> Policies {
    let mut other = policies.clone();
    rotate(&mut other.grants, by);
    for document in other.documents() {
        rotate(&mut document.statements, by);
        for statement in &mut document.statements {
            for list in [
                &mut statement.actions,
                &mut statement.not_actions,
                &mut statement.resources,
                &mut statement.not_resources,
            ] {
                list.iter_mut().for_each(|list| rotate(list, by));
            }
            for list in [&mut statement.principals, &mut statement.not_principals] {
                list.iter_mut().for_each(|list| rotate(list, by));
            }
            statement.conditions.iter_mut().for_each(|condition| rotate(&mut condition.values, by));
            rotate(&mut statement.conditions, by);
        }
    }
    other
}

/// The policies after what was not known in their texts has become known.
fn filled(policies: &Policies, with: &str) -> Policies {
    let mut known = policies.clone();
    let fill = |text: &mut String| *text = text.replace(UNKNOWN, with);
    known.grants.iter_mut().for_each(|grant| fill(&mut grant.grantee));
    for document in known.documents() {
        for statement in &mut document.statements {
            for list in [&mut statement.resources, &mut statement.not_resources] {
                list.iter_mut().flatten().for_each(fill);
            }
            for list in [&mut statement.principals, &mut statement.not_principals] {
                list.iter_mut().flatten().for_each(|principal| fill(&mut principal.value));
            }
        }
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adding_a_denial_gains_nothing(
        policies in policies(), caller in caller(), context in known_context(),
        place in 0_usize..9, more in statement(Effect::Deny),
    ) {
        let before = policies.answers(&caller, &context);
        let after = add(&policies, place, &more).answers(&caller, &context);
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(access(after) <= access(before), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn adding_an_allowance_loses_nothing(
        policies in policies(), caller in caller(), context in known_context(),
        place in 0_usize..9, more in statement(Effect::Allow),
    ) {
        let before = policies.answers(&caller, &context);
        let after = add(&policies, place, &more).answers(&caller, &context);
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(access(after) >= access(before), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn adding_a_boundary_or_session_policy_gains_nothing(
        policies in policies(), caller in caller(), context in known_context(), limit in document(),
    ) {
        let free = Policies { boundary: None, session: None, resource_control: None, ..policies };
        let before = free.answers(&caller, &context);
        let mut levels = free.service_control.clone();
        levels.push(limit.clone());
        for limited in [
            Policies { boundary: Some(limit.clone()), ..free.clone() },
            Policies { session: Some(limit.clone()), ..free.clone() },
            Policies { service_control: levels, ..free.clone() },
            Policies { resource_control: Some(limit.clone()), ..free.clone() },
        ] {
            let after = limited.answers(&caller, &context);
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(access(after) <= access(before), "{before:?} became {after:?}");
            }
        }
    }

    #[test]
    fn a_grant_loses_nothing(
        policies in policies(), caller in caller(), context in known_context(), more in grant(),
    ) {
        let before = policies.answers(&caller, &context);
        let mut granted = policies.clone();
        granted.grants.push(more);
        let after = granted.answers(&caller, &context);
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(access(after) >= access(before), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn order_never_matters(
        policies in policies(), caller in caller(), context in known_context(), by in 1_usize..5,
    ) {
        let before = policies.answers(&caller, &context);
        let after = reorder(&policies, by).answers(&caller, &context);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn what_is_unknown_is_never_contradicted(
        policies in policies(), caller in caller(), known in known_context(), hidden in 0_usize..16,
    ) {
        let mut partial = known.clone();
        for (place, key) in KEYS.iter().enumerate() {
            if hidden >> place & 1 == 1 && *key != "aws:PrincipalArn" {
                partial.set(key, ContextValue::Unknown);
            }
        }
        let open = policies.answers(&caller, &partial);
        let settled = policies.answers(&caller, &known);
        for (open, settled) in open.iter().zip(&settled) {
            match open {
                Answer::Depends(facts) => prop_assert!(!facts.is_empty()),
                open => prop_assert_eq!(access(open), access(settled), "{:?} became {:?}", open, settled),
            }
        }
    }

    #[test]
    fn a_hole_in_a_resource_is_never_contradicted(
        policies in policies(), caller in caller(), context in known_context(),
        name in prop::sample::select(&["Post", "", "x/index/y", "User"]),
    ) {
        let sources = policies.sources();
        let ask = |table: String| {
            let resource = format!("arn:aws:dynamodb:eu-west-1:111111111111:table/{table}");
            let request =
                Request { caller: &caller, action: "dynamodb:GetItem", resource: &resource, context: context.clone() };
            decide(&request, &sources).answer
        };
        let open = ask(UNKNOWN.to_string());
        if !matches!(open, Answer::Depends(_)) {
            prop_assert_eq!(access(&open), access(&ask(name.to_owned())));
        }
    }

    #[test]
    fn a_hole_in_a_condition_key_is_never_contradicted(
        policies in policies(), caller in caller(), context in known_context(),
        key in prop::sample::select(&KEYS[..3]), with in prop::sample::select(&["Post", "", "true", "P"]),
        more in prop::collection::vec(prop::sample::select(&["Post", "", "ann"]), 0..2),
    ) {
        let values = |first: String| std::iter::once(first).chain(more.iter().map(|text| (*text).to_owned()));
        let open = policies.answers(&caller, &context.clone().with_all(key, values(UNKNOWN.to_string())));
        let settled = policies.answers(&caller, &context.with_all(key, values(with.to_owned())));
        for (open, settled) in open.iter().zip(&settled) {
            if !matches!(open, Answer::Depends(_)) {
                prop_assert_eq!(access(open), access(settled), "{:?} became {:?}", open, settled);
            }
        }
    }

    #[test]
    fn a_hole_in_a_policy_is_never_contradicted(
        policies in policies(), caller in caller(), context in known_context(),
        with in prop::sample::select(&["ann", "bob", "1", ""]),
    ) {
        let open = policies.answers(&caller, &context);
        let settled = filled(&policies, with).answers(&caller, &context);
        for (open, settled) in open.iter().zip(&settled) {
            if !matches!(open, Answer::Depends(_)) {
                prop_assert_eq!(access(open), access(settled), "{:?} became {:?}", open, settled);
            }
        }
    }

    #[test]
    fn a_policy_not_known_yet_is_never_contradicted(
        policies in policies(), caller in caller(), context in known_context(),
    ) {
        let request = Request {
            caller: &caller,
            action: "dynamodb:GetItem",
            resource: "arn:aws:dynamodb:eu-west-1:111111111111:table/Post",
            context,
        };
        let known = policies.sources();
        let settled = decide(&request, &known).answer;
        let unknown = || Some(NamedPolicy::unknown("later"));
        for open in [
            PolicySources { identity: unknown().into_iter().collect(), ..known.clone() },
            PolicySources { boundary: known.boundary.as_ref().and_then(|_| unknown()), ..known.clone() },
            PolicySources { resource: known.resource.as_ref().and_then(|_| unknown()), ..known.clone() },
            PolicySources {
                service_control: known.service_control.iter().map(|_| unknown().into_iter().collect()).collect(),
                ..known.clone()
            },
            PolicySources {
                resource_control: known.resource_control.iter().filter_map(|_| unknown()).collect(),
                ..known.clone()
            },
        ] {
            let open = decide(&request, &open).answer;
            if !matches!(open, Answer::Depends(_)) {
                prop_assert_eq!(access(&open), access(&settled), "{:?} became {:?}", open, settled);
            }
        }
    }
}
