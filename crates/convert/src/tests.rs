use super::*;

fn text(hcl_text: &str) -> String {
    hcl(FileId(0), hcl_text).unwrap().text
}

fn refused(hcl_text: &str) -> Vec<(&'static str, String)> {
    let found = hcl(FileId(0), hcl_text).unwrap_err();
    let place =
        |d: &Diagnostic| d.span.map_or("", |s| &hcl_text[s.start as usize..s.end as usize]).to_owned();
    found.iter().map(|d| (d.code, place(d))).collect()
}

#[test]
fn blocks_become_tables() {
    assert_eq!(
        text("resource \"aws_iam_user\" \"a\" {\n  name = \"x\"\n}\nresource aws_iam_user b {}\n"),
        "[resource.aws_iam_user.a]\nname = \"x\"\n\n[resource.aws_iam_user.b]\n"
    );
    assert_eq!(
        text("a \"b.c\" {\n  d {\n    e = 1\n  }\n  d {\n    e = 2\n  }\n}\n"),
        "[[a.\"b.c\".d]]\ne = 1\n\n[[a.\"b.c\".d]]\ne = 2\n"
    );
    assert_eq!(text("provider \"aws\" {}\n"), "[provider.aws]\n");
    let two = text("provider \"aws\" {}\nprovider \"aws\" {\n  alias = \"w\"\n}\n");
    assert_eq!(two, "[[provider.aws]]\n\n[[provider.aws]]\nalias = \"w\"\n");
    assert_eq!(text("removed {\n  from = a.b\n}\n"), "[[removed]]\nfrom = \"a.b\"\n");
}

#[test]
fn what_toml_has_once_is_put_together() {
    assert_eq!(
        text("locals { # one\n  a = 1\n  # end\n}\n# two\nlocals {\n  b = 2\n}\n"),
        "[locals] # one\na = 1\n# end\n# two\nb = 2\n"
    );
}

#[test]
fn addresses_types_and_keywords_are_no_expressions() {
    let resource = text(
        "resource \"a\" \"b\" {\n  provider = aws.w\n  depends_on = [c.d[0], module.m]\n  lifecycle {\n    ignore_changes = all\n  }\n}\n",
    );
    assert_eq!(
        resource,
        "[resource.a.b]\nprovider   = \"aws.w\"\ndepends_on = [\"c.d[0]\", \"module.m\"]\n\
         lifecycle  = { ignore_changes = \"all\" }\n"
    );
    assert_eq!(
        text("variable \"v\" {\n  type = map( string )\n}\n"),
        "[variable.v]\ntype = \"map( string )\"\n"
    );
    assert_eq!(
        text("module \"m\" {\n  source = \"./m\"\n  providers = { aws = aws.w, aws.x = aws }\n}\n"),
        "[module.m]\nsource    = \"./m\"\nproviders = { aws = \"aws.w\", \"aws.x\" = \"aws\" }\n"
    );
    // The same name elsewhere is an argument like any.
    assert_eq!(text("resource \"a\" \"b\" {\n  type = c.d\n}\n"), "[resource.a.b]\ntype = \"${c.d}\"\n");
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let converted = text(
        "# Licence\n\n# about a\nlocals {\n  // b\n  b = 1 # behind b\n\n  c = [\n    1, // one\n    /* two */ 2,\n    # none\n  ]\n  d = {\n    # e\n    e = 1\n  }\n  # last\n}\n# end\n",
    );
    assert_eq!(
        converted,
        "# Licence\n\n# about a\n[locals]\n# b\nb = 1 # behind b\n\nc = [\n  1, # one\n  # two\n  2,\n  # none\n]\n# last\n\n\
         [locals.d]\n# e\ne = 1\n# end\n"
    );
}

#[test]
fn numbers_that_toml_can_not_hold_are_templates() {
    assert_eq!(
        text(
            "locals {\n  a = 1\n  b = 007\n  c = 123456789012345678901\n  d = 1.50\n  e = -3\n  f = 1e3\n}\n"
        ),
        "[locals]\na = 1\nb = \"${007}\"\nc = \"${123456789012345678901}\"\nd = 1.50\ne = -3\nf = \"${1e3}\"\n"
    );
}

