//! Decisions on KMS keys: key policy, IAM policies behind the account-root statement, grants.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use terrane_iam::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234";
const ROOT: &str = r#"{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}"#;
const ANN: &str = "arn:aws:iam::111111111111:user/ann";

fn statements(text: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)).expect(text)
}

fn ann() -> Caller {
    Caller::User { arn: ANN.into(), user_id: Some("AIDAANN".into()) }
}

fn stranger() -> Caller {
    Caller::User { arn: "arn:aws:iam::222222222222:user/bob".into(), user_id: Some("AIDABOB".into()) }
}

struct Case<'a> {
    caller: Caller,
    key_policy: &'a str,
    identity: &'a str,
    grants: &'a [Grant],
    context: Context,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Case { caller: ann(), key_policy: "", identity: "", grants: &[], context: Context::complete() }
    }
}

impl Case<'_> {
    fn decide(&self) -> Decision {
        let (key_policy, identity) = (statements(self.key_policy), statements(self.identity));
        let sources =
            PolicySources { identity: vec![NamedPolicy::new("own", &identity)], ..PolicySources::default() };
        let request = Request {
            caller: &self.caller,
            action: "kms:Decrypt",
            resource: KEY,
            context: self.context.clone(),
        };
        let key =
            KeyAuthority { key_arn: KEY, key_policy: Some(&key_policy), grants: self.grants, tags: None };
        let decision = decide_key(&request, &sources, &key);
        assert_eq!(decision.answer, answer_key(&request, &sources, &key), "both ways of asking agree");
        decision
    }

    fn answer(&self) -> Answer {
        self.decide().answer
    }
}

const IAM_ALLOWS: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;

fn naming(principal: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"kms:Decrypt","Resource":"*"}}"#)
}

#[test]
fn the_root_statement_leaves_it_to_iam() {
    let silent = Case { key_policy: ROOT, ..Case::default() };
    assert_eq!(silent.answer(), Answer::Denied(Layer::KeyIam));
    let chain = silent.decide().chain;
    assert_eq!(chain.last().map(|reason| reason.outcome.clone()), Some(Outcome::HandsOverToIam));
    assert_eq!(Case { key_policy: ROOT, identity: IAM_ALLOWS, ..Case::default() }.answer(), Answer::Allowed);
}

#[test]
fn without_the_root_statement_iam_counts_for_nothing() {
    let case = Case { identity: IAM_ALLOWS, ..Case::default() };
    assert_eq!(case.answer(), Answer::Denied(Layer::KeyPolicy));
    assert_eq!(
        case.decide().message(),
        Some(format!(
            "User: {ANN} is not authorized to perform: kms:Decrypt on resource: {KEY} because no resource-based policy allows the kms:Decrypt action"
        ))
    );
}

#[test]
fn the_root_statement_opens_only_what_it_names() {
    let narrow = ROOT.replace("kms:*", "kms:Describe*");
    assert_eq!(
        Case { key_policy: &narrow, identity: IAM_ALLOWS, ..Case::default() }.answer(),
        Answer::Denied(Layer::KeyPolicy)
    );
    let conditional = ROOT.replace(
        r#""Resource":"*""#,
        r#""Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"x"}}"#,
    );
    let case = |context| {
        Case { key_policy: &conditional, identity: IAM_ALLOWS, context, ..Case::default() }.answer()
    };
    assert_eq!(case(Context::complete()), Answer::Denied(Layer::KeyPolicy));
    assert_eq!(case(Context::complete().with("kms:ViaService", "x")), Answer::Allowed);
    assert_eq!(case(Context::partial()), Answer::Depends(vec!["kms:ViaService".into()]));
}

