//! Calls that go wrong on purpose.

use std::time::{Duration, Instant};

use aws_sdk_iam::error::SdkError;
use terrane_sandbox::Faults;

use crate::aws::{Aws, refused, sandbox_with};

#[tokio::test]
async fn throttling_is_told_in_each_services_code_and_does_nothing() {
    let sandbox = sandbox_with(|options| options.faults = Faults { throttled: 1.0, ..Faults::default() });
    let admin = Aws::admin(&sandbox);
    assert_eq!(refused(admin.iam.create_user().user_name("u").send().await).0, "Throttling");
    assert_eq!(refused(admin.kms.create_key().send().await).0, "ThrottlingException");
    assert_eq!(refused(admin.dynamodb.list_tables().send().await).0, "ThrottlingException");
}

#[tokio::test]
async fn failures_are_500s() {
    let sandbox = sandbox_with(|options| options.faults = Faults { failed: 1.0, ..Faults::default() });
    let admin = Aws::admin(&sandbox);
    assert_eq!(refused(admin.iam.list_users().send().await).0, "ServiceFailure");
    match admin.kms.list_keys().send().await {
        Err(SdkError::ServiceError(error)) => assert_eq!(error.raw().status().as_u16(), 500),
        other => panic!("expected a 500, got {other:?}"),
    }
}

#[tokio::test]
async fn a_lost_answer_is_a_broken_connection_and_the_call_was_carried_out() {
    let sandbox = sandbox_with(|options| options.faults = Faults { seed: 3, lost: 0.5, ..Faults::default() });
    let admin = Aws::admin(&sandbox);
    let mut lost = 0;
    for number in 0..20 {
        let name = format!("u{number}");
        match admin.iam.create_user().user_name(&name).send().await {
            Ok(_) => {}
            Err(SdkError::DispatchFailure(failure)) => {
                assert!(failure.is_io(), "{failure:?}");
                lost += 1;
            }
            Err(other) => panic!("expected a broken connection, got {other:?}"),
        }
    }
    assert!((4..=16).contains(&lost), "{lost} of 20 were lost");
    let users = loop {
        if let Ok(answer) = admin.iam.list_users().send().await {
            break answer.users;
        }
    };
    assert_eq!(users.len(), 21);
}

#[tokio::test]
async fn calls_are_counted_whatever_becomes_of_them() {
    let sandbox = sandbox_with(|options| options.faults = Faults { throttled: 1.0, ..Faults::default() });
    let admin = Aws::admin(&sandbox);
    let _ = admin.kms.list_keys().send().await;
    let _ = admin.kms.list_keys().send().await;
    let _ = admin.sts.get_caller_identity().send().await;
    let counts: Vec<_> = sandbox.call_counts().into_iter().collect();
    assert_eq!(counts, [("kms:ListKeys".to_owned(), 2), ("sts:GetCallerIdentity".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn latency_is_waited_for() {
    let sandbox = sandbox_with(|options| options.latency = Duration::from_secs(3));
    let begun = tokio::time::Instant::now();
    let real = Instant::now();
    Aws::admin(&sandbox).kms.list_keys().send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(3));
    assert!(real.elapsed() < Duration::from_secs(3));
}
