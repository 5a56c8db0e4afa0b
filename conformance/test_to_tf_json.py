"""The conversion of specs to Terraform's JSON."""
import tempfile
import unittest
from pathlib import Path

import to_tf_json


class Conversion(unittest.TestCase):
    def test_our_own_tables_are_left_out_and_the_provider_is_required(self):
        out = to_tf_json.convert({"terrane": {"required_version": ">= 0.1"}, "access": {"a": {}}, "locals": {"x": 1}})
        self.assertEqual(out, {"locals": {"x": 1}, "terraform": {"required_providers": to_tf_json.PROVIDER}})

    def test_a_template_that_is_null_becomes_null_at_any_depth(self):
        out = to_tf_json.convert({"variable": {"p": {"default": "${null}"}}, "locals": {"l": ["${null}", "${nullish}"]}})
        self.assertIsNone(out["variable"]["p"]["default"])
        self.assertEqual(out["locals"]["l"], [None, "${nullish}"])

    def test_a_block_given_as_an_expression_becomes_dynamic(self):
        table = {"attribute": "${local.a}", "name": "t"}
        out = to_tf_json.convert({"resource": {"aws_dynamodb_table": {"t": table}}})
        self.assertEqual(out["resource"]["aws_dynamodb_table"]["t"], {
            "name": "t", "dynamic": {"attribute": {"for_each": "${local.a}", "content": {
                "name": "${attribute.value.name}", "type": "${attribute.value.type}"}}}})

    def test_a_block_given_as_tables_stays(self):
        table = {"attribute": [{"name": "Id", "type": "S"}], "ttl": {"enabled": False}}
        spec = {"resource": {"aws_dynamodb_table": {"t": dict(table)}}}
        self.assertEqual(to_tf_json.convert(spec)["resource"]["aws_dynamodb_table"]["t"], table)

    def test_an_argument_that_an_element_may_leave_out_is_read_with_a_fallback(self):
        spec = {"resource": {"aws_dynamodb_table": {"t": {"local_secondary_index": "${local.i}"}}}}
        dynamic = to_tf_json.convert(spec)["resource"]["aws_dynamodb_table"]["t"]["dynamic"]
        self.assertEqual(dynamic["local_secondary_index"]["content"]["non_key_attributes"],
                         "${try(local_secondary_index.value.non_key_attributes, null)}")


class Merging(unittest.TestCase):
    def test_tables_are_merged_and_lists_joined(self):
        merged = to_tf_json.merge([{"locals": {"a": 1}, "moved": [1]}, {"locals": {"b": 2}, "moved": [2]}])
        self.assertEqual(merged, {"locals": {"a": 1, "b": 2}, "moved": [1, 2]})

    def test_what_is_said_twice_is_an_error_that_names_it(self):
        with self.assertRaisesRegex(ValueError, "`locals.a` is given in two files"):
            to_tf_json.merge([{"locals": {"a": 1}}, {"locals": {"a": 1}}])

    def test_the_files_of_a_folder_are_read_and_an_earlier_conversion_is_replaced(self):
        with tempfile.TemporaryDirectory() as scratch:
            stack, out = Path(scratch, "stack"), Path(scratch, "out")
            stack.mkdir()
            out.mkdir()
            (stack / "terrane.toml").write_text("[locals]\na = 1\n")
            (stack / "more.terrane.toml").write_text("[locals]\nb = 2\n")
            (stack / "terrane.vars.toml").write_text('p = "${null}"\n')
            (out / "old.auto.tfvars.json").write_text("{}")
            to_tf_json.write(stack, out)
            self.assertEqual(sorted(f.name for f in out.iterdir()), ["main.tf.json", "terraform.tfvars.json"])
            self.assertIn('"p": null', (out / "terraform.tfvars.json").read_text())

    def test_a_folder_without_a_spec_is_an_error(self):
        with tempfile.TemporaryDirectory() as scratch, self.assertRaises(FileNotFoundError):
            to_tf_json.spec_of(scratch)


if __name__ == "__main__":
    unittest.main()
