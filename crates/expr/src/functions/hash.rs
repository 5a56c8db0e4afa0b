//! Digests, password hashes, RSA and UUIDs.

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use terrane_model::{Type, Value};
use uuid::Uuid;

use super::encoding::{from_base64, to_base64};
use super::{Fault, Given, Outcome, unknown};

/// Costs of bcrypt: each step doubles the time, and the highest takes some seconds.
const BCRYPT_COSTS: std::ops::RangeInclusive<i64> = 4..=16;
const BCRYPT_DEFAULT_COST: u32 = 10;
/// What bcrypt looks at, in bytes.
const BCRYPT_LENGTH: usize = 72;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest of bytes, in text.
pub(super) type Sum = fn(&[u8]) -> String;

pub(super) fn md5_hex(bytes: &[u8]) -> String {
    hex(Md5::digest(bytes))
}

pub(super) fn sha1_hex(bytes: &[u8]) -> String {
    hex(Sha1::digest(bytes))
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

pub(super) fn sha512_hex(bytes: &[u8]) -> String {
    hex(Sha512::digest(bytes))
}

pub(super) fn sha256_base64(bytes: &[u8]) -> String {
    to_base64(Sha256::digest(bytes))
}

pub(super) fn sha512_base64(bytes: &[u8]) -> String {
    to_base64(Sha512::digest(bytes))
}

fn of_text(given: &Given<'_>, sum: Sum) -> Outcome {
    Ok(Value::from(sum(given.text(0)?.as_bytes())))
}

pub(super) fn md5(given: &Given<'_>) -> Outcome {
    of_text(given, md5_hex)
}

pub(super) fn sha1(given: &Given<'_>) -> Outcome {
    of_text(given, sha1_hex)
}

pub(super) fn sha256(given: &Given<'_>) -> Outcome {
    of_text(given, sha256_hex)
}

pub(super) fn sha512(given: &Given<'_>) -> Outcome {
    of_text(given, sha512_hex)
}

pub(super) fn base64_sha256(given: &Given<'_>) -> Outcome {
    of_text(given, sha256_base64)
}

pub(super) fn base64_sha512(given: &Given<'_>) -> Outcome {
    of_text(given, sha512_base64)
}

/// With a random salt, so it is unknown while planning.
pub(super) fn bcrypt(given: &Given<'_>) -> Outcome {
    let password = given.text(0)?;
    let cost = match given.rest(1) {
        [] => BCRYPT_DEFAULT_COST,
        [_] => {
            let cost = given.whole(1)?;
            let bounded = Some(cost).filter(|c| BCRYPT_COSTS.contains(c)).and_then(|c| u32::try_from(c).ok());
            bounded.ok_or_else(|| {
                Fault::new(format!(
                    "the cost must lie between {} and {}",
                    BCRYPT_COSTS.start(),
                    BCRYPT_COSTS.end()
                ))
            })?
        }
        _ => return Err(Fault::new("it takes the text and one cost")),
    };
    if password.len() > BCRYPT_LENGTH {
        return Err(Fault::new(format!(
            "the text is longer than {BCRYPT_LENGTH} bytes, which is all that counts"
        )));
    }
    let Some(impure) = &given.context.impure else { return Ok(unknown(Type::String)) };
    let mut salt = [0; 16];
    impure.random(&mut salt).map_err(Fault::new)?;
    match bcrypt::hash_with_salt(password, cost, salt) {
        Ok(parts) => Ok(Value::from(parts.format_for_version(bcrypt::Version::TwoA))),
        Err(error) => Err(Fault::new(error.to_string())),
    }
}

/// Random hexadecimal digits in the groups of a UUID; unknown while planning.
pub(super) fn uuid(given: &Given<'_>) -> Outcome {
    let Some(impure) = &given.context.impure else { return Ok(unknown(Type::String)) };
    let mut bytes = [0; 16];
    impure.random(&mut bytes).map_err(Fault::new)?;
    Ok(Value::from(Uuid::from_bytes(bytes).hyphenated().to_string()))
}

pub(super) fn uuid_v5(given: &Given<'_>) -> Outcome {
    let namespace = match given.text(0)? {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other)
            .map_err(|_| Fault::new("the namespace must be `dns`, `url`, `oid`, `x500` or a UUID"))?,
    };
    Ok(Value::from(Uuid::new_v5(&namespace, given.text(1)?.as_bytes()).hyphenated().to_string()))
}

