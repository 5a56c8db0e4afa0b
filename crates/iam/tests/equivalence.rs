//! Policy equivalence, against the AWS provider's own answers (`data/policy_equivalence.json`): `same` says that it plans
//! no change from the text in the state to the text in the configuration.

use serde_json::Value;
use terrane_iam::equivalent;

#[test]
fn the_provider_agrees() {
    let cases: Value = serde_json::from_str(include_str!("data/policy_equivalence.json")).expect("cases");
    let mut wrong = Vec::new();
    for case in cases.as_array().expect("a list") {
        let text = |name: &str| case[name].as_str().expect("text");
        let same = case["same"].as_bool().expect("an answer");
        let (state, config) = (text("state"), text("config"));
        if equivalent(state, config) != same {
            wrong.push(format!("{state}\n{config}\nprovider: {same}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}
