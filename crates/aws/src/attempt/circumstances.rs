//! The condition keys of a request that a call can bring about, and why it can't the others.

use std::collections::BTreeMap;

use super::{Reserved, account, kms};

/// What a call is to bring about besides its action and its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circumstances {
    /// The encryption context of a use of a key.
    pub(super) encryption_context: BTreeMap<String, String>,
    /// The value of the partition key of the items that are asked for.
    pub(super) leading_key: Option<String>,
    /// The attributes that are asked for.
    pub(super) attributes: Vec<String>,
    /// What a query or a scan answers with.
    pub(super) select: Option<String>,
    /// The tags that the session of a role is given.
    session_tags: BTreeMap<String, String>,
}

/// Who asks for what, with what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The action.
    pub action: &'a str,
    /// The ARN of the resource.
    pub resource: &'a str,
    /// The ARN of whoever tries.
    pub caller: &'a str,
    /// Whether the caller is a role that is assumed for the purpose.
    pub by_role: bool,
    /// The tags of the caller, where they are known.
    pub tags: Option<&'a [(String, String)]>,
}

/// Reads of items by their key.
const BY_KEY: [&str; 4] = ["BatchGetItem", "ConditionCheckItem", "GetItem", "Query"];
/// Writes of items by their key. A batch has no condition, so its keys are not chosen by anybody else.
const WRITES: [&str; 3] = ["DeleteItem", "PutItem", "UpdateItem"];
/// Reads that can ask for some attributes only.
const OF_ATTRIBUTES: [&str; 4] = ["BatchGetItem", "GetItem", "Query", "Scan"];

/// The answer of a query that names attributes.
pub(super) const SPECIFIC: &str = "SPECIFIC_ATTRIBUTES";

const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";
const PRINCIPAL_TAG: &str = "aws:principaltag/";

impl Circumstances {
    /// What brings these condition keys about.
    ///
    /// # Errors
    /// Why one of them can't be: a clause.
    pub fn bringing_about(
        context: &[(String, Vec<String>)],
        asked: &Asked<'_>,
    ) -> Result<Circumstances, String> {
        let mut all = Circumstances::default();
        for (key, values) in context {
            all.add(key, values, asked)?;
        }
        // Which names there are follows from the pairs.
        let names = context.iter().find(|(key, _)| key.eq_ignore_ascii_case("kms:EncryptionContextKeys"));
        if let Some((key, names)) = names {
            let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.sort_unstable();
            if !names.iter().copied().eq(all.encryption_context.keys().map(String::as_str)) {
                return Err(format!("`{key}` must name just the keys whose values the `context` gives"));
            }
        }
        Ok(all)
    }

