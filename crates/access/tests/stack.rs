//! The stack that it was all made for, over values: what gives the test user access, and what does not.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use proptest::prelude::*;
use terrane_access::{Estate, Item, Question, Verdict, difference, reach};
use terrane_iam::{Answer, Layer};
use terrane_model::{Type, Value};

const ACCOUNT: &str = "123456789012";
const KEY: &str = "arn:aws:kms:eu-west-3:123456789012:key/11111111-2222-3333-4444-555555555555";
const TABLE: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
const USER: &str = "arn:aws:iam::123456789012:user/reader";
const ROOT: &str = r#"{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}"#;
const TABLES: &str = r#"{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query","dynamodb:PutItem"],"Resource":"arn:aws:dynamodb:eu-west-3:123456789012:table/Post"}"#;

/// The stack with these statements in the key's policy and in the user's.
struct Stack {
    key: Vec<String>,
    user: Vec<String>,
    encrypted: bool,
    more: Vec<(String, &'static str, Value)>,
}

impl Default for Stack {
    fn default() -> Stack {
        Stack { key: vec![ROOT.into()], user: vec![TABLES.into()], encrypted: true, more: vec![] }
    }
}

fn document(statements: &[String]) -> Value {
    Value::from(format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(",")).as_str())
}

fn texts(fields: &[(&'static str, &str)]) -> Vec<(&'static str, Value)> {
    fields.iter().map(|(name, text)| (*name, Value::from(*text))).collect()
}

impl Stack {
    fn estate(&self) -> Estate {
        let mut items: Vec<(String, &str, Value)> = Vec::new();
        let mut key = texts(&[("arn", KEY), ("key_id", "11111111-2222-3333-4444-555555555555")]);
        key.push(("policy", document(&self.key)));
        items.push(("aws_kms_key.k".into(), "aws_kms_key", Value::object(key)));
        let encryption =
            Value::object([("enabled", Value::bool(self.encrypted)), ("kms_key_arn", Value::from(KEY))]);
        let mut table = texts(&[("arn", TABLE), ("name", "Post")]);
        table.push(("server_side_encryption", Value::tuple([encryption])));
        items.push(("aws_dynamodb_table.t".into(), "aws_dynamodb_table", Value::object(table)));
        items.push((
            "aws_iam_user.u".into(),
            "aws_iam_user",
            Value::object(texts(&[("arn", USER), ("name", "reader")])),
        ));
        let mut policy = texts(&[("arn", "arn:aws:iam::123456789012:policy/p")]);
        policy.push(("policy", document(&self.user)));
        items.push(("aws_iam_policy.p".into(), "aws_iam_policy", Value::object(policy)));
        let attachment = texts(&[("user", "reader"), ("policy_arn", "arn:aws:iam::123456789012:policy/p")]);
        items.push((
            "aws_iam_user_policy_attachment.a".into(),
            "aws_iam_user_policy_attachment",
            Value::object(attachment),
        ));
        items.extend(self.more.iter().cloned());
        let items = items.iter().map(|(address, type_name, value)| Item {
            address,
            type_name,
            value,
            place: None,
            account: None,
        });
        Estate::new(items, Some(ACCOUNT))
    }

    fn answer(&self, action: &str, resource: &str) -> (Answer, String) {
        let estate = self.estate();
        let principal = estate.somebody(USER);
        let answered = estate.ask(&Question { principal: &principal, action, resource, context: &[] });
        (answered.answer, answered.action)
    }
}

fn statement(text: &str) -> String {
    text.to_owned()
}

#[test]
fn every_permission_on_the_items_and_none_on_the_key_reads_nothing() {
    let stack = Stack::default();
    for action in ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"] {
        assert_eq!(
            stack.answer(action, TABLE),
            (Answer::Denied(Layer::KeyIam), "kms:Decrypt".into()),
            "{action}"
        );
    }
    let not_granted = (Answer::Denied(Layer::NoIdentityStatement), "dynamodb:DeleteItem".into());
    assert_eq!(stack.answer("dynamodb:DeleteItem", TABLE), not_granted);
    assert_eq!(stack.answer("kms:PutKeyPolicy", KEY).0, Answer::Denied(Layer::KeyIam));
}

#[test]
fn without_a_customer_key_the_iam_policy_is_enough() {
    let stack = Stack { encrypted: false, ..Stack::default() };
    assert_eq!(stack.answer("dynamodb:GetItem", TABLE).0, Answer::Allowed);
}

#[test]
fn a_right_to_decrypt_in_an_iam_policy_counts_through_the_root_statement_alone() {
    let decrypt = statement(r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#);
    let stack = Stack { user: vec![TABLES.into(), decrypt], ..Stack::default() };
    assert_eq!(stack.answer("dynamodb:GetItem", TABLE).0, Answer::Allowed);
    let somebody = statement(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/admin"},"Action":"kms:*","Resource":"*"}"#,
    );
    let closed = Stack { key: vec![somebody], ..stack };
    assert_eq!(closed.answer("dynamodb:GetItem", TABLE).0, Answer::Denied(Layer::KeyPolicy));
}

#[test]
fn a_key_user_reads() {
    let user = statement(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/reader"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}"#,
    );
    let stack = Stack { key: vec![ROOT.into(), user], ..Stack::default() };
    assert_eq!(stack.answer("dynamodb:GetItem", TABLE).0, Answer::Allowed);
    let before = Stack::default().estate();
    let changes = difference(&before, &stack.estate());
    let on_table = changes.iter().find(|c| c.resources == ["aws_dynamodb_table.t"]).unwrap();
    assert!(on_table.gains && on_table.principal == "aws_iam_user.u", "{on_table:?}");
    assert!(on_table.actions.contains(&"dynamodb:GetItem".to_owned()), "{on_table:?}");
}

#[test]
fn a_grant_reads() {
    let operations = Value::set(Type::String, [Value::from("Decrypt"), Value::from("GenerateDataKey")]);
    let mut grant = texts(&[("key_id", KEY), ("grantee_principal", USER)]);
    grant.push(("operations", operations));
    let grant = ("aws_kms_grant.g".to_owned(), "aws_kms_grant", Value::object(grant));
    let stack = Stack { more: vec![grant], ..Stack::default() };
    assert_eq!(stack.answer("dynamodb:Query", TABLE).0, Answer::Allowed);
}

/// A stack whose user has a managed policy of AWS's.
fn with_policy_of_aws(name: &str) -> Stack {
    let arn = format!("arn:aws:iam::aws:policy/{name}");
    let attachment = Value::object(texts(&[("user", "reader"), ("policy_arn", &arn)]));
    let kind = "aws_iam_user_policy_attachment";
    Stack { more: vec![(format!("{kind}.b"), kind, attachment)], ..Stack::default() }
}

#[test]
fn a_managed_policy_of_aws_is_used_as_far_as_its_text_is_known() {
    let wide = with_policy_of_aws("AdministratorAccess");
    assert_eq!(wide.answer("dynamodb:DeleteTable", TABLE).0, Answer::Allowed);
    assert_eq!(wide.answer("kms:PutKeyPolicy", KEY).0, Answer::Allowed);
    let reads = with_policy_of_aws("AmazonDynamoDBReadOnlyAccess");
    let silent = Answer::Denied(Layer::NoIdentityStatement);
    assert_eq!(reads.answer("dynamodb:DeleteTable", TABLE).0, silent);
    assert_eq!(reads.answer("dynamodb:DescribeTable", TABLE).0, Answer::Allowed);
    // Of what it says on other services nothing is known.
    for (stack, action) in
        [(reads, "s3:GetObject"), (with_policy_of_aws("SomethingElse"), "dynamodb:DeleteItem")]
    {
        let Answer::Depends(facts) = stack.answer(action, "*").0 else { panic!("{action}") };
        assert!(facts.iter().any(|fact| fact.contains("arn:aws:iam::aws:policy/")), "{facts:?}");
    }
    let matrix = reach(&with_policy_of_aws("AmazonDynamoDBFullAccess").estate());
    let open = |action: &str| matrix.iter().any(|right| right.action == action && !right.depends.is_empty());
    assert!(open("iam:CreateAccessKey") && !open("dynamodb:DeleteTable"), "{matrix:?}");
}

/// The estate with these levels of service control policies and these resource control policies.
fn within(mut estate: Estate, levels: &[&[&str]], resource_control: &[&str]) -> Estate {
    use terrane_access::estate::Policy;
    let policy = |text: &&str| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#);
        let document = terrane_iam::Document::parse(&text).unwrap();
        Policy { document: Some(document.into()), ..Policy::unknown("scp.json", None) }
    };
    estate.organization.own = terrane_access::Limits {
        service_control: levels.iter().map(|level| level.iter().map(policy).collect()).collect(),
        resource_control: resource_control.iter().map(policy).collect(),
    };
    estate
}

fn ask(estate: &Estate, who: &str, action: &str, resource: &str) -> Answer {
    let principal = estate.somebody(who);
    estate.ask(&Question { principal: &principal, action, resource, context: &[] }).answer
}

const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

#[test]
fn an_organization_limits_its_account_level_by_level() {
    let open = || Stack { encrypted: false, ..Stack::default() }.estate();
    let items = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}"#;
    let others = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let root = "arn:aws:iam::123456789012:root";
    let free = within(open(), &[&[EVERYTHING], &[items]], &[]);
    assert_eq!(ask(&free, USER, "dynamodb:GetItem", TABLE), Answer::Allowed);
    let bound = within(open(), &[&[EVERYTHING], &[others]], &[]);
    let by_organization = Answer::Denied(Layer::ServiceControlPolicy);
    assert_eq!(ask(&bound, USER, "dynamodb:GetItem", TABLE), by_organization);
    assert_eq!(ask(&bound, root, "dynamodb:GetItem", TABLE), by_organization, "the root user too");
    assert!(reach(&bound).iter().all(|right| !right.action.starts_with("dynamodb:")));
    // Others, and roles that are linked to a service, are not bound.
    let linked = "arn:aws:iam::123456789012:role/aws-service-role/dynamodb.amazonaws.com/AWSServiceRoleForX";
    let answer = ask(&bound, linked, "dynamodb:GetItem", TABLE);
    assert!(matches!(answer, Answer::Depends(_)), "{answer:?}");
    let changes = difference(&free, &bound);
    assert!(
        changes.iter().any(|change| !change.gains && change.principal == "aws_iam_user.u"),
        "{changes:?}"
    );
}

