//! The identifiers that AWS invents.

use aws_lc_rs::rand;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Random bytes for keys and nonces.
///
/// The operating system's source cannot fail once it has answered; if it ever does, key material must not be weak, so
/// the error goes to the caller.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomnessMissing> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_| RandomnessMissing)?;
    Ok(bytes)
}

/// The system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system's source of randomness gave no bytes")]
pub(crate) struct RandomnessMissing;

fn drawn<const N: usize>(alphabet: &[u8]) -> Result<String, RandomnessMissing> {
    let mask = alphabet.len() - 1;
    Ok(random_bytes::<N>()?
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(*byte) & mask))
        .map(|byte| char::from(*byte))
        .collect())
}

/// A unique id as IAM writes it: a prefix that tells the kind (`AIDA` user, `AROA` role, `AGPA` group, `ANPA` policy, `AIPA`
/// instance profile) and 17 characters.
pub(crate) fn unique_id(prefix: &str) -> Result<String, RandomnessMissing> {
    Ok(format!("{prefix}{}", drawn::<17>(BASE32)?))
}

/// An access key id: `AKIA` (lasting) or `ASIA` (a session's) and 16 characters.
pub(crate) fn access_key_id(prefix: &str) -> Result<String, RandomnessMissing> {
    Ok(format!("{prefix}{}", drawn::<16>(BASE32)?))
}

/// The 40 characters of a secret access key.
pub(crate) fn secret_access_key() -> Result<String, RandomnessMissing> {
    drawn::<40>(SECRET)
}

/// A session token; only compared, never read.
pub(crate) fn session_token() -> Result<String, RandomnessMissing> {
    Ok(format!("IQoJ{}", drawn::<192>(SECRET)?))
}

/// A lower-case UUID: key ids, table ids, request ids.
pub(crate) fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// 64 hexadecimal digits: grant ids, grant tokens, key material ids.
pub(crate) fn hex64() -> Result<String, RandomnessMissing> {
    Ok(random_bytes::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_that_aws_gives_them() {
        let user = unique_id("AIDA").unwrap();
        assert_eq!(user.len(), 21);
        assert!(user.bytes().all(|byte| BASE32.contains(&byte)));
        assert_eq!(access_key_id("AKIA").unwrap().len(), 20);
        assert_eq!(secret_access_key().unwrap().len(), 40);
        assert_eq!(hex64().unwrap().len(), 64);
        assert_ne!(uuid(), uuid());
    }
}
