//! The matrix of access as one page, in the style of the review: the same styles, script and filters, and nothing from
//! outside.
//!
//! INVARIANT: every text goes through [`html`] or [`inlines`].

use terrane_access::Right;
use terrane_access::estate::Estate;

use super::access_view::{label, notes};
use super::review::document::{Block, Inline, Tone};
use super::review::escape::html;
use super::review::html::{Heading, inlines, whole, written};

/// The name of a filter, and the class of its colours.
const ALLOWED: (&str, &str) = ("allowed", "create");
const DEPENDS: (&str, &str) = ("depends", "update");

/// What the page is made from.
pub struct Contents<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// The resources with the actions that were asked for.
    pub resources: &'a [(String, Vec<String>)],
    /// The answers that are not a sure no.
    pub rights: &'a [Right],
    /// How many questions were answered.
    pub asked: usize,
    /// Objects that are not looked at.
    pub overlooked: &'a [String],
}

/// Rights of one principal on one resource with the same answer.
struct Row<'r> {
    principal: String,
    kind: (&'static str, &'static str),
    actions: Vec<&'r str>,
    depends: Vec<&'r str>,
}

/// The page.
pub fn page(contents: &Contents<'_>) -> String {
    let Contents { estate, resources, rights, asked, .. } = contents;
    let mut by_resource: Vec<(usize, &Right)> = Vec::new();
    let places: std::collections::HashMap<&str, usize> =
        resources.iter().enumerate().map(|(place, (arn, _))| (arn.as_str(), place)).collect();
    by_resource
        .extend(rights.iter().filter_map(|right| Some((*places.get(right.resource.as_str())?, right))));
    by_resource.sort_by_key(|(place, right)| (*place, right.principal));
    let mut rest = by_resource.as_slice();
    let (mut main, mut counts) = (String::new(), [0_usize; 2]);
    let lines: Vec<Vec<Inline>> =
        notes(estate, contents.overlooked).into_iter().map(|note| vec![Inline::Text(note)]).collect();
    if !lines.is_empty() {
        main.push_str(&written(&Block::Notice(Tone::Warning, lines)));
    }
    main.push_str("<section id=\"matrix\">\n<h2>Who can do what</h2>\n");
    for (place, (arn, _)) in resources.iter().enumerate() {
        let end = rest.iter().position(|(other, _)| *other != place).unwrap_or(rest.len());
        let (here, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = after;
        let rows = rows(estate, here);
        for row in &rows {
            let [allowed, depends] = &mut counts;
            *if row.kind == ALLOWED { allowed } else { depends } += 1;
        }
        main.push_str(&resource(estate, place, arn, &rows));
    }
    main.push_str("</section>\n");
    let [allowed, depends] = counts;
    let chips = [(ALLOWED.0, ALLOWED.1, allowed), (DEPENDS.0, DEPENDS.1, depends)];
    let account =
        estate.account.as_deref().map(|account| format!(" · account {account}")).unwrap_or_default();
    let title = format!("Terrane access{account}");
    let totals = format!(
        "{} principals, {} resources: {} of {asked} questions are not denied.",
        estate.principals.len(),
        resources.len(),
        rights.len()
    );
    let heading = Heading {
        title: &title,
        totals: &totals,
        skip: ("matrix", "To the table"),
        chips: &chips,
        filters: "Show only these answers",
        search: "Find a principal, a resource or an action",
    };
    let closing = [inlines(&[
        Inline::Text("What is not named is denied. ".to_owned()),
        Inline::Code("terrane access explain PRINCIPAL ACTION RESOURCE".to_owned()),
        Inline::Text(" shows every statement that led to an answer.".to_owned()),
    ])];
    whole(&heading, &main, &closing)
}

fn rows<'r>(estate: &Estate, rights: &[(usize, &'r Right)]) -> Vec<Row<'r>> {
    let mut rows: Vec<(usize, Row<'r>)> = Vec::new();
    for (_, right) in rights {
        let kind = if right.depends.is_empty() { ALLOWED } else { DEPENDS };
        let depends: Vec<&str> = right.depends.iter().map(String::as_str).collect();
        let same = |(number, row): &&mut (usize, Row<'_>)| {
            *number == right.principal && row.kind == kind && row.depends == depends
        };
        match rows.iter_mut().rev().take(8).find(same) {
            Some((_, row)) => row.actions.push(&right.action),
            None => {
                let principal = estate.principals.get(right.principal).map(label).unwrap_or_default();
                rows.push((right.principal, Row { principal, kind, actions: vec![&right.action], depends }));
            }
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn resource(estate: &Estate, place: usize, arn: &str, rows: &[Row<'_>]) -> String {
    let name = estate.label_of(arn);
    let summary = inlines(&[
        Inline::Code(name.to_owned()),
        Inline::Text(match rows.len() {
            0 => ": nobody".to_owned(),
            1 => ": 1 row".to_owned(),
            many => format!(": {many} rows"),
        }),
    ]);
    let open = if rows.is_empty() { "" } else { " open" };
    let mut out = format!("<details id=\"resource-{place}\"{open}>\n<summary>{summary}</summary>\n");
    if !rows.is_empty() {
        out.push_str(
            "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Who</th><th scope=\"col\"></th>\
             <th scope=\"col\">What</th><th scope=\"col\">Depending on</th></tr></thead>\n<tbody>\n",
        );
        for row in rows {
            out.push_str(&written_row(name, row));
        }
        out.push_str("</tbody>\n</table></div>\n");
    }
    out.push_str("</details>\n");
    out
}

fn written_row(resource: &str, row: &Row<'_>) -> String {
    let (word, class) = row.kind;
    let sign = if row.kind == ALLOWED { "✓" } else { "?" };
    let actions = row.actions.join(", ");
    let code = |text: &str| inlines(&[Inline::Code(text.to_owned())]);
    format!(
        "<tr class=\"item\" data-action=\"{word}\" data-name=\"{}\"><td>{}</td><td><span class=\"tag {class}\">\
         <i aria-hidden=\"true\">{sign}</i>{word}</span></td><td>{}</td><td>{}</td></tr>\n",
        html(&format!("{} {resource} {actions}", row.principal)),
        code(&row.principal),
        code(&actions),
        html(&row.depends.join(", "))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_access::reach::resources;
    use terrane_access::{Item, Matrix, matrix};
    use terrane_model::Value;

    fn page_of(policy: &str, user: &str) -> String {
        let texts = |pairs: &[(&'static str, &str)]| {
            Value::object(pairs.iter().map(|(name, text)| (*name, Value::from(*text))).collect::<Vec<_>>())
        };
        let arn = format!("arn:aws:iam::123456789012:user/{user}");
        let table = texts(&[("arn", "arn:aws:dynamodb:eu-west-3:123456789012:table/T"), ("name", "T")]);
        let who = texts(&[("arn", &arn), ("name", user)]);
        let inline = texts(&[("user", user), ("name", "p"), ("policy", policy)]);
        let items = [
            ("aws_dynamodb_table.t", "aws_dynamodb_table", &table),
            ("aws_iam_user.u", "aws_iam_user", &who),
            ("aws_iam_user_policy.p", "aws_iam_user_policy", &inline),
        ];
        let items = items.map(|(address, type_name, value)| Item {
            address,
            type_name,
            value,
            place: None,
            account: None,
        });
        let estate = Estate::new(items, Some("123456789012"));
        let resources = resources(&estate);
        let Matrix { rights, asked } = matrix(&estate, &resources);
        page(&Contents { estate: &estate, resources: &resources, rights: &rights, asked, overlooked: &[] })
    }

    #[test]
    fn answers_stand_in_rows_that_filters_find() {
        let page = page_of(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"},
            {"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#,
            "ann",
        );
        assert!(page.contains(
            "data-action=\"allowed\" data-name=\"aws_iam_user.u aws_dynamodb_table.t dynamodb:GetItem\""
        ));
        assert!(page.contains(
            "data-action=\"depends\" data-name=\"aws_iam_user.u aws_dynamodb_table.t dynamodb:PutItem\""
        ));
        assert!(page.contains("<td>aws:SourceIp</td>"));
        assert_eq!(page.matches("<script").count(), 1);
        for outside in ["src=", "url(", "@import", "http:"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_users_write_is_no_markup() {
        let hostile = "</td><script>alert(1)</script>\"'";
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{}":"x"}}}}}}]}}"#,
            "</td><script>x"
        );
        let page = page_of(&policy, hostile);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
    }
}
