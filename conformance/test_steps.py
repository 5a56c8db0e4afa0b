"""Each step must fit the example as it stands, so that an edit of the example cannot empty the suite."""
import tomllib
import unittest

import to_tf_json
import types_stack
from cases import EXAMPLE
from changes import CASES, MODULES, ORDER, numbered, stacks
from steps import STEPS, drop, swap


class Steps(unittest.TestCase):
    def test_each_step_edits_its_stack_into_another_valid_spec(self):
        for stack, steps in ((EXAMPLE, STEPS), (types_stack.STACK, types_stack.STEPS)):
            text = (stack / "terrane.toml").read_text()
            for step in steps:
                with self.subTest(step.name):
                    before, text = text, step.edit(text)
                    to_tf_json.convert(tomllib.loads(text))
                    self.assertTrue(step.actions)
                    if not step.name.endswith(("create", "somebody else")):
                        self.assertNotEqual(tomllib.loads(before), tomllib.loads(text))

    def test_the_addresses_of_the_stack_of_every_type_are_those_that_are_said(self):
        resources = to_tf_json.spec_of(types_stack.STACK)["resource"]
        self.assertEqual(sorted(f"{kind}.{name}" for kind in resources for name in resources[kind]), sorted(types_stack.ALL))

    def test_changes_are_valid_specs_and_their_order_is_about_cases_that_there_are(self):
        for text in (*stacks(), *MODULES.values()):
            to_tf_json.convert(tomllib.loads(text))
        self.assertEqual(len(numbered()), len(CASES))
        self.assertLessEqual({name for name, *_ in ORDER}, set(numbered()))

    def test_an_edit_that_finds_nothing_is_an_error(self):
        for edit in (swap("no such text", ""), drop("no such line")):
            with self.assertRaises(ValueError):
                edit("[locals]\na = 1\n")


if __name__ == "__main__":
    unittest.main()
