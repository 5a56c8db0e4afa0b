//! KMS: policies that hold, aliases, grants, rotation, deletion, and real encryption.

use std::time::Duration;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    GrantConstraints, GrantOperation, KeySpec, KeyState, KeyUsageType, MacAlgorithmSpec, Tag,
};
use serde_json::json;

use crate::aws::{ACCOUNT, ADMIN, Aws, REGION, refused, sandbox, sandbox_with, statement};

const DAY: Duration = Duration::from_secs(86_400);

async fn key(aws: &Aws) -> String {
    aws.kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}

fn policy(principal: serde_json::Value, action: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*" }],
    })
    .to_string()
}

#[tokio::test]
async fn policies_that_kms_would_refuse_are_refused() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    for (text, words) in [
        ("{".to_owned(), "Syntax errors"),
        (json!({ "Statement": [] }).to_string(), "required field Statement"),
        (statement("Allow", "kms:*", "*"), "required field Principal"),
        (
            policy(json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:user/ghost") }), "kms:*"),
            "invalid principals",
        ),
        (policy(json!({ "AWS": "AIDAGHOST" }), "kms:*"), "invalid principals"),
        (policy(json!({ "AWS": "everybody" }), "kms:*"), "invalid principals"),
        (policy(json!({ "AWS": [ADMIN] }), "kms:DescribeKey"), "will not allow you to update the key policy"),
    ] {
        let (code, message) = refused(admin.kms.create_key().policy(&text).send().await);
        assert_eq!(code, "MalformedPolicyDocumentException", "{text}");
        assert!(message.contains(words), "{text}: {message}");
    }
    let narrow = policy(json!({ "AWS": ADMIN }), "kms:DescribeKey");
    admin.kms.create_key().policy(narrow).bypass_policy_lockout_safety_check(true).send().await.unwrap();
    let good =
        policy(json!({ "AWS": [root, ADMIN, "210987654321"], "Service": "lambda.amazonaws.com" }), "kms:*");
    let made = admin.kms.create_key().policy(&good).send().await.unwrap().key_metadata.unwrap();
    let shown = admin.kms.get_key_policy().key_id(made.key_id).send().await.unwrap().policy.unwrap();
    assert_eq!(shown, good);
}

#[tokio::test]
async fn a_deleted_user_becomes_its_unique_id_in_the_policy_and_its_namesake_gains_nothing() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    let text = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": ADMIN }, "Action": "kms:*", "Resource": "*" },
            { "Effect": "Allow", "Principal": { "AWS": [format!("arn:aws:iam::{ACCOUNT}:user/ann")] }, "Action": "kms:DescribeKey", "Resource": "*" },
        ],
    });
    let made = admin.kms.create_key().policy(text.to_string()).send().await.unwrap().key_metadata.unwrap();
    user.kms.describe_key().key_id(&made.key_id).send().await.unwrap();
    for access in admin.iam.list_access_keys().user_name("ann").send().await.unwrap().access_key_metadata {
        let id = access.access_key_id.unwrap();
        admin.iam.delete_access_key().user_name("ann").access_key_id(id).send().await.unwrap();
    }
    let id = admin.iam.get_user().user_name("ann").send().await.unwrap().user.unwrap().user_id;
    admin.iam.delete_user().user_name("ann").send().await.unwrap();
    let again = admin.new_user(&sandbox, "ann").await;
    let shown = admin.kms.get_key_policy().key_id(&made.key_id).send().await.unwrap().policy.unwrap();
    assert_eq!(shown, text.to_string().replace(&format!("arn:aws:iam::{ACCOUNT}:user/ann"), &id));
    assert_eq!(
        refused(again.kms.describe_key().key_id(&made.key_id).send().await).0,
        "AccessDeniedException"
    );
    // A renamed user stays the same user.
    admin.iam.create_user().user_name("eve").send().await.unwrap();
    let text = policy(json!({ "AWS": [ADMIN, format!("arn:aws:iam::{ACCOUNT}:user/eve")] }), "kms:*");
    admin.kms.put_key_policy().key_id(&made.key_id).policy(text).send().await.unwrap();
    admin.iam.update_user().user_name("eve").new_user_name("evelyn").send().await.unwrap();
    let shown = admin.kms.get_key_policy().key_id(&made.key_id).send().await.unwrap().policy.unwrap();
    assert!(shown.contains("user/evelyn"), "{shown}");
}