#[test]
fn an_organization_denies_by_resource_for_some_services_only() {
    let denial = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let stack = || Stack { encrypted: false, ..with_policy_of_aws("AdministratorAccess") };
    let bound = within(stack().estate(), &[], &[denial]);
    let denied = ask(&bound, USER, "dynamodb:GetItem", TABLE);
    assert!(matches!(denied, Answer::Denied(Layer::ExplicitDeny { .. })), "{denied:?}");
    assert_eq!(ask(&bound, USER, "iam:GetUser", USER), Answer::Allowed, "IAM has no such policies");
    let elsewhere = "arn:aws:dynamodb:eu-west-3:999999999999:table/T";
    let answer = ask(&bound, USER, "dynamodb:GetItem", elsewhere);
    assert!(matches!(answer, Answer::Depends(_)), "another account's table: {answer:?}");
}

#[test]
fn each_account_has_its_own_limits() {
    let denial = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let stack = || Stack { encrypted: false, ..with_policy_of_aws("AdministratorAccess") }.estate();
    let mut bound = within(stack(), &[], &[denial]);
    let elsewhere = "arn:aws:dynamodb:eu-west-3:999999999999:table/T";
    let other = std::mem::take(&mut bound.organization.own);
    bound.organization.accounts.insert("999999999999".to_owned(), other);
    let denied = ask(&bound, USER, "dynamodb:GetItem", elsewhere);
    assert!(matches!(denied, Answer::Denied(Layer::ExplicitDeny { .. })), "{denied:?}");
    assert_eq!(ask(&bound, USER, "dynamodb:GetItem", TABLE), Answer::Allowed, "not this account's");
    // What is said of the stack's account by its digits counts in place of the rest.
    let mut bound = within(stack(), &[], &[denial]);
    bound.organization.accounts.insert("123456789012".to_owned(), terrane_access::Limits::default());
    assert_eq!(ask(&bound, USER, "dynamodb:GetItem", TABLE), Answer::Allowed);
}

