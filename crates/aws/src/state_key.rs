//! The encryption of states by a KMS key: data keys from `kms:GenerateDataKey`, got again by `kms:Decrypt`.
//!
//! The key that decrypts is always the configured one, whatever an envelope says: who can write into the bucket could
//! otherwise have a state accepted that is encrypted by a key of his own. The encryption context says what the data keys are
//! for, so that a key policy can demand it (`kms:EncryptionContext:terrane` = `state`).
//!
//! Permissions: `kms:GenerateDataKey` and `kms:Decrypt` on the key; for reading alone the latter.

use std::collections::HashMap;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use terrane_model::conform::{Problem, check, conform};
use terrane_model::schema::{Attribute, Block, Check, Nesting, block, nested, optional, required};
use terrane_model::{Diagnostic, Path, Type, Value};
use terrane_provider::{Certainty, Error, ErrorKind, Ground, Permissions};
use terrane_state::StateError;
use terrane_state::seal::{DataKey, Key, Method};

use crate::bridge::Bridge;
use crate::client::{Options, Sandbox, in_sandbox, load};
use crate::error::failed;
use crate::kms::named_key;
use crate::object::{filled, first, text_map};
use crate::s3_backend::settings::SHARED;
use crate::settings::Settings;

/// The schema of `[terrane.encryption.kms]`.
pub fn schema() -> Block {
    let provider = crate::config::schema();
    let shared = provider.attributes.iter().filter(|attribute| SHARED.contains(&attribute.name)).cloned();
    let own = [
        optional("context", Type::map(Type::String)).doc("More of the encryption context."),
        required("key_id", Type::String)
            .check(Check::Length(1, 2048))
            .doc("The KMS key: id, ARN or alias. A symmetric one."),
    ];
    let mut attributes: Vec<Attribute> = shared.chain(own).collect();
    attributes.sort_by_key(|attribute| attribute.name);
    let address = |name| optional(name, Type::String).doc("Address of the service.");
    let endpoints = nested("endpoints", Nesting::List, block([address("kms"), address("sts")], []))
        .max(1)
        .doc("Addresses of services.");
    let roles = provider.blocks.into_iter().filter(|block| block.name.starts_with("assume_role"));
    block(attributes, roles.chain([endpoints]).collect::<Vec<_>>())
}

/// The arguments, checked.
#[derive(Clone, Debug)]
pub struct KeySettings {
    key_id: String,
    context: HashMap<String, String>,
    endpoint: Option<String>,
    shared: Settings,
}

impl KeySettings {
    /// Reads the arguments.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(body: &Value) -> Result<KeySettings, Vec<Problem>> {
        let block = schema();
        let (config, mut problems) = conform(body, &block);
        problems.extend(check(&config, &block));
        let shared = Settings::read(&config).map_err(|error| {
            let detail = [&[error.message][..], &error.hints].concat().join(" ");
            problems.push(Problem {
                path: Path::default(),
                code: "invalid-value",
                summary: "Invalid value",
                detail,
            });
        });
        let (Ok(shared), []) = (shared, problems.as_slice()) else { return Err(problems) };
        let mut context: HashMap<String, String> = text_map(config.get("context")).into_iter().collect();
        context.insert("terrane".to_owned(), "state".to_owned());
        Ok(KeySettings {
            key_id: filled(&config, "key_id").unwrap_or_default().to_owned(),
            context,
            endpoint: first(&config, "endpoints").and_then(|b| filled(b, "kms")).map(str::to_owned),
            shared,
        })
    }
}

/// The permissions that encrypting a state takes.
pub fn permissions(settings: &KeySettings, ground: &Ground<'_>) -> Permissions {
    let (arn, condition) = named_key(ground, &settings.key_id);
    let actions = &["kms:Decrypt", "kms:GenerateDataKey"];
    Permissions::none().with(&arn, actions, condition, Certainty::Sure)
}

/// A KMS key that data keys come from.
pub struct StateKey {
    bridge: Bridge,
    client: aws_sdk_kms::Client,
    key_id: String,
    context: HashMap<String, String>,
}

impl StateKey {
    /// The key. Finds credentials and region; makes no call yet.
    ///
    /// # Errors
    /// What is wrong with credentials or region.
    pub fn open(settings: KeySettings, sandbox: Option<Sandbox>) -> Result<StateKey, Diagnostic> {
        let bridge = Bridge::new().map_err(|error| error.diagnostic())?;
        let KeySettings { key_id, context, endpoint, mut shared } = settings;
        let endpoint = endpoint.filter(|_| sandbox.is_none());
        if sandbox.is_some() {
            shared = in_sandbox(shared);
        }
        let name = key_id.clone();
        let sdk = bridge.wait(async move {
            let options = Options { sandbox, user_agent: Some("terrane") };
            let told = |error| StateError::Backend(Box::new(refused(&name, &error)));
            let sdk = load(&shared, &options).await.map_err(told)?;
            crate::client::check_identity(&shared, &sdk).await.map_err(told)?;
            Ok(sdk)
        });
        let sdk = sdk.map_err(|error| error.diagnostic())?;
        let mut builder = aws_sdk_kms::config::Builder::from(&sdk);
        if let Some(url) = endpoint {
            builder = builder.endpoint_url(url);
        }
        let client = aws_sdk_kms::Client::from_conf(builder.build());
        Ok(StateKey { bridge, client, key_id, context })
    }

    fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        let name = self.key_id.clone();
        let told = async move { call.await.map_err(|e| StateError::Backend(Box::new(refused(&name, &e)))) };
        self.bridge.wait(told).map_err(|error| error.diagnostic())
    }
}