#[tokio::test]
async fn a_new_principal_is_unknown_to_kms_for_a_while_if_that_is_asked_for() {
    let sandbox = sandbox_with(|options| options.consistency_delay = Duration::from_secs(10));
    let admin = Aws::admin(&sandbox);
    admin.iam.create_user().user_name("ann").send().await.unwrap();
    let text = policy(json!({ "AWS": [ADMIN, format!("arn:aws:iam::{ACCOUNT}:user/ann")] }), "kms:*");
    let early = admin.kms.create_key().policy(&text).send().await;
    assert_eq!(refused(early).0, "MalformedPolicyDocumentException");
    sandbox.advance_clock(Duration::from_secs(10)).unwrap();
    admin.kms.create_key().policy(&text).send().await.unwrap();
}

#[tokio::test]
async fn keys_are_found_by_id_arn_alias_and_alias_arn() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let arn = key(&admin).await;
    let id = arn.rsplit('/').next().unwrap();
    admin.kms.create_alias().alias_name("alias/a/b").target_key_id(id).send().await.unwrap();
    let alias_arn = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/a/b");
    for name in [id, &arn, "alias/a/b", &alias_arn] {
        let found = admin.kms.describe_key().key_id(name).send().await.unwrap().key_metadata.unwrap();
        assert_eq!(found.arn.as_deref(), Some(arn.as_str()), "{name}");
    }
    for (name, words) in [
        ("alias/nothing", "Alias arn:aws:kms:eu-west-3:123456789012:alias/nothing is not found."),
        (
            "12345678-1234-1234-1234-123456789012",
            "Key 'arn:aws:kms:eu-west-3:123456789012:key/12345678-1234-1234-1234-123456789012' does not exist",
        ),
        ("nonsense", "Invalid keyId nonsense"),
        ("arn:aws:kms:us-east-1:123456789012:key/x", "Invalid arn us-east-1"),
    ] {
        let refusal = refused(admin.kms.describe_key().key_id(name).send().await);
        assert_eq!(refusal, ("NotFoundException".to_owned(), words.to_owned()));
    }
    assert_eq!(refused(admin.kms.disable_key().key_id("alias/a/b").send().await).0, "NotFoundException");
}

