//! What changes in a policy, statement by statement.

use terrane_iam::{Document, StatementChange, diff};

use super::value_text::line;

/// One line per difference: `AllowKeyUsers: + kms:CreateGrant`. Nothing when either text is no policy.
pub fn lines(before: &str, after: &str) -> Vec<String> {
    let (Ok(before), Ok(after)) = (Document::parse(before), Document::parse(after)) else { return vec![] };
    diff(&before, &after).iter().flat_map(describe).map(|text| line(&text)).collect()
}

fn describe(change: &StatementChange) -> Vec<String> {
    match change {
        StatementChange::Changed { after, changes, .. } => {
            changes.iter().map(|change| format!("{}: {change}", after.label())).collect()
        }
        whole => vec![whole.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_more_is_one_line() {
        let policy = |actions: &str| {
            format!(
                r#"{{"Statement":[{{"Sid":"AllowKeyUsers","Effect":"Allow","Action":{actions},"Resource":"*"}}]}}"#
            )
        };
        let (before, after) = (policy(r#"["kms:Decrypt"]"#), policy(r#"["kms:CreateGrant","kms:Decrypt"]"#));
        assert_eq!(lines(&before, &after), ["AllowKeyUsers: + kms:CreateGrant"]);
        assert_eq!(lines("{", &after), Vec::<String>::new());
    }
}
