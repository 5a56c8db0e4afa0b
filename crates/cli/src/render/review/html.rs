//! A document as one page: no network, nothing from outside, readable without its script.
//!
//! INVARIANT: every text goes through [`html`]; styles and the script are constants, and the page's own policy admits only
//! them, by their digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use terrane_model::Action;

use super::document::{Block, Document, Folded, Inline, Line, Section, Table, Tone, shortened, word};
use super::escape::html;
use crate::render::drawing::graph::Graph;
use crate::render::drawing::svg::{class, sign, within_a_page};

const STYLE: &str = concat!(include_str!("../drawing/graph.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("page.js");
/// A graph of more boxes is not drawn: nobody could read it.
const MOST_BOXES: usize = 3_000;

/// The page. `graph` is drawn behind the table of changes; `told_by` says which details a change of the plan has.
pub fn page(document: &Document, graph: &Graph, told_by: impl Fn(usize) -> Option<String>) -> String {
    let title = match document.title.is_empty() {
        true => "Terrane plan".to_owned(),
        false => format!("Terrane plan · {}", shortened(&document.title, 100)),
    };
    let mut main = String::new();
    for block in &document.lead {
        main.push_str(&written(block));
    }
    let drawn = drawing(graph, told_by);
    let behind = document.sections.iter().position(|section| section.id == "changes");
    for (i, part) in document.sections.iter().enumerate() {
        main.push_str(&section(part));
        if Some(i) == behind {
            main.push_str(&drawn);
        }
    }
    if behind.is_none() {
        main.push_str(&drawn);
    }
    let closing: Vec<String> = document.closing.iter().map(|line| inlines(line)).collect();
    let heading = Heading {
        title: &title,
        totals: &document.totals,
        skip: ("changes", "To the changes"),
        chips: &chips(document),
        filters: "Show only these actions",
        search: "Find an object",
    };
    whole(&heading, &main, &closing)
}

/// What stands above a page, and the filters in it.
pub struct Heading<'a> {
    /// The title.
    pub title: &'a str,
    /// The sentence that sums it up.
    pub totals: &'a str,
    /// The id of what a keyboard can jump to at once, and what that is called.
    pub skip: (&'a str, &'a str),
    /// Filters: the name that rows carry, the class of its colours, how many.
    pub chips: &'a [(&'a str, &'a str, usize)],
    /// What the filters are for.
    pub filters: &'a str,
    /// What can be found by a part of its name.
    pub search: &'a str,
}

/// A whole page around `main`, which is markup, as the lines of `closing` are.
pub fn whole(heading: &Heading<'_>, main: &str, closing: &[String]) -> String {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        html(&policy),
        html(heading.title)
    );
    out.push_str(&header(heading));
    out.push_str(&format!("<main>\n{main}</main>\n<footer>\n"));
    for line in closing {
        out.push_str(&format!("<p>{line}</p>\n"));
    }
    out.push_str(&format!("</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    out
}

fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// How many rows there are of each kind of change.
fn chips(document: &Document) -> Vec<(&'static str, &'static str, usize)> {
    let mut counts: Vec<(&'static str, &'static str, usize)> = Vec::new();
    let actions = [
        Action::Delete,
        Action::DeleteThenCreate,
        Action::CreateThenDelete,
        Action::Forget,
        Action::Update,
        Action::Create,
        Action::Read,
    ];
    let rows = || document.sections.iter().filter(|s| s.id == "changes").flat_map(|s| &s.blocks);
    for action in actions {
        let of_table = |block: &Block| match block {
            Block::Table(table) => table.rows.iter().filter(|row| row.action == Some(action)).count(),
            _ => 0,
        };
        let count: usize = rows().map(of_table).sum();
        match counts.iter_mut().find(|(name, ..)| *name == word(action)) {
            Some((.., all)) => *all += count,
            None => counts.push((word(action), class(action), count)),
        }
    }
    counts.retain(|(.., count)| *count > 0);
    counts
}

fn header(heading: &Heading<'_>) -> String {
    let mut out = format!(
        "<a class=\"skip\" href=\"#{}\">{}</a>\n<header>\n<h1>{}</h1>\n<p class=\"totals\">{}</p>\n",
        html(heading.skip.0),
        html(heading.skip.1),
        html(heading.title),
        html(heading.totals)
    );
    let buttons: Vec<String> = heading
        .chips
        .iter()
        .map(|(name, class, count)| {
            format!(
                "<button type=\"button\" class=\"chip {class}\" aria-pressed=\"false\" data-filter=\"{name}\">{name} \
                 <b>{count}</b></button>"
            )
        })
        .collect();
    if !buttons.is_empty() {
        let (filters, search) = (html(heading.filters), html(heading.search));
        out.push_str(&format!(
            "<div class=\"tools\" hidden>\n<div class=\"filters\" role=\"group\" aria-label=\"{filters}\">{}</div>\n\
             <input type=\"search\" placeholder=\"{search} ( / )\" aria-label=\"{search}\">\n\
             <button type=\"button\" data-open=\"true\">Open all</button><button type=\"button\" data-open=\"false\">Close \
             all</button>\n<p class=\"found\" role=\"status\"></p>\n</div>\n",
            buttons.join("")
        ));
    }
    out.push_str("</header>\n");
    out
}

fn drawing(graph: &Graph, told_by: impl Fn(usize) -> Option<String>) -> String {
    if graph.nodes.len() < 2 {
        return String::new();
    }
    let head = "<section id=\"graph\">\n<h2>Graph</h2>\n";
    if graph.nodes.len() > MOST_BOXES {
        let count = graph.nodes.len();
        return format!("{head}<p>{count} resources are too many for a picture.</p>\n</section>\n");
    }
    let picture = within_a_page(graph, |node| node.told_by.and_then(&told_by));
    format!(
        "{head}<p class=\"hint\">What is needed stands to the left of what needs it. A box leads to its details.</p>\n\
         <div class=\"canvas\" tabindex=\"0\" role=\"group\" aria-label=\"Graph; arrow keys move it, plus and minus zoom, 0 \
         fits it in\">\n{picture}</div>\n<div class=\"zoom\" hidden><button type=\"button\" data-zoom=\"in\" \
         aria-label=\"Zoom in\">+</button><button type=\"button\" data-zoom=\"out\" aria-label=\"Zoom out\">−</button><button \
         type=\"button\" data-zoom=\"fit\">Fit</button></div>\n</section>\n"
    )
}

fn section(section: &Section) -> String {
    let inside: String = section.blocks.iter().map(written).collect();
    format!("<section id=\"{}\">\n<h2>{}</h2>\n{inside}</section>\n", html(section.id), html(&section.title))
}

/// A block as markup.
pub fn written(block: &Block) -> String {
    match block {
        Block::Paragraph(line) => format!("<p>{}</p>\n", inlines(line)),
        Block::Notice(tone, lines) => {
            let (class, name) = match tone {
                Tone::Note => ("note", "Note"),
                Tone::Good => ("good", "Good"),
                Tone::Warning => ("warning", "Warning"),
                Tone::Danger => ("danger", "Caution"),
            };
            let lines: Vec<String> = lines.iter().map(|line| format!("<p>{}</p>", inlines(line))).collect();
            format!(
                "<div class=\"notice {class}\" role=\"note\"><b class=\"tone\">{name}</b>{}</div>\n",
                lines.concat()
            )
        }
        Block::List(points) => {
            let points: String =
                points.iter().map(|point| format!("<li>{}</li>\n", inlines(point))).collect();
            format!("<ul>\n{points}</ul>\n")
        }
        Block::Table(table) => rows(table),
        Block::Lines(all) => lines(all),
        Block::Folded(folded) => open(folded),
    }
}

fn rows(table: &Table) -> String {
    let head: String =
        table.head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", html(cell))).collect();
    let mut out = format!("<div class=\"wide\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let cells: String = row.cells.iter().map(|cell| format!("<td>{}</td>", inlines(cell))).collect();
        out.push_str(&format!("<tr{}>{cells}</tr>\n", data(row.action, &row.name)));
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

/// What filters look at.
fn data(action: Option<Action>, name: &str) -> String {
    action.map_or_else(String::new, |action| {
        format!(" class=\"item\" data-action=\"{}\" data-name=\"{}\"", word(action), html(name))
    })
}

fn open(folded: &Folded) -> String {
    let inside: String = folded.blocks.iter().map(written).collect();
    format!(
        "<details id=\"{}\"{}>\n<summary>{}</summary>\n{inside}</details>\n",
        html(&folded.id),
        data(folded.action, &folded.name),
        inlines(&folded.summary)
    )
}

fn lines(all: &[Line]) -> String {
    let mut out = String::from("<pre class=\"lines\" tabindex=\"0\">");
    for line in all {
        let (class, sign) = match line.action {
            Action::Create => ("add", "+"),
            Action::Delete => ("del", "-"),
            Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete => ("mod", "~"),
            Action::NoOp | Action::Read | Action::Forget => ("", " "),
        };
        let text = html(&line.text);
        // What forces a new object is the one thing not to be overlooked.
        let text = text.replace("# forces replacement", "<em># forces replacement</em>");
        match class {
            "" => out.push_str(&format!("<span>{sign}{text}</span>")),
            class => out.push_str(&format!("<span class=\"{class}\">{sign}{text}</span>")),
        }
    }
    out.push_str("</pre>\n");
    out
}

/// A line as markup.
pub fn inlines(all: &[Inline]) -> String {
    let one = |inline: &Inline| match inline {
        Inline::Text(text) => html(text),
        Inline::Strong(text) => format!("<b>{}</b>", html(text)),
        Inline::Code(text) => format!("<code>{}</code>", html(text)),
        Inline::Link { name, to } => format!("<a href=\"#{}\"><code>{}</code></a>", html(to), html(name)),
        Inline::Action(action) => {
            let (class, sign) = (class(*action), html(sign(*action)));
            format!("<span class=\"tag {class}\"><i aria-hidden=\"true\">{sign}</i>{}</span>", word(*action))
        }
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan_text::tests::{change, planned};
    use crate::render::review::changes::id;
    use crate::render::review::contents::{About, document};
    use crate::render::review::markdown::tests::{SECRET, changes, hostile};
    use proptest::prelude::*;
    use terrane_model::{Key, ResourceAddress, Value};
    use terrane_plan::Change;
    use terrane_plan::plan::Mode;

    #[test]
    fn a_page_holds_the_plan_and_no_secret() {
        let value = |input: Value| {
            let null = Value::null(terrane_model::Type::Any);
            Value::object([
                ("id", Value::from("x")),
                ("input", input.clone()),
                ("output", input),
                ("triggers_replace", null),
            ])
        };
        let hostile = "</pre><script>alert(1)</script>\"'";
        let address =
            ResourceAddress::managed("terraform_data", "a").instance(Some(Key::Name(hostile.into())));
        let both = Value::tuple([Value::from(hostile), Value::from("hunter2").sensitive()]);
        let made = Change { address, ..change("a.b", Action::Create, None, Some(value(both))) };
        let gone = change("terraform_data.b", Action::Delete, Some(value(Value::from(1))), None);
        let plan = planned(Mode::Normal, vec![made, gone]);
        let about = About { title: Some(hostile.into()), ..About::default() };
        let document = document(&plan, &about, vec![], &crate::session::catalog());
        let page = page(&document, &Graph::of_plan(&plan), |i| plan.changes.get(i).map(id));
        assert!(!page.contains("hunter2") && page.contains("(sensitive value)"));
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        for (i, _) in page.match_indices("href=\"") {
            assert!(page[i + 6..].starts_with('#'), "{}", &page[i..i + 40]);
        }
        for outside in ["src=", "url(", "@import", "http:"] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(outside);
            assert!(!found, "{outside}");
        }
        // Every link leads somewhere.
        for part in page.split("href=\"#").skip(1) {
            let to = part.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{to}\"")), "{to}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_that_users_write_becomes_markup(
            changes in changes(),
            texts in proptest::collection::vec(hostile(), 3),
        ) {
            let mut plan = planned(Mode::Normal, changes);
            plan.workspace = texts[0].clone().into();
            let about = About {
                title: Some(texts[0].clone()),
                file: Some(texts[1].clone()),
                warnings: vec![texts[2].clone()],
                ..About::default()
            };
            let document = document(&plan, &about, vec![], &crate::session::catalog());
            let page = page(&document, &Graph::of_plan(&plan), |i| plan.changes.get(i).map(id));
            prop_assert!(!page.contains(SECRET));
            let body = page.replace(SCRIPT, "").replace(STYLE, "");
            let tags = regex::Regex::new("<[^>]*>").unwrap();
            let name = regex::Regex::new("^</?([a-z0-9!]+)").unwrap();
            let ours = [
                "!doctype", "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "p", "div",
                "button", "b", "input", "main", "section", "table", "thead", "tbody", "tr", "th", "td", "code", "span",
                "i", "details", "summary", "pre", "em", "ul", "li", "footer", "script", "svg", "g", "path", "rect",
                "text",
            ];
            for tag in tags.find_iter(&body) {
                let found = name.captures(tag.as_str()).map(|found| found[1].to_owned());
                prop_assert!(found.as_deref().is_some_and(|name| ours.contains(&name)), "{}", tag.as_str());
            }
            prop_assert_eq!(body.matches("<script").count(), 1);
        }
    }
}