#[test]
fn who_is_of_the_organization_is_known_where_its_id_is() {
    let outsiders = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#;
    let stack = || Stack { encrypted: false, ..with_policy_of_aws("AdministratorAccess") }.estate();
    let mut bound = within(stack(), &[], &[outsiders]);
    let answer = ask(&bound, USER, "dynamodb:GetItem", TABLE);
    assert!(
        matches!(&answer, Answer::Depends(facts) if facts.iter().any(|f| f.contains("aws:PrincipalOrgID"))),
        "{answer:?}"
    );
    bound.organization.id = Some("o-a1b2c3d4e5".to_owned());
    assert_eq!(ask(&bound, USER, "dynamodb:GetItem", TABLE), Answer::Allowed);
    bound.organization.id = Some("o-another".to_owned());
    let denied = ask(&bound, USER, "dynamodb:GetItem", TABLE);
    assert!(matches!(denied, Answer::Denied(Layer::ExplicitDeny { .. })), "{denied:?}");
}

#[test]
fn an_alias_stands_for_its_key() {
    let alias = "arn:aws:kms:eu-west-3:123456789012:alias/db";
    let fields = texts(&[("arn", alias), ("name", "alias/db"), ("target_key_arn", KEY)]);
    let more = vec![("aws_kms_alias.a".to_owned(), "aws_kms_alias", Value::object(fields))];
    let estate = Stack { more, ..Stack::default() }.estate();
    for action in ["kms:Decrypt", "kms:PutKeyPolicy"] {
        assert_eq!(ask(&estate, USER, action, alias), ask(&estate, USER, action, KEY), "{action}");
    }
    let named = estate.arn_of("aws_kms_alias.a").unwrap();
    assert_eq!(ask(&estate, USER, "kms:Decrypt", named), Answer::Denied(Layer::KeyIam));
    // The alias itself is no key, and nobody knows which key a foreign one is.
    assert_eq!(ask(&estate, USER, "kms:UpdateAlias", alias), Answer::Denied(Layer::NoIdentityStatement));
    let foreign = ask(&estate, USER, "kms:Decrypt", "arn:aws:kms:eu-west-3:123456789012:alias/other");
    assert!(matches!(foreign, Answer::Depends(_)), "{foreign:?}");
}

