//! The arguments of the query protocol: `Action=CreateUser&Tags.member.1.Key=a&...`.

use std::collections::BTreeMap;

/// Arguments by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn parse(text: &str) -> Form {
        Form(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// The argument of that name, if it was given.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The members of a list argument, each with the names that follow the member's number.
    pub(crate) fn members(&self, name: &str) -> Vec<Form> {
        let prefix = format!("{name}.member.");
        let mut members: BTreeMap<u32, Form> = BTreeMap::new();
        for (key, value) in self.0.range(prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&prefix) else { break };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                members.entry(number).or_default().0.insert(field.to_owned(), value.clone());
            }
        }
        members.into_values().collect()
    }

    /// The members of a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.members(name).into_iter().filter_map(|mut member| member.0.remove("")).collect()
    }
}

/// Undoes percent-encoding; what is not an encoding stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                match (ahead.next().and_then(nibble), ahead.next().and_then(nibble)) {
                    (Some(high), Some(low)) => {
                        bytes.push(high << 4 | low);
                        rest = ahead;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Percent-encodes a policy document as IAM answers it: everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let form = Form::parse("Action=CreateUser&Path=%2Fa+b%2F&Odd=100%&=x&Flag");
        assert_eq!(form.text("Path"), Some("/a b/"));
        assert_eq!(form.text("Odd"), Some("100%"));
        assert_eq!(form.text("Flag"), Some(""));
        assert_eq!(form.text("Absent"), None);
    }

    #[test]
    fn members_come_in_the_order_of_their_numbers() {
        let form = Form::parse(
            "T.member.10.Key=j&T.member.2.Key=b&T.member.2.Value=2&Tx.member.1=no&N.member.1=n&N.member.2=m",
        );
        let members = form.members("T");
        assert_eq!(members.len(), 2);
        assert_eq!((members[0].text("Key"), members[0].text("Value")), (Some("b"), Some("2")));
        assert_eq!(members[1].text("Key"), Some("j"));
        assert_eq!(form.texts("N"), ["n", "m"]);
        assert!(form.members("Absent").is_empty());
    }

    #[test]
    fn documents_are_encoded_as_iam_answers_them() {
        assert_eq!(encode("{\"a\": [\"é*\"]}"), "%7B%22a%22%3A%20%5B%22%C3%A9%2A%22%5D%7D");
        assert_eq!(decode(&encode("{\"a\": [\"é*\"]}+")), "{\"a\": [\"é*\"]}+");
    }
}
