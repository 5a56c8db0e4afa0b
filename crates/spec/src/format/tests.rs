use proptest::prelude::*;
use terrane_model::FileId;

use super::*;

fn formatted(text: &str) -> String {
    format(FileId(0), text, Strings::Templates).unwrap()
}

#[test]
fn blank_space_is_laid_out_and_nothing_else() {
    let text = "  # about\n\n\n\na=1   # one\nlonger  =  'x'\n[ resource . a.\"b c\" ]#why\ncount=2\nx.y = {a=1,b={}}\n\n# of the array\nlist=[ 1,2 , 3 ]\nmany = [\n1, # one\n\n\n  [ 2,\n3 ],\n\n]\nd = 1979-05-27 07:32:00\n# next\n[[moved]]\nfrom='a'\n\n\n";
    let wanted = "# about\n\na      = 1 # one\nlonger = 'x'\n\n[resource.a.\"b c\"] #why\ncount = 2\nx.y   = { a = 1, b = {} }\n\n# of the array\nlist = [1, 2, 3]\nmany = [\n  1, # one\n\n  [2,\n    3],\n]\nd = 1979-05-27 07:32:00\n\n# next\n[[moved]]\nfrom = 'a'\n";
    assert_eq!(formatted(text), wanted);
    assert_eq!(formatted(wanted), wanted);
}

#[test]
fn expressions_in_strings() {
    for (given, wanted) in [
        ("'${ var.a }'", "'${var.a}'"),
        ("\"${max( v.a,v.b )}\"", "\"${max(v.a, v.b)}\""),
        ("'${v.a==v.b?v.c:v.d}'", "'${v.a == v.b ? v.c : v.d}'"),
        ("'${{for k,v in m.n:k=>v  if k!=null}}'", "'${{for k, v in m.n : k => v if k != null}}'"),
        ("'${ \"a  b ${ v.c }\" }'", "'${\"a  b ${ v.c }\"}'"),
        ("'${v.a-1}'", "'${v.a-1}'"),
        ("'${ a } and ${ b }'", "'${ a } and ${ b }'"),
        ("' ${ a }'", "' ${ a }'"),
        ("'${~ a ~}'", "'${~ a ~}'"),
        ("\"${ a[\\\"x\\\"] }\"", "\"${ a[\\\"x\\\"] }\""),
        ("'${ broken( }'", "'${ broken( }'"),
        ("'$${ a }'", "'$${ a }'"),
        ("'''${ a }'''", "'''${ a }'''"),
    ] {
        assert_eq!(formatted(&format!("x = {given}\n")), format!("x = {wanted}\n"));
        assert_eq!(formatted(&format!("x = {wanted}\n")), format!("x = {wanted}\n"));
    }
    let plain = format(FileId(0), "x='${ a }'", Strings::Plain).unwrap();
    assert_eq!(plain, "x = '${ a }'\n");
}

#[test]
fn broken_files_are_refused() {
    assert!(format(FileId(0), "a = ", Strings::Templates).is_err());
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\u{feff}a=1\r\n\r\n\r\nb=2"), "a = 1\n\nb = 2\n");
}

/// A document of random layout.
fn document() -> impl Strategy<Value = String> {
    let space = "[ \t]{0,2}";
    let line_end = "([ ]{0,2}#[ a-z]{0,4}[ ]{0,2})?\n{1,4}";
    let key = "[a-z]{1,6}";
    let scalar = prop_oneof![
        Just("1".to_owned()),
        Just("-2.5".to_owned()),
        Just("true".to_owned()),
        "'[ a-z${}\"?:,()=]{0,12}'",
        "\"[ a-z${}?:,()]{0,12}\"",
        "'\\$\\{[ a-z?:,()=\\[\\]\"!<>&|-]{0,16}\\}'",
        Just("'''\n  a\n\n'''".to_owned()),
        Just("1979-05-27 07:32:00Z".to_owned()),
    ];
    let value = scalar.prop_recursive(3, 12, 4, move |inner| {
        let many = proptest::collection::vec((inner.clone(), space, "(#x)?\n{0,3}"), 0..4);
        let array = many.prop_map(|all| {
            let elements = all.iter().map(|(value, space, end)| {
                let end = if end.contains('#') && !end.contains('\n') { "\n" } else { end };
                format!("{space}{value}{space},{end}")
            });
            format!("[{}]", elements.collect::<String>())
        });
        let table = proptest::collection::btree_map(key, inner, 0..3).prop_map(|all| {
            let entries: Vec<String> = all.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{{{}}}", entries.join(","))
        });
        prop_oneof![array, table]
    });
    let entries = proptest::collection::btree_map(key, (value, space, line_end), 0..5);
    let table = (entries, space, "\n{0,2}(#c\n)?\n{0,2}");
    proptest::collection::vec(table, 0..4).prop_map(|tables| {
        let mut text = String::new();
        for (at, (entries, space, before)) in tables.iter().enumerate() {
            text.push_str(before);
            text.push_str(&format!("{space}[{space}t{at}{space}]{space}\n"));
            for (key, (value, space, end)) in entries {
                text.push_str(&format!("{space}{key}{space}={space}{value}{end}"));
            }
        }
        text
    })
}

/// The values of a document, blank space in expressions left out.
fn meaning(text: &str) -> String {
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    let mut plain = format!("{:?}", toml::read(FileId(0), text).0.entries.keys());
    fn walk(out: &mut String, value: &toml_edit::Value) {
        match value {
            toml_edit::Value::String(text) => {
                let text = text.value();
                let is_template = text.starts_with("${") && text.ends_with('}');
                let kept: String = text.chars().filter(|c| !is_template || !c.is_whitespace()).collect();
                out.push_str(&format!("{kept:?},"));
            }
            toml_edit::Value::Array(all) => all.iter().for_each(|inner| walk(out, inner)),
            toml_edit::Value::InlineTable(all) => {
                for (key, inner) in all {
                    out.push_str(key);
                    walk(out, inner);
                }
            }
            other => out.push_str(other.clone().decorated("", "").to_string().as_str()),
        }
    }
    for (name, item) in document.as_table() {
        plain.push_str(name);
        for (key, value) in item.as_table().into_iter().flatten() {
            plain.push_str(key);
            walk(&mut plain, value.as_value().unwrap());
        }
    }
    plain
}

proptest! {
    #[test]
    fn twice_is_once_and_the_meaning_stays(text in document()) {
        if let Ok(once) = format(FileId(0), &text, Strings::Templates) {
            prop_assert_eq!(&format(FileId(0), &once, Strings::Templates).unwrap(), &once);
            prop_assert_eq!(meaning(&text), meaning(&once));
            prop_assert_eq!(text.matches('#').count(), once.matches('#').count());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}=,.'\"#$a1 \n]{0,40}") {
        if let Ok(once) = format(FileId(0), &text, Strings::Templates) {
            prop_assert_eq!(&format(FileId(0), &once, Strings::Templates).unwrap(), &once);
        }
    }
}