#[test]
fn a_key_given_twice_stays_an_expression() {
    assert_eq!(
        text("locals {\n  a = { b = 1, \"b\" = 2 }\n}\n"),
        "[locals]\na = '${{ b = 1, \"b\" = 2 }}'\n"
    );
}

#[test]
fn modules_and_backends_are_told() {
    let file = "module \"a\" {\n  source = \"../x\"\n}\nterraform {\n  backend \"s3\" {}\n}\n";
    let converted = hcl(FileId(0), file).unwrap();
    assert!(converted.has_backend);
    let [(source, place)] = converted.modules.as_slice() else { panic!("{:?}", converted.modules) };
    assert_eq!((source.as_str(), &file[place.start as usize..place.end as usize]), ("../x", "\"../x\""));
    let converted = json(FileId(0), r#"{"module": {"a": [{"source": "./y"}]}}"#).unwrap();
    assert_eq!(converted.modules.len(), 1);
    assert!(!converted.has_backend);
}

#[test]
fn json_is_taken_as_it_is() {
    let file = r#"{"//": "Made by a program", "resource": [{"a": {"b": {"//": "c", "n": null, "t": "${x}", "i": 1, "big": 12345678901234567890,
        "o": {"k": [1, {"z": "\n"}]}}}}], "moved": {"from": "a.x", "to": "a.b"}, "locals": {"e": {}}}"#;
    assert_eq!(
        json(FileId(0), file).unwrap().text,
        "# Made by a program\n\n# c\n[resource.a.b]\nn   = \"${null}\"\nt   = \"${x}\"\ni   = 1\nbig = \"${12345678901234567890}\"\n\
         o   = { k = [1, { z = \"\\n\" }] }\n\n[[moved]]\nfrom = \"a.x\"\nto   = \"a.b\"\n\n[locals]\ne = {}\n"
    );
    for wrong in ["[1]", "{\"resource\": 1}", "{\"resource\": {\"a\": []", "", "{\"module\": {\"m\": \"x\"}}"]
    {
        assert!(json(FileId(0), wrong).is_err(), "{wrong}");
    }
}

#[test]
fn values_of_variables_are_written_as_everywhere() {
    let file = "# ours\na = \"$${x} %%{y}\"\nb = -1.5\nc = [null, { k = \"v\", \"l m\" = [] }] # c\nd = <<-EOT\n  $${z}\n EOT\n# end\n";
    assert_eq!(
        variables(FileId(0), file).unwrap().text,
        "# ours\na = \"$${x} %%{y}\"\nb = -1.5\nc = [\"${null}\", { k = \"v\", \"l m\" = [] }] # c\nd = \"\"\"\n$${z}\n\"\"\"\n# end\n"
    );
    let converted = variables_json(FileId(0), r#"{"a": "$${x}", "b": null, "c": {"d": [1]}}"#).unwrap();
    assert_eq!(converted.text, "a = \"$${x}\"\nb = \"${null}\"\nc = { d = [1] }\n");
    assert!(variables(FileId(0), "a {}\n").is_err());
    assert!(variables_json(FileId(0), "[]").is_err());
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    assert_eq!(refused("a = 1\n"), [("unexpected-argument", "a = 1".to_owned())]);
    assert_eq!(refused("locals {\n  a = }\n"), [("invalid-hcl", "}".to_owned())]);
    assert_eq!(refused("resource \"a\" {}\n"), [("invalid-labels", "resource".to_owned())]);
    assert_eq!(
        refused("output \"a\" {}\noutput \"a\" {}\noutput \"a\" {}\n"),
        [("duplicate-name", "output".to_owned()), ("duplicate-name", "output".to_owned())]
    );
    assert_eq!(refused("locals {"), [("invalid-hcl", "{".to_owned())]);
}
