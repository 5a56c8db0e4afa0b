//! Findings and messages as SARIF 2.1.0, for tools that show them beside the code.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use terrane_model::{Diagnostic, Sources, Span};
use terrane_plan::lint::{Finding, Grade, Report, Rule};

/// Where the published schema is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How many addresses of a finding are named.
const NAMED: usize = 20;

/// What is written down.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// Findings of the lint.
    pub report: &'a Report,
    /// Errors and warnings.
    pub diagnostics: &'a [Diagnostic],
    /// The files that both point into.
    pub sources: &'a Sources,
    /// What leads from where addresses count from, such as the repository, to the stack.
    pub folder: &'a Path,
    /// The program's version.
    pub version: &'a str,
}

/// The document.
pub fn document(contents: &Contents<'_>) -> Json {
    let mut rules = Rules::default();
    let findings: Vec<Json> =
        contents.report.findings.iter().map(|finding| of_finding(finding, contents, &mut rules)).collect();
    let messages = contents.diagnostics.iter().chain(&contents.report.remarks);
    let messages: Vec<Json> = messages.map(|message| of_message(message, contents, &mut rules)).collect();
    let results = [findings, messages].concat();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Terrane",
                "version": contents.version,
                "rules": rules.all,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// The rules that results refer to by their place in the list.
#[derive(Default)]
struct Rules {
    all: Vec<Json>,
    places: BTreeMap<&'static str, usize>,
}

impl Rules {
    fn place(&mut self, id: &'static str, describe: impl FnOnce() -> Json) -> usize {
        let next = self.all.len();
        let place = *self.places.entry(id).or_insert(next);
        if place == next {
            self.all.push(describe());
        }
        place
    }
}

fn level(grade: Grade) -> &'static str {
    match grade {
        Grade::Low => "note",
        Grade::Medium => "warning",
        Grade::High => "error",
    }
}

/// How GitHub sorts security findings: a number from 0 to 10.
fn severity(grade: Grade) -> &'static str {
    match grade {
        Grade::Low => "3.0",
        Grade::Medium => "5.5",
        Grade::High => "8.0",
    }
}

fn of_rule(rule: &Rule) -> Json {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": format!("{}.", rule.summary) },
        "fullDescription": { "text": rule.reason },
        "help": { "text": rule.remedy },
        "defaultConfiguration": { "level": level(rule.grade) },
        "properties": { "tags": ["security"], "security-severity": severity(rule.grade) },
    })
}

fn of_finding(finding: &Finding, contents: &Contents<'_>, rules: &mut Rules) -> Json {
    let rule = finding.rule;
    let index = rules.place(rule.id, || of_rule(rule));
    let names: Vec<String> = finding.addresses.iter().map(ToString::to_string).collect();
    let text = [format!("{}: {}.", rule.summary, shown(&names)), finding.detail.clone()].join(" ");
    let mut result = json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": level(rule.grade),
        "message": { "text": text.trim_end() },
        "partialFingerprints": { "terrane/v1": fingerprint(&[rule.id, &finding.argument, &names.join("\n")]) },
    });
    if let Some(object) = result.as_object_mut() {
        object.insert("locations".to_owned(), locations(finding.span, &names, contents));
        if let Some(reason) = &finding.silenced {
            let suppression =
                json!([{ "kind": "inSource", "status": "accepted", "justification": reason.as_ref() }]);
            object.insert("suppressions".to_owned(), suppression);
        }
    }
    result
}

fn of_message(message: &Diagnostic, contents: &Contents<'_>, rules: &mut Rules) -> Json {
    let level = if message.is_error() { "error" } else { "warning" };
    let index = rules.place(message.code, || {
        json!({
            "id": message.code,
            "shortDescription": { "text": format!("{}.", message.summary) },
            "defaultConfiguration": { "level": level },
        })
    });
    let texts = std::iter::once(&message.detail).chain(&message.hints).filter(|text| !text.is_empty());
    let detail = texts.map(String::as_str).collect::<Vec<_>>().join("\n");
    let text = if detail.is_empty() { format!("{}.", message.summary) } else { detail };
    let names: Vec<String> = message.address.iter().map(ToString::to_string).collect();
    json!({
        "ruleId": message.code,
        "ruleIndex": index,
        "level": level,
        "message": { "text": text },
        "locations": locations(message.span, &names, contents),
        "partialFingerprints": { "terrane/v1": fingerprint(&[message.code, &names.join("\n"), &message.detail]) },
    })
}