#[test]
fn the_same_name_in_two_accounts_is_two_people() {
    let user = |account: &str| {
        Value::object(texts(&[("arn", &format!("arn:aws:iam::{account}:user/ann")), ("name", "ann")]))
    };
    let (here, there) = (user("123456789012"), user("210987654321"));
    let policy =
        Value::object(vec![("user", Value::from("ann")), ("policy", document(&[EVERYTHING.into()]))]);
    let item = |address, type_name, value, account| Item {
        address,
        type_name,
        value,
        place: None,
        account: Some(account),
    };
    let estate = Estate::new(
        [
            item("aws_iam_user.here", "aws_iam_user", &here, "123456789012"),
            item("aws_iam_user.there", "aws_iam_user", &there, "210987654321"),
            item("aws_iam_user_policy.p", "aws_iam_user_policy", &policy, "210987654321"),
        ],
        Some("123456789012"),
    );
    assert_eq!(
        ask(&estate, "arn:aws:iam::123456789012:user/ann", "iam:GetUser", "*"),
        Answer::Denied(Layer::NoIdentityStatement)
    );
    assert_eq!(ask(&estate, "arn:aws:iam::210987654321:user/ann", "iam:GetUser", "*"), Answer::Allowed);
    let roots = estate.principals.iter().filter(|p| p.arn.ends_with(":root")).count();
    assert_eq!(roots, 2);
}