#[tokio::test]
async fn aliases_are_checked_moved_and_listed() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let (one, two) = (key(&admin).await, key(&admin).await);
    let create = |name: &str| admin.kms.create_alias().alias_name(name).target_key_id(&one).send();
    create("alias/x").await.unwrap();
    assert_eq!(refused(create("alias/x").await).0, "AlreadyExistsException");
    assert_eq!(refused(create("alias/aws/mine").await).0, "NotAuthorizedException");
    for bad in ["x", "alias/", "alias/a b", "alias/a:b"] {
        assert_eq!(refused(create(bad).await).0, "ValidationException", "{bad}");
    }
    admin.kms.update_alias().alias_name("alias/x").target_key_id(&two).send().await.unwrap();
    let of_two = admin.kms.list_aliases().key_id(&two).send().await.unwrap().aliases.unwrap();
    assert_eq!(of_two[0].target_key_id.as_deref(), two.rsplit('/').next());
    assert!(admin.kms.list_aliases().key_id(&one).send().await.unwrap().aliases.unwrap().is_empty());
    let hmac = admin.kms.create_key().key_spec(KeySpec::Hmac256).key_usage(KeyUsageType::GenerateVerifyMac);
    let hmac = hmac.send().await.unwrap().key_metadata.unwrap().key_id;
    let other_kind = admin.kms.update_alias().alias_name("alias/x").target_key_id(hmac).send().await;
    assert_eq!(refused(other_kind).0, "ValidationException");
    admin.kms.delete_alias().alias_name("alias/x").send().await.unwrap();
    assert_eq!(refused(admin.kms.delete_alias().alias_name("alias/x").send().await).0, "NotFoundException");
    for number in 0..7 {
        create(&format!("alias/n{number}")).await.unwrap();
    }
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let page = admin.kms.list_aliases().limit(3).set_marker(marker).send().await.unwrap();
        names.extend(page.aliases.unwrap().into_iter().map(|alias| alias.alias_name.unwrap()));
        if !page.truncated {
            break;
        }
        marker = page.next_marker;
    }
    assert_eq!(names, (0..7).map(|number| format!("alias/n{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn rotation_has_bounds_and_dates_and_happens() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let key = key(&admin).await;
    let status = || admin.kms.get_key_rotation_status().key_id(&key).send();
    assert!(!status().await.unwrap().key_rotation_enabled);
    for days in [89, 2561] {
        let call = admin.kms.enable_key_rotation().key_id(&key).rotation_period_in_days(days);
        assert_eq!(refused(call.send().await).0, "ValidationException");
    }
    admin.kms.enable_key_rotation().key_id(&key).rotation_period_in_days(90).send().await.unwrap();
    let before = status().await.unwrap();
    assert_eq!(before.rotation_period_in_days, Some(90));
    let sealed = admin.kms.encrypt().key_id(&key).plaintext(Blob::new("old")).send().await.unwrap();
    sandbox.advance_clock(91 * DAY).unwrap();
    let after = status().await.unwrap();
    assert_eq!(
        after.next_rotation_date.unwrap().secs() - before.next_rotation_date.unwrap().secs(),
        90 * 86_400
    );
    admin.kms.rotate_key_on_demand().key_id(&key).send().await.unwrap();
    let rotations = admin.kms.list_key_rotations().key_id(&key).send().await.unwrap().rotations.unwrap();
    let kinds: Vec<_> =
        rotations.iter().map(|one| one.rotation_type.clone().unwrap().as_str().to_owned()).collect();
    assert_eq!(kinds, ["AUTOMATIC", "ON_DEMAND"]);
    let opened = admin.kms.decrypt().ciphertext_blob(sealed.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref(), b"old");
    admin.kms.disable_key_rotation().key_id(&key).send().await.unwrap();
    assert!(!status().await.unwrap().key_rotation_enabled);
}

#[tokio::test]
async fn a_key_waits_for_its_deletion_and_is_gone_when_the_day_has_come() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let key = key(&admin).await;
    admin.kms.create_alias().alias_name("alias/x").target_key_id(&key).send().await.unwrap();
    let schedule =
        |days: i32| admin.kms.schedule_key_deletion().key_id(&key).pending_window_in_days(days).send();
    assert_eq!(refused(schedule(6).await).0, "ValidationException");
    let scheduled = schedule(7).await.unwrap();
    assert_eq!(scheduled.key_state, Some(KeyState::PendingDeletion));
    let (code, message) = refused(schedule(7).await);
    assert_eq!(code, "KMSInvalidStateException");
    assert!(message.ends_with("is pending deletion."), "{message}");
    assert_eq!(refused(admin.kms.enable_key().key_id(&key).send().await).0, "KMSInvalidStateException");

    admin.kms.cancel_key_deletion().key_id(&key).send().await.unwrap();
    let metadata = admin.kms.describe_key().key_id(&key).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(metadata.key_state, Some(KeyState::Disabled));
    assert_eq!(metadata.deletion_date, None);

    let scheduled = schedule(7).await.unwrap();
    sandbox.advance_clock(7 * DAY - Duration::from_secs(1)).unwrap();
    let metadata = admin.kms.describe_key().key_id(&key).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(metadata.deletion_date, scheduled.deletion_date);
    sandbox.advance_clock(Duration::from_secs(1)).unwrap();
    assert_eq!(refused(admin.kms.describe_key().key_id(&key).send().await).0, "NotFoundException");
    assert!(admin.kms.list_keys().send().await.unwrap().keys.unwrap().is_empty());
    assert!(admin.kms.list_aliases().send().await.unwrap().aliases.unwrap().is_empty());
}

#[tokio::test]
async fn a_disabled_key_does_nothing_but_keeps_its_settings() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let key = key(&admin).await;
    admin.kms.disable_key().key_id(&key).send().await.unwrap();
    let encrypt = admin.kms.encrypt().key_id(&key).plaintext(Blob::new("x")).send().await;
    let (code, message) = refused(encrypt);
    assert_eq!((code.as_str(), message), ("DisabledException", format!("{key} is disabled.")));
    assert_eq!(refused(admin.kms.enable_key_rotation().key_id(&key).send().await).0, "DisabledException");
    admin.kms.update_key_description().key_id(&key).description("d").send().await.unwrap();
    admin.kms.tag_resource().key_id(&key).tags(tag("a", "1")).send().await.unwrap();
    let metadata = admin.kms.describe_key().key_id(&key).send().await.unwrap().key_metadata.unwrap();
    assert_eq!((metadata.description.as_deref(), metadata.enabled), (Some("d"), false));
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().tag_key(key).tag_value(value).build().unwrap()
}