    fn add(&mut self, key: &str, values: &[String], asked: &Asked<'_>) -> Result<(), String> {
        let lower = key.to_ascii_lowercase();
        let (service, name) = asked.action.split_once(':').unwrap_or_default();
        let never = || format!("a real request can't be given `{key}`");
        let elsewhere = || format!("`{key}` is not brought about in a call of {}", asked.action);
        let single = || match values {
            [value] => Ok(value.clone()),
            _ => Err(format!("a real request has one value of `{key}`")),
        };
        if let Some(of_request) = given_anyway(&lower, asked) {
            return match values {
                [value] if *value == of_request => Ok(()),
                _ => Err(format!("`{key}` is `{of_request}` in every request that can be made here")),
            };
        }
        // The rest of a name keeps its case.
        let rest = |prefix: &str| lower.strip_prefix(prefix).and_then(|_| key.get(prefix.len()..));
        if let Some(name_of_pair) = rest(ENCRYPTION_CONTEXT) {
            if service != "kms" || !kms::takes_encryption_context(name) {
                return Err(elsewhere());
            }
            self.encryption_context.insert(name_of_pair.to_owned(), single()?);
        } else if lower == "kms:encryptioncontextkeys" {
            if service != "kms" || !kms::takes_encryption_context(name) {
                return Err(elsewhere());
            }
        } else if let Some(tag) = rest(PRINCIPAL_TAG) {
            self.tag(key, tag, single()?, asked)?;
        } else if lower.starts_with("dynamodb:") {
            let index = asked.resource.contains("/index/");
            if service != "dynamodb" {
                return Err(elsewhere());
            }
            match lower.as_str() {
                "dynamodb:leadingkeys" if !index && (BY_KEY.contains(&name) || WRITES.contains(&name)) => {
                    self.leading_key = Some(single()?);
                }
                "dynamodb:leadingkeys" if name == "BatchWriteItem" => {
                    return Err("a batch of writes has no condition, so its keys can't be chosen".to_owned());
                }
                "dynamodb:attributes" if !index && OF_ATTRIBUTES.contains(&name) => {
                    self.attributes = values.to_vec();
                }
                "dynamodb:select" if matches!(name, "Query" | "Scan") => {
                    let select = single()?;
                    let known = match index {
                        true => ["ALL_PROJECTED_ATTRIBUTES", "COUNT", SPECIFIC],
                        false => ["ALL_ATTRIBUTES", "COUNT", SPECIFIC],
                    };
                    if !known.contains(&select.as_str()) {
                        return Err(format!("`{key}` is one of {} here", known.join(", ")));
                    }
                    self.select = Some(select);
                }
                "dynamodb:leadingkeys" | "dynamodb:attributes" | "dynamodb:select" => return Err(elsewhere()),
                _ => return Err(never()),
            }
        } else {
            return Err(never());
        }
        Ok(())
    }

    /// A tag of the principal: one that it has, or one that the session of a role is given.
    fn tag(&mut self, key: &str, tag: &str, value: String, asked: &Asked<'_>) -> Result<(), String> {
        let has = asked.tags.into_iter().flatten().any(|(name, own)| name == tag && *own == value);
        match (has, asked.by_role) {
            (true, _) => Ok(()),
            (false, true) => {
                self.session_tags.insert(tag.to_owned(), value);
                Ok(())
            }
            (false, false) => {
                Err(format!("`{key}` is a tag of the user, which is not changed for a request"))
            }
        }
    }

