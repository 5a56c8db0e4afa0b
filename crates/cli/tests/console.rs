//! The console, and `fmt -`, with piped input.

use std::io::Write;
use std::process::Stdio;

use crate::stack::{Ran, Stack};

const SPEC: &str = r#"
[variable.word]
default = "plain"

[variable.secret]
type      = "string"
default   = "hidden"
sensitive = true

[locals]
many = [1, 2]

[resource.terraform_data.made]
for_each = { a = 1, b = 2 }
input    = "${each.value}"

[module.m]
source = "./m"

[output.of_module]
value = "${module.m.id}"
"#;

fn asked(stack: &Stack, arguments: &[&str], input: &str) -> Ran {
    piped(stack, &[&["console"], arguments].concat(), input)
}

fn piped(stack: &Stack, arguments: &[&str], input: &str) -> Ran {
    let mut command = stack.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A console that has seen an error may have gone before all is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

fn stack() -> Stack {
    let stack = Stack::of(SPEC);
    let module =
        "[resource.terraform_data.x]\ninput = 'deep'\n[output.id]\nvalue = '${terraform_data.x.output}'\n";
    stack.write("m/terrane.toml", module);
    stack
}

#[test]
fn variables_state_and_modules() {
    let stack = stack();
    let ran = asked(&stack, &[], "module.m.id\nterraform_data.made\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "(known after apply)\n(known after apply)\n"));
    assert_eq!(stack.run(&["apply", "--auto-approve"]).code, Some(0));
    let input = "var.word\nvar.secret\n\nlocal.many[1] + 1\nterraform_data.made[\"b\"].output\nmodule.m.id\n\
                 [for k, v in {\n  a = 1\n} :\n \"${k}=${v}\"]\ntype(local.many)\nterraform.workspace\nexit\nnonsense\n";
    let ran = asked(&stack, &["--var", "word=other"], input);
    let wanted = "\"other\"\n(sensitive value)\n3\n2\n\"deep\"\n[\n  \"a=1\",\n]\ntuple([\n    number,\n    number,\n])\n\"default\"\n";
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), wanted), "{}", ran.err);
}

#[test]
fn the_first_error_ends_it() {
    let stack = stack();
    let ran = asked(&stack, &[], "1 + 1\nlocal.many.x\n2\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "2\n"));
    assert!(ran.err.contains("<console>:1:"), "{}", ran.err);
    let ran = asked(&stack, &[], "var.wrod");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("wrod"), "{}", ran.err);
    let ran = asked(&stack, &[], "try(terraform_data.mad, 1)");
    assert!(ran.err.contains("Did you mean `terraform_data.made`?"), "{}", ran.err);
    let ran = asked(&stack, &[], "[1,");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
}

#[test]
fn fmt_from_input_to_output() {
    let stack = Stack::empty();
    let ran = piped(&stack, &["fmt", "-"], "[locals]\na=1 # one\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "[locals]\na = 1 # one\n"));
    let ran = piped(&stack, &["fmt", "--check", "-"], "a=1\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    let ran = piped(&stack, &["fmt", "-"], "a = [\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("<stdin>:1:"), "{}", ran.err);
}