#[tokio::test]
async fn tags_are_set_changed_and_checked() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let made = admin.kms.create_key().tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    let key = made.key_metadata.unwrap().key_id;
    admin.kms.tag_resource().key_id(&key).tags(tag("b", "3")).tags(tag("c", "")).send().await.unwrap();
    admin.kms.untag_resource().key_id(&key).tag_keys("a").send().await.unwrap();
    let tags = admin.kms.list_resource_tags().key_id(&key).send().await.unwrap().tags.unwrap();
    assert_eq!(tags, [tag("b", "3"), tag("c", "")]);
    for bad in [tag("aws:x", "1"), tag("a<", "1")] {
        let call = admin.kms.tag_resource().key_id(&key).tags(bad);
        assert_eq!(refused(call.send().await).0, "TagException");
    }
}

#[tokio::test]
async fn encryption_is_real_and_bound_to_key_and_context() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let (one, two) = (key(&admin).await, key(&admin).await);
    let seal = admin.kms.encrypt().key_id(&one).plaintext(Blob::new("text")).encryption_context("a", "1");
    let sealed = seal.send().await.unwrap().ciphertext_blob.unwrap();
    let open = || admin.kms.decrypt().ciphertext_blob(sealed.clone());
    let opened = open().encryption_context("a", "1").send().await.unwrap();
    assert_eq!(
        (opened.plaintext.unwrap().as_ref(), opened.key_id.as_deref()),
        (&b"text"[..], Some(one.as_str()))
    );
    assert_eq!(refused(open().send().await).0, "InvalidCiphertextException");
    assert_eq!(refused(open().encryption_context("a", "2").send().await).0, "InvalidCiphertextException");
    let other = open().encryption_context("a", "1").key_id(&two).send().await;
    assert_eq!(refused(other).0, "IncorrectKeyException");
    let mut torn = sealed.clone().into_inner();
    *torn.last_mut().unwrap() ^= 1;
    for bad in [torn, vec![1, 200, 3], vec![9], b"nonsense".to_vec()] {
        let call = admin.kms.decrypt().ciphertext_blob(Blob::new(bad)).encryption_context("a", "1");
        assert_eq!(refused(call.send().await).0, "InvalidCiphertextException");
    }
    let moved = admin.kms.re_encrypt().ciphertext_blob(sealed).source_encryption_context("a", "1");
    let moved = moved.destination_key_id(&two).send().await.unwrap().ciphertext_blob.unwrap();
    let opened = admin.kms.decrypt().ciphertext_blob(moved).send().await.unwrap();
    assert_eq!((opened.plaintext.unwrap().as_ref(), opened.key_id), (&b"text"[..], Some(two.clone())));
    let data_key = admin.kms.generate_data_key().key_id(&two).number_of_bytes(24).send().await.unwrap();
    let opened = admin.kms.decrypt().ciphertext_blob(data_key.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(opened.plaintext, data_key.plaintext);
    assert_eq!(opened.plaintext.unwrap().into_inner().len(), 24);
    let long = admin.kms.encrypt().key_id(&one).plaintext(Blob::new(vec![0; 4097])).send().await;
    assert_eq!(refused(long).0, "ValidationException");
}

