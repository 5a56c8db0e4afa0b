//! Decisions on services that IAM policies and resource policies govern.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use terrane_iam::*;

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Post";
const OTHER_TABLE: &str = "arn:aws:dynamodb:eu-west-1:222222222222:table/Post";

fn document(text: &str) -> Document {
    Document::parse(text).expect(text)
}

fn statements(text: &str) -> Document {
    document(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#))
}

fn user() -> Caller {
    Caller::User { arn: "arn:aws:iam::111111111111:user/team/ann".into(), user_id: Some("AIDAANN".into()) }
}

fn session() -> Caller {
    Caller::AssumedRole {
        role_arn: "arn:aws:iam::111111111111:role/reader".into(),
        session_arn: "arn:aws:sts::111111111111:assumed-role/reader/s1".into(),
        role_id: Some("AROAREADER".into()),
        session_name: "s1".into(),
    }
}

fn root() -> Caller {
    Caller::Root { account: "111111111111".into(), partition: "aws".into() }
}

fn get_item(caller: &Caller) -> Request<'_> {
    Request { caller, action: "dynamodb:GetItem", resource: TABLE, context: Context::complete() }
}

const ALLOW: &str = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Action":"dynamodb:Get*","Resource":"*"}"#;

fn explicit(kind: PolicyKind, policy: &str) -> Answer {
    Answer::Denied(Layer::ExplicitDeny { kind, policy: policy.into() })
}

/// The answer for one identity policy with these statements.
fn with_identity(caller: &Caller, text: &str) -> Answer {
    let policy = statements(text);
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &policy)], ..PolicySources::default() };
    let decision = decide(&get_item(caller), &sources);
    assert_eq!(decision.answer, answer(&get_item(caller), &sources), "both ways of asking agree");
    decision.answer
}

#[test]
fn silence_denies_and_a_statement_allows() {
    assert_eq!(
        decide(&get_item(&user()), &PolicySources::default()).answer,
        Answer::Denied(Layer::NoIdentityStatement)
    );
    assert_eq!(with_identity(&user(), ALLOW), Answer::Allowed);
    assert_eq!(with_identity(&user(), &format!("{ALLOW},{DENY}")), explicit(PolicyKind::Identity, "own"));
    assert_eq!(with_identity(&user(), DENY), explicit(PolicyKind::Identity, "own"));
}

#[test]
fn a_root_user_needs_no_policy() {
    assert_eq!(decide(&get_item(&root()), &PolicySources::default()).answer, Answer::Allowed);
    assert_eq!(with_identity(&root(), DENY), Answer::Allowed);
}

#[test]
fn actions_match_in_any_case_and_resources_only_in_theirs() {
    for (action, resource, allowed) in [
        ("DYNAMODB:getitem", TABLE, true),
        ("dynamodb:G?t*m", "*", true),
        ("*", "arn:aws:dynamodb:*:111111111111:table/*", true),
        ("dynamodb:GetItems", "*", false),
        ("dynamodb", "*", false),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/post", false),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/Pos", false),
        ("dynamodb:GetItem", "arn:aws:dynamodb:*", true),
        ("dynamodb:GetItem", "", false),
    ] {
        let text = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":["{resource}"]}}"#);
        assert_eq!(with_identity(&user(), &text) == Answer::Allowed, allowed, "{action} {resource}");
    }
}

