//! Tests of the parser: what is accepted, where nodes stand, and how what is wrong is explained.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use terrane_model::{FileId, Step};

use super::{parse_expression, parse_template};
use crate::ast::MAX_DEPTH;
use crate::origin::{OffsetMap, Origin};

fn origin() -> Origin {
    Origin::linear(FileId(0), 0)
}

/// The first message and the text that it underlines.
fn refused(text: &str) -> (String, String) {
    let problems = parse_expression(text, &origin()).expect_err(text);
    let span = problems[0].span.unwrap();
    (problems[0].detail.clone(), text[span.start as usize..span.end as usize].to_owned())
}

fn references(text: &str) -> Vec<String> {
    let expr = parse_template(text, &origin()).unwrap();
    expr.references()
        .map(|(reference, span, steps)| {
            let steps: Vec<String> = steps
                .iter()
                .map(|step| match step {
                    Step::Attribute(name) => format!(".{name}"),
                    Step::Key(key) => format!("[{key:?}]"),
                    Step::Index(index) => format!("[{index}]"),
                    Step::Element(_) => "?".into(),
                })
                .collect();
            format!("{reference} {} @{}..{}", steps.concat(), span.start, span.end)
        })
        .collect()
}

#[test]
fn references_are_found_with_place_and_steps() {
    assert_eq!(references("${aws_kms_key.db_key.arn}"), ["aws_kms_key.db_key .arn @2..20"]);
    assert_eq!(
        references("${aws_dynamodb_table.tables[\"Post\"].arn}-${var.a[0][local.i].x}"),
        ["aws_dynamodb_table.tables [\"Post\"].arn @2..27", "var.a [0] @43..48", "local.i  @52..59",]
    );
    assert_eq!(
        references("${module.m.out.x} ${module.n[0].out}"),
        ["module.m.out .x @2..14", "module.n [0].out @20..28"]
    );
    assert_eq!(references("${data.aws_region.here.name}"), ["data.aws_region.here .name @2..22"]);
    assert_eq!(references("${self.id} ${each.value.pk}"), ["self .id @2..6", "each.value .pk @13..23"]);
    assert_eq!(references("${terrane.workspace}"), ["terraform.workspace  @2..19"]);
}

#[test]
fn names_that_a_for_binds_are_no_references() {
    let text = "${[for k, v in var.m : \"${k}=${v.a}\" if v.b]}";
    assert_eq!(references(text), ["var.m  @15..20"]);
    let nested = "%{ for x in local.xs }%{ if x.on }${x}%{ endif }%{ endfor }";
    assert_eq!(references(nested), ["local.xs  @12..20"]);
    assert!(parse_expression("[for x in x : x]", &origin()).is_err(), "the collection does not see the name");
}

#[test]
fn places_are_those_of_the_file() {
    let mut map = OffsetMap::linear(100);
    map.resume(1, 102);
    let origin = Origin { file: FileId(7), map };
    let expr = parse_template("\n${var.a}", &origin).unwrap();
    let (_, span, _) = expr.references().next().unwrap();
    assert_eq!((span.file, span.start, span.end), (FileId(7), 104, 109));
}