    /// Whether a table's keys let the call bring this about.
    ///
    /// # Errors
    /// Why they don't: a clause.
    pub fn suit(&self, action: &str, table: &Reserved) -> Result<(), String> {
        if let Some(value) = &self.leading_key
            && table.led_by(value).is_none()
        {
            return Err(format!("`{value}` can't be a value of the table's partition key"));
        }
        let of_keys = !self.attributes.is_empty() && action != "dynamodb:Scan";
        if let Some(key) =
            table.names().find(|name| of_keys && !self.attributes.iter().any(|own| own == name))
        {
            return Err(format!("the request names the key `{key}`, too"));
        }
        match self.select.as_deref() {
            Some(select) if !self.attributes.is_empty() && select != SPECIFIC => {
                Err(format!("attributes are named with `{SPECIFIC}` only"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a key is to be used with an encryption context.
    pub fn has_encryption_context(&self) -> bool {
        !self.encryption_context.is_empty()
    }

    /// The tags that the session of a role is given.
    pub fn session_tags(&self) -> &BTreeMap<String, String> {
        &self.session_tags
    }
}

/// The value of a key that is the same in every request that is made here.
fn given_anyway(lower: &str, asked: &Asked<'_>) -> Option<String> {
    let region = || asked.resource.split(':').nth(3).filter(|region| !region.is_empty());
    let of_kms = asked.action.starts_with("kms:");
    Some(match lower {
        "aws:securetransport" => "true".to_owned(),
        "aws:viaawsservice" | "aws:principalisawsservice" => "false".to_owned(),
        "aws:requestedregion" => region()?.to_owned(),
        "aws:principalarn" => asked.caller.to_owned(),
        "aws:principalaccount" => account(asked.caller).to_owned(),
        "kms:calleraccount" if of_kms => account(asked.caller).to_owned(),
        "aws:resourceaccount" => account(asked.resource).to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
    const KEY: &str = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    fn of(action: &str, pairs: &[(&str, &[&str])]) -> Result<Circumstances, String> {
        let resource = if action.starts_with("kms:") { KEY } else { TABLE };
        let tags = [("team".to_owned(), "a".to_owned())];
        let asked = Asked { action, resource, caller: ROLE, by_role: true, tags: Some(&tags) };
        let owned = |(key, values): &(&str, &[&str])| {
            ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        };
        Circumstances::bringing_about(&pairs.iter().map(owned).collect::<Vec<_>>(), &asked)
    }

    #[test]
    fn what_a_call_can_carry_is_brought_about() {
        let pairs = of(
            "kms:Decrypt",
            &[("kms:EncryptionContext:Dept", &["IT"]), ("kms:EncryptionContextKeys", &["Dept"])],
        );
        assert_eq!(pairs.unwrap().encryption_context, BTreeMap::from([("Dept".into(), "IT".into())]));
        let item = of(
            "dynamodb:GetItem",
            &[("dynamodb:LeadingKeys", &["ann"]), ("dynamodb:Attributes", &["Id", "Name"])],
        );
        let item = item.unwrap();
        assert_eq!((item.leading_key.as_deref(), item.attributes.len()), (Some("ann"), 2));
        assert_eq!(
            of("dynamodb:Scan", &[("dynamodb:Select", &["COUNT"])]).unwrap().select.as_deref(),
            Some("COUNT")
        );
        let tagged = of("dynamodb:GetItem", &[("aws:PrincipalTag/team", &["b"])]).unwrap();
        assert_eq!(tagged.session_tags(), &BTreeMap::from([("team".into(), "b".into())]));
        let own =
            of("dynamodb:GetItem", &[("aws:PrincipalTag/team", &["a"]), ("aws:SecureTransport", &["true"])]);
        assert_eq!(own.unwrap(), Circumstances::default());
        let region = [("aws:RequestedRegion", &["eu-west-3"][..]), ("kms:CallerAccount", &["123456789012"])];
        assert!(of("kms:Encrypt", &region).is_ok());
    }

    #[test]
    fn what_it_can_not_carry_is_named() {
        for (action, key, values) in [
            ("dynamodb:GetItem", "aws:SourceIp", &["203.0.113.7"][..]),
            ("dynamodb:GetItem", "aws:MultiFactorAuthPresent", &["true"]),
            ("dynamodb:GetItem", "aws:SecureTransport", &["false"]),
            ("dynamodb:GetItem", "aws:RequestedRegion", &["us-east-1"]),
            ("dynamodb:GetItem", "dynamodb:LeadingKeys", &["ann", "bob"]),
            ("dynamodb:Scan", "dynamodb:LeadingKeys", &["ann"]),
            ("dynamodb:GetItem", "dynamodb:Select", &["COUNT"]),
            ("dynamodb:GetItem", "kms:EncryptionContext:Dept", &["IT"]),
            ("kms:DescribeKey", "kms:EncryptionContext:Dept", &["IT"]),
            ("kms:Decrypt", "kms:EncryptionContextKeys", &["Dept"]),
            ("kms:Decrypt", "kms:ViaService", &["dynamodb.eu-west-3.amazonaws.com"]),
        ] {
            let why = of(action, &[(key, values)]).unwrap_err();
            assert!(why.contains(key), "{why}");
        }
        let user = Asked {
            action: "dynamodb:GetItem",
            resource: TABLE,
            caller: "arn:aws:iam::123456789012:user/ann",
            by_role: false,
            tags: None,
        };
        let tag = [("aws:PrincipalTag/team".to_owned(), vec!["b".to_owned()])];
        assert!(Circumstances::bringing_about(&tag, &user).unwrap_err().contains("tag of the user"));
    }
}
