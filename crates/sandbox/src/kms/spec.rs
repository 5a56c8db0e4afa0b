//! Kinds of keys: what they are for, which algorithms they have, how much material.

use crate::wire::Refusal;

/// A kind of key with the usage that was chosen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    /// The length of its secret, for the kinds whose operations the sandbox has.
    pub(super) material_bytes: Option<usize>,
}

/// Name, usages (the first is the default where AWS has one), bytes of material.
const SPECS: [(&str, &[&str], Option<usize>); 15] = [
    ("SYMMETRIC_DEFAULT", &["ENCRYPT_DECRYPT"], Some(32)),
    ("HMAC_224", &["GENERATE_VERIFY_MAC"], Some(28)),
    ("HMAC_256", &["GENERATE_VERIFY_MAC"], Some(32)),
    ("HMAC_384", &["GENERATE_VERIFY_MAC"], Some(48)),
    ("HMAC_512", &["GENERATE_VERIFY_MAC"], Some(64)),
    ("RSA_2048", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"], None),
    ("RSA_3072", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"], None),
    ("RSA_4096", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"], None),
    ("ECC_NIST_P256", &["SIGN_VERIFY", "KEY_AGREEMENT"], None),
    ("ECC_NIST_P384", &["SIGN_VERIFY", "KEY_AGREEMENT"], None),
    ("ECC_NIST_P521", &["SIGN_VERIFY", "KEY_AGREEMENT"], None),
    ("ECC_SECG_P256K1", &["SIGN_VERIFY"], None),
    ("ML_DSA_44", &["SIGN_VERIFY"], None),
    ("ML_DSA_65", &["SIGN_VERIFY"], None),
    ("ML_DSA_87", &["SIGN_VERIFY"], None),
];

impl Spec {
    pub(super) fn of(name: &str, usage: Option<&str>) -> Result<Spec, Refusal> {
        let Some((name, usages, material_bytes)) = SPECS.into_iter().find(|(spec, ..)| *spec == name) else {
            let known: Vec<&str> = SPECS.iter().map(|(name, ..)| *name).collect();
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{name}' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                known.join(", ")
            )));
        };
        // Without a usage AWS takes ENCRYPT_DECRYPT, which only fits some kinds.
        let usage = usage.unwrap_or("ENCRYPT_DECRYPT");
        match usages.iter().find(|fitting| **fitting == usage) {
            Some(usage) => Ok(Spec { name, usage, material_bytes }),
            None => {
                Err(Refusal::validation(format!("KeyUsage {usage} is not compatible with KeySpec {name}")))
            }
        }
    }
}

/// The field of the metadata that lists a key's algorithms, and the algorithms.
pub(super) fn algorithms(spec: &str, usage: &str) -> Option<(&'static str, Vec<&'static str>)> {
    let algorithms = match (spec, usage) {
        ("SYMMETRIC_DEFAULT", _) => ("EncryptionAlgorithms", vec!["SYMMETRIC_DEFAULT"]),
        ("HMAC_224", _) => ("MacAlgorithms", vec!["HMAC_SHA_224"]),
        ("HMAC_256", _) => ("MacAlgorithms", vec!["HMAC_SHA_256"]),
        ("HMAC_384", _) => ("MacAlgorithms", vec!["HMAC_SHA_384"]),
        ("HMAC_512", _) => ("MacAlgorithms", vec!["HMAC_SHA_512"]),
        ("RSA_2048" | "RSA_3072" | "RSA_4096", "ENCRYPT_DECRYPT") => {
            ("EncryptionAlgorithms", vec!["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
        }
        ("RSA_2048" | "RSA_3072" | "RSA_4096", _) => (
            "SigningAlgorithms",
            vec![
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
            ],
        ),
        (_, "KEY_AGREEMENT") => ("KeyAgreementAlgorithms", vec!["ECDH"]),
        ("ECC_NIST_P256" | "ECC_SECG_P256K1", _) => ("SigningAlgorithms", vec!["ECDSA_SHA_256"]),
        ("ECC_NIST_P384", _) => ("SigningAlgorithms", vec!["ECDSA_SHA_384"]),
        ("ECC_NIST_P521", _) => ("SigningAlgorithms", vec!["ECDSA_SHA_512"]),
        ("ML_DSA_44" | "ML_DSA_65" | "ML_DSA_87", _) => ("SigningAlgorithms", vec!["ML_DSA_SHAKE_256"]),
        _ => return None,
    };
    Some(algorithms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_fit_specs() {
        assert_eq!(Spec::of("SYMMETRIC_DEFAULT", None).unwrap().usage, "ENCRYPT_DECRYPT");
        assert_eq!(Spec::of("RSA_2048", Some("SIGN_VERIFY")).unwrap().usage, "SIGN_VERIFY");
        for (spec, usage) in [("HMAC_256", None), ("SYMMETRIC_DEFAULT", Some("SIGN_VERIFY")), ("AES", None)] {
            assert_eq!(Spec::of(spec, usage).unwrap_err().code, "ValidationException");
        }
        for (spec, usages, _) in SPECS {
            for usage in usages {
                assert!(algorithms(spec, usage).is_some(), "{spec} {usage}");
            }
        }
    }
}