#[test]
fn mistakes_are_explained_where_they_are() {
    let mut wrong = Vec::new();
    for (text, says, underlines) in [
        ("", "there is none", ""),
        ("1 +", "the end of the text", ""),
        ("(1", "`)` is expected", ""),
        ("[1 2]", "`]` is expected", "2"),
        ("upper(\"a\"", "`)` is expected", ""),
        ("var.list[0", "`]` is expected", ""),
        ("'a'", "double quotes", "'"),
        (".5", "digit before", "."),
        ("var.", "name of an attribute", ""),
        ("\"a", "`\"` is expected", ""),
        ("\"\\x\"", "The escapes are", "\\x"),
        ("\"a\nb\"", "Write `\\n`", "\n"),
        ("\"${}\"", "expected between", "}"),
        ("{ a = 1 b = 2 }", "`,` or a new line", "b"),
        ("{ a }", "`=` or `:`", "}"),
        ("{ local.a = 1 }", "in parentheses", "local.a"),
        ("[for x in [1] : x => x]", "makes an object", "="),
        ("{ for x in [1] : x }", "`=>` is expected", "}"),
        ("[for x of [1] : x]", "The word `in`", "o"),
        ("1 ? 2", "needs a `:`", ""),
        ("1 b", "more text behind it", "b"),
        ("1 | 2", "bitwise", "|"),
        ("foo", "is no reference", "foo"),
        ("True", "is no reference", "True"),
        ("var", "must be followed by the name of a variable", "var"),
        ("each.kye", "There is no `each.kye`", ".kye"),
        ("path.here", "`path.module`", ".here"),
        ("terraform.env", "`terraform.workspace`", ".env"),
        ("data.x", "a type and a name", "data"),
        ("var.a.*.b.*.c", "", "*"),
        ("[[1]].0.1", "read as one fraction", "."),
        ("f([]...,1)", "`)` is expected", ","),
        ("a::b", "arguments in parentheses", ""),
        ("1e99999999", "too many digits", "1"),
        ("\"%{ if true }a\"", "`%{ endif }`", "\""),
        ("\"%{ for x in [] }a%{ endif }\"", "`%{ endfor }`", "%{ endif"),
        ("\"%{ endif }\"", "no `%{ if }`", "%{ endif"),
        ("\"%{ while }\"", "The directives are", "w"),
    ] {
        let (detail, place) = refused(text);
        if !detail.contains(says) || place != underlines {
            wrong.push(format!("{text}: {place:?} {detail}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_references_are_all_reported() {
    let problems = parse_expression("[foo, each.x, path.y]", &origin()).unwrap_err();
    assert_eq!(problems.len(), 3);
    assert_eq!(problems[0].code, "invalid-reference");
    let hint = &parse_expression("True", &origin()).unwrap_err()[0].hints;
    assert!(hint[0].contains("`true`"), "{hint:?}");
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", "}"),
        ("\"${", "}\""),
        ("f(", ")"),
        ("-", ""),
        ("!", ""),
        ("[for x in ", ": x]"),
        ("true ? ", ": 1"),
        ("true ? 1 : ", ""),
        ("var.a[", "]"),
        ("var.a[*]", ""),
        ("\"%{ if ", "}%{ endif }\""),
        ("f(<<A\n${", "}\nA\n)"),
    ] {
        let fine = nested(open, "1", close, 20);
        if open != "var.a[*]" {
            assert!(parse_expression(&fine, &origin()).is_ok(), "{fine}");
        }
        for depth in [MAX_DEPTH + 1, 1_000, 20_000] {
            let problems = parse_expression(&nested(open, "1", close, depth), &origin()).unwrap_err();
            assert!(!problems.is_empty(), "{open} {depth}");
        }
    }
    let sum = format!("1{}", " + 1".repeat(20_000));
    assert!(parse_expression(&sum, &origin()).is_ok());
    let steps = format!("var.a{}", ".b".repeat(20_000));
    assert!(parse_expression(&steps, &origin()).is_ok());
    let splats = format!("var.a{}", "[*]".repeat(MAX_DEPTH + 1));
    assert_eq!(parse_expression(&splats, &origin()).unwrap_err()[0].code, "expression-too-deep");
}

#[test]
fn time_is_linear_in_the_length() {
    let start = Instant::now();
    let long = [
        format!("\"{}\"", "a".repeat(2_000_000)),
        format!("[{}]", "1,".repeat(200_000)),
        format!("\"{}\"", "${1}".repeat(100_000)),
        format!("\"{}\"", "$${".repeat(300_000)),
        format!("{{{}}}", "a=1\n".repeat(100_000)),
        format!("1 {}", "/* x */ ".repeat(100_000)),
    ];
    for text in &long {
        assert!(parse_expression(text, &origin()).is_ok(), "{}", &text[..20]);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Pieces of which random expressions are made: more of them parse than of random letters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "1", "\"a\"", "var.x", "local.y", "[", "]", "{", "}", "(", ")", ",", ".", "*", "[*]", ".a", "=",
        "=>", ":", "?", "+", "-", "!", "&&", "==", "for", "in", "if", " ", "\n", "x", "\"", "${", "%{", "~}",
        "}", "endif", "endfor", "else", "...", "upper(", "try(", "<<A\n", "A\n", "#", "//", "/*", "*/", "\\",
        "\\u00e9", "é", "0", "1e5", "::",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![pieces(), ".{0,60}"]) {
        for parse in [parse_expression, parse_template] {
            match parse(&text, &origin()) {
                Ok(expr) => prop_assert!(expr.span().end as usize <= text.len()),
                Err(problems) => {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        let span = problem.span.expect("a place");
                        prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?}", problem);
                    }
                }
            }
        }
    }
}
