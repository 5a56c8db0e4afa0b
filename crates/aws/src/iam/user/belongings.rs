//! What hangs on a user and forbids deleting it: group memberships, and with `force_destroy` all the rest.

use aws_sdk_iam::types::AssignmentStatusType;
use terrane_provider::wait::retry;
use terrane_provider::{Context, Error};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::RETRIES;

/// Takes the user out of all groups. "Not found" means that there is no such user.
pub async fn leave_groups(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let pages = iam.list_groups_for_user().user_name(name).into_paginator().items().send();
    let groups: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListGroupsForUser"))?;
    for group in groups {
        let call = iam.remove_user_from_group().user_name(name).group_name(group.group_name);
        present(call.send().await.map_err(failed("iam:RemoveUserFromGroup")))?;
    }
    Ok(())
}

/// Takes away policies, keys, devices, certificates, credentials and the password.
pub async fn take_away(cx: &Context<'_>, clients: &Clients, name: &str) -> Result<(), Error> {
    policies(clients, name).await?;
    keys(clients, name).await?;
    devices(clients, name).await?;
    let delete = || async {
        let answer = clients.iam().delete_login_profile().user_name(name).send().await;
        present(answer.map_err(failed("iam:DeleteLoginProfile"))).map(drop)
    };
    retry(cx, RETRIES, delete).await?;
    certificates(clients, name).await
}

async fn policies(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let pages = iam.list_user_policies().user_name(name).into_paginator().items().send();
    let inline: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListUserPolicies"))?;
    for policy in inline {
        let answer = iam.delete_user_policy().user_name(name).policy_name(policy).send().await;
        present(answer.map_err(failed("iam:DeleteUserPolicy")))?;
    }
    let pages = iam.list_attached_user_policies().user_name(name).into_paginator().items().send();
    let attached: Vec<_> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListAttachedUserPolicies"))?;
    for policy in attached {
        let call = iam.detach_user_policy().user_name(name).set_policy_arn(policy.policy_arn);
        present(call.send().await.map_err(failed("iam:DetachUserPolicy")))?;
    }
    Ok(())
}

async fn keys(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let pages = iam.list_access_keys().user_name(name).into_paginator().items().send();
    let keys: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListAccessKeys"))?;
    for key in keys {
        let call = iam.delete_access_key().user_name(name).set_access_key_id(key.access_key_id);
        present(call.send().await.map_err(failed("iam:DeleteAccessKey")))?;
    }
    let pages = iam.list_ssh_public_keys().user_name(name).into_paginator().items().send();
    let keys: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListSSHPublicKeys"))?;
    for key in keys {
        let call = iam.delete_ssh_public_key().user_name(name).ssh_public_key_id(key.ssh_public_key_id);
        present(call.send().await.map_err(failed("iam:DeleteSSHPublicKey")))?;
    }
    Ok(())
}

async fn devices(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let assigned = iam.list_virtual_mfa_devices().assignment_status(AssignmentStatusType::Assigned);
    let pages = assigned.into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListVirtualMFADevices"))?;
    let own =
        all.into_iter().filter(|device| device.user.as_ref().is_some_and(|user| user.user_name == name));
    for device in own {
        deactivate(clients, name, &device.serial_number).await?;
        let answer = iam.delete_virtual_mfa_device().serial_number(&device.serial_number).send().await;
        present(answer.map_err(failed("iam:DeleteVirtualMFADevice")))?;
    }
    let pages = iam.list_mfa_devices().user_name(name).into_paginator().items().send();
    let devices: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListMFADevices"))?;
    for device in devices {
        deactivate(clients, name, &device.serial_number).await?;
    }
    Ok(())
}

async fn deactivate(clients: &Clients, name: &str, serial: &str) -> Result<(), Error> {
    let answer = clients.iam().deactivate_mfa_device().user_name(name).serial_number(serial).send().await;
    present(answer.map_err(failed("iam:DeactivateMFADevice"))).map(drop)
}

async fn certificates(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let pages = iam.list_signing_certificates().user_name(name).into_paginator().items().send();
    let certificates: Vec<_> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListSigningCertificates"))?;
    for certificate in certificates {
        let call =
            iam.delete_signing_certificate().user_name(name).certificate_id(certificate.certificate_id);
        present(call.send().await.map_err(failed("iam:DeleteSigningCertificate")))?;
    }
    let answer = iam.list_service_specific_credentials().user_name(name).send().await;
    let answer = answer.map_err(failed("iam:ListServiceSpecificCredentials"))?;
    for credential in answer.service_specific_credentials.unwrap_or_default() {
        let id = credential.service_specific_credential_id;
        let call =
            iam.delete_service_specific_credential().user_name(name).service_specific_credential_id(id);
        present(call.send().await.map_err(failed("iam:DeleteServiceSpecificCredential")))?;
    }
    Ok(())
}
