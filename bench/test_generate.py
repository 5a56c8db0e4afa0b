"""Generated stacks hold exactly the resources that they say, in both syntaxes."""
import re
import tomllib
import unittest

import generate


def resources(spec):
    return [(kind, name) for kind, named in spec["resource"].items() for name in named]


class Generated(unittest.TestCase):
    def test_cells_hold_n_resources_of_the_kinds_they_say(self):
        for n in (8, 9, 15, 16, 100, 1003):
            spec, made = generate.cells(n), generate.cells_made(n)
            self.assertEqual(len(resources(spec)), n)
            self.assertEqual(sum(made.values()), n)
            self.assertEqual(len(spec["resource"]["aws_dynamodb_table"]), made["table"])

    def test_names_in_the_cloud_are_unique(self):
        tables = generate.cells(200)["resource"]["aws_dynamodb_table"].values()
        self.assertEqual(len({t["name"] for t in tables}), len(tables))

    def test_a_core_stack_holds_n_and_refers_only_to_what_it_has(self):
        for shape in ("fanout", "layers", "chain"):
            named = generate.core(50, shape)["resource"]["terraform_data"]
            self.assertEqual(len(named), 50)
            for body in named.values():
                self.assertLessEqual(set(re.findall(r"terraform_data\.(\w+)\.", body["input"])), set(named))
        counted = generate.core(50, "count")["resource"]["terraform_data"]
        self.assertEqual(1 + counted["r"]["count"], 50)

    def test_the_toml_reads_back_as_the_same_spec(self):
        for spec in (generate.cells(17), generate.core(20, "chain"), generate.core(20, "count")):
            self.assertEqual(tomllib.loads(generate.to_toml(spec)), spec)

    def test_the_hcl_has_a_block_for_each_resource(self):
        hcl = generate.to_hcl(generate.cells(17))
        self.assertEqual(len(re.findall(r'^resource "', hcl, re.M)), 17)
        self.assertEqual(hcl.count("{"), hcl.count("}"))


if __name__ == "__main__":
    unittest.main()