#[test]
fn not_forms_name_everything_else() {
    for (text, allowed) in [
        (r#""NotAction":"iam:*","Resource":"*""#, true),
        (r#""NotAction":["iam:*","dynamodb:get*"],"Resource":"*""#, false),
        (r#""Action":"*","NotResource":"arn:aws:s3:::*""#, true),
        (r#""Action":"*","NotResource":["arn:aws:dynamodb:*:*:table/Post"]"#, false),
        (r#""NotAction":[],"Resource":"*""#, true),
        (r#""Action":[],"Resource":"*""#, false),
        (r#""Action":"*""#, false),
    ] {
        let answer = with_identity(&user(), &format!(r#"{{"Effect":"Allow",{text}}}"#));
        assert_eq!(answer == Answer::Allowed, allowed, "{text}");
    }
}

#[test]
fn groups_count_as_the_users_own() {
    let allow = statements(ALLOW);
    let groups = vec![GroupPolicies { group: "g".into(), policies: vec![NamedPolicy::new("p", &allow)] }];
    let sources = PolicySources { groups, ..PolicySources::default() };
    assert_eq!(decide(&get_item(&user()), &sources).answer, Answer::Allowed);
}

#[test]
fn boundary_session_and_organization_only_limit() {
    let allow = statements(ALLOW);
    let other = statements(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    let deny = statements(&format!("{ALLOW},{DENY}"));
    let identity = vec![NamedPolicy::new("own", &allow)];
    let base = PolicySources { identity, ..PolicySources::default() };
    let named = |document| NamedPolicy::new("p", document);
    let cases = [
        (PolicySources { boundary: Some(named(&allow)), ..base.clone() }, Answer::Allowed),
        (PolicySources { boundary: Some(named(&other)), ..base.clone() }, Answer::Denied(Layer::Boundary)),
        (PolicySources { boundary: Some(named(&deny)), ..base.clone() }, explicit(PolicyKind::Boundary, "p")),
        (PolicySources { session: vec![named(&other), named(&allow)], ..base.clone() }, Answer::Allowed),
        (
            PolicySources { session: vec![named(&other)], ..base.clone() },
            Answer::Denied(Layer::SessionPolicy),
        ),
        (
            PolicySources { service_control: vec![vec![named(&allow)], vec![named(&other)]], ..base.clone() },
            Answer::Denied(Layer::ServiceControlPolicy),
        ),
        (
            PolicySources { service_control: vec![vec![named(&deny)]], ..base.clone() },
            explicit(PolicyKind::ServiceControl, "p"),
        ),
        (
            PolicySources { boundary: Some(named(&allow)), ..PolicySources::default() },
            Answer::Denied(Layer::NoIdentityStatement),
        ),
    ];
    for (sources, expected) in cases {
        assert_eq!(decide(&get_item(&session()), &sources).answer, expected);
    }
}

#[test]
fn a_service_control_policy_binds_the_root_user_too() {
    let deny = statements(DENY);
    let sources = PolicySources {
        service_control: vec![vec![NamedPolicy::new("scp", &deny)]],
        ..PolicySources::default()
    };
    assert_eq!(decide(&get_item(&root()), &sources).answer, explicit(PolicyKind::ServiceControl, "scp"));
}

/// A resource policy that allows one principal, beside a boundary and session policies that are silent.
fn named_by_resource(caller: &Caller, principal: &str) -> Answer {
    let resource = statements(&format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"dynamodb:GetItem","Resource":"*"}}"#
    ));
    let silent = statements("");
    let sources = PolicySources {
        resource: Some(NamedPolicy::new("table", &resource)),
        boundary: Some(NamedPolicy::new("boundary", &silent)),
        session: vec![NamedPolicy::new("session", &silent)],
        ..PolicySources::default()
    };
    decide(&get_item(caller), &sources).answer
}

#[test]
fn a_resource_policy_frees_the_named_session_but_not_the_named_role() {
    let role = r#"{"AWS":"arn:aws:iam::111111111111:role/reader"}"#;
    let one = r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/reader/s1"}"#;
    assert_eq!(named_by_resource(&session(), role), Answer::Denied(Layer::Boundary));
    assert_eq!(named_by_resource(&session(), one), Answer::Allowed);
    assert_eq!(named_by_resource(&session(), r#""*""#), Answer::Allowed);
    assert_eq!(
        named_by_resource(&user(), r#"{"AWS":"arn:aws:iam::111111111111:user/team/ann"}"#),
        Answer::Allowed
    );
    assert_eq!(named_by_resource(&user(), r#"{"AWS":"AIDAANN"}"#), Answer::Allowed);
    assert_eq!(
        named_by_resource(&user(), r#"{"AWS":"111111111111"}"#),
        Answer::Denied(Layer::NoIdentityStatement),
        "the account's own name only says that its IAM policies decide"
    );
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let identity = statements(ALLOW);
    let resource = statements(
        r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"dynamodb:GetItem","Resource":"*"}"#,
    );
    let caller = user();
    let request = Request { resource: OTHER_TABLE, ..get_item(&caller) };
    let own = vec![NamedPolicy::new("own", &identity)];
    let theirs = Some(NamedPolicy::new("table", &resource));
    let both = PolicySources { identity: own.clone(), resource: theirs.clone(), ..PolicySources::default() };
    assert_eq!(decide(&request, &both).answer, Answer::Allowed);
    let one = PolicySources { identity: own, ..PolicySources::default() };
    assert_eq!(decide(&request, &one).answer, Answer::Denied(Layer::ResourcePolicy));
    let other = PolicySources { resource: theirs, ..PolicySources::default() };
    assert_eq!(decide(&request, &other).answer, Answer::Denied(Layer::NoIdentityStatement));
}

/// The answer of a resource policy that allows everybody and denies all but the listed principals.
fn spared(caller: &Caller, listed: &str) -> Answer {
    let resource = statements(&format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},
           {{"Effect":"Deny","NotPrincipal":{{"AWS":[{listed}]}},"Action":"*","Resource":"*"}}"#
    ));
    let sources =
        PolicySources { resource: Some(NamedPolicy::new("table", &resource)), ..PolicySources::default() };
    decide(&get_item(caller), &sources).answer
}

#[test]
fn not_principal_spares_only_who_is_listed_with_the_account() {
    let user_arn = r#""arn:aws:iam::111111111111:user/team/ann""#;
    let account = r#""arn:aws:iam::111111111111:root""#;
    assert_eq!(spared(&user(), &format!("{user_arn},{account}")), Answer::Allowed);
    assert!(matches!(spared(&user(), user_arn), Answer::Depends(_)));
    assert_eq!(spared(&user(), account), explicit(PolicyKind::Resource, "table"));
    assert_eq!(spared(&root(), account), Answer::Allowed);
    let role = r#""arn:aws:iam::111111111111:role/reader""#;
    let one = r#""arn:aws:sts::111111111111:assumed-role/reader/s1""#;
    assert!(matches!(spared(&session(), &format!("{role},{account}")), Answer::Depends(_)));
    assert_eq!(spared(&session(), &format!("{role},{one},{account}")), Answer::Allowed);
}

#[test]
fn assuming_a_role_needs_its_trust() {
    let role = "arn:aws:iam::111111111111:role/reader";
    let caller = user();
    let request =
        Request { caller: &caller, action: "sts:AssumeRole", resource: role, context: Context::complete() };
    let identity = statements(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#);
    let with =
        PolicySources { identity: vec![NamedPolicy::new("own", &identity)], ..PolicySources::default() };
    let trust = |principal: &str| {
        statements(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}"#))
    };
    let ask = |sources: &PolicySources<'_>, trust: &Document| {
        decide_assume_role(&request, sources, &NamedPolicy::new("trust", trust)).answer
    };
    let account = trust(r#"{"AWS":"111111111111"}"#);
    let service = trust(r#"{"Service":"lambda.amazonaws.com"}"#);
    let named = trust(r#"{"AWS":"arn:aws:iam::111111111111:user/team/ann"}"#);
    let without = PolicySources::default();
    assert_eq!(ask(&with, &account), Answer::Allowed);
    assert_eq!(ask(&without, &account), Answer::Denied(Layer::NoIdentityStatement));
    assert_eq!(ask(&with, &service), Answer::Denied(Layer::TrustPolicy));
    assert_eq!(ask(&without, &named), Answer::Allowed);
}

#[test]
fn what_is_not_known_yet_is_named() {
    let caller = user();
    let open = PolicySources { identity: vec![NamedPolicy::unknown("later")], ..PolicySources::default() };
    assert_eq!(
        decide(&get_item(&caller), &open).answer,
        Answer::Depends(vec!["the text of policy later".into()])
    );
    let here = statements(&format!(
        r#"{{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:table/{UNKNOWN}"}}"#
    ));
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &here)], ..PolicySources::default() };
    assert!(matches!(decide(&get_item(&caller), &sources).answer, Answer::Depends(_)));
    let elsewhere = Request { resource: "arn:aws:s3:::bucket", ..get_item(&caller) };
    assert_eq!(decide(&elsewhere, &sources).answer, Answer::Denied(Layer::NoIdentityStatement));
    let unnamed =
        Request { resource: "arn:aws:dynamodb:eu-west-1:111111111111:table/\u{FFFF}", ..get_item(&caller) };
    let wide = statements(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/*"}"#);
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &wide)], ..PolicySources::default() };
    assert_eq!(decide(&unnamed, &sources).answer, Answer::Allowed);
}

#[test]
fn a_chain_tells_what_each_statement_did() {
    let policy = statements(
        r#"{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},
           {"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:x"},
           {"Sid":"C","Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
    );
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &policy)], ..PolicySources::default() };
    let decision = decide(&get_item(&user()), &sources);
    let lines: Vec<String> = decision.chain.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "identity-based policy own, A (Allow): does not name the action",
            "identity-based policy own, statement 2 (Allow): does not name the resource",
            "identity-based policy own, C (Allow): its condition Bool on aws:SecureTransport does not hold",
        ]
    );
}

#[test]
fn messages_are_in_the_words_of_aws() {
    let caller = user();
    let denied = decide(&get_item(&caller), &PolicySources::default());
    let start = format!(
        "User: arn:aws:iam::111111111111:user/team/ann is not authorized to perform: dynamodb:GetItem on resource: {TABLE}"
    );
    assert_eq!(
        denied.message(),
        Some(format!("{start} because no identity-based policy allows the dynamodb:GetItem action"))
    );
    let deny = statements(DENY);
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &deny)], ..PolicySources::default() };
    assert_eq!(
        decide(&get_item(&caller), &sources).message(),
        Some(format!("{start} with an explicit deny in an identity-based policy"))
    );
    let sources = PolicySources { boundary: Some(NamedPolicy::new("b", &deny)), ..PolicySources::default() };
    assert_eq!(
        decide(&get_item(&caller), &sources).message(),
        Some(format!("{start} with an explicit deny in a permissions boundary"))
    );
    assert_eq!(decide(&get_item(&root()), &PolicySources::default()).message(), None);
}