#[tokio::test]
async fn macs_are_made_and_verified() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let made = admin.kms.create_key().key_spec(KeySpec::Hmac384).key_usage(KeyUsageType::GenerateVerifyMac);
    let key = made.send().await.unwrap().key_metadata.unwrap().key_id;
    let make = admin.kms.generate_mac().key_id(&key).message(Blob::new("m"));
    let mac = make.mac_algorithm(MacAlgorithmSpec::HmacSha384).send().await.unwrap().mac.unwrap();
    let verify = |message: &str| {
        let call = admin.kms.verify_mac().key_id(&key).message(Blob::new(message)).mac(mac.clone());
        call.mac_algorithm(MacAlgorithmSpec::HmacSha384).send()
    };
    assert!(verify("m").await.unwrap().mac_valid);
    assert_eq!(refused(verify("n").await).0, "KMSInvalidMacException");
    let encrypt = admin.kms.encrypt().key_id(&key).plaintext(Blob::new("x")).send().await;
    assert_eq!(refused(encrypt).0, "InvalidKeyUsageException");
}

#[tokio::test]
async fn grants_count_within_their_constraints_until_they_are_revoked() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    let key = key(&admin).await;
    let sealed = admin.kms.encrypt().key_id(&key).plaintext(Blob::new("x")).encryption_context("dep", "it");
    let sealed = sealed.send().await.unwrap().ciphertext_blob.unwrap();
    let open = |context: &str| {
        user.kms.decrypt().ciphertext_blob(sealed.clone()).encryption_context("dep", context).send()
    };
    assert_eq!(refused(open("it").await).0, "AccessDeniedException");
    let constraint = GrantConstraints::builder().encryption_context_subset("dep", "it").build();
    let grantee = format!("arn:aws:iam::{ACCOUNT}:user/ann");
    let grant = || {
        let call = admin.kms.create_grant().key_id(&key).name("g").grantee_principal(&grantee);
        call.operations(GrantOperation::Decrypt).constraints(constraint.clone()).send()
    };
    let made = grant().await.unwrap();
    assert_eq!(grant().await.unwrap().grant_id, made.grant_id);
    open("it").await.unwrap();
    assert_eq!(refused(open("hr").await).0, "AccessDeniedException");
    let listed = admin.kms.list_grants().key_id(&key).send().await.unwrap().grants.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key_id.as_deref(), Some(key.as_str()));
    assert_eq!(listed[0].grantee_principal.as_deref(), Some(grantee.as_str()));
    admin.kms.revoke_grant().key_id(&key).grant_id(made.grant_id.unwrap()).send().await.unwrap();
    assert_eq!(refused(open("it").await).0, "AccessDeniedException");
    let ghost =
        admin.kms.create_grant().key_id(&key).grantee_principal(format!("arn:aws:iam::{ACCOUNT}:user/ghost"));
    assert_eq!(refused(ghost.operations(GrantOperation::Decrypt).send().await).0, "InvalidArnException");
}

#[tokio::test]
async fn identity_policies_govern_what_is_on_no_key() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    assert_eq!(refused(user.kms.create_key().send().await).0, "AccessDeniedException");
    admin.allow("ann", "p", "kms:CreateKey", "*").await;
    let made = user.kms.create_key().send().await.unwrap().key_metadata.unwrap();
    // The default policy leaves everything to IAM, which allows this user nothing more.
    let (code, message) = refused(user.kms.describe_key().key_id(&made.key_id).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("no identity-based policy allows the kms:DescribeKey action"), "{message}");
}