#[test]
fn a_right_that_stays_on_another_condition_is_a_change() {
    let with = |key: &str| {
        let condition = format!(
            r#"{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{{"Bool":{{"{key}":"true"}}}}}}"#
        );
        Stack { encrypted: false, user: vec![condition], ..Stack::default() }.estate()
    };
    let (strict, loose) = (with("aws:MultiFactorAuthPresent"), with("x:anything"));
    let changes = difference(&strict, &loose);
    let change = changes.iter().find(|change| change.principal == "aws_iam_user.u").unwrap();
    assert!(!change.gains && change.is_of_condition(), "{change:?}");
    assert_eq!(change.depended.as_deref(), Some(&["aws:MultiFactorAuthPresent".to_owned()][..]));
    assert_eq!(change.depends, ["x:anything"]);
    assert_eq!(difference(&strict, &strict), []);
}

#[test]
fn an_open_resource_policy_lets_anybody_in_and_is_told_first() {
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"*"}]}"#;
    let policy = (
        "aws_dynamodb_resource_policy.r".to_owned(),
        "aws_dynamodb_resource_policy",
        Value::object(texts(&[("resource_arn", TABLE), ("policy", open)])),
    );
    let stack = Stack { encrypted: false, more: vec![policy], ..Stack::default() };
    let before = Stack { encrypted: false, ..Stack::default() };
    let changes = difference(&before.estate(), &stack.estate());
    assert_eq!(
        changes.first().map(|c| c.origin),
        Some(terrane_access::estate::Origin::Public),
        "{changes:?}"
    );
}

#[test]
fn assertions_hold_break_and_stay_open() {
    let claim = terrane_access::Claim {
        name: "a".into(),
        description: None,
        principals: vec![USER.into()],
        actions: vec!["dynamodb:*Item".into()],
        resources: vec![TABLE.into()],
        context: vec![],
        allowed: false,
        by: None,
        accept_depends: false,
        unknown: vec![],
    };
    let held = Stack::default().estate().judge(&claim);
    assert_eq!(held.verdict, Verdict::Holds);
    assert!(held.asked >= 5, "{}", held.asked);
    let broken = Stack { encrypted: false, ..Stack::default() }.estate().judge(&claim);
    assert_eq!((broken.verdict, broken.against.len()), (Verdict::Broken, 2));
    let open = terrane_access::Claim { unknown: vec!["a principal".into()], principals: vec![], ..claim };
    assert_eq!(Stack::default().estate().judge(&open).verdict, Verdict::Open);
}

/// Statements of a user's policy, drawn from what matters here.
fn statements() -> impl Strategy<Value = Vec<String>> {
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let action = prop::sample::select(vec!["dynamodb:*", "dynamodb:GetItem", "kms:Decrypt", "kms:*", "*"]);
    let resource = prop::sample::select(vec!["*", TABLE, KEY, "arn:aws:dynamodb:*:*:table/P*"]);
    let condition = prop::sample::select(vec![
        "",
        r#","Condition":{"StringEquals":{"aws:SourceIp":"10.0.0.1"}}"#,
        r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#,
    ]);
    let one = (effect, action, resource, condition).prop_map(|(effect, action, resource, condition)| {
        format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"{condition}}}"#)
    });
    prop::collection::vec(one, 0..4)
}

/// Denied below depends below allowed.
fn level(answer: &Answer) -> u8 {
    match answer {
        Answer::Denied(_) => 0,
        Answer::Depends(_) => 1,
        Answer::Allowed => 2,
    }
}