#[test]
fn a_named_user_needs_no_iam_policy() {
    let named = naming(&format!(r#"{{"AWS":"{ANN}"}}"#));
    assert_eq!(Case { key_policy: &named, ..Case::default() }.answer(), Answer::Allowed);
    let elsewhere =
        named.replace(r#""Resource":"*""#, r#""Resource":"arn:aws:kms:eu-west-1:111111111111:key/9""#);
    assert_eq!(Case { key_policy: &elsewhere, ..Case::default() }.answer(), Answer::Denied(Layer::KeyPolicy));
    let without_resource = named.replace(r#","Resource":"*""#, "");
    assert_eq!(
        Case { key_policy: &without_resource, ..Case::default() }.answer(),
        Answer::Denied(Layer::KeyPolicy),
        "a key policy's statement without a resource has no effect"
    );
}

#[test]
fn a_denial_on_either_side_wins() {
    let both = format!("{ROOT},{}", naming(&format!(r#"{{"AWS":"{ANN}"}}"#)));
    let deny = r#"{"Effect":"Deny","Action":"kms:*","Resource":"*"}"#;
    let answer = Case { key_policy: &both, identity: deny, ..Case::default() }.answer();
    assert_eq!(
        answer,
        Answer::Denied(Layer::ExplicitDeny { kind: PolicyKind::Identity, policy: "own".into() })
    );
    let denied_by_key = format!(
        r#"{both},{{"Effect":"Deny","Principal":{{"AWS":"111111111111"}},"Action":"kms:Decrypt","Resource":"*"}}"#
    );
    let answer = Case { key_policy: &denied_by_key, identity: IAM_ALLOWS, ..Case::default() }.answer();
    assert_eq!(answer, Answer::Denied(Layer::ExplicitDeny { kind: PolicyKind::Key, policy: KEY.into() }));
}

#[test]
fn the_root_user_is_let_in_by_the_root_statement_alone() {
    let root = || Caller::Root { account: "111111111111".into(), partition: "aws".into() };
    assert_eq!(Case { caller: root(), key_policy: ROOT, ..Case::default() }.answer(), Answer::Allowed);
    assert_eq!(
        Case { caller: root(), key_policy: &naming(&format!(r#"{{"AWS":"{ANN}"}}"#)), ..Case::default() }
            .answer(),
        Answer::Denied(Layer::KeyPolicy)
    );
}

#[test]
fn another_account_needs_both_sides() {
    let opened = naming(r#"{"AWS":"arn:aws:iam::222222222222:root"}"#);
    let by_name = naming(r#"{"AWS":"arn:aws:iam::222222222222:user/bob"}"#);
    for key_policy in [&opened, &by_name] {
        let case = |identity| Case { caller: stranger(), key_policy, identity, ..Case::default() }.answer();
        assert_eq!(case(IAM_ALLOWS), Answer::Allowed);
        assert_eq!(case(""), Answer::Denied(Layer::KeyIam));
    }
    assert_eq!(
        Case { caller: stranger(), key_policy: ROOT, identity: IAM_ALLOWS, ..Case::default() }.answer(),
        Answer::Denied(Layer::KeyPolicy)
    );
}

#[test]
fn the_account_of_the_caller_is_known_to_conditions() {
    let by_account = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*",
        "Condition":{"StringEquals":{"kms:CallerAccount":"111111111111"}}}"#;
    assert_eq!(Case { key_policy: by_account, ..Case::default() }.answer(), Answer::Allowed);
    let stranger =
        Case { caller: stranger(), key_policy: by_account, identity: IAM_ALLOWS, ..Case::default() };
    assert_eq!(stranger.answer(), Answer::Denied(Layer::KeyPolicy));
}

fn grant(grantee: &str, operations: &[&str], constraint: Option<GrantConstraint>) -> [Grant; 1] {
    let operations = operations.iter().map(ToString::to_string).collect();
    [Grant { id: "g1".into(), grantee: grantee.into(), operations, constraint }]
}

#[test]
fn a_grant_allows_its_grantee_its_operations() {
    let case =
        |grants: &[Grant], caller| Case { caller, key_policy: ROOT, grants, ..Case::default() }.answer();
    assert_eq!(case(&grant(ANN, &["Decrypt"], None), ann()), Answer::Allowed);
    assert_eq!(case(&grant(ANN, &["Encrypt"], None), ann()), Answer::Denied(Layer::KeyIam));
    assert_eq!(case(&grant(ANN, &["Decrypt"], None), stranger()), Answer::Denied(Layer::KeyPolicy));
    assert_eq!(
        case(&grant("arn:aws:iam::222222222222:user/bob", &["Decrypt"], None), stranger()),
        Answer::Allowed,
        "a grant that names a user of another account needs no IAM policy there"
    );
    assert_eq!(
        case(&grant("arn:aws:iam::222222222222:root", &["Decrypt"], None), stranger()),
        Answer::Denied(Layer::KeyIam)
    );
    let service = Caller::Service { name: "dynamodb.eu-west-1.amazonaws.com".into() };
    assert_eq!(
        case(&grant("dynamodb.eu-west-1.amazonaws.com", &["Decrypt"], None), service),
        Answer::Allowed
    );
}

#[test]
fn a_grants_constraint_looks_at_the_encryption_context() {
    let pairs = || vec![("Team".to_owned(), "red".to_owned())];
    let case = |constraint, context| {
        Case { grants: &grant(ANN, &["Decrypt"], Some(constraint)), context, ..Case::default() }.answer()
    };
    let red = || Context::complete().with("kms:EncryptionContext:Team", "red");
    let more = || red().with("kms:EncryptionContext:Other", "x");
    let no = Answer::Denied(Layer::KeyPolicy);
    assert_eq!(case(GrantConstraint::Equals(pairs()), red()), Answer::Allowed);
    assert_eq!(case(GrantConstraint::Equals(pairs()), more()), no);
    assert_eq!(case(GrantConstraint::Subset(pairs()), more()), Answer::Allowed);
    assert_eq!(case(GrantConstraint::Subset(pairs()), Context::complete()), no);
    assert_eq!(
        case(GrantConstraint::Subset(pairs()), Context::complete().with("kms:EncryptionContext:team", "red")),
        no,
        "names of an encryption context are compared with regard to case"
    );
    assert!(matches!(case(GrantConstraint::Subset(pairs()), Context::partial()), Answer::Depends(_)));
}
