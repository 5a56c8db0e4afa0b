//! What changes in a policy, statement by statement.

use terrane_iam::{Document, Sign, StatementChange, diff};
use terrane_model::Action;

use super::difference::Body;
use super::value_text::line;

/// Whole statements are broken into lines of about so many characters.
const WIDTH: usize = 96;

/// One line per difference: `AllowKeyUsers: + kms:CreateGrant`. Nothing when either text is no policy.
pub fn lines(before: &str, after: &str) -> Vec<String> {
    let (Ok(before), Ok(after)) = (Document::parse(before), Document::parse(after)) else { return vec![] };
    diff(&before, &after).iter().flat_map(describe).map(|text| line(&text)).collect()
}

/// The difference as a body of its own, for readers who need no JSON. An absent policy has no statements. Nothing when a
/// text is no policy, or when the policies say the same.
pub fn statements(before: Option<&str>, after: Option<&str>) -> Option<Body> {
    let read = |text: Option<&str>| text.map_or(Ok(Document::default()), Document::parse).ok();
    let (old, new) = (read(before)?, read(after)?);
    let changes = diff(&old, &new);
    let came_or_went = before.is_none() || after.is_none();
    let mut unchanged = new.statements.len();
    let mut lines = Vec::new();
    for change in &changes {
        let action = match change {
            // Of a policy that comes or goes as a whole the statements say it all.
            StatementChange::Version { .. } | StatementChange::Id { .. } if came_or_went => continue,
            StatementChange::Version { .. } | StatementChange::Id { .. } => Action::Update,
            StatementChange::Added(_) => Action::Create,
            StatementChange::Removed(_) => Action::Delete,
            StatementChange::Changed { after, changes, .. } => {
                unchanged = unchanged.saturating_sub(1);
                lines.extend(changes.iter().map(|change| {
                    let action = if change.sign == Sign::Added { Action::Create } else { Action::Delete };
                    (action, format!("{}: {change}", after.label()))
                }));
                continue;
            }
        };
        if action == Action::Create {
            unchanged = unchanged.saturating_sub(1);
        }
        lines.extend(wrapped(&unsigned(change)).into_iter().map(|row| (action, row)));
    }
    (!lines.is_empty()).then_some(Body::Statements { lines, unchanged })
}

/// A long line as several, broken between words; all but the first are indented.
fn wrapped(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.chars().count() + word.chars().count() < WIDTH => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) => rows.push(format!("    {word}")),
            None => rows.push(word.to_owned()),
        }
    }
    rows
}

/// A whole statement without its sign, which stands in the margin.
fn unsigned(change: &StatementChange) -> String {
    let text = change.to_string();
    text.strip_prefix(['+', '-']).map_or(text.as_str(), str::trim_start).to_owned()
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

    #[test]
    fn statements_have_their_sign_apart() {
        let one = |sid: &str, actions: &str| {
            format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":{actions},"Resource":"*"}}"#)
        };
        let policy =
            |all: &[String]| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, all.join(","));
        let before =
            policy(&[one("A", r#""kms:Decrypt""#), one("B", r#""kms:Sign""#), one("C", r#""s3:*""#)]);
        let after = policy(&[one("A", r#"["kms:Encrypt"]"#), one("B", r#""kms:Sign""#)]);
        let Some(Body::Statements { lines, unchanged }) = statements(Some(&before), Some(&after)) else {
            panic!()
        };
        let shown: Vec<(Action, &str)> =
            lines.iter().map(|(action, text)| (*action, text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Action::Delete, "A: - kms:Decrypt"),
                (Action::Create, "A: + kms:Encrypt"),
                (Action::Delete, "C: Allow s3:* on *"),
            ]
        );
        assert_eq!(unchanged, 1);
        let Some(Body::Statements { lines, unchanged }) = statements(None, Some(&before)) else { panic!() };
        assert_eq!((lines.len(), unchanged), (3, 0));
        assert_eq!(statements(Some(&before), Some(&before)), None);
        assert_eq!(statements(None, Some("nonsense")), None);
    }
}