proptest! {
    #[test]
    fn a_deny_never_gives_and_an_allow_never_takes(user in statements(), at in 0_usize..4) {
        let before = Stack { user: user.clone(), ..Stack::default() };
        let with = |effect: &str| {
            let mut more = user.clone();
            let one = format!(r#"{{"Effect":"{effect}","Action":["dynamodb:GetItem","kms:Decrypt"],"Resource":"*"}}"#);
            more.insert(at.min(more.len()), one);
            Stack { user: more, ..Stack::default() }
        };
        let (deny, allow) = (with("Deny"), with("Allow"));
        for action in ["dynamodb:GetItem", "dynamodb:DescribeTable"] {
            let was = level(&before.answer(action, TABLE).0);
            prop_assert!(level(&deny.answer(action, TABLE).0) <= was);
            prop_assert!(level(&allow.answer(action, TABLE).0) >= was);
        }
    }

    #[test]
    fn the_order_of_statements_does_not_matter(user in statements()) {
        let one = Stack { user: user.clone(), ..Stack::default() };
        let other = Stack { user: user.into_iter().rev().collect(), ..Stack::default() };
        for action in ["dynamodb:GetItem", "dynamodb:PutItem"] {
            prop_assert_eq!(level(&one.answer(action, TABLE).0), level(&other.answer(action, TABLE).0));
        }
    }

    /// What is found by everything that somebody can do is what is answered one by one.
    #[test]
    fn all_rights_are_those_of_single_questions(user in statements(), surroundings in 0_usize..4) {
        let stack = match surroundings {
            1 => Stack { user, ..with_policy_of_aws("AmazonDynamoDBFullAccess") },
            2 => Stack { user, ..with_policy_of_aws("ViewOnlyAccess") },
            _ => Stack { user, ..Stack::default() },
        };
        let items = r#"{"Effect":"Allow","Action":["dynamodb:*","kms:De*"],"Resource":"*"}"#;
        let writes = r#"{"Effect":"Deny","Principal":"*","Action":"dynamodb:Put*","Resource":"*"}"#;
        let estate = match surroundings {
            3 => within(stack.estate(), &[&[EVERYTHING], &[items]], &[writes]),
            _ => stack.estate(),
        };
        let rights = reach(&estate);
        for (number, principal) in estate.principals.iter().enumerate() {
            if principal.origin != terrane_access::estate::Origin::Managed {
                continue;
            }
            for (arn, actions) in reach::resources(&estate) {
                for action in actions {
                    let question = Question { principal, action: &action, resource: &arn, context: &[] };
                    let expected = level(&estate.ask(&question).answer);
                    let found = rights.iter().find(|r| r.principal == number && r.resource == arn && r.action == action);
                    let found = found.map_or(0, |right| if right.depends.is_empty() { 2 } else { 1 });
                    prop_assert_eq!(found, expected, "{} on {}", action, arn);
                }
            }
        }
    }

    /// An answer given while a policy is not known is never contradicted when it is.
    #[test]
    fn what_becomes_known_contradicts_nothing(user in statements()) {
        let known = Stack { user, ..Stack::default() };
        let mut estate = known.estate();
        for principal in &mut estate.principals {
            for policy in &mut principal.identity {
                policy.document = None;
            }
        }
        let principal = estate.somebody(USER);
        for action in ["dynamodb:GetItem", "dynamodb:DeleteItem"] {
            let open = estate.ask(&Question { principal: &principal, action, resource: TABLE, context: &[] }).answer;
            if let Answer::Depends(_) = open {
                continue;
            }
            prop_assert_eq!(level(&open), level(&known.answer(action, TABLE).0));
        }
    }
}

#[test]
fn what_is_not_known_leaves_the_answer_open() {
    let open = || Value::unknown(Type::String);
    let set = || Value::unknown(Type::set(Type::String));
    let cases: Vec<(&'static str, Value)> = vec![
        (
            "aws_kms_grant",
            Value::object([
                ("key_id", Value::from(KEY)),
                ("grantee_principal", Value::from(USER)),
                ("operations", set()),
            ]),
        ),
        (
            "aws_kms_grant",
            Value::object([
                ("key_id", open()),
                ("grantee_principal", Value::from(USER)),
                ("operations", Value::set(Type::String, [Value::from("Decrypt")])),
            ]),
        ),
        ("aws_kms_key_policy", Value::object([("key_id", open()), ("policy", document(&[ROOT.into()]))])),
        ("aws_iam_user_policy", Value::object([("user", open()), ("policy", document(&[TABLES.into()]))])),
        ("aws_iam_user_policy", Value::object([("user", Value::from("reader")), ("policy", open())])),
        ("aws_iam_group_membership", Value::object([("group", Value::from("g")), ("users", set())])),
        (
            "aws_iam_user_group_membership",
            Value::object([("user", Value::from("reader")), ("groups", set())]),
        ),
    ];
    for (type_name, value) in cases {
        let more = vec![("x".to_owned(), type_name, value.clone())];
        let stack = Stack { more, ..Stack::default() };
        let answer = stack.answer("dynamodb:GetItem", TABLE).0;
        assert!(matches!(answer, Answer::Depends(_)), "{type_name} {value:?}: {answer:?}");
    }
    let policy = Value::object([("resource_arn", open()), ("policy", document(&[TABLES.into()]))]);
    let more = vec![("x".to_owned(), "aws_dynamodb_resource_policy", policy)];
    let stack = Stack { encrypted: false, more, ..Stack::default() };
    assert!(matches!(stack.answer("dynamodb:DeleteItem", TABLE).0, Answer::Depends(_)));
}

#[test]
fn patterns_stand_for_known_actions_of_the_resource() {
    use terrane_access::claim::expanded;
    assert!(expanded("dynamodb:*", TABLE).contains(&"dynamodb:ExportTableToPointInTime".to_owned()));
    assert!(expanded("kms:ReEncrypt*", KEY).len() == 2 && expanded("kms:*", TABLE).is_empty());
    assert!(expanded("iam:*", USER).contains(&"iam:CreateAccessKey".to_owned()));
    assert_eq!(expanded("dynamdb:GetItem", TABLE), ["dynamdb:GetItem"]);
}

#[test]
fn a_key_that_nobody_could_manage_is_found() {
    use terrane_access::lockout::unmanageable;
    assert!(unmanageable(&Stack::default().estate()).is_empty());
    let use_only = statement(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/reader"},"Action":"kms:Decrypt","Resource":"*"}"#,
    );
    let closed = Stack { key: vec![use_only.clone()], ..Stack::default() };
    assert_eq!(unmanageable(&closed.estate()).len(), 1);
    let admin = use_only.replace("kms:Decrypt", "kms:PutKeyPolicy");
    assert!(unmanageable(&Stack { key: vec![use_only, admin], ..Stack::default() }.estate()).is_empty());
}

#[test]
fn a_plan_that_shuts_its_caller_out_is_found() {
    use terrane_access::lockout::shut_out;
    let of = |statements: &[&str]| {
        let key = statements.iter().map(|text| (*text).to_owned()).collect();
        Stack { key, ..Stack::default() }.estate()
    };
    let session = "arn:aws:sts::123456789012:assumed-role/deploy/ci";
    let admin = |who: &str, actions: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":{actions},"Resource":"*"}}"#)
    };
    let all = r#"["kms:PutKeyPolicy","kms:ScheduleKeyDeletion"]"#;
    let role = admin("arn:aws:iam::123456789012:role/deploy", all);
    let by_session = admin(session, all);
    let other = admin("arn:aws:iam::123456789012:role/admin", all);
    let found = |before: &[&str], after: &[&str]| -> Vec<Vec<&'static str>> {
        let (before, after) = (of(before), of(after));
        shut_out(&before, &after, session, &|_| true).into_iter().map(|(_, lost)| lost).collect()
    };
    let both = vec![vec!["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]];
    assert_eq!(found(&[ROOT, &role], &[&other]), both, "the role and root are gone");
    assert_eq!(found(&[&by_session], &[&other]), both, "the session is gone");
    // Whose own policies are not known may have had the right by them.
    assert_eq!(found(&[ROOT], &[&other]), both);
    assert_eq!(found(&[ROOT], &[ROOT, &other]), Vec::<Vec<&str>>::new(), "IAM policies still decide");
    assert_eq!(found(&[&role], &[&by_session]), Vec::<Vec<&str>>::new());
    let only_policy = admin(session, r#""kms:PutKeyPolicy""#);
    assert_eq!(found(&[&role], &[&only_policy]), [["kms:ScheduleKeyDeletion"]]);
    assert_eq!(
        found(&[&other], &[&other, ROOT]),
        Vec::<Vec<&str>>::new(),
        "who could not before loses nothing"
    );
    let (before, after) = (of(&[&role]), of(&[&other]));
    assert!(shut_out(&before, &after, session, &|_| false).is_empty(), "a key that the plan leaves alone");
}