impl Method for StateKey {
    fn name(&self) -> &'static str {
        "kms"
    }

    fn make(&self) -> Result<DataKey, Diagnostic> {
        let call = self.client.generate_data_key().key_id(&self.key_id).key_spec(DataKeySpec::Aes256);
        let call = call.set_encryption_context(Some(self.context.clone()));
        let answer = self.wait(async move { call.send().await.map_err(failed("kms:GenerateDataKey")) })?;
        let (plain, wrapped) = (answer.plaintext, answer.ciphertext_blob);
        let (Some(plain), Some(wrapped)) = (plain, wrapped) else { return Err(incomplete(&self.key_id)) };
        let recipe = json!({
            "key_id": answer.key_id.unwrap_or_default(),
            "wrapped": BASE64.encode(wrapped.as_ref()),
        });
        Ok(DataKey { key: key(plain.into_inner()).ok_or_else(|| incomplete(&self.key_id))?, recipe })
    }

    fn again(&self, recipe: &Json) -> Result<Key, Diagnostic> {
        let wrapped = recipe.get("wrapped").and_then(Json::as_str).unwrap_or_default();
        let wrapped = BASE64.decode(wrapped).unwrap_or_default();
        let call = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new(wrapped));
        let call = call.set_encryption_context(Some(self.context.clone()));
        let answer = self.wait(async move { call.send().await.map_err(failed("kms:Decrypt")) })?;
        answer.plaintext.and_then(|plain| key(plain.into_inner())).ok_or_else(|| incomplete(&self.key_id))
    }
}

fn key(bytes: Vec<u8>) -> Option<Key> {
    let bytes = Key::new(<[u8; 32]>::try_from(bytes).ok()?);
    Some(bytes)
}

fn incomplete(key: &str) -> Diagnostic {
    let detail = format!("The answer of KMS about the key `{key}` is not what its protocol says.");
    Diagnostic::error("encryption", "Key not usable", detail)
}

fn refused(key: &str, error: &Error) -> Diagnostic {
    let (code, summary) = match error.kind {
        ErrorKind::Credentials => ("aws-credentials", "Credentials not accepted"),
        ErrorKind::Denied => ("aws-denied", "Permission denied"),
        ErrorKind::Unavailable | ErrorKind::TimedOut => {
            ("aws-unavailable", "Service not reachable or failing")
        }
        _ => ("encryption", "Key not usable"),
    };
    let detail =
        format!("The KMS key `{key}` of `[terrane.encryption]` can't be used. {error}.").replace("..", ".");
    let mut diagnostic = Diagnostic::error(code, summary, detail);
    let place = |hint: &String| {
        hint.replace("[provider.aws]", "[terrane.encryption.kms]")
            .replace("of the provider", "of the encryption")
    };
    diagnostic.hints.extend(error.hints.iter().map(place));
    match error.code.as_deref() {
        Some("InvalidCiphertextException" | "IncorrectKeyException") => diagnostic.hint(
            "The text was encrypted by another key or with another context, or was changed. A key of earlier belongs under \
             `[terrane.encryption.fallback.kms]`.",
        ),
        Some("NotFoundException") => {
            diagnostic.hint("The key must be there before a state is encrypted by it, outside of the stack itself.")
        }
        _ => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrane_state::seal::{Plain, Purpose, Sealing};

    use super::*;
    use crate::testing::Cloud;

    fn state_key(cloud: &Cloud) -> StateKey {
        let session = cloud.session();
        let clients = session.clients::<crate::client::Clients>().unwrap();
        StateKey {
            bridge: Bridge::new().unwrap(),
            client: clients.kms().clone(),
            key_id: "alias/state".into(),
            context: HashMap::from([("terrane".into(), "state".into())]),
        }
    }

    #[test]
    fn a_state_opens_by_the_configured_key_alone() {
        let plain = BASE64.encode([7; 32]);
        let answer = json!({ "KeyId": "arn:aws:kms:eu-west-3:1:key/k", "Plaintext": plain, "CiphertextBlob": "d3JhcA==" });
        let cloud = Cloud::default()
            .answer("GenerateDataKey", &answer.to_string())
            .answer("Decrypt", &json!({ "Plaintext": plain }).to_string());
        let with =
            |cloud: &Cloud| Arc::new(Sealing::new(Some(Box::new(state_key(cloud))), vec![], Plain::Refused));
        let sealed = with(&cloud).seal(Purpose::Plan, None, b"text").unwrap();
        let reader = with(&cloud);
        assert_eq!(reader.open(Purpose::Plan, "p", &sealed).unwrap(), b"text");
        assert_eq!(reader.open(Purpose::Plan, "p", &sealed).unwrap(), b"text");
        let asked = cloud.sent("Decrypt");
        assert_eq!(asked["KeyId"], "alias/state");
        assert_eq!(asked["EncryptionContext"], json!({ "terrane": "state" }));
        assert_eq!(asked["CiphertextBlob"], "d3JhcA==");

        let denied = Cloud::default().fail("Decrypt", 400, "IncorrectKeyException", "not this one");
        let error = with(&denied).open(Purpose::Plan, "p", &sealed).unwrap_err().diagnostic();
        assert!(error.detail.contains("IncorrectKeyException"), "{}", error.detail);
        assert!(error.hints.concat().contains("fallback.kms"));
    }

    #[test]
    fn arguments_are_checked() {
        let read = |arguments: &[(&'static str, Value)]| {
            KeySettings::read(&Value::object(arguments.iter().cloned()))
        };
        assert!(read(&[]).unwrap_err()[0].detail.contains("`key_id`"));
        let context = Value::object([("team", Value::from("a"))]);
        let settings = read(&[("key_id", Value::from("alias/x")), ("context", context)]).unwrap();
        assert_eq!(settings.context.len(), 2);
    }
}