fn shown(names: &[String]) -> String {
    match names.get(NAMED..).filter(|rest| !rest.is_empty()) {
        Some(rest) => {
            let first = names.get(..NAMED).unwrap_or(names);
            format!("{} and {} more", first.join(", "), rest.len())
        }
        None => names.join(", "),
    }
}

fn fingerprint(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// One location, or none where neither a place nor an object is known.
fn locations(span: Option<Span>, names: &[String], contents: &Contents<'_>) -> Json {
    let mut location = serde_json::Map::new();
    if let Some(physical) = span.and_then(|span| physical(span, contents)) {
        location.insert("physicalLocation".to_owned(), physical);
    }
    if !names.is_empty() {
        let logical = |name: &String| json!({ "fullyQualifiedName": name, "kind": "resource" });
        let all: Vec<Json> = names.iter().take(NAMED).map(logical).collect();
        location.insert("logicalLocations".to_owned(), all.into());
    }
    if location.is_empty() { json!([]) } else { json!([location]) }
}

fn physical(span: Span, contents: &Contents<'_>) -> Option<Json> {
    let Contents { sources, folder, .. } = contents;
    let file = sources.get(span.file)?;
    let (start, end) = (sources.position(span.file, span.start)?, sources.position(span.file, span.end)?);
    // A region without width is refused.
    let end_column = if start.line == end.line { end.column.max(start.column + 1) } else { end.column };
    Some(json!({
        "artifactLocation": { "uri": uri(&folder.join(file.name.as_ref())), "uriBaseId": "%SRCROOT%" },
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end_column,
        },
    }))
}

/// A path as a relative reference: with `/`, and everything escaped that has a meaning there.
fn uri(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment = |text: &str| -> String {
        let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(one).collect()
    };
    let segments = path.components().filter_map(|component| match component {
        Component::Normal(text) => Some(segment(&text.to_string_lossy())),
        Component::ParentDir => Some("..".to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use terrane_model::FileId;
    use terrane_plan::lint::RULES;

    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("terrane.toml", "[a]\nb = 'é'\nc = 1\n");
        sources
    }

    fn written(findings: Vec<Finding>, diagnostics: &[Diagnostic]) -> Json {
        let report = Report { findings, remarks: vec![] };
        document(&Contents {
            report: &report,
            diagnostics,
            sources: &sources(),
            folder: Path::new("stacks/a b"),
            version: "1.2.3",
        })
    }

    fn finding(silenced: Option<&str>) -> Finding {
        Finding {
            rule: RULES[0],
            addresses: vec!["aws_dynamodb_table.t[\"x\"]".parse().unwrap()],
            argument: "server_side_encryption".to_owned(),
            span: Some(Span::new(FileId(0), 4, 12)),
            detail: "It is so.".to_owned(),
            silenced: silenced.map(Into::into),
        }
    }

    #[test]
    fn findings_are_results_with_rules_places_and_suppressions() {
        let json = written(vec![finding(None), finding(Some("a demo"))], &[]);
        let run = &json["runs"][0];
        assert_eq!((&json["version"], &run["columnKind"]), (&json!("2.1.0"), &json!("unicodeCodePoints")));
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1, "each rule once");
        let results = run["results"].as_array().unwrap();
        for result in results {
            assert_eq!(
                result["ruleId"],
                rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"]
            );
        }
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "stacks/a%20b/terrane.toml");
        assert_eq!(
            place["region"],
            json!({ "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 8 })
        );
        assert_eq!(results[0].get("suppressions"), None);
        assert_eq!(results[1]["suppressions"][0]["justification"], "a demo");
        assert_eq!(results[0]["partialFingerprints"], results[1]["partialFingerprints"]);
    }

    #[test]
    fn messages_are_results_also_without_a_place() {
        let error = Diagnostic::error("some-code", "Something wrong", "It is wrong.").hint("Put it right.");
        let json = written(vec![], &[error]);
        let result = &json["runs"][0]["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&json!("some-code"), &json!("error")));
        assert_eq!(result["message"]["text"], "It is wrong.\nPut it right.");
        assert_eq!(result["locations"], json!([]));
    }

    #[test]
    fn paths_are_relative_references() {
        assert_eq!(uri(Path::new("./a/ä#.toml")), "a/%C3%A4%23.toml");
        assert_eq!(uri(Path::new("../x.toml")), "../x.toml");
    }
}