/// Decrypts what was encrypted with RSA and PKCS #1 v1.5 padding, such as the password of a Windows instance.
pub(super) fn rsa_decrypt(given: &Given<'_>) -> Outcome {
    let ciphertext = from_base64(given.text(0)?).ok_or_else(|| Fault::at(0, "it is no Base64"))?;
    let key = private_key(given.text(1)?).map_err(|why| Fault::at(1, why))?;
    let rejected = |why: &dyn std::fmt::Display| Fault::at(1, format!("it is no usable RSA key: {why}"));
    let key = PrivateDecryptingKey::from_pkcs8(&key).map_err(|e| rejected(&e))?;
    let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|e| rejected(&e))?;
    let mut buffer = vec![0; key.key_size_bytes()];
    let failed = || Fault::at(0, "it can't be decrypted with this key");
    let plain = key.decrypt(&ciphertext, &mut buffer).map_err(|_| failed())?;
    let text = std::str::from_utf8(plain).map_err(|_| Fault::new("the decrypted bytes are no UTF-8 text"))?;
    Ok(Value::from(text))
}

/// The PKCS #8 form of a private key in PEM.
fn private_key(pem: &str) -> Result<Vec<u8>, String> {
    let begin = pem.find("-----BEGIN ").map(|i| i + "-----BEGIN ".len());
    let (label, rest) = begin
        .and_then(|i| pem.get(i..))
        .and_then(|rest| rest.split_once("-----"))
        .ok_or("it is no private key in PEM")?;
    let (body, _) = rest.split_once("-----END ").ok_or("its last line is missing")?;
    if body.contains("ENCRYPTED") || label.contains("ENCRYPTED") {
        return Err("it is protected by a password; keys with one are not supported".into());
    }
    let der = from_base64(&body.replace([' ', '\t'], "")).ok_or("it is damaged")?;
    match label {
        "PRIVATE KEY" => Ok(der),
        "RSA PRIVATE KEY" => Ok(wrap_pkcs1(&der)),
        "OPENSSH PRIVATE KEY" => {
            Err("it has the format of OpenSSH; convert it with `ssh-keygen -p -m PEM -f FILE`".into())
        }
        other => Err(format!("it is a `{other}` and no RSA key")),
    }
}

/// From PKCS #1 to PKCS #8: version, algorithm, and the key inside.
fn wrap_pkcs1(der: &[u8]) -> Vec<u8> {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut out = vec![tag];
        match u8::try_from(length) {
            Ok(short) if short < 0x80 => out.push(short),
            _ => {
                let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
                out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
                out.extend(bytes);
            }
        }
        out.extend(content);
        out
    }
    /// `rsaEncryption` without parameters.
    const ALGORITHM: [u8; 13] =
        [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let content = [vec![0x02, 0x01, 0x00], element(0x30, &ALGORITHM), element(0x04, der)].concat();
    element(0x30, &content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::tests::call;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeySize, Pkcs1PublicEncryptingKey};

    #[test]
    fn what_rsa_encrypts_is_decrypted_with_either_form_of_the_key() {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let public = Pkcs1PublicEncryptingKey::new(key.public_key()).unwrap();
        let mut buffer = vec![0; public.ciphertext_size()];
        let secret = to_base64(&*public.encrypt(b"s3cr3t", &mut buffer).unwrap());
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
        let pkcs8 = pkcs8.as_ref();
        // The inner key begins behind the octet string's header.
        let at = pkcs8.windows(2).position(|w| w == [0x05, 0x00]).unwrap() + 2 + 4;
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", to_base64(der))
        };
        for pem in [pem("PRIVATE KEY", pkcs8), pem("RSA PRIVATE KEY", &pkcs8[at..])] {
            let given = [Value::from(secret.clone()), Value::from(pem)];
            assert_eq!(call("rsadecrypt", &given), Ok(Value::from("s3cr3t")));
        }
    }

    #[test]
    fn keys_that_can_not_be_used_are_refused() {
        assert!(private_key("hello").is_err());
        assert!(
            private_key("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----")
                .unwrap_err()
                .contains("ssh-keygen")
        );
        assert!(private_key("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----").is_err());
    }
}
